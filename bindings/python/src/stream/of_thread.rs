//! A stream that a thread reads: an iterator and a context manager.

use std::task::{Context, Poll, Waker};

use gigachat::binding;
use pyo3::prelude::*;
use pyo3::types::PyTuple;

use super::{Found, Kind, Source};
use crate::blocking;
use crate::logs;
use crate::provider::Provider;
use crate::values::{Timings, Usage};

/// A stream that a thread reads: an iterator and a context manager.
#[pyclass(frozen, subclass, module = "orchestrator._gigachat")]
pub(crate) struct BlockingReader {
    source: Source,
}

#[pymethods]
impl BlockingReader {
    #[new]
    #[pyo3(signature = (provider, asked, is_json, params = None, options = None))]
    fn new<'py>(
        provider: &Bound<'py, Provider>,
        asked: &Bound<'py, PyAny>,
        is_json: bool,
        params: Option<&Bound<'py, PyAny>>,
        options: Option<&Bound<'py, PyAny>>,
    ) -> PyResult<BlockingReader> {
        let (provider, request) = Provider::prepare(provider, asked, is_json, params, options)?;
        Ok(BlockingReader {
            source: Source::new(provider, request, Kind::of(is_json)),
        })
    }

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
            let next = match binding::poll_with_raw(&stream, &mut context) {
                Poll::Ready(next) => next,
                Poll::Pending => py.detach(|| binding::next_with_raw(&stream, slice)),
            };
            match self.source.found(py, &stream, next)? {
                Some(Found::Item(item)) => return Ok(Some(item)),
                Some(Found::End) => {
                    logs::emit(py);
                    return Ok(None);
                }
                Some(Found::Nothing) => {
                    py.check_signals()
                        .inspect_err(|_| drop(self.source.close()))?;
                }
                None => {}
            }
        }
    }

    fn __enter__(this: PyRef<'_, Self>) -> PyRef<'_, Self> {
        this
    }

    #[pyo3(signature = (*_exception))]
    fn __exit__(&self, py: Python<'_>, _exception: &Bound<'_, PyTuple>) {
        self.close(py);
    }

    /// Ends the stream now: its request is aborted. From any thread, any number of times.
    fn close(&self, py: Python<'_>) {
        drop(py.detach(|| self.source.close()));
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
