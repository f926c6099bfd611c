//! What a process may choose before the library's first use: I/O threads, callback stack size,
//! hooks at thread start and stop.
//!
//! Plain atomics, so that a forked child reads them without a lock.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use arc_swap::ArcSwapOption;

use super::generation::Generation;
use crate::error::{Error, ErrorKind, Phase, Result};
use crate::kept::Kept;

/// Called on a thread of the library, at its start or end.
pub type ThreadHook = Arc<dyn Fn() + Send + Sync>;

static IO_THREADS: AtomicUsize = AtomicUsize::new(1);
static CALLBACK_STACK: AtomicUsize = AtomicUsize::new(2 * 1024 * 1024);
static THREAD_HOOKS: ArcSwapOption<(ThreadHook, ThreadHook)> = ArcSwapOption::const_empty();
static HOOKS_KEPT: Kept<(ThreadHook, ThreadHook)> = Kept::new();

/// Whether the library is in use, so that nothing can be set any more.
pub fn are_fixed() -> bool {
    Generation::is_in_use()
}

fn check_not_started(setting: &str) -> Result<()> {
    match are_fixed() {
        false => Ok(()),
        true => Err(Error::new(
            ErrorKind::Configuration,
            Phase::Input,
            format!(
                "{setting}: too late, the library is in use; set it before the first call or after a shutdown"
            ),
        )),
    }
}

/// How many threads do the I/O: 1 to 64, default 1. One serves thousands of calls; each more
/// costs wake-ups.
pub fn set_io_threads(threads: usize) -> Result<()> {
    if !(1..=64).contains(&threads) {
        return Err(Error::configuration("io_threads", threads, "from 1 to 64"));
    }
    check_not_started("io_threads")?;
    IO_THREADS.store(threads, Ordering::Release);
    Ok(())
}

/// The stack of the threads that run callbacks: 64 KiB to 1 GiB, default 2 MiB.
pub fn set_callback_stack_size(bytes: usize) -> Result<()> {
    if !(64 * 1024..=1 << 30).contains(&bytes) {
        return Err(Error::configuration(
            "callback_stack_size",
            bytes,
            "from 65536 to 1073741824",
        ));
    }
    check_not_started("callback_stack_size")?;
    CALLBACK_STACK.store(bytes, Ordering::Release);
    Ok(())
}

/// Functions that every thread of the library calls at its start and end, for hosts that must
/// know their threads. They must not call the library.
pub fn set_thread_hooks(start: ThreadHook, stop: ThreadHook) -> Result<()> {
    check_not_started("thread_hooks")?;
    HOOKS_KEPT.swap(&THREAD_HOOKS, Some(Arc::new((start, stop))));
    Ok(())
}

pub(super) fn io_threads() -> usize {
    IO_THREADS.load(Ordering::Acquire)
}

pub(super) fn callback_stack_size() -> usize {
    CALLBACK_STACK.load(Ordering::Acquire)
}

pub(super) fn thread_started() {
    if let Some(hooks) = THREAD_HOOKS.load_full() {
        (hooks.0)();
    }
}

pub(super) fn thread_stopping() {
    if let Some(hooks) = THREAD_HOOKS.load_full() {
        (hooks.1)();
    }
}
