//! The locks and atomics that the model-checked rooms use (call state, generation swap, token
//! refresh, permit, router selection): std's, or loom's when built with `--cfg gigachat_loom`.
//!
//! Our own cfg, because `--cfg loom` would also take the network out of tokio. A poisoned lock is
//! recovered: every critical section here leaves its data consistent before it can panic.

#[cfg(not(gigachat_loom))]
pub(crate) use std::sync::{Condvar, Mutex, MutexGuard};

#[cfg(gigachat_loom)]
pub(crate) use loom::sync::{Condvar, Mutex, MutexGuard};

/// Locks, and takes the data as it is when another thread panicked while it held the lock.
pub(crate) fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex
        .lock()
        .unwrap_or_else(|poisoned| poisoned.into_inner())
}
