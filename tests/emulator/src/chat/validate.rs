//! What the service refuses in a chat request (GigaChat REST reference, sections 6 and 13).
//!
//! Messages in the table of section 13 are copied from it; where the reference names a rule without a
//! message, the message follows the style of `repetition_penalty must be in range (0, +inf)`.

use super::request::{ChatRequest, Function, FunctionChoice, Message, ResponseFormat};
use super::schema;
use crate::models;
use crate::reply::Reply;
use crate::tokens::count_tokens;

/// Functions that the service has itself: they are listed by name alone.
pub(crate) const BUILT_IN: [&str; 3] = ["text2image", "text2model3d", "get_file_content"];

const ROLES: [&str; 6] = [
    "system",
    "user",
    "assistant",
    "function",
    "search_result",
    "function_in_progress",
];

/// The request, or the answer that refuses it.
/// `strict`: schemas must name a `type` at every level.
pub(crate) fn read(body: &[u8], strict: bool) -> Result<ChatRequest, Reply> {
    let request: ChatRequest = serde_json::from_slice(body).map_err(|error| refuse_json(&error))?;
    ranges(&request)?;
    model(&request)?;
    history(request.messages())?;
    functions(&request, strict)?;
    if let Some(format) = &request.response_format {
        response_format(format)?;
    }
    if prompt_tokens(&request) > models::CONTEXT_TOKENS {
        return Err(Reply::error(413, "Payload too large"));
    }
    Ok(request)
}

pub(crate) fn refuse_json(error: &serde_json::Error) -> Reply {
    use serde_json::error::Category;
    match error.classify() {
        Category::Data => Reply::error(400, &format!("Bad request: {error}")),
        _ => Reply::error(400, "Your request contains invalid JSON syntax."),
    }
}

/// By the rule of `tokens`: all contents, arguments of calls, and descriptions of functions.
pub(crate) fn prompt_tokens(request: &ChatRequest) -> usize {
    let messages: usize = request.messages().iter().map(message_tokens).sum();
    messages + function_tokens(request.functions())
}

pub(crate) fn function_tokens(functions: &[Function]) -> usize {
    functions
        .iter()
        .map(|function| {
            count_tokens(&function.name)
                + count_tokens(function.description.as_deref().unwrap_or_default())
        })
        .sum()
}

pub(crate) fn message_tokens(message: &Message) -> usize {
    let call = message.function_call.as_ref().map_or(0, |call| {
        count_tokens(&call.name)
            + call
                .arguments
                .as_ref()
                .map_or(0, |arguments| count_tokens(arguments.get()))
    });
    count_tokens(message.text()) + call
}

pub(crate) fn ranges(request: &ChatRequest) -> Result<(), Reply> {
    let positive = [
        ("temperature", request.temperature),
        ("max_tokens", request.max_tokens.map(f64::from)),
        ("repetition_penalty", request.repetition_penalty),
    ];
    for (name, value) in positive {
        if value.is_some_and(|value| value <= 0.0) {
            return Err(Reply::invalid(&format!(
                "{name} must be in range (0, +inf)"
            )));
        }
    }
    if request
        .top_p
        .is_some_and(|value| !(0.0..=1.0).contains(&value))
    {
        return Err(Reply::invalid("top_p must be in range [0, 1]"));
    }
    if request.update_interval.is_some_and(|value| value < 0.0) {
        return Err(Reply::invalid("update_interval must be in range [0, +inf)"));
    }
    if request.n == Some(0) {
        return Err(Reply::invalid("n must be in range (0, +inf)"));
    }
    Ok(())
}

fn model(request: &ChatRequest) -> Result<(), Reply> {
    let Some(model) = &request.model else {
        return Err(Reply::invalid("model is required"));
    };
    match models::versioned_chat_model(model) {
        Some(_) => Ok(()),
        None => Err(models::no_such_model()),
    }
}

fn history(messages: &[Message]) -> Result<(), Reply> {
    if messages.is_empty() {
        return Err(Reply::invalid("messages must not be empty"));
    }
    for (place, message) in messages.iter().enumerate() {
        if !ROLES.contains(&message.role.as_str()) {
            return Err(Reply::invalid(&format!("unknown role {:?}", message.role)));
        }
        if message.role == "system" && place > 0 {
            return Err(Reply::invalid("system message must be the first message"));
        }
        let next = messages.get(place + 1);
        if message.calls_function() && next.is_none_or(|next| next.role != "function") {
            let rule = "every assistant function call must have a result in history";
            return Err(Reply::invalid(rule));
        }
        if message.role == "function" {
            let previous = place.checked_sub(1).and_then(|place| messages.get(place));
            function_result(previous, message)?;
        }
    }
    Ok(())
}

fn function_result(previous: Option<&Message>, result: &Message) -> Result<(), Reply> {
    if !previous.is_some_and(Message::calls_function) {
        let rule =
            "every assistant function result must have an assistant function call in history";
        return Err(Reply::invalid(rule));
    }
    // Section 6.2: a JSON object, serialised to a string.
    let object = serde_json::from_str::<serde_json::Map<String, serde_json::Value>>(result.text());
    if object.is_err() {
        let name = result.name.as_deref().unwrap_or_default();
        let message = format!("invalid function result for function {name}");
        return Err(Reply::error(400, &message));
    }
    Ok(())
}

fn functions(request: &ChatRequest, strict: bool) -> Result<(), Reply> {
    for function in request.functions() {
        one_function(function, strict)?;
    }
    match &request.function_call {
        Some(FunctionChoice::Mode(mode)) if mode != "none" && mode != "auto" => Err(Reply::error(
            400,
            &format!("Unknown function_call {mode:?}"),
        )),
        Some(FunctionChoice::Named { name })
            if !request.functions().iter().any(|known| known.name == *name)
                && !BUILT_IN.contains(&name.as_str()) =>
        {
            Err(Reply::invalid(&format!(
                "function {name:?} is not among functions"
            )))
        }
        _ => Ok(()),
    }
}

/// What live 422 answers allow (section 6.4).
pub(crate) fn is_function_name(name: &str) -> bool {
    let allowed = |c: char| c.is_ascii_alphanumeric() || matches!(c, '_' | '-' | '.');
    !name.is_empty() && !name.starts_with(|c: char| c.is_ascii_digit()) && name.chars().all(allowed)
}

pub(crate) fn one_function(function: &Function, strict: bool) -> Result<(), Reply> {
    let name = &function.name;
    if !is_function_name(name) {
        return Err(Reply::invalid(
            "Invalid function names. Only Latin letters, digits, \"_\", \"-\" and \".\" are \
             allowed, and a name must not begin with a digit",
        ));
    }
    match &function.parameters {
        // What stands beside a built-in function's name means nothing.
        _ if BUILT_IN.contains(&name.as_str()) => Ok(()),
        None => Err(Reply::invalid(&format!(
            "parameters of function {name} are required"
        ))),
        Some(parameters) => schema::check(parameters, strict).map_err(|problem| {
            Reply::invalid(&format!("parameters of function {name}: {problem}"))
        }),
    }
}

fn response_format(format: &ResponseFormat) -> Result<(), Reply> {
    match (format.r#type.as_str(), &format.schema) {
        ("text", _) | ("json_schema", Some(_)) => Ok(()),
        ("json_schema", None) => {
            let message = "Empty schema with json format type is not supported";
            Err(Reply::error(400, message))
        }
        (other, _) => {
            let message = format!("Unknown type \"{other}\" in response_format");
            Err(Reply::error(400, &message))
        }
    }
}
