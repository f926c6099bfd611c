//! Every fault does what its name says, on both versions of HTTP.

use std::io::Read as _;

use gigachat_emulator::{Action, Endpoint, Fault};
use reqwest::Response;
use serde_json::{Value, json};

use crate::service::{
    BOTH, BOUND, Protocol, Service, events, fault, json_of, read_to_end, send, text_in, text_of,
};

async fn streamed(service: &Service, action: Value) -> (String, bool) {
    let response = send(fault(service.stream("count to 9"), &action)).await;
    let (bytes, complete) = read_to_end(response).await;
    (String::from_utf8(bytes).expect("UTF-8"), complete)
}

async fn whole(service: &Service, action: Value) -> Response {
    send(fault(service.say("hello"), &action)).await
}

#[tokio::test]
async fn errors_stand_in_place_of_the_answer() {
    for protocol in BOTH {
        let service = Service::start(protocol);
        let response = whole(&service, json!({"type": "status", "code": 500})).await;
        assert_eq!(response.status(), 500);
        assert_eq!(response.headers()["x-request-id"].len(), 36);
        let answer: Value = response.json().await.expect("JSON");
        assert_eq!(
            answer,
            json!({"status": 500, "message": "Internal Server Error"})
        );

        let action = json!({"type": "status", "code": 429, "body": "slow down",
            "content_type": "text/plain", "headers": {"Retry-After": "7"}});
        let response = whole(&service, action).await;
        assert_eq!(response.status(), 429);
        assert_eq!(response.headers()["retry-after"], "7");
        assert_eq!(response.headers()["content-type"], "text/plain");
        assert_eq!(response.text().await.expect("a body"), "slow down");

        let response = whole(&service, json!({"type": "html_error", "code": 502})).await;
        assert_eq!(response.headers()["content-type"], "text/html");
        assert!(
            response
                .text()
                .await
                .expect("a body")
                .contains("502 Bad Gateway")
        );

        let response = whole(&service, json!({"type": "empty_body", "code": 503})).await;
        assert_eq!(response.status(), 503);
        assert_eq!(response.text().await.expect("a body"), "");

        let action = json!({"type": "redirect", "to": "http://127.0.0.1:1/", "code": 307});
        let response = whole(&service, action).await;
        assert_eq!(response.status(), 307);
        assert_eq!(response.headers()["location"], "http://127.0.0.1:1/");
        drop(response);

        let counters = service.emulator.counters();
        assert_eq!((counters.fault_hits, counters.chat_requests), (5, 0));
        assert_eq!((counters.chat_attempts, counters.in_flight), (5, 0));
        assert_eq!(counters.status[&503], 1);
    }
}

#[tokio::test]
async fn a_date_in_a_header_is_reckoned_from_now() {
    let service = Service::start(Protocol::Http1);
    let action = json!({"type": "status", "code": 429, "headers": {"Retry-After": "{date+60}"}});
    let response = whole(&service, action).await;
    let date = |name: &str| {
        let text = response.headers()[name].to_str().expect("text");
        httpdate::parse_http_date(text).expect("a date")
    };
    let distance = date("retry-after")
        .duration_since(date("date"))
        .expect("later");
    assert!((58..=62).contains(&distance.as_secs()));
    let action = json!({"type": "headers", "headers": {"Date": "{date-3600}"}});
    let response = whole(&service, action).await;
    let text = response.headers()["date"].to_str().expect("text");
    let skewed = httpdate::parse_http_date(text).expect("a date");
    assert!(skewed.elapsed().expect("the past").as_secs() >= 3590);
}

