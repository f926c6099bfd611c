//! The control endpoints and the program, as other languages use them.

use std::process::Command;

use gigachat_emulator::Options;
use serde_json::{Value, json};

use crate::service::{BOTH, Protocol, Service, fault, json_of, send};

async fn control(service: &Service, method: &str, path: &str, body: Value) -> (u16, Value) {
    let url = format!("{}/_emulator/{path}", service.emulator.control_url());
    let method = method.parse().expect("a method");
    json_of(service.http.request(method, url).body(body.to_string())).await
}

#[tokio::test]
async fn faults_are_set_and_cleared_over_http() {
    let service = Service::start(Protocol::Http1);
    let faults = json!([
        {"endpoint": "chat", "action": {"type": "status", "code": 503}},
        {"endpoint": "models", "times": 0, "action": {"type": "empty_body", "code": 500}}]);
    let (status, answer) = control(&service, "POST", "faults", faults).await;
    assert_eq!((status, answer), (200, json!({"ids": [1, 2]})));
    assert_eq!(send(service.say("hello")).await.status(), 503);
    assert_eq!(send(service.get("/models")).await.status(), 500);
    control(&service, "DELETE", "faults", Value::Null).await;
    assert_eq!(send(service.get("/models")).await.status(), 200);
    let (status, answer) = control(&service, "POST", "faults", json!({"action": {}})).await;
    assert_eq!(status, 400);
    assert!(
        answer["message"]
            .as_str()
            .expect("a message")
            .contains("type")
    );
}

#[tokio::test]
async fn answers_are_scripted_over_http() {
    let service = Service::start(Protocol::Http1);
    let answers = json!([{"text": "one"}, {"function_call": {"name": "f", "arguments": {}}}]);
    control(&service, "POST", "answers", answers).await;
    let (_, answer) = json_of(service.say("hello")).await;
    assert_eq!(answer["choices"][0]["message"]["content"], "one");
    control(&service, "DELETE", "answers", Value::Null).await;
    let (_, answer) = json_of(service.say("hello")).await;
    assert_eq!(answer["choices"][0]["finish_reason"], "stop");
}

#[tokio::test]
async fn counters_are_read_awaited_and_reset_over_http_and_control_is_in_none() {
    let service = Service::start(Protocol::Http1);
    let wait = control(
        &service,
        "POST",
        "wait",
        json!({"counter": "open_streams", "at_least": 1, "timeout_ms": 10_000}),
    );
    let open = async {
        let stalled = fault(
            service.stream("hello"),
            &json!({"type": "stall_after", "chunks": 1}),
        );
        send(stalled).await
    };
    let ((status, counters), open) = tokio::join!(wait, open);
    assert_eq!((status, &counters["open_streams"]), (200, &json!(1)));
    drop(open);
    let none = json!({"counter": "open_streams", "at_least": 0, "at_most": 0});
    assert_eq!(control(&service, "POST", "wait", none).await.0, 200);
    let never = json!({"counter": "status.500", "at_least": 1, "timeout_ms": 1});
    assert_eq!(control(&service, "POST", "wait", never).await.0, 408);
    let unknown = json!({"counter": "no_such", "at_least": 1});
    assert_eq!(control(&service, "POST", "wait", unknown).await.0, 400);
    let (_, counters) = control(&service, "GET", "counters", Value::Null).await;
    assert_eq!(counters["http1_requests"], 1);
    assert_eq!(counters["status"], json!({"200": 1}));
    control(&service, "POST", "reset", Value::Null).await;
    let (_, counters) = control(&service, "GET", "counters", Value::Null).await;
    assert_eq!(counters["http1_requests"], 0);
    assert!(service.emulator.requests().is_empty());
}

#[tokio::test]
async fn tokens_are_revoked_and_requests_shown_over_http() {
    let service = Service::start(Protocol::Http1);
    control(&service, "POST", "revoke", Value::Null).await;
    assert_eq!(send(service.say("привет")).await.status(), 401);
    let (_, requests) = control(&service, "GET", "requests", Value::Null).await;
    assert_eq!(requests[0]["path"], "/api/v1/chat/completions");
    assert!(
        requests[0]["body"]
            .as_str()
            .expect("a body")
            .contains("привет")
    );
}

#[tokio::test]
async fn control_is_on_the_plain_port_only() {
    for protocol in BOTH {
        let service = Service::start(protocol);
        let url = service
            .emulator
            .base_url()
            .replace("/api/v1", "/_emulator/counters");
        assert_eq!(send(service.http.get(url)).await.status(), 404);
    }
}

#[tokio::test]
async fn without_recording_nothing_is_recorded() {
    let options = Options {
        record: false,
        threads: 2,
        ..Options::default()
    };
    let service = Service::with(Protocol::Http2, options);
    assert_eq!(send(service.say("hello")).await.status(), 200);
    assert!(service.emulator.requests().is_empty());
}

#[test]
fn the_program_runs_a_command_with_the_variables_and_leaves_with_its_status() {
    let dir = std::env::temp_dir().join(format!("emulator-test-{}", std::process::id()));
    let env_file = dir.join("exports");
    std::fs::create_dir_all(&dir).expect("a folder");
    let script = "test -s \"$GIGACHAT_CA_BUNDLE_FILE\" && test -n \"$GIGACHAT_CREDENTIALS\" \
        && echo \"$GIGACHAT_BASE_URL $GIGACHAT_AUTH_URL $GIGACHAT_EMULATOR_CONTROL\" && exit 7";
    let output = Command::new(env!("CARGO_BIN_EXE_gigachat-emulator"))
        .arg("--env-file")
        .arg(&env_file)
        .args(["--dir"])
        .arg(&dir)
        .args(["--", "sh", "-c", script])
        .output()
        .expect("the program runs");
    assert_eq!(output.status.code(), Some(7), "{output:?}");
    let text = String::from_utf8(output.stdout).expect("UTF-8");
    let urls: Vec<&str> = text.split_whitespace().collect();
    assert!(urls[0].starts_with("https://localhost:") && urls[0].ends_with("/api/v1"));
    assert!(urls[1].ends_with("/api/v2/oauth") && urls[2].starts_with("http://127.0.0.1:"));
    let exports = std::fs::read_to_string(&env_file).expect("the exports");
    assert!(exports.contains(&format!("export GIGACHAT_BASE_URL='{}'\n", urls[0])));
    std::fs::remove_dir_all(&dir).expect("the folder goes");
}

#[test]
fn the_program_refuses_options_that_it_does_not_know() {
    let output = Command::new(env!("CARGO_BIN_EXE_gigachat-emulator"))
        .arg("--no-such-option")
        .output()
        .expect("the program runs");
    assert_eq!(output.status.code(), Some(2));
    let text = String::from_utf8(output.stderr).expect("UTF-8");
    assert!(text.contains("unknown option --no-such-option") && text.contains("usage:"));
}
