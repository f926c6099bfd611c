//! A conversation goes on from answers and results, in either chat: no message is written by hand.

use crate::support::{Service, on_both_wires};
use gigachat::{ApiVersion, Client, Request, ResultRole};
use gigachat_emulator::{Action, Endpoint, Fault};
use serde_json::json;

const WEATHER: &str = r#"{"name":"weather","parameters":{"type":"object","properties":{"city":{"type":"string"}},"required":["city"]}}"#;
const RATE: &str = r#"{"name":"rate","parameters":{"type":"object","properties":{"currency":{"type":"string"}},"required":["currency"]}}"#;
const VERSIONS: [ApiVersion; 2] = [ApiVersion::V1, ApiVersion::V2];

fn of_version(service: &Service, version: ApiVersion) -> Client {
    service.client_with(|config| config.set_api_version(version))
}

fn sent(service: &Service) -> serde_json::Value {
    let chat = service
        .requests()
        .into_iter()
        .rfind(|request| request.path.ends_with("/completions"));
    chat.expect("a chat request").json()
}

fn asking() -> Request {
    let mut request = Request::prompt("What is the weather in Omsk?");
    request.add_function(WEATHER).unwrap();
    request
}

#[test]
fn the_same_program_completes_a_round_of_functions_in_either_chat() {
    on_both_wires(|service| {
        for version in VERSIONS {
            let client = of_version(service, version);
            let mut request = asking();
            let answer = client.chat(request.clone()).join().unwrap();
            request.add_response(&answer);
            for call in &answer.function_calls {
                request.add_result(call, r#"{"t": -20}"#).unwrap();
            }
            let last = client.chat(request).join().unwrap();
            assert!(last.text.contains(r#""t""#), "{version:?}: {}", last.text);
            assert!(last.function_calls.is_empty());
            let call = answer.function_call().unwrap();
            let arguments: serde_json::Value = serde_json::from_str(&call.arguments).unwrap();
            let messages = &sent(service)["messages"];
            match version {
                ApiVersion::V1 => {
                    let assistant = json!({"role": "assistant", "content": "",
                        "function_call": {"name": "weather", "arguments": arguments},
                        "functions_state_id": call.state_id});
                    assert_eq!(messages[1], assistant);
                    let result =
                        json!({"role": "function", "name": "weather", "content": r#"{"t": -20}"#});
                    assert_eq!(messages[2], result);
                }
                ApiVersion::V2 => {
                    let assistant = json!({"role": "assistant", "tools_state_id": call.state_id, "content": [
                        {"function_call": {"id": call.id, "name": "weather", "arguments": arguments}}]});
                    assert_eq!(messages[1], assistant);
                    let result = json!({"role": "tool", "tools_state_id": call.state_id, "content": [
                        {"function_result": {"id": call.id, "name": "weather", "result": {"t": -20}}}]});
                    assert_eq!(messages[2], result);
                }
            }
        }
    });
}

#[test]
fn results_of_parallel_calls_come_in_any_order_in_one_message() {
    on_both_wires(|service| {
        let client = of_version(service, ApiVersion::V2);
        let mut request = asking();
        request.add_function(RATE).unwrap();
        request.set_parallel_calls(true);
        let answer = client.chat(request.clone()).join().unwrap();
        assert_eq!(answer.function_calls.len(), 2);
        request.add_response(&answer);
        for call in answer.function_calls.iter().rev() {
            request
                .add_result(call, &format!(r#"{{"of":"{}"}}"#, call.name))
                .unwrap();
        }
        let last = client.chat(request).join().unwrap();
        assert!(
            last.text.contains("rate") && last.text.contains("weather"),
            "{}",
            last.text
        );
        let messages = &sent(service)["messages"];
        assert_eq!(messages.as_array().unwrap().len(), 3);
        let results = messages[2]["content"].as_array().unwrap();
        let ids: Vec<_> = results
            .iter()
            .map(|part| part["function_result"]["id"].as_str())
            .collect();
        let calls = &answer.function_calls;
        assert_eq!(ids, [calls[1].id.as_deref(), calls[0].id.as_deref()]);
    });
}

#[test]
fn a_result_of_any_json_type_is_sent_as_an_object() {
    on_both_wires(|service| {
        for version in VERSIONS {
            let client = of_version(service, version);
            for result in ["5", "\"warm\"", "null", "[1, 2]", "{\"t\":1.50}"] {
                let mut request = asking();
                let answer = client.chat(request.clone()).join().unwrap();
                request.add_response(&answer);
                request
                    .add_result(&answer.function_calls[0], result)
                    .unwrap();
                client
                    .chat(request)
                    .join()
                    .unwrap_or_else(|error| panic!("{version:?} {result}: {error}"));
            }
            let mut request = asking();
            let call = client
                .chat(request.clone())
                .join()
                .unwrap()
                .function_calls
                .remove(0);
            request.add_result(&call, "warm").unwrap_err();
        }
    });
}

#[test]
fn a_call_that_was_demanded_is_not_demanded_again() {
    on_both_wires(|service| {
        for (version, choice) in [
            (ApiVersion::V1, "weather"),
            (ApiVersion::V1, "any"),
            (ApiVersion::V2, "weather"),
            (ApiVersion::V2, "any"),
        ] {
            let client = of_version(service, version);
            let mut request = asking();
            request.set_tool_choice(choice).unwrap();
            let answer = client.chat(request.clone()).join().unwrap();
            request.add_response(&answer);
            request.add_result(&answer.function_calls[0], "{}").unwrap();
            let last = client.chat(request).join().unwrap();
            assert!(last.function_calls.is_empty(), "{version:?} {choice}");
        }
    });
}

#[test]
fn a_conversation_of_texts_goes_on() {
    on_both_wires(|service| {
        for version in VERSIONS {
            let client = of_version(service, version);
            let mut request = Request::prompt("repeat: one");
            let answer = client.chat(request.clone()).join().unwrap();
            request.add_response(&answer);
            request.add_message("user", "show the conversation");
            let shown = client.chat(request).join().unwrap().text;
            assert_eq!(shown.lines().nth(1), Some("assistant: one"), "{version:?}");
        }
    });
}

#[test]
fn an_answer_of_a_stream_goes_back_as_any_other() {
    on_both_wires(|service| {
        for version in VERSIONS {
            let client = of_version(service, version);
            let mut request = asking();
            let stream = client.stream(request.clone()).unwrap();
            crate::support::reading::read(&stream).complete();
            let answer = stream.response().expect("it was read to its end");
            assert_eq!(answer.api_version, version);
            request.add_response(&answer);
            request
                .add_result(&answer.function_calls[0], r#"{"t":1}"#)
                .unwrap();
            let last = client.chat(request).join().unwrap();
            assert!(last.text.contains(r#""t""#), "{version:?}: {}", last.text);
        }
    });
}

#[test]
fn a_conversation_can_change_the_chat_without_its_state() {
    // The state of one chat means nothing to the other.
    on_both_wires(|service| {
        let mut request = asking();
        let answer = of_version(service, ApiVersion::V1)
            .chat(request.clone())
            .join()
            .unwrap();
        request.add_response(&answer);
        request.add_result(&answer.function_calls[0], "{}").unwrap();
        of_version(service, ApiVersion::V2)
            .chat(request)
            .join()
            .unwrap();
        let body = sent(service).to_string();
        assert!(!body.contains("state_id"), "{body}");
    });
}

#[test]
fn the_role_of_results_is_a_setting() {
    // The sources disagree about it (GigaChat REST reference, addendum A3.1).
    on_both_wires(|service| {
        let client = service.client_with(|config| {
            config.set_api_version(ApiVersion::V2);
            config.set_result_role(ResultRole::Function);
        });
        let role = "tool".to_owned();
        let refusing = Fault::new(Endpoint::Chat, Action::RefuseRole { role }).times(0);
        service.faults().add(refusing);
        let mut request = asking();
        let answer = client.chat(request.clone()).join().unwrap();
        request.add_response(&answer);
        request.add_result(&answer.function_calls[0], "{}").unwrap();
        client.chat(request.clone()).join().unwrap();
        request.set("result_role", "tool").unwrap();
        let error = client.chat(request).join().unwrap_err();
        assert_eq!(error.status(), Some(400));
    });
}
