//! The text that stands for a model's: a function of the conversation and of nothing else.
//!
//! The answer repeats the last user message in a sentence, in its language. Prompts that do more:
//!
//! | The last user message | The answer |
//! |---|---|
//! | `count to N`, `считай до N` | `1, 2, 3, ..., N`, complete |
//! | `repeat: TEXT`, `повтори: TEXT` | TEXT, byte for byte |
//! | `write N tokens` | a text of exactly N tokens |
//! | `show the conversation` | every message, `role: content`, a line each |
//! | contains `forbidden-topic` or `запретная-тема` | a refusal, finish reason `blacklist` |
//! | `draw ...`, `нарисуй ...`, when `text2image` is offered, or `function_call` is `auto` and no function is | an `<img>` tag; a stream reports progress first |
//! | `sculpt ...`, `слепи ...`, the same with `text2model3d` | a `<div data-model-id>` |
//! | begins with `just answer` or `просто ответь` | text, although functions are offered |

use serde_json::Value;

use super::request::{ChatRequest, Function, FunctionChoice, Message};
use super::schema;
use super::validate::BUILT_IN;
use crate::tokens::{count_tokens, cut_to_tokens};

/// Numbers above this are not counted to.
const LONGEST: usize = 1_000_000;

/// What the model says.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Said {
    pub content: Content,
    pub finish_reason: String,
    pub completion_tokens: usize,
}

#[derive(Clone, Debug, PartialEq)]
pub(crate) enum Content {
    Text(String),
    /// Exactly these chunks, if it is streamed.
    Chunks(Vec<String>),
    /// Something made by a built-in function: in a stream, progress comes first.
    Made {
        function: &'static str,
        text: String,
        file: Made,
    },
    Call {
        name: String,
        arguments: Value,
        state_id: String,
    },
}

/// A file that an answer refers to.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Made {
    pub id: String,
    pub kind: MadeKind,
    /// What it was asked for with.
    pub asked: String,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum MadeKind {
    Image,
    Model3d,
}

impl Made {
    pub fn new(function: &str, asked: &str) -> Made {
        let kind = match function.contains("3d") {
            true => MadeKind::Model3d,
            false => MadeKind::Image,
        };
        Made {
            id: stable_uuid(asked),
            kind,
            asked: asked.to_owned(),
        }
    }
}

impl Said {
    pub fn text(text: String, finish_reason: &str) -> Said {
        Said {
            completion_tokens: count_tokens(&text),
            content: Content::Text(text),
            finish_reason: finish_reason.to_owned(),
        }
    }

    pub fn call(name: String, arguments: Value, request: &ChatRequest) -> Said {
        let completion_tokens = count_tokens(&name) + count_tokens(&arguments.to_string());
        let state_id = stable_uuid(&format!("{name}{arguments}{}", request.messages().len()));
        Said {
            content: Content::Call {
                name,
                arguments,
                state_id,
            },
            finish_reason: "function_call".to_owned(),
            completion_tokens,
        }
    }
}

/// The answer to this conversation.
pub(crate) fn answer(request: &ChatRequest) -> Said {
    let Some(last) = request.messages().last() else {
        return Said::text(String::new(), "stop");
    };
    let asked = last_user_text(request.messages()).unwrap_or_else(|| last.text());
    if is_forbidden(asked) {
        return Said::text(refusal(asked), "blacklist");
    }
    if last.role == "user"
        && let Some(said) = function_answer(request, asked)
    {
        return said;
    }
    let text = match schema_answer(request, asked) {
        Some(json) => json,
        None if last.role == "function" => after_function(last, asked),
        None => plain_answer(request, asked),
    };
    shortened(text, request.max_tokens)
}

fn last_user_text(messages: &[Message]) -> Option<&str> {
    messages
        .iter()
        .rev()
        .find(|message| message.role == "user")
        .map(Message::text)
}

/// `max_tokens` cuts the text to exactly so many tokens.
fn shortened(text: String, max_tokens: Option<i32>) -> Said {
    let most = max_tokens.and_then(|most| usize::try_from(most).ok());
    match most.map(|most| cut_to_tokens(&text, most)) {
        Some(kept) if kept.len() < text.len() => Said::text(kept.to_owned(), "length"),
        _ => Said::text(text, "stop"),
    }
}

fn function_answer(request: &ChatRequest, asked: &str) -> Option<Said> {
    let function = match &request.function_call {
        Some(FunctionChoice::Named { name }) => {
            let known = request.functions().iter().find(|known| known.name == *name);
            match known {
                Some(function) => function,
                None => return Some(made(built_in(name), asked)),
            }
        }
        Some(FunctionChoice::Mode(mode)) if mode == "none" => return None,
        _ if begins_with(asked, &["just answer", "просто ответь"]) => return None,
        // Without functions the built-in ones are there (section 6.4); "auto" is what asks for them.
        Some(FunctionChoice::Mode(_)) if request.functions().is_empty() => {
            return Some(made(drawing(asked)?, asked));
        }
        _ => offered_function(request, asked)?,
    };
    if BUILT_IN.contains(&function.name.as_str()) {
        return Some(made(built_in(&function.name), asked));
    }
    let arguments = arguments(function, asked);
    Some(Said::call(function.name.clone(), arguments, request))
}

