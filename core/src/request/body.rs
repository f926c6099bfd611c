//! Composes the body of a chat request (GigaChat REST reference, chat v1 and v2): the same request for
//! either of them.

use std::borrow::Cow;

use serde_json::value::RawValue;

use super::writer::{Writer, json, one};
use super::{Object, Request};
use crate::api_version::{ApiVersion, ResultRole};
use crate::error::{Error, Result};
use crate::params::{LOWEST_TEMPERATURE, Params};

/// What a provider sets for requests that do not say it.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Defaults<'a> {
    pub(crate) model: &'a str,
    pub(crate) api_version: ApiVersion,
    pub(crate) result_role: ResultRole,
    pub(crate) profanity_check: Option<bool>,
    pub(crate) flags: &'a [String],
}

impl<'a> Defaults<'a> {
    /// Those of a provider that sets no more than its model.
    pub(crate) fn of_model(model: &'a str) -> Defaults<'a> {
        Defaults {
            model,
            api_version: ApiVersion::default(),
            result_role: ResultRole::default(),
            profanity_check: None,
            flags: &[],
        }
    }
}

/// What v2 has in `model_options` and v1 at the top.
const LIFTED: [&str; 12] = [
    "temperature",
    "top_p",
    "max_tokens",
    "repetition_penalty",
    "update_interval",
    "response_format",
    "parallel_tool_calls",
    "reasoning",
    "reasoning_effort",
    "reasoning_max_tokens",
    "top_logprobs",
    "unnormalized_history",
];

impl Request {
    /// The bytes to send, for chat v1 unless the request says otherwise. Order: model, messages,
    /// functions, parameters, the user's own fields, `stream` when true. `stop` is not sent: the
    /// service has no such field (I7). What the chat has no words for is an error.
    pub fn wire_body(&self, default_model: &str, stream: bool) -> Result<Vec<u8>> {
        self.compose(&Defaults::of_model(default_model), stream)
    }

    /// The same with all of a provider's defaults.
    pub(crate) fn compose(&self, defaults: &Defaults<'_>, stream: bool) -> Result<Vec<u8>> {
        let version = self.version(defaults.api_version);
        let role = self.settings.result_role.unwrap_or(defaults.result_role);
        let mut messages: Vec<Cow<'_, [u8]>> = Vec::with_capacity(self.messages.len());
        for message in &self.messages {
            match version {
                ApiVersion::V1 => message.write_v1(&mut messages)?,
                ApiVersion::V2 => message.write_v2(role, &mut messages)?,
            }
        }
        let sizes = self.messages.iter().map(super::Message::size);
        let functions = self.functions.iter().map(|raw| raw.get().len() + 1);
        let mut body = Writer::with_room(256 + sizes.chain(functions).sum::<usize>());
        body.member("model", self.model.as_deref().unwrap_or(defaults.model));
        body.list("messages", messages);
        match version {
            ApiVersion::V1 => self.rest_v1(&mut body, defaults)?,
            ApiVersion::V2 => self.rest_v2(&mut body, defaults)?,
        }
        if stream {
            body.member("stream", &true);
        }
        Ok(body.finish())
    }

    fn rest_v1(&self, body: &mut Writer, defaults: &Defaults<'_>) -> Result<()> {
        let settings = &self.settings;
        settings.storage(ApiVersion::V1)?;
        let mut functions: Vec<Cow<'_, [u8]>> = Vec::new();
        functions.extend(
            self.functions
                .iter()
                .map(|raw| Cow::Borrowed(raw.get().as_bytes())),
        );
        for tool in &self.built_in {
            functions.push(Cow::Owned(tool.v1()?));
        }
        if !functions.is_empty() {
            body.list("functions", functions);
        }
        let choice = self.choice_v1()?;
        let format = settings.response_format(ApiVersion::V1)?;
        // What was set after the JSON was read replaces the JSON's: a key twice would leave open
        // which one counts.
        let replaced = |name: &str| match name {
            "function_call" => choice.is_some(),
            "response_format" => format.is_some(),
            "reasoning_effort" => settings.reasoning_effort.is_some(),
            "reasoning_max_tokens" => settings.reasoning_max_tokens.is_some(),
            "profanity_check" => settings.profanity_check.is_some(),
            "flags" => settings.flags.is_some(),
            name => self.params.sets(name),
        };
        if let Some(choice) = &choice {
            body.raw("function_call", choice);
        }
        params(body, &self.params);
        for (name, value) in self.fields.iter().filter(|(name, _)| !replaced(name)) {
            field(body, name, value);
        }
        if let Some(format) = &format {
            body.raw("response_format", format);
        }
        if let Some(effort) = &settings.reasoning_effort {
            body.member("reasoning_effort", effort);
        }
        if let Some(tokens) = &settings.reasoning_max_tokens {
            body.member("reasoning_max_tokens", tokens);
        }
        let default = defaults
            .profanity_check
            .filter(|_| !self.has_field("profanity_check"));
        if let Some(check) = settings.profanity_check.or(default) {
            body.member("profanity_check", &check);
        }
        self.flags(body, defaults);
        Ok(())
    }

