//! Answers that are no answers: not HTTP, not whole, not JSON, not bounded (I12). Each is an error
//! that says so; none is a crash, a hang, or memory without bound.

use std::io::Write;

use crate::support::reading::stream;
use crate::support::server::{RawServer, STREAM_HEAD, chunk};
use crate::support::{bounded, client, on_both_wires};
use gigachat::{Client, Config, Error, ErrorKind, Phase};
use gigachat_emulator::{Action, Answer, Endpoint};

fn once(mut config: Config) -> Client {
    config.set_max_retries(0).unwrap();
    config.set_retry_broken_connections(false);
    client(config)
}

/// The error of a call that is answered with exactly these bytes, and then the connection closes.
fn answered_with(bytes: impl Into<Vec<u8>>) -> Error {
    once(RawServer::answering(bytes).config())
        .generate("hello")
        .join()
        .unwrap_err()
}

#[test]
fn json_that_is_no_completion_is_a_protocol_error_with_its_body() {
    on_both_wires(|service| {
        let client = service.client();
        let bodies = [
            "",
            "null",
            "[]",
            "{}",
            "5",
            "\"text\"",
            "{\"choices\":",
            "<html></html>",
            r#"{"choices":[]}"#,
            r#"{"choices":[{}]}"#,
            r#"{"choices":{}}"#,
            r#"{"choices":[{"message":{"content":5}}]}"#,
            r#"{"choices":[null]}"#,
            r#"{"status":200,"message":"fine"}"#,
        ];
        for body in bodies {
            service.script_answer(Answer::Body(body.to_owned()));
            let error = client.generate("hello").join().unwrap_err();
            assert_eq!(
                (error.kind(), error.phase()),
                (ErrorKind::Protocol, Phase::Body),
                "{body}"
            );
            assert_eq!((error.status(), error.attempts()), (Some(200), 1));
            assert_eq!(error.body(), body.as_bytes());
            assert!(error.request_id().is_some());
        }
        for body in ["[]", "{}", "{\"data\":5}", "{\"data\":[{}]}", "<html>"] {
            service.once(
                Endpoint::Models,
                crate::support::answer_with(200, body, &[]),
            );
            assert_eq!(
                client.models().join().unwrap_err().kind(),
                ErrorKind::Protocol,
                "{body}"
            );
            service.once(
                Endpoint::Models,
                crate::support::answer_with(200, body, &[]),
            );
            let error = client.health_check(None).join().unwrap_err();
            assert_eq!(error.kind(), ErrorKind::Protocol, "{body}");
        }
    });
}

#[test]
fn json_that_ends_too_early_is_a_protocol_error_wherever_it_ends() {
    on_both_wires(|service| {
        let client = service.client();
        for bytes in [0, 1, 2, 10, 50, 100, 150] {
            service.once(Endpoint::Chat, Action::TruncatedJson { bytes });
            let error = client.generate("hello").join().unwrap_err();
            assert_eq!(error.kind(), ErrorKind::Protocol, "{bytes} bytes");
            assert_eq!(error.body().len(), bytes);
        }
    });
}

#[test]
fn a_body_that_breaks_off_is_not_sent_again() {
    // I4: the answer had begun; it was billed.
    for reset in [false, true] {
        on_both_wires(move |service| {
            let client = service.client();
            for bytes in [1, 20, 100] {
                service.reset();
                service.once(Endpoint::Chat, Action::CutAfterBytes { bytes, reset });
                let error = client.generate("hello").join().unwrap_err();
                assert_eq!(
                    (error.kind(), error.phase()),
                    (ErrorKind::Protocol, Phase::Body)
                );
                assert_eq!((error.status(), error.attempts()), (Some(200), 1));
                assert!(error.message().contains("broke off"), "{error}");
                assert_eq!(service.counters().chat_attempts, 1);
            }
        });
    }
}

