//! Reads a request from JSON in the wire format of either chat (GigaChat REST reference, chat
//! completions v1 and v2); `dialect` says which one it is.
//!
//! Known fields are checked for type and taken apart; unknown fields are kept byte for byte.

use serde::Deserialize;
use serde_json::value::RawValue;

use super::message::Message;
use super::{Object, Request, dialect};
use crate::api_version::ApiVersion;
use crate::error::{Error, ErrorKind, Phase, Result};
use crate::wire::words::plain;

impl Request {
    /// A request from JSON in the wire format: an object with at least `messages`.
    ///
    /// `stream` may be present but does not decide: the function that is called does. `stop`
    /// (a text or a list of texts) is applied by this library.
    pub fn from_json(text: &str) -> Result<Request> {
        let Object(members) =
            serde_json::from_str(text).map_err(|why| not_json("request", &why))?;
        let mut request = Request::new();
        for (name, value) in members {
            if let Some(version) = dialect::of_field(&name, &value) {
                request.is_shaped(version, &name)?;
            }
            match name.as_str() {
                "messages" => {
                    for (index, element) in list(&name, &value)?.iter().enumerate() {
                        let name = format!("messages[{index}]");
                        add_message(&mut request, &name, element.get())?;
                    }
                }
                "functions" if value.get() != "null" => {
                    for (index, element) in list(&name, &value)?.iter().enumerate() {
                        let name = format!("functions[{index}]");
                        request
                            .functions
                            .push(named_function(&name, element.get())?);
                    }
                }
                "model" => request.set_model(&typed::<String>(&name, &value, "a text")?)?,
                "stop" => {
                    for stop in stops(&value)? {
                        request.params.add_stop(&stop)?;
                    }
                }
                "stream" => drop(typed::<Option<bool>>(&name, &value, "true or false")?),
                _ => {
                    check_type(&name, &value)?;
                    request.fields.push((name, value));
                }
            }
        }
        request.check()?;
        Ok(request)
    }
}

/// A field by name, for requests that are built. Fields with a typed setter are refused, since
/// two places for one value would leave open which counts.
pub(super) fn set_field(request: &mut Request, name: &str, value: &str) -> Result<()> {
    const TYPED: [&str; 10] = [
        "messages",
        "functions",
        "model",
        "stop",
        "stream",
        "temperature",
        "max_tokens",
        "top_p",
        "repetition_penalty",
        "",
    ];
    if TYPED.contains(&name) {
        return Err(Error::invalid(
            "field name",
            format!("{name:?}"),
            "a field without a setter of its own",
        ));
    }
    let value: Box<RawValue> = serde_json::from_str(value).map_err(|why| not_json(name, &why))?;
    check_type(name, &value)?;
    if let Some(version) = dialect::of_field(name, &value) {
        request.is_shaped(version, name)?;
    }
    request.fields.retain(|(known, _)| known != name);
    request.fields.push((name.to_owned(), value));
    Ok(())
}

/// The fields whose type this library knows but whose value it leaves to the service.
fn check_type(name: &str, value: &RawValue) -> Result<()> {
    match name {
        "temperature" | "top_p" | "repetition_penalty" | "update_interval" => {
            typed::<Option<f64>>(name, value, "a number").map(drop)
        }
        "max_tokens" | "n" => typed::<Option<i64>>(name, value, "a whole number").map(drop),
        "profanity_check" => typed::<Option<bool>>(name, value, "true or false").map(drop),
        "flags" => typed::<Option<Vec<String>>>(name, value, "a list of texts").map(drop),
        "function_call" => {
            typed::<FunctionChoice>(name, value, "\"none\", \"auto\" or {\"name\": ...}").map(drop)
        }
        "tools" => tools(name, value),
        "tool_config" => {
            object(name, value)?;
            typed::<ToolConfig>(name, value, "an object with a text mode").map(drop)
        }
        "model_options" => {
            object(name, value)?;
            typed::<ModelOptions>(name, value, "an object of the model's options").map(drop)
        }
        _ => Ok(()),
    }
}

#[derive(Deserialize)]
#[allow(dead_code, reason = "read for its type only")]
struct ToolConfig {
    mode: Option<String>,
    tool_name: Option<String>,
    function_name: Option<String>,
    functions_names_any: Option<Vec<String>>,
}

#[derive(Deserialize)]
#[allow(dead_code, reason = "read for its type only")]
struct ModelOptions {
    temperature: Option<f64>,
    top_p: Option<f64>,
    repetition_penalty: Option<f64>,
    update_interval: Option<f64>,
    max_tokens: Option<i64>,
    parallel_tool_calls: Option<bool>,
}

