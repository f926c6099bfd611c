//! The settings of a router: times and numbers.

use std::time::Duration;

use super::error::gigachat_error;
use super::guard::guard;
use super::handle;
use super::router::{RouterOptionsObject, gigachat_router_options};
use super::status::gigachat_status;
use gigachat_core::Result;
use gigachat_core::RouterOptions;

/// # Safety
/// `error` is NULL or valid for a write.
unsafe fn change(
    options: *mut gigachat_router_options,
    error: *mut *mut gigachat_error,
    set: impl FnOnce(&mut RouterOptions) -> Result<()>,
) -> gigachat_status {
    // SAFETY: promised by the caller.
    unsafe {
        guard(error, || {
            let options = handle::get::<RouterOptionsObject>(options, "options")?;
            Ok(options.change(set)?)
        })
    }
}

/// The total time of a call, all attempts and waits included; of a stream, until its first content:
/// 1 ms to 1 h, default none. With it an attempt gets the smaller of its member's timeout and the
/// remaining time divided by the members that are left.
///
/// Returns: GIGACHAT_OK, or GIGACHAT_ERROR_CONFIGURATION naming value and range.
/// Thread safety: one thread per handle. Since 0.1.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn gigachat_router_options_set_deadline_ms(
    options: *mut gigachat_router_options,
    milliseconds: u64,
    error: *mut *mut gigachat_error,
) -> gigachat_status {
    // SAFETY: `error` is NULL or valid for a write.
    unsafe {
        change(options, error, |options| {
            options.set_deadline(Duration::from_millis(milliseconds))
        })
    }
}

/// How long a call waits for cooled members when all are: 0 to 1 h, default 30 s.
///
/// Returns: GIGACHAT_OK, or GIGACHAT_ERROR_CONFIGURATION naming value and range.
/// Thread safety: one thread per handle. Since 0.1.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn gigachat_router_options_set_max_cooldown_wait_ms(
    options: *mut gigachat_router_options,
    milliseconds: u64,
    error: *mut *mut gigachat_error,
) -> gigachat_status {
    // SAFETY: `error` is NULL or valid for a write.
    unsafe {
        change(options, error, |options| {
            options.set_max_cooldown_wait(Duration::from_millis(milliseconds))
        })
    }
}

/// How long a member takes from its return to its full share: 0 to 1 h, default 10 s.
///
/// Returns: GIGACHAT_OK, or GIGACHAT_ERROR_CONFIGURATION naming value and range.
/// Thread safety: one thread per handle. Since 0.1.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn gigachat_router_options_set_ramp_ms(
    options: *mut gigachat_router_options,
    milliseconds: u64,
    error: *mut *mut gigachat_error,
) -> gigachat_status {
    // SAFETY: `error` is NULL or valid for a write.
    unsafe {
        change(options, error, |options| {
            options.set_ramp(Duration::from_millis(milliseconds))
        })
    }
}

/// The cooldown of a failure without Retry-After, in milliseconds: `first`, doubled with each that
/// follows, up to `longest`. 10 ms to 1 h, default 1 s and 60 s.
///
/// Returns: GIGACHAT_OK, or GIGACHAT_ERROR_CONFIGURATION naming value and range.
/// Thread safety: one thread per handle. Since 0.1.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn gigachat_router_options_set_cooldown_ms(
    options: *mut gigachat_router_options,
    first: u64,
    longest: u64,
    error: *mut *mut gigachat_error,
) -> gigachat_status {
    // SAFETY: `error` is NULL or valid for a write.
    unsafe {
        change(options, error, |options| {
            options.set_cooldown(Duration::from_millis(first), Duration::from_millis(longest))
        })
    }
}

/// How many failures in a row cool a member when the service did not say how long: 1 to 1000,
/// default 3. 401, 402, 403 and 429 cool at once.
///
/// Returns: GIGACHAT_OK, or GIGACHAT_ERROR_CONFIGURATION naming value and range.
/// Thread safety: one thread per handle. Since 0.1.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn gigachat_router_options_set_failures_to_cool(
    options: *mut gigachat_router_options,
    failures: u32,
    error: *mut *mut gigachat_error,
) -> gigachat_status {
    // SAFETY: `error` is NULL or valid for a write.
    unsafe {
        change(options, error, |options| {
            options.set_failures_to_cool(failures)
        })
    }
}

/// Whether members repeat failed requests themselves before the next member is asked. Default false:
/// retries would multiply.
///
/// Returns: GIGACHAT_OK, or GIGACHAT_ERROR_CONFIGURATION naming value and range.
/// Thread safety: one thread per handle. Since 0.1.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn gigachat_router_options_set_member_retries(
    options: *mut gigachat_router_options,
    retry: bool,
    error: *mut *mut gigachat_error,
) -> gigachat_status {
    // SAFETY: `error` is NULL or valid for a write.
    unsafe {
        change(options, error, |options| {
            options.set_member_retries(retry);
            Ok(())
        })
    }
}

/// Whether the next member is asked after a member's answer did not come in time; the first may have
/// answered and billed nevertheless. Default true.
///
/// Returns: GIGACHAT_OK, or GIGACHAT_ERROR_CONFIGURATION naming value and range.
/// Thread safety: one thread per handle. Since 0.1.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn gigachat_router_options_set_fallback_after_read_timeout(
    options: *mut gigachat_router_options,
    fall_over: bool,
    error: *mut *mut gigachat_error,
) -> gigachat_status {
    // SAFETY: `error` is NULL or valid for a write.
    unsafe {
        change(options, error, |options| {
            options.set_fallback_after_read_timeout(fall_over);
            Ok(())
        })
    }
}
