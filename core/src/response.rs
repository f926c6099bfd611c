//! What the service answers: a completion, its token usage and function call, models.
//!
//! Every answer keeps its raw JSON byte for byte; fields that this library does not know stay
//! readable there. Enumerations that the service owns (roles, finish reasons, model names) are
//! open texts.

use std::borrow::Cow;
use std::time::Duration;

use serde::de::{MapAccess, SeqAccess};

use crate::error::{Error, ErrorKind, Phase, Result};
use crate::wire::complaint::Complaint;
use crate::wire::mended::without_lone_surrogates;
use crate::wire::{
    Count, Json, Lenient, List, Number, Reading, Text, Whole, document, forgiving, wire_object,
};

/// How many tokens a call used, as the service counted them.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
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
        let mut found = forgiving(raw.as_bytes(), Completion::read)
            .map_err(|why| unusable(&format!("it is not a completion: {why}"), raw.as_bytes()))?;
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

/// The JSON as it came, but for a byte order mark and bytes that are no UTF-8.
fn text_of(body: Vec<u8>) -> String {
    let mut text = String::from_utf8(body)
        .unwrap_or_else(|why| String::from_utf8_lossy(why.as_bytes()).into_owned());
    if text.starts_with('\u{feff}') {
        text.drain(..'\u{feff}'.len_utf8());
    }
    text
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

/// The error of a body that is not what was asked for, in the service's words if it has some.
fn not_a(what: &str, why: Option<serde_json::Error>, body: &[u8]) -> Error {
    if let Some(complaint) = Complaint::instead_of_answer(body, false) {
        return Error::of_complaint(
            complaint,
            "the service answered with an error",
            Phase::Body,
            body,
        );
    }
    let why = why.map_or(String::new(), |why| format!(": {why}"));
    unusable(&format!("it is not {what}{why}"), body)
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
        let read = |json: &[u8]| Ok(document::<Json<'_>>(json)?.and_then(Model::of));
        match forgiving(body, read) {
            Ok(Some(model)) => Ok(model),
            Ok(None) => Err(not_a("a model", None, body)),
            Err(why) => Err(not_a("a model", Some(why), body)),
        }
    }

    /// Reads the body of `GET /models`. An element that is no model is left out.
    pub(crate) fn parse_list(body: &[u8]) -> Result<Vec<Model>> {
        wire_object! {
            struct WireList<'a> {
                data: List<Json<'a>>,
            }
        }
        let read = |json: &[u8]| {
            let list = document::<WireList<'_>>(json)?.and_then(|list| list.data);
            Ok(list.map(|list| {
                let elements = list.0.len();
                let models: Vec<Model> = list.0.into_iter().filter_map(Model::of).collect();
                (models, elements)
            }))
        };
        match forgiving(body, read) {
            Ok(Some((models, elements))) if elements == 0 || !models.is_empty() => Ok(models),
            Ok(_) => Err(not_a("a list of models", None, body)),
            Err(why) => Err(not_a("a list of models", Some(why), body)),
        }
    }

    fn of(raw: Json<'_>) -> Option<Model> {
        wire_object! {
            struct WireModel<'a> {
                id: Text<'a>,
                owned_by: Text<'a>,
                kind = "type": Text<'a>,
            }
        }
        let json = raw.0.get();
        let read = |json: &[u8]| {
            let model = document::<WireModel<'_>>(json)?.unwrap_or_default();
            let id = model.id.filter(|id| !id.0.is_empty());
            let text = |text: Option<Text<'_>>| text.map_or(String::new(), Text::into_owned);
            Ok(id.map(|id| (id.into_owned(), text(model.owned_by), text(model.kind))))
        };
        let (id, owned_by, kind) = forgiving(json.as_bytes(), read).ok()??;
        Some(Model {
            id,
            owned_by,
            kind,
            raw: json.to_owned(),
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
