//! The response handle: an answer and everything that is known of its call.

use std::ffi::c_char;
use std::time::Duration;

use super::handle::{self, Object};
use super::text::{CText, lend};
use super::unwind::shield;
use gigachat_core::{CallReport, Response, TokenUsage};

/// An answer. Immutable: share it between threads freely until it is freed. Since 0.1.
pub struct gigachat_response(());

pub(super) struct ResponseObject {
    text: CText,
    finish_reason: CText,
    model: CText,
    raw: CText,
    request_id: CText,
    session_id: Option<CText>,
    function: Option<Function>,
    usage: Option<TokenUsage>,
    report: CallReport,
}

struct Function {
    name: CText,
    arguments: CText,
    state_id: Option<CText>,
}

impl ResponseObject {
    pub(super) fn new(response: Response) -> ResponseObject {
        let mut report = response.report;
        ResponseObject {
            text: CText::new(response.text),
            finish_reason: CText::new(response.finish_reason),
            model: CText::new(response.model),
            raw: CText::new(response.raw),
            request_id: CText::new(std::mem::take(&mut report.request_id)),
            session_id: report.session_id.take().map(CText::new),
            function: response.function_call.map(|call| Function {
                name: CText::new(call.name),
                arguments: CText::new(call.arguments),
                state_id: call.state_id.map(CText::new),
            }),
            usage: response.usage,
            report,
        }
    }
}

impl Object for ResponseObject {
    type Opaque = gigachat_response;
    const TYPE: u8 = 7;
    const NAME: &'static str = "gigachat_response";
}

/// Lends one of the response's texts.
///
/// # Safety
/// `length` is NULL or valid for a write.
unsafe fn lend_text(
    response: *const gigachat_response,
    length: *mut usize,
    which: impl FnOnce(&ResponseObject) -> Option<&CText>,
) -> *const c_char {
    let response = shield(None, || handle::find::<ResponseObject>(response));
    // SAFETY: promised by the caller; the text lives until the response is freed.
    unsafe { lend(response.as_deref().and_then(which), length) }
}

fn number<T>(
    response: *const gigachat_response,
    none: T,
    get: impl FnOnce(&ResponseObject) -> T,
) -> T {
    let response = shield(None, || handle::find::<ResponseObject>(response));
    response.as_deref().map_or(none, get)
}

fn tokens(response: *const gigachat_response, get: impl FnOnce(&TokenUsage) -> u64) -> i64 {
    number(response, -1, |response| {
        response
            .usage
            .as_ref()
            .map_or(-1, |usage| i64::try_from(get(usage)).unwrap_or(i64::MAX))
    })
}

fn microseconds(
    response: *const gigachat_response,
    get: impl FnOnce(&CallReport) -> Duration,
) -> u64 {
    number(response, 0, |response| {
        get(&response.report).as_micros() as u64
    })
}

/// The answer's text, cut before the first stop sequence; empty for a function call.
///
/// Returns: a NUL-terminated text and its length in `length` (which may be NULL), borrowed until
/// the response is freed; NULL when `response` is no live response.
/// Thread safety: any thread. Since 0.1.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn gigachat_response_text(
    response: *const gigachat_response,
    length: *mut usize,
) -> *const c_char {
    // SAFETY: `length` is NULL or valid for a write.
    unsafe { lend_text(response, length, |response| Some(&response.text)) }
}

/// Why the answer ended: "stop", "length", "function_call", "blacklist", "error", or a newer one.
///
/// Returns: a NUL-terminated text and its length in `length` (which may be NULL), borrowed until
/// the response is freed; NULL when `response` is no live response.
/// Thread safety: any thread. Since 0.1.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn gigachat_response_finish_reason(
    response: *const gigachat_response,
    length: *mut usize,
) -> *const c_char {
    // SAFETY: `length` is NULL or valid for a write.
    unsafe { lend_text(response, length, |response| Some(&response.finish_reason)) }
}

/// The model that answered, with its version ("GigaChat:2.0.28.2"). It is not the requested name.
///
/// Returns: a NUL-terminated text and its length in `length` (which may be NULL), borrowed until
/// the response is freed; NULL when `response` is no live response.
/// Thread safety: any thread. Since 0.1.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn gigachat_response_model(
    response: *const gigachat_response,
    length: *mut usize,
) -> *const c_char {
    // SAFETY: `length` is NULL or valid for a write.
    unsafe { lend_text(response, length, |response| Some(&response.model)) }
}

/// The function that the model asks the program to call.
///
/// Returns: a NUL-terminated text and its length in `length` (which may be NULL), borrowed until
/// the response is freed; NULL when there is none or `response` is no
/// live response.
/// Thread safety: any thread. Since 0.1.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn gigachat_response_function_name(
    response: *const gigachat_response,
    length: *mut usize,
) -> *const c_char {
    // SAFETY: `length` is NULL or valid for a write.
    unsafe {
        lend_text(response, length, |response| {
            response.function.as_ref().map(|function| &function.name)
        })
    }
}

/// The arguments of that function as a JSON object, byte for byte as the service wrote it.
///
/// Returns: a NUL-terminated text and its length in `length` (which may be NULL), borrowed until
/// the response is freed; NULL when there is none or `response` is no
/// live response.
/// Thread safety: any thread. Since 0.1.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn gigachat_response_function_arguments(
    response: *const gigachat_response,
    length: *mut usize,
) -> *const c_char {
    // SAFETY: `length` is NULL or valid for a write.
    unsafe {
        lend_text(response, length, |response| {
            response
                .function
                .as_ref()
                .map(|function| &function.arguments)
        })
    }
}

