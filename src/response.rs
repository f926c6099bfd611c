//! The response handle: an answer and everything that is known of its call.

use std::ffi::c_char;
use std::sync::Arc;
use std::time::Duration;

use arc_swap::ArcSwapOption;

use super::error::gigachat_error;
use super::guard::guard;
use super::handle::{self, Object};
use super::status::{Failure, GIGACHAT_ERROR_NOT_FOUND, gigachat_status};
use super::text::{CText, lend, optional, read, required};
use super::unwind::shield;
use gigachat_core::binding::Parts;
use gigachat_core::{CallReport, Document, Embeddings, JsonTree, Response, TokenUsage};

/// The answer of any operation: what it says, and what is known of its call.
pub struct gigachat_response(());

pub(super) struct ResponseObject {
    chat: Option<Chat>,
    vectors: Option<Embeddings>,
    model: Option<CText>,
    usage: Option<TokenUsage>,
    body: CText,
    content_type: CText,
    request_id: CText,
    session_id: Option<CText>,
    report: CallReport,
    /// Read when it is first asked for, without a lock: a forked child may ask, too.
    tree: ArcSwapOption<JsonTree>,
}

/// What a completion says.
struct Chat {
    text: CText,
    finish_reason: CText,
    calls: Vec<FunctionCall>,
    /// What goes back in a conversation, but for the text.
    rest: Response,
}

struct FunctionCall {
    name: CText,
    arguments: CText,
    state_id: Option<CText>,
}

impl ResponseObject {
    pub(super) fn new(document: Document) -> ResponseObject {
        let content_type = CText::new(document.content_type());
        let (parts, mut report) = document.into_parts();
        let mut object = ResponseObject {
            chat: None,
            vectors: None,
            model: None,
            usage: None,
            body: CText::default(),
            content_type,
            request_id: CText::new(std::mem::take(&mut report.request_id)),
            session_id: report.session_id.take().map(CText::new),
            report,
            tree: ArcSwapOption::empty(),
        };
        match parts {
            Parts::Completion(response) => object.fill_in(*response),
            Parts::Embeddings(mut found) => {
                object.usage = Some(found.usage());
                object.model = Some(CText::new(std::mem::take(&mut found.model)));
                object.vectors = Some(found);
            }
            Parts::Bytes(bytes) => object.body = CText::new(bytes),
        }
        object
    }

    fn fill_in(&mut self, mut response: Response) {
        self.model = Some(CText::new(std::mem::take(&mut response.model)));
        self.usage = response.usage;
        self.body = CText::new(std::mem::take(&mut response.raw));
        let calls = response.function_calls.iter().map(|call| FunctionCall {
            name: CText::new(call.name.clone()),
            arguments: CText::new(call.arguments.clone()),
            state_id: call.state_id.clone().map(CText::new),
        });
        self.chat = Some(Chat {
            calls: calls.collect(),
            text: CText::new(std::mem::take(&mut response.text)),
            finish_reason: CText::new(std::mem::take(&mut response.finish_reason)),
            rest: response,
        });
    }

    /// The answer as a conversation takes it; none unless it is one to a chat.
    pub(super) fn answer(&self) -> Option<Response> {
        let chat = self.chat.as_ref()?;
        Some(Response {
            text: String::from_utf8_lossy(chat.text.bytes()).into_owned(),
            ..chat.rest.clone()
        })
    }

    /// One of the functions that the answer calls.
    pub(super) fn call(&self, index: usize) -> Option<&gigachat_core::FunctionCall> {
        self.chat.as_ref()?.rest.function_calls.get(index)
    }

