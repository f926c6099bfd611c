//! The settings of a router, a builder.

use std::ffi::c_char;

use super::builder::{Builder, change};
use super::error::gigachat_error;
use super::guard::guard;
use super::handle::{self, Object};
use super::status::gigachat_status;
use super::text::{read, required};
use super::unwind::shield;
use gigachat_core::RouterOptions;

/// The settings of a router, a builder. First gigachat_router_options_new, then settings, then
/// gigachat_router_new, which copies them and tells of the first setting that was refused; then
/// gigachat_router_options_free.
pub struct gigachat_router_options(());

impl Object for Builder<RouterOptions> {
    type Opaque = gigachat_router_options;
    const TYPE: u8 = 14;
    const NAME: &'static str = "gigachat_router_options";
}

/// Makes settings with the defaults: round-robin, no total deadline, no retries of the members'
/// own.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn gigachat_router_options_new(
    options: *mut *mut gigachat_router_options,
    error: *mut *mut gigachat_error,
) -> gigachat_status {
    // SAFETY: the out-parameters are NULL or valid for writes.
    unsafe {
        guard(error, || {
            let options = required("options", options)?;
            *options = handle::insert(Builder::new(RouterOptions::default()));
            Ok(())
        })
    }
}

/// Sets a setting by its name: "strategy" ("round-robin", "random", "first-available",
/// "best-available"), "deadline", "cooldown", "member_retries", ... docs/configuration.md and
/// api/gigachat.json list all of them with their ranges and defaults. `value` is text as for
/// gigachat_config_set.
///
/// Returns: GIGACHAT_OK, or GIGACHAT_ERROR_CONFIGURATION for an unknown name (the message says
/// which one was meant) or a value out of range.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn gigachat_router_options_set(
    options: *mut gigachat_router_options,
    name: *const c_char,
    name_length: usize,
    value: *const c_char,
    value_length: usize,
) -> gigachat_status {
    change::<RouterOptions>(options, "options", |options| {
        // SAFETY: the caller keeps the header's conventions for strings.
        let name = unsafe { read("name", name, name_length) }?;
        // SAFETY: likewise.
        let value = unsafe { read("value", value, value_length) }?;
        Ok(options.set(name, value)?)
    })
}

/// Frees settings; routers made with them keep their copy.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn gigachat_router_options_free(options: *mut gigachat_router_options) {
    shield((), || handle::remove::<Builder<RouterOptions>>(options));
}
