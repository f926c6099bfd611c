//! Answers of chat v2 as they may come: likenesses of what was recorded and of what other clients have
//! met. What stands beside the text never costs it.

use crate::support::bounded;
use crate::support::reading::{Read, stream};
use crate::support::scripted::{DONE, json_answer, once};
use crate::support::server::{RawServer, STREAM_HEAD};
use gigachat::{
    ApiVersion, CallReport, Document, ErrorKind, Request, Response, StreamEvent, parse_named_event,
};
use proptest::prelude::*;

/// Reads a stream of v2 whose body is exactly this.
fn streamed(body: &str) -> Read {
    let answer = [STREAM_HEAD.as_bytes(), body.as_bytes()].concat();
    let mut config = RawServer::answering(answer).config();
    config.set_api_version(ApiVersion::V2);
    stream(&once(config), "x")
}

fn whole(body: &str) -> gigachat::Result<Response> {
    let mut config = RawServer::answering(json_answer(body)).config();
    config.set_api_version(ApiVersion::V2);
    once(config).chat(Request::prompt("x")).join()
}

fn event(name: &str, json: &str) -> String {
    format!("event: {name}\ndata: {json}\n\n")
}

fn delta(text: &str) -> String {
    let json = serde_json::json!({"model": "GigaChat-3-Ultra:32.3.18.5", "created_at": 1780321924,
        "messages": [{"role": "assistant", "content": [{"text": text}]}]});
    event("response.message.delta", &json.to_string())
}

fn done(more: &str) -> String {
    let json = format!(
        r#"{{"model":"GigaChat-3-Ultra:32.3.18.5","created_at":1780321924,"finish_reason":"stop"{more},"usage":{{"input_tokens":19,"input_tokens_details":{{"prompt_tokens":19,"cached_tokens":3}},"output_tokens":8,"total_tokens":27}}}}"#
    );
    event("response.message.done", &json)
}

fn calls(read: &Read) -> Vec<(Option<&str>, &str, &str)> {
    let calls = read.events.iter().filter_map(|event| match event {
        StreamEvent::FunctionCall(call) => Some((
            call.id.as_deref(),
            call.name.as_str(),
            call.arguments.as_str(),
        )),
        _ => None,
    });
    calls.collect()
}

#[test]
fn a_recorded_stream_gives_its_text_and_usage() {
    bounded(|| {
        let read = streamed(&(delta("1, 2, 3") + &done("")));
        assert_eq!(read.text(), "1, 2, 3");
        let end = read.complete();
        assert_eq!(end.model, "GigaChat-3-Ultra:32.3.18.5");
        let usage = end.usage.unwrap();
        assert_eq!((usage.prompt_tokens, usage.completion_tokens), (19, 8));
        assert_eq!((usage.total_tokens, usage.precached_prompt_tokens), (27, 3));
        assert!(matches!(read.events.last(), Some(StreamEvent::Usage(_))));
    });
}

