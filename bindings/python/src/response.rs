//! What `chat` returns and what `chat_stream` yields. What costs is made when it is asked for.

use std::sync::Arc;

use gigachat::{ApiVersion, StreamEvent};
use pyo3::IntoPyObjectExt;
use pyo3::exceptions::PyValueError;
use pyo3::prelude::*;
use pyo3::types::{PyString, PyTuple, PyType};

use crate::json;
use crate::values::{FunctionCall, GeneratedFile, Source, Timings, Usage};

/// A finished answer.
#[pyclass(frozen, module = "orchestrator._gigachat")]
pub(crate) struct Response {
    text: String,
    finish_reason: String,
    function_calls: Vec<FunctionCall>,
    usage: Option<Usage>,
    model: String,
    request_id: String,
    session_id: Option<String>,
    timings: Timings,
    attempts: u32,
    raw_json: String,
    reasoning: Option<String>,
    files: Vec<GeneratedFile>,
    sources: Vec<Source>,
    thread_id: Option<String>,
    state_id: Option<String>,
    api_version: ApiVersion,
}

fn each<A, B: From<A>>(list: Vec<A>) -> Vec<B> {
    list.into_iter().map(B::from).collect()
}

fn version(number: u32) -> PyResult<ApiVersion> {
    match number {
        1 => Ok(ApiVersion::V1),
        2 => Ok(ApiVersion::V2),
        other => Err(PyValueError::new_err(format!(
            "api_version: {other} is not accepted; it must be 1 or 2"
        ))),
    }
}

impl From<gigachat::Response> for Response {
    fn from(response: gigachat::Response) -> Response {
        let report = response.report;
        Response {
            text: response.text,
            finish_reason: response.finish_reason,
            function_calls: each(response.function_calls),
            reasoning: response.reasoning,
            files: each(response.files),
            sources: each(response.sources),
            thread_id: response.thread_id,
            state_id: response.state_id,
            api_version: response.api_version,
            usage: response.usage.map(Usage::from),
            model: response.model,
            request_id: report.request_id,
            session_id: report.session_id,
            timings: report.timings.into(),
            attempts: report.attempts,
            raw_json: response.raw,
        }
    }
}

impl Response {
    /// The same for the core: what a member written in Python has answered.
    pub(crate) fn to_core(&self) -> gigachat::Response {
        gigachat::Response {
            text: self.text.clone(),
            finish_reason: self.finish_reason.clone(),
            function_calls: each(self.function_calls.clone()),
            reasoning: self.reasoning.clone(),
            files: each(self.files.clone()),
            sources: each(self.sources.clone()),
            thread_id: self.thread_id.clone(),
            state_id: self.state_id.clone(),
            api_version: self.api_version,
            usage: self.usage.map(Into::into),
            model: self.model.clone(),
            raw: self.raw_json.clone(),
            report: gigachat::CallReport {
                request_id: self.request_id.clone(),
                session_id: self.session_id.clone(),
                timings: gigachat::Timings::default(),
                attempts: self.attempts.max(1),
            },
        }
    }

    pub(crate) fn to_object(py: Python<'_>, response: gigachat::Response) -> PyResult<Py<PyAny>> {
        Ok(Py::new(py, Response::from(response))?.into_any())
    }

    pub(crate) fn to_text(py: Python<'_>, response: gigachat::Response) -> PyResult<Py<PyAny>> {
        Ok(PyString::new(py, &response.text).into_any().unbind())
    }
}

