//! One GigaChat provider as the Python class `GigaChatProvider` uses it: every call in two
//! forms, one that delivers into a loop's future and one that blocks.

use std::sync::Arc;
use std::time::{Duration, Instant};

use gigachat::{
    Ask, AttemptLimits, Call, Client, Document, GigaChat, Health, Request, Secret, binding,
};
use pyo3::prelude::*;
use pyo3::types::{PyDict, PyList, PyString};

use crate::blocking;
use crate::config;
use crate::errors::to_python;
use crate::logs;
use crate::port::Port;
use crate::request;
use crate::response::Response;
use crate::values::Model;

/// A provider that was built from one state of a configuration; frozen, as everything here.
#[pyclass(frozen, module = "orchestrator._gigachat")]
pub(crate) struct Provider {
    provider: Arc<GigaChat>,
    client: Client,
    /// What a router in Python allows an attempt.
    limits: AttemptLimits,
}

type Argument<'a, 'py> = Option<&'a Bound<'py, PyAny>>;

/// Builds the request of a call: from a prompt, or from JSON in the wire format.
fn request<'py>(
    asked: &Bound<'py, PyAny>,
    is_json: bool,
    params: Argument<'_, 'py>,
    options: Argument<'_, 'py>,
) -> PyResult<Request> {
    if !is_json {
        return request::of_prompt(asked, params, options);
    }
    let json = asked.cast::<PyString>()?.to_cow()?;
    request::of_json(asked.py(), &json, params, options)
}

impl Provider {
    /// What a stream needs to be begun later.
    pub(crate) fn prepare<'py>(
        &self,
        asked: &Bound<'py, PyAny>,
        is_json: bool,
        params: Argument<'_, 'py>,
        options: Argument<'_, 'py>,
    ) -> PyResult<(Client, Ask)> {
        let request = request(asked, is_json, params, options)?;
        Ok((self.client.clone(), self.ask(request)))
    }

    fn ask(&self, request: Request) -> Ask {
        let mut ask = Ask::chat(request);
        ask.set_limits(self.limits);
        ask
    }

    fn answer(&self, request: Request) -> Call<gigachat::Response> {
        let ask = self.ask(request);
        self.client.view(ask, None, Document::into_response)
    }
}

#[pymethods]
impl Provider {
    /// Checks the options. Opens no connection, starts no thread. One that replaces a previous
    /// provider keeps its access token, unless the change concerns the credential.
    #[new]
    #[pyo3(signature = (options, previous = None))]
    fn new(
        py: Python<'_>,
        options: &Bound<'_, PyDict>,
        previous: Option<&Provider>,
    ) -> PyResult<Provider> {
        logs::install();
        let config = config::build(options)?;
        let provider = match previous {
            Some(previous) => binding::changed(&previous.provider, config),
            None => GigaChat::new(config),
        };
        let provider = provider.map_err(|error| config::refused(py, &error))?;
        let provider = Arc::new(provider);
        Ok(Provider {
            client: binding::client_of(provider.clone()),
            provider,
            limits: AttemptLimits::default(),
        })
    }