#[tokio::test]
async fn faults_hit_their_endpoint_in_order_and_as_often_as_told() {
    let service = Service::start(Protocol::Http2);
    let faults = service.emulator.faults();
    faults.add(Fault::new(Endpoint::Chat, Action::status(429)).times(2));
    faults.add(Fault::new(Endpoint::Chat, Action::status(500)));
    faults.add(
        Fault::new(Endpoint::Models, Action::status(503))
            .skip(1)
            .for_ever(),
    );
    for expected in [429, 429, 500, 200, 200] {
        assert_eq!(send(service.say("hello")).await.status(), expected);
        assert_eq!(send(service.stream("hello")).await.status(), 200);
    }
    for expected in [200, 503, 503, 503] {
        assert_eq!(send(service.get("/models")).await.status(), expected);
    }
    faults.clear();
    assert_eq!(send(service.get("/models")).await.status(), 200);
    let id = faults.add(Fault::new(Endpoint::Any, Action::status(500)));
    assert!(faults.remove(id) && !faults.remove(id));
    assert_eq!(send(service.get("/models")).await.status(), 200);
}

#[tokio::test]
async fn refused_requests_use_no_fault_up() {
    let service = Service::start(Protocol::Http2);
    service
        .emulator
        .faults()
        .add(Fault::new(Endpoint::Any, Action::status(500)));
    service.emulator.revoke_tokens();
    assert_eq!(send(service.say("hello")).await.status(), 401);
    assert_eq!(service.emulator.faults().len(), 1);
}

#[tokio::test]
async fn a_misspelt_fault_is_refused() {
    let service = Service::start(Protocol::Http1);
    let (status, answer) = json_of(fault(service.say("hello"), &json!({"type": "stal"}))).await;
    assert_eq!(status, 400);
    let message = answer["message"].as_str().expect("a message");
    assert!(
        message.starts_with("X-Emulator-Fault: unknown variant"),
        "{message}"
    );
}

#[tokio::test]
async fn several_faults_in_one_header_combine() {
    let service = Service::start(Protocol::Http2);
    let actions = json!([{"type": "crlf"}, {"type": "no_space_after_data"}, {"type": "omit_done"}]);
    let (body, complete) = streamed(&service, actions).await;
    assert!(
        complete && body.starts_with("data:{") && body.ends_with("}\r\n\r\n"),
        "{body}"
    );
}

#[tokio::test]
async fn a_stream_breaks_off_after_what_was_sent() {
    for protocol in BOTH {
        let service = Service::start(protocol);
        for action in [
            json!({"type": "cut_after", "chunks": 2}),
            json!({"type": "cut_after", "chunks": 2, "reset": true}),
        ] {
            let (body, complete) = streamed(&service, action).await;
            assert!(!complete);
            assert_eq!(events(&body).len(), 2, "{protocol:?} {body}");
        }
        let (body, complete) =
            streamed(&service, json!({"type": "cut_after_bytes", "bytes": 33})).await;
        assert_eq!((body.len(), complete), (33, false));
        let (body, complete) = streamed(&service, json!({"type": "cut_after", "chunks": 0})).await;
        assert_eq!((body.len(), complete), (0, false));
        let counters = service.emulator.counters();
        assert_eq!(
            (counters.aborted_streams, counters.cancelled_streams),
            (4, 0)
        );
        assert_eq!(counters.in_flight, 0);
    }
}

#[tokio::test]
async fn an_answer_is_cut_before_or_within_its_body() {
    for protocol in BOTH {
        let service = Service::start(protocol);
        for reset in [false, true] {
            let action = json!({"type": "cut_before_answer", "reset": reset});
            fault(service.say("hello"), &action)
                .send()
                .await
                .expect_err("no answer");
        }
        let response = whole(&service, json!({"type": "cut_after_bytes", "bytes": 5})).await;
        assert_eq!(read_to_end(response).await, (b"{\"cho".to_vec(), false));
        let response = whole(&service, json!({"type": "cut_after", "chunks": 1})).await;
        let (half, complete) = read_to_end(response).await;
        assert!(!complete && half.starts_with(b"{\"choices") && !half.ends_with(b"}"));
        let counters = service.emulator.counters();
        assert_eq!((counters.aborted_requests, counters.chat_requests), (4, 4));
    }
}

