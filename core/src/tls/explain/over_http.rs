//! Tests of `explain` on what the real HTTP client reports, over loopback sockets.

use std::io::{Read, Write};
use std::net::{Shutdown, SocketAddr, TcpListener, TcpStream};
use std::sync::Arc;
use std::time::Duration;

use rustls::{ServerConfig, ServerConnection};

use super::super::test_authority::{Authority, client};
use super::super::{PemSource, TlsSettings, explain};

fn believing(root: &Authority) -> TlsSettings {
    TlsSettings {
        ca_bundle: Some(PemSource::Bytes(root.root_pem().into_bytes().into())),
        ..TlsSettings::default()
    }
}

#[track_caller]
fn assert_says(text: &str, parts: &[&str]) {
    for part in parts {
        assert!(text.contains(part), "{part:?} is missing in: {text}");
    }
}

/// Serves one connection on loopback: the handshake, then what the client sends is read
/// until it or TLS gives up.
fn serve_once(server: ServerConfig) -> SocketAddr {
    serve(move |mut socket| {
        let mut connection = ServerConnection::new(Arc::new(server)).unwrap();
        while connection
            .complete_io(&mut socket)
            .is_ok_and(|(read, _)| read > 0)
        {}
    })
}

fn serve(talk: impl FnOnce(TcpStream) + Send + 'static) -> SocketAddr {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let address = listener.local_addr().unwrap();
    std::thread::spawn(move || {
        let (socket, _) = listener.accept().unwrap();
        socket
            .set_read_timeout(Some(Duration::from_secs(5)))
            .unwrap();
        talk(socket);
    });
    address
}

/// More than any handshake takes, so that whoever read as much has read the request.
const PADDING: usize = 4096;

fn padding() -> String {
    "~^|{}".repeat(PADDING / 4) // characters that HTTP/2 cannot compress
}

/// What a request to https://host.example over the real HTTP client ends with.
fn request(settings: &TlsSettings, address: SocketAddr) -> reqwest::Error {
    let http = reqwest::Client::builder()
        .tls_backend_preconfigured(client(settings).as_ref().clone())
        .no_proxy()
        .resolve("host.example", address)
        .timeout(Duration::from_secs(10))
        .build()
        .unwrap();
    let url = format!("https://host.example:{}/", address.port());
    tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build()
        .unwrap()
        .block_on(async { http.get(url).header("x-padding", padding()).send().await })
        .unwrap_err()
}

// I8
#[test]
fn the_failure_is_found_inside_the_http_clients_errors() {
    let root = Authority::new("Corporate Root");
    let unknown = root.issue(&["host.example"]).server();
    let error = request(&TlsSettings::default(), serve_once(unknown));
    let text = explain(&error).unwrap();
    assert_says(
        &text,
        &["\"Corporate Root\" (Tests) is not among", "ca_bundle_file"],
    );

    let wrong = root.issue(&["other.example"]).server();
    let error = request(&believing(&root), serve_once(wrong));
    assert_says(&explain(&error).unwrap(), &["is for other.example"]);
}

#[test]
fn a_port_that_does_not_speak_tls_is_told() {
    let address = serve(|mut socket| {
        let _ = socket.read(&mut [0; 512]);
        let _ = socket.write_all(b"HTTP/1.1 400 Bad Request\r\n\r\n");
    });
    let error = request(&TlsSettings::default(), address);
    assert_says(&explain(&error).unwrap(), &["not TLS", "https"]);
}

/// In TLS 1.3 the alert arrives after the client's handshake, while it waits for the answer;
/// over a network, that is. On loopback it can overtake the request, and the HTTP client
/// then only knows that the connection closed; so this server waits for the request.
fn serve_alert_to_request(server: ServerConfig) -> SocketAddr {
    serve(move |mut socket| {
        let mut connection = ServerConnection::new(Arc::new(server)).unwrap();
        while !connection.wants_write() {
            connection.read_tls(&mut socket).unwrap();
            connection.process_new_packets().unwrap();
        }
        while connection.wants_write() {
            connection.write_tls(&mut socket).unwrap();
        }
        let (mut wire, mut part) = (Vec::new(), [0; 4096]);
        while wire.len() < PADDING {
            let count = socket.read(&mut part).unwrap();
            assert!(count > 0, "the client hung up");
            wire.extend(&part[..count]);
        }
        let mut wire = wire.as_slice();
        while connection.process_new_packets().is_ok() && !wire.is_empty() {
            connection.read_tls(&mut wire).unwrap();
        }
        while connection.wants_write() {
            connection.write_tls(&mut socket).unwrap();
        }
        socket.flush().unwrap();
        socket.shutdown(Shutdown::Write).unwrap();
        while socket.read(&mut part).is_ok_and(|count| count > 0) {}
    })
}

#[test]
fn a_demand_for_a_client_certificate_is_found_behind_http1_and_http2() {
    let root = Authority::new("Root");
    for protocol in [&b"http/1.1"[..], b"h2"] {
        let identity = root.issue(&["host.example"]);
        let mut server = identity.server_demanding(root.root(), &rustls::version::TLS13);
        server.alpn_protocols = vec![protocol.to_vec()];
        let error = request(&believing(&root), serve_alert_to_request(server));
        let text = explain(&error).unwrap_or_else(|| panic!("{error:#?}"));
        assert_says(&text, &["demands a client certificate", "certificate_file"]);
    }
}

#[test]
fn a_server_that_hangs_up_is_no_tls_failure() {
    let address = serve(drop);
    let error = request(&TlsSettings::default(), address);
    assert_eq!(explain(&error), None, "{error:#?}");
}
