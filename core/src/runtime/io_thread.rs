//! One thread that performs calls, with a runtime of its own, and how it ends: in good order, or
//! because the program closed its descriptors.
//!
//! Several of them are several runtimes of one thread each, never one of several threads: of the
//! latter nobody can say which of its threads still drives the I/O once descriptors are gone.

use std::panic::AssertUnwindSafe;
use std::pin::Pin;
use std::sync::Arc;
use std::thread::JoinHandle;
use std::time::Duration;

use tokio::runtime::{Builder, Handle, Runtime};
use tokio::sync::mpsc::{self, UnboundedReceiver, UnboundedSender};
use tokio_util::sync::CancellationToken;
use tokio_util::task::TaskTracker;

use super::call::{Call, CallCell, Completer};
use super::chosen;
use crate::error::{Error, ErrorKind, Phase, Result};
use crate::liveness::{Beat, Pulse};
use crate::process::{self, Era};

/// At most this many threads help with what would block the I/O thread.
const MOST_HELPERS: usize = 16;
/// How often the I/O thread looks up while calls are under way.
const PULSE: Duration = Duration::from_secs(1);
/// Longer than any process lives.
const HELPER_STAYS: Duration = Duration::from_secs(365 * 24 * 3600);

/// A call's or stream's whole work, on its way to the I/O thread.
pub(super) type Task = Pin<Box<dyn Future<Output = ()> + Send>>;

/// A thread that performs calls.
pub(super) struct IoThread {
    handle: Handle,
    admission: UnboundedSender<Task>,
    pulse: Arc<Pulse>,
    era: Era,
}

impl IoThread {
    /// Starts a thread that owns a runtime and ends with it; none when it does not serve in time.
    /// `alive` are the generation's tasks, `leave` ends it.
    pub(super) fn start(
        leave: CancellationToken,
        era: Era,
        alive: TaskTracker,
        limit: Duration,
    ) -> Result<Option<(IoThread, JoinHandle<()>)>> {
        let (admission, tasks) = mpsc::unbounded_channel();
        let started = start_io(leave, era, tasks, alive, limit)?;
        Ok(started.map(|(handle, thread)| {
            let pulse = pulse_of(era, admission.clone());
            let io = IoThread {
                handle,
                admission,
                pulse,
                era,
            };
            (io, thread)
        }))
    }

    /// Of this thread.
    pub(super) fn pulse(&self) -> Arc<Pulse> {
        self.pulse.clone()
    }

    pub(super) fn alive_tasks(&self) -> usize {
        self.handle.metrics().num_alive_tasks()
    }

    /// Hands a task over; whether the thread could be woken for it.
    pub(super) fn send(&self, task: Task) -> bool {
        send(&self.admission, task, self.era)
    }
}

/// Fails when the runtime is gone: the task is dropped, which completes its call. tokio panics when
/// the descriptor by which it wakes the thread is not there any more.
fn send(admission: &UnboundedSender<Task>, task: Task, era: Era) -> bool {
    let send = AssertUnwindSafe(|| drop(admission.send(task)));
    let sent = std::panic::catch_unwind(send).is_ok();
    if !sent {
        era.note_death();
    }
    sent
}

/// Questions to the thread go the way of its tasks.
fn pulse_of(era: Era, admission: UnboundedSender<Task>) -> Arc<Pulse> {
    Pulse::new(move |beat: Beat| {
        send(&admission, Box::pin(async move { beat.answer() }), era);
    })
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
    era.note_death();
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

/// The runtime is built on its thread, not here: building one leaves a thread-local behind, which a
/// leak checker finds on a thread that is the program's.
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
        process::look_after_descriptors(&canary);
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
pub(super) fn not_serving(limit: Duration) -> Error {
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
    let build = || {
        let runtime = Builder::new_current_thread()
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
