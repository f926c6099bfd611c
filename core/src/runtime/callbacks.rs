//! The thread on which a program's functions run: completion callbacks, destroy hooks, log
//! callbacks. Never a worker of the runtime: a blocking call, a free or an exception there would
//! abort the process (measured: M10, M11 of the design's experiments).
//!
//! While a callback blocks inside the library, a spare thread serves the others, so that one
//! callback may wait for what another one does. A callback that blocks elsewhere delays the rest.

use std::cell::RefCell;
use std::collections::VecDeque;
use std::sync::Arc;
use std::thread::{JoinHandle, ThreadId};
use std::time::Instant;

use super::chosen;
use crate::process;
use crate::sync::{Condvar, Mutex, lock};
use crate::waiting::{self, Observer};

/// A function of the program's, with what it needs.
pub type Job = Box<dyn FnOnce() + Send>;

/// At most this many threads serve callbacks, spare ones included.
const MOST_THREADS: usize = 8;
/// The queue of one generation.
pub struct Callbacks {
    state: Mutex<State>,
    changed: Condvar,
    /// The fork counter at its start.
    fork: u64,
}

#[derive(Default)]
struct State {
    jobs: VecDeque<Job>,
    threads: usize,
    /// Threads whose callback waits inside the library.
    blocked: usize,
    idle: usize,
    stopping: bool,
    handles: Vec<JoinHandle<()>>,
}

thread_local! {
    static SERVING: RefCell<Option<Serving>> = const { RefCell::new(None) };
}

/// The callbacks that a thread serves. Still there when the thread's own data is destroyed only if
/// a callback has ended the thread (`pthread_exit`), so that another takes its place; or if it
/// called `exit`, and its frames are still there.
struct Serving {
    callbacks: Arc<Callbacks>,
    ends_orderly: bool,
    /// What is left to be done when a callback has ended the thread.
    at_loss: Option<Job>,
    /// Where the stack was when it began.
    stack: usize,
    thread: ThreadId,
}

/// Further than the stack reaches while a thread's own data is destroyed at its end.
type Depth = std::mem::MaybeUninit<[u8; 4096]>;

impl Serving {
    /// Notes that this thread serves `callbacks` from now on, in frames below `depth`.
    fn begin(callbacks: &Arc<Callbacks>, depth: &Depth) {
        let serving = Serving {
            callbacks: callbacks.clone(),
            ends_orderly: false,
            at_loss: None,
            thread: std::thread::current().id(),
            stack: std::ptr::from_ref(std::hint::black_box(depth)).addr(),
        };
        SERVING.set(Some(serving));
        waiting::observe(Some(callbacks.clone()));
    }

    /// Notes that it serves none any more.
    fn end() {
        if let Some(mut serving) = SERVING.take() {
            serving.ends_orderly = true;
        }
        waiting::observe(None);
    }
}

impl Drop for Serving {
    fn drop(&mut self) {
        let here = 0u8;
        let frames_are_gone = std::ptr::from_ref(std::hint::black_box(&here)).addr() > self.stack;
        if !self.ends_orderly && frames_are_gone && !self.callbacks.is_inherited() {
            process::running_function_ended_its_thread();
            if let Some(at_loss) = self.at_loss.take() {
                at_loss();
            }
            self.callbacks.lose(self.thread);
        }
    }
}

/// The callbacks that this thread serves. None, too, when its thread-locals are gone already (at
/// exit they are destroyed before exit hooks and static destructors run), and in a child that was
/// forked by a callback: there it is an ordinary thread.
fn served_here() -> Option<Arc<Callbacks>> {
    SERVING
        .try_with(|serving| Some(serving.borrow().as_ref()?.callbacks.clone()))
        .ok()
        .flatten()
        .filter(|callbacks| !callbacks.is_inherited())
}

/// Whether this thread runs callbacks.
pub fn on_callback_thread() -> bool {
    served_here().is_some()
}

