//! What the service and its fronts answer when something is wrong, and what the caller is told: kind,
//! status, the service's words, request id, body. Answers that are not HTTP or not whole are in
//! `bad_answers`.

use crate::support::reading::stream;
use crate::support::server::RawServer;
use crate::support::{answer_with, bounded, client, on_both_wires, on_both_wires_with};
use gigachat::{Error, ErrorKind, Phase};
use gigachat_emulator::{Action, Endpoint, Options};

/// GigaChat REST reference, errors: each status with its kind.
const STATUSES: [(u16, ErrorKind); 19] = [
    (400, ErrorKind::InvalidRequest),
    (401, ErrorKind::Authentication),
    (402, ErrorKind::PaymentRequired),
    (403, ErrorKind::PermissionDenied),
    (404, ErrorKind::NotFound),
    (405, ErrorKind::InvalidRequest),
    (408, ErrorKind::InvalidRequest),
    (409, ErrorKind::InvalidRequest),
    (413, ErrorKind::PayloadTooLarge),
    (418, ErrorKind::InvalidRequest),
    (422, ErrorKind::InvalidRequest),
    (429, ErrorKind::RateLimit),
    (500, ErrorKind::Server),
    (501, ErrorKind::Server),
    (502, ErrorKind::Server),
    (503, ErrorKind::Server),
    (504, ErrorKind::Server),
    (520, ErrorKind::Server),
    (599, ErrorKind::Server),
];

/// The error of a generation and of a stream that were both answered like this.
fn errors(service: &crate::support::Service, action: Action) -> [Error; 2] {
    service.reset();
    service.always(Endpoint::Generation, action);
    let client = service.client_with(|config| config.set_max_retries(0).unwrap());
    let whole = client.generate("hello").join().unwrap_err();
    let streamed = stream(&client, "hello").broken().clone();
    [whole, streamed]
}

