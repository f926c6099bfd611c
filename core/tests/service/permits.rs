//! I5: how many generation requests are in flight per credential, and when a permit is free again.

use std::sync::Arc;
use std::thread;
use std::time::{Duration, Instant};

use crate::support::reading::{next_text, read, stream_request};
use crate::support::{
    SOON, Service, all_answered, at_once, on_both_wires, on_both_wires_unlimited, provider,
};
use gigachat::{Client, Config, EventStream, GigaChat, Request};
use gigachat_emulator::{Action, Endpoint};

/// A provider that can be asked for its permits, and a client of it.
fn both(config: Config) -> (Arc<GigaChat>, Client) {
    let provider = provider(config);
    let client = Client::new(provider.clone());
    (provider, client)
}

fn with_scope(service: &Service, scope: &str) -> Config {
    service.config_with(|config| {
        let key = service.authorization_key_for(scope, scope);
        config.set_authorization_key(&key).unwrap();
        config.set_scope(scope).unwrap();
    })
}

/// A stream that has begun and hangs, holding its permit.
fn hanging(service: &Service, client: &Client) -> EventStream {
    service.once(Endpoint::Stream, Action::StallAfter { chunks: 1 });
    let stream = client.stream(Request::prompt("hang here")).unwrap();
    next_text(&stream);
    stream
}

/// Waits until so many calls stand in the queue: they say so nowhere else.
#[track_caller]
fn waiting(provider: &GigaChat, calls: usize) {
    let give_up = Instant::now() + SOON;
    while provider.permit_use().waiting != calls {
        assert!(Instant::now() < give_up, "{:?}", provider.permit_use());
        thread::sleep(Duration::from_millis(1));
    }
}

#[test]
fn a_personal_account_has_one_request_in_flight_and_never_sees_429() {
    // I5
    on_both_wires(|service| {
        let client = service.client();
        service.always(Endpoint::Chat, Action::DelayHeaders { ms: 10 });
        all_answered(at_once(20, |_| client.generate("hello").join()));
        let counters = service.counters();
        assert_eq!((counters.peak_in_flight, counters.rejected_429), (1, 0));
        assert_eq!(counters.chat_attempts, 20);
    });
}

#[test]
fn business_accounts_have_ten_requests_in_flight() {
    // I5
    on_both_wires(|service| {
        for scope in ["GIGACHAT_API_B2B", "GIGACHAT_API_CORP"] {
            service.reset();
            let (provider, client) = both(with_scope(service, scope));
            let calls: Vec<_> = (0..25).map(|_| client.generate("hello")).collect();
            service.always(Endpoint::Chat, Action::DelayHeaders { ms: 50 });
            assert_eq!(provider.config().concurrency(), Some(10));
            all_answered(calls.into_iter().map(|call| call.join()).collect());
            let streams: Vec<_> = (0..10).map(|_| hanging(service, &client)).collect();
            let used = provider.permit_use();
            assert_eq!((used.limit, used.held, used.by_streams), (10, 10, 10));
            let eleventh = client.generate("hello");
            waiting(&provider, 1);
            drop(streams);
            eleventh.join().unwrap();
            let counters = service.counters();
            assert_eq!(
                (counters.peak_in_flight, counters.rejected_429),
                (10, 0),
                "{scope}"
            );
        }
    });
}

#[test]
fn zero_is_no_limit() {
    // I5
    on_both_wires_unlimited(|service| {
        let client = service.client_with(|config| config.set_max_concurrency(0).unwrap());
        let streams: Vec<_> = (0..30).map(|_| hanging(service, &client)).collect();
        assert_eq!(service.counters().in_flight, 30);
        drop(streams);
    });
}

#[test]
fn a_ready_made_token_has_no_limit_by_default() {
    // I5
    on_both_wires_unlimited(|service| {
        let mut config = service.bare_config();
        config
            .set_access_token(&service.access_token().unwrap())
            .unwrap();
        let (provider, client) = both(config);
        assert_eq!(provider.config().concurrency(), None);
        let streams: Vec<_> = (0..5).map(|_| hanging(service, &client)).collect();
        assert_eq!(service.counters().in_flight, 5);
        drop(streams);
    });
}

#[test]
fn providers_that_share_a_credential_use_the_smallest_limit() {
    // I5: and the larger one again when the smaller provider is gone.
    on_both_wires_unlimited(|service| {
        let limited =
            |limit| service.config_with(|config| config.set_max_concurrency(limit).unwrap());
        let (large, large_client) = both(limited(4));
        let (small, small_client) = both(limited(2));
        large_client.generate("opens the session").join().unwrap();
        small_client.generate("opens the session").join().unwrap();
        service.always(Endpoint::Chat, Action::DelayHeaders { ms: 20 });
        service.reset();
        all_answered(at_once(20, |number| match number % 2 {
            0 => large_client.generate("hello").join(),
            _ => small_client.generate("hello").join(),
        }));
        assert!(
            service.counters().peak_in_flight <= 2,
            "{:?}",
            service.counters()
        );
        assert_eq!((large.permit_use().limit, small.permit_use().limit), (2, 2));
        drop((small, small_client));
        let streams: Vec<_> = (0..4).map(|_| hanging(service, &large_client)).collect();
        assert_eq!(large.permit_use().limit, 4);
        assert_eq!(service.counters().in_flight, 4);
        drop(streams);
    });
}