    fn rest_v2(&self, body: &mut Writer, defaults: &Defaults<'_>) -> Result<()> {
        let settings = &self.settings;
        self.tools_v2(body);
        if let Some(choice) = self.choice_v2()? {
            body.raw("tool_config", choice);
        } else if let Some(choice) = self.field("tool_config") {
            body.raw("tool_config", choice.get());
        }
        let options = self.model_options()?;
        if !options.is_empty() || self.has_field("model_options") {
            body.raw("model_options", options.finish());
        }
        let storage = settings.storage(ApiVersion::V2)?;
        let filter = settings.profanity_check;
        for (name, value) in &self.fields {
            match (name.as_str(), value.get()) {
                ("tools" | "tool_config" | "model_options", _) => {}
                (name, _) if LIFTED.contains(&name) => {}
                ("storage", _) if storage.is_some() => {}
                // What the official SDK lets a program write.
                ("storage", "true") => body.raw("storage", "{}"),
                ("storage", "false") => {}
                ("profanity_check" | "disable_filter", _) if filter.is_some() => {}
                ("profanity_check", "true") => body.member("disable_filter", &false),
                ("profanity_check", "false") => body.member("disable_filter", &true),
                ("profanity_check", _) => {}
                ("function_ranker", ranker) => body.raw("ranker_options", ranker),
                ("flags", _) if settings.flags.is_some() => {}
                (name, value) => body.raw(name, value),
            }
        }
        if let Some(storage) = storage {
            body.raw("storage", storage);
        }
        let said = self.has_field("profanity_check") || self.has_field("disable_filter");
        if let Some(check) = filter.or(defaults.profanity_check.filter(|_| !said)) {
            body.member("disable_filter", &!check);
        }
        self.flags(body, defaults);
        Ok(())
    }

    fn tools_v2(&self, body: &mut Writer) {
        let of_json: Vec<&RawValue> = self
            .field("tools")
            .and_then(|list| serde_json::from_str(list.get()).ok())
            .unwrap_or_default();
        // A name alone is a tool without options.
        let mut tools: Vec<Cow<'_, [u8]>> = of_json
            .into_iter()
            .map(|tool| match serde_json::from_str::<String>(tool.get()) {
                Ok(name) => Cow::Owned(one(&name, "{}")),
                Err(_) => Cow::Borrowed(tool.get().as_bytes()),
            })
            .collect();
        if !self.functions.is_empty() {
            let mut functions = Writer::new();
            let each = self.functions.iter().map(|raw| raw.get().as_bytes());
            functions.list("specifications", each);
            tools.push(Cow::Owned(one("functions", functions.finish())));
        }
        tools.extend(self.built_in.iter().map(|tool| Cow::Owned(tool.v2())));
        if !tools.is_empty() || self.has_field("tools") {
            body.list("tools", tools);
        }
    }

    fn model_options(&self) -> Result<Writer> {
        let settings = &self.settings;
        let format = settings.response_format(ApiVersion::V2)?;
        let reasoning = settings.reasoning();
        let of_json = match self.field("model_options") {
            Some(options) => serde_json::from_str(options.get()).map_err(|why| {
                Error::invalid("model_options", why, "an object without a key twice")
            })?,
            None => Object(Vec::new()),
        };
        let replaced = |name: &str| match name {
            "response_format" => format.is_some(),
            "parallel_tool_calls" => settings.parallel_calls.is_some(),
            "reasoning" | "reasoning_effort" | "reasoning_max_tokens" => reasoning.is_some(),
            name => self.params.sets(name),
        };
        let mut options = Writer::new();
        params(&mut options, &self.params);
        for (name, value) in of_json.0.iter().filter(|(name, _)| !replaced(name)) {
            field(&mut options, name, value);
        }
        let mut lifted = Writer::new();
        for (name, value) in self
            .fields
            .iter()
            .filter(|(name, _)| LIFTED.contains(&name.as_str()))
        {
            let (place, within) = match name.strip_prefix("reasoning_") {
                Some(part) => ("reasoning", Some(part)),
                None => (name.as_str(), None),
            };
            if of_json.0.iter().any(|(known, _)| known == place) {
                let value = "at the top and in model_options";
                return Err(Error::invalid(name, value, "in one of the two"));
            }
            match within {
                _ if replaced(name) => {}
                Some(part) => lifted.raw(part, value.get()),
                None => field(&mut options, name, value),
            }
        }
        if !lifted.is_empty() && !self.has_field("reasoning") {
            options.raw("reasoning", lifted.finish());
        }
        if let Some(format) = &format {
            options.raw("response_format", format);
        }
        if let Some(allowed) = &settings.parallel_calls {
            options.member("parallel_tool_calls", allowed);
        }
        if let Some(reasoning) = &reasoning {
            options.raw("reasoning", reasoning);
        }
        Ok(options)
    }

