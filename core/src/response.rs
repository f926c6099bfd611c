//! What the service answers: a completion, its token usage and function call, models.
//!
//! Every answer keeps its raw JSON byte for byte; fields that this library does not know stay
//! readable there. Enumerations that the service owns (roles, finish reasons, model names) are
//! open texts.

use std::borrow::Cow;
use std::time::Duration;

use serde::Deserialize;
use serde_json::value::RawValue;

use crate::error::{Error, ErrorKind, Phase, Result};
use crate::wire::{First, Text};

/// How many tokens a call used, as the service counted them.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Deserialize)]
#[serde(default)]
pub struct TokenUsage {
    /// Tokens of the messages.
    pub prompt_tokens: u64,
    /// Tokens of the answer.
    pub completion_tokens: u64,
    /// What the service counts in total.
    pub total_tokens: u64,
    /// Prompt tokens that came from the session's cache; 0 when the service does not say.
    pub precached_prompt_tokens: u64,
}

/// A function that the model asks the program to call.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct FunctionCall {
    /// The function's name.
    pub name: String,
    /// Its arguments as JSON: an object, byte for byte as the service wrote it.
    pub arguments: String,
    /// To be sent back as the assistant message's `functions_state_id`.
    pub state_id: Option<String>,
}

/// Where a call's time went. All are measured by this library on a monotonic clock.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Timings {
    /// Waiting for a permit.
    pub queue: Duration,
    /// Waiting for an access token.
    pub token: Duration,
    /// From the permit to the first byte of the answer, of the last attempt's request.
    pub first_byte: Duration,
    /// From the permit to the first content (equals `total` for a unary answer).
    pub first_content: Duration,
    /// From the start of the call to its end.
    pub total: Duration,
}

/// What is known of a finished call beside its content.
#[derive(Clone, Debug, Default)]
pub struct CallReport {
    /// The service's request id (`X-Request-ID`), else the one that was sent.
    pub request_id: String,
    /// The service's session id (`X-Session-ID`).
    pub session_id: Option<String>,
    /// Where the time went.
    pub timings: Timings,
    /// How many requests were sent for this call.
    pub attempts: u32,
}

/// How a stream ended that was received whole.
#[derive(Clone, Debug, Default)]
pub struct StreamEnd {
    /// `stop`, `length`, `function_call`, `blacklist`, `error`, or a newer one.
    pub finish_reason: String,
    /// Token usage; `None` when the stream was ended at a stop sequence or the service sent none.
    pub usage: Option<TokenUsage>,
    /// The model that answered, with its version.
    pub model: String,
    /// Ids, timings, attempts.
    pub report: CallReport,
}

/// A finished completion.
#[derive(Clone, Debug)]
pub struct Response {
    /// The answer's text, cut before the first stop sequence.
    pub text: String,
    /// `stop`, `length`, `function_call`, `blacklist`, `error`, or a newer one.
    pub finish_reason: String,
    /// The function to call, when the model asks for one.
    pub function_call: Option<FunctionCall>,
    /// Token usage; `None` when the service sent none.
    pub usage: Option<TokenUsage>,
    /// The model that answered, with its version (`GigaChat:2.0.28.2`).
    pub model: String,
    /// The answer's JSON as it came.
    pub raw: String,
    /// Ids, timings, attempts.
    pub report: CallReport,
}

#[derive(Deserialize)]
struct WireCompletion<'a> {
    #[serde(borrow, default)]
    choices: First<WireChoice<'a>>,
    #[serde(default)]
    usage: Option<TokenUsage>,
    #[serde(borrow, default)]
    model: Option<Text<'a>>,
}

#[derive(Deserialize)]
struct WireChoice<'a> {
    #[serde(borrow)]
    message: WireMessage<'a>,
    #[serde(borrow, default)]
    finish_reason: Option<Text<'a>>,
}