#[test]
fn a_permit_is_free_when_the_end_was_received_although_nobody_reads() {
    // I5: ten thousand events wait for their reader; read-ahead is counted in bytes only.
    on_both_wires(|service| {
        let client = service.client();
        let unread = client
            .stream(Request::prompt("write 20000 tokens"))
            .unwrap();
        client.generate("the one permit is free").join().unwrap();
        assert_eq!(service.counters().rejected_429, 0);
        let read = read(&unread);
        read.complete();
        assert!(read.events.len() > 5000, "{}", read.events.len());
    });
}

#[test]
fn a_permit_is_free_as_soon_as_a_stream_ends_for_whatever_reason() {
    // I5: cancelled, dropped, stopped, broken, late.
    on_both_wires(|service| {
        let (provider, client) = both(service.config());
        let check = |how: &str| {
            client.generate(how).join().unwrap();
            assert_eq!(provider.permit_use().held, 0, "{how}");
        };
        let stream = hanging(service, &client);
        stream.cancel();
        check("cancelled");
        drop(hanging(service, &client));
        check("dropped");
        let mut stopped = Request::prompt("repeat: one END two");
        stopped.params_mut().add_stop("END").unwrap();
        stream_request(&client, stopped).complete();
        check("stopped");
        service.once(
            Endpoint::Stream,
            Action::CutAfter {
                chunks: 1,
                reset: true,
            },
        );
        stream_request(&client, Request::prompt("hello")).broken();
        check("broken");
        service.once(Endpoint::Stream, Action::status(422));
        stream_request(&client, Request::prompt("hello")).broken();
        check("refused");
        service.once(Endpoint::Stream, Action::StallAfter { chunks: 1 });
        let mut late = Request::prompt("hello");
        late.set_idle_timeout(Duration::from_millis(100)).unwrap();
        stream_request(&client, late).broken();
        check("late");
        assert_eq!(provider.permit_use().by_streams, 0);
    });
}

#[test]
fn a_cancelled_call_gives_up_its_permit_or_its_place_in_the_queue() {
    // I5
    on_both_wires(|service| {
        let (provider, client) = both(service.config());
        let stream = hanging(service, &client);
        let mut queue: Vec<_> = (0..3).map(|_| client.generate("in the queue")).collect();
        waiting(&provider, 3);
        drop(queue.remove(1));
        waiting(&provider, 2);
        queue[0].cancel();
        waiting(&provider, 1);
        drop(stream);
        queue.pop().unwrap().join().unwrap();
        service.once(Endpoint::Chat, Action::DelayHeaders { ms: 60_000 });
        let slow = client.generate("slow");
        service.sees("the call", |now| now.in_flight == 1);
        slow.cancel();
        client.generate("next").join().unwrap();
        assert_eq!(provider.permit_use().held, 0);
    });
}

#[test]
fn models_and_health_checks_need_no_permit() {
    // I5
    on_both_wires(|service| {
        let client = service.client();
        let stream = hanging(service, &client);
        assert!(!client.models().join().unwrap().is_empty());
        client.model("GigaChat").join().unwrap();
        client.health_check(None).join().unwrap();
        assert_eq!(service.counters().open_streams, 1);
        drop(stream);
    });
}

#[test]
fn a_permit_is_given_back_during_the_backoff() {
    // I5: the second call is answered while the first one waits for its retry.
    on_both_wires(|service| {
        let client = service.client();
        let later = Action::status(503).with_header("retry-after", "2");
        service.once(Endpoint::Chat, later);
        let waits = client.generate("waits");
        service.sees("the 503", |now| now.status.get(&503) == Some(&1));
        client.generate("overtakes").join().unwrap();
        assert!(!waits.has_ended());
        assert_eq!(waits.join().unwrap().report.attempts, 2);
    });
}

#[test]
fn calls_are_served_in_the_order_in_which_they_came() {
    on_both_wires(|service| {
        let (provider, client) = both(service.config());
        let stream = hanging(service, &client);
        let calls: Vec<_> = (0..10)
            .map(|number| {
                let call = client.generate(&format!("number {number}"));
                waiting(&provider, number + 1);
                call
            })
            .collect();
        drop(stream);
        all_answered(calls.into_iter().map(|call| call.join()).collect());
        let requests = service.requests();
        let prompts: Vec<_> = requests
            .iter()
            .filter(|request| request.path.ends_with("/completions"))
            .skip(1)
            .map(|request| request.json()["messages"][0]["content"].to_string())
            .collect();
        let expected: Vec<_> = (0..10)
            .map(|number| format!("\"number {number}\""))
            .collect();
        assert_eq!(prompts, expected);
    });
}

#[test]
fn with_one_permit_the_second_stream_waits_until_the_first_ends_or_is_cancelled() {
    // I5
    on_both_wires(|service| {
        let (provider, client) = both(service.config());
        for cancelled in [true, false] {
            let first = match cancelled {
                true => hanging(service, &client),
                false => {
                    service.once(Endpoint::Stream, Action::DelayChunks { ms: 100 });
                    client.stream(Request::prompt("count to 5")).unwrap()
                }
            };
            service
                .wait_until(SOON, |counters| counters.open_streams == 1)
                .unwrap();
            let sent = service.counters().chat_attempts;
            let second = client.stream(Request::prompt("repeat: second")).unwrap();
            waiting(&provider, 1);
            assert_eq!(service.counters().chat_attempts, sent, "it waits here");
            match cancelled {
                true => first.cancel(),
                false => drop(read(&first).complete()),
            }
            assert_eq!(read(&second).text(), "second");
            assert!(service.counters().chat_attempts > sent);
        }
    });
}