    /// The body as JSON; once read it stays as long as the response.
    fn tree(&self) -> Arc<JsonTree> {
        if let Some(tree) = self.tree.load_full() {
            return tree;
        }
        let read = Arc::new(JsonTree::read(self.body.bytes()));
        let before = self
            .tree
            .compare_and_swap(&None::<Arc<JsonTree>>, Some(read.clone()));
        match &*before {
            Some(anothers) => anothers.clone(),
            None => read,
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

/// The same of what only a chat's answer has.
///
/// # Safety
/// `length` is NULL or valid for a write.
unsafe fn lend_chat(
    response: *const gigachat_response,
    length: *mut usize,
    which: impl FnOnce(&Chat) -> Option<&CText>,
) -> *const c_char {
    // SAFETY: promised by the caller.
    unsafe {
        lend_text(response, length, |response| {
            response.chat.as_ref().and_then(which)
        })
    }
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

/// The text of a chat's answer, cut before the first stop sequence; empty for a function call.
///
/// Returns: the string; NULL for the answer of another operation.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn gigachat_response_text(
    response: *const gigachat_response,
    length: *mut usize,
) -> *const c_char {
    // SAFETY: `length` is NULL or valid for a write.
    unsafe { lend_chat(response, length, |chat| Some(&chat.text)) }
}

/// Why the answer ended: "stop", "length", "function_call", "blacklist", "error", or a newer one.
///
/// Returns: the string; NULL if there is none.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn gigachat_response_finish_reason(
    response: *const gigachat_response,
    length: *mut usize,
) -> *const c_char {
    // SAFETY: `length` is NULL or valid for a write.
    unsafe { lend_chat(response, length, |chat| Some(&chat.finish_reason)) }
}

/// The model that answered, with its version ("GigaChat:2.0.28.2"). It is not the requested name.
///
/// Returns: the string; NULL if there is none.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn gigachat_response_model(
    response: *const gigachat_response,
    length: *mut usize,
) -> *const c_char {
    // SAFETY: `length` is NULL or valid for a write.
    unsafe { lend_text(response, length, |response| response.model.as_ref()) }
}

/// The function that the model asks the program to call.
///
/// Returns: the string; NULL if there is none.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn gigachat_response_function_name(
    response: *const gigachat_response,
    length: *mut usize,
) -> *const c_char {
    // SAFETY: `length` is NULL or valid for a write.
    unsafe {
        lend_chat(response, length, |chat| {
            chat.calls.first().map(|function| &function.name)
        })
    }
}

/// The arguments of that function as a JSON object, byte for byte as the service wrote it.
///
/// Returns: the string; NULL if there is none.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn gigachat_response_function_arguments(
    response: *const gigachat_response,
    length: *mut usize,
) -> *const c_char {
    // SAFETY: `length` is NULL or valid for a write.
    unsafe {
        lend_chat(response, length, |chat| {
            chat.calls.first().map(|function| &function.arguments)
        })
    }
}

/// The name of one of the functions that the model asks the program to call.
///
/// Parameters: `index` counts from 0.
/// Returns: the string; NULL when there are not so many: chat v2 calls several, v1 one at the most.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn gigachat_response_call_name(
    response: *const gigachat_response,
    index: usize,
    length: *mut usize,
) -> *const c_char {
    // SAFETY: `length` is NULL or valid for a write.
    unsafe {
        lend_chat(response, length, |chat| {
            chat.calls.get(index).map(|call| &call.name)
        })
    }
}

/// The arguments of one of those functions as a JSON object, byte for byte as the service wrote it.
///
/// Parameters: `index` counts from 0.
/// Returns: the string; NULL when there are not so many.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn gigachat_response_call_arguments(
    response: *const gigachat_response,
    index: usize,
    length: *mut usize,
) -> *const c_char {
    // SAFETY: `length` is NULL or valid for a write.
    unsafe {
        lend_chat(response, length, |chat| {
            chat.calls.get(index).map(|call| &call.arguments)
        })
    }
}

/// The state id to send back in the assistant message as "functions_state_id".
///
/// Returns: the string; NULL if there is none.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn gigachat_response_functions_state_id(
    response: *const gigachat_response,
    length: *mut usize,
) -> *const c_char {
    // SAFETY: `length` is NULL or valid for a write.
    unsafe {
        lend_chat(response, length, |chat| {
            chat.calls
                .first()
                .and_then(|function| function.state_id.as_ref())
        })
    }
}

/// The service's X-Request-ID, else the one that was sent.
///
/// Returns: the string; NULL if there is none.
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
/// Returns: the string; NULL if there is none.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn gigachat_response_session_id(
    response: *const gigachat_response,
    length: *mut usize,
) -> *const c_char {
    // SAFETY: `length` is NULL or valid for a write.
    unsafe { lend_text(response, length, |response| response.session_id.as_ref()) }
}

