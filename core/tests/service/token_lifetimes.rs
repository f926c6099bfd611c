//! I2: how long a token is used, and that it is renewed before its end while the old one serves.
//!
//! Lifetimes of seconds are made by the answer's `Date`: the library reckons from that, while the
//! emulator itself goes on accepting the token.

use std::thread::sleep;
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use crate::support::{
    Service, all_answered, answer_with, at_once, on_both_wires, on_both_wires_unlimited,
};
use gigachat::Client;
use gigachat_emulator::{Action, Endpoint};

/// Of the tokens that the emulator issues.
const LIFETIME: i64 = 30 * 60;

/// The next token seems to live for `seconds` (up to one more, since `Date` has no fractions).
fn next_token_lives_for(service: &Service, seconds: i64) {
    let date = format!("{{date+{}}}", LIFETIME - seconds);
    let headers = [("date".to_owned(), date)].into();
    service.once(Endpoint::Token, Action::Headers { headers });
}

/// Milliseconds of the Unix clock in `seconds` from now.
fn unix_ms(seconds: i64) -> i64 {
    let now = SystemTime::now().duration_since(UNIX_EPOCH).unwrap();
    now.as_millis() as i64 + seconds * 1000
}

fn unlimited(service: &Service) -> Client {
    service.client_with(|config| config.set_max_concurrency(0).unwrap())
}

/// The tokens that the API requests carried, in their order.
fn tokens_used(service: &Service) -> Vec<String> {
    let requests = service.requests();
    let chats = requests
        .iter()
        .filter(|request| request.path.ends_with("/completions"));
    chats
        .map(|request| request.header("authorization").unwrap().to_owned())
        .collect()
}

#[test]
fn the_old_token_stays_in_use_while_one_renewal_runs() {
    // I2: a token of six seconds is renewed from half time on.
    on_both_wires_unlimited(|service| {
        next_token_lives_for(service, 6);
        let client = unlimited(service);
        client.generate("first").join().unwrap();
        sleep(Duration::from_millis(3600));
        service.once(Endpoint::Token, Action::DelayHeaders { ms: 1000 });
        all_answered(at_once(20, |_| client.generate("old token").join()));
        let tokens = tokens_used(service);
        assert!(
            tokens.iter().all(|token| *token == tokens[0]),
            "nobody waited for the new one"
        );
        service.sees("the renewal", |now| now.tokens_issued == 2);
        // The answer is on its way: at some call, soon, the new token is in use.
        while tokens_used(service).last() == tokens_used(service).first() {
            client.generate("new token").join().unwrap();
        }
        assert_eq!(service.counters().token_requests, 2);
        assert_eq!(service.counters().rejected_401, 0);
    });
}

#[test]
fn a_failed_renewal_leaves_the_old_token_in_use() {
    // I2, I1: and it is not repeated for a second.
    on_both_wires_unlimited(|service| {
        next_token_lives_for(service, 6);
        let client = unlimited(service);
        client.generate("first").join().unwrap();
        sleep(Duration::from_millis(3600));
        service.once(Endpoint::Token, Action::status(400));
        all_answered(at_once(5, |_| client.generate("old token").join()));
        service.sees("the failed renewal", |now| now.status.get(&400) == Some(&1));
        client.generate("old token").join().unwrap();
        let tokens = tokens_used(service);
        assert_eq!(tokens.len(), 7);
        assert!(tokens.iter().all(|token| *token == tokens[0]));
    });
}

#[test]
fn an_expired_token_is_replaced_before_the_next_call_not_after_a_401() {
    // I2
    on_both_wires(|service| {
        next_token_lives_for(service, 1);
        let client = service.client();
        client.generate("first").join().unwrap();
        sleep(Duration::from_millis(2100));
        client.generate("second").join().unwrap();
        let counters = service.counters();
        assert_eq!((counters.token_requests, counters.rejected_401), (2, 0));
        let tokens = tokens_used(service);
        assert_ne!(tokens[0], tokens[1]);
    });
}

#[test]
fn every_shape_of_a_token_answer_gives_a_token_that_lasts() {
    // I2: a lifetime that is read wrongly would ask for a token with each call.
    on_both_wires(|service| {
        let actions = [
            Action::TokenExpirySeconds,
            Action::TokenShapeTokExp,
            Action::TokenMissingExpiry,
        ];
        for action in actions {
            service.revoke_tokens();
            service.reset();
            service.once(Endpoint::Token, action.clone());
            // A fresh client: the old one would spend a 401 on the revoked token.
            let client = service.client();
            for _ in 0..3 {
                client.generate("hello").join().unwrap();
            }
            assert_eq!(service.counters().token_requests, 1, "{action:?}");
        }
    });
}

#[test]
fn an_expiry_that_cannot_be_true_means_thirty_minutes() {
    // I2: not between a second and a day.
    on_both_wires(|service| {
        let token = service.access_token().unwrap();
        for expiry in [
            "0",
            "-5",
            "1",
            "1.5e3",
            "99999999999999999",
            "18446744073709551615",
        ] {
            service.reset();
            let body = format!(r#"{{"access_token":"{token}","expires_at":{expiry}}}"#);
            service.once(Endpoint::Token, answer_with(200, &body, &[]));
            let client = service.stranger();
            for _ in 0..3 {
                client.generate("hello").join().unwrap();
            }
            assert_eq!(service.counters().token_requests, 1, "{expiry}");
        }
    });
}

#[test]
fn an_expiry_that_is_no_number_means_thirty_minutes_too() {
    // I2: nor is it a reason to refuse the token.
    on_both_wires(|service| {
        let token = service.access_token().unwrap();
        for expiry in ["1e999", "-1e999", "\"soon\"", "true", "[]", "null"] {
            service.reset();
            let body = format!(r#"{{"access_token":"{token}","expires_at":{expiry}}}"#);
            service.once(Endpoint::Token, answer_with(200, &body, &[]));
            let client = service.stranger();
            for _ in 0..3 {
                client.generate("hello").join().unwrap();
            }
            assert_eq!(service.counters().token_requests, 1, "{expiry}");
        }
    });
}

/// A service whose clock is wrong by `skew` seconds issues a token of six seconds: it is renewed
/// after three, which a lifetime by the local clock would not be.
fn renewal_follows_the_services_clock(skew: i64) {
    on_both_wires(move |service| {
        let token = service.access_token().unwrap();
        let expires_at = unix_ms(skew + 6);
        let body = format!(r#"{{"access_token":"{token}","expires_at":{expires_at}}}"#);
        let date = format!("{{date{skew:+}}}");
        service.once(Endpoint::Token, answer_with(200, &body, &[("date", &date)]));
        let client = service.client();
        client.generate("first").join().unwrap();
        client.generate("second").join().unwrap();
        assert_eq!(
            service.counters().token_requests,
            1,
            "three seconds are not over"
        );
        sleep(Duration::from_millis(3600));
        client.generate("third").join().unwrap();
        service.sees("the renewal", |now| {
            now.tokens_issued == 1 && now.token_requests == 2
        });
    });
}

#[test]
fn a_service_whose_clock_is_ten_minutes_ahead_changes_nothing() {
    // I2: equally, a local clock that is behind.
    renewal_follows_the_services_clock(600);
}

#[test]
fn a_service_whose_clock_is_ten_minutes_behind_changes_nothing() {
    // I2: equally, a local clock that is ahead.
    renewal_follows_the_services_clock(-600);
}
