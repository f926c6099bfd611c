//! One generation of the runtime: its I/O threads, its callbacks, its shared state.
//!
//! Which one is current, who starts and who ends it: `seat`. What a forked child inherits it leaks:
//! its drop would hang or break the parent.

use std::future::Future;
use std::panic::AssertUnwindSafe;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, AtomicUsize, Ordering};
use std::thread::JoinHandle;
use std::time::{Duration, Instant};

use futures_util::stream::FuturesUnordered;
use futures_util::{FutureExt, StreamExt};
use tokio_util::sync::CancellationToken;
use tokio_util::task::TaskTracker;

use super::call::{Call, CallCell, Completer};
use super::callbacks::Callbacks;
use super::chosen;
use super::death;
use super::io_thread::{IoThread, not_serving};
use super::seat::{Entrance, Exit, Seat, Seated};
use crate::cancel::{CancelFlag, Cancelled};
use crate::error::{Error, ErrorKind, Phase, Result};
use crate::liveness::StreamLimits;
use crate::locals::Locals;
use crate::process::{self, Era};
use crate::provider::{CallContext, Work};
use crate::response::StreamEnd;
use crate::stream::{EventSink, EventStream};
use crate::sync::{AtomicBool, Mutex};

#[cfg(not(gigachat_loom))]
static SEAT: Seat<Generation> = Seat::empty();
/// loom's are made at run time; a model has seats of its own.
#[cfg(gigachat_loom)]
static SEAT: std::sync::LazyLock<Seat<Generation>> = std::sync::LazyLock::new(Seat::empty);

/// Numbers the generations of a process.
static NUMBER: AtomicU64 = AtomicU64::new(1);

/// How long a new I/O thread may take until it serves, where the caller has no shorter limit; on an
/// idle machine it is a millisecond.
const LONGEST_START: Duration = Duration::from_secs(3);
/// One running runtime.
pub struct Generation {
    pub(crate) locals: Arc<Locals>,
    /// The thread on which the program's functions run.
    pub callbacks: Arc<Callbacks>,
    io: Vec<IoThread>,
    /// Whose turn it is.
    turn: AtomicUsize,
    /// Cancels every call when the library shuts down.
    pub(super) cancel_all: CancellationToken,
    /// Lets the I/O threads leave, each of which ends its runtime.
    pub(super) leave: CancellationToken,
    pub(super) tasks: TaskTracker,
    closing: AtomicBool,
    /// To be joined.
    pub(super) io_threads: Mutex<Vec<JoinHandle<()>>>,
}

impl Seated for Generation {
    fn fork(&self) -> u64 {
        self.locals.era.fork
    }

    fn closing(&self) -> &AtomicBool {
        &self.closing
    }

    fn has_died(&self) -> bool {
        self.locals.era.has_died()
    }
}

impl Generation {
    /// The current generation; starts one when there is none of this process.
    pub fn enter() -> Result<Arc<Generation>> {
        Generation::enter_within(LONGEST_START)
    }

    /// The same for a caller who has so much time.
    pub(crate) fn enter_within(limit: Duration) -> Result<Arc<Generation>> {
        let limit = limit.min(LONGEST_START);
        // Looked at only by those who find no generation.
        let begun = std::cell::OnceCell::new();
        let left = || limit.saturating_sub(begun.get_or_init(Instant::now).elapsed());
        let patience = || match left().is_zero() {
            true => Err(not_serving(limit)),
            false => Ok(()),
        };
        let start = || Generation::start(limit, left());
        match SEAT.enter(process::fork_count(), patience, start)? {
            Entrance::Open(generation) => Ok(generation),
            Entrance::Closing => Err(Error::new(
                ErrorKind::Shutdown,
                Phase::Input,
                "the library is shutting down; calls are possible again when that is done",
            )),
        }
    }

    /// The generation of this process, if it has one.
    pub fn current() -> Option<Arc<Generation>> {
        SEAT.current(process::fork_count())
    }

    /// Whether this process uses the library, or is about to.
    pub(super) fn is_in_use() -> bool {
        SEAT.is_taken(process::fork_count())
    }

