//! What a Python caller says about one call -> the core's `Request`.

use std::time::Duration;

use gigachat::{Error, Params, Request};
use pyo3::exceptions::PyTypeError;
use pyo3::intern;
use pyo3::prelude::*;
use pyo3::types::{PyBool, PyDict, PyString};

use crate::errors::{shown, to_python, type_name};

/// What one call may set for itself.
#[derive(FromPyObject)]
pub(crate) struct CallOptions<'py> {
    #[pyo3(item)]
    pub(crate) model: Option<String>,
    #[pyo3(item)]
    timeout: Option<Bound<'py, PyAny>>,
    #[pyo3(item)]
    deadline: Option<Bound<'py, PyAny>>,
    #[pyo3(item)]
    extra_headers: Option<Bound<'py, PyDict>>,
    #[pyo3(item)]
    session_id: Option<String>,
    #[pyo3(item)]
    request_id: Option<String>,
}

/// A request with one user message.
pub(crate) fn of_prompt<'py>(
    prompt: &Bound<'py, PyAny>,
    params: Option<&Bound<'py, PyAny>>,
    options: Option<&Bound<'py, PyAny>>,
) -> PyResult<Request> {
    let text = prompt.cast::<PyString>().map_err(|_| {
        PyTypeError::new_err(format!(
            "prompt: a {} is not accepted; it must be a str (messages are for chat())",
            type_name(prompt)
        ))
    })?;
    let Ok(text) = text.to_cow() else {
        return Err(half_a_character("prompt", prompt));
    };
    let request = Request::prompt(&text);
    complete(request, params, options, prompt.py())
}

/// A request in the wire format.
pub(crate) fn of_json<'py>(
    py: Python<'py>,
    json: &str,
    params: Option<&Bound<'py, PyAny>>,
    options: Option<&Bound<'py, PyAny>>,
) -> PyResult<Request> {
    let request = Request::from_json(json).map_err(|error| to_python(py, &error))?;
    complete(request, params, options, py)
}

fn complete<'py>(
    mut request: Request,
    params: Option<&Bound<'py, PyAny>>,
    options: Option<&Bound<'py, PyAny>>,
    py: Python<'py>,
) -> PyResult<Request> {
    if let Some(params) = params {
        set_params(request.params_mut(), params)?;
    }
    if let Some(options) = options {
        let options: CallOptions<'_> = options.extract()?;
        if let Some(model) = &options.model {
            let set = request.set_model(model);
            set.map_err(|error| to_python(py, &error))?;
        }
        set_options(request.options_mut(), &options, py)?;
    }
    Ok(request)
}

/// A params object sends all of its own; one that says `None` leaves that to the model.
fn set_params(target: &mut Params, params: &Bound<'_, PyAny>) -> PyResult<()> {
    let py = params.py();
    let get = |name| {
        params
            .getattr(name)
            .map(|value| (!value.is_none()).then_some(value))
    };
    let refused = |error| to_python(py, &error);
    if let Some(value) = get(intern!(py, "temperature"))? {
        target.set_temperature(value.extract()?).map_err(refused)?;
    }
    if let Some(value) = get(intern!(py, "max_tokens"))? {
        target.set_max_tokens(value.extract()?).map_err(refused)?;
    }
    if let Some(value) = get(intern!(py, "top_p"))? {
        target.set_top_p(value.extract()?).map_err(refused)?;
    }
    if let Some(value) = get(intern!(py, "stop"))? {
        for stop in value.try_iter()? {
            target
                .add_stop(&stop?.extract::<String>()?)
                .map_err(refused)?;
        }
    }
    Ok(())
}

/// Everything but the model.
pub(crate) fn set_options(
    request: &mut gigachat::CallOptions,
    options: &CallOptions<'_>,
    py: Python<'_>,
) -> PyResult<()> {
    let refused = |error| to_python(py, &error);
    if let Some(timeout) = &options.timeout {
        let timeout = seconds("timeout", timeout)?;
        request.set_timeout(timeout).map_err(refused)?;
    }
    if let Some(deadline) = &options.deadline {
        let deadline = seconds("deadline", deadline)?;
        request.set_deadline(deadline).map_err(refused)?;
    }
    for (name, value) in options
        .extra_headers
        .iter()
        .flat_map(|headers| headers.iter())
    {
        let (name, value) = (name.extract::<String>()?, value.extract::<String>()?);
        request.set_header(&name, &value).map_err(refused)?;
    }
    if let Some(id) = &options.session_id {
        request.set_session_id(id).map_err(refused)?;
    }
    if let Some(id) = &options.request_id {
        request.set_request_id(id).map_err(refused)?;
    }
    Ok(())
}

/// The error of a text that cannot be sent; Python finds the place.
fn half_a_character(name: &str, text: &Bound<'_, PyAny>) -> PyErr {
    let module = text.py().import("orchestrator._params");
    let checked = module.and_then(|module| module.call_method1("checked_text", (name, text)));
    match checked {
        Ok(_) => PyTypeError::new_err(format!("{name}: not a text that can be sent")),
        Err(error) => error,
    }
}

/// A time limit in seconds.
fn seconds(name: &str, value: &Bound<'_, PyAny>) -> PyResult<Duration> {
    let number = match value.is_instance_of::<PyBool>() {
        true => None,
        false => value.extract::<f64>().ok(),
    };
    let Some(seconds) = number else {
        let accepted = "a number of seconds, from 0.001 to 3600";
        return Err(to_python(
            value.py(),
            &Error::invalid(name, shown(value), accepted),
        ));
    };
    Duration::try_from_secs_f64(seconds).map_err(|_| {
        let error = Error::invalid(name, seconds, "from 0.001 to 3600 seconds");
        to_python(value.py(), &error)
    })
}
