//! `Document`: the answer of any operation, as it came, with the report of its call.
//!
//! An answer that a typed view stands on keeps that view, so that it is read once.

use std::borrow::Cow;
use std::sync::OnceLock;

use serde::de::DeserializeOwned;

use super::{CallReport, Embeddings, Health, JsonTree, Response, Timings, TokenUsage, not_a};
use crate::error::Result;
use crate::wire::forgiving;

/// The answer of an operation. Clones are deep.
#[derive(Clone, Debug, Default)]
pub struct Document {
    /// Ids, timings, attempts.
    pub report: CallReport,
    content_type: Cow<'static, str>,
    bytes: Vec<u8>,
    view: Option<View>,
    tree: OnceLock<JsonTree>,
}

/// What a document was found to be.
#[derive(Clone, Debug)]
pub(crate) enum View {
    /// The document's bytes are the completion's `raw`.
    Completion(Box<Response>),
    /// The document's bytes are not kept: they are three times as long.
    Embeddings(Box<Embeddings>),
}

impl Document {
    /// An answer as it came.
    pub fn new(bytes: Vec<u8>, content_type: &str, report: CallReport) -> Document {
        Document {
            report,
            content_type: shared(content_type),
            bytes,
            ..Document::default()
        }
    }

    /// The same answer, found to be a completion.
    pub(crate) fn read_as_completion(mut self, stops: &[String]) -> Result<Document> {
        let bytes = std::mem::take(&mut self.bytes);
        let response = Response::parse(bytes, stops, CallReport::default())?;
        self.view = Some(View::Completion(Box::new(response)));
        Ok(self)
    }

    /// The same answer, found to be embeddings.
    pub(crate) fn read_as_embeddings(
        mut self,
        read: impl FnOnce(&[u8]) -> Result<Embeddings>,
    ) -> Result<Document> {
        self.view = Some(View::Embeddings(Box::new(read(&std::mem::take(
            &mut self.bytes,
        ))?)));
        Ok(self)
    }

    /// The body byte for byte as it came; empty for embeddings, which are kept as floats only.
    pub fn bytes(&self) -> &[u8] {
        match &self.view {
            Some(View::Completion(response)) => response.raw.as_bytes(),
            Some(View::Embeddings(_)) | None => &self.bytes,
        }
    }

    /// The body, without a copy.
    pub fn into_bytes(self) -> Vec<u8> {
        match self.view {
            Some(View::Completion(response)) => response.raw.into_bytes(),
            Some(View::Embeddings(_)) | None => self.bytes,
        }
    }

    /// The answer's `Content-Type`; empty when it has none.
    pub fn content_type(&self) -> &str {
        &self.content_type
    }

    fn tree(&self) -> &JsonTree {
        self.tree.get_or_init(|| JsonTree::read(self.bytes()))
    }

    /// The text at a JSON pointer; see [`JsonTree::text_at`].
    pub fn text_at(&self, pointer: &str) -> Option<&str> {
        self.tree().text_at(pointer)
    }

    /// The whole number at a JSON pointer; see [`JsonTree::integer_at`].
    pub fn integer_at(&self, pointer: &str) -> Option<i64> {
        self.tree().integer_at(pointer)
    }

    /// The number at a JSON pointer; see [`JsonTree::number_at`].
    pub fn number_at(&self, pointer: &str) -> Option<f64> {
        self.tree().number_at(pointer)
    }

    /// How many elements or members there are at a JSON pointer; see [`JsonTree::count_at`].
    pub fn count_at(&self, pointer: &str) -> Option<usize> {
        self.tree().count_at(pointer)
    }

    /// The JSON as a type of the program's own.
    pub fn decode<T: DeserializeOwned>(&self) -> Result<T> {
        forgiving(self.bytes(), |json| serde_json::from_slice(json))
            .map_err(|why| not_a("what it is decoded as", Some(why), self.bytes()))
    }

    /// The token usage and the model of an answer that has them.
    pub(crate) fn usage_and_model(&self) -> (Option<TokenUsage>, &str) {
        match &self.view {
            Some(View::Completion(response)) => (response.usage, &response.model),
            Some(View::Embeddings(found)) => (Some(found.usage()), &found.model),
            None => (None, ""),
        }
    }

    /// What a binding hands out piece by piece, and the report.
    #[doc(hidden)]
    pub fn into_parts(self) -> (Parts, CallReport) {
        let parts = match self.view {
            Some(View::Completion(response)) => Parts::Completion(response),
            Some(View::Embeddings(found)) => Parts::Embeddings(*found),
            None => Parts::Bytes(self.bytes),
        };
        (parts, self.report)
    }

    /// The answer as embeddings, if it is the answer to an ask for them.
    pub fn into_embeddings(self) -> Result<Embeddings> {
        match self.view {
            Some(View::Embeddings(mut found)) => {
                found.report = self.report;
                Ok(*found)
            }
            _ => Err(not_a("embeddings", None, self.bytes())),
        }
    }

    /// The answer as a completion.
    pub fn into_response(self) -> Result<Response> {
        match self.view {
            Some(View::Completion(response)) => Ok(Response {
                report: self.report,
                ..*response
            }),
            Some(View::Embeddings(_)) => Err(not_a("a completion", None, &[])),
            None => Response::parse(self.bytes, &[], self.report),
        }
    }
}

/// The answer of a provider that makes its own.
impl From<Response> for Document {
    fn from(mut response: Response) -> Document {
        Document {
            report: std::mem::take(&mut response.report),
            content_type: Cow::Borrowed(JSON[0]),
            view: Some(View::Completion(Box::new(response))),
            ..Document::default()
        }
    }
}

/// What an answer is, for bindings.
#[doc(hidden)]
#[derive(Debug)]
pub enum Parts {
    /// A completion; its `raw` is the body.
    Completion(Box<Response>),
    /// Vectors.
    Embeddings(Embeddings),
    /// A body that nothing more is known of.
    Bytes(Vec<u8>),
}

impl From<Embeddings> for Document {
    fn from(mut found: Embeddings) -> Document {
        Document {
            report: std::mem::take(&mut found.report),
            content_type: Cow::Borrowed(JSON[0]),
            view: Some(View::Embeddings(Box::new(found))),
            ..Document::default()
        }
    }
}

/// The answer to the operation `health`: `{"models": 3}`, with the latency as the call's total.
impl From<Health> for Document {
    fn from(health: Health) -> Document {
        let timings = Timings {
            total: health.latency,
            ..Timings::default()
        };
        let report = CallReport {
            request_id: health.request_id,
            timings,
            ..CallReport::default()
        };
        let json = format!("{{\"models\":{}}}", health.models);
        Document::new(json.into_bytes(), JSON[0], report)
    }
}

const JSON: [&str; 2] = ["application/json", "application/json; charset=utf-8"];

/// The content type; the usual ones without a copy.
fn shared(content_type: &str) -> Cow<'static, str> {
    match JSON.iter().find(|known| **known == content_type) {
        Some(known) => Cow::Borrowed(known),
        None => Cow::Owned(content_type.to_owned()),
    }
}

#[cfg(test)]
mod tests {
    use super::Document;
    use crate::response::{CallReport, Response};

    #[test]
    fn a_completion_is_kept_as_one_and_its_json_stays_readable() {
        let json = r#"{"choices":[{"message":{"content":"Hi"},"finish_reason":"stop"}]}"#;
        let response = Response::parse(json.into(), &[], CallReport::default()).unwrap();
        let found = Document::from(response);
        assert_eq!(found.text_at("/choices/0/message/content"), Some("Hi"));
        assert_eq!(found.into_response().unwrap().raw, json);
    }
}
