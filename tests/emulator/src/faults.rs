//! Misbehaviour on demand: which requests, how often, and what happens to them.
//!
//! A fault is set in Rust (`emulator.faults().add(..)`), over the control endpoint, or by the request itself
//! with the header `X-Emulator-Fault`. This file picks what applies to a request; what there is stands in
//! `action`.

use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Mutex, MutexGuard, PoisonError};

use serde::{Deserialize, Serialize};

use crate::action::Action;

/// Which requests a fault is meant for.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Endpoint {
    /// Requests for a token, both kinds.
    Token,
    /// `POST /chat/completions` without `stream`.
    Chat,
    /// `POST /chat/completions` with `"stream": true`.
    Stream,
    /// `POST /chat/completions`, streamed or not.
    Generation,
    /// `GET /models` and `GET /models/{model}`.
    Models,
    /// `POST /tokens/count`.
    Count,
    /// `POST /embeddings`.
    Embeddings,
    /// Every call of files.
    Files,
    /// `POST /files`.
    Upload,
    /// `GET /files/{id}/content`.
    Download,
    /// `POST /batches` and `GET /batches`.
    Batches,
    /// `GET /balance`.
    Balance,
    /// `POST /ai/check` and `POST /filter/check`.
    Check,
    /// `POST /functions/validate` and `POST /functions/convert`.
    Functions,
    /// Every request.
    #[default]
    Any,
}

impl Endpoint {
    fn covers(self, endpoint: Endpoint) -> bool {
        match self {
            Endpoint::Any => true,
            Endpoint::Files => {
                matches!(
                    endpoint,
                    Endpoint::Files | Endpoint::Upload | Endpoint::Download
                )
            }
            Endpoint::Generation => matches!(endpoint, Endpoint::Chat | Endpoint::Stream),
            _ => self == endpoint,
        }
    }
}

/// One fault: which requests, from which on, how many, and what happens to them.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Fault {
    /// The requests it is meant for; in JSON `any` unless said.
    #[serde(default)]
    pub endpoint: Endpoint,
    /// So many of them pass first.
    #[serde(default)]
    pub skip: u32,
    /// So many are hit then; 0 is all. In JSON 1 unless said.
    #[serde(default = "once")]
    pub times: u32,
    /// What happens.
    pub action: Action,
}

fn once() -> u32 {
    1
}

impl Fault {
    /// A fault that hits the next request of this kind.
    pub fn new(endpoint: Endpoint, action: Action) -> Fault {
        Fault {
            endpoint,
            skip: 0,
            times: 1,
            action,
        }
    }

    /// The same, but so many requests pass first.
    #[must_use]
    pub fn skip(self, skip: u32) -> Fault {
        Fault { skip, ..self }
    }

    /// The same, but it hits so many requests; 0 is all.
    #[must_use]
    pub fn times(self, times: u32) -> Fault {
        Fault { times, ..self }
    }

    /// The same, for every request.
    #[must_use]
    pub fn for_ever(self) -> Fault {
        self.times(0)
    }
}

/// The faults in force. Those that replace the answer queue up: a request takes the first only.
#[derive(Debug, Default)]
pub struct Faults {
    active: Mutex<Active>,
    number: AtomicUsize,
}

#[derive(Debug, Default)]
struct Active {
    faults: Vec<ActiveFault>,
    last_id: u64,
}

#[derive(Debug)]
struct ActiveFault {
    id: u64,
    endpoint: Endpoint,
    skip: u32,
    /// `None` is for ever.
    left: Option<u32>,
    action: Action,
}

impl Faults {
    fn lock(&self) -> MutexGuard<'_, Active> {
        self.active.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Puts a fault in force; the number returned takes it back.
    pub fn add(&self, fault: Fault) -> u64 {
        let mut active = self.lock();
        active.last_id += 1;
        let id = active.last_id;
        active.faults.push(ActiveFault {
            id,
            endpoint: fault.endpoint,
            skip: fault.skip,
            left: (fault.times > 0).then_some(fault.times),
            action: fault.action,
        });
        self.number.store(active.faults.len(), Ordering::Release);
        id
    }

    /// Takes a fault back; false if it is used up or unknown.
    pub fn remove(&self, id: u64) -> bool {
        let mut active = self.lock();
        let before = active.faults.len();
        active.faults.retain(|fault| fault.id != id);
        self.number.store(active.faults.len(), Ordering::Release);
        active.faults.len() < before
    }

