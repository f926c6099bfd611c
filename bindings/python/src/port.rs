//! `Port`: where one event loop receives the results of its calls.
//!
//! The library's thread pushes the number of what has ended and, when the queue was empty, makes
//! the port's descriptor readable at the end of its round; the loop watches it and calls `drain`
//! on its own thread, which delivers everything that is ready at once. Numbers are never used
//! again, so a result that nobody waits for any more finds nobody. Python objects live in
//! `waiting`, which only the loop's thread touches.
//!
//! Readers of streams are woken by a callback of their own that serves all of them, since their
//! tasks go on within it: they can run the loop anew (as `nest_asyncio` does), which enters no
//! callback twice, and shall find the other readers' turn still to come.

use std::collections::{HashMap, VecDeque};
use std::sync::atomic::{AtomicU64, AtomicUsize, Ordering};
use std::sync::{Arc, Condvar, Mutex, PoisonError};
use std::time::{Duration, Instant};

use gigachat::binding::{Descriptor, Signal};
use gigachat::{Call, binding};
use pyo3::exceptions::{PyException, PyOSError};
use pyo3::intern;
use pyo3::prelude::*;

use crate::arrival::Arrival;
use crate::errors::to_python;
use crate::logs;
use crate::sync::lock;

/// How long a loop is left alone after it was woken, when nothing but streams have something for
/// it: what arrives meanwhile is read in one go. A chunk that arrives alone is not delayed.
const PAUSE: Duration = Duration::from_millis(1);

/// The half of a port that the library's threads know.
pub(crate) struct Queue {
    ready: Mutex<Ready>,
    arrived: Condvar,
    /// Threads that wait for `arrived`; without one a notification is a system call for nothing.
    watching: AtomicUsize,
    wake: Descriptor,
}

