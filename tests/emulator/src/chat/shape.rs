//! The JSON of an answer, whole or streamed (GigaChat REST reference, sections 6.5 and 6.6).

use std::time::Duration;

use serde::Serialize;
use serde_json::Value;

use super::generate::{Content, Said, stable_uuid};
use crate::reply::{Event, EventKind, Reply};
use crate::tokens::pieces;

/// "A chunk usually carries several tokens" (section 6.6).
const TOKENS_PER_CHUNK: usize = 3;

/// What an answer says besides the text.
pub(crate) struct Frame {
    pub created: i64,
    pub model: String,
    pub object: &'static str,
    pub usage: Usage,
}

#[derive(Clone, Copy, Serialize)]
pub(crate) struct Usage {
    pub prompt_tokens: usize,
    pub completion_tokens: usize,
    pub total_tokens: usize,
    pub precached_prompt_tokens: usize,
}

#[derive(Serialize)]
struct Completion<'a, T> {
    choices: Vec<Choice<'a, T>>,
    created: i64,
    model: &'a str,
    object: &'a str,
    #[serde(skip_serializing_if = "Option::is_none")]
    usage: Option<Usage>,
}

#[derive(Serialize)]
struct Choice<'a, T> {
    #[serde(flatten)]
    part: T,
    index: u32,
    #[serde(skip_serializing_if = "Option::is_none")]
    finish_reason: Option<&'a str>,
}

#[derive(Serialize)]
#[serde(rename_all = "snake_case")]
enum Part<'a> {
    Message(Spoken<'a>),
    Delta(Spoken<'a>),
}

#[derive(Default, Serialize)]
struct Spoken<'a> {
    #[serde(skip_serializing_if = "Option::is_none")]
    name: Option<&'a str>,
    content: &'a str,
    #[serde(skip_serializing_if = "Option::is_none")]
    role: Option<&'a str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    created: Option<i64>,
    #[serde(skip_serializing_if = "Option::is_none")]
    function_call: Option<Call<'a>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    functions_state_id: Option<&'a str>,
}

#[derive(Serialize)]
struct Call<'a> {
    name: &'a str,
    arguments: &'a Value,
}

fn spoken<'a>(content: &'a Content, joined: &'a str, state: Option<&'a str>) -> Spoken<'a> {
    match content {
        Content::Call {
            name,
            arguments,
            state_id,
        } => Spoken {
            role: Some("assistant"),
            function_call: Some(Call { name, arguments }),
            functions_state_id: Some(state_id),
            ..Spoken::default()
        },
        _ => Spoken {
            content: joined,
            role: Some("assistant"),
            functions_state_id: state,
            ..Spoken::default()
        },
    }
}

fn text_of(content: &Content) -> String {
    match content {
        Content::Text(text) | Content::Made { text, .. } => text.clone(),
        Content::Chunks(chunks) => chunks.concat(),
        Content::Call { .. } => String::new(),
    }
}

/// The state of a built-in function that made something (section 6.5).
fn state_id(content: &Content) -> Option<String> {
    match content {
        Content::Made { file, .. } => Some(stable_uuid(&format!("state of {}", file.id))),
        _ => None,
    }
}

/// The answer without a stream; `choices` times the same one.
pub(crate) fn whole(said: &Said, frame: &Frame, choices: u32) -> Reply {
    let joined = text_of(&said.content);
    let state = state_id(&said.content);
    let choices = (0..choices)
        .map(|index| Choice {
            part: Part::Message(spoken(&said.content, &joined, state.as_deref())),
            index,
            finish_reason: Some(&said.finish_reason),
        })
        .collect();
    Reply::json(
        200,
        &Completion {
            choices,
            created: frame.created,
            model: &frame.model,
            object: frame.object,
            usage: Some(frame.usage),
        },
    )
}

/// The answer as events, at least `interval` apart.
pub(crate) fn stream(said: &Said, frame: &Frame, interval: Duration) -> Reply {
    let mut events = Vec::new();
    let mut push = |kind, delta, finish_reason, usage| {
        let mut event = Event::new(kind, frame.event(delta, finish_reason, usage));
        if !events.is_empty() {
            event.after = interval;
        }
        events.push(event);
    };
    let reason = Some(said.finish_reason.as_str());
    let usage = Some(frame.usage);
    let chunks = match &said.content {
        Content::Call { .. } => {
            // The whole call, its finish reason and its usage come in one event (quirk 8).
            push(
                EventKind::Chunk,
                spoken(&said.content, "", None),
                reason,
                usage,
            );
            events.push(Event::new(EventKind::Done, "[DONE]"));
            return Reply::events(events);
        }
        Content::Chunks(chunks) => chunks.clone(),
        Content::Text(text) => pieces(text, TOKENS_PER_CHUNK),
        Content::Made { function, text, .. } => {
            for seconds_left in ["15", "5"] {
                let progress = progress(function, seconds_left, frame.created);
                push(EventKind::Other, progress, None, None);
            }
            vec![text.clone()]
        }
    };
    let state = state_id(&said.content);
    for (number, content) in chunks.iter().enumerate() {
        let delta = Spoken {
            content,
            role: (number == 0).then_some("assistant"),
            functions_state_id: state.as_deref().filter(|_| number == 0),
            ..Spoken::default()
        };
        push(EventKind::Chunk, delta, None, None);
    }
    let last = Spoken {
        role: chunks.is_empty().then_some("assistant"),
        ..Spoken::default()
    };
    push(EventKind::Other, last, reason, usage);
    events.push(Event::new(EventKind::Done, "[DONE]"));
    Reply::events(events)
}

/// A built-in function at work (quirk 9).
fn progress<'a>(function: &'a str, seconds_left: &'a str, created: i64) -> Spoken<'a> {
    Spoken {
        name: Some(function),
        content: seconds_left,
        role: Some("function_in_progress"),
        created: Some(created),
        ..Spoken::default()
    }
}

impl Frame {
    fn event(&self, delta: Spoken, finish_reason: Option<&str>, usage: Option<Usage>) -> String {
        let completion = Completion {
            choices: vec![Choice {
                part: Part::Delta(delta),
                index: 0,
                finish_reason,
            }],
            created: self.created,
            model: &self.model,
            object: self.object,
            usage,
        };
        // These structs hold nothing that JSON cannot say.
        serde_json::to_string(&completion).unwrap_or_default()
    }
}
