//! Misbehaviour on demand: which requests, how often, and what happens to them.
//!
//! A fault is set in Rust (`emulator.faults().add(..)`), over the control endpoint, or by the request itself
//! with the header `X-Emulator-Fault`. This file says what there is and picks what applies to a request;
//! the files `reply` and `body` carry it out.

use std::collections::BTreeMap;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Mutex, MutexGuard, PoisonError};

use serde::{Deserialize, Serialize};

/// Which requests a fault is meant for.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Endpoint {
    /// Requests for a token, both kinds.
    Token,
    /// `POST /chat/completions` without `stream`.
    Chat,
    /// `POST /chat/completions` with `"stream": true`.
    Stream,
    /// `POST /chat/completions`, streamed or not.
    Generation,
    /// `GET /models` and `GET /models/{model}`.
    Models,
    /// `POST /tokens/count`.
    Count,
    /// Every request.
    #[default]
    Any,
}

impl Endpoint {
    fn covers(self, endpoint: Endpoint) -> bool {
        match self {
            Endpoint::Any => true,
            Endpoint::Generation => matches!(endpoint, Endpoint::Chat | Endpoint::Stream),
            _ => self == endpoint,
        }
    }
}

/// What happens to a request. In JSON: `{"type": "status", "code": 429}`, `{"type": "omit_done"}`.
///
/// "Chunk" means one event of a stream that carries text; counts start at the beginning of the body.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(tag = "type", rename_all = "snake_case", deny_unknown_fields)]
pub enum Action {
    /// This status instead of the answer; without a body it gets the service's usual one. In a header's
    /// value `{date+3}` stands for the HTTP date in three seconds.
    Status {
        /// The HTTP status.
        code: u16,
        /// The exact body.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        body: Option<String>,
        /// Its type, `application/json` unless said.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        content_type: Option<String>,
        /// More headers.
        #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
        headers: BTreeMap<String, String>,
    },
    /// The HTML page of a front proxy instead of the answer.
    HtmlError {
        /// The HTTP status.
        code: u16,
    },
    /// This status with no body at all instead of the answer.
    EmptyBody {
        /// The HTTP status.
        code: u16,
    },
    /// 302 to another place instead of the answer.
    Redirect {
        /// The value of `Location`.
        to: String,
        /// The HTTP status, 302 unless said.
        #[serde(default = "found")]
        code: u16,
    },
    /// The connection is closed before any byte of the answer.
    CutBeforeAnswer {
        /// By RST instead of FIN.
        #[serde(default)]
        reset: bool,
    },
    /// The answer begins later.
    DelayHeaders {
        /// By this many milliseconds.
        ms: u64,
    },
    /// These headers on the answer, in place of its own of the same name (`Date` too).
    Headers {
        /// The headers; `{date+3}` as in `status`.
        headers: BTreeMap<String, String>,
    },
    /// Each chunk comes later.
    DelayChunks {
        /// Milliseconds before each.
        ms: u64,
    },
    /// Silence after so many chunks; the connection stays open.
    StallAfter {
        /// Chunks that still come.
        chunks: usize,
    },
    /// The answer breaks off after so many chunks: connection closed on HTTP/1.1, `RST_STREAM` on HTTP/2.
    CutAfter {
        /// Chunks that still come.
        chunks: usize,
        /// On HTTP/1.1 by RST instead of FIN.
        #[serde(default)]
        reset: bool,
    },
    /// The answer breaks off after so many bytes of its body.
    CutAfterBytes {
        /// Bytes that still come.
        bytes: usize,
        /// On HTTP/1.1 by RST instead of FIN.
        #[serde(default)]
        reset: bool,
    },
    /// The stream ends in good order, without `data: [DONE]`.
    OmitDone,
    /// After `data: [DONE]` the body does not end.
    DoneThenSilence,
    /// After `data: [DONE]` there is another chunk.
    EventsAfterDone,
    /// An event that is not JSON.
    GarbageEvent {
        /// Chunks before it.
        after: usize,
    },
    /// The stream ends with a JSON error object in a data line and no `[DONE]`.
    ErrorEvent {
        /// Chunks before it.
        after: usize,
        /// Its `status`.
        #[serde(default = "internal_error")]
        status: u16,
        /// Its `message`.
        #[serde(default = "internal_error_message")]
        message: String,
    },
    /// The body is sent in pieces of so many bytes, which splits lines and UTF-8 sequences.
    SplitBytes {
        /// Bytes per piece.
        size: usize,
    },
    /// Lines of a stream end with CR LF.
    Crlf,
    /// Lines of a stream end with CR alone.
    Cr,
    /// The JSON of an event is spread over several `data:` lines.
    MultiLineData,
    /// `data:` without the space behind it.
    NoSpaceAfterData,
    /// Instead of content comments only, for ever.
    Comments {
        /// Milliseconds between them.
        every_ms: u64,
    },
    /// Raw U+2028, U+2029 and U+0085 in the text.
    RawSeparators,
    /// A byte order mark at the beginning of the body.
    ByteOrderMark,
    /// The right answer under a wrong `Content-Type`.
    WrongContentType {
        /// The type, `text/html` unless said.
        #[serde(default = "html")]
        content_type: String,
    },
    /// The body is compressed, and says so.
    ContentEncodingGzip,
    /// The body ends in good order after so many bytes.
    TruncatedJson {
        /// Bytes that still come.
        bytes: usize,
    },
    /// The body is valid and so many bytes long (or a little more).
    HugeBody {
        /// The bytes.
        bytes: u64,
    },
    /// The body never ends, in one line.
    EndlessLine,
    /// The token is valid for so long only.
    TokenExpiresIn {
        /// Seconds; the service itself rejects it after them.
        seconds: i64,
    },
    /// `expires_at` in seconds.
    TokenExpirySeconds,
    /// `{"tok", "exp"}` instead of `{"access_token", "expires_at"}`; `exp` is in seconds.
    TokenShapeTokExp,
    /// No expiry in the answer.
    TokenMissingExpiry,
    /// After the answer the service closes the idle connection without having announced it.
    CloseAfterResponse,
    /// The next request on this connection is met by a closed connection, before any byte of an answer.
    CloseIdleThenReset,
    /// HTTP/2 GOAWAY (HTTP/1.1 `Connection: close`) with this answer.
    Goaway,
}

