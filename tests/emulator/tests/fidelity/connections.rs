//! Connections: kept, closed, refused, revived; certificates of every kind.

use std::io::{Read as _, Write as _};
use std::net::TcpStream;
use std::time::{Duration, Instant};

use gigachat_emulator::{
    Action, CLIENT_KEY_PASSWORD, Emulator, Endpoint, Fault, Options, TlsVariant,
};
use serde_json::json;

use crate::service::{
    BOTH, BOUND, Protocol, Service, client, client_builder, fault, send, text_of,
};

/// A plain connection, to see bytes that a client library hides.
struct Wire(TcpStream);

impl Wire {
    fn open(emulator: &Emulator) -> Wire {
        let address = emulator.control_url().replace("http://", "");
        let stream = TcpStream::connect(address).expect("a connection");
        stream
            .set_read_timeout(Some(BOUND))
            .expect("a socket option");
        Wire(stream)
    }

    fn get_models(&mut self, emulator: &Emulator, more: &str) {
        let token = emulator.access_token().expect("a token");
        let request = format!(
            "GET /v1/models HTTP/1.1\r\nHost: localhost\r\nUser-Agent: wire/1\r\n\
             Authorization: Bearer {token}\r\n{more}\r\n"
        );
        self.0.write_all(request.as_bytes()).expect("a request");
    }

    /// One answer; its end is that of the JSON.
    fn answer(&mut self) -> String {
        let mut bytes = Vec::new();
        let mut buffer = [0; 4096];
        while !bytes.ends_with(b"]}") {
            let length = self.0.read(&mut buffer).expect("an answer");
            assert!(
                length > 0,
                "the answer is cut: {}",
                String::from_utf8_lossy(&bytes)
            );
            bytes.extend_from_slice(&buffer[..length]);
        }
        String::from_utf8(bytes).expect("UTF-8")
    }

    /// What comes until the connection is closed, and how it is.
    fn rest(mut self) -> std::io::Result<Vec<u8>> {
        let mut bytes = Vec::new();
        self.0.read_to_end(&mut bytes).map(|_| bytes)
    }
}

#[test]
fn an_idle_connection_is_closed_after_the_keep_alive_time_and_not_before() {
    let keep_alive = Duration::from_secs(1);
    let emulator = Emulator::start(Options {
        keep_alive,
        ..Options::default()
    })
    .expect("the emulator starts");
    let mut wire = Wire::open(&emulator);
    for _ in 0..3 {
        wire.get_models(&emulator, "");
        wire.answer();
    }
    let begin = Instant::now();
    assert_eq!(wire.rest().expect("FIN"), b"");
    assert!(begin.elapsed() >= keep_alive - Duration::from_millis(50));
    assert_eq!(emulator.counters().connections_opened, 1);
}

#[test]
fn a_slow_answer_does_not_make_a_connection_idle() {
    let emulator = Emulator::start(Options {
        keep_alive: Duration::from_millis(50),
        ..Options::default()
    })
    .expect("the emulator starts");
    let slow = Action::DelayHeaders { ms: 300 };
    emulator.faults().add(Fault::new(Endpoint::Any, slow));
    let mut wire = Wire::open(&emulator);
    wire.get_models(&emulator, "");
    assert!(wire.answer().starts_with("HTTP/1.1 200"));
}

#[test]
fn a_connection_closed_after_its_answer_does_not_say_so_before() {
    let emulator = Emulator::start(Options::default()).expect("the emulator starts");
    let mut wire = Wire::open(&emulator);
    wire.get_models(
        &emulator,
        "X-Emulator-Fault: {\"type\":\"close_after_response\"}\r\n",
    );
    let answer = wire.answer().to_lowercase();
    assert!(!answer.contains("connection:"), "{answer}");
    assert_eq!(wire.rest().expect("FIN"), b"");
}

#[test]
fn goaway_says_so_on_http1() {
    let emulator = Emulator::start(Options::default()).expect("the emulator starts");
    let mut wire = Wire::open(&emulator);
    wire.get_models(&emulator, "X-Emulator-Fault: {\"type\":\"goaway\"}\r\n");
    assert!(wire.answer().to_lowercase().contains("connection: close"));
    assert_eq!(wire.rest().expect("FIN"), b"");
}

