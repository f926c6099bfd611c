//! The event handle: one part of a streamed answer.

use std::ffi::c_char;

use super::handle::{self, Object};
use super::text::{CText, lend};
use super::unwind::shield;
use gigachat_core::StreamEvent;
use gigachat_core::TokenUsage;

/// One part of a streamed answer.
pub struct gigachat_event(());

/// What an event is. Newer versions may add types; skip those that are unknown.
pub type gigachat_event_type = i32;

/// A piece of the answer's text: gigachat_event_text.
pub const GIGACHAT_EVENT_TEXT: gigachat_event_type = 1;
/// The function to call, whole: gigachat_event_name, gigachat_event_text (arguments).
pub const GIGACHAT_EVENT_FUNCTION_CALL: gigachat_event_type = 2;
/// A built-in function is at work: gigachat_event_name, gigachat_event_text (what the service says
/// of it, the seconds left). Not part of the answer's text.
pub const GIGACHAT_EVENT_PROGRESS: gigachat_event_type = 3;
/// Token usage, once, near the end: gigachat_event_prompt_tokens and its kin.
pub const GIGACHAT_EVENT_USAGE: gigachat_event_type = 4;
/// A piece of what the model thinks before it answers: gigachat_event_text. Not part of the answer's
/// text.
pub const GIGACHAT_EVENT_REASONING: gigachat_event_type = 5;
/// A file that the service made (chat v2): gigachat_event_text (its id), gigachat_event_name ("image",
/// "audio", "3dmodel" or a newer kind).
pub const GIGACHAT_EVENT_FILE: gigachat_event_type = 6;

pub(super) struct EventObject {
    kind: gigachat_event_type,
    name: Option<CText>,
    text: Option<CText>,
    state_id: Option<CText>,
    usage: Option<TokenUsage>,
}

impl EventObject {
    pub(super) fn new(event: StreamEvent) -> EventObject {
        let plain = |kind| EventObject {
            kind,
            name: None,
            text: None,
            state_id: None,
            usage: None,
        };
        match event {
            StreamEvent::Text(text) => EventObject {
                text: Some(CText::new(text)),
                ..plain(GIGACHAT_EVENT_TEXT)
            },
            StreamEvent::FunctionCall(call) => EventObject {
                name: Some(CText::new(call.name)),
                text: Some(CText::new(call.arguments)),
                state_id: call.state_id.map(CText::new),
                ..plain(GIGACHAT_EVENT_FUNCTION_CALL)
            },
            StreamEvent::Progress { name, content } => EventObject {
                name: Some(CText::new(name)),
                text: Some(CText::new(content)),
                ..plain(GIGACHAT_EVENT_PROGRESS)
            },
            StreamEvent::Reasoning(text) => EventObject {
                text: Some(CText::new(text)),
                ..plain(GIGACHAT_EVENT_REASONING)
            },
            StreamEvent::File(file) => EventObject {
                name: Some(CText::new(file.kind)),
                text: Some(CText::new(file.id)),
                ..plain(GIGACHAT_EVENT_FILE)
            },
            StreamEvent::Usage(usage) => EventObject {
                usage: Some(usage),
                ..plain(GIGACHAT_EVENT_USAGE)
            },
        }
    }
}

impl Object for EventObject {
    type Opaque = gigachat_event;
    const TYPE: u8 = 10;
    const NAME: &'static str = "gigachat_event";
}

/// # Safety
/// `length` is NULL or valid for a write.
unsafe fn lend_text(
    event: *const gigachat_event,
    length: *mut usize,
    which: impl FnOnce(&EventObject) -> Option<&CText>,
) -> *const c_char {
    let event = shield(None, || handle::find::<EventObject>(event));
    // SAFETY: promised by the caller; the text lives until the event is freed.
    unsafe { lend(event.as_deref().and_then(which), length) }
}

fn tokens(event: *const gigachat_event, get: impl FnOnce(&TokenUsage) -> u64) -> i64 {
    let event = shield(None, || handle::find::<EventObject>(event));
    let usage = event.as_deref().and_then(|event| event.usage.as_ref());
    usage.map_or(-1, |usage| i64::try_from(get(usage)).unwrap_or(i64::MAX))
}

/// What the event is.
///
/// Returns: one of the GIGACHAT_EVENT_ constants; 0 for a handle that is not alive.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn gigachat_event_kind(event: *const gigachat_event) -> gigachat_event_type {
    shield(0, || {
        handle::find::<EventObject>(event).map_or(0, |event| event.kind)
    })
}

/// The text of a text or reasoning event, the arguments (JSON) of a function call, what a progress
/// event says, the id of a file.
///
/// Returns: the string; NULL if there is none.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn gigachat_event_text(
    event: *const gigachat_event,
    length: *mut usize,
) -> *const c_char {
    // SAFETY: `length` is NULL or valid for a write.
    unsafe { lend_text(event, length, |event| event.text.as_ref()) }
}

/// The function's name, of a function call or progress event; the kind of a file.
///
/// Returns: the string; NULL if there is none.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn gigachat_event_name(
    event: *const gigachat_event,
    length: *mut usize,
) -> *const c_char {
    // SAFETY: `length` is NULL or valid for a write.
    unsafe { lend_text(event, length, |event| event.name.as_ref()) }
}

/// The state id of a function call, to send back as "functions_state_id".
///
/// Returns: the string; NULL if there is none.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn gigachat_event_functions_state_id(
    event: *const gigachat_event,
    length: *mut usize,
) -> *const c_char {
    // SAFETY: `length` is NULL or valid for a write.
    unsafe { lend_text(event, length, |event| event.state_id.as_ref()) }
}

/// Tokens of the messages, of a usage event.
///
/// Returns: the number of tokens; -1 for other events.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn gigachat_event_prompt_tokens(event: *const gigachat_event) -> i64 {
    tokens(event, |usage| usage.prompt_tokens)
}

/// Tokens of the answer, of a usage event.
///
/// Returns: the number of tokens; -1 for other events.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn gigachat_event_completion_tokens(event: *const gigachat_event) -> i64 {
    tokens(event, |usage| usage.completion_tokens)
}

/// The total, of a usage event.
///
/// Returns: the number of tokens; -1 for other events.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn gigachat_event_total_tokens(event: *const gigachat_event) -> i64 {
    tokens(event, |usage| usage.total_tokens)
}

/// Prompt tokens that came from the session's cache, of a usage event.
///
/// Returns: the number of tokens; -1 for other events.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn gigachat_event_precached_prompt_tokens(
    event: *const gigachat_event,
) -> i64 {
    tokens(event, |usage| usage.precached_prompt_tokens)
}

/// Frees an event.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn gigachat_event_free(event: *mut gigachat_event) {
    shield((), || handle::remove::<EventObject>(event));
}
