//! A router over real members: what callers see when a member is broken, busy, slow or gone
//! (I4, I14; peers O1, O3, O14).

#[path = "router/service.rs"]
mod service;

use std::sync::Barrier;
use std::sync::atomic::{AtomicU64, Ordering};
use std::thread;
use std::time::{Duration, Instant};

use gigachat::{
    Client, Error, ErrorKind, EventStream, GigaChat, Next, Phase, Request, Response, Router,
    RouterOptions, StreamEvent,
};
use gigachat_emulator::{Action, Emulator};
use service::{BOUND, always, busy, client, emulators, in_flight, once, router};

fn deadline(time: Duration) -> RouterOptions {
    let mut options = RouterOptions::default();
    options.set_deadline(time).unwrap();
    options
}

fn attempts(emulator: &Emulator) -> u64 {
    emulator.counters().chat_attempts
}

/// Text and error of a stream that is read to its end.
fn read(stream: &EventStream) -> (String, Option<Error>) {
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
fn load(client: &Client, threads: usize, calls: usize, served: &AtomicU64) -> Vec<Error> {
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

#[test]
fn sixty_four_callers_give_each_of_three_members_a_third_of_30_000_requests() {
    let emulators = emulators(3);
    let router = router(RouterOptions::default(), &emulators);
    let calls = 30_000_usize.div_ceil(64);
    let errors = load(&client(&router), 64, calls, &AtomicU64::new(0));
    assert!(errors.is_empty(), "{:?}", errors[0]);
    let third = (64 * calls) as f64 / 3.0;
    for (emulator, member) in emulators.iter().zip(&router.metrics().members) {
        let served = emulator.counters().chat_requests;
        assert_eq!(served, member.successes);
        let off = (served as f64 - third).abs() / third;
        assert!(off < 0.01, "{}: {served}", member.name);
    }
    assert_eq!(in_flight(&router), 0);
}

#[test]
fn a_member_that_is_killed_under_load_costs_no_request() {
    let emulators = emulators(3);
    let router = router(RouterOptions::default(), &emulators);
    let client = client(&router);
    let served = AtomicU64::new(0);
    let errors = thread::scope(|scope| {
        let loaded = scope.spawn(|| load(&client, 32, 100, &served));
        emulators[1]
            .wait_until(BOUND, |counters| counters.chat_requests >= 300)
            .expect("requests come");
        emulators[1].kill();
        loaded.join().unwrap()
    });
    assert!(
        errors.is_empty(),
        "{} failed: {:?}",
        errors.len(),
        errors[0]
    );
    let metrics = router.metrics();
    assert!(metrics.members[1].failures["connection"] > 0);
    assert_eq!(metrics.members[0].failed() + metrics.members[2].failed(), 0);
    assert_eq!(in_flight(&router), 0);
}

#[test]
fn a_stream_that_breaks_after_its_first_content_fails_with_its_text_and_no_other() {
    let emulators = emulators(2);
    once(
        &emulators[0],
        Action::CutAfter {
            chunks: 2,
            reset: false,
        },
    );
    let router = router(RouterOptions::default(), &emulators);
    let stream = client(&router)
        .stream(Request::prompt("Tell a story"))
        .unwrap();
    let (text, error) = read(&stream);
    let error = error.expect("the stream broke");
    assert_eq!(error.kind(), ErrorKind::IncompleteStream);
    assert!(!text.is_empty());
    assert_eq!(error.partial_text(), Some(text.as_str()));
    assert_eq!(error.route_attempts().len(), 1);
    assert_eq!(attempts(&emulators[1]), 0, "no other member was asked");
}

#[test]
fn a_stream_that_breaks_before_its_first_content_comes_whole_from_the_next() {
    let emulators = emulators(2);
    let cut = Action::CutAfter {
        chunks: 0,
        reset: false,
    };
    once(&emulators[0], cut);
    let router = router(RouterOptions::default(), &emulators);
    let stream = client(&router)
        .stream(Request::prompt("Tell a story"))
        .unwrap();
    let (text, error) = read(&stream);
    assert!(error.is_none() && !text.is_empty(), "{error:?}");
    assert_eq!(attempts(&emulators[1]), 1);
    assert_eq!(stream.end().unwrap().report.attempts, 2);
}

#[test]
fn a_stalled_first_member_costs_its_share_of_the_deadline() {
    for streamed in [false, true] {
        let emulators = emulators(3);
        always(&emulators[0], Action::DelayHeaders { ms: 60_000 });
        let router = router(deadline(Duration::from_secs(6)), &emulators);
        let begun = Instant::now();
        if streamed {
            let stream = client(&router).stream(Request::prompt("Hello")).unwrap();
            assert!(read(&stream).1.is_none());
        } else {
            client(&router).generate("Hello").join().unwrap();
        }
        // Two of the six seconds; the bound is generous, the timeout is what counts.
        assert!(begun.elapsed() < Duration::from_secs(4), "{streamed}");
        assert_eq!(router.metrics().members[0].failures["timeout"], 1);
    }
}

#[test]
fn a_call_has_its_own_deadline_and_the_error_names_every_attempt() {
    let emulators = emulators(2);
    for emulator in &emulators {
        always(emulator, Action::DelayHeaders { ms: 60_000 });
    }
    let router = router(RouterOptions::default(), &emulators);
    let mut request = Request::prompt("Hello");
    request.set_deadline(Duration::from_millis(400)).unwrap();
    let error = client(&router).chat(request).join().unwrap_err();
    assert_eq!(
        (error.kind(), error.phase()),
        (ErrorKind::Timeout, Phase::Answer)
    );
    let members: Vec<&str> = error.route_attempts().iter().map(|a| &*a.member).collect();
    assert_eq!(members, ["m0", "m1"]);
    for attempt in error.route_attempts() {
        assert_eq!(attempt.kind, ErrorKind::Timeout);
        assert!(attempt.request_id.is_some());
        assert!(
            attempt.duration >= Duration::from_millis(190),
            "{attempt:?}"
        );
    }
}

#[test]
fn when_all_members_answer_429_every_request_waits_and_succeeds() {
    let emulators = emulators(3);
    for emulator in &emulators {
        once(emulator, busy(2));
    }
    let router = router(deadline(Duration::from_secs(5)), &emulators);
    let client = client(&router);
    let begun = Instant::now();
    let first = client.generate("Hello");
    for emulator in &emulators {
        emulator
            .wait_until(BOUND, |counters| counters.rejected_429 == 1)
            .expect("each member is asked and is busy");
    }
    let errors = load(&client, 63, 1, &AtomicU64::new(0));
    assert!(errors.is_empty(), "{:?}", errors[0]);
    let answer = first.join().expect("the first waits, too");
    assert!(
        begun.elapsed() >= Duration::from_secs(2),
        "nobody could be asked before"
    );
    assert_eq!(answer.report.attempts, 4);
}

#[test]
fn when_no_member_returns_within_the_deadline_one_error_says_when_and_why() {
    let emulators = emulators(2);
    for emulator in &emulators {
        always(emulator, busy(20));
    }
    let router = router(deadline(Duration::from_secs(5)), &emulators);
    let client = client(&router);
    let own = client.generate("Hello").join().unwrap_err();
    assert_eq!(
        (own.kind(), own.status()),
        (ErrorKind::RateLimit, Some(429))
    );
    assert_eq!(own.route_attempts().len(), 2);
    let made = client.generate("Hello").join().unwrap_err();
    assert_eq!((made.kind(), made.status()), (ErrorKind::RateLimit, None));
    for error in [&own, &made] {
        let wait = error.retry_after().expect("the first return is known");
        assert!(wait > Duration::from_secs(10) && wait <= Duration::from_secs(20));
    }
    assert!(made.message().contains("m0 cools for"), "{made}");
    assert!(made.message().contains("m1 cools for"), "{made}");
    assert_eq!(attempts(&emulators[0]) + attempts(&emulators[1]), 2);
}

#[test]
fn the_members_errors_fall_over_and_the_callers_do_not() {
    for (status, asked) in [
        (401, 1),
        (402, 1),
        (403, 1),
        (404, 1),
        (429, 1),
        (500, 1),
        (503, 1),
        (400, 0),
        (413, 0),
        (422, 0),
    ] {
        let emulators = emulators(2);
        once(&emulators[0], Action::status(status));
        let router = router(RouterOptions::default(), &emulators);
        let outcome = client(&router).generate("Hello").join();
        assert_eq!(attempts(&emulators[1]), asked, "{status}");
        assert_eq!(
            attempts(&emulators[0]),
            1,
            "no retries of its own: {status}"
        );
        match outcome {
            Ok(answer) => assert_eq!((answer.report.attempts, asked), (2, 1), "{status}"),
            Err(error) => assert_eq!((error.status(), asked), (Some(status), 0)),
        }
    }
}

#[test]
fn members_retry_only_when_the_router_lets_them() {
    let emulators = emulators(2);
    once(&emulators[0], Action::status(500));
    let mut options = RouterOptions::default();
    options.set_member_retries(true);
    let router = router(options, &emulators);
    let answer = client(&router).generate("Hello").join().unwrap();
    assert_eq!(answer.report.attempts, 2);
    assert_eq!((attempts(&emulators[0]), attempts(&emulators[1])), (2, 0));
    assert_eq!(router.metrics().members[0].retries, 1);
}

#[test]
fn a_fallback_after_a_read_timeout_can_be_switched_off() {
    let emulators = emulators(2);
    always(&emulators[0], Action::DelayHeaders { ms: 60_000 });
    let mut options = deadline(Duration::from_secs(1));
    options.set_fallback_after_read_timeout(false);
    let router = router(options, &emulators);
    let error = client(&router).generate("Hello").join().unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Timeout);
    assert_eq!(attempts(&emulators[1]), 0);
}

#[test]
fn cancelled_calls_and_streams_leave_nothing_in_flight() {
    let emulators = emulators(2);
    for emulator in &emulators {
        always(emulator, Action::DelayHeaders { ms: 60_000 });
    }
    let router = router(RouterOptions::default(), &emulators);
    let client = client(&router);
    let calls: Vec<_> = (0..20).map(|_| client.generate("Hello")).collect();
    let arrived = |emulator: &Emulator| {
        let reached = emulator.wait_until(BOUND, |counters| counters.chat_attempts >= 10);
        reached.expect("all are under way");
    };
    emulators.iter().for_each(arrived);
    assert_eq!(in_flight(&router), 20);
    for call in calls {
        call.cancel();
        assert_eq!(call.join().unwrap_err().kind(), ErrorKind::Cancelled);
    }
    // A call has ended when its work is gone.
    assert_eq!(in_flight(&router), 0);
    let metrics = router.metrics();
    let cancelled: u64 = metrics.members.iter().map(|member| member.cancelled).sum();
    assert_eq!(cancelled, 20);
    assert!(metrics.members.iter().all(|m| m.health.name() == "healthy"));
}

#[test]
fn members_with_one_key_share_its_permit_and_its_token() {
    let emulator = service::emulator_with(|options| options.concurrency = Some(1));
    let router = Router::new(RouterOptions::default());
    for _ in 0..2 {
        let mut config = gigachat::Config::new(&emulator.authorization_key()).unwrap();
        config.set_base_url(&emulator.plain_base_url()).unwrap();
        config.set_token_url(&emulator.plain_token_url()).unwrap();
        router.add(GigaChat::new(config).unwrap()).unwrap();
    }
    let errors = load(&client(&router), 8, 5, &AtomicU64::new(0));
    assert!(errors.is_empty(), "{:?}", errors[0]);
    let counters = emulator.counters();
    assert_eq!((counters.tokens_issued, counters.peak_in_flight), (1, 1));
    assert_eq!(counters.rejected_429, 0);
    let names: Vec<String> = router
        .metrics()
        .members
        .into_iter()
        .map(|m| m.name)
        .collect();
    assert_eq!(names[1], format!("{}-2", names[0]));
}

#[test]
fn routers_nest_and_the_outer_lists_the_inner_attempts() {
    let emulators = emulators(3);
    let mut options = RouterOptions::default();
    options.set_name("inner").unwrap();
    let inner = router(options, &emulators[..2]);
    let outer = Router::new(RouterOptions::default());
    outer.add(inner.clone()).unwrap();
    let circle = inner.add(outer.clone()).unwrap_err();
    assert_eq!(circle.kind(), ErrorKind::Configuration);
    outer
        .add(GigaChat::new(service::config(&emulators[2], "last")).unwrap())
        .unwrap();
    let client = client(&outer);
    for emulator in &emulators {
        once(emulator, Action::status(500));
    }
    let error = client.generate("Hello").join().unwrap_err();
    let members: Vec<&str> = error.route_attempts().iter().map(|a| &*a.member).collect();
    assert_eq!(members, ["inner/m0", "inner/m1", "last"]);
    assert_eq!(error.attempts(), 3);
    let answer: Response = client.generate("Hello").join().unwrap();
    assert!(!answer.text.is_empty());
    assert!(client.health_check(None).join().unwrap().models > 0);
}

#[test]
fn a_router_is_healthy_while_any_member_is_and_models_come_from_one_that_answers() {
    let emulators = emulators(2);
    emulators[0].kill();
    let router = router(RouterOptions::default(), &emulators);
    let client = client(&router);
    assert!(client.health_check(None).join().unwrap().models > 0);
    let models = client.models().join().unwrap();
    let name = &models[0].id;
    assert_eq!(&client.model(name).join().unwrap().id, name);
    emulators[1].kill();
    let error = client.health_check(None).join().unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Connection);
}

