//! The C ABI as an arbitrary sequence of calls on live, dead, foreign and garbage handles.
//!
//! Input: one byte that says what is open at the beginning (`scene`), then calls: three bytes
//! select the function (`functions`), the following bytes become its arguments (`arguments`).
//! Afterwards everything is freed: no handle may be left, every accepted hook must have run once
//! (`witness`), no call may have ended as an internal error. An input that sets what is fixed when
//! the library's threads start, or ends them, has them to itself; the others share them, since
//! starting them takes most of a short input's time.

mod arguments;
mod functions;
mod outcome;
mod scene;
mod service;
mod witness;
mod world;

pub use functions::NAMES;
use world::World;

/// More calls find little more and make inputs slow.
const MOST_CALLS: usize = 48;

/// Whether the input has the library's threads to itself, which takes ten times as long.
pub fn is_alone(input: &[u8]) -> bool {
    (input.split_first()).is_some_and(|(_, calls)| functions::wants_own_threads(calls))
}

/// Plays the input as a program of the C ABI.
pub fn check(input: &[u8]) {
    let Some((scene, calls)) = input.split_first() else {
        return;
    };
    let alone = is_alone(input);
    if alone {
        World::new(&[]).close(true);
    }
    let mut world = World::new(calls);
    scene::open(*scene, &mut world);
    for _ in 0..MOST_CALLS {
        if !functions::call_next(&mut world) {
            break;
        }
    }
    world.close(alone);
}
