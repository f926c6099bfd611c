//! `ProviderConfig`'s options: checked one by one when they are assigned, and turned into the
//! core's `Config` when a provider is built. Names and ranges are the Python package's; the rules
//! behind them are the core's setters.

use gigachat::binding::{self, Variable};
use gigachat::config::{OptionInfo, Unit};
use gigachat::{Config, Error, ErrorKind};
use pyo3::exceptions::PyValueError;
use pyo3::prelude::*;
use pyo3::types::{PyBool, PyDict, PyString, PyStringMethods};

use crate::errors::{bad_value, shown, to_python, type_name};

/// An option's keyword: the oldest word for it.
fn keyword(option: &OptionInfo) -> &'static str {
    option.known_as.unwrap_or(option.name)
}

/// The core's option of this keyword.
fn option(name: &str) -> PyResult<&'static OptionInfo> {
    Config::options()
        .find(|option| keyword(option) == name)
        .ok_or_else(|| PyValueError::new_err(format!("{name}: no such option")))
}

/// Every option of the core, under its keyword here, with the environment variable that sets it.
#[pyfunction]
pub(crate) fn options() -> Vec<(&'static str, Option<&'static str>)> {
    let named = Config::options().map(|option| (keyword(option), option.variable));
    named.collect()
}

/// What an environment variable means: the option that it sets, or the warning that it is ignored
/// with, or neither, if it is nobody's business here.
#[pyfunction]
pub(crate) fn variable(name: &str) -> (Option<&'static str>, Option<String>) {
    match binding::variable(name) {
        Variable::Option(option) => (Some(keyword(option)), None),
        Variable::Ignored(warning) => (None, Some(warning)),
        Variable::Foreign => (None, None),
    }
}

/// What to do instead of an option of the official SDK that there is none of here.
#[pyfunction]
pub(crate) fn instead(name: &str) -> Option<&'static str> {
    binding::instead(name)
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
    if name == FOLDER_ID {
        text(name, value)?;
        return Ok(value.clone());
    }
    let option = option(name)?;
    let value = proper(option, value)?;
    apply(&mut Config::default(), option, &value)?;
    Ok(value)
}

/// A field of multi-llm-orchestrator's configuration for other services.
const FOLDER_ID: &str = "folder_id";

/// The core's configuration of the options that are set.
pub(crate) fn build(options: &Bound<'_, PyDict>) -> PyResult<Config> {
    let mut config = Config::default();
    for (name, value) in options {
        let name = name.extract::<String>()?;
        if !value.is_none() && name != FOLDER_ID {
            apply(&mut config, option(&name)?, &value)?;
        }
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
fn proper<'py>(option: &OptionInfo, value: &Bound<'py, PyAny>) -> PyResult<Bound<'py, PyAny>> {
    let (py, name) = (value.py(), keyword(option));
    match option.unit {
        Unit::Seconds | Unit::Number => number(name, value),
        Unit::Count | Unit::Bytes => {
            let number = number(name, value)?;
            let float: f64 = number.extract()?;
            if float.fract() != 0.0 {
                return Err(bad_value(name, &shown(value), "a whole number"));
            }
            number.call_method0("__int__")
        }
        Unit::Boolean => Ok(boolean(name, value)?
            .into_pyobject(py)?
            .to_owned()
            .into_any()),
        _ => Ok(value.clone()),
    }
}

/// Sets one option from its value in its own type.
fn apply(config: &mut Config, option: &OptionInfo, value: &Bound<'_, PyAny>) -> PyResult<()> {
    let name = keyword(option);
    let refused = |error: Error| renamed(name, &error);
    match option.unit {
        Unit::Seconds | Unit::Number | Unit::Count | Unit::Bytes => {
            let set = config.set(option.name, value.str()?.to_cow()?.as_ref());
            // The value as the program wrote it, which may be no length of time.
            set.map_err(
                |error| match error.message().split_once(" is not accepted") {
                    Some((_, accepted)) => PyValueError::new_err(format!(
                        "{name}: {} is not accepted{accepted}",
                        shown(value)
                    )),
                    None => refused(error),
                },
            )
        }
        Unit::Boolean => {
            let word = if boolean(name, value)? {
                "true"
            } else {
                "false"
            };
            config.set(option.name, word).map_err(refused)
        }
        Unit::Path => {
            let path = path(name, value)?;
            config.set(option.name, &path).map_err(refused)
        }
        Unit::Hosts => {
            for host in value.try_iter()? {
                let added = config.add_russian_root_host(&text(name, &host?)?);
                added.map_err(refused)?;
            }
            Ok(())
        }
        Unit::Headers => {
            if !value.hasattr("items")? {
                let what = format!("a {}", type_name(value));
                return Err(bad_value(name, &what, "a mapping of names to texts"));
            }
            for pair in value.call_method0("items")?.try_iter()? {
                let (key, value): (Bound<'_, PyAny>, Bound<'_, PyAny>) = pair?.extract()?;
                let set = config.set_extra_header(&text(name, &key)?, &text(name, &value)?);
                set.map_err(refused)?;
            }
            Ok(())
        }
        _ => {
            let text = text(name, value)?;
            // Programs pass an unset variable's empty text; it counts as not set.
            let unset = text.is_empty()
                && matches!(
                    name,
                    "api_key" | "base_url" | "model" | "scope" | "user" | "password"
                );
            if unset {
                return Ok(());
            }
            config.set(option.name, &text).map_err(refused)
        }
    }
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
