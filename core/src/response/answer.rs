//! Reads the answer to a chat request, of either version: which one it is, its own keys say.

use super::completion::{Choices, Content, WireChoice};
use super::media::{add_sources, files_of_text};
use super::parts::{Messages, Parts};
use super::{CallReport, Response, text_of, unusable};
use crate::api_version::ApiVersion;
use crate::error::{Error, Phase, Result};
use crate::response::TokenUsage;
use crate::wire::complaint::Complaint;
use crate::wire::words::plain;
use crate::wire::{Json, List, Text, document, forgiving, wire_object};

wire_object! {
    struct WireAnswer<'a> {
        choices: Choices<'a>,
        messages: Messages<'a>,
        finish_reason: Text<'a>,
        usage: TokenUsage,
        model: Text<'a>,
        thread_id: Text<'a>,
        error: Json<'a>,
        errors: Json<'a>,
        error_details: Json<'a>,
    }
}

/// What of an answer's JSON is used.
#[derive(Debug, Default)]
struct Answer {
    parts: Parts,
    version: ApiVersion,
    usage: Option<TokenUsage>,
    model: String,
    thread_id: Option<String>,
    /// What the service says of a failure, as JSON.
    details: Option<String>,
    has_choice: bool,
    has_error: bool,
}

impl Answer {
    fn read(json: &[u8]) -> serde_json::Result<Answer> {
        let Some(wire) = document::<WireAnswer<'_>>(json)? else {
            return Ok(Answer::default());
        };
        let mut found = Answer {
            usage: wire.usage,
            model: wire.model.map_or(String::new(), Text::into_owned),
            thread_id: wire.thread_id.map(Text::into_owned),
            details: wire.error_details.map(|json| json.0.get().to_owned()),
            has_error: wire.error.is_some() || wire.errors.is_some(),
            ..Answer::default()
        };
        let choices = wire.choices.unwrap_or_default();
        // One without a message is nothing where there are messages.
        let says = |choice: &WireChoice<'_>| choice.message.is_some() || choice.delta.is_some();
        let choice = choices.answer.or(choices.other);
        let choice = choice.filter(|choice| wire.messages.is_none() || says(choice));
        match (choice, wire.messages) {
            (Some(choice), _) => {
                found.has_choice = true;
                found.has_error |= choice.error.is_some();
                found.parts.finish_reason = choice.finish_reason.map(Text::into_owned);
                let message = choice.message.filter(|message| message.members > 0);
                if let Some(message) = message.or(choice.delta) {
                    found.parts.add_completion(message);
                }
            }
            (None, None) if wire.finish_reason.is_none() => {}
            (None, messages) => {
                found.has_choice = true;
                found.version = ApiVersion::V2;
                found.parts = messages.map_or(Parts::default(), Parts::of);
                if let Some(reason) = wire.finish_reason {
                    found.parts.finish_reason = Some(reason.into_owned());
                }
            }
        }
        Ok(found)
    }

    fn reason(&self) -> &str {
        self.parts.finish_reason.as_deref().unwrap_or_default()
    }

    /// Whether there is anything that a program asked for.
    fn has_content(&self) -> bool {
        let parts = &self.parts;
        !(parts.text.is_empty() && parts.calls.is_empty() && parts.files.is_empty())
    }

    /// Whether it is an answer at all: not without a content and a reason to have ended.
    fn answers(&self) -> bool {
        self.has_content() || !self.reason().is_empty()
    }

    /// Why it is no answer, in the service's words if it has some.
    fn refusal(&self, raw: &str) -> Option<Error> {
        const WHAT: &str = "the service answered with an error";
        let json = raw.as_bytes();
        let with_text = |error: Error| match self.parts.text.is_empty() {
            true => error,
            false => error.with_partial_text(self.parts.text.clone()),
        };
        if self.version == ApiVersion::V2 && self.reason() == "error" {
            let complaint = complaint_of_failure(json, self.details.as_deref());
            return Some(with_text(Error::of_complaint(
                complaint,
                WHAT,
                Phase::Body,
                json,
            )));
        }
        if (self.has_error || !self.has_content())
            && let Some(complaint) = complaint_of(json, self.answers())
        {
            return Some(with_text(Error::of_complaint(
                complaint,
                WHAT,
                Phase::Body,
                json,
            )));
        }
        let why = match self {
            Answer { parts, .. } if parts.odd_text && parts.text.is_empty() => {
                "the content of its message is no text"
            }
            Answer {
                has_choice: false, ..
            } => "it has no choices",
            _ if self.answers() => return None,
            _ => "it has no text, no function call and no finish reason",
        };
        Some(unusable(why, json))
    }
}

impl Parts {
    /// Adds the message of a completion of v1.
    fn add_completion(&mut self, mut message: super::WireMessage<'_>) {
        self.reasoning = message.reasoning().unwrap_or_default();
        if let Some(sources) = message.inline_data.and_then(|data| data.sources) {
            add_sources(&mut self.sources, sources.0);
        }
        self.state_id = message.functions_state_id.map(Text::into_owned);
        let state_id = self.state_id.clone();
        let call = message.function_call;
        self.calls
            .extend(call.and_then(|call| call.into_call(state_id)));
        match message.content {
            Some(Content::Text(text)) => self.text = text.into_owned(),
            Some(Content::Odd) => self.odd_text = true,
            None => {}
        }
    }
}

