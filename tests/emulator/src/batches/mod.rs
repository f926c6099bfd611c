//! `/batches` (GigaChat REST reference, section 12 and addendum A6): many requests in one file, answered later in
//! another. For who pays as he goes.
//!
//! A batch is created, in progress, completed. By default each look at it moves it on; a test may move it itself,
//! and choose in which envelope batches come, see [`Manner`].

mod run;
mod store;

use bytes::Bytes;
use hyper::Method;
use serde::Deserialize;
use serde_json::{Value, json};

use crate::access::Scope;
use crate::admit::Job;
use crate::call::{Call, permission_denied};
use crate::faults::Endpoint;
use crate::reply::Reply;
use store::Batch;
pub(crate) use store::{Batches, Manner};

/// An official example's number (addendum A6).
const MOST_LINES: usize = 500;

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
/// What a batch consists of.
pub(crate) enum Work {
    ChatCompletions,
    Embedder,
}

/// One line of the file.
#[derive(Clone, Deserialize)]
pub(crate) struct Line {
    id: String,
    request: Value,
}

pub(crate) fn admit(call: &Call) -> Result<Job, Reply> {
    if call.client.scope != Scope::Corp {
        return Err(permission_denied());
    }
    match *call.method {
        Method::POST => create(call),
        _ => look(call),
    }
}

fn create(call: &Call) -> Result<Job, Reply> {
    let kind = match call.parameter("method").as_deref() {
        Some("chat_completions") => Work::ChatCompletions,
        Some("embedder") => Work::Embedder,
        _ => return Err(bad("method must be chat_completions or embedder")),
    };
    let lines = lines(&call.body()?)?;
    let client = call.client.clone();
    let count = |counters: &mut crate::Counters| counters.batch_requests += 1;
    Ok(call.job(Endpoint::Batches, count, move |state| {
        let id = state.ids.uuid().to_string();
        let batch = Batch::new(id, client, kind, lines);
        let created = batch.json();
        state.batches.keep(batch);
        Reply::json(200, &created)
    }))
}

fn bad(problem: &str) -> Reply {
    Reply::error(400, &format!("Bad request: {problem}"))
}

/// Lines end with `\n`, the last one perhaps with nothing.
fn lines(body: &Bytes) -> Result<Vec<Line>, Reply> {
    let mut lines: Vec<Line> = Vec::new();
    for (number, text) in body.split(|byte| *byte == b'\n').enumerate() {
        if text.trim_ascii().is_empty() {
            continue;
        }
        let line: Line = serde_json::from_slice(text)
            .map_err(|problem| bad(&format!("line {}: {problem}", number + 1)))?;
        if lines.iter().any(|known| known.id == line.id) {
            return Err(bad(&format!(
                "line {}: the id {:?} is taken",
                number + 1,
                line.id
            )));
        }
        lines.push(line);
    }
    match lines.len() {
        0 => Err(bad("no requests")),
        1..=MOST_LINES => Ok(lines),
        _ => Err(bad("more than 500 requests")),
    }
}

fn look(call: &Call) -> Result<Job, Reply> {
    call.expect(&Method::GET)?;
    let account = call.client.name.clone();
    let one = call.parameter("batch_id");
    if let Some(id) = &one
        && !call.state.batches.knows(&account, id)
    {
        return Err(Reply::error(404, "Batch task not found"));
    }
    let count = |counters: &mut crate::Counters| counters.batch_requests += 1;
    Ok(call.job(Endpoint::Batches, count, move |state| {
        let found = state.batches.look(state, &account, one.as_deref());
        Reply::json(200, &state.batches.manner().wrap(found, one.is_some()))
    }))
}

impl Batch {
    fn json(&self) -> Value {
        let counts = match self.output_file_id() {
            Some(_) => {
                json!({"total": self.total(), "completed": self.completed, "failed": self.failed})
            }
            None => json!({"total": self.total()}),
        };
        let mut json = json!({"id": self.id, "method": self.method(), "request_counts": counts,
            "status": self.status(), "created_at": self.created_at, "updated_at": self.updated_at});
        if let Some(id) = self.output_file_id() {
            json["output_file_id"] = json!(id);
        }
        json
    }
}
