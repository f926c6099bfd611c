//! I4: what is sent again, how often and after how long. The emulator counts the requests.
//! Connections that break are in `broken_connections`.

use std::time::{Duration, Instant};

use crate::support::reading::{stream, stream_request};
use crate::support::{on_both_wires, passing};
use gigachat::{ErrorKind, Request};
use gigachat_emulator::{Action, Endpoint, Fault};

#[test]
fn a_failure_that_may_pass_is_retried() {
    // I4
    on_both_wires(|service| {
        let client = service.client();
        client.models().join().unwrap();
        for status in [429, 500, 502, 503, 504] {
            service.reset();
            service.once(Endpoint::Chat, passing(status));
            let answer = client.generate("hello").join().unwrap();
            assert_eq!(answer.report.attempts, 2, "{status}");
            assert_eq!(service.counters().chat_attempts, 2, "{status}");
            service.once(Endpoint::Stream, passing(status));
            assert_eq!(
                stream(&client, "hello").complete().report.attempts,
                2,
                "{status}"
            );
            service.once(Endpoint::Models, passing(status));
            client.models().join().unwrap();
        }
    });
}

#[test]
fn a_failure_that_cannot_pass_is_not_retried() {
    // I4
    on_both_wires(|service| {
        let client = service.client();
        client.models().join().unwrap();
        for status in [
            204, 301, 302, 307, 308, 400, 402, 403, 404, 405, 409, 413, 418, 422, 501, 505, 520,
        ] {
            service.reset();
            service.always(Endpoint::Any, passing(status));
            let error = client.generate("hello").join().unwrap_err();
            assert_eq!(
                (error.status(), error.attempts()),
                (Some(status), 1),
                "{error}"
            );
            assert!(!error.retryable(), "{status}");
            let read = stream(&client, "hello");
            assert_eq!(read.broken().status(), Some(status));
            assert!(client.models().join().is_err());
            assert_eq!(service.counters().chat_attempts, 2, "{status}");
            assert_eq!(service.counters().models_requests, 1, "{status}");
        }
    });
}

#[test]
fn max_retries_is_the_number_of_attempts_after_the_first() {
    // I4
    on_both_wires(|service| {
        for retries in [0, 1, 2, 5] {
            service.reset();
            service.always(Endpoint::Chat, passing(503));
            let client = service.client_with(|config| config.set_max_retries(retries).unwrap());
            let error = client.generate("hello").join().unwrap_err();
            assert_eq!(
                (error.kind(), error.status()),
                (ErrorKind::Server, Some(503))
            );
            assert_eq!(error.attempts(), retries + 1);
            assert!(error.retryable());
            assert_eq!(service.counters().chat_attempts, u64::from(retries) + 1);
        }
    });
}

#[test]
fn retry_after_is_kept_in_seconds_in_milliseconds_and_as_a_date() {
    // I4
    on_both_wires(|service| {
        let client = service.client();
        client.models().join().unwrap();
        for (name, value, least) in [
            ("retry-after", "1", 1000),
            ("retry-after", "0.7", 700),
            ("retry-after-ms", "900", 900),
            // A date has no fractions: two seconds ahead is at least one.
            ("retry-after", "{date+2}", 950),
        ] {
            for status in [429, 503] {
                service.once(
                    Endpoint::Chat,
                    Action::status(status).with_header(name, value),
                );
                let begun = Instant::now();
                client.generate("hello").join().unwrap();
                let waited = begun.elapsed();
                assert!(
                    waited >= Duration::from_millis(least),
                    "{name}: {value}: {waited:?}"
                );
            }
        }
    });
}

#[test]
fn a_retry_after_that_is_over_or_means_nothing_does_not_stop_the_retry() {
    on_both_wires(|service| {
        let client = service.client();
        for value in ["0", "{date-60}", "soon", "-1", "NaN", ""] {
            service.once(
                Endpoint::Chat,
                Action::status(429).with_header("retry-after", value),
            );
            let answer = client.generate("hello").join().unwrap();
            assert_eq!(answer.report.attempts, 2, "{value:?}");
        }
    });
}

