//! `Request`: one chat request with everything that belongs to it (messages, functions,
//! parameters, headers, time limits). A prompt is a request with one user message.
//!
//! It is built from typed parts or from JSON in the wire format. In a JSON request the known
//! fields are checked for type and the service judges their ranges; every other field passes
//! through byte for byte. What it says is the same for both of the service's chats: `dialect` says
//! which one it is sent to, `body` composes it, `message`, `history` and `tools` write their parts,
//! `json` reads JSON.

mod body;
mod dialect;
mod history;
mod json;
mod message;
mod object;
mod options;
mod rows;
mod tools;
mod writer;

use std::fmt;
use std::time::Duration;

use serde_json::value::RawValue;

pub(crate) use body::Defaults;
pub(crate) use object::Object;
pub use options::CallOptions;
pub(crate) use rows::is_of_chat;

use dialect::Shape;
use message::Message;
use tools::{BuiltIn, ChatSettings};

use crate::error::{Error, Result};
use crate::params::Params;

/// One chat request. Immutable once it is passed to a provider, which keeps its own copy.
#[derive(Clone, Default)]
pub struct Request {
    messages: Vec<Message>,
    functions: Vec<Box<RawValue>>,
    built_in: Vec<BuiltIn>,
    pub(crate) settings: ChatSettings,
    shape: Option<Shape>,
    pub(crate) params: Params,
    pub(crate) model: Option<String>,
    /// Fields of a JSON request that this library does not interpret, in their order.
    pub(crate) fields: Vec<(String, Box<RawValue>)>,
    pub(crate) options: CallOptions,
}

impl fmt::Debug for Request {
    /// Without the messages and the user's own fields: a prompt is in no log that was not asked
    /// to have it (I13).
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Request")
            .field("messages", &self.messages.len())
            .field("functions", &self.functions.len())
            .field("tools", &self.built_in.len())
            .field("settings", &self.settings)
            .field("params", &self.params)
            .field("model", &self.model)
            .field("fields", &self.fields.len())
            .field("options", &self.options)
            .finish()
    }
}

impl Request {
    /// An empty request; add at least one message.
    pub fn new() -> Request {
        Request::default()
    }

    /// A request with one user message.
    pub fn prompt(text: &str) -> Request {
        let mut request = Request::new();
        request.add_message("user", text);
        request
    }

    /// Adds a message. `role` is `system`, `user`, `assistant`, `function` or whatever the
    /// service adds; a system message comes first and only once.
    pub fn add_message(&mut self, role: &str, content: &str) {
        self.messages.push(Message::text(role, content, &[]));
    }

    /// Adds a user message with the ids of uploaded files.
    pub fn add_message_with_attachments(&mut self, role: &str, content: &str, files: &[&str]) {
        self.messages.push(Message::text(role, content, files));
    }

    /// Adds a message in the wire format of either chat, for what the typed form has no words for.
    /// Known fields are checked for type.
    pub fn add_message_json(&mut self, message: &str) -> Result<()> {
        json::add_message(self, "message", message)
    }

    /// Adds a function that the model may call, as its JSON description (`name`, `parameters`,
    /// ...). The schema is passed through unchanged.
    pub fn add_function(&mut self, description: &str) -> Result<()> {
        self.functions.push(json::function(description)?);
        Ok(())
    }

    /// Any field of the wire format, as JSON: `set_field("response_format", r#"{...}"#)`. A field
    /// that has a typed setter is refused here.
    pub fn set_field(&mut self, name: &str, value: &str) -> Result<()> {
        json::set_field(self, name, value)
    }

    /// Replaces all generation parameters.
    pub fn set_params(&mut self, params: Params) {
        self.params = params;
    }

    /// The generation parameters, to be changed in place.
    pub fn params_mut(&mut self) -> &mut Params {
        &mut self.params
    }

    /// What the call sets for itself, to be changed in place.
    pub fn options_mut(&mut self) -> &mut CallOptions {
        &mut self.options
    }

    /// The model of this request; without it the provider's model is used.
    pub fn set_model(&mut self, model: &str) -> Result<()> {
        if model.trim().is_empty() {
            return Err(Error::invalid("model", "an empty text", "a model's name"));
        }
        self.model = Some(model.to_owned());
        Ok(())
    }

    /// `timeout` of this call: 1 ms to 1 h.
    pub fn set_timeout(&mut self, timeout: Duration) -> Result<()> {
        self.options.set_timeout(timeout)
    }

    /// The total time of this call: 1 ms to 1 h. Unlike `timeout` it begins with the call, so that
    /// waiting for a permit, and in a router all attempts and waits, count; of a stream it ends
    /// with the first content. In a router it replaces the router's own deadline.
    pub fn set_deadline(&mut self, deadline: Duration) -> Result<()> {
        self.options.set_deadline(deadline)
    }

    /// `queue_timeout` of this call: 1 ms to 24 h.
    pub fn set_queue_timeout(&mut self, timeout: Duration) -> Result<()> {
        self.options.set_queue_timeout(timeout)
    }

    /// `idle_timeout` of this stream: 1 ms to 1 h.
    pub fn set_idle_timeout(&mut self, timeout: Duration) -> Result<()> {
        self.options.set_idle_timeout(timeout)
    }

    /// `stream_timeout` of this stream: 1 ms to 24 h.
    pub fn set_stream_timeout(&mut self, timeout: Duration) -> Result<()> {
        self.options.set_stream_timeout(timeout)
    }

    /// A header of this call, replacing the configuration's of the same name. The library's own
    /// headers are refused.
    pub fn set_header(&mut self, name: &str, value: &str) -> Result<()> {
        self.options.set_header(name, value)
    }

    /// `X-Request-ID`: free text that finds this request in the service's logs. Without it a
    /// random one is sent.
    pub fn set_request_id(&mut self, id: &str) -> Result<()> {
        self.options.set_request_id(id)
    }

    /// `X-Session-ID`: using one for a conversation raises the chance of cached prompt tokens
    /// (GigaChat REST reference, common headers).
    pub fn set_session_id(&mut self, id: &str) -> Result<()> {
        self.options.set_session_id(id)
    }

    /// `X-Client-ID`: the end user, for the service's logs and for access to files.
    pub fn set_client_id(&mut self, id: &str) -> Result<()> {
        self.options.set_client_id(id)
    }

    /// What a stream cannot be asked for: its events are those of one answer.
    pub(crate) fn check_stream(&self) -> Result<()> {
        self.check()?;
        let several = self.fields.iter().find(|(name, value)| {
            name == "n" && value.get().trim().parse::<f64>().is_ok_and(|n| n > 1.0)
        });
        match several {
            Some((name, value)) => Err(Error::invalid(
                name,
                format!("{} in a stream", value.get()),
                "1, since a stream has one answer; ask for several without streaming",
            )),
            None => Ok(()),
        }
    }

    /// Whether the request can be sent: an error names what is missing, or what contradicts the
    /// request's own `api_version`.
    pub fn check(&self) -> Result<()> {
        self.check_version()?;
        if self.messages.is_empty() {
            return Err(Error::invalid(
                "messages",
                "an empty list",
                "at least one message",
            ));
        }
        Ok(())
    }
}

/// Serialises a value whose serialisation cannot fail (strings and lists of strings).
fn raw(value: &impl serde::Serialize) -> Box<RawValue> {
    serde_json::value::to_raw_value(value).unwrap_or_else(|_| RawValue::NULL.to_owned())
}
