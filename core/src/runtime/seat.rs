//! Where the current generation stands: who may use it, who starts it, who ends it.
//!
//! Found without a lock, since a lock could have been inherited locked. A forked child notices by
//! the fork counter that what it sees is its parent's: it seats its own generation and leaks the
//! inherited one. Knows nothing of what a generation does, so that it can be model-checked
//! (`model.rs` beside it).

use std::sync::Arc;
use std::time::Duration;

use crate::sync::{AtomicBool, AtomicU64, Ordering, Place, pause};

/// How long to look away while another thread starts a generation.
const START_POLL: Duration = Duration::from_micros(50);

/// What takes a seat.
pub(crate) trait Seated {
    /// The fork counter of the process that it belongs to.
    fn fork(&self) -> u64;
    /// Whether somebody has begun to end it.
    fn closing(&self) -> &AtomicBool;
    /// Whether it cannot go on: another takes its seat.
    fn has_died(&self) -> bool;
}

/// The seat of one process. Every function is told the process's fork counter.
pub(crate) struct Seat<G> {
    current: Place<G>,
    /// Who is starting a generation: 0 is nobody, otherwise the starter's fork count plus one, so
    /// that a start that a fork interrupted in the parent means nothing in the child.
    starting: AtomicU64,
}

/// What a thread that wants to use the current generation is told.
pub(crate) enum Entrance<G> {
    Open(Arc<G>),
    /// It is being ended.
    Closing,
}

/// What a thread that wants to end the current generation is told.
pub(crate) enum Exit<'a, G: Seated> {
    /// There is none.
    Nobody,
    /// This thread is the one that ends it, once.
    Mine(Leaving<'a, G>),
    /// Another thread is ending it.
    Anothers(Arc<G>),
}

impl<G: Seated> Seat<G> {
    #[cfg(not(gigachat_loom))]
    pub(crate) const fn empty() -> Seat<G> {
        Seat {
            current: Place::empty(),
            starting: AtomicU64::new(0),
        }
    }

    #[cfg(gigachat_loom)]
    pub(crate) fn empty() -> Seat<G> {
        Seat {
            current: Place::empty(),
            starting: AtomicU64::new(0),
        }
    }

    /// The generation of this process, if it has one.
    pub(crate) fn current(&self, fork: u64) -> Option<Arc<G>> {
        self.current.load_if(|current| current.fork() == fork)
    }

    fn alive(&self, fork: u64) -> Option<Arc<G>> {
        self.current(fork).filter(|current| !current.has_died())
    }

    /// Whether this process has a generation or is about to.
    pub(crate) fn is_taken(&self, fork: u64) -> bool {
        // In this order: a start that ends between the two looks has seated its generation.
        self.starting.load(Ordering::Acquire) == fork + 1 || self.current(fork).is_some()
    }

    /// The generation of this process; when there is none, one thread starts it and the others
    /// wait for that, as long as their `patience` has no error. A failure to start is that thread's;
    /// the next one tries for itself.
    pub(crate) fn enter<E>(
        &self,
        fork: u64,
        patience: impl Fn() -> Result<(), E>,
        start: impl FnOnce() -> Result<Arc<G>, E>,
    ) -> Result<Entrance<G>, E> {
        loop {
            if let Some(current) = self.alive(fork) {
                return Ok(match current.closing().load(Ordering::Acquire) {
                    true => Entrance::Closing,
                    false => Entrance::Open(current),
                });
            }
            let Some(_starting) = self.begin_start(fork) else {
                patience()?;
                pause(START_POLL);
                continue;
            };
            if self.alive(fork).is_some() {
                continue; // another start has ended between the look and the claim
            }
            let started = start()?;
            let previous = self.current.swap(Some(started.clone()));
            // What was there can only be a parent's or dead: leaked, never dropped.
            std::mem::forget(previous);
            return Ok(Entrance::Open(started));
        }
    }

    /// Claims the start, unless another thread of this process has.
    fn begin_start(&self, fork: u64) -> Option<Starting<'_>> {
        let mine = fork + 1;
        let starting = self.starting.load(Ordering::Acquire);
        let claimed = starting != mine
            && self
                .starting
                .compare_exchange(starting, mine, Ordering::AcqRel, Ordering::Acquire)
                .is_ok();
        claimed.then(|| Starting(&self.starting))
    }

    /// Asks to end the current generation: from now on nobody enters it.
    pub(crate) fn leave(&self, fork: u64) -> Exit<'_, G> {
        let Some(current) = self.current(fork) else {
            return Exit::Nobody;
        };
        match current.closing().swap(true, Ordering::AcqRel) {
            true => Exit::Anothers(current),
            false => Exit::Mine(Leaving {
                seat: self,
                generation: current,
            }),
        }
    }

    /// Whether a generation has left its seat.
    pub(crate) fn is_left(&self, generation: &Arc<G>) -> bool {
        self.current(generation.fork())
            .is_none_or(|current| !Arc::ptr_eq(&current, generation))
    }

    /// What a child sees of this seat when it is forked here: for models.
    #[cfg(gigachat_loom)]
    pub(crate) fn forked(&self) -> Seat<G> {
        let child = Seat::empty();
        std::mem::forget(child.current.swap(self.current.load_if(|_| true)));
        child
            .starting
            .store(self.starting.load(Ordering::Acquire), Ordering::Release);
        child
    }
}

/// The claim to start; given up when the start is over, however it ends.
struct Starting<'a>(&'a AtomicU64);

impl Drop for Starting<'_> {
    fn drop(&mut self) {
        self.0.store(0, Ordering::Release);
    }
}

/// The duty to vacate the seat: done when it is dropped, however the end goes, so that nobody
/// waits for ever.
pub(crate) struct Leaving<'a, G: Seated> {
    seat: &'a Seat<G>,
    pub(crate) generation: Arc<G>,
}

impl<G: Seated> Drop for Leaving<'_, G> {
    fn drop(&mut self) {
        // Nobody is seated while it is there, except in a child that was forked meanwhile.
        if !self.seat.is_left(&self.generation) {
            self.seat.current.swap(None);
        }
    }
}
