//! An HTTP/2 server that answers each request with the frames of a test (RFC 9113), behind TLS with
//! a certificate of the emulator's authority. It reads no more of a request than its stream.

use std::io::{Read, Write};
use std::net::{Ipv4Addr, TcpListener, TcpStream};
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::thread;

use gigachat::Config;
use gigachat_emulator::Emulator;
use rustls::pki_types::pem::PemObject;
use rustls::pki_types::{CertificateDer, PrivateKeyDer};
use rustls::{ServerConfig, ServerConnection, StreamOwned};

pub const DATA: u8 = 0;
pub const HEADERS: u8 = 1;
pub const RST_STREAM: u8 = 3;
pub const SETTINGS: u8 = 4;
pub const GOAWAY: u8 = 7;
pub const END_STREAM: u8 = 1;
pub const END_HEADERS: u8 = 4;
const ACK: u8 = 1;
const PREFACE: usize = 24;

type Secured = StreamOwned<ServerConnection, TcpStream>;

/// One frame.
pub fn frame(kind: u8, flags: u8, stream: u32, payload: &[u8]) -> Vec<u8> {
    let mut bytes = u32::try_from(payload.len()).unwrap().to_be_bytes()[1..].to_vec();
    bytes.extend([kind, flags]);
    bytes.extend(stream.to_be_bytes());
    bytes.extend(payload);
    bytes
}

/// The server; it ends with the process.
pub struct FrameServer {
    port: u16,
    requests: Arc<AtomicUsize>,
    connections: Arc<AtomicUsize>,
}

impl FrameServer {
    /// `answer` makes the frames for a stream; its second argument says how many requests came before.
    pub fn start(
        emulator: &Emulator,
        answer: impl Fn(u32, usize) -> Vec<u8> + Send + Sync + 'static,
    ) -> FrameServer {
        let tls = Arc::new(tls(emulator));
        let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).expect("a port");
        let port = listener.local_addr().expect("an address").port();
        let requests = Arc::new(AtomicUsize::new(0));
        let connections = Arc::new(AtomicUsize::new(0));
        let (count, answer) = (requests.clone(), Arc::new(answer));
        let opened = connections.clone();
        thread::spawn(move || {
            for stream in listener.incoming().flatten() {
                opened.fetch_add(1, Ordering::SeqCst);
                let (tls, count, answer) = (tls.clone(), count.clone(), answer.clone());
                thread::spawn(move || {
                    let connection = ServerConnection::new(tls).expect("a configuration");
                    // A client that goes away ends the conversation.
                    let _ = converse(StreamOwned::new(connection, stream), &count, &*answer);
                });
            }
        });
        FrameServer {
            port,
            requests,
            connections,
        }
    }

    pub fn connections(&self) -> usize {
        self.connections.load(Ordering::SeqCst)
    }

    pub fn requests(&self) -> usize {
        self.requests.load(Ordering::SeqCst)
    }

    /// A configuration with a ready-made token that leads here.
    pub fn config(&self, emulator: &Emulator) -> Config {
        let mut config = Config::default();
        config.set_access_token("ready-made").unwrap();
        config.set_ca_bundle_pem(emulator.ca_pem()).unwrap();
        config.set_proxy_from_environment(false);
        let base_url = format!("https://localhost:{}/api/v1", self.port);
        config.set_base_url(&base_url).unwrap();
        config
    }
}

fn tls(emulator: &Emulator) -> ServerConfig {
    let (certificate, key) = emulator.server_identity_pem().expect("an identity");
    let provider = Arc::new(rustls::crypto::ring::default_provider());
    let certificate =
        CertificateDer::from_pem_slice(certificate.as_bytes()).expect("a certificate");
    let key = PrivateKeyDer::from_pem_slice(key.as_bytes()).expect("a key");
    let mut config = ServerConfig::builder_with_provider(provider)
        .with_safe_default_protocol_versions()
        .expect("TLS")
        .with_no_client_auth()
        .with_single_cert(vec![certificate], key)
        .expect("a pair");
    config.alpn_protocols = vec![b"h2".to_vec()];
    config
}

fn converse(
    mut stream: Secured,
    count: &AtomicUsize,
    answer: &(dyn Fn(u32, usize) -> Vec<u8> + Send + Sync),
) -> std::io::Result<()> {
    stream.read_exact(&mut [0; PREFACE])?;
    stream.write_all(&frame(SETTINGS, 0, 0, &[]))?;
    loop {
        let mut head = [0; 9];
        stream.read_exact(&mut head)?;
        let length = u32::from_be_bytes([0, head[0], head[1], head[2]]) as usize;
        let number = u32::from_be_bytes([head[5], head[6], head[7], head[8]]);
        stream.read_exact(&mut vec![0; length])?;
        let (kind, flags) = (head[3], head[4]);
        if kind == SETTINGS && flags & ACK == 0 {
            stream.write_all(&frame(SETTINGS, ACK, 0, &[]))?;
        }
        if (kind == DATA || kind == HEADERS) && flags & END_STREAM != 0 {
            let before = count.fetch_add(1, Ordering::SeqCst);
            stream.write_all(&answer(number, before))?;
        }
    }
}
