//! What becomes of the words of a panic, where the library has its own copy of std and with it a
//! panic hook of its own: the C library and the Python wheel. There they go to the log, with
//! their place, since standard error is the program's. A Rust program keeps the hook that it has.

use std::panic::PanicHookInfo;
use std::sync::atomic::{AtomicBool, Ordering};

use crate::process;
use crate::tracing_scope;

static DONE: AtomicBool = AtomicBool::new(false);

/// From now on panics are records of the log, at level ERROR, and nothing on standard error. Not
/// for a crate in a Rust program: the hook is that program's.
pub(crate) fn go_to_the_log() {
    if DONE.load(Ordering::Relaxed) || DONE.swap(true, Ordering::AcqRel) {
        return;
    }
    std::panic::set_hook(Box::new(write));
}

fn write(panic: &PanicHookInfo<'_>) {
    process::before_unwinding();
    let text = panic.payload_as_str().unwrap_or("no text");
    let place = panic.location().map(ToString::to_string);
    let place = place.as_deref().unwrap_or("an unknown place");
    tracing_scope::traced_here(
        || tracing::error!(target: "gigachat::panic", %place, "a fault in the library (panic: {text}); please report it"),
    );
}
