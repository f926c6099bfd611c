//! The health check: a request of its own each time, within its own short limit, and an error that
//! says why not. That it needs no permit is in `permits`.

use std::time::{Duration, Instant};

use crate::support::{client, on_both_wires};
use gigachat::{ErrorKind, Phase};
use gigachat_emulator::{Action, Endpoint};

#[test]
fn a_health_check_asks_the_service_each_time() {
    on_both_wires(|service| {
        let client = service.client();
        for checks in 1..=3 {
            let health = client.health_check(None).join().unwrap();
            assert!(health.models > 0);
            assert!(health.latency > Duration::ZERO);
            let requests = service.requests();
            let last = requests.last().unwrap();
            assert_eq!(
                (last.method.as_str(), last.path.as_str()),
                ("GET", "/api/v1/models")
            );
            assert_eq!(
                Some(health.request_id.as_str()),
                last.header("x-request-id")
            );
            assert_eq!(service.counters().models_requests, checks);
        }
        assert_eq!(service.counters().chat_attempts, 0, "it costs no tokens");
        service.kill();
        let error = client.health_check(None).join().unwrap_err();
        assert_eq!(error.kind(), ErrorKind::Connection, "not from memory");
        service.restart_listener().unwrap();
        client.health_check(None).join().unwrap();
    });
}

#[test]
fn it_has_a_limit_of_its_own_that_a_call_can_replace() {
    // I3
    on_both_wires(|service| {
        let limit = Duration::from_millis(200);
        let client = service.client_with(|config| config.set_health_timeout(limit).unwrap());
        client.models().join().unwrap();
        service.always(Endpoint::Models, Action::DelayHeaders { ms: 700 });
        let begun = Instant::now();
        let error = client.health_check(None).join().unwrap_err();
        assert_eq!(
            (error.kind(), error.phase()),
            (ErrorKind::Timeout, Phase::Answer)
        );
        assert!(begun.elapsed() < Duration::from_secs(5));
        client
            .health_check(Some(Duration::from_secs(20)))
            .join()
            .unwrap();
        client.models().join().unwrap();
    });
}

#[test]
fn a_failure_says_why() {
    on_both_wires(|service| {
        let client = service.client_with(|config| config.set_max_retries(0).unwrap());
        for (status, kind) in [
            (401, ErrorKind::Authentication),
            (402, ErrorKind::PaymentRequired),
            (403, ErrorKind::PermissionDenied),
            (429, ErrorKind::RateLimit),
            (503, ErrorKind::Server),
        ] {
            service.reset();
            service.always(Endpoint::Models, Action::status(status));
            let error = client.health_check(None).join().unwrap_err();
            assert_eq!((error.kind(), error.status()), (kind, Some(status)));
            assert!(error.request_id().is_some());
        }
    });
}

#[test]
fn a_wrong_key_is_found_by_it() {
    on_both_wires(|service| {
        let mut config = service.bare_config();
        config.set_authorization_key("d3Jvbmc6a2V5").unwrap();
        let error = client(config).health_check(None).join().unwrap_err();
        assert_eq!(
            (error.kind(), error.phase()),
            (ErrorKind::Authentication, Phase::Token)
        );
        assert_eq!(error.code(), Some(6));
    });
}
