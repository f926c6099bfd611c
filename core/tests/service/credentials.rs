//! The credentials beside a working authorization key: a wrong one, one of another scope, a
//! ready-made token, user and password (I1, I4).

use crate::support::server::Slammer;
use crate::support::{bounded, client, on_both_wires};
use gigachat::{ErrorKind, Phase};
use gigachat_emulator::{Action, Endpoint};

#[test]
fn a_wrong_key_is_an_authentication_error_with_code_and_text_and_is_not_repeated() {
    on_both_wires(|service| {
        let mut config = service.bare_config();
        config.set_authorization_key("d3Jvbmc6a2V5").unwrap();
        let error = client(config).generate("hello").join().unwrap_err();
        assert_eq!(
            (error.kind(), error.phase()),
            (ErrorKind::Authentication, Phase::Token)
        );
        assert_eq!((error.status(), error.code()), (Some(401), Some(6)));
        assert!(
            error
                .message()
                .contains("credentials doesn't match db data"),
            "{error}"
        );
        assert!(
            error.message().contains("check that it is copied whole"),
            "{error}"
        );
        assert!(!error.retryable());
        let counters = service.counters();
        assert_eq!((counters.token_requests, counters.chat_attempts), (1, 0));
    });
}

#[test]
fn a_key_of_another_scope_is_refused_with_a_text_that_names_the_scope() {
    on_both_wires(|service| {
        let client = service.client_with(|config| config.set_scope("GIGACHAT_API_CORP").unwrap());
        let error = client.generate("hello").join().unwrap_err();
        assert_eq!(
            (error.kind(), error.phase()),
            (ErrorKind::InvalidRequest, Phase::Token)
        );
        assert_eq!((error.status(), error.code()), (Some(400), Some(7)));
        assert!(
            error.message().contains("check that the scope is the one"),
            "{error}"
        );
        assert_eq!(service.counters().token_requests, 1);
    });
}

#[test]
fn a_ready_made_token_is_used_as_it_is_and_its_401_is_final() {
    // I1
    on_both_wires(|service| {
        let mut config = service.bare_config();
        config
            .set_access_token(&service.access_token().unwrap())
            .unwrap();
        let client = client(config);
        client.generate("hello").join().unwrap();
        service.revoke_tokens();
        let error = client.generate("hello").join().unwrap_err();
        assert_eq!(
            (error.kind(), error.phase()),
            (ErrorKind::Authentication, Phase::Answer)
        );
        assert_eq!((error.status(), error.attempts()), (Some(401), 1));
        assert!(error.message().contains("Token has expired"), "{error}");
        assert!(error.request_id().is_some());
        let counters = service.counters();
        assert_eq!((counters.token_requests, counters.chat_attempts), (0, 2));
    });
}

#[test]
fn user_and_password_fetch_a_token_below_the_base_url() {
    // GigaChat REST reference, OAuth, alternative shape: Basic, empty body, no RqUID.
    on_both_wires(|service| {
        let mut config = service.bare_config();
        config.set_user(service.user(), service.password()).unwrap();
        let client = client(config);
        client.generate("hello").join().unwrap();
        client.generate("hello").join().unwrap();
        assert_eq!(service.counters().token_requests, 1);
        service.revoke_tokens();
        client.generate("hello").join().unwrap();
        assert_eq!(
            service.counters().token_requests,
            2,
            "a refresh after the 401"
        );
        let request = &service.requests()[0];
        assert_eq!(
            (request.method.as_str(), request.path.as_str()),
            ("POST", "/api/v1/token")
        );
        assert!(
            request
                .header("authorization")
                .unwrap()
                .starts_with("Basic ")
        );
        assert_eq!(request.header("rquid"), None);
        assert!(request.body.is_empty());
    });
}

#[test]
fn a_wrong_password_is_an_authentication_error() {
    on_both_wires(|service| {
        let mut config = service.bare_config();
        config.set_user(service.user(), "not the password").unwrap();
        let error = client(config).generate("hello").join().unwrap_err();
        assert_eq!(
            (error.kind(), error.phase()),
            (ErrorKind::Authentication, Phase::Token)
        );
        assert!(!format!("{error} {error:?}").contains("not the password"));
        assert_eq!(service.counters().token_requests, 1);
    });
}

#[test]
fn health_checks_and_models_refresh_a_revoked_token_too() {
    // I1
    on_both_wires(|service| {
        let client = service.client();
        client.models().join().unwrap();
        service.revoke_tokens();
        client.health_check(None).join().unwrap();
        service.revoke_tokens();
        client.model("GigaChat").join().unwrap();
        assert_eq!(service.counters().token_requests, 3);
        service.once(Endpoint::Models, Action::status(401));
        client.models().join().unwrap();
        assert_eq!(service.counters().token_requests, 4);
    });
}

#[test]
fn a_token_host_that_slams_the_door_is_asked_three_times_at_most_and_within_max_retries() {
    // I1, I4: one owner of retries; the refresh has its own.
    bounded(|| {
        for scheme in ["http", "https"] {
            let slammer = Slammer::open();
            let mut config = gigachat::Config::new("a2V5OmtleQ==").unwrap();
            let url = format!("{scheme}://{}/api/v2/oauth", slammer.address);
            config.set_token_url(&url).unwrap();
            config.set_proxy_from_environment(false);
            let mut once = config.clone();
            once.set_max_retries(0).unwrap();
            let error = client(once).generate("hello").join().unwrap_err();
            assert_eq!((slammer.connections(), error.attempts()), (1, 1));
            let slammer = Slammer::open();
            let url = format!("{scheme}://{}/api/v2/oauth", slammer.address);
            config.set_token_url(&url).unwrap();
            let error = client(config).generate("hello").join().unwrap_err();
            assert_eq!(error.kind(), ErrorKind::Connection, "{error}");
            assert!(
                error.message().contains(&slammer.address.to_string()),
                "{error}"
            );
            assert_eq!((slammer.connections(), error.attempts()), (3, 3));
        }
    });
}
