//! Answers of operations that are no chat: documents as they came, vectors as one block of floats.

use gigachat::{CallReport, TokenCount, binding::Parts};
use pyo3::exceptions::{PyIndexError, PyValueError};
use pyo3::prelude::*;
use pyo3::types::{PyBytes, PyDict, PyList, PyMemoryView, PyTuple, PyType};

use crate::json;
use crate::values::{Timings, Usage};

/// What an operation's answer is, before it becomes Python's.
pub(crate) enum Answer {
    Document(Box<gigachat::Document>),
    Counts(Vec<TokenCount>),
}

impl Answer {
    pub(crate) fn to_object(py: Python<'_>, answer: Answer) -> PyResult<Py<PyAny>> {
        let document = match answer {
            Answer::Document(document) => *document,
            Answer::Counts(counts) => {
                let counts = counts.iter().map(|count| count.tokens);
                return Ok(PyList::new(py, counts.collect::<Vec<_>>())?
                    .into_any()
                    .unbind());
            }
        };
        let content_type = document.content_type().to_owned();
        let (parts, report) = document.into_parts();
        match parts {
            Parts::Embeddings(found) => {
                Ok(Py::new(py, Embeddings::of_core(py, &found, report))?.into_any())
            }
            Parts::Completion(response) => {
                let content = PyBytes::new(py, response.raw.as_bytes()).unbind();
                Ok(Py::new(py, Document::new(content, content_type, report.into()))?.into_any())
            }
            Parts::Bytes(bytes) => {
                let content = PyBytes::new(py, &bytes).unbind();
                Ok(Py::new(py, Document::new(content, content_type, report.into()))?.into_any())
            }
        }
    }
}

/// What is known of the call.
#[derive(Clone)]
struct Report {
    request_id: String,
    session_id: Option<String>,
    timings: Timings,
    attempts: u32,
}

impl From<CallReport> for Report {
    fn from(report: CallReport) -> Report {
        Report {
            request_id: report.request_id,
            session_id: report.session_id,
            timings: report.timings.into(),
            attempts: report.attempts,
        }
    }
}

impl Report {
    fn of_python(
        request_id: &str,
        session_id: Option<String>,
        timings: Option<PyRef<'_, Timings>>,
        attempts: u32,
    ) -> Report {
        Report {
            request_id: request_id.to_owned(),
            session_id,
            timings: timings.map_or_else(|| gigachat::Timings::default().into(), |known| *known),
            attempts,
        }
    }
}

/// The answer of an operation, as it came.
#[pyclass(frozen, module = "orchestrator._gigachat")]
pub(crate) struct Document {
    content: Py<PyBytes>,
    content_type: String,
    report: Report,
}

impl Document {
    fn new(content: Py<PyBytes>, content_type: String, report: Report) -> Document {
        Document {
            content,
            content_type,
            report,
        }
    }
}

