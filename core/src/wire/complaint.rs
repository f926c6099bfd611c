//! What the service says is wrong: one reader for the bodies of errors, for answers of status 200
//! that are errors, for events of a stream and for tokens.
//!
//! The API says `{"status","message"}`, OAuth `{"code","message"}` (GigaChat REST reference,
//! errors); gateways in front of it say `{"error":{...}}`, `{"error":"text"}`, `{"detail":...}`,
//! plain text. The words are made safe for logs and terminals here (I13).

use std::borrow::Cow;

use serde::de::{IgnoredAny, MapAccess, SeqAccess};

use crate::wire::mended;
use crate::wire::{Lenient, Number, Reading, Text, Whole, document, forgiving, wire_object};

/// An error text shows at most so many characters of the service's words; the body has all.
const LONGEST_WORDS: usize = 1000;

/// What a document says is wrong.
#[derive(Debug, Default, PartialEq, Eq)]
pub(crate) struct Complaint {
    /// The service's words, escaped and cut.
    pub(crate) words: Option<String>,
    /// The HTTP status that it names, 400 to 599.
    pub(crate) status: Option<u16>,
    /// Its own code.
    pub(crate) code: Option<i64>,
}

/// A value in which words may be: a text, an object with a text, a list of either.
#[derive(Debug)]
enum Said<'a> {
    Text(Text<'a>),
    Whole(Whole),
    Flag,
    Object(Box<WireComplaint<'a>>),
}

impl<'de> Lenient<'de> for Said<'de> {
    fn of_text(text: Cow<'de, str>) -> Option<Said<'de>> {
        (!text.trim().is_empty()).then_some(Said::Text(Text(text)))
    }

    fn of_number(number: Number) -> Option<Said<'de>> {
        Whole::of_number(number)
            .filter(|whole| whole.0 != 0)
            .map(Said::Whole)
    }

    fn of_flag(flag: bool) -> Option<Said<'de>> {
        flag.then_some(Said::Flag)
    }

    fn of_array<A: SeqAccess<'de>>(mut array: A) -> Result<Option<Said<'de>>, A::Error> {
        let mut first = None;
        while first.is_none() {
            match array.next_element_seed(Reading::new())? {
                Some(element) => first = element,
                None => return Ok(None),
            }
        }
        while array.next_element::<IgnoredAny>()?.is_some() {}
        Ok(first)
    }

    fn of_object<A: MapAccess<'de>>(object: A) -> Result<Option<Said<'de>>, A::Error> {
        let inner = WireComplaint::of_object(object)?;
        Ok(inner
            .filter(|inner| inner.members > 0)
            .map(|inner| Said::Object(Box::new(inner))))
    }
}

wire_object! {
    struct WireComplaint<'a> {
        message: Said<'a>,
        msg: Said<'a>,
        detail: Said<'a>,
        error_description: Text<'a>,
        error_message: Text<'a>,
        error_msg: Text<'a>,
        status_msg: Text<'a>,
        description: Text<'a>,
        reason: Text<'a>,
        title: Text<'a>,
        error: Said<'a>,
        errors: Said<'a>,
        base_resp: Said<'a>,
        status: NameOrWhole<'a>,
        status_code: NameOrWhole<'a>,
        code: NameOrWhole<'a>,
        error_code: NameOrWhole<'a>,
        kind = "type": Text<'a>,
    }
}

/// `503`, `"503"`, `"UNAVAILABLE"`.
#[derive(Debug)]
enum NameOrWhole<'a> {
    Name(Cow<'a, str>),
    Whole(i64),
}

impl<'de> Lenient<'de> for NameOrWhole<'de> {
    fn of_text(text: Cow<'de, str>) -> Option<NameOrWhole<'de>> {
        match Whole::of_text(Cow::Borrowed(&*text)) {
            Some(Whole(whole)) => Some(NameOrWhole::Whole(whole)),
            None => Some(NameOrWhole::Name(text)),
        }
    }

    fn of_number(number: Number) -> Option<NameOrWhole<'de>> {
        Whole::of_number(number).map(|whole| NameOrWhole::Whole(whole.0))
    }
}

impl NameOrWhole<'_> {
    fn status(&self) -> Option<u16> {
        match self {
            NameOrWhole::Whole(whole) => is_error_status(*whole),
            NameOrWhole::Name(name) => status_of_name(name),
        }
    }

    fn whole(&self) -> Option<i64> {
        match self {
            NameOrWhole::Whole(whole) => Some(*whole),
            NameOrWhole::Name(_) => None,
        }
    }
}

fn is_error_status(number: i64) -> Option<u16> {
    u16::try_from(number)
        .ok()
        .filter(|status| (400..600).contains(status))
}

