//! What a fault can do to a request: the catalogue, in Rust and in JSON.
//!
//! `reply` makes the answers that stand in place of the real one, `distort` changes bodies, `service` and
//! `body` break connections.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

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
    /// This status with bytes that are no text, under the type of JSON, instead of the answer.
    BinaryBody {
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
    /// In v2, messages of this role are refused by 400 (the service and its documentation disagree about
    /// `tool` and `function`).
    RefuseRole {
        /// The role.
        role: String,
    },
    /// The events of a v2 stream come without `event:` lines.
    UnnamedEvents,
    /// `Content-Length` says so many bytes more than come, or less.
    ContentLengthLies {
        /// Added to the true length.
        by: i64,
    },
    /// The connection ends when so many bytes of the request's body have come. It is judged by the path, before
    /// the body is read: for chat take the endpoint `generation`.
    UploadCut {
        /// Bytes that are still read.
        bytes: usize,
        /// By RST instead of FIN.
        #[serde(default)]
        reset: bool,
    },
    /// The stream ends in good order, without its end marker: `data: [DONE]`, in v2 `response.message.done`.
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
    /// The stream ends with a JSON error object in a data line and no end marker; in v2 the event is
    /// `response.error`.
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
    /// After this answer no request on the connection is answered; it stays open, and PINGs are answered.
    HangConnection,
    /// So many headers more on the answer.
    ManyHeaders {
        /// The headers.
        count: usize,
    },
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
    pub(crate) fn replaces_answer(&self) -> bool {
        matches!(
            self,
            Action::Status { .. }
                | Action::HtmlError { .. }
                | Action::EmptyBody { .. }
                | Action::BinaryBody { .. }
                | Action::Redirect { .. }
                | Action::CutBeforeAnswer { .. }
        )
    }
}
