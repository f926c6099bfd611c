//! Every operation of the service goes the same path: permits, tokens, retries, errors (I1, I4, I5, I9,
//! I11); so does any path that is no operation of the table.

use crate::routing::{client as routed, emulators, router};
use crate::support::{Service, answer_with, at_once, on_both_wires};
use gigachat::api::OPERATIONS;
use gigachat::{Ask, Client, Document, ErrorKind, Phase, RouterOptions};
use gigachat_emulator::{Action, Endpoint};

fn ask(name: &str) -> Ask {
    Ask::named(name).unwrap()
}

fn with_json(name: &str, json: &str) -> Ask {
    let mut ask = ask(name);
    ask.set_json(json).unwrap();
    ask
}

fn upload(name: &str, content: &'static str) -> Ask {
    let mut ask = ask("file_upload");
    let form = ask.form_mut().unwrap();
    form.add_text("purpose", "general");
    form.add_file("file", name, "text/plain", content).unwrap();
    ask
}

fn of_file(operation: &str, id: &str) -> Ask {
    let mut ask = ask(operation);
    ask.set_path("id", id).unwrap();
    ask
}

fn answered(client: &Client, ask: Ask) -> Document {
    let name = ask.operation().name;
    let answer = client.ask(ask).join();
    answer.unwrap_or_else(|error| panic!("{name}: {error}"))
}

/// The paths of all requests but those for tokens.
fn paths(service: &Service) -> Vec<String> {
    let requests = service.requests();
    let paths = requests.into_iter().map(|request| request.path);
    paths.filter(|path| !path.contains("oauth")).collect()
}

