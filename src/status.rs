//! Status codes: what every fallible function returns.
//!
//! Integers with positive constants, not a C enum: an enum parameter with an unknown value would
//! be undefined behaviour in Rust, and C23 enums broke cgo.

use std::ffi::c_char;

use gigachat_core::{Error, ErrorKind};

/// What a function returns: GIGACHAT_OK, one of the two waiting states, or an error. Newer versions
/// may add codes; treat an unknown one as an error.
pub type gigachat_status = i32;

/// Success.
pub const GIGACHAT_OK: gigachat_status = 0;
/// Not an error: the stream is complete, there is nothing more to read.
pub const GIGACHAT_STREAM_END: gigachat_status = 1;
/// Not an error: nothing came within the time given, or the call is still running.
pub const GIGACHAT_NOT_YET: gigachat_status = 2;

/// A pointer that must not be NULL is NULL.
pub const GIGACHAT_ERROR_NULL_ARGUMENT: gigachat_status = 10;
/// A text is not UTF-8, or its length cannot be true.
pub const GIGACHAT_ERROR_INVALID_UTF8: gigachat_status = 11;
/// A handle that was freed, is of another type, or never was one.
pub const GIGACHAT_ERROR_INVALID_HANDLE: gigachat_status = 12;
/// The result of this call was taken before.
pub const GIGACHAT_ERROR_ALREADY_TAKEN: gigachat_status = 13;
/// This call has a completion callback or queue already.
pub const GIGACHAT_ERROR_ALREADY_SET: gigachat_status = 14;
/// The function would wait for its own caller (shutdown inside a callback, replacing the log
/// callback inside of it).
pub const GIGACHAT_ERROR_WOULD_DEADLOCK: gigachat_status = 15;
/// A process setting came after the first use of the library.
pub const GIGACHAT_ERROR_TOO_LATE: gigachat_status = 16;
/// The call, stream or queue belongs to the parent of this forked process.
pub const GIGACHAT_ERROR_FORKED: gigachat_status = 17;
/// The library is shutting down.
pub const GIGACHAT_ERROR_SHUTDOWN: gigachat_status = 18;

/// The configuration cannot work; the message names the option.
pub const GIGACHAT_ERROR_CONFIGURATION: gigachat_status = 30;
/// HTTP 400 or 422, or refused by the library before anything was sent.
pub const GIGACHAT_ERROR_INVALID_REQUEST: gigachat_status = 31;
/// HTTP 401: the authorization key, access token or password is wrong or expired.
pub const GIGACHAT_ERROR_AUTHENTICATION: gigachat_status = 32;
/// HTTP 402: the paid tokens of this model are used up.
pub const GIGACHAT_ERROR_PAYMENT_REQUIRED: gigachat_status = 33;
/// HTTP 403: this account may not do that.
pub const GIGACHAT_ERROR_PERMISSION_DENIED: gigachat_status = 34;
/// HTTP 404: no such model or path.
pub const GIGACHAT_ERROR_NOT_FOUND: gigachat_status = 35;
/// HTTP 413: the prompt is too large.
pub const GIGACHAT_ERROR_PAYLOAD_TOO_LARGE: gigachat_status = 36;
/// HTTP 429: too many requests; see gigachat_error_retry_after_ms.
pub const GIGACHAT_ERROR_RATE_LIMIT: gigachat_status = 37;
/// HTTP 5xx: the service failed.
pub const GIGACHAT_ERROR_SERVER: gigachat_status = 38;
/// A time limit passed; gigachat_error_phase tells which.
pub const GIGACHAT_ERROR_TIMEOUT: gigachat_status = 39;
/// The service cannot be reached, or the connection broke before an answer.
pub const GIGACHAT_ERROR_CONNECTION: gigachat_status = 40;
/// The TLS handshake failed; the message names the missing root certificate.
pub const GIGACHAT_ERROR_TLS: gigachat_status = 41;
/// The answer is unparsable, truncated, oversized or redirected.
pub const GIGACHAT_ERROR_PROTOCOL: gigachat_status = 42;
/// A stream ended without its end mark; gigachat_error_partial_text has what arrived.
pub const GIGACHAT_ERROR_INCOMPLETE_STREAM: gigachat_status = 43;
/// The call or stream was cancelled.
pub const GIGACHAT_ERROR_CANCELLED: gigachat_status = 44;
/// A fault of the library or of the machine (no thread or descriptor to be had).
pub const GIGACHAT_ERROR_INTERNAL: gigachat_status = 60;

/// The kind of error that a program's own provider means by a status; `None` for what is no cause
/// of a failure.
pub(super) fn kind_of(status: gigachat_status) -> Option<ErrorKind> {
    let kind = ErrorKind::numbered(status)?;
    let libraries_own = matches!(kind, ErrorKind::Forked | ErrorKind::Shutdown);
    (!libraries_own).then_some(kind)
}

