//! The error handle: everything that is known of one failure.

use std::ffi::c_char;
use std::sync::OnceLock;

use super::handle::{self, Object};
use super::status::{Failure, GIGACHAT_ERROR_INVALID_HANDLE, gigachat_status};
use super::text::{CText, lend};
use super::unwind::shield;
use gigachat_core::Error;

/// One failure: what went wrong, in which request, and what to do. Made by the library, freed by
/// the program with gigachat_error_free.
pub struct gigachat_error(());

pub(super) struct ErrorObject {
    status: gigachat_status,
    error: Error,
    message: CText,
    kind: CText,
    phase: CText,
    request_id: Option<CText>,
    partial_text: Option<CText>,
    json: OnceLock<CText>,
}

impl ErrorObject {
    pub(super) fn new(failure: Failure) -> ErrorObject {
        let Failure { status, error } = failure;
        ErrorObject {
            status,
            message: CText::new(error.to_string()),
            kind: error.kind().name().into(),
            phase: error.phase().name().into(),
            request_id: error.request_id().map(CText::from),
            partial_text: error.partial_text().map(CText::from),
            json: OnceLock::new(),
            error,
        }
    }
}

impl Object for ErrorObject {
    type Opaque = gigachat_error;
    const TYPE: u8 = 1;
    const NAME: &'static str = "gigachat_error";
}

fn read<T>(error: *const gigachat_error, otherwise: T, get: impl FnOnce(&ErrorObject) -> T) -> T {
    let error = shield(None, || handle::find::<ErrorObject>(error));
    error.as_deref().map_or(otherwise, get)
}

/// The error's status, equal to what the failed function returned.
///
/// Returns: the status; GIGACHAT_ERROR_INVALID_HANDLE for a handle that is not alive.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn gigachat_error_status(error: *const gigachat_error) -> gigachat_status {
    read(error, GIGACHAT_ERROR_INVALID_HANDLE, |error| error.status)
}

/// What went wrong and what to do, with HTTP status, service code and request id.
///
/// Returns: the string; NULL if there is none.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn gigachat_error_message(
    error: *const gigachat_error,
    length: *mut usize,
) -> *const c_char {
    let text = shield(None, || handle::find::<ErrorObject>(error));
    // SAFETY: `length` is NULL or valid for a write; the text lives until the error is freed.
    unsafe { lend(text.as_deref().map(|error| &error.message), length) }
}

/// The cause in lower snake case: "rate_limit", "timeout", "incomplete_stream", ...
///
/// Returns: the string; NULL if there is none.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn gigachat_error_kind(
    error: *const gigachat_error,
    length: *mut usize,
) -> *const c_char {
    let text = shield(None, || handle::find::<ErrorObject>(error));
    // SAFETY: `length` is NULL or valid for a write; the text lives until the error is freed.
    unsafe { lend(text.as_deref().map(|error| &error.kind), length) }
}

/// The part of the call that failed: "input", "start", "queue", "token", "connect", "answer",
/// "body", "first_content", "idle", "total" or "backoff".
///
/// Returns: the string; NULL if there is none.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn gigachat_error_phase(
    error: *const gigachat_error,
    length: *mut usize,
) -> *const c_char {
    let text = shield(None, || handle::find::<ErrorObject>(error));
    // SAFETY: `length` is NULL or valid for a write; the text lives until the error is freed.
    unsafe { lend(text.as_deref().map(|error| &error.phase), length) }
}

/// The service's X-Request-ID of the failed request, else the one that was sent.
///
/// Returns: the string; NULL if there is none.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn gigachat_error_request_id(
    error: *const gigachat_error,
    length: *mut usize,
) -> *const c_char {
    let text = shield(None, || handle::find::<ErrorObject>(error));
    // SAFETY: `length` is NULL or valid for a write; the text lives until the error is freed.
    unsafe {
        lend(
            text.as_deref().and_then(|error| error.request_id.as_ref()),
            length,
        )
    }
}

/// The text that a stream had delivered before it broke.
///
/// Returns: the string; NULL if there is none.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn gigachat_error_partial_text(
    error: *const gigachat_error,
    length: *mut usize,
) -> *const c_char {
    let text = shield(None, || handle::find::<ErrorObject>(error));
    // SAFETY: `length` is NULL or valid for a write; the text lives until the error is freed.
    unsafe {
        lend(
            text.as_deref()
                .and_then(|error| error.partial_text.as_ref()),
            length,
        )
    }
}

/// The HTTP status of the answer.
///
/// Returns: the status; 0 when no answer came.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn gigachat_error_http_status(error: *const gigachat_error) -> i32 {
    read(error, 0, |error| error.error.status().map_or(0, i32::from))
}

/// The service's own code from the body of an OAuth error (1, 4, 5, 6, 7).
///
/// Returns: the code; 0 when there was none.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn gigachat_error_service_code(error: *const gigachat_error) -> i64 {
    read(error, 0, |error| error.error.code().unwrap_or(0))
}

/// How long the service asks to wait before the next request, in milliseconds.
///
/// Returns: the wait; -1 when it asked for none.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn gigachat_error_retry_after_ms(error: *const gigachat_error) -> i64 {
    read(error, -1, |error| {
        error.error.retry_after().map_or(-1, |wait| {
            i64::try_from(wait.as_millis()).unwrap_or(i64::MAX)
        })
    })
}

/// Whether the same call may succeed later without a change.
///
/// Returns: true or false.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn gigachat_error_retryable(error: *const gigachat_error) -> bool {
    read(error, false, |error| error.error.retryable())
}

/// How many requests were sent for this call; token requests are not counted.
///
/// Returns: the number of requests.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn gigachat_error_attempts(error: *const gigachat_error) -> u32 {
    read(error, 0, |error| error.error.attempts())
}

/// The body of the service's answer, at most 64 KiB of it, as it came: JSON, HTML or anything.
///
/// Returns: the bytes, not NUL-terminated, and their number in `length`; NULL if there are none.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn gigachat_error_body(
    error: *const gigachat_error,
    length: *mut usize,
) -> *const c_char {
    let found = shield(None, || handle::find::<ErrorObject>(error));
    let body = found.as_deref().map_or(&[][..], |error| error.error.body());
    // SAFETY: `length` is NULL or valid for a write.
    if let Some(length) = unsafe { length.as_mut() } {
        *length = body.len();
    }
    if body.is_empty() {
        std::ptr::null()
    } else {
        body.as_ptr().cast()
    }
}

/// Everything that is known of the error as one JSON object, so that a binding reads it in one
/// call: kind, status, phase, message, http_status, service_code, request_id, retry_after_ms,
/// retryable, attempts, partial_text, body and route_attempts (member, kind, http_status,
/// request_id and duration_ms of each attempt of a routed call). What is unknown is null.
///
/// Returns: the string; NULL if there is none.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn gigachat_error_json(
    error: *const gigachat_error,
    length: *mut usize,
) -> *const c_char {
    let found = shield(None, || handle::find::<ErrorObject>(error));
    let json = found.as_deref().and_then(|error| {
        shield(None, || {
            Some(
                error
                    .json
                    .get_or_init(|| CText::new(error.error.json_with_status(error.status))),
            )
        })
    });
    // SAFETY: `length` is NULL or valid for a write; the text lives until the error is freed.
    unsafe { lend(json, length) }
}

/// Frees an error.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn gigachat_error_free(error: *mut gigachat_error) {
    shield((), || handle::remove::<ErrorObject>(error));
}
