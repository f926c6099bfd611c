//! The batches of all accounts, and how they move on.

use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use serde::Deserialize;
use serde_json::{Value, json};

use super::{Line, Work, run};
use crate::access::Client;
use crate::oauth::unix_millis;
use crate::state::State;

/// How batches answer and what moves them on; set over the control endpoint `/_emulator/batches`.
#[derive(Clone, Copy, Debug, Default, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub(crate) struct Manner {
    envelope: Envelope,
    step: Step,
}

/// The three shapes that clients know (addendum A6).
#[derive(Clone, Copy, Debug, Default, Deserialize)]
#[serde(rename_all = "snake_case")]
enum Envelope {
    /// `[batch]`, which two released clients need.
    #[default]
    Array,
    /// `{"batches": [batch]}`, as the specification says.
    Object,
    /// The batch itself, when one was asked for.
    Single,
}

#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "snake_case")]
enum Step {
    /// Each look moves a batch on.
    #[default]
    Calls,
    /// Only `POST /_emulator/batches/step` does.
    Control,
}

impl Manner {
    pub fn wrap(self, batches: Vec<Value>, one: bool) -> Value {
        match (self.envelope, batches.as_slice()) {
            (Envelope::Single, [batch]) if one => batch.clone(),
            (Envelope::Object, _) => json!({"batches": batches}),
            _ => Value::Array(batches),
        }
    }
}

enum Stage {
    Created,
    InProgress,
    /// With the id of the file of results.
    Completed(String),
}

pub(crate) struct Batch {
    pub id: String,
    pub client: Arc<Client>,
    pub work: Work,
    pub lines: Vec<Line>,
    pub completed: usize,
    pub failed: usize,
    pub created_at: i64,
    pub updated_at: i64,
    stage: Stage,
}

impl Batch {
    pub fn new(id: String, client: Arc<Client>, work: Work, lines: Vec<Line>) -> Batch {
        let now = unix_millis() / 1000;
        Batch {
            id,
            client,
            work,
            lines,
            completed: 0,
            failed: 0,
            created_at: now,
            updated_at: now,
            stage: Stage::Created,
        }
    }

    pub fn total(&self) -> usize {
        self.lines.len()
    }

    pub fn method(&self) -> &'static str {
        match self.work {
            Work::ChatCompletions => "chat_completions",
            Work::Embedder => "embedder",
        }
    }

    pub fn status(&self) -> &'static str {
        match self.stage {
            Stage::Created => "created",
            Stage::InProgress => "in_progress",
            Stage::Completed(_) => "completed",
        }
    }

    pub fn output_file_id(&self) -> Option<&str> {
        match &self.stage {
            Stage::Completed(file) => Some(file),
            _ => None,
        }
    }

    fn step(&mut self, state: &State) {
        self.stage = match self.stage {
            Stage::Created => Stage::InProgress,
            Stage::InProgress => Stage::Completed(run::run(self, state)),
            Stage::Completed(_) => return,
        };
        self.updated_at = unix_millis() / 1000;
    }
}

#[derive(Default)]
pub(crate) struct Batches {
    batches: Mutex<Vec<Batch>>,
    manner: Mutex<Manner>,
}

impl Batches {
    pub fn keep(&self, batch: Batch) {
        self.lock().push(batch);
    }

    pub fn knows(&self, account: &str, id: &str) -> bool {
        let is_it = |batch: &Batch| batch.id == id && batch.client.name == account;
        self.lock().iter().any(is_it)
    }

    /// The batches of the account, or the one, as they are; moved on first if looking does that.
    pub fn look(&self, state: &State, account: &str, id: Option<&str>) -> Vec<Value> {
        let steps = self.manner().step == Step::Calls;
        let mut batches = self.lock();
        let meant =
            |batch: &&mut Batch| batch.client.name == account && id.is_none_or(|id| id == batch.id);
        let look = |batch: &mut Batch| {
            if steps {
                batch.step(state);
            }
            batch.json()
        };
        batches.iter_mut().filter(meant).map(look).collect()
    }

    /// Moves every batch on.
    pub fn step(&self, state: &State) {
        self.lock().iter_mut().for_each(|batch| batch.step(state));
    }

    pub fn manner(&self) -> Manner {
        *self.manner.lock().unwrap_or_else(PoisonError::into_inner)
    }

    pub fn set_manner(&self, manner: Manner) {
        *self.manner.lock().unwrap_or_else(PoisonError::into_inner) = manner;
    }

    pub fn clear(&self) {
        self.lock().clear();
        self.set_manner(Manner::default());
    }

    fn lock(&self) -> MutexGuard<'_, Vec<Batch>> {
        self.batches.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
