//! Calls through the C interface: threads that wait with a cancel token, completion callbacks, a completion
//! queue, streams that are pulled.

use std::collections::HashMap;
use std::ffi::c_void;
use std::sync::mpsc::{Receiver, Sender, channel};
use std::thread;
use std::time::{Duration, Instant};

use gigachat_c::call::gigachat_call;
use gigachat_c::status::{
    GIGACHAT_ERROR_INVALID_HANDLE, GIGACHAT_NOT_YET, GIGACHAT_OK, GIGACHAT_STREAM_END,
    gigachat_status,
};

use crate::books::End;
use crate::c_api::{
    CRequest, Call, Failure, Handle, Queue, Stream, Token, cancel_call, cancel_stream,
    cancel_token, free_call, free_stream, free_token, new_token, no_token, on_done, read, take,
    take_outcome, whole,
};
use crate::plan::{Cancel, Kind, Plan};
use crate::world::World;

/// Calls that one caller has under way at a time.
const WINDOW: usize = 32;

/// What is to be done to a handle of another thread, and when.
enum Late {
    Cancel(Call),
    Free(Call),
    CancelStream(Stream),
    CancelToken(Token),
}

/// Runs a caller beside a thread that cancels for it.
fn with_canceller(act: impl FnOnce(&Sender<(Instant, Late)>)) {
    let (later, work) = channel::<(Instant, Late)>();
    thread::scope(|scope| {
        scope.spawn(move || cancel_in_time(&work));
        act(&later);
        drop(later);
    });
}

/// Handles may be dead when their time comes: that is a status, nothing else.
fn cancel_in_time(work: &Receiver<(Instant, Late)>) {
    for (when, what) in work {
        thread::sleep(when.saturating_duration_since(Instant::now()));
        match what {
            Late::Cancel(call) => cancel_call(call),
            Late::Free(call) => free_call(call),
            Late::CancelStream(stream) => cancel_stream(stream),
            Late::CancelToken(token) => cancel_token(token),
        }
    }
}

fn ended(world: &World, plan: &Plan, outcome: Result<(String, u32), Failure>) {
    let end = match outcome {
        Ok((text, attempts)) => {
            world.books.answer(plan, false, &text);
            End::Answered(world.attempts(plan, attempts))
        }
        Err(failure) => failure.end(),
    };
    world.books.ended(plan.number, end);
}

fn get_ended(world: &World, plan: &Plan, outcome: Result<(), Failure>) {
    let end = outcome.map_or_else(|failure| failure.end(), |()| End::Answered(1));
    world.get_ended(plan, true, end);
}

/// A thread that makes one call after the other.
pub fn wait_as_a_thread(world: &World) {
    with_canceller(|later| {
        while let Some(plan) = world.next() {
            match plan.kind {
                Kind::Stream => pull(world, &plan),
                _ => blocking(world, &plan, later),
            }
        }
    });
}

fn blocking(world: &World, plan: &Plan, later: &Sender<(Instant, Late)>) {
    let token = match plan.cancel {
        Cancel::Never => no_token(),
        _ => new_token(),
    };
    match plan.cancel {
        Cancel::Never => {}
        Cancel::AtOnce => cancel_token(token),
        Cancel::After(time) | Cancel::Freed(time) => {
            let _ = later.send((Instant::now() + time, Late::CancelToken(token)));
        }
    }
    match plan.kind {
        Kind::Health => get_ended(world, plan, world.c_get(plan).health_check(token)),
        Kind::Models => get_ended(world, plan, world.c_get(plan).models(token)),
        Kind::Unary | Kind::Stream => {
            let outcome = world.c(plan.lane).chat(&CRequest::new(plan), token);
            ended(world, plan, outcome);
        }
    }
    free_token(token);
}

/// A stream read by the thread that began it.
fn pull(world: &World, plan: &Plan) {
    let stream = world.c(plan.lane).stream(&CRequest::new(plan));
    let until = |time| Instant::now() + time;
    match plan.cancel {
        Cancel::Never => ended(world, plan, read_to_end(stream)),
        Cancel::AtOnce => {
            cancel_stream(stream);
            ended(world, plan, read_to_end(stream));
        }
        Cancel::After(time) => {
            read_until(stream, until(time));
            cancel_stream(stream);
            ended(world, plan, read_to_end(stream));
        }
        Cancel::Freed(time) => {
            read_until(stream, until(time));
            world.books.ended(plan.number, End::Cancelled);
        }
    }
    free_stream(stream);
}

fn read_to_end(stream: Stream) -> Result<(String, u32), Failure> {
    while read(stream, -1)? != GIGACHAT_STREAM_END {}
    whole(stream)
}

fn read_until(stream: Stream, until: Instant) {
    loop {
        let left = until.saturating_duration_since(Instant::now());
        match read(stream, left.as_millis() as i64) {
            Ok(GIGACHAT_OK) => {}
            _ => return,
        }
    }
}

/// What a callback is told: the world outlives it, because its caller waits for `destroyed`.
struct Told<'a> {
    world: &'a World,
    plan: Plan,
    destroyed: Sender<()>,
}

