//! What the service refuses (GigaChat REST reference, section 13).

use gigachat_emulator::Options;
use serde_json::{Value, json};

use crate::service::{BOTH, Protocol, Service, json_of, prompt, send};

/// A prompt with this field more.
fn with(field: &str, value: Value) -> Value {
    let mut request = prompt("hello");
    request[field] = value;
    request
}

fn messages(messages: Value) -> Value {
    json!({"model": "GigaChat", "messages": messages})
}

async fn refuses(service: &Service, cases: &[(Value, u16, &str)]) {
    for (request, status, part_of_message) in cases {
        let (got, answer) = json_of(service.chat(request)).await;
        assert_eq!(got, *status, "{request} {answer}");
        assert_eq!(answer["status"], *status);
        let message = answer["message"].as_str().expect("a message");
        assert!(message.contains(part_of_message), "{request}: {message}");
    }
    assert_eq!(service.emulator.counters().chat_requests, 0);
}

#[tokio::test]
async fn values_out_of_range_are_422() {
    for protocol in BOTH {
        let service = Service::start(protocol);
        let positive = "must be in range (0, +inf)";
        refuses(
            &service,
            &[
                (with("temperature", json!(0)), 422, positive),
                (
                    with("temperature", json!(-1)),
                    422,
                    "Invalid params: temperature",
                ),
                (with("max_tokens", json!(0)), 422, positive),
                (with("max_tokens", json!(-5)), 422, positive),
                (with("repetition_penalty", json!(0)), 422, positive),
                (
                    with("top_p", json!(-0.1)),
                    422,
                    "top_p must be in range [0, 1]",
                ),
                (
                    with("top_p", json!(1.1)),
                    422,
                    "top_p must be in range [0, 1]",
                ),
            ],
        )
        .await;
    }
}

#[tokio::test]
async fn wrong_types_are_400_and_unknown_models_404() {
    let service = Service::start(Protocol::Http2);
    refuses(
        &service,
        &[
            (with("temperature", json!("warm")), 400, ""),
            (with("max_tokens", json!(1.5)), 400, ""),
            (with("max_tokens", json!(3_000_000_000_u64)), 400, ""),
            (with("stream", json!("yes")), 400, ""),
            (with("messages", json!("hello")), 400, ""),
            (with("model", json!(7)), 400, ""),
            (messages(json!([{"content": "no role"}])), 400, ""),
            (
                messages(json!([{"role": "user", "content": [{"text": "parts"}]}])),
                400,
                "",
            ),
            (
                with("function_call", json!("sometimes")),
                400,
                "function_call",
            ),
            (with("model", json!("GPT")), 404, "No such model"),
            (with("model", json!("Embeddings")), 404, "No such model"),
            (
                with("response_format", json!({"type": "json_object"})),
                400,
                "Unknown type \"json_object\" in response_format",
            ),
            (
                with("response_format", json!({"type": "json_schema"})),
                400,
                "Empty schema with json format type is not supported",
            ),
        ],
    )
    .await;
}

#[tokio::test]
async fn a_history_out_of_order_is_422() {
    let service = Service::start(Protocol::Http2);
    let system = json!({"role": "system", "content": "Be brief."});
    let user = json!({"role": "user", "content": "hello"});
    let call = json!({"role": "assistant", "content": "",
        "function_call": {"name": "f", "arguments": {}}});
    let state = json!({"role": "assistant", "content": "",
        "functions_state_id": "77d3fb14-457a-46ba-937e-8d856156d003"});
    let result = json!({"role": "function", "name": "f", "content": "{}"});
    let bad_result = json!({"role": "function", "name": "f", "content": "27 degrees"});
    let first = "Invalid params: system message must be the first message";
    let no_result = "Invalid params: every assistant function call must have a result in history";
    let no_call = "every assistant function result must have an assistant function call in history";
    refuses(
        &service,
        &[
            (messages(json!([])), 422, "messages must not be empty"),
            (messages(json!([user, system])), 422, first),
            (messages(json!([system, system, user])), 422, first),
            (messages(json!([user, call, user])), 422, no_result),
            (messages(json!([user, call])), 422, no_result),
            (messages(json!([user, state, user])), 422, no_result),
            (messages(json!([user, result])), 422, no_call),
            (messages(json!([result])), 422, no_call),
            (
                messages(json!([user, call, bad_result])),
                400,
                "invalid function result for function f",
            ),
            (
                messages(json!([{"role": "robot", "content": "beep"}])),
                422,
                "unknown role",
            ),
        ],
    )
    .await;
    let good = messages(json!([system, user, call, result]));
    assert_eq!(send(service.chat(&good)).await.status(), 200);
}

