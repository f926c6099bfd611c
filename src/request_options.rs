//! The request handle: what one call sets for itself (time limits, headers, ids).

use std::ffi::c_char;
use std::time::Duration;

use super::error::gigachat_error;
use super::request::{change, gigachat_request, set_text};
use super::status::gigachat_status;
use super::text::read;
use gigachat_core::Request;

/// `timeout` of this call: 1 ms to 1 h.
///
/// Returns: GIGACHAT_OK, or GIGACHAT_ERROR_CONFIGURATION naming value and range.
/// Thread safety: one thread per request. Since 0.1.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn gigachat_request_set_timeout_ms(
    request: *mut gigachat_request,
    milliseconds: u64,
    error: *mut *mut gigachat_error,
) -> gigachat_status {
    // SAFETY: `error` is NULL or valid for a write.
    unsafe {
        change(request, error, |request| {
            Ok(request.set_timeout(Duration::from_millis(milliseconds))?)
        })
    }
}

/// `queue_timeout` of this call: 1 ms to 24 h.
///
/// Returns: GIGACHAT_OK, or GIGACHAT_ERROR_CONFIGURATION naming value and range.
/// Thread safety: one thread per request. Since 0.1.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn gigachat_request_set_queue_timeout_ms(
    request: *mut gigachat_request,
    milliseconds: u64,
    error: *mut *mut gigachat_error,
) -> gigachat_status {
    // SAFETY: `error` is NULL or valid for a write.
    unsafe {
        change(request, error, |request| {
            Ok(request.set_queue_timeout(Duration::from_millis(milliseconds))?)
        })
    }
}

/// `idle_timeout` of this stream: 1 ms to 1 h.
///
/// Returns: GIGACHAT_OK, or GIGACHAT_ERROR_CONFIGURATION naming value and range.
/// Thread safety: one thread per request. Since 0.1.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn gigachat_request_set_idle_timeout_ms(
    request: *mut gigachat_request,
    milliseconds: u64,
    error: *mut *mut gigachat_error,
) -> gigachat_status {
    // SAFETY: `error` is NULL or valid for a write.
    unsafe {
        change(request, error, |request| {
            Ok(request.set_idle_timeout(Duration::from_millis(milliseconds))?)
        })
    }
}

/// `stream_timeout` of this stream: 1 ms to 24 h.
///
/// Returns: GIGACHAT_OK, or GIGACHAT_ERROR_CONFIGURATION naming value and range.
/// Thread safety: one thread per request. Since 0.1.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn gigachat_request_set_stream_timeout_ms(
    request: *mut gigachat_request,
    milliseconds: u64,
    error: *mut *mut gigachat_error,
) -> gigachat_status {
    // SAFETY: `error` is NULL or valid for a write.
    unsafe {
        change(request, error, |request| {
            Ok(request.set_stream_timeout(Duration::from_millis(milliseconds))?)
        })
    }
}

/// The total time of this call, all attempts and waits included; of a stream, until its first
/// content: 1 ms to 1 h. In a router it replaces the router's own deadline.
///
/// Returns: GIGACHAT_OK, or GIGACHAT_ERROR_INVALID_REQUEST naming value and range.
/// Thread safety: one thread per request. Since 0.1.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn gigachat_request_set_deadline_ms(
    request: *mut gigachat_request,
    milliseconds: u64,
    error: *mut *mut gigachat_error,
) -> gigachat_status {
    // SAFETY: `error` is NULL or valid for a write.
    unsafe {
        change(request, error, |request| {
            Ok(request.set_deadline(Duration::from_millis(milliseconds))?)
        })
    }
}

/// A header of this call, replacing the configuration's of the same name. The library's own
/// headers are refused.
///
/// Returns: GIGACHAT_OK, or GIGACHAT_ERROR_CONFIGURATION naming what is wrong.
/// Ownership: texts are copied. Thread safety: one thread per request. Since 0.1.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn gigachat_request_set_header(
    request: *mut gigachat_request,
    name: *const c_char,
    name_length: usize,
    value: *const c_char,
    value_length: usize,
    error: *mut *mut gigachat_error,
) -> gigachat_status {
    // SAFETY: the caller keeps the header's conventions for texts and error slots.
    unsafe {
        change(request, error, |request| {
            let name = read("name", name, name_length)?;
            let value = read("value", value, value_length)?;
            Ok(request.set_header(name, value)?)
        })
    }
}

/// X-Request-ID: finds this request in the service's logs. Without it a random one is sent.
///
/// Returns: GIGACHAT_OK, or GIGACHAT_ERROR_INVALID_REQUEST naming what is wrong.
/// Ownership: texts are copied. Thread safety: one thread per request. Since 0.1.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn gigachat_request_set_request_id(
    request: *mut gigachat_request,
    id: *const c_char,
    length: usize,
    error: *mut *mut gigachat_error,
) -> gigachat_status {
    // SAFETY: the caller keeps the header's conventions for texts and error slots.
    unsafe { set_text(request, "id", id, length, error, Request::set_request_id) }
}

/// X-Session-ID: one for a conversation raises the chance of cached prompt tokens.
///
/// Returns: GIGACHAT_OK, or GIGACHAT_ERROR_INVALID_REQUEST naming what is wrong.
/// Ownership: texts are copied. Thread safety: one thread per request. Since 0.1.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn gigachat_request_set_session_id(
    request: *mut gigachat_request,
    id: *const c_char,
    length: usize,
    error: *mut *mut gigachat_error,
) -> gigachat_status {
    // SAFETY: the caller keeps the header's conventions for texts and error slots.
    unsafe { set_text(request, "id", id, length, error, Request::set_session_id) }
}

/// X-Client-ID: the end user, for the service's logs and for access to files.
///
/// Returns: GIGACHAT_OK, or GIGACHAT_ERROR_INVALID_REQUEST naming what is wrong.
/// Ownership: texts are copied. Thread safety: one thread per request. Since 0.1.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn gigachat_request_set_client_id(
    request: *mut gigachat_request,
    id: *const c_char,
    length: usize,
    error: *mut *mut gigachat_error,
) -> gigachat_status {
    // SAFETY: the caller keeps the header's conventions for texts and error slots.
    unsafe { set_text(request, "id", id, length, error, Request::set_client_id) }
}
