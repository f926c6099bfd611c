//! The request handle: what is asked, of any operation of the service.

use std::ffi::{c_char, c_void};
use std::sync::Arc;

use super::builder::{self, Builder};
use super::error::gigachat_error;
use super::guard::guard;
use super::handle::{self, Object};
use super::params::{self, gigachat_params};
use super::response::{ResponseObject, gigachat_response};
use super::status::{Failure, gigachat_status};
use super::text::{read, read_bytes, required};
use super::unwind::shield;
use gigachat_core::{Ask, Error, Result};

/// One request for one operation of the service, a builder; it may be used for any number of
/// calls. First gigachat_request_new, then what belongs to it, then gigachat_perform,
/// gigachat_start or gigachat_open, which tell of the first setting that was refused; then
/// gigachat_request_free.
pub struct gigachat_request(());

// Calls share it: a setter copies only what a call still uses.
impl Object for Builder<Arc<Ask>> {
    type Opaque = gigachat_request;
    const TYPE: u8 = 4;
    const NAME: &'static str = "gigachat_request";
}

/// The request behind a handle, as it is now.
pub(super) fn built(request: *const gigachat_request) -> std::result::Result<Arc<Ask>, Failure> {
    handle::get::<Builder<Arc<Ask>>>(request, "request")?.value()
}

fn change(
    request: *mut gigachat_request,
    set: impl FnOnce(&mut Ask) -> std::result::Result<(), Failure>,
) -> gigachat_status {
    builder::change::<Arc<Ask>>(request, "request", |ask| set(Arc::make_mut(ask)))
}

/// Sets what one text says.
///
/// # Safety
/// `text` as `text::read` demands.
unsafe fn set_text(
    request: *mut gigachat_request,
    name: &str,
    text: *const c_char,
    length: usize,
    set: impl FnOnce(&mut Ask, &str) -> Result<()>,
) -> gigachat_status {
    change(request, |ask| {
        // SAFETY: promised by the caller.
        let text = unsafe { read(name, text, length) }?;
        Ok(set(ask, text)?)
    })
}

/// Sets a name to a value.
///
/// # Safety
/// `name` and `value` as `text::read` demands.
unsafe fn set_pair(
    request: *mut gigachat_request,
    name: (*const c_char, usize),
    value: (*const c_char, usize),
    set: impl FnOnce(&mut Ask, &str, &str) -> Result<()>,
) -> gigachat_status {
    change(request, |ask| {
        // SAFETY: promised by the caller.
        let name = unsafe { read("name", name.0, name.1) }?;
        // SAFETY: likewise.
        let value = unsafe { read("value", value.0, value.1) }?;
        Ok(set(ask, name, value)?)
    })
}

/// Makes a request for an operation of the service.
///
/// Parameters: `operation` is its name: "chat", "models", "model", "health", "embeddings",
/// "tokens_count", "balance", "files", "file_content", "ai_check", "functions_validate", ...
/// (api/gigachat.json lists all of them); or a method and any path of the service, such as
/// "GET /balance" or "POST /v2/new/thing": paths that begin with /v1/, /v2/ or /api/ are the
/// host's, others lie below the base URL, and a query may follow. With length 0 it is "chat".
/// `request` receives the handle.
/// Returns: GIGACHAT_OK, or GIGACHAT_ERROR_INVALID_REQUEST for an unknown operation (the message
/// says which one was meant) or a path that is none.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn gigachat_request_new(
    operation: *const c_char,
    length: usize,
    request: *mut *mut gigachat_request,
    error: *mut *mut gigachat_error,
) -> gigachat_status {
    // SAFETY: the caller keeps the header's conventions for strings and out-parameters.
    unsafe {
        guard(error, || {
            let request = required("request", request)?;
            let ask = Ask::named(read("operation", operation, length)?)?;
            *request = handle::insert(Builder::new(Arc::new(ask)));
            Ok(())
        })
    }
}

/// Sets an option of the call by its name: "model", "temperature", "timeout", "deadline",
/// "request_id", "session_id", ... docs/configuration.md and api/gigachat.json list all of them
/// with their ranges. `value` is text as for gigachat_config_set. Headers and stop sequences are
/// added to those that are there.
///
/// Returns: GIGACHAT_OK, or GIGACHAT_ERROR_INVALID_REQUEST for an unknown name (the message says
/// which one was meant), a value out of range, or an option of chats for another operation.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn gigachat_request_set(
    request: *mut gigachat_request,
    name: *const c_char,
    name_length: usize,
    value: *const c_char,
    value_length: usize,
) -> gigachat_status {
    // SAFETY: the caller keeps the header's conventions for strings.
    unsafe {
        set_pair(
            request,
            (name, name_length),
            (value, value_length),
            Ask::set,
        )
    }
}

