//! `ProviderConfig`'s options: checked one by one when they are assigned, and turned into the
//! core's `Config` when a provider is built. Names and ranges are the Python package's; the rules
//! behind them are the core's setters.

use std::time::Duration;

use gigachat::binding::{self, Variable};
use gigachat::config::OPTIONS;
use gigachat::{Config, Error, ErrorKind};
use pyo3::exceptions::PyValueError;
use pyo3::prelude::*;
use pyo3::types::{PyBool, PyDict, PyString, PyStringMethods};

use crate::errors::{bad_value, shown, to_python, type_name};

/// The core's options whose name is another one in Python: that of the official SDK.
const RENAMED: &[(&str, &str)] = &[
    ("authorization_key", "api_key"),
    ("token_url", "auth_url"),
    ("verify_tls", "verify_ssl"),
    ("certificate_file", "cert_file"),
    ("certificate_pem", "cert_pem"),
    ("private_key_file", "key_file"),
    ("private_key_pem", "key_pem"),
    ("private_key_password", "key_file_password"),
];

fn python_name(field: &'static str) -> &'static str {
    let renamed = RENAMED.iter().find(|(core, _)| *core == field);
    renamed.map_or(field, |(_, python)| python)
}

/// Every option of the core, under its name here, with the environment variable that sets it.
#[pyfunction]
pub(crate) fn options() -> Vec<(&'static str, Option<&'static str>)> {
    let named = OPTIONS
        .iter()
        .map(|option| (python_name(option.field), option.variable));
    named.collect()
}

/// What an environment variable means: the option that it sets, or the warning that it is ignored
/// with, or neither, if it is nobody's business here.
#[pyfunction]
pub(crate) fn variable(name: &str) -> (Option<&'static str>, Option<String>) {
    match binding::variable(name) {
        Variable::Option(field) => (Some(python_name(field)), None),
        Variable::Ignored(warning) => (None, Some(warning)),
        Variable::Foreign => (None, None),
    }
}

/// Checks one option and returns it in its proper type (`"45"` -> 45); `None` is "not set".
#[pyfunction]
pub(crate) fn check_option<'py>(
    name: &str,
    value: &Bound<'py, PyAny>,
) -> PyResult<Bound<'py, PyAny>> {
    if value.is_none() {
        return Ok(value.clone());
    }
    let value = proper(name, value)?;
    apply(&mut Config::default(), name, &value)?;
    Ok(value)
}

/// The core's configuration of the options that are set.
pub(crate) fn build(options: &Bound<'_, PyDict>) -> PyResult<Config> {
    let mut config = Config::default();
    for (name, value) in options {
        if !value.is_none() {
            apply(&mut config, &name.extract::<String>()?, &value)?;
        }
    }
    let text = |name| -> PyResult<Option<String>> {
        let value = options.get_item(name)?.filter(|value| !value.is_none());
        value.map(|value| value.extract()).transpose()
    };
    if let (Some(user), Some(password)) = (text("user")?, text("password")?) {
        let set = config.set_user(&user, &password);
        set.map_err(|error| PyValueError::new_err(error.message().to_owned()))?;
    }
    Ok(config)
}

/// A configuration that cannot work is a `ValueError`, as everything that is wrong with it.
pub(crate) fn refused(py: Python<'_>, error: &Error) -> PyErr {
    match error.kind() {
        ErrorKind::Configuration | ErrorKind::InvalidRequest => {
            let text = error
                .message()
                .replacen("authorization_key:", "api_key:", 1);
            PyValueError::new_err(text)
        }
        _ => to_python(py, error),
    }
}

/// The value in the option's own type.
fn proper<'py>(name: &str, value: &Bound<'py, PyAny>) -> PyResult<Bound<'py, PyAny>> {
    let py = value.py();
    match name {
        _ if name == "timeout" || name.ends_with("_timeout") => number(name, value),
        "max_retries" | "max_concurrency" | "max_body_bytes" | "max_event_bytes"
        | "read_ahead_bytes" => {
            let number = number(name, value)?;
            let float: f64 = number.extract()?;
            if float.fract() != 0.0 {
                return Err(bad_value(name, &shown(value), "a whole number"));
            }
            number.call_method0("__int__")
        }
        "verify_ssl"
        | "proxy_from_environment"
        | "retry_broken_connections"
        | "allow_insecure_http"
        | "log_content" => Ok(boolean(name, value)?
            .into_pyobject(py)?
            .to_owned()
            .into_any()),
        _ => Ok(value.clone()),
    }
}

