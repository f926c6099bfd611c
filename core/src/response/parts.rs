//! What the messages of chat v2 say, of a whole answer or of one event (GigaChat REST reference,
//! section 7.2 and its addendum): text, reasoning, function calls, files and sources, each apart from
//! the others (I16).
//!
//! The text is that of assistant messages alone; parts and roles that are not known are skipped.

use std::borrow::Cow;

use serde::de::{MapAccess, SeqAccess};

use super::completion::{Content, WireFunctionCall};
use super::media::{InlineData, MOST_COMPARED, WireFile, add_sources};
use super::{FunctionCall, GeneratedFile, Source};
use crate::wire::{Json, Lenient, List, Reading, Text, wire_object};

wire_object! {
    pub(crate) struct WireParts<'a> {
        role: Text<'a>,
        content: PartList<'a>,
        reasoning_content: Text<'a>,
        reasoning: Reasoning<'a>,
        inline_data: InlineData<'a>,
        finish_reason: Text<'a>,
        tool_state_id: Text<'a>,
        tools_state_id: Text<'a>,
        functions_state_id: Text<'a>,
    }
}

wire_object! {
    pub(crate) struct WirePart<'a> {
        text: Content<'a>,
        files: List<WireFile<'a>>,
        function_call: WireFunctionCall<'a>,
        tool_execution: Execution<'a>,
        inline_data: InlineData<'a>,
    }
}

wire_object! {
    /// A built-in tool at work.
    pub(crate) struct Execution<'a> {
        name: Text<'a>,
        status: Text<'a>,
        seconds_left: Json<'a>,
    }
}

wire_object! {
    struct WireReasoning<'a> {
        text: Text<'a>,
    }
}

/// Messages; a single one may stand without its list.
#[derive(Debug)]
pub(crate) struct Messages<'a>(pub(crate) Vec<WireParts<'a>>);

impl<'de> Lenient<'de> for Messages<'de> {
    fn of_array<A: SeqAccess<'de>>(
        array: A,
    ) -> std::result::Result<Option<Messages<'de>>, A::Error> {
        Ok(List::of_array(array)?.map(|list| Messages(list.0)))
    }

    fn of_object<A: MapAccess<'de>>(
        object: A,
    ) -> std::result::Result<Option<Messages<'de>>, A::Error> {
        let message = WireParts::of_object(object)?;
        Ok(message
            .filter(|found| found.members > 0)
            .map(|one| Messages(vec![one])))
    }
}

/// The parts of a message; a text in their place is one part.
#[derive(Debug)]
pub(crate) struct PartList<'a>(Vec<WirePart<'a>>);

impl<'de> Lenient<'de> for PartList<'de> {
    fn of_text(text: Cow<'de, str>) -> Option<PartList<'de>> {
        Some(PartList(vec![plain(text)]))
    }

    fn of_array<A: SeqAccess<'de>>(
        mut array: A,
    ) -> std::result::Result<Option<PartList<'de>>, A::Error> {
        let mut parts = Vec::new();
        while let Some(part) = array.next_element_seed(Reading::<Part<'de>>::new())? {
            parts.extend(part.map(|part| part.0));
        }
        Ok(Some(PartList(parts)))
    }

    fn of_object<A: MapAccess<'de>>(
        object: A,
    ) -> std::result::Result<Option<PartList<'de>>, A::Error> {
        Ok(WirePart::of_object(object)?.map(|part| PartList(vec![part])))
    }
}

struct Part<'a>(WirePart<'a>);

impl<'de> Lenient<'de> for Part<'de> {
    fn of_text(text: Cow<'de, str>) -> Option<Part<'de>> {
        Some(Part(plain(text)))
    }

    fn of_object<A: MapAccess<'de>>(object: A) -> std::result::Result<Option<Part<'de>>, A::Error> {
        Ok(WirePart::of_object(object)?.map(Part))
    }
}

fn plain(text: Cow<'_, str>) -> WirePart<'_> {
    WirePart {
        text: Some(Content::Text(Text(text))),
        ..WirePart::default()
    }
}

/// The reasoning of a message: a text, or an object that has it.
#[derive(Debug)]
pub(crate) struct Reasoning<'a>(pub(crate) Text<'a>);

