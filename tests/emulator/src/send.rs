//! A reply becomes a response: headers, ids, counters, and the body as it is or as a plan.

use std::borrow::Cow;
use std::sync::Arc;
use std::time::{Duration, SystemTime};

use hyper::header::{CONTENT_ENCODING, CONTENT_TYPE, HeaderName, HeaderValue};
use hyper::{HeaderMap, Response, StatusCode};

use crate::action::Action;
use crate::body::AnswerBody;
use crate::connection::{Connection, InUse};
use crate::distort;
use crate::reply::{Reply, ReplyBody};
use crate::service::Visit;
use crate::ticket::Ticket;

/// A header map holds 32,768, and the others have to fit.
const MOST_HEADERS: usize = 20_000;

/// The response of the service, counted before its first byte leaves.
pub(crate) fn reply(
    visit: Visit,
    reply: Reply,
    actions: &[Action],
    mut ticket: Ticket,
) -> Response<AnswerBody> {
    let headers = headers(&visit, &reply, actions);
    let status = reply.status;
    visit
        .state
        .counters
        .update(|counters| counters.answered(status));
    let Visit {
        connection,
        in_use,
        http2,
        ..
    } = visit;
    let mut body = match reply.body {
        ReplyBody::Whole(bytes) if !reply.chunked && distort::leaves_body_alone(actions) => {
            ticket.finish();
            AnswerBody::whole(bytes, connection, in_use)
        }
        body => {
            let mut plan = distort::plan(body, actions);
            plan.declared = plan.declared.filter(|_| !reply.chunked);
            AnswerBody::planned(plan, http2, ticket, connection, in_use)
        }
    };
    body.close_after = actions.contains(&Action::CloseAfterResponse);
    response(status, headers, body)
}

/// The response of a control endpoint: uncounted, and subject to nothing.
pub(crate) fn plainly(
    reply: Reply,
    connection: Arc<Connection>,
    in_use: InUse,
) -> Response<AnswerBody> {
    let mut headers = HeaderMap::new();
    insert(&mut headers, CONTENT_TYPE, &reply.content_type);
    let bytes = match reply.body {
        ReplyBody::Whole(bytes) => bytes,
        ReplyBody::Events(_) | ReplyBody::Pieces(_) => bytes::Bytes::new(),
    };
    response(
        reply.status,
        headers,
        AnswerBody::whole(bytes, connection, in_use),
    )
}

fn response(status: u16, headers: HeaderMap, body: AnswerBody) -> Response<AnswerBody> {
    let mut response = Response::new(body);
    // A fault may ask for a number that is no status: 500 then.
    *response.status_mut() =
        StatusCode::from_u16(status).unwrap_or(StatusCode::INTERNAL_SERVER_ERROR);
    *response.headers_mut() = headers;
    response
}

fn headers(visit: &Visit, reply: &Reply, actions: &[Action]) -> HeaderMap {
    let mut headers = HeaderMap::with_capacity(8);
    insert(&mut headers, CONTENT_TYPE, &reply.content_type);
    // Section 3: always there, echoed or generated.
    let ids: &[_] = match visit.for_oauth {
        true => &[],
        false => &["x-request-id", "x-session-id"],
    };
    for &name in ids {
        let name = HeaderName::from_static(name);
        match visit.headers.get(&name) {
            Some(value) => drop(headers.insert(name, value.clone())),
            None => insert(&mut headers, name, &visit.state.ids.uuid().to_string()),
        }
    }
    // Clients read the user's id back (addendum A8).
    let user = visit.headers.get("x-client-id");
    if let Some(user) = user.filter(|_| !visit.for_oauth) {
        headers.insert(HeaderName::from_static("x-client-id"), user.clone());
    }
    for (name, value) in &reply.headers {
        insert_named(&mut headers, name, value);
    }
    for action in actions {
        match action {
            Action::WrongContentType { content_type } => {
                insert(&mut headers, CONTENT_TYPE, content_type);
            }
            Action::ContentEncodingGzip => insert(&mut headers, CONTENT_ENCODING, "gzip"),
            Action::ManyHeaders { count } => {
                for number in 0..(*count).min(MOST_HEADERS) {
                    insert_named(&mut headers, &format!("x-filler-{number}"), "1");
                }
            }
            Action::Headers { headers: more } => {
                for (name, value) in more {
                    insert_named(&mut headers, name, value);
                }
            }
            _ => {}
        }
    }
    headers
}

fn insert_named(headers: &mut HeaderMap, name: &str, value: &str) {
    if let Ok(name) = HeaderName::try_from(name) {
        insert(headers, name, &with_dates(value));
    }
}

/// What cannot stand in a header is left out: the emulator's answers are ASCII, a fault's need not be.
fn insert(headers: &mut HeaderMap, name: HeaderName, value: &str) {
    if let Ok(value) = HeaderValue::from_bytes(value.as_bytes()) {
        headers.insert(name, value);
    }
}

/// Replaces `{date+3}` by the HTTP date in three seconds, `{date-3}` by that of three seconds ago.
fn with_dates(value: &str) -> Cow<'_, str> {
    let Some((before, rest)) = value.split_once("{date") else {
        return value.into();
    };
    let Some((offset, after)) = rest.split_once('}') else {
        return value.into();
    };
    // HTTP dates end with the year 9999.
    let Some(seconds) = offset.parse::<i32>().ok().map(i64::from) else {
        return value.into();
    };
    let distance = Duration::from_secs(seconds.unsigned_abs());
    let time = match seconds < 0 {
        true => SystemTime::now().checked_sub(distance),
        false => SystemTime::now().checked_add(distance),
    };
    match time {
        Some(time) => format!("{before}{}{after}", httpdate::fmt_http_date(time)).into(),
        None => value.into(),
    }
}
