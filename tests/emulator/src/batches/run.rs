//! The work of a batch: every line answered by the endpoint's own rule, the results in a file.
//!
//! The order of results is not promised (addendum A6), so that they come in the reverse one.

use hyper::HeaderMap;
use serde_json::{Value, json};

use super::store::Batch;
use super::{Line, Work};
use crate::chat;
use crate::embeddings;
use crate::files::{File, Owner};
use crate::reply::{Reply, ReplyBody};
use crate::state::State;

/// The id of the file of results.
pub(super) fn run(batch: &mut Batch, state: &State) -> String {
    let mut results = String::new();
    for line in batch.lines.iter().rev() {
        let outcome = match answer(batch, line, state) {
            Ok(result) => {
                batch.completed += 1;
                json!({"id": line.id, "result": result})
            }
            Err(error) => {
                batch.failed += 1;
                json!({"id": line.id, "error": error})
            }
        };
        results.push_str(&outcome.to_string());
        results.push('\n');
    }
    let owner = Owner {
        account: batch.client.name.clone(),
        user: None,
    };
    let id = state.ids.uuid().to_string();
    let name = format!("{}.jsonl", batch.id);
    let file = File::new(owner, id.clone(), name, "application/jsonl", results.into());
    state.files.keep(file);
    id
}

fn answer(batch: &Batch, line: &Line, state: &State) -> Result<Value, Value> {
    let body = line.request.to_string();
    let answered = match batch.work {
        Work::ChatCompletions => chat(batch, body.as_bytes(), state),
        Work::Embedder => embeddings::read(body.as_bytes()).map(|embed| {
            batch.client.spend("Embeddings", embed.tokens());
            Reply::bytes(200, crate::reply::JSON, embed.json())
        }),
    };
    answered
        .map(|reply| body_of(&reply))
        .map_err(|reply| body_of(&reply))
}

fn chat(batch: &Batch, body: &[u8], state: &State) -> Result<Reply, Reply> {
    let mut request = chat::read(body, state.options.strict_schemas)?;
    request.stream = None;
    let asker = chat::Asker {
        state,
        client: &batch.client,
        headers: &HeaderMap::new(),
    };
    Ok(chat::reply(&request, &asker, None))
}

fn body_of(reply: &Reply) -> Value {
    match &reply.body {
        ReplyBody::Whole(bytes) => serde_json::from_slice(bytes).unwrap_or_default(),
        ReplyBody::Events(_) | ReplyBody::Pieces(_) => Value::Null,
    }
}
