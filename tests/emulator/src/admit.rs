//! Is the request authorized, known and valid? Then it is a job, else here is its refusal.
//!
//! The concurrency limit is not judged here: a slot is taken by `service` when the work begins.

use std::sync::Arc;

use bytes::Bytes;
use hyper::header::{AUTHORIZATION, USER_AGENT};
use hyper::http::request::Parts;
use hyper::{HeaderMap, Method};

use crate::access::{Client, TokenState};
use crate::ai_check;
use crate::balance;
use crate::batches;
use crate::call::{Call, expect, not_found, too_large};
use crate::chat::{self, ChatRequest};
use crate::chat_v2;
use crate::count::{self, CountRequest};
use crate::embeddings;
use crate::faults::Endpoint;
use crate::files;
use crate::filter_check;
use crate::functions;
use crate::oauth::{self, TokenJob};
use crate::reply::Reply;
use crate::service::{Door, OAUTH_PATH};
use crate::state::State;

/// An admitted request: authorized and valid.
pub(crate) enum Job {
    Token(TokenJob),
    Models,
    Model(String),
    Chat(Box<ChatRequest>, Arc<Client>),
    Count(CountRequest),
    ChatV2(Box<chat_v2::Chat>, Arc<Client>),
    /// Any other endpoint: its file says what to do.
    Other(Endpoint, Work),
}

pub(crate) type Work = Box<dyn FnOnce(&State) -> Reply + Send + Sync>;

impl Job {
    pub fn endpoint(&self) -> Endpoint {
        match self {
            Job::Token(_) => Endpoint::Token,
            Job::Models | Job::Model(_) => Endpoint::Models,
            Job::Chat(request, _) if request.streams() => Endpoint::Stream,
            Job::ChatV2(chat, _) if chat.streams() => Endpoint::Stream,
            Job::Chat(..) | Job::ChatV2(..) => Endpoint::Chat,
            Job::Count(_) => Endpoint::Count,
            Job::Other(endpoint, _) => *endpoint,
        }
    }
}

/// The request as a job, or the answer that refuses it. A body that is too large is `None`.
pub(crate) fn admit(
    state: &State,
    door: Door,
    head: &Parts,
    body: Option<Bytes>,
) -> Result<Job, Reply> {
    let path = head.uri.path();
    if path == OAUTH_PATH && door != Door::Api {
        expect(&head.method, &Method::POST)?;
        count_token_request(state);
        let body = body.ok_or_else(too_large)?;
        return oauth::admit_key(state, &head.headers, &body).map(Job::Token);
    }
    // Both prefixes are in use (section 1).
    let path = path.strip_prefix("/api").unwrap_or(path);
    if path.starts_with("/v2/files") {
        // Files are of v1 only; the front answers (section 4).
        return Err(Reply::front_page(403));
    }
    let is_v2 = path == "/v2/chat/completions";
    let path = match is_v2 {
        true => "chat/completions",
        false => path.strip_prefix("/v1/").ok_or_else(not_found)?,
    };
    if path == "token" {
        expect(&head.method, &Method::POST)?;
        count_token_request(state);
        return oauth::admit_user(state, &head.headers).map(Job::Token);
    }
    if path == "chat/completions" {
        state
            .counters
            .update(|counters| counters.chat_attempts += 1);
    }
    let call = Call {
        state,
        method: &head.method,
        query: head.uri.query(),
        headers: &head.headers,
        body,
        client: authorize(state, &head.headers)?,
    };
    match is_v2 {
        true => chat_v2::admit(&call),
        false => v1(&call, path),
    }
}

fn count_token_request(state: &State) {
    state
        .counters
        .update(|counters| counters.token_requests += 1);
}

/// The endpoints below `/v1`. Assistants and threads are not among them.
fn v1(call: &Call, path: &str) -> Result<Job, Reply> {
    match path {
        "chat/completions" => {
            call.expect(&Method::POST)?;
            let request = chat::read(&call.json_body()?, call.state.options.strict_schemas)?;
            let attached = request.messages().iter().flat_map(|m| &m.attachments);
            files::may_attach(call, attached.flatten())?;
            Ok(Job::Chat(Box::new(request), call.client.clone()))
        }
        "tokens/count" => {
            call.expect(&Method::POST)?;
            let request = count::read(&call.json_body()?)?;
            call.state
                .counters
                .update(|counters| counters.count_requests += 1);
            Ok(Job::Count(request))
        }
        "embeddings" => embeddings::admit(call),
        "batches" => batches::admit(call),
        "balance" => balance::admit(call),
        "ai/check" => ai_check::admit(call),
        "filter/check" => filter_check::admit(call),
        "functions/validate" => functions::admit_validate(call),
        "functions/convert" => functions::admit_convert(call),
        _ if path.starts_with("files") => files::admit(call, &path["files".len()..]),
        _ => {
            let job = match path.strip_prefix("models") {
                Some("") => Job::Models,
                Some(rest) if rest.starts_with('/') => Job::Model(rest[1..].to_owned()),
                _ => return Err(not_found()),
            };
            call.expect(&Method::GET)?;
            call.state
                .counters
                .update(|counters| counters.models_requests += 1);
            Ok(job)
        }
    }
}

/// The client whose token this is. Without a `User-Agent` the new host refuses first (section 1).
fn authorize(state: &State, headers: &HeaderMap) -> Result<Arc<Client>, Reply> {
    if state.options.require_user_agent && !headers.contains_key(USER_AGENT) {
        return Err(Reply::json(
            403,
            &serde_json::json!({"message": "Unauthorized"}),
        ));
    }
    let token = headers
        .get(AUTHORIZATION)
        .and_then(|value| value.to_str().ok())
        .and_then(|value| value.strip_prefix("Bearer "));
    match token.map(|token| state.access.look_up(token)) {
        Some(TokenState::Valid(client)) => Ok(client),
        Some(TokenState::Expired) => Err(Reply::error(401, "Token has expired")),
        Some(TokenState::Unknown) | None => Err(Reply::error(401, "Unauthorized")),
    }
}
