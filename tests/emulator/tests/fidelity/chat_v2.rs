//! Chat v2 on both prefixes (section 7 and addendum A3): texts, reasoning, tools, threads, schemas, streams.

use gigachat_emulator::Answer;
use reqwest::RequestBuilder;
use serde_json::{Value, json};

use crate::service::{BOTH, Protocol, Service, fault, json_of, send, text_of};

/// A request with these fields more.
fn request(text: &str, fields: Value) -> Value {
    let mut request = json!({"model": "GigaChat-2-Max",
        "messages": [{"role": "user", "content": [{"text": text}]}]});
    for (name, value) in fields.as_object().expect("an object") {
        request[name] = value.clone();
    }
    request
}

fn post(service: &Service, body: &Value) -> RequestBuilder {
    let url = service.base_url.replace("/v1", "/v2/chat/completions");
    service
        .http
        .post(url)
        .bearer_auth(&service.token)
        .json(body)
}

async fn ask(service: &Service, text: &str, fields: Value) -> Value {
    let (status, answer) = json_of(post(service, &request(text, fields))).await;
    assert_eq!(status, 200, "{answer}");
    answer
}

/// Name and data of each event.
fn events(body: &str) -> Vec<(String, Value)> {
    let event = |event: &str| {
        let (name, data) = event.split_once('\n')?;
        let data = serde_json::from_str(data.strip_prefix("data: ")?).ok()?;
        Some((name.strip_prefix("event: ")?.to_owned(), data))
    };
    body.split("\n\n").filter_map(event).collect()
}

async fn stream(service: &Service, text: &str, fields: Value) -> Vec<(String, Value)> {
    let mut body = request(text, fields);
    body["stream"] = json!(true);
    let response = send(post(service, &body)).await;
    assert_eq!(response.headers()["content-type"], "text/event-stream");
    let body = response.text().await.expect("a whole stream");
    assert!(!body.contains("[DONE]"));
    events(&body)
}

/// The texts of a role, joined.
fn said(events: &[(String, Value)], role: &str) -> String {
    let messages = events
        .iter()
        .filter_map(|(_, data)| data["messages"].as_array())
        .flatten();
    let parts = messages
        .filter(|message| message["role"] == role)
        .filter_map(|message| message["content"].as_array())
        .flatten();
    parts.filter_map(|part| part["text"].as_str()).collect()
}

fn functions(names: &[&str]) -> Value {
    let specification = |name: &&str| {
        json!({"name": name, "parameters": {"type": "object",
        "properties": {"city": {"type": "string"}}}})
    };
    let all: Vec<Value> = names.iter().map(specification).collect();
    json!([{"functions": {"specifications": all}}])
}

fn calls(answer: &Value) -> Vec<Value> {
    let content = answer["messages"][0]["content"]
        .as_array()
        .expect("content");
    content
        .iter()
        .map(|part| part["function_call"].clone())
        .collect()
}

#[tokio::test]
async fn a_text_has_the_recorded_shape_on_both_prefixes() {
    for protocol in BOTH {
        let service = Service::start(protocol);
        let long = service.base_url.replace("/v1", "/v2/chat/completions");
        for url in [long.replace("/api", ""), long] {
            let body = request("repeat: one, two", json!({}));
            let (status, answer) = json_of(
                service
                    .http
                    .post(url)
                    .bearer_auth(&service.token)
                    .json(&body),
            )
            .await;
            assert_eq!(status, 200);
            assert_eq!(
                answer["messages"],
                json!([{"role": "assistant", "content": [{"text": "one, two"}]}])
            );
            assert_eq!(
                (&answer["model"], &answer["finish_reason"]),
                (&json!("GigaChat-2-Max:2.0.30.01"), &json!("stop"))
            );
            let usage = json!({"input_tokens": 5, "input_tokens_details": {"prompt_tokens": 5, "cached_tokens": 0},
                "output_tokens": 3, "total_tokens": 8});
            assert_eq!(answer["usage"], usage);
            assert!(answer["created_at"].is_i64());
        }
        let counters = service.emulator.counters();
        assert_eq!(
            (
                counters.chat_requests,
                counters.chat_v2_requests,
                counters.in_flight
            ),
            (2, 2, 0)
        );
    }
}

