//! `Payload`: the body of a request, whatever its kind.

use bytes::Bytes;

use super::{Multipart, Texts};
use crate::error::Result;
use crate::request::{Defaults, Request};

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
    pub(crate) fn compose(
        &self,
        defaults: &Defaults<'_>,
        streams: bool,
    ) -> Result<(Option<String>, Bytes)> {
        const JSON: &str = "application/json";
        Ok(match self {
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
            Payload::Texts(texts) => (Some(JSON.into()), texts.compose(defaults.model).into()),
            Payload::Chat(request) => {
                let body = request.compose(defaults, streams)?;
                (Some(JSON.into()), body.into())
            }
        })
    }
}
