//! `POST /ai/check` (GigaChat REST reference, section 12): was the text written by a machine? Who pays as he
//! goes may ask. By the emulator's rule, the sentences that speak of the emulator were.

use serde::Deserialize;
use serde_json::json;

use crate::access::Scope;
use crate::admit::Job;
use crate::call::{Call, permission_denied};
use crate::faults::Endpoint;
use crate::models;
use crate::reply::Reply;
use crate::tokens::count_tokens;

#[derive(Deserialize)]
struct Request {
    input: String,
    model: String,
}

pub(crate) fn admit(call: &Call) -> Result<Job, Reply> {
    if call.client.scope != Scope::Corp {
        return Err(permission_denied());
    }
    let request: Request = call.posted()?;
    if !models::is(&request.model, "aicheck") {
        return Err(models::no_such_model());
    }
    let count = |counters: &mut crate::Counters| counters.check_requests += 1;
    Ok(call.job(Endpoint::Check, count, move |_| answer(&request.input)))
}

fn answer(text: &str) -> Reply {
    let mut place = 0;
    let mut intervals = Vec::new();
    for sentence in text.split_inclusive(['.', '!', '?']) {
        let end = place + sentence.chars().count();
        let lower = sentence.to_lowercase();
        if lower.contains("emulator") || lower.contains("эмулятор") {
            intervals.push([place, end]);
        }
        place = end;
    }
    let by_machine: usize = intervals.iter().map(|[start, end]| end - start).sum();
    let category = match by_machine {
        0 => "human",
        all if all == place => "ai",
        _ => "mixed",
    };
    if category != "mixed" {
        intervals.clear();
    }
    Reply::json(
        200,
        &json!({"category": category, "characters": place, "tokens": count_tokens(text),
            "ai_intervals": intervals}),
    )
}
