//! JSON between Python and the core: Python's own `json` module does it, imported at first use.

use gigachat::{Error, ErrorKind, Phase};
use pyo3::exceptions::{PyRecursionError, PyValueError};
use pyo3::prelude::*;
use pyo3::sync::PyOnceLock;

use crate::errors::to_python;

static DECODER: PyOnceLock<Py<PyAny>> = PyOnceLock::new();

/// A JSON text of the service as Python objects; `what` names it in the error of one that Python
/// cannot read, because it is broken, nested too deep or has a number of thousands of digits.
pub(crate) fn loads<'py>(py: Python<'py>, what: &str, text: &str) -> PyResult<Bound<'py, PyAny>> {
    let loads = DECODER.get_or_try_init(py, || {
        py.import("json")?.getattr("loads").map(Bound::unbind)
    })?;
    loads.bind(py).call1((text,)).map_err(|error| {
        let unreadable = error.is_instance_of::<PyValueError>(py)
            || error.is_instance_of::<PyRecursionError>(py);
        if !unreadable {
            return error;
        }
        let text = format!("{what} cannot be read as JSON: {}", error.value(py));
        to_python(py, &Error::new(ErrorKind::Protocol, Phase::Answer, text))
    })
}
