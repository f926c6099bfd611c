//! A configuration through the C interface, in safe clothes as the rest of it in `c_api`.

use std::ptr::null_mut;

use gigachat_c::config::*;

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
                config, key, key_length,
            ));
            good(gigachat_config_set_scope(config, scope, scope_length));
        }
        CConfig(Handle(config))
    }

    pub fn urls(&self, base: &str, token: &str, ca_pem: &str) {
        let config = self.0.0;
        let ((base, a), (token, b), (ca, c)) = (text(base), text(token), text(ca_pem));
        // SAFETY: valid arguments, see above.
        unsafe {
            good(gigachat_config_set_base_url(config, base, a));
            good(gigachat_config_set_token_url(config, token, b));
            good(gigachat_config_set(
                config,
                c"ca_bundle_pem".as_ptr(),
                usize::MAX,
                ca,
                c,
            ));
        }
    }

    pub fn limits(&self, concurrency: u32, retries: u32, broken: bool) {
        let config = self.0.0;
        // SAFETY: valid arguments, see above.
        unsafe {
            good(gigachat_config_set_max_concurrency(config, concurrency));
            good(gigachat_config_set_max_retries(config, retries));
            let broken = if broken { c"true" } else { c"false" };
            for (name, value) in [
                (c"retry_broken_connections", broken),
                (c"wait_on_rate_limit", c"false"),
            ] {
                let (name, value) = (name.as_ptr(), value.as_ptr());
                good(gigachat_config_set(
                    config,
                    name,
                    usize::MAX,
                    value,
                    usize::MAX,
                ));
            }
        }
    }

    pub fn extra_header(&self, name: &str, value: &str) {
        let line = format!("{name}: {value}");
        let (line, length) = text(&line);
        let name = c"extra_headers".as_ptr();
        // SAFETY: valid arguments, see above.
        good(unsafe { gigachat_config_set(self.0.0, name, usize::MAX, line, length) });
    }
}

impl Drop for CConfig {
    fn drop(&mut self) {
        // SAFETY: a handle, alive or not.
        unsafe { gigachat_config_free(self.0.0) };
    }
}
