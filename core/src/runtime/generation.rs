//! One generation of the runtime: its I/O threads, its callbacks, its shared state.
//!
//! Which one is current, who starts and who ends it: `seat`. What a forked child inherits it leaks:
//! its drop would hang or break the parent.

use std::future::Future;
use std::panic::AssertUnwindSafe;
use std::pin::Pin;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::thread::JoinHandle;
use std::time::{Duration, Instant};

use futures_util::stream::FuturesUnordered;
use futures_util::{FutureExt, StreamExt};
use tokio::runtime::{Builder, Handle, Runtime};
use tokio::sync::mpsc::{self, UnboundedReceiver, UnboundedSender};
use tokio_util::sync::CancellationToken;
use tokio_util::task::TaskTracker;

use super::call::{Call, CallCell, Completer};
use super::callbacks::Callbacks;
use super::chosen;
use super::death;
use super::seat::{Entrance, Exit, Seat, Seated};
use crate::cancel::{CancelFlag, Cancelled};
use crate::error::{Error, ErrorKind, Phase, Result};
use crate::liveness::{Beat, Pulse, StreamLimits};
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

/// At most this many threads help with what would block the I/O thread.
const MOST_HELPERS: usize = 16;
/// How long a new I/O thread may take until it serves, where the caller has no shorter limit; on an
/// idle machine it is a millisecond.
const LONGEST_START: Duration = Duration::from_secs(3);
/// How often the I/O thread looks up while calls are under way.
const PULSE: Duration = Duration::from_secs(1);
/// Longer than any process lives.
const HELPER_STAYS: Duration = Duration::from_secs(365 * 24 * 3600);

/// One running runtime.
pub struct Generation {
    pub(crate) locals: Arc<Locals>,
    /// The thread on which the program's functions run.
    pub callbacks: Arc<Callbacks>,
    handle: Handle,
    admission: UnboundedSender<Task>,
    /// Of the threads that perform the tasks.
    pulse: Arc<Pulse>,
    /// Cancels every call when the library shuts down.
    pub(super) cancel_all: CancellationToken,
    /// Lets the I/O thread leave, which ends the runtime.
    pub(super) leave: CancellationToken,
    pub(super) tasks: TaskTracker,
    closing: AtomicBool,
    pub(super) io_thread: Mutex<Option<JoinHandle<()>>>,
}

impl Seated for Generation {
    fn fork(&self) -> u64 {
        self.locals.era.fork
    }

    fn closing(&self) -> &AtomicBool {
        &self.closing
    }

