//! Models, token counts and chat, whole and streamed (GigaChat REST reference, sections 5, 6 and 9).

use gigachat_emulator::{Answer, count_tokens};
use serde_json::{Value, json};

use crate::service::{BOTH, Protocol, Service, events, json_of, prompt, send, text_in, text_of};

#[tokio::test]
async fn models_are_listed_and_found() {
    for protocol in BOTH {
        let service = Service::start(protocol);
        let (status, list) = json_of(service.get("/models")).await;
        assert_eq!((status, &list["object"]), (200, &json!("list")));
        let wanted = json!({"id": "GigaChat-2", "object": "model", "owned_by": "salutedevices",
            "type": "chat"});
        assert!(list["data"].as_array().expect("a list").contains(&wanted));
        assert_eq!(
            json_of(service.get("/models/GigaChat-2")).await,
            (200, wanted)
        );
        let unknown = json!({"status": 404, "message": "No such model"});
        assert_eq!(json_of(service.get("/models/GPT")).await, (404, unknown));
        assert_eq!(service.emulator.counters().models_requests, 3);
    }
}

#[tokio::test]
async fn both_prefixes_are_served_and_other_paths_are_not_found() {
    let service = Service::start(Protocol::Http2);
    let short = service.emulator.base_url().replace("/api/v1", "/v1");
    let request = service
        .http
        .get(format!("{short}/models"))
        .bearer_auth(&service.token);
    assert_eq!(send(request).await.status(), 200);
    let (status, answer) = json_of(service.get("/no/such/path")).await;
    assert_eq!((status, &answer["status"]), (404, &json!(404)));
    assert_eq!(send(service.get("/chat/completions")).await.status(), 405);
}

#[tokio::test]
async fn a_whole_answer_has_the_recorded_shape() {
    for protocol in BOTH {
        let service = Service::start(protocol);
        let response = send(service.say("Hello, world!")).await;
        assert_eq!(
            response.headers()["content-type"],
            "application/json; charset=utf-8"
        );
        let answer: Value = response.json().await.expect("JSON");
        let text = "You wrote: \"Hello, world!\". This is the emulator's answer.";
        assert_eq!(
            answer["choices"],
            json!([{"message": {"content": text, "role": "assistant"}, "index": 0,
                "finish_reason": "stop"}])
        );
        assert_eq!(answer["model"], "GigaChat:2.0.28.2");
        assert_eq!(answer["object"], "chat.completion");
        let completion = count_tokens(text);
        assert_eq!(
            answer["usage"],
            json!({"prompt_tokens": 4, "completion_tokens": completion,
                "total_tokens": 4 + completion, "precached_prompt_tokens": 0})
        );
    }
}

#[tokio::test]
async fn a_stream_has_the_recorded_shape() {
    for protocol in BOTH {
        let service = Service::start(protocol);
        let response = send(service.stream("count to 5")).await;
        assert_eq!(response.headers()["content-type"], "text/event-stream");
        assert!(!response.headers().contains_key("content-length"));
        let body = response.text().await.expect("a whole stream");
        assert_eq!(text_in(&body), "1, 2, 3, 4, 5");
        let events = events(&body);
        assert_eq!(events.last().map(String::as_str), Some("[DONE]"));
        let events: Vec<Value> = events[..events.len() - 1]
            .iter()
            .map(|event| serde_json::from_str(event).expect("JSON"))
            .collect();
        for (number, event) in events.iter().enumerate() {
            let choice = &event["choices"][0];
            let last = number + 1 == events.len();
            // The role is in the first delta only; reason and usage are in the last event only.
            assert_eq!(choice["delta"].get("role").is_some(), number == 0);
            assert_eq!(choice.get("finish_reason").is_some(), last);
            assert_eq!(event.get("usage").is_some(), last);
            assert_eq!(event["object"], "chat.completion");
        }
        let last = events.last().expect("events");
        assert_eq!(last["choices"][0]["delta"], json!({"content": ""}));
        assert_eq!(
            last["usage"]["completion_tokens"],
            count_tokens("1, 2, 3, 4, 5")
        );
    }
}

#[tokio::test]
async fn stream_and_whole_answer_say_the_same_and_say_it_again() {
    let service = Service::start(Protocol::Http2);
    for text in [
        "Привет, как дела?",
        "hello",
        "повтори: 🎉\u{2028}конец",
        "write 50 tokens",
    ] {
        let (_, first) = json_of(service.say(text)).await;
        let (_, second) = json_of(service.say(text)).await;
        assert_eq!(first["choices"], second["choices"]);
        let streamed = text_in(&text_of(service.stream(text)).await);
        assert_eq!(first["choices"][0]["message"]["content"], streamed);
    }
}

