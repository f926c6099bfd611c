//! The cost of decoding a stream: SSE framing and the delta's JSON, fed from memory in pieces of
//! 16 KiB, events of about 200 bytes. Prints microseconds per event; decides nothing.

use std::hint::black_box;
use std::time::Instant;

use gigachat::{SseDecoder, parse_chunk};

const EVENTS: usize = 50_000;
const ROUNDS: usize = 15;
const PIECE: usize = 16 * 1024;

fn body() -> Vec<u8> {
    let mut body = Vec::new();
    for number in 0..EVENTS {
        // As recorded from the service, with a content that brings the event to 200 bytes.
        let event = format!(
            "data: {{\"choices\":[{{\"delta\":{{\"content\":\" piece {number:07} of a streamed answer, with some more words in it to fill\"}},\"index\":0}}],\"created\":1768996176,\"model\":\"GigaChat:2.0.28.2\",\"object\":\"chat.completion\"}}\n\n"
        );
        body.extend_from_slice(event.as_bytes());
    }
    body
}

fn decode(body: &[u8]) -> usize {
    let mut decoder = SseDecoder::new(1024 * 1024);
    let mut model: Option<String> = None;
    let mut bytes = 0;
    for piece in body.chunks(PIECE) {
        decoder.feed(piece);
        while let Ok(Some(event)) = decoder.next_event() {
            let content =
                parse_chunk(event.data, model.as_deref()).expect("the bench's own events");
            model = content.model.or(model);
            bytes += content.text.map_or(0, |text| text.len());
        }
    }
    bytes
}

fn main() {
    let body = body();
    let mut rounds: Vec<f64> = (0..ROUNDS)
        .map(|_| {
            let begun = Instant::now();
            black_box(decode(black_box(&body)));
            begun.elapsed().as_secs_f64() * 1e6 / EVENTS as f64
        })
        .collect();
    rounds.sort_by(f64::total_cmp);
    println!(
        "SSE and delta JSON, {} bytes an event: median {:.3} us an event (min {:.3}, max {:.3}, {ROUNDS} rounds)",
        body.len() / EVENTS,
        rounds[ROUNDS / 2],
        rounds[0],
        rounds[ROUNDS - 1],
    );
}