#[test]
fn members_join_and_leave_while_requests_run() {
    let emulators = emulators(3);
    let router = router(RouterOptions::default(), &emulators[..2]);
    let client = client(&router);
    let served = AtomicU64::new(0);
    let errors = thread::scope(|scope| {
        let loaded = scope.spawn(|| load(&client, 16, 100, &served));
        let seen = |emulator: &Emulator, requests| {
            let reached = emulator.wait_until(BOUND, |c| c.chat_requests >= requests);
            reached.expect("requests come");
        };
        seen(&emulators[0], 100);
        let config = service::config(&emulators[2], "late");
        router.add(GigaChat::new(config).unwrap()).unwrap();
        seen(&emulators[2], 50);
        assert!(router.remove(router.members()[0].id));
        loaded.join().unwrap()
    });
    assert!(errors.is_empty(), "{:?}", errors[0]);
    assert_eq!(router.members().len(), 2);
    assert_eq!(in_flight(&router), 0);
}

#[test]
fn tokens_are_those_that_the_service_counted() {
    let emulators = emulators(1);
    let router = router(RouterOptions::default(), &emulators);
    let client = client(&router);
    let whole = client.generate("Count this").join().unwrap();
    let stream = client.stream(Request::prompt("Count this, too")).unwrap();
    assert!(read(&stream).1.is_none());
    let end = stream.end().unwrap();
    let sum = whole.usage.unwrap().total_tokens + end.usage.unwrap().total_tokens;
    let member = &router.metrics().members[0];
    assert_eq!(member.tokens(|model| model.total_tokens), sum);
    assert_eq!(member.models.len(), 1);
    assert_eq!(member.models[0].model, whole.model);
    assert_eq!(member.first_content.samples, 2);
}
