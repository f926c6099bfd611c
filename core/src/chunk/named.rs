//! One event of a stream of chat v2 -> what it means (GigaChat REST reference, section 7.3 and its
//! addendum A3.3).
//!
//! Only `response.message.done`, or an event without a name that has a finish reason, ends a stream
//! well (I6, I19). Calls of functions may come in it as well as in a delta. Events that are not known
//! are skipped.

use super::{ChunkContent, broken_off, says_nothing, unusable};
use crate::error::{Error, Result};
use crate::response::{
    Execution, MessageParts, Messages, TokenUsage, complaint_of, complaint_of_failure,
};
use crate::wire::complaint::{self, Complaint};
use crate::wire::mended;
use crate::wire::words::plain;
use crate::wire::{Json, List, Text, document, wire_object};

wire_object! {
    struct WireEvent<'a> {
        messages: Messages<'a>,
        finish_reason: Text<'a>,
        usage: TokenUsage,
        model: Text<'a>,
        thread_id: Text<'a>,
        tool_execution: Execution<'a>,
        error: Json<'a>,
        errors: Json<'a>,
        error_details: Json<'a>,
    }
}

/// What an event is, by its name.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Kind {
    Delta,
    Done,
    Unnamed,
    Tool,
}

/// Reads one event of chat v2: its name and its data. `known_model` spares a copy of a name that
/// every event repeats. An error is one that the service tells, or of data that cannot be used.
pub fn read(name: &[u8], data: &[u8], known_model: Option<&str>) -> Result<ChunkContent> {
    let kind = match name {
        b"response.message.delta" => Kind::Delta,
        b"response.message.done" => Kind::Done,
        b"" | b"message" => Kind::Unnamed,
        b"error" | b"response.error" | b"response.failed" => {
            return Err(broken_off(complaint_of_event(data), data));
        }
        name if name.starts_with(b"response.tool.") => Kind::Tool,
        _ => return Ok(ChunkContent::default()),
    };
    let ends = kind == Kind::Done;
    if says_nothing(data) {
        return Ok(ChunkContent {
            ends,
            ..ChunkContent::default()
        });
    }
    match (content(data, known_model), kind) {
        (Ok(Some(found)), _) => judge(found, kind, data),
        // A tool at work is beside the answer.
        (_, Kind::Tool) => Ok(ChunkContent::default()),
        (Ok(None), _) => Err(unusable(&"it is no object", data)),
        (Err(why), _) => Err(unusable(&plain(&why), data)),
    }
}

struct Found {
    content: ChunkContent,
    odd_text: bool,
    has_error: bool,
    details: Option<String>,
}

fn content(data: &[u8], known_model: Option<&str>) -> serde_json::Result<Option<Found>> {
    match content_of(data, known_model) {
        Err(why) => {
            let Some(mended) = mended::mended(data) else {
                return Err(why);
            };
            let mut found = content_of(&mended, known_model).map_err(|_| why)?;
            if let Some(found) = &mut found {
                found.content.halves = halves_of_text(data);
            }
            Ok(found)
        }
        found => found,
    }
}

fn content_of(data: &[u8], known_model: Option<&str>) -> serde_json::Result<Option<Found>> {
    let Some(wire) = document::<WireEvent<'_>>(data)? else {
        return Ok(None);
    };
    let parts = wire
        .messages
        .map_or(MessageParts::default(), MessageParts::of);
    let model = wire.model.filter(|model| known_model != Some(&*model.0));
    let reason = wire
        .finish_reason
        .map(Text::into_owned)
        .or(parts.finish_reason);
    let progress = wire.tool_execution.and_then(Execution::into_progress);
    let content = ChunkContent {
        text: Some(parts.text).filter(|text| !text.is_empty()),
        reasoning: Some(parts.reasoning).filter(|text| !text.is_empty()),
        function_calls: parts.calls,
        files: parts.files,
        sources: parts.sources,
        progress: progress.or(parts.progress),
        usage: wire.usage,
        finish_reason: reason.filter(|reason| !reason.is_empty()),
        model: model.map(Text::into_owned),
        thread_id: wire.thread_id.map(Text::into_owned),
        state_id: parts.state_id,
        ..ChunkContent::default()
    };
    Ok(Some(Found {
        odd_text: parts.odd_text && content.text.is_none(),
        content,
        has_error: wire.error.is_some() || wire.errors.is_some(),
        details: wire.error_details.map(|json| json.0.get().to_owned()),
    }))
}

fn judge(found: Found, kind: Kind, data: &[u8]) -> Result<ChunkContent> {
    let mut content = found.content;
    if kind == Kind::Tool {
        return Ok(ChunkContent {
            progress: content.progress,
            ..ChunkContent::default()
        });
    }
    if found.odd_text {
        return Err(unusable(&"its text is no text", data));
    }
    let has_content = content.text.is_some() || !content.function_calls.is_empty();
    let complaint = match content.finish_reason.as_deref() {
        Some("error") => Some(complaint_of_failure(data, found.details.as_deref())),
        _ if found.has_error => complaint_of(data, true),
        // Without messages it may be an error that has no name.
        None if kind == Kind::Unnamed && !has_content && content.progress.is_none() => {
            complaint_of(data, content.usage.is_some() || content.reasoning.is_some())
        }
        _ => None,
    };
    if let Some(complaint) = complaint {
        let error: Error = broken_off(complaint, data);
        if !has_content {
            return Err(error);
        }
        content.error = Some(error);
        return Ok(content);
    }
    content.ends = match kind {
        Kind::Done => true,
        Kind::Unnamed => content.finish_reason.is_some(),
        Kind::Delta | Kind::Tool => false,
    };
    Ok(content)
}

