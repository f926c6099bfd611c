//! Emulators behind routers: plain HTTP on loopback, a member per emulator; and their callers.
#![allow(dead_code, reason = "each test crate uses its own part of this")]

use std::sync::Barrier;
use std::sync::atomic::{AtomicU64, Ordering};
use std::thread;
use std::time::Duration;

use gigachat::{
    Client, Config, Error, EventStream, GigaChat, Next, Router, RouterOptions, StreamEvent,
};
use gigachat_emulator::{Action, Emulator, Endpoint, Fault, Options};

/// An event that has been caused is seen by then; more than that is a hang.
pub const BOUND: Duration = Duration::from_secs(30);

/// The service without a concurrency limit.
pub fn emulator() -> Emulator {
    emulator_with(|_| {})
}

pub fn emulator_with(change: impl FnOnce(&mut Options)) -> Emulator {
    let mut options = Options {
        concurrency: Some(0),
        record: false,
        ..Options::default()
    };
    change(&mut options);
    Emulator::start(options).expect("the emulator starts")
}

/// A configuration with a ready token, so that only generation requests are sent.
pub fn config(emulator: &Emulator, name: &str) -> Config {
    let mut config = Config::default();
    let token = emulator.access_token_for("GIGACHAT_API_CORP", name);
    config.set_access_token(&token.expect("a scope")).unwrap();
    config.set_base_url(&emulator.plain_base_url()).unwrap();
    config.set_name(name).unwrap();
    config
}

/// A router with a member per emulator: `m0`, `m1`, ...
pub fn router(options: RouterOptions, emulators: &[Emulator]) -> Router {
    let router = Router::new(options);
    for (number, emulator) in emulators.iter().enumerate() {
        let config = config(emulator, &format!("m{number}"));
        router
            .add(GigaChat::new(config).expect("a configuration that can work"))
            .expect("no circle");
    }
    router
}

pub fn client(router: &Router) -> Client {
    Client::new(router.clone())
}

pub fn emulators(count: usize) -> Vec<Emulator> {
    (0..count).map(|_| emulator()).collect()
}

/// The next generation request of this member is met by this.
pub fn once(emulator: &Emulator, action: Action) {
    emulator
        .faults()
        .add(Fault::new(Endpoint::Generation, action));
}

/// Every generation request of this member is met by this.
pub fn always(emulator: &Emulator, action: Action) {
    emulator
        .faults()
        .add(Fault::new(Endpoint::Generation, action).for_ever());
}

pub fn busy(seconds: u32) -> Action {
    Action::status(429).with_header("Retry-After", &seconds.to_string())
}

/// In flight at all members together.
pub fn in_flight(router: &Router) -> u32 {
    let metrics = router.metrics();
    metrics.members.iter().map(|member| member.in_flight).sum()
}

/// Text and error of a stream that is read to its end.
pub fn read(stream: &EventStream) -> (String, Option<Error>) {
    let mut text = String::new();
    loop {
        match stream.next(Some(BOUND)) {
            Ok(Next::Event(StreamEvent::Text(piece))) => text += &piece,
            Ok(Next::Event(_)) => {}
            Ok(Next::End) => return (text, None),
            Ok(Next::NothingYet) => panic!("the stream hangs"),
            Err(error) => return (text, Some(error)),
        }
    }
}

/// So many threads make so many calls each; every error there was.
pub fn load(client: &Client, threads: usize, calls: usize, served: &AtomicU64) -> Vec<Error> {
    let start = Barrier::new(threads);
    let work = || {
        start.wait();
        let call = |_| {
            let outcome = client.generate("Hello").join();
            served.fetch_add(1, Ordering::SeqCst);
            outcome.err()
        };
        (0..calls).filter_map(call).collect::<Vec<_>>()
    };
    thread::scope(|scope| {
        let callers: Vec<_> = (0..threads).map(|_| scope.spawn(work)).collect();
        let errors = callers.into_iter().map(|caller| caller.join().unwrap());
        errors.flatten().collect()
    })
}
