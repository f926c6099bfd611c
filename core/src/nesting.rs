//! How routers lie in each other: to a bounded depth, and never in a circle. A request, an error
//! and a drop go down one level of the stack for each router that they pass.
//!
//! Each router knows how many levels it has, itself included, and in which routers it lies. So a
//! look at two numbers tells whether another member fits; only a member that makes its router
//! deeper is told to the routers around it.

use std::collections::{HashMap, HashSet};
use std::sync::atomic::{AtomicU64, AtomicUsize, Ordering};
use std::sync::{Arc, Weak};
use std::time::Duration;

use arc_swap::ArcSwap;

use crate::error::{Error, Result};
use crate::process;

/// At most this many routers lie in each other.
pub(crate) const DEEPEST: usize = 16;
/// How long to look away while another thread changes a nesting.
const POLL: Duration = Duration::from_micros(50);

/// The place of one router among others.
#[derive(Debug)]
pub struct Nest {
    /// Levels from here down, this one included.
    levels: AtomicUsize,
    /// The routers that this one is a member of; changed in turn, as `inside` is.
    around: ArcSwap<Vec<Weak<Nest>>>,
    /// The routers that are its members.
    inside: ArcSwap<Vec<Arc<Nest>>>,
}

impl Nest {
    pub(crate) fn new() -> Arc<Nest> {
        Arc::new(Nest {
            levels: AtomicUsize::new(1),
            around: ArcSwap::default(),
            inside: ArcSwap::default(),
        })
    }

    /// Takes `inner` in, unless that made a circle or a nesting that is too deep.
    pub(crate) fn add(self: &Arc<Nest>, inner: &Arc<Nest>) -> Result<()> {
        let _turn = Turn::take();
        // What leads here has more levels, so mostly there is nothing to walk.
        if Arc::ptr_eq(self, inner) || (inner.levels() > self.levels() && inner.leads_to(self)) {
            return Err(Error::configuration(
                "member",
                "this router",
                "one that does not lead back to the router it is added to",
            ));
        }
        for (nest, levels) in self.deepened_to(inner.levels() + 1)? {
            nest.levels.store(levels, Ordering::Release);
        }
        self.inside.rcu(|known| with(known, inner.clone()));
        inner.around.rcu(|known| with(known, Arc::downgrade(self)));
        Ok(())
    }

    /// Lets `inner` out; it may be in here more than once.
    pub(crate) fn remove(self: &Arc<Nest>, inner: &Arc<Nest>) {
        let _turn = Turn::take();
        self.inside
            .rcu(|known| without(known, |nest| Arc::ptr_eq(nest, inner)));
        inner
            .around
            .rcu(|known| without(known, |nest| nest.as_ptr() == Arc::as_ptr(self)));
        let mut changed = vec![self.clone()];
        while let Some(nest) = changed.pop() {
            let deepest = nest.inside.load().iter().map(|nest| nest.levels()).max();
            let levels = deepest.unwrap_or(0) + 1;
            if nest.levels.swap(levels, Ordering::AcqRel) != levels {
                changed.extend(nest.around.load().iter().filter_map(Weak::upgrade));
            }
        }
    }

    fn levels(&self) -> usize {
        self.levels.load(Ordering::Acquire)
    }

    /// Which routers get how many levels when this one has at least `levels`.
    fn deepened_to(self: &Arc<Nest>, levels: usize) -> Result<Vec<(Arc<Nest>, usize)>> {
        let mut deepened: HashMap<*const Nest, (Arc<Nest>, usize)> = HashMap::new();
        let mut next = vec![(self.clone(), levels)];
        while let Some((nest, levels)) = next.pop() {
            let known = deepened.get(&Arc::as_ptr(&nest));
            if known.map_or(nest.levels(), |(_, levels)| *levels) >= levels {
                continue;
            }
            if levels > DEEPEST {
                return Err(Error::configuration(
                    "member",
                    format!("a router that makes {levels} lie in each other"),
                    &format!("one that leaves it at {DEEPEST} at most"),
                ));
            }
            let around = nest.around.load();
            next.extend(
                around
                    .iter()
                    .filter_map(Weak::upgrade)
                    .map(|nest| (nest, levels + 1)),
            );
            deepened.insert(Arc::as_ptr(&nest), (nest, levels));
        }
        Ok(deepened.into_values().collect())
    }

