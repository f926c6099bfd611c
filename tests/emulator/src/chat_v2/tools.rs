//! Which tool the model takes: by `tool_config`, else by the words of the last user message.

use super::request::Request;
use crate::chat::{Function, begins_with};

/// The service's own tools (addendum A3.1).
pub(super) const BUILT_IN: [&str; 7] = [
    "image_generate",
    "model_3d_generate",
    "web_search",
    "code_interpreter",
    "url_content_extraction",
    "get_datetime",
    "memory",
];

/// With which words a message asks for one.
const WORDS: [(&str, &[&str]); 6] = [
    ("image_generate", &["draw", "нарисуй"]),
    ("model_3d_generate", &["sculpt", "слепи"]),
    ("web_search", &["search", "find", "найди", "поищи"]),
    (
        "code_interpreter",
        &["compute", "calculate", "посчитай", "вычисли"],
    ),
    ("get_datetime", &["what time", "который час"]),
    ("memory", &["remember", "запомни"]),
];

pub(super) enum Choice<'a> {
    /// Client functions: one, or several side by side.
    Call(Vec<&'a Function>),
    BuiltIn(&'static str),
    Text,
}

/// `answers_result`: the last message is a function's result.
pub(super) fn choose<'a>(request: &'a Request, asked: &str, answers_result: bool) -> Choice<'a> {
    let config = request.tool_config.as_ref();
    match config.and_then(|config| config.mode.as_deref()) {
        Some("none") => return Choice::Text,
        Some("forced") => {
            let name = config.and_then(|config| config.function_name.as_ref());
            if let Some(name) = name {
                let functions = request.functions.iter();
                return Choice::Call(functions.filter(|known| known.name == *name).collect());
            }
            let name = config.and_then(|config| config.tool_name.as_deref());
            return Choice::BuiltIn(built_in(name.unwrap_or_default()));
        }
        // It must call, behind a result too: a client drops the mode on the next round (addendum A3.1).
        Some("any") => {
            let names = config.and_then(|config| config.functions_names_any.as_ref());
            let functions = request.functions.iter();
            let may = |known: &&Function| names.is_none_or(|names| names.contains(&known.name));
            return called(request, functions.filter(may).collect());
        }
        _ => {}
    }
    if answers_result || begins_with(asked, &["just answer", "просто ответь"]) {
        return Choice::Text;
    }
    if let Some(tool) = built_in_by_words(request, asked) {
        return Choice::BuiltIn(tool);
    }
    if !request.functions.is_empty() {
        return called(request, request.functions.iter().collect());
    }
    match request.has_tool("web_search") {
        true => Choice::BuiltIn("web_search"),
        false => Choice::Text,
    }
}

fn called<'a>(request: &Request, mut functions: Vec<&'a Function>) -> Choice<'a> {
    if request.options().parallel_tool_calls != Some(true) {
        functions.truncate(1);
    }
    match functions.is_empty() {
        true => Choice::Text,
        false => Choice::Call(functions),
    }
}

fn built_in_by_words(request: &Request, asked: &str) -> Option<&'static str> {
    if request.has_tool("url_content_extraction") && asked.contains("://") {
        return Some("url_content_extraction");
    }
    let asks = |words: &[&str]| begins_with(asked, words);
    let mut offered = WORDS.iter().filter(|(name, _)| request.has_tool(name));
    offered
        .find(|(_, words)| asks(words))
        .map(|(name, _)| *name)
}

fn built_in(name: &str) -> &'static str {
    BUILT_IN
        .iter()
        .find(|known| **known == name)
        .unwrap_or(&BUILT_IN[0])
}
