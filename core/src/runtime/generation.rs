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
use std::time::Duration;

use futures_util::stream::FuturesUnordered;
use futures_util::{FutureExt, StreamExt};
use tokio::runtime::{Builder, Handle, Runtime};
use tokio::sync::mpsc::{self, UnboundedReceiver, UnboundedSender};
use tokio_util::sync::CancellationToken;
use tokio_util::task::TaskTracker;

use super::call::{Call, CallCell, Completer};
use super::callbacks::Callbacks;
use super::seat::{Entrance, Exit, Seat, Seated};
use super::settings;
use crate::cancel::{CancelFlag, Cancelled};
use crate::error::{Error, ErrorKind, Phase, Result};
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
/// How long a new I/O thread may take until it serves; on an idle machine it is a millisecond.
const LONGEST_START: Duration = Duration::from_secs(3);
/// Longer than any process lives.
const HELPER_STAYS: Duration = Duration::from_secs(365 * 24 * 3600);

/// One running runtime.
pub struct Generation {
    pub(crate) locals: Arc<Locals>,
    /// The thread on which the program's functions run.
    pub callbacks: Arc<Callbacks>,
    handle: Handle,
    admission: UnboundedSender<Task>,
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
}

impl Generation {
    /// The current generation; starts one when there is none of this process.
    pub fn enter() -> Result<Arc<Generation>> {
        match SEAT.enter(process::fork_count(), Generation::start)? {
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

    fn start() -> Result<Arc<Generation>> {
        process::set_hooks();
        let era = Era {
            fork: process::fork_count(),
            number: NUMBER.fetch_add(1, Ordering::Relaxed),
        };
        let leave = CancellationToken::new();
        let (admission, tasks) = mpsc::unbounded_channel();
        let (handle, io_thread) = start_io(leave.clone(), era, tasks)?;
        Ok(Arc::new(Generation {
            locals: Arc::new(Locals::new(era)),
            callbacks: Callbacks::new(),
            handle,
            admission,
            cancel_all: CancellationToken::new(),
            leave,
            tasks: TaskTracker::new(),
            closing: AtomicBool::new(false),
            io_thread: Mutex::new(Some(io_thread)),
        }))
    }

    /// Starts a call. `cancel` ends it, too, beside the call's own cancel.
    pub fn start_call<T: Send + 'static>(
        &self,
        cancel: Option<&CancellationToken>,
        work: impl FnOnce(CallContext) -> Work<'static, T>,
    ) -> Call<T> {
        let cell = CallCell::new(self.locals.era);
        let call = Call::new(cell.clone());
        let work = work(CallContext::new(self.locals.clone()));
        let others = self.other_cancels(cancel);
        let completer = Completer(cell);
        self.spawn(async move {
            let result = guarded(completer.0.cancelled(), others, work).await;
            completer.0.complete(result);
        });
        call
    }

    /// Starts a stream.
    pub fn start_stream(
        &self,
        cancel: Option<&CancellationToken>,
        read_ahead: usize,
        work: impl FnOnce(CallContext, EventSink) -> StreamWork,
    ) -> EventStream {
        let own: Arc<CancelFlag> = Arc::default();
        let (sink, stream) = crate::stream::pipe(read_ahead, own.clone(), self.locals.era);
        let finisher = Finisher(sink.twin());
        let work = work(CallContext::new(self.locals.clone()), sink);
        let others = self.other_cancels(cancel);
        self.spawn(async move {
            let end = guarded(own.cancelled(), others, work).await;
            finisher.0.finish(end);
        });
        stream
    }

    fn other_cancels(&self, theirs: Option<&CancellationToken>) -> OtherCancels {
        (self.cancel_all.clone(), theirs.cloned())
    }

    /// How many tasks the runtime has, connections included.
    pub(super) fn alive_tasks(&self) -> usize {
        self.handle.metrics().num_alive_tasks()
    }

    fn spawn(&self, task: impl Future<Output = ()> + Send + 'static) {
        let task = crate::tracing_scope::traced(task);
        // Fails when the runtime is gone: the task is dropped, which completes its call.
        drop(self.admission.send(Box::pin(self.tasks.track_future(task))));
    }
}

/// What ends a call beside its own cancel: the shutdown, and the caller's token.
type OtherCancels = (CancellationToken, Option<CancellationToken>);

/// Ends a stream whose task disappears.
struct Finisher(EventSink);

impl Drop for Finisher {
    fn drop(&mut self) {
        self.0.finish(Err(crate::error::Error::shut_down()));
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
async fn admit(mut tasks: UnboundedReceiver<Task>) {
    while let Some(task) = tasks.recv().await {
        tokio::spawn(task);
    }
}

/// Starts the thread that owns the runtime and ends with it. The runtime is built there, not
/// here: building one leaves a thread-local behind, which a leak checker finds on a thread that
/// is the program's.
fn start_io(
    leave: CancellationToken,
    era: Era,
    tasks: UnboundedReceiver<Task>,
) -> Result<(Handle, JoinHandle<()>)> {
    let cell = CallCell::new(era);
    let built = Call::new(cell.clone());
    let completer = Completer(cell);
    let serve = move || {
        settings::thread_started();
        match build_runtime() {
            Ok(runtime) => {
                let handle = runtime.handle().clone();
                runtime.block_on(async {
                    // Not before: until here the thread could be held up, see `not_serving`.
                    completer.0.complete(Ok(handle));
                    tokio::select! {
                        () = leave.cancelled() => {}
                        () = admit(tasks) => {}
                    }
                });
                // A name look-up can be stuck in libc; it must not hold up the shutdown.
                runtime.shutdown_timeout(Duration::from_millis(500));
            }
            Err(error) => completer.0.complete(Err(error)),
        }
        settings::thread_stopping();
    };
    let builder = std::thread::Builder::new().name("gigachat-io".to_owned());
    let thread = process::with_hosts_signals_blocked(|| builder.spawn(serve))
        .map_err(|why| no_thread(&why))?;
    match built.wait(Some(LONGEST_START))? {
        true => Ok((built.join()?, thread)),
        // Nobody joins it. When it comes to serve it finds nobody to serve, and leaves.
        false => Err(not_serving()),
    }
}

/// The error of an I/O thread that hangs at its start. A new thread registers its thread-local
/// destructors with the C library, which takes the dynamic loader's lock for that.
fn not_serving() -> Error {
    let text = format!(
        "the library's I/O thread did not begin to serve within {} s; most likely this call is made \
         by a constructor or an initializer of a shared object, under the dynamic loader's lock, for \
         which a new thread has to wait: make the first call after that, or run one before the object \
         is loaded; a thread-start hook that does not return is the other cause",
        LONGEST_START.as_secs()
    );
    Error::new(ErrorKind::Timeout, Phase::Input, text).with_retryable(true)
}

/// tokio panics when there is no thread to be had; that is a status here. The first helper thread
/// (for name look-ups, files) is started at once and stays: when no more can be had, work waits
/// for it, while without any tokio would panic in the middle of a call.
fn build_runtime() -> Result<Runtime> {
    let threads = settings::io_threads();
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
            .on_thread_start(settings::thread_started)
            .on_thread_stop(settings::thread_stopping)
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

fn no_thread(why: &std::io::Error) -> Error {
    Error::internal(format!("the library's runtime cannot be started: {why}; the process may be out of threads or descriptors"))
        .with_retryable(true)
}
