//! What a request asks of its answer beyond its messages: tools and the choice among them, a form,
//! reasoning, a thread. Each is said once here and written as each of the two chats has it.

use std::fmt;

use serde::Deserialize;
use serde_json::value::RawValue;

use super::Request;
use super::writer::{Writer, json, one};
use crate::api_version::{ApiVersion, ResultRole};
use crate::error::{Error, Result};
use crate::limits;
use crate::wire::words::plain;

/// What is set by an option of its own.
#[derive(Clone, Debug, Default)]
pub(crate) struct ChatSettings {
    pub(super) api_version: Option<ApiVersion>,
    pub(super) result_role: Option<ResultRole>,
    pub(super) choice: Option<ToolChoice>,
    pub(super) parallel_calls: Option<bool>,
    pub(super) format: Option<Format>,
    pub(super) strict: Option<bool>,
    pub(super) reasoning_effort: Option<String>,
    pub(super) reasoning_max_tokens: Option<u32>,
    pub(super) thread: Option<Thread>,
    pub(super) profanity_check: Option<bool>,
    pub(super) flags: Option<Vec<String>>,
}

/// Whether the model calls functions, and which.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum ToolChoice {
    Auto,
    None,
    /// At least one, whichever.
    Any,
    Named(String),
}

/// The form of the answer's text.
#[derive(Clone)]
pub(crate) enum Format {
    Schema(Box<RawValue>),
    Regex(String),
}

impl fmt::Debug for Format {
    /// Without its content, as prompts (I13).
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Format::Schema(_) => "Schema",
            Format::Regex(_) => "Regex",
        })
    }
}

/// Where the service keeps the conversation.
#[derive(Clone, Debug)]
pub(crate) enum Thread {
    New,
    Known(String),
}

/// A tool that the service has itself, with its options.
#[derive(Clone)]
pub(crate) struct BuiltIn {
    name: String,
    options: Box<RawValue>,
}

/// What to do about what chat v1 has not.
const ASKED_OF_V2: &str = "asked of chat v2 (api_version 2)";

/// The tools of v2 that v1 has too, as functions without a description.
const IN_V1: [(&str, &str); 2] = [
    ("image_generate", "text2image"),
    ("model_3d_generate", "text2model3d"),
];

impl BuiltIn {
    pub(super) fn v2(&self) -> Vec<u8> {
        one(&self.name, self.options.get())
    }

    fn name_in_v1(&self) -> Result<&'static str> {
        let known = IN_V1.iter().find(|(name, _)| *name == self.name);
        known.map(|(_, name)| *name).ok_or_else(|| {
            let value = format!("{:?} in chat v1", self.name);
            Error::invalid("tool", value, ASKED_OF_V2)
        })
    }

    pub(super) fn v1(&self) -> Result<Vec<u8>> {
        Ok(one("name", json(self.name_in_v1()?)))
    }
}

impl ChatSettings {
    /// Whether nothing is set.
    pub(crate) fn is_empty(&self) -> bool {
        let ChatSettings {
            api_version: None,
            result_role: None,
            choice: None,
            parallel_calls: None,
            format: None,
            strict: None,
            reasoning_effort: None,
            reasoning_max_tokens: None,
            thread: None,
            profanity_check: None,
            flags: None,
        } = self
        else {
            return false;
        };
        true
    }

    /// Sets everything that `other` sets; the rest stays.
    pub(super) fn set_all(&mut self, other: &ChatSettings) {
        use super::rows::take;
        take(&mut self.api_version, &other.api_version);
        take(&mut self.result_role, &other.result_role);
        take(&mut self.choice, &other.choice);
        take(&mut self.parallel_calls, &other.parallel_calls);
        take(&mut self.format, &other.format);
        take(&mut self.strict, &other.strict);
        take(&mut self.reasoning_effort, &other.reasoning_effort);
        take(&mut self.reasoning_max_tokens, &other.reasoning_max_tokens);
        take(&mut self.thread, &other.thread);
        take(&mut self.profanity_check, &other.profanity_check);
        take(&mut self.flags, &other.flags);
    }

