//! The parameters handle: temperature, max_tokens, top_p, stop, repetition_penalty.

use std::ffi::c_char;

use super::error::gigachat_error;
use super::guard::guard;
use super::handle::{self, Object};
use super::status::{Failure, gigachat_status};
use super::text::{read, required};
use super::unwind::shield;
use gigachat_core::Params;
use gigachat_core::Result;
use gigachat_core::binding::{Mutex, lock};

/// Generation parameters, a builder; a parameter that is not set is not sent. Use it from one
/// thread at a time. Since 0.1.
pub struct gigachat_params(());

pub(super) struct ParamsObject(Mutex<Params>);

impl Object for ParamsObject {
    type Opaque = gigachat_params;
    const TYPE: u8 = 3;
    const NAME: &'static str = "gigachat_params";
}

/// The parameters behind a handle that may be NULL: none are set then.
pub(super) fn optional(params: *const gigachat_params) -> std::result::Result<Params, Failure> {
    if params.is_null() {
        return Ok(Params::default());
    }
    let params = handle::get::<ParamsObject>(params, "params")?;
    let params = lock(&params.0);
    Ok(params.clone())
}

unsafe fn change(
    params: *mut gigachat_params,
    error: *mut *mut gigachat_error,
    set: impl FnOnce(&mut Params) -> Result<()>,
) -> gigachat_status {
    // SAFETY: `error` is NULL or valid for a write.
    unsafe {
        guard(error, || {
            let params = handle::get::<ParamsObject>(params, "params")?;
            let mut params = lock(&params.0);
            Ok(set(&mut params)?)
        })
    }
}

/// Parameters of which none is set.
///
/// Parameters: `params` receives the handle, which the program frees with gigachat_params_free.
/// Returns: GIGACHAT_OK, or GIGACHAT_ERROR_NULL_ARGUMENT.
/// Thread safety: any thread. Since 0.1.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn gigachat_params_new(
    params: *mut *mut gigachat_params,
    error: *mut *mut gigachat_error,
) -> gigachat_status {
    // SAFETY: the out-parameters are NULL or valid for writes.
    unsafe {
        guard(error, || {
            let params = required("params", params)?;
            *params = handle::insert(ParamsObject(Mutex::default()));
            Ok(())
        })
    }
}

/// 0.0 (most deterministic) to 2.0. 0 is sent as 0.0001, the least that the service takes.
///
/// Returns: GIGACHAT_OK, or GIGACHAT_ERROR_INVALID_REQUEST naming field, value and range.
/// Thread safety: one thread per handle. Since 0.1.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn gigachat_params_set_temperature(
    params: *mut gigachat_params,
    temperature: f64,
    error: *mut *mut gigachat_error,
) -> gigachat_status {
    // SAFETY: `error` is NULL or valid for a write.
    unsafe { change(params, error, |params| params.set_temperature(temperature)) }
}

/// The most tokens that the answer may have: 1 to 2147483647.
///
/// Returns: GIGACHAT_OK, or GIGACHAT_ERROR_INVALID_REQUEST naming field, value and range.
/// Thread safety: one thread per handle. Since 0.1.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn gigachat_params_set_max_tokens(
    params: *mut gigachat_params,
    max_tokens: u32,
    error: *mut *mut gigachat_error,
) -> gigachat_status {
    // SAFETY: `error` is NULL or valid for a write.
    unsafe { change(params, error, |params| params.set_max_tokens(max_tokens)) }
}

/// Nucleus sampling: 0.0 to 1.0.
///
/// Returns: GIGACHAT_OK, or GIGACHAT_ERROR_INVALID_REQUEST naming field, value and range.
/// Thread safety: one thread per handle. Since 0.1.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn gigachat_params_set_top_p(
    params: *mut gigachat_params,
    top_p: f64,
    error: *mut *mut gigachat_error,
) -> gigachat_status {
    // SAFETY: `error` is NULL or valid for a write.
    unsafe { change(params, error, |params| params.set_top_p(top_p)) }
}

/// Above 0; 1.0 is neutral.
///
/// Returns: GIGACHAT_OK, or GIGACHAT_ERROR_INVALID_REQUEST naming field, value and range.
/// Thread safety: one thread per handle. Since 0.1.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn gigachat_params_set_repetition_penalty(
    params: *mut gigachat_params,
    penalty: f64,
    error: *mut *mut gigachat_error,
) -> gigachat_status {
    // SAFETY: `error` is NULL or valid for a write.
    unsafe {
        change(params, error, |params| {
            params.set_repetition_penalty(penalty)
        })
    }
}

/// One more text before which the output ends, at most 64. The library applies it, since the
/// service has no such field.
///
/// Returns: GIGACHAT_OK, or GIGACHAT_ERROR_INVALID_REQUEST for an empty text or one too many.
/// Ownership: the text is copied. Thread safety: one thread per handle. Since 0.1.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn gigachat_params_add_stop(
    params: *mut gigachat_params,
    stop: *const c_char,
    length: usize,
    error: *mut *mut gigachat_error,
) -> gigachat_status {
    // SAFETY: the caller keeps the header's conventions for texts and error slots.
    unsafe {
        guard(error, || {
            let params = handle::get::<ParamsObject>(params, "params")?;
            let stop = read("stop", stop, length)?;
            lock(&params.0).add_stop(stop)?;
            Ok(())
        })
    }
}

/// Frees parameters; requests made with them keep their copy. NULL is a no-op.
///
/// Thread safety: any thread. Since 0.1.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn gigachat_params_free(params: *mut gigachat_params) {
    shield((), || handle::remove::<ParamsObject>(params));
}