#[tokio::test]
async fn ends_of_streams_can_be_wrong() {
    for protocol in BOTH {
        let service = Service::start(protocol);
        let (body, complete) = streamed(&service, json!({"type": "omit_done"})).await;
        assert!(
            complete && !body.contains("[DONE]") && body.contains("\"finish_reason\":\"stop\"")
        );
        let (body, complete) = streamed(&service, json!({"type": "events_after_done"})).await;
        let (_, after) = body.split_once("data: [DONE]\n\n").expect("an end mark");
        assert!(complete && after.starts_with("data: {\"choices\""));
        let (body, complete) = streamed(
            &service,
            json!({"type": "error_event", "after": 1,
            "status": 503, "message": "gone"}),
        )
        .await;
        let events = events(&body);
        assert!(complete && events.len() == 2);
        assert_eq!(events[1], "{\"status\":503,\"message\":\"gone\"}");
        assert_eq!(service.emulator.counters().finished_streams, 3);
    }
}

#[tokio::test]
async fn after_done_the_body_can_stay_open_but_the_slot_is_free() {
    for protocol in BOTH {
        let service = Service::start(protocol);
        let request = fault(
            service.stream("hello"),
            &json!({"type": "done_then_silence"}),
        );
        let mut response = send(request).await;
        let mut body = Vec::new();
        while !body.ends_with(b"[DONE]\n\n") {
            let chunk = response.chunk().await.expect("more").expect("more");
            body.extend_from_slice(&chunk);
        }
        assert_eq!(service.emulator.counters().finished_streams, 1);
        assert_eq!(send(service.say("hello")).await.status(), 200);
        drop(response);
        assert_eq!(service.emulator.counters().cancelled_streams, 0);
    }
}

#[tokio::test]
async fn spelling_of_a_stream_varies_and_its_text_does_not() {
    let service = Service::start(Protocol::Http2);
    let (usual, _) = streamed(&service, json!([])).await;
    let (crlf, _) = streamed(&service, json!({"type": "crlf"})).await;
    assert_eq!(crlf, usual.replace('\n', "\r\n"));
    let (cr, _) = streamed(&service, json!({"type": "cr"})).await;
    assert_eq!(cr, usual.replace('\n', "\r"));
    let (tight, _) = streamed(&service, json!({"type": "no_space_after_data"})).await;
    assert_eq!(tight, usual.replace("data: ", "data:"));
    let (marked, _) = streamed(&service, json!({"type": "byte_order_mark"})).await;
    assert_eq!(marked, format!("\u{feff}{usual}"));
    let (lines, _) = streamed(&service, json!({"type": "multi_line_data"})).await;
    assert!(
        lines.starts_with("data: {\ndata:   \"choices\": [\n"),
        "{lines}"
    );
    let first = lines.split("\n\n").next().expect("an event").lines();
    let joined: String = first
        .filter_map(|line| line.strip_prefix("data: "))
        .collect();
    serde_json::from_str::<Value>(&joined).expect("the lines join to JSON");
    let (raw, _) = streamed(&service, json!({"type": "raw_separators"})).await;
    assert!(text_in(&raw).starts_with("\u{2028}\u{2029}\u{85}1, 2"));
    assert!(
        raw.contains("\"\u{2028}\u{2029}\u{85}1"),
        "raw, not escaped"
    );
    let (garbage, _) = streamed(&service, json!({"type": "garbage_event", "after": 1})).await;
    let garbage = events(&garbage);
    serde_json::from_str::<Value>(&garbage[1]).expect_err("not JSON");
    assert_eq!(garbage.len(), events(&usual).len() + 1);
}

#[tokio::test]
async fn split_bytes_arrive_in_pieces_that_split_letters() {
    for protocol in BOTH {
        let service = Service::start(protocol);
        let request = service.stream("повтори: Привет 🎉");
        let mut response = send(fault(request, &json!({"type": "split_bytes", "size": 3}))).await;
        let (mut pieces, mut body, mut split_letters) = (0, Vec::new(), 0);
        while let Some(piece) = response.chunk().await.expect("a whole stream") {
            pieces += 1;
            split_letters += usize::from(std::str::from_utf8(&piece).is_err());
            body.extend_from_slice(&piece);
        }
        let body = String::from_utf8(body).expect("UTF-8 as a whole");
        assert_eq!(text_in(&body), "Привет 🎉");
        assert!(pieces > 20 && split_letters > 0, "{pieces} {split_letters}");
    }
}

