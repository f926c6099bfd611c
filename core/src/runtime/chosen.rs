//! What the process has chosen for this library's threads, with its defaults. `settings` checks
//! and writes it, the threads read it.
//!
//! Plain atomics, so that a forked child reads them without a lock.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use arc_swap::ArcSwapOption;

use crate::kept::Kept;
use crate::process;

/// Called on a thread of the library, at its start or end.
pub type ThreadHook = Arc<dyn Fn() + Send + Sync>;

static IO_THREADS: AtomicUsize = AtomicUsize::new(1);
static CALLBACK_STACK: AtomicUsize = AtomicUsize::new(2 * 1024 * 1024);
static THREAD_HOOKS: ArcSwapOption<(ThreadHook, ThreadHook)> = ArcSwapOption::const_empty();
static HOOKS_KEPT: Kept<(ThreadHook, ThreadHook)> = Kept::new();

pub(super) fn io_threads() -> usize {
    IO_THREADS.load(Ordering::Acquire)
}

pub(super) fn choose_io_threads(threads: usize) {
    IO_THREADS.store(threads, Ordering::Release);
}

pub(super) fn callback_stack_size() -> usize {
    CALLBACK_STACK.load(Ordering::Acquire)
}

pub(super) fn choose_callback_stack_size(bytes: usize) {
    CALLBACK_STACK.store(bytes, Ordering::Release);
}

pub(super) fn choose_thread_hooks(start: ThreadHook, stop: ThreadHook) {
    HOOKS_KEPT.swap(&THREAD_HOOKS, Some(Arc::new((start, stop))));
}

pub(super) fn thread_started() {
    // For the thread's whole life: who cancels it means some other thread.
    std::mem::forget(process::Uncancelled::begin());
    if let Some(hooks) = THREAD_HOOKS.load_full() {
        (hooks.0)();
    }
}

pub(super) fn thread_stopping() {
    if let Some(hooks) = THREAD_HOOKS.load_full() {
        (hooks.1)();
    }
}
