//! The configuration handle: proxy, headers, bounds.

use std::ffi::c_char;

use super::config::{change, gigachat_config, set_text};
use super::error::gigachat_error;
use super::status::gigachat_status;
use super::text::read;
use gigachat_core::Config;

/// An explicit proxy for every host: http, https, socks5 or socks5h URL. Overrides the
/// environment's.
///
/// Returns: GIGACHAT_OK, or GIGACHAT_ERROR_CONFIGURATION naming option, value and range.
/// Ownership: the text is copied. Thread safety: one thread per configuration. Since 0.1.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn gigachat_config_set_proxy(
    config: *mut gigachat_config,
    url: *const c_char,
    length: usize,
    error: *mut *mut gigachat_error,
) -> gigachat_status {
    // SAFETY: the caller keeps the header's conventions for texts and error slots.
    unsafe { set_text(config, "url", url, length, error, Config::set_proxy) }
}

/// Whether HTTPS_PROXY, HTTP_PROXY, ALL_PROXY and NO_PROXY are followed. Default true; never for
/// plain http to loopback.
///
/// Returns: GIGACHAT_OK, or GIGACHAT_ERROR_INVALID_HANDLE.
/// Thread safety: one thread per configuration. Since 0.1.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn gigachat_config_set_proxy_from_environment(
    config: *mut gigachat_config,
    follow: bool,
    error: *mut *mut gigachat_error,
) -> gigachat_status {
    // SAFETY: `error` is NULL or valid for a write.
    unsafe {
        change(config, error, |config| {
            config.set_proxy_from_environment(follow);
            Ok(())
        })
    }
}

/// The User-Agent: 1 to 1024 characters, default "libgigachat/VERSION".
///
/// Returns: GIGACHAT_OK, or GIGACHAT_ERROR_CONFIGURATION naming option, value and range.
/// Ownership: the text is copied. Thread safety: one thread per configuration. Since 0.1.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn gigachat_config_set_user_agent(
    config: *mut gigachat_config,
    user_agent: *const c_char,
    length: usize,
    error: *mut *mut gigachat_error,
) -> gigachat_status {
    // SAFETY: the caller keeps the header's conventions for texts and error slots.
    unsafe {
        set_text(
            config,
            "user_agent",
            user_agent,
            length,
            error,
            Config::set_user_agent,
        )
    }
}

/// A header sent with every API request, not with token requests. Setting a name again replaces
/// its value; the library's own headers are refused.
///
/// Returns: GIGACHAT_OK, or GIGACHAT_ERROR_CONFIGURATION naming option, value and range.
/// Ownership: the texts are copied. Thread safety: one thread per configuration. Since 0.1.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn gigachat_config_set_extra_header(
    config: *mut gigachat_config,
    name: *const c_char,
    name_length: usize,
    value: *const c_char,
    value_length: usize,
    error: *mut *mut gigachat_error,
) -> gigachat_status {
    // SAFETY: the caller keeps the header's conventions for texts and error slots.
    unsafe {
        change(config, error, |config| {
            let name = read("name", name, name_length)?;
            Ok(config.set_extra_header(name, read("value", value, value_length)?)?)
        })
    }
}

/// Lets http:// URLs reach hosts other than this machine. Default false; each provider made so
/// says it in the log.
///
/// Returns: GIGACHAT_OK, or GIGACHAT_ERROR_INVALID_HANDLE.
/// Thread safety: one thread per configuration. Since 0.1.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn gigachat_config_set_allow_insecure_http(
    config: *mut gigachat_config,
    allow: bool,
    error: *mut *mut gigachat_error,
) -> gigachat_status {
    // SAFETY: `error` is NULL or valid for a write.
    unsafe {
        change(config, error, |config| {
            config.set_allow_insecure_http(allow);
            Ok(())
        })
    }
}

/// The largest answer: 1 KiB to 1 GiB, default 16 MiB.
///
/// Returns: GIGACHAT_OK, or GIGACHAT_ERROR_CONFIGURATION naming option, value and range.
/// Thread safety: one thread per configuration. Since 0.1.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn gigachat_config_set_max_body_bytes(
    config: *mut gigachat_config,
    bytes: usize,
    error: *mut *mut gigachat_error,
) -> gigachat_status {
    // SAFETY: `error` is NULL or valid for a write.
    unsafe {
        change(
            config,
            error,
            |config| Ok(config.set_max_body_bytes(bytes)?),
        )
    }
}

/// The largest event of a stream: 1 KiB to 1 GiB, default 1 MiB.
///
/// Returns: GIGACHAT_OK, or GIGACHAT_ERROR_CONFIGURATION naming option, value and range.
/// Thread safety: one thread per configuration. Since 0.1.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn gigachat_config_set_max_event_bytes(
    config: *mut gigachat_config,
    bytes: usize,
    error: *mut *mut gigachat_error,
) -> gigachat_status {
    // SAFETY: `error` is NULL or valid for a write.
    unsafe {
        change(config, error, |config| {
            Ok(config.set_max_event_bytes(bytes)?)
        })
    }
}

/// How many bytes of a stream are read ahead of a slow reader: 1 KiB to 1 GiB, default 1 MiB.
///
/// Returns: GIGACHAT_OK, or GIGACHAT_ERROR_CONFIGURATION naming option, value and range.
/// Thread safety: one thread per configuration. Since 0.1.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn gigachat_config_set_read_ahead_bytes(
    config: *mut gigachat_config,
    bytes: usize,
    error: *mut *mut gigachat_error,
) -> gigachat_status {
    // SAFETY: `error` is NULL or valid for a write.
    unsafe {
        change(config, error, |config| {
            Ok(config.set_read_ahead_bytes(bytes)?)
        })
    }
}

/// Whether prompts and answers may appear in the log at trace level. Default false.
///
/// Returns: GIGACHAT_OK, or GIGACHAT_ERROR_INVALID_HANDLE.
/// Thread safety: one thread per configuration. Since 0.1.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn gigachat_config_set_log_content(
    config: *mut gigachat_config,
    log: bool,
    error: *mut *mut gigachat_error,
) -> gigachat_status {
    // SAFETY: `error` is NULL or valid for a write.
    unsafe {
        change(config, error, |config| {
            config.set_log_content(log);
            Ok(())
        })
    }
}
