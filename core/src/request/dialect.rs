//! Which of the two chats a request is written for: its own shape says it, else the option
//! `api_version` of the request, else that of the provider.
//!
//! Lists as content, `tools`, `tool_config` and `model_options` are chat v2's; `functions`,
//! `function_call` and a message with a call or a result as v1 has them are v1's (`storage` both
//! have). Everything else can be said in both.

use serde::Deserialize;
use serde_json::value::RawValue;

use super::Request;
use crate::api_version::ApiVersion;
use crate::error::{Error, Result};

/// What a request's JSON has shown of its version.
#[derive(Clone, Debug)]
pub(crate) struct Shape {
    pub(super) version: ApiVersion,
    /// By which part of it.
    by: String,
}

impl Request {
    /// The chat that it is sent to; `default` is the provider's.
    pub(crate) fn version(&self, default: ApiVersion) -> ApiVersion {
        let shape = self.shape.as_ref().map(|shape| shape.version);
        shape.or(self.settings.api_version).unwrap_or(default)
    }

    /// Notes that a part of the request is written for this version.
    pub(super) fn is_shaped(&mut self, version: ApiVersion, by: &str) -> Result<()> {
        match &self.shape {
            Some(known) if known.version != version => {
                let value = format!(
                    "{by} (chat v{}) together with {} (chat v{})",
                    version.number(),
                    known.by,
                    known.version.number()
                );
                Err(Error::invalid(
                    "request",
                    value,
                    "written for one of the two chats",
                ))
            }
            Some(_) => Ok(()),
            None => {
                self.shape = Some(Shape {
                    version,
                    by: by.to_owned(),
                });
                Ok(())
            }
        }
    }

    /// Refuses an `api_version` that the request's own parts contradict.
    pub(super) fn check_version(&self) -> Result<()> {
        match (&self.shape, self.settings.api_version) {
            (Some(shape), Some(version)) if shape.version != version => Err(Error::invalid(
                "api_version",
                format!("{} for a request with {}", version.number(), shape.by),
                &format!(
                    "{}, or the request written for the other",
                    shape.version.number()
                ),
            )),
            _ => Ok(()),
        }
    }
}

/// The version that alone has a top-level field of this name.
pub(super) fn of_field(name: &str, value: &RawValue) -> Option<ApiVersion> {
    if value.get() == "null" {
        return None;
    }
    match name {
        "tools" | "tool_config" | "model_options" => Some(ApiVersion::V2),
        "functions" | "function_call" => Some(ApiVersion::V1),
        _ => None,
    }
}

/// The version that alone has a message of this form.
pub(super) fn of_message(message: &RawValue) -> Option<ApiVersion> {
    #[derive(Deserialize)]
    struct Probe<'a> {
        role: Option<String>,
        #[serde(borrow)]
        content: Option<&'a RawValue>,
        #[serde(borrow)]
        function_call: Option<&'a RawValue>,
        #[serde(borrow)]
        functions_state_id: Option<&'a RawValue>,
        #[serde(borrow)]
        tools_state_id: Option<&'a RawValue>,
        #[serde(borrow)]
        tool_state_id: Option<&'a RawValue>,
    }
    let probe: Probe<'_> = serde_json::from_str(message.get()).ok()?;
    let role = probe.role.as_deref();
    let in_parts = probe
        .content
        .is_some_and(|content| content.get().starts_with('['));
    if in_parts
        || probe.tools_state_id.is_some()
        || probe.tool_state_id.is_some()
        || role == Some("tool")
    {
        return Some(ApiVersion::V2);
    }
    let calls = probe.function_call.is_some() || probe.functions_state_id.is_some();
    (calls || role == Some("function")).then_some(ApiVersion::V1)
}
