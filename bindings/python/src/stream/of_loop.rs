//! A stream that an event loop reads.
//!
//! What has arrived is handed over without a trip through the loop: a chunk that is there costs
//! no coroutine and no future. Only a reader that finds nothing waits for a future, and only then
//! is it woken.

use std::sync::Mutex;

use pyo3::exceptions::{PyRuntimeError, PyStopAsyncIteration, PyStopIteration};
use pyo3::intern;
use pyo3::prelude::*;
use pyo3::sync::PyOnceLock;

use super::{Found, Kind, Source};
use crate::logs;
use crate::port::{Port, lock};
use crate::provider::Provider;
use crate::values::{Timings, Usage};

/// A stream that an event loop reads: an asynchronous iterator.
#[pyclass(frozen, subclass, module = "orchestrator._gigachat")]
pub(crate) struct AsyncReader {
    source: Source,
    waiting: Mutex<Option<Waiting>>,
}

/// A read that found nothing: the future it waits for, and how to give up on it.
struct Waiting {
    future: Py<PyAny>,
    port: Py<Port>,
    number: u64,
}

impl AsyncReader {
    /// Waits for the loop's future; returns what the awaiting coroutine is to yield.
    fn begin_to_wait(&self, py: Python<'_>) -> PyResult<Py<PyAny>> {
        static PORT: PyOnceLock<Py<PyAny>> = PyOnceLock::new();
        let bridge = PORT.get_or_try_init(py, || {
            py.import("orchestrator._bridge")?
                .getattr("port")
                .map(Bound::unbind)
        })?;
        let (event_loop, port): (Bound<'_, PyAny>, Bound<'_, Port>) =
            bridge.bind(py).call0()?.extract()?;
        let future = event_loop.call_method0(intern!(py, "create_future"))?;
        let steps = future.call_method0(intern!(py, "__await__"))?;
        let (number, queue) = port.get().wake_up(future.clone().unbind());
        *lock(&self.source.reader) = Some((queue, number));
        *lock(&self.waiting) = Some(Waiting {
            future: future.unbind(),
            port: port.unbind(),
            number,
        });
        Ok(steps.unbind())
    }

    /// The wait is over, one way or the other.
    fn end_waiting(&self) {
        lock(&self.source.reader).take();
        let waiting = lock(&self.waiting).take();
        if let Some(waiting) = waiting {
            waiting.port.get().forget(waiting.number);
        }
    }

    /// One step of awaiting the next item.
    fn step(&self, py: Python<'_>) -> PyResult<Option<Py<PyAny>>> {
        if lock(&self.waiting).is_some() {
            if self.is_being_read(py)? {
                return Err(PyRuntimeError::new_err(
                    "this stream is being read by another task; a stream has one reader",
                ));
            }
            self.end_waiting();
        }
        let Some(stream) = self.source.open(py)? else {
            return Err(PyStopAsyncIteration::new_err(()));
        };
        let mut found = self.source.look(py, &stream)?;
        let mut steps = None;
        if matches!(found, Found::Nothing) {
            steps = Some(self.begin_to_wait(py)?);
            // What arrived before the reader was known woke nobody.
            found = self
                .source
                .look(py, &stream)
                .inspect_err(|_| self.end_waiting())?;
        }
        match (found, steps) {
            (Found::Nothing, Some(steps)) => {
                steps.call_method0(py, intern!(py, "__next__")).map(Some)
            }
            (found, steps) => {
                if steps.is_some() {
                    self.end_waiting();
                }
                match found {
                    Found::Item(item) => Err(PyStopIteration::new_err((item,))),
                    _ => {
                        logs::emit(py);
                        Err(PyStopAsyncIteration::new_err(()))
                    }
                }
            }
        }
    }

    /// Whether a read is under way whose future is not done: that of another task.
    fn is_being_read(&self, py: Python<'_>) -> PyResult<bool> {
        let future = lock(&self.waiting)
            .as_ref()
            .map(|waiting| waiting.future.clone_ref(py));
        match future {
            Some(future) => Ok(!future
                .call_method0(py, intern!(py, "done"))?
                .is_truthy(py)?),
            None => Ok(false),
        }
    }
}

#[pymethods]
impl AsyncReader {
    #[new]
    #[pyo3(signature = (provider, asked, is_json, params = None, options = None))]
    fn new<'py>(
        provider: &Provider,
        asked: &Bound<'py, PyAny>,
        is_json: bool,
        params: Option<&Bound<'py, PyAny>>,
        options: Option<&Bound<'py, PyAny>>,
    ) -> PyResult<AsyncReader> {
        let (client, request) = provider.prepare(asked, is_json, params, options)?;
        Ok(AsyncReader {
            source: Source::new(client, request, Kind::of(is_json)),
            waiting: Mutex::new(None),
        })
    }

    fn __aiter__(this: PyRef<'_, Self>) -> PyRef<'_, Self> {
        this
    }

    fn __anext__(this: Bound<'_, Self>) -> Step {
        Step(this.unbind())
    }

    /// Ends the stream now: its request is aborted, a task that waits for it finds its end.
    /// From any thread, any number of times.
    fn close(&self, py: Python<'_>) {
        py.detach(|| self.source.close());
    }

    /// Token usage, once the stream has ended.
    #[getter]
    fn usage(&self) -> Option<Usage> {
        self.source.end()?.usage.map(Usage::from)
    }

    /// Why the answer ended, once it has.
    #[getter]
    fn finish_reason(&self) -> Option<String> {
        Some(self.source.end()?.finish_reason.clone())
    }

    /// The model that answered, once the stream has ended.
    #[getter]
    fn model(&self) -> Option<String> {
        Some(self.source.end()?.model.clone())
    }

    /// The service's request id, once the stream has ended.
    #[getter]
    fn request_id(&self) -> Option<String> {
        Some(self.source.end()?.report.request_id.clone())
    }

    /// Where the time went, once the stream has ended.
    #[getter]
    fn timings(&self) -> Option<Timings> {
        Some(self.source.end()?.report.timings.into())
    }
}

/// The awaitable of one read. It holds nothing of its own.
#[pyclass(frozen, module = "orchestrator._gigachat")]
pub(crate) struct Step(Py<AsyncReader>);

#[pymethods]
impl Step {
    fn __await__(this: PyRef<'_, Self>) -> PyRef<'_, Self> {
        this
    }

    fn __iter__(this: PyRef<'_, Self>) -> PyRef<'_, Self> {
        this
    }

    fn __next__(&self, py: Python<'_>) -> PyResult<Option<Py<PyAny>>> {
        self.0.get().step(py)
    }

    /// The awaiting task was cancelled, or something else was thrown into it: the stream ends.
    #[pyo3(signature = (kind, value = None, _traceback = None))]
    fn throw(
        &self,
        py: Python<'_>,
        kind: Bound<'_, PyAny>,
        value: Option<Bound<'_, PyAny>>,
        _traceback: Option<Bound<'_, PyAny>>,
    ) -> PyResult<Py<PyAny>> {
        self.close(py);
        let thrown = value.filter(|value| !value.is_none()).unwrap_or(kind);
        Err(PyErr::from_value(thrown))
    }

    /// The awaiting coroutine is being dropped.
    fn close(&self, py: Python<'_>) {
        self.0.get().close(py);
    }
}
