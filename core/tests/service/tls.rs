//! I8, I9: whom the library trusts and what it says when it does not; client certificates; where
//! credentials may travel in clear text.

use std::path::PathBuf;

use crate::support::reading::stream;
use crate::support::{bounded, client, on_both_wires};
use gigachat::{Client, Config, Error, ErrorKind, GigaChat, Phase, Request};
use gigachat_emulator::{CLIENT_KEY_PASSWORD, Emulator, Options, TlsVariant};

/// A file that is there as long as this is.
struct PemFile(PathBuf);

impl PemFile {
    fn with(text: &str) -> PemFile {
        let name = format!("gigachat-test-{}.pem", uuid::Uuid::new_v4());
        let path = std::env::temp_dir().join(name);
        std::fs::write(&path, text).unwrap();
        PemFile(path)
    }

    fn path(&self) -> &str {
        self.0.to_str().unwrap()
    }
}

impl Drop for PemFile {
    fn drop(&mut self) {
        // Nothing depends on it.
        let _ = std::fs::remove_file(&self.0);
    }
}

fn emulator() -> Emulator {
    Emulator::start(Options::default()).unwrap()
}

/// A configuration for these URLs that trusts nobody beside the system.
fn towards(emulator: &Emulator, base_url: &str, token_url: &str) -> Config {
    let mut config = Config::new(&emulator.authorization_key()).unwrap();
    config.set_base_url(base_url).unwrap();
    config.set_token_url(token_url).unwrap();
    config.set_proxy_from_environment(false);
    config
}

/// Every kind of call works.
#[track_caller]
fn everything_works(client: &Client) {
    client.generate("hello").join().unwrap();
    stream(client, "hello").complete();
    client.models().join().unwrap();
    client.health_check(None).join().unwrap();
}

#[track_caller]
fn refused(client: &Client) -> Error {
    let error = client.generate("hello").join().unwrap_err();
    assert_eq!(
        (error.kind(), error.phase()),
        (ErrorKind::Tls, Phase::Connect),
        "{error}"
    );
    assert!(error.message().contains("localhost"), "{error}");
    assert!(!error.retryable(), "trying again does not help");
    error
}

#[test]
fn a_bundle_as_text_or_file_counts_for_token_answers_streams_and_health() {
    // I8
    on_both_wires(|service| {
        everything_works(&service.client());
        let file = PemFile::with(service.ca_pem());
        let mut config = towards(service, &service.base_url(), &service.token_url());
        config.set_ca_bundle_file(file.path()).unwrap();
        everything_works(&client(config));
        assert_eq!(service.counters().tls_failures, 0);
    });
}

#[test]
fn an_unknown_root_is_refused_with_what_to_set() {
    // I8: without a bundle, and with a bundle that lacks the root.
    bounded(|| {
        let emulator = emulator();
        let config = towards(&emulator, &emulator.base_url(), &emulator.token_url());
        let error = refused(&client(config));
        assert!(error.message().contains("ca_bundle"), "{error}");
        assert!(
            error.message().contains("GigaChat emulator test CA"),
            "{error}"
        );
        assert_eq!(emulator.counters().token_requests, 0, "nothing was sent");
        let unknown = TlsVariant::UnknownRoot;
        let base_url = emulator.tls_variant_base_url(unknown).unwrap();
        let mut config = towards(&emulator, &base_url, &emulator.token_url());
        config.set_ca_bundle_pem(emulator.ca_pem()).unwrap();
        let error = refused(&client(config));
        assert!(
            error.message().contains("A root that nobody knows"),
            "{error}"
        );
        let counters = emulator.counters();
        assert_eq!((counters.token_requests, counters.chat_attempts), (1, 0));
    });
}

