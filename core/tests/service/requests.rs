//! What a caller says reaches the wire: messages, parameters, fields that the library does not know,
//! headers, ids, the model; and only there where it belongs.

use crate::support::reading::stream_request;
use crate::support::{Service, on_both_wires};
use gigachat::{Client, ErrorKind, Params, Phase, Request};
use gigachat_emulator::{Answer, RecordedRequest};

/// The chat request that the emulator received last.
fn last_chat(service: &Service) -> RecordedRequest {
    let requests = service.requests();
    let chat = requests
        .into_iter()
        .rfind(|request| request.path.ends_with("/completions"));
    chat.expect("a chat request")
}

fn sent(service: &Service, client: &Client, request: Request) -> RecordedRequest {
    client.chat(request).join().unwrap();
    last_chat(service)
}

#[test]
fn a_prompt_is_one_user_message_and_nothing_else() {
    on_both_wires(|service| {
        let client = service.client();
        let prompt = "Привет, \"мир\"!\n\t\u{2028}🎉 \\ \u{0}";
        let answer = client.generate(prompt).join().unwrap();
        assert!(answer.text.contains(prompt));
        let chat = last_chat(service);
        let expected = serde_json::json!({
            "model": "GigaChat",
            "messages": [{"role": "user", "content": prompt}],
        });
        assert_eq!(chat.json(), expected);
        assert_eq!(
            (chat.method.as_str(), chat.path.as_str()),
            ("POST", "/api/v1/chat/completions")
        );
        assert_eq!(chat.header("content-type"), Some("application/json"));
        assert_eq!(chat.header("accept"), Some("application/json"));
        assert!(
            chat.header("user-agent")
                .unwrap()
                .starts_with("libgigachat/")
        );
        stream_request(&client, Request::prompt(prompt)).complete();
        let chat = last_chat(service);
        assert_eq!(chat.json()["stream"], true);
        assert_eq!(chat.header("accept"), Some("text/event-stream"));
    });
}

#[test]
fn a_conversation_arrives_in_its_order() {
    on_both_wires(|service| {
        let mut request = Request::new();
        request.add_message("system", "Be brief.");
        request.add_message("user", "One?");
        request.add_message("assistant", "Two.");
        request.add_message("user", "show the conversation");
        let answer = service.client().chat(request).join().unwrap();
        let lines: Vec<_> = answer.text.lines().collect();
        let expected = [
            "system: Be brief.",
            "user: One?",
            "assistant: Two.",
            "user: show the conversation",
        ];
        assert_eq!(lines, expected);
    });
}

#[test]
fn parameters_arrive_as_they_were_set() {
    on_both_wires(|service| {
        let mut params = Params::new();
        params.set_temperature(0.87).unwrap();
        params.set_top_p(0.1).unwrap();
        params.set_max_tokens(512).unwrap();
        params.set_repetition_penalty(1.07).unwrap();
        let mut request = Request::prompt("hello");
        request.set_params(params);
        request.set_model("GigaChat-2-Max").unwrap();
        let body = sent(service, &service.client(), request).json();
        assert_eq!(body["temperature"], 0.87);
        assert_eq!(body["top_p"], 0.1);
        assert_eq!(body["max_tokens"], 512);
        assert_eq!(body["repetition_penalty"], 1.07);
        assert_eq!(body["model"], "GigaChat-2-Max");
        let configured = service.client_with(|config| config.set_model("GigaChat-2").unwrap());
        let body = sent(service, &configured, Request::prompt("hello")).json();
        assert_eq!(body["model"], "GigaChat-2");
    });
}

