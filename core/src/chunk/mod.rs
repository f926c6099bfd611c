//! One event of a stream -> what it means: text, function call, progress, usage, end, error. Here
//! those of chat v1 (GigaChat REST reference, chat completions, streaming), in `named` those of v2.
//!
//! Knows nothing of connections and time. The end of a stream is recognised here (I6); that it
//! never came is for the caller to notice.

mod named;
mod pairs;

pub use named::read as read_named;
pub(crate) use pairs::PairJoiner;

use crate::error::{Error, ErrorKind, Phase, Result};
use crate::response::{
    Choices, Content, FunctionCall, GeneratedFile, Source, TokenUsage, WireMessage, complaint_of,
};
use crate::wire::complaint::{self, Complaint};
use crate::wire::mended;
use crate::wire::words::plain;
use crate::wire::{Json, List, Text, Whole, document, wire_object};

/// One part of a streamed answer.
#[derive(Clone, Debug, PartialEq)]
pub enum StreamEvent {
    /// A piece of the answer's text, never empty.
    Text(String),
    /// A piece of what the model thinks before it answers, never empty and never a part of the text.
    Reasoning(String),
    /// A function to call; it comes whole, never in pieces.
    FunctionCall(FunctionCall),
    /// A built-in function is at work (`text2image`): not part of the text.
    Progress {
        /// The built-in function's name.
        name: String,
        /// What the service says of it: the seconds left, as text, or how it ended.
        content: String,
    },
    /// A file that the service made (chat v2).
    File(GeneratedFile),
    /// Token usage, once, near the end.
    Usage(TokenUsage),
}

