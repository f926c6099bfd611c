//! Streams as Python reads them: `AsyncReader` for loops, `BlockingReader` for threads, and here
//! what both share. Nothing is sent before the first read; closing works from any thread.

mod of_loop;
mod of_thread;

use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex};
use std::task::{Context, Poll, Waker};

use gigachat::{Ask, ErrorKind, EventStream, Next, Request, StreamEnd, StreamEvent, binding};
use pyo3::exceptions::PyRuntimeError;
use pyo3::prelude::*;
use pyo3::types::PyString;

use crate::errors::to_python;
use crate::port::Queue;
use crate::provider::Provider;
use crate::response::Chunk;
use crate::sync::lock;
use crate::values::{FunctionCall, Usage};

pub(crate) use of_loop::{AsyncReader, Step};
pub(crate) use of_thread::BlockingReader;

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
    Unsent(Py<Provider>, Box<Ask>),
    /// Being sent now, by another thread.
    Opening,
    Open(Arc<EventStream>),
    /// Closed by its owner; a stream that was open keeps what is known of it.
    Closed(Option<Arc<EventStream>>),
}

/// The JSON of the service's event that a chunk came from.
type Raw = Option<Arc<str>>;

/// Who is to be told when there is something to read: the loop's queue, and the number that the
/// waiting read has there.
type Reader = Option<(Arc<Queue>, u64)>;

/// What both readers share.
struct Source {
    kind: Kind,
    stage: Mutex<Stage>,
    reader: Arc<Mutex<Reader>>,
    /// Whether anything was yielded.
    begun: AtomicBool,
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
    fn new(provider: Py<Provider>, request: Request, kind: Kind) -> Source {
        let mut ask = Ask::chat(request);
        if kind == Kind::Chunks {
            binding::keep_raw(ask.options_mut());
        }
        Source {
            kind,
            stage: Mutex::new(Stage::Unsent(provider, Box::new(ask))),
            reader: Arc::default(),
            begun: AtomicBool::new(false),
            said_end: Mutex::new(false),
        }
    }

    /// The open stream; sends the request if that was not done. `None` when it was closed.
    fn open(&self, py: Python<'_>) -> PyResult<Option<Arc<EventStream>>> {
        let (provider, ask) = {
            let mut stage = lock(&self.stage);
            match &*stage {
                Stage::Open(stream) => return Ok(Some(stream.clone())),
                Stage::Closed(_) => return Ok(None),
                Stage::Opening => return Err(read_by_another()),
                Stage::Unsent(..) => {}
            }
            match std::mem::replace(&mut *stage, Stage::Opening) {
                Stage::Unsent(provider, ask) => (provider, ask),
                _ => return Ok(None),
            }
        };
        // Not under the lock: beginning a call and making an error run Python.
        let client = provider.get().client(py);
        let opened = client.and_then(|client| {
            let opened = client.open(*ask);
            opened.map_err(|error| to_python(py, &error))
        });
        let opened = match opened {
            Ok(opened) => Arc::new(opened),
            Err(error) => {
                *lock(&self.stage) = Stage::Closed(None);
                return Err(error);
            }
        };
        let reader = self.reader.clone();
        binding::on_ready(&opened, move || {
            let waiting = lock(&reader).take();
            if let Some((queue, number)) = waiting {
                queue.push_arrival(number);
            }
        });
        let mut stage = lock(&self.stage);
        if !matches!(*stage, Stage::Opening) {
            return Ok(None); // closed meanwhile; what was opened is dropped, which ends it
        }
        *stage = Stage::Open(opened.clone());
        Ok(Some(opened))
    }

    /// Ends the stream now; from any thread, any number of times.
    fn close(&self) -> Option<Py<Provider>> {
        let mut stage = lock(&self.stage);
        let mut unsent = None;
        let open = match std::mem::replace(&mut *stage, Stage::Closed(None)) {
            Stage::Open(stream) => Some(stream),
            Stage::Closed(known) => known,
            Stage::Opening => None,
            Stage::Unsent(provider, _) => {
                unsent = Some(provider);
                None
            }
        };
        *stage = Stage::Closed(open.clone());
        drop(stage);
        if let Some(stream) = open {
            stream.cancel();
        }
        unsent
    }

