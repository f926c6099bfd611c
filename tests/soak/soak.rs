//! The soak: a great many calls of all kinds, with random faults and cancels, through the Rust and the C
//! interface, against the emulator in another process. Memory, descriptors and threads stay flat, and every
//! call is accounted for exactly once on both sides.
//!
//!     soak CALLS [SEED] [--plant leak|miscount]
//!
//! Not a benchmark: its rate says little. `plan` says what is called, `books` what must add up.
#![cfg_attr(not(target_os = "linux"), allow(unused))]

mod allocation;
mod books;
mod c_api;
mod c_calls;
mod c_config;
mod measure;
mod plan;
mod rust_calls;
mod said;
mod server;
mod world;

use std::process::ExitCode;
use std::sync::atomic::{AtomicU64, Ordering};
use std::thread;
use std::time::{Duration, Instant};

use crate::measure::{Sample, resident_slope};
use crate::plan::{LANES, Lane};
use crate::said::Said;
use crate::server::Server;
use crate::world::{Plant, Rules, World};

#[global_allocator]
static ALLOCATOR: allocation::Counting = allocation::Counting;

/// Each round ends with all calls ended, all connections closed, and a look at everything. It also ends
/// with the slowest call's retries, so a short soak has fewer.
fn rounds(calls: u64) -> u64 {
    if calls < 100_000 { 10 } else { 20 }
}
/// One in so many rounds is warm-up: allocators, pools and tables reach their size.
const WARM_UP_SHARE: usize = 5;
const MOST_GROWTH: i64 = 1 << 20;
/// A leak of small things is seen by their number before it is seen by their size.
const MOST_MORE_BLOCKS: i64 = 2000;
/// Generations of each round that are answered 503 once, whatever they are, and succeed when repeated.
const UPSET_SHARE: u64 = 200;
const THREADS_OF_EACH: usize = 6;

fn main() -> ExitCode {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    if arguments.first().is_some_and(|word| word == "serve") {
        return match server::serve() {
            Ok(()) => ExitCode::SUCCESS,
            Err(why) => {
                eprintln!("soak serve: {why}");
                ExitCode::FAILURE
            }
        };
    }
    let Some((calls, seed, plant)) = read(&arguments) else {
        eprintln!("usage: soak CALLS [SEED] [--plant leak|miscount]; CALLS at least 2000");
        return ExitCode::from(2);
    };
    let violations = soak(calls, seed, plant);
    for violation in violations.iter().take(20) {
        eprintln!("soak: VIOLATED: {violation}");
    }
    match violations.len() {
        0 => ExitCode::SUCCESS,
        more => {
            eprintln!("soak: {more} violations with seed {seed}");
            ExitCode::FAILURE
        }
    }
}

fn read(arguments: &[String]) -> Option<(u64, u64, Option<Plant>)> {
    let (numbers, plant) = match arguments.iter().position(|word| word == "--plant") {
        None => (arguments, None),
        Some(at) => match arguments.get(at + 1)?.as_str() {
            "leak" => (&arguments[..at], Some(Plant::Leak)),
            "miscount" => (&arguments[..at], Some(Plant::Miscount)),
            _ => return None,
        },
    };
    let calls = numbers
        .first()?
        .parse::<u64>()
        .ok()
        .filter(|calls| *calls >= 2000)?;
    let seed = match numbers.get(1) {
        Some(text) => text.parse().ok()?,
        None => std::time::UNIX_EPOCH.elapsed().ok()?.as_secs(),
    };
    Some((calls - calls % rounds(calls), seed, plant))
}

