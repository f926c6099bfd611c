//! A router's members, as the core's driver sees them: native where the provider's methods are the
//! package's own, otherwise asked in Python, on the loop of the call.
//!
//! The driver's thread puts a `Job` into the loop's queue and touches no Python object; the answer
//! comes back through the job. Which methods are Python's is said anew by each call, before it
//! begins, so that what is patched or reconfigured later holds with the next call.

use std::sync::Arc;
use std::sync::atomic::{AtomicU8, AtomicU64, Ordering};
use std::task::{Wake, Waker};
use std::time::Duration;

use arc_swap::ArcSwapOption;
use gigachat::binding::{Foreign, ForeignProvider, Reply, Wanted};
use gigachat::{
    Ask, CallContext, CallReport, Document, Error, ErrorKind, EventSink, Health, Nest, Phase,
    RouteAttempt, StreamEnd, StreamEvent, TokenUsage, Work,
};
use pyo3::prelude::*;
use pyo3::sync::PyOnceLock;
use pyo3::types::PyDict;

use crate::caller::Calling;
use crate::port::{Notice, Port, Queue};
use crate::provider::Provider;
use crate::response::{Chunk, Response};
use crate::values::Usage;

/// Which of a member's methods are Python's.
const GENERATE: u8 = 1;
const GENERATE_STREAM: u8 = 2;
const CHAT: u8 = 4;
const CHAT_STREAM: u8 = 8;
const HEALTH: u8 = 16;

/// A member as routers have it.
pub(crate) struct Seated {
    native: ArcSwapOption<Arc<dyn gigachat::Provider>>,
    nest: Option<Arc<Nest>>,
    in_python: AtomicU8,
    foreign: ForeignProvider<InPython>,
}

/// The member's methods in Python.
struct InPython {
    name: String,
    /// The member's number in the package.
    member: u64,
}

impl Foreign for InPython {
    fn name(&self) -> &str {
        &self.name
    }

    fn answers(&self, _: Wanted) -> bool {
        true
    }

    fn begin(
        &self,
        context: &CallContext,
        _: Option<&Arc<Ask>>,
        reply: Reply,
    ) -> gigachat::Result<()> {
        let calling = Calling::of(context);
        let queue = calling
            .as_ref()
            .and_then(|calling| Some((calling.call, calling.queue.clone()?)));
        let Some((call, queue)) = queue else {
            // It became Python's while a blocking call was under way that had no loop.
            let text = format!("{} cannot be asked by a call that has begun", self.name);
            return Err(Error::new(ErrorKind::NotFound, Phase::Input, text));
        };
        let number = new_number();
        let told = queue.clone();
        // A new reply is not watched yet.
        let _ = reply.on_cancel(|| Box::new(move || told.tell(forget(number))));
        let job = Job { number, reply };
        queue.tell(begin(call, self.member, job));
        Ok(())
    }
}

fn new_number() -> u64 {
    static LAST: AtomicU64 = AtomicU64::new(0);
    LAST.fetch_add(1, Ordering::Relaxed) + 1
}

fn begin(call: u64, member: u64, job: Job) -> Notice {
    Box::new(move |py| {
        static BEGIN: PyOnceLock<Py<PyAny>> = PyOnceLock::new();
        function(py, &BEGIN, "begin")?.call1((call, member, job))?;
        Ok(())
    })
}

fn forget(number: u64) -> Notice {
    Box::new(move |py| {
        static FORGET: PyOnceLock<Py<PyAny>> = PyOnceLock::new();
        function(py, &FORGET, "forget")?.call1((number,))?;
        Ok(())
    })
}

fn function<'py>(
    py: Python<'py>,
    cell: &'static PyOnceLock<Py<PyAny>>,
    name: &str,
) -> PyResult<&'py Bound<'py, PyAny>> {
    let found = cell.get_or_try_init(py, || {
        let module = py.import("orchestrator._members")?;
        module.getattr(name).map(Bound::unbind)
    })?;
    Ok(found.bind(py))
}

impl Seated {
    /// The native provider, if this way of asking is its own.
    fn native(&self, way: u8) -> Option<Arc<dyn gigachat::Provider>> {
        match self.in_python.load(Ordering::Acquire) & way {
            0 => self.native.load_full().map(|native| (*native).clone()),
            _ => None,
        }
    }

    fn is_chat(context: &CallContext) -> bool {
        Calling::of(context).is_some_and(|calling| calling.is_chat)
    }
}

