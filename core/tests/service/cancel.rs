//! Cancel, from any thread, in any part of a call: it returns at once, and the service sees the
//! connection (HTTP/1.1) or the stream (HTTP/2) go, so that its slot is free again (I5).

use std::thread;
use std::time::{Duration, Instant};

use crate::support::reading::next_text;
use crate::support::server::BlackHole;
use crate::support::{
    Service, Wire, at_once, bounded, client, on_both_wires, on_both_wires_unlimited,
};
use gigachat::{Client, ErrorKind, Request};
use gigachat_emulator::{Action, Endpoint};

/// A cancelled call has returned, and is gone at the service, within this.
const BOUND: Duration = Duration::from_secs(2);
const TIMES: usize = 50;

/// Prints how long it took; fails the test when it took too long.
fn report(what: &str, service: &Service, mut took: Vec<Duration>) {
    took.sort();
    let (median, p99) = (took[took.len() / 2], took[took.len() * 99 / 100]);
    println!(
        "{what} over {:?}: median {median:?}, p99 {p99:?}",
        service.wire
    );
    assert!(p99 < BOUND, "{what}: {p99:?}");
}

/// From `begun` until the service has seen it.
fn until_seen(service: &Service, begun: Instant, cancelled: u64) -> Duration {
    service.sees("the cancel", |now| {
        now.cancelled_requests + now.cancelled_streams == cancelled && now.in_flight == 0
    });
    begun.elapsed()
}

#[test]
fn a_cancelled_call_returns_at_once_and_the_service_sees_it_go() {
    // I5: while it waits for its answer.
    on_both_wires(|service| {
        let client = service.client();
        client.generate("warm").join().unwrap();
        service.always(Endpoint::Chat, Action::DelayHeaders { ms: 600_000 });
        let (mut returned, mut seen) = (Vec::new(), Vec::new());
        for cancelled in 1..=TIMES as u64 {
            let call = client.generate("never answered");
            service.sees("the call", |now| now.in_flight == 1);
            let begun = Instant::now();
            thread::scope(|scope| {
                scope.spawn(|| call.cancel());
                assert!(call.wait(Some(BOUND)).unwrap(), "it has not ended");
            });
            returned.push(begun.elapsed());
            assert_eq!(call.join().unwrap_err().kind(), ErrorKind::Cancelled);
            seen.push(until_seen(service, begun, cancelled));
        }
        report("a cancelled call returns", service, returned);
        report("a cancelled call is gone at the service", service, seen);
    });
}

#[test]
fn a_cancelled_stream_ends_its_reader_and_the_service_sees_it_go() {
    // I5: while its reader waits for the next event in another thread.
    on_both_wires(|service| {
        let client = service.client();
        service.always(Endpoint::Stream, Action::StallAfter { chunks: 1 });
        let (mut returned, mut seen) = (Vec::new(), Vec::new());
        for cancelled in 1..=TIMES as u64 {
            let stream = client.stream(Request::prompt("stall")).unwrap();
            let first = next_text(&stream);
            let begun = thread::scope(|scope| {
                let reader = scope.spawn(|| stream.next(None));
                let begun = Instant::now();
                stream.cancel();
                let error = reader.join().unwrap().unwrap_err();
                assert_eq!(error.kind(), ErrorKind::Cancelled);
                assert_eq!(error.partial_text(), Some(first.as_str()));
                begun
            });
            returned.push(begun.elapsed());
            seen.push(until_seen(service, begun, cancelled));
        }
        report("a cancelled stream returns", service, returned);
        report("a cancelled stream is gone at the service", service, seen);
    });
}

#[test]
fn dropping_a_call_or_a_stream_does_the_same() {
    // I5
    on_both_wires(|service| {
        let client = service.client();
        service.always(Endpoint::Chat, Action::DelayHeaders { ms: 600_000 });
        service.always(Endpoint::Stream, Action::StallAfter { chunks: 1 });
        let mut seen = Vec::new();
        for number in 0..TIMES as u64 {
            let call = client.generate("never answered");
            service.sees("the call", |now| now.in_flight == 1);
            let begun = Instant::now();
            drop(call);
            seen.push(until_seen(service, begun, number * 2 + 1));
            let stream = client.stream(Request::prompt("stall")).unwrap();
            next_text(&stream);
            let begun = Instant::now();
            drop(stream);
            seen.push(until_seen(service, begun, number * 2 + 2));
        }
        report("what is dropped is gone at the service", service, seen);
    });
}

