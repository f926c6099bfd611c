//! Functions that the model calls, whole and streamed, and the progress of built-in ones.

use crate::support::on_both_wires;
use crate::support::reading::stream_request;
use gigachat::{Request, StreamEvent};
use gigachat_emulator::Answer;

const WEATHER: &str = r#"{"name":"weather","description":"The weather","parameters":{"type":"object","properties":{"location":{"type":"string"}},"required":["location"]}}"#;

fn asking() -> Request {
    let mut request = Request::prompt("What is the weather in Omsk?");
    request.add_function(WEATHER).unwrap();
    request
}

#[test]
fn a_function_call_arrives_whole_in_an_answer_and_in_a_stream() {
    on_both_wires(|service| {
        let client = service.client();
        let whole = client.chat(asking()).join().unwrap();
        assert_eq!(
            (whole.text.as_str(), whole.finish_reason.as_str()),
            ("", "function_call")
        );
        let call = whole.function_call().unwrap().clone();
        assert_eq!(call.name, "weather");
        let arguments: serde_json::Value = serde_json::from_str(&call.arguments).unwrap();
        assert!(arguments["location"].is_string(), "{arguments}");
        assert!(call.state_id.is_some());
        let read = stream_request(&client, asking());
        assert_eq!(read.complete().finish_reason, "function_call");
        assert_eq!(read.events[0], StreamEvent::FunctionCall(call));
        assert!(
            matches!(read.events[1..], [StreamEvent::Usage(_)]),
            "{:?}",
            read.events
        );
    });
}

#[test]
fn a_functions_result_goes_back_with_the_call_it_answers() {
    on_both_wires(|service| {
        let client = service.client();
        let call = client
            .chat(asking())
            .join()
            .unwrap()
            .function_calls
            .remove(0);
        let mut request = asking();
        let message = serde_json::json!({
            "role": "assistant",
            "content": "",
            "function_call": {
                "name": call.name,
                "arguments": serde_json::from_str::<serde_json::Value>(&call.arguments).unwrap(),
            },
            "functions_state_id": call.state_id,
        });
        request.add_message_json(&message.to_string()).unwrap();
        request
            .add_function_result("weather", r#"{"t": -20}"#)
            .unwrap();
        let answer = client.chat(request).join().unwrap();
        assert!(answer.text.contains(r#"{"t": -20}"#), "{}", answer.text);
        assert_eq!(answer.function_call(), None);
    });
}

#[test]
fn arguments_stay_byte_for_byte_as_the_service_wrote_them() {
    // Numbers beyond the precision of a double, in the order of the service.
    on_both_wires(|service| {
        let client = service.client();
        let raw = r#"{"z":1.50,"a":12345678901234567890123,"b":[ ]}"#;
        for arguments in [raw.to_owned(), serde_json::Value::from(raw).to_string()] {
            let body = format!(
                r#"{{"choices":[{{"message":{{"content":"","role":"assistant","function_call":{{"name":"f","arguments":{arguments}}}}},"index":0,"finish_reason":"function_call"}}],"model":"m"}}"#
            );
            service.script_answer(Answer::Body(body.clone()));
            let answer = client.chat(asking()).join().unwrap();
            assert_eq!(answer.raw, body);
            assert_eq!(answer.function_call().unwrap().arguments, raw);
            let event = format!("data: {}\n\n", body.replace("message", "delta"));
            let sse = vec![event, "data: [DONE]\n\n".to_owned()];
            service.script_answer(Answer::RawSse(sse));
            let read = stream_request(&client, asking());
            let StreamEvent::FunctionCall(call) = &read.events[0] else {
                panic!("{:?}", read.events)
            };
            assert_eq!(call.arguments, raw);
        }
    });
}

#[test]
fn the_progress_of_a_built_in_function_is_no_part_of_the_text() {
    on_both_wires(|service| {
        let client = service.client();
        let json = r#"{"messages":[{"role":"user","content":"draw a cat"}],"functions":[{"name":"text2image"}],"function_call":"auto"}"#;
        let read = stream_request(&client, Request::from_json(json).unwrap());
        assert_eq!(read.complete().finish_reason, "stop");
        let progress: Vec<_> = read
            .events
            .iter()
            .filter_map(|event| match event {
                StreamEvent::Progress { name, content } => Some((name.as_str(), content.as_str())),
                _ => None,
            })
            .collect();
        assert_eq!(progress, [("text2image", "15"), ("text2image", "5")]);
        assert!(read.text().starts_with("<img"), "{}", read.text());
    });
}
