//! The JSON of a chat request, typed: a wrong type is refused while reading, unknown fields are ignored.
//!
//! GigaChat REST reference, sections 6.1 to 6.4. Ranges are judged in `validate`.

use serde::Deserialize;
use serde_json::value::RawValue;

#[derive(Deserialize)]
pub(crate) struct ChatRequest {
    #[serde(default)]
    pub model: Option<String>,
    #[serde(default)]
    pub messages: Option<Vec<Message>>,
    #[serde(default)]
    pub function_call: Option<FunctionChoice>,
    #[serde(default)]
    pub functions: Option<Vec<Function>>,
    #[serde(default)]
    pub temperature: Option<f64>,
    #[serde(default)]
    pub top_p: Option<f64>,
    #[serde(default)]
    pub max_tokens: Option<i32>,
    #[serde(default)]
    pub repetition_penalty: Option<f64>,
    #[serde(default)]
    pub stream: Option<bool>,
    #[serde(default)]
    pub update_interval: Option<f64>,
    #[serde(default)]
    pub response_format: Option<ResponseFormat>,
    #[serde(default)]
    pub n: Option<u32>,
}

#[derive(Deserialize)]
pub(crate) struct Message {
    pub role: String,
    #[serde(default)]
    pub content: Option<String>,
    #[serde(default)]
    pub name: Option<String>,
    #[serde(default)]
    pub function_call: Option<FunctionCall>,
    #[serde(default)]
    pub functions_state_id: Option<String>,
    #[serde(default)]
    pub attachments: Option<Vec<String>>,
}

impl Message {
    pub fn text(&self) -> &str {
        self.content.as_deref().unwrap_or_default()
    }

    /// Whether it is an assistant's message that waits for a function's result. A picture has a state id too,
    /// but a text beside it.
    pub fn calls_function(&self) -> bool {
        self.role == "assistant"
            && (self.function_call.is_some()
                || (self.functions_state_id.is_some() && self.text().is_empty()))
    }
}

/// Object or string: the sources disagree (section 6.2), so both are read.
#[derive(Deserialize)]
pub(crate) struct FunctionCall {
    pub name: String,
    #[serde(default)]
    pub arguments: Option<Box<RawValue>>,
}

#[derive(Deserialize)]
#[serde(untagged)]
pub(crate) enum FunctionChoice {
    Mode(String),
    Named { name: String },
}

#[derive(Deserialize)]
pub(crate) struct Function {
    pub name: String,
    #[serde(default)]
    pub description: Option<String>,
    #[serde(default)]
    pub parameters: Option<serde_json::Value>,
    #[serde(default)]
    pub few_shot_examples: Option<Vec<FewShotExample>>,
}

#[derive(Deserialize)]
pub(crate) struct FewShotExample {
    pub request: String,
    pub params: serde_json::Value,
}

#[derive(Deserialize)]
pub(crate) struct ResponseFormat {
    pub r#type: String,
    #[serde(default)]
    pub schema: Option<serde_json::Value>,
}

impl ChatRequest {
    pub fn messages(&self) -> &[Message] {
        self.messages.as_deref().unwrap_or_default()
    }

    pub fn functions(&self) -> &[Function] {
        self.functions.as_deref().unwrap_or_default()
    }

    pub fn streams(&self) -> bool {
        self.stream.unwrap_or(false)
    }
}