/// The status that the name of an error stands for: gRPC's codes, OAuth's, and those that gateways
/// took over from other services.
fn status_of_name(name: &str) -> Option<u16> {
    let name = name.to_ascii_lowercase().replace(['-', ' '], "_");
    let name = name.strip_suffix("_error").unwrap_or(&name);
    Some(match name {
        "invalid_argument" | "invalid_request" | "bad_request" | "failed_precondition" => 400,
        "unauthenticated" | "unauthorized" | "authentication" | "invalid_client"
        | "invalid_api_key" | "invalid_token" | "token_expired" => 401,
        "payment_required" | "insufficient_quota" | "billing" => 402,
        "permission_denied" | "permission" | "forbidden" | "access_denied" => 403,
        "not_found" | "model_not_found" => 404,
        "payload_too_large" | "request_too_large" | "context_length_exceeded" => 413,
        "resource_exhausted"
        | "rate_limit"
        | "rate_limited"
        | "rate_limit_exceeded"
        | "too_many_requests"
        | "throttled"
        | "throttling" => 429,
        "internal" | "internal_server" | "server" | "api" => 500,
        "bad_gateway" => 502,
        "unavailable" | "service_unavailable" | "overloaded" | "temporarily_unavailable" => 503,
        "deadline_exceeded" | "gateway_timeout" | "upstream_timeout" => 504,
        _ => return None,
    })
}

impl Said<'_> {
    fn words(&self) -> Option<&str> {
        match self {
            Said::Text(text) => Some(&text.0),
            Said::Object(inner) => inner.words(),
            Said::Whole(_) | Said::Flag => None,
        }
    }
}

impl WireComplaint<'_> {
    /// The parts in which more may be said, the ones that say most first.
    fn parts(&self) -> impl Iterator<Item = &Said<'_>> {
        [
            &self.error,
            &self.errors,
            &self.detail,
            &self.base_resp,
            &self.message,
            &self.msg,
        ]
        .into_iter()
        .flatten()
    }

    fn words(&self) -> Option<&str> {
        let texts = [
            &self.error_description,
            &self.error_message,
            &self.error_msg,
            &self.status_msg,
            &self.description,
            &self.reason,
            &self.title,
        ];
        let said = |said: &Option<Said<'_>>| matches!(said, Some(Said::Text(_)));
        [&self.message, &self.msg, &self.detail]
            .into_iter()
            .filter(|part| said(part))
            .flatten()
            .find_map(Said::words)
            .or_else(|| {
                let texts = texts.into_iter().flatten().map(|text| &*text.0);
                texts.into_iter().find(|text| !text.trim().is_empty())
            })
            .or_else(|| self.parts().find_map(Said::words))
    }

    fn status(&self) -> Option<u16> {
        let own = [
            &self.status,
            &self.status_code,
            &self.code,
            &self.error_code,
        ];
        let inner = self.parts().find_map(|part| match part {
            Said::Object(inner) => inner.status(),
            Said::Whole(whole) => is_error_status(whole.0),
            Said::Text(name) => status_of_name(&name.0),
            Said::Flag => None,
        });
        let named = || self.kind.as_ref().and_then(|kind| status_of_name(&kind.0));
        own.into_iter()
            .flatten()
            .find_map(NameOrWhole::status)
            .or(inner)
            .or_else(named)
    }

    fn code(&self) -> Option<i64> {
        let own = [&self.code, &self.error_code];
        own.into_iter()
            .flatten()
            .find_map(NameOrWhole::whole)
            .or_else(|| {
                self.parts().find_map(|part| match part {
                    Said::Object(inner) => inner.code(),
                    _ => None,
                })
            })
    }

    fn complaint(&self) -> Complaint {
        Complaint {
            words: self.words().and_then(shown),
            status: self.status(),
            code: self.code(),
        }
    }
}

impl Complaint {
    /// What the body of an error says; bodies of an error are read as far as they came.
    pub(crate) fn of_error_body(body: &[u8]) -> Complaint {
        let read = |json: &[u8]| {
            document::<WireComplaint<'_>>(json).map(|found| found.map(|found| found.complaint()))
        };
        let found = forgiving(body, read).or_else(|_| match body.trim_ascii_start().first() {
            Some(b'{') => forgiving(&mended::closed(body), read),
            _ => Ok(None),
        });
        match found {
            Ok(Some(complaint)) => complaint,
            _ => Complaint {
                words: plain_text(body),
                ..Complaint::default()
            },
        }
    }

