//! The small parts of an answer: token usage, function call, timings, model. Plain values that
//! compare, print, pickle and can be made by a program's tests.

use pyo3::prelude::*;
use pyo3::types::{PyDict, PyString, PyTuple, PyType};

use crate::json;

/// How many tokens a call used, as the service counted them.
#[pyclass(frozen, eq, get_all, module = "orchestrator._gigachat")]
#[derive(Clone, Copy, PartialEq)]
pub(crate) struct Usage {
    /// Tokens of the messages.
    prompt_tokens: u64,
    /// Tokens of the answer.
    completion_tokens: u64,
    /// What the service counts in total.
    total_tokens: u64,
    /// Prompt tokens that came from the session's cache.
    precached_prompt_tokens: u64,
}

#[pymethods]
impl Usage {
    #[new]
    #[pyo3(signature = (prompt_tokens = 0, completion_tokens = 0, total_tokens = 0, precached_prompt_tokens = 0))]
    fn new(
        prompt_tokens: u64,
        completion_tokens: u64,
        total_tokens: u64,
        precached_prompt_tokens: u64,
    ) -> Usage {
        Usage {
            prompt_tokens,
            completion_tokens,
            total_tokens,
            precached_prompt_tokens,
        }
    }

    fn __repr__(&self) -> String {
        format!(
            "Usage(prompt_tokens={}, completion_tokens={}, total_tokens={}, precached_prompt_tokens={})",
            self.prompt_tokens,
            self.completion_tokens,
            self.total_tokens,
            self.precached_prompt_tokens
        )
    }

    fn __reduce__<'py>(&self, py: Python<'py>) -> (Bound<'py, PyType>, (u64, u64, u64, u64)) {
        let parts = (
            self.prompt_tokens,
            self.completion_tokens,
            self.total_tokens,
            self.precached_prompt_tokens,
        );
        (py.get_type::<Usage>(), parts)
    }
}

impl From<gigachat::TokenUsage> for Usage {
    fn from(usage: gigachat::TokenUsage) -> Usage {
        Usage {
            prompt_tokens: usage.prompt_tokens,
            completion_tokens: usage.completion_tokens,
            total_tokens: usage.total_tokens,
            precached_prompt_tokens: usage.precached_prompt_tokens,
        }
    }
}

impl From<Usage> for gigachat::TokenUsage {
    fn from(usage: Usage) -> gigachat::TokenUsage {
        gigachat::TokenUsage {
            prompt_tokens: usage.prompt_tokens,
            completion_tokens: usage.completion_tokens,
            total_tokens: usage.total_tokens,
            precached_prompt_tokens: usage.precached_prompt_tokens,
        }
    }
}

/// A function that the model asks the program to call.
#[pyclass(frozen, eq, module = "orchestrator._gigachat")]
#[derive(Clone, PartialEq)]
pub(crate) struct FunctionCall {
    /// The function's name.
    #[pyo3(get)]
    name: String,
    /// Its arguments as the JSON text that the service wrote.
    #[pyo3(get)]
    arguments_json: String,
    /// The state of the answer's message, which goes back with it.
    #[pyo3(get)]
    state_id: Option<String>,
    /// What tells two calls of one function apart; chat v1 has none.
    #[pyo3(get)]
    id: Option<String>,
}

#[pymethods]
impl FunctionCall {
    #[new]
    #[pyo3(signature = (name, arguments_json = "{}", state_id = None, id = None))]
    fn new(
        name: String,
        arguments_json: &str,
        state_id: Option<String>,
        id: Option<String>,
    ) -> FunctionCall {
        FunctionCall {
            name,
            arguments_json: arguments_json.to_owned(),
            state_id,
            id,
        }
    }

    /// Its arguments, parsed.
    #[getter]
    fn arguments<'py>(&self, py: Python<'py>) -> PyResult<Bound<'py, PyAny>> {
        if self.arguments_json.trim().is_empty() {
            return Ok(PyDict::new(py).into_any()); // a function without arguments
        }
        let what = format!("the arguments of {}", self.name);
        json::loads(py, &what, &self.arguments_json)
    }

    fn __repr__(&self, py: Python<'_>) -> PyResult<String> {
        Ok(format!(
            "FunctionCall(name={}, arguments_json={})",
            PyString::new(py, &self.name).repr()?,
            PyString::new(py, &self.arguments_json).repr()?
        ))
    }

    fn __reduce__<'py>(
        &self,
        py: Python<'py>,
    ) -> PyResult<(Bound<'py, PyType>, Bound<'py, PyTuple>)> {
        let parts = (&self.name, &self.arguments_json, &self.state_id, &self.id);
        Ok((py.get_type::<FunctionCall>(), parts.into_pyobject(py)?))
    }
}

