//! Tokens (GigaChat REST reference, section 2).

use std::time::{Duration, SystemTime, UNIX_EPOCH};

use gigachat_emulator::{Action, Endpoint, Fault, Options};
use serde_json::{Value, json};

use crate::service::{BOTH, Protocol, RQUID, Service, client_builder, json_of, send};

const PERS: &str = "GIGACHAT_API_PERS";

fn millis_from_now(expires_at: &Value) -> i64 {
    let now = SystemTime::now()
        .duration_since(UNIX_EPOCH)
        .expect("a clock");
    expires_at.as_i64().expect("a number") - i64::try_from(now.as_millis()).expect("a time")
}

#[tokio::test]
async fn basic_and_bearer_both_get_a_token_that_the_api_accepts() {
    for protocol in BOTH {
        let mut service = Service::start(protocol);
        for scheme in ["Basic", "Bearer"] {
            let key = service.emulator.authorization_key();
            let request = service
                .oauth()
                .header("Authorization", format!("{scheme} {key}"))
                .header("RqUID", RQUID)
                .header("Content-Type", "application/x-www-form-urlencoded")
                .body("scope=GIGACHAT_API_PERS");
            let (status, answer) = json_of(request).await;
            assert_eq!(status, 200);
            let lifetime = millis_from_now(&answer["expires_at"]);
            assert!((1_790_000..=1_800_000).contains(&lifetime), "{lifetime}");
            service.token = answer["access_token"].as_str().expect("a token").to_owned();
            assert!((1100..1400).contains(&service.token.len()));
            assert_eq!(send(service.get("/models")).await.status(), 200);
        }
        assert_eq!(service.emulator.counters().tokens_issued, 2);
    }
}

#[tokio::test]
async fn each_mistake_in_a_token_request_has_its_answer() {
    let service = Service::start(Protocol::Http2);
    let key = service.emulator.authorization_key();
    let other = service
        .emulator
        .authorization_key_for("GIGACHAT_API_B2B", "b2b");
    let form = "application/x-www-form-urlencoded";
    let basic = |key: &str| format!("Basic {key}");
    let unknown = basic("bm9ib2R5Om5vdGhpbmc=");
    // authorization, RqUID, content type, body -> status, code
    let cases: &[(&str, &str, &str, &str, u16, Value)] = &[
        (
            &basic(&key),
            "",
            form,
            "scope=GIGACHAT_API_PERS",
            400,
            Value::Null,
        ),
        (
            &basic(&key),
            "not-a-uuid",
            form,
            "scope=GIGACHAT_API_PERS",
            400,
            Value::Null,
        ),
        // A version 1 UUID.
        (
            &basic(&key),
            "2c5ea4c0-4067-11e9-8bad-9b1deb4d3b7d",
            form,
            "scope=GIGACHAT_API_PERS",
            400,
            Value::Null,
        ),
        (&basic(&key), RQUID, form, "", 400, json!(5)),
        (&basic(&key), RQUID, "application/json", "{}", 400, json!(5)),
        (&basic(&key), RQUID, form, "scope=GIGACHAT", 400, json!(1)),
        (
            &basic(&other),
            RQUID,
            form,
            "scope=GIGACHAT_API_PERS",
            400,
            json!(7),
        ),
        (
            &basic("%%%"),
            RQUID,
            form,
            "scope=GIGACHAT_API_PERS",
            400,
            json!(4),
        ),
        (&key, RQUID, form, "scope=GIGACHAT_API_PERS", 400, json!(4)),
        (
            &unknown,
            RQUID,
            form,
            "scope=GIGACHAT_API_PERS",
            401,
            json!(6),
        ),
    ];
    for (authorization, rquid, content_type, body, status, code) in cases {
        let mut request = service
            .oauth()
            .header("Authorization", *authorization)
            .header("Content-Type", *content_type)
            .body((*body).to_owned());
        if !rquid.is_empty() {
            request = request.header("RqUID", *rquid);
        }
        let (got, answer) = json_of(request).await;
        assert_eq!(
            (got, &answer["code"]),
            (*status, code),
            "{authorization} {body}"
        );
        assert!(answer["message"].is_string());
    }
    assert_eq!(service.emulator.counters().tokens_issued, 0);
}

#[tokio::test]
async fn the_eleventh_token_request_of_a_second_is_too_many() {
    let service = Service::start(Protocol::Http2);
    let key = service.emulator.authorization_key();
    let mut statuses = Vec::new();
    let begin = std::time::Instant::now();
    while statuses.len() < 11 {
        let response = send(service.token_request(&key, PERS)).await;
        statuses.push(response.status().as_u16());
    }
    // On a machine that is too slow for eleven in a second there is nothing to see.
    if begin.elapsed() < Duration::from_secs(1) {
        assert_eq!(statuses[..10], [200; 10]);
        assert_eq!(statuses[10], 429);
    }
    let other = service
        .emulator
        .authorization_key_for(PERS, "another client");
    assert_eq!(
        send(service.token_request(&other, PERS)).await.status(),
        200
    );
}

