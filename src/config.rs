//! The configuration handle: who the caller is, which hosts, which limits of time and number.

use std::ffi::c_char;
use std::time::Duration;

use super::error::gigachat_error;
use super::guard::guard;
use super::handle::{self, Object};
use super::status::{Failure, gigachat_status};
use super::text::{read, required};
use super::unwind::shield;
use gigachat_core::Config;
use gigachat_core::Result;
use gigachat_core::binding::{Mutex, lock};

/// A provider's options, a builder: make it, set options, make providers from it, free it.
/// Use it from one thread at a time. Since 0.1.
pub struct gigachat_config(());

pub(super) struct ConfigObject(Mutex<Config>);

impl ConfigObject {
    /// A copy of what is set so far.
    pub(super) fn snapshot(&self) -> Config {
        lock(&self.0).clone()
    }
}

impl Object for ConfigObject {
    type Opaque = gigachat_config;
    const TYPE: u8 = 2;
    const NAME: &'static str = "gigachat_config";
}

/// Changes a configuration by a setter of the core.
///
/// # Safety
/// `error` is NULL or valid for a write.
pub(super) unsafe fn change(
    config: *mut gigachat_config,
    error: *mut *mut gigachat_error,
    set: impl FnOnce(&mut Config) -> std::result::Result<(), Failure>,
) -> gigachat_status {
    // SAFETY: promised by the caller.
    unsafe {
        guard(error, || {
            let config = handle::get::<ConfigObject>(config, "config")?;
            let mut config = lock(&config.0);
            set(&mut config)
        })
    }
}

/// Sets a text option.
///
/// # Safety
/// `text` as `text::read` demands, `error` is NULL or valid for a write.
pub(super) unsafe fn set_text(
    config: *mut gigachat_config,
    name: &str,
    text: *const c_char,
    length: usize,
    error: *mut *mut gigachat_error,
    set: impl FnOnce(&mut Config, &str) -> Result<()>,
) -> gigachat_status {
    // SAFETY: promised by the caller.
    unsafe {
        change(config, error, |config| {
            Ok(set(config, read(name, text, length)?)?)
        })
    }
}

/// A configuration with the defaults.
///
/// Parameters: `config` receives the handle, which the program frees with gigachat_config_free.
/// Returns: GIGACHAT_OK, or GIGACHAT_ERROR_NULL_ARGUMENT.
/// Thread safety: any thread. Since 0.1.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn gigachat_config_new(
    config: *mut *mut gigachat_config,
    error: *mut *mut gigachat_error,
) -> gigachat_status {
    // SAFETY: the out-parameters are NULL or valid for writes.
    unsafe {
        guard(error, || {
            let config = required("config", config)?;
            *config = handle::insert(ConfigObject(Mutex::new(Config::default())));
            Ok(())
        })
    }
}

/// A configuration from the process's GIGACHAT_* variables (docs/configuration.md lists them).
/// Variables without an option are ignored with a warning in the log. Each is asked for by its
/// name, on this thread.
///
/// Parameters: `config` receives the handle, which the program frees with gigachat_config_free.
/// Returns: GIGACHAT_OK, or GIGACHAT_ERROR_CONFIGURATION naming the variable that cannot work.
/// Thread safety: no other thread may change the environment meanwhile. Since 0.1.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn gigachat_config_from_env(
    config: *mut *mut gigachat_config,
    error: *mut *mut gigachat_error,
) -> gigachat_status {
    // SAFETY: the out-parameters are NULL or valid for writes.
    unsafe {
        guard(error, || {
            let config = required("config", config)?;
            *config = handle::insert(ConfigObject(Mutex::new(Config::from_env()?)));
            Ok(())
        })
    }
}

/// The provider's name in logs, metrics and router reports: 1 to 128 characters, default
/// "gigachat".
///
/// Returns: GIGACHAT_OK, or GIGACHAT_ERROR_CONFIGURATION naming option, value and range.
/// Ownership: the text is copied. Thread safety: one thread per configuration. Since 0.1.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn gigachat_config_set_name(
    config: *mut gigachat_config,
    name: *const c_char,
    length: usize,
    error: *mut *mut gigachat_error,
) -> gigachat_status {
    // SAFETY: the caller keeps the header's conventions for texts and error slots.
    unsafe { set_text(config, "name", name, length, error, Config::set_name) }
}

/// The authorization key: base64 of client_id:client_secret, ready-made in the customer cabinet.
/// What cannot be one (in quotes, id:secret itself, a UUID, no base64) is refused by
/// gigachat_provider_new.
///
/// Returns: GIGACHAT_OK, or GIGACHAT_ERROR_CONFIGURATION naming option, value and range.
/// Ownership: the text is copied. Thread safety: one thread per configuration. Since 0.1.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn gigachat_config_set_authorization_key(
    config: *mut gigachat_config,
    key: *const c_char,
    length: usize,
    error: *mut *mut gigachat_error,
) -> gigachat_status {
    // SAFETY: the caller keeps the header's conventions for texts and error slots.
    unsafe {
        set_text(
            config,
            "key",
            key,
            length,
            error,
            Config::set_authorization_key,
        )
    }
}

