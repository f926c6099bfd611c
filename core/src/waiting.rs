//! Waiting on a condition. A thread whose waits concern somebody (one that runs callbacks) has an
//! observer, who is told of each; this file knows nothing of who that is.

use std::cell::RefCell;
use std::sync::Arc;
use std::time::Duration;

use crate::sync::{Condvar, MutexGuard};

/// Who is told when this thread waits.
pub(crate) trait Observer: Send + Sync {
    /// The thread begins to wait; returns whether the end is to be told, too.
    fn begins(self: Arc<Self>) -> bool;
    /// The wait is over.
    fn ends(&self);
}

thread_local! {
    static OBSERVER: RefCell<Option<Arc<dyn Observer>>> = const { RefCell::new(None) };
}

/// Has the waits of this thread told to `observer` from now on.
pub(crate) fn observe(observer: Option<Arc<dyn Observer>>) {
    OBSERVER.set(observer);
}

/// Tells the observer of a wait, for as long as it lives.
struct Told(Option<Arc<dyn Observer>>);

impl Told {
    fn that_it_waits() -> Told {
        // At exit a thread's own data may be gone already.
        let observer = OBSERVER
            .try_with(|observer| observer.borrow().clone())
            .ok()
            .flatten();
        Told(observer.filter(|observer| observer.clone().begins()))
    }
}

impl Drop for Told {
    fn drop(&mut self) {
        if let Some(observer) = &self.0 {
            observer.ends();
        }
    }
}

/// Waits on a condition, at most `limit`. Whoever observes this thread is told, so that
/// another can do its work meanwhile.
pub(crate) fn wait_on<'a, T>(
    condition: &Condvar,
    guard: MutexGuard<'a, T>,
    limit: Option<Duration>,
) -> MutexGuard<'a, T> {
    let _told = Told::that_it_waits();
    match limit {
        None => condition
            .wait(guard)
            .unwrap_or_else(|poisoned| poisoned.into_inner()),
        Some(limit) => match condition.wait_timeout(guard, limit) {
            Ok((guard, _)) => guard,
            Err(poisoned) => poisoned.into_inner().0,
        },
    }
}
