//! I3: every time limit of a call, each with the phase that its error names. The limits of a stream
//! between and beyond its contents are in `stream_timeouts`.

use std::net::TcpListener;
use std::time::{Duration, Instant};

use crate::support::reading::{next_text, stream_request};
use crate::support::server::{BlackHole, RawServer};
use crate::support::{Service, all_answered, at_once, bounded, client, on_both_wires, passing};
use gigachat::{Client, Config, Error, ErrorKind, Phase, Request};
use gigachat_emulator::{Action, Endpoint};

const SHORT: Duration = Duration::from_millis(300);
/// No limit that a test sets is as long: what ends later was not ended by it.
const LATE: Duration = Duration::from_secs(10);

/// A client that has its token and its connection, so that only the call itself takes time.
fn warm(service: &Service) -> Client {
    let client = service.client();
    client.generate("warm").join().unwrap();
    client
}

fn within(timeout: Duration) -> Request {
    let mut request = Request::prompt("hello");
    request.set_timeout(timeout).unwrap();
    request
}

/// The error of a call that its time limit ended in this phase, soon after the limit.
#[track_caller]
fn ended_by_time(phase: Phase, call: impl FnOnce() -> Error) -> Error {
    let begun = Instant::now();
    let error = call();
    let took = begun.elapsed();
    assert_eq!(
        (error.kind(), error.phase()),
        (ErrorKind::Timeout, phase),
        "{error}"
    );
    assert!(took < LATE, "{error}: after {took:?}");
    assert!(error.retryable());
    error
}

#[test]
fn waiting_for_a_permit_ends_with_who_holds_them() {
    // I3, I5
    on_both_wires(|service| {
        let client = warm(service);
        service.once(Endpoint::Stream, Action::StallAfter { chunks: 1 });
        let stream = client.stream(Request::prompt("holds the permit")).unwrap();
        next_text(&stream);
        let mut request = Request::prompt("waits");
        request.set_queue_timeout(SHORT).unwrap();
        let error = ended_by_time(Phase::Queue, || {
            client.chat(request.clone()).join().unwrap_err()
        });
        assert!(error.message().contains("all 1 permits"), "{error}");
        assert!(
            error.message().contains("1 of them by open streams"),
            "{error}"
        );
        assert!(error.request_id().is_some());
        let error = ended_by_time(Phase::Queue, || {
            stream_request(&client, request.clone()).broken().clone()
        });
        assert_eq!(error.attempts(), 0);
        assert_eq!(service.counters().chat_attempts, 2, "neither was sent");
        let configured = service.client_with(|config| config.set_queue_timeout(SHORT).unwrap());
        ended_by_time(Phase::Queue, || {
            configured.generate("waits").join().unwrap_err()
        });
        stream.cancel();
        service.once(Endpoint::Chat, Action::DelayHeaders { ms: 60_000 });
        let _call = client.generate("holds the permit");
        service.sees("the call", |now| now.in_flight == 1);
        let error = ended_by_time(Phase::Queue, || client.chat(request).join().unwrap_err());
        assert!(
            error.message().contains("0 of them by open streams"),
            "{error}"
        );
    });
}

#[test]
fn a_hundred_prompts_at_once_with_one_permit_are_all_answered() {
    // I3: the queue is longer than the timeout, no call is.
    on_both_wires(|service| {
        service.always(Endpoint::Chat, Action::DelayHeaders { ms: 40 });
        let client =
            service.client_with(|config| config.set_timeout(Duration::from_secs(3)).unwrap());
        let begun = Instant::now();
        all_answered(at_once(100, |_| client.generate("hello").join()));
        assert!(
            begun.elapsed() > Duration::from_secs(4),
            "longer than the timeout"
        );
        assert_eq!(service.counters().peak_in_flight, 1);
    });
}

#[test]
fn a_retry_that_waits_behind_a_long_queue_is_answered_too() {
    // I3: its permit was given back; waiting for the next one is no part of its timeout.
    on_both_wires(|service| {
        let client =
            service.client_with(|config| config.set_timeout(Duration::from_secs(2)).unwrap());
        client.generate("warm").join().unwrap();
        service.once(Endpoint::Chat, passing(503));
        service.always(Endpoint::Chat, Action::DelayHeaders { ms: 60 });
        let calls: Vec<_> = (0..60).map(|_| client.generate("hello")).collect();
        all_answered(calls.into_iter().map(|call| call.join()).collect());
        assert_eq!(service.counters().chat_attempts, 62);
    });
}

#[test]
fn waiting_for_a_token_is_part_of_the_timeout() {
    // I3
    on_both_wires(|service| {
        service.always(Endpoint::Token, Action::DelayHeaders { ms: 60_000 });
        let client = service.client();
        ended_by_time(Phase::Token, || {
            client.chat(within(SHORT)).join().unwrap_err()
        });
        ended_by_time(Phase::Token, || {
            stream_request(&client, within(SHORT)).broken().clone()
        });
        let check = client.health_check(Some(SHORT));
        ended_by_time(Phase::Token, || check.join().unwrap_err());
        assert_eq!(service.counters().chat_attempts, 0);
    });
}

/// A configuration with a ready token for this address.
fn towards(scheme: &str, address: std::net::SocketAddr) -> Config {
    let mut config = Config::default();
    config.set_access_token("ready-made").unwrap();
    config
        .set_base_url(&format!("{scheme}://{address}/api/v1"))
        .unwrap();
    config.set_proxy_from_environment(false);
    config.set_max_retries(0).unwrap();
    config
}