/// Runs `call`, a call into the program; `at_loss`, if that ends the thread.
pub(super) fn minding_its_thread(at_loss: impl FnOnce() + Send + 'static, call: impl FnOnce()) {
    let set = |at_loss: Option<Job>| {
        // On no callback thread there is nobody to do it.
        let _ = SERVING.try_with(|serving| {
            if let Some(serving) = serving.borrow_mut().as_mut() {
                serving.at_loss = at_loss;
            }
        });
    };
    set(Some(Box::new(at_loss)));
    call();
    set(None);
}

impl Callbacks {
    pub(super) fn new() -> Arc<Callbacks> {
        Arc::new(Callbacks {
            state: Mutex::default(),
            changed: Condvar::new(),
            fork: process::fork_count(),
        })
    }

    fn is_inherited(&self) -> bool {
        self.fork != process::fork_count()
    }

    /// Queues a job. The first one starts the thread. When no thread can be had the job waits
    /// for one that serves, or for the shutdown, which runs it.
    pub fn post(self: &Arc<Self>, job: Job) {
        let mut state = lock(&self.state);
        state.jobs.push_back(job);
        self.ensure_thread(&mut state);
        drop(state);
        self.changed.notify_one();
    }

    /// Starts a thread when all that exist are blocked and there is work.
    fn ensure_thread(self: &Arc<Self>, state: &mut State) {
        let serving = state.threads - state.blocked;
        if state.jobs.is_empty() || serving > 0 || state.threads == MOST_THREADS {
            return;
        }
        let callbacks = self.clone();
        let builder = std::thread::Builder::new()
            .name("gigachat-call".to_owned())
            .stack_size(chosen::callback_stack_size());
        let started =
            process::with_hosts_signals_blocked(|| builder.spawn(move || callbacks.serve()));
        if let Ok(handle) = started {
            state.threads += 1;
            state.handles.retain(|spare| !spare.is_finished());
            state.handles.push(handle);
        }
    }

    fn serve(self: Arc<Self>) {
        chosen::thread_started();
        let depth = Depth::uninit();
        Serving::begin(&self, &depth);
        while let Some(job) = self.next_job() {
            run(job);
            if self.is_inherited() {
                return; // the callback forked, and this is the child
            }
        }
        Serving::end();
        chosen::thread_stopping();
        let mut state = lock(&self.state);
        state.threads -= 1;
        drop(state);
        self.changed.notify_all();
    }

    /// A callback has ended the thread that ran it: what is queued needs another.
    fn lose(self: &Arc<Self>, thread: ThreadId) {
        let mut state = lock(&self.state);
        state.threads -= 1;
        // It has left no result to be joined for.
        state
            .handles
            .retain(|handle| handle.thread().id() != thread);
        self.ensure_thread(&mut state);
        drop(state);
        self.changed.notify_all();
    }

    /// The next job; `None` when this thread is not needed any more.
    fn next_job(&self) -> Option<Job> {
        let mut state = lock(&self.state);
        loop {
            let spare = state.threads - state.blocked > 1;
            if spare && state.idle > 0 {
                return None;
            }
            if let Some(job) = state.jobs.pop_front() {
                return Some(job);
            }
            if state.stopping || spare {
                return None;
            }
            state.idle += 1;
            state = self
                .changed
                .wait(state)
                .unwrap_or_else(|poisoned| poisoned.into_inner());
            state.idle -= 1;
        }
    }

    /// Has the threads end when nothing is queued any more, without waiting for that.
    pub(super) fn end_when_idle(&self) {
        lock(&self.state).stopping = true;
        self.changed.notify_all();
    }