#[tokio::test]
async fn counting_usage_and_max_tokens_agree() {
    let service = Service::start(Protocol::Http2);
    let asked = "повтори: Съешь же ещё этих мягких французских булок, да выпей чаю.";
    let (_, whole) = json_of(service.say(asked)).await;
    let text = whole["choices"][0]["message"]["content"]
        .as_str()
        .expect("a text");
    let count = json!({"model": "GigaChat", "input": [asked, text]});
    let (status, counts) = json_of(service.post("/tokens/count", &count)).await;
    assert_eq!(status, 200);
    assert_eq!(counts[0]["object"], "tokens");
    assert_eq!(counts[1]["characters"], text.chars().count());
    assert_eq!(counts[0]["tokens"], whole["usage"]["prompt_tokens"]);
    assert_eq!(counts[1]["tokens"], whole["usage"]["completion_tokens"]);
    let all = counts[1]["tokens"].as_u64().expect("a number");
    for most in [1, all - 1, all, all + 1] {
        let mut request = prompt(asked);
        request["max_tokens"] = json!(most);
        let (_, answer) = json_of(service.chat(&request)).await;
        assert_eq!(answer["usage"]["completion_tokens"], most.min(all));
        let reason = if most < all { "length" } else { "stop" };
        assert_eq!(answer["choices"][0]["finish_reason"], reason);
    }
}

#[tokio::test]
async fn a_function_is_called_and_its_result_answered() {
    for protocol in BOTH {
        let service = Service::start(protocol);
        let function = json!({"name": "weather_forecast", "parameters": {"type": "object",
            "properties": {"location": {"type": "string"}, "num_days": {"type": "integer"}},
            "required": ["location"]},
            "few_shot_examples": [{"request": "Weather in Omsk", "params": {"location": "Omsk"}}]});
        let mut request = prompt("Weather in Omsk");
        request["functions"] = json!([function]);
        request["function_call"] = json!("auto");
        let (_, answer) = json_of(service.chat(&request)).await;
        let choice = &answer["choices"][0];
        assert_eq!(choice["finish_reason"], "function_call");
        assert_eq!(choice["message"]["content"], "");
        let call = json!({"name": "weather_forecast", "arguments": {"location": "Omsk"}});
        assert_eq!(choice["message"]["function_call"], call);
        assert!(choice["message"]["functions_state_id"].is_string());

        request["stream"] = json!(true);
        let body = text_of(service.chat(&request)).await;
        let streamed = events(&body);
        assert_eq!(streamed.len(), 2, "the whole call is one event: {body}");
        let event: Value = serde_json::from_str(&streamed[0]).expect("JSON");
        assert_eq!(event["choices"][0]["delta"], choice["message"]);
        assert_eq!(event["choices"][0]["finish_reason"], "function_call");

        request["stream"] = json!(false);
        let messages = request["messages"].as_array_mut().expect("messages");
        messages.push(choice["message"].clone());
        messages.push(json!({"role": "function", "name": "weather_forecast",
            "content": "{\"temperature\":27}"}));
        let (status, answer) = json_of(service.chat(&request)).await;
        assert_eq!(status, 200);
        let text = answer["choices"][0]["message"]["content"].clone();
        assert_eq!(text, "The function returned: {\"temperature\":27}");
    }
}

#[tokio::test]
async fn function_call_is_the_callers_choice() {
    let service = Service::start(Protocol::Http2);
    let mut request = prompt("hello");
    request["functions"] = json!([
        {"name": "first", "parameters": {"type": "object", "properties": {}}},
        {"name": "second", "parameters": {"type": "object", "properties": {"text": {"type": "string"}}}},
    ]);
    request["function_call"] = json!("none");
    let (_, answer) = json_of(service.chat(&request)).await;
    assert_eq!(answer["choices"][0]["finish_reason"], "stop");
    request["function_call"] = json!({"name": "second"});
    let (_, answer) = json_of(service.chat(&request)).await;
    let call = &answer["choices"][0]["message"]["function_call"];
    assert_eq!(
        *call,
        json!({"name": "second", "arguments": {"text": "hello"}})
    );
}

#[tokio::test]
async fn pictures_report_progress_before_the_answer() {
    let service = Service::start(Protocol::Http2);
    let mut request = prompt("draw a cat");
    request["functions"] = json!([{"name": "text2image"}]);
    request["function_call"] = json!("auto");
    request["stream"] = json!(true);
    let events = events(&text_of(service.chat(&request)).await);
    let first: Value = serde_json::from_str(&events[0]).expect("JSON");
    let delta = &first["choices"][0]["delta"];
    assert_eq!(delta["role"], "function_in_progress");
    assert_eq!(delta["name"], "text2image");
    request["stream"] = json!(false);
    let (_, answer) = json_of(service.chat(&request)).await;
    let text = answer["choices"][0]["message"]["content"]
        .as_str()
        .expect("a text");
    assert!(text.starts_with("<img src=\"") && text.ends_with("fuse=\"true\"/> draw a cat"));
}

