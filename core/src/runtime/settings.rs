//! What a process may choose before the library's first use: I/O threads, callback stack size,
//! hooks at thread start and stop. What was chosen is kept in `chosen`.

use super::chosen;
use super::generation::Generation;
use crate::error::{Error, ErrorKind, Phase, Result};

pub use super::chosen::ThreadHook;

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
    chosen::choose_io_threads(threads);
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
    chosen::choose_callback_stack_size(bytes);
    Ok(())
}

/// Functions that every thread of the library calls at its start and end, for hosts that must
/// know their threads. They must not call the library.
pub fn set_thread_hooks(start: ThreadHook, stop: ThreadHook) -> Result<()> {
    check_not_started("thread_hooks")?;
    chosen::choose_thread_hooks(start, stop);
    Ok(())
}