impl StreamEvent {
    /// About how many bytes the event occupies while it waits for its reader.
    pub(crate) fn size(&self) -> usize {
        let payload = match self {
            StreamEvent::Text(text) | StreamEvent::Reasoning(text) => text.len(),
            StreamEvent::FunctionCall(call) => call.name.len() + call.arguments.len(),
            StreamEvent::Progress { name, content } => name.len() + content.len(),
            StreamEvent::File(file) => file.id.len(),
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
    /// A piece of the reasoning, never empty.
    pub reasoning: Option<String>,
    /// The functions to call.
    pub function_calls: Vec<FunctionCall>,
    /// The files that the service made.
    pub files: Vec<GeneratedFile>,
    /// The sources of the text.
    pub sources: Vec<Source>,
    /// Name and words of a built-in function at work.
    pub progress: Option<(String, String)>,
    /// Token usage.
    pub usage: Option<TokenUsage>,
    /// Why the answer ended.
    pub finish_reason: Option<String>,
    /// The model, when it is not the one known already.
    pub model: Option<String>,
    /// The thread in which the service keeps the conversation.
    pub thread_id: Option<String>,
    /// The state of the answer's message.
    pub state_id: Option<String>,
    /// Whether it is the good end of a stream (chat v2).
    pub ends: bool,
    /// What the service says is wrong, beside the content that it sent with it.
    pub error: Option<Error>,
    /// It belongs to another choice than the first.
    pub(crate) of_another_choice: bool,
    /// The halves of a surrogate pair with which the text begins and ends.
    pub(crate) halves: (Option<u16>, Option<u16>),
}

wire_object! {
    struct WireChunk<'a> {
        choices: Choices<'a>,
        usage: TokenUsage,
        model: Text<'a>,
        error: Json<'a>,
        errors: Json<'a>,
    }
}

/// Whether the event's data is the stream's end mark.
pub(crate) fn is_end_mark(data: &[u8]) -> bool {
    data.trim_ascii() == b"[DONE]"
}

/// Reads one event. Whatever only says that the connection lives has no content: empty data, an
/// empty document, a name that is none of this protocol's.
pub(crate) fn read(name: &[u8], data: &[u8], known_model: Option<&str>) -> Result<ChunkContent> {
    match name {
        b"" | b"message" | b"done" => parse(data, known_model),
        b"error" => Err(broken_off(complaint::of_error_event(data), data)),
        _ => Ok(match content(data, known_model) {
            Ok((content, Chunk::Answer)) => content,
            Ok((_, Chunk::Error)) => parse(data, known_model)?,
            Ok((_, Chunk::Other | Chunk::NoObject)) | Err(_) => ChunkContent::default(),
        }),
    }
}

/// Reads the data of one event. `known_model` spares a copy of a name that every chunk repeats.
pub fn parse(data: &[u8], known_model: Option<&str>) -> Result<ChunkContent> {
    if says_nothing(data) {
        return Ok(ChunkContent::default());
    }
    let (mut content, chunk) = content(data, known_model).map_err(|why| unusable(&why, data))?;
    let has_content = content.text.is_some() || !content.function_calls.is_empty();
    let complaint = match chunk {
        Chunk::NoObject => return Err(unusable(&"it is no object", data)),
        Chunk::Answer => None,
        Chunk::Error => complaint_of(data, true),
        // Without choices it is an error that the service met in the middle of its answer, or
        // something beside the answer, such as its usage.
        Chunk::Other => complaint_of(data, content.usage.is_some()),
    };
    if let Some(complaint) = complaint {
        let error = broken_off(complaint, data);
        if !has_content {
            return Err(error);
        }
        content.error = Some(error);
    }
    Ok(content)
}

/// What a chunk is, by the keys that it has.
enum Chunk {
    Answer,
    Error,
    Other,
    NoObject,
}

fn says_nothing(data: &[u8]) -> bool {
    let data = data.trim_ascii();
    let word = data
        .strip_prefix(b"\"")
        .and_then(|word| word.strip_suffix(b"\""))
        .unwrap_or(data);
    matches!(data, b"" | b"null" | b"{}" | b"[]" | b"\"\"") || complaint::is_keep_alive(word)
}

/// Reads a chunk; one that is no JSON as it stands is read as it was meant.
fn content(
    data: &[u8],
    known_model: Option<&str>,
) -> std::result::Result<(ChunkContent, Chunk), String> {
    match content_of(data, known_model) {
        Ok(found) => found,
        Err(why) => {
            let Some(mended) = mended::mended(data) else {
                return Err(plain(&why));
            };
            let mut found = content_of(&mended, known_model).map_err(|_| plain(&why))?;
            if let Ok((content, _)) = &mut found {
                content.halves = halves_of_text(data);
            }
            found
        }
    }
}

type Found = std::result::Result<(ChunkContent, Chunk), String>;

fn content_of(data: &[u8], known_model: Option<&str>) -> serde_json::Result<Found> {
    let Some(wire) = document::<WireChunk<'_>>(data)? else {
        return Ok(Ok((ChunkContent::default(), Chunk::NoObject)));
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
    let mut chunk = match wire.error.is_some() || wire.errors.is_some() {
        true => Chunk::Error,
        false => Chunk::Other,
    };
    let choices = wire.choices.unwrap_or_default();
    content.of_another_choice = choices.other.is_some();
    let Some(choice) = choices.answer else {
        if choices.odd && !content.of_another_choice && matches!(chunk, Chunk::Other) {
            return Ok(Err("its choices are no list of objects".to_owned()));
        }
        // A chunk of another choice of the answer is one of ours, too.
        if content.of_another_choice && matches!(chunk, Chunk::Other) {
            chunk = Chunk::Answer;
        }
        return Ok(Ok((content, chunk)));
    };
    chunk = match (chunk, choice.error) {
        (Chunk::Error, _) | (_, Some(_)) => Chunk::Error,
        _ => Chunk::Answer,
    };
    content.finish_reason = choice.finish_reason.map(Text::into_owned);
    // Some gateways put a message in the place of the delta.
    let delta = choice.delta.filter(|delta| delta.members > 0);
    if let Some(delta) = delta.or(choice.message)
        && read_delta(delta, &mut content).is_err()
    {
        return Ok(Err("its content is no text".to_owned()));
    }
    Ok(Ok((content, chunk)))
}

/// The content is there and is no text.
struct NoText;

fn read_delta(
    mut delta: WireMessage<'_>,
    content: &mut ChunkContent,
) -> std::result::Result<(), NoText> {
    let reasoning = delta.reasoning();
    let text = match delta.content {
        Some(Content::Text(text)) => Some(text.into_owned()).filter(|text| !text.is_empty()),
        Some(Content::Odd) => return Err(NoText),
        None => None,
    };
    if delta
        .role
        .as_ref()
        .is_some_and(|role| role.0 == "function_in_progress")
    {
        let name = delta.name.map_or(String::new(), Text::into_owned);
        content.progress = Some((name, text.unwrap_or_default()));
        return Ok(());
    }
    content.text = text;
    content.reasoning = reasoning;
    let sources = delta.inline_data.and_then(|data| data.sources);
    content.sources = sources.map_or(Vec::new(), |sources| sources.0);
    content.state_id = delta.functions_state_id.map(Text::into_owned);
    let call = delta.function_call;
    let call = call.and_then(|call| call.into_call(content.state_id.clone()));
    content.function_calls.extend(call);
    Ok(())
}

/// With which halves of a surrogate pair the text of a chunk begins and ends.
fn halves_of_text(data: &[u8]) -> (Option<u16>, Option<u16>) {
    wire_object! { struct Outer<'a> { choices: List<Inner<'a>>, } }
    wire_object! { struct Inner<'a> { index: Whole, delta: RawMessage<'a>, message: RawMessage<'a>, } }
    wire_object! { struct RawMessage<'a> { content: Json<'a>, } }
    let Ok(Some(outer)) = document::<Outer<'_>>(data) else {
        return (None, None);
    };
    let choices = outer.choices.map_or(Vec::new(), |list| list.0);
    choices
        .into_iter()
        .find(|choice| choice.index.is_none_or(|index| index == Whole(0)))
        .and_then(|choice| choice.delta.or(choice.message)?.content)
        .map_or((None, None), |content| mended::halves(content.0.get()))
}

fn broken_off(complaint: Complaint, data: &[u8]) -> Error {
    Error::of_complaint(
        complaint,
        "the service broke the stream off",
        Phase::Body,
        data,
    )
}

fn unusable(why: &dyn std::fmt::Display, data: &[u8]) -> Error {
    Error::new(
        ErrorKind::Protocol,
        Phase::Body,
        format!("an event of the stream cannot be used: {why}"),
    )
    .with_status(200)
    .with_body(data)
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