#[tokio::test]
async fn functions_out_of_order_are_422() {
    let options = Options {
        strict_schemas: true,
        ..Options::default()
    };
    let service = Service::with(Protocol::Http2, options);
    let object = json!({"type": "object", "properties": {}});
    let named = |name: &str| json!([{"name": name, "parameters": object}]);
    let names = "Invalid params: Invalid function names. Only Latin letters";
    refuses(
        &service,
        &[
            (with("functions", named("1st")), 422, names),
            (with("functions", named("погода")), 422, names),
            (with("functions", named("two words")), 422, names),
            (with("functions", named("")), 422, names),
            (
                with("functions", json!([{"name": "f"}])),
                422,
                "parameters of function f",
            ),
            (
                with(
                    "functions",
                    json!([{"name": "f", "parameters": {"type": "object",
                    "properties": {"x": {"description": "no type"}}}}]),
                ),
                422,
                "type is required",
            ),
            (
                with("function_call", json!({"name": "unknown"})),
                422,
                "unknown",
            ),
        ],
    )
    .await;
    for name in ["weather_forecast", "a.b-c", "_x9"] {
        let request = with("functions", named(name));
        assert_eq!(send(service.chat(&request)).await.status(), 200, "{name}");
    }
}

#[tokio::test]
async fn bodies_that_are_no_json_are_400_and_too_large_ones_413() {
    for protocol in BOTH {
        let service = Service::start(protocol);
        let raw = |body: &[u8], content_type: &str| {
            service
                .http
                .post(format!("{}/chat/completions", service.base_url))
                .bearer_auth(&service.token)
                .header("Content-Type", content_type)
                .body(body.to_vec())
        };
        for body in [&b"{\"model\":"[..], b"", b"\xff\xfe", b"{} trailing"] {
            let request = raw(body, "application/json");
            let (status, answer) = json_of(request).await;
            assert_eq!(status, 400);
            assert_eq!(
                answer["message"],
                "Your request contains invalid JSON syntax."
            );
        }
        let no_json = raw(prompt("hello").to_string().as_bytes(), "text/plain");
        assert_eq!(send(no_json).await.status(), 400);

        let large = prompt(&"a".repeat(20 << 20));
        let (status, answer) = json_of(service.chat(&large)).await;
        assert_eq!(
            (status, &answer["message"]),
            (413, &json!("Payload too large"))
        );
        let long = prompt(&"!".repeat(140_000));
        assert_eq!(send(service.chat(&long)).await.status(), 413);
    }
}

#[tokio::test]
async fn unknown_fields_and_null_are_nothing_to_the_service() {
    let service = Service::start(Protocol::Http2);
    let mut request = prompt("count to 9");
    for (field, value) in [
        ("stop", json!(["5"])),
        ("tools", json!([{"anything": 1}])),
        ("made_up", json!({"deep": [null]})),
        ("temperature", Value::Null),
        ("functions", Value::Null),
        ("max_tokens", Value::Null),
        ("profanity_check", json!(false)),
        ("top_p", json!(0)),
    ] {
        request[field] = value;
    }
    let (status, answer) = json_of(service.chat(&request)).await;
    assert_eq!(status, 200);
    let text = &answer["choices"][0]["message"]["content"];
    assert_eq!(
        *text, "1, 2, 3, 4, 5, 6, 7, 8, 9",
        "stop is ignored, as by the service"
    );
}