#[derive(Deserialize)]
pub(crate) struct WireMessage<'a> {
    #[serde(borrow, default)]
    pub(crate) content: Option<Text<'a>>,
    #[serde(borrow, default)]
    pub(crate) role: Option<Text<'a>>,
    #[serde(borrow, default)]
    pub(crate) name: Option<Text<'a>>,
    #[serde(borrow, default)]
    pub(crate) function_call: Option<WireFunctionCall<'a>>,
    #[serde(borrow, default)]
    pub(crate) functions_state_id: Option<Text<'a>>,
}

#[derive(Deserialize)]
pub(crate) struct WireFunctionCall<'a> {
    #[serde(borrow)]
    name: Cow<'a, str>,
    #[serde(borrow, default)]
    arguments: Option<&'a RawValue>,
}

impl WireFunctionCall<'_> {
    /// The service sends `arguments` as an object; its schema also allows a text with JSON in it
    /// (GigaChat OpenAPI 3.1.1, `FunctionCallArgs`). Both become the object's text.
    pub(crate) fn into_call(self, state_id: Option<String>) -> FunctionCall {
        let raw = self.arguments.map_or("{}", RawValue::get);
        let arguments = match serde_json::from_str::<Cow<'_, str>>(raw) {
            Ok(text) if raw.starts_with('"') => text.into_owned(),
            _ => raw.to_owned(),
        };
        FunctionCall {
            name: self.name.into_owned(),
            arguments,
            state_id,
        }
    }
}

impl Response {
    /// Reads the body of a 200 answer.
    pub fn parse(body: Vec<u8>, stops: &[String], report: CallReport) -> Result<Response> {
        let raw =
            String::from_utf8(body).map_err(|why| unusable("it is not UTF-8", why.as_bytes()))?;
        let wire: WireCompletion<'_> = serde_json::from_str(&raw)
            .map_err(|why| unusable(&format!("it is not a completion: {why}"), raw.as_bytes()))?;
        let choice = wire
            .choices
            .0
            .ok_or_else(|| unusable("it has no choices", raw.as_bytes()))?;
        let message = choice.message;
        let state_id = message.functions_state_id.map(Text::into_owned);
        let mut text = message.content.map_or(String::new(), Text::into_owned);
        let mut finish_reason = choice.finish_reason.map_or(String::new(), Text::into_owned);
        if let Some(at) = crate::stop::first_stop(&text, stops) {
            text.truncate(at);
            finish_reason = "stop".to_owned();
        }
        Ok(Response {
            text,
            finish_reason,
            function_call: message.function_call.map(|call| call.into_call(state_id)),
            usage: wire.usage,
            model: wire.model.map_or(String::new(), Text::into_owned),
            report,
            raw,
        })
    }
}

fn unusable(why: &str, body: &[u8]) -> Error {
    Error::new(
        ErrorKind::Protocol,
        Phase::Body,
        format!("the service's answer cannot be used: {why}"),
    )
    .with_body(body)
    .with_status(200)
}

/// One model that the account can use.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Model {
    /// The name that requests use.
    pub id: String,
    /// Who provides it.
    pub owned_by: String,
    /// What it is for (`chat`, `embedder`, ...); empty when the service does not say.
    pub kind: String,
    /// The model's JSON as it came.
    pub raw: String,
}

impl Model {
    /// Reads the body of `GET /models/{id}`.
    pub fn parse(body: &[u8]) -> Result<Model> {
        let raw: &RawValue = serde_json::from_slice(body)
            .map_err(|why| unusable(&format!("it is not a model: {why}"), body))?;
        Model::of(raw).map_err(|why| unusable(&format!("it is not a model: {why}"), body))
    }

