//! The locks and atomics that the model-checked rooms use (call state, generation swap, token
//! refresh, permit, router selection): std's, or loom's when built with `--cfg gigachat_loom`.
//!
//! Our own cfg, because `--cfg loom` would also take the network out of tokio. A poisoned lock is
//! recovered: every critical section here leaves its data consistent before it can panic.

use std::sync::Arc;
use std::time::Duration;

#[cfg(not(gigachat_loom))]
pub use std::sync::{
    Condvar, Mutex, MutexGuard,
    atomic::{AtomicBool, AtomicU64, Ordering},
};

#[cfg(gigachat_loom)]
pub use loom::sync::{
    Condvar, Mutex, MutexGuard,
    atomic::{AtomicBool, AtomicU64, Ordering},
};

/// Locks, and takes the data as it is when another thread panicked while it held the lock.
pub fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex
        .lock()
        .unwrap_or_else(|poisoned| poisoned.into_inner())
}

/// Looks away for a while, before looking again for what another thread does.
pub fn pause(for_about: Duration) {
    #[cfg(not(gigachat_loom))]
    std::thread::sleep(for_about);
    #[cfg(gigachat_loom)]
    {
        let _ = for_about;
        loom::thread::yield_now();
    }
}

/// A place for an `Arc` that is read and changed without a lock.
///
/// A model takes arc-swap's word for it that loads and swaps are atomic: there it is a lock, which
/// loom can explore.
#[cfg(not(gigachat_loom))]
pub struct Place<T>(arc_swap::ArcSwapOption<T>);

#[cfg(gigachat_loom)]
pub struct Place<T>(Mutex<Option<Arc<T>>>);

#[cfg(not(gigachat_loom))]
impl<T> Place<T> {
    pub const fn empty() -> Place<T> {
        Place(arc_swap::ArcSwapOption::const_empty())
    }

    /// What is there, if it is right.
    pub fn load_if(&self, right: impl FnOnce(&T) -> bool) -> Option<Arc<T>> {
        let there = self.0.load();
        // Not a count is touched of what is wrong: it may be a forked process's parent's.
        there.as_ref().filter(|there| right(there)).cloned()
    }

    pub fn swap(&self, new: Option<Arc<T>>) -> Option<Arc<T>> {
        self.0.swap(new)
    }
}

#[cfg(gigachat_loom)]
impl<T> Place<T> {
    pub fn empty() -> Place<T> {
        Place(Mutex::new(None))
    }

    pub fn load_if(&self, right: impl FnOnce(&T) -> bool) -> Option<Arc<T>> {
        let there = lock(&self.0);
        there.as_ref().filter(|there| right(there)).cloned()
    }

    pub fn swap(&self, new: Option<Arc<T>>) -> Option<Arc<T>> {
        std::mem::replace(&mut *lock(&self.0), new)
    }
}
