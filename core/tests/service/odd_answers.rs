//! Answers that are odd beside their text: the text is never lost (I6, I7, I12).

use crate::support::reading::{stream, stream_request};
use crate::support::scripted::{DONE, event, json_answer, once, streamed};
use crate::support::server::{RawServer, STREAM_HEAD, chunk};
use crate::support::{answer_with, bounded, on_both_wires};
use gigachat::{CallReport, ErrorKind, Request, Response, StreamEvent, TokenUsage};
use gigachat_emulator::{Answer, Endpoint};
use proptest::prelude::*;

fn usage(total_tokens: u64) -> TokenUsage {
    TokenUsage {
        total_tokens,
        ..TokenUsage::default()
    }
}

#[test]
fn usage_in_every_chunk_neither_hides_a_stop_sequence_nor_comes_more_than_once() {
    // I7
    on_both_wires(|service| {
        let client = service.client();
        let delta = |text: &str, usage: &str| {
            event(&format!(
                r#"{{"choices":[{{"delta":{{"content":"{text}"}},"index":0}}],"usage":{usage}}}"#
            ))
        };
        for said in [
            "{}",
            "null",
            r#"{"total_tokens":3}"#,
            r#"{"total_tokens":null}"#,
            "[]",
        ] {
            let events = vec![
                delta("abcE", said),
                delta("NDxyz", said),
                event(r#"{"choices":[{"delta":{},"finish_reason":"stop"}],"usage":{}}"#),
                DONE.to_owned(),
            ];
            service.script_answer(Answer::RawSse(events));
            let mut request = Request::prompt("x");
            request.params_mut().add_stop("END").unwrap();
            let read = stream_request(&client, request);
            assert_eq!(read.text(), "abc", "{said}");
            assert_eq!(read.complete().finish_reason, "stop");
        }
        let events = vec![
            delta("a", r#"{"total_tokens":2}"#),
            delta("b", r#"{"total_tokens":6}"#),
            event(
                r#"{"choices":[{"delta":{},"finish_reason":"stop"}],"usage":{"total_tokens":0}}"#,
            ),
            event(r#"{"choices":[],"usage":{}}"#),
            DONE.to_owned(),
        ];
        service.script_answer(Answer::RawSse(events));
        let read = stream(&client, "x");
        assert_eq!(read.complete().usage, Some(usage(6)));
        let text = |text: &str| StreamEvent::Text(text.to_owned());
        assert_eq!(
            read.events,
            [text("a"), text("b"), StreamEvent::Usage(usage(6))]
        );
    });
}

#[test]
fn choice_0_is_the_answer_and_others_are_not_mixed_into_it() {
    bounded(|| {
        let part = |index: &str, text: &str, reason: &str| {
            event(&format!(
                r#"{{"choices":[{{"delta":{{"content":"{text}"}}{index},"finish_reason":{reason}}}]}}"#
            ))
        };
        let (zero, one) = (r#","index":0"#, r#","index":1"#);
        let body = part(one, "B1", "null")
            + &part(zero, "A1", "null")
            + &part("", "A2", "null")
            + &part(zero, "", "\"stop\"")
            + &part(one, "B2", "\"length\"")
            + DONE;
        let read = streamed(body);
        assert_eq!(read.text(), "A1A2");
        assert_eq!(read.complete().finish_reason, "stop");
        let both = r#"{"choices":[{"index":1,"delta":{"content":"B"}},{"index":0,"delta":{"content":"A"}}]}"#;
        assert_eq!(streamed(event(both) + DONE).text(), "A");
        let body = r#"{"choices":[{"index":1,"message":{"content":"B"},"finish_reason":"length"},{"index":0,"message":{"content":"A"},"finish_reason":"stop"}]}"#;
        let whole = once(RawServer::answering(json_answer(body)).config())
            .generate("x")
            .join()
            .unwrap();
        assert_eq!(
            (whole.text.as_str(), whole.finish_reason.as_str()),
            ("A", "stop")
        );
    });
}

#[test]
fn a_stream_of_several_choices_is_refused_before_it_is_sent() {
    bounded(|| {
        let server = RawServer::answering([STREAM_HEAD.as_bytes(), DONE.as_bytes()].concat());
        let client = once(server.config());
        for n in ["2", "2.0", "16"] {
            let mut request = Request::prompt("x");
            if request.set_field("n", n).is_err() {
                continue;
            }
            let read = stream_request(&client, request);
            assert_eq!(read.broken().kind(), ErrorKind::InvalidRequest, "{n}");
            assert!(
                read.broken().message().starts_with("n: "),
                "{}",
                read.broken()
            );
        }
        assert_eq!(server.requests(), 0);
    });
}

#[test]
fn what_stands_beside_the_text_may_be_odd() {
    bounded(|| {
        let beside = [
            r#""usage":{"prompt_tokens":-3,"completion_tokens":17.0,"total_tokens":"17"}"#,
            r#""usage":{"prompt_tokens":1e999}"#,
            r#""usage":null"#,
            r#""model":5"#,
            r#""model":"a","model":"b""#,
            r#""x":NaN"#,
            r#""x":-Infinity"#,
            r#""status":"ok""#,
            r#""status":70000"#,
            r#""message":{}"#,
            r#""error":null"#,
            r#""error":{}"#,
            r#""object":["chat"],"created":{}"#,
        ];
        for beside in beside {
            let whole = format!(
                r#"{{"choices":[{{"message":{{"content":"a"}},"finish_reason":"stop"}}],{beside}}}"#
            );
            let answer = once(RawServer::answering(json_answer(&whole)).config())
                .generate("x")
                .join();
            assert_eq!(
                answer.unwrap_or_else(|why| panic!("{beside}: {why}")).text,
                "a"
            );
            let part = whole.replace("message\":{\"content", "delta\":{\"content");
            let read = streamed(event(&part) + DONE);
            read.complete();
            assert_eq!(read.text(), "a", "{beside}");
        }
        let within = [
            r#""function_call":{}"#,
            r#""function_call":[]"#,
            r#""functions_state_id":5"#,
            r#""role":7"#,
            r#""content":"b","content":"a""#,
        ];
        for within in within {
            let part = format!(
                r#"{{"choices":[{{"delta":{{"content":"a",{within}}},"finish_reason":1}}]}}"#
            );
            let read = streamed(event(&part) + DONE);
            read.complete();
            assert_eq!(read.text(), "a", "{within}");
        }
        // Some gateways put the message in the place of the delta.
        let part = r#"{"choices":[{"message":{"content":"a"},"finish_reason":"stop"}]}"#;
        assert_eq!(streamed(event(part) + DONE).text(), "a");
        for part in [
            r#"{"choices":null,"usage":{"total_tokens":6}}"#,
            r#"{"usage":{"total_tokens":6}}"#,
        ] {
            let read = streamed(chunk("a") + &event(part) + DONE);
            assert_eq!(read.complete().usage, Some(usage(6)), "{part}");
        }
    });
}

#[test]
fn an_array_is_no_object() {
    bounded(|| {
        for body in [
            r#"{"choices":[[["hi","assistant"],"stop"]]}"#,
            r#"[[{"message":{"content":"a"}}]]"#,
            r#"{"choices":{"message":{"content":"a"}}}"#,
            r#"{"choices":[{"message":["a"]}]}"#,
        ] {
            let error = once(RawServer::answering(json_answer(body)).config())
                .generate("x")
                .join();
            assert_eq!(error.unwrap_err().kind(), ErrorKind::Protocol, "{body}");
            let error = streamed(event(&body.replace("message", "delta")) + DONE);
            assert_eq!(error.broken().kind(), ErrorKind::Protocol, "{body}");
        }
    });
    on_both_wires(|service| {
        for body in [r#"["t",1]"#, r#"[{"access_token":"t"}]"#] {
            service.once(Endpoint::Token, answer_with(200, body, &[]));
            // Each of a credential of its own: a failed token request is the answer of its own for a second.
            let error = service.stranger().generate("x").join().unwrap_err();
            assert_eq!(error.kind(), ErrorKind::Protocol, "{body}");
        }
    });
}

#[test]
fn a_token_and_a_list_of_models_may_be_odd() {
    on_both_wires(|service| {
        let tokens = [
            r#"{"access_token":"t-1","tok":"t-1","expires_at":1,"exp":1}"#,
            r#"{"access_token":null,"tok":"t-1"}"#,
            r#"{"access_token":"t-1","tok":5,"expires_at":NaN}"#,
            "\u{feff}{\"access_token\":\"t-1\",\"x\":\"\\ud83d\"}",
        ];
        for token in tokens {
            let client = service.client();
            service.once(Endpoint::Token, answer_with(200, token, &[]));
            service.once(
                Endpoint::Models,
                answer_with(200, r#"{"data":[{"id":"m"}]}"#, &[]),
            );
            client
                .models()
                .join()
                .unwrap_or_else(|why| panic!("{token}: {why}"));
        }
        let client = service.client();
        let list = r#"{"data":[{"id":"a","owned_by":5,"type":[]},{"id":null},5,["b"],null,{"id":"c","id":"d"},{"id":"\ud83d"}]}"#;
        service.once(Endpoint::Models, answer_with(200, list, &[]));
        let models = client.models().join().unwrap();
        let ids: Vec<_> = models.iter().map(|model| model.id.as_str()).collect();
        assert_eq!(ids, ["a", "d", "\u{fffd}"]);
        assert_eq!(models[0].raw, r#"{"id":"a","owned_by":5,"type":[]}"#);
        service.once(Endpoint::Models, answer_with(200, list, &[]));
        assert_eq!(client.health_check(None).join().unwrap().models, 3);
        service.once(
            Endpoint::Models,
            answer_with(200, r#"{"error":{"message":"boom","code":503}}"#, &[]),
        );
        let error = client.model("a").join();
        drop(error);
    });
}

#[test]
fn a_lone_surrogate_costs_one_character_and_a_split_pair_none() {
    bounded(|| {
        for (content, text) in [
            (r"a\ud83d b", "a\u{fffd} b"),
            (r"\ude00", "\u{fffd}"),
            (r"\ud83d\ude00\ud83d", "\u{1f600}\u{fffd}"),
        ] {
            let body = format!(r#"{{"choices":[{{"message":{{"content":"{content}"}}}}]}}"#);
            let whole = once(RawServer::answering(json_answer(&body)).config())
                .generate("x")
                .join();
            assert_eq!(whole.unwrap().text, text);
            let part = format!(r#"{{"choices":[{{"delta":{{"content":"{content}"}}}}]}}"#);
            assert_eq!(streamed(event(&part) + DONE).text(), text);
        }
        let part = |content: &str| {
            event(&format!(
                r#"{{"choices":[{{"delta":{{"content":"{content}"}}}}]}}"#
            ))
        };
        let split = |parts: &[&str]| {
            let body: String = parts.iter().map(|content| part(content)).collect();
            let read = streamed(body + DONE);
            read.complete();
            read.text()
        };
        assert_eq!(split(&[r"a\ud83d", r"\ude00b"]), "a\u{1f600}b");
        assert_eq!(split(&[r"\ud83d", r"\ude00", "x"]), "\u{1f600}x");
        assert_eq!(split(&[r"a\ud83d", "b"]), "a\u{fffd}b");
        assert_eq!(split(&[r"a\ud83d"]), "a\u{fffd}");
        assert_eq!(
            split(&[r"a\ud83d", r"\ude00\ud83d", r"\ude01"]),
            "a\u{1f600}\u{1f601}"
        );
        let mut bytes = part("a").into_bytes();
        bytes.extend_from_slice(b"data: {\"choices\":[{\"delta\":{\"content\":\"b\xffc\"}}]}\n\n");
        bytes.extend_from_slice(DONE.as_bytes());
        let read = streamed(bytes);
        read.complete();
        assert_eq!(read.text(), "ab\u{fffd}c");
    });
}

#[test]
fn keep_alives_of_every_kind_are_silence() {
    // I6
    bounded(|| {
        let alive = [
            "data:\n\n",
            "data\n\n",
            "data: \n\n",
            "event: heartbeat\ndata:\n\n",
            "event: ping\ndata: {\"type\":\"ping\"}\n\n",
            "event: ping\ndata: 12:00\n\n",
            "event: keep-alive\ndata: {\"message\":\"still here\"}\n\n",
            "data: {}\n\n",
            "data: null\n\n",
            "data: ping\n\n",
            "data: \"keep-alive\"\n\n",
            "data: {\"type\":\"ping\"}\n\n",
            "data: {\"status\":\"ok\"}\n\n",
            "retry: 5\n\n",
            "id: 5\nretry: 7\nevent: x\n\n",
            ": comment\n\n",
            "\n\n\n",
        ];
        for alive in alive {
            let body = format!("{alive}{}{alive}{}{alive}{DONE}", chunk("a"), chunk("b"));
            let read = streamed(body);
            read.complete();
            assert_eq!(read.texts(), ["a", "b"], "{alive:?}");
        }
        // What has choices is ours, whatever it is called.
        let named = format!("event: chunk\n{}{DONE}", chunk("a"));
        assert_eq!(streamed(named).text(), "a");
    });
}

#[test]
fn the_last_event_needs_no_blank_line_when_the_body_ends() {
    // I6
    bounded(|| {
        for end in [
            "data: [DONE]",
            "data: [DONE]\n",
            "data: [DONE]\r\n",
            "data: [DONE]\r",
        ] {
            let read = streamed(chunk("a") + end);
            read.complete();
            assert_eq!(read.text(), "a", "{end:?}");
        }
        let part = chunk("b");
        for end in [
            part.trim_end(),
            "data: [DON",
            "data: {\"choices\":[{\"delta\":{\"cont",
        ] {
            let read = streamed(chunk("a") + end);
            assert_eq!(read.broken().kind(), ErrorKind::IncompleteStream, "{end:?}");
        }
        let read = streamed(chunk("a") + "data: {\"error\":\"boom\",\"status\":503}");
        assert_eq!(read.broken().status(), Some(503));
    });
}

#[test]
fn a_byte_order_mark_and_an_encoding_that_is_none_are_no_reason_to_refuse() {
    bounded(|| {
        let body = "\u{feff}{\"choices\":[{\"message\":{\"content\":\"a\"}}]}";
        let answer = once(RawServer::answering(json_answer(body)).config())
            .generate("x")
            .join()
            .unwrap();
        assert_eq!(answer.text, "a");
        assert!(answer.raw.starts_with('{'));
        let with = |headers: &str| {
            let head = format!("HTTP/1.1 200 OK\r\nconnection: close\r\n{headers}\r\n");
            let answer = [head.as_bytes(), body.as_bytes()].concat();
            once(RawServer::answering(answer).config())
                .generate("x")
                .join()
        };
        for encoding in ["", "identity", "utf-8", "UTF-8", "identity, identity"] {
            let header = format!("content-encoding: {encoding}\r\n");
            assert_eq!(with(&header).unwrap().text, "a", "{encoding}");
        }
        for headers in [
            "content-encoding: gzip\r\n",
            "content-encoding: identity\r\ncontent-encoding: gzip\r\n",
            "content-encoding: identity, br\r\n",
        ] {
            assert_eq!(
                with(headers).unwrap_err().kind(),
                ErrorKind::Protocol,
                "{headers}"
            );
        }
        let many: String = (0..500)
            .map(|number| format!("x-{number}: y\r\n"))
            .collect();
        assert_eq!(with(&many).unwrap().text, "a");
    });
}

#[test]
fn a_completion_as_a_whole_is_delivered_to_a_reader_of_a_stream() {
    bounded(|| {
        let body = r#"{"choices":[{"message":{"content":"one END two"},"finish_reason":"stop"}],"model":"m","usage":{"total_tokens":6}}"#;
        let client = once(RawServer::answering(json_answer(body)).config());
        let mut request = Request::prompt("x");
        request.params_mut().add_stop("END").unwrap();
        let read = stream_request(&client, request);
        assert_eq!(read.text(), "one ");
        assert_eq!(read.complete().model, "m");
        let read = stream(&client, "x");
        assert_eq!(read.complete().usage, Some(usage(6)));
        assert!(matches!(
            read.events[..],
            [StreamEvent::Text(_), StreamEvent::Usage(_)]
        ));
    });
}

#[test]
fn empty_function_arguments_are_an_empty_object() {
    bounded(|| {
        for arguments in [r#""""#, r#"" ""#, "null", "{}"] {
            let body = format!(
                r#"{{"choices":[{{"message":{{"function_call":{{"name":"f","arguments":{arguments}}}}}}}]}}"#
            );
            let answer = once(RawServer::answering(json_answer(&body)).config())
                .generate("x")
                .join()
                .unwrap();
            assert_eq!(
                answer.function_call().unwrap().arguments,
                "{}",
                "{arguments}"
            );
        }
    });
}

/// Every JSON type, as text.
fn any_json() -> impl Strategy<Value = String> {
    prop_oneof![
        Just("null"),
        Just("true"),
        Just("false"),
        Just("0"),
        Just("-3"),
        Just("17.5"),
        Just("1e999"),
        Just("NaN"),
        Just("\"\""),
        Just("\"text\""),
        Just("\"17\""),
        Just(r#""\ud83d""#),
        Just("[]"),
        Just("[[\"a\"],5]"),
        Just("{}"),
        Just(r#"{"a":[{}]}"#),
    ]
    .prop_map(str::to_owned)
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(256))]

    #[test]
    fn every_json_type_at_every_key_leaves_the_text(
        key in prop::sample::select(vec![
            "usage", "model", "index", "finish_reason", "role", "name", "function_call", "functions_state_id",
            "status", "message", "object", "created", "id", "type", "code", "detail",
            "usage/prompt_tokens", "usage/total_tokens", "function_call/name", "function_call/arguments",
        ]),
        value in any_json(),
        twice in any::<bool>(),
    ) {
        let (outer, member) = match key.split_once('/') {
            Some((outer, inner)) => (outer, format!(r#""{outer}":{{"{inner}":{value}}}"#)),
            None => (key, format!(r#""{key}":{value}"#)),
        };
        let member = if twice { format!("{member},{member}") } else { member };
        let (mut top, mut choice, mut message) = (String::new(), String::new(), String::new());
        match outer {
            "index" | "finish_reason" => choice = format!(",{member}"),
            "role" | "name" | "function_call" | "functions_state_id" => message = format!(",{member}"),
            _ => top = format!(",{member}"),
        }
        let chunk = format!(r#"{{"choices":[{{"delta":{{"content":"a"{message}}}{choice}}}]{top}}}"#);
        let content = gigachat::parse_chunk(chunk.as_bytes(), None);
        let content = content.unwrap_or_else(|why| panic!("{chunk}: {why}"));
        let of_another_choice = outer == "index" && matches!(&*value, "-3" | "\"17\"");
        if !of_another_choice {
            prop_assert_eq!(content.text.as_deref(), Some("a"), "{}", chunk);
        }
    }

    #[test]
    fn every_json_type_at_every_key_of_a_whole_answer_leaves_its_text(
        key in prop::sample::select(vec![
            "usage", "model", "object", "created", "id", "x", "usage/prompt_tokens",
            "usage/precached_prompt_tokens", "0/index", "0/finish_reason", "0/logprobs", "1/role", "1/name",
            "1/function_call", "1/functions_state_id", "1/function_call/name", "1/attachments",
        ]),
        value in any_json(),
        twice in any::<bool>(),
    ) {
        let (place, key) = match key.split_once('/') {
            Some((place @ ("0" | "1"), key)) => (place, key),
            _ => ("", key),
        };
        let member = match key.split_once('/') {
            Some((outer, inner)) => format!(r#","{outer}":{{"{inner}":{value}}}"#),
            None => format!(r#","{key}":{value}"#),
        };
        let member = if twice { member.repeat(2) } else { member };
        let at = |wanted| if place == wanted { &*member } else { "" };
        let body = format!(
            r#"{{"choices":[{{"message":{{"content":"a"{}}}{}}}]{}}}"#, at("1"), at("0"), at("")
        );
        let answer = Response::parse(body.clone().into_bytes(), &[], CallReport::default());
        // What is the answer to another question is no answer to this one.
        if key != "index" {
            prop_assert_eq!(answer.unwrap_or_else(|why| panic!("{body}: {why}")).text, "a");
        }
    }

    #[test]
    fn what_cannot_be_used_is_told_without_the_words_of_a_json_library(
        body in prop_oneof![
            any_json(),
            any_json().prop_map(|value| format!(r#"{{"choices":{value}}}"#)),
            any_json().prop_map(|value| format!(r#"{{"choices":[{value}]}}"#)),
            any_json().prop_map(|value| format!(r#"{{"choices":[{{"message":{value}}}]}}"#)),
            "[\\[\\]{}:,\"a1 ]{0,12}",
        ],
    ) {
        let bytes = body.clone().into_bytes();
        let errors = [
            Response::parse(bytes.clone(), &[], CallReport::default()).err(),
            gigachat::parse_chunk(&bytes, None).err(),
        ];
        for error in errors.into_iter().flatten() {
            let said = error.message();
            for word in ["expected", " at line ", "invalid type", "EOF", "trailing", "struct", "sequence"] {
                prop_assert!(!said.contains(word), "{}: {}", body, said);
            }
        }
    }
}
