//! The router's decisions for the driver in Python: the core's planner and plan, which know
//! members by number only. Whom a number stands for is Python's to know.

use std::sync::{Arc, Mutex};
use std::task::{Poll, Wake, Waker};
use std::time::{Duration, Instant};

use gigachat::{
    Answered, ErrorKind, Failure, MemberId, MemberOptions, Outcome, Phase, Price, RouteFailure,
    RoutePlan, RoutePlanner, RouterOptions, Step, Strategy, TokenUsage, Wait,
};
use pyo3::exceptions::PyValueError;
use pyo3::prelude::*;

use crate::blocking::longest_wait;
use crate::errors::to_python;
use crate::port::{Port, Queue};
use crate::request;
use crate::sync::lock;
use crate::values::Usage;

/// The members of a router and what is decided about them.
#[pyclass(frozen, module = "orchestrator._gigachat")]
pub(crate) struct Planner {
    planner: RoutePlanner<()>,
}

fn bad(error: &gigachat::Error) -> PyErr {
    PyValueError::new_err(error.message().to_owned())
}

fn time(seconds: f64) -> Duration {
    Duration::try_from_secs_f64(seconds).unwrap_or(Duration::ZERO)
}

#[pymethods]
impl Planner {
    #[new]
    #[pyo3(signature = (strategy, deadline = None))]
    fn new(strategy: &str, deadline: Option<f64>) -> PyResult<Planner> {
        let strategy = Strategy::from_name(strategy).map_err(|error| bad(&error))?;
        let mut options = RouterOptions::new(strategy);
        if let Some(deadline) = deadline {
            let set = options.set_deadline(time(deadline));
            set.map_err(|error| bad(&error))?;
        }
        Ok(Planner {
            planner: RoutePlanner::new(options),
        })
    }

    /// Adds a member; returns its number.
    fn add(&self, name: &str) -> u64 {
        let options = MemberOptions::default();
        self.planner.add((), name, options).as_u64()
    }

    /// Removes a member; its running attempts go on.
    fn remove(&self, number: u64) -> bool {
        self.planner.remove(MemberId::from_u64(number)).is_some()
    }

    /// A plan for a request that begins now, with a deadline of its own instead of the router's.
    #[pyo3(signature = (deadline = None))]
    fn plan(&self, deadline: Option<&Bound<'_, PyAny>>) -> PyResult<Plan> {
        let deadline = deadline.map(request::deadline).transpose()?;
        Ok(Plan {
            plan: Mutex::new(self.planner.plan(Instant::now(), deadline, None)),
            wait: Mutex::new(None),
        })
    }

    /// What is known of a member now: health, error rate of the last minute, attempts in flight,
    /// seconds that it still cools.
    fn member(&self, number: u64) -> Option<(&'static str, f64, u32, Option<f64>)> {
        let metrics = self.planner.metrics(Instant::now());
        let id = MemberId::from_u64(number);
        let member = metrics.members.into_iter().find(|member| member.id == id)?;
        Some((
            member.health.name(),
            member.recent_error_rate,
            member.in_flight,
            member.cooldown.map(|left| left.as_secs_f64()),
        ))
    }

    /// Sets a model's price.
    fn set_price(
        &self,
        model: &str,
        prompt_per_1000: f64,
        completion_per_1000: f64,
    ) -> PyResult<()> {
        let price = Price {
            prompt_per_1000,
            completion_per_1000,
        };
        let set = self.planner.set_price(model, price);
        set.map_err(|error| bad(&error))
    }

    /// What so many tokens of a model cost; 0 for a model without a price.
    fn cost(&self, model: &str, prompt_tokens: u64, completion_tokens: u64) -> f64 {
        let price = self.planner.prices().price(model);
        price.map_or(0.0, |price| price.cost(prompt_tokens, completion_tokens))
    }

    /// The metrics as JSON.
    fn metrics_json(&self) -> String {
        self.planner.metrics(Instant::now()).to_json()
    }

    /// The metrics in Prometheus' text format.
    fn prometheus(&self) -> String {
        self.planner.metrics(Instant::now()).prometheus()
    }
}

/// The plan of one request. Dropping it gives everything back.
#[pyclass(frozen, module = "orchestrator._gigachat")]
pub(crate) struct Plan {
    plan: Mutex<RoutePlan<()>>,
    wait: Mutex<Option<Wait>>,
}

