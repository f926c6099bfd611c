//! The small endpoints: embeddings, balance, AI check, filter check, functions (sections 8, 10 and 12).

use gigachat_emulator::Options;
use serde_json::{Value, json};

use crate::service::{BOTH, Protocol, Service, json_of, send};

/// The service for a client of this scope.
fn service(protocol: Protocol, scope: &str) -> Service {
    let mut service = Service::with(protocol, Options::default());
    service.token = service
        .emulator
        .access_token_for(scope, "someone")
        .expect("a token");
    service
}

#[tokio::test]
async fn embeddings_are_deterministic_and_as_long_as_the_model_says() {
    for protocol in BOTH {
        let service = Service::start(protocol);
        for (model, columns) in [("Embeddings", 1024), ("EmbeddingsGigaR", 2560)] {
            let request = json!({"model": model, "input": ["кошка", "dollar", "кошка"]});
            let response = send(service.post("/embeddings", &request)).await;
            assert!(!response.headers().contains_key("content-length"));
            let answer: Value = response.json().await.expect("JSON");
            assert_eq!(
                (&answer["object"], &answer["model"]),
                (&json!("list"), &json!(model))
            );
            let data = answer["data"].as_array().expect("vectors");
            for (index, item) in data.iter().enumerate() {
                assert_eq!(
                    (&item["object"], &item["index"]),
                    (&json!("embedding"), &json!(index))
                );
                assert_eq!(
                    item["embedding"].as_array().expect("numbers").len(),
                    columns
                );
                assert_eq!(item["usage"], json!({"prompt_tokens": 1}));
            }
            assert_eq!(data[0]["embedding"], data[2]["embedding"]);
            assert_ne!(data[0]["embedding"], data[1]["embedding"]);
        }
        assert_eq!(service.emulator.counters().embedding_requests, 2);
        let one = json!({"model": "Embeddings", "input": "one text"});
        assert_eq!(json_of(service.post("/embeddings", &one)).await.0, 200);
    }
}

#[tokio::test]
async fn embeddings_out_of_order_are_refused() {
    let service = Service::start(Protocol::Http1);
    for (request, status) in [
        (json!({"model": "GigaChat", "input": ["a"]}), 404),
        (json!({"model": "Embeddings", "input": []}), 422),
        (json!({"model": "Embeddings", "input": [1]}), 400),
        (
            json!({"model": "Embeddings", "input": ["a ".repeat(600)]}),
            413,
        ),
    ] {
        assert_eq!(
            json_of(service.post("/embeddings", &request)).await.0,
            status,
            "{status}"
        );
    }
    assert_eq!(send(service.get("/embeddings")).await.status(), 405);
    assert_eq!(service.emulator.counters().embedding_requests, 0);
}

fn left(balance: &Value, usage: &str) -> u64 {
    let all = balance["balance"].as_array().expect("a list");
    let entry = all.iter().find(|entry| entry["usage"] == usage);
    entry.expect("a usage")["value"].as_u64().expect("a number")
}

#[tokio::test]
async fn the_balance_falls_with_usage_and_is_not_for_who_pays_as_he_goes() {
    let service = service(Protocol::Http1, "GIGACHAT_API_PERS");
    let (_, before) = json_of(service.get("/balance")).await;
    let (_, answer) = json_of(service.say("hello")).await;
    let request = json!({"model": "Embeddings", "input": ["one two"]});
    json_of(service.post("/embeddings", &request)).await;
    let (_, after) = json_of(service.get("/balance")).await;
    let used = answer["usage"]["total_tokens"].as_u64().expect("a number");
    assert_eq!(left(&before, "GigaChat") - left(&after, "GigaChat"), used);
    assert_eq!(left(&before, "embeddings") - left(&after, "embeddings"), 2);
    service.emulator.reset();
    assert_eq!(json_of(service.get("/balance")).await.1, before);

    let corp = self::service(Protocol::Http1, "GIGACHAT_API_CORP");
    let denied = json!({"status": 403, "message": "Permission denied"});
    assert_eq!(json_of(corp.get("/balance")).await, (403, denied));
}