    /// The field `response_format`, if there is one.
    pub(super) fn response_format(&self, version: ApiVersion) -> Result<Option<Vec<u8>>> {
        let mut writer = Writer::new();
        match &self.format {
            None => return Ok(None),
            Some(Format::Schema(schema)) => {
                writer.member("type", "json_schema");
                writer.raw("schema", schema.get());
                writer.member("strict", &self.strict.unwrap_or(true));
            }
            Some(Format::Regex(_)) if version == ApiVersion::V1 => {
                return Err(Error::invalid(
                    "regex",
                    "a regular expression in chat v1",
                    ASKED_OF_V2,
                ));
            }
            Some(Format::Regex(regex)) => {
                writer.member("type", "regex");
                writer.member("regex", regex);
            }
        }
        Ok(Some(writer.finish()))
    }

    /// `{"effort": ..., "max_tokens": ...}`, if either is set.
    pub(super) fn reasoning(&self) -> Option<Vec<u8>> {
        let mut writer = Writer::new();
        if let Some(effort) = &self.reasoning_effort {
            writer.member("effort", effort);
        }
        if let Some(tokens) = self.reasoning_max_tokens {
            writer.member("max_tokens", &tokens);
        }
        (!writer.is_empty()).then(|| writer.finish())
    }

    /// The field `storage` of v2, if there is one.
    pub(super) fn storage(&self, version: ApiVersion) -> Result<Option<Vec<u8>>> {
        match (&self.thread, version) {
            (None, _) => Ok(None),
            (Some(_), ApiVersion::V1) => Err(Error::invalid(
                "thread_id",
                "a thread in chat v1",
                ASKED_OF_V2,
            )),
            (Some(Thread::New), ApiVersion::V2) => Ok(Some(b"{}".to_vec())),
            (Some(Thread::Known(id)), ApiVersion::V2) => Ok(Some(one("thread_id", json(id)))),
        }
    }
}

impl Request {
    /// Which chat the request is sent to, unless its own shape says it; without that the provider's.
    pub fn set_api_version(&mut self, version: ApiVersion) {
        self.settings.api_version = Some(version);
    }

    /// The role under which chat v2 gets the results of functions.
    pub fn set_result_role(&mut self, role: ResultRole) {
        self.settings.result_role = Some(role);
    }

    /// Whether the model calls functions: `auto`, `none`, `any` (at least one of them), or the name
    /// of a function or tool of the request, which it must call then. Chat v1 has no `any` except
    /// with one function.
    pub fn set_tool_choice(&mut self, choice: &str) -> Result<()> {
        self.settings.choice = Some(match choice {
            "auto" => ToolChoice::Auto,
            "none" => ToolChoice::None,
            "any" => ToolChoice::Any,
            name => {
                let accepted = "auto, none, any or the name of a function";
                ToolChoice::Named(not_blank("tool_choice", name, accepted)?)
            }
        });
        Ok(())
    }

    /// Whether an answer may call several functions; chat v1 never does.
    pub fn set_parallel_calls(&mut self, allowed: bool) {
        self.settings.parallel_calls = Some(allowed);
    }

    /// Has the answer's text be JSON of this JSON Schema, which is passed through unchanged; strictly
    /// so unless [`Request::set_strict_schema`] says otherwise.
    pub fn set_schema(&mut self, schema: &str) -> Result<()> {
        let schema: Box<RawValue> = serde_json::from_str(schema).map_err(|why| {
            let value = format!("this text ({})", plain(&why));
            Error::invalid("schema", value, "JSON")
        })?;
        if !schema.get().starts_with('{') {
            let accepted = "a JSON object, a JSON Schema";
            return Err(Error::invalid("schema", "JSON of another type", accepted));
        }
        self.settings.format = Some(Format::Schema(schema));
        Ok(())
    }

    /// Whether the service keeps strictly to the schema; it does by default.
    pub fn set_strict_schema(&mut self, strict: bool) {
        self.settings.strict = Some(strict);
    }

    /// Has the answer's text match a regular expression (chat v2).
    pub fn set_regex(&mut self, regex: &str) -> Result<()> {
        let regex = not_blank("regex", regex, "a regular expression")?;
        self.settings.format = Some(Format::Regex(regex));
        Ok(())
    }