#[test]
fn deep_nesting_is_an_error_or_passed_over_but_no_crash() {
    // I12
    on_both_wires(|service| {
        let client = service.client();
        let deep = format!("{}{}", "[".repeat(200_000), "]".repeat(200_000));
        service.script_answer(Answer::Body(format!(r#"{{"choices":{deep}}}"#)));
        assert_eq!(
            client.generate("x").join().unwrap_err().kind(),
            ErrorKind::Protocol
        );
        let body =
            format!(r#"{{"new":{deep},"choices":[{{"message":{{"content":"a","new":{deep}}}}}]}}"#);
        service.script_answer(Answer::Body(body));
        match client.generate("x").join() {
            Ok(answer) => assert_eq!(answer.text, "a"),
            Err(error) => assert_eq!(error.kind(), ErrorKind::Protocol),
        }
        let event = format!("data: {{\"choices\":{deep}}}\n\n");
        service.script_answer(Answer::RawSse(vec![chunk("a"), event]));
        let read = stream(&client, "x");
        assert_eq!(
            (read.text().as_str(), read.broken().kind()),
            ("a", ErrorKind::Protocol)
        );
        let body = format!(
            "{}{}",
            r#"{"choices":[{"message":{"content":"","function_call":{"name":"f","arguments":"#,
            deep
        ) + "}}}]}";
        service.script_answer(Answer::Body(body));
        match client.generate("x").join() {
            Ok(answer) => assert_eq!(answer.function_call().unwrap().arguments.len(), deep.len()),
            Err(error) => assert_eq!(error.kind(), ErrorKind::Protocol),
        }
    });
}

#[test]
fn a_body_larger_than_its_bound_is_refused() {
    // I12: announced, not announced, and without end.
    on_both_wires(|service| {
        let client = service.client_with(|config| config.set_max_body_bytes(100_000).unwrap());
        for action in [
            Action::HugeBody { bytes: 8 << 20 },
            Action::HugeBody { bytes: 1 << 40 },
            Action::EndlessLine,
        ] {
            for endpoint in [Endpoint::Chat, Endpoint::Models] {
                service.once(endpoint, action.clone());
                let error = match endpoint {
                    Endpoint::Chat => client.generate("hello").join().unwrap_err(),
                    _ => client.models().join().unwrap_err(),
                };
                assert_eq!(
                    (error.kind(), error.status()),
                    (ErrorKind::Protocol, Some(200))
                );
                assert!(error.message().contains("max_body_bytes"), "{error}");
                assert!(error.body().len() <= 64 * 1024);
            }
        }
        service.sees("the calls gone", |now| now.in_flight == 0);
        service.once(Endpoint::Chat, Action::HugeBody { bytes: 65_536 });
        client.generate("within the bound").join().unwrap();
    });
}

#[test]
fn an_encoded_answer_is_refused_since_none_was_asked_for() {
    // I12
    on_both_wires(|service| {
        let client = service.client();
        service.always(Endpoint::Any, Action::ContentEncodingGzip);
        for error in [
            client.generate("hello").join().unwrap_err(),
            stream(&client, "hello").broken().clone(),
            client.models().join().unwrap_err(),
        ] {
            assert_eq!(
                (error.kind(), error.status()),
                (ErrorKind::Protocol, Some(200)),
                "{error}"
            );
            assert!(error.message().contains("encoding"), "{error}");
        }
        for request in service.requests() {
            assert_eq!(request.header("accept-encoding"), None);
        }
    });
}

#[test]
fn what_is_not_http_is_a_protocol_error_or_a_broken_connection() {
    bounded(|| {
        let kinds = [ErrorKind::Protocol, ErrorKind::Connection];
        let answers: [&[u8]; 9] = [
            b"",
            b"\x00\x01\x02\x03\xff\xfe",
            b"HTTP/1.1 ",
            b"HTTP/1.1 200 OK\r\ncontent-le",
            b"HTTP/9.9 200 OK\r\n\r\n",
            b"SSH-2.0-OpenSSH_9.6\r\n",
            b"HTTP/1.1 999999 OK\r\n\r\n",
            b"HTTP/1.1 200 OK\r\nbad header\r\n\r\n",
            b"HTTP/1.1 200 OK\r\ncontent-length: 5\r\ncontent-length: 6\r\n\r\nabcdef",
        ];
        for answer in answers {
            let error = answered_with(answer);
            let shown = String::from_utf8_lossy(answer);
            assert!(kinds.contains(&error.kind()), "{shown:?}: {error:?}");
            assert_eq!(error.attempts(), 1);
        }
    });
}

#[test]
fn a_body_whose_framing_is_wrong_is_a_protocol_error() {
    bounded(|| {
        let head = "HTTP/1.1 200 OK\r\ncontent-type: application/json\r\n";
        let bodies = [
            "content-length: 100\r\n\r\n{\"choices\":[]}",
            "transfer-encoding: chunked\r\n\r\nzz\r\n{}\r\n0\r\n\r\n",
            "transfer-encoding: chunked\r\n\r\nffffffffffffffffff\r\n{}",
            "transfer-encoding: chunked\r\n\r\n5\r\n{}",
        ];
        for body in bodies {
            let error = answered_with(format!("{head}{body}"));
            assert_eq!(
                (error.kind(), error.phase()),
                (ErrorKind::Protocol, Phase::Body),
                "{body:?}"
            );
        }
    });
}

#[test]
fn headers_without_end_are_bounded() {
    // I12: a megabyte of header, a hundred thousand headers, and a line that never ends.
    bounded(|| {
        let long = format!("HTTP/1.1 200 OK\r\nx: {}\r\n\r\n", "a".repeat(4 << 20));
        let many = format!("HTTP/1.1 200 OK\r\n{}\r\n", "x: y\r\n".repeat(100_000));
        for answer in [long, many] {
            let error = answered_with(answer);
            assert!(
                matches!(error.kind(), ErrorKind::Protocol | ErrorKind::Connection),
                "{error:?}"
            );
        }
        let endless = RawServer::start(|stream| {
            let _ = stream.write_all(b"HTTP/1.1 200 OK\r\nx: ");
            while stream.write_all(&[b'a'; 64 * 1024]).is_ok() {}
            false
        });
        let error = once(endless.config()).generate("hello").join().unwrap_err();
        assert!(
            matches!(error.kind(), ErrorKind::Protocol | ErrorKind::Connection),
            "{error:?}"
        );
    });
}

#[test]
fn an_informational_answer_before_the_real_one_is_passed_over() {
    bounded(|| {
        let body = r#"{"choices":[{"message":{"content":"a"}}]}"#;
        let answer = format!(
            "HTTP/1.1 103 Early Hints\r\nlink: </x>\r\n\r\nHTTP/1.1 200 OK\r\ncontent-length: {}\r\n\r\n{body}",
            body.len()
        );
        let client = once(RawServer::answering(answer).config());
        assert_eq!(client.generate("hello").join().unwrap().text, "a");
    });
}

#[test]
fn a_stream_that_ends_with_its_connection_is_whole_when_its_end_mark_came() {
    bounded(|| {
        let whole = format!("{STREAM_HEAD}{}data: [DONE]\n\n", chunk("a"));
        let client = once(RawServer::answering(whole).config());
        let read = stream(&client, "x");
        read.complete();
        let cut = format!("{STREAM_HEAD}{}data: [DON", chunk("a"));
        let client = once(RawServer::answering(cut).config());
        assert_eq!(
            stream(&client, "x").broken().kind(),
            ErrorKind::IncompleteStream
        );
    });
}

#[test]
fn a_host_that_cannot_be_found_or_reached_is_a_connection_error_that_names_it() {
    bounded(|| {
        let closed = std::net::TcpListener::bind("127.0.0.1:0")
            .unwrap()
            .local_addr()
            .unwrap();
        for (url, host) in [
            (
                "https://no-such-host.invalid/v1".to_owned(),
                "no-such-host.invalid".to_owned(),
            ),
            (format!("http://{closed}/v1"), closed.to_string()),
            (format!("https://{closed}/v1"), closed.to_string()),
        ] {
            let mut config = Config::default();
            config.set_access_token("ready-made").unwrap();
            config.set_base_url(&url).unwrap();
            config.set_proxy_from_environment(false);
            let error = once(config).generate("hello").join().unwrap_err();
            assert_eq!(
                (error.kind(), error.phase()),
                (ErrorKind::Connection, Phase::Connect)
            );
            assert!(error.message().contains(&host), "{error}");
            assert!(error.retryable());
        }
    });
}

#[test]
fn speaking_tls_to_a_plain_port_and_the_reverse_is_said() {
    on_both_wires(|service| {
        let plain = service
            .plain_base_url()
            .replace("http://127.0.0.1", "https://localhost");
        let mut config = service.bare_config();
        config.set_access_token("ready-made").unwrap();
        config.set_base_url(&plain).unwrap();
        let error = once(config.clone()).generate("hello").join().unwrap_err();
        assert_eq!(
            (error.kind(), error.phase()),
            (ErrorKind::Tls, Phase::Connect),
            "{error}"
        );
        assert!(
            error.message().contains("does this port speak https"),
            "{error}"
        );
        let tls = service.base_url().replace("https://", "http://");
        config.set_base_url(&tls).unwrap();
        let error = once(config).generate("hello").join().unwrap_err();
        assert!(
            matches!(error.kind(), ErrorKind::Protocol | ErrorKind::Connection),
            "{error:?}"
        );
    });
}
