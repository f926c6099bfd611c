//! Errors that come as a 200, in every kind of answer: an error is never a success, and keeps the
//! words of the service, its status and whether it passes (I4, I6, I12).

use std::sync::Arc;

use crate::support::reading::stream;
use crate::support::scripted::{DONE, event, in_turn, json_answer, once, streamed};
use crate::support::server::{RawServer, STREAM_HEAD, chunk};
use crate::support::{answer_with, bounded, client, on_both_wires};
use gigachat::{Client, ErrorKind, Router, RouterOptions};
use gigachat_emulator::{Answer, Endpoint};

#[test]
fn an_error_inside_a_200_is_that_error_with_its_words_status_and_retryability() {
    bounded(|| {
        let cases = [
            (
                r#"{"choices":[],"error":{"code":502,"message":"boom"}}"#,
                ErrorKind::Server,
                502,
            ),
            (
                r#"{"choices":[],"status":500,"message":"boom"}"#,
                ErrorKind::Server,
                500,
            ),
            (
                r#"{"error":{"message":"boom","type":"rate_limit_error"}}"#,
                ErrorKind::RateLimit,
                429,
            ),
            (r#"{"status":503,"message":"boom"}"#, ErrorKind::Server, 503),
            (
                r#"{"choices":null,"detail":"boom","status":422}"#,
                ErrorKind::InvalidRequest,
                422,
            ),
            (
                r#"{"status":"INTERNAL","message":"boom"}"#,
                ErrorKind::Server,
                500,
            ),
            (r#"{"error":"boom"}"#, ErrorKind::Server, 200),
            (
                r#"{"error":{"code":"429","message":"boom"},"choices":[{"delta":{"content":""},"message":{"content":""},"finish_reason":"error"}]}"#,
                ErrorKind::RateLimit,
                429,
            ),
            (
                r#"{"choices":[{"error":{"code":502,"message":"boom"},"delta":{}}]}"#,
                ErrorKind::Server,
                502,
            ),
        ];
        for (json, kind, status) in cases {
            let whole = once(RawServer::answering(json_answer(json)).config())
                .generate("x")
                .join()
                .unwrap_err();
            let part = streamed(event(json) + DONE);
            let unlike = stream(&once(RawServer::answering(json_answer(json)).config()), "x");
            for error in [&whole, part.broken(), unlike.broken()] {
                assert_eq!(
                    (error.kind(), error.status()),
                    (kind, Some(status)),
                    "{json}: {error}"
                );
                assert!(error.message().contains("boom"), "{json}: {error}");
                assert_eq!(
                    error.retryable(),
                    matches!(status, 429 | 500 | 502 | 503 | 504),
                    "{json}"
                );
                assert_eq!(error.body(), json.as_bytes());
            }
            let late = streamed(chunk("a") + &event(json) + DONE);
            assert_eq!(
                (late.text().as_str(), late.broken().kind()),
                ("a", kind),
                "{json}"
            );
            assert_eq!(late.broken().partial_text(), Some("a"));
        }
        for data in [
            "boom",
            r#"{"message":"boom"}"#,
            r#"{"error":"boom"}"#,
            r#""boom""#,
        ] {
            let read = streamed(format!("event: error\ndata: {data}\n\n{DONE}"));
            assert!(
                read.broken().message().contains("boom"),
                "{data}: {}",
                read.broken()
            );
        }
        let both =
            r#"{"choices":[{"delta":{"content":"a"}}],"error":{"code":500,"message":"boom"}}"#;
        let read = streamed(event(both) + DONE);
        assert_eq!(
            (read.text().as_str(), read.broken().status()),
            ("a", Some(500))
        );
    });
}

#[test]
fn an_end_of_nothing_is_no_success() {
    bounded(|| {
        let empty = [
            DONE.to_owned(),
            event(r#"{"choices":[]}"#) + DONE,
            event(
                r#"{"choices":[{"delta":{"content":"","role":"assistant"},"finish_reason":null}]}"#,
            ) + DONE,
            event(r#"{"choices":[],"usage":{"total_tokens":5}}"#) + DONE,
            "\0data: {}\n\nDATA: [DONE]\n\n".to_owned() + DONE,
        ];
        for body in empty {
            assert_eq!(
                streamed(&body).broken().kind(),
                ErrorKind::Protocol,
                "{body}"
            );
        }
        for body in [
            r#"{"choices":[{"message":{}}]}"#,
            r#"{"choices":[{"message":{"content":""},"finish_reason":""}]}"#,
        ] {
            let error = once(RawServer::answering(json_answer(body)).config())
                .generate("x")
                .join()
                .unwrap_err();
            assert_eq!(error.kind(), ErrorKind::Protocol, "{body}");
        }
        let body = event(r#"{"choices":[{"delta":{"content":""},"finish_reason":"stop"}]}"#) + DONE;
        assert_eq!(streamed(body).complete().finish_reason, "stop");
    });
}

#[test]
fn retries_and_the_router_act_on_an_error_inside_a_200() {
    // I4
    bounded(|| {
        let error = r#"{"choices":[],"error":{"code":503,"message":"overloaded"}}"#;
        let good = r#"{"choices":[{"message":{"content":"a"},"finish_reason":"stop"}]}"#;
        let good_stream = [STREAM_HEAD.as_bytes(), (chunk("a") + DONE).as_bytes()].concat();
        let bad_stream = [STREAM_HEAD.as_bytes(), (event(error) + DONE).as_bytes()].concat();
        let server = in_turn(vec![json_answer(error), json_answer(good)]);
        let answer = client(server.config()).generate("x").join().unwrap();
        assert_eq!((answer.text.as_str(), answer.report.attempts), ("a", 2));
        let server = in_turn(vec![bad_stream.clone(), good_stream.clone()]);
        let read = stream(&client(server.config()), "x");
        assert_eq!(
            (read.text().as_str(), read.complete().report.attempts),
            ("a", 2)
        );

        let names = ["bad", "good"];
        for (bad, good) in [
            (
                json_answer(r#"{"error":{"message":"no"}}"#),
                json_answer(good),
            ),
            (
                [
                    STREAM_HEAD.as_bytes(),
                    (event(r#"{"error":{"message":"no"}}"#) + DONE).as_bytes(),
                ]
                .concat(),
                good_stream,
            ),
        ] {
            let streams = bad.starts_with(STREAM_HEAD.as_bytes());
            let servers = [RawServer::answering(bad), RawServer::answering(good)];
            let router = Router::new(RouterOptions::new(gigachat::Strategy::FirstAvailable));
            for (server, name) in servers.iter().zip(names) {
                let mut config = server.config();
                config.set_name(name).unwrap();
                config.set_max_retries(0).unwrap();
                router
                    .add(gigachat::GigaChat::new(config).unwrap())
                    .unwrap();
            }
            let router = Client::new(Arc::new(router));
            let text = match streams {
                true => stream(&router, "x").text(),
                false => router.generate("x").join().unwrap().text,
            };
            assert_eq!(text, "a");
            assert_eq!(servers[0].requests(), 1);
        }
    });
}

#[test]
fn a_401_inside_a_200_earns_a_new_token() {
    on_both_wires(|service| {
        let client = service.client();
        client.generate("warm").join().unwrap();
        let refused = r#"{"status":401,"message":"Token has expired"}"#;
        service.script_answer(Answer::RawSse(vec![event(refused)]));
        assert_eq!(stream(&client, "repeat: x").text(), "x");
        service.once(Endpoint::Chat, answer_with(200, refused, &[]));
        client.generate("repeat: x").join().unwrap();
        assert_eq!(service.counters().token_requests, 3);
    });
}

#[test]
fn an_error_instead_of_a_token_says_what_is_wrong() {
    on_both_wires(|service| {
        let body = r#"{"code":6,"message":"credentials doesn't match db data"}"#;
        service.once(Endpoint::Token, answer_with(200, body, &[]));
        let error = service.client().generate("x").join().unwrap_err();
        assert!(error.message().contains("doesn't match db data"), "{error}");
        assert_eq!(error.code(), Some(6));
    });
}

#[test]
fn the_words_of_the_service_are_escaped_cut_and_hold_no_credential() {
    // I13
    bounded(|| {
        let token = "ready-made";
        let words = format!(
            "x\\r\\nINFO admin\\u001b[31m {token} {}",
            "y".repeat(100_000)
        );
        let error_body = format!(r#"{{"status":400,"message":"{words}"}}"#);
        let head = format!(
            "HTTP/1.1 400 Bad\r\nconnection: close\r\nx-request-id: {}\r\n\r\n",
            "i".repeat(9000)
        );
        let redirect = format!(
            "HTTP/1.1 302 Found\r\nconnection: close\r\nlocation: https://x/{}?{token}\x1b\r\n\r\n",
            "z".repeat(9000)
        );
        let answers = [
            [head.as_bytes(), error_body.as_bytes()].concat(),
            [head.as_bytes(), b"plain \x1b words ", token.as_bytes()].concat(),
            redirect.into_bytes(),
            json_answer(&error_body),
        ];
        for answer in answers {
            let mut config = RawServer::answering(answer).config();
            config.set_access_token(token).unwrap();
            let error = once(config).generate("x").join().unwrap_err();
            let text = format!("{error} {error:?}");
            assert!(!text.contains(['\r', '\n', '\x1b']), "{error:?}");
            assert!(text.len() < 6000, "{}", text.len());
            assert!(!text.contains(token), "{error}");
            assert!(!String::from_utf8_lossy(error.body()).contains(token));
        }
    });
}
