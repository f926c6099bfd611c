//! Token counts: `POST /tokens/count` (GigaChat REST reference, addendum A7).

use super::{CHAT, Operation, Routing, Takes, json};
use crate::error::Result;
use crate::response::{Document, not_a};

/// How many tokens and characters texts have.
pub static TOKENS_COUNT: Operation = Operation {
    name: "tokens_count",
    path: "/tokens/count",
    takes: Takes::Texts,
    events: None,
    permit: false,
    routing: Routing::AnyMember,
    read: json,
    ..CHAT
};

/// What one text has.
#[derive(Clone, Copy, Debug, PartialEq, Eq, serde::Deserialize)]
pub struct TokenCount {
    /// Tokens, as the model counts them.
    pub tokens: u64,
    /// Characters (Unicode code points); 0 when the service does not say.
    #[serde(default)]
    pub characters: u64,
}

impl TokenCount {
    /// Reads an answer: a count for each of `texts` texts.
    pub fn read(document: &Document, texts: usize) -> Result<Vec<TokenCount>> {
        let counts: Vec<TokenCount> = document.decode()?;
        match counts.len() == texts {
            true => Ok(counts),
            false => Err(not_a("a count for each text", None, document.bytes())),
        }
    }
}
