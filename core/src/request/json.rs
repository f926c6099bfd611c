//! Reads a request from JSON in the wire format (GigaChat REST reference, chat completions v1).
//!
//! Known fields are checked for type and taken apart; unknown fields are kept byte for byte.

use serde::Deserialize;
use serde_json::value::RawValue;

use super::{Object, Request};
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
            match name.as_str() {
                "messages" => {
                    for (index, element) in list(&name, &value)?.iter().enumerate() {
                        let name = format!("messages[{index}]");
                        request.messages.push(named_message(&name, element.get())?);
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
        _ => Ok(()),
    }
}

#[derive(Deserialize)]
#[serde(untagged)]
#[allow(dead_code, reason = "read for its type only")]
enum FunctionChoice {
    Mode(Option<String>),
    Named { name: String },
}

/// One message: an object with a text `role`; the other known fields must have their types.
pub(super) fn message(text: &str) -> Result<Box<RawValue>> {
    named_message("message", text)
}

fn named_message(name: &str, text: &str) -> Result<Box<RawValue>> {
    #[derive(Deserialize)]
    #[allow(dead_code, reason = "read for its type only")]
    struct Shape {
        role: String,
        content: Option<String>,
        attachments: Option<Vec<String>>,
        function_call: Option<FunctionCall>,
        functions_state_id: Option<String>,
        name: Option<String>,
    }
    #[derive(Deserialize)]
    #[allow(dead_code, reason = "read for its type only")]
    struct FunctionCall {
        name: String,
    }
    let raw: Box<RawValue> = serde_json::from_str(text).map_err(|why| not_json(name, &why))?;
    no_array(name, &raw, "an object with a text role and text content")?;
    typed::<Shape>(name, &raw, "an object with a text role and text content")?;
    Ok(raw)
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
            .wire_body("GigaChat", false);
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
                "messages[0]:",
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
