//! Reads a completion (GigaChat REST reference, chat v1): what stands beside its text may be of any
//! type or missing without costing the text (I16).

use std::borrow::Cow;

use serde::de::{MapAccess, SeqAccess};

use super::{CallReport, FunctionCall, Response, TokenUsage, text_of, unusable};
use crate::error::{Error, Phase, Result};
use crate::wire::complaint::Complaint;
use crate::wire::mended::without_lone_surrogates;
use crate::wire::words::plain;
use crate::wire::{
    Count, Json, Lenient, List, Number, Reading, Text, Whole, document, forgiving, wire_object,
};

wire_object! {
    struct WireCompletion<'a> {
        choices: Choices<'a>,
        usage: TokenUsage,
        model: Text<'a>,
        error: Json<'a>,
        errors: Json<'a>,
    }
}

wire_object! {
    /// One of the answers to a request: `message` of a whole answer, `delta` of a chunk.
    pub(crate) struct WireChoice<'a> {
        index: Whole,
        message: WireMessage<'a>,
        delta: WireMessage<'a>,
        finish_reason: Text<'a>,
        error: Json<'a>,
    }
}

wire_object! {
    pub(crate) struct WireMessage<'a> {
        content: Content<'a>,
        role: Text<'a>,
        name: Text<'a>,
        function_call: WireFunctionCall<'a>,
        functions_state_id: Text<'a>,
    }
}

wire_object! {
    pub(crate) struct WireFunctionCall<'a> {
        name: Text<'a>,
        arguments: Json<'a>,
    }
}

wire_object! {
    struct WireUsage<'a> {
        prompt_tokens: Count,
        completion_tokens: Count,
        total_tokens: Count,
        precached_prompt_tokens: Count,
    }
}

wire_object! {
    struct WirePart<'a> {
        text: Text<'a>,
    }
}

impl<'de> Lenient<'de> for TokenUsage {
    fn of_object<A: MapAccess<'de>>(
        object: A,
    ) -> std::result::Result<Option<TokenUsage>, A::Error> {
        let wire = WireUsage::of_object(object)?.unwrap_or_default();
        let counts = [
            wire.prompt_tokens,
            wire.completion_tokens,
            wire.total_tokens,
            wire.precached_prompt_tokens,
        ];
        if counts.iter().all(Option::is_none) {
            return Ok(None);
        }
        let [prompt, completion, total, precached] = counts.map(|count| count.map_or(0, |it| it.0));
        Ok(Some(TokenUsage {
            prompt_tokens: prompt,
            completion_tokens: completion,
            total_tokens: total,
            precached_prompt_tokens: precached,
        }))
    }
}

/// The text of a message.
#[derive(Debug)]
pub(crate) enum Content<'a> {
    Text(Text<'a>),
    /// Of another type: something was said that cannot be delivered.
    Odd,
}

impl<'de> Lenient<'de> for Content<'de> {
    fn of_text(text: Cow<'de, str>) -> Option<Content<'de>> {
        Some(Content::Text(Text(text)))
    }

    fn of_number(_: Number) -> Option<Content<'de>> {
        Some(Content::Odd)
    }

    fn of_flag(_: bool) -> Option<Content<'de>> {
        Some(Content::Odd)
    }

    /// A gateway may send the text in parts: `[{"type":"text","text":"..."}]`.
    fn of_array<A: SeqAccess<'de>>(
        mut array: A,
    ) -> std::result::Result<Option<Content<'de>>, A::Error> {
        let mut text = String::new();
        let mut empty = true;
        let mut whole = true;
        while let Some(part) = array.next_element_seed(Reading::<WirePart<'de>>::new())? {
            empty = false;
            match part.and_then(|part| part.text) {
                Some(part) => text.push_str(&part.0),
                None => whole = false,
            }
        }
        Ok(match (empty, whole) {
            (true, _) => None,
            (false, true) => Some(Content::Text(Text(Cow::Owned(text)))),
            (false, false) => Some(Content::Odd),
        })
    }

    fn of_object<A: MapAccess<'de>>(
        object: A,
    ) -> std::result::Result<Option<Content<'de>>, A::Error> {
        let found = WirePart::of_object(object)?.filter(|found| found.members > 0);
        Ok(found.map(|_| Content::Odd))
    }
}

/// The choices of an answer or a chunk: choice 0 is the answer (`n` above 1 is for the raw JSON).
#[derive(Debug, Default)]
pub(crate) struct Choices<'a> {
    /// The one whose `index` is 0; one without an index counts as 0.
    pub(crate) answer: Option<WireChoice<'a>>,
    /// The first one of another index.
    pub(crate) other: Option<WireChoice<'a>>,
    /// There is something, and it is no list of choices.
    pub(crate) odd: bool,
}

