//! What can go wrong: one `Error`, one `Phase`, the kinds of `error_kind`.
//!
//! An error says what went wrong, in which request (request id) and what the user can do. It
//! carries everything that had arrived before it (partial text of a stream, the service's body).
//! It never carries a secret.

use std::fmt;
use std::time::Duration;

use crate::limits::Refused;
use crate::wire::complaint::Complaint;

pub use crate::error_kind::ErrorKind;

/// The part of a call in which it failed.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum Phase {
    /// Before anything was sent: the caller's input, the configuration.
    Input,
    /// Starting the library's own threads.
    Start,
    /// Waiting for a permit (`queue_timeout`).
    Queue,
    /// Getting an access token.
    Token,
    /// Opening the connection, TLS included (`connect_timeout`).
    Connect,
    /// The request is sent, no answer byte has come.
    Answer,
    /// Reading the body of an answer.
    Body,
    /// A stream before its first content.
    FirstContent,
    /// A stream between contents (`idle_timeout`).
    Idle,
    /// A stream's total time (`stream_timeout`).
    Total,
    /// Waiting before the next attempt.
    Backoff,
}

impl Phase {
    /// Every phase, in the order of a call.
    pub const ALL: &'static [Phase] = &[
        Phase::Input,
        Phase::Start,
        Phase::Queue,
        Phase::Token,
        Phase::Connect,
        Phase::Answer,
        Phase::Body,
        Phase::FirstContent,
        Phase::Idle,
        Phase::Total,
        Phase::Backoff,
    ];

    /// The phase of this name, if there is one.
    pub fn named(name: &str) -> Option<Phase> {
        Phase::ALL
            .iter()
            .copied()
            .find(|phase| phase.name() == name)
    }

    /// The phase's name in lower snake case.
    pub const fn name(self) -> &'static str {
        match self {
            Phase::Input => "input",
            Phase::Start => "start",
            Phase::Queue => "queue",
            Phase::Token => "token",
            Phase::Connect => "connect",
            Phase::Answer => "answer",
            Phase::Body => "body",
            Phase::FirstContent => "first_content",
            Phase::Idle => "idle",
            Phase::Total => "total",
            Phase::Backoff => "backoff",
        }
    }
}

/// An attempt that failed.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct RouteAttempt {
    /// The member's name; `outer/inner` for a member of a router that is a member itself.
    pub member: String,
    /// The cause.
    pub kind: ErrorKind,
    /// The HTTP status, when there was an answer.
    pub status: Option<u16>,
    /// The request's id, when one was sent.
    pub request_id: Option<String>,
    /// From the attempt's start to its failure.
    pub duration: Duration,
}

/// The result of everything here that can fail.
pub type Result<T> = std::result::Result<T, Error>;

/// One error. Cheap to move; a clone is a copy that is independent of the original.
#[derive(Clone)]
pub struct Error(Box<Details>);

#[derive(Clone)]
struct Details {
    kind: ErrorKind,
    phase: Phase,
    message: String,
    status: Option<u16>,
    code: Option<i64>,
    request_id: Option<String>,
    retry_after: Option<Duration>,
    retryable: bool,
    attempts: u32,
    body: Vec<u8>,
    partial_text: Option<String>,
    route: Vec<RouteAttempt>,
    foreign: Option<u64>,
}

/// A service's error body is kept up to this many bytes.
const MAX_KEPT_BODY: usize = 64 * 1024;

impl Error {
    /// An error of this kind. `message` says what went wrong and what to do, in a sentence or two.
    pub fn new(kind: ErrorKind, phase: Phase, message: impl Into<String>) -> Error {
        Error(Box::new(Details {
            kind,
            phase,
            message: message.into(),
            status: None,
            code: None,
            request_id: None,
            retry_after: None,
            retryable: false,
            attempts: 0,
            body: Vec::new(),
            partial_text: None,
            route: Vec::new(),
            foreign: None,
        }))
    }

    /// Input that this library refuses: names the field, the value and what is accepted (I11).
    pub fn invalid(field: &str, value: impl fmt::Display, accepted: &str) -> Error {
        Error::new(
            ErrorKind::InvalidRequest,
            Phase::Input,
            format!("{field}: {value} is not accepted; it must be {accepted}"),
        )
    }

    /// An option that this library refuses: names the field, the value and what is accepted.
    pub fn configuration(field: &str, value: impl fmt::Display, accepted: &str) -> Error {
        Error::new(
            ErrorKind::Configuration,
            Phase::Input,
            format!("{field}: {value} is not accepted; it must be {accepted}"),
        )
    }

    /// Something that has to be given and is not: names the field and what to do.
    pub(crate) fn missing(kind: ErrorKind, field: &str, remedy: &str) -> Error {
        Error::new(kind, Phase::Input, format!("{field}: missing; {remedy}"))
    }

    /// The error of an option that was refused: of a configuration, a router's settings.
    pub(crate) fn of_option(refused: Refused) -> Error {
        Error::configuration(&refused.field, refused.value, &refused.accepted)
    }