#[test]
fn a_connection_of_http1_is_closed_by_a_cancel_and_one_of_http2_stays() {
    // I5: over HTTP/2 the other streams of the connection go on.
    on_both_wires_unlimited(|service| {
        let client = service.client_with(|config| config.set_max_concurrency(0).unwrap());
        service.once(Endpoint::Stream, Action::DelayChunks { ms: 50 });
        let other = client.stream(Request::prompt("count to 40")).unwrap();
        next_text(&other);
        service.once(Endpoint::Stream, Action::StallAfter { chunks: 1 });
        let stream = client.stream(Request::prompt("stall")).unwrap();
        next_text(&stream);
        let open = service.counters().connections_open;
        stream.cancel();
        service.sees("the cancel", |now| now.cancelled_streams == 1);
        match service.wire {
            Wire::Http1 => drop(service.sees("a close", |now| now.connections_open == open - 1)),
            Wire::Http2 => assert_eq!(service.counters().connections_open, open),
        }
        crate::support::reading::read(&other).complete();
    });
}

/// Cancels a call that waits in `part`, and sees it return.
#[track_caller]
fn cancelled_in(part: &str, client: &Client, wait_until_there: impl FnOnce()) {
    let call = client.generate("cancel me");
    wait_until_there();
    let begun = Instant::now();
    call.cancel();
    assert_eq!(
        call.join().unwrap_err().kind(),
        ErrorKind::Cancelled,
        "{part}"
    );
    assert!(begun.elapsed() < BOUND, "{part}: {:?}", begun.elapsed());
}

#[test]
fn a_call_can_be_cancelled_in_every_part() {
    on_both_wires(|service| {
        let client = service.client();
        service.once(Endpoint::Token, Action::DelayHeaders { ms: 500 });
        cancelled_in("token", &client, || {
            service.sees("the token request", |now| now.token_requests == 1);
        });
        service.once(
            Endpoint::Chat,
            Action::status(503).with_header("retry-after", "25"),
        );
        cancelled_in("backoff", &client, || {
            service.sees("the 503", |now| now.status.get(&503) == Some(&1));
        });
        service.once(Endpoint::Chat, Action::StallAfter { chunks: 1 });
        cancelled_in("body", &client, || {
            service.sees("the call", |now| {
                now.in_flight == 1 && now.status.contains_key(&200)
            });
        });
        service.once(Endpoint::Stream, Action::StallAfter { chunks: 1 });
        let stream = client.stream(Request::prompt("holds the permit")).unwrap();
        next_text(&stream);
        cancelled_in("queue", &client, || ());
        assert_eq!(service.counters().rejected_429, 0);
    });
}

#[test]
fn a_call_can_be_cancelled_while_its_connection_opens() {
    bounded(|| {
        let hole = BlackHole::open();
        for scheme in ["http", "https"] {
            let mut config = gigachat::Config::default();
            config.set_access_token("ready-made").unwrap();
            config
                .set_base_url(&format!("{scheme}://{}/api/v1", hole.address))
                .unwrap();
            config.set_proxy_from_environment(false);
            cancelled_in("connect", &client(config), || {
                thread::sleep(Duration::from_millis(50))
            });
        }
    });
}

#[test]
fn a_result_that_is_there_stays_whatever_is_cancelled_later() {
    on_both_wires(|service| {
        let client = service.client();
        let call = client.generate("hello");
        assert!(call.wait(None).unwrap());
        call.cancel();
        assert!(!call.join().unwrap().text.is_empty());
        let stream = client.stream(Request::prompt("hello")).unwrap();
        let read = crate::support::reading::read(&stream);
        stream.cancel();
        assert_eq!(
            stream.end().unwrap().finish_reason,
            read.complete().finish_reason
        );
    });
}

#[test]
fn cancels_at_any_moment_end_each_call_once_and_leave_nothing_behind() {
    // I5: a race between the answer and the cancel, two hundred times.
    on_both_wires_unlimited(|service| {
        let provider =
            crate::support::provider(service.config_with(|c| c.set_max_concurrency(20).unwrap()));
        let client = Client::new(provider.clone());
        client.generate("warm").join().unwrap();
        let outcomes = at_once(20, |number| {
            let mut answered = 0;
            for round in 0..10 {
                let call = client.generate("hello");
                thread::sleep(Duration::from_micros(((number * 10 + round) * 40) as u64));
                call.cancel();
                match call.join() {
                    Ok(_) => answered += 1,
                    Err(error) => assert_eq!(error.kind(), ErrorKind::Cancelled, "{error}"),
                }
            }
            answered
        });
        println!(
            "{} of 200 were answered first",
            outcomes.iter().sum::<usize>()
        );
        let used = provider.permit_use();
        assert_eq!((used.held, used.waiting), (0, 0));
        service.sees("no call left", |now| now.in_flight == 0);
    });
}