#[tokio::test]
async fn a_stream_is_named_events_and_ends_with_done() {
    for protocol in BOTH {
        let service = Service::start(protocol);
        let events = stream(&service, "count to 5", json!({})).await;
        assert_eq!(said(&events, "assistant"), "1, 2, 3, 4, 5");
        let (last, deltas) = events.split_last().expect("events");
        assert!(
            deltas.len() > 1
                && deltas
                    .iter()
                    .all(|(name, _)| name == "response.message.delta")
        );
        assert_eq!(last.0, "response.message.done");
        assert_eq!(
            (&last.1["finish_reason"], last.1.get("messages")),
            (&json!("stop"), None)
        );
        assert!(last.1["usage"]["total_tokens"].is_u64());
        assert_eq!(service.emulator.counters().finished_streams, 1);
    }
}

#[tokio::test]
async fn reasoning_is_a_message_of_its_own() {
    let service = Service::start(Protocol::Http1);
    let effort = json!({"model_options": {"reasoning": {"effort": "high", "max_tokens": 3}}});
    for (text, fields) in [("think about cats", json!({})), ("hello", effort)] {
        let answer = ask(&service, text, fields.clone()).await;
        assert_eq!(answer["messages"][0]["role"], "reasoning");
        let text_said = answer["messages"][1]["content"][0]["text"]
            .as_str()
            .expect("a text");
        let events = stream(&service, text, fields).await;
        assert_eq!(said(&events, "assistant"), text_said);
        assert_eq!(
            said(&events, "reasoning"),
            answer["messages"][0]["content"][0]["text"]
                .as_str()
                .expect("a text")
        );
    }
    let off = json!({"model_options": {"reasoning": {"effort": "off"}}});
    assert_eq!(
        ask(&service, "hello", off).await["messages"][0]["role"],
        "assistant"
    );
}

#[tokio::test]
async fn one_function_is_called_or_several_side_by_side() {
    let service = Service::start(Protocol::Http1);
    let tools = functions(&["weather", "rate"]);
    let one = ask(&service, "Omsk", json!({"tools": tools})).await;
    assert_eq!(one["finish_reason"], "function_call");
    assert!(one["messages"][0]["tool_state_id"].is_string());
    assert_eq!(calls(&one).len(), 1);
    assert_eq!(calls(&one)[0]["arguments"], json!({"city": "Omsk"}));
    let parallel = json!({"tools": tools, "model_options": {"parallel_tool_calls": true}});
    let both = calls(&ask(&service, "Omsk", parallel.clone()).await);
    assert_eq!((both.len(), &both[1]["name"]), (2, &json!("rate")));
    assert_ne!(both[0]["id"], both[1]["id"]);
    // In a stream the calls are in the event that ends it, and nowhere else.
    let events = stream(&service, "Omsk", parallel).await;
    assert_eq!(events.len(), 1);
    assert_eq!(events[0].0, "response.message.done");
    assert_eq!(calls(&events[0].1), both);
}

#[tokio::test]
async fn results_are_answered_in_one_message_or_in_several_in_any_order() {
    let service = Service::start(Protocol::Http1);
    let call =
        |id: &str, name: &str| json!({"function_call": {"id": id, "name": name, "arguments": {}}});
    let result = |id: &str, name: &str, value: Value| json!({"function_result": {"id": id, "name": name, "result": value}});
    let asked = json!({"role": "user", "content": [{"text": "Omsk"}]});
    let called = json!({"role": "assistant", "tools_state_id": "x", "content": [call("1", "a"), call("2", "a")]});
    let (first, second) = (
        result("1", "a", json!({"t": -9})),
        result("2", "a", json!("{\"t\": 7}")),
    );
    let histories = [
        json!([asked, called, {"role": "tool", "content": [second, first]}]),
        json!([asked, called, {"role": "tool", "content": [first]}, {"role": "function", "content": [second]}]),
    ];
    for messages in histories {
        let answer = ask(
            &service,
            "",
            json!({"messages": messages, "tools": functions(&["a"])}),
        )
        .await;
        let text = answer["messages"][0]["content"][0]["text"]
            .as_str()
            .expect("a text");
        assert!(
            text.contains("{\"t\":-9}") && text.contains("{\"t\": 7}"),
            "{text}"
        );
    }
    let only_one = json!([asked, called, {"role": "tool", "content": [first]}]);
    let missing = post(&service, &request("", json!({"messages": only_one})));
    let message = "Invalid params: every assistant function call must have a result in history";
    assert_eq!(
        json_of(missing).await,
        (422, json!({"status": 422, "message": message}))
    );
}