#[pymethods]
impl Document {
    #[new]
    #[pyo3(signature = (content, content_type = "application/json", request_id = "",
        session_id = None, timings = None, attempts = 1))]
    fn of_python(
        content: Py<PyBytes>,
        content_type: &str,
        request_id: &str,
        session_id: Option<String>,
        timings: Option<PyRef<'_, Timings>>,
        attempts: u32,
    ) -> Document {
        let report = Report::of_python(request_id, session_id, timings, attempts);
        Document::new(content, content_type.to_owned(), report)
    }

    /// The body as it came.
    #[getter]
    fn content(&self, py: Python<'_>) -> Py<PyBytes> {
        self.content.clone_ref(py)
    }

    /// Its MIME type; empty when the service named none.
    #[getter]
    fn content_type(&self) -> &str {
        &self.content_type
    }

    /// The body as a text.
    #[getter]
    fn text(&self, py: Python<'_>) -> PyResult<String> {
        Ok(String::from_utf8(self.content.as_bytes(py).to_vec())?)
    }

    /// The body's JSON, parsed at each access.
    #[getter]
    fn json<'py>(&self, py: Python<'py>) -> PyResult<Bound<'py, PyAny>> {
        let text = String::from_utf8_lossy(self.content.as_bytes(py));
        json::loads(py, "the answer", &text)
    }

    /// `document["balance"]` is `document.json["balance"]`.
    fn __getitem__<'py>(
        &self,
        py: Python<'py>,
        key: &Bound<'py, PyAny>,
    ) -> PyResult<Bound<'py, PyAny>> {
        self.json(py)?.get_item(key)
    }

    /// The service's request id, for its support.
    #[getter]
    fn request_id(&self) -> &str {
        &self.report.request_id
    }

    /// The service's session id.
    #[getter]
    fn session_id(&self) -> Option<&str> {
        self.report.session_id.as_deref()
    }

    /// Where the time went, in seconds.
    #[getter]
    fn timings(&self) -> Timings {
        self.report.timings
    }

    /// How many requests were sent for this answer.
    #[getter]
    fn attempts(&self) -> u32 {
        self.report.attempts
    }

    fn __repr__(&self, py: Python<'_>) -> String {
        let size = self.content.as_bytes(py).len();
        let (kind, id) = (&self.content_type, &self.report.request_id);
        format!("<Document of {size} bytes, content_type={kind:?}, request_id={id:?}>")
    }

    fn __reduce__<'py>(
        &self,
        py: Python<'py>,
    ) -> PyResult<(Bound<'py, PyType>, Bound<'py, PyTuple>)> {
        let parts = (
            &self.content,
            &self.content_type,
            &self.report.request_id,
            &self.report.session_id,
            self.report.timings,
            self.report.attempts,
        );
        Ok((py.get_type::<Document>(), parts.into_pyobject(py)?))
    }
}

/// Vectors of texts: a row each, in the order of the texts, all of one width.
#[pyclass(frozen, module = "orchestrator._gigachat")]
pub(crate) struct Embeddings {
    /// The numbers row by row, 32-bit floats of this machine.
    numbers: Py<PyBytes>,
    columns: usize,
    tokens: Vec<u64>,
    model: String,
    report: Report,
}

const WIDTH: usize = size_of::<f32>();

impl Embeddings {
    fn of_core(py: Python<'_>, found: &gigachat::Embeddings, report: CallReport) -> Embeddings {
        let numbers = found.as_slice();
        let mut bytes = Vec::with_capacity(numbers.len() * WIDTH);
        bytes.extend(numbers.iter().flat_map(|number| number.to_ne_bytes()));
        Embeddings {
            numbers: PyBytes::new(py, &bytes).unbind(),
            columns: found.columns(),
            tokens: found.tokens().to_vec(),
            model: found.model.clone(),
            report: report.into(),
        }
    }

    fn rows(&self) -> usize {
        self.tokens.len()
    }
}

