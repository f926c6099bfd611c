//! Embeddings: `POST /embeddings` (GigaChat REST reference, section 8 and addendum A4).

use super::{Ask, CHAT, Operation, Takes};
use crate::error::Result;
use crate::response::{Document, Embeddings};

/// Vectors of texts, as one block of floats.
pub static EMBEDDINGS: Operation = Operation {
    name: "embeddings",
    path: "/embeddings",
    takes: Takes::Texts,
    events: None,
    permit: false,
    read: vectors,
    ..CHAT
};

/// The model of requests that name none. Fixed, not the provider's, so that all members of a router
/// make vectors that can be compared.
pub(crate) const EMBEDDINGS_MODEL: &str = "Embeddings";

/// JSON of one row of the widest known model (2560 numbers), with room to spare.
const LARGEST_ROW: usize = 48 * 1024;

fn vectors(document: Document, ask: &Ask) -> Result<Document> {
    let count = ask.texts().map_or(0, |texts| texts.input.len());
    document.read_as_embeddings(|body| Embeddings::parse(body, count))
}

/// The same ask in parts whose answers have room in `max_body_bytes`; none when one is enough.
pub(crate) fn parts(ask: &Ask, max_body_bytes: usize) -> Option<Vec<Ask>> {
    let texts = ask
        .texts()
        .filter(|_| std::ptr::eq(ask.operation(), &EMBEDDINGS))?;
    let most = (max_body_bytes / LARGEST_ROW).max(1);
    (texts.input.len() > most).then(|| {
        let parts = texts.input.chunks(most);
        parts
            .map(|input| ask.with_texts(texts.part(input)))
            .collect()
    })
}
