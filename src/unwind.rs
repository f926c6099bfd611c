//! What is done about a panic: it goes no further than this.

use std::panic::{AssertUnwindSafe, catch_unwind};

/// Runs an entry point that cannot report: an accessor or a free. A panic gives `otherwise`.
pub(super) fn shield<T>(otherwise: T, body: impl FnOnce() -> T) -> T {
    gigachat_core::binding::send_panics_to_the_log();
    let _not_cancelled = gigachat_core::binding::process::Uncancelled::begin();
    match catch_unwind(AssertUnwindSafe(body)) {
        Ok(value) => value,
        Err(payload) => {
            discard(payload);
            otherwise
        }
    }
}

/// Drops what a panic carried; that could panic again.
pub(super) fn discard(payload: Box<dyn std::any::Any + Send>) {
    if let Err(again) = catch_unwind(AssertUnwindSafe(|| drop(payload))) {
        std::mem::forget(again);
    }
}