/// The state id to send back in the assistant message as "functions_state_id".
///
/// Returns: a NUL-terminated text and its length in `length` (which may be NULL), borrowed until
/// the response is freed; NULL when there is none or `response` is no
/// live response.
/// Thread safety: any thread. Since 0.1.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn gigachat_response_functions_state_id(
    response: *const gigachat_response,
    length: *mut usize,
) -> *const c_char {
    // SAFETY: `length` is NULL or valid for a write.
    unsafe {
        lend_text(response, length, |response| {
            response
                .function
                .as_ref()
                .and_then(|function| function.state_id.as_ref())
        })
    }
}

/// The service's X-Request-ID, else the one that was sent.
///
/// Returns: a NUL-terminated text and its length in `length` (which may be NULL), borrowed until
/// the response is freed; NULL when `response` is no live response.
/// Thread safety: any thread. Since 0.1.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn gigachat_response_request_id(
    response: *const gigachat_response,
    length: *mut usize,
) -> *const c_char {
    // SAFETY: `length` is NULL or valid for a write.
    unsafe { lend_text(response, length, |response| Some(&response.request_id)) }
}

/// The service's X-Session-ID.
///
/// Returns: a NUL-terminated text and its length in `length` (which may be NULL), borrowed until
/// the response is freed; NULL when there is none or `response` is no
/// live response.
/// Thread safety: any thread. Since 0.1.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn gigachat_response_session_id(
    response: *const gigachat_response,
    length: *mut usize,
) -> *const c_char {
    // SAFETY: `length` is NULL or valid for a write.
    unsafe { lend_text(response, length, |response| response.session_id.as_ref()) }
}

/// The answer's JSON byte for byte as it came; empty for the answer of a stream.
///
/// Returns: a NUL-terminated text and its length in `length` (which may be NULL), borrowed until
/// the response is freed; NULL when `response` is no live response.
/// Thread safety: any thread. Since 0.1.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn gigachat_response_json(
    response: *const gigachat_response,
    length: *mut usize,
) -> *const c_char {
    // SAFETY: `length` is NULL or valid for a write.
    unsafe { lend_text(response, length, |response| Some(&response.raw)) }
}

/// Tokens of the messages, as the service counted them.
///
/// Returns: the number of tokens; -1 when the service sent no usage or `response` is no live
/// response. Thread safety: any thread. Since 0.1.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn gigachat_response_prompt_tokens(
    response: *const gigachat_response,
) -> i64 {
    tokens(response, |usage| usage.prompt_tokens)
}

/// Tokens of the answer, as the service counted them.
///
/// Returns: the number of tokens; -1 when the service sent no usage or `response` is no live
/// response. Thread safety: any thread. Since 0.1.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn gigachat_response_completion_tokens(
    response: *const gigachat_response,
) -> i64 {
    tokens(response, |usage| usage.completion_tokens)
}

/// The total, as the service counted it.
///
/// Returns: the number of tokens; -1 when the service sent no usage or `response` is no live
/// response. Thread safety: any thread. Since 0.1.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn gigachat_response_total_tokens(response: *const gigachat_response) -> i64 {
    tokens(response, |usage| usage.total_tokens)
}

/// Prompt tokens that came from the session's cache.
///
/// Returns: the number of tokens; -1 when the service sent no usage or `response` is no live
/// response. Thread safety: any thread. Since 0.1.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn gigachat_response_precached_prompt_tokens(
    response: *const gigachat_response,
) -> i64 {
    tokens(response, |usage| usage.precached_prompt_tokens)
}

/// How long the call waited for a permit.
///
/// Returns: microseconds; 0 when `response` is no live response.
/// Thread safety: any thread. Since 0.1.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn gigachat_response_queue_us(response: *const gigachat_response) -> u64 {
    microseconds(response, |report| report.timings.queue)
}

/// How long the call waited for an access token.
///
/// Returns: microseconds; 0 when `response` is no live response.
/// Thread safety: any thread. Since 0.1.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn gigachat_response_token_us(response: *const gigachat_response) -> u64 {
    microseconds(response, |report| report.timings.token)
}

/// From the permit to the first byte of the answer.
///
/// Returns: microseconds; 0 when `response` is no live response.
/// Thread safety: any thread. Since 0.1.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn gigachat_response_first_byte_us(
    response: *const gigachat_response,
) -> u64 {
    microseconds(response, |report| report.timings.first_byte)
}

/// From the permit to the first content.
///
/// Returns: microseconds; 0 when `response` is no live response.
/// Thread safety: any thread. Since 0.1.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn gigachat_response_first_content_us(
    response: *const gigachat_response,
) -> u64 {
    microseconds(response, |report| report.timings.first_content)
}

/// From the start of the call to its end.
///
/// Returns: microseconds; 0 when `response` is no live response.
/// Thread safety: any thread. Since 0.1.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn gigachat_response_total_us(response: *const gigachat_response) -> u64 {
    microseconds(response, |report| report.timings.total)
}

/// How many requests were sent for this call; token requests are not counted.
///
/// Returns: the number; 0 when `response` is no live response.
/// Thread safety: any thread. Since 0.1.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn gigachat_response_attempts(response: *const gigachat_response) -> u32 {
    number(response, 0, |response| response.report.attempts)
}

/// Frees a response. NULL is a no-op; texts borrowed from it become invalid.
///
/// Thread safety: any thread, once no other thread uses texts borrowed from it. Since 0.1.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn gigachat_response_free(response: *mut gigachat_response) {
    shield((), || handle::remove::<ResponseObject>(response));
}
