//! One event of a v1 stream -> what it means: text, function call, progress, usage, end, error
//! (GigaChat REST reference, chat completions, streaming).
//!
//! Knows nothing of connections and time. The end mark `[DONE]` is recognised here (I6); that
//! it never came is for the caller to notice.

use serde::Deserialize;

use crate::error::{Error, ErrorKind, Phase, Result};
use crate::response::{FunctionCall, TokenUsage, WireMessage};
use crate::wire::{First, Text};

/// One part of a streamed answer.
#[derive(Clone, Debug, PartialEq)]
pub enum StreamEvent {
    /// A piece of the answer's text, never empty.
    Text(String),
    /// The function to call; it comes whole, never in pieces.
    FunctionCall(FunctionCall),
    /// A built-in function is at work (`text2image`): not part of the text.
    Progress {
        /// The built-in function's name.
        name: String,
        /// What the service says of it: the seconds left, as text.
        content: String,
    },
    /// Token usage, once, near the end.
    Usage(TokenUsage),
}

impl StreamEvent {
    /// About how many bytes the event occupies while it waits for its reader.
    pub(crate) fn size(&self) -> usize {
        let payload = match self {
            StreamEvent::Text(text) => text.len(),
            StreamEvent::FunctionCall(call) => call.name.len() + call.arguments.len(),
            StreamEvent::Progress { name, content } => name.len() + content.len(),
            StreamEvent::Usage(_) => 0,
        };
        payload + std::mem::size_of::<StreamEvent>()
    }
}

/// What one event of a stream said.
#[derive(Debug, Default)]
pub struct ChunkContent {
    /// A piece of the answer's text, never empty.
    pub text: Option<String>,
    /// The function to call.
    pub function_call: Option<FunctionCall>,
    /// Name and words of a built-in function at work.
    pub progress: Option<(String, String)>,
    /// Token usage.
    pub usage: Option<TokenUsage>,
    /// Why the answer ended.
    pub finish_reason: Option<String>,
    /// The model, when it is not the one known already.
    pub model: Option<String>,
}

#[derive(Deserialize)]
struct WireChunk<'a> {
    #[serde(borrow, default)]
    choices: Option<First<WireDelta<'a>>>,
    #[serde(default)]
    usage: Option<TokenUsage>,
    #[serde(borrow, default)]
    model: Option<Text<'a>>,
    #[serde(default)]
    status: Option<u16>,
    #[serde(borrow, default)]
    message: Option<Text<'a>>,
}

#[derive(Deserialize)]
struct WireDelta<'a> {
    #[serde(borrow, default)]
    delta: Option<WireMessage<'a>>,
    #[serde(borrow, default)]
    finish_reason: Option<Text<'a>>,
}

/// Whether the event's data is the stream's end mark.
pub(crate) fn is_end_mark(data: &[u8]) -> bool {
    data.trim_ascii() == b"[DONE]"
}

/// Reads the data of one event. `known_model` spares a copy of a name that every chunk repeats.
pub fn parse(data: &[u8], known_model: Option<&str>) -> Result<ChunkContent> {
    let wire: WireChunk<'_> = serde_json::from_slice(data).map_err(|why| {
        Error::new(
            ErrorKind::Protocol,
            Phase::Body,
            format!("an event of the stream cannot be used: {why}"),
        )
        .with_status(200)
        .with_body(data)
    })?;
    let Some(choices) = wire.choices else {
        return Err(not_a_completion(
            wire.status,
            wire.message.as_ref().map(|text| &*text.0),
            data,
        ));
    };
    let model = wire
        .model
        .filter(|model| known_model != Some(&*model.0))
        .map(Text::into_owned);
    let mut content = ChunkContent {
        usage: wire.usage,
        model,
        ..ChunkContent::default()
    };
    // Only the first choice is the answer; `n` above 1 is for the raw JSON of a unary call.
    let Some(choice) = choices.0 else {
        return Ok(content);
    };
    content.finish_reason = choice.finish_reason.map(Text::into_owned);
    if let Some(delta) = choice.delta {
        read_delta(delta, &mut content);
    }
    Ok(content)
}

fn read_delta(delta: WireMessage<'_>, content: &mut ChunkContent) {
    let text = delta
        .content
        .filter(|text| !text.0.is_empty())
        .map(Text::into_owned);
    if delta
        .role
        .is_some_and(|role| role.0 == "function_in_progress")
    {
        let name = delta.name.map_or(String::new(), Text::into_owned);
        content.progress = Some((name, text.unwrap_or_default()));
        return;
    }
    content.text = text;
    let state_id = delta.functions_state_id.map(Text::into_owned);
    content.function_call = delta.function_call.map(|call| call.into_call(state_id));
}

/// A JSON object without choices is an error that the service met in the middle of its answer.
fn not_a_completion(status: Option<u16>, message: Option<&str>, data: &[u8]) -> Error {
    let kind = match status {
        Some(status) => ErrorKind::of_status(status),
        None => ErrorKind::Protocol,
    };
    let said = message.unwrap_or("an event without choices");
    let error = Error::new(
        kind,
        Phase::Body,
        format!("the service broke the stream off: {said}"),
    );
    error.with_body(data).with_status(status.unwrap_or(200))
}

#[cfg(test)]
mod tests {
    use super::parse;
    use crate::error::ErrorKind;

    #[test]
    fn a_delta_gives_its_text_and_the_last_chunk_reason_and_usage() {
        let first = parse(br#"{"choices":[{"delta":{"content":"1, 2","role":"assistant"},"index":0}],"model":"m:1"}"#, None).unwrap();
        assert_eq!(
            (first.text.as_deref(), first.model.as_deref()),
            (Some("1, 2"), Some("m:1"))
        );
        let last = parse(br#"{"choices":[{"delta":{"content":""},"index":0,"finish_reason":"stop"}],"model":"m:1","usage":{"total_tokens":59}}"#, Some("m:1")).unwrap();
        assert_eq!((last.text, last.model), (None, None));
        assert_eq!(last.finish_reason.as_deref(), Some("stop"));
        assert_eq!(last.usage.unwrap().total_tokens, 59);
    }

    #[test]
    fn progress_of_a_builtin_function_is_not_text() {
        let chunk = parse(br#"{"choices":[{"delta":{"role":"function_in_progress","name":"text2image","content":"15","created":1},"index":0}]}"#, None).unwrap();
        assert_eq!(
            chunk.progress,
            Some(("text2image".to_owned(), "15".to_owned()))
        );
        assert_eq!(chunk.text, None);
    }

    #[test]
    fn an_error_object_inside_the_stream_is_that_error() {
        let error =
            parse(br#"{"status":500,"message":"Internal Server Error"}"#, None).unwrap_err();
        assert_eq!(
            (error.kind(), error.status()),
            (ErrorKind::Server, Some(500))
        );
        let error = parse(b"{\"choices\":[{", None).unwrap_err();
        assert_eq!(error.kind(), ErrorKind::Protocol);
    }
}