impl gigachat::Provider for Seated {
    fn name(&self) -> &str {
        gigachat::Provider::name(&self.foreign)
    }

    fn nest(&self) -> Option<Arc<Nest>> {
        self.nest.clone()
    }

    fn perform<'a>(&'a self, context: &'a CallContext, ask: Arc<Ask>) -> Work<'a, Document> {
        Box::pin(async move {
            let way = match (ask.request(), Seated::is_chat(context)) {
                (None, _) => 0,
                (_, true) => CHAT,
                (_, false) => GENERATE,
            };
            match self.native(way) {
                Some(native) => native.perform(context, ask).await,
                None => self.foreign.perform(context, ask).await,
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
            let way = match Seated::is_chat(context) {
                true => CHAT_STREAM,
                false => GENERATE_STREAM,
            };
            match self.native(way) {
                Some(native) => native.stream(context, ask, sink).await,
                None => self.foreign.stream(context, ask, sink).await,
            }
        })
    }

    fn health_check<'a>(
        &'a self,
        context: &'a CallContext,
        timeout: Option<Duration>,
    ) -> Work<'a, Health> {
        Box::pin(async move {
            match self.native(HEALTH) {
                Some(native) => native.health_check(context, timeout).await,
                None => self.foreign.health_check(context, timeout).await,
            }
        })
    }
}

/// The package's hold on a member.
#[pyclass(frozen, module = "orchestrator._gigachat")]
pub(crate) struct Member {
    seated: Arc<Seated>,
    number: u64,
}

impl Member {
    /// A member that is a router.
    pub(crate) fn of_router(name: String, router: &gigachat::Router) -> Member {
        let nest = gigachat::Provider::nest(router);
        let member = Member::made(name, nest);
        let native: Arc<dyn gigachat::Provider> = Arc::new(router.clone());
        member.seated.native.store(Some(Arc::new(native)));
        member
    }

    pub(crate) fn provider(&self) -> Arc<dyn gigachat::Provider> {
        self.seated.clone()
    }

    fn made(name: String, nest: Option<Arc<Nest>>) -> Member {
        let number = new_number();
        let foreign = InPython {
            name,
            member: number,
        };
        Member {
            seated: Arc::new(Seated {
                native: ArcSwapOption::empty(),
                nest,
                in_python: AtomicU8::new(0),
                foreign: ForeignProvider::new(foreign),
            }),
            number,
        }
    }
}

#[pymethods]
impl Member {
    #[new]
    fn new(name: String) -> Member {
        Member::made(name, None)
    }

    /// The number by which a job names it.
    #[getter]
    fn number(&self) -> u64 {
        self.number
    }

    /// What answers where Python does not.
    fn set_native(&self, native: Option<&Provider>) -> PyResult<()> {
        let native = native.map(Provider::as_core).transpose()?.map(Arc::new);
        self.seated.native.store(native);
        Ok(())
    }

    /// Says of the ways in `ways` whether Python answers them.
    fn set_ways(&self, ways: u8, in_python: u8) {
        let flags = &self.seated.in_python;
        flags.fetch_or(ways & in_python, Ordering::AcqRel);
        flags.fetch_and(!ways | in_python, Ordering::AcqRel);
    }
}

/// What a member is asked in Python, and the way back.
#[pyclass(frozen, module = "orchestrator._gigachat")]
pub(crate) struct Job {
    /// Never used again; by it the exception is found that ends the call.
    #[pyo3(get)]
    number: u64,
    reply: Reply,
}

/// Wakes the member's coroutine, when its reader has taken what it said.
struct Read {
    queue: Arc<Queue>,
    number: u64,
}

impl Wake for Read {
    fn wake(self: Arc<Self>) {
        self.queue.push(self.number);
    }
}

/// What an exception says of itself beside its text.
#[derive(Default, FromPyObject)]
struct Known {
    #[pyo3(item)]
    phase: Option<String>,
    #[pyo3(item)]
    status_code: Option<u16>,
    #[pyo3(item)]
    code: Option<i64>,
    #[pyo3(item)]
    request_id: Option<String>,
    #[pyo3(item)]
    retry_after: Option<f64>,
    #[pyo3(item)]
    retryable: bool,
    #[pyo3(item)]
    attempts: u32,
    #[pyo3(item)]
    route_attempts: Vec<KnownAttempt>,
}

