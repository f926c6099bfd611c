//! A completion queue: ended calls and readable streams, by tag, for event loops.
//!
//! Its descriptor is readable while the queue is not empty (an eventfd or pipe that is written
//! when the queue becomes non-empty and cleared by the `take` that empties it), so that epoll,
//! libuv, asyncio, Go and Java can wait for it beside their own. After fork a child makes its own.

use std::collections::VecDeque;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::{Duration, Instant};

use crate::error::{Error, ErrorKind, Phase, Result};
use crate::process::Era;
use crate::sync::{Condvar, Mutex, lock};

/// A descriptor that can be made readable and unreadable.
pub trait Signal: Send + Sync + 'static {
    /// Makes it readable.
    fn raise(&self);
    /// Makes it unreadable.
    fn clear(&self);
}

/// The queue. `S` is the platform's descriptor.
pub struct CompletionQueue<S> {
    /// `None` once it was closed.
    state: Mutex<Option<VecDeque<u64>>>,
    /// There is a tag, or the queue was closed.
    changed: Condvar,
    /// Threads that wait; changed under the lock of `state`.
    waiting: AtomicUsize,
    /// What wakes the event loop.
    pub signal: S,
    era: Era,
}

impl<S: Signal> CompletionQueue<S> {
    /// An empty queue of `era`, whose signal is raised when it stops being empty.
    pub fn new(signal: S, era: Era) -> CompletionQueue<S> {
        CompletionQueue {
            state: Mutex::new(Some(VecDeque::new())),
            changed: Condvar::new(),
            waiting: AtomicUsize::new(0),
            signal,
            era,
        }
    }

    /// Adds a tag; not to a queue that was closed.
    ///
    /// Whoever waits is told when the I/O thread has done what it has at hand: calls that end
    /// together cost one wake-up, not one each. So a `take` may come in between, and the
    /// descriptor be readable once with nothing to take; it is never unreadable for long with
    /// something to take.
    pub fn post(self: &Arc<Self>, tag: u64) {
        let first = match &mut *lock(&self.state) {
            Some(tags) => {
                tags.push_back(tag);
                tags.len() == 1
            }
            None => false,
        };
        if first {
            super::after_this_round(WakeUp(self.clone()));
        }
    }

    fn wake(&self) {
        self.signal.raise();
        let waited_for = {
            let _tags = lock(&self.state);
            self.waiting.load(Ordering::Relaxed) > 0
        };
        if waited_for {
            self.changed.notify_all();
        }
    }

    /// Takes up to `most` tags, waiting for the first at most `timeout` (`None`: for ever).
    pub fn take(&self, most: usize, timeout: Option<Duration>) -> Result<Vec<u64>> {
        if self.era.is_inherited() {
            return Err(Error::forked());
        }
        let give_up = timeout.and_then(|timeout| Instant::now().checked_add(timeout));
        let mut state = lock(&self.state);
        loop {
            let Some(tags) = &mut *state else {
                return Err(closed());
            };
            if !tags.is_empty() {
                let count = most.min(tags.len());
                let taken = tags.drain(..count).collect();
                if tags.is_empty() {
                    self.signal.clear();
                }
                return Ok(taken);
            }
            let left = give_up.map(|at| at.saturating_duration_since(Instant::now()));
            if left.is_some_and(|left| left.is_zero()) {
                self.signal.clear();
                return Ok(Vec::new());
            }
            self.waiting.fetch_add(1, Ordering::Relaxed);
            state = crate::waiting::wait_on(&self.changed, state, left);
            self.waiting.fetch_sub(1, Ordering::Relaxed);
        }
    }

    /// Ends the queue: who waits in `take` is told, tags that nobody took are gone, and what is
    /// posted later is, too.
    pub fn close(&self) {
        if self.era.is_inherited() {
            return; // the lock may be one of a thread that this child does not have
        }
        *lock(&self.state) = None;
        self.changed.notify_all();
    }

    /// The process and runtime that the queue was made in.
    pub fn era(&self) -> Era {
        self.era
    }
}

/// The error of a wait whose queue is gone.
fn closed() -> Error {
    let text = "the queue was freed while this waited for it";
    Error::new(ErrorKind::Cancelled, Phase::Input, text)
}

/// Wakes whoever waits for the queue, when it is dropped.
struct WakeUp<S: Signal>(Arc<CompletionQueue<S>>);

impl<S: Signal> Drop for WakeUp<S> {
    fn drop(&mut self) {
        self.0.wake();
    }
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;
    use std::sync::atomic::{AtomicBool, Ordering};
    use std::time::Duration;

    use super::{CompletionQueue, Signal};
    use crate::error::ErrorKind;
    use crate::process::Era;

    #[derive(Default)]
    struct Flag(AtomicBool);

    impl Signal for Flag {
        fn raise(&self) {
            self.0.store(true, Ordering::SeqCst);
        }
        fn clear(&self) {
            self.0.store(false, Ordering::SeqCst);
        }
    }

    #[test]
    fn the_descriptor_is_readable_exactly_while_there_are_tags() {
        let queue = Arc::new(CompletionQueue::new(Flag::default(), Era::default()));
        let readable = || queue.signal.0.load(Ordering::SeqCst);
        assert!(!readable());
        (1..=3).for_each(|tag| queue.post(tag));
        assert!(readable());
        assert_eq!(queue.take(2, None).unwrap(), [1, 2]);
        assert!(readable());
        assert_eq!(queue.take(2, None).unwrap(), [3]);
        assert!(!readable());
        assert!(queue.take(2, Some(Duration::ZERO)).unwrap().is_empty());
    }

    #[test]
    fn closing_a_queue_wakes_who_waits_and_nothing_comes_any_more() {
        let queue = Arc::new(CompletionQueue::new(Flag::default(), Era::default()));
        let waiter = queue.clone();
        let thread = std::thread::spawn(move || waiter.take(1, None));
        queue.close();
        let why = thread.join().unwrap().unwrap_err();
        assert_eq!(why.kind(), ErrorKind::Cancelled);
        queue.post(1);
        assert!(queue.take(1, Some(Duration::ZERO)).is_err());
    }
}