/// The tools of chat v2: each an object, or the name of one without options.
fn tools(name: &str, value: &RawValue) -> Result<()> {
    #[derive(Deserialize)]
    struct Functions {
        #[serde(default)]
        specifications: Vec<Box<RawValue>>,
    }
    const ACCEPTED: &str = "a list of objects";
    let list: Option<Vec<Box<RawValue>>> = typed(name, value, ACCEPTED)?;
    for (index, tool) in list.into_iter().flatten().enumerate() {
        if tool.get().starts_with('"') {
            continue;
        }
        let name = format!("{name}[{index}]");
        object(&name, &tool)?;
        let Object(members) = typed(&name, &tool, "an object with one member, the tool")?;
        for (tool, options) in members.iter().filter(|(tool, _)| tool == "functions") {
            let name = format!("{name}.{tool}.specifications");
            let functions: Functions = typed(&name, options, ACCEPTED)?;
            for (index, function) in functions.specifications.iter().enumerate() {
                named_function(&format!("{name}[{index}]"), function.get())?;
            }
        }
    }
    Ok(())
}

fn object(name: &str, value: &RawValue) -> Result<()> {
    no_array(name, value, "an object")
}

#[derive(Deserialize)]
#[serde(untagged)]
#[allow(dead_code, reason = "read for its type only")]
enum FunctionChoice {
    Mode(Option<String>),
    Named { name: String },
}

/// Adds a message: an object with a text `role`; the other known fields must have their types.
pub(super) fn add_message(request: &mut Request, name: &str, text: &str) -> Result<()> {
    const ACCEPTED: &str = "an object with a text role and content";
    let raw: Box<RawValue> = serde_json::from_str(text).map_err(|why| not_json(name, &why))?;
    no_array(name, &raw, ACCEPTED)?;
    let shape = dialect::of_message(&raw);
    match shape {
        Some(ApiVersion::V2) => check_message_v2(name, &raw)?,
        Some(ApiVersion::V1) | None => {
            typed::<MessageV1>(name, &raw, "an object with a text role and text content")?;
        }
    }
    if let Some(version) = shape {
        request.is_shaped(version, name)?;
    }
    request.messages.push(Message::of_json(raw));
    Ok(())
}

#[derive(Deserialize)]
#[allow(dead_code, reason = "read for its type only")]
struct MessageV1 {
    role: String,
    content: Option<String>,
    attachments: Option<Vec<String>>,
    function_call: Option<Named>,
    functions_state_id: Option<String>,
    name: Option<String>,
}

#[derive(Deserialize)]
#[allow(dead_code, reason = "read for its type only")]
struct Named {
    name: String,
}

fn check_message_v2(name: &str, raw: &RawValue) -> Result<()> {
    #[derive(Deserialize)]
    #[allow(dead_code, reason = "read for its type only")]
    struct Message {
        role: String,
        content: Vec<Box<RawValue>>,
        tools_state_id: Option<String>,
        tool_state_id: Option<String>,
    }
    #[derive(Deserialize)]
    #[allow(dead_code, reason = "read for its type only")]
    struct Part {
        text: Option<String>,
        files: Option<Vec<File>>,
        function_call: Option<Named>,
        function_result: Option<Named>,
    }
    #[derive(Deserialize)]
    #[allow(dead_code, reason = "read for its type only")]
    struct File {
        id: String,
    }
    let message: Message = typed(
        name,
        raw,
        "an object with a text role and a list as content",
    )?;
    for (index, part) in message.content.iter().enumerate() {
        let name = format!("{name}.content[{index}]");
        let accepted = "an object with a part of the message";
        no_array(&name, part, accepted)?;
        typed::<Part>(&name, part, accepted)?;
    }
    Ok(())
}

/// One function description: an object with a text `name`; the rest passes unchanged.
pub(super) fn function(text: &str) -> Result<Box<RawValue>> {
    named_function("function", text)
}

fn named_function(name: &str, text: &str) -> Result<Box<RawValue>> {
    #[derive(Deserialize)]
    #[allow(dead_code, reason = "read for its type only")]
    struct Shape {
        name: String,
        description: Option<String>,
    }
    let raw: Box<RawValue> = serde_json::from_str(text).map_err(|why| not_json(name, &why))?;
    no_array(name, &raw, "an object with a text name")?;
    typed::<Shape>(name, &raw, "an object with a text name")?;
    Ok(raw)
}

/// serde reads a struct from an array, too; an array is no object.
fn no_array(name: &str, value: &RawValue, accepted: &str) -> Result<()> {
    match value.get().starts_with('[') {
        true => Err(Error::invalid(name, shown(value.get()), accepted)),
        false => Ok(()),
    }
}

fn stops(value: &RawValue) -> Result<Vec<String>> {
    #[derive(Deserialize)]
    #[serde(untagged)]
    enum Stops {
        None,
        One(String),
        Many(Vec<String>),
    }
    Ok(match typed("stop", value, "a text or a list of texts")? {
        Stops::None => Vec::new(),
        Stops::One(stop) => vec![stop],
        Stops::Many(stops) => stops,
    })
}

fn list(name: &str, value: &RawValue) -> Result<Vec<Box<RawValue>>> {
    typed(name, value, "a list of objects")
}