    /// Whether anything was yielded.
    fn has_begun(&self) -> bool {
        self.begun.load(Ordering::Acquire)
    }

    fn is_closed(&self) -> bool {
        matches!(*lock(&self.stage), Stage::Closed(_))
    }

    /// Looks without waiting. An event that this kind skips is not yielded.
    fn look(&self, py: Python<'_>, stream: &EventStream) -> PyResult<Found> {
        let mut context = Context::from_waker(Waker::noop());
        loop {
            let next = match binding::poll_with_raw(stream, &mut context) {
                Poll::Ready(next) => next,
                Poll::Pending => return Ok(Found::Nothing),
            };
            if let Some(found) = self.found(py, stream, next)? {
                return Ok(found);
            }
        }
    }

    /// Turns what was read into what is yielded; `Ok(None)` is an event that this kind skips.
    fn found(
        &self,
        py: Python<'_>,
        stream: &EventStream,
        next: gigachat::Result<(Next, Raw)>,
    ) -> PyResult<Option<Found>> {
        match next {
            Ok((Next::Event(event), raw)) => {
                self.begun.store(true, Ordering::Release);
                Ok(self.item(py, event, raw)?.map(Found::Item))
            }
            Ok((Next::NothingYet, _)) => Ok(Some(Found::Nothing)),
            Ok((Next::End, raw)) => {
                self.begun.store(true, Ordering::Release);
                match self.last_chunk(py, stream, raw)? {
                    Some(chunk) => Ok(Some(Found::Item(chunk))),
                    None => Ok(Some(Found::End)),
                }
            }
            Err(error) if error.kind() == ErrorKind::Cancelled && self.is_closed() => {
                Ok(Some(Found::End))
            }
            Err(error) => Err(to_python(py, &error)),
        }
    }

    fn item(
        &self,
        py: Python<'_>,
        event: StreamEvent,
        raw_json: Raw,
    ) -> PyResult<Option<Py<PyAny>>> {
        let chunk = match (self.kind, event) {
            (Kind::Text, StreamEvent::Text(text)) => {
                return Ok(Some(PyString::new(py, &text).into_any().unbind()));
            }
            (Kind::Chunks, StreamEvent::Text(text)) => Chunk {
                text,
                raw_json,
                ..Chunk::default()
            },
            (Kind::Chunks, StreamEvent::FunctionCall(call)) => Chunk {
                function_call: Some(FunctionCall::from(call)),
                raw_json,
                ..Chunk::default()
            },
            (Kind::Chunks, StreamEvent::Progress { name, content }) => Chunk {
                progress: Some((name, content)),
                raw_json,
                ..Chunk::default()
            },
            (Kind::Chunks, StreamEvent::Reasoning(text)) => Chunk {
                reasoning: Some(text),
                raw_json,
                ..Chunk::default()
            },
            (Kind::Chunks, StreamEvent::File(file)) => Chunk {
                file: Some(file.into()),
                raw_json,
                ..Chunk::default()
            },
            // Usage comes with the last chunk.
            _ => return Ok(None),
        };
        Ok(Some(Py::new(py, chunk)?.into_any()))
    }

    fn last_chunk(
        &self,
        py: Python<'_>,
        stream: &EventStream,
        raw_json: Raw,
    ) -> PyResult<Option<Py<PyAny>>> {
        if self.kind == Kind::Text || std::mem::replace(&mut *lock(&self.said_end), true) {
            return Ok(None);
        }
        let Some(end) = stream.end() else {
            return Ok(None);
        };
        let chunk = Chunk {
            finish_reason: Some(end.finish_reason.clone()),
            usage: end.usage.map(Usage::from),
            raw_json,
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

fn read_by_another() -> PyErr {
    PyRuntimeError::new_err("this stream is being read by another task; a stream has one reader")
}
