//! A provider of the program's own, in whatever language: what it is asked goes to the program,
//! which begins to answer and returns at once; the answer comes back through a [`Reply`], later,
//! from any thread. The C library's callbacks and the Python package's subclasses stand on it.
//!
//! A call's time limits hold here, once for all languages, and a call that is given up tells the
//! program so. Which language it is, is not known here.

use std::borrow::Cow;
use std::sync::Arc;
use std::time::{Duration, Instant};

use tokio::sync::oneshot;

use crate::api::Ask;
use crate::chunk::StreamEvent;
use crate::error::{Error, ErrorKind, Phase, Result};
use crate::process::Era;
use crate::provider::{CallContext, Provider, Work};
use crate::request::CallOptions;
use crate::response::{CallReport, Document, Health, Response, StreamEnd};
use crate::stream::EventSink;
use crate::sync::{Mutex, lock};
use crate::time_limits;

/// How long a health check may take that has no limit of its own.
const HEALTH_LIMIT: Duration = Duration::from_secs(5);

/// What a program's own provider is asked for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Wanted {
    /// A completion as a whole.
    Answer,
    /// A completion in parts.
    Parts,
    /// Whether it can serve now.
    Health,
}

/// What a program does for a provider of its own.
pub trait Foreign: Send + Sync + 'static {
    /// The name in logs, metrics and router reports.
    fn name(&self) -> &str;

    /// Whether it answers this at all. A provider that answers no health checks counts as healthy.
    fn answers(&self, wanted: Wanted) -> bool;

    /// Begins to answer and returns at once: it runs on the library's I/O thread. `ask` is a chat
    /// request, `None` for a health check. After an error `reply` is not used any more.
    fn begin(&self, context: &CallContext, ask: Option<&Arc<Ask>>, reply: Reply) -> Result<()>;
}

/// A program's own provider, as all the others are.
pub struct ForeignProvider<F>(F);

impl<F: Foreign> ForeignProvider<F> {
    /// The provider that answers as `foreign` does.
    pub fn new(foreign: F) -> ForeignProvider<F> {
        ForeignProvider(foreign)
    }

    /// What answers.
    pub fn foreign(&self) -> &F {
        &self.0
    }

    async fn ask(
        &self,
        context: &CallContext,
        ask: Option<&Arc<Ask>>,
        wanted: Wanted,
        sink: Option<EventSink>,
    ) -> Result<Answer> {
        let (reply, waiting) = Reply::new(wanted, sink, context.era());
        self.0.begin(context, ask, reply)?;
        waiting.answer().await
    }

    /// Refuses what the program has no words for.
    fn check(&self, ask: &Ask, wanted: Wanted) -> Result<()> {
        let what = match wanted {
            _ if ask.request().is_none() => ask.operation().name,
            Wanted::Parts if !self.0.answers(wanted) => "streams",
            Wanted::Answer if !self.0.answers(wanted) => "requests",
            _ => return Ok(()),
        };
        let text = format!(
            "{} does not answer {what}: the program set nothing for it",
            self.0.name()
        );
        Err(Error::new(ErrorKind::InvalidRequest, Phase::Input, text))
    }
}

impl<F: Foreign> Provider for ForeignProvider<F> {
    fn name(&self) -> &str {
        self.0.name()
    }

    fn perform<'a>(&'a self, context: &'a CallContext, ask: Arc<Ask>) -> Work<'a, Document> {
        Box::pin(async move {
            self.check(&ask, Wanted::Answer)?;
            let work = self.ask(context, Some(&ask), Wanted::Answer, None);
            match time_limits::whole(self.0.name(), &limits(&ask, context), work).await? {
                Answer::Whole(response) => Ok(Document::from(*response)),
                _ => Err(of_another_kind()),
            }
        })
    }

