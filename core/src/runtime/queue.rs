//! A completion queue: ended calls and readable streams, by tag, for event loops.
//!
//! Its descriptor is readable while the queue is not empty (an eventfd or pipe that is written
//! when the queue becomes non-empty and cleared by the `take` that empties it), so that epoll,
//! libuv, asyncio, Go and Java can wait for it beside their own. After fork a child makes its own.

use std::collections::VecDeque;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Weak};
use std::time::{Duration, Instant};

use crate::error::{Error, ErrorKind, Phase, Result};
use crate::liveness::Watched;
use crate::process::Era;
use crate::sync::{Condvar, Mutex, lock};

/// A descriptor that can be made readable and unreadable.
pub trait Signal: Send + Sync + 'static {
    /// Makes it readable.
    fn raise(&self);
    /// Makes it unreadable.
    fn clear(&self);
    /// Whether it is still the one that it was, which the program may have closed.
    fn is_there(&self) -> bool;
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
    watched: Mutex<WatchList>,
}

/// What is attached to a queue: a waiter ends what the library's threads cannot end any more.
#[derive(Default)]
struct WatchList {
    attached: Vec<Weak<dyn Watched>>,
    /// When to look at the first of them.
    next: Option<Instant>,
    /// At this length those that have ended are taken out.
    full: usize,
}

/// The list is not searched for those that have ended before it is so long.
const LEAST_FULL: usize = 64;

impl WatchList {
    /// Takes out what has ended.
    fn tidy(&mut self) {
        let looks = |known: &Weak<dyn Watched>| known.upgrade()?.next_look();
        let mut next: Option<Instant> = None;
        self.attached.retain(|known| match looks(known) {
            Some(at) => {
                next = Some(next.map_or(at, |next| next.min(at)));
                true
            }
            None => false,
        });
        self.next = next;
        self.full = LEAST_FULL.max(2 * self.attached.len());
    }
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
            watched: Mutex::default(),
        }
    }

    /// Has whoever waits for the queue look at a call or stream that is attached to it.
    pub fn watch(&self, attached: &Arc<dyn Watched>) {
        let Some(at) = attached.next_look() else {
            return;
        };
        let is_earlier = {
            let mut list = lock(&self.watched);
            if list.attached.len() >= list.full {
                list.tidy();
            }
            list.attached.push(Arc::downgrade(attached));
            let is_earlier = list.next.is_none_or(|next| at < next);
            if is_earlier {
                list.next = Some(at);
            }
            is_earlier
        };
        if is_earlier {
            self.wake_waiters();
        }
    }

    /// Looks at what is attached. Not under a lock: what is ended here posts its tag.
    fn look(&self, now: Instant) {
        let attached = lock(&self.watched).attached.clone();
        let due = |known: &Arc<dyn Watched>| known.next_look().is_some_and(|at| at <= now);
        attached
            .iter()
            .filter_map(Weak::upgrade)
            .filter(due)
            .for_each(|known| known.look(now));
        lock(&self.watched).tidy();
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
        self.wake_waiters();
    }

    fn wake_waiters(&self) {
        let waited_for = {
            let _tags = lock(&self.state);
            self.waiting.load(Ordering::Relaxed) > 0
        };
        if waited_for {
            self.changed.notify_all();
        }
    }

    /// Takes up to `most` tags, waiting for the first at most `timeout` (`None`: for ever, when
    /// nothing is attached that could end). A queue without tags whose signal is gone is an error.
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
            if !self.signal.is_there() {
                return Err(self.without_signal());
            }
            let now = Instant::now();
            let left = give_up.map(|at| at.saturating_duration_since(now));
            let look = lock(&self.watched).next;
            if look.is_some_and(|at| at <= now) {
                drop(state);
                self.look(now);
                state = lock(&self.state);
                continue;
            }
            if left.is_some_and(|left| left.is_zero()) {
                self.signal.clear();
                return Ok(Vec::new());
            }
            let look = look.map(|at| at.saturating_duration_since(now));
            let left = left.into_iter().chain(look).min();
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

    /// The error of a queue whose descriptor the program has closed: no event loop is woken by it.
    pub fn without_signal(&self) -> Error {
        Error::internal(
            "the descriptor of this completion queue was closed by the program (closefrom, a loop over \
             close), so that no event loop hears of it; take what is in the queue, free it and make \
             another",
        )
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
    use std::time::{Duration, Instant};

    use super::{CompletionQueue, Signal};
    use crate::error::ErrorKind;
    use crate::liveness::Watched;
    use crate::process::Era;
    use crate::sync::lock;

    /// A call that nobody but who looks ends: it posts its tag then.
    struct Stopped {
        queue: Arc<CompletionQueue<Flag>>,
        due: Instant,
        ended: AtomicBool,
    }

    impl Watched for Stopped {
        fn next_look(&self) -> Option<Instant> {
            (!self.ended.load(Ordering::SeqCst)).then_some(self.due)
        }
        fn look(&self, _now: Instant) {
            if !self.ended.swap(true, Ordering::SeqCst) {
                self.queue.post(7);
            }
        }
    }

    fn stopped(queue: &Arc<CompletionQueue<Flag>>, due: Instant) -> Arc<dyn Watched> {
        Arc::new(Stopped {
            queue: queue.clone(),
            due,
            ended: AtomicBool::new(false),
        })
    }

    #[test]
    fn who_waits_for_ever_ends_what_its_threads_do_not_end_any_more() {
        for waits_before in [false, true] {
            let queue = Arc::new(CompletionQueue::new(Flag::default(), Era::default()));
            let soon = stopped(&queue, Instant::now() + Duration::from_millis(50));
            let later = stopped(&queue, Instant::now() + Duration::from_secs(3600));
            queue.watch(&later);
            let taker = queue.clone();
            let waiter = std::thread::spawn(move || taker.take(1, None).unwrap());
            if waits_before {
                while queue.waiting.load(Ordering::SeqCst) == 0 {
                    std::thread::yield_now();
                }
            }
            queue.watch(&soon);
            assert_eq!(waiter.join().unwrap(), [7]);
            assert_eq!(lock(&queue.watched).next, later.next_look());
        }
    }

    #[test]
    fn what_has_ended_or_is_gone_is_forgotten() {
        let queue = Arc::new(CompletionQueue::new(Flag::default(), Era::default()));
        let kept = stopped(&queue, Instant::now() + Duration::from_secs(3600));
        for _ in 0..10_000 {
            queue.watch(&stopped(&queue, Instant::now()));
            let ended = stopped(&queue, Instant::now());
            ended.look(Instant::now());
            queue.watch(&ended);
            queue.watch(&kept);
            assert!(lock(&queue.watched).attached.len() < 30_000);
        }
        lock(&queue.watched).tidy();
        assert_eq!(lock(&queue.watched).attached.len(), 10_000);
    }

    #[derive(Default)]
    struct Flag(AtomicBool);

    impl Signal for Flag {
        fn raise(&self) {
            self.0.store(true, Ordering::SeqCst);
        }
        fn clear(&self) {
            self.0.store(false, Ordering::SeqCst);
        }
        fn is_there(&self) -> bool {
            true
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