/// What an answer complains of, as a whole or in its first choice.
pub(crate) fn complaint_of(json: &[u8], answered: bool) -> Option<Complaint> {
    wire_object! {
        struct Outer<'a> {
            choices: List<Json<'a>>,
        }
    }
    Complaint::instead_of_answer(json, answered).or_else(|| {
        let in_choice = |json: &[u8]| {
            let choices = document::<Outer<'_>>(json)?.and_then(|outer| outer.choices);
            let mut choices = choices.map_or(Vec::new(), |list| list.0).into_iter();
            Ok(choices
                .find_map(|choice| Complaint::instead_of_answer(choice.0.get().as_bytes(), true)))
        };
        forgiving(json, in_choice).ok().flatten()
    })
}

/// What the service says of an answer that ended with the reason `error`.
pub(crate) fn complaint_of_failure(json: &[u8], details: Option<&str>) -> Complaint {
    let of_details = details.map(|details| Complaint::of_error_body(details.as_bytes()));
    of_details
        .filter(|found| found.words.is_some() || found.status.is_some())
        .or_else(|| Complaint::instead_of_answer(json, true))
        .unwrap_or_default()
}

impl Response {
    /// Reads the body of a 200 answer.
    pub fn parse(body: Vec<u8>, stops: &[String], report: CallReport) -> Result<Response> {
        let raw = text_of(body);
        let found = forgiving(raw.as_bytes(), Answer::read).map_err(|why| {
            unusable(
                &format!("it is not a completion ({})", plain(&why)),
                raw.as_bytes(),
            )
        })?;
        if let Some(error) = found.refusal(&raw) {
            return Err(error);
        }
        let mut parts = found.parts;
        if found.version == ApiVersion::V1 {
            parts.files = files_of_text(&parts.text);
        }
        if let Some(at) = crate::stop::first_stop(&parts.text, stops) {
            parts.text.truncate(at);
            parts.finish_reason = Some("stop".to_owned());
        }
        Ok(Response {
            text: parts.text,
            finish_reason: parts.finish_reason.unwrap_or_default(),
            function_calls: parts.calls,
            reasoning: Some(parts.reasoning).filter(|text| !text.is_empty()),
            files: parts.files,
            sources: parts.sources,
            thread_id: found.thread_id,
            state_id: parts.state_id,
            api_version: found.version,
            usage: found.usage,
            model: found.model,
            report,
            raw,
        })
    }
}

#[cfg(test)]
mod tests {
    use crate::error::ErrorKind;
    use crate::response::{CallReport, Response};

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
            let mut answer = parse(&body, &[]).unwrap();
            let call = answer.function_calls.remove(0);
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
    fn an_answer_of_v2_gives_the_same_and_keeps_its_parts_apart() {
        let body = r#"{"model":"GigaChat-2-Max:2.0.30.01","created_at":"1789498329","thread_id":"t-1","messages":[
            {"role":"reasoning","content":[{"text":"Two look-ups."}]},
            {"role":"assistant","tool_state_id":"s-1","content":[
                {"files":[{"id":"f-1","mime":"image/jpeg","target":"image"}]},
                {"text":"One moment [sources=[1]]","inline_data":{"images":[],"sources":{"1":{"url":"https://example.com/1","title":"A page"}}}},
                {"function_call":{"id":"c-1","name":"weather","arguments":{"city":"Omsk"}}},
                {"function_call":{"id":"c-2","name":"weather","arguments":{"city":"Tula"}}},
                {"hologram":{"text":"no"}}]},
            {"role":"oracle","content":[{"text":"no"}]},
            {"role":"assistant","content":[{"text":"."}]}],
            "finish_reason":"function_call",
            "usage":{"input_tokens":88,"input_tokens_details":{"prompt_tokens":88,"cached_tokens":7},"output_tokens":25,"total_tokens":113}}"#;
        let response = parse(body, &[]).unwrap();
        assert_eq!(response.text, "One moment [sources=[1]].");
        assert_eq!(response.reasoning.as_deref(), Some("Two look-ups."));
        let ids: Vec<_> = response
            .function_calls
            .iter()
            .map(|call| call.id.as_deref())
            .collect();
        assert_eq!(ids, [Some("c-1"), Some("c-2")]);
        assert_eq!(
            response.function_call().unwrap().state_id.as_deref(),
            Some("s-1")
        );
        assert_eq!(response.files[0].id, "f-1");
        assert_eq!(response.sources[0].url, "https://example.com/1");
        assert_eq!(response.thread_id.as_deref(), Some("t-1"));
        let usage = response.usage.unwrap();
        assert_eq!((usage.prompt_tokens, usage.completion_tokens), (88, 25));
        assert_eq!(
            (usage.total_tokens, usage.precached_prompt_tokens),
            (113, 7)
        );
    }

    #[test]
    fn the_finish_reason_error_of_v2_is_an_error_with_its_details_and_the_text() {
        let body = r#"{"messages":[{"role":"assistant","content":[{"text":"so far"}]}],"finish_reason":"error","error_details":{"message":"the model broke down","code":17},"usage":{"input_tokens":0}}"#;
        let error = parse(body, &[]).unwrap_err();
        assert_eq!(error.kind(), ErrorKind::Server);
        assert!(error.message().contains("the model broke down"), "{error}");
        assert_eq!(error.partial_text(), Some("so far"));
        assert_eq!(error.code(), Some(17));
    }

    #[test]
    fn an_answer_that_is_no_completion_is_a_protocol_error_with_its_body() {
        for body in [
            "",
            "<html>",
            "{}",
            r#"{"choices":[]}"#,
            r#"{"choices":[{}]}"#,
            r#"{"messages":[]}"#,
            r#"{"messages":[{"role":"assistant","content":[]}]}"#,
        ] {
            let error = parse(body, &[]).unwrap_err();
            assert_eq!(error.kind(), ErrorKind::Protocol, "{body}");
            assert_eq!(error.body(), body.as_bytes());
        }
    }
}