/// What a loop's thread is to do, told by a thread of the library. It owns no Python objects.
pub(crate) type Notice = Box<dyn FnOnce(Python<'_>) -> PyResult<()> + Send>;

#[derive(Default)]
struct Ready {
    /// Told before `numbers` are delivered: how a call's attempts went is known before its result.
    notices: Vec<Notice>,
    numbers: Vec<u64>,
    due: Due,
    woken: Option<Instant>,
}

impl Ready {
    fn is_empty(&self) -> bool {
        self.notices.is_empty() && self.numbers.is_empty()
    }
}

/// When the loop is to be told of what is ready.
#[derive(Clone, Copy, Default, PartialEq)]
enum Due {
    #[default]
    Never,
    AfterPause,
    AfterRound,
}

impl Queue {
    /// Says that what has this number is ready. The loop is told when the library's thread has
    /// done what it has at hand: what ends together wakes it once.
    pub(crate) fn push(self: &Arc<Self>, number: u64) {
        self.add(|ready| ready.numbers.push(number));
    }

    /// Has the loop's thread do this, in the order in which it is told.
    pub(crate) fn tell(self: &Arc<Self>, notice: Notice) {
        self.add(|ready| ready.notices.push(notice));
    }

    fn add(self: &Arc<Self>, add: impl FnOnce(&mut Ready)) {
        let mut ready = lock(&self.ready);
        add(&mut ready);
        if std::mem::replace(&mut ready.due, Due::AfterRound) != Due::AfterRound {
            drop(ready);
            binding::after_this_round(WakeUp(self.clone()));
        }
    }

    /// The same for the reader of a stream, who can wait for the end of the pause.
    pub(crate) fn push_arrival(self: &Arc<Self>, number: u64) {
        let mut ready = lock(&self.ready);
        ready.numbers.push(number);
        if ready.due != Due::Never {
            return;
        }
        let pause = ready
            .woken
            .map_or(Duration::ZERO, |at| PAUSE.saturating_sub(at.elapsed()));
        ready.due = match pause.is_zero() {
            true => Due::AfterRound,
            false => Due::AfterPause,
        };
        drop(ready);
        match pause.is_zero() {
            true => binding::after_this_round(WakeUp(self.clone())),
            false => binding::after(pause, WakeUp(self.clone())),
        }
    }

    /// What is ready, to be delivered.
    fn take(&self) -> (Vec<Notice>, Vec<u64>) {
        let mut ready = lock(&self.ready);
        ready.due = Due::Never;
        let notices = std::mem::take(&mut ready.notices);
        (notices, std::mem::take(&mut ready.numbers))
    }

    fn wake(&self) {
        let is_watched = {
            let mut ready = lock(&self.ready);
            if ready.is_empty() {
                return; // the loop was faster
            }
            ready.woken = Some(Instant::now());
            self.watching.load(Ordering::Relaxed) > 0
        };
        self.wake.raise();
        if is_watched {
            self.arrived.notify_all();
        }
    }
}

/// A loop that is yet to be told. In its drop, so that it is told even when the runtime ends.
struct WakeUp(Arc<Queue>);

impl Drop for WakeUp {
    fn drop(&mut self) {
        self.0.wake();
    }
}

/// What becomes of a result once it is there.
type Finish = Box<dyn FnOnce(Python<'_>) -> PyResult<Py<PyAny>> + Send + Sync>;

enum Waiting {
    /// A future of asyncio that is to have a result.
    Result(Py<PyAny>, Finish),
    /// A future of asyncio that is only woken.
    Change(Py<PyAny>),
    /// The reader of a stream.
    Arrival(Py<Arrival>),
}

/// Gives a future of asyncio its result; without `finish` it is only woken.
fn deliver(py: Python<'_>, future: Py<PyAny>, finish: Option<Finish>) -> PyResult<()> {
    let future = future.bind(py);
    if future.call_method0(intern!(py, "done"))?.is_truthy()? {
        return Ok(());
    }
    match finish.map(|finish| finish(py)).transpose() {
        Ok(value) => future.call_method1(intern!(py, "set_result"), (value,))?,
        Err(error) => future.call_method1(intern!(py, "set_exception"), (error.into_value(py),))?,
    };
    Ok(())
}

/// A loop that is being closed refuses what it is given; then nobody waits any more, and the error
/// is only reported. An interrupt or exit, which is no `Exception`, is handed on.
fn reported(py: Python<'_>, delivered: PyResult<()>) -> PyResult<()> {
    match delivered {
        Err(error) if error.is_instance_of::<PyException>(py) => {
            error.write_unraisable(py, None);
            Ok(())
        }
        outcome => outcome,
    }
}

/// One event loop's port. Made by the package's bridge, one per loop, gone with it.
#[pyclass(frozen, weakref, module = "orchestrator._gigachat")]
pub(crate) struct Port {
    queue: Arc<Queue>,
    waiting: Mutex<HashMap<u64, Waiting>>,
    /// Readers whose streams have something for them.
    arrivals: Mutex<VecDeque<Py<Arrival>>>,
    last_number: AtomicU64,
}

impl Port {
    /// Has `future` receive the result of `call`; returns the number to `forget` it by.
    pub(crate) fn deliver<T: Send + 'static>(
        &self,
        future: Py<PyAny>,
        call: Call<T>,
        convert: fn(Python<'_>, T) -> PyResult<Py<PyAny>>,
    ) -> u64 {
        let number = self.new_number();
        let queue = self.queue.clone();
        binding::on_done(&call, move || queue.push(number));
        let finish = move |py: Python<'_>| match call.take() {
            Some(Ok(value)) => convert(py, value),
            Some(Err(error)) => Err(to_python(py, &error)),
            None => Err(pyo3::exceptions::PyRuntimeError::new_err(
                "a call that has ended has no result",
            )),
        };
        let finish: Finish = Box::new(finish);
        lock(&self.waiting).insert(number, Waiting::Result(future, finish));
        number
    }

    /// Has `future` woken when `number` is pushed into the queue that is returned.
    pub(crate) fn wake_up(&self, future: Py<PyAny>) -> (u64, Arc<Queue>) {
        self.expect(Waiting::Change(future))
    }

    /// Has a stream's reader woken when `number` is pushed into the queue that is returned.
    pub(crate) fn wake_reader(&self, arrival: Py<Arrival>) -> (u64, Arc<Queue>) {
        self.expect(Waiting::Arrival(arrival))
    }

    /// The half that the library's threads know.
    pub(crate) fn queue(&self) -> Arc<Queue> {
        self.queue.clone()
    }

    fn expect(&self, waiting: Waiting) -> (u64, Arc<Queue>) {
        let number = self.new_number();
        lock(&self.waiting).insert(number, waiting);
        (number, self.queue.clone())
    }

    fn next_arrival(&self) -> Option<Py<Arrival>> {
        lock(&self.arrivals).pop_front()
    }

    /// Has the loop wake the readers in its next round.
    fn wake_readers_soon(this: &Bound<'_, Port>, event_loop: &Py<PyAny>) -> PyResult<()> {
        let py = this.py();
        let wake_readers = this.getattr(intern!(py, "wake_readers"))?;
        event_loop.call_method1(py, intern!(py, "call_soon"), (wake_readers,))?;
        Ok(())
    }

    fn new_number(&self) -> u64 {
        self.last_number.fetch_add(1, Ordering::Relaxed) + 1
    }
}

#[pymethods]
impl Port {
    #[new]
    fn new() -> PyResult<Port> {
        let wake = Descriptor::new().map_err(|why| PyOSError::new_err(why.to_string()))?;
        Ok(Port {
            queue: Arc::new(Queue {
                ready: Mutex::default(),
                arrived: Condvar::new(),
                watching: AtomicUsize::new(0),
                wake,
            }),
            waiting: Mutex::default(),
            arrivals: Mutex::default(),
            last_number: AtomicU64::new(0),
        })
    }

    /// The descriptor for `loop.add_reader`.
    fn fileno(&self) -> i32 {
        self.queue.wake.number()
    }

    /// Delivers everything that is ready. Only on the loop's own thread.
    fn drain(this: &Bound<'_, Self>, py: Python<'_>) -> PyResult<()> {
        let port = this.get();
        port.queue.wake.clear();
        let (notices, ready) = port.queue.take();
        let mut interrupt = Ok(());
        for notice in notices {
            if let Err(error) = reported(py, notice(py)) {
                interrupt = Err(error);
            }
        }
        let mut first_arrival = None;
        for number in ready {
            let waiting = lock(&port.waiting).remove(&number);
            let delivered = match waiting {
                Some(Waiting::Arrival(arrival)) => {
                    first_arrival.get_or_insert_with(|| arrival.clone_ref(py));
                    lock(&port.arrivals).push_back(arrival);
                    Ok(())
                }
                Some(Waiting::Result(future, finish)) => deliver(py, future, Some(finish)),
                Some(Waiting::Change(future)) => deliver(py, future, None),
                None => Ok(()),
            };
            if let Err(error) = reported(py, delivered) {
                interrupt = Err(error);
            }
        }
        if let Some(arrival) = first_arrival {
            let event_loop = arrival.get().event_loop();
            if let Err(error) = reported(py, Port::wake_readers_soon(this, event_loop)) {
                interrupt = Err(error);
                reported(py, Port::wake_readers_soon(this, event_loop))?;
            }
        }
        logs::emit(py);
        interrupt
    }

    /// Has the readers go on whose streams have something for them. An interrupt ends the loop's
    /// run; the others' turn is in the next one.
    fn wake_readers(this: &Bound<'_, Self>, py: Python<'_>) -> PyResult<()> {
        let port = this.get();
        let mut others_can_be_served = false;
        while let Some(arrival) = port.next_arrival() {
            let event_loop = arrival.get().event_loop();
            // Before the task goes on, since it can run the loop anew and wait for another one.
            if !others_can_be_served && !lock(&port.arrivals).is_empty() {
                reported(py, Port::wake_readers_soon(this, event_loop))?;
                others_can_be_served = true;
            }
            reported(py, Arrival::wake(arrival.bind(py)))?;
        }
        Ok(())
    }

    /// Nobody waits for it any more: a call is cancelled.
    pub(crate) fn forget(&self, number: u64) {
        let waiting = lock(&self.waiting).remove(&number);
        // Outside of the lock: dropping Python objects can run anything.
        drop(waiting);
    }

    /// Waits until something is ready, at most `seconds`: for a loop that cannot watch a
    /// descriptor and has a thread do it.
    fn wait(&self, py: Python<'_>, seconds: f64) -> bool {
        let limit = Duration::try_from_secs_f64(seconds).unwrap_or(Duration::from_secs(1));
        let queue = &self.queue;
        py.detach(|| {
            let ready = lock(&queue.ready);
            queue.watching.fetch_add(1, Ordering::Relaxed);
            let waited = queue
                .arrived
                .wait_timeout_while(ready, limit, |ready| ready.is_empty());
            queue.watching.fetch_sub(1, Ordering::Relaxed);
            let (ready, _) = waited.unwrap_or_else(PoisonError::into_inner);
            !ready.is_empty()
        })
    }
}
