//! What a task awaits while its stream has nothing to read: to asyncio's tasks a future, by the
//! mark that `asyncio.isfuture` looks for (`_asyncio_future_blocking`) and the methods of
//! `asyncio.Future`.
//!
//! One serves all waits of its reader, and its task goes on within the callback that serves all
//! readers: a future of asyncio would be made anew for every chunk, and wake its task by way of a
//! callback in the loop's queue, which costs more than the chunk itself.

use std::sync::Mutex;

use pyo3::intern;
use pyo3::prelude::*;
use pyo3::sync::PyOnceLock;
use pyo3::types::PyDict;

use crate::sync::lock;

/// The wait of one task for what is to arrive.
#[pyclass(frozen, weakref, module = "orchestrator._gigachat")]
pub(crate) struct Arrival {
    event_loop: Py<PyAny>,
    state: Mutex<State>,
}

struct State {
    outcome: Outcome,
    /// Set while a task is to take this for a future that it shall wait for.
    blocking: bool,
    waiting: Vec<Callback>,
    /// What `cancel` was told.
    message: Option<Py<PyAny>>,
}

#[derive(Clone, Copy, PartialEq)]
enum Outcome {
    Awaited,
    Arrived,
    Cancelled,
}

/// A function of the task's, and the context to call it in.
struct Callback {
    function: Py<PyAny>,
    context: Py<PyAny>,
}

impl State {
    fn new() -> State {
        State {
            outcome: Outcome::Awaited,
            blocking: true,
            waiting: Vec::new(),
            message: None,
        }
    }
}

impl Arrival {
    pub(crate) fn new(event_loop: Py<PyAny>) -> Arrival {
        Arrival {
            event_loop,
            state: Mutex::new(State::new()),
        }
    }

    pub(crate) fn event_loop(&self) -> &Py<PyAny> {
        &self.event_loop
    }

    /// Begins the next wait.
    pub(crate) fn await_again(&self) {
        let previous = std::mem::replace(&mut *lock(&self.state), State::new());
        drop(previous); // outside of the lock: dropping Python objects can run anything
    }

    pub(crate) fn has_ended(&self) -> bool {
        lock(&self.state).outcome != Outcome::Awaited
    }

    pub(crate) fn is_cancelled(&self) -> bool {
        lock(&self.state).outcome == Outcome::Cancelled
    }

    pub(crate) fn belongs_to(&self, event_loop: &Bound<'_, PyAny>) -> bool {
        event_loop.is(&self.event_loop)
    }

    fn end(&self, outcome: Outcome) -> Option<Vec<Callback>> {
        let mut state = lock(&self.state);
        if state.outcome != Outcome::Awaited {
            return None;
        }
        state.outcome = outcome;
        state.blocking = false;
        Some(std::mem::take(&mut state.waiting))
    }

    /// Something has arrived: the task goes on, here and now.
    pub(crate) fn wake(this: &Bound<'_, Arrival>) -> PyResult<()> {
        let py = this.py();
        for waiting in this.get().end(Outcome::Arrived).unwrap_or_default() {
            let context = waiting.context.bind(py);
            context.call_method1(intern!(py, "run"), (waiting.function, this))?;
        }
        Ok(())
    }

    /// Has the loop call it in its own time.
    fn call_soon(this: &Bound<'_, Arrival>, waiting: &Callback) -> PyResult<()> {
        let py = this.py();
        let named = PyDict::new(py);
        named.set_item(intern!(py, "context"), &waiting.context)?;
        this.get().event_loop.bind(py).call_method(
            intern!(py, "call_soon"),
            (&waiting.function, this),
            Some(&named),
        )?;
        Ok(())
    }
}

/// An exception class of asyncio.
fn asyncio_error<'py>(
    py: Python<'py>,
    cell: &'static PyOnceLock<Py<PyAny>>,
    name: &str,
) -> PyResult<&'py Bound<'py, PyAny>> {
    cell.get_or_try_init(py, || Ok(py.import("asyncio")?.getattr(name)?.unbind()))
        .map(|class| class.bind(py))
}

#[pymethods]
impl Arrival {
    #[getter(_asyncio_future_blocking)]
    fn blocking(&self) -> bool {
        lock(&self.state).blocking
    }

    #[setter(_asyncio_future_blocking)]
    fn set_blocking(&self, blocking: bool) {
        lock(&self.state).blocking = blocking;
    }

    fn get_loop(&self, py: Python<'_>) -> Py<PyAny> {
        self.event_loop.clone_ref(py)
    }

    #[pyo3(signature = (function, *, context = None))]
    fn add_done_callback(
        this: &Bound<'_, Self>,
        function: Py<PyAny>,
        context: Option<Py<PyAny>>,
    ) -> PyResult<()> {
        let py = this.py();
        let context = match context {
            Some(context) => context,
            None => {
                let copied = py.import("contextvars")?.call_method0("copy_context")?;
                copied.unbind()
            }
        };
        let waiting = Callback { function, context };
        let mut state = lock(&this.get().state);
        if state.outcome == Outcome::Awaited {
            state.waiting.push(waiting);
            return Ok(());
        }
        drop(state);
        Arrival::call_soon(this, &waiting)
    }

    fn remove_done_callback(&self, function: &Bound<'_, PyAny>) -> PyResult<usize> {
        let waiting = std::mem::take(&mut lock(&self.state).waiting);
        let before = waiting.len();
        let mut kept = Vec::with_capacity(before);
        for callback in waiting {
            if !callback.function.bind(function.py()).eq(function)? {
                kept.push(callback);
            }
        }
        let removed = before - kept.len();
        lock(&self.state).waiting.extend(kept);
        Ok(removed)
    }

    fn done(&self) -> bool {
        self.has_ended()
    }

    fn cancelled(&self) -> bool {
        self.is_cancelled()
    }

    /// The task is being cancelled: it goes on with the error, in the loop's own time.
    #[pyo3(signature = (msg = None))]
    fn cancel(this: &Bound<'_, Self>, msg: Option<Py<PyAny>>) -> PyResult<bool> {
        let Some(waiting) = this.get().end(Outcome::Cancelled) else {
            return Ok(false);
        };
        lock(&this.get().state).message = msg;
        for callback in &waiting {
            Arrival::call_soon(this, callback)?;
        }
        Ok(true)
    }

    fn result(&self, py: Python<'_>) -> PyResult<()> {
        static CANCELLED: PyOnceLock<Py<PyAny>> = PyOnceLock::new();
        static INVALID: PyOnceLock<Py<PyAny>> = PyOnceLock::new();
        let (outcome, message) = {
            let state = lock(&self.state);
            let message = state.message.as_ref().map(|message| message.clone_ref(py));
            (state.outcome, message)
        };
        let class = match outcome {
            Outcome::Arrived => return Ok(()),
            Outcome::Cancelled => asyncio_error(py, &CANCELLED, "CancelledError")?,
            Outcome::Awaited => asyncio_error(py, &INVALID, "InvalidStateError")?,
        };
        let error = match message {
            Some(message) => class.call1((message,))?,
            None => class.call0()?,
        };
        Err(PyErr::from_value(error))
    }

    fn exception(&self, py: Python<'_>) -> PyResult<()> {
        self.result(py)
    }
}