    fn leads_to(self: &Arc<Nest>, other: &Arc<Nest>) -> bool {
        let mut seen = HashSet::new();
        let mut next = vec![self.clone()];
        while let Some(nest) = next.pop() {
            if Arc::ptr_eq(&nest, other) {
                return true;
            }
            if nest.levels() > other.levels() && seen.insert(Arc::as_ptr(&nest)) {
                next.extend(nest.inside.load().iter().cloned());
            }
        }
        false
    }
}

fn with<T: Clone>(known: &[T], new: T) -> Vec<T> {
    known.iter().cloned().chain([new]).collect()
}

/// All but the first that is meant.
fn without<T: Clone>(known: &[T], meant: impl Fn(&T) -> bool) -> Vec<T> {
    let mut kept = known.to_vec();
    if let Some(at) = known.iter().position(meant) {
        kept.remove(at);
    }
    kept
}

/// Who changes nestings now: 0 is nobody, otherwise a fork counter plus one. No mutex, which a
/// forked child could inherit locked.
static CHANGING: AtomicU64 = AtomicU64::new(0);

/// The right to change nestings, for as long as it lives.
struct Turn;

impl Turn {
    fn take() -> Turn {
        let mine = process::fork_count() + 1;
        loop {
            let holder = CHANGING.load(Ordering::Acquire);
            let taken = holder != mine
                && CHANGING
                    .compare_exchange(holder, mine, Ordering::AcqRel, Ordering::Acquire)
                    .is_ok();
            if taken {
                return Turn;
            }
            std::thread::sleep(POLL);
        }
    }
}

impl Drop for Turn {
    fn drop(&mut self) {
        CHANGING.store(0, Ordering::Release);
    }
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use super::{DEEPEST, Nest};

    /// Each lies in the one before.
    fn nested(count: usize) -> Vec<Arc<Nest>> {
        let nests: Vec<_> = (0..count).map(|_| Nest::new()).collect();
        for pair in nests.windows(2) {
            pair[0].add(&pair[1]).unwrap();
        }
        nests
    }

    #[test]
    fn they_nest_to_the_bound_from_the_outside_in_and_from_the_inside_out() {
        let nests = nested(DEEPEST);
        let one_more = Nest::new();
        let refused = nests[DEEPEST - 1].add(&one_more).unwrap_err();
        assert!(refused.message().contains("16"), "{refused}");
        one_more.add(&nests[0]).unwrap_err();
        one_more.add(&nests[1]).unwrap();
        assert_eq!(one_more.levels(), DEEPEST);
    }

    #[test]
    fn a_shared_member_counts_by_its_longest_way_down() {
        let (long, short, shared) = (nested(10), nested(2), nested(6));
        long[9].add(&shared[0]).unwrap();
        short[1].add(&shared[0]).unwrap();
        assert_eq!((long[0].levels(), short[0].levels()), (16, 8));
        shared[5].add(&Nest::new()).unwrap_err();
        assert_eq!(shared[0].levels(), 6, "a refused member leaves nothing");
    }

    #[test]
    fn what_is_taken_out_or_gone_counts_no_more() {
        let (outer, inner) = (nested(10), nested(6));
        outer[9].add(&inner[0]).unwrap();
        outer[9].remove(&inner[0]);
        assert_eq!((outer[0].levels(), inner[0].levels()), (10, 6));
        for _ in 0..40 {
            inner[0].add(&outer[9]).unwrap();
            inner[0].remove(&outer[9]);
            outer[9].add(&inner[0]).unwrap();
            outer[9].remove(&inner[0]);
        }
        outer[9].add(&inner[0]).unwrap();
        drop(outer);
        inner[5].add(&nested(10)[0]).unwrap();
    }

    #[test]
    fn a_circle_is_refused_at_any_distance() {
        let nests = nested(5);
        for nest in &nests {
            nests[4].add(nest).unwrap_err();
        }
        nests[3].add(&nests[0]).unwrap_err();
        nests[0].add(&nests[4]).unwrap();
    }
}
