//! Model checks of the seat: every interleaving of uses, starts, ends and forks of a generation.
//! Run by `make model`.
//!
//! The generation is a stand-in that notes its end; the seat is the real one. A fork is modelled
//! as a copy of the seat made at any moment, in which only the forking thread goes on.

use std::convert::Infallible;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::Arc;
use std::sync::atomic::AtomicUsize;

use loom::sync::Arc as LoomArc;
use loom::thread;

use super::seat::{Entrance, Exit, Seat, Seated};
use crate::sync::{AtomicBool, Ordering};

/// The fork counter of the process and of its child.
const PARENT: u64 = 0;
const CHILD: u64 = 1;

/// How often something happened. No part of the model: std's.
#[derive(Clone, Default)]
struct Count(Arc<AtomicUsize>);

impl Count {
    fn up(&self) -> usize {
        self.0.fetch_add(1, Ordering::SeqCst) + 1
    }

    fn now(&self) -> usize {
        self.0.load(Ordering::SeqCst)
    }
}

/// A generation that notes when it was torn down, which no user of it may see.
struct Generation {
    fork: u64,
    number: usize,
    closing: AtomicBool,
    died: AtomicBool,
    stopped: Count,
    dropped: Count,
}

impl Seated for Generation {
    fn fork(&self) -> u64 {
        self.fork
    }

    fn closing(&self) -> &AtomicBool {
        &self.closing
    }

    fn has_died(&self) -> bool {
        self.died.load(Ordering::Acquire)
    }
}

impl Drop for Generation {
    fn drop(&mut self) {
        self.dropped.up();
    }
}

/// One process: its seat, and how many generations it started, stopped and dropped.
#[derive(Clone)]
struct Process {
    seat: LoomArc<Seat<Generation>>,
    fork: u64,
    started: Count,
    stopped: Count,
    dropped: Count,
}

impl Process {
    fn new() -> Process {
        Process::with(Seat::empty(), PARENT)
    }

    fn with(seat: Seat<Generation>, fork: u64) -> Process {
        Process {
            seat: LoomArc::new(seat),
            fork,
            started: Count::default(),
            stopped: Count::default(),
            dropped: Count::default(),
        }
    }

    fn forked(&self) -> Process {
        Process::with(self.seat.forked(), CHILD)
    }

    fn start(&self) -> Arc<Generation> {
        Arc::new(Generation {
            fork: self.fork,
            number: self.started.up(),
            closing: AtomicBool::new(false),
            died: AtomicBool::new(false),
            stopped: Count::default(),
            dropped: self.dropped.clone(),
        })
    }

    fn enter(&self) -> Entrance<Generation> {
        let Ok(entrance) =
            self.seat
                .enter(self.fork, || Ok(()), || Ok::<_, Infallible>(self.start()));
        entrance
    }

    /// Uses the library once, as a call does; returns which generation that was, if it was open.
    fn call(&self) -> Option<usize> {
        match self.enter() {
            Entrance::Open(generation) => {
                assert_eq!(generation.fork, self.fork, "a parent's generation is dead");
                Some(generation.number)
            }
            Entrance::Closing => None,
        }
    }

    /// Its I/O fails, as when the program closes its descriptors.
    fn let_it_die(&self) {
        if let Some(generation) = self.seat.current(self.fork) {
            generation.died.store(true, Ordering::Release);
        }
    }

    /// As `gigachat_shutdown` does: the one that ends the generation stops it, others wait.
    fn shut_down(&self) {
        match self.seat.leave(self.fork) {
            Exit::Nobody => {}
            Exit::Mine(leaving) => {
                assert_eq!(leaving.generation.stopped.up(), 1, "stopped once");
                self.stopped.up();
            }
            Exit::Anothers(generation) => {
                while !self.seat.is_left(&generation) {
                    thread::yield_now();
                }
                assert_eq!(generation.stopped.now(), 1, "stopped when the wait is over");
            }
        }
    }
}

#[test]
fn two_first_calls_start_one_generation() {
    loom::model(|| {
        let process = Process::new();
        let theirs = process.clone();
        let other = thread::spawn(move || theirs.call());
        assert_eq!(process.call(), Some(1));
        assert_eq!(other.join().unwrap(), Some(1));
        assert_eq!(process.started.now(), 1);
        process.shut_down();
        assert_eq!(process.dropped.now(), 1);
    });
}

#[test]
fn a_start_that_fails_or_panics_leaves_nobody_waiting() {
    for panics in [false, true] {
        loom::model(move || {
            let process = Process::new();
            let theirs = process.clone();
            let fail = move || match panics {
                true => std::panic::resume_unwind(Box::new("a start that panics")),
                false => Err(()),
            };
            let other = thread::spawn(move || {
                let start = || theirs.seat.enter(theirs.fork, || Ok(()), fail);
                drop(catch_unwind(AssertUnwindSafe(start)));
            });
            assert_eq!(process.call(), Some(1));
            other.join().unwrap();
            assert_eq!(process.started.now(), 1);
        });
    }
}