#[test]
fn every_operation_of_the_table_is_answered() {
    on_both_wires(|service| {
        let client = service.client();
        let chat = r#"{"messages":[{"role":"user","content":"Hi"}]}"#;
        let asks = [
            with_json("chat", chat),
            with_json(
                "chat_v2",
                r#"{"model":"GigaChat-2","messages":[{"role":"user","content":[{"text":"Hi"}]}]}"#,
            ),
            ask("models"),
            ask("health"),
            with_json("embeddings", r#"{"model":"Embeddings","input":["Hi"]}"#),
            with_json("tokens_count", r#"{"model":"GigaChat","input":["Hi"]}"#),
            ask("balance"),
            ask("files"),
            with_json(
                "functions_validate",
                r#"{"name":"f","parameters":{"type":"object","properties":{}}}"#,
            ),
        ];
        for ask in asks {
            let vectors = ask.operation().name == "embeddings";
            let answer = answered(&client, ask);
            // Vectors are kept as floats only.
            assert_ne!(answer.count_at("").is_some(), vectors, "{answer:?}");
            assert!(!answer.report.request_id.is_empty());
        }
        let mut model = ask("model");
        model.set_path("model", "GigaChat-2").unwrap();
        assert_eq!(answered(&client, model).text_at("/id"), Some("GigaChat-2"));
        let stored = answered(&client, upload("отчёт \"1\".txt", "hello"));
        assert_eq!(stored.integer_at("/bytes"), Some(5));
        let id = stored.text_at("/id").unwrap();
        let known = answered(&client, of_file("file", id));
        assert_eq!(known.text_at("/id"), Some(id));
        let content = answered(&client, of_file("file_content", id));
        assert_eq!(content.bytes(), b"hello");
        answered(&client, of_file("file_delete", id));
        let gone = client.ask(of_file("file", id)).join().unwrap_err();
        assert_eq!(gone.kind(), ErrorKind::NotFound);
        // Those for which this account has to pay as it goes say so in the service's words.
        let mut batch = ask("batch_create");
        batch.set_query("method", "chat_completions").unwrap();
        let line = r#"{"id":"1","request":{"model":"GigaChat-2","messages":[{"role":"user","content":"Hi"}]}}"#;
        batch.set_bytes(None, line).unwrap();
        let mut convert = ask("functions_convert");
        convert.set_bytes(None, "openapi: 3.0.0").unwrap();
        let refused_or_answered = [
            ask("batches"),
            batch,
            with_json("ai_check", r#"{"model":"GigaCheckDetection","input":"Hi"}"#),
            with_json("filter_check", r#"{"model":"GigaFilter","messages":[]}"#),
            convert,
        ];
        for ask in refused_or_answered {
            let name = ask.operation().name;
            if let Err(error) = client.ask(ask).join() {
                let kinds = [ErrorKind::PermissionDenied, ErrorKind::InvalidRequest];
                assert!(kinds.contains(&error.kind()), "{name}: {error}");
                assert_ne!(error.phase(), Phase::Input, "{name} was sent: {error}");
            }
        }
        let sent = paths(service);
        for row in OPERATIONS.iter().filter(|row| row.path != "{path}") {
            let end = row.path.rsplit('}').next().unwrap();
            assert!(sent.iter().any(|path| path.ends_with(end)), "{}", row.name);
        }
    });
}

#[test]
fn any_path_of_the_service_can_be_asked() {
    on_both_wires(|service| {
        let client = service.client();
        let balance = client.get("/balance").join().unwrap();
        assert_eq!(balance.text_at("/balance/0/usage"), Some("GigaChat"));
        client.get("/v1/models").join().unwrap();
        client.get("/api/v1/models/GigaChat").join().unwrap();
        let body = r#"{ "model":"GigaChat", "input":["Hi"] }"#;
        let counted = client.post("/tokens/count", body).join().unwrap();
        assert!(counted.integer_at("/0/tokens").unwrap() > 0);
        assert_eq!(
            paths(service),
            [
                "/api/v1/balance",
                "/v1/models",
                "/api/v1/models/GigaChat",
                "/api/v1/tokens/count"
            ]
        );
        let sent = service.requests().pop().unwrap();
        assert_eq!(sent.body, body, "JSON is sent byte for byte");
        assert_eq!(sent.header("content-type"), Some("application/json"));
        let missing = client.get("/no/such/path").join().unwrap_err();
        assert_eq!(missing.kind(), ErrorKind::NotFound);
        assert!(missing.request_id().is_some());
    });
}

#[test]
fn a_path_that_leaves_the_service_is_refused_before_anything_is_sent() {
    // I9, I11
    on_both_wires(|service| {
        let client = service.client();
        for path in [
            "//evil.example/x",
            "https://evil.example",
            "/v1/../../x",
            "/%2e%2e/x",
        ] {
            let error = client.get(path).join().unwrap_err();
            assert_eq!(
                (error.kind(), error.phase()),
                (ErrorKind::InvalidRequest, Phase::Input)
            );
        }
        assert!(client.post("/x", "{").join().is_err());
        assert!(client.ask(ask("tokens_count")).join().is_err(), "no body");
        assert!(client.ask(ask("file")).join().is_err(), "no id");
        assert!(service.requests().is_empty());
    });
}

#[test]
fn a_401_storm_on_any_operation_makes_one_refresh() {
    // I1
    on_both_wires(|service| {
        let client = service.client();
        answered(&client, ask("balance"));
        service.revoke_tokens();
        let outcomes = at_once(16, |_| client.get("/balance").join());
        assert!(outcomes.iter().all(Result::is_ok), "{outcomes:?}");
        assert_eq!(service.counters().token_requests, 2);
    });
}

#[test]
fn a_read_is_sent_again_and_a_change_only_when_it_cannot_have_been_done() {
    // I4, I19
    on_both_wires(|service| {
        let client = service.client();
        let attempts = |ask: Ask| client.ask(ask).join().map(|answer| answer.report.attempts);
        let failing = |action: &Action| service.once(Endpoint::Any, action.clone());
        let busy = Action::status(503).with_header("retry-after-ms", "20");
        let cut = Action::CutBeforeAnswer { reset: true };
        attempts(ask("balance")).unwrap();
        for action in [&busy, &cut] {
            failing(action);
            attempts(with_json(
                "tokens_count",
                r#"{"model":"GigaChat","input":["x"]}"#,
            ))
            .unwrap();
            failing(action);
            let error = attempts(upload("x.txt", "hello")).unwrap_err();
            assert_eq!(error.attempts(), 1, "{error}");
        }
        failing(&Action::status(429).with_header("retry-after-ms", "20"));
        assert_eq!(attempts(upload("x.txt", "hello")).unwrap(), 2);
        service.revoke_tokens();
        assert_eq!(attempts(upload("x.txt", "hello")).unwrap(), 2);
    });
}

#[test]
fn an_answer_that_says_it_is_an_error_is_one_whatever_its_status() {
    // I16
    on_both_wires(|service| {
        let client = service.client();
        let says = r#"{"status":403,"message":"Permission denied"}"#;
        service.once(Endpoint::Balance, answer_with(200, says, &[]));
        let error = client.ask(ask("balance")).join().unwrap_err();
        assert_eq!(error.kind(), ErrorKind::PermissionDenied);
        assert!(error.message().contains("Permission denied"), "{error}");
        service.once(Endpoint::Balance, answer_with(200, "<html>", &[]));
        let error = client.ask(ask("balance")).join().unwrap_err();
        assert_eq!(error.kind(), ErrorKind::Protocol);
    });
}

#[test]
fn a_router_asks_any_member_for_what_all_can_tell_and_none_for_what_is_one_accounts() {
    let emulators = emulators(2);
    emulators[0].kill();
    let router = router(RouterOptions::default(), &emulators);
    let client = routed(&router);
    let counted = answered(
        &client,
        with_json("tokens_count", r#"{"model":"GigaChat","input":["Hi"]}"#),
    );
    assert_eq!(counted.count_at(""), Some(1));
    answered(
        &client,
        with_json("embeddings", r#"{"model":"Embeddings","input":["Hi"]}"#),
    );
    let before = emulators[1].requests().len();
    for refused in [ask("balance"), ask("files"), Ask::get("/models").unwrap()] {
        let error = client.ask(refused).join().unwrap_err();
        assert_eq!(
            (error.kind(), error.phase()),
            (ErrorKind::InvalidRequest, Phase::Input)
        );
        assert!(error.message().contains("one of its members"), "{error}");
    }
    assert_eq!(emulators[1].requests().len(), before);
}

#[test]
fn embeddings_are_one_block_in_the_order_of_their_texts_whatever_parts_they_came_in() {
    // I19
    on_both_wires(|service| {
        let texts: Vec<String> = (0..50)
            .map(|number| format!("text {}", number % 10))
            .collect();
        let texts: Vec<&str> = texts.iter().map(String::as_str).collect();
        let whole = service.client().embed(&texts, None).join().unwrap();
        assert_eq!((whole.rows(), whole.columns()), (50, 1024));
        assert_eq!(whole[3], whole[43]);
        assert_ne!(whole[3], whole[4]);
        assert_eq!(service.counters().embedding_requests, 1);
        // Room for 21 rows.
        let client = service.client_with(|config| config.set_max_body_bytes(1 << 20).unwrap());
        let parts = client.embed(&texts, Some("Embeddings")).join().unwrap();
        assert_eq!(service.counters().embedding_requests, 4);
        assert_eq!(parts.as_slice(), whole.as_slice());
        assert_eq!(parts.tokens(), whole.tokens());
        assert_eq!(parts.report.attempts, 3);
        service.once(Endpoint::Embeddings, Action::status(403));
        let error = client.embed(&texts, None).join().unwrap_err();
        assert_eq!(error.kind(), ErrorKind::PermissionDenied);
        let error = client.embed(&["a"], Some("Nobody")).join().unwrap_err();
        assert_eq!(error.kind(), ErrorKind::NotFound);
        assert_eq!(
            client.embed(&[], None).join().unwrap_err().phase(),
            Phase::Input
        );
        let wide = client.embed(&["a"], Some("GigaEmbeddings-3B-2025-09"));
        assert_eq!(wide.join().unwrap().columns(), 2560);
    });
}

#[test]
fn tokens_are_counted_for_each_text() {
    on_both_wires(|service| {
        let client = service.client();
        let counts = client.count_tokens(&["Привет", "a"], None).join().unwrap();
        assert_eq!(counts.len(), 2);
        assert_eq!(counts[0].characters, 6);
        assert!(counts[0].tokens > 0);
        let sent = service.requests().pop().unwrap().json();
        assert_eq!(sent["model"], "GigaChat");
        service.once(Endpoint::Count, answer_with(200, "[]", &[]));
        let error = client.count_tokens(&["a"], None).join().unwrap_err();
        assert_eq!(error.kind(), ErrorKind::Protocol);
    });
}