#[derive(FromPyObject)]
struct KnownAttempt {
    #[pyo3(item)]
    member: String,
    #[pyo3(item)]
    kind: String,
    #[pyo3(item)]
    status_code: Option<u16>,
    #[pyo3(item)]
    request_id: Option<String>,
    #[pyo3(item)]
    duration: f64,
}

impl From<KnownAttempt> for RouteAttempt {
    fn from(attempt: KnownAttempt) -> RouteAttempt {
        RouteAttempt {
            member: attempt.member,
            kind: kind_of(&attempt.kind),
            status: attempt.status_code,
            request_id: attempt.request_id,
            duration: time(attempt.duration),
        }
    }
}

/// The kind of this name; whatever else a member raises is its own fault.
fn kind_of(name: &str) -> ErrorKind {
    ErrorKind::named(name).unwrap_or(ErrorKind::Internal)
}

fn time(seconds: f64) -> Duration {
    Duration::try_from_secs_f64(seconds).unwrap_or(Duration::ZERO)
}

// A refused answer is one too many: the first has told the caller.
#[pymethods]
impl Job {
    /// `answer`, `parts` or `health`.
    #[getter]
    fn wanted(&self) -> &'static str {
        match self.reply.wanted() {
            Wanted::Answer => "answer",
            Wanted::Parts => "parts",
            Wanted::Health => "health",
        }
    }

    /// Whether nobody waits any more.
    fn is_cancelled(&self) -> bool {
        self.reply.is_cancelled()
    }

    /// Answers with a text of this model, or says that the member is healthy.
    #[pyo3(signature = (text = "", model = ""))]
    fn finish(&self, text: &str, model: &str) {
        let _ = match self.reply.wanted() {
            Wanted::Answer => self.reply.respond(gigachat::Response {
                text: text.to_owned(),
                finish_reason: "stop".to_owned(),
                model: model.to_owned(),
                report: sent_once(),
                ..gigachat::Response::default()
            }),
            _ => self.reply.finish(text.to_owned(), "stop"),
        };
    }

    /// Answers with a response.
    fn respond(&self, response: &Response) {
        let _ = self.reply.respond(response.to_core());
    }

    /// Hands over a piece of text.
    fn push(&self, text: &str) {
        if !text.is_empty() {
            let _ = self.reply.push(StreamEvent::Text(text.to_owned()), None);
        }
    }

    /// Hands over a chunk.
    fn push_chunk(&self, chunk: &Chunk) {
        for event in chunk.to_events() {
            let _ = self.reply.push(event, chunk.raw_json.as_deref());
        }
    }

    /// Has `future` woken when all that was handed over is read; `None` when it is.
    fn when_read(&self, port: &Port, future: Py<PyAny>) -> Option<u64> {
        let (number, queue) = port.wake_up(future);
        let waker = Waker::from(Arc::new(Read { queue, number }));
        match self.reply.is_read(&waker) {
            false => Some(number),
            true => {
                port.forget(number);
                None
            }
        }
    }

    /// Ends a stream well.
    #[pyo3(signature = (finish_reason, usage, model))]
    fn end(&self, finish_reason: &str, usage: Option<PyRef<'_, Usage>>, model: &str) {
        let _ = self.reply.end(StreamEnd {
            finish_reason: finish_reason.to_owned(),
            usage: usage.map(|usage| TokenUsage::from(*usage)),
            model: model.to_owned(),
            report: sent_once(),
            ..StreamEnd::default()
        });
    }

    /// Answers with what was raised.
    fn fail(&self, kind: &str, message: &str, known: &Bound<'_, PyDict>) {
        // A program's own error may have anything there.
        let known: Known = known.extract().unwrap_or_default();
        let phase = known.phase.as_deref().and_then(Phase::named);
        let mut error = Error::new(kind_of(kind), phase.unwrap_or(Phase::Answer), message)
            .with_code(known.code)
            .with_request_id(known.request_id.as_deref())
            .with_retry_after(known.retry_after.map(time))
            .with_retryable(known.retryable)
            .with_attempts(known.attempts.max(1))
            .with_route_attempts(known.route_attempts.into_iter().map(Into::into).collect())
            .with_foreign(self.number);
        if let Some(status) = known.status_code {
            error = error.with_status(status);
        }
        let _ = self.reply.fail(error);
    }
}

fn sent_once() -> CallReport {
    CallReport {
        attempts: 1,
        ..CallReport::default()
    }
}
