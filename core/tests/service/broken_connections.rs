//! I4, I10: connections that break. A fresh one that broke before an answer is a retry, which can be
//! switched off; a *reused* one is resent once, at once, whatever the retries are.

use std::thread;
use std::time::{Duration, Instant};

use crate::support::reading::stream;
use crate::support::{Service, Wire, bounded, client, on_both_wires, on_both_wires_with};
use gigachat::{Client, Config, ErrorKind, Phase};
use gigachat_emulator::{Action, Endpoint, Fault, Options, TlsVariant};

fn cut(reset: bool) -> Action {
    Action::CutBeforeAnswer { reset }
}

/// A client that does not repeat anything by itself.
fn without_retries(service: &Service) -> Client {
    service.client_with(|config| {
        config.set_max_retries(0).unwrap();
        config.set_retry_broken_connections(false);
    })
}

/// The connections that carried chat requests, in their order.
fn connections(service: &Service) -> Vec<u64> {
    let requests = service.requests();
    let chats = requests
        .iter()
        .filter(|request| request.path.ends_with("/completions"));
    chats.map(|request| request.connection).collect()
}

#[test]
fn a_fresh_connection_that_breaks_before_an_answer_is_retried() {
    // I4
    for reset in [false, true] {
        on_both_wires(move |service| {
            service.once(Endpoint::Generation, cut(reset));
            assert_eq!(
                service
                    .stranger()
                    .generate("hello")
                    .join()
                    .unwrap()
                    .report
                    .attempts,
                2
            );
            service.once(Endpoint::Generation, cut(reset));
            let client = service.stranger();
            assert_eq!(stream(&client, "hello").complete().report.attempts, 2);
            assert_eq!(service.counters().chat_attempts, 4);
        });
    }
}

#[test]
fn broken_connections_are_not_retried_when_that_is_switched_off() {
    // I4: such a retry may be billed twice.
    for reset in [false, true] {
        on_both_wires(move |service| {
            let client = service.client_with(|config| config.set_retry_broken_connections(false));
            service.once(Endpoint::Chat, cut(reset));
            let error = client.generate("hello").join().unwrap_err();
            assert_eq!(
                (error.kind(), error.phase()),
                (ErrorKind::Connection, Phase::Answer)
            );
            assert_eq!((error.status(), error.attempts()), (None, 1));
            assert!(error.retryable());
            assert!(error.request_id().is_some());
            assert_eq!(service.counters().chat_attempts, 1);
        });
    }
}

#[test]
fn a_stream_that_breaks_before_content_is_not_retried_when_that_is_switched_off() {
    // I4
    on_both_wires(|service| {
        let client = service.client_with(|config| config.set_retry_broken_connections(false));
        service.once(
            Endpoint::Stream,
            Action::CutAfter {
                chunks: 0,
                reset: false,
            },
        );
        let read = stream(&client, "hello");
        assert_eq!(read.broken().kind(), ErrorKind::IncompleteStream);
        assert_eq!(read.broken().partial_text(), Some(""));
        assert_eq!(service.counters().chat_attempts, 1);
    });
}

#[test]
fn max_retries_bounds_retries_of_broken_connections() {
    // I4: three fresh connections, each of which breaks.
    on_both_wires(|service| {
        let client = service.client_with(|config| config.set_max_retries(2).unwrap());
        service
            .faults()
            .add(Fault::new(Endpoint::Chat, cut(true)).for_ever());
        let error = client.generate("hello").join().unwrap_err();
        assert_eq!((error.kind(), error.attempts()), (ErrorKind::Connection, 3));
        assert_eq!(service.counters().chat_attempts, 3);
    });
}

#[test]
fn a_reused_connection_that_the_server_closed_is_resent_at_once_outside_of_max_retries() {
    // I10: the server closes as the second request is under way.
    on_both_wires(|service| {
        let client = without_retries(service);
        for _ in 0..5 {
            service.once(Endpoint::Chat, Action::CloseIdleThenReset);
            client.generate("first").join().unwrap();
            let begun = Instant::now();
            client.generate("second").join().unwrap();
            // The shortest backoff is 250 ms; a slow machine may take as long without one.
            if begun.elapsed() > Duration::from_millis(250) {
                eprintln!("slow: {:?}", begun.elapsed());
            }
        }
        assert_eq!(service.counters().chat_requests, 10);
    });
}

#[test]
fn a_reused_connection_is_resent_once_only() {
    // I10: the fresh connection breaks too, and retries are off.
    on_both_wires(|service| {
        let client = without_retries(service);
        service.once(Endpoint::Chat, Action::CloseIdleThenReset);
        client.generate("first").join().unwrap();
        service
            .faults()
            .add(Fault::new(Endpoint::Chat, cut(true)).for_ever());
        let error = client.generate("second").join().unwrap_err();
        assert_eq!(error.kind(), ErrorKind::Connection);
        assert_eq!(
            service.counters().chat_attempts,
            2,
            "the resend was the last one"
        );
    });
}