/// Sets everything that the parameters set, in place of what the request had for it; what they do
/// not set stays as it is. Later changes of the parameters do not count.
///
/// Returns: GIGACHAT_OK, or GIGACHAT_ERROR_INVALID_REQUEST for an option of chats for another
/// operation, or the first setting of the parameters that was refused.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn gigachat_request_set_params(
    request: *mut gigachat_request,
    params: *const gigachat_params,
) -> gigachat_status {
    change(request, |ask| Ok(ask.set_all(&params::required(params)?)?))
}

/// Sets a header of this call, in place of the configuration's of the same name. The library's own
/// headers are refused.
///
/// Returns: GIGACHAT_OK, or GIGACHAT_ERROR_INVALID_REQUEST naming what is wrong.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn gigachat_request_set_header(
    request: *mut gigachat_request,
    name: *const c_char,
    name_length: usize,
    value: *const c_char,
    value_length: usize,
) -> gigachat_status {
    // SAFETY: the caller keeps the header's conventions for strings.
    unsafe {
        set_pair(
            request,
            (name, name_length),
            (value, value_length),
            |ask, name, value| ask.options_mut().set_header(name, value),
        )
    }
}

/// Fills in a name of the operation's path: "model" of "model", "id" of "file_content".
///
/// Returns: GIGACHAT_OK, or GIGACHAT_ERROR_INVALID_REQUEST for a name that the path does not have
/// or a value that can be no part of a path.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn gigachat_request_set_path(
    request: *mut gigachat_request,
    name: *const c_char,
    name_length: usize,
    value: *const c_char,
    value_length: usize,
) -> gigachat_status {
    // SAFETY: the caller keeps the header's conventions for strings.
    unsafe {
        set_pair(
            request,
            (name, name_length),
            (value, value_length),
            Ask::set_path,
        )
    }
}

/// Sets a parameter of the query, in place of an earlier one of the same name.
///
/// Returns: GIGACHAT_OK, or GIGACHAT_ERROR_INVALID_REQUEST for an empty name.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn gigachat_request_set_query(
    request: *mut gigachat_request,
    name: *const c_char,
    name_length: usize,
    value: *const c_char,
    value_length: usize,
) -> gigachat_status {
    // SAFETY: the caller keeps the header's conventions for strings.
    unsafe {
        set_pair(
            request,
            (name, name_length),
            (value, value_length),
            Ask::set_query,
        )
    }
}

/// Sets the body to JSON in the service's wire format, which is sent byte for byte. Of "chat" it is
/// an object with at least "messages", in place of all messages, functions and fields that were set
/// before: known fields are checked for type, unknown ones pass through byte for byte, "stop" (a
/// text or a list) is applied by the library, and "stream" does not decide, the function that is
/// called does. Of "embeddings" and "tokens_count" it is an object with "input".
///
/// Returns: GIGACHAT_OK, or GIGACHAT_ERROR_INVALID_REQUEST naming the field and what it must be.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn gigachat_request_set_json(
    request: *mut gigachat_request,
    json: *const c_char,
    length: usize,
) -> gigachat_status {
    // SAFETY: the caller keeps the header's conventions for strings.
    unsafe { set_text(request, "json", json, length, Ask::set_json) }
}

/// Sets the body to bytes, for operations that take them ("batch_create", "functions_convert") and
/// for paths.
///
/// Parameters: `content_type` is a MIME type; with length 0 it is the operation's own. `bytes` are
/// copied.
/// Returns: GIGACHAT_OK, or GIGACHAT_ERROR_INVALID_REQUEST naming what is wrong.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn gigachat_request_set_bytes(
    request: *mut gigachat_request,
    content_type: *const c_char,
    content_type_length: usize,
    bytes: *const c_void,
    size: usize,
) -> gigachat_status {
    change(request, |ask| {
        // SAFETY: the caller keeps the header's conventions for strings.
        let content_type = unsafe { read("content_type", content_type, content_type_length) }?;
        // SAFETY: likewise for bytes.
        let bytes = unsafe { read_bytes("bytes", bytes, size) }?;
        let content_type = Some(content_type).filter(|content_type| !content_type.is_empty());
        Ok(ask.set_bytes(content_type, bytes.to_vec())?)
    })
}

/// Adds a text to a request for "embeddings" or "tokens_count".
///
/// Returns: GIGACHAT_OK, or GIGACHAT_ERROR_INVALID_REQUEST for another operation.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn gigachat_request_add_text(
    request: *mut gigachat_request,
    text: *const c_char,
    length: usize,
) -> gigachat_status {
    // SAFETY: the caller keeps the header's conventions for strings.
    unsafe { set_text(request, "text", text, length, Ask::add_text) }
}

/// Adds a message to a chat. Roles: "system" (first, at most once), "user", "assistant",
/// "function", or whatever the service adds.
///
/// Returns: GIGACHAT_OK, or GIGACHAT_ERROR_INVALID_REQUEST for another operation.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn gigachat_request_add_message(
    request: *mut gigachat_request,
    role: *const c_char,
    role_length: usize,
    content: *const c_char,
    content_length: usize,
) -> gigachat_status {
    change(request, |ask| {
        // SAFETY: the caller keeps the header's conventions for strings.
        let role = unsafe { read("role", role, role_length) }?;
        // SAFETY: likewise.
        let content = unsafe { read("content", content, content_length) }?;
        ask.request_mut()?.add_message(role, content);
        Ok(())
    })
}

