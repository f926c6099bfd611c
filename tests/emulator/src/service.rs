//! One request from its arrival to its answer: read, recorded, routed, admitted, distorted by faults, sent.
//!
//! Order matters and is the service's: authorization, then validity, then the concurrency limit. Faults come
//! behind them, so that a refused request uses none up.

use std::convert::Infallible;
use std::sync::Arc;
use std::sync::atomic::Ordering;
use std::time::Duration;

use bytes::{Bytes, BytesMut};
use http_body_util::BodyExt as _;
use hyper::body::Incoming;
use hyper::header::{AUTHORIZATION, CONTENT_TYPE, USER_AGENT};
use hyper::{HeaderMap, Method, Request, Response, Version};

use crate::access::{Client, Slot, TokenState};
use crate::body::AnswerBody;
use crate::chat::{self, ChatRequest};
use crate::connection::{Connection, Ending, InUse};
use crate::control;
use crate::count::{self, CountRequest};
use crate::faults::{Action, Endpoint};
use crate::models;
use crate::oauth::{self, TokenJob};
use crate::recorder::RecordedRequest;
use crate::reply::{Reply, replacement};
use crate::send;
use crate::state::State;
use crate::ticket::Ticket;

/// GigaChat REST reference, section 13: a larger body is answered 413.
const MOST_BODY_BYTES: usize = 20 << 20;
/// How much of a body that is too large is read and thrown away, so that the answer can be read.
const MOST_DISCARDED_BYTES: usize = 256 << 20;

const OAUTH_PATH: &str = "/api/v2/oauth";

/// What a listener is for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Door {
    /// Plain HTTP: everything, and the control endpoints.
    Plain,
    /// TLS for the API: no OAuth, which has a host of its own in reality.
    Api,
    /// TLS for everything.
    Everything,
}

/// An admitted request: authorized and valid.
enum Job {
    Token(TokenJob),
    Models,
    Model(String),
    Chat(Box<ChatRequest>, Arc<Client>),
    Count(CountRequest),
}

impl Job {
    fn endpoint(&self) -> Endpoint {
        match self {
            Job::Token(_) => Endpoint::Token,
            Job::Models | Job::Model(_) => Endpoint::Models,
            Job::Chat(request, _) if request.streams() => Endpoint::Stream,
            Job::Chat(..) => Endpoint::Chat,
            Job::Count(_) => Endpoint::Count,
        }
    }
}

/// One request in the service's hands.
pub(crate) struct Visit {
    pub state: Arc<State>,
    pub connection: Arc<Connection>,
    pub headers: HeaderMap,
    pub http2: bool,
    /// The token endpoint is another service than the API: its answers carry no ids.
    pub for_oauth: bool,
    pub in_use: InUse,
}

pub(crate) async fn serve(
    state: Arc<State>,
    connection: Arc<Connection>,
    door: Door,
    request: Request<Incoming>,
) -> Result<Response<AnswerBody>, Infallible> {
    let in_use = connection.begin_request();
    let (head, body) = request.into_parts();
    let http2 = head.version == Version::HTTP_2;
    if door == Door::Plain && head.uri.path().starts_with(control::PREFIX) {
        let Upload::Whole(body) = read_body(body).await else {
            return broken(&connection, Ending::Close).await;
        };
        let reply = control::reply(&state, &head.method, head.uri.path(), &body).await;
        return Ok(send::plainly(reply, connection, in_use));
    }
    if connection.break_next.load(Ordering::SeqCst) {
        return broken(&connection, Ending::Reset).await;
    }
    state.counters.update(|counters| match http2 {
        true => counters.http2_requests += 1,
        false => counters.http1_requests += 1,
    });
    let body = match read_body(body).await {
        Upload::Whole(body) => Some(body),
        Upload::TooLarge => None,
        Upload::Broken => {
            state
                .counters
                .update(|counters| counters.cancelled_requests += 1);
            // Its connection or stream is gone, and this future goes with it.
            return std::future::pending().await;
        }
    };
    if state.options.record {
        state.recorder.record(RecordedRequest {
            method: head.method.to_string(),
            path: head
                .uri
                .path_and_query()
                .map_or_else(String::new, ToString::to_string),
            headers: head.headers.clone(),
            body: body.clone().unwrap_or_default(),
            protocol: head.version,
            connection: connection.id,
        });
    }
    let visit = Visit {
        state,
        connection,
        headers: head.headers,
        http2,
        for_oauth: head.uri.path() == OAUTH_PATH,
        in_use,
    };
    let admitted = admit(&visit, door, &head.method, head.uri.path(), body);
    match admitted.and_then(|job| Ok((asked_faults(&visit.headers)?, job))) {
        Ok((asked, job)) => work(visit, job, asked).await,
        Err(refusal) => {
            let ticket = Ticket::plain(visit.state.clone(), visit.connection.clone());
            Ok(send::reply(visit, refusal, &[], ticket))
        }
    }
}

/// What came of a request's body.
enum Upload {
    Whole(Bytes),
    TooLarge,
    /// The client went away in the middle of it.
    Broken,
}

async fn read_body(mut body: Incoming) -> Upload {
    let mut first = Bytes::new();
    let mut joined = BytesMut::new();
    let mut length = 0;
    while let Some(frame) = body.frame().await {
        let Ok(frame) = frame else {
            return Upload::Broken;
        };
        let Ok(data) = frame.into_data() else {
            continue;
        };
        length += data.len();
        if length > MOST_DISCARDED_BYTES {
            return Upload::TooLarge;
        }
        if length > MOST_BODY_BYTES {
            joined.clear();
        } else if first.is_empty() {
            // Nearly every body comes in one frame: it is not copied then.
            first = data;
        } else {
            if joined.is_empty() {
                joined.extend_from_slice(&first);
            }
            joined.extend_from_slice(&data);
        }
    }
    match joined.is_empty() {
        _ if length > MOST_BODY_BYTES => Upload::TooLarge,
        true => Upload::Whole(first),
        false => Upload::Whole(joined.freeze()),
    }
}

