//! The request handle: messages, functions, fields, and what one call sets for itself.

use std::ffi::c_char;

use super::error::gigachat_error;
use super::guard::guard;
use super::handle::{self, Object};
use super::params::{self, gigachat_params};
use super::status::{Failure, gigachat_status};
use super::text::{read, required};
use super::unwind::shield;
use gigachat_core::Request;
use gigachat_core::Result;
use gigachat_core::binding::{Mutex, lock};

/// One chat request, a builder; it may be used for any number of calls. Use it from one thread
/// at a time. Since 0.1.
pub struct gigachat_request(());

pub(super) struct RequestObject(Mutex<Request>);

impl RequestObject {
    /// A copy of what is set so far.
    pub(super) fn snapshot(&self) -> Request {
        lock(&self.0).clone()
    }
}

impl Object for RequestObject {
    type Opaque = gigachat_request;
    const TYPE: u8 = 4;
    const NAME: &'static str = "gigachat_request";
}

/// # Safety
/// `error` is NULL or valid for a write.
pub(super) unsafe fn change(
    request: *mut gigachat_request,
    error: *mut *mut gigachat_error,
    set: impl FnOnce(&mut Request) -> std::result::Result<(), Failure>,
) -> gigachat_status {
    // SAFETY: `error` is NULL or valid for a write.
    unsafe {
        guard(error, || {
            let request = handle::get::<RequestObject>(request, "request")?;
            let mut request = lock(&request.0);
            set(&mut request)
        })
    }
}

/// # Safety
/// `text` as `text::read` demands, `error` is NULL or valid for a write.
pub(super) unsafe fn set_text(
    request: *mut gigachat_request,
    name: &str,
    text: *const c_char,
    length: usize,
    error: *mut *mut gigachat_error,
    set: impl FnOnce(&mut Request, &str) -> Result<()>,
) -> gigachat_status {
    // SAFETY: promised by the caller.
    unsafe {
        change(request, error, |request| {
            Ok(set(request, read(name, text, length)?)?)
        })
    }
}

/// An empty request; add at least one message.
///
/// Parameters: `request` receives the handle, which the program frees with gigachat_request_free.
/// Returns: GIGACHAT_OK, or GIGACHAT_ERROR_NULL_ARGUMENT.
/// Thread safety: any thread. Since 0.1.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn gigachat_request_new(
    request: *mut *mut gigachat_request,
    error: *mut *mut gigachat_error,
) -> gigachat_status {
    // SAFETY: the out-parameters are NULL or valid for writes.
    unsafe {
        guard(error, || {
            let request = required("request", request)?;
            *request = handle::insert(RequestObject(Mutex::default()));
            Ok(())
        })
    }
}

/// A request from JSON in the service's wire format: an object with at least "messages". Known
/// fields are checked for type, unknown fields pass through byte for byte; "stop" (a text or a
/// list) is applied by the library; "stream" does not decide, the function that is called does.
///
/// Parameters: `request` receives the handle, which the program frees with gigachat_request_free.
/// Returns: GIGACHAT_OK, or GIGACHAT_ERROR_INVALID_REQUEST naming the field and what it must be.
/// Thread safety: any thread. Since 0.1.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn gigachat_request_from_json(
    json: *const c_char,
    length: usize,
    request: *mut *mut gigachat_request,
    error: *mut *mut gigachat_error,
) -> gigachat_status {
    // SAFETY: the caller keeps the header's conventions for texts and out-parameters.
    unsafe {
        guard(error, || {
            let request = required("request", request)?;
            let parsed = Request::from_json(read("json", json, length)?)?;
            *request = handle::insert(RequestObject(Mutex::new(parsed)));
            Ok(())
        })
    }
}

/// Adds a message. Roles: "system" (first, at most once), "user", "assistant", "function", or
/// whatever the service adds.
///
/// Returns: GIGACHAT_OK, or GIGACHAT_ERROR_INVALID_REQUEST naming what is wrong.
/// Ownership: texts are copied. Thread safety: one thread per request. Since 0.1.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn gigachat_request_add_message(
    request: *mut gigachat_request,
    role: *const c_char,
    role_length: usize,
    content: *const c_char,
    content_length: usize,
    error: *mut *mut gigachat_error,
) -> gigachat_status {
    // SAFETY: the caller keeps the header's conventions for texts and error slots.
    unsafe {
        change(request, error, |request| {
            let role = read("role", role, role_length)?;
            let content = read("content", content, content_length)?;
            request.add_message(role, content);
            Ok(())
        })
    }
}