fn soak(calls: u64, seed: u64, plant: Option<Plant>) -> Vec<String> {
    println!("soak: {calls} calls, seed {seed}");
    let begun = Instant::now();
    let mut server = Server::start().expect("the emulator starts");
    let said = Said::default();
    tracing::subscriber::set_global_default(said.clone()).expect("the only subscriber");
    said.know_hosts(LANES.map(|lane| server.host(lane)));
    let rounds = rounds(calls);
    let round = calls / rounds;
    let rules = Rules {
        seed,
        round,
        storm: (round / 10).min(500),
    };
    let world = World::open(&server, rules, calls, plant).expect("the configurations are good");

    let mut samples: Vec<Sample> = Vec::with_capacity(rounds as usize);
    for number in 0..rounds {
        server
            .upset(round / UPSET_SHARE)
            .expect("the emulator obeys");
        run(&world, number * round + rules.storm);
        run(&world, (number + 1) * round);
        server.close_connections().expect("the emulator obeys");
        samples.push(Sample::settled((number + 1) * round));
        let news = server.news().expect("the emulator answers");
        world.books.enter(news.calls);
    }
    let news = server.news().expect("the emulator answers");
    world.books.enter(news.calls);
    let figures = [
        counted(&world, &said, news.token_requests),
        flat(&world, &samples[samples.len() / WARM_UP_SHARE - 1..]),
    ];
    let violations = world.books.violations();
    drop(world);
    gigachat_core::shutdown(Duration::from_secs(10)).expect("everything ends");
    let left = gigachat_c::process::gigachat_live_handles();
    println!(
        "soak: {calls} calls, seed {seed}, {:.0} s: {}",
        begun.elapsed().as_secs_f64(),
        figures.join("; ")
    );
    let left = (left != 0).then(|| format!("{left} handles are left after the shutdown"));
    violations.into_iter().chain(left).collect()
}

/// Both sides' books, compared; the figures in words.
fn counted(world: &World, said: &Said, token_requests: u64) -> String {
    let books = &world.books;
    let sums = books.reconcile(said, &world.get_books());
    let (tokens, failed) = said.token_requests();
    if tokens + failed != token_requests {
        books.violated(format!(
            "token requests: {tokens} answered, {failed} not; {token_requests} came"
        ));
    }
    let now = |count: &AtomicU64| count.load(Ordering::SeqCst);
    format!(
        "{} answered, {} failed, {} cancelled ({} never sent); requests by client = by emulator: unary {}+{} = {}, \
         streams {}+{} = {}, models and health {} = {}, tokens {}+{} = {}; of cancelled calls {} came; rough lane {}+{} >= {}",
        now(&books.answered),
        now(&books.failed),
        now(&books.cancelled),
        sums.never_sent,
        sums.unary.0,
        sums.resent[0],
        sums.unary.1,
        sums.stream.0,
        sums.resent[1],
        sums.stream.1,
        sums.gets.0,
        sums.gets.1,
        tokens,
        failed,
        token_requests,
        sums.of_cancelled,
        sums.rough.0,
        said.resent(Lane::Rough),
        sums.rough.1,
    )
}

/// What must not grow between the end of the warm-up and the end; the figures in words.
fn flat(world: &World, samples: &[Sample]) -> String {
    let (first, last) = (samples[0], samples[samples.len() - 1]);
    let growth = last.live_bytes - first.live_bytes;
    let must = |holds: bool, what: &str| {
        if !holds {
            world
                .books
                .violated(format!("{what}: {first:?} became {last:?}"));
        }
    };
    must(growth < MOST_GROWTH, "live bytes grew");
    let more_blocks = last.live_blocks - first.live_blocks;
    must(more_blocks < MOST_MORE_BLOCKS, "live blocks grew");
    must(last.descriptors <= first.descriptors, "descriptors grew");
    must(last.threads <= first.threads, "threads grew");
    must(last.handles == first.handles, "handles changed");
    format!(
        "live bytes {} {growth:+} (blocks {} {:+}); resident {} KiB, slope {:+.0} B per 1000 calls; \
         descriptors {} -> {}, threads {} -> {}, handles {} -> {}",
        first.live_bytes,
        first.live_blocks,
        more_blocks,
        last.resident / 1024,
        resident_slope(samples),
        first.descriptors,
        last.descriptors,
        first.threads,
        last.threads,
        first.handles,
        last.handles,
    )
}

/// Lets all callers go on until this call, and waits for all of them.
fn run(world: &World, until: u64) {
    world.go_on_until(until);
    thread::scope(|scope| {
        for _ in 0..THREADS_OF_EACH {
            scope.spawn(|| rust_calls::wait_as_a_thread(world));
            scope.spawn(|| c_calls::wait_as_a_thread(world));
        }
        scope.spawn(|| rust_calls::await_as_tasks(world));
        scope.spawn(|| c_calls::by_callback(world));
        scope.spawn(|| c_calls::by_queue(world));
    });
}
