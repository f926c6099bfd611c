//! What routing costs: a provider that answers at once, called directly and through a router.
//! `cargo bench --bench router [-- CALLS]` prints a table; the targets are those of the issue:
//! at most 2 us CPU more per request, and a pick among 16 members under 1 us at the 99th percentile.
//!
//! Linux only: CPU time is read from /proc.

use std::future::Future;
use std::pin::pin;
use std::sync::{Arc, Barrier, OnceLock};
use std::task::{Context, Poll, Waker};
use std::thread;
use std::time::{Duration, Instant};

use gigachat::{
    Answered, Ask, CallContext, Client, Document, EventSink, Health, MemberOptions, Outcome,
    Provider, Request, Response, RoutePlanner, Router, RouterOptions, Step, Strategy, StreamEnd,
    TokenUsage, Work,
};

fn main() {
    let calls = std::env::args().find_map(|argument| argument.parse().ok());
    let calls: u64 = calls.unwrap_or(1_000_000);
    println!("routing through 3 members, {calls} calls per row, CPU per call\n");
    println!("| from | strategy | directly, ns | routed, ns | more, us | target, us |");
    println!("|---|---|---|---|---|---|");
    for threads in [1, 2] {
        for strategy in STRATEGIES {
            let direct = cpu_per_call(&(Arc::new(Null) as Arc<dyn Provider>), threads, calls);
            let routed = cpu_per_call(&router(strategy, 3), threads, calls);
            println!(
                "| {threads} thread(s) | {} | {direct:.0} | {routed:.0} | {:.2} | 2.00 |",
                strategy.name(),
                (routed - direct) / 1000.0
            );
        }
    }
    println!("\nthe same through `Client`, runtime and threads included\n");
    println!("| from | directly, us | routed, us | more, us | target, us |");
    println!("|---|---|---|---|---|");
    for threads in [1, 2] {
        let direct = client_cpu_per_call(Client::new(Null), threads, calls);
        let routed = Client::new(router(Strategy::RoundRobin, 3));
        let routed = client_cpu_per_call(routed, threads, calls);
        println!(
            "| {threads} thread(s) | {direct:.2} | {routed:.2} | {:.2} | 2.00 |",
            routed - direct
        );
    }
    println!("\na pick among 16 members, timed in batches of 100\n");
    println!("| strategy | median, ns | p99, ns | target, ns |");
    println!("|---|---|---|---|");
    for strategy in STRATEGIES {
        let (median, p99) = pick(strategy, 16, calls / 100);
        println!("| {} | {median:.0} | {p99:.0} | 1000 |", strategy.name());
    }
}

const STRATEGIES: [Strategy; 4] = [
    Strategy::RoundRobin,
    Strategy::Random,
    Strategy::FirstAvailable,
    Strategy::BestAvailable,
];

fn router(strategy: Strategy, members: usize) -> Arc<dyn Provider> {
    let router = Router::new(RouterOptions::new(strategy));
    for _ in 0..members {
        router.add(Null).expect("no circle");
    }
    Arc::new(router)
}

/// CPU nanoseconds per call, without the runtime: the calls are made on threads of our own.
fn cpu_per_call(provider: &Arc<dyn Provider>, threads: u64, calls: u64) -> f64 {
    let context = context();
    // The first calls go through the runtime: untried members are probed, which needs a clock.
    for _ in 0..10 {
        let call = Client::new(provider.clone()).generate("Hello");
        call.join().expect("it answers");
    }
    let start = Barrier::new(threads as usize);
    let share = calls / threads;
    let spent: Duration = thread::scope(|scope| {
        let work = || {
            let ask = Arc::new(Ask::chat(Request::prompt("Hello")));
            ready(provider.perform(&context, ask.clone())).expect("it answers");
            start.wait();
            let before = thread_cpu();
            for _ in 0..share {
                ready(provider.perform(&context, ask.clone())).expect("it answers");
            }
            thread_cpu() - before
        };
        let workers: Vec<_> = (0..threads).map(|_| scope.spawn(work)).collect();
        workers
            .into_iter()
            .map(|worker| worker.join().expect("no panic"))
            .sum()
    });
    spent.as_nanos() as f64 / (share * threads) as f64
}