/// Adds a message in the wire format, for what the typed form has no words for (attachments,
/// function_call, functions_state_id).
///
/// Returns: GIGACHAT_OK, or GIGACHAT_ERROR_INVALID_REQUEST naming what is wrong.
/// Ownership: texts are copied. Thread safety: one thread per request. Since 0.1.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn gigachat_request_add_message_json(
    request: *mut gigachat_request,
    message: *const c_char,
    length: usize,
    error: *mut *mut gigachat_error,
) -> gigachat_status {
    // SAFETY: the caller keeps the header's conventions for texts and error slots.
    unsafe {
        set_text(
            request,
            "message",
            message,
            length,
            error,
            Request::add_message_json,
        )
    }
}

/// Adds the result, as JSON, of the function that the model called.
///
/// Returns: GIGACHAT_OK, or GIGACHAT_ERROR_INVALID_REQUEST naming what is wrong.
/// Ownership: texts are copied. Thread safety: one thread per request. Since 0.1.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn gigachat_request_add_function_result(
    request: *mut gigachat_request,
    name: *const c_char,
    name_length: usize,
    result: *const c_char,
    result_length: usize,
    error: *mut *mut gigachat_error,
) -> gigachat_status {
    // SAFETY: the caller keeps the header's conventions for texts and error slots.
    unsafe {
        change(request, error, |request| {
            let name = read("name", name, name_length)?;
            let result = read("result", result, result_length)?;
            Ok(request.add_function_result(name, result)?)
        })
    }
}

/// Adds a function that the model may call: its JSON description with "name" and "parameters",
/// passed through unchanged.
///
/// Returns: GIGACHAT_OK, or GIGACHAT_ERROR_INVALID_REQUEST naming what is wrong.
/// Ownership: texts are copied. Thread safety: one thread per request. Since 0.1.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn gigachat_request_add_function(
    request: *mut gigachat_request,
    description: *const c_char,
    length: usize,
    error: *mut *mut gigachat_error,
) -> gigachat_status {
    // SAFETY: the caller keeps the header's conventions for texts and error slots.
    unsafe {
        set_text(
            request,
            "description",
            description,
            length,
            error,
            Request::add_function,
        )
    }
}

/// Sets any other field of the wire format to a JSON value: set_field("response_format", ...).
/// Fields with a setter of their own are refused.
///
/// Returns: GIGACHAT_OK, or GIGACHAT_ERROR_INVALID_REQUEST naming what is wrong.
/// Ownership: texts are copied. Thread safety: one thread per request. Since 0.1.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn gigachat_request_set_field(
    request: *mut gigachat_request,
    name: *const c_char,
    name_length: usize,
    value: *const c_char,
    value_length: usize,
    error: *mut *mut gigachat_error,
) -> gigachat_status {
    // SAFETY: the caller keeps the header's conventions for texts and error slots.
    unsafe {
        change(request, error, |request| {
            let name = read("name", name, name_length)?;
            let value = read("value", value, value_length)?;
            Ok(request.set_field(name, value)?)
        })
    }
}

/// Sets the generation parameters; NULL unsets them all. One that is set replaces the field of a
/// request that was made from JSON.
///
/// Returns: GIGACHAT_OK, or GIGACHAT_ERROR_INVALID_HANDLE.
/// Ownership: the parameters are copied. Thread safety: one thread per request. Since 0.1.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn gigachat_request_set_params(
    request: *mut gigachat_request,
    params: *const gigachat_params,
    error: *mut *mut gigachat_error,
) -> gigachat_status {
    // SAFETY: `error` is NULL or valid for a write.
    unsafe {
        change(request, error, |request| {
            request.set_all(&params::optional(params)?);
            Ok(())
        })
    }
}

/// The model of this request; without it the provider's model is used.
///
/// Returns: GIGACHAT_OK, or GIGACHAT_ERROR_INVALID_REQUEST naming what is wrong.
/// Ownership: texts are copied. Thread safety: one thread per request. Since 0.1.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn gigachat_request_set_model(
    request: *mut gigachat_request,
    model: *const c_char,
    length: usize,
    error: *mut *mut gigachat_error,
) -> gigachat_status {
    // SAFETY: the caller keeps the header's conventions for texts and error slots.
    unsafe { set_text(request, "model", model, length, error, Request::set_model) }
}

/// Frees a request; calls made with it keep their copy. NULL is a no-op.
///
/// Thread safety: any thread. Since 0.1.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn gigachat_request_free(request: *mut gigachat_request) {
    shield((), || handle::remove::<RequestObject>(request));
}
