//! One message of a request, and how each of the two chats writes it.

use std::borrow::Cow;

use serde::Serialize;
use serde_json::value::RawValue;

use super::Object;
use super::history::{Answer, FunctionResult};
use super::writer::{Writer, json, one};
use crate::api_version::{ApiVersion, ResultRole};
use crate::error::{Error, Result};

#[derive(Clone)]
pub(crate) enum Message {
    /// As the caller wrote it. Without a shape of its own it is v1's form and can be said in both.
    Json {
        json: Box<RawValue>,
        shape: Option<ApiVersion>,
    },
    /// An answer that goes back.
    Answer(Box<Answer>),
    /// Results of functions, of one answer's calls.
    Results(Vec<FunctionResult>),
}

#[derive(Serialize)]
struct Text<'a> {
    role: &'a str,
    content: &'a str,
    #[serde(skip_serializing_if = "<[_]>::is_empty")]
    attachments: &'a [&'a str],
}

impl Message {
    /// A message with a text and the ids of files.
    pub(super) fn text(role: &str, content: &str, attachments: &[&str]) -> Message {
        let text = Text {
            role,
            content,
            attachments,
        };
        let json = super::raw(&text);
        Message::of_json(json)
    }

    /// A message that was checked.
    pub(super) fn of_json(json: Box<RawValue>) -> Message {
        let shape = super::dialect::of_message(&json);
        Message::Json { json, shape }
    }

    /// About how many bytes it has.
    pub(super) fn size(&self) -> usize {
        match self {
            Message::Json { json, .. } => json.get().len() + 32,
            Message::Answer(answer) => answer.text.len() + 256,
            Message::Results(results) => results
                .iter()
                .map(|result| result.result.get().len() + 128)
                .sum(),
        }
    }

    /// Adds it as v1 writes it: several results are a message each.
    pub(super) fn write_v1<'a>(&'a self, messages: &mut Vec<Cow<'a, [u8]>>) -> Result<()> {
        match self {
            Message::Json { json, .. } => messages.push(Cow::Borrowed(json.get().as_bytes())),
            Message::Answer(answer) => messages.push(Cow::Owned(answer.v1()?)),
            Message::Results(results) => {
                let each = results.iter().map(|result| Cow::Owned(result.v1()));
                messages.extend(each);
            }
        }
        Ok(())
    }

    /// Adds it as v2 writes it.
    pub(super) fn write_v2<'a>(
        &'a self,
        role: ResultRole,
        messages: &mut Vec<Cow<'a, [u8]>>,
    ) -> Result<()> {
        messages.push(match self {
            Message::Json {
                json,
                shape: Some(ApiVersion::V2),
            } => Cow::Borrowed(json.get().as_bytes()),
            Message::Json { json, .. } => Cow::Owned(in_parts(json)?),
            Message::Answer(answer) => Cow::Owned(answer.v2()),
            Message::Results(results) => Cow::Owned(FunctionResult::v2(results, role)),
        });
        Ok(())
    }

    /// The same message with one more file; `None` when it is not the user's.
    pub(super) fn with_file(&self, id: &str) -> Option<Message> {
        let Message::Json { json: text, shape } = self else {
            return None;
        };
        let Object(members) = serde_json::from_str(text.get()).ok()?;
        let role = members.iter().find(|(name, _)| name == "role");
        if role?.1.get() != "\"user\"" {
            return None;
        }
        let (list, element) = match shape {
            Some(ApiVersion::V2) => ("content", files_part([id])),
            _ => ("attachments", json(id)),
        };
        let mut writer = Writer::with_room(self.size() + id.len());
        let mut added = false;
        for (name, value) in &members {
            if name == list {
                added = true;
                let known: Vec<Box<RawValue>> =
                    serde_json::from_str(value.get()).unwrap_or_default();
                let known = known.iter().map(|element| element.get().as_bytes());
                writer.list(name, known.chain([&*element]));
            } else {
                writer.raw(name, value.get());
            }
        }
        if !added {
            writer.list(list, [&element]);
        }
        let text = String::from_utf8(writer.finish()).ok()?;
        Some(Message::Json {
            json: RawValue::from_string(text).ok()?,
            shape: *shape,
        })
    }
}

/// A message of v1's form as v2 has it: the text is a part, the attachments are another; what else
/// it has stays as it is.
fn in_parts(message: &RawValue) -> Result<Vec<u8>> {
    let Object(members) = serde_json::from_str(message.get())
        .map_err(|why| Error::invalid("message", why, "a JSON object without a key twice"))?;
    let mut parts: Vec<Vec<u8>> = Vec::new();
    let mut writer = Writer::with_room(message.get().len() + 32);
    for (name, value) in &members {
        match (name.as_str(), value.get()) {
            ("content" | "attachments", "null") => {}
            ("content", text) => parts.insert(0, one("text", text)),
            ("attachments", ids) => {
                let ids: Vec<String> = serde_json::from_str(ids).unwrap_or_default();
                if !ids.is_empty() {
                    parts.push(files_part(ids.iter().map(String::as_str)));
                }
            }
            (_, value) => writer.raw(name, value),
        }
    }
    writer.list("content", &parts);
    Ok(writer.finish())
}

/// `{"files":[{"id":...}]}`.
fn files_part<'a>(ids: impl IntoIterator<Item = &'a str>) -> Vec<u8> {
    let mut writer = Writer::new();
    writer.list("files", ids.into_iter().map(|id| one("id", json(id))));
    writer.finish()
}
