//! A server for what the emulator does not do: exact bytes on plain HTTP/1.1, written by the test,
//! and ports behind which nobody answers.

use std::io::{Read, Write};
use std::net::{Ipv4Addr, SocketAddr, TcpListener, TcpStream};
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::thread;
use std::time::Duration;

use gigachat::Config;

/// Serves each connection by the test's own function, which gets it when a request was read.
pub struct RawServer {
    address: SocketAddr,
    requests: Arc<AtomicUsize>,
}

impl RawServer {
    /// `serve` is called for each request; the connection closes when it returns false.
    pub fn start(serve: impl Fn(&mut TcpStream) -> bool + Send + Sync + 'static) -> RawServer {
        let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).expect("a port");
        let address = listener.local_addr().expect("an address");
        let requests = Arc::new(AtomicUsize::new(0));
        let (serve, count) = (Arc::new(serve), requests.clone());
        // Ends with the process: tests do not wait for it.
        thread::spawn(move || {
            for stream in listener.incoming().flatten() {
                let (serve, count) = (serve.clone(), count.clone());
                thread::spawn(move || converse(stream, &count, &*serve));
            }
        });
        RawServer { address, requests }
    }

    /// One answer, the same for every request.
    pub fn answering(answer: impl Into<Vec<u8>>) -> RawServer {
        let answer = answer.into();
        RawServer::start(move |stream| {
            let _ = stream.write_all(&answer);
            false
        })
    }

    pub fn requests(&self) -> usize {
        self.requests.load(Ordering::SeqCst)
    }

    /// A configuration with a ready-made token that leads here.
    pub fn config(&self) -> Config {
        let mut config = Config::default();
        config.set_access_token("ready-made").unwrap();
        config
            .set_base_url(&format!("http://{}/api/v1", self.address))
            .unwrap();
        config
    }
}

fn converse(
    mut stream: TcpStream,
    count: &AtomicUsize,
    serve: &(dyn Fn(&mut TcpStream) -> bool + Send + Sync),
) {
    let _ = stream.set_nodelay(true);
    while read_request(&mut stream) {
        count.fetch_add(1, Ordering::SeqCst);
        if !serve(&mut stream) {
            return;
        }
    }
}

/// Reads one request with its body, whose length is announced.
fn read_request(stream: &mut TcpStream) -> bool {
    let mut head = Vec::new();
    let mut byte = [0];
    while !head.ends_with(b"\r\n\r\n") {
        match stream.read(&mut byte) {
            Ok(1) => head.push(byte[0]),
            _ => return false,
        }
    }
    let head = String::from_utf8_lossy(&head).to_ascii_lowercase();
    let length = head
        .split_once("content-length: ")
        .and_then(|(_, rest)| rest.split("\r\n").next()?.parse().ok())
        .unwrap_or(0);
    stream.read_exact(&mut vec![0; length]).is_ok()
}

/// The head of a stream's answer; the body ends with the connection.
pub const STREAM_HEAD: &str =
    "HTTP/1.1 200 OK\r\ncontent-type: text/event-stream\r\nconnection: close\r\n\r\n";

/// One event with this text.
pub fn chunk(text: &str) -> String {
    let text = serde_json::Value::from(text);
    format!("data: {{\"choices\":[{{\"delta\":{{\"content\":{text}}},\"index\":0}}]}}\n\n")
}

/// A port that accepts every connection and closes it at once, and counts them.
pub struct Slammer {
    pub address: SocketAddr,
    connections: Arc<AtomicUsize>,
}

impl Slammer {
    pub fn open() -> Slammer {
        let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).expect("a port");
        let address = listener.local_addr().expect("an address");
        let connections = Arc::new(AtomicUsize::new(0));
        let count = connections.clone();
        // Ends with the process: tests do not wait for it.
        thread::spawn(move || {
            for stream in listener.incoming() {
                count.fetch_add(1, Ordering::SeqCst);
                drop(stream);
            }
        });
        Slammer {
            address,
            connections,
        }
    }

    pub fn connections(&self) -> usize {
        self.connections.load(Ordering::SeqCst)
    }
}

/// A port whose accept queue is full, so that connecting hangs. It stays so while this lives.
pub struct BlackHole {
    pub address: SocketAddr,
    _listener: std::net::TcpListener,
    _queued: Vec<TcpStream>,
}

impl BlackHole {
    pub fn open() -> BlackHole {
        let runtime = tokio::runtime::Builder::new_current_thread()
            .enable_io()
            .build()
            .expect("a runtime");
        let listener = runtime.block_on(async {
            let socket = tokio::net::TcpSocket::new_v4().expect("a socket");
            socket
                .bind((Ipv4Addr::LOCALHOST, 0).into())
                .expect("a port");
            socket.listen(1).expect("a listener").into_std()
        });
        let listener = listener.expect("a listener");
        let address = listener.local_addr().expect("an address");
        let mut queued = Vec::new();
        while let Ok(stream) = TcpStream::connect_timeout(&address, Duration::from_millis(300)) {
            queued.push(stream);
            assert!(queued.len() < 100, "the accept queue does not fill");
        }
        BlackHole {
            address,
            _listener: listener,
            _queued: queued,
        }
    }
}