/// The account's kind: "GIGACHAT_API_PERS" (default), "GIGACHAT_API_B2B" or "GIGACHAT_API_CORP".
///
/// Returns: GIGACHAT_OK, or GIGACHAT_ERROR_CONFIGURATION naming option, value and range.
/// Ownership: the text is copied. Thread safety: one thread per configuration. Since 0.1.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn gigachat_config_set_scope(
    config: *mut gigachat_config,
    scope: *const c_char,
    length: usize,
    error: *mut *mut gigachat_error,
) -> gigachat_status {
    // SAFETY: the caller keeps the header's conventions for texts and error slots.
    unsafe { set_text(config, "scope", scope, length, error, Config::set_scope) }
}

/// The model of requests that name none; any name the service knows. Default "GigaChat".
///
/// Returns: GIGACHAT_OK, or GIGACHAT_ERROR_CONFIGURATION naming option, value and range.
/// Ownership: the text is copied. Thread safety: one thread per configuration. Since 0.1.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn gigachat_config_set_model(
    config: *mut gigachat_config,
    model: *const c_char,
    length: usize,
    error: *mut *mut gigachat_error,
) -> gigachat_status {
    // SAFETY: the caller keeps the header's conventions for texts and error slots.
    unsafe { set_text(config, "model", model, length, error, Config::set_model) }
}

/// The API's root, default "https://api.giga.chat/v1".
///
/// Returns: GIGACHAT_OK, or GIGACHAT_ERROR_CONFIGURATION naming option, value and range.
/// Ownership: the text is copied. Thread safety: one thread per configuration. Since 0.1.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn gigachat_config_set_base_url(
    config: *mut gigachat_config,
    url: *const c_char,
    length: usize,
    error: *mut *mut gigachat_error,
) -> gigachat_status {
    // SAFETY: the caller keeps the header's conventions for texts and error slots.
    unsafe { set_text(config, "url", url, length, error, Config::set_base_url) }
}

/// The token endpoint, default "https://ngw.devices.sberbank.ru:9443/api/v2/oauth".
///
/// Returns: GIGACHAT_OK, or GIGACHAT_ERROR_CONFIGURATION naming option, value and range.
/// Ownership: the text is copied. Thread safety: one thread per configuration. Since 0.1.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn gigachat_config_set_token_url(
    config: *mut gigachat_config,
    url: *const c_char,
    length: usize,
    error: *mut *mut gigachat_error,
) -> gigachat_status {
    // SAFETY: the caller keeps the header's conventions for texts and error slots.
    unsafe { set_text(config, "url", url, length, error, Config::set_token_url) }
}

/// A ready-made access token; it is never refreshed, so a 401 is final.
///
/// Returns: GIGACHAT_OK, or GIGACHAT_ERROR_CONFIGURATION naming option, value and range.
/// Ownership: the text is copied. Thread safety: one thread per configuration. Since 0.1.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn gigachat_config_set_access_token(
    config: *mut gigachat_config,
    token: *const c_char,
    length: usize,
    error: *mut *mut gigachat_error,
) -> gigachat_status {
    // SAFETY: the caller keeps the header's conventions for texts and error slots.
    unsafe {
        set_text(
            config,
            "token",
            token,
            length,
            error,
            Config::set_access_token,
        )
    }
}

/// User and password of a partner installation that serves {base_url}/token.
///
/// Returns: GIGACHAT_OK, or GIGACHAT_ERROR_CONFIGURATION naming option, value and range.
/// Ownership: the texts are copied. Thread safety: one thread per configuration. Since 0.1.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn gigachat_config_set_user(
    config: *mut gigachat_config,
    user: *const c_char,
    user_length: usize,
    password: *const c_char,
    password_length: usize,
    error: *mut *mut gigachat_error,
) -> gigachat_status {
    // SAFETY: the caller keeps the header's conventions for texts and error slots.
    unsafe {
        change(config, error, |config| {
            let user = read("user", user, user_length)?;
            Ok(config.set_user(user, read("password", password, password_length)?)?)
        })
    }
}

/// Bounds a call from its permit to its end, a stream to its first content: 1 ms to 1 h, default
/// 30 s. A stream's silences are bounded by it too, unless idle_timeout is set.
///
/// Returns: GIGACHAT_OK, or GIGACHAT_ERROR_CONFIGURATION naming option, value and range.
/// Thread safety: one thread per configuration. Since 0.1.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn gigachat_config_set_timeout_ms(
    config: *mut gigachat_config,
    milliseconds: u64,
    error: *mut *mut gigachat_error,
) -> gigachat_status {
    // SAFETY: `error` is NULL or valid for a write.
    unsafe {
        change(config, error, |config| {
            Ok(config.set_timeout(Duration::from_millis(milliseconds))?)
        })
    }
}

