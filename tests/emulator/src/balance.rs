//! `GET /balance` (GigaChat REST reference, section 10): prepaid tokens, falling with usage, never below zero.
//! The emulator does not refuse work to who has none left; a fault with status 402 does.

use hyper::Method;
use serde_json::json;

use crate::access::Scope;
use crate::admit::Job;
use crate::call::{Call, permission_denied};
use crate::faults::Endpoint;
use crate::reply::Reply;

/// What is prepaid, and how much of it everyone begins with.
pub(crate) const PREPAID: [(&str, u64); 5] = [
    ("GigaChat", 1_000_000),
    ("GigaChat-Pro", 500_000),
    ("GigaChat-Max", 500_000),
    ("GigaChat-Ultra", 500_000),
    ("embeddings", 1_000_000),
];

/// Which of them a model uses up.
pub(crate) fn purse(model: &str) -> usize {
    let family = ["Pro", "Max", "Ultra", "Embed"];
    let place = family.iter().position(|family| model.contains(family));
    place.map_or(0, |place| place + 1)
}

pub(crate) fn admit(call: &Call) -> Result<Job, Reply> {
    call.expect(&Method::GET)?;
    if call.client.scope == Scope::Corp {
        return Err(permission_denied());
    }
    let client = call.client.clone();
    let count = |counters: &mut crate::Counters| counters.balance_requests += 1;
    Ok(call.job(Endpoint::Balance, count, move |_| {
        let left = PREPAID.iter().zip(client.spent());
        let balance: Vec<_> = left
            .map(|((usage, value), spent)| json!({"usage": usage, "value": value.saturating_sub(spent)}))
            .collect();
        Reply::json(200, &json!({"balance": balance}))
    }))
}
