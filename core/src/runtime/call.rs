//! One call and the ways to await it: as a thread, as a future, by a hook.
//!
//! A call ends exactly once: with its result, or as cancelled. Its permit is free before its
//! result can be seen. The state is one mutex and one condition, so that it can be model-checked.

use std::future::Future;
use std::pin::Pin;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::task::{Context, Poll, Waker};
use std::time::{Duration, Instant};

use crate::cancel::{CancelFlag, Cancelled};
use crate::error::{Error, ErrorKind, Phase, Result};
use crate::liveness::{self, Pulse, Vigil, Watched};
use crate::process::Era;
use crate::sync::{Condvar, Mutex, lock};

/// How a call ended, without its result.
pub type Ended = std::result::Result<(), ErrorKind>;

/// Called once when the call has ended; must be quick.
pub type DoneHook = Box<dyn FnOnce(Ended) + Send>;

/// A call that was started. Dropping it cancels it.
pub struct Call<T> {
    cell: Arc<CallCell<T>>,
}

/// What the call and the task that performs it share.
pub struct CallCell<T> {
    state: Mutex<State<T>>,
    ended: Condvar,
    cancel: CancelFlag,
    era: Era,
    /// Of the threads that perform it; none when somebody else does.
    pulse: Option<Arc<Pulse>>,
    /// Whether they have begun.
    taken_up: AtomicBool,
}

struct State<T> {
    stage: Stage<T>,
    waker: Option<Waker>,
    hook: Option<DoneHook>,
    /// Whether a hook was ever set: there is one per call, also after it has run.
    hooked: bool,
    /// Threads that wait; without one a wake-up would be a system call for nothing.
    waiting: usize,
    /// Theirs over the threads of the library.
    vigil: Option<Vigil>,
}

enum Stage<T> {
    Running,
    Ended(Result<T>),
    Taken(Ended),
}

impl<T> CallCell<T> {
    /// The process and runtime that the call was started in.
    pub fn era(&self) -> Era {
        self.era
    }

    /// Waits until the caller wants no result any more.
    pub(crate) fn cancelled(&self) -> Cancelled<'_> {
        self.cancel.cancelled()
    }

    /// A call that runs, begun in `era`, which nothing but its performer ends.
    pub fn new(era: Era) -> Arc<CallCell<T>> {
        CallCell::with(era, None, None)
    }

    /// A call that the threads of this pulse perform. When they have stopped, who waits for longer
    /// than `limit` ends it.
    pub(super) fn watched(era: Era, pulse: Arc<Pulse>, limit: Duration) -> Arc<CallCell<T>> {
        let vigil = Vigil::after(Instant::now(), limit);
        CallCell::with(era, Some(pulse), Some(vigil))
    }

    fn with(era: Era, pulse: Option<Arc<Pulse>>, vigil: Option<Vigil>) -> Arc<CallCell<T>> {
        let state = State {
            stage: Stage::Running,
            waker: None,
            hook: None,
            hooked: false,
            waiting: 0,
            vigil,
        };
        Arc::new(CallCell {
            state: Mutex::new(state),
            ended: Condvar::new(),
            cancel: CancelFlag::default(),
            era,
            pulse,
            taken_up: AtomicBool::new(false),
        })
    }

    /// Notes that the I/O thread has begun it.
    pub(super) fn take_up(&self) {
        self.taken_up.store(true, Ordering::Release);
    }

    fn finds_its_threads_stopped(&self, state: &mut State<T>, now: Instant) -> bool {
        match (&self.pulse, &mut state.vigil) {
            (Some(pulse), Some(vigil)) => vigil.finds_it_stopped(pulse, now),
            _ => false,
        }
    }

    /// Ends a call that its threads will not end.
    fn give_up(&self) {
        let taken_up = self.taken_up.load(Ordering::Acquire);
        self.complete(Err(liveness::stopped(taken_up, Phase::Answer)));
        self.cancel.cancel();
    }

    /// Stores the result, unless the call has ended already, and tells whoever waits.
    pub fn complete(&self, result: Result<T>) {
        let (waited_for, waker, hook) = {
            let mut state = lock(&self.state);
            if !matches!(state.stage, Stage::Running) {
                return;
            }
            let ended = ended(&result);
            state.stage = Stage::Ended(result);
            (
                state.waiting > 0,
                state.waker.take(),
                state.hook.take().map(|hook| (hook, ended)),
            )
        };
        if waited_for {
            self.ended.notify_all();
        }
        if let Some(waker) = waker {
            waker.wake();
        }
        if let Some((hook, ended)) = hook {
            hook(ended);
        }
    }
}