/// The built-in function that makes what the message asks for.
pub(crate) fn drawing(asked: &str) -> Option<&'static str> {
    if begins_with(asked, &["draw", "нарисуй"]) {
        return Some("text2image");
    }
    begins_with(asked, &["sculpt", "слепи"]).then_some("text2model3d")
}

fn built_in(name: &str) -> &'static str {
    BUILT_IN
        .iter()
        .find(|known| **known == name)
        .unwrap_or(&BUILT_IN[0])
}

/// The function that the model chooses: the one that draws when asked to, else the first custom one.
fn offered_function<'a>(request: &'a ChatRequest, asked: &str) -> Option<&'a Function> {
    let functions = request.functions();
    let drawing = drawing(asked);
    let painter = functions
        .iter()
        .find(|known| Some(known.name.as_str()) == drawing);
    let custom = functions
        .iter()
        .find(|known| !BUILT_IN.contains(&known.name.as_str()));
    painter.or(custom)
}

/// The parameters of the example that asks the same, else the plainest ones, texts being the question.
pub(crate) fn arguments(function: &Function, asked: &str) -> Value {
    let examples = function.few_shot_examples.as_deref().unwrap_or_default();
    match examples.iter().find(|example| example.request == asked) {
        Some(example) => example.params.clone(),
        None => schema::instance(function.parameters.as_ref().unwrap_or(&Value::Null), asked),
    }
}

/// What a built-in function makes, as v1 writes it into the text (addendum A2).
fn made(function: &'static str, asked: &str) -> Said {
    let file = Made::new(function, asked);
    let text = match file.kind {
        MadeKind::Image => format!("<img src=\"{}\" fuse=\"true\"/> {asked}", file.id),
        MadeKind::Model3d => format!("<div data-model-id=\"{}\"/> {asked}", file.id),
    };
    Said {
        completion_tokens: count_tokens(&text),
        content: Content::Made {
            function,
            text,
            file,
        },
        finish_reason: "stop".to_owned(),
    }
}

fn schema_answer(request: &ChatRequest, asked: &str) -> Option<String> {
    let schema = request.response_format.as_ref()?.schema.as_ref()?;
    serde_json::to_string_pretty(&schema::instance(schema, asked)).ok()
}

fn plain_answer(request: &ChatRequest, asked: &str) -> String {
    let asked_lower = asked.trim().to_lowercase();
    if let Some(number) = number_in(&asked_lower, &["count to ", "считай до "], "") {
        let numbers: Vec<String> = (1..=number).map(|number| number.to_string()).collect();
        return numbers.join(", ");
    }
    if let Some(number) = number_in(&asked_lower, &["write "], " tokens") {
        return " token".repeat(number).trim_start().to_owned();
    }
    if asked_lower == "show the conversation" {
        let line = |message: &Message| format!("{}: {}", message.role, message.text());
        let lines: Vec<String> = request.messages().iter().map(line).collect();
        return lines.join("\n");
    }
    for prefix in ["repeat: ", "повтори: "] {
        if let Some(text) = asked.strip_prefix(prefix) {
            return text.to_owned();
        }
    }
    match is_russian(asked) {
        true => format!("Вы написали: «{asked}». Это ответ эмулятора."),
        false => format!("You wrote: \"{asked}\". This is the emulator's answer."),
    }
}

fn after_function(result: &Message, asked: &str) -> String {
    match is_russian(asked) {
        true => format!("Функция вернула: {}", result.text()),
        false => format!("The function returned: {}", result.text()),
    }
}

pub(crate) fn is_forbidden(text: &str) -> bool {
    ["forbidden-topic", "запретная-тема"]
        .iter()
        .any(|word| text.contains(word))
}

fn refusal(asked: &str) -> String {
    match is_russian(asked) {
        true => "Не люблю менять тему разговора, но вот сейчас тот самый случай.".to_owned(),
        false => "I would rather talk about something else.".to_owned(),
    }
}

fn is_russian(text: &str) -> bool {
    text.chars().any(|c| ('\u{400}'..='\u{4ff}').contains(&c))
}

pub(crate) fn begins_with(text: &str, beginnings: &[&str]) -> bool {
    let text = text.trim_start().to_lowercase();
    beginnings
        .iter()
        .any(|beginning| text.starts_with(beginning))
}

fn number_in(text: &str, beginnings: &[&str], end: &str) -> Option<usize> {
    let rest = beginnings
        .iter()
        .find_map(|beginning| text.strip_prefix(beginning))?;
    let digits = rest.trim_end_matches('.').strip_suffix(end)?;
    digits.parse().ok().filter(|number| *number <= LONGEST)
}

/// A UUID made of this text alone (FNV-1a, twice), so that equal conversations get equal ids.
pub(crate) fn stable_uuid(text: &str) -> String {
    let hash = |seed: u64| {
        text.bytes().fold(seed, |hash, byte| {
            (hash ^ u64::from(byte)).wrapping_mul(0x0000_0100_0000_01b3)
        })
    };
    let bits =
        u128::from(hash(0xcbf2_9ce4_8422_2325)) << 64 | u128::from(hash(0x6c62_272e_07bb_0142));
    uuid::Builder::from_random_bytes(bits.to_be_bytes())
        .into_uuid()
        .to_string()
}
