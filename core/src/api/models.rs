//! Models: `GET /models`, `GET /models/{model}` (GigaChat REST reference).

use super::{Ask, Clock, Events, Gives, Method, Operation, Routing, Takes};
use crate::error::Result;
use crate::response::{Document, Model};

/// The models that the account can use.
pub static MODELS: Operation = Operation {
    name: "models",
    method: Method::Get,
    path: "/models",
    takes: Takes::Nothing,
    gives: Gives::Json,
    events: None::<Events>,
    permit: false,
    clock: Clock::Call,
    repeatable: true,
    routing: Routing::AnyMember,
    since: "0.1",
    read: list,
};

/// One model by its name.
pub static MODEL: Operation = Operation {
    name: "model",
    path: "/models/{model}",
    read: one,
    ..MODELS
};

/// Whether the service can serve: it costs no tokens to list the models.
pub static HEALTH: Operation = Operation {
    name: "health",
    clock: Clock::Health,
    ..MODELS
};

fn list(document: Document, _: &Ask) -> Result<Document> {
    Model::parse_list(document.bytes())?;
    Ok(document)
}

fn one(document: Document, _: &Ask) -> Result<Document> {
    Model::parse(document.bytes())?;
    Ok(document)
}