/// What to do, whom to ask, how many seconds it may take (or is to be waited).
type NextStep = (&'static str, u64, Option<f64>);

#[pymethods]
impl Plan {
    /// The next step: `attempt`, `probe`, `wait`, or `failed` (raise the last attempt's own
    /// error). When nothing was attempted the error is raised here.
    fn next(&self, py: Python<'_>) -> PyResult<NextStep> {
        let now = Instant::now();
        let left = |until: Option<Instant>| {
            until.map(|until| until.saturating_duration_since(now).as_secs_f64())
        };
        match lock(&self.plan).next(now) {
            Step::Attempt(step) => Ok(("attempt", step.member.as_u64(), left(step.until))),
            Step::Probe(step) => Ok(("probe", step.member.as_u64(), left(step.until))),
            Step::Wait(wait) => {
                *lock(&self.wait) = Some(wait);
                Ok(("wait", 0, left(Some(wait.until))))
            }
            Step::Fail(RouteFailure::LastAttempt { retry_after }) => {
                Ok(("failed", 0, retry_after.map(|wait| wait.as_secs_f64())))
            }
            Step::Fail(RouteFailure::Unattempted(error)) => Err(to_python(py, &error)),
        }
    }

    /// The attempt was answered.
    #[pyo3(signature = (model, usage = None, requests_sent = 1))]
    fn answered(&self, model: &str, usage: Option<PyRef<'_, Usage>>, requests_sent: u32) {
        let outcome = Outcome::Answered(Answered {
            usage: usage.map(|usage| TokenUsage::from(*usage)),
            model,
            requests_sent,
        });
        lock(&self.plan).report(outcome, Instant::now());
    }

    /// The attempt failed.
    #[pyo3(signature = (kind, phase, status, request_id, retry_after, requests_sent, delivered))]
    #[allow(clippy::too_many_arguments, reason = "the parts of an exception")]
    fn attempt_failed(
        &self,
        kind: &str,
        phase: Option<&str>,
        status: Option<u16>,
        request_id: Option<String>,
        retry_after: Option<f64>,
        requests_sent: u32,
        delivered: bool,
    ) {
        let mut failure = Failure::new(kind_of(kind), phase_of(phase));
        failure.status = status;
        failure.request_id = request_id;
        failure.retry_after = retry_after.map(time);
        failure.requests_sent = requests_sent;
        failure.delivered = delivered;
        lock(&self.plan).report(Outcome::Failed(failure), Instant::now());
    }

    /// The probe ended: the member can serve, or not.
    fn probed(&self, healthy: bool) {
        let outcome = match healthy {
            true => Ok(()),
            false => Err(Failure::new(ErrorKind::Server, Phase::Answer)),
        };
        lock(&self.plan).report_probe(outcome, Instant::now());
    }

    /// The first content of a streamed attempt has come.
    fn first_content(&self) {
        lock(&self.plan).report_first_content(Instant::now());
    }

    /// Has `future` woken when the wait of the last step is over early; `None` when it is.
    fn watch(&self, port: &Port, future: Py<PyAny>) -> Option<u64> {
        let wait = (*lock(&self.wait))?;
        let (number, queue) = port.wake_up(future);
        let waker = Waker::from(Arc::new(Notice { queue, number }));
        match lock(&self.plan).poll_change(&wait, &waker) {
            Poll::Pending => Some(number),
            Poll::Ready(()) => {
                port.forget(number);
                None
            }
        }
    }

    /// Waits as a thread for what the last step said, or until it is over early.
    fn wait_blocking(&self, py: Python<'_>) -> PyResult<()> {
        let Some(wait) = *lock(&self.wait) else {
            return Ok(());
        };
        let waker = Waker::from(Arc::new(Unpark(std::thread::current())));
        let slice = longest_wait();
        loop {
            let left = wait.until.saturating_duration_since(Instant::now());
            if left.is_zero() || lock(&self.plan).poll_change(&wait, &waker).is_ready() {
                return Ok(());
            }
            py.detach(|| std::thread::park_timeout(slice.map_or(left, |slice| slice.min(left))));
            py.check_signals()?;
        }
    }
}

/// Wakes a loop's future.
struct Notice {
    queue: Arc<Queue>,
    number: u64,
}

impl Wake for Notice {
    fn wake(self: Arc<Self>) {
        self.queue.push(self.number);
    }
}

/// Wakes a thread.
struct Unpark(std::thread::Thread);

impl Wake for Unpark {
    fn wake(self: Arc<Self>) {
        self.0.unpark();
    }
}

/// The kind of this name; whatever else a member raises is its own fault.
fn kind_of(name: &str) -> ErrorKind {
    ErrorKind::named(name).unwrap_or(ErrorKind::Internal)
}

const PHASES: [Phase; 11] = [
    Phase::Input,
    Phase::Start,
    Phase::Queue,
    Phase::Token,
    Phase::Connect,
    Phase::Answer,
    Phase::Body,
    Phase::FirstContent,
    Phase::Idle,
    Phase::Total,
    Phase::Backoff,
];

fn phase_of(name: Option<&str>) -> Phase {
    let known = PHASES.into_iter().find(|phase| Some(phase.name()) == name);
    known.unwrap_or(Phase::Answer)
}
