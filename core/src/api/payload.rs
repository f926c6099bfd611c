//! `Payload`: the body of a request, whatever its kind.

use bytes::Bytes;

use super::{Multipart, Texts};
use crate::request::Request;

/// The body of a request.
#[derive(Clone, Debug, Default)]
pub enum Payload {
    /// None.
    #[default]
    None,
    /// JSON, sent byte for byte.
    Json(String),
    /// Bytes, with their content type.
    Bytes {
        /// What they are.
        content_type: String,
        /// The bytes; clones share them.
        bytes: Bytes,
    },
    /// A form with files.
    Multipart(Multipart),
    /// A model and texts: composed by the provider, whose default model they may need.
    Texts(Texts),
    /// A chat request: composed by the provider, whose default model it may need.
    Chat(Box<Request>),
}

impl Payload {
    /// The content type and the bytes to send.
    pub(crate) fn compose(&self, default_model: &str, streams: bool) -> (Option<String>, Bytes) {
        const JSON: &str = "application/json";
        match self {
            Payload::None => (None, Bytes::new()),
            Payload::Json(json) => (Some(JSON.into()), Bytes::copy_from_slice(json.as_bytes())),
            Payload::Bytes {
                content_type,
                bytes,
            } => (Some(content_type.clone()), bytes.clone()),
            Payload::Multipart(form) => {
                let (content_type, body) = form.compose();
                (Some(content_type), body.into())
            }
            Payload::Texts(texts) => (Some(JSON.into()), texts.compose(default_model).into()),
            Payload::Chat(request) => {
                let body = request.wire_body(default_model, streams);
                (Some(JSON.into()), body.into())
            }
        }
    }
}
