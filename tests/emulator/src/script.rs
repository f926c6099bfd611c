//! Answers that a test dictates: exact text, exact chunks, exact bytes.
//!
//! A scripted answer is used up by the next generation request that is authorized, valid and within the
//! limits. Without one the emulator answers by its own rule, see `chat::generate`.

use std::collections::VecDeque;
use std::sync::{Mutex, PoisonError};

use serde::{Deserialize, Serialize};

/// What the next generation request is answered with. In JSON: `{"text": "Hello."}`.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Answer {
    /// This text, cut by nothing; a stream sends it in chunks of a few tokens.
    Text(String),
    /// These chunks, one event each; without a stream they are joined.
    Chunks(Vec<String>),
    /// Exactly these bytes, piece by piece, as the body of a stream. In JSON a piece is a text.
    RawSse(Vec<String>),
    /// The same for bytes that are not UTF-8. In JSON a piece is a list of numbers.
    RawBytes(Vec<Vec<u8>>),
    /// Exactly this as the body, of type `application/json`.
    Json(serde_json::Value),
    /// Exactly this text as the body, of type `application/json`.
    Body(String),
    /// This call of a function.
    FunctionCall {
        /// The function's name.
        name: String,
        /// The arguments, as they stand in the answer: an object, or anything else to test with.
        arguments: serde_json::Value,
    },
    /// These calls side by side: in v2, v1 takes the first.
    FunctionCalls(Vec<Call>),
    /// This text with this finish reason.
    Finish {
        /// The text.
        text: String,
        /// The finish reason.
        reason: String,
    },
}

/// One of several calls.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Call {
    /// The function's name.
    pub name: String,
    /// Its arguments.
    pub arguments: serde_json::Value,
}

#[derive(Default)]
pub(crate) struct Script {
    answers: Mutex<VecDeque<Answer>>,
}

impl Script {
    pub fn push(&self, answer: Answer) {
        self.lock().push_back(answer);
    }

    pub fn next(&self) -> Option<Answer> {
        self.lock().pop_front()
    }

    pub fn clear(&self) {
        self.lock().clear();
    }

    fn lock(&self) -> std::sync::MutexGuard<'_, VecDeque<Answer>> {
        self.answers.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