/// The answer's body byte for byte as it came: JSON, or whatever the operation gives; empty for the
/// answer of a stream, and of "embeddings", which are kept as floats only.
///
/// Returns: the bytes, followed by a NUL, and their number in `length`; NULL for a handle that is
/// not alive. JSON is UTF-8, other bytes are what they are.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn gigachat_response_body(
    response: *const gigachat_response,
    length: *mut usize,
) -> *const c_char {
    // SAFETY: `length` is NULL or valid for a write.
    unsafe { lend_text(response, length, |response| Some(&response.body)) }
}

/// The MIME type of the body.
///
/// Returns: the string, empty when the service named none; NULL for a handle that is not alive.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn gigachat_response_content_type(
    response: *const gigachat_response,
    length: *mut usize,
) -> *const c_char {
    // SAFETY: `length` is NULL or valid for a write.
    unsafe { lend_text(response, length, |response| Some(&response.content_type)) }
}

/// The text at a JSON pointer (RFC 6901) into the body: "/data/0/id"; "" is the whole body.
///
/// Parameters: `pointer` is the JSON pointer, where ~1 stands for / and ~0 for ~ in a name.
/// Returns: the string; NULL when there is no text there.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn gigachat_response_text_at(
    response: *const gigachat_response,
    pointer: *const c_char,
    pointer_length: usize,
    length: *mut usize,
) -> *const c_char {
    // SAFETY: the out-parameter is NULL or valid for a write.
    let length = unsafe { optional(length) };
    shield(std::ptr::null(), || {
        // SAFETY: the caller keeps the header's conventions for strings.
        let pointer = unsafe { read("pointer", pointer, pointer_length) };
        let (Ok(pointer), Some(response)) = (pointer, handle::find::<ResponseObject>(response))
        else {
            return std::ptr::null();
        };
        // The text stands in the tree, which the response keeps until it is freed.
        let tree = response.tree();
        let Some(text) = tree.text_with_nul_at(pointer) else {
            return std::ptr::null();
        };
        if let Some(length) = length {
            *length = text.len() - 1;
        }
        text.as_ptr().cast()
    })
}

/// The whole number at a JSON pointer; of a truth value 1 or 0.
///
/// Parameters: `pointer` as for gigachat_response_text_at; `value` receives the number.
/// Returns: GIGACHAT_OK, or GIGACHAT_ERROR_NOT_FOUND when there is no whole number there, or none
/// that an int64_t holds.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn gigachat_response_integer_at(
    response: *const gigachat_response,
    pointer: *const c_char,
    length: usize,
    value: *mut i64,
    error: *mut *mut gigachat_error,
) -> gigachat_status {
    // SAFETY: the caller keeps the header's conventions for strings and out-parameters.
    unsafe {
        guard(error, || {
            let value = required("value", value)?;
            let response = handle::get::<ResponseObject>(response, "response")?;
            let pointer = read("pointer", pointer, length)?;
            let found = response.tree().integer_at(pointer);
            *value = found.ok_or_else(|| nothing_at(pointer, "whole number"))?;
            Ok(())
        })
    }
}

/// The number at a JSON pointer.
///
/// Parameters: `pointer` as for gigachat_response_text_at; `value` receives the number.
/// Returns: GIGACHAT_OK, or GIGACHAT_ERROR_NOT_FOUND when there is no number there.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn gigachat_response_number_at(
    response: *const gigachat_response,
    pointer: *const c_char,
    length: usize,
    value: *mut f64,
    error: *mut *mut gigachat_error,
) -> gigachat_status {
    // SAFETY: the caller keeps the header's conventions for strings and out-parameters.
    unsafe {
        guard(error, || {
            let value = required("value", value)?;
            let response = handle::get::<ResponseObject>(response, "response")?;
            let pointer = read("pointer", pointer, length)?;
            let found = response.tree().number_at(pointer);
            *value = found.ok_or_else(|| nothing_at(pointer, "number"))?;
            Ok(())
        })
    }
}

fn nothing_at(pointer: &str, what: &str) -> Failure {
    let shown: String = pointer.chars().take(80).collect();
    Failure::new(
        GIGACHAT_ERROR_NOT_FOUND,
        format!("{shown:?}: the answer has no {what} there"),
    )
}

