//! Shutdown: cancels, lets connections close, runs pending callbacks, joins the threads.

use std::panic::AssertUnwindSafe;
use std::sync::Arc;
use std::time::{Duration, Instant};

use super::callbacks;
use super::death;
use super::generation::Generation;
use super::seat::{Exit, Seated};
use crate::error::{Error, ErrorKind, Phase, Result};
use crate::sync::lock;

/// How long connections may take to say goodbye once their calls are gone.
const GOODBYE: Duration = Duration::from_millis(250);
const POLL: Duration = Duration::from_millis(1);

/// Ends the library's threads: running calls end as cancelled, their callbacks run, connections
/// close. Calls that begin meanwhile get a shutdown error; afterwards the library may be used
/// again. Does nothing when it is not in use. A timeout error leaves the threads to end alone.
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
        Exit::Nobody => return Ok(()),
        Exit::Anothers(generation) => return await_other(&generation, deadline),
        Exit::Mine(leaving) => leaving,
    };
    // tokio panics when a descriptor of its own is not there any more.
    let stop = || stop(&leaving.generation, deadline);
    let outcome = std::panic::catch_unwind(AssertUnwindSafe(stop)).unwrap_or_else(|_| {
        death::note(leaving.generation.locals.era);
        Err(death::unfinished(leaving.generation.locals.era))
    });
    if !leaving.generation.has_died() {
        leaving.generation.leave.cancel();
    }
    if outcome.is_err() || leaving.generation.locals.era.is_inherited() {
        // Its threads may still use it; or a callback forked, and this is the child.
        std::mem::forget(leaving.generation.clone());
    }
    outcome
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
    let thread = lock(&generation.io_thread).take();
    if let Some(thread) = thread {
        wait_until(deadline, || thread.is_finished()).map_err(|()| late("the I/O thread"))?;
        // It has finished; a panic in it was reported when it happened.
        let _ = thread.join();
    }
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