#[test]
fn a_reused_connection_that_breaks_after_the_request_arrived_is_resent_too() {
    // I10: no answer byte came; the emulator counts the request that it dropped.
    on_both_wires(|service| {
        let client = without_retries(service);
        client.generate("first").join().unwrap();
        service.once(Endpoint::Chat, cut(false));
        client.generate("second").join().unwrap();
        assert_eq!(service.counters().chat_attempts, 3);
    });
}

#[test]
fn connections_that_were_closed_while_idle_are_not_noticed_by_callers() {
    // I10: by the server's announcement, by its silence, by its death and return.
    on_both_wires(|service| {
        let client = without_retries(service);
        for action in [Action::Goaway, Action::CloseAfterResponse] {
            for _ in 0..5 {
                service.once(Endpoint::Chat, action.clone());
                client.generate("first").join().unwrap();
                client.generate("second").join().unwrap();
            }
        }
        for _ in 0..5 {
            client.generate("first").join().unwrap();
            service.close_connections();
            client.generate("second").join().unwrap();
        }
    });
}

#[test]
fn a_connection_is_reused_within_twelve_seconds_and_not_after() {
    // I10: the service's front closes at fifteen; this emulator would wait for a minute.
    let options = Options {
        keep_alive: Duration::from_secs(60),
        ..Options::default()
    };
    on_both_wires_with(options, |service| {
        let client = service.client();
        client.generate("first").join().unwrap();
        client.generate("second").join().unwrap();
        thread::sleep(Duration::from_millis(12_500));
        client.generate("third").join().unwrap();
        let used = connections(service);
        assert_eq!(used[0], used[1]);
        assert_ne!(used[1], used[2]);
    });
}

#[test]
fn a_service_that_comes_back_is_found_by_the_retries() {
    // I4: refused connections are retried; nothing was sent.
    on_both_wires(|service| {
        let client = service.client_with(|config| config.set_max_retries(10).unwrap());
        client.generate("first").join().unwrap();
        service.kill();
        let call = client.generate("second");
        assert!(
            !call.wait(Some(Duration::from_millis(300))).unwrap(),
            "it is being retried"
        );
        service.restart_listener().unwrap();
        assert!(call.join().unwrap().report.attempts >= 2);
    });
}

#[test]
fn a_service_that_is_gone_is_a_connection_error() {
    on_both_wires(|service| {
        let client = service.client_with(|config| config.set_max_retries(1).unwrap());
        client.generate("first").join().unwrap();
        service.kill();
        let error = client.generate("second").join().unwrap_err();
        assert_eq!(
            (error.kind(), error.phase()),
            (ErrorKind::Connection, Phase::Connect)
        );
        assert_eq!(error.attempts(), 2);
        assert!(error.retryable());
        assert!(error.message().contains("localhost"), "{error}");
    });
}

/// A configuration for a port that asks for a client certificate and can do without.
fn asked_for_a_certificate(service: &Service) -> Config {
    let mut config = service.config();
    let variant = TlsVariant::AsksForCertificate;
    config
        .set_base_url(&service.tls_variant_base_url(variant).unwrap())
        .unwrap();
    config
        .set_token_url(&service.tls_variant_token_url(variant).unwrap())
        .unwrap();
    config
}

#[test]
fn a_connection_that_breaks_after_a_certificate_was_asked_for_is_one_that_breaks() {
    // I4, I8: the question alone is no refusal.
    bounded(|| {
        let service = Service::start(Wire::Http2, Options::default());
        for reset in [false, true] {
            service.once(Endpoint::Generation, cut(reset));
            let mut config = asked_for_a_certificate(&service);
            // Its own connections.
            let timeout = Duration::from_secs(9 + u64::from(reset));
            config.set_connect_timeout(timeout).unwrap();
            let client = client(config);
            let response = client.generate("hello").join().unwrap();
            assert_eq!(response.report.attempts, 2);
            service.once(Endpoint::Chat, cut(reset));
            client.generate("hello").join().unwrap();
        }
        let mut config = asked_for_a_certificate(&service);
        config.set_max_retries(0).unwrap();
        config.set_connect_timeout(Duration::from_secs(8)).unwrap();
        service.once(Endpoint::Chat, cut(false));
        let error = client(config).generate("hello").join().unwrap_err();
        assert_eq!(
            (error.kind(), error.phase(), error.retryable()),
            (ErrorKind::Connection, Phase::Answer, true),
            "{error}"
        );
    });
}
