//! Generations that died: the program closed a descriptor of theirs, so that the I/O thread cannot
//! go on. What such a one had under way ends with an error that says so, and the next call starts
//! another.

use crate::error::Error;
use crate::process::Era;

/// The error of what a generation leaves unfinished at its end.
pub(super) fn unfinished(era: Era) -> Error {
    match era.has_died() {
        true => Error::internal(
            "the library's I/O has failed, most likely because the program closed a descriptor of the \
             library's (closefrom, a loop over close); calls are possible again, on a new runtime",
        )
        .with_retryable(true),
        false => Error::shut_down(),
    }
}