#[test]
fn the_wrong_host_and_an_expired_certificate_are_said() {
    // I8
    bounded(|| {
        let emulator = emulator();
        for (variant, part) in [
            (TlsVariant::WrongHost, "elsewhere.example"),
            (TlsVariant::Expired, "expired on 2021-01-01"),
        ] {
            let base_url = emulator.tls_variant_base_url(variant).unwrap();
            let token_url = emulator.tls_variant_token_url(variant).unwrap();
            for (base_url, token_url) in [
                (&base_url, &emulator.token_url()),
                (&emulator.base_url(), &token_url),
            ] {
                let mut config = towards(&emulator, base_url, token_url);
                config.set_ca_bundle_pem(emulator.ca_pem()).unwrap();
                let error = refused(&client(config));
                assert!(error.message().contains(part), "{error}");
            }
        }
        assert_eq!(emulator.counters().chat_attempts, 0);
    });
}

#[test]
fn a_refused_certificate_is_not_retried() {
    // I4
    bounded(|| {
        let emulator = emulator();
        let config = towards(&emulator, &emulator.base_url(), &emulator.token_url());
        refused(&client(config));
        assert_eq!(emulator.counters().connections_opened, 1);
    });
}

#[test]
fn without_verification_every_certificate_is_accepted() {
    // I8
    bounded(|| {
        let emulator = emulator();
        for variant in [
            TlsVariant::UnknownRoot,
            TlsVariant::WrongHost,
            TlsVariant::Expired,
        ] {
            let base_url = emulator.tls_variant_base_url(variant).unwrap();
            let token_url = emulator.tls_variant_token_url(variant).unwrap();
            let mut config = towards(&emulator, &base_url, &token_url);
            config.set_verify_tls(false);
            everything_works(&client(config));
        }
    });
}

#[test]
fn tls_1_2_works() {
    bounded(|| {
        let emulator = emulator();
        let base_url = emulator
            .tls_variant_base_url(TlsVariant::Tls12Only)
            .unwrap();
        let token_url = emulator
            .tls_variant_token_url(TlsVariant::Tls12Only)
            .unwrap();
        let mut config = towards(&emulator, &base_url, &token_url);
        config.set_ca_bundle_pem(emulator.ca_pem()).unwrap();
        everything_works(&client(config));
    });
}

/// A configuration for the listener that demands a client certificate.
fn mutual(emulator: &Emulator) -> Config {
    let mut config = towards(
        emulator,
        &emulator.mtls_base_url(),
        &emulator.mtls_token_url(),
    );
    config.set_ca_bundle_pem(emulator.ca_pem()).unwrap();
    config
}

#[test]
fn a_client_certificate_counts_for_both_hosts_in_every_form() {
    // I8: text and files, key plain, encrypted, or in the certificate's file.
    bounded(|| {
        let emulator = emulator();
        let certificate = emulator.client_cert_pem();
        let mut plain = mutual(&emulator);
        plain.set_certificate_pem(certificate).unwrap();
        plain
            .set_private_key_pem(emulator.client_key_pem())
            .unwrap();
        everything_works(&client(plain));
        let mut encrypted = mutual(&emulator);
        encrypted.set_certificate_pem(certificate).unwrap();
        encrypted
            .set_private_key_pem(emulator.client_key_encrypted_pem())
            .unwrap();
        encrypted.set_private_key_password(CLIENT_KEY_PASSWORD);
        everything_works(&client(encrypted));
        let certificate_file = PemFile::with(certificate);
        let key_file = PemFile::with(emulator.client_key_encrypted_pem());
        let mut files = mutual(&emulator);
        files.set_certificate_file(certificate_file.path()).unwrap();
        files.set_private_key_file(key_file.path()).unwrap();
        files.set_private_key_password(CLIENT_KEY_PASSWORD);
        everything_works(&client(files));
        let both = PemFile::with(&format!("{certificate}\n{}", emulator.client_key_pem()));
        let mut one_file = mutual(&emulator);
        one_file.set_certificate_file(both.path()).unwrap();
        everything_works(&client(one_file));
        assert_eq!(emulator.counters().tls_failures, 0);
    });
}