#[pymethods]
impl Response {
    #[new]
    #[pyo3(signature = (text, finish_reason = "stop", function_call = None, usage = None,
        model = "", request_id = "", session_id = None, timings = None,
        attempts = 1, raw_json = "{}", function_calls = None, reasoning = None, files = None,
        sources = None, thread_id = None, state_id = None, api_version = 1))]
    #[allow(clippy::too_many_arguments, reason = "keyword arguments in Python")]
    fn new(
        text: String,
        finish_reason: &str,
        function_call: Option<PyRef<'_, FunctionCall>>,
        usage: Option<PyRef<'_, Usage>>,
        model: &str,
        request_id: &str,
        session_id: Option<String>,
        timings: Option<PyRef<'_, Timings>>,
        attempts: u32,
        raw_json: &str,
        function_calls: Option<Vec<PyRef<'_, FunctionCall>>>,
        reasoning: Option<String>,
        files: Option<Vec<PyRef<'_, GeneratedFile>>>,
        sources: Option<Vec<PyRef<'_, Source>>>,
        thread_id: Option<String>,
        state_id: Option<String>,
        api_version: u32,
    ) -> PyResult<Response> {
        let calls = function_calls.unwrap_or_else(|| function_call.into_iter().collect());
        let (files, sources) = (files.unwrap_or_default(), sources.unwrap_or_default());
        Ok(Response {
            text,
            finish_reason: finish_reason.to_owned(),
            function_calls: calls.iter().map(|call| (**call).clone()).collect(),
            reasoning,
            files: files.iter().map(|file| (**file).clone()).collect(),
            sources: sources.iter().map(|source| (**source).clone()).collect(),
            thread_id,
            state_id,
            api_version: version(api_version)?,
            usage: usage.map(|usage| *usage),
            model: model.to_owned(),
            request_id: request_id.to_owned(),
            session_id,
            timings: timings.map_or_else(|| gigachat::Timings::default().into(), |known| *known),
            attempts,
            raw_json: raw_json.to_owned(),
        })
    }

    /// The answer's text, cut before the first stop sequence.
    #[getter]
    fn text(&self) -> &str {
        &self.text
    }

    /// `stop`, `length`, `function_call`, `blacklist`, `error`, or a newer one.
    #[getter]
    fn finish_reason(&self) -> &str {
        &self.finish_reason
    }

    /// The function to call, when the model asks for one; of several the first.
    #[getter]
    fn function_call(&self) -> Option<FunctionCall> {
        self.function_calls.first().cloned()
    }

    /// The functions to call, when the model asks for any; chat v1 asks for one at the most.
    #[getter]
    fn function_calls(&self) -> Vec<FunctionCall> {
        self.function_calls.clone()
    }

    /// What the model thought before it answered; never a part of the text.
    #[getter]
    fn reasoning(&self) -> Option<&str> {
        self.reasoning.as_deref()
    }

    /// The files that the service made for the answer.
    #[getter]
    fn files(&self) -> Vec<GeneratedFile> {
        self.files.clone()
    }

    /// The pages that the text refers to.
    #[getter]
    fn sources(&self) -> Vec<Source> {
        self.sources.clone()
    }

    /// The thread in which the service keeps the conversation, when it was asked to.
    #[getter]
    fn thread_id(&self) -> Option<&str> {
        self.thread_id.as_deref()
    }

    /// The state of the answer's message.
    #[getter]
    fn state_id(&self) -> Option<&str> {
        self.state_id.as_deref()
    }

    /// Which chat answered, 1 or 2.
    #[getter]
    fn api_version(&self) -> u32 {
        self.api_version.number()
    }

    /// Token usage; `None` when the service sent none.
    #[getter]
    fn usage(&self) -> Option<Usage> {
        self.usage
    }

    /// The model that answered, with its version.
    #[getter]
    fn model(&self) -> &str {
        &self.model
    }

    /// The service's request id, for its support.
    #[getter]
    fn request_id(&self) -> &str {
        &self.request_id
    }

    /// The service's session id.
    #[getter]
    fn session_id(&self) -> Option<&str> {
        self.session_id.as_deref()
    }

    /// Where the time went, in seconds.
    #[getter]
    fn timings(&self) -> Timings {
        self.timings
    }

    /// How many requests were sent for this answer.
    #[getter]
    fn attempts(&self) -> u32 {
        self.attempts
    }

    /// The answer's JSON, parsed, with every field that the service sent.
    #[getter]
    fn raw<'py>(&self, py: Python<'py>) -> PyResult<Bound<'py, PyAny>> {
        json::loads(py, "the answer's JSON", &self.raw_json)
    }

    /// The answer's JSON as it came.
    #[getter]
    fn raw_json(&self) -> &str {
        &self.raw_json
    }

    fn __str__(&self) -> &str {
        &self.text
    }

    fn __repr__<'py>(&self, py: Python<'py>) -> PyResult<String> {
        Ok(format!(
            "Response(text={}, finish_reason={}, model={}, request_id={})",
            PyString::new(py, &self.text).repr()?,
            PyString::new(py, &self.finish_reason).repr()?,
            PyString::new(py, &self.model).repr()?,
            PyString::new(py, &self.request_id).repr()?
        ))
    }

    fn __reduce__<'py>(
        &self,
        py: Python<'py>,
    ) -> PyResult<(Bound<'py, PyType>, Bound<'py, PyTuple>)> {
        let parts = [
            self.text.clone().into_py_any(py)?,
            self.finish_reason.clone().into_py_any(py)?,
            py.None(),
            self.usage.into_py_any(py)?,
            self.model.clone().into_py_any(py)?,
            self.request_id.clone().into_py_any(py)?,
            self.session_id.clone().into_py_any(py)?,
            self.timings.into_py_any(py)?,
            self.attempts.into_py_any(py)?,
            self.raw_json.clone().into_py_any(py)?,
            self.function_calls.clone().into_py_any(py)?,
            self.reasoning.clone().into_py_any(py)?,
            self.files.clone().into_py_any(py)?,
            self.sources.clone().into_py_any(py)?,
            self.thread_id.clone().into_py_any(py)?,
            self.state_id.clone().into_py_any(py)?,
            self.api_version.number().into_py_any(py)?,
        ];
        Ok((py.get_type::<Response>(), PyTuple::new(py, parts)?))
    }
}

