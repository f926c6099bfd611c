//! Chat: `POST /chat/completions`, v1 and v2 (GigaChat REST reference).

use super::{Ask, Clock, Events, Gives, Method, Operation, Routing, Takes};
use crate::error::Result;
use crate::response::Document;

/// Chat, as a whole or as a stream: of the version that the request or the provider says.
pub static CHAT: Operation = Operation {
    name: "chat",
    method: Method::Post,
    path: "/chat/completions",
    takes: Takes::Json,
    gives: Gives::Json,
    events: Some(Events::V1),
    permit: true,
    clock: Clock::Call,
    repeatable: true,
    routing: Routing::Routed,
    since: "0.1",
    read: completion,
};

/// Chat v2 (from OpenAPI 3.1.1 of the service), whatever the provider says.
pub static CHAT_V2: Operation = Operation {
    name: "chat_v2",
    path: "/v2/chat/completions",
    events: Some(Events::V2),
    ..CHAT
};

fn completion(document: Document, ask: &Ask) -> Result<Document> {
    document.read_as_completion(ask.stops())
}
