//! I4, I5, I20: a 429 says that the credential's permits are in use elsewhere. The call goes back to
//! its place in the queue, and the permits adapt. Processes that share a credential are in
//! `bindings/python/tests/test_sharing.py`.

use std::time::{Duration, Instant};

use gigachat::{Client, ErrorKind, GigaChat, Phase, Request};
use gigachat_emulator::{Action, Endpoint, Fault};

use crate::support::reading::stream_request;
use crate::support::{SOON, Service, on_both_wires, provider};

fn refusal(milliseconds: u32) -> Action {
    Action::status(429).with_header("retry-after-ms", &milliseconds.to_string())
}

fn business(service: &Service) -> std::sync::Arc<GigaChat> {
    const SCOPE: &str = "GIGACHAT_API_CORP";
    provider(service.config_with(|config| {
        let key = service.authorization_key_for(SCOPE, SCOPE);
        config.set_authorization_key(&key).unwrap();
        config.set_scope(SCOPE).unwrap();
    }))
}

#[test]
fn a_429_is_waited_out_beyond_max_retries() {
    // I4, I20
    on_both_wires(|service| {
        let client = service.client_with(|config| config.set_max_retries(1).unwrap());
        let refused = || Fault::new(Endpoint::Generation, refusal(20)).times(3);
        service.faults().add(refused());
        let answer = client.generate("hello").join().unwrap();
        assert_eq!(answer.report.attempts, 4);
        service.faults().add(refused());
        let read = stream_request(&client, Request::prompt("hello"));
        assert_eq!(read.complete().report.attempts, 4);
    });
}

#[test]
fn the_wait_after_a_429_counts_to_the_queue_and_not_to_the_time_limit() {
    // I3, I20
    on_both_wires(|service| {
        let limit = Duration::from_secs(2);
        let client = service.client_with(|config| config.set_timeout(limit).unwrap());
        client.models().join().unwrap();
        service.once(Endpoint::Chat, refusal(2500));
        let answer = client.generate("hello").join().unwrap();
        assert!(answer.report.timings.queue >= limit, "{:?}", answer.report);
        // Another failure is not waited for so long.
        let later = Action::status(503).with_header("retry-after-ms", "2500");
        service.once(Endpoint::Chat, later);
        let error = client.generate("hello").join().unwrap_err();
        assert_eq!((error.status(), error.attempts()), (Some(503), 1));
    });
}

#[test]
fn a_service_that_answers_429_for_ever_ends_the_call_in_time_with_the_429() {
    // I3, I4
    on_both_wires(|service| {
        let limit = Duration::from_millis(500);
        let client = service.client_with(|config| config.set_queue_timeout(limit).unwrap());
        client.models().join().unwrap();
        service.always(Endpoint::Generation, refusal(100));
        let begun = Instant::now();
        let read = stream_request(&client, Request::prompt("hello"));
        assert_eq!(read.broken().status(), Some(429));
        // Of another credential: this one's calls wait behind what it was told.
        let other = service.stranger_with(|config| config.set_queue_timeout(limit).unwrap());
        let error = other.generate("hello").join().unwrap_err();
        assert_eq!(
            (error.kind(), error.status()),
            (ErrorKind::RateLimit, Some(429))
        );
        assert!(error.retryable() && error.retry_after().is_some());
        assert!(begun.elapsed() < SOON, "{:?}", begun.elapsed());
        let attempts = service.counters().chat_attempts;
        assert!((2..=10).contains(&attempts), "{attempts} attempts");
    });
}

#[test]
fn a_deadline_ends_the_wait_with_the_429_and_later_calls_do_not_begin_it() {
    // I3, I4
    on_both_wires(|service| {
        let client = service.client();
        client.models().join().unwrap();
        let mut request = Request::prompt("hello");
        request.set_deadline(Duration::from_secs(15)).unwrap();
        service.once(Endpoint::Chat, refusal(50));
        service.once(Endpoint::Chat, refusal(30_000));
        let begun = Instant::now();
        let error = client.chat(request.clone()).join().unwrap_err();
        assert_eq!((error.status(), error.attempts()), (Some(429), 2));
        let error = client.chat(request).join().unwrap_err();
        assert_eq!(
            (error.kind(), error.phase()),
            (ErrorKind::RateLimit, Phase::Queue)
        );
        assert!(
            error.retry_after().unwrap() > Duration::from_secs(15),
            "{error}"
        );
        assert!(begun.elapsed() < SOON, "{:?}", begun.elapsed());
        assert_eq!(service.counters().chat_attempts, 2);
    });
}