    fn flags(&self, body: &mut Writer, defaults: &Defaults<'_>) {
        let default =
            || (!self.has_field("flags") && !defaults.flags.is_empty()).then_some(defaults.flags);
        if let Some(flags) = self.settings.flags.as_deref().or_else(default) {
            body.raw("flags", json(flags));
        }
    }

    fn field(&self, name: &str) -> Option<&RawValue> {
        let found = self.fields.iter().find(|(known, _)| known == name);
        found
            .map(|(_, value)| &**value)
            .filter(|value| value.get() != "null")
    }

    fn has_field(&self, name: &str) -> bool {
        self.field(name).is_some()
    }
}

fn params(body: &mut Writer, params: &Params) {
    if let Some(temperature) = params.temperature {
        body.member("temperature", &temperature.max(LOWEST_TEMPERATURE));
    }
    if let Some(top_p) = &params.top_p {
        body.member("top_p", top_p);
    }
    if let Some(max_tokens) = &params.max_tokens {
        body.member("max_tokens", max_tokens);
    }
    if let Some(penalty) = &params.repetition_penalty {
        body.member("repetition_penalty", penalty);
    }
}

fn field(body: &mut Writer, name: &str, value: &RawValue) {
    match zero_temperature(name, value.get()) {
        true => body.member(name, &LOWEST_TEMPERATURE),
        false => body.raw(name, value.get()),
    }
}

/// I7: temperature 0 in a JSON request is sent as 0.0001 too.
fn zero_temperature(name: &str, value: &str) -> bool {
    name == "temperature" && value.trim().parse::<f64>() == Ok(0.0)
}

#[cfg(test)]
mod tests {
    use crate::{ApiVersion, Request};

