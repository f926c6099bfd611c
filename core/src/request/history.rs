//! A conversation that goes on: answers and the results of the functions that they call, in the form
//! of whichever chat the request is sent to. No program writes `function_call` messages by hand.

use std::borrow::Cow;

use serde::Deserialize;
use serde_json::value::RawValue;

use super::message::Message;
use super::writer::{Writer, json, one};
use super::{Request, tools::ToolChoice};
use crate::api_version::{ApiVersion, ResultRole};
use crate::error::{Error, Result};
use crate::response::{FunctionCall, Response};
use crate::wire::words::plain;

/// What of an answer goes back.
#[derive(Clone)]
pub(crate) struct Answer {
    pub(super) text: String,
    calls: Vec<FunctionCall>,
    state: State,
}

/// A state id, which only the chat that gave it knows.
#[derive(Clone)]
struct State {
    id: Option<String>,
    of: Option<ApiVersion>,
}

impl State {
    fn in_version(&self, version: ApiVersion) -> Option<&str> {
        let id = self.id.as_deref()?;
        self.of.is_none_or(|of| of == version).then_some(id)
    }
}

/// What a function that the model called has given.
#[derive(Clone)]
pub(crate) struct FunctionResult {
    id: Option<String>,
    name: String,
    state: State,
    pub(super) result: Box<RawValue>,
}

impl Request {
    /// Adds an answer to the conversation: its text, the functions that it calls, its state. The
    /// results follow, one [`Request::add_result`] for each call.
    pub fn add_response(&mut self, response: &Response) {
        let of_call = || {
            response
                .function_calls
                .iter()
                .find_map(|call| call.state_id.clone())
        };
        self.messages.push(Message::Answer(Box::new(Answer {
            text: response.text.clone(),
            calls: response.function_calls.clone(),
            state: State {
                id: response.state_id.clone().or_else(of_call),
                of: Some(response.api_version),
            },
        })));
    }

    /// Adds the result of a function that an answer called. `result` is JSON; the service takes
    /// objects, so that anything else is sent as `{"result": ...}`.
    ///
    /// A choice of tools that demanded a call is fulfilled by it and ends, since the model would
    /// have to call again and again.
    pub fn add_result(&mut self, call: &FunctionCall, result: &str) -> Result<()> {
        let result = as_object(checked(result)?);
        let answer = self
            .messages
            .iter()
            .rev()
            .find_map(|message| match message {
                Message::Answer(answer) => Some(answer.state.clone()),
                _ => None,
            });
        let state = answer.unwrap_or_else(|| State {
            id: call.state_id.clone(),
            of: None,
        });
        let result = FunctionResult {
            id: call.id.clone(),
            name: call.name.clone(),
            state,
            result,
        };
        match self.messages.last_mut() {
            Some(Message::Results(results)) => results.push(result),
            _ => self.messages.push(Message::Results(vec![result])),
        }
        self.drop_forced_choice();
        Ok(())
    }

    /// Adds the result of a function that the model called by its name alone; `result` is JSON. Two
    /// calls of one function need [`Request::add_result`].
    pub fn add_function_result(&mut self, name: &str, result: &str) -> Result<()> {
        let result = FunctionResult {
            id: None,
            name: name.to_owned(),
            state: State { id: None, of: None },
            result: checked(result)?,
        };
        self.messages.push(Message::Results(vec![result]));
        Ok(())
    }

    fn drop_forced_choice(&mut self) {
        if matches!(
            self.settings.choice,
            Some(ToolChoice::Any | ToolChoice::Named(_))
        ) {
            self.settings.choice = None;
        }
        let forces = |name: &str, value: &str| match name {
            "function_call" => value.starts_with('{'),
            "tool_config" => demands_a_call(value),
            _ => false,
        };
        self.fields
            .retain(|(name, value)| !forces(name, value.get()));
    }
}

/// Whether a `tool_config` has the model call something.
fn demands_a_call(config: &str) -> bool {
    #[derive(Deserialize)]
    struct Config<'a> {
        #[serde(borrow)]
        mode: Cow<'a, str>,
    }
    let config = serde_json::from_str::<Config<'_>>(config);
    config.is_ok_and(|config| matches!(&*config.mode, "any" | "forced"))
}

fn checked(result: &str) -> Result<Box<RawValue>> {
    serde_json::from_str(result).map_err(|why| {
        let value = format!("this text ({})", plain(&why));
        Error::invalid("function result", value, "JSON")
    })
}

fn as_object(result: Box<RawValue>) -> Box<RawValue> {
    if result.get().starts_with('{') {
        return result;
    }
    let wrapped = format!("{{\"result\":{}}}", result.get());
    RawValue::from_string(wrapped).unwrap_or(result)
}

