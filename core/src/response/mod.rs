//! What the service answers: a document with the report of its call, and the typed views of it:
//! a completion, models.
//!
//! Every answer keeps its JSON byte for byte; fields that this library does not know stay
//! readable there. Enumerations that the service owns (roles, finish reasons, model names) are
//! open texts.

mod answer;
mod completion;
mod document;
mod embeddings;
mod media;
mod model;
mod parts;
mod tree;

use std::time::Duration;

pub(crate) use answer::{complaint_of, complaint_of_failure};
pub(crate) use completion::{Choices, Content, WireMessage};
pub use document::{Document, Parts};
pub use embeddings::Embeddings;
pub use media::{GeneratedFile, Source};
pub(crate) use media::{MOST_COMPARED, add_sources, files_of_text};
pub use model::Model;
pub(crate) use parts::{Execution, Messages, Parts as MessageParts};
pub use tree::JsonTree;

use crate::api_version::ApiVersion;
use crate::error::{Error, ErrorKind, Phase};
use crate::wire::complaint::Complaint;
use crate::wire::words::plain;

/// How many tokens a call used, as the service counted them.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct TokenUsage {
    /// Tokens of the messages.
    pub prompt_tokens: u64,
    /// Tokens of the answer.
    pub completion_tokens: u64,
    /// What the service counts in total.
    pub total_tokens: u64,
    /// Prompt tokens that came from the session's cache; 0 when the service does not say.
    pub precached_prompt_tokens: u64,
}

/// A function that the model asks the program to call.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct FunctionCall {
    /// What tells two calls of one function apart; chat v1 has none.
    pub id: Option<String>,
    /// The function's name.
    pub name: String,
    /// Its arguments as JSON: an object, byte for byte as the service wrote it.
    pub arguments: String,
    /// To be sent back with the message of the call (`Request::add_response` does it): the
    /// `functions_state_id` of chat v1, the `tools_state_id` of v2.
    pub state_id: Option<String>,
}

/// Where a call's time went. All are measured by this library on a monotonic clock.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Timings {
    /// Waiting for a permit.
    pub queue: Duration,
    /// Waiting for an access token.
    pub token: Duration,
    /// From the permit to the first byte of the answer, of the last attempt's request.
    pub first_byte: Duration,
    /// From the permit to the first content (equals `total` for a unary answer).
    pub first_content: Duration,
    /// From the start of the call to its end.
    pub total: Duration,
}

/// What is known of a finished call beside its content.
#[derive(Clone, Debug, Default)]
pub struct CallReport {
    /// The service's request id (`X-Request-ID`), else the one that was sent.
    pub request_id: String,
    /// The service's session id (`X-Session-ID`).
    pub session_id: Option<String>,
    /// Where the time went.
    pub timings: Timings,
    /// How many requests were sent for this call.
    pub attempts: u32,
}

/// How a stream ended that was received whole.
#[derive(Clone, Debug, Default)]
pub struct StreamEnd {
    /// `stop`, `length`, `function_call`, `blacklist`, `error`, or a newer one.
    pub finish_reason: String,
    /// Token usage; `None` when the stream was ended at a stop sequence or the service sent none.
    pub usage: Option<TokenUsage>,
    /// The model that answered, with its version.
    pub model: String,
    /// The sources of the text, by the last event that named each.
    pub sources: Vec<Source>,
    /// The thread in which the service keeps the conversation, when it was asked to.
    pub thread_id: Option<String>,
    /// The state of the answer's message; see [`Response::state_id`].
    pub state_id: Option<String>,
    /// Which chat answered.
    pub api_version: ApiVersion,
    /// Ids, timings, attempts.
    pub report: CallReport,
}

/// A finished completion.
#[derive(Clone, Debug, Default)]
pub struct Response {
    /// The answer's text, cut before the first stop sequence.
    pub text: String,
    /// `stop`, `length`, `function_call`, `blacklist`, `error`, or a newer one.
    pub finish_reason: String,
    /// The functions to call, when the model asks for any; chat v1 asks for one at the most.
    pub function_calls: Vec<FunctionCall>,
    /// What the model thought before it answered; never a part of the text.
    pub reasoning: Option<String>,
    /// The files that the service made: parts of chat v2, `<img>` and its like in the text of v1.
    pub files: Vec<GeneratedFile>,
    /// The sources of the text.
    pub sources: Vec<Source>,
    /// The thread in which the service keeps the conversation, when it was asked to.
    pub thread_id: Option<String>,
    /// The state of the answer's message, which goes back with it in the history
    /// (`Request::add_response` does it).
    pub state_id: Option<String>,
    /// Which chat answered.
    pub api_version: ApiVersion,
    /// Token usage; `None` when the service sent none.
    pub usage: Option<TokenUsage>,
    /// The model that answered, with its version (`GigaChat:2.0.28.2`).
    pub model: String,
    /// The answer's JSON as it came.
    pub raw: String,
    /// Ids, timings, attempts.
    pub report: CallReport,
}

impl Response {
    /// The function to call; of several the first.
    pub fn function_call(&self) -> Option<&FunctionCall> {
        self.function_calls.first()
    }
}

/// The outcome of a health check that succeeded; one that did not is an error that says why.
#[derive(Clone, Debug)]
pub struct Health {
    /// From the start of the check to its end, token included.
    pub latency: Duration,
    /// How many models the account sees.
    pub models: usize,
    /// The service's request id.
    pub request_id: String,
}

/// The JSON as it came, but for a byte order mark and bytes that are no UTF-8.
fn text_of(body: Vec<u8>) -> String {
    let mut text = String::from_utf8(body)
        .unwrap_or_else(|why| String::from_utf8_lossy(why.as_bytes()).into_owned());
    if text.starts_with('\u{feff}') {
        text.drain(..'\u{feff}'.len_utf8());
    }
    text
}

fn unusable(why: &str, body: &[u8]) -> Error {
    Error::new(
        ErrorKind::Protocol,
        Phase::Body,
        format!("the service's answer cannot be used: {why}"),
    )
    .with_body(body)
    .with_status(200)
}

/// The error of a body that is not what was asked for, in the service's words if it has some.
pub(crate) fn not_a(what: &str, why: Option<serde_json::Error>, body: &[u8]) -> Error {
    if let Some(complaint) = Complaint::instead_of_answer(body, false) {
        return Error::of_complaint(
            complaint,
            "the service answered with an error",
            Phase::Body,
            body,
        );
    }
    let why = why.map_or(String::new(), |why| format!(" ({})", plain(&why)));
    unusable(&format!("it is not {what}{why}"), body)
}
