//! I1: one token request at a time per credential, whatever happens around it. The emulator counts
//! the requests; lifetimes and renewal (I2) are in `token_lifetimes`, other credentials than the
//! authorization key in `credentials`.

use std::collections::HashSet;
use std::time::{Duration, Instant};

use crate::support::{
    Service, all_answered, answer_with, at_once, client, on_both_wires, on_both_wires_unlimited,
};
use gigachat::{Client, ErrorKind, Phase, Request};
use gigachat_emulator::{Action, Endpoint, Fault};

const MANY: usize = 100;

/// A client without a limit on calls at once.
fn unlimited(service: &Service) -> Client {
    service.client_with(|config| config.set_max_concurrency(0).unwrap())
}

/// Token requests take this long from now on.
fn slow_tokens(service: &Service, ms: u64) {
    service.always(Endpoint::Token, Action::DelayHeaders { ms });
}

#[test]
fn a_hundred_threads_that_call_for_the_first_time_make_one_token_request() {
    // I1
    on_both_wires_unlimited(|service| {
        slow_tokens(service, 100);
        let client = unlimited(service);
        all_answered(at_once(MANY, |_| client.generate("hello").join()));
        let counters = service.counters();
        assert_eq!(counters.token_requests, 1);
        assert_eq!(counters.chat_attempts, MANY as u64);
    });
}

#[test]
fn a_401_storm_makes_one_refresh_and_no_call_fails() {
    // I1: the token is revoked while a hundred calls use it.
    on_both_wires_unlimited(|service| {
        let client = unlimited(service);
        // Opens the connections, so that the storm itself is short.
        service.always(Endpoint::Chat, Action::DelayHeaders { ms: 200 });
        all_answered(at_once(MANY, |_| client.generate("before").join()));
        slow_tokens(service, 300);
        service.revoke_tokens();
        all_answered(at_once(MANY, |_| client.generate("after").join()));
        let counters = service.counters();
        assert_eq!(
            counters.token_requests, 2,
            "the first token and one refresh"
        );
        assert!(counters.rejected_401 >= 1);
    });
}

#[test]
fn a_revocation_among_requests_in_flight_makes_one_refresh() {
    // I1: some of the calls were sent before the revocation, some after, with no pause between.
    on_both_wires_unlimited(|service| {
        let client = unlimited(service);
        client.generate("warm").join().unwrap();
        all_answered(at_once(MANY, |number| {
            if number == MANY / 2 {
                service.revoke_tokens();
            }
            client.generate("hello").join()
        }));
        assert_eq!(service.counters().token_requests, 2);
    });
}

#[test]
fn a_late_401_of_an_old_token_does_not_invalidate_the_new_one() {
    // I1: only the generation that the 401 was answered to is invalid.
    on_both_wires_unlimited(|service| {
        let client = unlimited(service);
        client.generate("warm").join().unwrap();
        service.once(Endpoint::Chat, Action::status(401));
        service.once(Endpoint::Chat, Action::DelayHeaders { ms: 700 });
        let late = client.generate("its 401 comes late");
        service.sees("the late call", |now| now.in_flight == 1);
        service.once(Endpoint::Chat, Action::status(401));
        client.generate("its 401 comes at once").join().unwrap();
        late.join().unwrap();
        assert_eq!(service.counters().token_requests, 2);
    });
}

#[test]
fn a_second_401_in_a_row_is_final() {
    // I4: 401 is not retried beyond the one refresh.
    on_both_wires(|service| {
        service.always(Endpoint::Chat, Action::status(401));
        let error = service.client().generate("hello").join().unwrap_err();
        assert_eq!(error.kind(), ErrorKind::Authentication);
        assert_eq!((error.status(), error.attempts()), (Some(401), 2));
        let counters = service.counters();
        assert_eq!((counters.token_requests, counters.chat_attempts), (2, 2));
    });
}

#[test]
fn a_service_that_refuses_every_token_is_not_asked_for_one_by_each_call() {
    // I1: an account that is blocked must not turn its program into a flood of key exchanges.
    on_both_wires_unlimited(|service| {
        service.always(Endpoint::Chat, Action::status(401));
        let client = unlimited(service);
        for _ in 0..30 {
            let error = client.generate("hello").join().unwrap_err();
            assert_eq!(error.kind(), ErrorKind::Authentication);
        }
        let outcomes = at_once(MANY, |_| client.generate("hello").join());
        assert!(outcomes.iter().all(Result::is_err));
        let asked = service.counters().token_requests;
        // One more for each five seconds that this takes.
        assert!(asked <= 6, "{asked} token requests");
    });
}

