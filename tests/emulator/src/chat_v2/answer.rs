//! What the model says in v2: texts by the rule of v1, and the reasoning, calls, files and sources around them.

use serde_json::{Value, json};

use super::request::{Message, Request};
use super::tools::{self, Choice};
use crate::chat::{self, ChatRequest, Content, Made, Said, begins_with, stable_uuid};
use crate::script::{Answer, Call};
use crate::tokens::{count_tokens, cut_to_tokens};

/// An answer before it is written as JSON.
pub(super) struct Spoken {
    pub reasoning: Option<String>,
    /// A built-in tool at work first.
    pub tool: Option<&'static str>,
    pub file: Option<Made>,
    /// The text, in the chunks that a script wants.
    pub chunks: Option<Vec<String>>,
    pub text: String,
    pub sources: Option<Value>,
    pub calls: Vec<SpokenCall>,
    pub finish_reason: String,
}

pub(super) struct SpokenCall {
    pub id: String,
    pub name: String,
    pub arguments: Value,
}

impl Spoken {
    fn text(text: String, finish_reason: &str) -> Spoken {
        Spoken {
            reasoning: None,
            tool: None,
            file: None,
            chunks: None,
            text,
            sources: None,
            calls: Vec::new(),
            finish_reason: finish_reason.to_owned(),
        }
    }

    fn calls(calls: impl Iterator<Item = (String, Value)>, request: &Request) -> Spoken {
        let messages = request.messages.len();
        let numbered = calls
            .enumerate()
            .map(|(number, (name, arguments))| SpokenCall {
                id: stable_uuid(&format!("{number}{name}{arguments}{messages}")),
                name,
                arguments,
            });
        Spoken {
            calls: numbered.collect(),
            ..Spoken::text(String::new(), "function_call")
        }
    }

    pub fn tokens(&self) -> usize {
        let calls = self
            .calls
            .iter()
            .map(|call| count_tokens(&call.name) + count_tokens(&call.arguments.to_string()));
        let reasoning = self.reasoning.as_deref().map_or(0, count_tokens);
        count_tokens(&self.text) + reasoning + calls.sum::<usize>()
    }

    /// As a thread keeps it.
    pub fn message(&self) -> Message {
        let mut content = vec![json!({"text": self.text})];
        for call in &self.calls {
            content.push(json!({"function_call": {"id": call.id, "name": call.name,
                "arguments": call.arguments}}));
        }
        // A script may dictate arguments that are no object: then the thread keeps the text alone.
        let whole = serde_json::from_value(json!({"role": "assistant", "content": content}));
        whole.unwrap_or(Message {
            role: "assistant".to_owned(),
            content: Vec::new(),
        })
    }
}

/// The answer by the emulator's own rule; `conversation` is the request as v1 has it.
pub(super) fn answer(request: &Request, conversation: &mut ChatRequest) -> Spoken {
    let messages = conversation.messages();
    let users = messages.iter().rev().find(|message| message.role == "user");
    let asked = users
        .map(|message| message.text().to_owned())
        .unwrap_or_default();
    let answers_result = messages.last().is_some_and(|last| last.role == "function");
    if chat::is_forbidden(&asked) {
        return said(chat::answer(conversation));
    }
    let mut spoken = match tools::choose(request, &asked, answers_result) {
        Choice::Call(functions) => {
            let calls = functions
                .into_iter()
                .map(|function| (function.name.clone(), chat::arguments(function, &asked)));
            Spoken::calls(calls, request)
        }
        Choice::BuiltIn(tool) => by_tool(tool, &asked, said(chat::answer(conversation))),
        Choice::Text => text(request, conversation, &asked),
    };
    spoken.reasoning = reasoning(request, &asked);
    spoken
}