/// A failure on its way to C: its status and what the error handle will hold.
#[derive(Clone)]
pub(super) struct Failure {
    pub(super) status: gigachat_status,
    pub(super) error: Error,
}

impl Failure {
    pub(super) fn new(status: gigachat_status, message: impl Into<String>) -> Failure {
        let kind = ErrorKind::numbered(status).unwrap_or(ErrorKind::InvalidRequest);
        Failure {
            status,
            error: Error::new(kind, gigachat_core::Phase::Input, message),
        }
    }

    pub(super) fn null(name: &str) -> Failure {
        Failure::new(
            GIGACHAT_ERROR_NULL_ARGUMENT,
            format!("{name} must not be NULL"),
        )
    }
}

impl From<Error> for Failure {
    fn from(error: Error) -> Failure {
        Failure {
            status: error.kind().number(),
            error,
        }
    }
}

/// The name of a status, such as "GIGACHAT_ERROR_RATE_LIMIT"; "unknown status" for others.
///
/// Returns: a static text, never NULL, never to be freed.
#[unsafe(no_mangle)]
pub extern "C" fn gigachat_status_name(status: gigachat_status) -> *const c_char {
    let name = match status {
        GIGACHAT_OK => c"GIGACHAT_OK",
        GIGACHAT_STREAM_END => c"GIGACHAT_STREAM_END",
        GIGACHAT_NOT_YET => c"GIGACHAT_NOT_YET",
        GIGACHAT_ERROR_NULL_ARGUMENT => c"GIGACHAT_ERROR_NULL_ARGUMENT",
        GIGACHAT_ERROR_INVALID_UTF8 => c"GIGACHAT_ERROR_INVALID_UTF8",
        GIGACHAT_ERROR_INVALID_HANDLE => c"GIGACHAT_ERROR_INVALID_HANDLE",
        GIGACHAT_ERROR_ALREADY_TAKEN => c"GIGACHAT_ERROR_ALREADY_TAKEN",
        GIGACHAT_ERROR_ALREADY_SET => c"GIGACHAT_ERROR_ALREADY_SET",
        GIGACHAT_ERROR_WOULD_DEADLOCK => c"GIGACHAT_ERROR_WOULD_DEADLOCK",
        GIGACHAT_ERROR_TOO_LATE => c"GIGACHAT_ERROR_TOO_LATE",
        GIGACHAT_ERROR_FORKED => c"GIGACHAT_ERROR_FORKED",
        GIGACHAT_ERROR_SHUTDOWN => c"GIGACHAT_ERROR_SHUTDOWN",
        GIGACHAT_ERROR_CONFIGURATION => c"GIGACHAT_ERROR_CONFIGURATION",
        GIGACHAT_ERROR_INVALID_REQUEST => c"GIGACHAT_ERROR_INVALID_REQUEST",
        GIGACHAT_ERROR_AUTHENTICATION => c"GIGACHAT_ERROR_AUTHENTICATION",
        GIGACHAT_ERROR_PAYMENT_REQUIRED => c"GIGACHAT_ERROR_PAYMENT_REQUIRED",
        GIGACHAT_ERROR_PERMISSION_DENIED => c"GIGACHAT_ERROR_PERMISSION_DENIED",
        GIGACHAT_ERROR_NOT_FOUND => c"GIGACHAT_ERROR_NOT_FOUND",
        GIGACHAT_ERROR_PAYLOAD_TOO_LARGE => c"GIGACHAT_ERROR_PAYLOAD_TOO_LARGE",
        GIGACHAT_ERROR_RATE_LIMIT => c"GIGACHAT_ERROR_RATE_LIMIT",
        GIGACHAT_ERROR_SERVER => c"GIGACHAT_ERROR_SERVER",
        GIGACHAT_ERROR_TIMEOUT => c"GIGACHAT_ERROR_TIMEOUT",
        GIGACHAT_ERROR_CONNECTION => c"GIGACHAT_ERROR_CONNECTION",
        GIGACHAT_ERROR_TLS => c"GIGACHAT_ERROR_TLS",
        GIGACHAT_ERROR_PROTOCOL => c"GIGACHAT_ERROR_PROTOCOL",
        GIGACHAT_ERROR_INCOMPLETE_STREAM => c"GIGACHAT_ERROR_INCOMPLETE_STREAM",
        GIGACHAT_ERROR_CANCELLED => c"GIGACHAT_ERROR_CANCELLED",
        GIGACHAT_ERROR_INTERNAL => c"GIGACHAT_ERROR_INTERNAL",
        _ => c"unknown status",
    };
    name.as_ptr()
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::ffi::CStr;

    #[test]
    fn every_kind_of_error_has_its_status_of_the_same_name() {
        for kind in ErrorKind::ALL {
            // SAFETY: the function gives a static C string.
            let name = unsafe { CStr::from_ptr(gigachat_status_name(kind.number())) };
            let expected = format!("GIGACHAT_ERROR_{}", kind.name().to_uppercase());
            assert_eq!(name.to_str(), Ok(&*expected));
        }
    }
}
