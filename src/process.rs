//! The few calls to the operating system that the runtime rests on: fork counter, exit hook,
//! signal mask.
//!
//! Beside `ffi` this is the only room with unsafe code, since it too is an interface to C: there
//! is no safe wrapper for `pthread_atfork` and `atexit`. It takes no lock and allocates nothing
//! in a hook.

#![allow(unsafe_code, reason = "calls libc; see the module's documentation")]

use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};

static FORKS: AtomicU64 = AtomicU64::new(0);
static HOOKS_SET: AtomicBool = AtomicBool::new(false);
static EXITING: AtomicBool = AtomicBool::new(false);

/// How often this process was forked from one in which the library was in use already. A value
/// that differs from a remembered one means: everything remembered is the parent's.
pub(crate) fn fork_count() -> u64 {
    FORKS.load(Ordering::Acquire)
}

/// Whether `exit` has begun: no callback may be started any more.
pub(crate) fn exiting() -> bool {
    EXITING.load(Ordering::Acquire)
}

/// Sets the fork and exit hooks, once, before the first thread is started.
pub(crate) fn set_hooks() {
    if HOOKS_SET.swap(true, Ordering::AcqRel) {
        return;
    }
    #[cfg(unix)]
    // SAFETY: the fork hook only stores to atomics, which is async-signal-safe; the exit hook runs
    // in an ordinary context; and the library is never unloaded (linked with `nodelete`), so the functions stay valid until the end.
    unsafe {
        libc::pthread_atfork(None, None, Some(count_fork));
        libc::atexit(note_exit);
    }
}

#[cfg(unix)]
extern "C" fn count_fork() {
    FORKS.fetch_add(1, Ordering::AcqRel);
    crate::runtime::callbacks::forget_running_callbacks();
}

#[cfg(unix)]
extern "C" fn note_exit() {
    EXITING.store(true, Ordering::Release);
    crate::runtime::callbacks::let_running_callbacks_end();
}

/// Runs `start` with all signals blocked, so that a thread started in it inherits that: signals
/// are the host program's business and must be handled on its own threads.
pub(crate) fn with_signals_blocked<T>(start: impl FnOnce() -> T) -> T {
    #[cfg(unix)]
    {
        let previous = block_all_signals();
        let result = start();
        restore_signals(previous.as_ref());
        result
    }
    #[cfg(not(unix))]
    start()
}

#[cfg(unix)]
fn block_all_signals() -> Option<libc::sigset_t> {
    // SAFETY: `all` and `previous` are valid for writes; sigfillset initialises the one, and
    // pthread_sigmask the other before it is read, which its success tells.
    unsafe {
        let mut all = std::mem::zeroed::<libc::sigset_t>();
        let mut previous = std::mem::zeroed::<libc::sigset_t>();
        libc::sigfillset(&mut all);
        (libc::pthread_sigmask(libc::SIG_SETMASK, &all, &mut previous) == 0).then_some(previous)
    }
}

#[cfg(unix)]
fn restore_signals(previous: Option<&libc::sigset_t>) {
    if let Some(previous) = previous {
        // SAFETY: `previous` is the mask that pthread_sigmask wrote for this thread.
        unsafe {
            libc::pthread_sigmask(libc::SIG_SETMASK, previous, std::ptr::null_mut());
        }
    }
}