/// Bounds opening a connection, TLS included: 1 ms to 1 h, default 10 s.
///
/// Returns: GIGACHAT_OK, or GIGACHAT_ERROR_CONFIGURATION naming option, value and range.
/// Thread safety: one thread per configuration. Since 0.1.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn gigachat_config_set_connect_timeout_ms(
    config: *mut gigachat_config,
    milliseconds: u64,
    error: *mut *mut gigachat_error,
) -> gigachat_status {
    // SAFETY: `error` is NULL or valid for a write.
    unsafe {
        change(config, error, |config| {
            Ok(config.set_connect_timeout(Duration::from_millis(milliseconds))?)
        })
    }
}

/// Bounds the wait for a permit, and that after a 429: 1 ms to 24 h. By default only a wait ends in
/// which the credential hands out no permit, or gets no answer but 429, for 600 s.
///
/// Returns: GIGACHAT_OK, or GIGACHAT_ERROR_CONFIGURATION naming option, value and range.
/// Thread safety: one thread per configuration. Since 0.1.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn gigachat_config_set_queue_timeout_ms(
    config: *mut gigachat_config,
    milliseconds: u64,
    error: *mut *mut gigachat_error,
) -> gigachat_status {
    // SAFETY: `error` is NULL or valid for a write.
    unsafe {
        change(config, error, |config| {
            Ok(config.set_queue_timeout(Duration::from_millis(milliseconds))?)
        })
    }
}

/// Bounds a stream's silence between contents: 1 ms to 1 h, default as timeout.
///
/// Returns: GIGACHAT_OK, or GIGACHAT_ERROR_CONFIGURATION naming option, value and range.
/// Thread safety: one thread per configuration. Since 0.1.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn gigachat_config_set_idle_timeout_ms(
    config: *mut gigachat_config,
    milliseconds: u64,
    error: *mut *mut gigachat_error,
) -> gigachat_status {
    // SAFETY: `error` is NULL or valid for a write.
    unsafe {
        change(config, error, |config| {
            Ok(config.set_idle_timeout(Duration::from_millis(milliseconds))?)
        })
    }
}

/// Bounds a whole stream from its permit on: 1 ms to 24 h, default unbounded.
///
/// Returns: GIGACHAT_OK, or GIGACHAT_ERROR_CONFIGURATION naming option, value and range.
/// Thread safety: one thread per configuration. Since 0.1.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn gigachat_config_set_stream_timeout_ms(
    config: *mut gigachat_config,
    milliseconds: u64,
    error: *mut *mut gigachat_error,
) -> gigachat_status {
    // SAFETY: `error` is NULL or valid for a write.
    unsafe {
        change(config, error, |config| {
            Ok(config.set_stream_timeout(Duration::from_millis(milliseconds))?)
        })
    }
}

/// Bounds a health check, token included: 1 ms to 1 h, default 5 s.
///
/// Returns: GIGACHAT_OK, or GIGACHAT_ERROR_CONFIGURATION naming option, value and range.
/// Thread safety: one thread per configuration. Since 0.1.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn gigachat_config_set_health_timeout_ms(
    config: *mut gigachat_config,
    milliseconds: u64,
    error: *mut *mut gigachat_error,
) -> gigachat_status {
    // SAFETY: `error` is NULL or valid for a write.
    unsafe {
        change(config, error, |config| {
            Ok(config.set_health_timeout(Duration::from_millis(milliseconds))?)
        })
    }
}

/// Attempts after the first: 0 to 10, default 3. A 429 that is waited out is none of them; with 0
/// nothing is sent again, after a 429 neither.
///
/// Returns: GIGACHAT_OK, or GIGACHAT_ERROR_CONFIGURATION naming option, value and range.
/// Thread safety: one thread per configuration. Since 0.1.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn gigachat_config_set_max_retries(
    config: *mut gigachat_config,
    retries: u32,
    error: *mut *mut gigachat_error,
) -> gigachat_status {
    // SAFETY: `error` is NULL or valid for a write.
    unsafe { change(config, error, |config| Ok(config.set_max_retries(retries)?)) }
}

/// Whether a request whose connection broke before an answer is sent again. The service has no
/// idempotency key: such a retry may bill twice. Default true.
///
/// Returns: GIGACHAT_OK, or GIGACHAT_ERROR_INVALID_HANDLE.
/// Thread safety: one thread per configuration. Since 0.1.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn gigachat_config_set_retry_broken_connections(
    config: *mut gigachat_config,
    retry: bool,
    error: *mut *mut gigachat_error,
) -> gigachat_status {
    // SAFETY: `error` is NULL or valid for a write.
    unsafe {
        change(config, error, |config| {
            config.set_retry_broken_connections(retry);
            Ok(())
        })
    }
}

/// Frees a configuration; providers made from it keep their copy. NULL is a no-op.
///
/// Thread safety: any thread. Since 0.1.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn gigachat_config_free(config: *mut gigachat_config) {
    shield((), || handle::remove::<ConfigObject>(config));
}