#[test]
fn a_marked_connection_meets_its_next_request_with_a_reset() {
    let emulator = Emulator::start(Options::default()).expect("the emulator starts");
    let mut wire = Wire::open(&emulator);
    wire.get_models(
        &emulator,
        "X-Emulator-Fault: {\"type\":\"close_idle_then_reset\"}\r\n",
    );
    wire.answer();
    wire.get_models(&emulator, "");
    let error = wire.rest().expect_err("no byte, no FIN");
    assert_eq!(error.kind(), std::io::ErrorKind::ConnectionReset);
    let counters = emulator.counters();
    assert_eq!((counters.http1_requests, counters.models_requests), (1, 1));
}

#[tokio::test]
async fn after_goaway_http2_goes_on_with_a_new_connection() {
    let service = Service::start(Protocol::Http2);
    for action in ["goaway", "close_after_response"] {
        let before = service.emulator.counters().connections_opened;
        send(service.get("/models")).await;
        send(fault(service.get("/models"), &json!({"type": action}))).await;
        let closed = service
            .emulator
            .until(BOUND, |counters| counters.connections_open == 0)
            .await;
        closed.expect("the connection is closed");
        assert_eq!(send(service.get("/models")).await.status(), 200);
        let after = service.emulator.counters().connections_opened;
        assert_eq!(after, before.max(1) + 1);
    }
}

#[tokio::test]
async fn each_port_speaks_the_protocol_that_is_asked_for() {
    for protocol in BOTH {
        let service = Service::start(protocol);
        let version = send(service.get("/models")).await.version();
        let counters = service.emulator.counters();
        assert_eq!((counters.tls_handshakes, counters.connections_open), (1, 1));
        match protocol {
            Protocol::Http1 => assert_eq!(version, reqwest::Version::HTTP_11),
            Protocol::Http2 => assert_eq!(version, reqwest::Version::HTTP_2),
        }
        assert_eq!(
            counters.http1_requests,
            u64::from(protocol == Protocol::Http1)
        );
        assert_eq!(
            counters.http2_requests,
            u64::from(protocol == Protocol::Http2)
        );
        let recorded = &service.emulator.requests()[0];
        assert_eq!(recorded.protocol, version);
        assert_eq!(
            (recorded.path.as_str(), recorded.connection),
            ("/api/v1/models", 1)
        );
        assert_eq!(recorded.header("user-agent"), Some("fidelity/1"));
    }
}

#[tokio::test]
async fn the_plain_port_speaks_http2_to_who_begins_with_it() {
    let service = Service::start(Protocol::Http2);
    let client = client_builder(&service.emulator, Protocol::Http2, false)
        .http2_prior_knowledge()
        .user_agent("fidelity/1")
        .build()
        .expect("a client");
    let url = format!("{}/models", service.emulator.plain_base_url());
    let response = send(client.get(url).bearer_auth(&service.token)).await;
    assert_eq!(response.status(), 200);
    assert_eq!(response.version(), reqwest::Version::HTTP_2);
}

#[tokio::test]
async fn a_killed_service_refuses_and_comes_back_on_the_same_port() {
    for protocol in BOTH {
        let service = Service::start(protocol);
        let mut open = send(fault(
            service.stream("hello"),
            &json!({"type": "stall_after", "chunks": 1}),
        ))
        .await;
        open.chunk().await.expect("a chunk").expect("a chunk");
        service.emulator.kill();
        open.chunk().await.expect_err("the connection is gone");
        let error = service.get("/models").send().await.expect_err("refused");
        assert!(error.is_connect(), "{error:?}");
        let counters = service
            .emulator
            .until(BOUND, |counters| counters.in_flight == 0)
            .await;
        let counters = counters.expect("the slot is free");
        assert_eq!(
            (counters.aborted_streams, counters.cancelled_streams),
            (1, 0)
        );

        service
            .emulator
            .restart_listener()
            .expect("the port is free again");
        assert_eq!(send(service.say("hello")).await.status(), 200);
    }
}

