//! Waiting as a thread: with the interpreter released, and on the main thread in slices, so that
//! Ctrl-C is noticed.

use std::time::Duration;

use gigachat::Call;
use pyo3::prelude::*;

use crate::errors::to_python;
use crate::logs;

/// How long the main thread waits before it looks for signals.
pub(crate) const SLICE: Duration = Duration::from_millis(50);

/// How long this thread may wait in one go. Signal handlers run on the main thread only, so the
/// others need no slices.
pub(crate) fn longest_wait() -> Option<Duration> {
    #[cfg(target_os = "linux")]
    {
        // SAFETY: neither call takes or returns a pointer.
        let on_main_thread = unsafe { libc::gettid() == libc::getpid() };
        on_main_thread.then_some(SLICE)
    }
    #[cfg(not(target_os = "linux"))]
    Some(SLICE)
}

/// Waits for a call and takes its result. An exception of a signal handler cancels the call.
pub(crate) fn wait<T: Send>(py: Python<'_>, call: Call<T>) -> PyResult<T> {
    let slice = longest_wait();
    loop {
        match py.detach(|| call.wait(slice)) {
            Ok(true) => break,
            Ok(false) => py.check_signals()?,
            Err(error) => return Err(to_python(py, &error)),
        }
    }
    logs::emit(py);
    match call.take() {
        Some(Ok(value)) => Ok(value),
        Some(Err(error)) => Err(to_python(py, &error)),
        None => Err(pyo3::exceptions::PyRuntimeError::new_err(
            "a call that has ended has no result",
        )),
    }
}