impl Answer {
    /// The service refuses a state without a call whose result follows (GigaChat REST reference,
    /// section 6.2).
    fn state_id(&self, version: ApiVersion) -> Option<&str> {
        self.state
            .in_version(version)
            .filter(|_| !self.calls.is_empty())
    }

    pub(super) fn v1(&self) -> Result<Vec<u8>> {
        let mut writer = Writer::with_room(self.text.len() + 256);
        writer.member("role", "assistant");
        writer.member("content", &self.text);
        match &self.calls[..] {
            [] => {}
            [call] => writer.raw("function_call", call_json(call, ApiVersion::V1)),
            several => {
                let value = format!("an answer with {} function calls in chat v1", several.len());
                return Err(Error::invalid(
                    "messages",
                    value,
                    "sent to chat v2 (api_version 2)",
                ));
            }
        }
        if let Some(id) = self.state_id(ApiVersion::V1) {
            writer.member("functions_state_id", id);
        }
        Ok(writer.finish())
    }

    pub(super) fn v2(&self) -> Vec<u8> {
        let mut parts = Vec::new();
        if !self.text.is_empty() || self.calls.is_empty() {
            parts.push(one("text", json(&self.text)));
        }
        let calls = self.calls.iter();
        parts.extend(calls.map(|call| one("function_call", call_json(call, ApiVersion::V2))));
        let mut writer = Writer::with_room(self.text.len() + 256);
        writer.member("role", "assistant");
        if let Some(id) = self.state_id(ApiVersion::V2) {
            writer.member("tools_state_id", id);
        }
        writer.list("content", &parts);
        writer.finish()
    }
}

/// The service refuses arguments that are a text (GigaChat REST reference, section 7.1).
fn call_json(call: &FunctionCall, version: ApiVersion) -> Vec<u8> {
    let mut writer = Writer::with_room(call.arguments.len() + 64);
    if let Some(id) = call.id.as_ref().filter(|_| version == ApiVersion::V2) {
        writer.member("id", id);
    }
    writer.member("name", &call.name);
    match serde_json::from_str::<&RawValue>(&call.arguments) {
        Ok(arguments) => writer.raw("arguments", arguments.get()),
        Err(_) => writer.member("arguments", &call.arguments),
    }
    writer.finish()
}

impl FunctionResult {
    /// `content` is JSON inside a text.
    pub(super) fn v1(&self) -> Vec<u8> {
        let mut writer = Writer::with_room(self.result.get().len() + 64);
        writer.member("role", "function");
        writer.member("name", &self.name);
        writer.member("content", self.result.get());
        writer.finish()
    }

    pub(super) fn v2(results: &[FunctionResult], role: ResultRole) -> Vec<u8> {
        let parts = results.iter().map(|result| {
            let mut writer = Writer::with_room(result.result.get().len() + 64);
            if let Some(id) = &result.id {
                writer.member("id", id);
            }
            writer.member("name", &result.name);
            writer.raw("result", as_object(result.result.clone()).get());
            one("function_result", writer.finish())
        });
        let mut writer = Writer::new();
        writer.member("role", role.name());
        let state = results
            .iter()
            .find_map(|result| result.state.in_version(ApiVersion::V2));
        if let Some(id) = state {
            writer.member("tools_state_id", id);
        }
        writer.list("content", parts);
        writer.finish()
    }
}

#[cfg(test)]
mod tests {
    use crate::{FunctionCall, Request};

    fn after_a_result(config: &str) -> String {
        let json = format!(
            r#"{{"messages":[{{"role":"user","content":[{{"text":"x"}}]}}],"tools":["any"],"tool_config":{config}}}"#
        );
        let mut request = Request::from_json(&json).unwrap();
        let call = FunctionCall {
            name: "f".to_owned(),
            arguments: "{}".to_owned(),
            ..FunctionCall::default()
        };
        request.add_result(&call, "1").unwrap();
        String::from_utf8(request.wire_body("GigaChat", false).unwrap()).unwrap()
    }

    #[test]
    fn a_demand_for_a_call_ends_with_its_result_and_no_other_choice_does() {
        for demand in [
            r#"{"mode":"any"}"#,
            r#"{"mode" : "forced","tool_name":"any"}"#,
        ] {
            assert!(!after_a_result(demand).contains("tool_config"), "{demand}");
        }
        for choice in [r#"{"mode":"auto","tool_name":"any"}"#, r#"{"mode":"none"}"#] {
            assert!(after_a_result(choice).contains(choice), "{choice}");
        }
    }
}
