//! An answer before it is sent: status, headers, and a body of bytes or of events.
//!
//! The usual answers are made here; what faults do to them is in `distort`.

use std::borrow::Cow;

use bytes::Bytes;
use hyper::StatusCode;
use serde::Serialize;

use crate::action::Action;
use crate::faults::Endpoint;

pub(crate) const JSON: &str = "application/json; charset=utf-8";
/// Neither UTF-8 nor JSON: a NUL, bytes that no character begins with, half a character.
const BINARY: &[u8] = b"\x00\xff\xfe{\"message\":\x80\xd0";
pub(crate) const EVENT_STREAM: &str = "text/event-stream";

#[derive(Debug)]
pub(crate) struct Reply {
    pub status: u16,
    pub content_type: Cow<'static, str>,
    pub headers: Vec<(String, String)>,
    pub body: ReplyBody,
    /// Without a `Content-Length`, as some answers of the service come.
    pub chunked: bool,
}

#[derive(Debug)]
pub(crate) enum ReplyBody {
    Whole(Bytes),
    Events(Vec<Event>),
    /// Exactly these bytes, piece by piece.
    Pieces(Vec<Bytes>),
}

/// One event of a stream.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Event {
    pub kind: EventKind,
    /// What stands behind `event:`, in v2.
    pub name: Option<&'static str>,
    /// What stands behind `data:`.
    pub data: String,
    /// How long the service takes over it.
    pub after: std::time::Duration,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum EventKind {
    /// It carries text or a function call.
    Chunk,
    /// Progress, finish reason, garbage.
    Other,
    /// `[DONE]`; in v2 `response.message.done`.
    Done,
}

impl Event {
    pub fn new(kind: EventKind, data: impl Into<String>) -> Event {
        Event {
            kind,
            name: None,
            data: data.into(),
            after: std::time::Duration::ZERO,
        }
    }
}

impl Event {
    pub fn named(kind: EventKind, name: &'static str, data: impl Into<String>) -> Event {
        Event {
            name: Some(name),
            ..Event::new(kind, data)
        }
    }
}

/// The body of API errors (GigaChat REST reference, section 13).
#[derive(Serialize)]
struct ApiError<'a> {
    status: u16,
    message: &'a str,
}

/// The body of token errors (section 2.4).
#[derive(Serialize)]
struct TokenError<'a> {
    #[serde(skip_serializing_if = "Option::is_none")]
    code: Option<u16>,
    message: &'a str,
}

impl Reply {
    pub fn bytes(status: u16, content_type: &'static str, body: impl Into<Bytes>) -> Reply {
        Reply {
            status,
            content_type: content_type.into(),
            headers: Vec::new(),
            body: ReplyBody::Whole(body.into()),
            chunked: false,
        }
    }

    pub fn json(status: u16, body: &impl Serialize) -> Reply {
        // Our own structs have no map with keys that are not text, the only thing that fails here.
        Reply::bytes(status, JSON, serde_json::to_vec(body).unwrap_or_default())
    }

    pub fn events(events: Vec<Event>) -> Reply {
        Reply {
            status: 200,
            content_type: EVENT_STREAM.into(),
            headers: Vec::new(),
            body: ReplyBody::Events(events),
            chunked: false,
        }
    }

    pub fn error(status: u16, message: &str) -> Reply {
        Reply::json(status, &ApiError { status, message })
    }

    /// What the nginx in front of the service answers.
    pub fn front_page(status: u16) -> Reply {
        Reply::bytes(status, "text/html", html_page(status))
    }

    pub fn invalid(message: &str) -> Reply {
        Reply::error(422, &format!("Invalid params: {message}"))
    }

    pub fn token_error(status: u16, code: Option<u16>, message: &str) -> Reply {
        Reply::json(status, &TokenError { code, message })
    }
}

/// The answer that a fault puts in place of the real one, if it is such a fault.
pub(crate) fn replacement(action: &Action, endpoint: Endpoint) -> Option<Reply> {
    match action {
        Action::Status {
            code,
            body,
            content_type,
            headers,
        } => {
            let mut reply = usual_error(*code, endpoint);
            if let Some(body) = body {
                reply.body = ReplyBody::Whole(body.clone().into());
            }
            if let Some(content_type) = content_type {
                reply.content_type = content_type.clone().into();
            }
            reply
                .headers
                .extend(headers.iter().map(|(n, v)| (n.clone(), v.clone())));
            Some(reply)
        }
        Action::HtmlError { code } => Some(Reply::front_page(*code)),
        Action::EmptyBody { code } => Some(Reply::bytes(*code, JSON, "")),
        Action::BinaryBody { code } => Some(Reply::bytes(*code, JSON, BINARY)),
        Action::Redirect { to, code } => {
            let mut reply = Reply::bytes(*code, "text/html", html_page(*code));
            reply.headers.push(("location".to_owned(), to.clone()));
            Some(reply)
        }
        _ => None,
    }
}

fn usual_error(status: u16, endpoint: Endpoint) -> Reply {
    if endpoint == Endpoint::Token {
        return match status {
            400 => Reply::token_error(
                400,
                Some(7),
                "scope from db not fully includes consumed scope",
            ),
            401 => Reply::token_error(401, Some(6), "credentials doesn't match db data"),
            _ => Reply::token_error(status, None, usual_message(status)),
        };
    }
    Reply::error(status, usual_message(status))
}

fn usual_message(status: u16) -> &'static str {
    match status {
        401 => "Unauthorized",
        403 => "Permission denied",
        404 => "No such model",
        413 => "Payload too large",
        422 => "Invalid params: the emulator was told to refuse",
        429 => "Too many requests",
        _ => reason(status),
    }
}

fn reason(status: u16) -> &'static str {
    StatusCode::from_u16(status)
        .ok()
        .and_then(|status| status.canonical_reason())
        .unwrap_or("Unknown")
}

/// What the nginx in front of the service answers.
fn html_page(status: u16) -> String {
    let title = format!("{status} {}", reason(status));
    format!(
        "<html>\r\n<head><title>{title}</title></head>\r\n<body>\r\n<center><h1>{title}</h1></center>\r\n\
         <hr><center>nginx</center>\r\n</body>\r\n</html>\r\n"
    )
}