#[test]
fn a_client_for_each_call_makes_one_token_request_and_uses_one_connection() {
    // I1: the commonest program there is; each client is gone before the next is made.
    on_both_wires(|service| {
        for _ in 0..20 {
            service.client().generate("hello").join().unwrap();
        }
        let counters = service.counters();
        assert_eq!(counters.token_requests, 1);
        // One for the token, one for the calls.
        assert_eq!(counters.tls_handshakes, 2);
    });
}

#[test]
fn equal_configurations_share_permits_and_connections() {
    // I1, I5
    on_both_wires(|service| {
        let clients: Vec<_> = (0..10).map(|_| service.client()).collect();
        all_answered(at_once(10, |number| {
            clients[number].generate("hello").join()
        }));
        let counters = service.counters();
        assert_eq!((counters.token_requests, counters.rejected_429), (1, 0));
        assert_eq!(counters.tls_handshakes, 2, "one permit, one connection");
    });
}

#[test]
fn a_failed_token_request_is_shared_with_the_next_client_too() {
    // I1
    on_both_wires(|service| {
        for _ in 0..5 {
            let mut config = service.bare_config();
            config.set_authorization_key("d3Jvbmc6a2V5").unwrap();
            let error = client(config).generate("hello").join().unwrap_err();
            assert_eq!(error.kind(), ErrorKind::Authentication);
        }
        let asked = service.counters().token_requests;
        assert!(asked < 5, "{asked} token requests within a second or so");
    });
}

#[test]
fn providers_with_one_key_share_the_token_and_others_do_not() {
    // I1
    on_both_wires_unlimited(|service| {
        let (first, second) = (unlimited(service), unlimited(service));
        all_answered(at_once(20, |number| match number % 2 {
            0 => first.generate("hello").join(),
            _ => second.generate("hello").join(),
        }));
        assert_eq!(service.counters().token_requests, 1);
        let mut other = service.bare_config();
        let key = service.authorization_key_for("GIGACHAT_API_PERS", "another client");
        other.set_authorization_key(&key).unwrap();
        client(other).generate("hello").join().unwrap();
        assert_eq!(service.counters().token_requests, 2);
    });
}

#[test]
fn cancelling_the_first_caller_does_not_end_the_refresh() {
    // I1
    on_both_wires_unlimited(|service| {
        slow_tokens(service, 400);
        let client = unlimited(service);
        let first = client.generate("cancelled");
        service.sees("the token request", |now| now.token_requests == 1);
        let second = client.generate("stays");
        first.cancel();
        assert_eq!(first.join().unwrap_err().kind(), ErrorKind::Cancelled);
        second.join().unwrap();
        let counters = service.counters();
        assert_eq!((counters.token_requests, counters.tokens_issued), (1, 1));
        assert_eq!(counters.cancelled_requests, 0, "no request was given up");
    });
}

#[test]
fn a_callers_deadline_does_not_end_the_refresh() {
    // I1, I3: the call gives up in the phase "token", the next one takes its token.
    on_both_wires_unlimited(|service| {
        slow_tokens(service, 800);
        let client = unlimited(service);
        let mut hasty = Request::prompt("hasty");
        hasty.set_timeout(Duration::from_millis(200)).unwrap();
        let error = client.chat(hasty).join().unwrap_err();
        assert_eq!(
            (error.kind(), error.phase()),
            (ErrorKind::Timeout, Phase::Token)
        );
        client.generate("patient").join().unwrap();
        let counters = service.counters();
        assert_eq!((counters.token_requests, counters.chat_attempts), (1, 1));
    });
}

#[test]
fn a_failed_token_request_is_the_answer_for_all_who_wait_and_for_a_second_more() {
    // I1
    on_both_wires_unlimited(|service| {
        let client = unlimited(service);
        service.once(Endpoint::Token, Action::status(401));
        service.once(Endpoint::Token, Action::DelayHeaders { ms: 300 });
        let begun = Instant::now();
        let errors = at_once(20, |_| client.generate("hello").join().unwrap_err());
        for error in &errors {
            assert_eq!(
                (error.kind(), error.phase()),
                (ErrorKind::Authentication, Phase::Token)
            );
        }
        let next = client.generate("just after").join();
        // On a machine that is slower than that the second may be over.
        if begun.elapsed() < Duration::from_secs(1) {
            assert_eq!(next.unwrap_err().kind(), ErrorKind::Authentication);
            assert_eq!(service.counters().token_requests, 1);
        }
        std::thread::sleep(Duration::from_millis(1100));
        client.generate("a second later").join().unwrap();
        assert_eq!(service.counters().token_requests, 2);
    });
}

#[test]
fn a_429_of_the_token_endpoint_is_backed_off_once_for_all() {
    // I1
    on_both_wires_unlimited(|service| {
        let rate_limited = Action::status(429).with_header("retry-after-ms", "200");
        service
            .faults()
            .add(Fault::new(Endpoint::Token, rate_limited).times(2));
        let client = unlimited(service);
        let begun = Instant::now();
        all_answered(at_once(20, |_| client.generate("hello").join()));
        assert!(
            begun.elapsed() >= Duration::from_millis(400),
            "both waits were kept"
        );
        assert_eq!(service.counters().token_requests, 3);
    });
}

