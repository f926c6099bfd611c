//! The configuration handle: every option by its name, those that most programs set by functions
//! of their own.

use std::ffi::c_char;
use std::time::Duration;

use super::builder::{Builder, change};
use super::error::gigachat_error;
use super::guard::guard;
use super::handle::{self, Object};
use super::status::gigachat_status;
use super::text::{read, required};
use super::unwind::shield;
use gigachat_core::Config;

/// A provider's options, a builder. First gigachat_config_new or gigachat_config_from_env, then
/// setters, then gigachat_provider_new, which copies them and tells of the first setting that was
/// refused; then gigachat_config_free.
pub struct gigachat_config(());

impl Object for Builder<Config> {
    type Opaque = gigachat_config;
    const TYPE: u8 = 2;
    const NAME: &'static str = "gigachat_config";
}

/// Makes a configuration with the defaults.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn gigachat_config_new(
    config: *mut *mut gigachat_config,
    error: *mut *mut gigachat_error,
) -> gigachat_status {
    // SAFETY: the out-parameters are NULL or valid for writes.
    unsafe {
        guard(error, || {
            let config = required("config", config)?;
            *config = handle::insert(Builder::new(Config::default()));
            Ok(())
        })
    }
}

/// Makes a configuration from the process's GIGACHAT_* variables (docs/configuration.md lists
/// them). A variable that no option has is ignored with a warning in the log.
///
/// Returns: GIGACHAT_OK, or GIGACHAT_ERROR_CONFIGURATION naming the variable that cannot work.
/// No other thread may change the environment in the meantime.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn gigachat_config_from_env(
    config: *mut *mut gigachat_config,
    error: *mut *mut gigachat_error,
) -> gigachat_status {
    // SAFETY: the out-parameters are NULL or valid for writes.
    unsafe {
        guard(error, || {
            let config = required("config", config)?;
            *config = handle::insert(Builder::new(Config::from_env()?));
            Ok(())
        })
    }
}

/// Sets any option by its name: "timeout", "ca_bundle_pem", ... docs/configuration.md and
/// api/gigachat.json list all of them with their ranges and defaults; the official Python SDK's
/// names are understood too. `value` is text in every case: times in seconds ("45", "0.5"), truth
/// values as "true" or "false", hosts with commas between them, headers as "Name: value" lines.
/// Hosts and headers are added to those that are there, and the library's own headers are refused.
///
/// Returns: GIGACHAT_OK, or GIGACHAT_ERROR_CONFIGURATION for an unknown name (the message says
/// which one was meant) or a value out of range.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn gigachat_config_set(
    config: *mut gigachat_config,
    name: *const c_char,
    name_length: usize,
    value: *const c_char,
    value_length: usize,
) -> gigachat_status {
    change::<Config>(config, "config", |config| {
        // SAFETY: the caller keeps the header's conventions for strings.
        let name = unsafe { read("name", name, name_length) }?;
        // SAFETY: likewise.
        let value = unsafe { read("value", value, value_length) }?;
        Ok(config.set(name, value)?)
    })
}

/// Sets the authorization key: base64 of client_id:client_secret, ready-made in the customer
/// cabinet. What cannot be one (in quotes, id:secret itself, a UUID, not base64) is refused by
/// gigachat_provider_new.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn gigachat_config_set_authorization_key(
    config: *mut gigachat_config,
    key: *const c_char,
    length: usize,
) -> gigachat_status {
    change::<Config>(config, "config", |config| {
        // SAFETY: the caller keeps the header's conventions for strings.
        let key = unsafe { read("authorization_key", key, length) }?;
        Ok(config.set_authorization_key(key)?)
    })
}

/// Sets user and password of an installation that serves {base_url}/token.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn gigachat_config_set_user(
    config: *mut gigachat_config,
    user: *const c_char,
    user_length: usize,
    password: *const c_char,
    password_length: usize,
) -> gigachat_status {
    change::<Config>(config, "config", |config| {
        // SAFETY: the caller keeps the header's conventions for strings.
        let user = unsafe { read("user", user, user_length) }?;
        // SAFETY: likewise.
        let password = unsafe { read("password", password, password_length) }?;
        Ok(config.set_user(user, password)?)
    })
}

/// Sets the account's kind: "GIGACHAT_API_PERS" (default), "GIGACHAT_API_B2B" or
/// "GIGACHAT_API_CORP".
#[unsafe(no_mangle)]
pub unsafe extern "C" fn gigachat_config_set_scope(
    config: *mut gigachat_config,
    scope: *const c_char,
    length: usize,
) -> gigachat_status {
    change::<Config>(config, "config", |config| {
        // SAFETY: the caller keeps the header's conventions for strings.
        Ok(config.set_scope(unsafe { read("scope", scope, length) }?)?)
    })
}

