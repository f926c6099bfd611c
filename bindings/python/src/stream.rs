//! Streams as Python reads them: `AsyncReader` for loops, `BlockingReader` for threads.
//!
//! Nothing is sent before the first read. What has arrived is handed over without a trip through
//! the loop: the reader is its own awaitable, so a chunk that is there costs no coroutine and no
//! future. Only a reader that finds nothing waits for a future, and only then is it woken.

use std::sync::{Arc, Mutex};
use std::task::{Context, Poll, Waker};

use gigachat::{Client, ErrorKind, EventStream, Next, Request, StreamEnd, StreamEvent, binding};
use pyo3::exceptions::{PyRuntimeError, PyStopAsyncIteration, PyStopIteration};
use pyo3::intern;
use pyo3::prelude::*;
use pyo3::sync::PyOnceLock;
use pyo3::types::PyString;

use crate::blocking;
use crate::errors::to_python;
use crate::logs;
use crate::port::{Port, Queue, lock};
use crate::response::Chunk;
use crate::values::{FunctionCall, Timings, Usage};

/// What a stream yields: pieces of text, or chunks with everything in them.
#[derive(Clone, Copy, PartialEq)]
pub(crate) enum Kind {
    Text,
    Chunks,
}

impl Kind {
    pub(crate) fn of(chunks: bool) -> Kind {
        if chunks { Kind::Chunks } else { Kind::Text }
    }
}

enum Stage {
    /// Nothing was sent yet.
    Unsent(Client, Box<Request>),
    Open(Arc<EventStream>),
    /// Closed by its owner; a stream that was open keeps what is known of it.
    Closed(Option<Arc<EventStream>>),
}

/// What both readers share.
struct Source {
    kind: Kind,
    stage: Mutex<Stage>,
    /// Who is to be told when there is something to read.
    reader: Arc<Mutex<Option<(Arc<Queue>, u64)>>>,
    /// Whether the last chunk, the one with reason and usage, was yielded.
    said_end: Mutex<bool>,
}

/// What a look at the stream finds.
enum Found {
    Item(Py<PyAny>),
    Nothing,
    End,
}

impl Source {
    fn new(client: Client, request: Request, kind: Kind) -> Source {
        Source {
            kind,
            stage: Mutex::new(Stage::Unsent(client, Box::new(request))),
            reader: Arc::default(),
            said_end: Mutex::new(false),
        }
    }

    /// The open stream; sends the request if that was not done. `None` when it was closed.
    fn open(&self, py: Python<'_>) -> PyResult<Option<Arc<EventStream>>> {
        let mut stage = lock(&self.stage);
        match std::mem::replace(&mut *stage, Stage::Closed(None)) {
            Stage::Unsent(client, request) => {
                let opened = client.stream(*request).map_err(|error| to_python(py, &error))?;
                let opened = Arc::new(opened);
                let reader = self.reader.clone();
                binding::on_ready(&opened, move || {
                    if let Some((queue, number)) = lock(&reader).take() {
                        queue.push(number);
                    }
                });
                *stage = Stage::Open(opened.clone());
                Ok(Some(opened))
            }
            Stage::Open(stream) => {
                *stage = Stage::Open(stream.clone());
                Ok(Some(stream))
            }
            closed => {
                *stage = closed;
                Ok(None)
            }
        }
    }

    /// Ends the stream now; from any thread, any number of times.
    fn close(&self) {
        let mut stage = lock(&self.stage);
        let open = match std::mem::replace(&mut *stage, Stage::Closed(None)) {
            Stage::Open(stream) => Some(stream),
            Stage::Closed(known) => known,
            Stage::Unsent(..) => None,
        };
        *stage = Stage::Closed(open.clone());
        drop(stage);
        if let Some(stream) = open {
            stream.cancel();
        }
    }

    fn is_closed(&self) -> bool {
        matches!(*lock(&self.stage), Stage::Closed(_))
    }