#[test]
fn a_recorded_call_gives_its_name_arguments_and_state() {
    bounded(|| {
        let body = r#"{"model":"GigaChat-3-Ultra:32.3.18.5", "created_at":1780321868, "messages":[{"role":"assistant","tool_state_id":"019e8373","content":[{"function_call":{"name":"get_order_status","arguments":{"order_id": "A-1024", "n": 1.50}}}]}],"finish_reason":"function_call","usage":{"input_tokens":88,"input_tokens_details":{"prompt_tokens":88,"cached_tokens":0},"output_tokens":25,"total_tokens":113}}"#;
        let answer = whole(body).unwrap();
        let call = answer.function_call().unwrap();
        assert_eq!(call.arguments, r#"{"order_id": "A-1024", "n": 1.50}"#);
        assert_eq!(
            (call.id.as_deref(), call.state_id.as_deref()),
            (None, Some("019e8373"))
        );
        assert_eq!(answer.raw, body);
    });
}

#[test]
fn a_first_message_of_reasoning_is_not_the_answer() {
    bounded(|| {
        let body = r#"{"messages":[{"role":"reasoning","content":[{"text":"hm"}]},{"role":"assistant","content":[{"text":"yes"}]}],"finish_reason":"stop"}"#;
        let answer = whole(body).unwrap();
        assert_eq!(
            (answer.text.as_str(), answer.reasoning.as_deref()),
            ("yes", Some("hm"))
        );
        for beside in [
            r#""reasoning_content":"hm""#,
            r#""reasoning":"hm""#,
            r#""reasoning":{"text":"hm","index":0}"#,
        ] {
            let body = format!(
                r#"{{"messages":[{{"role":"assistant",{beside},"content":[{{"text":"yes"}}]}}],"finish_reason":"stop"}}"#
            );
            let answer = whole(&body).unwrap();
            assert_eq!(
                (answer.text.as_str(), answer.reasoning.as_deref()),
                ("yes", Some("hm")),
                "{beside}"
            );
        }
    });
}

#[test]
fn a_last_event_that_repeats_doubles_nothing() {
    bounded(|| {
        let call =
            |id: &str| format!(r#"{{"function_call":{{{id}"name":"f","arguments":{{"a":1}}}}}}"#);
        let message =
            |parts: &str| format!(r#""messages":[{{"role":"assistant","content":[{parts}]}}]"#);
        for id in [r#""id":"c-1","#, ""] {
            let first = event(
                "response.message.delta",
                &format!("{{{}}}", message(&call(id))),
            );
            let read = streamed(&(first + &done(&format!(",{}", message(&call(id))))));
            read.complete();
            assert_eq!(calls(&read).len(), 1, "{id}");
        }
        // The same function twice in one round, and again in the last event.
        let two = format!("{},{}", call(""), call(""));
        let read = streamed(&done(&format!(",{}", message(&two))));
        assert_eq!(calls(&read).len(), 2);
        let ids = format!("{},{}", call(r#""id":"1","#), call(r#""id":"2","#));
        let first = event(
            "response.message.delta",
            &format!("{{{}}}", message(&call(r#""id":"1","#))),
        );
        let read = streamed(&(first + &done(&format!(",{}", message(&ids)))));
        assert_eq!(
            calls(&read),
            [
                (Some("1"), "f", r#"{"a":1}"#),
                (Some("2"), "f", r#"{"a":1}"#)
            ]
        );
        // All of the text once more is none; a last piece of it is.
        let whole = message(r#"{"text":"one two"}"#);
        let read = streamed(&(delta("one ") + &delta("two") + &done(&format!(",{whole}"))));
        assert_eq!(read.text(), "one two");
        let rest = message(r#"{"text":"two"}"#);
        let read = streamed(&(delta("one ") + &done(&format!(",{rest}"))));
        assert_eq!(read.text(), "one two");
    });
}

#[test]
fn unknown_events_parts_roles_and_reasons_are_skipped() {
    bounded(|| {
        let body = event("response.created", "not even JSON")
            + &event(
                "response.tool.started",
                r#"{"tool_execution":{"name":"web_search"}}"#,
            )
            + ": a comment\n\n"
            + &event(
                "response.message.delta",
                r#"{"messages":[{"role":"oracle","content":[{"text":"no"}]},{"role":"assistant","content":[{"hologram":{"text":"no"}},{"text":"yes"},5,null]}]}"#,
            )
            + &event(
                "response.tool.delta",
                r#"{"messages":[{"role":"assistant","content":[{"text":"no"}]}]}"#,
            )
            + DONE
            + &event("response.message.done", r#"{"finish_reason":"brand_new"}"#);
        let read = streamed(&body);
        assert_eq!(read.text(), "yes");
        assert_eq!(read.complete().finish_reason, "brand_new");
    });
}

#[test]
fn only_the_done_event_ends_a_stream_well() {
    bounded(|| {
        let cut = [
            delta("a"),
            delta("a") + DONE,
            event(
                "response.message.delta",
                r#"{"messages":[{"role":"assistant","content":[{"text":"a"}]}],"finish_reason":"stop"}"#,
            ),
            delta("a") + "event: response.message.done\ndata: {\"finish_reason\":\"st",
        ];
        for body in cut {
            let read = streamed(&body);
            assert_eq!(read.broken().kind(), ErrorKind::IncompleteStream, "{body}");
            assert_eq!(read.broken().partial_text(), Some("a"), "{body}");
        }
        let well = [
            delta("a") + &done(""),
            delta("a") + done("").trim_end(),
            delta("a") + &done("").replace("event: response.message.done\n", ""),
            delta("a") + &done("") + &delta("after the end"),
        ];
        for body in well {
            let read = streamed(&body);
            read.complete();
            assert_eq!(read.text(), "a", "{body}");
        }
        let empty = streamed(&event("response.message.done", "{}"));
        assert_eq!(empty.broken().kind(), ErrorKind::Protocol);
    });
}

#[test]
fn an_error_comes_after_the_text_that_came_before_it() {
    bounded(|| {
        for last in [
            event("response.error", r#"{"status":500,"message":"boom"}"#),
            event("error", "boom"),
            event(
                "response.message.done",
                r#"{"model":"m","created_at":"1780321924","finish_reason":"error","error_details":{"message":"boom"},"usage":{"input_tokens":0,"output_tokens":0,"total_tokens":0}}"#,
            ),
            event("response.message.delta", r#"{"error":{"message":"boom"}}"#),
            "data: {\"status\":500,\"message\":\"boom\"}\n\n".to_owned(),
        ] {
            let read = streamed(&(delta("so far") + &last));
            let error = read.broken();
            assert_eq!(error.kind(), ErrorKind::Server, "{last}");
            assert!(error.message().contains("boom"), "{error}");
            assert_eq!(
                (read.text().as_str(), error.partial_text()),
                ("so far", Some("so far"))
            );
        }
    });
}

#[test]
fn a_character_that_is_split_over_two_events_is_one() {
    bounded(|| {
        let half = |escape: &str| {
            event(
                "response.message.delta",
                &format!(
                    r#"{{"messages":[{{"role":"assistant","content":[{{"text":"{escape}"}}]}}]}}"#
                ),
            )
        };
        let read = streamed(&(half(r"a\ud83d") + &half(r"\ude00b") + &done("")));
        read.complete();
        assert_eq!(read.text(), "a\u{1f600}b");
    });
}

#[test]
fn a_whole_answer_in_the_place_of_a_stream_is_delivered() {
    bounded(|| {
        let body = r#"{"messages":[{"role":"assistant","content":[{"text":"yes"}]}],"finish_reason":"stop","thread_id":"t"}"#;
        let mut config = RawServer::answering(json_answer(body)).config();
        config.set_api_version(ApiVersion::V2);
        let read = stream(&once(config), "x");
        assert_eq!(read.text(), "yes");
        assert_eq!(read.complete().thread_id.as_deref(), Some("t"));
    });
}

/// Every JSON type, as text.
fn any_json() -> impl Strategy<Value = &'static str> {
    prop::sample::select(vec![
        "null",
        "true",
        "0",
        "-3",
        "17.5",
        "1e999",
        "NaN",
        "\"\"",
        "\"odd\"",
        "\"17\"",
        r#""\ud83d""#,
        "[]",
        "[[\"a\"],5]",
        "[{}]",
        "{}",
        r#"{"a":[{}]}"#,
        r#"{"text":5}"#,
    ])
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(512))]

    #[test]
    fn every_json_type_at_every_key_leaves_the_text(
        key in prop::sample::select(vec![
            "model", "created_at", "usage", "thread_id", "message_id", "additional_data", "logprobs",
            "tool_execution", "status", "choices", "object", "finish_reason",
            "message/finish_reason", "message/message_id", "message/tool_state_id", "message/tools_state_id",
            "message/functions_state_id", "message/reasoning", "message/reasoning_content", "message/inline_data",
            "message/logprobs", "part/files", "part/function_call", "part/tool_execution", "part/inline_data",
            "part/logprobs", "part/hologram",
        ]),
        value in any_json(),
        twice in any::<bool>(),
    ) {
        let (place, name) = key.split_once('/').unwrap_or(("top", key));
        let member = format!(r#","{name}":{value}"#);
        let member = if twice { member.repeat(2) } else { member };
        let at = |wanted: &str| if place == wanted { member.as_str() } else { "" };
        let json = format!(
            r#"{{"messages":[{{"role":"assistant","content":[{{"text":"a"{}}}]{}}}]{}}}"#,
            at("part"), at("message"), at("top"),
        );
        for event in ["response.message.delta", "response.message.done", ""] {
            let found = parse_named_event(event.as_bytes(), json.as_bytes(), None);
            let found = found.unwrap_or_else(|why| panic!("{event} {json}: {why}"));
            prop_assert_eq!(found.text.as_deref(), Some("a"), "{}", json);
        }
        let document = Document::new(json.clone().into_bytes(), "application/json", CallReport::default());
        let answer = document.into_response().unwrap_or_else(|why| panic!("{json}: {why}"));
        prop_assert_eq!(answer.text.as_str(), "a", "{}", json);
    }
}