    /// What is wrong by a document where a completion was to be: an `error` that says something, or,
    /// of a document without an answer, a status or words. `None` when it complains of nothing.
    pub(crate) fn instead_of_answer(json: &[u8], answered: bool) -> Option<Complaint> {
        let read = |json: &[u8]| {
            let found = document::<WireComplaint<'_>>(json)?;
            Ok(found.and_then(|found| found.instead_of_answer(answered)))
        };
        forgiving(json, read).ok().flatten()
    }
}

impl WireComplaint<'_> {
    fn instead_of_answer(&self, answered: bool) -> Option<Complaint> {
        let complaint = self.complaint();
        let in_error = [&self.error, &self.errors]
            .into_iter()
            .flatten()
            .any(|error| match error {
                Said::Text(_) | Said::Flag => true,
                Said::Whole(whole) => is_error_status(whole.0).is_some(),
                Said::Object(inner) => inner.words().is_some() || inner.status().is_some(),
            });
        if in_error {
            return Some(complaint);
        }
        if answered || self.is_keep_alive() {
            return None;
        }
        let fine = self
            .status
            .as_ref()
            .and_then(NameOrWhole::whole)
            .is_some_and(|status| status < 400);
        let complains = complaint.status.is_some() || complaint.words.is_some() && !fine;
        complains.then_some(complaint)
    }

    fn is_keep_alive(&self) -> bool {
        self.kind
            .as_ref()
            .is_some_and(|kind| is_keep_alive(kind.0.as_bytes()))
    }
}

/// Whether a word only says that the connection lives.
pub(crate) fn is_keep_alive(word: &[u8]) -> bool {
    const WORDS: [&[u8]; 7] = [
        b"ping",
        b"pong",
        b"keep-alive",
        b"keepalive",
        b"keep_alive",
        b"heartbeat",
        b"noop",
    ];
    WORDS.iter().any(|known| known.eq_ignore_ascii_case(word))
}

/// The service's words, safe for a log or a terminal: control characters escaped, cut. `None` when
/// there are none.
pub(crate) fn shown(words: &str) -> Option<String> {
    let words = words.trim();
    let mut shown = String::new();
    for (count, character) in words.chars().enumerate() {
        if count == LONGEST_WORDS {
            shown.push('…');
            break;
        }
        match is_unsafe(character) {
            true => shown.extend(character.escape_default()),
            false => shown.push(character),
        }
    }
    (!shown.is_empty()).then_some(shown)
}

/// Control characters and those that change how the text around them is shown.
fn is_unsafe(character: char) -> bool {
    character.is_control()
        || matches!(character,
            '\u{61c}' | '\u{200b}'..='\u{200f}' | '\u{2028}'..='\u{202e}' | '\u{2060}'..='\u{206f}' | '\u{feff}'
                | '\u{fff9}'..='\u{fffb}' | '\u{e0000}'..='\u{e007f}')
}

/// A body that is a sentence; not one that is HTML or bytes.
fn plain_text(body: &[u8]) -> Option<String> {
    let text = String::from_utf8_lossy(body);
    let begin = text.trim_start_matches('\u{feff}').trim_start();
    if begin.starts_with(['<', '{', '[']) || text.contains(['\0', '\u{fffd}']) {
        return None;
    }
    let value = begin.trim_end();
    if matches!(value, "null" | "true" | "false") || value.parse::<f64>().is_ok() {
        return None;
    }
    shown(value.trim_matches('"'))
}

/// The words of an event that is called an error, whatever it is.
pub(crate) fn of_error_event(data: &[u8]) -> Complaint {
    let found = Complaint::of_error_body(data);
    let words = found
        .words
        .or_else(|| shown(&String::from_utf8_lossy(data)));
    Complaint { words, ..found }
}

#[cfg(test)]
mod tests {
    use super::{Complaint, LONGEST_WORDS, of_error_event};

    fn said(body: &str) -> (Option<String>, Option<u16>, Option<i64>) {
        let found = Complaint::of_error_body(body.as_bytes());
        (found.words, found.status, found.code)
    }

