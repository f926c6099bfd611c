//! The configuration handle: how many requests are in flight, and with whom that is shared.

use std::ffi::c_char;

use super::config::{change, gigachat_config, set_text};
use super::error::gigachat_error;
use super::status::gigachat_status;
use gigachat_core::Config;

/// Generation requests in flight per credential: 0 to 10000, 0 = no limit. Default 1 for PERS, 10
/// for B2B and CORP, none for a ready-made token or user and password.
///
/// Returns: GIGACHAT_OK, or GIGACHAT_ERROR_CONFIGURATION naming option, value and range.
/// Thread safety: one thread per configuration. Since 0.1.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn gigachat_config_set_max_concurrency(
    config: *mut gigachat_config,
    limit: u32,
    error: *mut *mut gigachat_error,
) -> gigachat_status {
    // SAFETY: `error` is NULL or valid for a write.
    unsafe {
        change(config, error, |config| {
            Ok(config.set_max_concurrency(limit)?)
        })
    }
}

/// Whether a completion that was answered with 429 waits in the queue until the service takes it, as
/// long as queue_timeout and the request's deadline allow, while the permits of the credential adapt:
/// halved by a 429, one more after a run of answers. So processes and machines that share a
/// credential share its permits. Without that a 429 counts to max_retries as other failures do.
/// Default true.
///
/// Returns: GIGACHAT_OK, or GIGACHAT_ERROR_INVALID_HANDLE.
/// Thread safety: one thread per configuration. Since 0.1.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn gigachat_config_set_wait_on_rate_limit(
    config: *mut gigachat_config,
    wait: bool,
    error: *mut *mut gigachat_error,
) -> gigachat_status {
    // SAFETY: `error` is NULL or valid for a write.
    unsafe {
        change(config, error, |config| {
            config.set_wait_on_rate_limit(wait);
            Ok(())
        })
    }
}

/// Shares the credential's permits and its access token with all processes of this machine that set
/// the same: "host" for all of this user's, or the absolute path of a folder, which is made if its
/// parent is there. The folder must be this user's alone (mode 0700); the token in it is readable by
/// this user only. Permits are files locked with flock, so a process that dies gives its own back at
/// once. With this no 429 occurs among those processes. Default: none.
///
/// Parameters: max_concurrency should be the same in all of them, and is 100 at the most with this.
/// Returns: GIGACHAT_OK, or GIGACHAT_ERROR_CONFIGURATION naming option, value and range. A folder that
/// cannot be used fails the first call, with GIGACHAT_ERROR_CONFIGURATION.
/// Ownership: the text is copied. Thread safety: one thread per configuration. Since 0.1.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn gigachat_config_set_shared_permits(
    config: *mut gigachat_config,
    place: *const c_char,
    length: usize,
    error: *mut *mut gigachat_error,
) -> gigachat_status {
    // SAFETY: the caller keeps the header's conventions for texts and error slots.
    unsafe {
        set_text(
            config,
            "place",
            place,
            length,
            error,
            Config::set_shared_permits,
        )
    }
}
