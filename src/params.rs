//! The parameters handle: what one call sets for itself, of generation (temperature, max_tokens,
//! stop) and of the call (model, time limits, headers, ids).

use std::ffi::c_char;

use super::builder::{Builder, change};
use super::error::gigachat_error;
use super::guard::guard;
use super::handle::{self, Object};
use super::status::{Failure, gigachat_status};
use super::text::{self, read};
use super::unwind::shield;
use gigachat_core::Request;

/// What one call sets for itself, a builder; what is not set is not sent. First
/// gigachat_params_new, then setters, then any number of calls, which tell of the first setting
/// that was refused; then gigachat_params_free.
pub struct gigachat_params(());

/// A request without messages.
#[derive(Clone, Default)]
pub(super) struct CallParams(pub(super) Request);

impl Object for Builder<CallParams> {
    type Opaque = gigachat_params;
    const TYPE: u8 = 3;
    const NAME: &'static str = "gigachat_params";
}

/// The parameters behind a handle that may be NULL: none are set then.
pub(super) fn optional(params: *const gigachat_params) -> Result<Request, Failure> {
    if params.is_null() {
        return Ok(Request::default());
    }
    required(params)
}

/// The parameters behind a handle.
pub(super) fn required(params: *const gigachat_params) -> Result<Request, Failure> {
    let params = handle::get::<Builder<CallParams>>(params, "params")?;
    params.value().map(|params| params.0)
}

/// Makes parameters of which none is set.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn gigachat_params_new(
    params: *mut *mut gigachat_params,
    error: *mut *mut gigachat_error,
) -> gigachat_status {
    // SAFETY: the out-parameters are NULL or valid for writes.
    unsafe {
        guard(error, || {
            let params = text::required("params", params)?;
            *params = handle::insert(Builder::new(CallParams::default()));
            Ok(())
        })
    }
}

/// Sets any parameter by its name: "temperature", "top_p", "repetition_penalty", "model",
/// "timeout", "deadline", "session_id", "extra_headers", ... docs/configuration.md and
/// api/gigachat.json list all of them with their ranges. `value` is text as for
/// gigachat_config_set. Headers and stop sequences are added to those that are there.
///
/// Returns: GIGACHAT_OK, or GIGACHAT_ERROR_INVALID_REQUEST for an unknown name (the message says
/// which one was meant) or a value out of range.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn gigachat_params_set(
    params: *mut gigachat_params,
    name: *const c_char,
    name_length: usize,
    value: *const c_char,
    value_length: usize,
) -> gigachat_status {
    change::<CallParams>(params, "params", |params| {
        // SAFETY: the caller keeps the header's conventions for strings.
        let name = unsafe { read("name", name, name_length) }?;
        // SAFETY: likewise.
        let value = unsafe { read("value", value, value_length) }?;
        Ok(params.0.set(name, value)?)
    })
}

/// Sets the temperature: 0.0 (most deterministic) to 2.0. 0 is sent as 0.0001, the least that the
/// service takes.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn gigachat_params_set_temperature(
    params: *mut gigachat_params,
    temperature: f64,
) -> gigachat_status {
    change::<CallParams>(params, "params", |params| {
        Ok(params.0.params_mut().set_temperature(temperature)?)
    })
}

/// Sets the most tokens that the answer may have: 1 to 2147483647.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn gigachat_params_set_max_tokens(
    params: *mut gigachat_params,
    max_tokens: u32,
) -> gigachat_status {
    change::<CallParams>(params, "params", |params| {
        Ok(params.0.params_mut().set_max_tokens(max_tokens)?)
    })
}

/// Frees parameters; requests made with them keep their copy.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn gigachat_params_free(params: *mut gigachat_params) {
    shield((), || handle::remove::<Builder<CallParams>>(params));
}