    /// The answer's text into `future`; returns the number to forget the call by.
    #[pyo3(signature = (port, future, prompt, params = None, options = None))]
    fn generate<'py>(
        &self,
        port: &Port,
        future: Py<PyAny>,
        prompt: &Bound<'py, PyAny>,
        params: Argument<'_, 'py>,
        options: Argument<'_, 'py>,
    ) -> PyResult<u64> {
        let request = request(prompt, false, params, options)?;
        Ok(port.deliver(future, self.answer(request), Response::to_text))
    }

    #[pyo3(signature = (prompt, params = None, options = None))]
    fn generate_blocking<'py>(
        &self,
        py: Python<'py>,
        prompt: &Bound<'py, PyAny>,
        params: Argument<'_, 'py>,
        options: Argument<'_, 'py>,
    ) -> PyResult<Py<PyAny>> {
        let request = request(prompt, false, params, options)?;
        Response::to_text(py, blocking::wait(py, self.answer(request))?)
    }

    /// The whole answer into `future`: to a prompt, or to a request as JSON.
    #[pyo3(signature = (port, future, asked, is_json, params = None, options = None))]
    fn chat<'py>(
        &self,
        port: &Port,
        future: Py<PyAny>,
        asked: &Bound<'py, PyAny>,
        is_json: bool,
        params: Argument<'_, 'py>,
        options: Argument<'_, 'py>,
    ) -> PyResult<u64> {
        let request = request(asked, is_json, params, options)?;
        Ok(port.deliver(future, self.answer(request), Response::to_object))
    }

    #[pyo3(signature = (asked, is_json, params = None, options = None))]
    fn chat_blocking<'py>(
        &self,
        py: Python<'py>,
        asked: &Bound<'py, PyAny>,
        is_json: bool,
        params: Argument<'_, 'py>,
        options: Argument<'_, 'py>,
    ) -> PyResult<Py<PyAny>> {
        let request = request(asked, is_json, params, options)?;
        Response::to_object(py, blocking::wait(py, self.answer(request))?)
    }

    /// The same provider for one attempt of a router, which asks the next member instead of
    /// having failed requests sent again, and has at most `seconds` for it.
    #[pyo3(signature = (seconds = None))]
    fn limited(&self, seconds: Option<f64>) -> Provider {
        let until = seconds
            .and_then(|seconds| Duration::try_from_secs_f64(seconds).ok())
            .and_then(|time| Instant::now().checked_add(time));
        let limits = AttemptLimits {
            until,
            no_retries: true,
        };
        Provider {
            client: self.client.clone(),
            provider: self.provider.clone(),
            limits,
        }
    }

    fn health(&self, port: &Port, future: Py<PyAny>) -> u64 {
        port.deliver(future, self.client.health_check(None), healthy)
    }

    fn health_blocking(&self, py: Python<'_>) -> PyResult<Py<PyAny>> {
        healthy(py, blocking::wait(py, self.client.health_check(None))?)
    }

    fn models(&self, port: &Port, future: Py<PyAny>) -> u64 {
        port.deliver(future, self.client.models(), model_list)
    }

    fn models_blocking(&self, py: Python<'_>) -> PyResult<Py<PyAny>> {
        model_list(py, blocking::wait(py, self.client.models())?)
    }

    fn access_token(&self, port: &Port, future: Py<PyAny>) -> u64 {
        port.deliver(
            future,
            binding::access_token(self.provider.clone()),
            token_text,
        )
    }

    fn access_token_blocking(&self, py: Python<'_>) -> PyResult<Py<PyAny>> {
        let call = binding::access_token(self.provider.clone());
        token_text(py, blocking::wait(py, call)?)
    }

    /// Permits of this provider's credential at this moment: limit, held, held by streams, waiting.
    fn permit_use(&self) -> (u32, u32, u32, usize) {
        let now = self.provider.permit_use();
        (now.limit, now.held, now.by_streams, now.waiting)
    }
}

fn healthy(py: Python<'_>, _health: Health) -> PyResult<Py<PyAny>> {
    Ok(true.into_pyobject(py)?.to_owned().into_any().unbind())
}

fn model_list(py: Python<'_>, models: Vec<gigachat::Model>) -> PyResult<Py<PyAny>> {
    let models = models
        .into_iter()
        .map(|model| Py::new(py, Model::from(model)))
        .collect::<PyResult<Vec<_>>>()?;
    Ok(PyList::new(py, models)?.into_any().unbind())
}

fn token_text(py: Python<'_>, token: Option<Secret>) -> PyResult<Py<PyAny>> {
    match token {
        Some(token) => Ok(PyString::new(py, token.expose()).into_any().unbind()),
        None => Err(to_python(
            py,
            &gigachat::Error::configuration(
                "access token",
                "none: the client certificate alone is the credential",
                "that of a provider with an authorization key, a ready token, or user and password",
            ),
        )),
    }
}