/// Sets one option. The Python package has its own names for some.
fn apply(config: &mut Config, name: &str, value: &Bound<'_, PyAny>) -> PyResult<()> {
    let outcome = match name {
        "folder_id" | "user" | "password" => text(name, value).map(|_| Ok(()))?,
        // Programs pass an unset variable's empty text; it counts as not set.
        "api_key" | "base_url" | "model" | "scope" if text(name, value)?.is_empty() => Ok(()),
        "name" => config.set_name(&text(name, value)?),
        "api_key" => config.set_authorization_key(&text(name, value)?),
        "access_token" => config.set_access_token(&text(name, value)?),
        "scope" => config.set_scope(&text(name, value)?),
        "model" => config.set_model(&text(name, value)?),
        "base_url" => config.set_base_url(&text(name, value)?),
        "auth_url" => config.set_token_url(&text(name, value)?),
        "timeout" => config.set_timeout(duration(value)?),
        "connect_timeout" => config.set_connect_timeout(duration(value)?),
        "queue_timeout" => config.set_queue_timeout(duration(value)?),
        "idle_timeout" => config.set_idle_timeout(duration(value)?),
        "stream_timeout" => config.set_stream_timeout(duration(value)?),
        "health_timeout" => config.set_health_timeout(duration(value)?),
        "max_retries" => config.set_max_retries(whole(name, value)?),
        "max_concurrency" => config.set_max_concurrency(whole(name, value)?),
        "max_body_bytes" => config.set_max_body_bytes(whole(name, value)? as usize),
        "max_event_bytes" => config.set_max_event_bytes(whole(name, value)? as usize),
        "read_ahead_bytes" => config.set_read_ahead_bytes(whole(name, value)? as usize),
        "ca_bundle_file" => config.set_ca_bundle_file(&path(name, value)?),
        "ca_bundle_pem" => config.set_ca_bundle_pem(&text(name, value)?),
        "cert_file" => config.set_certificate_file(&path(name, value)?),
        "cert_pem" => config.set_certificate_pem(&text(name, value)?),
        "key_file" => config.set_private_key_file(&path(name, value)?),
        "key_pem" => config.set_private_key_pem(&text(name, value)?),
        "proxy" => config.set_proxy(&text(name, value)?),
        "user_agent" => config.set_user_agent(&text(name, value)?),
        _ => return apply_other(config, name, value),
    };
    outcome.map_err(
        |error| match error.message().split_once(" is not accepted") {
            // The value as the program wrote it, which may be no length of time.
            Some((_, accepted)) if name.ends_with("timeout") => PyValueError::new_err(format!(
                "{name}: {} is not accepted{accepted}",
                shown(value)
            )),
            _ => renamed(name, &error),
        },
    )
}

/// The options that are not one checked text or number.
fn apply_other(config: &mut Config, name: &str, value: &Bound<'_, PyAny>) -> PyResult<()> {
    match name {
        "verify_ssl" => config.set_verify_tls(boolean(name, value)?),
        "proxy_from_environment" => config.set_proxy_from_environment(boolean(name, value)?),
        "retry_broken_connections" => config.set_retry_broken_connections(boolean(name, value)?),
        "allow_insecure_http" => config.set_allow_insecure_http(boolean(name, value)?),
        "log_content" => config.set_log_content(boolean(name, value)?),
        "key_file_password" => config.set_private_key_password(&text(name, value)?),
        "russian_root_hosts" => {
            for host in value.try_iter()? {
                let added = config.add_russian_root_host(&text(name, &host?)?);
                added.map_err(|error| renamed(name, &error))?;
            }
        }
        "extra_headers" => {
            if !value.hasattr("items")? {
                let what = format!("a {}", type_name(value));
                return Err(bad_value(name, &what, "a mapping of names to texts"));
            }
            for pair in value.call_method0("items")?.try_iter()? {
                let (key, value): (Bound<'_, PyAny>, Bound<'_, PyAny>) = pair?.extract()?;
                let set = config.set_extra_header(&text(name, &key)?, &text(name, &value)?);
                set.map_err(|error| renamed(name, &error))?;
            }
        }
        unknown => return Err(PyValueError::new_err(format!("{unknown}: no such option"))),
    }
    Ok(())
}

/// The setter's message under the Python option's name.
fn renamed(name: &str, error: &Error) -> PyErr {
    let text = error.message();
    let rest = text.split_once(": ").map_or(text, |(_, rest)| rest);
    PyValueError::new_err(format!("{name}: {rest}"))
}

fn text(name: &str, value: &Bound<'_, PyAny>) -> PyResult<String> {
    match value.cast::<PyString>() {
        Ok(text) => Ok(text.to_cow()?.into_owned()),
        Err(_) => {
            let what = format!("a {}", type_name(value));
            Err(bad_value(name, &what, "a text"))
        }
    }
}

/// A path as text or as a path object.
fn path(name: &str, value: &Bound<'_, PyAny>) -> PyResult<String> {
    match value.call_method0("__fspath__") {
        Ok(path) => text(name, &path),
        Err(_) => text(name, value),
    }
}

fn number<'py>(name: &str, value: &Bound<'py, PyAny>) -> PyResult<Bound<'py, PyAny>> {
    let py = value.py();
    let refuse = || bad_value(name, &shown(value), "a number");
    if value.is_instance_of::<PyBool>() {
        return Err(refuse());
    }
    if let Ok(text) = value.cast::<PyString>() {
        let number: f64 = text.to_cow()?.trim().parse().map_err(|_| refuse())?;
        return match number.fract() == 0.0 && number.abs() < 1e15 {
            true => Ok((number as i64).into_pyobject(py)?.into_any()),
            false => Ok(number.into_pyobject(py)?.into_any()),
        };
    }
    match value.extract::<f64>() {
        Ok(number) if number.is_finite() => Ok(value.clone()),
        _ => Err(refuse()),
    }
}

fn whole(name: &str, value: &Bound<'_, PyAny>) -> PyResult<u32> {
    value
        .extract()
        .map_err(|_| bad_value(name, &shown(value), "a whole number, 0 or more"))
}

fn duration(value: &Bound<'_, PyAny>) -> PyResult<Duration> {
    let seconds: f64 = value.extract()?;
    // What is no length of time at all is refused by the setter's range.
    Ok(Duration::try_from_secs_f64(seconds).unwrap_or(Duration::ZERO))
}

fn boolean(name: &str, value: &Bound<'_, PyAny>) -> PyResult<bool> {
    if let Ok(value) = value.cast::<PyBool>() {
        return Ok(value.is_true());
    }
    let word = value.str()?.to_cow()?.trim().to_ascii_lowercase();
    match word.as_str() {
        "1" | "true" | "yes" | "on" | "y" | "t" => Ok(true),
        "0" | "false" | "no" | "off" | "n" | "f" => Ok(false),
        _ => Err(bad_value(name, &shown(value), "True or False")),
    }
}