#[test]
fn a_missing_client_certificate_is_said_with_what_to_set() {
    // I8
    bounded(|| {
        // The server's alert and the request race: all of them must end alike.
        let emulator = emulator();
        for _ in 0..20 {
            let error = refused(&client(mutual(&emulator)));
            assert!(error.message().contains("client certificate"), "{error}");
            assert!(error.message().contains("certificate_file"), "{error}");
        }
        let mut api_only = mutual(&emulator);
        api_only.set_token_url(&emulator.token_url()).unwrap();
        let error = refused(&client(api_only));
        assert!(error.message().contains("certificate_file"), "{error}");
        assert_eq!(emulator.counters().chat_attempts, 0);
    });
}

#[test]
fn a_certificate_or_key_that_cannot_be_used_is_a_configuration_error_without_secrets() {
    // I8, I13
    bounded(|| {
        let emulator = emulator();
        let with_key = |key: &str, password: &str| {
            let mut config = mutual(&emulator);
            config
                .set_certificate_pem(emulator.client_cert_pem())
                .unwrap();
            config.set_private_key_pem(key).unwrap();
            config.set_private_key_password(password);
            let outcome = GigaChat::new(config);
            let error = match outcome {
                Ok(provider) => Client::new(provider).generate("hello").join().unwrap_err(),
                Err(error) => error,
            };
            assert_eq!(error.kind(), ErrorKind::Configuration, "{error}");
            assert!(!format!("{error} {error:?}").contains("MARKED"), "{error}");
            error
        };
        let error = with_key(emulator.client_key_encrypted_pem(), "MARKED-PASSWORD");
        assert!(error.message().contains("private_key_password"), "{error}");
        let error = with_key(
            "-----BEGIN PRIVATE KEY-----\nMARKED\n-----END PRIVATE KEY-----",
            "",
        );
        assert!(error.message().contains("private_key"), "{error}");
        let mut missing = mutual(&emulator);
        missing.set_ca_bundle_file("/no/such/bundle.pem").unwrap();
        let error = client(missing).generate("hello").join().unwrap_err();
        assert_eq!(error.kind(), ErrorKind::Configuration, "{error}");
        assert!(error.message().contains("/no/such/bundle.pem"), "{error}");
        assert_eq!(
            emulator.counters().connections_opened,
            0,
            "before any connection"
        );
    });
}

#[test]
fn plain_http_to_another_machine_is_refused_before_anything_is_sent() {
    // I9
    for url in [
        "http://api.giga.chat/v1",
        "http://192.0.2.1/v1",
        "http://[2001:db8::1]/v1",
        "http://localhost.example/v1",
        "http://127.0.0.1.example/v1",
        "http://0.0.0.0/v1",
    ] {
        let mut by_base = Config::new("a2V5").unwrap();
        by_base.set_base_url(url).unwrap();
        let mut by_token = Config::new("a2V5").unwrap();
        by_token.set_token_url(url).unwrap();
        for (field, config) in [("base_url", by_base), ("token_url", by_token)] {
            let error = GigaChat::new(config.clone()).err().expect(url);
            assert_eq!(error.kind(), ErrorKind::Configuration);
            assert!(error.message().contains(field), "{error}");
            assert!(error.message().contains("allow_insecure_http"), "{error}");
            let mut allowed = config;
            allowed.set_allow_insecure_http(true);
            assert!(GigaChat::new(allowed).is_ok(), "{url}");
        }
    }
    for url in [
        "http://127.0.0.1:1/v1",
        "http://127.8.9.1/v1",
        "http://[::1]/v1",
        "http://LOCALHOST/v1",
    ] {
        let mut config = Config::new("a2V5").unwrap();
        config.set_base_url(url).unwrap();
        config.set_token_url(url).unwrap();
        assert!(GigaChat::new(config).is_ok(), "{url}");
    }
}

#[test]
fn plain_http_on_this_machine_works() {
    // I9
    bounded(|| {
        let emulator = emulator();
        let base_url = emulator.plain_base_url();
        let client = client(towards(&emulator, &base_url, &emulator.plain_token_url()));
        everything_works(&client);
        let mut request = Request::prompt("hello");
        request.set_request_id("over plain http").unwrap();
        assert_eq!(
            client.chat(request).join().unwrap().report.request_id,
            "over plain http"
        );
        assert_eq!(emulator.counters().tls_handshakes, 0);
    });
}
