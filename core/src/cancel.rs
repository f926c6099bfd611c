//! The cancel of one call or stream: a flag that its task watches.
//!
//! Lighter than a token per call: no allocation of its own and one waiter, the task.

use std::future::Future;
use std::pin::Pin;
use std::sync::atomic::{AtomicBool, Ordering};
use std::task::{Context, Poll};

use futures_util::task::AtomicWaker;

/// Set once, watched by one task.
#[derive(Default)]
pub(crate) struct CancelFlag {
    set: AtomicBool,
    watcher: AtomicWaker,
}

impl CancelFlag {
    /// Sets the flag and wakes the task. Any thread, any number of times.
    pub(crate) fn cancel(&self) {
        self.set.store(true, Ordering::Release);
        self.watcher.wake();
    }

    pub(crate) fn is_cancelled(&self) -> bool {
        self.set.load(Ordering::Acquire)
    }

    /// Waits until the flag is set.
    pub(crate) fn cancelled(&self) -> Cancelled<'_> {
        Cancelled(self)
    }
}

/// Waits until the flag is set.
pub(crate) struct Cancelled<'a>(&'a CancelFlag);

impl Future for Cancelled<'_> {
    type Output = ();

    fn poll(self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<()> {
        if self.0.is_cancelled() {
            return Poll::Ready(());
        }
        self.0.watcher.register(context.waker());
        // Set between the look and the registration?
        match self.0.is_cancelled() {
            true => Poll::Ready(()),
            false => Poll::Pending,
        }
    }
}