/// Starts calls and lets the library call back.
pub fn by_callback(world: &World) {
    with_canceller(|later| {
        let (destroyed, ends) = channel();
        let mut running = 0;
        loop {
            while running < WINDOW
                && let Some(plan) = world.next()
            {
                if plan.kind == Kind::Stream {
                    pull(world, &plan);
                    continue;
                }
                begin(world, plan, &destroyed, later);
                running += 1;
            }
            if running == 0 {
                return;
            }
            ends.recv_timeout(Duration::from_secs(60))
                .expect("each call is destroyed in time");
            running -= 1;
        }
    });
}

fn begin(world: &World, plan: Plan, destroyed: &Sender<()>, later: &Sender<(Instant, Late)>) {
    let call = start(world, &plan);
    let told = Told {
        world,
        plan,
        destroyed: destroyed.clone(),
    };
    let data = Box::into_raw(Box::new(told)).cast();
    on_done(call, Some(call_back), data, Some(destroy));
    let when = |time| Instant::now() + time;
    let late = match plan.cancel {
        Cancel::Never => return,
        Cancel::AtOnce => return cancel_call(call),
        Cancel::After(time) => (when(time), Late::Cancel(call)),
        Cancel::Freed(time) => (when(time), Late::Free(call)),
    };
    let _ = later.send(late);
}

fn start(world: &World, plan: &Plan) -> Call {
    match plan.kind {
        Kind::Health => world.c_get(plan).start(&CRequest::named("health")),
        Kind::Models => world.c_get(plan).start(&CRequest::named("models")),
        Kind::Unary | Kind::Stream => world.c(plan.lane).start(&CRequest::new(plan)),
    }
}

unsafe extern "C" fn call_back(data: *mut c_void, call: *mut gigachat_call, _: gigachat_status) {
    // SAFETY: `data` is what `begin` made, and is not destroyed yet.
    let told = unsafe { &*data.cast::<Told<'_>>() };
    let call = Handle(call);
    take_result(told.world, &told.plan, call);
    if !matches!(told.plan.cancel, Cancel::Freed(_)) {
        free_call(call);
    }
}

unsafe extern "C" fn destroy(data: *mut c_void) {
    // SAFETY: `data` is what `begin` made; this is its last use.
    let told = unsafe { Box::from_raw(data.cast::<Told<'_>>()) };
    let _ = told.destroyed.send(());
}

/// Takes the result of a call that has ended. One that was freed has none: it counts as cancelled.
fn take_result(world: &World, plan: &Plan, call: Call) {
    let freed = |failure: &Failure| failure.status == GIGACHAT_ERROR_INVALID_HANDLE;
    match plan.kind {
        Kind::Health | Kind::Models => match take_outcome(call) {
            Err(failure) if freed(&failure) => world.get_ended(plan, true, End::Cancelled),
            outcome => get_ended(world, plan, outcome),
        },
        Kind::Unary | Kind::Stream => match take(call) {
            Err(failure) if freed(&failure) => world.books.ended(plan.number, End::Cancelled),
            outcome => ended(world, plan, outcome),
        },
    }
}

enum Attached {
    Call(Plan, Call),
    Stream(Plan, Stream),
}

/// Starts calls and streams, and takes their tags from a completion queue.
pub fn by_queue(world: &World) {
    let queue = Queue::new();
    with_canceller(|later| {
        let mut running = HashMap::new();
        let mut tags = [0; 32];
        loop {
            while running.len() < WINDOW
                && let Some(plan) = world.next()
            {
                running.insert(plan.number, attach(world, &queue, plan, later));
            }
            if running.is_empty() {
                return;
            }
            let count = queue.take(&mut tags);
            for tag in &tags[..count] {
                // A stream's tag may come once more than there is to read.
                let over = running
                    .get(tag)
                    .is_some_and(|attached| serve(world, attached));
                if over {
                    running.remove(tag);
                }
            }
        }
    });
}

fn attach(world: &World, queue: &Queue, plan: Plan, later: &Sender<(Instant, Late)>) -> Attached {
    let (attached, late) = match plan.kind {
        Kind::Stream => {
            let stream = world.c(plan.lane).stream(&CRequest::new(&plan));
            queue.attach_stream(stream, plan.number);
            (Attached::Stream(plan, stream), Late::CancelStream(stream))
        }
        _ => {
            let call = start(world, &plan);
            queue.attach_call(call, plan.number);
            (Attached::Call(plan, call), Late::Cancel(call))
        }
    };
    let time = match plan.cancel {
        Cancel::Never => return attached,
        Cancel::AtOnce => Duration::ZERO,
        Cancel::After(time) | Cancel::Freed(time) => time,
    };
    let _ = later.send((Instant::now() + time, late));
    attached
}

/// Takes what there is; whether that was all.
fn serve(world: &World, attached: &Attached) -> bool {
    match attached {
        Attached::Call(plan, call) => {
            take_result(world, plan, *call);
            free_call(*call);
            true
        }
        Attached::Stream(plan, stream) => {
            let outcome = loop {
                match read(*stream, 0) {
                    Ok(GIGACHAT_NOT_YET) => return false,
                    Ok(GIGACHAT_STREAM_END) => break whole(*stream),
                    Ok(_) => {}
                    Err(failure) => break Err(failure),
                }
            };
            ended(world, plan, outcome);
            free_stream(*stream);
            true
        }
    }
}