    /// Asks to end the current generation.
    pub(super) fn leave() -> Exit<'static, Generation> {
        SEAT.leave(process::fork_count())
    }

    /// Whether this generation is not the current one any more.
    pub(super) fn has_left(self: &Arc<Self>) -> bool {
        SEAT.is_left(self)
    }

    /// `limit` is the caller's, `left` what is left of it.
    fn start(limit: Duration, left: Duration) -> Result<Arc<Generation>> {
        process::set_hooks();
        let era = Era {
            fork: process::fork_count(),
            number: NUMBER.fetch_add(1, Ordering::Relaxed),
        };
        let leave = CancellationToken::new();
        let tracker = TaskTracker::new();
        // Of one that died in this place: what it has to call back is called back all the same.
        let callbacks = match Generation::current() {
            Some(dead) => dead.callbacks.clone(),
            None => Callbacks::new(),
        };
        let (io, io_threads) = (0..chosen::io_threads())
            .map(|_| {
                let thread = IoThread::start(leave.clone(), era, tracker.clone(), left)?;
                thread.ok_or_else(|| not_serving(limit))
            })
            .collect::<Result<(Vec<_>, Vec<_>)>>()
            // Those that serve already leave.
            .inspect_err(|_| leave.cancel())?;
        Ok(Arc::new(Generation {
            locals: Arc::new(Locals::new(era)),
            callbacks,
            io,
            turn: AtomicUsize::new(0),
            cancel_all: CancellationToken::new(),
            leave,
            tasks: tracker,
            closing: AtomicBool::new(false),
            io_threads: Mutex::new(io_threads),
        }))
    }

    /// Starts a call. `cancel` ends it, too, beside the call's own cancel. When `limit` has passed
    /// who waits for it looks whether the library's threads still run.
    pub fn start_call<T: Send + 'static>(
        &self,
        cancel: Option<&CancellationToken>,
        limit: Duration,
        work: impl FnOnce(CallContext) -> Work<'static, T>,
    ) -> Call<T> {
        let io = self.next();
        let cell = CallCell::watched(self.locals.era, io.pulse(), limit);
        let call = Call::new(cell.clone());
        let work = work(CallContext::new(self.locals.clone()));
        let others = self.other_cancels(cancel);
        let completer = Completer(cell.clone());
        let sent = self.spawn(io, async move {
            completer.0.take_up();
            let result = guarded(completer.0.cancelled(), others, work).await;
            completer.0.complete(result);
        });
        if !sent {
            cell.complete(Err(death::unfinished(self.locals.era)));
        }
        call
    }

    /// Starts a stream.
    pub fn start_stream(
        &self,
        cancel: Option<&CancellationToken>,
        read_ahead: usize,
        limits: StreamLimits,
        work: impl FnOnce(CallContext, EventSink) -> StreamWork,
    ) -> EventStream {
        let own: Arc<CancelFlag> = Arc::default();
        let io = self.next();
        let pulse = Some((io.pulse(), limits));
        let (sink, stream) = crate::stream::pipe(read_ahead, own.clone(), self.locals.era, pulse);
        let (finisher, ender) = (Finisher(sink.twin(), self.locals.era), sink.twin());
        let work = work(CallContext::new(self.locals.clone()), sink);
        let others = self.other_cancels(cancel);
        let sent = self.spawn(io, async move {
            finisher.0.take_up();
            let end = guarded(own.cancelled(), others, work).await;
            finisher.0.finish(end);
        });
        if !sent {
            ender.finish(Err(death::unfinished(self.locals.era)));
        }
        stream
    }

    fn other_cancels(&self, theirs: Option<&CancellationToken>) -> OtherCancels {
        (self.cancel_all.clone(), theirs.cloned())
    }

    /// The thread whose turn it is to perform a task.
    fn next(&self) -> &IoThread {
        let turn = self.turn.fetch_add(1, Ordering::Relaxed);
        &self.io[turn % self.io.len()]
    }

    /// How many tasks the runtimes have, connections included.
    pub(super) fn alive_tasks(&self) -> usize {
        self.io.iter().map(IoThread::alive_tasks).sum()
    }

    /// Hands a task to a thread; whether that could be woken for it.
    fn spawn(&self, io: &IoThread, task: impl Future<Output = ()> + Send + 'static) -> bool {
        let task = crate::tracing_scope::traced(task);
        io.send(Box::pin(self.tasks.track_future(task)))
    }
}

/// What ends a call beside its own cancel: the shutdown, and the caller's token.
type OtherCancels = (CancellationToken, Option<CancellationToken>);

/// Ends a stream whose task disappears.
struct Finisher(EventSink, Era);

impl Drop for Finisher {
    fn drop(&mut self) {
        self.0.finish(Err(death::unfinished(self.1)));
    }
}

/// A stream's work, owning its sink.
pub type StreamWork = Work<'static, StreamEnd>;

/// Runs work until it ends, panics or is cancelled. When this returns the work is dropped, its
/// connection closing and its permit free.
async fn guarded<T>(
    own: Cancelled<'_>,
    (everyone, theirs): OtherCancels,
    work: Work<'static, T>,
) -> Result<T> {
    let work = AssertUnwindSafe(work).catch_unwind();
    // Together, since they are looked at when one of them fires, not with every step of the work.
    let mut others: FuturesUnordered<_> = std::iter::once(everyone)
        .chain(theirs)
        .map(CancellationToken::cancelled_owned)
        .collect();
    let outcome = tokio::select! {
        biased;
        () = own => return Err(Error::cancelled()),
        Some(()) = others.next() => return Err(Error::cancelled()),
        outcome = work => outcome,
    };
    outcome.unwrap_or_else(|payload| Err(Error::of_panic(&*payload)))
}
