//! `POST /chat/completions`: read and judged in `request` and `validate`, answered by `generate`, written by
//! `shape`.

mod generate;
mod pattern;
mod request;
mod schema;
mod shape;
mod validate;

use std::time::Duration;

use bytes::Bytes;
use hyper::HeaderMap;

use crate::access::Client;
use crate::call::user;
use crate::files;
use crate::models;
use crate::oauth::unix_millis;
use crate::reply::{EVENT_STREAM, JSON, Reply, ReplyBody};
use crate::script::Answer;
use crate::state::State;
pub(crate) use generate::{
    Content, Made, MadeKind, Said, answer, arguments, begins_with, is_forbidden, stable_uuid,
};
pub(crate) use pattern::plainest_match;
pub(crate) use request::{ChatRequest, Function, Message};
pub(crate) use schema::instance;
use shape::{Frame, Usage};
pub(crate) use validate::{
    function_tokens, is_function_name, one_function as judge_function, prompt_tokens,
    ranges as judge_numbers, read, refuse_json,
};

/// Whose conversation it is.
pub(crate) struct Asker<'a> {
    pub state: &'a State,
    pub client: &'a Client,
    pub headers: &'a HeaderMap,
}

impl Asker<'_> {
    /// What an answer refers to can be downloaded, by whom it was made for.
    pub fn keep(&self, made: &Made) {
        let owner = files::Owner {
            account: self.client.name.clone(),
            user: user(self.headers),
        };
        let (filename, mime, content) = files::content_of(made.kind, &made.asked);
        let file = files::File::new(owner, made.id.clone(), filename.to_owned(), mime, content);
        self.state.files.keep(file);
    }
}

/// The answer to a request that is in order, scripted or generated.
pub(crate) fn reply(request: &ChatRequest, asker: &Asker, script: Option<Answer>) -> Reply {
    let said = match script {
        None => generate::answer(request),
        Some(answer) => match scripted(answer, request) {
            Ok(said) => said,
            Err(reply) => return reply,
        },
    };
    let frame = frame(request, asker.headers, &said);
    let model = request.model.as_deref().unwrap_or_default();
    asker.client.spend(model, frame.usage.total_tokens);
    if let Content::Made { file, .. } = &said.content {
        asker.keep(file);
    }
    if request.streams() {
        let interval = request.update_interval.unwrap_or(0.0);
        let interval = Duration::try_from_secs_f64(interval).unwrap_or_default();
        return shape::stream(&said, &frame, interval);
    }
    shape::whole(&said, &frame, request.n.unwrap_or(1).min(100))
}

fn frame(request: &ChatRequest, headers: &HeaderMap, said: &Said) -> Frame {
    let name = request.model.as_deref().unwrap_or_default();
    let prompt_tokens = validate::prompt_tokens(request);
    let precached_prompt_tokens = cached_tokens(request, headers);
    Frame {
        created: unix_millis() / 1000,
        model: models::versioned_chat_model(name).unwrap_or_default(),
        // Section 6.5: one model says it in the plural.
        object: match name {
            "GigaChat-3-Ultra" => "chat.completions",
            _ => "chat.completion",
        },
        usage: Usage {
            prompt_tokens,
            completion_tokens: said.completion_tokens,
            total_tokens: prompt_tokens + said.completion_tokens,
            precached_prompt_tokens,
        },
    }
}

/// Section 3: a session id lets the service reuse the beginning of the conversation.
pub(crate) fn cached_tokens(request: &ChatRequest, headers: &HeaderMap) -> usize {
    match headers.contains_key("x-session-id") {
        true => earlier_tokens(request),
        false => 0,
    }
}

/// The tokens of all messages but the last.
fn earlier_tokens(request: &ChatRequest) -> usize {
    let messages = request.messages();
    let earlier = messages.len().saturating_sub(1);
    messages[..earlier]
        .iter()
        .map(validate::message_tokens)
        .sum()
}

/// What a script dictates: words to be framed as usual, or an exact body.
fn scripted(answer: Answer, request: &ChatRequest) -> Result<Said, Reply> {
    match answer {
        Answer::Text(text) => Ok(Said::text(text, "stop")),
        Answer::Finish { text, reason } => Ok(Said::text(text, &reason)),
        Answer::Chunks(chunks) => Ok(Said {
            content: Content::Chunks(chunks.clone()),
            ..Said::text(chunks.concat(), "stop")
        }),
        Answer::FunctionCall { name, arguments } => Ok(Said::call(name, arguments, request)),
        Answer::FunctionCalls(calls) => match calls.into_iter().next() {
            Some(call) => Ok(Said::call(call.name, call.arguments, request)),
            None => Ok(Said::text(String::new(), "stop")),
        },
        body => Err(exact(body)),
    }
}

/// A body that a script gives byte for byte.
pub(crate) fn exact(answer: Answer) -> Reply {
    match answer {
        Answer::Json(json) => Reply::bytes(200, JSON, json.to_string()),
        Answer::Body(body) => Reply::bytes(200, JSON, body),
        Answer::RawSse(pieces) => raw(pieces.into_iter().map(Bytes::from)),
        Answer::RawBytes(pieces) => raw(pieces.into_iter().map(Bytes::from)),
        _ => Reply::error(500, "the script has no exact body"),
    }
}

fn raw(pieces: impl Iterator<Item = Bytes>) -> Reply {
    let mut reply = Reply::bytes(200, EVENT_STREAM, "");
    reply.body = ReplyBody::Pieces(pieces.collect());
    reply
}
