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
use generate::Content;
pub(crate) use generate::{Made, MadeKind, Said, is_forbidden};
pub(crate) use request::ChatRequest;
use shape::{Frame, Usage};
pub(crate) use validate::{is_function_name, read, refuse_json};

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
    // Section 3: a session id lets the service reuse the beginning of the conversation.
    let precached_prompt_tokens = match headers.contains_key("x-session-id") {
        true => earlier_tokens(request),
        false => 0,
    };
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
        Answer::Json(json) => Err(Reply::bytes(200, JSON, json.to_string())),
        Answer::Body(body) => Err(Reply::bytes(200, JSON, body)),
        Answer::RawSse(pieces) => Err(raw(pieces.into_iter().map(Bytes::from))),
        Answer::RawBytes(pieces) => Err(raw(pieces.into_iter().map(Bytes::from))),
    }
}

fn raw(pieces: impl Iterator<Item = Bytes>) -> Reply {
    let mut reply = Reply::bytes(200, EVENT_STREAM, "");
    reply.body = ReplyBody::Pieces(pieces.collect());
    reply
}
