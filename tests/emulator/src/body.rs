//! The body of an answer as a plan: bytes, pauses, silences and breaks, in order.
//!
//! Plain data until hyper asks for it, so that every fault of a body is a change of the plan, see `reply`.

use std::collections::VecDeque;
use std::convert::Infallible;
use std::fmt;
use std::future::Future;
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll};
use std::time::Duration;

use bytes::Bytes;
use hyper::body::{Body, Frame, SizeHint};
use tokio::time::Sleep;

use crate::connection::{Connection, Ending, InUse};
use crate::distort::Plan;
use crate::ticket::Ticket;

const COMMENT: &[u8] = b": keep-alive\n\n";
/// Time for the socket to take what was handed over, before the connection is broken on purpose.
const BEFORE_BREAK: Duration = Duration::from_millis(5);

#[derive(Clone, Debug, PartialEq)]
pub(crate) enum Step {
    /// These bytes.
    Data(Bytes),
    /// What came before goes to the socket on its own, apart from what follows.
    Flush,
    /// Nothing for this long.
    Pause(Duration),
    /// These bytes, so many times; `None` is for ever.
    Repeat(Bytes, Option<u64>),
    /// Comments for ever, at this interval.
    Comments(Duration),
    /// As far as the service is concerned the answer is complete, whatever follows.
    Complete,
    /// Nothing more, but the body does not end.
    Silence,
    /// The answer breaks off: on HTTP/1.1 the connection, on HTTP/2 the stream.
    Break(Ending),
}

/// A stream was broken on purpose; hyper answers it with `RST_STREAM`.
#[derive(Debug)]
pub(crate) struct Broken;

impl fmt::Display for Broken {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str("the answer breaks off on purpose")
    }
}

impl std::error::Error for Broken {}

impl From<Infallible> for Broken {
    fn from(never: Infallible) -> Self {
        match never {}
    }
}

pub(crate) struct AnswerBody {
    content: Content,
    connection: Arc<Connection>,
    /// Whether the connection is closed, unannounced, behind this answer.
    pub close_after: bool,
    _in_use: InUse,
}

enum Content {
    Whole(Bytes),
    Planned(Box<Planned>),
}

struct Planned {
    steps: VecDeque<Step>,
    /// What `Content-Length` says, whether it is true or not.
    declared: Option<u64>,
    ticket: Ticket,
    http2: bool,
    sleep: Option<Pin<Box<Sleep>>>,
}

impl AnswerBody {
    pub fn whole(bytes: Bytes, connection: Arc<Connection>, in_use: InUse) -> AnswerBody {
        AnswerBody {
            content: Content::Whole(bytes),
            connection,
            close_after: false,
            _in_use: in_use,
        }
    }

    pub fn planned(
        plan: Plan,
        http2: bool,
        ticket: Ticket,
        connection: Arc<Connection>,
        in_use: InUse,
    ) -> AnswerBody {
        let mut planned = Planned {
            steps: plan.steps,
            declared: plan.declared,
            ticket,
            http2,
            sleep: None,
        };
        planned.settle();
        AnswerBody {
            content: Content::Planned(Box::new(planned)),
            connection,
            close_after: false,
            _in_use: in_use,
        }
    }
}

impl Drop for AnswerBody {
    fn drop(&mut self) {
        if self.close_after {
            self.connection.end(Ending::Graceful);
        }
    }
}

impl Body for AnswerBody {
    type Data = Bytes;
    type Error = Broken;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, Broken>>> {
        let body = &mut *self;
        match &mut body.content {
            Content::Whole(bytes) if bytes.is_empty() => Poll::Ready(None),
            Content::Whole(bytes) => Poll::Ready(Some(Ok(Frame::data(std::mem::take(bytes))))),
            Content::Planned(planned) => planned.poll(context, &body.connection),
        }
    }

    fn is_end_stream(&self) -> bool {
        match &self.content {
            Content::Whole(bytes) => bytes.is_empty(),
            Content::Planned(planned) => planned.steps.is_empty(),
        }
    }

    fn size_hint(&self) -> SizeHint {
        match &self.content {
            Content::Whole(bytes) => SizeHint::with_exact(bytes.len() as u64),
            Content::Planned(planned) => match planned.declared {
                Some(length) => SizeHint::with_exact(length),
                None => SizeHint::default(),
            },
        }
    }
}

impl Planned {
    /// Takes the marks at the front of the plan, so that the ticket is settled before the bytes leave.
    fn settle(&mut self) {
        while self.steps.front() == Some(&Step::Complete) {
            self.steps.pop_front();
            self.ticket.finish();
        }
        if self.steps.is_empty() {
            self.ticket.finish();
        }
    }

    fn poll(
        &mut self,
        context: &mut Context<'_>,
        connection: &Connection,
    ) -> Poll<Option<Result<Frame<Bytes>, Broken>>> {
        loop {
            if let Some(sleep) = &mut self.sleep {
                std::task::ready!(sleep.as_mut().poll(context));
                self.sleep = None;
            }
            self.settle();
            match self.steps.pop_front() {
                None => return Poll::Ready(None),
                Some(Step::Data(bytes)) => {
                    self.settle();
                    return Poll::Ready(Some(Ok(Frame::data(bytes))));
                }
                Some(Step::Flush) => {
                    // hyper flushes when a body has nothing to give for the moment.
                    context.waker().wake_by_ref();
                    return Poll::Pending;
                }
                Some(Step::Pause(time)) => self.sleep = Some(Box::pin(tokio::time::sleep(time))),
                Some(Step::Repeat(_, Some(0))) => {}
                Some(Step::Repeat(bytes, left)) => {
                    let left = left.map(|left| left - 1);
                    if left != Some(0) {
                        self.steps.push_front(Step::Repeat(bytes.clone(), left));
                    }
                    self.settle();
                    return Poll::Ready(Some(Ok(Frame::data(bytes))));
                }
                Some(Step::Comments(every)) => {
                    self.steps.push_front(Step::Comments(every));
                    self.sleep = Some(Box::pin(tokio::time::sleep(every)));
                    return Poll::Ready(Some(Ok(Frame::data(Bytes::from_static(COMMENT)))));
                }
                Some(Step::Complete) => {}
                Some(Step::Silence) => {
                    self.steps.push_front(Step::Silence);
                    return Poll::Pending;
                }
                Some(Step::Break(ending)) => {
                    self.ticket.abort();
                    if self.http2 {
                        return Poll::Ready(Some(Err(Broken)));
                    }
                    connection.end(ending);
                    self.steps.push_front(Step::Silence);
                    return Poll::Pending;
                }
            }
        }
    }
}

/// The steps that break an answer off, once what came before has left.
pub(crate) fn break_off(reset: bool) -> [Step; 3] {
    let ending = match reset {
        true => Ending::Reset,
        false => Ending::Close,
    };
    [Step::Flush, Step::Pause(BEFORE_BREAK), Step::Break(ending)]
}
