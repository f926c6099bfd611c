//! The process: version, settings before the first use, live handles, shutdown.

use std::ffi::{c_char, c_void};
use std::sync::Arc;
use std::time::Duration;

use super::boundary;
use super::error::gigachat_error;
use super::guard::guard;
use super::handle;
use super::status::{
    Failure, GIGACHAT_ERROR_TOO_LATE, GIGACHAT_ERROR_WOULD_DEADLOCK, gigachat_status,
};
use super::unwind::shield;
use super::user_data::UserData;
use gigachat_core::Result;
use gigachat_core::binding::{callbacks, settings};

/// Called on a thread of the library, at its start or end; must not call the library.
pub type gigachat_thread_callback = Option<unsafe extern "C" fn(user_data: *mut c_void)>;

/// The library's version, such as "0.1.0".
///
/// Returns: a static text, never NULL, never to be freed.
#[unsafe(no_mangle)]
pub extern "C" fn gigachat_version() -> *const c_char {
    concat!(env!("CARGO_PKG_VERSION"), "\0").as_ptr().cast()
}

/// The library's version as a number: major * 1000000 + minor * 1000 + patch. Compare it with
/// GIGACHAT_VERSION_NUMBER, the header's.
///
/// Returns: the number.
#[unsafe(no_mangle)]
pub extern "C" fn gigachat_version_number() -> u32 {
    version_number()
}

/// The version of the binary interface, which changes only when it breaks: the number in the
/// library's soname.
///
/// Returns: the number.
#[unsafe(no_mangle)]
pub extern "C" fn gigachat_abi_version() -> u32 {
    0
}

const fn version_number() -> u32 {
    part(env!("CARGO_PKG_VERSION_MAJOR")) * 1_000_000
        + part(env!("CARGO_PKG_VERSION_MINOR")) * 1_000
        + part(env!("CARGO_PKG_VERSION_PATCH"))
}

const fn part(digits: &str) -> u32 {
    let bytes = digits.as_bytes();
    let (mut number, mut at) = (0, 0);
    while at < bytes.len() {
        number = number * 10 + (bytes[at] - b'0') as u32;
        at += 1;
    }
    number
}

fn setting(set: impl FnOnce() -> Result<()>) -> std::result::Result<(), Failure> {
    if settings::are_fixed() {
        let text = "too late: the library is in use; set this before the first call or after gigachat_shutdown";
        return Err(Failure::new(GIGACHAT_ERROR_TOO_LATE, text));
    }
    Ok(set()?)
}

/// How many threads do the input and output: 1 to 64, default 1, which serves thousands of calls.
///
/// Returns: GIGACHAT_OK, GIGACHAT_ERROR_CONFIGURATION, or GIGACHAT_ERROR_TOO_LATE after the first
/// call.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn gigachat_set_io_threads(
    threads: usize,
    error: *mut *mut gigachat_error,
) -> gigachat_status {
    // SAFETY: `error` is NULL or valid for a write.
    unsafe { guard(error, || setting(|| settings::set_io_threads(threads))) }
}

/// The stack of the threads that run callbacks: 64 KiB to 1 GiB, default 2 MiB.
///
/// Returns: GIGACHAT_OK, GIGACHAT_ERROR_CONFIGURATION, or GIGACHAT_ERROR_TOO_LATE after the first
/// call.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn gigachat_set_callback_stack_size(
    bytes: usize,
    error: *mut *mut gigachat_error,
) -> gigachat_status {
    // SAFETY: `error` is NULL or valid for a write.
    unsafe {
        guard(error, || {
            setting(|| settings::set_callback_stack_size(bytes))
        })
    }
}

/// Functions that every thread of the library calls at its start and at its end, for hosts that
/// must know their threads. Each may be NULL. The user data must stay valid for ever.
///
/// Returns: GIGACHAT_OK, or GIGACHAT_ERROR_TOO_LATE after the first call.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn gigachat_set_thread_hooks(
    start: gigachat_thread_callback,
    stop: gigachat_thread_callback,
    user_data: *mut c_void,
    error: *mut *mut gigachat_error,
) -> gigachat_status {
    let user_data = UserData::unowned(user_data);
    let hook = move |function: gigachat_thread_callback| -> settings::ThreadHook {
        Arc::new(move || {
            // The whole value is captured, which may travel between threads.
            let data = &user_data;
            if let Some(function) = function {
                // SAFETY: the program promised that the function may be called with this user
                // data on every thread of the library.
                unsafe { boundary::call_1(function, *data) };
            }
        })
    };
    // SAFETY: `error` is NULL or valid for a write.
    unsafe {
        guard(error, || {
            setting(|| settings::set_thread_hooks(hook(start), hook(stop)))
        })
    }
}

/// How many handles are alive, of all types: for finding leaks.
///
/// Returns: the number.
#[unsafe(no_mangle)]
pub extern "C" fn gigachat_live_handles() -> u64 {
    shield(0, handle::live)
}

/// Ends the library's threads: running calls and streams end as cancelled, their callbacks and
/// destroy hooks run, connections close, threads are joined. Handles stay valid and must still be
/// freed. Calls that begin meanwhile get GIGACHAT_ERROR_SHUTDOWN; afterwards the library may be
/// used again. Does nothing when it is not in use. Not needed at exit; leak checkers are content
/// after it.
///
/// Returns: GIGACHAT_OK; GIGACHAT_ERROR_TIMEOUT when it did not end in time: the threads end alone
/// as soon as they can, leave nothing then, and the next gigachat_shutdown waits for them, too;
/// GIGACHAT_ERROR_WOULD_DEADLOCK inside a callback.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn gigachat_shutdown(
    timeout_ms: u64,
    error: *mut *mut gigachat_error,
) -> gigachat_status {
    // SAFETY: `error` is NULL or valid for a write.
    unsafe {
        guard(error, || {
            if callbacks::on_callback_thread() {
                let text = "a shutdown inside a callback would wait for itself";
                return Err(Failure::new(GIGACHAT_ERROR_WOULD_DEADLOCK, text));
            }
            Ok(gigachat_core::shutdown(Duration::from_millis(timeout_ms))?)
        })
    }
}