    #[test]
    fn the_words_of_an_error_are_found_in_every_shape() {
        let bodies = [
            r#"{"status":503,"message":"boom"}"#,
            r#"{"code":6,"message":"boom"}"#,
            r#"{"error":{"message":"boom","code":502}}"#,
            r#"{"error":"boom"}"#,
            r#"{"error":{"error":{"message":"boom"}}}"#,
            r#"{"errors":[{"message":"boom"}]}"#,
            r#"{"errors":["boom"]}"#,
            r#"{"detail":"boom"}"#,
            r#"{"detail":[{"loc":["body"],"msg":"boom"}]}"#,
            r#"{"detail":{"error":"boom"}}"#,
            r#"{"error":"invalid_client","error_description":"boom"}"#,
            r#"{"error":true,"message":"boom"}"#,
            r#"{"code":"a text","message":"boom"}"#,
            r#"{"message":"first","message":"boom"}"#,
            r#"{"message":"boom","x":NaN}"#,
            r#"{"title":"boom","status":400}"#,
            r#"{"base_resp":{"status_code":1008,"status_msg":"boom"}}"#,
            r#"{"message":null,"msg":"boom"}"#,
            "\u{feff}{\"message\":\"boom\"}",
            "boom",
            " boom\r\n",
            "\"boom\"",
        ];
        for body in bodies {
            assert_eq!(said(body).0.as_deref(), Some("boom"), "{body}");
        }
        for body in [
            "",
            "{}",
            "[]",
            "null",
            "5",
            "<html>no</html>",
            r#"{"message":""}"#,
            r#"["boom"]"#,
        ] {
            assert_eq!(said(body).0, None, "{body}");
        }
        assert_eq!(said(r#"{"message":"a\ud83db"}"#).0.unwrap(), "a\u{fffd}b");
    }

    #[test]
    fn the_words_of_a_body_that_was_cut_are_kept() {
        let body = format!(
            "{{\"status\":422,\"message\":\"too long: {}",
            "x".repeat(70_000)
        );
        let (words, status, _) = said(&body);
        assert!(words.unwrap().starts_with("too long: xxx"));
        assert_eq!(status, Some(422));
    }

    #[test]
    fn the_status_is_a_number_a_text_or_a_name() {
        let statuses = [
            (r#"{"status":503,"message":"x"}"#, Some(503)),
            (r#"{"status":"503","message":"x"}"#, Some(503)),
            (r#"{"error":{"code":502}}"#, Some(502)),
            (r#"{"error":{"code":"429"}}"#, Some(429)),
            (r#"{"error":{"status":"UNAVAILABLE","code":14}}"#, Some(503)),
            (r#"{"error":{"type":"rate_limit_error"}}"#, Some(429)),
            (
                r#"{"type":"error","error":{"type":"overloaded_error"}}"#,
                Some(503),
            ),
            (r#"{"status":"INTERNAL","message":"boom"}"#, Some(500)),
            (r#"{"error":"invalid_client"}"#, Some(401)),
            (r#"{"status":70000}"#, None),
            (r#"{"status":-500}"#, None),
            (r#"{"code":7,"message":"x"}"#, None),
        ];
        for (body, status) in statuses {
            assert_eq!(said(body).1, status, "{body}");
        }
    }

    #[test]
    fn a_document_complains_by_its_error_or_when_it_has_no_answer() {
        let complains = |json: &str, answered| {
            Complaint::instead_of_answer(json.as_bytes(), answered).is_some()
        };
        for json in [
            r#"{"error":{"message":"x"}}"#,
            r#"{"error":"x"}"#,
            r#"{"error":{"code":500}}"#,
        ] {
            assert!(complains(json, true) && complains(json, false), "{json}");
        }
        for json in [
            r#"{"status":500}"#,
            r#"{"message":"x"}"#,
            r#"{"detail":"x"}"#,
        ] {
            assert!(!complains(json, true) && complains(json, false), "{json}");
        }
        for json in [
            "{}",
            "null",
            "[1]",
            r#"{"error":null}"#,
            r#"{"error":{}}"#,
            r#"{"error":""}"#,
            r#"{"error":false}"#,
            r#"{"error":0}"#,
            r#"{"error":{"code":0,"message":""}}"#,
            r#"{"errors":[]}"#,
            r#"{"status":"ok"}"#,
            r#"{"status":200,"message":"fine"}"#,
            r#"{"type":"ping","message":"alive"}"#,
        ] {
            assert!(!complains(json, false), "{json}");
        }
    }

    #[test]
    fn words_are_escaped_and_cut() {
        let words = said(r#"{"message":"x\r\nINFO admin\u001b[31m\u202e\u0000"}"#)
            .0
            .unwrap();
        assert_eq!(words, r"x\r\nINFO admin\u{1b}[31m\u{202e}\u{0}");
        let long = said(&format!("{{\"message\":\"{}\"}}", "я".repeat(5000)))
            .0
            .unwrap();
        assert_eq!(long.chars().count(), LONGEST_WORDS + 1);
        assert!(said("x\r\ny\x1b").0.unwrap().is_ascii());
    }

    #[test]
    fn an_error_event_speaks_in_any_form() {
        for data in [
            "boom",
            r#""boom""#,
            r#"{"message":"boom"}"#,
            r#"{"error":"boom"}"#,
        ] {
            assert_eq!(
                of_error_event(data.as_bytes()).words.unwrap(),
                "boom",
                "{data}"
            );
        }
        assert_eq!(of_error_event(b"").words, None);
    }
}
