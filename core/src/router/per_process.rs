//! A value that belongs to one process: a forked child makes its own. What it inherited is
//! leaked, never locked: another thread of the parent may have held its lock at the fork.

use std::sync::Arc;

use arc_swap::ArcSwapOption;

use crate::process;

/// The value of this process, made at its first use.
pub(super) struct PerProcess<T> {
    current: ArcSwapOption<(u64, Arc<T>)>,
}

impl<T> PerProcess<T> {
    pub(super) fn new() -> PerProcess<T> {
        PerProcess {
            current: ArcSwapOption::empty(),
        }
    }

    pub(super) fn get(&self, make: impl FnOnce() -> T) -> Arc<T> {
        let known = self.current.load();
        let fork = process::fork_count();
        if let Some(entry) = known.as_ref().filter(|entry| entry.0 == fork) {
            return entry.1.clone();
        }
        let made = Arc::new((fork, Arc::new(make())));
        let previous = self.current.compare_and_swap(&known, Some(made.clone()));
        match previous.as_ref() {
            // Another thread was faster: its value is the one that everybody uses.
            Some(entry) if entry.0 == fork => entry.1.clone(),
            _ => {
                std::mem::forget(previous.clone());
                made.1.clone()
            }
        }
    }
}

impl<T> Drop for PerProcess<T> {
    fn drop(&mut self) {
        let entry = self.current.swap(None);
        if entry
            .as_ref()
            .is_some_and(|entry| entry.0 != process::fork_count())
        {
            std::mem::forget(entry);
        }
    }
}