#[test]
fn every_status_has_its_kind_and_the_services_words_whatever_the_body_is() {
    // Each 401 asks for a token, more of them than the service gives in a second.
    let options = Options {
        token_rate_limit: false,
        ..Options::default()
    };
    on_both_wires_with(options, |service| {
        for (status, kind) in STATUSES {
            let message = format!("the words of {status}");
            let json = format!(r#"{{"status":{status},"message":"{message}"}}"#);
            let bodies = [
                json.as_str(),
                r#"{"message":"Unauthorized"}"#,
                "<html>x</html>",
                "",
                "[1]",
                "null",
                "{\"message\":5}",
                "\u{0}\u{1}",
            ];
            for body in bodies {
                for error in errors(service, answer_with(status, body, &[])) {
                    assert_eq!(error.kind(), kind, "{status} {body}");
                    assert_eq!(error.status(), Some(status));
                    assert_eq!(error.phase(), Phase::Answer);
                    assert_eq!(error.body(), body.as_bytes());
                    assert!(error.request_id().is_some());
                    let said = error.message().contains(&message);
                    assert_eq!(said, body == json, "{error}");
                }
            }
        }
    });
}

#[test]
fn the_page_of_a_front_and_an_empty_body_hide_no_status() {
    // User request: an HTML 502.
    on_both_wires(|service| {
        for (code, kind) in [(502, ErrorKind::Server), (403, ErrorKind::PermissionDenied)] {
            for error in errors(service, Action::HtmlError { code }) {
                assert_eq!((error.kind(), error.status()), (kind, Some(code)));
                assert!(error.body().starts_with(b"<html>"));
                assert!(!error.message().contains('<'), "{error}");
            }
            for error in errors(service, Action::EmptyBody { code }) {
                assert_eq!((error.kind(), error.status()), (kind, Some(code)));
                assert!(error.body().is_empty());
            }
        }
    });
}

#[test]
fn a_body_of_bytes_that_are_no_text_is_kept_as_it_is() {
    bounded(|| {
        let body = [0xff, 0xfe, 0x00, 0x80, b'"'];
        let mut answer = b"HTTP/1.1 503 x\r\ncontent-length: 5\r\n\r\n".to_vec();
        answer.extend_from_slice(&body);
        let server = RawServer::answering(answer);
        let mut config = server.config();
        config.set_max_retries(0).unwrap();
        let error = client(config).generate("hello").join().unwrap_err();
        assert_eq!(
            (error.kind(), error.status()),
            (ErrorKind::Server, Some(503))
        );
        assert_eq!(error.body(), body);
    });
}

#[test]
fn an_error_body_is_kept_up_to_its_bound() {
    // I12
    on_both_wires(|service| {
        let long = "x".repeat(1 << 20);
        for error in errors(service, answer_with(500, &long, &[])) {
            assert_eq!(error.status(), Some(500));
            assert_eq!(error.body().len(), 64 * 1024);
        }
    });
}

#[test]
fn an_encoded_error_body_does_not_hide_the_status() {
    on_both_wires(|service| {
        let headers = [("content-encoding", "gzip"), ("retry-after-ms", "5")];
        for error in errors(service, answer_with(503, "not gzip at all", &headers)) {
            assert_eq!(
                (error.kind(), error.status()),
                (ErrorKind::Server, Some(503))
            );
        }
        service.reset();
        service.once(
            Endpoint::Chat,
            answer_with(503, "not gzip at all", &headers),
        );
        service.client().generate("it is retried").join().unwrap();
    });
}

#[test]
fn every_error_and_every_result_has_the_services_request_id() {
    on_both_wires(|service| {
        let client = service.client();
        let answer = client.generate("hello").join().unwrap();
        let sent = service
            .requests()
            .last()
            .unwrap()
            .header("x-request-id")
            .map(str::to_owned);
        assert_eq!(
            Some(answer.report.request_id),
            sent,
            "the service gives back what it got"
        );
        let own = [("x-request-id", "the-services-own")];
        for error in errors(service, answer_with(422, "{}", &own)) {
            assert_eq!(error.request_id(), Some("the-services-own"));
            assert!(
                error.to_string().contains("request id the-services-own"),
                "{error}"
            );
        }
        service.reset();
        service.once(Endpoint::Models, answer_with(422, "{}", &own));
        let error = client.models().join().unwrap_err();
        assert_eq!(error.request_id(), Some("the-services-own"));
        service.once(Endpoint::Models, answer_with(422, "{}", &own));
        let error = client.health_check(None).join().unwrap_err();
        assert_eq!(error.request_id(), Some("the-services-own"));
    });
}

#[test]
fn the_service_refuses_as_it_does_in_reality_and_its_words_arrive() {
    on_both_wires(|service| {
        let client = service.client();
        let mut request = gigachat::Request::prompt("hello");
        request.set_model("NoSuchModel").unwrap();
        let error = client.chat(request).join().unwrap_err();
        assert_eq!(
            (error.kind(), error.status()),
            (ErrorKind::NotFound, Some(404))
        );
        assert!(error.message().contains("No such model"), "{error}");
        let mut request = gigachat::Request::prompt("hello");
        request.add_message("system", "too late");
        let error = client.chat(request).join().unwrap_err();
        assert_eq!(
            (error.kind(), error.status()),
            (ErrorKind::InvalidRequest, Some(422))
        );
        assert!(
            error.message().contains("system message must be the first"),
            "{error}"
        );
        let error = client.model("NoSuchModel").join().unwrap_err();
        assert_eq!(error.kind(), ErrorKind::NotFound);
        let huge = "x".repeat(21 << 20);
        let error = client.generate(&huge).join().unwrap_err();
        assert_eq!(
            (error.kind(), error.status()),
            (ErrorKind::PayloadTooLarge, Some(413))
        );
    });
}

#[test]
fn a_redirect_is_not_followed_and_the_credential_stays_here() {
    // I9
    on_both_wires(|service| {
        let elsewhere = gigachat_emulator::Emulator::start(Default::default()).unwrap();
        let to = format!("{}/chat/completions", elsewhere.plain_base_url());
        for code in [301, 302, 303, 307, 308] {
            service.reset();
            let action = Action::Redirect {
                to: to.clone(),
                code,
            };
            service.always(Endpoint::Any, action);
            let client = service.stranger();
            for error in [
                client.generate("hello").join().unwrap_err(),
                stream(&client, "hello").broken().clone(),
                client.models().join().unwrap_err(),
            ] {
                assert_eq!(
                    (error.kind(), error.status()),
                    (ErrorKind::Protocol, Some(code))
                );
                assert!(error.message().contains(&to), "{error}");
                assert!(error.message().contains("not followed"), "{error}");
            }
        }
        assert_eq!(elsewhere.counters().connections_opened, 0);
    });
}