#[test]
fn who_waits_behind_a_call_that_gets_429_only_is_told_so() {
    // I5
    on_both_wires(|service| {
        let client = service.client();
        client.models().join().unwrap();
        service.always(Endpoint::Chat, refusal(50));
        let ahead = client.generate("gets 429");
        service.sees("the 429", |now| now.rejected_429 >= 1);
        let mut request = Request::prompt("waits behind");
        request
            .set_queue_timeout(Duration::from_millis(200))
            .unwrap();
        let error = client.chat(request).join().unwrap_err();
        assert_eq!(
            (error.kind(), error.phase()),
            (ErrorKind::Timeout, Phase::Queue)
        );
        assert!(
            error.message().contains("answers this credential with 429"),
            "{error}"
        );
        ahead.cancel();
    });
}

#[test]
fn the_old_rule_can_be_had_and_without_retries_nothing_is_sent_again() {
    // I4
    on_both_wires(|service| {
        service.always(Endpoint::Generation, refusal(10));
        for (retries, wait) in [(0, true), (0, false), (1, false), (3, false)] {
            let client = service.client_with(|config| {
                config.set_max_retries(retries).unwrap();
                config.set_wait_on_rate_limit(wait);
            });
            let error = client.generate("hello").join().unwrap_err();
            assert_eq!((error.status(), error.attempts()), (Some(429), retries + 1));
            let read = stream_request(&client, Request::prompt("hello"));
            assert_eq!(read.broken().attempts(), retries + 1);
        }
    });
}

#[test]
fn a_429_makes_room_and_answers_take_it_back() {
    // I5, I20
    on_both_wires(|service| {
        let provider = business(service);
        let client = Client::new(provider.clone());
        client.generate("hello").join().unwrap();
        assert_eq!(provider.permit_use().limit, 10);
        let ten = |client: &Client| {
            let calls: Vec<_> = (0..10).map(|_| client.generate("hello")).collect();
            calls
                .into_iter()
                .for_each(|call| drop(call.join().unwrap()));
        };
        service.always(Endpoint::Chat, Action::DelayHeaders { ms: 20 });
        service.once(Endpoint::Chat, refusal(200));
        ten(&client);
        let narrowed = provider.permit_use().limit;
        assert!((1..=6).contains(&narrowed), "{narrowed}");
        let give_up = Instant::now() + SOON;
        while provider.permit_use().limit < 10 {
            assert!(Instant::now() < give_up, "{:?}", provider.permit_use());
            ten(&client);
        }
        assert_eq!(service.counters().rejected_429, 1);
    });
}

#[test]
fn who_was_answered_with_429_is_served_before_those_who_came_later() {
    // I5
    on_both_wires(|service| {
        let client = service.client();
        client.models().join().unwrap();
        service.once(Endpoint::Chat, refusal(300));
        let first = client.generate("first");
        service.sees("the 429", |now| now.rejected_429 == 1);
        let second = client.generate("second");
        first.join().unwrap();
        second.join().unwrap();
        let requests = service.requests();
        let prompts: Vec<_> = requests
            .iter()
            .filter(|request| request.path.ends_with("/completions"))
            .map(|request| request.json()["messages"][0]["content"].to_string())
            .collect();
        assert_eq!(prompts, ["\"first\"", "\"first\"", "\"second\""]);
    });
}

#[test]
fn requests_without_a_permit_keep_to_max_retries() {
    // I4
    on_both_wires(|service| {
        service.always(Endpoint::Models, refusal(1));
        let client = service.client_with(|config| config.set_max_retries(2).unwrap());
        let error = client.models().join().unwrap_err();
        assert_eq!((error.status(), error.attempts()), (Some(429), 3));
    });
}