#[tokio::test]
async fn the_ai_check_is_for_who_pays_as_he_goes() {
    let corp = service(Protocol::Http2, "GIGACHAT_API_CORP");
    let ask = |text: &str| json!({"model": "GigaCheckDetection", "input": text});
    let (status, mixed) = json_of(corp.post("/ai/check", &ask("Это эмулятор. Это я."))).await;
    assert_eq!(status, 200);
    assert_eq!(
        mixed,
        json!({"category": "mixed", "characters": 20, "tokens": 7, "ai_intervals": [[0, 13]]})
    );
    let (_, human) = json_of(corp.post("/ai/check", &ask("I wrote this."))).await;
    assert_eq!(
        (&human["category"], &human["ai_intervals"]),
        (&json!("human"), &json!([]))
    );
    let unknown = json!({"model": "GigaChat", "input": "x"});
    assert_eq!(json_of(corp.post("/ai/check", &unknown)).await.0, 404);
    let person = service(Protocol::Http2, "GIGACHAT_API_PERS");
    assert_eq!(json_of(person.post("/ai/check", &ask("x"))).await.0, 403);
}

#[tokio::test]
async fn the_filter_finds_a_forbidden_topic() {
    let service = Service::start(Protocol::Http1);
    let ask = |text: &str| {
        json!({"model": "GigaFilter", "settings": {"neuro": true},
            "messages": [{"role": "user", "content": text}]})
    };
    let (status, clean) = json_of(service.post("/filter/check", &ask("hello"))).await;
    assert_eq!(status, 200);
    assert_eq!(
        clean,
        json!({"is_profane": false, "usage": {"filter_tokens": 1}})
    );
    let (_, profane) = json_of(service.post("/filter/check", &ask("forbidden-topic"))).await;
    assert_eq!(profane["is_profane"], true);
}

#[tokio::test]
async fn a_function_is_validated_with_errors_or_warnings() {
    let service = Service::start(Protocol::Http1);
    let good = json!({"name": "f", "description": "d", "parameters": {}});
    let (status, valid) = json_of(service.post("/functions/validate", &good)).await;
    assert_eq!(
        (status, &valid["message"]),
        (200, &json!("Function is valid"))
    );
    assert_eq!(valid["warnings"].as_array().expect("warnings").len(), 2);
    assert!(valid.get("errors").is_none());
    let bad = json!({"description": "d"});
    let (status, invalid) = json_of(service.post("/functions/validate", &bad)).await;
    assert_eq!((status, &invalid["status"]), (200, &json!(200)));
    assert_eq!(
        invalid["errors"][0],
        json!({"description": "name is required", "schema_location": "(root)"})
    );
    assert!(invalid.get("warnings").is_none());
}

#[tokio::test]
async fn openapi_becomes_functions_from_json_and_from_yaml() {
    let service = Service::start(Protocol::Http1);
    let yaml = "openapi: 3.0.0\npaths:\n  /weather:\n    get:\n      operationId: weather\n      summary: Weather now\n      \
        parameters:\n        - name: city\n          in: query\n          required: true\n          schema:\n            type: string\n";
    let expected = json!({"functions": [{"name": "weather", "description": "Weather now",
        "parameters": {"type": "object", "properties": {"city": {"type": "string"}}, "required": ["city"]}}]});
    let convert = |text: &str| {
        let url = format!("{}/functions/convert", service.base_url);
        let request = service.http.post(url).bearer_auth(&service.token);
        request.body(text.to_owned())
    };
    assert_eq!(json_of(convert(yaml)).await, (200, expected.clone()));
    let json = json!({"paths": {"/weather": {"get": {"operationId": "weather", "summary": "Weather now",
        "parameters": [{"name": "city", "required": true, "schema": {"type": "string"}}]}}}});
    assert_eq!(json_of(convert(&json.to_string())).await, (200, expected));
    assert_eq!(json_of(convert("just: text")).await.0, 400);
}

#[tokio::test]
async fn assistants_and_threads_are_not_found() {
    let service = Service::start(Protocol::Http1);
    for path in ["/assistants", "/threads", "/threads/messages"] {
        assert_eq!(send(service.get(path)).await.status(), 404);
    }
}