    /// Reads the body of `GET /models`.
    pub(crate) fn parse_list(body: &[u8]) -> Result<Vec<Model>> {
        #[derive(Deserialize)]
        struct WireList<'a> {
            #[serde(borrow)]
            data: Vec<&'a RawValue>,
        }
        let list: WireList<'_> = serde_json::from_slice(body)
            .map_err(|why| unusable(&format!("it is not a list of models: {why}"), body))?;
        list.data
            .into_iter()
            .map(|raw| {
                Model::of(raw)
                    .map_err(|why| unusable(&format!("it is not a list of models: {why}"), body))
            })
            .collect()
    }

    fn of(raw: &RawValue) -> std::result::Result<Model, serde_json::Error> {
        #[derive(Deserialize)]
        struct WireModel {
            id: String,
            #[serde(default)]
            owned_by: Option<String>,
            #[serde(default, rename = "type")]
            kind: Option<String>,
        }
        let model: WireModel = serde_json::from_str(raw.get())?;
        Ok(Model {
            id: model.id,
            owned_by: model.owned_by.unwrap_or_default(),
            kind: model.kind.unwrap_or_default(),
            raw: raw.get().to_owned(),
        })
    }
}

/// The outcome of a health check that succeeded; one that did not is an error that says why.
#[derive(Clone, Debug)]
pub struct Health {
    /// From the start of the check to its end, token included.
    pub latency: Duration,
    /// How many models the account sees.
    pub models: usize,
    /// The service's request id.
    pub request_id: String,
}

#[cfg(test)]
mod tests {
    use super::{CallReport, Response};
    use crate::error::ErrorKind;

    fn parse(body: &str, stops: &[&str]) -> crate::Result<Response> {
        let stops: Vec<String> = stops.iter().map(|s| (*s).to_owned()).collect();
        Response::parse(body.as_bytes().to_vec(), &stops, CallReport::default())
    }

    #[test]
    fn a_completion_gives_text_reason_usage_and_raw_json() {
        let body = r#"{"choices":[{"message":{"content":"Hello.","role":"assistant"},"index":0,"finish_reason":"stop"}],"created":1,"model":"GigaChat:2.0.28.2","object":"chat.completion","usage":{"prompt_tokens":17,"completion_tokens":3,"total_tokens":20,"precached_prompt_tokens":2}}"#;
        let response = parse(body, &[]).unwrap();
        assert_eq!(
            (response.text.as_str(), response.finish_reason.as_str()),
            ("Hello.", "stop")
        );
        assert_eq!(response.usage.unwrap().precached_prompt_tokens, 2);
        assert_eq!(response.raw, body);
    }

    #[test]
    fn function_arguments_are_an_object_or_a_text() {
        for arguments in [r#"{"a":1.50}"#, r#""{\"a\":1.50}""#] {
            let body = format!(
                r#"{{"choices":[{{"message":{{"content":"","function_call":{{"name":"f","arguments":{arguments}}},"functions_state_id":"s"}},"finish_reason":"function_call"}}]}}"#
            );
            let call = parse(&body, &[]).unwrap().function_call.unwrap();
            assert_eq!(call.arguments, r#"{"a":1.50}"#);
            assert_eq!(call.state_id.as_deref(), Some("s"));
        }
    }

    #[test]
    fn output_ends_before_the_first_stop_sequence() {
        let body =
            r#"{"choices":[{"message":{"content":"one two three"},"finish_reason":"length"}]}"#;
        let response = parse(body, &["three", "tw"]).unwrap();
        assert_eq!(
            (response.text.as_str(), response.finish_reason.as_str()),
            ("one ", "stop")
        );
    }

    #[test]
    fn an_answer_that_is_no_completion_is_a_protocol_error_with_its_body() {
        for body in [
            "",
            "<html>",
            "{}",
            r#"{"choices":[]}"#,
            r#"{"choices":[{}]}"#,
        ] {
            let error = parse(body, &[]).unwrap_err();
            assert_eq!(error.kind(), ErrorKind::Protocol, "{body}");
            assert_eq!(error.body(), body.as_bytes());
        }
    }
}