    /// How much the model thinks before it answers: `low`, `medium`, `high`, `off`, or what the
    /// service adds.
    pub fn set_reasoning_effort(&mut self, effort: &str) -> Result<()> {
        let effort = not_blank("reasoning_effort", effort, "low, medium, high or off")?;
        self.settings.reasoning_effort = Some(effort);
        Ok(())
    }

    /// How many tokens it may think, 1 or more.
    pub fn set_reasoning_max_tokens(&mut self, tokens: u32) -> Result<()> {
        let checked = limits::whole("reasoning_max_tokens", tokens, limits::TOKENS);
        self.settings.reasoning_max_tokens = Some(checked.map_err(Error::of_input)?);
        Ok(())
    }

    /// The thread in which the service keeps the conversation (chat v2): its id
    /// ([`Response::thread_id`](crate::response::Response::thread_id)), or `new`.
    pub fn set_thread(&mut self, id: &str) -> Result<()> {
        self.settings.thread = Some(match id {
            "new" => Thread::New,
            id => Thread::Known(limits::identifier("thread_id", id).map_err(Error::of_input)?),
        });
        Ok(())
    }

    /// Whether the service checks for profanity, where that is agreed with it.
    pub fn set_profanity_check(&mut self, check: bool) {
        self.settings.profanity_check = Some(check);
    }

    /// The service's `flags`, in place of the provider's.
    pub fn set_flags(&mut self, flags: &[&str]) {
        self.settings.flags = Some(flags.iter().map(|flag| (*flag).to_owned()).collect());
    }

    /// Adds a tool that the service has itself: `web_search`, `image_generate`,
    /// `model_3d_generate`, `code_interpreter`, `url_content_extraction`, `get_datetime`, `memory`,
    /// or a newer one. `options` is a JSON object. Of these chat v1 has the second and the third.
    pub fn add_tool(&mut self, name: &str, options: Option<&str>) -> Result<()> {
        let name = not_blank("tool", name, "a tool's name")?;
        let options = options.unwrap_or("{}");
        let options: Box<RawValue> = serde_json::from_str(options).map_err(|why| {
            let value = format!("these options ({})", plain(&why));
            Error::invalid("tool", value, "a name, and a JSON object of options")
        })?;
        if !options.get().starts_with('{') {
            let accepted = "a name, and a JSON object of options";
            return Err(Error::invalid(
                "tool",
                "options that are no object",
                accepted,
            ));
        }
        self.built_in.push(BuiltIn { name, options });
        Ok(())
    }

    /// The same from a text: a name, or `{"name": {options}}`.
    pub(super) fn add_tool_of_text(&mut self, text: &str) -> Result<()> {
        if !text.trim_start().starts_with('{') {
            return self.add_tool(text, None);
        }
        let read: std::result::Result<super::Object, _> = serde_json::from_str(text);
        match read.map(|super::Object(members)| members).as_deref() {
            Ok([(name, options)]) => self.add_tool(name, Some(options.get())),
            _ => Err(Error::invalid(
                "tool",
                "this JSON",
                "a name, or an object with one member, {\"web_search\": {}}",
            )),
        }
    }

    /// Adds a file to the last message, which must be the user's: an attachment in chat v1, a part
    /// in v2.
    pub fn add_file(&mut self, id: &str) -> Result<()> {
        let id = not_blank("file", id, "the id of a file")?;
        let last = self.messages.last_mut();
        let replaced = last.and_then(|last| last.with_file(&id).map(|with| *last = with));
        replaced.ok_or_else(|| {
            let value = "a file without a message of the user's that it belongs to";
            Error::invalid("file", value, "added right behind the user's message")
        })
    }