impl<T: Send> Watched for CallCell<T> {
    fn next_look(&self) -> Option<Instant> {
        let state = lock(&self.state);
        let vigil = state.vigil.as_ref();
        vigil
            .filter(|_| matches!(state.stage, Stage::Running))
            .map(Vigil::next_look)
    }

    fn look(&self, now: Instant) {
        let stopped = {
            let mut state = lock(&self.state);
            matches!(state.stage, Stage::Running) && self.finds_its_threads_stopped(&mut state, now)
        };
        if stopped {
            self.give_up();
        }
    }
}

/// The duty to end a call: ends it when the task that performs it disappears, so that nobody
/// waits for ever.
pub struct Completer<T>(pub(crate) Arc<CallCell<T>>);

impl<T> Drop for Completer<T> {
    fn drop(&mut self) {
        self.0.complete(Err(super::death::unfinished(self.0.era)));
    }
}

fn ended<T>(result: &Result<T>) -> Ended {
    result.as_ref().map(drop).map_err(Error::kind)
}

/// What a take finds.
pub enum Taken<T> {
    /// The call runs.
    Running,
    /// The result, which is now the taker's.
    Result(Result<T>),
    /// Somebody took it before.
    Before,
}

impl<T> Call<T> {
    /// The handle on a call; dropping it cancels the call.
    pub fn new(cell: Arc<CallCell<T>>) -> Call<T> {
        Call { cell }
    }

    /// A call that could not be started.
    pub fn failed(error: Error) -> Call<T> {
        let era = Era {
            fork: crate::process::fork_count(),
            number: 0,
        };
        let cell = CallCell::new(era);
        cell.complete(Err(error));
        Call { cell }
    }

    /// The error of a call that could not be started; takes it.
    pub fn started(&self) -> Result<()> {
        match self.cell.era.number {
            0 => self.take().map_or(Ok(()), |failed| failed.map(drop)),
            _ => Ok(()),
        }
    }

    /// Waits until the call has ended, at most `timeout` (`None`: as long as it takes). Returns
    /// whether it has; the call goes on otherwise. A call whose time is over and which the
    /// library's threads cannot end any more is ended here.
    pub fn wait(&self, timeout: Option<Duration>) -> Result<bool> {
        self.check_era()?;
        let give_up = timeout.and_then(|timeout| Instant::now().checked_add(timeout));
        let mut state = lock(&self.cell.state);
        while matches!(state.stage, Stage::Running) {
            let now = Instant::now();
            if self.cell.finds_its_threads_stopped(&mut state, now) {
                drop(state);
                self.cell.give_up();
                return Ok(true);
            }
            let left = give_up.map(|at| at.saturating_duration_since(now));
            if left.is_some_and(|left| left.is_zero()) {
                return Ok(false);
            }
            let look = state.vigil.as_ref().map(Vigil::next_look);
            let look = look.map(|at| at.saturating_duration_since(now));
            let left = left.into_iter().chain(look).min();
            state.waiting += 1;
            state = crate::waiting::wait_on(&self.cell.ended, state, left);
            state.waiting -= 1;
        }
        Ok(true)
    }

    /// The result, once: `None` while the call runs; an error when it was taken before.
    pub fn take(&self) -> Option<Result<T>> {
        match self.take_once() {
            Taken::Running => None,
            Taken::Result(result) => Some(result),
            Taken::Before => Some(Err(already_taken())),
        }
    }

    /// The result, to the first who asks once it is there. Does not wait.
    pub fn take_once(&self) -> Taken<T> {
        if let Err(error) = self.check_era() {
            return Taken::Result(Err(error));
        }
        let mut state = lock(&self.cell.state);
        if matches!(state.stage, Stage::Running) {
            // Who only looks, and never waits, is told, too.
            if !self
                .cell
                .finds_its_threads_stopped(&mut state, Instant::now())
            {
                return Taken::Running;
            }
            drop(state);
            self.cell.give_up();
            state = lock(&self.cell.state);
        }
        match std::mem::replace(&mut state.stage, Stage::Taken(Ok(()))) {
            Stage::Running => {
                state.stage = Stage::Running;
                Taken::Running
            }
            Stage::Ended(result) => {
                state.stage = Stage::Taken(ended(&result));
                Taken::Result(result)
            }
            Stage::Taken(how) => {
                state.stage = Stage::Taken(how);
                Taken::Before
            }
        }
    }