    fn stream<'a>(
        &'a self,
        context: &'a CallContext,
        ask: Arc<Ask>,
        sink: &'a mut EventSink,
    ) -> Work<'a, StreamEnd> {
        Box::pin(async move {
            self.check(&ask, Wanted::Parts)?;
            let twin = Some(sink.twin());
            let work = async {
                match self.ask(context, Some(&ask), Wanted::Parts, twin).await {
                    Ok(Answer::End(end)) => Ok(*end),
                    Ok(_) => Err(of_another_kind()),
                    Err(error) => Err(error.with_partial_text(sink.delivered_text())),
                }
            };
            time_limits::in_parts(self.0.name(), &limits(&ask, context), sink, work).await
        })
    }

    fn health_check<'a>(
        &'a self,
        context: &'a CallContext,
        timeout: Option<Duration>,
    ) -> Work<'a, Health> {
        Box::pin(async move {
            let begun = Instant::now();
            if self.0.answers(Wanted::Health) {
                let limit = timeout.unwrap_or(HEALTH_LIMIT);
                let work = self.ask(context, None, Wanted::Health, None);
                let outcome = tokio::time::timeout(limit, work).await;
                outcome.unwrap_or_else(|_| Err(late_health(self.0.name(), limit)))?;
            }
            Ok(Health {
                latency: begun.elapsed(),
                models: 0,
                request_id: String::new(),
            })
        })
    }
}

/// The call's own limits. A deadline within a router is the router's to keep: each attempt has its
/// share of it.
fn limits<'a>(ask: &'a Ask, context: &CallContext) -> Cow<'a, CallOptions> {
    match (context.limits().until, ask.options().deadline) {
        (Some(_), Some(_)) => Cow::Owned(CallOptions {
            deadline: None,
            ..ask.options().clone()
        }),
        _ => Cow::Borrowed(ask.options()),
    }
}

fn late_health(name: &str, limit: Duration) -> Error {
    let text = format!(
        "the health check of {name} took more than {} s",
        limit.as_secs_f64()
    );
    Error::new(ErrorKind::Timeout, Phase::Answer, text)
}

/// Cannot come: a reply makes its answer of what was wanted.
fn of_another_kind() -> Error {
    Error::internal("the program's own provider answered something else than it was asked for")
}

/// What a program answered.
enum Answer {
    Whole(Box<Response>),
    End(Box<StreamEnd>),
    Healthy,
}

/// What a reply and the call that waits for it share.
struct Shared(Mutex<Stage>);

enum Stage {
    Open {
        answer: oneshot::Sender<Result<Answer>>,
        /// What is to be called when the call is given up.
        watch: Option<Box<dyn FnOnce() + Send>>,
    },
    Answered,
    /// Nobody waits any more.
    Cancelled,
}

/// Why a reply does not take what it is given.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ReplyRefusal {
    /// It was answered before.
    Answered,
    /// It is watched already.
    Watched,
    /// Something else was asked for.
    NotWanted,
}

/// Through which a program answers one ask, exactly once, from any thread. Dropping it unanswered
/// fails the call. What comes after the call was given up is lost without an error, since the
/// program cannot have known.
pub struct Reply {
    shared: Arc<Shared>,
    wanted: Wanted,
    sink: Option<EventSink>,
    era: Era,
}

impl Reply {
    fn new(wanted: Wanted, sink: Option<EventSink>, era: Era) -> (Reply, Waiting) {
        let (sender, receiver) = oneshot::channel();
        let shared = Arc::new(Shared(Mutex::new(Stage::Open {
            answer: sender,
            watch: None,
        })));
        let waiting = Waiting {
            shared: shared.clone(),
            answer: receiver,
        };
        let reply = Reply {
            shared,
            wanted,
            sink,
            era,
        };
        (reply, waiting)
    }

    /// What was asked for.
    pub fn wanted(&self) -> Wanted {
        self.wanted
    }

    /// The process and runtime of the call.
    pub fn era(&self) -> Era {
        self.era
    }

    /// Answers with a text and a finish reason: as a whole, as the last piece of a stream, or
    /// "healthy", whatever the text is.
    pub fn finish(&self, text: String, reason: &str) -> std::result::Result<(), ReplyRefusal> {
        match self.wanted {
            Wanted::Answer => self.respond(Response {
                text,
                finish_reason: reason.to_owned(),
                report: sent_once(),
                ..Response::default()
            }),
            Wanted::Parts => {
                let end = StreamEnd {
                    finish_reason: reason.to_owned(),
                    report: sent_once(),
                    ..StreamEnd::default()
                };
                let last = (!text.is_empty()).then_some(StreamEvent::Text(text));
                self.answer_after(|| self.say(last, None), Ok(Answer::End(Box::new(end))))
            }
            Wanted::Health => self.answer(Ok(Answer::Healthy)),
        }
    }

    /// Answers with a completion.
    pub fn respond(&self, response: Response) -> std::result::Result<(), ReplyRefusal> {
        match self.wanted {
            Wanted::Answer => self.answer(Ok(Answer::Whole(Box::new(response)))),
            _ => Err(ReplyRefusal::NotWanted),
        }
    }

