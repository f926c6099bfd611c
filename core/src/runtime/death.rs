//! Generations that died: the program closed a descriptor of theirs, so that the I/O thread cannot
//! go on. What such a one had under way ends with an error that says so, and the next call starts
//! another.

use std::sync::atomic::{AtomicU64, Ordering};

use crate::error::Error;
use crate::process::Era;

/// The number of the generation that died last; 0 is none.
static LAST: AtomicU64 = AtomicU64::new(0);

/// Notes that this generation cannot go on.
pub(super) fn note(era: Era) {
    LAST.store(era.number, Ordering::Release);
}

/// Whether this generation, the current one, has died.
pub(super) fn has_come(era: Era) -> bool {
    LAST.load(Ordering::Acquire) == era.number
}

/// The error of what a generation leaves unfinished at its end.
pub(super) fn unfinished(era: Era) -> Error {
    match era.number != 0 && has_come(era) {
        true => Error::internal(
            "the library's I/O has failed, most likely because the program closed a descriptor of the \
             library's (closefrom, a loop over close); calls are possible again, on a new runtime",
        )
        .with_retryable(true),
        false => Error::shut_down(),
    }
}