#[test]
fn a_retry_whose_wait_would_pass_the_deadline_is_not_begun() {
    // I3, I4: the last error is returned, at once. What bounds the wait after a 429 is the queue's
    // limit or the call's deadline.
    const LIMIT: Duration = Duration::from_secs(20);
    on_both_wires(|service| {
        // Each with a credential of its own, for which no wait was asked yet.
        let client = |name: &str, limit: bool| {
            service.client_with(|config| {
                let key = service.authorization_key_for("GIGACHAT_API_PERS", name);
                config.set_authorization_key(&key).unwrap();
                if limit {
                    config.set_timeout(LIMIT).unwrap();
                    config.set_queue_timeout(LIMIT).unwrap();
                }
            })
        };
        let cases = [429, 503]
            .into_iter()
            .flat_map(|status| ["21", "99999999999"].map(|value| (status, value)));
        for (status, value) in cases {
            service.reset();
            let later = Action::status(status).with_header("retry-after", value);
            service.once(Endpoint::Chat, later.clone());
            let begun = Instant::now();
            let limited = client(&format!("limited {status} {value}"), true);
            let error = limited.generate("hello").join().unwrap_err();
            assert!(begun.elapsed() < Duration::from_secs(15), "it did not wait");
            assert_eq!((error.status(), error.attempts()), (Some(status), 1));
            // A wait that cannot be meant is capped at a minute.
            let expected = Duration::from_secs(value.parse().unwrap_or(60).min(60));
            assert_eq!(error.retry_after(), Some(expected));
            assert_eq!(service.counters().chat_attempts, 1);
            service.once(Endpoint::Chat, later);
            let mut request = Request::prompt("hello");
            request.set_deadline(LIMIT).unwrap();
            let until = client(&format!("until {status} {value}"), false);
            let error = until.chat(request).join().unwrap_err();
            assert!(begun.elapsed() < Duration::from_secs(15), "it did not wait");
            assert_eq!((error.status(), error.attempts()), (Some(status), 1));
        }
    });
}

#[test]
fn retries_end_with_the_deadline_and_the_last_error_is_the_answer() {
    // I3, I4
    on_both_wires(|service| {
        let again = Action::status(503).with_header("retry-after-ms", "250");
        service.always(Endpoint::Chat, again);
        let client = service.client_with(|config| config.set_max_retries(10).unwrap());
        client.models().join().unwrap();
        let mut request = Request::prompt("hello");
        request.set_timeout(Duration::from_millis(1100)).unwrap();
        let error = client.chat(request).join().unwrap_err();
        assert_eq!(
            (error.kind(), error.status()),
            (ErrorKind::Server, Some(503))
        );
        let attempts = service.counters().chat_attempts;
        assert!((1..=5).contains(&attempts), "{attempts} attempts in 1.1 s");
        assert_eq!(u64::from(error.attempts()), attempts);
    });
}

#[test]
fn nothing_is_retried_once_content_was_delivered() {
    // I4, I6
    on_both_wires(|service| {
        let client = service.client();
        let reset = false;
        let breaks = [
            Action::CutAfter { chunks: 1, reset },
            Action::CutAfter {
                chunks: 2,
                reset: true,
            },
            Action::OmitDone,
            Action::ErrorEvent {
                after: 1,
                status: 503,
                message: "later".to_owned(),
            },
        ];
        for action in breaks {
            service.reset();
            service.once(Endpoint::Stream, action);
            let read = stream(&client, "count to 20");
            assert_eq!(read.broken().attempts(), 1);
            assert_eq!(service.counters().chat_attempts, 1);
        }
    });
}

#[test]
fn a_read_timeout_is_not_retried_since_it_may_have_been_billed() {
    // I4
    on_both_wires(|service| {
        let client =
            service.client_with(|config| config.set_timeout(Duration::from_millis(700)).unwrap());
        client.models().join().unwrap();
        service.once(Endpoint::Generation, Action::DelayHeaders { ms: 60_000 });
        let error = client.generate("hello").join().unwrap_err();
        assert_eq!((error.kind(), error.attempts()), (ErrorKind::Timeout, 1));
        service.once(Endpoint::Generation, Action::StallAfter { chunks: 0 });
        let error = stream_request(&client, Request::prompt("hello"));
        assert_eq!(
            (error.broken().kind(), error.broken().attempts()),
            (ErrorKind::Timeout, 1)
        );
        assert_eq!(service.counters().chat_attempts, 2);
    });
}

#[test]
fn a_refresh_for_a_401_is_no_retry_and_comes_within_one() {
    // I1, I4: 503, then the token is revoked, then 503 again: two retries and one refresh.
    on_both_wires(|service| {
        let client = service.client_with(|config| config.set_max_retries(2).unwrap());
        for status in [503, 401, 503] {
            service
                .faults()
                .add(Fault::new(Endpoint::Chat, passing(status)));
        }
        let answer = client.generate("hello").join().unwrap();
        assert_eq!(answer.report.attempts, 4);
        let counters = service.counters();
        assert_eq!((counters.chat_attempts, counters.token_requests), (4, 2));
    });
}

#[test]
fn each_attempt_carries_the_same_body_and_request_id() {
    on_both_wires(|service| {
        let client = service.client();
        service
            .faults()
            .add(Fault::new(Endpoint::Chat, passing(500)).times(2));
        client.generate("hello").join().unwrap();
        let requests = service.requests();
        let chats: Vec<_> = requests
            .iter()
            .filter(|r| r.path.ends_with("/completions"))
            .collect();
        assert_eq!(chats.len(), 3);
        for chat in &chats[1..] {
            assert_eq!(chat.body, chats[0].body);
            assert_eq!(chat.header("x-request-id"), chats[0].header("x-request-id"));
        }
    });
}