#[pymethods]
impl Embeddings {
    #[new]
    #[pyo3(signature = (numbers, columns, tokens, model = "", request_id = "", session_id = None,
        timings = None, attempts = 1))]
    #[allow(clippy::too_many_arguments, reason = "keyword arguments in Python")]
    fn of_python(
        py: Python<'_>,
        numbers: Py<PyBytes>,
        columns: usize,
        tokens: Vec<u64>,
        model: &str,
        request_id: &str,
        session_id: Option<String>,
        timings: Option<PyRef<'_, Timings>>,
        attempts: u32,
    ) -> PyResult<Embeddings> {
        let wanted = tokens
            .len()
            .checked_mul(columns)
            .and_then(|all| all.checked_mul(WIDTH));
        if wanted != Some(numbers.as_bytes(py).len()) || columns == 0 || tokens.is_empty() {
            return Err(PyValueError::new_err(
                "numbers: not accepted; it must be a 32-bit float for each column of each text",
            ));
        }
        Ok(Embeddings {
            numbers,
            columns,
            tokens,
            model: model.to_owned(),
            report: Report::of_python(request_id, session_id, timings, attempts),
        })
    }

    /// A read-only view of all numbers, of the shape `(texts, width)`; nothing is copied.
    #[getter]
    fn data<'py>(&self, py: Python<'py>) -> PyResult<Bound<'py, PyAny>> {
        PyMemoryView::from(self.numbers.bind(py).as_any())?
            .call_method1("cast", ("f", self.shape()))
    }

    /// How many texts, and how wide each row is.
    #[getter]
    fn shape(&self) -> (usize, usize) {
        (self.rows(), self.columns)
    }

    /// How `numpy.asarray` takes the numbers without a copy.
    #[getter]
    fn __array_interface__<'py>(&self, py: Python<'py>) -> PyResult<Bound<'py, PyDict>> {
        let order = if cfg!(target_endian = "little") {
            "<f4"
        } else {
            ">f4"
        };
        let interface = PyDict::new(py);
        interface.set_item("version", 3)?;
        interface.set_item("shape", self.shape())?;
        interface.set_item("typestr", order)?;
        interface.set_item("data", &self.numbers)?;
        Ok(interface)
    }

    fn __len__(&self) -> usize {
        self.rows()
    }

    /// The row of a text, as a view of its numbers.
    fn __getitem__<'py>(&self, py: Python<'py>, text: isize) -> PyResult<Bound<'py, PyAny>> {
        let row = match text < 0 {
            true => text.checked_add_unsigned(self.rows()),
            false => Some(text),
        };
        let row = row.and_then(|row| usize::try_from(row).ok());
        let row = row.filter(|row| *row < self.rows());
        let row = row.ok_or_else(|| PyIndexError::new_err("there is no such text"))?;
        let size = self.columns * WIDTH;
        let all = PyMemoryView::from(self.numbers.bind(py).as_any())?;
        let ends =
            pyo3::types::PySlice::new(py, (row * size) as isize, ((row + 1) * size) as isize, 1);
        all.get_item(ends)?.call_method1("cast", ("f",))
    }

    /// The rows as lists of floats.
    fn tolist<'py>(&self, py: Python<'py>) -> PyResult<Bound<'py, PyAny>> {
        self.data(py)?.call_method0("tolist")
    }

    /// The model that made them, with its version.
    #[getter]
    fn model(&self) -> &str {
        &self.model
    }

    /// How many tokens each text has; 0 where the service does not say.
    #[getter]
    fn tokens(&self) -> Vec<u64> {
        self.tokens.clone()
    }

    /// The tokens of all texts.
    #[getter]
    fn usage(&self) -> Usage {
        let total = self.tokens.iter().sum();
        Usage::from(gigachat::TokenUsage {
            prompt_tokens: total,
            total_tokens: total,
            ..gigachat::TokenUsage::default()
        })
    }

    /// The service's request id, for its support.
    #[getter]
    fn request_id(&self) -> &str {
        &self.report.request_id
    }

    /// The service's session id.
    #[getter]
    fn session_id(&self) -> Option<&str> {
        self.report.session_id.as_deref()
    }

    /// Where the time went, in seconds.
    #[getter]
    fn timings(&self) -> Timings {
        self.report.timings
    }

    /// How many requests were sent for this answer.
    #[getter]
    fn attempts(&self) -> u32 {
        self.report.attempts
    }

    fn __repr__(&self) -> String {
        let (rows, columns) = self.shape();
        format!(
            "<Embeddings of {rows} texts, {columns} numbers each, model={:?}>",
            self.model
        )
    }

    fn __reduce__<'py>(
        &self,
        py: Python<'py>,
    ) -> PyResult<(Bound<'py, PyType>, Bound<'py, PyTuple>)> {
        let parts = (
            &self.numbers,
            self.columns,
            &self.tokens,
            &self.model,
            &self.report.request_id,
            &self.report.session_id,
            self.report.timings,
            self.report.attempts,
        );
        Ok((py.get_type::<Embeddings>(), parts.into_pyobject(py)?))
    }
}