fn found() -> u16 {
    302
}

fn internal_error() -> u16 {
    500
}

fn internal_error_message() -> String {
    "Internal Server Error".to_owned()
}

fn html() -> String {
    "text/html".to_owned()
}

impl Action {
    /// The service's usual error answer with this status.
    pub fn status(code: u16) -> Action {
        Action::Status {
            code,
            body: None,
            content_type: None,
            headers: BTreeMap::new(),
        }
    }

    /// The same with this header more; only `status` and `headers` take one.
    #[must_use]
    pub fn with_header(mut self, name: &str, value: &str) -> Action {
        if let Action::Status { headers, .. } | Action::Headers { headers } = &mut self {
            headers.insert(name.to_owned(), value.to_owned());
        }
        self
    }

    /// Whether it stands in place of the answer: of these a request gets one at most.
    fn replaces_answer(&self) -> bool {
        matches!(
            self,
            Action::Status { .. }
                | Action::HtmlError { .. }
                | Action::EmptyBody { .. }
                | Action::Redirect { .. }
                | Action::CutBeforeAnswer { .. }
        )
    }
}

/// One fault: which requests, from which on, how many, and what happens to them.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Fault {
    /// The requests it is meant for; in JSON `any` unless said.
    #[serde(default)]
    pub endpoint: Endpoint,
    /// So many of them pass first.
    #[serde(default)]
    pub skip: u32,
    /// So many are hit then; 0 is all. In JSON 1 unless said.
    #[serde(default = "once")]
    pub times: u32,
    /// What happens.
    pub action: Action,
}

fn once() -> u32 {
    1
}

impl Fault {
    /// A fault that hits the next request of this kind.
    pub fn new(endpoint: Endpoint, action: Action) -> Fault {
        Fault {
            endpoint,
            skip: 0,
            times: 1,
            action,
        }
    }

    /// The same, but so many requests pass first.
    #[must_use]
    pub fn skip(self, skip: u32) -> Fault {
        Fault { skip, ..self }
    }

    /// The same, but it hits so many requests; 0 is all.
    #[must_use]
    pub fn times(self, times: u32) -> Fault {
        Fault { times, ..self }
    }

    /// The same, for every request.
    #[must_use]
    pub fn for_ever(self) -> Fault {
        self.times(0)
    }
}

/// The faults in force. Those that replace the answer queue up: a request takes the first only.
#[derive(Debug, Default)]
pub struct Faults {
    active: Mutex<Active>,
    number: AtomicUsize,
}

