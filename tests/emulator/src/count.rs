//! `POST /tokens/count` (GigaChat REST reference, section 9), by the rule of `tokens`.

use serde::{Deserialize, Serialize};

use crate::chat::refuse_json;
use crate::models;
use crate::reply::Reply;
use crate::tokens::count_tokens;

#[derive(Deserialize)]
pub(crate) struct CountRequest {
    model: String,
    input: Vec<String>,
}

#[derive(Serialize)]
struct Count {
    object: &'static str,
    tokens: usize,
    characters: usize,
}

pub(crate) fn read(body: &[u8]) -> Result<CountRequest, Reply> {
    let request: CountRequest =
        serde_json::from_slice(body).map_err(|error| refuse_json(&error))?;
    match models::exists(&request.model) {
        true => Ok(request),
        false => Err(models::no_such_model()),
    }
}

pub(crate) fn reply(request: &CountRequest) -> Reply {
    let count = |text: &String| Count {
        object: "tokens",
        tokens: count_tokens(text),
        characters: text.chars().count(),
    };
    let counts: Vec<Count> = request.input.iter().map(count).collect();
    Reply::json(200, &counts)
}
