//! Shutdown: cancels, lets connections close, runs pending callbacks, joins the threads.

use std::panic::AssertUnwindSafe;
use std::sync::Arc;
use std::thread::JoinHandle;
use std::time::{Duration, Instant};

use arc_swap::ArcSwapOption;

use super::callbacks::{self, Callbacks};
use super::death;
use super::generation::Generation;
use super::seat::{Exit, Seated};
use crate::error::{Error, ErrorKind, Phase, Result};
use crate::process;
use crate::sync::{Mutex, lock};

/// How long connections may take to say goodbye once their calls are gone.
const GOODBYE: Duration = Duration::from_millis(250);
const POLL: Duration = Duration::from_millis(1);

/// What shutdowns that timed out have left behind, until it has ended.
static LEFT: ArcSwapOption<Vec<Arc<Left>>> = ArcSwapOption::const_empty();

/// The threads of a generation whose shutdown timed out: they end alone, once they can.
struct Left {
    fork: u64,
    io_threads: Mutex<Vec<JoinHandle<()>>>,
    callbacks: Arc<Callbacks>,
}

impl Left {
    fn await_end(&self, deadline: Instant) -> Result<()> {
        join(&mut lock(&self.io_threads), deadline)?;
        match self.callbacks.stop(deadline) {
            true => Ok(()),
            false => Err(late("callbacks")),
        }
    }
}

/// Joins I/O threads once they have ended; those that have not in time stay in the list.
fn join(threads: &mut Vec<JoinHandle<()>>, deadline: Instant) -> Result<()> {
    let have_ended = || threads.iter().all(JoinHandle::is_finished);
    wait_until(deadline, have_ended).map_err(|()| late("the I/O thread"))?;
    // A panic in one was reported when it happened.
    threads.drain(..).for_each(|thread| drop(thread.join()));
    Ok(())
}

/// Lets a generation whose shutdown timed out end alone. Nothing of it is kept for longer.
fn leave_behind(generation: &Generation) {
    generation.callbacks.end_when_idle();
    let left = Arc::new(Left {
        fork: process::fork_count(),
        io_threads: Mutex::new(std::mem::take(&mut *lock(&generation.io_threads))),
        callbacks: generation.callbacks.clone(),
    });
    LEFT.rcu(|known| {
        let own = known.iter().flat_map(|known| known.iter());
        Some(Arc::new(own.chain([&left]).cloned().collect()))
    });
}

/// Waits for what earlier shutdowns have left behind.
fn await_left(deadline: Instant) -> Result<()> {
    let Some(left) = LEFT.load_full() else {
        return Ok(());
    };
    let fork = process::fork_count();
    for one in left.iter().filter(|one| one.fork == fork) {
        one.await_end(deadline)?;
        LEFT.rcu(|known| {
            let others = known.iter().flat_map(|known| known.iter());
            let others: Vec<_> = others
                .filter(|other| !Arc::ptr_eq(other, one))
                .cloned()
                .collect();
            (!others.is_empty()).then(|| Arc::new(others))
        });
    }
    Ok(())
}

/// Ends the library's threads: running calls end as cancelled, their callbacks run, connections
/// close. Calls that begin meanwhile get a shutdown error; afterwards the library may be used
/// again. Does nothing when it is not in use. A timeout error leaves the threads to end alone; the
/// next shutdown waits for them, too.
pub fn shutdown(timeout: Duration) -> Result<()> {
    if callbacks::on_callback_thread() {
        return Err(Error::internal(
            "a shutdown inside a callback would wait for itself",
        ));
    }
    let deadline = Instant::now()
        .checked_add(timeout)
        .unwrap_or_else(|| Instant::now() + Duration::from_secs(86_400));
    let leaving = match Generation::leave() {
        Exit::Nobody => return await_left(deadline),
        Exit::Anothers(generation) => return await_other(&generation, deadline),
        Exit::Mine(leaving) => leaving,
    };
    // tokio panics when a descriptor of its own is not there any more.
    let stop = || stop(&leaving.generation, deadline);
    let outcome = std::panic::catch_unwind(AssertUnwindSafe(stop)).unwrap_or_else(|_| {
        leaving.generation.locals.era.note_death();
        Err(death::unfinished(leaving.generation.locals.era))
    });
    if !leaving.generation.has_died() {
        leaving.generation.leave.cancel();
    }
    if leaving.generation.locals.era.is_inherited() {
        // A callback forked, and this is the child.
        std::mem::forget(leaving.generation.clone());
        return outcome;
    }
    if outcome.is_err() {
        leave_behind(&leaving.generation);
        return outcome;
    }
    drop(leaving);
    await_left(deadline)
}

fn stop(generation: &Arc<Generation>, deadline: Instant) -> Result<()> {
    if generation.has_died() {
        // Its threads are not to be woken; its callbacks are nobody's but the program's.
        std::mem::forget(generation.clone());
        return match generation.callbacks.stop(deadline) {
            true => Ok(()),
            false => Err(late("callbacks")),
        };
    }
    generation.cancel_all.cancel();
    generation.tasks.close();
    wait_until(deadline, || generation.tasks.is_empty()).map_err(|()| late("calls"))?;
    generation.locals.close();
    let goodbye = deadline.min(Instant::now() + GOODBYE);
    // Best effort: a server that does not let go is cut off below.
    let _ = wait_until(goodbye, || generation.alive_tasks() == 0);
    generation.leave.cancel();
    join(&mut lock(&generation.io_threads), deadline)?;
    match generation.callbacks.stop(deadline) {
        true => Ok(()),
        false => Err(late("callbacks")),
    }
}

/// Another thread is shutting down: its end is the end of both.
fn await_other(generation: &Arc<Generation>, deadline: Instant) -> Result<()> {
    wait_until(deadline, || generation.has_left()).map_err(|()| late("another thread's shutdown"))
}

fn wait_until(deadline: Instant, done: impl Fn() -> bool) -> std::result::Result<(), ()> {
    while !done() {
        if Instant::now() >= deadline {
            return Err(());
        }
        std::thread::sleep(POLL);
    }
    Ok(())
}

fn late(what: &str) -> Error {
    Error::new(
        ErrorKind::Timeout,
        Phase::Input,
        format!(
            "the shutdown did not end in time: {what} still running; the threads are left to end alone"
        ),
    )
}