/// What a script dictates; `Err` gives the script back: an exact body.
pub(super) fn scripted(script: Answer, request: &Request) -> Result<Spoken, Answer> {
    match script {
        Answer::Text(text) => Ok(Spoken::text(text, "stop")),
        Answer::Finish { text, reason } => Ok(Spoken::text(text, &reason)),
        Answer::Chunks(chunks) => Ok(Spoken {
            chunks: Some(chunks.clone()),
            ..Spoken::text(chunks.concat(), "stop")
        }),
        Answer::FunctionCall { name, arguments } => {
            Ok(Spoken::calls(std::iter::once((name, arguments)), request))
        }
        Answer::FunctionCalls(calls) => {
            let calls = calls
                .into_iter()
                .map(|Call { name, arguments }| (name, arguments));
            Ok(Spoken::calls(calls, request))
        }
        exact => Err(exact),
    }
}

fn said(said: Said) -> Spoken {
    let text = match said.content {
        Content::Text(text) => text,
        Content::Chunks(chunks) => chunks.concat(),
        Content::Made { text, .. } => text,
        Content::Call { .. } => String::new(),
    };
    Spoken::text(text, &said.finish_reason)
}

fn text(request: &Request, conversation: &mut ChatRequest, asked: &str) -> Spoken {
    let format = request.options().response_format.as_ref();
    let regex = format.and_then(|format| format.regex.as_deref());
    if let Some(matching) = regex.and_then(chat::plainest_match) {
        return Spoken::text(matching, "stop");
    }
    let Some(schema) = format.and_then(|format| format.schema.as_ref()) else {
        return said(chat::answer(conversation));
    };
    // Clients may send the schema as a text.
    let read = schema
        .as_str()
        .and_then(|text| serde_json::from_str(text).ok());
    let json = four_spaces(&chat::instance(read.as_ref().unwrap_or(schema), asked));
    let most = request
        .options()
        .max_tokens
        .and_then(|most| usize::try_from(most).ok());
    match most.map(|most| cut_to_tokens(&json, most)) {
        Some(kept) if kept.len() < json.len() => Spoken::text(kept.to_owned(), "length"),
        _ => Spoken::text(json, "stop"),
    }
}

/// As recorded (addendum A3.2).
fn four_spaces(value: &Value) -> String {
    let mut bytes = Vec::new();
    let formatter = serde_json::ser::PrettyFormatter::with_indent(b"    ");
    let mut writer = serde_json::Serializer::with_formatter(&mut bytes, formatter);
    // Writing JSON to memory does not fail.
    let _ = serde::Serialize::serialize(value, &mut writer);
    String::from_utf8(bytes).unwrap_or_default()
}

fn by_tool(tool: &'static str, asked: &str, plain: Spoken) -> Spoken {
    let usual = Spoken {
        tool: Some(tool),
        ..plain
    };
    match tool {
        "image_generate" | "model_3d_generate" => Spoken {
            file: Some(Made::new(tool, asked)),
            text: asked.to_owned(),
            ..usual
        },
        "web_search" | "url_content_extraction" => Spoken {
            text: format!("{} [sources=[1]]", usual.text),
            sources: Some(json!({"images": [], "widgets": [],
                "sources": {"1": {"url": "https://example.com/1", "title": "The first source"}}})),
            ..usual
        },
        _ => Spoken {
            text: format!("{tool}: {}", usual.text),
            ..usual
        },
    }
}

/// With an effort, or when the message asks for thought.
fn reasoning(request: &Request, asked: &str) -> Option<String> {
    let settings = request.options().reasoning.as_ref();
    let effort = settings.and_then(|settings| settings.effort.as_deref());
    let wanted = effort.is_some_and(|effort| !["off", "none"].contains(&effort));
    if !wanted && !begins_with(asked, &["think about ", "подумай о "]) {
        return None;
    }
    let thought = format!("The user says: \"{asked}\". What is there to say about it?");
    let most = settings.and_then(|settings| settings.max_tokens);
    Some(cut_to_tokens(&thought, most.unwrap_or(usize::MAX)).to_owned())
}