#[tokio::test]
async fn the_tool_configuration_is_honoured() {
    let service = Service::start(Protocol::Http1);
    let with = |config: Value| json!({"tools": functions(&["a", "b"]), "tool_config": config});
    let none = ask(&service, "hi", with(json!({"mode": "none"}))).await;
    assert_eq!(none["finish_reason"], "stop");
    let forced = ask(
        &service,
        "just answer",
        with(json!({"mode": "forced", "function_name": "b"})),
    )
    .await;
    assert_eq!(calls(&forced)[0]["name"], "b");
    let any = ask(
        &service,
        "just answer",
        with(json!({"mode": "any", "functions_names_any": ["b"]})),
    )
    .await;
    assert_eq!(calls(&any)[0]["name"], "b");
    let tool = json!({"tools": [{"web_search": {}}], "tool_config": {"mode": "forced", "tool_name": "web_search"}});
    assert!(
        ask(&service, "hi", tool).await["messages"][0]["content"][0]["inline_data"]["sources"]
            .is_object()
    );
    for (config, status) in [
        (json!({"mode": "some"}), 422),
        (json!({"mode": "forced"}), 422),
        (json!({"mode": "forced", "function_name": "c"}), 422),
        (json!({"mode": "forced", "tool_name": "hammer"}), 404),
    ] {
        assert_eq!(
            json_of(post(&service, &request("hi", with(config))))
                .await
                .0,
            status
        );
    }
}

#[tokio::test]
async fn built_in_tools_report_progress_and_give_sources_and_files() {
    let service = Service::start(Protocol::Http2);
    let search = json!({"tools": [{"web_search": {}}]});
    let events_of_search = stream(&service, "search for cats", search).await;
    let names: Vec<&str> = events_of_search
        .iter()
        .map(|(name, _)| name.as_str())
        .take(2)
        .collect();
    assert_eq!(
        names,
        ["response.tool.in_progress", "response.tool.completed"]
    );
    assert_eq!(events_of_search[1].1["tool_execution"]["status"], "success");
    assert!(said(&events_of_search, "assistant").contains("[sources=[1]]"));
    for (text, tool, target) in [
        ("draw a cat", "image_generate", "image"),
        ("sculpt a cat", "model_3d_generate", "3dmodel"),
    ] {
        let answer = ask(&service, text, json!({"tools": [{tool: {}}]})).await;
        let file = &answer["messages"][0]["content"][0]["files"][0];
        assert_eq!(file["target"], target);
        assert_eq!(answer["messages"][0]["content"][1]["text"], text);
        let path = format!("/files/{}/content", file["id"].as_str().expect("an id"));
        assert_eq!(send(service.get(&path)).await.status(), 200);
    }
}

#[tokio::test]
async fn a_thread_remembers() {
    let service = Service::start(Protocol::Http1);
    let first = ask(&service, "repeat: one", json!({"storage": {}})).await;
    let thread = first["thread_id"].as_str().expect("a thread");
    let fields = json!({"storage": {"thread_id": thread}, "model": null});
    let second = ask(&service, "show the conversation", fields).await;
    assert_eq!(second["thread_id"], thread);
    let text = second["messages"][0]["content"][0]["text"]
        .as_str()
        .expect("a text");
    assert_eq!(
        text,
        "user: repeat: one\nassistant: one\nuser: show the conversation"
    );
    let unknown = json!({"storage": {"thread_id": "none"}});
    assert_eq!(
        json_of(post(&service, &request("hi", unknown))).await.0,
        404
    );
    assert!(
        ask(&service, "hi", json!({}))
            .await
            .get("thread_id")
            .is_none()
    );
}

#[tokio::test]
async fn schema_and_regex_are_kept_to() {
    let service = Service::start(Protocol::Http1);
    let format = |format: Value| json!({"model_options": {"response_format": format}});
    let schema = json!({"type": "object", "properties": {"name": {"type": "string"}}});
    let answer = ask(
        &service,
        "hi",
        format(json!({"type": "json_schema", "schema": schema})),
    )
    .await;
    let text = &answer["messages"][0]["content"][0]["text"];
    assert_eq!(text, "{\n    \"name\": \"hi\"\n}");
    let answer = ask(
        &service,
        "hi",
        format(json!({"type": "regex", "regex": "(yes|no)"})),
    )
    .await;
    assert_eq!(answer["messages"][0]["content"][0]["text"], "yes");
    for format in [
        json!({"type": "json_object"}),
        json!({"type": "json_schema"}),
    ] {
        let body = request("hi", json!({"model_options": {"response_format": format}}));
        assert_eq!(json_of(post(&service, &body)).await.0, 400);
    }
}