    /// Turns what was read into what is yielded; `Ok(None)` is an event that this kind skips.
    fn found(
        &self,
        py: Python<'_>,
        stream: &EventStream,
        next: gigachat::Result<Next>,
    ) -> PyResult<Option<Found>> {
        match next {
            Ok(Next::Event(event)) => Ok(self.item(py, event)?.map(Found::Item)),
            Ok(Next::NothingYet) => Ok(Some(Found::Nothing)),
            Ok(Next::End) => match self.last_chunk(py, stream)? {
                Some(chunk) => Ok(Some(Found::Item(chunk))),
                None => Ok(Some(Found::End)),
            },
            Err(error) if error.kind() == ErrorKind::Cancelled && self.is_closed() => {
                Ok(Some(Found::End))
            }
            Err(error) => Err(to_python(py, &error)),
        }
    }

    fn item(&self, py: Python<'_>, event: StreamEvent) -> PyResult<Option<Py<PyAny>>> {
        let chunk = match (self.kind, event) {
            (Kind::Text, StreamEvent::Text(text)) => {
                return Ok(Some(PyString::new(py, &text).into_any().unbind()));
            }
            (Kind::Chunks, StreamEvent::Text(text)) => Chunk {
                text,
                ..Chunk::default()
            },
            (Kind::Chunks, StreamEvent::FunctionCall(call)) => Chunk {
                function_call: Some(FunctionCall::from(call)),
                ..Chunk::default()
            },
            (Kind::Chunks, StreamEvent::Progress { name, content }) => Chunk {
                progress: Some((name, content)),
                ..Chunk::default()
            },
            // Usage comes with the last chunk.
            _ => return Ok(None),
        };
        Ok(Some(Py::new(py, chunk)?.into_any()))
    }

    fn last_chunk(&self, py: Python<'_>, stream: &EventStream) -> PyResult<Option<Py<PyAny>>> {
        if self.kind == Kind::Text || std::mem::replace(&mut *lock(&self.said_end), true) {
            return Ok(None);
        }
        let Some(end) = stream.end() else {
            return Ok(None);
        };
        let chunk = Chunk {
            finish_reason: Some(end.finish_reason.clone()),
            usage: end.usage.map(Usage::from),
            ..Chunk::default()
        };
        Ok(Some(Py::new(py, chunk)?.into_any()))
    }

    fn end(&self) -> Option<Arc<StreamEnd>> {
        match &*lock(&self.stage) {
            Stage::Open(stream) | Stage::Closed(Some(stream)) => stream.end(),
            _ => None,
        }
    }
}

/// A stream that an event loop reads: an asynchronous iterator that is its own awaitable.
#[pyclass(frozen, subclass, module = "orchestrator._gigachat")]
pub(crate) struct AsyncReader {
    source: Source,
    waiting: Mutex<Option<Waiting>>,
}

/// A read that found nothing: the future it waits for, and how to give up.
struct Waiting {
    future: Py<PyAny>,
    steps: Py<PyAny>,
    port: Py<Port>,
    number: u64,
}

impl AsyncReader {
    pub(crate) fn of(client: Client, request: Request, kind: Kind) -> AsyncReader {
        AsyncReader {
            source: Source::new(client, request, kind),
            waiting: Mutex::new(None),
        }
    }

    /// Looks without waiting.
    fn look(&self, py: Python<'_>, stream: &EventStream) -> PyResult<Found> {
        let mut context = Context::from_waker(Waker::noop());
        loop {
            let next = match stream.poll_next(&mut context) {
                Poll::Ready(next) => next,
                Poll::Pending => Ok(Next::NothingYet),
            };
            if let Some(found) = self.source.found(py, stream, next)? {
                return Ok(found);
            }
        }
    }

