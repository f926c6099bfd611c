//! The control endpoints `/_emulator/…`, for programs in other languages: what `Emulator` offers in Rust.
//!
//! They answer on the plain HTTP listener, need no authorization and are not counted.

use std::time::Duration;

use hyper::Method;
use serde::Deserialize;
use serde_json::json;

use crate::batches::Manner;
use crate::faults::Fault;
use crate::reply::Reply;
use crate::script::Answer;
use crate::state::State;

pub(crate) const PREFIX: &str = "/_emulator/";

/// A wait that nobody bounds ends after this.
const LONGEST_WAIT_MS: u64 = 60_000;

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Wait {
    counter: String,
    at_least: u64,
    #[serde(default)]
    at_most: Option<u64>,
    #[serde(default = "default_wait")]
    timeout_ms: u64,
}

fn default_wait() -> u64 {
    10_000
}

pub(crate) async fn reply(state: &State, method: &Method, path: &str, body: &[u8]) -> Reply {
    let action = path.strip_prefix(PREFIX).unwrap_or_default();
    match (method.as_str(), action) {
        ("POST", "faults") => match list::<Fault>(body) {
            Ok(faults) => {
                let ids: Vec<u64> = faults.into_iter().map(|f| state.faults.add(f)).collect();
                Reply::json(200, &json!({"ids": ids}))
            }
            Err(problem) => refuse(&problem),
        },
        ("DELETE", "faults") => {
            state.faults.clear();
            done()
        }
        ("POST", "answers") => match list::<Answer>(body) {
            Ok(answers) => {
                answers
                    .into_iter()
                    .for_each(|answer| state.script.push(answer));
                done()
            }
            Err(problem) => refuse(&problem),
        },
        ("DELETE", "answers") => {
            state.script.clear();
            done()
        }
        ("GET", "counters") => Reply::json(200, &state.counters.snapshot()),
        ("GET", "requests") => requests(state),
        ("POST", "batches") => match serde_json::from_slice::<Manner>(body) {
            Ok(manner) => {
                state.batches.set_manner(manner);
                done()
            }
            Err(problem) => refuse(&problem),
        },
        ("POST", "batches/step") => {
            state.batches.step(state);
            done()
        }
        ("POST", "revoke") => {
            state.access.revoke_all();
            done()
        }
        ("POST", "reset") => {
            state.reset();
            done()
        }
        ("POST", "wait") => wait(state, body).await,
        _ => Reply::error(404, "no such control endpoint"),
    }
}

fn done() -> Reply {
    Reply::json(200, &json!({}))
}

/// One or several: `{..}` or `[{..}, ..]`.
pub(crate) fn list<T: for<'a> Deserialize<'a>>(json: &[u8]) -> serde_json::Result<Vec<T>> {
    match json.trim_ascii_start().starts_with(b"[") {
        true => serde_json::from_slice(json),
        false => serde_json::from_slice(json).map(|one| vec![one]),
    }
}

fn refuse(problem: &serde_json::Error) -> Reply {
    Reply::error(400, &problem.to_string())
}

fn requests(state: &State) -> Reply {
    let recorded: Vec<_> = state
        .recorder
        .all()
        .iter()
        .map(|request| {
            let headers: Vec<_> = request
                .headers
                .iter()
                .map(|(name, value)| (name.as_str(), String::from_utf8_lossy(value.as_bytes())))
                .collect();
            json!({
                "method": request.method,
                "path": request.path,
                "headers": headers,
                "body": String::from_utf8_lossy(&request.body),
                "protocol": format!("{:?}", request.protocol),
                "connection": request.connection,
            })
        })
        .collect();
    Reply::json(200, &recorded)
}

/// 200 with the counters when the counter is in the range, 408 with them when it is not in time.
async fn wait(state: &State, body: &[u8]) -> Reply {
    let wait: Wait = match serde_json::from_slice(body) {
        Ok(wait) => wait,
        Err(problem) => return refuse(&problem),
    };
    if state.counters.snapshot().get(&wait.counter).is_none() {
        return Reply::error(400, &format!("no counter {:?}", wait.counter));
    }
    let bound = Duration::from_millis(wait.timeout_ms.min(LONGEST_WAIT_MS));
    let range = wait.at_least..=wait.at_most.unwrap_or(u64::MAX);
    let reached = |counters: &crate::Counters| {
        counters
            .get(&wait.counter)
            .is_some_and(|value| range.contains(&value))
    };
    match state.counters.wait_async(bound, reached).await {
        Ok(counters) => Reply::json(200, &counters),
        Err(counters) => Reply::json(408, &counters),
    }
}
