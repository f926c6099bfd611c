//! The core's errors as the package's exceptions. The classes are plain Python classes, since
//! programs raise and subclass them; here is only which one and with what.

use gigachat::Error;
use pyo3::prelude::*;
use pyo3::sync::PyOnceLock;
use pyo3::types::{PyBytes, PyDict, PyList};

static MAKE: PyOnceLock<Py<PyAny>> = PyOnceLock::new();

/// The exception of an error, with everything that is known of it.
pub(crate) fn to_python(py: Python<'_>, error: &Error) -> PyErr {
    match made(py, error) {
        Ok(exception) => PyErr::from_value(exception),
        Err(problem) => problem,
    }
}

fn made<'py>(py: Python<'py>, error: &Error) -> PyResult<Bound<'py, PyAny>> {
    let make = MAKE.get_or_try_init(py, || {
        let module = py.import("orchestrator._errors")?;
        module.getattr("from_core").map(Bound::unbind)
    })?;
    let raised = error.foreign().map(|number| raised(py, number, error));
    if let Some(exception) = raised.transpose()?.filter(|found| !found.is_none()) {
        return Ok(exception);
    }
    let known = PyDict::new(py);
    known.set_item("route_attempts", attempts(py, error)?)?;
    known.set_item("phase", error.phase().name())?;
    known.set_item("status_code", error.status())?;
    known.set_item("code", error.code())?;
    known.set_item("request_id", error.request_id())?;
    known.set_item(
        "retry_after",
        error.retry_after().map(|wait| wait.as_secs_f64()),
    )?;
    known.set_item("retryable", error.retryable())?;
    known.set_item("attempts", error.attempts())?;
    known.set_item("body", PyBytes::new(py, error.body()))?;
    known.set_item("partial_text", error.partial_text())?;
    make.bind(py)
        .call1((error.kind().name(), error.to_string(), known))
}

/// The exception that a member written in Python has raised, itself, if its call is still known.
fn raised<'py>(py: Python<'py>, number: u64, error: &Error) -> PyResult<Bound<'py, PyAny>> {
    static RAISED: PyOnceLock<Py<PyAny>> = PyOnceLock::new();
    let raised = RAISED.get_or_try_init(py, || {
        let module = py.import("orchestrator._members")?;
        module.getattr("raised").map(Bound::unbind)
    })?;
    let wait = error.retry_after().map(|wait| wait.as_secs_f64());
    raised.bind(py).call1((number, wait, attempts(py, error)?))
}

/// The attempts of a routed call, as dictionaries.
fn attempts<'py>(py: Python<'py>, error: &Error) -> PyResult<Bound<'py, PyList>> {
    let list = PyList::empty(py);
    for attempt in error.route_attempts() {
        let known = PyDict::new(py);
        known.set_item("member", &attempt.member)?;
        known.set_item("kind", attempt.kind.name())?;
        known.set_item("status_code", attempt.status)?;
        known.set_item("request_id", attempt.request_id.as_deref())?;
        known.set_item("duration", attempt.duration.as_secs_f64())?;
        list.append(known)?;
    }
    Ok(list)
}

/// A `ValueError` that names the field, the value and what is accepted.
pub(crate) fn bad_value(field: &str, value: &str, accepted: &str) -> PyErr {
    pyo3::exceptions::PyValueError::new_err(format!(
        "{field}: {value} is not accepted; it must be {accepted}"
    ))
}

/// The name of a value's type, for error texts.
pub(crate) fn type_name(value: &Bound<'_, PyAny>) -> String {
    match value.get_type().name() {
        Ok(name) => name.to_string(),
        Err(_) => "value".to_owned(),
    }
}

/// A value for an error's text, at most 80 characters of it. Never used for a secret.
pub(crate) fn shown(value: &Bound<'_, PyAny>) -> String {
    match value.repr() {
        Ok(text) => text.to_string().chars().take(80).collect(),
        Err(_) => "this value".to_owned(),
    }
}