#[tokio::test]
async fn user_and_password_get_a_token_of_the_other_shape() {
    let mut service = Service::start(Protocol::Http1);
    let url = format!("{}/token", service.emulator.base_url());
    let (user, password) = (service.emulator.user(), service.emulator.password());
    let request = service.http.post(&url).basic_auth(user, Some(password));
    let (status, answer) = json_of(request).await;
    assert_eq!(status, 200);
    assert!(answer["exp"].as_i64().expect("seconds") < 100_000_000_000);
    service.token = answer["tok"].as_str().expect("a token").to_owned();
    assert_eq!(send(service.say("hello")).await.status(), 200);
    let wrong = service.http.post(&url).basic_auth(user, Some("wrong"));
    assert_eq!(send(wrong).await.status(), 401);
}

#[tokio::test]
async fn revoked_tokens_are_expired_and_made_up_ones_unknown() {
    for protocol in BOTH {
        let mut service = Service::start(protocol);
        service.emulator.revoke_tokens();
        let (status, answer) = json_of(service.get("/models")).await;
        assert_eq!(status, 401);
        assert_eq!(
            answer,
            json!({"status": 401, "message": "Token has expired"})
        );
        service.token = "made-up".to_owned();
        let (status, answer) = json_of(service.say("hello")).await;
        assert_eq!(status, 401);
        assert_eq!(answer, json!({"status": 401, "message": "Unauthorized"}));
        assert_eq!(service.emulator.counters().rejected_401, 2);
        service.token = service.emulator.access_token().expect("a new token");
        assert_eq!(send(service.get("/models")).await.status(), 200);
    }
}

#[tokio::test]
async fn a_token_is_refused_after_its_lifetime() {
    let options = Options {
        token_lifetime: Duration::ZERO,
        ..Options::default()
    };
    let service = Service::with(Protocol::Http1, options);
    let (status, answer) = json_of(service.get("/models")).await;
    assert_eq!(
        (status, &answer["message"]),
        (401, &json!("Token has expired"))
    );
}

#[tokio::test]
async fn the_faults_of_tokens_change_shape_and_expiry() {
    let service = Service::start(Protocol::Http2);
    let key = service.emulator.authorization_key();
    let ask = async |action: Action| {
        service
            .emulator
            .faults()
            .add(Fault::new(Endpoint::Token, action));
        json_of(service.token_request(&key, PERS)).await.1
    };
    let seconds = ask(Action::TokenExpirySeconds).await;
    assert!(seconds["expires_at"].as_i64().expect("seconds") < 100_000_000_000);
    let other_shape = ask(Action::TokenShapeTokExp).await;
    assert!(other_shape["tok"].is_string() && other_shape["exp"].is_i64());
    assert!(
        ask(Action::TokenMissingExpiry)
            .await
            .get("expires_at")
            .is_none()
    );
    let short = ask(Action::TokenExpiresIn { seconds: 100 }).await;
    assert!((90_000..=100_000).contains(&millis_from_now(&short["expires_at"])));
    let gone = ask(Action::TokenExpiresIn { seconds: -5 }).await;
    assert!(millis_from_now(&gone["expires_at"]) <= -5_000);
    let refused = service
        .http
        .get(format!("{}/models", service.emulator.base_url()))
        .bearer_auth(gone["access_token"].as_str().expect("a token"));
    assert_eq!(send(refused).await.status(), 401);
}

#[tokio::test]
async fn the_api_port_gives_no_tokens() {
    let service = Service::start(Protocol::Http2);
    let key = service.emulator.authorization_key();
    let wrong_host = service
        .emulator
        .base_url()
        .replace("/api/v1", "/api/v2/oauth");
    let request = service
        .http
        .post(wrong_host)
        .header("Authorization", format!("Basic {key}"))
        .header("RqUID", RQUID);
    assert_eq!(send(request).await.status(), 404);
}

#[tokio::test]
async fn the_api_needs_a_user_agent() {
    let service = Service::start(Protocol::Http1);
    let nameless = client_builder(&service.emulator, Protocol::Http1, false).build();
    let request = nameless
        .expect("a client")
        .get(format!("{}/models", service.base_url))
        .bearer_auth(&service.token);
    let (status, answer) = json_of(request).await;
    assert_eq!((status, answer), (403, json!({"message": "Unauthorized"})));
}
