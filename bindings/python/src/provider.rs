//! One GigaChat provider as the Python class `GigaChatProvider` uses it: every call in two
//! forms, one that delivers into a loop's future and one that blocks.

use std::sync::Arc;

use gigachat::{Call, Client, GigaChat, Health, Request, Secret, TokenCount, binding};
use pyo3::exceptions::PyTypeError;
use pyo3::prelude::*;
use pyo3::sync::PyOnceLock;
use pyo3::types::{PyDict, PyList, PyString};

use crate::ask;
use crate::blocking;
use crate::config;
use crate::document::Answer;
use crate::errors::to_python;
use crate::logs;
use crate::port::Port;
use crate::request;
use crate::response::Response;
use crate::values::Model;

/// A provider that was built from one state of a configuration; frozen, as everything here.
#[pyclass(frozen, module = "orchestrator._gigachat")]
pub(crate) struct Provider {
    whom: Whom,
    /// The logger that its records go to.
    logger: PyOnceLock<Py<PyAny>>,
}

/// Who answers.
enum Whom {
    GigaChat(Arc<GigaChat>, Client),
    /// Somebody who is found when the call begins: a router.
    Begun(Begin),
}

/// Begins a call: finds who answers it.
type Begin = Box<dyn Fn(Python<'_>) -> PyResult<Client> + Send + Sync>;

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
    fn of(whom: Whom) -> Provider {
        Provider {
            whom,
            logger: PyOnceLock::new(),
        }
    }

    /// A provider whose client is found when a call begins.
    pub(crate) fn begun_by(
        begin: impl Fn(Python<'_>) -> PyResult<Client> + Send + Sync + 'static,
    ) -> Provider {
        Provider::of(Whom::Begun(Box::new(begin)))
    }

    /// What a stream needs to be begun later.
    pub(crate) fn prepare<'py>(
        this: &Bound<'py, Provider>,
        asked: &Bound<'py, PyAny>,
        is_json: bool,
        params: Argument<'_, 'py>,
        options: Argument<'_, 'py>,
    ) -> PyResult<(Py<Provider>, Request)> {
        let request = request(asked, is_json, params, options)?;
        Ok((this.clone().unbind(), request))
    }

    /// Begins a call.
    pub(crate) fn client(&self, py: Python<'_>) -> PyResult<Client> {
        logs::follow(self.logger(py)?)?;
        match &self.whom {
            Whom::GigaChat(_, client) => Ok(client.clone()),
            Whom::Begun(begin) => begin(py),
        }
    }

    /// Begins to ask for any operation.
    fn begin(&self, py: Python<'_>, asked: &Bound<'_, PyAny>) -> PyResult<Call<Answer>> {
        let (ask, texts) = ask::of_python(asked)?;
        let counts = ask.operation().name == "tokens_count" && texts > 0;
        Ok(self.client(py)?.view(ask, None, move |answer| {
            Ok(match counts {
                true => Answer::Counts(TokenCount::read(&answer, texts)?),
                false => Answer::Document(Box::new(answer)),
            })
        }))
    }

    /// The provider behind it, for a router.
    pub(crate) fn as_core(&self) -> PyResult<Arc<dyn gigachat::Provider>> {
        Ok(self.gigachat()?.clone())
    }

    fn logger<'py>(&self, py: Python<'py>) -> PyResult<&Bound<'py, PyAny>> {
        let logger = self.logger.get_or_try_init(py, || {
            let name = match &self.whom {
                Whom::GigaChat(provider, _) => {
                    format!("providers.{}", gigachat::Provider::name(provider.as_ref()))
                }
                Whom::Begun(_) => "providers".to_owned(),
            };
            let logs = py.import("orchestrator._logs")?;
            logs.call_method1("logger_of", (name,)).map(Bound::unbind)
        });
        Ok(logger?.bind(py))
    }

    fn gigachat(&self) -> PyResult<&Arc<GigaChat>> {
        match &self.whom {
            Whom::GigaChat(provider, _) => Ok(provider),
            Whom::Begun(_) => Err(PyTypeError::new_err("this is a router, not a GigaChat")),
        }
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
            Some(previous) => binding::changed(previous.gigachat()?, config),
            None => GigaChat::new(config),
        };
        let provider = provider.map_err(|error| config::refused(py, &error))?;
        let provider = Arc::new(provider);
        let client = binding::client_of(provider.clone());
        Ok(Provider::of(Whom::GigaChat(provider, client)))
    }

    /// The answer's text into `future`; returns the number to forget the call by.
    #[pyo3(signature = (port, future, prompt, params = None, options = None))]
    fn generate<'py>(
        &self,
        py: Python<'py>,
        port: &Port,
        future: Py<PyAny>,
        prompt: &Bound<'py, PyAny>,
        params: Argument<'_, 'py>,
        options: Argument<'_, 'py>,
    ) -> PyResult<u64> {
        let request = request(prompt, false, params, options)?;
        let call = self.client(py)?.chat(request);
        Ok(port.deliver(future, call, Response::to_text))
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
        let call = self.client(py)?.chat(request);
        Response::to_text(py, blocking::wait(py, call)?)
    }

    /// The whole answer into `future`: to a prompt, or to a request as JSON.
    #[pyo3(signature = (port, future, asked, is_json, params = None, options = None))]
    #[allow(clippy::too_many_arguments, reason = "keyword arguments in Python")]
    fn chat<'py>(
        &self,
        py: Python<'py>,
        port: &Port,
        future: Py<PyAny>,
        asked: &Bound<'py, PyAny>,
        is_json: bool,
        params: Argument<'_, 'py>,
        options: Argument<'_, 'py>,
    ) -> PyResult<u64> {
        let request = request(asked, is_json, params, options)?;
        let call = self.client(py)?.chat(request);
        Ok(port.deliver(future, call, Response::to_object))
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
        let call = self.client(py)?.chat(request);
        Response::to_object(py, blocking::wait(py, call)?)
    }

    fn health(&self, py: Python<'_>, port: &Port, future: Py<PyAny>) -> PyResult<u64> {
        let call = self.client(py)?.health_check(None);
        Ok(port.deliver(future, call, healthy))
    }

    fn health_blocking(&self, py: Python<'_>) -> PyResult<Py<PyAny>> {
        let call = self.client(py)?.health_check(None);
        healthy(py, blocking::wait(py, call)?)
    }

    fn models(&self, py: Python<'_>, port: &Port, future: Py<PyAny>) -> PyResult<u64> {
        let call = self.client(py)?.models();
        Ok(port.deliver(future, call, model_list))
    }

    fn models_blocking(&self, py: Python<'_>) -> PyResult<Py<PyAny>> {
        let call = self.client(py)?.models();
        model_list(py, blocking::wait(py, call)?)
    }

    /// The answer of any operation into `future`.
    fn ask(
        &self,
        py: Python<'_>,
        port: &Port,
        future: Py<PyAny>,
        asked: &Bound<'_, PyAny>,
    ) -> PyResult<u64> {
        let call = self.begin(py, asked)?;
        Ok(port.deliver(future, call, Answer::to_object))
    }

    fn ask_blocking(&self, py: Python<'_>, asked: &Bound<'_, PyAny>) -> PyResult<Py<PyAny>> {
        let call = self.begin(py, asked)?;
        Answer::to_object(py, blocking::wait(py, call)?)
    }

    fn access_token(&self, port: &Port, future: Py<PyAny>) -> PyResult<u64> {
        let call = binding::access_token(self.gigachat()?.clone());
        Ok(port.deliver(future, call, token_text))
    }

    fn access_token_blocking(&self, py: Python<'_>) -> PyResult<Py<PyAny>> {
        let call = binding::access_token(self.gigachat()?.clone());
        token_text(py, blocking::wait(py, call)?)
    }

    /// Permits of this provider's credential at this moment: limit, held, held by streams, waiting.
    fn permit_use(&self) -> PyResult<(u32, u32, u32, usize)> {
        let now = self.gigachat()?.permit_use();
        Ok((now.limit, now.held, now.by_streams, now.waiting))
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
