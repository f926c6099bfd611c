//! Conversations that the service keeps, by account and thread id; the oldest are forgotten.

use std::collections::VecDeque;
use std::sync::{Mutex, PoisonError};

use super::request::Message;

const MOST_THREADS: usize = 1000;

#[derive(Default)]
pub(crate) struct Threads {
    threads: Mutex<VecDeque<Thread>>,
}

struct Thread {
    account: String,
    id: String,
    messages: Vec<Message>,
}

impl Threads {
    pub fn messages(&self, account: &str, id: &str) -> Option<Vec<Message>> {
        let threads = self.threads.lock().unwrap_or_else(PoisonError::into_inner);
        let is_it = |thread: &&Thread| thread.account == account && thread.id == id;
        threads
            .iter()
            .find(is_it)
            .map(|thread| thread.messages.clone())
    }

    pub fn keep(&self, account: &str, id: &str, messages: Vec<Message>) {
        let mut threads = self.threads.lock().unwrap_or_else(PoisonError::into_inner);
        threads.retain(|thread| thread.account != account || thread.id != id);
        threads.push_back(Thread {
            account: account.to_owned(),
            id: id.to_owned(),
            messages,
        });
        if threads.len() > MOST_THREADS {
            threads.pop_front();
        }
    }

    pub fn clear(&self) {
        self.threads
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .clear();
    }
}