/// CPU microseconds of the whole process per call.
fn client_cpu_per_call(client: Client, threads: u64, calls: u64) -> f64 {
    client.generate("Hello").join().expect("it answers");
    let share = calls / threads;
    // The callers end before the process is measured: each brings its own time.
    let runtime = process_cpu();
    let callers: Duration = thread::scope(|scope| {
        let work = || {
            for _ in 0..share {
                client.generate("Hello").join().expect("it answers");
            }
            thread_cpu()
        };
        let callers: Vec<_> = (0..threads).map(|_| scope.spawn(work)).collect();
        callers
            .into_iter()
            .map(|caller| caller.join().expect("no panic"))
            .sum()
    });
    let runtime = process_cpu() - runtime;
    (runtime + callers).as_nanos() as f64 / 1000.0 / (share * threads) as f64
}

/// Nanoseconds of a plan's first step with its report: median and 99th percentile of batches.
fn pick(strategy: Strategy, members: u32, batches: u64) -> (f64, f64) {
    let planner = RoutePlanner::new(RouterOptions::new(strategy));
    for member in 0..members {
        planner.add(member, "member", MemberOptions::default());
    }
    let now = Instant::now();
    let one = |taken: &mut Vec<_>| {
        let mut plan = planner.plan(now, None, None);
        loop {
            match plan.next(now) {
                Step::Attempt(_) => break taken.push(plan),
                Step::Probe(_) => plan.report_probe(Ok(()), now),
                Step::Wait(_) | Step::Fail(_) => unreachable!("all are free"),
            }
        }
    };
    let mut times = Vec::new();
    let mut taken = Vec::with_capacity(100);
    for _ in 0..batches {
        let begun = Instant::now();
        for _ in 0..100 {
            one(&mut taken);
        }
        times.push(begun.elapsed().as_nanos() as f64 / 100.0);
        for mut plan in taken.drain(..) {
            plan.report(Outcome::Answered(Answered::default()), now);
        }
    }
    times.sort_by(f64::total_cmp);
    (times[times.len() / 2], times[times.len() * 99 / 100])
}

/// A provider that answers at once.
struct Null;

/// A context of the running library, as every provider gets it: `Null` leaves it here.
static CONTEXT: OnceLock<CallContext> = OnceLock::new();

fn context() -> CallContext {
    let call = Client::new(Null).generate("Hello");
    call.join().expect("it answers");
    CONTEXT.get().expect("it was called").clone()
}

impl Provider for Null {
    fn name(&self) -> &str {
        "null"
    }

    fn default_model(&self) -> &str {
        "null"
    }

    fn perform<'a>(&'a self, context: &'a CallContext, _: Arc<Ask>) -> Work<'a, Document> {
        CONTEXT.get_or_init(|| context.clone());
        Box::pin(async {
            Ok(Document::from(Response {
                text: "Hello.".to_owned(),
                finish_reason: "stop".to_owned(),
                usage: Some(TokenUsage::default()),
                model: "Null:1".to_owned(),
                ..Response::default()
            }))
        })
    }

    fn stream<'a>(
        &'a self,
        _: &'a CallContext,
        _: Arc<Ask>,
        _: &'a mut EventSink,
    ) -> Work<'a, StreamEnd> {
        Box::pin(async { Ok(StreamEnd::default()) })
    }

    fn health_check<'a>(&'a self, _: &'a CallContext, _: Option<Duration>) -> Work<'a, Health> {
        Box::pin(async {
            Ok(Health {
                latency: Duration::ZERO,
                models: 1,
                request_id: String::new(),
            })
        })
    }
}

/// The result of work that waits for nothing.
fn ready<T>(work: impl Future<Output = T>) -> T {
    match pin!(work).poll(&mut Context::from_waker(Waker::noop())) {
        Poll::Ready(result) => result,
        Poll::Pending => unreachable!("nothing is waited for"),
    }
}

/// CPU time of this thread: the first number of schedstat, in nanoseconds.
fn thread_cpu() -> Duration {
    cpu_of("/proc/thread-self/schedstat")
}

/// CPU time of all threads that live now.
fn process_cpu() -> Duration {
    let tasks = std::fs::read_dir("/proc/self/task").expect("Linux");
    let paths = tasks.map(|task| task.expect("a task").path().join("schedstat"));
    paths
        .map(|path| cpu_of(path.to_str().expect("a path")))
        .sum()
}

fn cpu_of(path: &str) -> Duration {
    let text = std::fs::read_to_string(path).expect("schedstat");
    let nanoseconds = text
        .split(' ')
        .next()
        .and_then(|number| number.parse().ok());
    Duration::from_nanos(nanoseconds.expect("a number"))
}