fn admit(
    visit: &Visit,
    door: Door,
    method: &Method,
    path: &str,
    body: Option<Bytes>,
) -> Result<Job, Reply> {
    let state = &*visit.state;
    if path == OAUTH_PATH && door != Door::Api {
        expect(method, &Method::POST)?;
        state
            .counters
            .update(|counters| counters.token_requests += 1);
        let body = body.ok_or_else(too_large)?;
        return oauth::admit_key(state, &visit.headers, &body).map(Job::Token);
    }
    // Both prefixes are in use (section 1).
    let path = path.strip_prefix("/api").unwrap_or(path);
    let path = path.strip_prefix("/v1/").ok_or_else(not_found)?;
    if path == "token" {
        expect(method, &Method::POST)?;
        state
            .counters
            .update(|counters| counters.token_requests += 1);
        return oauth::admit_user(state, &visit.headers).map(Job::Token);
    }
    if path == "chat/completions" {
        state
            .counters
            .update(|counters| counters.chat_attempts += 1);
    }
    let client = authorize(state, &visit.headers)?;
    match path {
        "chat/completions" => {
            expect(method, &Method::POST)?;
            let request = chat::read(&json_body(&visit.headers, body)?)?;
            Ok(Job::Chat(Box::new(request), client))
        }
        "tokens/count" => {
            expect(method, &Method::POST)?;
            let request = count::read(&json_body(&visit.headers, body)?)?;
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

/// The faults that the request asks for itself, one or a list in each header; a spelling mistake is answered,
/// not ignored.
fn asked_faults(headers: &HeaderMap) -> Result<Vec<Action>, Reply> {
    let mut asked = Vec::new();
    for value in headers.get_all("x-emulator-fault") {
        let actions = control::list::<Action>(value.as_bytes())
            .map_err(|problem| Reply::error(400, &format!("X-Emulator-Fault: {problem}")))?;
        asked.extend(actions);
    }
    Ok(asked)
}

/// Answers an admitted request, as the faults that apply to it want it.
async fn work(
    visit: Visit,
    job: Job,
    asked: Vec<Action>,
) -> Result<Response<AnswerBody>, Infallible> {
    let endpoint = job.endpoint();
    let slot = match slot(&job).await {
        Ok(slot) => slot,
        Err(refusal) => {
            let ticket = Ticket::plain(visit.state.clone(), visit.connection.clone());
            return Ok(send::reply(visit, refusal, &[], ticket));
        }
    };
    let actions = visit.state.faults.choose(endpoint, asked);
    if !actions.is_empty() {
        let hits = actions.len() as u64;
        visit
            .state
            .counters
            .update(|counters| counters.fault_hits += hits);
    }
    let replaced = actions
        .iter()
        .find_map(|action| replacement(action, endpoint));
    let (state, connection) = (visit.state.clone(), visit.connection.clone());
    let mut ticket = match slot {
        Some(slot) => {
            let stream = endpoint == Endpoint::Stream;
            Ticket::generation(state, connection, slot, stream, replaced.is_none())
        }
        None => Ticket::plain(state, connection),
    };
    for action in &actions {
        match action {
            Action::DelayHeaders { ms } => tokio::time::sleep(Duration::from_millis(*ms)).await,
            Action::CutBeforeAnswer { reset } => {
                ticket.abort();
                let ending = match reset {
                    true => Ending::Reset,
                    false => Ending::Close,
                };
                return broken(&visit.connection, ending).await;
            }
            Action::CloseIdleThenReset => {
                visit.connection.break_next.store(true, Ordering::SeqCst);
            }
            Action::Goaway => {
                visit.connection.end(Ending::Graceful);
                // The connection's task sees it before the head of the answer is written.
                tokio::task::yield_now().await;
            }
            _ => {}
        }
    }
    let reply = match replaced {
        Some(reply) => reply,
        None => perform(&visit, job, &actions),
    };
    Ok(send::reply(visit, reply, &actions, ticket))
}

/// The slot of a generation; 429 if the client has none left.
async fn slot(job: &Job) -> Result<Option<Slot>, Reply> {
    let Job::Chat(_, client) = job else {
        return Ok(None);
    };
    for _ in 0..3 {
        if let Some(slot) = client.take_slot() {
            return Ok(Some(slot));
        }
        // A cancelled request whose connection is closed already must not count: let the news arrive.
        tokio::task::yield_now().await;
    }
    match client.take_slot() {
        Some(slot) => Ok(Some(slot)),
        None => Err(Reply::error(429, "Too many requests")),
    }
}

fn perform(visit: &Visit, job: Job, actions: &[Action]) -> Reply {
    match job {
        Job::Token(job) => oauth::issue(&visit.state, job, actions),
        Job::Models => models::list(),
        Job::Model(id) => models::one(&id),
        Job::Count(request) => count::reply(&request),
        Job::Chat(request, _) => chat::reply(&request, &visit.headers, visit.state.script.next()),
    }
}

/// Ends the connection without an answer; its task drops this future.
async fn broken(
    connection: &Connection,
    ending: Ending,
) -> Result<Response<AnswerBody>, Infallible> {
    connection.end(ending);
    std::future::pending().await
}