    /// Takes all faults back.
    pub fn clear(&self) {
        let mut active = self.lock();
        active.faults.clear();
        self.number.store(0, Ordering::Release);
    }

    /// How many faults are still in force.
    pub fn len(&self) -> usize {
        self.number.load(Ordering::Acquire)
    }

    /// Whether none is in force.
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// The next cut of a request's body. `Chat` stands for both generations: the body is not read yet.
    pub(crate) fn choose_upload_cut(&self, endpoint: Endpoint) -> Option<Action> {
        if self.is_empty() {
            return None;
        }
        let mut active = self.lock();
        let of_chat = endpoint == Endpoint::Chat;
        let covers =
            |meant: Endpoint| meant.covers(endpoint) || (of_chat && meant == Endpoint::Stream);
        let mut cut = None;
        for fault in &mut active.faults {
            if !matches!(fault.action, Action::UploadCut { .. }) || !covers(fault.endpoint) {
                continue;
            }
            if fault.skip > 0 {
                fault.skip -= 1;
                continue;
            }
            if let Some(left) = &mut fault.left {
                *left -= 1;
            }
            cut = Some(fault.action.clone());
            break;
        }
        active.faults.retain(|fault| fault.left != Some(0));
        self.number.store(active.faults.len(), Ordering::Release);
        cut
    }

    /// What applies to this request, `asked` being the actions of its own headers.
    pub(crate) fn choose(&self, endpoint: Endpoint, asked: Vec<Action>) -> Vec<Action> {
        let mut chosen = asked;
        if self.is_empty() {
            return chosen;
        }
        let mut active = self.lock();
        let mut replaced = chosen.iter().any(Action::replaces_answer);
        for fault in &mut active.faults {
            let is_of_the_body = matches!(fault.action, Action::UploadCut { .. });
            if is_of_the_body || !fault.endpoint.covers(endpoint) {
                continue;
            }
            if fault.skip > 0 {
                fault.skip -= 1;
                continue;
            }
            if fault.action.replaces_answer() {
                if replaced {
                    continue;
                }
                replaced = true;
            }
            if let Some(left) = &mut fault.left {
                *left -= 1;
            }
            chosen.push(fault.action.clone());
        }
        active.faults.retain(|fault| fault.left != Some(0));
        self.number.store(active.faults.len(), Ordering::Release);
        chosen
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn error_faults_queue_up_and_others_combine() {
        let faults = Faults::default();
        faults.add(Fault::new(Endpoint::Chat, Action::status(429)));
        faults.add(Fault::new(Endpoint::Chat, Action::status(500)));
        faults.add(Fault::new(Endpoint::Any, Action::DelayHeaders { ms: 1 }).times(2));
        assert_eq!(
            faults.choose(Endpoint::Chat, Vec::new()),
            [Action::status(429), Action::DelayHeaders { ms: 1 }]
        );
        assert_eq!(
            faults.choose(Endpoint::Chat, Vec::new()),
            [Action::status(500), Action::DelayHeaders { ms: 1 }]
        );
        assert!(faults.is_empty());
    }

    #[test]
    fn a_fault_lets_the_first_requests_of_its_kind_pass() {
        let faults = Faults::default();
        faults.add(Fault::new(Endpoint::Generation, Action::OmitDone).skip(1));
        assert!(faults.choose(Endpoint::Models, Vec::new()).is_empty());
        assert!(faults.choose(Endpoint::Chat, Vec::new()).is_empty());
        assert_eq!(
            faults.choose(Endpoint::Stream, Vec::new()),
            [Action::OmitDone]
        );
    }

    #[test]
    fn faults_read_from_json() {
        let fault: Fault = serde_json::from_str(
            r#"{"endpoint":"stream","times":0,"action":{"type":"cut_after","chunks":2}}"#,
        )
        .expect("a fault");
        assert_eq!(
            fault,
            Fault::new(
                Endpoint::Stream,
                Action::CutAfter {
                    chunks: 2,
                    reset: false
                }
            )
            .for_ever()
        );
        assert!(serde_json::from_str::<Action>(r#"{"type":"stall_after","chunk":2}"#).is_err());
        assert!(serde_json::from_str::<Action>(r#"{"type":"no_such_fault"}"#).is_err());
    }
}