    /// The error of a part of a request that was refused, its own options included.
    pub(crate) fn of_input(refused: Refused) -> Error {
        Error::invalid(&refused.field, refused.value, &refused.accepted)
    }

    /// A fault of the library or of the machine, which `message` describes.
    pub fn internal(message: impl Into<String>) -> Error {
        Error::new(ErrorKind::Internal, Phase::Input, message)
    }

    pub(crate) fn cancelled() -> Error {
        Error::new(ErrorKind::Cancelled, Phase::Input, "the call was cancelled")
    }

    /// The error of everything that was begun in the parent of a forked process.
    pub fn forked() -> Error {
        Error::new(
            ErrorKind::Forked,
            Phase::Input,
            "this was begun in the parent of this forked process; begin it anew here (providers can be used as they are)",
        )
    }

    /// The error of work that a shutdown took away before it could end.
    pub(crate) fn shut_down() -> Error {
        Error::new(
            ErrorKind::Shutdown,
            Phase::Input,
            "the library was shut down before this could end",
        )
    }

    /// The error of a panic, with its text.
    pub fn of_panic(payload: &(dyn std::any::Any + Send)) -> Error {
        let text = payload
            .downcast_ref::<&str>()
            .map(|text| (*text).to_owned())
            .or_else(|| payload.downcast_ref::<String>().cloned())
            .unwrap_or_else(|| "no text".to_owned());
        Error::internal(format!(
            "a fault in the library (panic: {text}); please report it"
        ))
    }

    /// The error that a service's complaint stands for, where it came instead of an answer.
    pub(crate) fn of_complaint(
        complaint: Complaint,
        what: &str,
        phase: Phase,
        body: &[u8],
    ) -> Error {
        let status = complaint.status;
        let kind = status.map_or(ErrorKind::Server, ErrorKind::of_status);
        let words = complaint.words.as_deref();
        let words = words.unwrap_or("an error without words");
        Error::new(kind, phase, format!("{what}: {words}"))
            .with_status(status.unwrap_or(200))
            .with_code(complaint.code)
            .with_retryable(matches!(status, Some(429 | 500 | 502 | 503 | 504)))
            .with_body(body)
    }

    /// What went wrong, as a caller decides by it.
    pub fn kind(&self) -> ErrorKind {
        self.0.kind
    }

    /// In which part of the call.
    pub fn phase(&self) -> Phase {
        self.0.phase
    }

    /// What went wrong and what to do, without the identifiers that `Display` adds.
    pub fn message(&self) -> &str {
        &self.0.message
    }

    /// The HTTP status of the answer, when there was one.
    pub fn status(&self) -> Option<u16> {
        self.0.status
    }

    /// The service's own code from the error body (OAuth: 1, 4, 5, 6, 7), when there was one.
    pub fn code(&self) -> Option<i64> {
        self.0.code
    }

    /// The service's `X-Request-ID` of the failed request, or the one that was sent.
    pub fn request_id(&self) -> Option<&str> {
        self.0.request_id.as_deref()
    }

    /// How long the service asks to wait before the next request.
    pub fn retry_after(&self) -> Option<Duration> {
        self.0.retry_after
    }

    /// Whether the same call may succeed later without a change.
    pub fn retryable(&self) -> bool {
        self.0.retryable
    }

    /// How many requests were sent for this call (token requests not counted).
    pub fn attempts(&self) -> u32 {
        self.0.attempts
    }

    /// The body of the service's answer (at most 64 KiB of it); empty when there was none.
    pub fn body(&self) -> &[u8] {
        &self.0.body
    }

    /// The text that a stream had delivered before it broke; `None` when this was no stream.
    pub fn partial_text(&self) -> Option<&str> {
        self.0.partial_text.as_deref()
    }

    /// Every attempt of a routed call, the last one included; empty when no router was asked.
    pub fn route_attempts(&self) -> &[RouteAttempt] {
        &self.0.route
    }

    /// The number by which a binding finds the exception of the program's own that this stands for.
    #[doc(hidden)]
    pub fn foreign(&self) -> Option<u64> {
        self.0.foreign
    }

    /// The same error, which stands for an exception that a binding keeps under this number.
    #[doc(hidden)]
    pub fn with_foreign(mut self, number: u64) -> Error {
        self.0.foreign = Some(number);
        self
    }

    /// The same error with the attempts of a routed call.
    pub fn with_route_attempts(mut self, attempts: Vec<RouteAttempt>) -> Error {
        self.0.route = attempts;
        self
    }

    /// The same error with the HTTP status of the answer.
    pub fn with_status(mut self, status: u16) -> Error {
        self.0.status = Some(status);
        self
    }

    /// The same error with the service's own code.
    pub fn with_code(mut self, code: Option<i64>) -> Error {
        self.0.code = code;
        self
    }

    /// The same error with this request id, unless it has one.
    pub fn with_request_id(mut self, id: Option<&str>) -> Error {
        if let Some(id) = id.filter(|_| self.0.request_id.is_none()) {
            self.0.request_id = Some(id.to_owned());
        }
        self
    }

