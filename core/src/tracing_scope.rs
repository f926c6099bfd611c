//! Which dispatcher the library's tasks and entry points run under: none, or the one of the
//! program's log callback. Who receives the records there is `runtime::log`'s business.

use std::cell::Cell;
use std::future::Future;
use std::sync::Arc;

use arc_swap::ArcSwapOption;
use futures_util::future::Either;
use tracing::Dispatch;
use tracing::instrument::WithSubscriber;

use crate::kept::Kept;

static DISPATCH: ArcSwapOption<Dispatch> = ArcSwapOption::const_empty();
static DISPATCH_KEPT: Kept<Dispatch> = Kept::new();

thread_local! {
    static IN_LOG_CALLBACK: Cell<bool> = const { Cell::new(false) };
}

/// From now on what is begun runs under this dispatcher.
pub fn enter_here(dispatch: Option<Dispatch>) {
    DISPATCH_KEPT.swap(&DISPATCH, dispatch.map(Arc::new));
}

/// Runs a log callback; log records that arise inside of it are not delivered.
pub fn inside_log_callback(run: impl FnOnce()) {
    IN_LOG_CALLBACK.set(true);
    run();
    IN_LOG_CALLBACK.set(false);
}

/// Runs what must not be logged: where no records can be delivered, and waiting for that would be
/// for ever.
pub(crate) fn silently<T>(run: impl FnOnce() -> T) -> T {
    tracing::dispatcher::with_default(&Dispatch::none(), || {
        let before = IN_LOG_CALLBACK.replace(true);
        let result = run();
        IN_LOG_CALLBACK.set(before);
        result
    })
}

/// Whether this thread is inside the log callback.
pub fn in_log_callback() -> bool {
    IN_LOG_CALLBACK.get()
}

/// Runs a task so that its records reach the callback, if there is one.
pub fn traced<F: Future<Output = ()> + Send>(task: F) -> impl Future<Output = ()> + Send {
    match DISPATCH.load_full() {
        Some(dispatch) => Either::Left(task.with_subscriber((*dispatch).clone())),
        None => Either::Right(task),
    }
}

/// Runs an entry point so that its records reach the callback, if there is one.
pub fn traced_here<T>(run: impl FnOnce() -> T) -> T {
    match DISPATCH.load_full() {
        Some(dispatch) if !in_log_callback() => tracing::dispatcher::with_default(&dispatch, run),
        _ => run(),
    }
}
