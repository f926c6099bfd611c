//! Is the request authorized, known and valid? Then it is a job, else here is its refusal.
//!
//! The concurrency limit is not judged here: a slot is taken by `service` when the work begins.

use std::sync::Arc;

use bytes::Bytes;
use hyper::header::{AUTHORIZATION, CONTENT_TYPE, USER_AGENT};
use hyper::{HeaderMap, Method};

use crate::access::{Client, TokenState};
use crate::chat::{self, ChatRequest};
use crate::count::{self, CountRequest};
use crate::faults::Endpoint;
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
}

impl Job {
    pub fn endpoint(&self) -> Endpoint {
        match self {
            Job::Token(_) => Endpoint::Token,
            Job::Models | Job::Model(_) => Endpoint::Models,
            Job::Chat(request, _) if request.streams() => Endpoint::Stream,
            Job::Chat(..) => Endpoint::Chat,
            Job::Count(_) => Endpoint::Count,
        }
    }
}

/// The request as a job, or the answer that refuses it. A body that is too large is `None`.
pub(crate) fn admit(
    state: &State,
    door: Door,
    method: &Method,
    path: &str,
    headers: &HeaderMap,
    body: Option<Bytes>,
) -> Result<Job, Reply> {
    if path == OAUTH_PATH && door != Door::Api {
        expect(method, &Method::POST)?;
        state
            .counters
            .update(|counters| counters.token_requests += 1);
        let body = body.ok_or_else(too_large)?;
        return oauth::admit_key(state, headers, &body).map(Job::Token);
    }
    // Both prefixes are in use (section 1).
    let path = path.strip_prefix("/api").unwrap_or(path);
    let path = path.strip_prefix("/v1/").ok_or_else(not_found)?;
    if path == "token" {
        expect(method, &Method::POST)?;
        state
            .counters
            .update(|counters| counters.token_requests += 1);
        return oauth::admit_user(state, headers).map(Job::Token);
    }
    if path == "chat/completions" {
        state
            .counters
            .update(|counters| counters.chat_attempts += 1);
    }
    let client = authorize(state, headers)?;
    match path {
        "chat/completions" => {
            expect(method, &Method::POST)?;
            let request = chat::read(&json_body(headers, body)?, state.options.strict_schemas)?;
            Ok(Job::Chat(Box::new(request), client))
        }
        "tokens/count" => {
            expect(method, &Method::POST)?;
            let request = count::read(&json_body(headers, body)?)?;
            state
                .counters
                .update(|counters| counters.count_requests += 1);
            Ok(Job::Count(request))
        }
        _ => {
            let job = match path.strip_prefix("models") {
                Some("") => Job::Models,
                Some(rest) if rest.starts_with('/') => Job::Model(rest[1..].to_owned()),
                _ => return Err(not_found()),
            };
            expect(method, &Method::GET)?;
            state
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

fn json_body(headers: &HeaderMap, body: Option<Bytes>) -> Result<Bytes, Reply> {
    let is_json = headers
        .get(CONTENT_TYPE)
        .is_some_and(|value| value.as_bytes().starts_with(b"application/json"));
    if !is_json {
        return Err(Reply::error(400, "Content-Type must be application/json"));
    }
    body.ok_or_else(too_large)
}

fn expect(method: &Method, expected: &Method) -> Result<(), Reply> {
    match method == expected {
        true => Ok(()),
        false => Err(Reply::error(405, "Method Not Allowed")),
    }
}

fn not_found() -> Reply {
    Reply::error(404, "Not Found")
}

fn too_large() -> Reply {
    Reply::error(413, "Payload too large")
}
