//! The models that this service has (GigaChat REST reference, section 5).

use serde::Serialize;

use crate::reply::Reply;

/// Id, type, version suffix of the answers.
const MODELS: [(&str, &str, &str); 21] = [
    ("GigaChat", "chat", "2.0.28.2"),
    ("GigaChat-preview", "chat", "2.0.29.1"),
    ("GigaChat-Plus", "chat", "2.0.28.2"),
    ("GigaChat-Pro", "chat", "2.0.28.2"),
    ("GigaChat-Pro-preview", "chat", "2.0.29.1"),
    ("GigaChat-Max", "chat", "2.0.30.01"),
    ("GigaChat-Max-preview", "chat", "2.0.31.1"),
    ("GigaChat-2", "chat", "2.0.28.2"),
    ("GigaChat-2-preview", "chat", "2.0.29.1"),
    ("GigaChat-2-Pro", "chat", "2.0.28.2"),
    ("GigaChat-2-Pro-preview", "chat", "2.0.29.1"),
    ("GigaChat-2-Max", "chat", "2.0.30.01"),
    ("GigaChat-2-Max-preview", "chat", "2.0.31.1"),
    ("GigaChat-3-Ultra", "chat", "32.3.18.5"),
    ("Embeddings", "embedder", ""),
    ("Embeddings-2", "embedder", ""),
    ("EmbeddingsGigaR", "embedder", ""),
    ("GigaEmbeddings-3B-2025-09", "embedder", ""),
    ("GigaCheckClassification", "aicheck", ""),
    ("GigaCheckDetection", "aicheck", ""),
    ("GigaFilter", "filter", ""),
];

/// Tokens that a prompt may have; the families differ, the emulator does not.
pub(crate) const CONTEXT_TOKENS: usize = 131_072;

#[derive(Serialize)]
struct Model {
    id: &'static str,
    object: &'static str,
    owned_by: &'static str,
    r#type: &'static str,
}

#[derive(Serialize)]
struct Models {
    object: &'static str,
    data: Vec<Model>,
}

fn model(id: &'static str, r#type: &'static str) -> Model {
    Model {
        id,
        object: "model",
        owned_by: "salutedevices",
        r#type,
    }
}

pub(crate) fn list() -> Reply {
    let data = MODELS.iter().map(|entry| model(entry.0, entry.1)).collect();
    Reply::json(
        200,
        &Models {
            object: "list",
            data,
        },
    )
}

pub(crate) fn one(id: &str) -> Reply {
    match MODELS.iter().find(|entry| entry.0 == id) {
        Some(entry) => Reply::json(200, &model(entry.0, entry.1)),
        None => no_such_model(),
    }
}

/// The name that an answer of this chat model carries: with its version.
pub(crate) fn versioned_chat_model(id: &str) -> Option<String> {
    MODELS
        .iter()
        .find(|entry| entry.0 == id && entry.1 == "chat")
        .map(|entry| format!("{}:{}", entry.0, entry.2))
}

pub(crate) fn exists(id: &str) -> bool {
    MODELS.iter().any(|entry| entry.0 == id)
}

/// Whether this is a model of that type.
pub(crate) fn is(id: &str, r#type: &str) -> bool {
    MODELS
        .iter()
        .any(|entry| entry.0 == id && entry.1 == r#type)
}

/// How long an embedder's vectors are, and how many tokens a text may have (section 5).
pub(crate) fn embedder(id: &str) -> Option<(usize, usize)> {
    match id {
        "Embeddings" | "Embeddings-2" => Some((1024, 512)),
        "EmbeddingsGigaR" | "GigaEmbeddings-3B-2025-09" => Some((2560, 4096)),
        _ => None,
    }
}

pub(crate) fn no_such_model() -> Reply {
    Reply::error(404, "No such model")
}
