//! A canned service on loopback: enough for calls to succeed and to fail. It is no emulator; what
//! a request must look like is not its concern.

use std::io::{BufRead, BufReader, Read, Write};
use std::net::{Ipv4Addr, TcpListener, TcpStream};
use std::sync::{Arc, OnceLock};

const COMPLETION: &str = r#"{"choices":[{"message":{"content":"Hello.","role":"assistant"},"index":0,"finish_reason":"stop"}],"model":"GigaChat:2.0.28.2","usage":{"prompt_tokens":17,"completion_tokens":3,"total_tokens":20}}"#;
const MODELS: &str = r#"{"data":[{"id":"GigaChat-2","owned_by":"salutedevices","type":"chat"}]}"#;
const VECTOR: &str =
    r#"{"data":[{"index":0,"embedding":[0.5,-1.25],"usage":{"prompt_tokens":3}}],"model":"E:1"}"#;
const COUNTS: &str = r#"[{"object":"tokens","tokens":3,"characters":7}]"#;
const TOKEN: &str = r#"{"access_token":"canned","expires_at":9999999999999,"tok2":1}"#;
const PIECE: &str = "data: {\"choices\":[{\"delta\":{\"content\":\"one two\"},\"index\":0}]}\n\n";
const END: &str = "data: {\"choices\":[{\"delta\":{\"content\":\"\"},\"finish_reason\":\"stop\"}],\"usage\":{\"prompt_tokens\":1,\"completion_tokens\":2,\"total_tokens\":3}}\n\ndata: [DONE]\n\n";

/// How many connections are served at the same time; more wait for one to end. A thread for each
/// connection would cost more than all the rest of a short input.
const AT_ONCE: usize = 32;

/// The port, opened at the first use and served until the process ends.
pub fn port() -> u16 {
    static PORT: OnceLock<u16> = OnceLock::new();
    *PORT.get_or_init(|| {
        let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).expect("a port");
        let port = listener.local_addr().expect("an address").port();
        let listener = Arc::new(listener);
        for _ in 0..AT_ONCE {
            let listener = listener.clone();
            std::thread::spawn(move || {
                for stream in listener.incoming().flatten() {
                    converse(stream);
                }
            });
        }
        port
    })
}

fn converse(mut stream: TcpStream) -> Option<()> {
    let mut reader = BufReader::new(stream.try_clone().ok()?);
    loop {
        let mut path = String::new();
        let mut length = 0;
        loop {
            let mut line = String::new();
            if reader.read_line(&mut line).ok()? == 0 {
                return None;
            }
            if path.is_empty() {
                path = line.split(' ').nth(1)?.to_owned();
            } else if line == "\r\n" {
                break;
            } else if let Some(value) = line.to_ascii_lowercase().strip_prefix("content-length:") {
                length = value.trim().parse().ok()?;
            }
        }
        let mut body = vec![0; length];
        reader.read_exact(&mut body).ok()?;
        stream.write_all(answer(&path, &body).as_bytes()).ok()?;
    }
}

fn answer(path: &str, body: &[u8]) -> String {
    let streams = body.ends_with(br#""stream":true}"#);
    let (status, kind, text) = match path {
        _ if path.starts_with("/busy") => (429, "application/json", "{\"status\":429}".to_owned()),
        _ if path.starts_with("/html") => (200, "text/html", "<html>".to_owned()),
        _ if path.ends_with("/models") => (200, "application/json", MODELS.to_owned()),
        _ if path.contains("/models/") => (
            404,
            "application/json",
            "{\"message\":\"No such model\"}".to_owned(),
        ),
        _ if path.ends_with("/embeddings") => (200, "application/json", VECTOR.to_owned()),
        _ if path.ends_with("/tokens/count") => (200, "application/json", COUNTS.to_owned()),
        _ if path.ends_with("/token") => (200, "application/json", TOKEN.to_owned()),
        _ if path.starts_with("/cut") && streams => (200, "text/event-stream", PIECE.to_owned()),
        _ if streams => (200, "text/event-stream", format!("{PIECE}{PIECE}{END}")),
        _ => (200, "application/json", COMPLETION.to_owned()),
    };
    let length = text.len();
    format!("HTTP/1.1 {status} x\r\nContent-Type: {kind}\r\nContent-Length: {length}\r\n\r\n{text}")
}