#[tokio::test]
async fn delays_and_comments_take_their_time() {
    for protocol in BOTH {
        let service = Service::start(protocol);
        let begin = std::time::Instant::now();
        let (body, complete) = streamed(&service, json!({"type": "delay_chunks", "ms": 20})).await;
        // "count to 9" has 17 tokens in 6 chunks.
        assert!(complete && begin.elapsed().as_millis() >= 120);
        assert_eq!(text_in(&body), "1, 2, 3, 4, 5, 6, 7, 8, 9");
        let begin = std::time::Instant::now();
        whole(&service, json!({"type": "delay_headers", "ms": 50})).await;
        assert!(begin.elapsed().as_millis() >= 50);
        let request = fault(
            service.stream("hello"),
            &json!({"type": "comments", "every_ms": 1}),
        );
        let mut response = send(request).await;
        let mut body = Vec::new();
        while body.len() < 100 {
            body.extend_from_slice(&response.chunk().await.expect("more").expect("more"));
        }
        assert!(body.starts_with(b": keep-alive\n\n: keep-alive\n\n"));
    }
}

#[tokio::test]
async fn bodies_can_be_of_the_wrong_kind_or_size() {
    for protocol in BOTH {
        let service = Service::start(protocol);
        let response = whole(&service, json!({"type": "wrong_content_type"})).await;
        assert_eq!(response.headers()["content-type"], "text/html");
        response.json::<Value>().await.expect("JSON nevertheless");

        let response = whole(&service, json!({"type": "truncated_json", "bytes": 20})).await;
        let (bytes, complete) = read_to_end(response).await;
        assert_eq!((bytes.len(), complete), (20, true));

        let response = whole(&service, json!({"type": "huge_body", "bytes": 3_000_000})).await;
        let (bytes, _) = read_to_end(response).await;
        assert!((3_000_000..3_200_000).contains(&bytes.len()));
        let answer: Value = serde_json::from_slice(&bytes).expect("JSON");
        assert!(answer["choices"].is_array());

        let (body, complete) =
            streamed(&service, json!({"type": "huge_body", "bytes": 300_000})).await;
        assert!(complete && body.len() > 300_000 && body.ends_with("data: [DONE]\n\n"));
        for event in events(&body).iter().filter(|event| *event != "[DONE]") {
            serde_json::from_str::<Value>(event).expect("JSON");
        }

        for request in [service.say("hello"), service.stream("hello")] {
            let mut response = send(fault(request, &json!({"type": "endless_line"}))).await;
            let mut length = 0;
            while length < 5_000_000 {
                let chunk = response.chunk().await.expect("more").expect("more");
                assert!(!chunk.contains(&b'\n'));
                length += chunk.len();
            }
            drop(response);
            let free = service
                .emulator
                .until(BOUND, |counters| counters.in_flight == 0)
                .await;
            free.expect("the slot is free");
        }
    }
}

#[tokio::test]
async fn compressed_bodies_say_so_and_are() {
    let service = Service::start(Protocol::Http2);
    for request in [service.say("hello"), service.stream("hello")] {
        let response = send(fault(request, &json!({"type": "content_encoding_gzip"}))).await;
        assert_eq!(response.headers()["content-encoding"], "gzip");
        let packed = response.bytes().await.expect("a body");
        let mut text = String::new();
        flate2::read::GzDecoder::new(&packed[..])
            .read_to_string(&mut text)
            .expect("gzip");
        assert!(text.contains("\"choices\""));
    }
    let plain = text_of(service.say("hello")).await;
    assert!(plain.starts_with("{\"choices\""));
}