    /// Waits for the result and takes it.
    pub fn join(self) -> Result<T> {
        self.wait(None)?;
        self.take()
            .unwrap_or_else(|| Err(Error::internal("a call that has ended has no result")))
    }

    /// Ends the call as cancelled, unless its result is there already. Returns at once, works
    /// from any thread at any time, any number of times.
    pub fn cancel(&self) {
        if !self.cell.era.is_inherited() {
            self.cell.cancel.cancel();
        }
    }

    /// Whether the call has ended.
    pub fn has_ended(&self) -> bool {
        !matches!(lock(&self.cell.state).stage, Stage::Running)
    }

    /// Sets what is called when the call has ended; at once, when it has. One hook per call:
    /// a second one is given back.
    pub fn on_done(&self, hook: DoneHook) -> std::result::Result<(), DoneHook> {
        let mut state = lock(&self.cell.state);
        if std::mem::replace(&mut state.hooked, true) {
            return Err(hook);
        }
        let how = match &state.stage {
            Stage::Running => {
                state.hook = Some(hook);
                return Ok(());
            }
            Stage::Ended(result) => ended(result),
            Stage::Taken(how) => *how,
        };
        drop(state);
        hook(how);
        Ok(())
    }

    /// The process and runtime that the call was started in.
    pub fn era(&self) -> Era {
        self.cell.era
    }

    /// What a completion queue that it is attached to has to look at.
    pub fn watched(&self) -> Arc<dyn Watched>
    where
        T: Send + 'static,
    {
        self.cell.clone()
    }

    fn check_era(&self) -> Result<()> {
        match self.cell.era.is_inherited() {
            true => Err(crate::error::Error::forked()),
            false => Ok(()),
        }
    }
}

/// The error of a second `take`.
fn already_taken() -> Error {
    Error::new(
        ErrorKind::InvalidRequest,
        Phase::Input,
        "the call's result was taken before",
    )
}

impl<T> Future for Call<T> {
    type Output = Result<T>;

    fn poll(self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<Result<T>> {
        if let Some(result) = self.take() {
            return Poll::Ready(result);
        }
        let mut state = lock(&self.cell.state);
        if matches!(state.stage, Stage::Running) {
            state.waker = Some(context.waker().clone());
            return Poll::Pending;
        }
        drop(state);
        Poll::Ready(self.take().unwrap_or_else(|| Err(already_taken())))
    }
}

impl<T> Drop for Call<T> {
    fn drop(&mut self) {
        self.cancel();
    }
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;
    use std::sync::atomic::{AtomicU32, Ordering};
    use std::time::Duration;

    use super::{Call, CallCell};
    use crate::error::{Error, ErrorKind};
    use crate::process::Era;

    fn call() -> (Arc<CallCell<u32>>, Call<u32>) {
        let cell = CallCell::new(Era::default());
        (cell.clone(), Call::new(cell))
    }

    #[test]
    fn a_call_ends_once_and_its_result_is_taken_once() {
        let (cell, call) = call();
        assert!(!call.wait(Some(Duration::ZERO)).unwrap());
        assert!(call.take().is_none());
        cell.complete(Ok(1));
        cell.complete(Err(Error::cancelled()));
        assert!(call.wait(None).unwrap());
        assert_eq!(call.take().unwrap().unwrap(), 1);
        assert_eq!(
            call.take().unwrap().unwrap_err().kind(),
            ErrorKind::InvalidRequest
        );
    }

    #[test]
    fn a_hook_fires_once_whether_it_comes_before_or_after_the_end() {
        for before in [true, false] {
            let (cell, call) = call();
            let fired = Arc::new(AtomicU32::new(0));
            let count = fired.clone();
            if !before {
                cell.complete(Ok(1));
            }
            let set = call.on_done(Box::new(move |_| {
                count.fetch_add(1, Ordering::SeqCst);
            }));
            assert!(set.is_ok());
            cell.complete(Ok(2));
            assert!(call.on_done(Box::new(|_| ())).is_err());
            assert_eq!(fired.load(Ordering::SeqCst), 1, "before: {before}");
        }
    }

    #[test]
    fn dropping_a_call_cancels_its_work() {
        let (cell, call) = call();
        drop(call);
        assert!(cell.cancel.is_cancelled());
    }
}
