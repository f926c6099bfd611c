//! What a Python caller asks of any operation -> the core's `Ask`.

use gigachat::Ask;
use pyo3::prelude::*;
use pyo3::types::{PyBytes, PyDict};

use crate::errors::to_python;
use crate::request::{CallOptions, set_options};

/// A request for an operation as the Python files write it; all of the keys are there.
#[derive(FromPyObject)]
struct Asked<'py> {
    /// A name, or a method and a path.
    #[pyo3(item)]
    operation: String,
    #[pyo3(item)]
    query: Option<Bound<'py, PyDict>>,
    #[pyo3(item)]
    json: Option<String>,
    #[pyo3(item)]
    data: Option<Bound<'py, PyBytes>>,
    #[pyo3(item)]
    content_type: Option<String>,
    #[pyo3(item)]
    texts: Option<Vec<String>>,
    #[pyo3(item)]
    options: Option<CallOptions<'py>>,
}

/// The request, and of how many texts it is.
pub(crate) fn of_python(asked: &Bound<'_, PyAny>) -> PyResult<(Ask, usize)> {
    let py = asked.py();
    let refused = |error| to_python(py, &error);
    let asked: Asked<'_> = asked.extract()?;
    let mut ask = Ask::named(&asked.operation).map_err(refused)?;
    for (name, value) in asked.query.iter().flat_map(|query| query.iter()) {
        let (name, value) = (name.extract::<String>()?, value.extract::<String>()?);
        ask.set_query(&name, &value).map_err(refused)?;
    }
    if let Some(json) = &asked.json {
        ask.set_json(json).map_err(refused)?;
    }
    if let Some(data) = &asked.data {
        let content_type = asked.content_type.as_deref();
        let data = data.as_bytes().to_vec();
        ask.set_bytes(content_type, data).map_err(refused)?;
    }
    let texts = asked.texts.unwrap_or_default();
    for text in &texts {
        ask.add_text(text).map_err(refused)?;
    }
    if let Some(options) = &asked.options {
        if let Some(model) = &options.model {
            ask.set_model(model).map_err(refused)?;
        }
        set_options(ask.options_mut(), options, py)?;
    }
    ask.check().map_err(refused)?;
    Ok((ask, texts.len()))
}
