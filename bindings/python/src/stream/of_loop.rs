//! A stream that an event loop reads.
//!
//! What has arrived is handed over without a trip through the loop: a chunk that is there costs
//! no coroutine and no future. Only a reader that finds nothing waits (for an `Arrival`), and only
//! then is it woken.

use std::sync::Mutex;

use pyo3::exceptions::{PyStopAsyncIteration, PyStopIteration};
use pyo3::prelude::*;
use pyo3::sync::PyOnceLock;

use super::{Found, Kind, Source};
use crate::arrival::Arrival;
use crate::logs;
use crate::port::Port;
use crate::provider::Provider;
use crate::sync::lock;
use crate::values::{Timings, Usage};

/// A stream that an event loop reads: an asynchronous iterator.
#[pyclass(frozen, subclass, module = "orchestrator._gigachat")]
pub(crate) struct AsyncReader {
    source: Source,
    seat: Mutex<Option<Seat>>,
}

/// The loop that reads, and what its task waits for: kept from one read to the next.
struct Seat {
    port: Py<Port>,
    arrival: Py<Arrival>,
    /// The number of the wait that is under way.
    number: Option<u64>,
}

impl Seat {
    /// A seat at the running loop.
    fn new(py: Python<'_>) -> PyResult<Seat> {
        static PORT: PyOnceLock<Py<PyAny>> = PyOnceLock::new();
        let bridge = PORT.get_or_try_init(py, || {
            py.import("orchestrator._bridge")?
                .getattr("port")
                .map(Bound::unbind)
        })?;
        let (event_loop, port): (Bound<'_, PyAny>, Bound<'_, Port>) =
            bridge.bind(py).call0()?.extract()?;
        Ok(Seat {
            port: port.unbind(),
            arrival: Py::new(py, Arrival::new(event_loop.unbind()))?,
            number: None,
        })
    }

    /// Whether the loop that runs now is this one. A wait that was cancelled is not used again:
    /// its task is yet to be told.
    fn can_be_taken_again(&self, py: Python<'_>) -> PyResult<bool> {
        static RUNNING: PyOnceLock<Py<PyAny>> = PyOnceLock::new();
        let running = RUNNING.get_or_try_init(py, || {
            py.import("asyncio")?
                .getattr("_get_running_loop")
                .map(Bound::unbind)
        })?;
        let arrival = self.arrival.get();
        Ok(!arrival.is_cancelled() && arrival.belongs_to(&running.bind(py).call0()?))
    }

    /// Whether a task waits here that nothing has come for.
    fn is_waited_at(&self) -> bool {
        self.number.is_some() && !self.arrival.get().has_ended()
    }

    /// The wait is over, one way or the other.
    fn leave(&mut self) {
        if let Some(number) = self.number.take() {
            self.port.get().forget(number);
        }
    }
}

impl AsyncReader {
    /// Begins to wait; returns what the awaiting coroutine is to yield.
    fn begin_to_wait(&self, py: Python<'_>) -> PyResult<Py<PyAny>> {
        let kept = lock(&self.seat).take();
        let mut seat = match kept {
            Some(seat) if seat.can_be_taken_again(py)? => seat,
            _ => Seat::new(py)?,
        };
        seat.arrival.get().await_again();
        let arrival = seat.arrival.clone_ref(py);
        let (number, queue) = seat.port.get().wake_reader(arrival.clone_ref(py));
        seat.number = Some(number);
        *lock(&self.source.reader) = Some((queue, number));
        *lock(&self.seat) = Some(seat);
        Ok(arrival.into_any())
    }

    fn end_waiting(&self) {
        lock(&self.source.reader).take();
        if let Some(seat) = &mut *lock(&self.seat) {
            seat.leave();
        }
    }

    /// The stream is over: it holds on to no loop any more.
    fn leave_seat(&self) {
        self.end_waiting();
        let seat = lock(&self.seat).take();
        drop(seat); // outside of the lock: dropping Python objects can run anything
    }

    /// One step of awaiting the next item.
    fn step(&self, py: Python<'_>) -> PyResult<Option<Py<PyAny>>> {
        let is_waited_at = lock(&self.seat).as_ref().map(Seat::is_waited_at);
        match is_waited_at {
            Some(true) => {
                return Err(super::read_by_another());
            }
            Some(false) => self.end_waiting(),
            None => {}
        }
        let Some(stream) = self.source.open(py)? else {
            self.leave_seat();
            return Err(PyStopAsyncIteration::new_err(()));
        };
        let mut found = self
            .source
            .look(py, &stream)
            .inspect_err(|_| self.leave_seat())?;
        let mut awaited = None;
        if matches!(found, Found::Nothing) {
            awaited = Some(self.begin_to_wait(py)?);
            // What arrived before the reader was known woke nobody.
            found = self
                .source
                .look(py, &stream)
                .inspect_err(|_| self.leave_seat())?;
        }
        match (found, awaited) {
            (Found::Nothing, awaited) => Ok(awaited),
            (found, awaited) => {
                if awaited.is_some() {
                    self.end_waiting();
                }
                match found {
                    // Not in a tuple: this way the interpreter needs no exception object.
                    Found::Item(item) => Err(PyStopIteration::new_err(item)),
                    _ => {
                        self.leave_seat();
                        logs::emit(py);
                        Err(PyStopAsyncIteration::new_err(()))
                    }
                }
            }
        }
    }
}

#[pymethods]
impl AsyncReader {
    #[new]
    #[pyo3(signature = (provider, asked, is_json, params = None, options = None))]
    fn new<'py>(
        provider: &Bound<'py, Provider>,
        asked: &Bound<'py, PyAny>,
        is_json: bool,
        params: Option<&Bound<'py, PyAny>>,
        options: Option<&Bound<'py, PyAny>>,
    ) -> PyResult<AsyncReader> {
        let (provider, request) = Provider::prepare(provider, asked, is_json, params, options)?;
        Ok(AsyncReader {
            source: Source::new(provider, request, Kind::of(is_json)),
            seat: Mutex::default(),
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
        drop(py.detach(|| self.source.close()));
        let is_waited_at = lock(&self.seat).as_ref().is_some_and(Seat::is_waited_at);
        if !is_waited_at {
            self.leave_seat(); // else the task that waits there does, which is being told now
        }
    }

    /// Whether anything was read.
    fn _has_begun(&self) -> bool {
        self.source.has_begun()
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
        self.0.get().leave_seat();
        let thrown = value.filter(|value| !value.is_none()).unwrap_or(kind);
        Err(PyErr::from_value(thrown))
    }

    /// The awaiting coroutine is being dropped.
    fn close(&self, py: Python<'_>) {
        self.0.get().close(py);
        self.0.get().leave_seat();
    }
}
