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
use hyper::http::request::Parts;
use hyper::{HeaderMap, Request, Response, Version};

use crate::access::Slot;
use crate::action::Action;
use crate::admit::{Job, admit};
use crate::body::AnswerBody;
use crate::chat;
use crate::chat_v2;
use crate::connection::{Connection, Ending, InUse};
use crate::control;
use crate::count;
use crate::faults::Endpoint;
use crate::files;
use crate::models;
use crate::oauth;
use crate::recorder::RecordedRequest;
use crate::reply::{Reply, replacement};
use crate::send;
use crate::state::State;
use crate::ticket::Ticket;
use crate::upload_cut;

/// GigaChat REST reference, section 13: a larger body is answered 413.
const MOST_BODY_BYTES: usize = 20 << 20;
/// How much of a body that is too large is read and thrown away, so that the answer can be read.
const MOST_DISCARDED_BYTES: usize = 256 << 20;

pub(crate) const OAUTH_PATH: &str = "/api/v2/oauth";

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
        let Upload::Whole(body) = read_body(body, MOST_BODY_BYTES).await else {
            return broken(&connection, Ending::Close).await;
        };
        let reply = control::reply(&state, &head.method, head.uri.path(), &body).await;
        return Ok(send::plainly(reply, connection, in_use));
    }
    if connection.break_next.load(Ordering::SeqCst) {
        return broken(&connection, Ending::Reset).await;
    }
    if connection.hangs.load(Ordering::SeqCst) {
        state
            .counters
            .update(|counters| counters.unanswered_requests += 1);
        return std::future::pending().await;
    }
    state.counters.update(|counters| match http2 {
        true => counters.http2_requests += 1,
        false => counters.http1_requests += 1,
    });
    state.tally.count(&head.headers);
    if let Some(cut) = upload_cut::chosen(&state, &head) {
        cut.read(body).await;
        return broken(&connection, cut.ending).await;
    }
    let most = match head.uri.path().ends_with("/files") {
        true => files::MOST_UPLOAD_BYTES,
        false => MOST_BODY_BYTES,
    };
    let body = match read_body(body, most).await {
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
    record(&state, &connection, &head, body.as_ref());
    let admitted = admit(&state, door, &head, body);
    let visit = Visit {
        state,
        connection,
        for_oauth: head.uri.path() == OAUTH_PATH,
        headers: head.headers,
        http2,
        in_use,
    };
    match admitted.and_then(|job| Ok((asked_faults(&visit.headers)?, job))) {
        Ok((asked, job)) => work(visit, job, asked).await,
        Err(refusal) => {
            let ticket = Ticket::plain(visit.state.clone(), visit.connection.clone());
            Ok(send::reply(visit, refusal, &[], ticket))
        }
    }
}

fn record(state: &State, connection: &Connection, head: &Parts, body: Option<&Bytes>) {
    if !state.options.record {
        return;
    }
    let path = head.uri.path_and_query();
    state.recorder.record(RecordedRequest {
        method: head.method.to_string(),
        path: path.map_or_else(String::new, ToString::to_string),
        headers: head.headers.clone(),
        body: body.cloned().unwrap_or_default(),
        protocol: head.version,
        connection: connection.id,
    });
}

/// What came of a request's body.
enum Upload {
    Whole(Bytes),
    TooLarge,
    /// The client went away in the middle of it.
    Broken,
}

async fn read_body(mut body: Incoming, most: usize) -> Upload {
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
        if length > most {
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
        _ if length > most => Upload::TooLarge,
        true => Upload::Whole(first),
        false => Upload::Whole(joined.freeze()),
    }
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
    let actions = chosen_faults(&visit.state, endpoint, asked);
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
    delay(&actions).await;
    if let Some(ending) = cut(&actions) {
        ticket.abort();
        return broken(&visit.connection, ending).await;
    }
    mark_connection(&visit.connection, &actions).await;
    let reply = match replaced {
        Some(reply) => reply,
        None => perform(&visit, job, &actions),
    };
    Ok(send::reply(visit, reply, &actions, ticket))
}

fn chosen_faults(state: &State, endpoint: Endpoint, asked: Vec<Action>) -> Vec<Action> {
    let actions = state.faults.choose(endpoint, asked);
    if !actions.is_empty() {
        let hits = actions.len() as u64;
        state
            .counters
            .update(|counters| counters.fault_hits += hits);
    }
    actions
}

async fn delay(actions: &[Action]) {
    for action in actions {
        if let Action::DelayHeaders { ms } = action {
            tokio::time::sleep(Duration::from_millis(*ms)).await;
        }
    }
}

/// How the connection ends, if it is to end before the answer.
fn cut(actions: &[Action]) -> Option<Ending> {
    actions.iter().find_map(|action| match action {
        Action::CutBeforeAnswer { reset: true } => Some(Ending::Reset),
        Action::CutBeforeAnswer { reset: false } => Some(Ending::Close),
        _ => None,
    })
}

/// What is to become of the connection when this request is answered.
async fn mark_connection(connection: &Connection, actions: &[Action]) {
    if actions.contains(&Action::CloseIdleThenReset) {
        connection.break_next.store(true, Ordering::SeqCst);
    }
    if actions.contains(&Action::HangConnection) {
        connection.hangs.store(true, Ordering::SeqCst);
    }
    if actions.contains(&Action::Goaway) {
        connection.end(Ending::Graceful);
        // The connection's task sees it before the head of the answer is written.
        tokio::task::yield_now().await;
    }
}

/// The slot of a generation; 429 if the client has none left.
async fn slot(job: &Job) -> Result<Option<Slot>, Reply> {
    let (Job::Chat(_, client) | Job::ChatV2(_, client)) = job else {
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
        Job::Chat(request, client) => {
            let asker = chat::Asker {
                state: &visit.state,
                client: &client,
                headers: &visit.headers,
            };
            chat::reply(&request, &asker, visit.state.script.next())
        }
        Job::ChatV2(chat, client) => {
            let asker = chat::Asker {
                state: &visit.state,
                client: &client,
                headers: &visit.headers,
            };
            chat_v2::reply(&chat, &asker, visit.state.script.next(), actions)
        }
        Job::Other(_, work) => work(&visit.state),
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