#[test]
fn a_service_that_is_away_keeps_its_ports() {
    // Somebody's connection could get the port as its local end; the restart would fail then.
    let service = Service::start(Protocol::Http2);
    let port = url::Url::parse(&service.emulator.base_url())
        .expect("a URL")
        .port()
        .expect("a port");
    for _ in 0..3 {
        service.emulator.kill();
        std::net::TcpStream::connect(("127.0.0.1", port)).expect_err("refused");
        // The standard library's listeners would ask for a port in spite of its owner.
        let stranger = socket2::Socket::new(socket2::Domain::IPV4, socket2::Type::STREAM, None)
            .expect("a socket");
        let address = std::net::SocketAddr::from(([127, 0, 0, 1], port));
        let taken = stranger.bind(&address.into()).expect_err("it is kept");
        assert_eq!(taken.kind(), std::io::ErrorKind::AddrInUse);
        service.emulator.restart_listener().expect("it is ours");
        std::net::TcpStream::connect(("127.0.0.1", port)).expect("served again");
    }
}

#[tokio::test]
async fn a_request_that_waits_for_its_answer_dies_with_the_service() {
    for protocol in BOTH {
        let service = Service::start(protocol);
        let slow = json!({"type": "delay_headers", "ms": 60_000});
        let call = tokio::spawn(fault(service.say("hello"), &slow).send());
        let waiting = service
            .emulator
            .until(BOUND, |counters| counters.in_flight == 1)
            .await;
        waiting.expect("the request arrives");
        service.emulator.close_connections();
        call.await.expect("no panic").expect_err("no answer");
        let counters = service
            .emulator
            .until(BOUND, |counters| counters.in_flight == 0)
            .await;
        let counters = counters.expect("the slot is free");
        assert_eq!(
            (counters.aborted_requests, counters.cancelled_requests),
            (1, 0)
        );
        assert_eq!(send(service.say("hello")).await.status(), 200);
    }
}

#[tokio::test]
async fn a_marked_connection_breaks_on_http2_too() {
    let service = Service::start(Protocol::Http2);
    send(fault(
        service.get("/models"),
        &json!({"type": "close_idle_then_reset"}),
    ))
    .await;
    service.get("/models").send().await.expect_err("no answer");
    assert_eq!(send(service.get("/models")).await.status(), 200);
    assert_eq!(service.emulator.counters().connections_opened, 2);
}

#[tokio::test]
async fn a_service_that_stops_accepting_serves_who_is_there() {
    let service = Service::start(Protocol::Http2);
    send(service.get("/models")).await;
    service.emulator.stop_accepting();
    assert_eq!(send(service.get("/models")).await.status(), 200);
    let stranger = client(&service.emulator, Protocol::Http2, false);
    let error = stranger
        .get(service.emulator.base_url())
        .send()
        .await
        .expect_err("refused");
    assert!(error.is_connect());
}

#[test]
fn dropping_the_emulator_closes_everything() {
    let emulator = Emulator::start(Options::default()).expect("the emulator starts");
    let address = emulator.control_url().replace("http://", "");
    let mut wire = Wire::open(&emulator);
    wire.get_models(&emulator, "");
    wire.answer();
    drop(emulator);
    assert_eq!(wire.rest().expect("FIN"), b"");
    TcpStream::connect(address).expect_err("refused");
}

#[tokio::test]
async fn wrong_certificates_are_wrong_and_other_variants_work() {
    use TlsVariant::{Expired, Http1Only, Tls12Only, UnknownRoot, WrongHost};
    let service = Service::start(Protocol::Http1);
    for (variant, reason) in [
        (WrongHost, "NotValidForName"),
        (Expired, "Expired"),
        (UnknownRoot, "UnknownIssuer"),
    ] {
        let url = service
            .emulator
            .tls_variant_base_url(variant)
            .expect("a listener");
        let error = service
            .http
            .get(format!("{url}/models"))
            .send()
            .await
            .expect_err("distrust");
        assert!(
            format!("{error:?}").contains(reason),
            "{variant:?}: {error:?}"
        );
    }
    for variant in [Http1Only, Tls12Only] {
        let url = service
            .emulator
            .tls_variant_base_url(variant)
            .expect("a listener");
        let request = service
            .http
            .get(format!("{url}/models"))
            .bearer_auth(&service.token);
        assert_eq!(send(request).await.status(), 200);
    }
    let failures = service
        .emulator
        .until(BOUND, |counters| counters.tls_failures == 3)
        .await;
    failures.expect("three handshakes fail");
}

