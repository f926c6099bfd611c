//! Answers that a test writes out, and what reads them.

use std::io::Write;
use std::sync::atomic::{AtomicUsize, Ordering};

use gigachat::{Client, Config};

use super::client;
use super::reading::{Read, stream};
use super::server::{RawServer, STREAM_HEAD};

/// The end mark of a stream.
pub const DONE: &str = "data: [DONE]\n\n";

/// A client that asks once.
pub fn once(mut config: Config) -> Client {
    config.set_max_retries(0).unwrap();
    client(config)
}

/// One event of a stream.
pub fn event(json: &str) -> String {
    format!("data: {json}\n\n")
}

/// Reads a stream whose body is exactly this.
pub fn streamed(body: impl AsRef<[u8]>) -> Read {
    let answer = [STREAM_HEAD.as_bytes(), body.as_ref()].concat();
    stream(&once(RawServer::answering(answer).config()), "x")
}

/// A 200 with this body.
pub fn json_answer(body: impl AsRef<[u8]>) -> Vec<u8> {
    let head = "HTTP/1.1 200 OK\r\ncontent-type: application/json\r\nconnection: close\r\n\r\n";
    [head.as_bytes(), body.as_ref()].concat()
}

/// Answers with one after the other, the last one for ever.
pub fn in_turn(answers: Vec<Vec<u8>>) -> RawServer {
    let next = AtomicUsize::new(0);
    RawServer::start(move |stream| {
        let turn = next.fetch_add(1, Ordering::SeqCst).min(answers.len() - 1);
        let _ = stream.write_all(&answers[turn]);
        false
    })
}
