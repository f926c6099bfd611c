//! Log records for a C function.

use std::ffi::{c_char, c_void};

use tracing::Level;
use tracing::level_filters::LevelFilter;

use super::boundary::{self, Word};
use super::error::gigachat_error;
use super::guard::guard;
use super::status::{
    Failure, GIGACHAT_ERROR_INVALID_REQUEST, GIGACHAT_ERROR_WOULD_DEADLOCK, gigachat_status,
};
use super::text::CText;
use super::user_data::{OwnedUserData, UserData, gigachat_destroy_callback};
use gigachat_core::binding::log;

/// How important a log record is.
pub type gigachat_log_level = i32;

/// No records at all.
pub const GIGACHAT_LOG_OFF: gigachat_log_level = 0;
/// Something failed inside the library.
pub const GIGACHAT_LOG_ERROR: gigachat_log_level = 1;
/// A request failed, or protection is switched off.
pub const GIGACHAT_LOG_WARN: gigachat_log_level = 2;
/// A request is repeated, a token is renewed after a 401.
pub const GIGACHAT_LOG_INFO: gigachat_log_level = 3;
/// What the library does, with one record per call at its end: status, duration, attempts, tokens.
pub const GIGACHAT_LOG_DEBUG: gigachat_log_level = 4;
/// Each step of a call besides: its permit, each HTTP request and the beginning of its answer;
/// prompts and answers only with the option "log_content".
pub const GIGACHAT_LOG_TRACE: gigachat_log_level = 5;

/// Receives one log record on a callback thread. `target` is the part of the library
/// ("gigachat::auth"), `message` the text with its fields; both are NUL-terminated UTF-8 and valid
/// during the call. Secrets never occur in them.
pub type gigachat_log_callback = Option<
    unsafe extern "C" fn(
        user_data: *mut c_void,
        level: gigachat_log_level,
        target: *const c_char,
        message: *const c_char,
    ),
>;

/// Sets the function that receives log records up to `level`, for the whole process. NULL or
/// GIGACHAT_LOG_OFF removes it. When this returns the previous function is not running, will not be
/// called any more, and its destroy hook has been called, by this thread: its user data is free,
/// and the shared object that it stands in may be unloaded. Records that waited for it are gone.
/// Records wait in a bounded queue; how many were dropped for want of room is a record of its own.
/// Once the process exits none is delivered any more: gigachat_shutdown delivers what waits.
/// Records that arise inside the callback are not delivered. Calls that were started before are not
/// logged.
///
/// Parameters: `user_data` is passed back as it is; `destroy` may be NULL.
/// Returns: GIGACHAT_OK; GIGACHAT_ERROR_WOULD_DEADLOCK inside the log callback;
/// GIGACHAT_ERROR_INVALID_REQUEST for an unknown level. On failure nothing has changed.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn gigachat_set_log_callback(
    level: gigachat_log_level,
    callback: gigachat_log_callback,
    user_data: *mut c_void,
    destroy: gigachat_destroy_callback,
    error: *mut *mut gigachat_error,
) -> gigachat_status {
    // SAFETY: `error` is NULL or valid for a write.
    unsafe {
        guard(error, || {
            if gigachat_core::binding::tracing_scope::in_log_callback() {
                return Err(Failure {
                    status: GIGACHAT_ERROR_WOULD_DEADLOCK,
                    error: log::would_deadlock(),
                });
            }
            let level = filter(level)?;
            let user_data = UserData::unowned(user_data).owned(destroy);
            let Some(callback) = callback.filter(|_| level != LevelFilter::OFF) else {
                return Ok(log::set_function(log::Reception::CallbackThread, None)?);
            };
            let function = Some((level, log_function(callback, user_data)));
            Ok(log::set_function(log::Reception::CallbackThread, function)?)
        })
    }
}

fn log_function(
    callback: unsafe extern "C" fn(*mut c_void, gigachat_log_level, *const c_char, *const c_char),
    user_data: OwnedUserData,
) -> log::LogFunction {
    Box::new(move |record| {
        let target = CText::from(record.target);
        let message = CText::from(record.message.as_str());
        let null = std::ptr::null_mut();
        // SAFETY: the program promised that the function may be called with this user data on a
        // thread of the library; the texts live during the call.
        unsafe {
            let words = [
                user_data.pointer().word(),
                number(record.level).word(),
                target.lend(null).word(),
                message.lend(null).word(),
            ];
            boundary::call(callback as *const c_void, words);
        }
    })
}

fn filter(level: gigachat_log_level) -> Result<LevelFilter, Failure> {
    Ok(match level {
        GIGACHAT_LOG_OFF => LevelFilter::OFF,
        GIGACHAT_LOG_ERROR => LevelFilter::ERROR,
        GIGACHAT_LOG_WARN => LevelFilter::WARN,
        GIGACHAT_LOG_INFO => LevelFilter::INFO,
        GIGACHAT_LOG_DEBUG => LevelFilter::DEBUG,
        GIGACHAT_LOG_TRACE => LevelFilter::TRACE,
        other => {
            let text = format!(
                "level: {other} is not accepted; it must be one of the GIGACHAT_LOG_ constants"
            );
            return Err(Failure::new(GIGACHAT_ERROR_INVALID_REQUEST, text));
        }
    })
}

fn number(level: Level) -> gigachat_log_level {
    match level {
        Level::ERROR => GIGACHAT_LOG_ERROR,
        Level::WARN => GIGACHAT_LOG_WARN,
        Level::INFO => GIGACHAT_LOG_INFO,
        Level::DEBUG => GIGACHAT_LOG_DEBUG,
        Level::TRACE => GIGACHAT_LOG_TRACE,
    }
}
