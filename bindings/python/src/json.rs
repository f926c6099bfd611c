//! JSON between Python and the core: Python's own `json` module does it, imported at first use.

use pyo3::prelude::*;
use pyo3::sync::PyOnceLock;

static DECODER: PyOnceLock<Py<PyAny>> = PyOnceLock::new();

/// A JSON text as Python objects.
pub(crate) fn loads<'py>(py: Python<'py>, text: &str) -> PyResult<Bound<'py, PyAny>> {
    let loads = DECODER.get_or_try_init(py, || {
        py.import("json")?.getattr("loads").map(Bound::unbind)
    })?;
    loads.bind(py).call1((text,))
}