impl From<gigachat::FunctionCall> for FunctionCall {
    fn from(call: gigachat::FunctionCall) -> FunctionCall {
        FunctionCall {
            name: call.name,
            arguments_json: call.arguments,
            state_id: call.state_id,
            id: call.id,
        }
    }
}

impl From<FunctionCall> for gigachat::FunctionCall {
    fn from(call: FunctionCall) -> gigachat::FunctionCall {
        gigachat::FunctionCall {
            name: call.name,
            arguments: call.arguments_json,
            state_id: call.state_id,
            id: call.id,
        }
    }
}

/// A file that the service made for an answer; its bytes are to be downloaded.
#[pyclass(frozen, eq, get_all, module = "orchestrator._gigachat")]
#[derive(Clone, PartialEq)]
pub(crate) struct GeneratedFile {
    /// The file's id.
    id: String,
    /// `image`, `video`, `audio`, `3dmodel`, or a newer one.
    kind: String,
    /// Its content type, if the service says it.
    mime: Option<String>,
}

#[pymethods]
impl GeneratedFile {
    #[new]
    #[pyo3(signature = (id, kind = "", mime = None))]
    fn new(id: String, kind: &str, mime: Option<String>) -> GeneratedFile {
        GeneratedFile {
            id,
            kind: kind.to_owned(),
            mime,
        }
    }

    fn __repr__(&self, py: Python<'_>) -> PyResult<String> {
        Ok(format!(
            "GeneratedFile(id={}, kind={})",
            PyString::new(py, &self.id).repr()?,
            PyString::new(py, &self.kind).repr()?
        ))
    }

    fn __reduce__<'py>(
        &self,
        py: Python<'py>,
    ) -> PyResult<(Bound<'py, PyType>, Bound<'py, PyTuple>)> {
        let parts = (&self.id, &self.kind, &self.mime);
        Ok((py.get_type::<GeneratedFile>(), parts.into_pyobject(py)?))
    }
}

impl From<gigachat::GeneratedFile> for GeneratedFile {
    fn from(file: gigachat::GeneratedFile) -> GeneratedFile {
        GeneratedFile {
            id: file.id,
            kind: file.kind,
            mime: file.mime,
        }
    }
}

impl From<GeneratedFile> for gigachat::GeneratedFile {
    fn from(file: GeneratedFile) -> gigachat::GeneratedFile {
        gigachat::GeneratedFile {
            id: file.id,
            kind: file.kind,
            mime: file.mime,
        }
    }
}

/// A page that an answer's text refers to by a marker such as `[sources=[2]]`.
#[pyclass(frozen, eq, get_all, module = "orchestrator._gigachat")]
#[derive(Clone, PartialEq)]
pub(crate) struct Source {
    /// What the marker calls it: `2`.
    id: String,
    /// Where it is.
    url: String,
    /// What it is called; may be empty.
    title: String,
}

#[pymethods]
impl Source {
    #[new]
    #[pyo3(signature = (id, url, title = ""))]
    fn new(id: String, url: String, title: &str) -> Source {
        Source {
            id,
            url,
            title: title.to_owned(),
        }
    }

    fn __repr__(&self, py: Python<'_>) -> PyResult<String> {
        Ok(format!(
            "Source(id={}, url={}, title={})",
            PyString::new(py, &self.id).repr()?,
            PyString::new(py, &self.url).repr()?,
            PyString::new(py, &self.title).repr()?
        ))
    }

    fn __reduce__<'py>(
        &self,
        py: Python<'py>,
    ) -> PyResult<(Bound<'py, PyType>, Bound<'py, PyTuple>)> {
        let parts = (&self.id, &self.url, &self.title);
        Ok((py.get_type::<Source>(), parts.into_pyobject(py)?))
    }
}

impl From<gigachat::Source> for Source {
    fn from(source: gigachat::Source) -> Source {
        Source {
            id: source.id,
            url: source.url,
            title: source.title,
        }
    }
}

