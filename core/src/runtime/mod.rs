//! The private runtime: one per process and pid, started at the first call, never at load.
//!
//! `seat` is where the current generation stands, `generation` is one of them, `shutdown` its end;
//! `call` is one call and the ways to await it; `callbacks` is the thread on which a program's
//! functions run; `queue` collects completions for event loops; `settings` is what a process may
//! choose before the first use, `chosen` what it has chosen.

pub mod call;
pub mod callbacks;
mod chosen;
mod death;
pub mod descriptor;
pub mod generation;
mod io_thread;
pub mod log;
#[cfg(all(test, gigachat_loom))]
mod model;
pub mod queue;
pub mod seat;
pub mod settings;
mod shutdown;

use std::time::Duration;

pub use call::Call;
pub use generation::Generation;
pub use log::LogRecord;
pub use shutdown::shutdown;

/// Drops `last` once the I/O thread has done what it has at hand, here and now on other threads.
/// For wake-ups of other threads: each is a system call or two, and what happens together can be
/// told together. `last` does its work in its drop, so that it happens whatever comes.
pub(crate) fn after_this_round(last: impl Send + 'static) {
    match tokio::runtime::Handle::try_current() {
        Ok(runtime) => drop(runtime.spawn(async move { drop(last) })),
        Err(_) => drop(last),
    }
}

/// Drops `last` after `delay`; here and now on threads that are not the runtime's.
pub(crate) fn after(delay: Duration, last: impl Send + 'static) {
    match tokio::runtime::Handle::try_current() {
        Ok(runtime) => drop(runtime.spawn(async move {
            tokio::time::sleep(delay).await;
            drop(last);
        })),
        Err(_) => drop(last),
    }
}
