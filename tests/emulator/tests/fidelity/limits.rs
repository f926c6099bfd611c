//! Concurrency: slots are taken, refused, and free again when an answer ends or its client goes away.

use gigachat_emulator::{Action, Counters, Endpoint, Fault, Options};
use serde_json::json;

use crate::service::{BOTH, BOUND, Protocol, Service, fault, json_of, prompt, send};

#[tokio::test]
async fn a_second_generation_of_a_person_is_too_many_requests() {
    for protocol in BOTH {
        let service = Service::start(protocol);
        let stalled = fault(
            service.stream("hello"),
            &json!({"type": "stall_after", "chunks": 1}),
        );
        let open = send(stalled).await;
        let (status, answer) = json_of(service.say("hello")).await;
        assert_eq!(status, 429);
        assert_eq!(
            answer,
            json!({"status": 429, "message": "Too many requests"})
        );
        // Models and token counts need no slot.
        assert_eq!(send(service.get("/models")).await.status(), 200);
        let counters = service.emulator.counters();
        assert_eq!((counters.in_flight, counters.open_streams), (1, 1));
        assert_eq!((counters.chat_requests, counters.chat_attempts), (1, 2));

        drop(open);
        service
            .emulator
            .until(BOUND, |counters| counters.cancelled_streams == 1)
            .await
            .expect("the cancel is noticed");
        assert_eq!(send(service.say("hello")).await.status(), 200);
        let counters = service.emulator.counters();
        assert_eq!((counters.in_flight, counters.open_streams), (0, 0));
        assert_eq!((counters.peak_in_flight, counters.finished_streams), (1, 0));
    }
}

#[tokio::test]
async fn a_cancelled_request_that_waits_for_its_answer_is_noticed_at_once() {
    for protocol in BOTH {
        let service = Service::start(protocol);
        let until = async |reached: fn(&Counters) -> bool| {
            let counters = service.emulator.until(BOUND, reached).await;
            counters.expect("it happens")
        };
        let slow = json!({"type": "delay_headers", "ms": 60_000});
        for (stream, unary_cancels, stream_cancels) in [(false, 1, 0), (true, 1, 1)] {
            let mut request = prompt("hello");
            request["stream"] = json!(stream);
            let call = tokio::spawn(fault(service.chat(&request), &slow).send());
            until(|counters| counters.in_flight == 1).await;
            call.abort();
            let counters = until(|counters| counters.in_flight == 0).await;
            assert_eq!(counters.cancelled_requests, unary_cancels);
            assert_eq!(counters.cancelled_streams, stream_cancels);
        }
        let call = tokio::spawn(fault(service.get("/models"), &slow).send());
        until(|counters| counters.models_requests == 1).await;
        call.abort();
        until(|counters| counters.cancelled_requests == 2).await;
    }
}

#[tokio::test]
async fn the_limit_is_by_scope_by_client_and_by_choice() {
    let slow = || Fault::new(Endpoint::Chat, Action::DelayHeaders { ms: 60_000 }).for_ever();
    // options, scope, requests at once -> refused
    let cases = [
        (None, "GIGACHAT_API_PERS", 4, 3),
        (None, "GIGACHAT_API_B2B", 12, 2),
        (None, "GIGACHAT_API_CORP", 10, 0),
        (Some(3), "GIGACHAT_API_PERS", 5, 2),
        (Some(0), "GIGACHAT_API_PERS", 30, 0),
    ];
    for (concurrency, scope, requests, refused) in cases {
        let options = Options {
            concurrency,
            ..Options::default()
        };
        let mut service = Service::with(Protocol::Http2, options);
        service.token = service
            .emulator
            .access_token_for(scope, "one")
            .expect("a token");
        service.emulator.faults().add(slow());
        let calls: Vec<_> = (0..requests)
            .map(|_| tokio::spawn(service.say("hello").send()))
            .collect();
        let all_judged = |counters: &Counters| {
            (counters.rejected_429, counters.in_flight) == (refused, requests - refused)
        };
        let judged = service.emulator.until(BOUND, all_judged).await;
        judged.unwrap_or_else(|counters| panic!("{scope} {concurrency:?}: {counters:?}"));
        calls.iter().for_each(|call| call.abort());
    }
}

#[tokio::test]
async fn clients_do_not_share_slots() {
    let mut service = Service::start(Protocol::Http2);
    let stalled = fault(
        service.stream("hello"),
        &json!({"type": "stall_after", "chunks": 1}),
    );
    let _open = send(stalled).await;
    let scope = "GIGACHAT_API_PERS";
    service.token = service
        .emulator
        .access_token_for(scope, "another")
        .expect("a token");
    assert_eq!(send(service.say("hello")).await.status(), 200);
}

#[tokio::test]
async fn one_slot_serves_any_number_of_calls_in_a_row() {
    for protocol in BOTH {
        let service = Service::start(protocol);
        for number in 0..200 {
            let request = match number % 2 {
                0 => service.say("hello"),
                _ => service.stream("hello"),
            };
            let response = send(request).await;
            assert_eq!(response.status(), 200, "call {number}");
            response.bytes().await.expect("a body");
        }
        let counters = service.emulator.counters();
        assert_eq!(
            (counters.chat_requests, counters.finished_streams),
            (200, 100)
        );
        assert_eq!(
            (counters.peak_in_flight, counters.connections_opened),
            (1, 1)
        );
    }
}