    fn has_died(&self) -> bool {
        death::has_come(self.locals.era)
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
        let (admission, tasks) = mpsc::unbounded_channel();
        let tracker = TaskTracker::new();
        // Of one that died in this place: what it has to call back is called back all the same.
        let callbacks = match Generation::current() {
            Some(dead) => dead.callbacks.clone(),
            None => Callbacks::new(),
        };
        let (handle, io_thread) = start_io(leave.clone(), era, tasks, tracker.clone(), left)?
            .ok_or_else(|| not_serving(limit))?;
        Ok(Arc::new(Generation {
            locals: Arc::new(Locals::new(era)),
            callbacks,
            handle,
            pulse: pulse_of(era, admission.clone()),
            admission,
            cancel_all: CancellationToken::new(),
            leave,
            tasks: tracker,
            closing: AtomicBool::new(false),
            io_thread: Mutex::new(Some(io_thread)),
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
        let cell = CallCell::watched(self.locals.era, self.pulse.clone(), limit);
        let call = Call::new(cell.clone());
        let work = work(CallContext::new(self.locals.clone()));
        let others = self.other_cancels(cancel);
        let completer = Completer(cell.clone());
        let sent = self.spawn(async move {
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
        let pulse = Some((self.pulse.clone(), limits));
        let (sink, stream) = crate::stream::pipe(read_ahead, own.clone(), self.locals.era, pulse);
        let (finisher, ender) = (Finisher(sink.twin(), self.locals.era), sink.twin());
        let work = work(CallContext::new(self.locals.clone()), sink);
        let others = self.other_cancels(cancel);
        let sent = self.spawn(async move {
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

    /// How many tasks the runtime has, connections included.
    pub(super) fn alive_tasks(&self) -> usize {
        self.handle.metrics().num_alive_tasks()
    }

    /// Hands a task over; whether the I/O thread could be woken for it.
    fn spawn(&self, task: impl Future<Output = ()> + Send + 'static) -> bool {
        let task = crate::tracing_scope::traced(task);
        let task = Box::pin(self.tasks.track_future(task));
        // Fails when the runtime is gone: the task is dropped, which completes its call. tokio
        // panics when the descriptor by which it wakes the thread is not there any more.
        let send = AssertUnwindSafe(|| drop(self.admission.send(task)));
        let sent = std::panic::catch_unwind(send).is_ok();
        if !sent {
            death::note(self.locals.era);
        }
        sent
    }
}

/// Questions to the threads of a generation go the way of its tasks.
fn pulse_of(era: Era, admission: UnboundedSender<Task>) -> Arc<Pulse> {
    Pulse::new(move |beat: Beat| {
        let answer = Box::pin(async move { beat.answer() });
        // As in `spawn`.
        let send = AssertUnwindSafe(|| drop(admission.send(answer)));
        if std::panic::catch_unwind(send).is_err() {
            death::note(era);
        }
    })
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

/// A call's or stream's whole work, on its way to the I/O thread.
type Task = Pin<Box<dyn Future<Output = ()> + Send>>;

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

/// Spawns the tasks that come from other threads. Many that come at once cost one wake-up of the
/// I/O thread; each spawned from outside would cost a system call of its own.
///
/// While there are any it looks up now and then: a thread that waits for descriptors which the
/// program has closed is told of nothing. Returns whether all went well.
async fn admit(
    mut tasks: UnboundedReceiver<Task>,
    alive: TaskTracker,
    canary: &process::Canary,
) -> bool {
    loop {
        let next = match alive.is_empty() {
            true => tasks.recv().await,
            false => match tokio::time::timeout(PULSE, tasks.recv()).await {
                Ok(next) => next,
                Err(_) if canary.is_there() => continue,
                Err(_) => return false,
            },
        };
        match next {
            Some(task) => drop(tokio::spawn(task)),
            None => return true,
        }
    }
}

/// Ends a runtime whose I/O has failed, so that what it had under way ends, too. It would close
/// descriptors that are the program's by now: so it closes them in a table of this thread's own.
fn bury(runtime: Runtime, era: Era) {
    death::note(era);
    tracing::error!(target: "gigachat::runtime", "the library's I/O has failed; the next call starts it anew");
    match process::take_descriptors_apart() {
        true => {
            let end = AssertUnwindSafe(|| runtime.shutdown_timeout(Duration::from_millis(500)));
            // A panic was logged when it happened; nothing is left to be done about it.
            let _ = std::panic::catch_unwind(end);
        }
        false => std::mem::forget(runtime),
    }
}

/// Starts the thread that owns the runtime and ends with it; none when it does not serve in time. The runtime is built there, not
/// here: building one leaves a thread-local behind, which a leak checker finds on a thread that
/// is the program's.
fn start_io(
    leave: CancellationToken,
    era: Era,
    tasks: UnboundedReceiver<Task>,
    alive: TaskTracker,
    limit: Duration,
) -> Result<Option<(Handle, JoinHandle<()>)>> {
    let cell = CallCell::new(era);
    let built = Call::new(cell.clone());
    let completer = Completer(cell);
    let serve = move || {
        chosen::thread_started();
        let canary = Arc::new(process::Canary::of_now());
        match build_runtime(&canary) {
            Ok(runtime) => {
                let handle = runtime.handle().clone();
                let served = std::panic::catch_unwind(AssertUnwindSafe(|| {
                    runtime.block_on(async {
                        // Not before: until here the thread could be held up, see `not_serving`.
                        completer.0.complete(Ok(handle));
                        tokio::select! {
                            () = leave.cancelled() => true,
                            well = admit(tasks, alive, &canary) => well,
                        }
                    })
                }));
                match served {
                    // A name look-up can be stuck in libc; it must not hold up the shutdown.
                    Ok(true) if canary.is_there() => {
                        runtime.shutdown_timeout(Duration::from_millis(500))
                    }
                    Ok(_) | Err(_) => bury(runtime, era),
                }
            }
            Err(error) => completer.0.complete(Err(error)),
        }
        chosen::thread_stopping();
    };
    let builder = std::thread::Builder::new().name("gigachat-io".to_owned());
    let thread = process::with_hosts_signals_blocked(|| builder.spawn(serve))
        .map_err(|why| no_thread(&why))?;
    match built.wait(Some(limit))? {
        true => Ok(Some((built.join()?, thread))),
        // Nobody joins it. When it comes to serve it finds nobody to serve, and leaves.
        false => Ok(None),
    }
}

/// The error of an I/O thread that hangs at its start. A new thread registers its thread-local
/// destructors with the C library, which takes the dynamic loader's lock for that.
fn not_serving(limit: Duration) -> Error {
    let text = format!(
        "the library's I/O thread did not begin to serve within {} ms; most likely this call is made \
         by a constructor or an initializer of a shared object, under the dynamic loader's lock, for \
         which a new thread has to wait: make the first call after that, or run one before the object \
         is loaded; a thread-start hook that does not return is the other cause",
        limit.as_millis()
    );
    Error::new(ErrorKind::Timeout, Phase::Start, text).with_retryable(true)
}

/// tokio panics when there is no thread to be had; that is a status here. The first helper thread
/// (for name look-ups, files) is started at once and stays: when no more can be had, work waits
/// for it, while without any tokio would panic in the middle of a call.
fn build_runtime(canary: &Arc<process::Canary>) -> Result<Runtime> {
    let threads = chosen::io_threads();
    let build = || {
        let mut builder = match threads {
            1 => Builder::new_current_thread(),
            _ => Builder::new_multi_thread(),
        };
        let runtime = builder
            .worker_threads(threads)
            .max_blocking_threads(MOST_HELPERS)
            .thread_keep_alive(HELPER_STAYS)
            .thread_name("gigachat-io")
            .on_thread_start(chosen::thread_started)
            .on_thread_stop(chosen::thread_stopping)
            // Before: tokio panics and closes its own when they are gone. After: what wakes up then
            // would close its connections, whose numbers can be the program's by now.
            .on_thread_park(look_after(canary))
            .on_thread_unpark(look_after(canary))
            .enable_io()
            .enable_time()
            .build()?;
        drop(runtime.spawn_blocking(|| ()));
        Ok(runtime)
    };
    // tokio panics without a thread. Not logged: a record would wait for the generation that is
    // being started. The error says it.
    crate::tracing_scope::silently(|| std::panic::catch_unwind(AssertUnwindSafe(build)))
        .unwrap_or_else(|_| Err(std::io::Error::other("no thread to be had")))
        .map_err(|why| no_thread(&why))
}

/// Keeps a thread of the runtime from closing descriptors that are not its own any more.
fn look_after(canary: &Arc<process::Canary>) -> impl Fn() + Send + Sync + 'static {
    let canary = canary.clone();
    move || {
        if !canary.is_there() {
            process::take_descriptors_apart();
        }
    }
}

fn no_thread(why: &std::io::Error) -> Error {
    let text = format!(
        "the library's runtime cannot be started: {why}; this process may be out of threads, memory or \
         descriptors: end some, or raise its limits (ulimit -u, -v, -n)"
    );
    Error::new(ErrorKind::Internal, Phase::Start, text).with_retryable(true)
}