    fn body(request: &Request, stream: bool) -> String {
        String::from_utf8(request.wire_body("GigaChat", stream).unwrap()).unwrap()
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

    fn body_v2(request: &Request) -> String {
        let defaults = super::Defaults {
            api_version: ApiVersion::V2,
            ..super::Defaults::of_model("GigaChat-2-Max")
        };
        String::from_utf8(request.compose(&defaults, false).unwrap()).unwrap()
    }

    #[test]
    fn one_request_is_written_for_either_chat() {
        let mut request = Request::prompt("Погода?");
        request.add_file("f-1").unwrap();
        request
            .add_function(r#"{"name":"weather","parameters":{"default": null}}"#)
            .unwrap();
        request.add_tool("image_generate", None).unwrap();
        request.set_tool_choice("weather").unwrap();
        request.set_parallel_calls(true);
        request.set_schema(r#"{"type" : "object"}"#).unwrap();
        request.set_reasoning_effort("low").unwrap();
        request.params_mut().set_temperature(0.0).unwrap();
        request.set_profanity_check(true);
        request.set_flags(&["a"]);
        assert_eq!(
            body(&request, false),
            r#"{"model":"GigaChat","messages":[{"role":"user","content":"Погода?","attachments":["f-1"]}],"functions":[{"name":"weather","parameters":{"default": null}},{"name":"text2image"}],"function_call":{"name":"weather"},"temperature":0.0001,"response_format":{"type":"json_schema","schema":{"type" : "object"},"strict":true},"reasoning_effort":"low","profanity_check":true,"flags":["a"]}"#
        );
        assert_eq!(
            body_v2(&request),
            r#"{"model":"GigaChat-2-Max","messages":[{"role":"user","content":[{"text":"Погода?"},{"files":[{"id":"f-1"}]}]}],"tools":[{"functions":{"specifications":[{"name":"weather","parameters":{"default": null}}]}},{"image_generate":{}}],"tool_config":{"mode":"forced","function_name":"weather"},"model_options":{"temperature":0.0001,"response_format":{"type":"json_schema","schema":{"type" : "object"},"strict":true},"parallel_tool_calls":true,"reasoning":{"effort":"low"}},"disable_filter":false,"flags":["a"]}"#
        );
    }

    #[test]
    fn a_json_request_that_says_no_version_is_written_for_v2_by_lifting_what_moved() {
        let json = r#"{"messages":[{"role":"system","content":"a","x":1.50},{"role":"user","content":"b","attachments":["f"]}],"temperature":0,"max_tokens":5,"reasoning_effort":"low","profanity_check":false,"storage":true,"x_new":{"a" : 1}}"#;
        assert_eq!(
            body_v2(&Request::from_json(json).unwrap()),
            r#"{"model":"GigaChat-2-Max","messages":[{"role":"system","x":1.50,"content":[{"text":"a"}]},{"role":"user","content":[{"text":"b"},{"files":[{"id":"f"}]}]}],"model_options":{"temperature":0.0001,"max_tokens":5,"reasoning":{"effort":"low"}},"disable_filter":true,"storage":{},"x_new":{"a" : 1}}"#
        );
    }

    #[test]
    fn a_request_in_the_form_of_v2_passes_unchanged() {
        let rest = r#""messages":[{"role":"user","content":[{"text":"x","y":1.50}]}],"tools":[{"web_search":{"a" : 1}}],"tool_config":{"mode":"auto"},"model_options":{"temperature":0.70,"z":[ ]},"storage":{"limit":3}}"#;
        let request = Request::from_json(&format!("{{{rest}")).unwrap();
        let expected = format!(r#"{{"model":"GigaChat",{rest}"#);
        assert_eq!(body(&request, false), expected);
    }

    #[test]
    fn typed_settings_replace_what_the_json_says() {
        let json = r#"{"messages":[{"role":"user","content":"x"}],"tools":["web_search",{"functions":{"specifications":[{"name":"f"}]}}],"tool_config":{"mode":"any"},"model_options":{"temperature":0.7,"response_format":{"type":"text"}}}"#;
        let mut request = Request::from_json(json).unwrap();
        request.set_tool_choice("web_search").unwrap();
        request.set_regex("a+").unwrap();
        request.params_mut().set_temperature(0.5).unwrap();
        let text = body(&request, false);
        for part in [
            r#""tools":[{"web_search":{}},{"functions""#,
            r#""tool_config":{"mode":"forced","tool_name":"web_search"}"#,
            r#""model_options":{"temperature":0.5,"response_format":{"type":"regex","regex":"a+"}}"#,
        ] {
            assert!(text.contains(part), "{part}: {text}");
        }
        request.set_tool_choice("f").unwrap();
        assert!(body(&request, false).contains(r#""function_name":"f""#));
        request.set_tool_choice("g").unwrap();
        request.wire_body("GigaChat", false).unwrap_err();
    }

    #[test]
    fn what_only_one_chat_has_is_refused_for_the_other() {
        type Set = fn(&mut Request);
        let sets: [Set; 5] = [
            |request| request.set_regex("a+").unwrap(),
            |request| request.set_thread("new").unwrap(),
            |request| request.add_tool("web_search", None).unwrap(),
            |request| request.set_tool_choice("any").unwrap(),
            |request| {
                let calls = vec![
                    crate::FunctionCall::default(),
                    crate::FunctionCall::default(),
                ];
                request.add_response(&crate::Response {
                    function_calls: calls,
                    ..crate::Response::default()
                });
            },
        ];
        for set in sets {
            let mut request = Request::prompt("x");
            set(&mut request);
            body_v2(&request);
            let error = request.wire_body("GigaChat", false).unwrap_err();
            assert!(error.message().contains("api_version 2"), "{error}");
        }
        let mut shaped =
            Request::from_json(r#"{"messages":[{"role":"user"}],"tools":[]}"#).unwrap();
        shaped.set_api_version(ApiVersion::V1);
        let error = shaped.check().unwrap_err();
        assert!(
            error
                .message()
                .starts_with("api_version: 1 for a request with tools"),
            "{error}"
        );
        let twice =
            r#"{"messages":[{"role":"user"}],"temperature":1,"model_options":{"temperature":2}}"#;
        let error = Request::from_json(twice)
            .unwrap()
            .wire_body("m", false)
            .unwrap_err();
        assert!(error.message().starts_with("temperature: "), "{error}");
    }
}