impl<'de> Lenient<'de> for Choices<'de> {
    fn of_array<A: SeqAccess<'de>>(
        mut array: A,
    ) -> std::result::Result<Option<Choices<'de>>, A::Error> {
        let mut found = Choices::default();
        while let Some(choice) = array.next_element_seed(Reading::<WireChoice<'de>>::new())? {
            let Some(choice) = choice else {
                found.odd = true;
                continue;
            };
            let place = match choice.index {
                None | Some(Whole(0)) => &mut found.answer,
                Some(_) => &mut found.other,
            };
            place.get_or_insert(choice);
        }
        Ok(Some(found))
    }

    fn of_object<A: MapAccess<'de>>(
        object: A,
    ) -> std::result::Result<Option<Choices<'de>>, A::Error> {
        let found = WirePart::of_object(object)?.filter(|found| found.members > 0);
        Ok(found.map(|_| Choices::odd()))
    }

    fn of_text(text: Cow<'de, str>) -> Option<Choices<'de>> {
        (!text.is_empty()).then(Choices::odd)
    }

    fn of_number(_: Number) -> Option<Choices<'de>> {
        Some(Choices::odd())
    }
}

impl Choices<'_> {
    fn odd() -> Self {
        Choices {
            odd: true,
            ..Choices::default()
        }
    }
}

impl WireFunctionCall<'_> {
    /// The service sends `arguments` as an object; its schema also allows a text with JSON in it
    /// (GigaChat OpenAPI 3.1.1, `FunctionCallArgs`). Both become the object's text; nothing, and
    /// an empty text, are an empty object.
    pub(crate) fn into_call(self, state_id: Option<String>) -> Option<FunctionCall> {
        let name = self.name.filter(|name| !name.0.is_empty())?.into_owned();
        let raw = self.arguments.map_or("{}", |json| json.0.get());
        let raw = match raw.contains("\\u") {
            true => Cow::Owned(without_lone_surrogates(raw)),
            false => Cow::Borrowed(raw),
        };
        let arguments = match document::<Text<'_>>(raw.as_bytes()) {
            Ok(Some(text)) => without_lone_surrogates(&text.0),
            _ => raw.into_owned(),
        };
        let empty = arguments.trim().is_empty();
        Some(FunctionCall {
            name,
            arguments: if empty { "{}".to_owned() } else { arguments },
            state_id,
        })
    }
}

/// What of an answer's JSON is used.
#[derive(Debug, Default)]
struct Completion {
    text: String,
    odd_text: bool,
    finish_reason: String,
    function_call: Option<FunctionCall>,
    usage: Option<TokenUsage>,
    model: String,
    has_choice: bool,
    has_error: bool,
}

impl Completion {
    fn read(json: &[u8]) -> serde_json::Result<Completion> {
        let Some(wire) = document::<WireCompletion<'_>>(json)? else {
            return Ok(Completion::default());
        };
        let mut found = Completion {
            usage: wire.usage,
            model: wire.model.map_or(String::new(), Text::into_owned),
            has_error: wire.error.is_some() || wire.errors.is_some(),
            ..Completion::default()
        };
        let choices = wire.choices.unwrap_or_default();
        let Some(choice) = choices.answer.or(choices.other) else {
            return Ok(found);
        };
        found.has_choice = true;
        found.has_error |= choice.error.is_some();
        found.finish_reason = choice.finish_reason.map_or(String::new(), Text::into_owned);
        let message = choice.message.filter(|message| message.members > 0);
        if let Some(message) = message.or(choice.delta) {
            let state_id = message.functions_state_id.map(Text::into_owned);
            found.function_call = message
                .function_call
                .and_then(|call| call.into_call(state_id));
            match message.content {
                Some(Content::Text(text)) => found.text = text.into_owned(),
                Some(Content::Odd) => found.odd_text = true,
                None => {}
            }
        }
        Ok(found)
    }

    /// Whether it is an answer at all: not without a text, a call and a reason to have ended.
    fn answers(&self) -> bool {
        !(self.text.is_empty() && self.function_call.is_none() && self.finish_reason.is_empty())
    }

    /// Why it is no answer, in the service's words if it has some.
    fn refusal(&self, raw: &str) -> Option<Error> {
        let has_content = !self.text.is_empty() || self.function_call.is_some();
        if self.has_error || !has_content {
            let json = raw.as_bytes();
            if let Some(complaint) = complaint_of(json, self.answers()) {
                let what = "the service answered with an error";
                let error = Error::of_complaint(complaint, what, Phase::Body, json);
                return Some(match self.text.is_empty() {
                    true => error,
                    false => error.with_partial_text(self.text.clone()),
                });
            }
        }
        let why = match self {
            Completion { odd_text: true, .. } => "the content of its message is no text",
            Completion {
                has_choice: false, ..
            } => "it has no choices",
            _ if self.answers() => return None,
            _ => "it has no text, no function call and no finish reason",
        };
        Some(unusable(why, raw.as_bytes()))
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

impl Response {
    /// Reads the body of a 200 answer.
    pub fn parse(body: Vec<u8>, stops: &[String], report: CallReport) -> Result<Response> {
        let raw = text_of(body);
        let mut found = forgiving(raw.as_bytes(), Completion::read).map_err(|why| {
            unusable(
                &format!("it is not a completion ({})", plain(&why)),
                raw.as_bytes(),
            )
        })?;
        if let Some(error) = found.refusal(&raw) {
            return Err(error);
        }
        if let Some(at) = crate::stop::first_stop(&found.text, stops) {
            found.text.truncate(at);
            found.finish_reason = "stop".to_owned();
        }
        Ok(Response {
            text: found.text,
            finish_reason: found.finish_reason,
            function_call: found.function_call,
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