#[test]
fn fields_that_the_library_does_not_know_pass_through_byte_for_byte() {
    on_both_wires(|service| {
        let json = r#"{"messages":[{"role":"user","content":"hi","x_new":1.50e0}],"x_new":{"a" : 1.000,"b":[ 12345678901234567890123 ]},"profanity_check":true}"#;
        let chat = sent(
            service,
            &service.client(),
            Request::from_json(json).unwrap(),
        );
        let body = std::str::from_utf8(&chat.body).unwrap();
        assert_eq!(body, json.replacen('{', r#"{"model":"GigaChat","#, 1));
        let mut built = Request::prompt("hi");
        built.set_field("x_new", r#"{"z":1,"a" :2.0}"#).unwrap();
        let chat = sent(service, &service.client(), built);
        assert!(String::from_utf8_lossy(&chat.body).contains(r#""x_new":{"z":1,"a" :2.0}"#));
    });
}

#[test]
fn an_answers_json_is_kept_byte_for_byte() {
    on_both_wires(|service| {
        let raw = r#"{"choices":[{"message":{"content":"a","role":"assistant","x":1.50},"index":0,"finish_reason":"stop"}], "x_new" : 12345678901234567890.10 ,"model":"M:1"}"#;
        service.script_answer(Answer::Body(raw.to_owned()));
        let answer = service.client().generate("hello").join().unwrap();
        assert_eq!(answer.raw, raw);
        assert_eq!((answer.text.as_str(), answer.model.as_str()), ("a", "M:1"));
        assert_eq!(answer.usage, None);
    });
}

#[test]
fn ids_and_headers_of_a_call_arrive_with_it_and_in_its_result() {
    on_both_wires(|service| {
        let client = service.client_with(|config| {
            config
                .set_extra_header("X-Gateway", "of the provider")
                .unwrap();
            config.set_extra_header("X-Other", "stays").unwrap();
            config.set_user_agent("my-program/1.0").unwrap();
        });
        let mut request = Request::prompt("hello");
        request.set_request_id("request 7").unwrap();
        request.set_session_id("session-7").unwrap();
        request.set_client_id("client-7").unwrap();
        request.set_header("x-gateway", "of the call").unwrap();
        let answer = client.chat(request.clone()).join().unwrap();
        assert_eq!(answer.report.request_id, "request 7");
        assert_eq!(answer.report.session_id.as_deref(), Some("session-7"));
        let chat = last_chat(service);
        for (name, value) in [
            ("x-request-id", "request 7"),
            ("x-session-id", "session-7"),
            ("x-client-id", "client-7"),
            ("x-gateway", "of the call"),
            ("x-other", "stays"),
            ("user-agent", "my-program/1.0"),
        ] {
            assert_eq!(chat.headers.get_all(name).iter().count(), 1, "{name}");
            assert_eq!(chat.header(name), Some(value));
        }
        let end = stream_request(&client, request).end.unwrap();
        assert_eq!(end.report.request_id, "request 7");
        assert_eq!(end.report.session_id.as_deref(), Some("session-7"));
        client.generate("without").join().unwrap();
        let next = last_chat(service);
        assert_eq!(
            next.header("x-gateway"),
            Some("of the provider"),
            "nothing stays of a call"
        );
        assert_eq!(
            (next.header("x-session-id"), next.header("x-client-id")),
            (None, None)
        );
    });
}

#[test]
fn a_request_id_is_random_when_none_is_given() {
    on_both_wires(|service| {
        let client = service.client();
        let ids: std::collections::HashSet<_> = (0..5)
            .map(|_| client.generate("hello").join().unwrap().report.request_id)
            .collect();
        assert_eq!(ids.len(), 5);
        assert!(ids.iter().all(|id| uuid::Uuid::parse_str(id).is_ok()));
    });
}

#[test]
fn headers_of_the_api_are_not_sent_to_the_token_endpoint() {
    // I9: a gateway's credential is for the gateway.
    on_both_wires(|service| {
        let client =
            service.client_with(|config| config.set_extra_header("x-gateway", "secret").unwrap());
        let mut request = Request::prompt("hello");
        request.set_header("x-of-the-call", "secret").unwrap();
        request.set_session_id("session").unwrap();
        client.chat(request).join().unwrap();
        client.models().join().unwrap();
        for request in service.requests() {
            let for_token = request.path.ends_with("/oauth");
            assert_eq!(
                request.header("x-gateway").is_none(),
                for_token,
                "{}",
                request.path
            );
            assert!(!for_token || request.header("x-of-the-call").is_none());
            assert!(!for_token || request.header("x-session-id").is_none());
        }
    });
}

#[test]
fn a_session_id_has_its_precached_tokens_in_the_usage() {
    on_both_wires(|service| {
        let mut request = Request::prompt("The first message of a conversation");
        request.add_message("assistant", "Yes.");
        request.add_message("user", "And the next one.");
        request.set_session_id("a conversation").unwrap();
        let usage = service
            .client()
            .chat(request)
            .join()
            .unwrap()
            .usage
            .unwrap();
        assert!(usage.precached_prompt_tokens > 0, "{usage:?}");
        assert_eq!(
            usage.total_tokens,
            usage.prompt_tokens + usage.completion_tokens
        );
    });
}

#[test]
fn models_are_listed_and_read_one_by_one() {
    on_both_wires(|service| {
        let client = service.client();
        let models = client.models().join().unwrap();
        assert!(models.iter().any(|model| model.id == "GigaChat"));
        for model in &models {
            assert_eq!(client.model(&model.id).join().unwrap().id, model.id);
            let raw: serde_json::Value = serde_json::from_str(&model.raw).unwrap();
            assert_eq!(raw["id"], model.id.as_str());
        }
        for strange in ["a/b", "a b?c#d", "../oauth", "имя", "%2e%2e"] {
            let error = client.model(strange).join().unwrap_err();
            assert_eq!(error.kind(), ErrorKind::NotFound, "{strange}: {error}");
            let path = service.requests().last().unwrap().path.clone();
            assert!(path.starts_with("/api/v1/models/"), "{path}");
            assert_eq!(path.matches('/').count(), 4, "{path}: one segment");
        }
        for refused in ["", ".", ".."] {
            let error = client.model(refused).join().unwrap_err();
            assert_eq!(
                (error.kind(), error.phase()),
                (ErrorKind::InvalidRequest, Phase::Input)
            );
        }
    });
}

#[test]
fn bad_input_is_refused_before_anything_is_sent() {
    // I11
    on_both_wires(|service| {
        let client = service.client();
        let error = client.chat(Request::new()).join().unwrap_err();
        assert_eq!(
            (error.kind(), error.phase()),
            (ErrorKind::InvalidRequest, Phase::Input)
        );
        assert!(error.message().contains("messages"), "{error}");
        let read = stream_request(&client, Request::new());
        assert_eq!(read.broken().kind(), ErrorKind::InvalidRequest);
        assert_eq!(service.counters().connections_opened, 0);
    });
}

#[test]
fn timings_tell_where_the_time_went() {
    on_both_wires(|service| {
        use gigachat_emulator::{Action, Endpoint};
        service.once(Endpoint::Token, Action::DelayHeaders { ms: 80 });
        service.once(Endpoint::Chat, Action::DelayHeaders { ms: 80 });
        let timings = service
            .client()
            .generate("hello")
            .join()
            .unwrap()
            .report
            .timings;
        assert!(timings.token.as_millis() >= 80, "{timings:?}");
        assert!(timings.first_byte.as_millis() >= 160, "{timings:?}");
        assert!(timings.first_content >= timings.first_byte, "{timings:?}");
        assert!(
            timings.total >= timings.queue + timings.first_content,
            "{timings:?}"
        );
    });
}