#[test]
fn a_wait_longer_than_a_refresh_may_take_is_not_begun() {
    // I1, I3: it would end in a timeout that hides why; nobody waits 30 s for that.
    on_both_wires(|service| {
        for longer in ["50", "99999999999999999999", "{date+7200}"] {
            service.reset();
            let rate_limited = Action::status(429).with_header("retry-after", longer);
            service.once(Endpoint::Token, rate_limited);
            let error = service.stranger().generate("hello").join().unwrap_err();
            assert_eq!(
                (error.kind(), error.phase(), error.status()),
                (ErrorKind::RateLimit, Phase::Token, Some(429)),
                "{longer}"
            );
            assert!(error.retry_after() >= Some(Duration::from_secs(50)));
            assert_eq!(service.counters().token_requests, 1);
        }
    });
}

#[test]
fn failures_of_the_token_endpoint_that_may_pass_are_repeated_and_others_are_not() {
    // I1, I4
    on_both_wires(|service| {
        for (status, requests, kind) in [
            (500, 3, ErrorKind::Server),
            (503, 3, ErrorKind::Server),
            (429, 3, ErrorKind::RateLimit),
            (400, 1, ErrorKind::InvalidRequest),
            (401, 1, ErrorKind::Authentication),
            (403, 1, ErrorKind::PermissionDenied),
            (302, 1, ErrorKind::Protocol),
        ] {
            service.reset();
            let action = Action::status(status).with_header("retry-after-ms", "10");
            service.always(Endpoint::Token, action);
            let mut config = service.bare_config();
            let name = format!("client of {status}");
            let key = service.authorization_key_for("GIGACHAT_API_PERS", &name);
            config.set_authorization_key(&key).unwrap();
            let error = client(config).generate("hello").join().unwrap_err();
            assert_eq!(
                (error.kind(), error.phase()),
                (kind, Phase::Token),
                "{status}"
            );
            assert_eq!(error.status(), Some(status));
            let counters = service.counters();
            assert_eq!(counters.token_requests, requests, "{status}");
            assert_eq!(counters.chat_attempts, 0, "{status}");
        }
    });
}

#[test]
fn each_token_request_has_an_rquid_of_its_own() {
    // GigaChat REST reference, OAuth: RqUID is a UUID version 4, new for each request.
    on_both_wires(|service| {
        let client = service.client();
        for _ in 0..3 {
            service.once(
                Endpoint::Token,
                Action::status(500).with_header("retry-after-ms", "5"),
            );
            client.generate("hello").join().unwrap();
            service.revoke_tokens();
        }
        let requests = service.requests();
        let token_requests: Vec<_> = requests
            .iter()
            .filter(|request| request.path.ends_with("/oauth"))
            .collect();
        let rquids: HashSet<&str> = token_requests
            .iter()
            .map(|request| request.header("rquid").unwrap())
            .collect();
        assert_eq!((token_requests.len(), rquids.len()), (6, 6));
        let authorization = format!("Basic {}", service.authorization_key());
        for request in token_requests {
            let rquid = uuid::Uuid::parse_str(request.header("rquid").unwrap()).unwrap();
            assert_eq!(rquid.get_version_num(), 4);
            assert_eq!(
                request.header("authorization"),
                Some(authorization.as_str())
            );
            assert_eq!(request.body, "scope=GIGACHAT_API_PERS");
        }
    });
}

#[test]
fn an_unusable_token_answer_is_a_protocol_error_that_does_not_repeat_the_body() {
    // I13: the body may hold a token.
    on_both_wires(|service| {
        let bodies = [
            "<html>MARKED-TOKEN</html>",
            r#"{"access_token":"MARKED-TOKEN"#,
            r#"{"something":"MARKED-TOKEN"}"#,
            r#"{"access_token":["MARKED-TOKEN"]}"#,
            r#"{"access_token":"MARKED TOKEN","expires_at":1}"#,
            r#"{"access_token":""}"#,
            "",
        ];
        for (number, body) in bodies.iter().enumerate() {
            let mut config = service.bare_config();
            let name = format!("client {number}");
            let key = service.authorization_key_for("GIGACHAT_API_PERS", &name);
            config.set_authorization_key(&key).unwrap();
            service.once(Endpoint::Token, answer_with(200, body, &[]));
            let error = client(config).generate("hello").join().unwrap_err();
            assert_eq!(
                (error.kind(), error.phase()),
                (ErrorKind::Protocol, Phase::Token),
                "{body}"
            );
            assert!(!format!("{error} {error:?}").contains("MARKED"), "{error}");
            assert!(error.body().is_empty());
        }
    });
}