    /// Waits for the loop's future; returns what the awaiting coroutine is to yield.
    fn begin_to_wait(&self, py: Python<'_>) -> PyResult<Py<PyAny>> {
        static PORT: PyOnceLock<Py<PyAny>> = PyOnceLock::new();
        let bridge = PORT.get_or_try_init(py, || {
            py.import("orchestrator._bridge")?.getattr("port").map(Bound::unbind)
        })?;
        let (event_loop, port): (Bound<'_, PyAny>, Bound<'_, Port>) =
            bridge.bind(py).call0()?.extract()?;
        let future = event_loop.call_method0(intern!(py, "create_future"))?;
        let steps = future.call_method0(intern!(py, "__await__"))?;
        let (number, queue) = port.get().wake_up(future.clone().unbind());
        *lock(&self.source.reader) = Some((queue, number));
        *lock(&self.waiting) = Some(Waiting {
            future: future.unbind(),
            steps: steps.clone().unbind(),
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

    /// Whether a read is under way whose future is not done: that of another task.
    fn is_being_read(&self, py: Python<'_>) -> PyResult<bool> {
        let future = lock(&self.waiting).as_ref().map(|waiting| waiting.future.clone_ref(py));
        match future {
            Some(future) => Ok(!future.call_method0(py, intern!(py, "done"))?.is_truthy(py)?),
            None => Ok(false),
        }
    }
}

#[pymethods]
impl AsyncReader {
    fn __aiter__(this: PyRef<'_, Self>) -> PyRef<'_, Self> {
        this
    }

    fn __anext__(this: PyRef<'_, Self>) -> PyRef<'_, Self> {
        this
    }

    fn __await__(this: PyRef<'_, Self>) -> PyRef<'_, Self> {
        this
    }

    /// One step of awaiting the next item.
    fn __next__(&self, py: Python<'_>) -> PyResult<Option<Py<PyAny>>> {
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
        let mut found = self.look(py, &stream)?;
        let mut steps = None;
        if matches!(found, Found::Nothing) {
            steps = Some(self.begin_to_wait(py)?);
            // What arrived before the reader was known woke nobody.
            found = self.look(py, &stream).inspect_err(|_| self.end_waiting())?;
        }
        match (found, steps) {
            (Found::Nothing, Some(steps)) => steps.call_method0(py, intern!(py, "__next__")).map(Some),
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

/// A stream that a thread reads: an iterator and a context manager.
#[pyclass(frozen, subclass, module = "orchestrator._gigachat")]
pub(crate) struct BlockingReader {
    source: Source,
}

impl BlockingReader {
    pub(crate) fn of(client: Client, request: Request, kind: Kind) -> BlockingReader {
        BlockingReader {
            source: Source::new(client, request, kind),
        }
    }
}

#[pymethods]
impl BlockingReader {
    fn __iter__(this: PyRef<'_, Self>) -> PyRef<'_, Self> {
        this
    }

    fn __next__(&self, py: Python<'_>) -> PyResult<Option<Py<PyAny>>> {
        let Some(stream) = self.source.open(py)? else {
            return Ok(None);
        };
        let slice = blocking::longest_wait();
        loop {
            let mut context = Context::from_waker(Waker::noop());
            let next = match stream.poll_next(&mut context) {
                Poll::Ready(next) => next,
                Poll::Pending => py.detach(|| stream.next(slice)),
            };
            match self.source.found(py, &stream, next)? {
                Some(Found::Item(item)) => return Ok(Some(item)),
                Some(Found::End) => {
                    logs::emit(py);
                    return Ok(None);
                }
                Some(Found::Nothing) => {
                    py.check_signals().inspect_err(|_| self.source.close())?;
                }
                None => {}
            }
        }
    }

    fn __enter__(this: PyRef<'_, Self>) -> PyRef<'_, Self> {
        this
    }

    #[pyo3(signature = (*_exception))]
    fn __exit__(&self, py: Python<'_>, _exception: &Bound<'_, pyo3::types::PyTuple>) {
        self.close(py);
    }

    /// Ends the stream now: its request is aborted. From any thread, any number of times.
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
