//! The frame of every entry point: catches panics, turns failures into status and error handle.

use std::panic::{AssertUnwindSafe, catch_unwind};

use super::error::{ErrorObject, gigachat_error};
use super::handle;
use super::status::{Failure, GIGACHAT_ERROR_INTERNAL, GIGACHAT_OK, gigachat_status};
use super::unwind::discard;

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
    gigachat_core::binding::send_panics_to_the_log();
    let _not_cancelled = gigachat_core::binding::process::Uncancelled::begin();
    // SAFETY: the caller promises that `error` is NULL or valid for a write.
    let mut slot = unsafe { error.as_mut() };
    if let Some(slot) = slot.as_deref_mut() {
        *slot = std::ptr::null_mut();
    }
    let body = AssertUnwindSafe(|| gigachat_core::binding::tracing_scope::traced_here(body));
    let failure = match catch_unwind(body) {
        Ok(Ok(outcome)) => return outcome.status(),
        Ok(Err(failure)) => failure,
        Err(payload) => {
            let error = gigachat_core::Error::of_panic(&*payload);
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
