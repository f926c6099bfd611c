//! What the service refuses in a request of v2 (addendum A3.5).

use serde::Deserialize;
use serde_json::Value;

use super::request::{Message, Request, ResponseFormat};
use super::tools::BUILT_IN;
use crate::chat::{self, Function};
use crate::models;
use crate::reply::Reply;

const ROLES: [&str; 6] = [
    "system",
    "user",
    "assistant",
    "tool",
    "function",
    "reasoning",
];
/// The model of a request that names none since a thread or an assistant has one.
const USUAL_MODEL: &str = "GigaChat-2-Max";

#[derive(Deserialize)]
struct Functions {
    #[serde(default)]
    specifications: Vec<Function>,
}

/// The request with its model, or the answer that refuses it.
pub(super) fn read(body: &[u8], strict: bool) -> Result<(Request, String), Reply> {
    let mut request: Request = serde_json::from_slice(body).map_err(|_| malformed())?;
    let model = model(&request)?;
    request.functions = functions(&request, strict)?;
    tool_config(&request)?;
    history(&request)?;
    if let Some(format) = &request.options().response_format {
        response_format(format)?;
    }
    // The numbers are judged as those of v1 are.
    chat::judge_numbers(&request.as_v1(&model, &[]))?;
    Ok((request, model))
}

/// Any wrong shape gets this answer.
fn malformed() -> Reply {
    Reply::error(400, "Your request contains invalid JSON syntax.")
}

fn model(request: &Request) -> Result<String, Reply> {
    let thread = request
        .storage
        .as_ref()
        .and_then(|storage| storage.thread_id.as_ref());
    let model = match &request.model {
        Some(model) => model.as_str(),
        None if request.assistant_id.is_some() || thread.is_some() => USUAL_MODEL,
        None => return Err(Reply::invalid("model is required")),
    };
    match models::versioned_chat_model(model) {
        Some(_) => Ok(model.to_owned()),
        None => Err(models::no_such_model()),
    }
}

fn functions(request: &Request, strict: bool) -> Result<Vec<Function>, Reply> {
    let mut functions = Vec::new();
    for (name, options) in request.tools.iter().flatten().flatten() {
        if name == "functions" {
            let read = Functions::deserialize(options).map_err(|_| malformed())?;
            functions.extend(read.specifications);
        } else if !BUILT_IN.contains(&name.as_str()) {
            return Err(Reply::error(404, &format!("Unknown tool {name}")));
        }
    }
    for function in &functions {
        chat::judge_function(function, strict)?;
    }
    Ok(functions)
}

fn tool_config(request: &Request) -> Result<(), Reply> {
    let Some(config) = &request.tool_config else {
        return Ok(());
    };
    let mode = config.mode.as_deref().unwrap_or("auto");
    if !["auto", "none", "forced", "any"].contains(&mode) {
        return Err(Reply::invalid(&format!(
            "unknown tool_config.mode {mode:?}"
        )));
    }
    let asked = config.function_name.iter();
    for name in asked.chain(config.functions_names_any.iter().flatten()) {
        if !request.functions.iter().any(|known| known.name == *name) {
            let problem = format!("function {name:?} is not among the specifications");
            return Err(Reply::invalid(&problem));
        }
    }
    match &config.tool_name {
        Some(name) if !BUILT_IN.contains(&name.as_str()) => {
            Err(Reply::error(404, &format!("Unknown tool {name}")))
        }
        None if mode == "forced" && config.function_name.is_none() => Err(Reply::invalid(
            "tool_config.mode forced needs tool_name or function_name",
        )),
        _ => Ok(()),
    }
}

fn history(request: &Request) -> Result<(), Reply> {
    if request.messages.is_empty() {
        return Err(Reply::invalid("messages must not be empty"));
    }
    // In a thread the call may be in what the service keeps.
    let mut in_thread = request
        .storage
        .as_ref()
        .is_some_and(|storage| storage.thread_id.is_some());
    let mut waiting: Vec<&super::request::FunctionCall> = Vec::new();
    for message in &request.messages {
        if !ROLES.contains(&message.role.as_str()) {
            return Err(malformed());
        }
        if message.is_result() {
            results(message, &mut waiting, in_thread)?;
            continue;
        }
        every_call_has_its_result(&waiting)?;
        in_thread &= message.role != "assistant";
        waiting.extend(message.calls());
    }
    every_call_has_its_result(&waiting)
}

fn every_call_has_its_result(waiting: &[&super::request::FunctionCall]) -> Result<(), Reply> {
    match waiting.is_empty() {
        true => Ok(()),
        false => Err(Reply::invalid(
            "every assistant function call must have a result in history",
        )),
    }
}

/// Each result takes the call of its id, or the first of its name.
fn results(
    message: &Message,
    waiting: &mut Vec<&super::request::FunctionCall>,
    in_thread: bool,
) -> Result<(), Reply> {
    if message.results().next().is_none() {
        return Err(malformed());
    }
    for result in message.results() {
        if let Value::String(text) = &result.result
            && let Err(problem) = serde_json::from_str::<Value>(text)
        {
            let message = format!(
                "invalid function result for function {} json string {text}, error: JSON parse error {problem}",
                result.name
            );
            return Err(Reply::error(400, &message));
        }
        let is_meant = |call: &&super::request::FunctionCall| match (&call.id, &result.id) {
            (Some(call), Some(result)) => call == result,
            _ => call.name == result.name,
        };
        match waiting.iter().position(is_meant) {
            Some(place) => drop(waiting.remove(place)),
            None if in_thread => {}
            None => {
                return Err(Reply::invalid(
                    "every assistant function result must have an assistant function call in history",
                ));
            }
        }
    }
    Ok(())
}

fn response_format(format: &ResponseFormat) -> Result<(), Reply> {
    match (format.r#type.as_str(), &format.schema, &format.regex) {
        ("text", ..) | ("json_schema", Some(_), _) | ("regex", _, Some(_)) => Ok(()),
        ("json_schema", None, _) => Err(Reply::error(
            400,
            "Empty schema with json format type is not supported",
        )),
        ("regex", _, None) => Err(malformed()),
        (other, ..) => Err(Reply::error(
            400,
            &format!("Unknown type \"{other}\" in response_format"),
        )),
    }
}