#[test]
fn opening_a_connection_is_bounded_by_its_own_limit_and_by_the_calls() {
    // I3: nobody accepts.
    bounded(|| {
        let hole = BlackHole::open();
        for scheme in ["http", "https"] {
            let mut config = towards(scheme, hole.address);
            config.set_connect_timeout(SHORT).unwrap();
            let client = client(config);
            let error = ended_by_time(Phase::Connect, || {
                client.generate("hello").join().unwrap_err()
            });
            assert!(error.message().contains("connect_timeout"), "{error}");
            assert!(
                error.message().contains(&hole.address.to_string()),
                "{error}"
            );
            let patient = crate::support::client(towards(scheme, hole.address));
            ended_by_time(Phase::Connect, || {
                patient.chat(within(SHORT)).join().unwrap_err()
            });
            ended_by_time(Phase::Connect, || {
                patient.health_check(Some(SHORT)).join().unwrap_err()
            });
        }
    });
}

#[test]
fn a_tls_handshake_that_hangs_is_part_of_opening_the_connection() {
    // I3: the system accepts, nobody speaks.
    bounded(|| {
        let silent = TcpListener::bind("127.0.0.1:0").unwrap();
        let address = silent.local_addr().unwrap();
        let mut config = towards("https", address);
        config.set_connect_timeout(SHORT).unwrap();
        let hasty = client(config);
        ended_by_time(Phase::Connect, || {
            hasty.generate("hello").join().unwrap_err()
        });
        let patient = client(towards("https", address));
        ended_by_time(Phase::Connect, || {
            patient.chat(within(SHORT)).join().unwrap_err()
        });
    });
}

#[test]
fn a_connection_that_does_not_open_is_retried_within_the_deadline() {
    // I4: nothing was sent.
    bounded(|| {
        let hole = BlackHole::open();
        let mut config = towards("http", hole.address);
        config
            .set_connect_timeout(Duration::from_millis(50))
            .unwrap();
        config.set_max_retries(2).unwrap();
        let client = client(config);
        let error = ended_by_time(Phase::Connect, || {
            client.generate("hello").join().unwrap_err()
        });
        assert_eq!(error.attempts(), 3);
    });
}

#[test]
fn waiting_for_the_answer_is_bounded() {
    // I3
    on_both_wires(|service| {
        let client = warm(service);
        service.always(Endpoint::Any, Action::DelayHeaders { ms: 60_000 });
        let error = ended_by_time(Phase::Answer, || {
            client.chat(within(SHORT)).join().unwrap_err()
        });
        assert_eq!(error.attempts(), 1);
        assert!(error.request_id().is_some());
        ended_by_time(Phase::Answer, || {
            stream_request(&client, within(SHORT)).broken().clone()
        });
        ended_by_time(Phase::Answer, || {
            client.health_check(Some(SHORT)).join().unwrap_err()
        });
        service.sees("the calls gone", |now| now.in_flight == 0);
    });
}

#[test]
fn reading_the_body_is_bounded() {
    // I3
    on_both_wires(|service| {
        let client = warm(service);
        service.always(Endpoint::Any, Action::StallAfter { chunks: 1 });
        let error = ended_by_time(Phase::Body, || {
            client.chat(within(SHORT)).join().unwrap_err()
        });
        assert_eq!(error.attempts(), 1);
        ended_by_time(Phase::Body, || {
            client.health_check(Some(SHORT)).join().unwrap_err()
        });
        service.sees("the calls gone", |now| now.in_flight == 0);
    });
}

#[test]
fn an_error_whose_body_stalls_keeps_its_status() {
    // The status is known: reading the body must not hide it.
    on_both_wires(|service| {
        let client = warm(service);
        for status in [402, 503] {
            service.once(Endpoint::Chat, Action::status(status));
            service.once(Endpoint::Chat, Action::StallAfter { chunks: 1 });
            let mut request = within(Duration::from_millis(700));
            request.set_queue_timeout(Duration::from_secs(1)).unwrap();
            let error = client.chat(request).join().unwrap_err();
            assert_eq!(error.status(), Some(status), "{error}");
        }
    });
}

#[test]
fn the_first_content_of_a_stream_is_bounded_and_comments_are_no_content() {
    // I3
    on_both_wires(|service| {
        let client = warm(service);
        let silences = [
            Action::Comments { every_ms: 20 },
            Action::StallAfter { chunks: 0 },
        ];
        for action in silences {
            service.once(Endpoint::Stream, action);
            let error = ended_by_time(Phase::FirstContent, || {
                stream_request(&client, within(SHORT)).broken().clone()
            });
            assert_eq!((error.attempts(), error.partial_text()), (1, Some("")));
            assert!(error.request_id().is_some());
        }
        service.sees("the streams gone", |now| now.open_streams == 0);
    });
}

#[test]
fn a_limit_of_one_call_replaces_the_configured_one() {
    // I3
    on_both_wires(|service| {
        let client = service.client_with(|config| config.set_timeout(SHORT).unwrap());
        client.models().join().unwrap();
        service.always(Endpoint::Generation, Action::DelayHeaders { ms: 900 });
        ended_by_time(Phase::Answer, || {
            client.generate("hello").join().unwrap_err()
        });
        client.chat(within(Duration::from_secs(30))).join().unwrap();
        stream_request(&client, within(Duration::from_secs(30))).complete();
    });
}

#[test]
fn a_server_that_accepts_and_says_nothing_is_bounded() {
    // I3: with requests that it does read.
    bounded(|| {
        let server = RawServer::start(|_| {
            std::thread::sleep(Duration::from_secs(60));
            false
        });
        let client = client(server.config());
        ended_by_time(Phase::Answer, || {
            client.chat(within(SHORT)).join().unwrap_err()
        });
        assert_eq!(server.requests(), 1);
    });
}
