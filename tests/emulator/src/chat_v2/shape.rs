//! The JSON of an answer of v2, whole or as named events (section 7.2, 7.3 and addendum A3.2, A3.3).

use std::time::Duration;

use serde_json::{Value, json};

use super::answer::Spoken;
use crate::chat::MadeKind;
use crate::reply::{Event, EventKind, Reply};
use crate::tokens::pieces;

const TOKENS_PER_CHUNK: usize = 3;

/// What an answer says besides the words.
pub(super) struct Frame {
    pub model: String,
    pub created_at: i64,
    pub input_tokens: usize,
    pub cached_tokens: usize,
    pub output_tokens: usize,
    /// There when tools were offered.
    pub state_id: Option<String>,
    pub thread_id: Option<String>,
    pub message_id: Option<String>,
}

impl Frame {
    fn usage(&self) -> Value {
        json!({"input_tokens": self.input_tokens,
            "input_tokens_details": {"prompt_tokens": self.input_tokens, "cached_tokens": self.cached_tokens},
            "output_tokens": self.output_tokens, "total_tokens": self.input_tokens + self.output_tokens})
    }

    fn assistant(&self, content: Vec<Value>) -> Value {
        let mut message = json!({"role": "assistant", "content": content});
        for (name, id) in [
            ("tool_state_id", &self.state_id),
            ("message_id", &self.message_id),
        ] {
            if let Some(id) = id {
                message[name] = json!(id);
            }
        }
        message
    }

    fn with(&self, more: Value) -> Value {
        let mut json = json!({"model": self.model, "created_at": self.created_at});
        if let Some(thread) = &self.thread_id {
            json["thread_id"] = json!(thread);
        }
        if let (Value::Object(json), Value::Object(more)) = (&mut json, more) {
            json.extend(more);
        }
        json
    }

    fn event(&self, kind: EventKind, name: &'static str, more: Value) -> Event {
        Event::named(kind, name, self.with(more).to_string())
    }
}

impl Spoken {
    fn calls_parts(&self) -> Vec<Value> {
        let call = |call: &super::answer::SpokenCall| json!({"function_call": {"id": call.id, "name": call.name, "arguments": call.arguments}});
        self.calls.iter().map(call).collect()
    }

    fn file_part(&self) -> Option<Value> {
        let file = self.file.as_ref()?;
        let (mime, target) = match file.kind {
            MadeKind::Image => ("image/jpeg", "image"),
            MadeKind::Model3d => ("model/gltf-binary", "3dmodel"),
        };
        Some(json!({"files": [{"id": file.id, "mime": mime, "target": target}]}))
    }

    fn text_part(&self, text: &str, last: bool) -> Value {
        match self.sources.as_ref().filter(|_| last) {
            Some(sources) => json!({"text": text, "inline_data": sources}),
            None => json!({"text": text}),
        }
    }
}

pub(super) fn whole(spoken: &Spoken, frame: &Frame) -> Reply {
    let mut messages = Vec::new();
    if let Some(reasoning) = &spoken.reasoning {
        messages.push(json!({"role": "reasoning", "content": [{"text": reasoning}]}));
    }
    let mut content: Vec<Value> = spoken.file_part().into_iter().collect();
    if spoken.calls.is_empty() {
        content.push(spoken.text_part(&spoken.text, true));
    }
    content.extend(spoken.calls_parts());
    messages.push(frame.assistant(content));
    let answer = json!({"messages": messages, "finish_reason": spoken.finish_reason,
        "usage": frame.usage()});
    Reply::json(200, &frame.with(answer))
}

pub(super) fn stream(spoken: &Spoken, frame: &Frame, interval: Duration) -> Reply {
    let delta = "response.message.delta";
    let mut events = Vec::new();
    if let Some(reasoning) = &spoken.reasoning {
        let message = json!({"role": "reasoning", "content": [{"text": reasoning}]});
        events.push(frame.event(EventKind::Other, delta, json!({"messages": [message]})));
    }
    if let Some(tool) = spoken.tool {
        events.extend(progress(tool, frame));
    }
    if let Some(file) = spoken.file_part() {
        let message = frame.assistant(vec![file]);
        events.push(frame.event(EventKind::Other, delta, json!({"messages": [message]})));
    }
    let chunks = match &spoken.chunks {
        Some(chunks) => chunks.clone(),
        None => pieces(&spoken.text, TOKENS_PER_CHUNK),
    };
    for (number, text) in chunks.iter().enumerate() {
        let part = spoken.text_part(text, number + 1 == chunks.len());
        let message = frame.assistant(vec![part]);
        let mut event = frame.event(EventKind::Chunk, delta, json!({"messages": [message]}));
        if number > 0 {
            event.after = interval;
        }
        events.push(event);
    }
    events.push(done(spoken, frame));
    Reply::events(events)
}

/// A built-in tool at work.
fn progress(tool: &str, frame: &Frame) -> [Event; 2] {
    let at_work = json!({"tool_execution": {"name": tool, "seconds_left": 9}});
    let ready = json!({"tool_execution": {"name": tool, "status": "success", "seconds_left": 0,
        "censored": false}});
    [
        frame.event(EventKind::Other, "response.tool.in_progress", at_work),
        frame.event(EventKind::Other, "response.tool.completed", ready),
    ]
}

/// The one good end. Client calls come in it, whole; with the reason `error` it is an error.
fn done(spoken: &Spoken, frame: &Frame) -> Event {
    let mut more = json!({"finish_reason": spoken.finish_reason, "usage": frame.usage()});
    if !spoken.calls.is_empty() {
        more["messages"] = json!([frame.assistant(spoken.calls_parts())]);
    }
    if spoken.finish_reason == "error" {
        more["error_details"] = json!({"message": "Internal Server Error"});
    }
    frame.event(EventKind::Done, "response.message.done", more)
}