/// One part of a streamed answer.
#[pyclass(frozen, module = "orchestrator._gigachat")]
#[derive(Default)]
pub(crate) struct Chunk {
    pub(crate) text: String,
    pub(crate) function_call: Option<FunctionCall>,
    pub(crate) finish_reason: Option<String>,
    pub(crate) usage: Option<Usage>,
    pub(crate) progress: Option<(String, String)>,
    pub(crate) raw_json: Option<Arc<str>>,
    pub(crate) reasoning: Option<String>,
    pub(crate) file: Option<GeneratedFile>,
}

impl Chunk {
    /// The same for the core: what a member written in Python has said. Reason and usage are told
    /// at the end.
    pub(crate) fn to_events(&self) -> Vec<StreamEvent> {
        let text = (!self.text.is_empty()).then(|| StreamEvent::Text(self.text.clone()));
        let call = self.function_call.clone();
        let call = call.map(|call| StreamEvent::FunctionCall(call.into()));
        let progress = self.progress.clone();
        let progress = progress.map(|(name, content)| StreamEvent::Progress { name, content });
        let reasoning = self.reasoning.clone().filter(|text| !text.is_empty());
        let reasoning = reasoning.map(StreamEvent::Reasoning);
        let file = self.file.clone().map(|file| StreamEvent::File(file.into()));
        let parts = [reasoning, progress, file, text, call];
        parts.into_iter().flatten().collect()
    }
}

#[pymethods]
impl Chunk {
    #[new]
    #[pyo3(signature = (text = "", function_call = None, finish_reason = None, usage = None,
        progress = None, raw_json = None, reasoning = None, file = None))]
    #[allow(clippy::too_many_arguments, reason = "keyword arguments in Python")]
    fn new(
        text: &str,
        function_call: Option<PyRef<'_, FunctionCall>>,
        finish_reason: Option<String>,
        usage: Option<PyRef<'_, Usage>>,
        progress: Option<(String, String)>,
        raw_json: Option<String>,
        reasoning: Option<String>,
        file: Option<PyRef<'_, GeneratedFile>>,
    ) -> Chunk {
        Chunk {
            text: text.to_owned(),
            function_call: function_call.map(|call| (*call).clone()),
            finish_reason,
            usage: usage.map(|usage| *usage),
            progress,
            raw_json: raw_json.map(Arc::from),
            reasoning,
            file: file.map(|file| (*file).clone()),
        }
    }

    /// A piece of the answer's text; may be empty.
    #[getter]
    fn text(&self) -> &str {
        &self.text
    }

    /// A piece of what the model thinks before it answers; never a part of the text.
    #[getter]
    fn reasoning(&self) -> Option<&str> {
        self.reasoning.as_deref()
    }

    /// A file that the service made.
    #[getter]
    fn file(&self) -> Option<GeneratedFile> {
        self.file.clone()
    }

    /// The function to call; it comes whole, of several each in a chunk of its own.
    #[getter]
    fn function_call(&self) -> Option<FunctionCall> {
        self.function_call.clone()
    }

    /// Why the answer ended; only in the last chunk.
    #[getter]
    fn finish_reason(&self) -> Option<&str> {
        self.finish_reason.as_deref()
    }

    /// Token usage; only in the last chunk.
    #[getter]
    fn usage(&self) -> Option<Usage> {
        self.usage
    }

    /// A built-in function at work: its name and what the service says of it.
    #[getter]
    fn progress(&self) -> Option<(&str, &str)> {
        let (name, content) = self.progress.as_ref()?;
        Some((name, content))
    }

    /// The JSON of the service's event that the chunk came from, parsed. Parts that came in one
    /// event have the same; the last chunk has that of the event that told the finish reason.
    #[getter]
    fn raw<'py>(&self, py: Python<'py>) -> PyResult<Option<Bound<'py, PyAny>>> {
        self.raw_json
            .as_deref()
            .map(|text| json::loads(py, "the event's JSON", text))
            .transpose()
    }

    /// The same JSON as it came, byte for byte.
    #[getter]
    fn raw_json(&self) -> Option<&str> {
        self.raw_json.as_deref()
    }

    fn __str__(&self) -> &str {
        &self.text
    }

    fn __repr__<'py>(&self, py: Python<'py>) -> PyResult<String> {
        Ok(format!(
            "Chunk(text={}, finish_reason={})",
            PyString::new(py, &self.text).repr()?,
            self.finish_reason.as_ref().into_pyobject(py)?.repr()?
        ))
    }

    fn __reduce__<'py>(
        &self,
        py: Python<'py>,
    ) -> PyResult<(Bound<'py, PyType>, Bound<'py, PyTuple>)> {
        let parts = (
            &self.text,
            self.function_call.clone(),
            &self.finish_reason,
            self.usage,
            &self.progress,
            self.raw_json.as_deref(),
            &self.reasoning,
            self.file.clone(),
        );
        Ok((py.get_type::<Chunk>(), parts.into_pyobject(py)?))
    }
}
