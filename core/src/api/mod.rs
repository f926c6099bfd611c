//! The table of the service's operations, and what is asked of them.
//!
//! An operation is data: [`Operation`]. A request is an [`Ask`] that names one, an answer a
//! [`Document`]. Everything between the two (permits, tokens, deadlines, retries, errors) is the
//! same for all of them. Operations that JSON is the wrong shape for have a typed view in a file of
//! their own here.

mod ask;
mod chat;
mod embeddings;
mod models;
mod multipart;
mod named;
mod path;
mod payload;
mod table;
mod texts;
mod tokens;

pub use ask::{Ask, AttemptLimits};
pub use chat::{CHAT, CHAT_V2};
pub use embeddings::EMBEDDINGS;
pub(crate) use embeddings::{EMBEDDINGS_MODEL, parts};
pub use models::{HEALTH, MODEL, MODELS};
pub use multipart::{Multipart, Part};
pub(crate) use path::{Place, join};
pub use payload::Payload;
pub use table::{OPERATIONS, operation};
pub use texts::Texts;
pub use tokens::{TOKENS_COUNT, TokenCount};

use crate::error::{Error, Phase, Result};
use crate::response::{Document, not_a};
use crate::wire::complaint::Complaint;
use crate::wire::forgiving;

/// One operation of the service: a row of [`OPERATIONS`].
#[derive(Debug)]
pub struct Operation {
    /// What programs and logs call it.
    pub name: &'static str,
    /// The HTTP method.
    pub method: Method,
    /// Where it is, below the base URL: `/files/{id}`. The names in braces are filled in by
    /// [`Ask::set_path`]. `{path}` alone is any path at all.
    pub path: &'static str,
    /// What its request carries.
    pub takes: Takes,
    /// What its answer is.
    pub gives: Gives,
    /// The events that it answers with when it is asked for a stream, if it can be.
    pub events: Option<Events>,
    /// Whether it generates, and so needs a permit (I5).
    pub permit: bool,
    /// Which time limit bounds it.
    pub clock: Clock,
    /// Whether it may be sent again although the service may have done it already (I4). One that
    /// may not is sent again only when nothing of it can have been taken, or on 401 and 429.
    pub repeatable: bool,
    /// What a router does with it.
    pub routing: Routing,
    /// The version of this library that has it first.
    pub since: &'static str,
    /// Judges an answer of status 200, and keeps what it found.
    pub(crate) read: fn(Document, &Ask) -> Result<Document>,
}

/// The HTTP method of an operation.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Method {
    /// `GET`: without a body.
    Get,
    /// `POST`.
    Post,
}

/// What the request of an operation carries.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Takes {
    /// No body.
    Nothing,
    /// JSON.
    Json,
    /// A model and texts, or the JSON that has them.
    Texts,
    /// A form with files (`multipart/form-data`).
    Multipart,
    /// Bytes, of this content type unless the caller names another.
    Bytes(&'static str),
    /// Anything.
    Any,
}

/// What the answer of an operation is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Gives {
    /// JSON.
    Json,
    /// Bytes, of any content type.
    Bytes,
    /// Anything.
    Any,
}

/// The events of a stream.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Events {
    /// Chunks of chat v1, ended by `[DONE]`.
    V1,
    /// Named events of chat v2, ended by `response.message.done`.
    V2,
}

/// Which time limit bounds an operation.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Clock {
    /// `timeout` bounds the whole call.
    Call,
    /// `health_timeout` bounds the whole call.
    Health,
    /// `timeout` bounds the silence between the parts of the answer, not its length.
    Transfer,
}

/// What a router does with an operation.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Routing {
    /// Its strategy chooses the member, the next is asked when one fails, and it counts in the
    /// metrics.
    Routed,
    /// The members are asked in their order until one answers.
    AnyMember,
    /// It belongs to one account, so a router refuses it: ask a member.
    MemberOnly,
}

/// An answer that is JSON, unless it says in its own words that it is an error (I16).
fn json(document: Document, _: &Ask) -> Result<Document> {
    let document = any_json(document, &())?;
    let body = document.bytes();
    let complaint = Complaint::instead_of_answer(body, true).or_else(|| {
        Complaint::instead_of_answer(body, false).filter(|complaint| complaint.status.is_some())
    });
    match complaint {
        Some(complaint) => {
            let what = "the service answered with an error";
            Err(Error::of_complaint(complaint, what, Phase::Body, body))
        }
        None => Ok(document),
    }
}

/// An answer that is JSON, whatever it says.
fn any_json<T>(document: Document, _: &T) -> Result<Document> {
    let is_json = |json: &[u8]| serde_json::from_slice::<serde::de::IgnoredAny>(json);
    match forgiving(document.bytes(), is_json) {
        Ok(_) => Ok(document),
        Err(why) => Err(not_a("JSON", Some(why), document.bytes())),
    }
}

/// The answer of a path of the caller's: an error, if it is JSON that says so.
fn any_path(document: Document, ask: &Ask) -> Result<Document> {
    match any_json(document.clone(), &()) {
        Ok(_) => json(document, ask),
        Err(_) => Ok(document),
    }
}

/// An answer that may be anything.
fn anything(document: Document, _: &Ask) -> Result<Document> {
    Ok(document)
}
