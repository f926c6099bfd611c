//! Which of the service's two chats is spoken: `POST /chat/completions` (v1) or
//! `POST /v2/chat/completions` (v2, GigaChat OpenAPI 3.1.1).
//!
//! A request, an answer and a stream are the same in both; what differs is how they are written.

use crate::limits::Refused;

/// A version of the service's chat.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
pub enum ApiVersion {
    /// Messages are texts, an answer calls at most one function, a stream ends with `[DONE]`.
    #[default]
    V1,
    /// Messages are lists of parts, an answer may call several functions and use built-in tools, a
    /// stream ends with `response.message.done`.
    V2,
}

impl ApiVersion {
    /// Its number, 1 or 2.
    pub const fn number(self) -> u32 {
        match self {
            ApiVersion::V1 => 1,
            ApiVersion::V2 => 2,
        }
    }

    /// The version that a text names.
    pub(crate) fn named(text: &str) -> Result<ApiVersion, Refused> {
        match text.trim() {
            "1" => Ok(ApiVersion::V1),
            "2" => Ok(ApiVersion::V2),
            other => {
                let shown: String = other.chars().take(40).collect();
                Err(Refused::new("api_version", format!("{shown:?}"), "1 or 2"))
            }
        }
    }
}

/// The role under which chat v2 takes the results of functions. The sources disagree: recordings of
/// GigaChat-3-Ultra have `tool`, a live GigaChat-2-Max has refused it and taken `function`.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
pub enum ResultRole {
    /// `tool`.
    #[default]
    Tool,
    /// `function`.
    Function,
}

impl ResultRole {
    /// As the service writes it.
    pub(crate) const fn name(self) -> &'static str {
        match self {
            ResultRole::Tool => "tool",
            ResultRole::Function => "function",
        }
    }

    /// The role that a text names.
    pub(crate) fn named(text: &str) -> Result<ResultRole, Refused> {
        match text.trim() {
            "tool" => Ok(ResultRole::Tool),
            "function" => Ok(ResultRole::Function),
            other => {
                let shown: String = other.chars().take(40).collect();
                let accepted = "tool or function";
                Err(Refused::new("result_role", format!("{shown:?}"), accepted))
            }
        }
    }
}