#[tokio::test]
async fn the_mtls_port_serves_only_who_has_a_certificate() {
    for protocol in BOTH {
        let service = Service::start(protocol);
        let url = format!("{}/models", service.emulator.mtls_base_url());
        service
            .http
            .get(&url)
            .send()
            .await
            .expect_err("no certificate");
        let known = client(&service.emulator, protocol, true);
        let request = known.get(&url).bearer_auth(&service.token);
        assert_eq!(send(request).await.status(), 200);
    }
}

#[test]
fn the_encrypted_client_key_opens_with_its_password() {
    let emulator = Emulator::start(Options::default()).expect("the emulator starts");
    let pem = emulator.client_key_encrypted_pem();
    let (label, document) = pkcs8::SecretDocument::from_pem(pem).expect("PEM");
    assert_eq!(label, "ENCRYPTED PRIVATE KEY");
    let encrypted = pkcs8::EncryptedPrivateKeyInfo::try_from(document.as_bytes()).expect("PKCS #8");
    encrypted.decrypt("wrong").expect_err("the wrong password");
    encrypted
        .decrypt(CLIENT_KEY_PASSWORD)
        .expect("the right password");
}

#[tokio::test]
async fn a_connection_that_hangs_answers_nothing_more_and_a_new_one_does() {
    for protocol in BOTH {
        let service = Service::start(protocol);
        let hang = json!({"type": "hang_connection"});
        assert!(
            text_of(fault(service.get("/models/GigaChat"), &hang))
                .await
                .contains("GigaChat")
        );
        let on_it = tokio::spawn(service.get("/models").send());
        let counters = service
            .emulator
            .until(BOUND, |counters| counters.unanswered_requests == 1);
        assert_eq!(counters.await.expect("it came").connections_open, 1);
        let fresh = client(&service.emulator, protocol, false);
        let request = fresh
            .get(format!("{}/models", service.base_url))
            .bearer_auth(&service.token);
        assert_eq!(send(request).await.status(), 200);
        assert!(!on_it.is_finished());
        on_it.abort();
    }
}

#[tokio::test]
async fn only_so_many_streams_are_open_on_one_connection() {
    let options = Options {
        most_streams: Some(1),
        concurrency: Some(0),
        ..Options::default()
    };
    let service = Service::with(Protocol::Http2, options);
    // The settings are here with the first answer.
    assert_eq!(send(service.get("/models")).await.status(), 200);
    let stall = json!({"type": "stall_after", "chunks": 1});
    let held = send(fault(service.stream("count to 9"), &stall)).await;
    let waiting = tokio::spawn(service.get("/models").send());
    // Time enough for it, if it were let through: three answers on another connection.
    let fresh = client(&service.emulator, Protocol::Http1, false);
    for _ in 0..3 {
        let request = fresh.get(format!("{}/models", service.base_url));
        assert_eq!(
            send(request.bearer_auth(&service.token)).await.status(),
            200
        );
    }
    assert!(!waiting.is_finished());
    drop(held);
    let answer = waiting.await.expect("no panic").expect("an answer");
    assert_eq!(answer.status(), 200);
    // It waited for the first stream's end, on the same connection: the other one is the fresh client's.
    let counters = service.emulator.counters();
    assert_eq!(
        (counters.cancelled_streams, counters.connections_opened),
        (1, 2)
    );
}

#[tokio::test]
async fn an_answer_can_have_many_headers() {
    let service = Service::start(Protocol::Http2);
    let many = json!({"type": "many_headers", "count": 120});
    let response = send(fault(service.get("/models"), &many)).await;
    let fillers = response
        .headers()
        .keys()
        .filter(|name| name.as_str().starts_with("x-filler-"));
    assert_eq!(fillers.count(), 120);
}
