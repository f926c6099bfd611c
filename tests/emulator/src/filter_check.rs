//! `POST /filter/check` (GigaChat REST reference, section 12): would the filter refuse this conversation? It
//! does what `chat` does with a forbidden topic.

use serde::Deserialize;
use serde_json::json;

use crate::admit::Job;
use crate::call::Call;
use crate::chat::is_forbidden;
use crate::faults::Endpoint;
use crate::models;
use crate::reply::Reply;
use crate::tokens::count_tokens;

#[derive(Deserialize)]
struct Request {
    model: String,
    messages: Vec<Message>,
}

#[derive(Deserialize)]
struct Message {
    #[serde(default)]
    content: Option<String>,
}

pub(crate) fn admit(call: &Call) -> Result<Job, Reply> {
    let request: Request = call.posted()?;
    if !models::is(&request.model, "filter") {
        return Err(models::no_such_model());
    }
    let count = |counters: &mut crate::Counters| counters.check_requests += 1;
    Ok(call.job(Endpoint::Check, count, move |_| {
        let texts = || {
            request
                .messages
                .iter()
                .filter_map(|message| message.content.as_deref())
        };
        let tokens: usize = texts().map(count_tokens).sum();
        let is_profane = texts().any(is_forbidden);
        Reply::json(
            200,
            &json!({"is_profane": is_profane, "usage": {"filter_tokens": tokens}}),
        )
    }))
}