#[tokio::test]
async fn wrong_shapes_are_400_and_unknown_tools_404() {
    let service = Service::start(Protocol::Http1);
    let syntax = "Your request contains invalid JSON syntax.";
    let call = json!({"role": "assistant", "content": [{"function_call": {"name": "f", "arguments": "{}"}}]});
    let unnamed = json!({"role": "tool", "content": [{"function_result": {"result": {}}}]});
    let bad_result = json!([{"role": "assistant", "content": [{"function_call": {"name": "f", "arguments": {}}}]},
        {"role": "tool", "content": [{"function_result": {"name": "f", "result": "27 degrees"}}]}]);
    for (fields, status, message) in [
        (
            json!({"messages": [{"role": "user", "content": "a text"}]}),
            400,
            syntax,
        ),
        (json!({"messages": [call]}), 400, syntax),
        (json!({"messages": [unnamed]}), 400, syntax),
        (
            json!({"messages": bad_result}),
            400,
            "invalid function result for function f json string 27 degrees",
        ),
        (
            json!({"tools": [{"hammer": {}}]}),
            404,
            "Unknown tool hammer",
        ),
        (
            json!({"tools": functions(&["погода"])}),
            422,
            "Invalid function names",
        ),
        (json!({"model": "GPT"}), 404, "No such model"),
        (
            json!({"model_options": {"temperature": -1}}),
            422,
            "temperature",
        ),
    ] {
        let (got, answer) = json_of(post(&service, &request("hi", fields))).await;
        assert_eq!(got, status, "{answer}");
        assert!(
            answer["message"]
                .as_str()
                .expect("a message")
                .contains(message),
            "{answer}"
        );
    }
    assert_eq!(service.emulator.counters().chat_requests, 0);
}

#[tokio::test]
async fn a_script_dictates_answers_of_v2_too() {
    let service = Service::start(Protocol::Http1);
    let script: Answer = serde_json::from_value(json!({"function_calls": [
        {"name": "a", "arguments": {}}, {"name": "b", "arguments": {}}]}))
    .expect("an answer");
    service.emulator.script_answer(script);
    assert_eq!(calls(&ask(&service, "hi", json!({})).await).len(), 2);
    service.emulator.script_answer(Answer::Finish {
        text: "half".to_owned(),
        reason: "error".to_owned(),
    });
    let events = stream(&service, "hi", json!({})).await;
    let (name, done) = events.last().expect("events");
    assert_eq!(
        (name.as_str(), &done["finish_reason"]),
        ("response.message.done", &json!("error"))
    );
    assert_eq!(done["usage"]["total_tokens"], 0);
    assert!(done["error_details"].is_object());
}

#[tokio::test]
async fn faults_of_streams_know_v2() {
    let service = Service::start(Protocol::Http1);
    let mut body = request("count to 20", json!({}));
    body["stream"] = json!(true);
    let with = |action: Value| text_of(fault(post(&service, &body), &action));
    let cut = with(json!({"type": "omit_done"})).await;
    assert!(cut.ends_with("\n\n") && !cut.contains("response.message.done"));
    let unnamed = with(json!({"type": "unnamed_events"})).await;
    assert!(!unnamed.contains("event:") && unnamed.contains("\"finish_reason\":\"stop\""));
    let error = with(json!({"type": "error_event", "after": 1})).await;
    let error = events(&error);
    assert_eq!(error.len(), 2);
    assert_eq!(
        error[1],
        (
            "response.error".to_owned(),
            json!({"status": 500, "message": "Internal Server Error"})
        )
    );
    let raw = with(json!({"type": "raw_separators"})).await;
    assert!(raw.contains('\u{2028}'));
    let tight = with(json!([{"type": "no_space_after_data"}, {"type": "crlf"}])).await;
    assert!(tight.starts_with("event:response.message.delta\r\ndata:{"));
}

#[tokio::test]
async fn a_role_of_results_can_be_refused() {
    let service = Service::start(Protocol::Http1);
    let messages = |role: &str| {
        json!({"messages": [
        {"role": "assistant", "content": [{"function_call": {"name": "f", "arguments": {}}}]},
        {"role": role, "content": [{"function_result": {"name": "f", "result": {}}}]}]})
    };
    let refuse = json!({"type": "refuse_role", "role": "tool"});
    for (role, status) in [("tool", 400), ("function", 200)] {
        let asked = fault(post(&service, &request("", messages(role))), &refuse);
        assert_eq!(send(asked).await.status(), status);
    }
}