    /// The fields that say which tool is called, in v1 `function_call`.
    pub(super) fn choice_v1(&self) -> Result<Option<Vec<u8>>> {
        let Some(choice) = &self.settings.choice else {
            return Ok(None);
        };
        let named = |name: &str| one("name", json(name));
        Ok(Some(match choice {
            ToolChoice::Auto => json("auto"),
            ToolChoice::None => json("none"),
            ToolChoice::Any => match (&self.functions[..], &self.built_in[..]) {
                ([function], []) => named(&name_of(function).unwrap_or_default()),
                _ => {
                    let value = "any in chat v1, among several functions";
                    let accepted = "auto, none or a name, or asked of chat v2 (api_version 2)";
                    return Err(Error::invalid("tool_choice", value, accepted));
                }
            },
            ToolChoice::Named(name) => {
                let tool = self.built_in.iter().find(|tool| tool.name == *name);
                match tool {
                    Some(tool) => named(tool.name_in_v1()?),
                    None if self.has_function(name) => named(name),
                    None => return Err(no_such_tool(name)),
                }
            }
        }))
    }

    /// The same in v2: `tool_config`.
    pub(super) fn choice_v2(&self) -> Result<Option<Vec<u8>>> {
        let Some(choice) = &self.settings.choice else {
            return Ok(None);
        };
        let mut writer = Writer::new();
        match choice {
            ToolChoice::Auto => writer.member("mode", "auto"),
            ToolChoice::None => writer.member("mode", "none"),
            ToolChoice::Any => writer.member("mode", "any"),
            ToolChoice::Named(name) => {
                writer.member("mode", "forced");
                let built_in = self.built_in.iter().any(|tool| tool.name == *name);
                match (
                    built_in || self.has_json_tool(name),
                    self.has_function(name),
                ) {
                    (_, true) => writer.member("function_name", name),
                    (true, false) => writer.member("tool_name", name),
                    (false, false) => return Err(no_such_tool(name)),
                }
            }
        }
        Ok(Some(writer.finish()))
    }

    fn has_function(&self, name: &str) -> bool {
        let of_json = self
            .json_tools()
            .into_iter()
            .flat_map(|tool| tool.specifications());
        let named = |function: &RawValue| name_of(function).as_deref() == Some(name);
        self.functions.iter().any(|function| named(function))
            || of_json.into_iter().any(|one| named(&one))
    }

    fn has_json_tool(&self, name: &str) -> bool {
        self.json_tools()
            .iter()
            .any(|tool| tool.0.0.iter().any(|(known, _)| known == name))
    }

    /// The tools of a JSON request.
    fn json_tools(&self) -> Vec<JsonTool> {
        let tools = self.fields.iter().find(|(name, _)| name == "tools");
        let list: Vec<&RawValue> = tools
            .and_then(|(_, value)| serde_json::from_str(value.get()).ok())
            .unwrap_or_default();
        let read = |tool: &&RawValue| match serde_json::from_str::<String>(tool.get()) {
            Ok(name) => Some(JsonTool(super::Object(vec![(
                name,
                RawValue::NULL.to_owned(),
            )]))),
            Err(_) => serde_json::from_str(tool.get()).ok().map(JsonTool),
        };
        list.iter().filter_map(read).collect()
    }
}

/// A tool of a JSON request: an object with one member, or a name alone.
struct JsonTool(super::Object);

impl JsonTool {
    fn specifications(&self) -> Vec<Box<RawValue>> {
        #[derive(Deserialize)]
        struct Functions {
            specifications: Vec<Box<RawValue>>,
        }
        let functions = self.0.0.iter().find(|(name, _)| name == "functions");
        let read =
            functions.and_then(|(_, value)| serde_json::from_str::<Functions>(value.get()).ok());
        read.map_or(Vec::new(), |read| read.specifications)
    }
}

fn name_of(function: &RawValue) -> Option<String> {
    #[derive(Deserialize)]
    struct Named {
        name: String,
    }
    let read: Named = serde_json::from_str(function.get()).ok()?;
    Some(read.name)
}

fn no_such_tool(name: &str) -> Error {
    let shown: String = name.chars().take(80).collect();
    let accepted = "auto, none, any, or the name of a function or tool of the request";
    Error::invalid("tool_choice", format!("{shown:?}"), accepted)
}

fn not_blank(field: &str, text: &str, accepted: &str) -> Result<String> {
    match text.trim().is_empty() {
        true => Err(Error::invalid(field, "an empty text", accepted)),
        false => Ok(text.to_owned()),
    }
}