/// How many elements the list, or members the object, at a JSON pointer has.
///
/// Parameters: `pointer` as for gigachat_response_text_at.
/// Returns: the number; -1 when there is neither a list nor an object there.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn gigachat_response_count_at(
    response: *const gigachat_response,
    pointer: *const c_char,
    length: usize,
) -> i64 {
    shield(-1, || {
        // SAFETY: the caller keeps the header's conventions for strings.
        let pointer = unsafe { read("pointer", pointer, length) }.ok();
        let response = handle::find::<ResponseObject>(response);
        let count = pointer.and_then(|pointer| response?.tree().count_at(pointer));
        count.map_or(-1, |count| i64::try_from(count).unwrap_or(i64::MAX))
    })
}

/// The vectors of "embeddings": one row for each text, in the order of the texts, all of one width
/// and finite.
///
/// Parameters: `rows` and `columns` may be NULL and receive how many rows there are and how wide
/// each is.
/// Returns: the numbers row by row, borrowed until the response is freed; NULL, and 0 for both
/// counts, for the answer of another operation.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn gigachat_response_vectors(
    response: *const gigachat_response,
    rows: *mut usize,
    columns: *mut usize,
) -> *const f32 {
    // SAFETY: the out-parameters are NULL or valid for writes.
    let (rows, columns) = unsafe { (optional(rows), optional(columns)) };
    shield(std::ptr::null(), || {
        let response = handle::find::<ResponseObject>(response);
        let Some(vectors) = response.as_ref().and_then(|found| found.vectors.as_ref()) else {
            return std::ptr::null();
        };
        if let Some(rows) = rows {
            *rows = vectors.rows();
        }
        if let Some(columns) = columns {
            *columns = vectors.columns();
        }
        vectors.as_slice().as_ptr()
    })
}

/// Tokens of the messages or texts, as the service counted them.
///
/// Returns: the number of tokens; -1 when the service sent no usage.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn gigachat_response_prompt_tokens(
    response: *const gigachat_response,
) -> i64 {
    tokens(response, |usage| usage.prompt_tokens)
}

/// Tokens of the answer, as the service counted them.
///
/// Returns: the number of tokens; -1 when the service sent no usage.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn gigachat_response_completion_tokens(
    response: *const gigachat_response,
) -> i64 {
    tokens(response, |usage| usage.completion_tokens)
}

/// The total, as the service counted it.
///
/// Returns: the number of tokens; -1 when the service sent no usage.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn gigachat_response_total_tokens(response: *const gigachat_response) -> i64 {
    tokens(response, |usage| usage.total_tokens)
}

/// Prompt tokens that came from the session's cache.
///
/// Returns: the number of tokens; -1 when the service sent no usage.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn gigachat_response_precached_prompt_tokens(
    response: *const gigachat_response,
) -> i64 {
    tokens(response, |usage| usage.precached_prompt_tokens)
}

/// How long the call waited for a permit.
///
/// Returns: microseconds.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn gigachat_response_queue_us(response: *const gigachat_response) -> u64 {
    microseconds(response, |report| report.timings.queue)
}

/// How long the call waited for an access token.
///
/// Returns: microseconds.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn gigachat_response_token_us(response: *const gigachat_response) -> u64 {
    microseconds(response, |report| report.timings.token)
}

/// From the permit to the first byte of the answer.
///
/// Returns: microseconds.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn gigachat_response_first_byte_us(
    response: *const gigachat_response,
) -> u64 {
    microseconds(response, |report| report.timings.first_byte)
}

/// From the permit to the first content.
///
/// Returns: microseconds.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn gigachat_response_first_content_us(
    response: *const gigachat_response,
) -> u64 {
    microseconds(response, |report| report.timings.first_content)
}

/// From the start of the call to its end.
///
/// Returns: microseconds.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn gigachat_response_total_us(response: *const gigachat_response) -> u64 {
    microseconds(response, |report| report.timings.total)
}

/// How many requests were sent for this call; token requests are not counted.
///
/// Returns: the number of requests.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn gigachat_response_attempts(response: *const gigachat_response) -> u32 {
    number(response, 0, |response| response.report.attempts)
}

/// Frees a response.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn gigachat_response_free(response: *mut gigachat_response) {
    shield((), || handle::remove::<ResponseObject>(response));
}
