//! Chat v2 behind the same request, response and stream: one program, either chat by one switch.

use crate::support::reading::stream_request;
use crate::support::{Service, on_both_wires};
use gigachat::{ApiVersion, Ask, Client, ErrorKind, Phase, Request, StreamEvent};
use gigachat_emulator::{Action, Answer, Endpoint, Fault, RecordedRequest};

const WEATHER: &str = r#"{"name":"weather","parameters":{"type":"object","properties":{"city":{"type":"string"}},"required":["city"]}}"#;
const RATE: &str = r#"{"name":"rate","parameters":{"type":"object","properties":{"currency":{"type":"string"}},"required":["currency"]}}"#;

fn of_version(service: &Service, version: ApiVersion) -> Client {
    service.client_with(|config| config.set_api_version(version))
}

fn last_chat(service: &Service) -> RecordedRequest {
    let chat = service
        .requests()
        .into_iter()
        .rfind(|request| request.path.ends_with("/completions"));
    chat.expect("a chat request")
}

#[test]
fn one_program_speaks_either_chat_by_one_switch() {
    on_both_wires(|service| {
        for (version, path) in [
            (ApiVersion::V1, "/api/v1/chat/completions"),
            (ApiVersion::V2, "/api/v2/chat/completions"),
        ] {
            let client = of_version(service, version);
            let mut request = Request::new();
            request.add_message("system", "Be brief.");
            request.add_message("user", "count to 5");
            request.params_mut().set_temperature(0.0).unwrap();
            let answer = client.chat(request.clone()).join().unwrap();
            assert_eq!(answer.text, "1, 2, 3, 4, 5", "{version:?}");
            assert_eq!(answer.finish_reason, "stop");
            assert_eq!(answer.api_version, version);
            let usage = answer.usage.expect("a usage");
            assert_eq!(
                usage.total_tokens,
                usage.prompt_tokens + usage.completion_tokens
            );
            assert_eq!(last_chat(service).path, path);
            let read = stream_request(&client, request);
            assert_eq!(read.text(), "1, 2, 3, 4, 5", "{version:?}");
            assert_eq!(read.complete().usage, Some(usage));
            assert!(read.texts().len() > 1, "{:?}", read.texts());
        }
    });
}

#[test]
fn a_request_says_itself_which_chat_it_is_for() {
    on_both_wires(|service| {
        let json_v2 = r#"{"messages":[{"role":"user","content":[{"text":"hello"}]}]}"#;
        let json_v1 = r#"{"messages":[{"role":"user","content":"hello"}],"functions":[]}"#;
        let v1 = service.client();
        v1.chat(Request::from_json(json_v2).unwrap())
            .join()
            .unwrap();
        assert!(last_chat(service).path.ends_with("/v2/chat/completions"));
        let v2 = of_version(service, ApiVersion::V2);
        v2.chat(Request::from_json(json_v1).unwrap())
            .join()
            .unwrap();
        assert!(last_chat(service).path.ends_with("/v1/chat/completions"));
        let mut asked = Request::prompt("hello");
        asked.set("api_version", "2").unwrap();
        v1.chat(asked).join().unwrap();
        assert!(last_chat(service).path.ends_with("/v2/chat/completions"));
        let mut ask = Ask::named("chat_v2").unwrap();
        ask.set_json(json_v2).unwrap();
        let answer = v1.ask(ask.clone()).join().unwrap();
        assert!(answer.text_at("/messages/0/content/0/text").is_some());
        assert!(!answer.into_response().unwrap().text.is_empty());
        ask.set_json(json_v1).unwrap_err();
    });
}

