//! `Caller`: what the package attaches to a routed call. It travels with the call to the member
//! that answers, which so knows the loop to be asked on, and is told how the attempts go.
//!
//! It is used by the library's threads, so it holds numbers and no Python objects.

use std::sync::{Arc, Mutex};
use std::time::Duration;

use arc_swap::ArcSwapOption;
use gigachat::binding::AttemptReport;
use gigachat::{CallContext, TokenUsage};
use pyo3::prelude::*;
use pyo3::sync::PyOnceLock;

use crate::port::{Port, Queue};
use crate::sync::lock;
use crate::values::Usage;

/// Who made a routed call.
pub(crate) struct Calling {
    /// Where the loop is told; none for a blocking call without members in Python, which reads what
    /// is kept here when it is over.
    pub(crate) queue: Option<Arc<Queue>>,
    /// The number of the call in the package.
    pub(crate) call: u64,
    /// Whether the request has the wire format, not a prompt.
    pub(crate) is_chat: bool,
    /// The router that was called, and its member that was asked last.
    router: u64,
    answering: ArcSwapOption<String>,
    kept: Mutex<Vec<Attempt>>,
}

impl Calling {
    /// The caller of the call that this context belongs to.
    pub(crate) fn of(context: &CallContext) -> Option<Arc<Calling>> {
        let caller: Arc<dyn std::any::Any + Send + Sync> = context.caller()?.clone();
        caller.downcast().ok()
    }
}

/// One attempt of a router, on its way to Python.
struct Attempt {
    router: u64,
    member: String,
    in_parts: bool,
    duration: Duration,
    model: String,
    usage: Option<TokenUsage>,
    /// Kind, text and number of the exception, when it failed.
    failure: Option<(&'static str, String, Option<u64>)>,
}

type Told = (
    u64,
    String,
    bool,
    f64,
    String,
    Option<Usage>,
    Option<(&'static str, String, Option<u64>)>,
);

impl Attempt {
    fn told(self) -> Told {
        (
            self.router,
            self.member,
            self.in_parts,
            self.duration.as_secs_f64(),
            self.model,
            self.usage.map(Usage::from),
            self.failure,
        )
    }
}

impl gigachat::binding::Caller for Calling {
    fn attempt_begins(&self, router: u64, member: &str) {
        if router == self.router {
            self.answering.store(Some(Arc::new(member.to_owned())));
        }
    }

    fn attempt_ended(&self, report: &AttemptReport<'_>) {
        let (model, usage) = report.outcome.unwrap_or_default();
        let attempt = Attempt {
            router: report.router,
            member: report.member.to_owned(),
            in_parts: report.in_parts,
            duration: report.duration,
            model: model.to_owned(),
            usage,
            failure: report
                .outcome
                .err()
                .map(|error| (error.kind().name(), error.to_string(), error.foreign())),
        };
        match &self.queue {
            None => lock(&self.kept).push(attempt),
            Some(queue) => {
                let call = self.call;
                queue.tell(Box::new(move |py| {
                    static ENDED: PyOnceLock<Py<PyAny>> = PyOnceLock::new();
                    let ended = ENDED.get_or_try_init(py, || {
                        let module = py.import("orchestrator._members")?;
                        module.getattr("attempt_ended").map(Bound::unbind)
                    })?;
                    ended.bind(py).call1((call, attempt.told()))?;
                    Ok(())
                }));
            }
        }
    }
}

/// The package's hold on it.
#[pyclass(frozen, module = "orchestrator._gigachat")]
pub(crate) struct Caller(pub(crate) Arc<Calling>);

#[pymethods]
impl Caller {
    #[new]
    #[pyo3(signature = (port, call, router, is_chat))]
    fn new(port: Option<&Port>, call: u64, router: u64, is_chat: bool) -> Caller {
        Caller(Arc::new(Calling {
            queue: port.map(Port::queue),
            call,
            is_chat,
            router,
            answering: ArcSwapOption::empty(),
            kept: Mutex::default(),
        }))
    }

    /// The member of the called router that was asked last.
    #[getter]
    fn answering(&self) -> Option<String> {
        self.0.answering.load_full().map(|name| (*name).clone())
    }

    /// The attempts of a call that no loop is told of.
    fn attempts(&self) -> Vec<Told> {
        let kept = std::mem::take(&mut *lock(&self.0.kept));
        kept.into_iter().map(Attempt::told).collect()
    }
}