/// Sets the model of requests that name none; any name that the service knows. Default "GigaChat".
#[unsafe(no_mangle)]
pub unsafe extern "C" fn gigachat_config_set_model(
    config: *mut gigachat_config,
    model: *const c_char,
    length: usize,
) -> gigachat_status {
    change::<Config>(config, "config", |config| {
        // SAFETY: the caller keeps the header's conventions for strings.
        Ok(config.set_model(unsafe { read("model", model, length) }?)?)
    })
}

/// Sets the API's root, default "https://api.giga.chat/v1".
#[unsafe(no_mangle)]
pub unsafe extern "C" fn gigachat_config_set_base_url(
    config: *mut gigachat_config,
    url: *const c_char,
    length: usize,
) -> gigachat_status {
    change::<Config>(config, "config", |config| {
        // SAFETY: the caller keeps the header's conventions for strings.
        Ok(config.set_base_url(unsafe { read("base_url", url, length) }?)?)
    })
}

/// Sets the token endpoint, default "https://ngw.devices.sberbank.ru:9443/api/v2/oauth".
#[unsafe(no_mangle)]
pub unsafe extern "C" fn gigachat_config_set_token_url(
    config: *mut gigachat_config,
    url: *const c_char,
    length: usize,
) -> gigachat_status {
    change::<Config>(config, "config", |config| {
        // SAFETY: the caller keeps the header's conventions for strings.
        Ok(config.set_token_url(unsafe { read("token_url", url, length) }?)?)
    })
}

/// Adds the root certificates of a PEM file to the system's.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn gigachat_config_set_ca_bundle_file(
    config: *mut gigachat_config,
    path: *const c_char,
    length: usize,
) -> gigachat_status {
    change::<Config>(config, "config", |config| {
        // SAFETY: the caller keeps the header's conventions for strings.
        let path = unsafe { read("ca_bundle_file", path, length) }?;
        Ok(config.set_ca_bundle_file(path)?)
    })
}

/// Switches TLS verification off or on; it is on by default. Without it anyone on the network can
/// read the authorization key, and each provider that is made so says it in the log. For a server
/// with a certificate of its own set its root with gigachat_config_set_ca_bundle_file instead.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn gigachat_config_set_verify_tls(
    config: *mut gigachat_config,
    verify: bool,
) -> gigachat_status {
    change::<Config>(config, "config", |config| {
        config.set_verify_tls(verify);
        Ok(())
    })
}

/// Sets a proxy for every host: a URL with http, https, socks5 or socks5h, or a host and a port alone.
/// User and password may stand before the host, their special characters as %XX. It overrides the
/// environment's.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn gigachat_config_set_proxy(
    config: *mut gigachat_config,
    url: *const c_char,
    length: usize,
) -> gigachat_status {
    change::<Config>(config, "config", |config| {
        // SAFETY: the caller keeps the header's conventions for strings.
        Ok(config.set_proxy(unsafe { read("proxy", url, length) }?)?)
    })
}

/// Bounds a call from its permit to its end, a stream to its first content: 1 ms to 1 h, default 30
/// s. A stream's silences are bounded by it too, unless the option "idle_timeout" is set.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn gigachat_config_set_timeout_ms(
    config: *mut gigachat_config,
    milliseconds: u64,
) -> gigachat_status {
    change::<Config>(config, "config", |config| {
        Ok(config.set_timeout(Duration::from_millis(milliseconds))?)
    })
}

/// Sets the attempts after the first: 0 to 10, default 3. A 429 that is waited out is none of them;
/// with 0 nothing is sent again, after a 429 neither.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn gigachat_config_set_max_retries(
    config: *mut gigachat_config,
    retries: u32,
) -> gigachat_status {
    change::<Config>(config, "config", |config| {
        Ok(config.set_max_retries(retries)?)
    })
}

/// Sets how many generation requests of the credential are in flight at once: 0 to 10000, 0 for no
/// limit. Default 1 for PERS, 10 for B2B and CORP, no limit for a ready-made token or user and
/// password.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn gigachat_config_set_max_concurrency(
    config: *mut gigachat_config,
    limit: u32,
) -> gigachat_status {
    change::<Config>(config, "config", |config| {
        Ok(config.set_max_concurrency(limit)?)
    })
}

/// Frees a configuration; providers made from it keep their copy.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn gigachat_config_free(config: *mut gigachat_config) {
    shield((), || handle::remove::<Builder<Config>>(config));
}