#[test]
fn a_mix_of_the_two_chats_is_refused_before_anything_is_sent() {
    on_both_wires(|service| {
        let client = service.client();
        let mixed =
            r#"{"messages":[{"role":"user","content":[{"text":"x"}]}],"function_call":"auto"}"#;
        let error = Request::from_json(mixed).unwrap_err();
        assert!(error.message().contains("chat v1") && error.message().contains("chat v2"));
        let mut shaped =
            Request::from_json(r#"{"messages":[{"role":"user","content":"x"}],"tools":[]}"#)
                .unwrap();
        shaped.set("api_version", "1").unwrap();
        let mut only_v2 = Request::prompt("x");
        only_v2.set_regex("a+").unwrap();
        for request in [shaped, only_v2] {
            let error = client.chat(request).join().unwrap_err();
            assert_eq!(
                (error.kind(), error.phase()),
                (ErrorKind::InvalidRequest, Phase::Input)
            );
        }
        assert_eq!(service.counters().chat_attempts, 0);
    });
}

#[test]
fn several_functions_are_called_in_one_answer_each_with_its_id() {
    on_both_wires(|service| {
        let client = of_version(service, ApiVersion::V2);
        let mut request = Request::prompt("The weather in Omsk, and the dollar?");
        request.add_function(WEATHER).unwrap();
        request.add_function(RATE).unwrap();
        request.set_parallel_calls(true);
        let answer = client.chat(request.clone()).join().unwrap();
        assert_eq!(
            (answer.text.as_str(), answer.finish_reason.as_str()),
            ("", "function_call")
        );
        let names: Vec<_> = answer
            .function_calls
            .iter()
            .map(|call| call.name.as_str())
            .collect();
        assert_eq!(names, ["weather", "rate"]);
        assert!(
            answer
                .function_calls
                .iter()
                .all(|call| call.id.is_some() && call.state_id.is_some())
        );
        assert_ne!(answer.function_calls[0].id, answer.function_calls[1].id);
        let read = stream_request(&client, request);
        let calls = read.events.iter().filter_map(|event| match event {
            StreamEvent::FunctionCall(call) => Some(call.clone()),
            _ => None,
        });
        let calls: Vec<_> = calls.collect();
        assert_eq!(calls, answer.function_calls, "they come in the last event");
        assert_eq!(read.complete().finish_reason, "function_call");
    });
}

#[test]
fn the_choice_among_tools_is_the_callers() {
    on_both_wires(|service| {
        let called = |version: ApiVersion, choice: &str| {
            let mut request = Request::prompt("What now?");
            request.add_function(WEATHER).unwrap();
            request.add_function(RATE).unwrap();
            request.set("tool_choice", choice).unwrap();
            let answer = of_version(service, version).chat(request).join().unwrap();
            answer.function_call().map(|call| call.name.clone())
        };
        for version in [ApiVersion::V1, ApiVersion::V2] {
            assert_eq!(called(version, "none"), None, "{version:?}");
            assert_eq!(
                called(version, "rate").as_deref(),
                Some("rate"),
                "{version:?}"
            );
            assert!(called(version, "auto").is_some(), "{version:?}");
        }
        assert!(called(ApiVersion::V2, "any").is_some());
    });
}

#[test]
fn a_built_in_tool_shows_progress_and_gives_its_file() {
    on_both_wires(|service| {
        for version in [ApiVersion::V1, ApiVersion::V2] {
            let client = of_version(service, version);
            let mut request = Request::prompt("draw a cat");
            request.add_tool("image_generate", None).unwrap();
            let answer = client.chat(request.clone()).join().unwrap();
            assert_eq!(answer.files.len(), 1, "{version:?}: {}", answer.text);
            assert_eq!(answer.files[0].kind, "image");
            let read = stream_request(&client, request);
            read.complete();
            let progress = |event: &StreamEvent| matches!(event, StreamEvent::Progress { .. });
            assert!(
                read.events.iter().any(progress),
                "{version:?}: {:?}",
                read.events
            );
            if version == ApiVersion::V2 {
                let file = |event: &StreamEvent| matches!(event, StreamEvent::File(file) if file.kind == "image");
                assert!(read.events.iter().any(file), "{:?}", read.events);
                assert!(!answer.text.contains("<img"));
            }
            let content = Ask::get(&format!("/files/{}/content", answer.files[0].id)).unwrap();
            assert!(!client.ask(content).join().unwrap().bytes().is_empty());
        }
    });
}

#[test]
fn reasoning_and_sources_stand_beside_the_text() {
    on_both_wires(|service| {
        let client = of_version(service, ApiVersion::V2);
        let mut request = Request::prompt("repeat: yes");
        request.set_reasoning_effort("high").unwrap();
        let answer = client.chat(request.clone()).join().unwrap();
        assert_eq!(answer.text, "yes");
        let thought = answer.reasoning.expect("a reasoning");
        let read = stream_request(&client, request);
        assert_eq!(read.text(), "yes");
        let reasoning = read.events.iter().filter_map(|event| match event {
            StreamEvent::Reasoning(text) => Some(text.as_str()),
            _ => None,
        });
        let reasoning: String = reasoning.collect();
        assert_eq!(reasoning, thought);
        let mut search = Request::prompt("search the web for cats");
        search.set("tool", "web_search").unwrap();
        let answer = client.chat(search.clone()).join().unwrap();
        assert!(answer.text.contains("[sources=[1]]"), "{}", answer.text);
        assert_eq!(answer.sources[0].id, "1");
        assert!(answer.sources[0].url.starts_with("https://"));
        let read = stream_request(&client, search);
        assert_eq!(read.complete().sources, answer.sources);
    });
}

#[test]
fn the_form_of_a_text_is_a_schema_or_an_expression() {
    on_both_wires(|service| {
        for version in [ApiVersion::V1, ApiVersion::V2] {
            let mut request = Request::prompt("An answer?");
            request.set_schema(r#"{"type":"object","properties":{"answer":{"type":"integer"}},"required":["answer"]}"#).unwrap();
            let answer = of_version(service, version).chat(request).join().unwrap();
            let value: serde_json::Value = serde_json::from_str(&answer.text).unwrap();
            assert!(value["answer"].is_i64(), "{}", answer.text);
        }
        let mut request = Request::prompt("yes or no?");
        request.set_regex("(yes|no)").unwrap();
        let answer = of_version(service, ApiVersion::V2)
            .chat(request)
            .join()
            .unwrap();
        assert!(["yes", "no"].contains(&&*answer.text), "{}", answer.text);
    });
}

#[test]
fn the_service_keeps_a_conversation_in_a_thread() {
    on_both_wires(|service| {
        let client = of_version(service, ApiVersion::V2);
        let mut first = Request::prompt("My name is Lev.");
        first.set_thread("new").unwrap();
        let answer = client.chat(first).join().unwrap();
        let id = answer.thread_id.expect("a thread");
        let mut second = Request::prompt("show the conversation");
        second.set("thread_id", &id).unwrap();
        let read = stream_request(&client, second);
        assert!(read.text().contains("My name is Lev."), "{}", read.text());
        assert_eq!(read.complete().thread_id.as_deref(), Some(&*id));
    });
}

#[test]
fn files_go_with_the_users_message_in_either_chat() {
    on_both_wires(|service| {
        let mut request = Request::prompt("What is in it?");
        request.add_file("5e0c6d0e").unwrap();
        request.set("file", "6f0b").unwrap();
        of_version(service, ApiVersion::V1)
            .chat(request.clone())
            .join()
            .unwrap();
        let sent = last_chat(service).json();
        assert_eq!(
            sent["messages"][0]["attachments"],
            serde_json::json!(["5e0c6d0e", "6f0b"])
        );
        of_version(service, ApiVersion::V2)
            .chat(request)
            .join()
            .unwrap();
        let sent = last_chat(service).json();
        let files = serde_json::json!([{"id": "5e0c6d0e"}, {"id": "6f0b"}]);
        assert_eq!(sent["messages"][0]["content"][1]["files"], files);
        let error = Request::new().add_file("x").unwrap_err();
        assert_eq!(error.kind(), ErrorKind::InvalidRequest);
    });
}

#[test]
fn a_providers_defaults_hold_where_a_request_says_nothing() {
    on_both_wires(|service| {
        for version in [ApiVersion::V1, ApiVersion::V2] {
            let client = service.client_with(|config| {
                config.set_api_version(version);
                config.set("session_id", "of the provider").unwrap();
                config.set("profanity_check", "false").unwrap();
                config.set("flags", "a, b").unwrap();
            });
            client.generate("hello").join().unwrap();
            let chat = last_chat(service);
            assert_eq!(chat.header("x-session-id"), Some("of the provider"));
            let body = chat.json();
            assert_eq!(body["flags"], serde_json::json!(["a", "b"]));
            let (field, value) = match version {
                ApiVersion::V1 => ("profanity_check", false),
                ApiVersion::V2 => ("disable_filter", true),
            };
            assert_eq!(body[field], value, "{body}");
            let mut request = Request::prompt("hello");
            request.set_session_id("mine").unwrap();
            request.set_profanity_check(true);
            request.set_flags(&["c"]);
            client.chat(request).join().unwrap();
            let chat = last_chat(service);
            assert_eq!(chat.header("x-session-id"), Some("mine"));
            assert_eq!(chat.json()["flags"], serde_json::json!(["c"]));
            assert_eq!(chat.json()[field], !value);
        }
    });
}

#[test]
fn a_stream_ends_well_by_its_done_event_alone() {
    // I6, I19.
    on_both_wires(|service| {
        let client = service.client_with(|config| {
            config.set_api_version(ApiVersion::V2);
            config.set_max_retries(0).unwrap();
        });
        let prompt = || Request::prompt("count to 9");
        service
            .faults()
            .add(Fault::new(Endpoint::Stream, Action::OmitDone));
        let read = stream_request(&client, prompt());
        assert_eq!(read.broken().kind(), ErrorKind::IncompleteStream);
        assert_eq!(read.text(), "1, 2, 3, 4, 5, 6, 7, 8, 9");
        assert_eq!(read.broken().partial_text(), Some(&*read.text()));
        service
            .faults()
            .add(Fault::new(Endpoint::Stream, Action::UnnamedEvents));
        let read = stream_request(&client, prompt());
        read.complete();
        assert_eq!(read.text(), "1, 2, 3, 4, 5, 6, 7, 8, 9");
        service.faults().add(Fault::new(
            Endpoint::Stream,
            Action::ErrorEvent {
                after: 2,
                status: 503,
                message: "the model is gone".to_owned(),
            },
        ));
        let read = stream_request(&client, prompt());
        let error = read.broken();
        assert_eq!(
            (error.kind(), error.status()),
            (ErrorKind::Server, Some(503))
        );
        assert!(error.message().contains("the model is gone"), "{error}");
        assert_eq!(error.partial_text(), Some(&*read.text()));
        assert!(!read.text().is_empty());
    });
}

#[test]
fn the_reason_error_is_an_error_with_the_text_that_came() {
    on_both_wires(|service| {
        let client = service.client_with(|config| {
            config.set_api_version(ApiVersion::V2);
            config.set_max_retries(0).unwrap();
        });
        let failing = || Answer::Finish {
            text: "so far".to_owned(),
            reason: "error".to_owned(),
        };
        service.script_answer(failing());
        let error = client.generate("x").join().unwrap_err();
        assert_eq!(error.kind(), ErrorKind::Server);
        assert_eq!(error.partial_text(), Some("so far"));
        service.script_answer(failing());
        let read = stream_request(&client, Request::prompt("x"));
        assert_eq!(read.text(), "so far");
        assert_eq!(read.broken().partial_text(), Some("so far"));
        let error = read.broken();
        assert_eq!(error.kind(), ErrorKind::Server);
        assert!(error.message().contains("Internal Server Error"), "{error}");
    });
}
