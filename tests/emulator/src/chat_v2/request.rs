//! The JSON of a chat request of v2 (GigaChat REST reference, section 7.1 and addendum A3.1), and the same
//! conversation as v1 has it, by which texts are answered.

use serde::Deserialize;
use serde_json::{Map, Value};

use crate::chat::{self, ChatRequest, Function};

#[derive(Deserialize)]
pub(crate) struct Request {
    #[serde(default)]
    pub model: Option<String>,
    #[serde(default)]
    pub assistant_id: Option<String>,
    pub messages: Vec<Message>,
    #[serde(default)]
    pub tools: Option<Vec<Map<String, Value>>>,
    #[serde(default)]
    pub tool_config: Option<ToolConfig>,
    #[serde(default)]
    pub model_options: Option<ModelOptions>,
    #[serde(default)]
    pub storage: Option<Storage>,
    #[serde(default)]
    pub stream: Option<bool>,
    /// The client functions out of `tools`, read when the request is judged.
    #[serde(skip)]
    pub functions: Vec<Function>,
}

#[derive(Clone, Deserialize)]
pub(crate) struct Message {
    pub role: String,
    #[serde(default)]
    pub content: Vec<Part>,
}

#[derive(Clone, Default, Deserialize)]
#[serde(default)]
pub(crate) struct Part {
    pub text: Option<String>,
    pub files: Option<Vec<FileReference>>,
    pub function_call: Option<FunctionCall>,
    pub function_result: Option<FunctionResult>,
}

#[derive(Clone, Deserialize)]
pub(crate) struct FileReference {
    pub id: String,
}

/// Arguments are an object; a text is refused (section 7.1).
#[derive(Clone, Deserialize)]
pub(crate) struct FunctionCall {
    #[serde(default)]
    pub id: Option<String>,
    pub name: String,
    #[serde(default)]
    #[allow(dead_code, reason = "read for its type only")]
    pub arguments: Map<String, Value>,
}

#[derive(Clone, Deserialize)]
pub(crate) struct FunctionResult {
    #[serde(default)]
    pub id: Option<String>,
    pub name: String,
    pub result: Value,
}

#[derive(Deserialize)]
pub(crate) struct ToolConfig {
    #[serde(default)]
    pub mode: Option<String>,
    #[serde(default)]
    pub tool_name: Option<String>,
    #[serde(default)]
    pub function_name: Option<String>,
    #[serde(default)]
    pub functions_names_any: Option<Vec<String>>,
}

#[derive(Default, Deserialize)]
#[serde(default)]
pub(crate) struct ModelOptions {
    pub temperature: Option<f64>,
    pub top_p: Option<f64>,
    pub max_tokens: Option<i32>,
    pub repetition_penalty: Option<f64>,
    pub update_interval: Option<f64>,
    pub parallel_tool_calls: Option<bool>,
    pub reasoning: Option<Reasoning>,
    pub response_format: Option<ResponseFormat>,
}

#[derive(Deserialize)]
pub(crate) struct Reasoning {
    #[serde(default)]
    pub effort: Option<String>,
    #[serde(default)]
    pub max_tokens: Option<usize>,
}

#[derive(Deserialize)]
pub(crate) struct ResponseFormat {
    pub r#type: String,
    #[serde(default)]
    pub schema: Option<Value>,
    #[serde(default)]
    pub regex: Option<String>,
}

#[derive(Deserialize)]
pub(crate) struct Storage {
    #[serde(default)]
    pub thread_id: Option<String>,
}

impl Message {
    pub fn text(&self) -> String {
        let texts = self.content.iter().filter_map(|part| part.text.as_deref());
        texts.collect()
    }

    pub fn calls(&self) -> impl Iterator<Item = &FunctionCall> {
        self.content
            .iter()
            .filter_map(|part| part.function_call.as_ref())
    }

    pub fn results(&self) -> impl Iterator<Item = &FunctionResult> {
        let results = |part: &'_ Part| part.function_result.is_some();
        let parts = self.content.iter().filter(move |part| results(part));
        parts.filter_map(|part| part.function_result.as_ref())
    }

    /// A function's result comes under one of two names (addendum A3.1).
    pub fn is_result(&self) -> bool {
        matches!(self.role.as_str(), "tool" | "function")
    }

    fn as_v1(&self) -> chat::Message {
        let content = match self.is_result() {
            true => {
                let results: Vec<String> = self.results().map(FunctionResult::text).collect();
                results.join("\n")
            }
            false => self.text(),
        };
        let role = match self.is_result() {
            true => "function",
            false => &self.role,
        };
        chat::Message {
            role: role.to_owned(),
            content: Some(content),
            name: None,
            function_call: None,
            functions_state_id: None,
            attachments: None,
        }
    }
}

impl FunctionResult {
    /// The JSON of the result, whether it came as such or in a text.
    pub fn text(&self) -> String {
        match &self.result {
            Value::String(json) => json.clone(),
            value => value.to_string(),
        }
    }
}

impl Request {
    pub fn options(&self) -> &ModelOptions {
        static NONE: ModelOptions = ModelOptions {
            temperature: None,
            top_p: None,
            max_tokens: None,
            repetition_penalty: None,
            update_interval: None,
            parallel_tool_calls: None,
            reasoning: None,
            response_format: None,
        };
        self.model_options.as_ref().unwrap_or(&NONE)
    }

    pub fn streams(&self) -> bool {
        self.stream.unwrap_or(false)
    }

    pub fn has_tool(&self, name: &str) -> bool {
        let tools = self.tools.iter().flatten();
        tools.into_iter().any(|tool| tool.contains_key(name))
    }

    pub fn file_ids(&self) -> impl Iterator<Item = &String> {
        let parts = self.messages.iter().flat_map(|message| &message.content);
        parts
            .flat_map(|part| part.files.iter().flatten())
            .map(|file| &file.id)
    }

    /// The conversation as v1 has it, `earlier` being what a thread keeps. Results one behind the other are one.
    pub fn as_v1(&self, model: &str, earlier: &[Message]) -> ChatRequest {
        let mut messages: Vec<chat::Message> = Vec::new();
        for message in earlier.iter().chain(&self.messages) {
            let next = message.as_v1();
            match messages.last_mut() {
                Some(last) if last.role == "function" && next.role == "function" => {
                    last.content = Some(format!("{}\n{}", last.text(), next.text()));
                }
                _ => messages.push(next),
            }
        }
        let options = self.options();
        ChatRequest {
            model: Some(model.to_owned()),
            messages: Some(messages),
            function_call: None,
            functions: None,
            temperature: options.temperature,
            top_p: options.top_p,
            max_tokens: options.max_tokens,
            repetition_penalty: options.repetition_penalty,
            stream: self.stream,
            update_interval: options.update_interval,
            response_format: None,
            n: None,
        }
    }
}
