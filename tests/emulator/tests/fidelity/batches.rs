//! Batches: created, in progress, completed; the three envelopes; errors by line (addendum A6).

use reqwest::RequestBuilder;
use serde_json::{Value, json};

use crate::service::{Protocol, Service, json_of, send};

fn corp() -> Service {
    let mut service = Service::start(Protocol::Http1);
    let token = service
        .emulator
        .access_token_for("GIGACHAT_API_CORP", "firm");
    service.token = token.expect("a token");
    service
}

fn create(service: &Service, method: &str, lines: &[Value]) -> RequestBuilder {
    let lines: Vec<String> = lines.iter().map(Value::to_string).collect();
    let url = format!("{}/batches?method={method}", service.base_url);
    let request = service.http.post(url).bearer_auth(&service.token);
    // The last line has no end, as one of the official clients sends it.
    request
        .header("Content-Type", "application/octet-stream")
        .body(lines.join("\n"))
}

fn chat_line(id: &str, model: &str) -> Value {
    json!({"id": id, "request": {"model": model, "messages": [{"role": "user", "content": "repeat: hi"}]}})
}

async fn control(service: &Service, path: &str, body: &Value) -> u16 {
    let url = format!("{}/_emulator/{path}", service.emulator.control_url());
    send(service.http.post(url).body(body.to_string()))
        .await
        .status()
        .as_u16()
}

async fn results(service: &Service, file: &Value) -> Vec<Value> {
    let path = format!("/files/{}/content", file.as_str().expect("an id"));
    let text = send(service.get(&path)).await.text().await.expect("text");
    text.lines()
        .map(|line| serde_json::from_str(line).expect("JSON"))
        .collect()
}

#[tokio::test]
async fn a_batch_is_created_in_progress_completed_and_says_what_failed() {
    let service = corp();
    let lines = [chat_line("a", "GigaChat-2"), chat_line("b", "GPT")];
    let (status, created) = json_of(create(&service, "chat_completions", &lines)).await;
    assert_eq!((status, &created["status"]), (200, &json!("created")));
    assert_eq!(created["request_counts"], json!({"total": 2}));
    let path = format!(
        "/batches?batch_id={}",
        created["id"].as_str().expect("an id")
    );
    let (_, first) = json_of(service.get(&path)).await;
    assert_eq!(first[0]["status"], "in_progress");
    let (_, second) = json_of(service.get("/batches")).await;
    let batch = &second[0];
    assert_eq!(
        (&batch["status"], &batch["id"]),
        (&json!("completed"), &created["id"])
    );
    assert_eq!(
        batch["request_counts"],
        json!({"total": 2, "completed": 1, "failed": 1})
    );
    let results = results(&service, &batch["output_file_id"]).await;
    let of = |id: &str| {
        results
            .iter()
            .find(|line| line["id"] == id)
            .expect("a result")
    };
    assert_eq!(of("a")["result"]["choices"][0]["message"]["content"], "hi");
    assert_eq!(
        of("b")["error"],
        json!({"status": 404, "message": "No such model"})
    );
    assert_eq!(service.emulator.counters().batch_requests, 3);
}

#[tokio::test]
async fn a_batch_of_embeddings_has_vectors() {
    let service = corp();
    let line = json!({"id": "1", "request": {"model": "Embeddings", "input": ["one", "two"]}});
    json_of(create(&service, "embedder", &[line])).await;
    json_of(service.get("/batches")).await;
    let (_, batches) = json_of(service.get("/batches")).await;
    let results = results(&service, &batches[0]["output_file_id"]).await;
    assert_eq!(
        results[0]["result"]["data"]
            .as_array()
            .expect("vectors")
            .len(),
        2
    );
}

#[tokio::test]
async fn the_control_chooses_the_envelope_and_the_step() {
    let service = corp();
    let lines = [chat_line("a", "GigaChat-2")];
    let (_, created) = json_of(create(&service, "chat_completions", &lines)).await;
    let path = format!(
        "/batches?batch_id={}",
        created["id"].as_str().expect("an id")
    );
    assert_eq!(
        control(
            &service,
            "batches",
            &json!({"envelope": "single", "step": "control"})
        )
        .await,
        200
    );
    for _ in 0..3 {
        assert_eq!(json_of(service.get(&path)).await.1["status"], "created");
    }
    control(&service, "batches/step", &json!({})).await;
    assert_eq!(json_of(service.get(&path)).await.1["status"], "in_progress");
    control(
        &service,
        "batches",
        &json!({"envelope": "object", "step": "control"}),
    )
    .await;
    assert_eq!(
        json_of(service.get(&path)).await.1["batches"][0]["status"],
        "in_progress"
    );
    assert_eq!(
        control(&service, "batches", &json!({"envelop": "single"})).await,
        400
    );
}

#[tokio::test]
async fn batches_out_of_order_are_refused() {
    let service = corp();
    let line = chat_line("a", "GigaChat-2");
    let many: Vec<Value> = (0..501)
        .map(|id| chat_line(&id.to_string(), "GigaChat"))
        .collect();
    for (method, lines) in [
        ("chat", vec![line.clone()]),
        ("chat_completions", vec![]),
        ("chat_completions", vec![line.clone(), line.clone()]),
        ("chat_completions", vec![json!({"request": {}})]),
        ("chat_completions", many),
    ] {
        assert_eq!(json_of(create(&service, method, &lines)).await.0, 400);
    }
    let unknown = json!({"status": 404, "message": "Batch task not found"});
    assert_eq!(
        json_of(service.get("/batches?batch_id=none")).await,
        (404, unknown)
    );
    let person = Service::start(Protocol::Http1);
    let denied = json!({"status": 403, "message": "Permission denied"});
    assert_eq!(json_of(person.get("/batches")).await, (403, denied));
}