#[tokio::test]
async fn forbidden_words_schemas_and_the_conversation_have_answers_of_their_own() {
    let service = Service::start(Protocol::Http2);
    let (status, answer) = json_of(service.say("about the forbidden-topic")).await;
    assert_eq!(status, 200);
    assert_eq!(answer["choices"][0]["finish_reason"], "blacklist");

    let mut request = prompt("hello");
    request["response_format"] = json!({"type": "json_schema", "schema": {"type": "object",
        "properties": {"word": {"type": "string"}, "kind": {"enum": ["a", "b"]},
        "list": {"type": "array", "items": {"type": "integer"}}}}});
    let (_, answer) = json_of(service.chat(&request)).await;
    let text = answer["choices"][0]["message"]["content"]
        .as_str()
        .expect("a string");
    let content: Value = serde_json::from_str(text).expect("JSON in a string");
    assert_eq!(content, json!({"word": "hello", "kind": "a", "list": [1]}));

    let request = json!({"model": "GigaChat", "messages": [
        {"role": "system", "content": "Be brief."},
        {"role": "user", "content": "one"},
        {"role": "assistant", "content": "two"},
        {"role": "user", "content": "show the conversation"}]});
    let (_, answer) = json_of(service.chat(&request)).await;
    assert_eq!(
        answer["choices"][0]["message"]["content"],
        "system: Be brief.\nuser: one\nassistant: two\nuser: show the conversation"
    );
}

#[tokio::test]
async fn ids_are_echoed_or_made_on_success_and_on_errors() {
    for protocol in BOTH {
        let service = Service::start(protocol);
        for request in [
            service.say("hello"),
            service.get("/models/GPT"),
            service.stream("hi"),
        ] {
            let response = send(request).await;
            for name in ["x-request-id", "x-session-id"] {
                let id = response.headers()[name].to_str().expect("text");
                assert_eq!(id.len(), 36, "{id}");
            }
            response.bytes().await.expect("a body");
        }
        let request = service
            .say("hello")
            .header("X-Request-ID", "my request")
            .header("X-Session-ID", "my session");
        let response = send(request).await;
        assert_eq!(response.headers()["x-request-id"], "my request");
        assert_eq!(response.headers()["x-session-id"], "my session");
    }
}

#[tokio::test]
async fn scripted_answers_are_used_once_each_in_order() {
    let service = Service::start(Protocol::Http2);
    let script = |answer| service.emulator.script_answer(answer);
    script(Answer::Text("exactly this".to_owned()));
    script(Answer::Chunks(vec!["a ".to_owned(), "b".to_owned()]));
    script(Answer::RawSse(vec![
        "data: {\"x\"".to_owned(),
        ":1}\n\n".to_owned(),
    ]));
    script(Answer::Json(json!({"anything": true})));
    script(Answer::Finish {
        text: "oops".to_owned(),
        reason: "error".to_owned(),
    });
    script(Answer::FunctionCall {
        name: "f".to_owned(),
        arguments: json!("not an object"),
    });
    let (_, answer) = json_of(service.say("hello")).await;
    assert_eq!(answer["choices"][0]["message"]["content"], "exactly this");
    let chunks = text_of(service.stream("hello")).await;
    assert!(events(&chunks)[0].contains("\"content\":\"a \""));
    assert_eq!(text_in(&chunks), "a b");
    assert_eq!(
        text_of(service.stream("hello")).await,
        "data: {\"x\":1}\n\n"
    );
    assert_eq!(
        json_of(service.say("hello")).await.1,
        json!({"anything": true})
    );
    let (_, answer) = json_of(service.say("hello")).await;
    assert_eq!(answer["choices"][0]["finish_reason"], "error");
    let (_, answer) = json_of(service.say("hello")).await;
    let call = &answer["choices"][0]["message"]["function_call"];
    assert_eq!(call["arguments"], "not an object");
    let (_, answer) = json_of(service.say("hello")).await;
    assert_eq!(answer["choices"][0]["finish_reason"], "stop");
}

#[tokio::test]
async fn update_interval_keeps_chunks_apart() {
    let service = Service::start(Protocol::Http2);
    let mut request = prompt("count to 9");
    request["stream"] = json!(true);
    request["update_interval"] = json!(0.02);
    let begin = std::time::Instant::now();
    let text = text_in(&text_of(service.chat(&request)).await);
    // Seven events with content, so six intervals.
    assert!(begin.elapsed().as_millis() >= 120);
    assert_eq!(text, "1, 2, 3, 4, 5, 6, 7, 8, 9");
}

#[tokio::test]
async fn a_session_id_makes_earlier_messages_cached_and_n_makes_choices() {
    let service = Service::start(Protocol::Http2);
    let mut request = json!({"model": "GigaChat-3-Ultra", "n": 2, "messages": [
        {"role": "system", "content": "one two three"}, {"role": "user", "content": "four"}]});
    let (_, answer) = json_of(service.chat(&request).header("X-Session-ID", "s")).await;
    assert_eq!(answer["usage"]["prompt_tokens"], 4);
    assert_eq!(answer["usage"]["precached_prompt_tokens"], 3);
    assert_eq!(answer["choices"][1]["index"], 1);
    assert_eq!(answer["model"], "GigaChat-3-Ultra:32.3.18.5");
    assert_eq!(answer["object"], "chat.completions");
    request["n"] = json!(0);
    assert_eq!(send(service.chat(&request)).await.status(), 422);
}
