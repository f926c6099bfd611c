//! A configuration through the C interface, in safe clothes as the rest of it in `c_api`.

use std::ptr::null_mut;

use gigachat_c::config::*;
use gigachat_c::config_permits::*;
use gigachat_c::config_tls::*;
use gigachat_c::config_transport::*;

use crate::c_api::{Handle, good, text};

pub struct CConfig(Handle<gigachat_config>);

// Everywhere below: texts are valid for their length, out-parameters are valid for writes or NULL.
impl CConfig {
    pub fn handle(&self) -> *const gigachat_config {
        self.0.0
    }

    pub fn new(key: &str, scope: &str) -> CConfig {
        let mut config = null_mut();
        let ((key, key_length), (scope, scope_length)) = (text(key), text(scope));
        // SAFETY: valid arguments, see above.
        unsafe {
            good(gigachat_config_new(&mut config, null_mut()));
            good(gigachat_config_set_authorization_key(
                config,
                key,
                key_length,
                null_mut(),
            ));
            good(gigachat_config_set_scope(
                config,
                scope,
                scope_length,
                null_mut(),
            ));
        }
        CConfig(Handle(config))
    }

    pub fn urls(&self, base: &str, token: &str, ca_pem: &str) {
        let config = self.0.0;
        let ((base, a), (token, b), (ca, c)) = (text(base), text(token), text(ca_pem));
        // SAFETY: valid arguments, see above.
        unsafe {
            good(gigachat_config_set_base_url(config, base, a, null_mut()));
            good(gigachat_config_set_token_url(config, token, b, null_mut()));
            good(gigachat_config_set_ca_bundle_pem(config, ca, c, null_mut()));
        }
    }

    pub fn limits(&self, concurrency: u32, retries: u32, broken: bool) {
        let config = self.0.0;
        // SAFETY: valid arguments, see above.
        unsafe {
            good(gigachat_config_set_max_concurrency(
                config,
                concurrency,
                null_mut(),
            ));
            good(gigachat_config_set_max_retries(config, retries, null_mut()));
            good(gigachat_config_set_wait_on_rate_limit(
                config,
                false,
                null_mut(),
            ));
            good(gigachat_config_set_retry_broken_connections(
                config,
                broken,
                null_mut(),
            ));
        }
    }

    pub fn extra_header(&self, name: &str, value: &str) {
        let ((name, a), (value, b)) = (text(name), text(value));
        // SAFETY: valid arguments, see above.
        good(unsafe { gigachat_config_set_extra_header(self.0.0, name, a, value, b, null_mut()) });
    }
}

impl Drop for CConfig {
    fn drop(&mut self) {
        // SAFETY: a handle, alive or not.
        unsafe { gigachat_config_free(self.0.0) };
    }
}