    /// Hands over the next part of a stream, with the JSON that it came from, if there is one. Does
    /// not wait for the reader.
    pub fn push(
        &self,
        event: StreamEvent,
        origin: Option<&str>,
    ) -> std::result::Result<(), ReplyRefusal> {
        if self.sink.is_none() {
            return Err(ReplyRefusal::NotWanted);
        }
        // Under the lock: it is said before anybody can stop waiting, so that a late part never
        // gets into the stream of the member that a router asks next.
        let stage = lock(&self.shared.0);
        if matches!(*stage, Stage::Open { .. }) {
            self.say(Some(event), origin);
        }
        Ok(())
    }

    fn say(&self, event: Option<StreamEvent>, origin: Option<&str>) {
        if let (Some(sink), Some(event)) = (&self.sink, event) {
            let mut sink = sink.twin();
            if let Some(json) = origin {
                sink.set_origin(json.as_bytes());
            }
            sink.push_now(event);
        }
    }

    /// Whether the reader has taken all that was pushed; if not, `waker` is woken when it may have.
    pub fn is_read(&self, waker: &std::task::Waker) -> bool {
        self.sink.as_ref().is_none_or(|sink| sink.is_read(waker))
    }

    /// Ends a stream well.
    pub fn end(&self, end: StreamEnd) -> std::result::Result<(), ReplyRefusal> {
        match self.wanted {
            Wanted::Parts => self.answer(Ok(Answer::End(Box::new(end)))),
            _ => Err(ReplyRefusal::NotWanted),
        }
    }

    /// Answers with a failure. A router decides by its kind whether the next member is asked.
    pub fn fail(&self, error: Error) -> std::result::Result<(), ReplyRefusal> {
        self.answer(Err(error))
    }

    /// Whether nobody waits any more: cancelled, timed out, or shut down.
    pub fn is_cancelled(&self) -> bool {
        matches!(*lock(&self.shared.0), Stage::Cancelled)
    }

    /// Has what `tell` makes called once, when the call is given up before its answer; at once, when
    /// it has been. It may be called on a thread of the library and must be quick. `tell` is called
    /// only when that is accepted.
    pub fn on_cancel(
        &self,
        tell: impl FnOnce() -> Box<dyn FnOnce() + Send>,
    ) -> std::result::Result<(), ReplyRefusal> {
        let mut stage = lock(&self.shared.0);
        match &mut *stage {
            Stage::Open { watch: Some(_), .. } => Err(ReplyRefusal::Watched),
            Stage::Open { watch, .. } => {
                *watch = Some(tell());
                Ok(())
            }
            Stage::Answered => Err(ReplyRefusal::Answered),
            Stage::Cancelled => {
                drop(stage);
                tell()();
                Ok(())
            }
        }
    }

    fn answer(&self, with: Result<Answer>) -> std::result::Result<(), ReplyRefusal> {
        self.answer_after(|| (), with)
    }

    /// Answers; before that, if anybody waits, does this.
    fn answer_after(
        &self,
        first: impl FnOnce(),
        with: Result<Answer>,
    ) -> std::result::Result<(), ReplyRefusal> {
        let previous = {
            let mut stage = lock(&self.shared.0);
            match *stage {
                Stage::Cancelled => return Ok(()),
                Stage::Answered => return Err(ReplyRefusal::Answered),
                Stage::Open { .. } => {
                    first();
                    std::mem::replace(&mut *stage, Stage::Answered)
                }
            }
        };
        // Outside of the lock: what the watch holds is the program's.
        if let Stage::Open { answer, watch } = previous {
            drop(watch);
            // Fails when the call was given up just now: then the answer is lost.
            let _ = answer.send(with);
        }
        Ok(())
    }
}

impl Drop for Reply {
    fn drop(&mut self) {
        if self.era.is_inherited() {
            return; // the parent's: its lock may be held for ever here
        }
        // Refused when it was answered, as it should be.
        let _ = self.fail(Error::internal(
            "the program's own provider freed its reply without an answer",
        ));
    }
}

fn sent_once() -> CallReport {
    CallReport {
        attempts: 1,
        ..CallReport::default()
    }
}

/// The call's end of a reply. Dropping it before the answer tells the program that nobody waits.
struct Waiting {
    shared: Arc<Shared>,
    answer: oneshot::Receiver<Result<Answer>>,
}