impl From<Source> for gigachat::Source {
    fn from(source: Source) -> gigachat::Source {
        gigachat::Source {
            id: source.id,
            url: source.url,
            title: source.title,
        }
    }
}

/// Where a call's time went, in seconds.
#[pyclass(frozen, eq, get_all, module = "orchestrator._gigachat")]
#[derive(Clone, Copy, PartialEq)]
pub(crate) struct Timings {
    /// Waiting for a permit.
    queue: f64,
    /// Waiting for an access token.
    token: f64,
    /// From the permit to the first byte of the answer.
    first_byte: f64,
    /// From the permit to the first content.
    first_content: f64,
    /// From the start of the call to its end.
    total: f64,
}

#[pymethods]
impl Timings {
    #[new]
    #[pyo3(signature = (queue = 0.0, token = 0.0, first_byte = 0.0, first_content = 0.0, total = 0.0))]
    fn new(queue: f64, token: f64, first_byte: f64, first_content: f64, total: f64) -> Timings {
        Timings {
            queue,
            token,
            first_byte,
            first_content,
            total,
        }
    }

    fn __repr__(&self) -> String {
        format!(
            "Timings(queue={:.6}, token={:.6}, first_byte={:.6}, first_content={:.6}, total={:.6})",
            self.queue, self.token, self.first_byte, self.first_content, self.total
        )
    }

    fn __reduce__<'py>(&self, py: Python<'py>) -> (Bound<'py, PyType>, (f64, f64, f64, f64, f64)) {
        let parts = (
            self.queue,
            self.token,
            self.first_byte,
            self.first_content,
            self.total,
        );
        (py.get_type::<Timings>(), parts)
    }
}

impl From<gigachat::Timings> for Timings {
    fn from(timings: gigachat::Timings) -> Timings {
        Timings {
            queue: timings.queue.as_secs_f64(),
            token: timings.token.as_secs_f64(),
            first_byte: timings.first_byte.as_secs_f64(),
            first_content: timings.first_content.as_secs_f64(),
            total: timings.total.as_secs_f64(),
        }
    }
}

/// A model that the account can use.
#[pyclass(frozen, eq, module = "orchestrator._gigachat")]
#[derive(Clone, PartialEq)]
pub(crate) struct Model {
    /// The name that requests use.
    #[pyo3(get)]
    id: String,
    /// Who provides it.
    #[pyo3(get)]
    owned_by: String,
    /// What it is for (`chat`, `embedder`, ...); empty when the service does not say.
    #[pyo3(get, name = "type")]
    kind: String,
    /// The model's JSON as it came.
    #[pyo3(get)]
    raw_json: String,
}

#[pymethods]
impl Model {
    #[new]
    #[pyo3(signature = (id, owned_by = "", r#type = "", raw_json = "{}"))]
    fn new(id: String, owned_by: &str, r#type: &str, raw_json: &str) -> Model {
        Model {
            id,
            owned_by: owned_by.to_owned(),
            kind: r#type.to_owned(),
            raw_json: raw_json.to_owned(),
        }
    }

    /// The model's JSON, parsed.
    #[getter]
    fn raw<'py>(&self, py: Python<'py>) -> PyResult<Bound<'py, PyAny>> {
        json::loads(py, "the model's JSON", &self.raw_json)
    }

    fn __repr__(&self, py: Python<'_>) -> PyResult<String> {
        Ok(format!(
            "Model(id={}, owned_by={}, type={})",
            PyString::new(py, &self.id).repr()?,
            PyString::new(py, &self.owned_by).repr()?,
            PyString::new(py, &self.kind).repr()?
        ))
    }

    fn __reduce__<'py>(
        &self,
        py: Python<'py>,
    ) -> PyResult<(Bound<'py, PyType>, Bound<'py, PyTuple>)> {
        let parts = (&self.id, &self.owned_by, &self.kind, &self.raw_json);
        Ok((py.get_type::<Model>(), parts.into_pyobject(py)?))
    }
}

impl From<gigachat::Model> for Model {
    fn from(model: gigachat::Model) -> Model {
        Model {
            id: model.id,
            owned_by: model.owned_by,
            kind: model.kind,
            raw_json: model.raw,
        }
    }
}