#[derive(Debug, Default)]
struct Active {
    faults: Vec<ActiveFault>,
    last_id: u64,
}

#[derive(Debug)]
struct ActiveFault {
    id: u64,
    endpoint: Endpoint,
    skip: u32,
    /// `None` is for ever.
    left: Option<u32>,
    action: Action,
}

impl Faults {
    fn lock(&self) -> MutexGuard<'_, Active> {
        self.active.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Puts a fault in force; the number returned takes it back.
    pub fn add(&self, fault: Fault) -> u64 {
        let mut active = self.lock();
        active.last_id += 1;
        let id = active.last_id;
        active.faults.push(ActiveFault {
            id,
            endpoint: fault.endpoint,
            skip: fault.skip,
            left: (fault.times > 0).then_some(fault.times),
            action: fault.action,
        });
        self.number.store(active.faults.len(), Ordering::Release);
        id
    }

    /// Takes a fault back; false if it is used up or unknown.
    pub fn remove(&self, id: u64) -> bool {
        let mut active = self.lock();
        let before = active.faults.len();
        active.faults.retain(|fault| fault.id != id);
        self.number.store(active.faults.len(), Ordering::Release);
        active.faults.len() < before
    }

    /// Takes all faults back.
    pub fn clear(&self) {
        let mut active = self.lock();
        active.faults.clear();
        self.number.store(0, Ordering::Release);
    }

    /// How many faults are still in force.
    pub fn len(&self) -> usize {
        self.number.load(Ordering::Acquire)
    }

    /// Whether none is in force.
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// What applies to this request, `asked` being the actions of its own headers.
    pub(crate) fn choose(&self, endpoint: Endpoint, asked: Vec<Action>) -> Vec<Action> {
        let mut chosen = asked;
        if self.is_empty() {
            return chosen;
        }
        let mut active = self.lock();
        let mut replaced = chosen.iter().any(Action::replaces_answer);
        for fault in &mut active.faults {
            if !fault.endpoint.covers(endpoint) {
                continue;
            }
            if fault.skip > 0 {
                fault.skip -= 1;
                continue;
            }
            if fault.action.replaces_answer() {
                if replaced {
                    continue;
                }
                replaced = true;
            }
            if let Some(left) = &mut fault.left {
                *left -= 1;
            }
            chosen.push(fault.action.clone());
        }
        active.faults.retain(|fault| fault.left != Some(0));
        self.number.store(active.faults.len(), Ordering::Release);
        chosen
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn error_faults_queue_up_and_others_combine() {
        let faults = Faults::default();
        faults.add(Fault::new(Endpoint::Chat, Action::status(429)));
        faults.add(Fault::new(Endpoint::Chat, Action::status(500)));
        faults.add(Fault::new(Endpoint::Any, Action::DelayHeaders { ms: 1 }).times(2));
        assert_eq!(
            faults.choose(Endpoint::Chat, Vec::new()),
            [Action::status(429), Action::DelayHeaders { ms: 1 }]
        );
        assert_eq!(
            faults.choose(Endpoint::Chat, Vec::new()),
            [Action::status(500), Action::DelayHeaders { ms: 1 }]
        );
        assert!(faults.is_empty());
    }

    #[test]
    fn a_fault_lets_the_first_requests_of_its_kind_pass() {
        let faults = Faults::default();
        faults.add(Fault::new(Endpoint::Generation, Action::OmitDone).skip(1));
        assert!(faults.choose(Endpoint::Models, Vec::new()).is_empty());
        assert!(faults.choose(Endpoint::Chat, Vec::new()).is_empty());
        assert_eq!(
            faults.choose(Endpoint::Stream, Vec::new()),
            [Action::OmitDone]
        );
    }

    #[test]
    fn faults_read_from_json() {
        let fault: Fault = serde_json::from_str(
            r#"{"endpoint":"stream","times":0,"action":{"type":"cut_after","chunks":2}}"#,
        )
        .expect("a fault");
        assert_eq!(
            fault,
            Fault::new(
                Endpoint::Stream,
                Action::CutAfter {
                    chunks: 2,
                    reset: false
                }
            )
            .for_ever()
        );
        assert!(serde_json::from_str::<Action>(r#"{"type":"stall_after","chunk":2}"#).is_err());
        assert!(serde_json::from_str::<Action>(r#"{"type":"no_such_fault"}"#).is_err());
    }
}
