//! A second hold on a static value, for the sake of leak checkers.

use std::sync::{Arc, Mutex, PoisonError};

use arc_swap::ArcSwapOption;

use crate::process;

/// A second hold on what a static `ArcSwap` has. That one's pointer points behind the counts of the
/// `Arc`, which a leak checker calls a possible loss; this one points to the allocation.
pub(crate) struct Kept<T>(Mutex<Option<Arc<T>>>);

impl<T> Kept<T> {
    pub(crate) const fn new() -> Kept<T> {
        Kept(Mutex::new(None))
    }

    /// Puts `value` into `place` and holds it, too; gives back what was there. Holds nothing in a
    /// forked child, where the lock may be held for ever.
    pub(crate) fn swap(&self, place: &ArcSwapOption<T>, value: Option<Arc<T>>) -> Option<Arc<T>> {
        if process::fork_count() > 0 {
            return place.swap(value);
        }
        let mut kept = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let previous = std::mem::replace(&mut *kept, value.clone());
        let given_back = place.swap(value);
        drop(kept);
        drop(previous); // not under the lock: to destroy it may be the program's business
        given_back
    }
}
