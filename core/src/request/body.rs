//! Composes the body of `POST /chat/completions` (GigaChat REST reference, chat v1).

use serde::Serialize;

use super::Request;
use crate::params::LOWEST_TEMPERATURE;

#[derive(Serialize)]
pub(super) struct WireMessage<'a> {
    pub(super) role: &'a str,
    pub(super) content: &'a str,
    #[serde(skip_serializing_if = "<[_]>::is_empty")]
    pub(super) attachments: &'a [&'a str],
}

/// A function's result: `content` is JSON inside a text.
#[derive(Serialize)]
pub(super) struct WireFunctionResult<'a> {
    pub(super) role: &'a str,
    pub(super) name: &'a str,
    pub(super) content: &'a str,
}

impl Request {
    /// The bytes to send. Order: model, messages, functions, parameters, the user's own fields,
    /// `stream` when true. `stop` is not sent: the service has no such field (I7).
    pub fn wire_body(&self, default_model: &str, stream: bool) -> Vec<u8> {
        let sized = self
            .messages
            .iter()
            .chain(&self.functions)
            .map(|raw| raw.get().len() + 1);
        let mut body = Body(Vec::with_capacity(256 + sized.sum::<usize>()));
        body.member("model");
        body.json(&self.model.as_deref().unwrap_or(default_model));
        body.member("messages");
        body.list(&self.messages);
        if !self.functions.is_empty() {
            body.member("functions");
            body.list(&self.functions);
        }
        let params = &self.params;
        if let Some(temperature) = params.temperature {
            body.member("temperature");
            body.json(&temperature.max(LOWEST_TEMPERATURE));
        }
        if let Some(top_p) = params.top_p {
            body.member("top_p");
            body.json(&top_p);
        }
        if let Some(max_tokens) = params.max_tokens {
            body.member("max_tokens");
            body.json(&max_tokens);
        }
        if let Some(penalty) = params.repetition_penalty {
            body.member("repetition_penalty");
            body.json(&penalty);
        }
        for (name, value) in &self.fields {
            // A parameter that was set after the JSON was read replaces the JSON's: a key twice
            // would leave open which one counts.
            if params.sets(name) {
                continue;
            }
            body.member(name);
            match zero_temperature(name, value.get()) {
                true => body.json(&LOWEST_TEMPERATURE),
                false => body.0.extend_from_slice(value.get().as_bytes()),
            }
        }
        if stream {
            body.member("stream");
            body.0.extend_from_slice(b"true");
        }
        body.0.push(b'}');
        body.0
    }
}

/// I7: temperature 0 in a JSON request is sent as 0.0001 too.
fn zero_temperature(name: &str, value: &str) -> bool {
    name == "temperature" && value.trim().parse::<f64>() == Ok(0.0)
}

struct Body(Vec<u8>);

impl Body {
    fn member(&mut self, name: &str) {
        self.0.push(if self.0.is_empty() { b'{' } else { b',' });
        self.json(&name);
        self.0.push(b':');
    }

    fn json(&mut self, value: &impl Serialize) {
        // Writing text and finite numbers into memory cannot fail.
        let _ = serde_json::to_writer(&mut self.0, value);
    }

    fn list(&mut self, elements: &[Box<serde_json::value::RawValue>]) {
        for (index, element) in elements.iter().enumerate() {
            self.0.push(if index == 0 { b'[' } else { b',' });
            self.0.extend_from_slice(element.get().as_bytes());
        }
        if elements.is_empty() {
            self.0.push(b'[');
        }
        self.0.push(b']');
    }
}

#[cfg(test)]
mod tests {
    use crate::Request;

    fn body(request: &Request, stream: bool) -> String {
        String::from_utf8(request.wire_body("GigaChat", stream)).unwrap()
    }

    #[test]
    fn a_prompt_is_one_user_message_without_parameters() {
        assert_eq!(
            body(&Request::prompt("Привет \"мир\""), false),
            r#"{"model":"GigaChat","messages":[{"role":"user","content":"Привет \"мир\""}]}"#
        );
    }

    #[test]
    fn set_parameters_are_sent_and_stop_is_not() {
        let mut request = Request::prompt("x");
        request.set_model("GigaChat-2").unwrap();
        let params = request.params_mut();
        params.set_temperature(0.8).unwrap();
        params.set_max_tokens(5).unwrap();
        params.add_stop("END").unwrap();
        assert_eq!(
            body(&request, true),
            r#"{"model":"GigaChat-2","messages":[{"role":"user","content":"x"}],"temperature":0.8,"max_tokens":5,"stream":true}"#
        );
    }

    #[test]
    fn a_parameter_replaces_the_field_of_a_json_request() {
        let json = r#"{"messages":[{"role":"user","content":"x"}],"temperature":0.7,"max_tokens":5,"top_p":0.1,"repetition_penalty":1.1,"n":1}"#;
        let mut request = Request::from_json(json).unwrap();
        let params = request.params_mut();
        params.set_temperature(0.5).unwrap();
        params.set_max_tokens(7).unwrap();
        params.set_top_p(0.2).unwrap();
        params.set_repetition_penalty(1.2).unwrap();
        assert_eq!(
            body(&request, false),
            r#"{"model":"GigaChat","messages":[{"role":"user","content":"x"}],"temperature":0.5,"top_p":0.2,"max_tokens":7,"repetition_penalty":1.2,"n":1}"#
        );
    }

    #[test]
    fn temperature_zero_is_sent_as_0_0001() {
        let mut request = Request::prompt("x");
        request.params_mut().set_temperature(0.0).unwrap();
        assert!(body(&request, false).contains(r#""temperature":0.0001"#));
        let json = r#"{"messages":[{"role":"user","content":"x"}],"temperature":0}"#;
        assert!(
            body(&Request::from_json(json).unwrap(), false).contains(r#""temperature":0.0001"#)
        );
    }
}
