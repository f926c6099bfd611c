//! Locks, as this crate takes them.

use std::sync::{Mutex, MutexGuard, PoisonError};

/// Locks; a panic of another holder changes nothing, since each critical section is one step.
pub(crate) fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}