impl Waiting {
    async fn answer(mut self) -> Result<Answer> {
        let outcome = (&mut self.answer).await;
        outcome.unwrap_or_else(|_| Err(of_another_kind()))
    }
}

impl Drop for Waiting {
    fn drop(&mut self) {
        let previous = {
            let mut stage = lock(&self.shared.0);
            match *stage {
                Stage::Open { .. } => std::mem::replace(&mut *stage, Stage::Cancelled),
                Stage::Answered | Stage::Cancelled => return,
            }
        };
        if let Stage::Open {
            watch: Some(tell), ..
        } = previous
        {
            tell();
        }
    }
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;
    use std::sync::atomic::{AtomicU32, Ordering};
    use std::task::Waker;

    use super::{Answer, Reply, ReplyRefusal, Wanted};
    use crate::chunk::StreamEvent;
    use crate::error::ErrorKind;
    use crate::process::Era;
    use crate::stream::pipe;

    fn text(text: &str) -> StreamEvent {
        StreamEvent::Text(text.to_owned())
    }

    #[tokio::test]
    async fn a_reply_is_answered_once_and_what_was_not_asked_for_is_refused() {
        let (reply, waiting) = Reply::new(Wanted::Answer, None, Era::default());
        assert_eq!(reply.push(text("x"), None), Err(ReplyRefusal::NotWanted));
        assert_eq!(reply.finish("one".into(), "stop"), Ok(()));
        let again = reply.finish("two".into(), "stop");
        assert_eq!(again, Err(ReplyRefusal::Answered));
        drop(reply);
        let answer = waiting.answer().await;
        assert!(matches!(answer, Ok(Answer::Whole(response)) if response.text == "one"));
    }

    #[tokio::test]
    async fn a_dropped_reply_fails_its_call() {
        let (reply, waiting) = Reply::new(Wanted::Health, None, Era::default());
        drop(reply);
        let error = waiting.answer().await.err().unwrap();
        assert_eq!(error.kind(), ErrorKind::Internal);
    }

    #[test]
    fn a_call_that_is_given_up_tells_its_watcher_once() {
        let (reply, waiting) = Reply::new(Wanted::Answer, None, Era::default());
        let told = Arc::new(AtomicU32::new(0));
        let count = |told: &Arc<AtomicU32>| {
            let told = told.clone();
            move || -> Box<dyn FnOnce() + Send> {
                Box::new(move || {
                    told.fetch_add(1, Ordering::SeqCst);
                })
            }
        };
        assert_eq!(reply.on_cancel(count(&told)), Ok(()));
        assert_eq!(reply.on_cancel(count(&told)), Err(ReplyRefusal::Watched));
        drop(waiting);
        assert!(reply.is_cancelled());
        assert_eq!(told.load(Ordering::SeqCst), 1);
        assert_eq!(reply.on_cancel(count(&told)), Ok(()), "told at once");
        assert_eq!(told.load(Ordering::SeqCst), 2);
        assert_eq!(reply.finish("late".into(), "stop"), Ok(()));
    }

    #[test]
    fn what_comes_after_a_cancel_gets_into_no_stream() {
        let (sink, stream) = pipe(1024, Arc::default(), Era::default(), None);
        let (reply, waiting) = Reply::new(Wanted::Parts, Some(sink), Era::default());
        reply.push(text("in time"), None).unwrap();
        drop(waiting);
        reply.push(text("late"), None).unwrap();
        reply.finish("later".into(), "stop").unwrap();
        assert_eq!(stream.take_arrived().unwrap(), [text("in time")]);
    }

    #[test]
    fn a_writer_in_step_is_told_when_all_is_read_and_its_time_rests_until_then() {
        let (sink, stream) = pipe(1024, Arc::default(), Era::default(), None);
        let watched = sink.twin();
        watched.note_times();
        let (reply, _waiting) = Reply::new(Wanted::Parts, Some(sink), Era::default());
        assert!(reply.is_read(Waker::noop()));
        reply.push(text("x"), None).unwrap();
        let heard = watched.last_heard();
        assert_eq!(
            watched.last_heard(),
            heard,
            "a writer that only pushes is timed"
        );
        assert!(!reply.is_read(Waker::noop()));
        assert!(watched.last_heard() > heard);
        stream.take_arrived().unwrap();
        assert!(reply.is_read(Waker::noop()));
        assert_eq!(watched.last_heard(), watched.last_heard());
    }
}