fn typed<'a, T: Deserialize<'a>>(name: &str, value: &'a RawValue, accepted: &str) -> Result<T> {
    serde_json::from_str(value.get()).map_err(|why| {
        let value = format!("{} ({})", shown(value.get()), plain(&why));
        Error::invalid(name, value, accepted)
    })
}

/// At most 80 characters of a value, for an error's text.
fn shown(text: &str) -> String {
    let mut cut: String = text.chars().take(80).collect();
    if cut.len() < text.len() {
        cut.push('…');
    }
    cut
}

fn not_json(what: &str, why: &serde_json::Error) -> Error {
    Error::new(
        ErrorKind::InvalidRequest,
        Phase::Input,
        format!("{what}: not usable as JSON: {}", plain(why)),
    )
}

#[cfg(test)]
mod tests {
    use crate::Request;

    #[test]
    fn unknown_fields_pass_through_byte_for_byte() {
        let text = r#"{"messages":[{"role":"user","content":"hi","new":1.50e0}],"x_new":{"a" : 1.000,"b":[ ]},"temperature":0.70}"#;
        let body = Request::from_json(text)
            .unwrap()
            .wire_body("GigaChat", false)
            .unwrap();
        assert_eq!(
            String::from_utf8(body).unwrap(),
            r#"{"model":"GigaChat","messages":[{"role":"user","content":"hi","new":1.50e0}],"x_new":{"a" : 1.000,"b":[ ]},"temperature":0.70}"#
        );
    }

    #[test]
    fn known_fields_are_checked_for_type_before_anything_is_sent() {
        let cases = [
            (r#"[1]"#, "a JSON object"),
            (r#"{"messages":[]}"#, "at least one message"),
            (r#"{"messages":5}"#, "messages: 5"),
            (
                r#"{"messages":[["user","hi",null,null,null,null]]}"#,
                "[\"user\"",
            ),
            (
                r#"{"messages":[{"role":"user"}],"functions":[["f",null]]}"#,
                "[\"f\"",
            ),
            (r#"{"messages":[{"content":"x"}]}"#, "role"),
            (
                r#"{"messages":[{"role":"user","content":["x"]}]}"#,
                "messages[0].content[0]: \"x\"",
            ),
            (
                r#"{"messages":[{"role":"user"}],"temperature":"hot"}"#,
                "temperature: \"hot\"",
            ),
            (
                r#"{"messages":[{"role":"user"}],"max_tokens":1.5}"#,
                "max_tokens: 1.5",
            ),
            (r#"{"messages":[{"role":"user"}],"functions":[{}]}"#, "name"),
            (r#"{"messages":[{"role":"user"}],"stop":5}"#, "stop: 5"),
            (r#"{"messages":[{"role":"user"}],"stream":1}"#, "stream: 1"),
            (
                r#"{"messages":[{"role":"user"}],"model":"a","model":"b"}"#,
                "occurs twice",
            ),
            (r#"{"messages":"#, "not usable as JSON"),
            (
                r#"{"messages":[{"role":"user","content":[{"text":5}]}]}"#,
                "messages[0].content[0]: {\"text\":5}",
            ),
            (
                r#"{"messages":[{"role":"user","content":[["x",null,null,null]]}]}"#,
                "messages[0].content[0]",
            ),
            (
                r#"{"messages":[{"role":"tool","content":"x"}]}"#,
                "a list as content",
            ),
            (r#"{"messages":[{"role":"user"}],"tools":{}}"#, "tools: {}"),
            (
                r#"{"messages":[{"role":"user"}],"tools":[{"functions":{"specifications":[{}]}}]}"#,
                "tools[0].functions.specifications[0]",
            ),
            (
                r#"{"messages":[{"role":"user"}],"tool_config":{"mode":1}}"#,
                "tool_config",
            ),
            (
                r#"{"messages":[{"role":"user"}],"model_options":{"temperature":"hot"}}"#,
                "model_options",
            ),
            (
                r#"{"messages":[{"role":"user","content":[{"text":"x"}]}],"functions":[]}"#,
                "functions (chat v1) together with messages[0] (chat v2)",
            ),
            (
                r#"{"messages":[{"role":"user"}],"tools":[],"function_call":"auto"}"#,
                "one of the two chats",
            ),
        ];
        for (text, expected) in cases {
            let error = Request::from_json(text).expect_err(text);
            assert!(error.message().contains(expected), "{text}: {error}");
        }
    }

    #[test]
    fn a_deeply_nested_request_is_an_error_not_a_crash() {
        let deep = format!("{}{}", "[".repeat(100_000), "]".repeat(100_000));
        let text = format!(r#"{{"messages":[{{"role":"user"}}],"x":{deep}}}"#);
        assert!(
            Request::from_json(&text).is_ok(),
            "unknown fields are not looked into"
        );
        let text = format!(r#"{{"messages":{deep}}}"#);
        assert!(Request::from_json(&text).is_err());
    }
}