    /// Runs what is queued, then ends the threads; waits until `deadline`. Returns whether all
    /// have ended. Jobs that no thread could be had for run here.
    pub(super) fn stop(self: &Arc<Self>, deadline: Instant) -> bool {
        let mut state = lock(&self.state);
        state.stopping = true;
        self.changed.notify_all();
        loop {
            if state.threads == 0 {
                let Some(job) = state.jobs.pop_front() else {
                    let handles = std::mem::take(&mut state.handles);
                    drop(state);
                    // All have left; a panic in a job was caught there.
                    handles.into_iter().for_each(|handle| drop(handle.join()));
                    return true;
                };
                state.threads += 1;
                drop(state);
                let depth = Depth::uninit();
                Serving::begin(self, &depth);
                run(job);
                Serving::end();
                state = lock(&self.state);
                state.threads -= 1;
                continue;
            }
            let left = deadline.saturating_duration_since(Instant::now());
            if left.is_zero() {
                return false;
            }
            state = match self.changed.wait_timeout(state, left) {
                Ok((state, _)) => state,
                Err(poisoned) => poisoned.into_inner().0,
            };
        }
    }
}

/// Runs one job. A panic in it ends that job only. After `exit` has begun none is started; its
/// captured values are leaked, since their destroy hooks are the program's code too.
fn run(job: Job) {
    let _running = process::Running::begin();
    if process::exiting() {
        std::mem::forget(job);
    } else if std::panic::catch_unwind(std::panic::AssertUnwindSafe(job)).is_err() {
        tracing::error!(target: "gigachat::callbacks", "a callback panicked");
    }
}

/// While a callback of this thread waits inside the library, a spare thread serves the others.
impl Observer for Callbacks {
    fn begins(self: Arc<Self>) -> bool {
        if self.is_inherited() {
            return false;
        }
        let mut state = lock(&self.state);
        state.blocked += 1;
        self.ensure_thread(&mut state);
        true
    }

    fn ends(&self) {
        lock(&self.state).blocked -= 1;
    }
}

#[cfg(test)]
mod tests {
    use std::sync::mpsc;
    use std::time::{Duration, Instant};

    use super::Callbacks;
    use crate::sync::{Condvar, Mutex, lock};
    use crate::waiting::wait_on;

    const BOUND: Duration = Duration::from_secs(10);

    #[test]
    fn jobs_run_in_their_order_on_one_thread_and_all_run_before_the_stop() {
        let callbacks = Callbacks::new();
        let (sender, receiver) = mpsc::channel();
        for number in 0..100 {
            let sender = sender.clone();
            callbacks.post(Box::new(move || {
                sender.send((number, std::thread::current().id())).unwrap();
            }));
        }
        assert!(callbacks.stop(Instant::now() + BOUND));
        let seen: Vec<_> = receiver.try_iter().collect();
        assert!(seen.iter().map(|(number, _)| *number).eq(0..100));
        assert!(seen.iter().all(|(_, thread)| *thread == seen[0].1));
    }

    #[test]
    fn a_callback_that_waits_inside_the_library_does_not_stop_the_others() {
        let callbacks = Callbacks::new();
        let (sender, receiver) = mpsc::channel();
        let (done, finished) = mpsc::channel();
        callbacks.post(Box::new(move || {
            let (never, condition) = (Mutex::new(()), Condvar::new());
            let deadline = Instant::now() + BOUND;
            let mut heard = false;
            while !heard && Instant::now() < deadline {
                drop(wait_on(
                    &condition,
                    lock(&never),
                    Some(Duration::from_millis(10)),
                ));
                heard = receiver.try_recv().is_ok();
            }
            done.send(heard).unwrap();
        }));
        callbacks.post(Box::new(move || sender.send(()).unwrap()));
        assert!(
            finished.recv_timeout(BOUND).unwrap(),
            "the second callback ran while the first waited"
        );
        assert!(callbacks.stop(Instant::now() + BOUND));
    }

    #[test]
    fn a_panic_in_a_callback_ends_that_callback_only() {
        let callbacks = Callbacks::new();
        let (sender, receiver) = mpsc::channel();
        callbacks.post(Box::new(|| panic!("provoked")));
        callbacks.post(Box::new(move || sender.send(()).unwrap()));
        receiver
            .recv_timeout(BOUND)
            .expect("the next callback runs");
        assert!(callbacks.stop(Instant::now() + BOUND));
    }
}
