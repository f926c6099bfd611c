//! The shapes of a completion of chat v1 (GigaChat REST reference), whole and in chunks, and of what
//! both versions write alike: what stands beside the text may be of any type or missing without
//! costing the text (I16).

use std::borrow::Cow;

use serde::de::{MapAccess, SeqAccess};

use super::media::InlineData;
use super::parts::Reasoning;
use super::{FunctionCall, TokenUsage};
use crate::wire::mended::without_lone_surrogates;
use crate::wire::{Count, Json, Lenient, Number, Reading, Text, Whole, document, wire_object};

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
        reasoning_content: Text<'a>,
        reasoning: Reasoning<'a>,
        inline_data: InlineData<'a>,
    }
}

wire_object! {
    pub(crate) struct WireFunctionCall<'a> {
        id: Text<'a>,
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
        input_tokens: Count,
        output_tokens: Count,
        input_tokens_details: WireInputTokens<'a>,
    }
}

wire_object! {
    struct WireInputTokens<'a> {
        cached_tokens: Count,
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
        let cached = wire
            .input_tokens_details
            .and_then(|details| details.cached_tokens);
        // Chat v2 has other words for the same.
        let counts = [
            wire.prompt_tokens.or(wire.input_tokens),
            wire.completion_tokens.or(wire.output_tokens),
            wire.total_tokens,
            wire.precached_prompt_tokens.or(cached),
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

impl WireMessage<'_> {
    /// The reasoning beside the text, under either of its names.
    pub(crate) fn reasoning(&mut self) -> Option<String> {
        let under_other_name = || self.reasoning.take().map(|found| found.0);
        let found = self.reasoning_content.take().or_else(under_other_name)?;
        Some(found.into_owned()).filter(|text| !text.is_empty())
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
            id: self.id.filter(|id| !id.0.is_empty()).map(Text::into_owned),
            name,
            arguments: if empty { "{}".to_owned() } else { arguments },
            state_id,
        })
    }
}