    /// The same error with the time after which the request may be sent again.
    pub fn with_retry_after(mut self, wait: Option<Duration>) -> Error {
        self.0.retry_after = wait;
        self
    }

    /// The same error, saying whether the call may succeed later without a change.
    pub fn with_retryable(mut self, retryable: bool) -> Error {
        self.0.retryable = retryable;
        self
    }

    /// The same error with how many requests were sent.
    pub fn with_attempts(mut self, attempts: u32) -> Error {
        self.0.attempts = attempts;
        self
    }

    pub(crate) fn with_body(mut self, body: &[u8]) -> Error {
        self.0.body = body[..body.len().min(MAX_KEPT_BODY)].to_vec();
        self
    }

    /// The same with `[secret]` wherever this text was, also where it was cut.
    pub(crate) fn without(mut self, secret: &str) -> Error {
        const HIDDEN: &str = "[secret]";
        let details = &mut *self.0;
        let mut texts = [Some(&mut details.message), details.request_id.as_mut()];
        for text in texts.iter_mut().flatten() {
            if text.contains(secret) {
                **text = text.replace(secret, HIDDEN);
            }
            if let Some(end) = text.rfind('…')
                && let Some(begin) = cut_beginning(&text.as_bytes()[..end], secret)
            {
                text.replace_range(begin..end, HIDDEN);
            }
        }
        let mut rest = std::mem::take(&mut details.body);
        while let Some(at) = memchr::memmem::find(&rest, secret.as_bytes()) {
            details.body.extend_from_slice(&rest[..at]);
            details.body.extend_from_slice(HIDDEN.as_bytes());
            rest.drain(..at + secret.len());
        }
        if details.body.len() + rest.len() >= MAX_KEPT_BODY
            && let Some(begin) = cut_beginning(&rest, secret)
        {
            rest.truncate(begin);
        }
        details.body.append(&mut rest);
        details.body.truncate(MAX_KEPT_BODY);
        self
    }

    /// The same error with the text that had been delivered before it.
    pub fn with_partial_text(mut self, text: String) -> Error {
        self.0.partial_text = Some(text);
        self
    }
}

/// Where the beginning of a secret begins with which a text ends, if that is long enough to tell.
fn cut_beginning(text: &[u8], secret: &str) -> Option<usize> {
    (6..secret.len())
        .rev()
        .find(|length| text.ends_with(&secret.as_bytes()[..*length]))
        .map(|length| text.len() - length)
}

impl fmt::Display for Error {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0.message)?;
        let mut separator = " (";
        let mut item = |f: &mut fmt::Formatter<'_>, args: fmt::Arguments<'_>| {
            f.write_str(std::mem::replace(&mut separator, ", "))?;
            f.write_fmt(args)
        };
        if let Some(status) = self.0.status {
            item(f, format_args!("HTTP {status}"))?;
        }
        if let Some(code) = self.0.code {
            item(f, format_args!("code {code}"))?;
        }
        if let Some(id) = &self.0.request_id {
            item(f, format_args!("request id {id}"))?;
        }
        if let Some(wait) = self.0.retry_after {
            item(f, format_args!("retry after {:.1} s", wait.as_secs_f64()))?;
        }
        if self.0.attempts > 1 {
            item(f, format_args!("{} attempts", self.0.attempts))?;
        }
        if separator == ", " {
            f.write_str(")")
        } else {
            Ok(())
        }
    }
}

impl fmt::Debug for Error {
    /// Kind, phase and text; the body and the partial text are left out, they may be the user's.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(
            f,
            "Error({}, {}: {self})",
            self.0.kind.name(),
            self.0.phase.name()
        )
    }
}

impl std::error::Error for Error {}

#[cfg(test)]
mod tests {
    use super::{Error, ErrorKind, Phase};

    #[test]
    fn the_text_names_status_code_and_request_id() {
        let error = Error::new(ErrorKind::RateLimit, Phase::Answer, "Too many requests")
            .with_status(429)
            .with_request_id(Some("abc"))
            .with_attempts(3);
        assert_eq!(
            error.to_string(),
            "Too many requests (HTTP 429, request id abc, 3 attempts)"
        );
        assert_eq!(Error::cancelled().to_string(), "the call was cancelled");
    }

    #[test]
    fn every_status_has_the_kind_of_its_cause() {
        let cases = [
            (400, ErrorKind::InvalidRequest),
            (401, ErrorKind::Authentication),
            (402, ErrorKind::PaymentRequired),
            (403, ErrorKind::PermissionDenied),
            (404, ErrorKind::NotFound),
            (413, ErrorKind::PayloadTooLarge),
            (422, ErrorKind::InvalidRequest),
            (429, ErrorKind::RateLimit),
            (500, ErrorKind::Server),
            (503, ErrorKind::Server),
            (302, ErrorKind::Protocol),
        ];
        for (status, kind) in cases {
            assert_eq!(ErrorKind::of_status(status), kind, "{status}");
        }
    }
}