impl<'de> Lenient<'de> for Reasoning<'de> {
    fn of_text(text: Cow<'de, str>) -> Option<Reasoning<'de>> {
        Some(Reasoning(Text(text)))
    }

    fn of_object<A: MapAccess<'de>>(
        object: A,
    ) -> std::result::Result<Option<Reasoning<'de>>, A::Error> {
        let found = WireReasoning::of_object(object)?;
        Ok(found.and_then(|found| found.text).map(Reasoning))
    }
}

impl Execution<'_> {
    /// The tool's name, and what the service says of it: how it ended, else the seconds left.
    pub(crate) fn into_progress(self) -> Option<(String, String)> {
        let name = self.name?.into_owned();
        let seconds = self
            .seconds_left
            .map(|json| json.0.get().trim_matches('"').to_owned());
        let status = self
            .status
            .map(Text::into_owned)
            .filter(|status| !status.is_empty());
        Some((name, status.or(seconds).unwrap_or_default()))
    }
}

/// What messages say.
#[derive(Debug, Default)]
pub(crate) struct Parts {
    pub(crate) text: String,
    /// A text part is there and is no text.
    pub(crate) odd_text: bool,
    pub(crate) reasoning: String,
    pub(crate) calls: Vec<FunctionCall>,
    pub(crate) files: Vec<GeneratedFile>,
    pub(crate) sources: Vec<Source>,
    pub(crate) progress: Option<(String, String)>,
    pub(crate) finish_reason: Option<String>,
    pub(crate) state_id: Option<String>,
}

impl Parts {
    pub(crate) fn of(messages: Messages<'_>) -> Parts {
        let mut found = Parts::default();
        for message in messages.0 {
            found.add(message);
        }
        found
    }

    fn add(&mut self, message: WireParts<'_>) {
        let beside = message
            .reasoning_content
            .or(message.reasoning.map(|found| found.0));
        if let Some(beside) = beside {
            self.reasoning.push_str(&beside.0);
        }
        if let Some(data) = message.inline_data {
            self.add_data(data);
        }
        let reason = message.finish_reason.map(Text::into_owned);
        self.finish_reason = reason.or(self.finish_reason.take());
        let ids = [
            message.tool_state_id,
            message.tools_state_id,
            message.functions_state_id,
        ];
        let state_id = ids.into_iter().flatten().find(|id| !id.0.is_empty());
        let state_id = state_id.map(Text::into_owned);
        let parts = message.content.map_or(Vec::new(), |list| list.0);
        match message.role.as_ref().map(|role| &*role.0) {
            None | Some("assistant") => {}
            Some("reasoning") => {
                for part in parts {
                    if let Some(Content::Text(text)) = part.text {
                        self.reasoning.push_str(&text.0);
                    }
                }
                return;
            }
            // Of another role nothing is the answer's.
            Some(_) => return,
        }
        for part in parts {
            self.add_part(part, state_id.as_deref());
        }
        self.state_id = state_id.or(self.state_id.take());
    }

    fn add_part(&mut self, part: WirePart<'_>, state_id: Option<&str>) {
        match part.text {
            Some(Content::Text(text)) => self.text.push_str(&text.0),
            Some(Content::Odd) => self.odd_text = true,
            None => {}
        }
        for file in part.files.map_or(Vec::new(), |list| list.0) {
            self.files.extend(file.into_file());
        }
        let call = part.function_call;
        let call = call.and_then(|call| call.into_call(state_id.map(str::to_owned)));
        if let Some(call) = call {
            let mut compared = self.calls.iter().take(MOST_COMPARED);
            let twice = call.id.is_some() && compared.any(|known| known.id == call.id);
            if !twice {
                self.calls.push(call);
            }
        }
        if let Some(data) = part.inline_data {
            self.add_data(data);
        }
        let progress = part.tool_execution.and_then(Execution::into_progress);
        self.progress = progress.or(self.progress.take());
    }

    fn add_data(&mut self, data: InlineData<'_>) {
        if let Some(sources) = data.sources {
            add_sources(&mut self.sources, sources.0);
        }
    }
}