#[test]
fn nobody_enters_a_generation_after_its_shutdown_and_it_is_dropped_once() {
    loom::model(|| {
        let process = Process::new();
        assert_eq!(process.call(), Some(1));
        let theirs = process.clone();
        let caller = thread::spawn(move || theirs.call());
        process.shut_down();
        assert_eq!(process.call(), Some(2), "never the one that was shut down");
        // While it was being ended, or before, or in the new one.
        let entered = caller.join().unwrap();
        assert!(entered.is_none_or(|number| number <= 2));
        assert_eq!(process.started.now(), 2);
        assert_eq!(process.dropped.now(), 1, "by its last user");
        process.shut_down();
        assert_eq!(process.dropped.now(), 2);
    });
}

#[test]
fn two_shutdowns_stop_a_generation_once_and_neither_waits_for_ever() {
    loom::model(|| {
        let process = Process::new();
        process.call();
        let theirs = process.clone();
        let other = thread::spawn(move || theirs.shut_down());
        process.shut_down();
        other.join().unwrap();
        assert_eq!(process.stopped.now(), 1);
        assert_eq!(process.dropped.now(), 1);
    });
}

#[test]
fn a_first_call_and_two_shutdowns_end_in_order() {
    // Three threads: with at most three preemptions, which is where races have been found.
    let mut model = loom::model::Builder::new();
    model.preemption_bound = Some(3);
    model.check(|| {
        let process = Process::new();
        let (first, second) = (process.clone(), process.clone());
        let caller = thread::spawn(move || first.call());
        let other = thread::spawn(move || second.shut_down());
        process.shut_down();
        caller.join().unwrap();
        other.join().unwrap();
        process.shut_down();
        assert_eq!(process.started.now(), process.stopped.now());
        assert_eq!(process.started.now(), process.dropped.now());
    });
}

#[test]
fn the_settings_are_fixed_from_the_start_on() {
    loom::model(|| {
        let process = Process::new();
        let read = LoomArc::new(AtomicBool::new(false));
        let (theirs, reads) = (process.clone(), read.clone());
        let other = thread::spawn(move || {
            let start = || {
                reads.store(true, Ordering::Release); // the settings
                Ok::<_, Infallible>(theirs.start())
            };
            drop(theirs.seat.enter(theirs.fork, || Ok(()), start));
        });
        if read.load(Ordering::Acquire) {
            assert!(process.seat.is_taken(PARENT));
        }
        other.join().unwrap();
    });
}

#[test]
fn the_settings_stay_fixed_when_a_generation_follows_another() {
    loom::model(|| {
        let process = Process::new();
        process.call();
        let theirs = process.clone();
        let other = thread::spawn(move || theirs.shut_down());
        if let Entrance::Open(generation) = process.enter() {
            // Unless somebody ends it, it stands, whoever ended the one before.
            let taken = process.seat.is_taken(PARENT);
            assert!(taken || generation.closing.load(Ordering::Acquire));
        }
        other.join().unwrap();
    });
}

#[test]
fn a_child_forked_during_a_start_or_a_shutdown_has_its_own_and_leaks_the_parents() {
    for in_use in [false, true] {
        loom::model(move || {
            let parent = Process::new();
            if in_use {
                parent.call();
            }
            let theirs = parent.clone();
            let other = thread::spawn(move || {
                theirs.call();
                theirs.shut_down();
            });
            let child = parent.forked();
            let inherited = usize::from(child.seat.current(PARENT).is_some());
            child.shut_down(); // has nothing to do with the parent's
            assert_eq!(child.stopped.now(), 0);
            assert_eq!(child.call(), Some(1), "nobody waits for a parent's start");
            child.shut_down();
            assert_eq!(child.call(), Some(2));
            child.shut_down();
            assert_eq!(child.dropped.now(), 2);
            other.join().unwrap();
            assert!(parent.seat.current(PARENT).is_none());
            assert_eq!(parent.stopped.now(), parent.started.now());
            assert_eq!(parent.dropped.now(), parent.started.now() - inherited);
        });
    }
}

#[test]
fn a_generation_that_has_died_is_replaced_once_and_leaked() {
    loom::model(|| {
        let process = Process::new();
        assert_eq!(process.call(), Some(1));
        process.let_it_die();
        let theirs = process.clone();
        let other = thread::spawn(move || theirs.call());
        assert_eq!(process.call(), Some(2));
        assert_eq!(other.join().unwrap(), Some(2));
        assert_eq!(process.started.now(), 2);
        assert_eq!(process.dropped.now(), 0, "its threads may still use it");
        process.shut_down();
        assert_eq!(process.dropped.now(), 1);
    });
}

#[test]
fn a_generation_that_dies_meanwhile_takes_nobody_with_it() {
    loom::model(|| {
        let process = Process::new();
        process.call();
        let theirs = process.clone();
        let other = thread::spawn(move || {
            theirs.let_it_die();
            theirs.call()
        });
        process.shut_down();
        let entered = other.join().unwrap();
        assert!(entered.is_none_or(|number| number == 1 || number == 2));
        // Whoever died or was ended: the next call has one that lives.
        let Entrance::Open(last) = process.enter() else {
            panic!("nobody is ending it");
        };
        assert!(!last.has_died());
        drop(last);
        process.shut_down();
        assert!(process.seat.current(PARENT).is_none());
    });
}
