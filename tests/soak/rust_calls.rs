//! Calls through the Rust interface: threads that wait, and tasks that are polled.

use std::time::{Duration, Instant};

use futures_util::stream::{FuturesUnordered, StreamExt};
use gigachat_core::{Call, ErrorKind, EventStream, Next, Request, Response, StreamEvent};

use crate::books::End;
use crate::plan::{Cancel, Kind, Plan};
use crate::world::{Plant, SHORT, SILENCE, World};

/// Calls that one task executor has under way at a time.
const WINDOW: usize = 24;

/// A thread that makes one call after the other.
pub fn wait_as_a_thread(world: &World) {
    while let Some(plan) = world.next() {
        match plan.kind {
            Kind::Unary => unary(world, &plan, world.rust(plan.lane).chat(request(&plan))),
            Kind::Stream => stream(world, &plan),
            Kind::Health => get(world, &plan, world.rust_get(&plan).health_check(None)),
            Kind::Models => get(world, &plan, world.rust_get(&plan).models()),
        }
    }
}

/// A thread that has many calls under way and awaits them all.
pub fn await_as_tasks(world: &World) {
    let executor = tokio::runtime::Builder::new_current_thread()
        .enable_time()
        .build();
    executor.expect("an executor").block_on(async {
        let mut running = FuturesUnordered::new();
        loop {
            while running.len() < WINDOW
                && let Some(plan) = world.next()
            {
                running.push(awaited(world, plan));
            }
            if running.next().await.is_none() {
                return;
            }
        }
    });
}

async fn awaited(world: &World, plan: Plan) {
    match plan.kind {
        Kind::Unary => {
            let call = world.rust(plan.lane).chat(request(&plan));
            answered(world, &plan, interrupted(&plan, call).await);
        }
        Kind::Stream => {
            let stream = world
                .rust(plan.lane)
                .stream(request(&plan))
                .expect("a stream begins");
            let reading = async {
                while let Some(event) = stream.next_event().await? {
                    drop(event);
                }
                Ok(stream
                    .response()
                    .expect("a stream that ended has its answer"))
            };
            let outcome = match time_to_cancel(&plan) {
                None => Some(reading.await),
                Some(time) => tokio::time::timeout(time, reading).await.ok(),
            };
            answered(world, &plan, outcome);
        }
        Kind::Health => {
            let outcome = interrupted(&plan, world.rust_get(&plan).health_check(None)).await;
            world.get_ended(&plan, false, end_of(outcome));
        }
        Kind::Models => {
            let outcome = interrupted(&plan, world.rust_get(&plan).models()).await;
            world.get_ended(&plan, false, end_of(outcome));
        }
    }
}

/// Awaits a call, at most until it is to be cancelled; `None` when it was dropped then.
async fn interrupted<T>(plan: &Plan, call: Call<T>) -> Option<gigachat_core::Result<T>> {
    match time_to_cancel(plan) {
        None => Some(call.await),
        Some(time) => tokio::time::timeout(time, call).await.ok(),
    }
}

fn time_to_cancel(plan: &Plan) -> Option<Duration> {
    match plan.cancel {
        Cancel::Never => None,
        Cancel::AtOnce => Some(Duration::ZERO),
        Cancel::After(time) | Cancel::Freed(time) => Some(time),
    }
}

fn request(plan: &Plan) -> Request {
    let mut request = Request::prompt(&plan.prompt());
    let set = (|| {
        request.set_header("x-emulator-call", &plan.number.to_string())?;
        if let Some(fault) = plan.fault {
            request.set_header("x-emulator-fault", fault)?;
        }
        if plan.stalls() {
            request.set_timeout(SHORT)?;
            request.set_idle_timeout(SILENCE)?;
        }
        if plan.stops {
            request.params_mut().add_stop(Plan::STOP)?;
        }
        gigachat_core::Result::Ok(())
    })();
    set.expect("the request is valid");
    request
}

/// Waits for a call as its plan wants it; `None` when it was freed.
fn outcome<T>(plan: &Plan, call: Call<T>) -> Option<gigachat_core::Result<T>> {
    match plan.cancel {
        Cancel::Never => {}
        Cancel::AtOnce => call.cancel(),
        Cancel::After(time) => {
            call.wait(Some(time)).expect("the process did not fork");
            call.cancel();
        }
        Cancel::Freed(time) => {
            call.wait(Some(time)).expect("the process did not fork");
            return None;
        }
    }
    Some(call.join())
}

fn unary(world: &World, plan: &Plan, call: Call<Response>) {
    answered(world, plan, outcome(plan, call));
}

fn get<T>(world: &World, plan: &Plan, call: Call<T>) {
    world.get_ended(plan, false, end_of(outcome(plan, call)));
}

fn stream(world: &World, plan: &Plan) {
    let stream = world
        .rust(plan.lane)
        .stream(request(plan))
        .expect("a stream begins");
    let outcome = match plan.cancel {
        Cancel::Never => Some(read(&stream)),
        Cancel::AtOnce => {
            stream.cancel();
            Some(read(&stream))
        }
        Cancel::After(time) => {
            let _ = read_for(&stream, time);
            stream.cancel();
            Some(read(&stream))
        }
        Cancel::Freed(time) => {
            let _ = read_for(&stream, time);
            None
        }
    };
    answered(world, plan, outcome);
}

/// Reads to the end.
fn read(stream: &EventStream) -> gigachat_core::Result<Response> {
    while let Next::Event(event) = stream.next(None)? {
        drop(event);
    }
    Ok(stream
        .response()
        .expect("a stream that ended has its answer"))
}

/// Reads for a while.
fn read_for(stream: &EventStream, time: Duration) -> gigachat_core::Result<()> {
    let until = Instant::now() + time;
    loop {
        let left = until.saturating_duration_since(Instant::now());
        match stream.next(Some(left))? {
            Next::Event(StreamEvent::Text(text)) => drop(text),
            Next::Event(_) => {}
            Next::End | Next::NothingYet => return Ok(()),
        }
    }
}

fn answered(world: &World, plan: &Plan, outcome: Option<gigachat_core::Result<Response>>) {
    let end = match outcome {
        Some(Ok(answer)) => {
            world.books.answer(plan, plan.stops, &answer.text);
            let attempts = world.attempts(plan, answer.report.attempts);
            if world.plant == Some(Plant::Leak) && plan.number.is_multiple_of(2) {
                std::mem::forget(answer);
            }
            End::Answered(attempts)
        }
        Some(Err(error)) => end_of::<Response>(Some(Err(error))),
        None => End::Cancelled,
    };
    world.books.ended(plan.number, end);
}

/// The end of a call that does not tell its attempts when it is answered, because it makes one.
fn end_of<T>(outcome: Option<gigachat_core::Result<T>>) -> End {
    match outcome {
        None => End::Cancelled,
        Some(Ok(_)) => End::Answered(1),
        Some(Err(error)) if error.kind() == ErrorKind::Cancelled => End::Cancelled,
        Some(Err(error)) => End::Failed(error.attempts()),
    }
}