/// The words of an event that is called an error: its details say more than the rest.
fn complaint_of_event(data: &[u8]) -> Complaint {
    wire_object! { struct Outer<'a> { error_details: Json<'a>, } }
    let outer = document::<Outer<'_>>(data).ok().flatten();
    let details = outer.and_then(|outer| outer.error_details);
    let of_details = details.map(|json| Complaint::of_error_body(json.0.get().as_bytes()));
    of_details
        .filter(|found| found.words.is_some() || found.status.is_some())
        .unwrap_or_else(|| complaint::of_error_event(data))
}

/// With which halves of a surrogate pair the text of an event begins and ends.
fn halves_of_text(data: &[u8]) -> (Option<u16>, Option<u16>) {
    wire_object! { struct Outer<'a> { messages: List<Inner<'a>>, } }
    wire_object! { struct Inner<'a> { role: Text<'a>, content: List<RawPart<'a>>, } }
    wire_object! { struct RawPart<'a> { text: Json<'a>, } }
    let Ok(Some(outer)) = document::<Outer<'_>>(data) else {
        return (None, None);
    };
    let messages = outer.messages.map_or(Vec::new(), |list| list.0).into_iter();
    let of_assistant = messages.filter(|message| {
        let role = message.role.as_ref().map(|role| &*role.0);
        matches!(role, None | Some("assistant"))
    });
    let parts = of_assistant.flat_map(|message| message.content.map_or(Vec::new(), |list| list.0));
    let mut ends = parts.filter_map(|part| Some(mended::halves(part.text?.0.get())));
    let Some(first) = ends.next() else {
        return (None, None);
    };
    (first.0, ends.next_back().unwrap_or(first).1)
}

#[cfg(test)]
mod tests {
    use super::read;
    use crate::error::ErrorKind;

    const DELTA: &[u8] = b"response.message.delta";
    const DONE: &[u8] = b"response.message.done";

    #[test]
    fn a_delta_gives_its_parts_apart() {
        let data = br#"{"model":"m:1","created_at":1,"messages":[{"role":"reasoning","content":[{"text":"hm"}]},{"role":"assistant","content":[{"text":"a"},{"text":"b"}]}]}"#;
        let found = read(DELTA, data, None).unwrap();
        assert_eq!(found.text.as_deref(), Some("ab"));
        assert_eq!(found.reasoning.as_deref(), Some("hm"));
        assert_eq!(found.model.as_deref(), Some("m:1"));
        assert!(!found.ends);
    }

    #[test]
    fn the_done_event_ends_and_brings_calls_with_their_state() {
        let data = br#"{"finish_reason":"function_call","messages":[{"role":"assistant","tool_state_id":"s","content":[{"function_call":{"id":"1","name":"f","arguments":{"a":1.50}}},{"function_call":{"id":"2","name":"f","arguments":{}}}]}],"usage":{"input_tokens":69,"output_tokens":34,"total_tokens":103}}"#;
        for name in [DONE, b""] {
            let found = read(name, data, None).unwrap();
            assert!(found.ends);
            assert_eq!(found.function_calls.len(), 2);
            assert_eq!(found.function_calls[0].arguments, r#"{"a":1.50}"#);
            assert_eq!(found.function_calls[1].state_id.as_deref(), Some("s"));
            assert_eq!(found.usage.unwrap().prompt_tokens, 69);
        }
        assert!(
            !read(DELTA, data, None).unwrap().ends,
            "a delta ends nothing"
        );
    }

    #[test]
    fn a_tool_at_work_is_progress_and_nothing_else() {
        let data = br#"{"tool_execution":{"name":"image_generate","seconds_left":9},"messages":[{"content":[{"text":"no"}]}]}"#;
        let found = read(b"response.tool.in_progress", data, None).unwrap();
        let progress = Some(("image_generate".to_owned(), "9".to_owned()));
        assert_eq!((found.progress, found.text), (progress, None));
        let found = read(b"response.tool.failed", b"{", None).unwrap();
        assert_eq!(found.progress, None);
    }

    #[test]
    fn errors_come_by_name_by_reason_and_without_either() {
        let cases: [(&[u8], &[u8]); 6] = [
            (b"response.error", br#"{"status":500,"message":"boom"}"#),
            (b"error", b"boom"),
            (
                b"response.error",
                br#"{"model":"m","error_details":{"message":"boom"}}"#,
            ),
            (
                DONE,
                br#"{"finish_reason":"error","error_details":{"message":"boom"},"created_at":"1"}"#,
            ),
            (b"", br#"{"status":500,"message":"boom"}"#),
            (DELTA, br#"{"error":{"message":"boom"}}"#),
        ];
        for (name, data) in cases {
            let error = read(name, data, None).unwrap_err();
            assert_eq!(error.kind(), ErrorKind::Server);
            assert!(error.message().ends_with("boom"), "{error}");
        }
        let silent = read(DONE, br#"{"finish_reason":"error"}"#, None).unwrap_err();
        assert_eq!(silent.kind(), ErrorKind::Server);
    }

    #[test]
    fn what_is_not_known_is_skipped_and_what_is_no_json_is_an_error() {
        for name in [&b"response.new"[..], b"ping"] {
            let found = read(name, b"anything", None).unwrap();
            assert!(found.text.is_none() && !found.ends);
        }
        for name in [DELTA, DONE, b""] {
            let error = read(name, b"{\"messages\":[", None).unwrap_err();
            assert_eq!(error.kind(), ErrorKind::Protocol);
        }
        assert!(read(DONE, b"{}", None).unwrap().ends);
        assert!(!read(b"", b"{}", None).unwrap().ends);
    }
}