/// Adds a message to a chat in the wire format, for what the typed form has no words for
/// (attachments, function_call, functions_state_id).
///
/// Returns: GIGACHAT_OK, or GIGACHAT_ERROR_INVALID_REQUEST naming what is wrong.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn gigachat_request_add_message_json(
    request: *mut gigachat_request,
    message: *const c_char,
    length: usize,
) -> gigachat_status {
    // SAFETY: the caller keeps the header's conventions for strings.
    unsafe {
        set_text(request, "message", message, length, |ask, message| {
            ask.request_mut()?.add_message_json(message)
        })
    }
}

/// Adds to a chat the result, as JSON, of the function that the model called.
///
/// Returns: GIGACHAT_OK, or GIGACHAT_ERROR_INVALID_REQUEST naming what is wrong.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn gigachat_request_add_function_result(
    request: *mut gigachat_request,
    name: *const c_char,
    name_length: usize,
    result: *const c_char,
    result_length: usize,
) -> gigachat_status {
    // SAFETY: the caller keeps the header's conventions for strings.
    unsafe {
        set_pair(
            request,
            (name, name_length),
            (result, result_length),
            |ask, name, result| ask.request_mut()?.add_function_result(name, result),
        )
    }
}

/// Adds an answer to the conversation, with the functions that it calls and its state, in the form
/// of whichever chat the request is sent to. A result for each call follows.
///
/// Parameters: `response` is the answer of a chat, as a whole or of a stream; it is copied.
/// Returns: GIGACHAT_OK, or GIGACHAT_ERROR_INVALID_REQUEST for the answer of another operation.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn gigachat_request_add_response(
    request: *mut gigachat_request,
    response: *const gigachat_response,
) -> gigachat_status {
    change(request, |ask| {
        let response = handle::get::<ResponseObject>(response, "response")?;
        let answer = response.answer().ok_or_else(no_chat)?;
        ask.request_mut()?.add_response(&answer);
        Ok(())
    })
}

/// Adds the result of a function that an answer calls, behind that answer. The service takes
/// objects, so that any other JSON is sent as {"result": ...}. A choice of tools that demanded a
/// call ends with it, since the model would have to call again and again.
///
/// Parameters: `index` says which of the answer's calls it is the result of, from 0; `result` is
/// JSON.
/// Returns: GIGACHAT_OK, or GIGACHAT_ERROR_INVALID_REQUEST naming what is wrong.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn gigachat_request_add_result(
    request: *mut gigachat_request,
    response: *const gigachat_response,
    index: usize,
    result: *const c_char,
    length: usize,
) -> gigachat_status {
    change(request, |ask| {
        let response = handle::get::<ResponseObject>(response, "response")?;
        // SAFETY: the caller keeps the header's conventions for strings.
        let result = unsafe { read("result", result, length) }?;
        let call = response.call(index).ok_or_else(|| {
            Error::invalid("index", index, "that of one of the answer's function calls")
        })?;
        Ok(ask.request_mut()?.add_result(call, result)?)
    })
}

fn no_chat() -> Error {
    Error::invalid(
        "response",
        "the answer of another operation",
        "that of a chat",
    )
}

/// Adds to a chat a function that the model may call: its JSON description with "name" and
/// "parameters", passed through unchanged.
///
/// Returns: GIGACHAT_OK, or GIGACHAT_ERROR_INVALID_REQUEST naming what is wrong.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn gigachat_request_add_function(
    request: *mut gigachat_request,
    description: *const c_char,
    length: usize,
) -> gigachat_status {
    // SAFETY: the caller keeps the header's conventions for strings.
    unsafe {
        set_text(
            request,
            "description",
            description,
            length,
            |ask, description| ask.request_mut()?.add_function(description),
        )
    }
}

/// Sets any other field of a chat's wire format to a JSON value: "response_format",
/// "function_call", ... Fields that gigachat_request_set sets are refused.
///
/// Returns: GIGACHAT_OK, or GIGACHAT_ERROR_INVALID_REQUEST naming what is wrong.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn gigachat_request_set_field(
    request: *mut gigachat_request,
    name: *const c_char,
    name_length: usize,
    value: *const c_char,
    value_length: usize,
) -> gigachat_status {
    // SAFETY: the caller keeps the header's conventions for strings.
    unsafe {
        set_pair(
            request,
            (name, name_length),
            (value, value_length),
            |ask, name, value| ask.request_mut()?.set_field(name, value),
        )
    }
}

/// Frees a request; calls made with it keep their copy.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn gigachat_request_free(request: *mut gigachat_request) {
    shield((), || handle::remove::<Builder<Arc<Ask>>>(request));
}
