//! Where the emulator was once stricter or poorer than the service: schemas, pictures, models, ids.

use serde_json::{Value, json};

use crate::service::{Protocol, Service, events, json_of, prompt, send, text_of};

fn with(text: &str, fields: Value) -> Value {
    let mut request = prompt(text);
    for (name, value) in fields.as_object().expect("an object") {
        request[name] = value.clone();
    }
    request
}

#[tokio::test]
async fn an_empty_or_untyped_schema_is_accepted() {
    let service = Service::start(Protocol::Http1);
    for function in [
        json!({"name": "text2image", "parameters": {}}),
        json!({"name": "text2image", "parameters": {"type": "object"}}),
        json!({"name": "ask", "parameters": {}}),
        json!({"name": "ask", "parameters": {"properties": {"x": {"enum": [1, 2]}, "y": {}}}}),
    ] {
        let request = with("hello", json!({"functions": [function]}));
        assert_eq!(
            send(service.chat(&request)).await.status(),
            200,
            "{function}"
        );
    }
}

#[tokio::test]
async fn a_picture_needs_no_functions_when_the_choice_is_auto() {
    let service = Service::start(Protocol::Http2);
    let request = with("draw a cat", json!({"function_call": "auto"}));
    let (_, answer) = json_of(service.chat(&request)).await;
    let message = &answer["choices"][0]["message"];
    let text = message["content"].as_str().expect("a text");
    assert!(text.starts_with("<img src="), "{text}");
    assert!(message["functions_state_id"].is_string());
    let streamed = text_of(service.chat(&with(
        "draw a cat",
        json!({"function_call": "auto", "stream": true}),
    )));
    assert!(streamed.await.contains("\"functions_state_id\":"));
    // Neither without the choice, nor against it.
    for request in [
        prompt("draw a cat"),
        with("draw a cat", json!({"function_call": "none"})),
    ] {
        let (_, answer) = json_of(service.chat(&request)).await;
        assert!(
            answer["choices"][0]["message"]["content"]
                .as_str()
                .expect("a text")
                .starts_with("You wrote")
        );
    }
    let (_, answer) =
        json_of(service.chat(&with("sculpt a cat", json!({"function_call": "auto"})))).await;
    assert!(
        answer["choices"][0]["message"]["content"]
            .as_str()
            .expect("a text")
            .contains("data-model-id")
    );
}

#[tokio::test]
async fn a_picture_stays_in_the_history() {
    let service = Service::start(Protocol::Http1);
    let (_, answer) =
        json_of(service.chat(&with("draw a cat", json!({"function_call": "auto"})))).await;
    let mut request = prompt("draw a cat");
    let messages = request["messages"].as_array_mut().expect("messages");
    messages.push(answer["choices"][0]["message"].clone());
    messages.push(json!({"role": "user", "content": "thanks"}));
    assert_eq!(send(service.chat(&request)).await.status(), 200);
}

#[tokio::test]
async fn references_and_unions_of_a_schema_are_answered() {
    let service = Service::start(Protocol::Http1);
    // As pydantic writes a nested and an optional field.
    let schema = json!({"$defs": {"Item": {"type": "object", "required": ["name"],
            "properties": {"name": {"type": "string"}}}},
        "type": "object", "required": ["first", "note"], "properties": {
            "first": {"$ref": "#/$defs/Item"},
            "note": {"anyOf": [{"type": "string"}, {"type": "null"}], "default": null}}});
    let format =
        json!({"response_format": {"type": "json_schema", "schema": schema, "strict": true}});
    let (_, answer) = json_of(service.chat(&with("hi", format))).await;
    let text = answer["choices"][0]["message"]["content"]
        .as_str()
        .expect("a text");
    let value: Value = serde_json::from_str(text).expect("JSON");
    assert_eq!(value, json!({"first": {"name": "hi"}, "note": "hi"}));
}

#[tokio::test]
async fn every_recorded_model_is_listed() {
    let service = Service::start(Protocol::Http1);
    let (_, list) = json_of(service.get("/models")).await;
    let ids: Vec<&str> = list["data"]
        .as_array()
        .expect("a list")
        .iter()
        .map(|model| model["id"].as_str().expect("an id"))
        .collect();
    for family in [
        "GigaChat",
        "GigaChat-2",
        "GigaChat-2-Pro",
        "GigaChat-2-Max",
        "GigaChat-Pro",
        "GigaChat-Max",
    ] {
        assert!(
            ids.contains(&family) && ids.contains(&format!("{family}-preview").as_str()),
            "{family}"
        );
    }
    assert_eq!(ids.len(), 21);
}

#[tokio::test]
async fn the_client_id_is_echoed() {
    let service = Service::start(Protocol::Http1);
    let response = send(service.say("hello").header("X-Client-ID", "user-7")).await;
    assert_eq!(response.headers()["x-client-id"], "user-7");
    assert!(
        !send(service.say("hello"))
            .await
            .headers()
            .contains_key("x-client-id")
    );
    let stream = send(service.stream("count to 3").header("X-Client-ID", "user-7")).await;
    assert_eq!(stream.headers()["x-client-id"], "user-7");
    assert_eq!(
        events(&stream.text().await.expect("a stream"))
            .last()
            .map(String::as_str),
        Some("[DONE]")
    );
}
