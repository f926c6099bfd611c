//! A router over real members: what callers see when a member is broken, busy, slow or gone
//! (I4, I14; peers O1, O3, O14).

use std::sync::atomic::AtomicU64;
use std::time::{Duration, Instant};

use crate::routing::{BOUND, always, busy, client, emulators, in_flight, load, once, read, router};
use gigachat::{ErrorKind, Phase, Request, RouterOptions};
use gigachat_emulator::{Action, Emulator, Endpoint, Fault};

fn deadline(time: Duration) -> RouterOptions {
    let mut options = RouterOptions::default();
    options.set_deadline(time).unwrap();
    options
}

fn attempts(emulator: &Emulator) -> u64 {
    emulator.counters().chat_attempts
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
    assert!(made.message().contains("m0 is cooling down for"), "{made}");
    assert!(made.message().contains("m1 is cooling down for"), "{made}");
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
fn a_deadline_holds_with_three_members_three_retries_each_and_stalled_services() {
    // I3, I14: nine attempts would be possible; the deadline cuts them, and the stall of the one under way.
    let emulators = emulators(3);
    for emulator in &emulators {
        let refused = Action::status(503).with_header("retry-after-ms", "1");
        emulator
            .faults()
            .add(Fault::new(Endpoint::Generation, refused));
        let stalled = Action::DelayHeaders { ms: 60_000 };
        let stalled = Fault::new(Endpoint::Generation, stalled).skip(1);
        emulator.faults().add(stalled.for_ever());
    }
    let mut options = deadline(Duration::from_millis(900));
    options.set_member_retries(true);
    let router = router(options, &emulators);
    let begun = Instant::now();
    let error = client(&router).generate("Hello").join().unwrap_err();
    // Generous: without the deadline it would be minutes.
    assert!(begun.elapsed() < Duration::from_secs(5), "{error}");
    assert_eq!(error.kind(), ErrorKind::Timeout);
    let members: Vec<&str> = error.route_attempts().iter().map(|a| &*a.member).collect();
    assert_eq!(members, ["m0", "m1", "m2"]);
    assert!(
        emulators.iter().all(|emulator| attempts(emulator) == 2),
        "each retried once, then stalled"
    );
    assert_eq!(in_flight(&router), 0);
}
