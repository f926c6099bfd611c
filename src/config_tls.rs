//! The configuration handle: TLS.

use std::ffi::c_char;

use super::config::{change, gigachat_config, set_text};
use super::error::gigachat_error;
use super::status::gigachat_status;
use gigachat_core::Config;

/// TLS verification, default true. Off lets anyone on the network path read the authorization
/// key; each provider made so says it in the log. Set a CA bundle instead.
///
/// Returns: GIGACHAT_OK, or GIGACHAT_ERROR_INVALID_HANDLE.
/// Thread safety: one thread per configuration. Since 0.1.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn gigachat_config_set_verify_tls(
    config: *mut gigachat_config,
    verify: bool,
    error: *mut *mut gigachat_error,
) -> gigachat_status {
    // SAFETY: `error` is NULL or valid for a write.
    unsafe {
        change(config, error, |config| {
            config.set_verify_tls(verify);
            Ok(())
        })
    }
}

/// Root certificates in addition to the system's: the path of a PEM file, read when the provider
/// first connects.
///
/// Returns: GIGACHAT_OK, or GIGACHAT_ERROR_CONFIGURATION naming option, value and range.
/// Ownership: the text is copied. Thread safety: one thread per configuration. Since 0.1.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn gigachat_config_set_ca_bundle_file(
    config: *mut gigachat_config,
    path: *const c_char,
    length: usize,
    error: *mut *mut gigachat_error,
) -> gigachat_status {
    // SAFETY: the caller keeps the header's conventions for texts and error slots.
    unsafe {
        set_text(
            config,
            "path",
            path,
            length,
            error,
            Config::set_ca_bundle_file,
        )
    }
}

/// Root certificates in addition to the system's: PEM text.
///
/// Returns: GIGACHAT_OK, or GIGACHAT_ERROR_CONFIGURATION naming option, value and range.
/// Ownership: the text is copied. Thread safety: one thread per configuration. Since 0.1.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn gigachat_config_set_ca_bundle_pem(
    config: *mut gigachat_config,
    pem: *const c_char,
    length: usize,
    error: *mut *mut gigachat_error,
) -> gigachat_status {
    // SAFETY: the caller keeps the header's conventions for texts and error slots.
    unsafe { set_text(config, "pem", pem, length, error, Config::set_ca_bundle_pem) }
}

/// Client certificate chain, for the token host and the API host: the path of a PEM file.
///
/// Returns: GIGACHAT_OK, or GIGACHAT_ERROR_CONFIGURATION naming option, value and range.
/// Ownership: the text is copied. Thread safety: one thread per configuration. Since 0.1.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn gigachat_config_set_certificate_file(
    config: *mut gigachat_config,
    path: *const c_char,
    length: usize,
    error: *mut *mut gigachat_error,
) -> gigachat_status {
    // SAFETY: the caller keeps the header's conventions for texts and error slots.
    unsafe {
        set_text(
            config,
            "path",
            path,
            length,
            error,
            Config::set_certificate_file,
        )
    }
}

/// Client certificate chain: PEM text.
///
/// Returns: GIGACHAT_OK, or GIGACHAT_ERROR_CONFIGURATION naming option, value and range.
/// Ownership: the text is copied. Thread safety: one thread per configuration. Since 0.1.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn gigachat_config_set_certificate_pem(
    config: *mut gigachat_config,
    pem: *const c_char,
    length: usize,
    error: *mut *mut gigachat_error,
) -> gigachat_status {
    // SAFETY: the caller keeps the header's conventions for texts and error slots.
    unsafe {
        set_text(
            config,
            "pem",
            pem,
            length,
            error,
            Config::set_certificate_pem,
        )
    }
}

/// Private key of the client certificate: the path of a PEM file. Without it the key is looked
/// for in the certificate file.
///
/// Returns: GIGACHAT_OK, or GIGACHAT_ERROR_CONFIGURATION naming option, value and range.
/// Ownership: the text is copied. Thread safety: one thread per configuration. Since 0.1.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn gigachat_config_set_private_key_file(
    config: *mut gigachat_config,
    path: *const c_char,
    length: usize,
    error: *mut *mut gigachat_error,
) -> gigachat_status {
    // SAFETY: the caller keeps the header's conventions for texts and error slots.
    unsafe {
        set_text(
            config,
            "path",
            path,
            length,
            error,
            Config::set_private_key_file,
        )
    }
}

/// Private key of the client certificate: PEM text.
///
/// Returns: GIGACHAT_OK, or GIGACHAT_ERROR_CONFIGURATION naming option, value and range.
/// Ownership: the text is copied. Thread safety: one thread per configuration. Since 0.1.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn gigachat_config_set_private_key_pem(
    config: *mut gigachat_config,
    pem: *const c_char,
    length: usize,
    error: *mut *mut gigachat_error,
) -> gigachat_status {
    // SAFETY: the caller keeps the header's conventions for texts and error slots.
    unsafe {
        set_text(
            config,
            "pem",
            pem,
            length,
            error,
            Config::set_private_key_pem,
        )
    }
}

/// Password of an encrypted private key.
///
/// Returns: GIGACHAT_OK, or GIGACHAT_ERROR_CONFIGURATION naming option, value and range.
/// Ownership: the text is copied. Thread safety: one thread per configuration. Since 0.1.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn gigachat_config_set_private_key_password(
    config: *mut gigachat_config,
    password: *const c_char,
    length: usize,
    error: *mut *mut gigachat_error,
) -> gigachat_status {
    // SAFETY: the caller keeps the header's conventions for texts and error slots.
    unsafe {
        set_text(
            config,
            "password",
            password,
            length,
            error,
            |config, password| {
                config.set_private_key_password(password);
                Ok(())
            },
        )
    }
}

/// One more host for which the embedded Russian Trusted Root CA is trusted; it is trusted for
/// sberbank.ru and giga.chat at any depth without this. May be called several times.
///
/// Returns: GIGACHAT_OK, or GIGACHAT_ERROR_CONFIGURATION naming option, value and range.
/// Ownership: the text is copied. Thread safety: one thread per configuration. Since 0.1.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn gigachat_config_add_russian_root_host(
    config: *mut gigachat_config,
    host: *const c_char,
    length: usize,
    error: *mut *mut gigachat_error,
) -> gigachat_status {
    // SAFETY: the caller keeps the header's conventions for texts and error slots.
    unsafe {
        set_text(
            config,
            "host",
            host,
            length,
            error,
            Config::add_russian_root_host,
        )
    }
}
