//! The frame of every entry point: catches panics, turns failures into status and error handle.

use std::panic::{AssertUnwindSafe, catch_unwind};

use super::error::{ErrorObject, gigachat_error};
use super::handle;
use super::status::{Failure, GIGACHAT_ERROR_INTERNAL, GIGACHAT_OK, gigachat_status};

/// What a body gives when it did not fail: GIGACHAT_OK by `Ok(())`, or a waiting state.
pub(super) trait Outcome {
    fn status(self) -> gigachat_status;
}

impl Outcome for () {
    fn status(self) -> gigachat_status {
        GIGACHAT_OK
    }
}

impl Outcome for gigachat_status {
    fn status(self) -> gigachat_status {
        self
    }
}

/// Runs a fallible entry point. `error`, when not NULL, is set to NULL first and to a new error
/// handle on failure.
///
/// # Safety
/// `error` is NULL or valid for a write.
pub(super) unsafe fn guard<T: Outcome>(
    error: *mut *mut gigachat_error,
    body: impl FnOnce() -> Result<T, Failure>,
) -> gigachat_status {
    // SAFETY: the caller promises that `error` is NULL or valid for a write.
    let mut slot = unsafe { error.as_mut() };
    if let Some(slot) = slot.as_deref_mut() {
        *slot = std::ptr::null_mut();
    }
    let body = AssertUnwindSafe(|| crate::log::traced_here(body));
    let failure = match catch_unwind(body) {
        Ok(Ok(outcome)) => return outcome.status(),
        Ok(Err(failure)) => failure,
        Err(payload) => {
            let error = crate::Error::of_panic(&*payload);
            discard(payload);
            Failure {
                status: GIGACHAT_ERROR_INTERNAL,
                error,
            }
        }
    };
    let status = failure.status;
    if let Some(slot) = slot {
        *slot = handle::insert(ErrorObject::new(failure));
    }
    status
}

/// Runs an entry point that cannot report: an accessor or a free. A panic gives `otherwise`.
pub(super) fn shield<T>(otherwise: T, body: impl FnOnce() -> T) -> T {
    match catch_unwind(AssertUnwindSafe(body)) {
        Ok(value) => value,
        Err(payload) => {
            discard(payload);
            otherwise
        }
    }
}

/// Drops what a panic carried; that could panic again.
fn discard(payload: Box<dyn std::any::Any + Send>) {
    if let Err(again) = catch_unwind(AssertUnwindSafe(|| drop(payload))) {
        std::mem::forget(again);
    }
}
