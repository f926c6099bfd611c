//! The stream's decoder: the events and their end must not depend on how the bytes are cut.
//!
//! Input: one byte for the size of the pieces, one for the bound of an event, then the body.

use gigachat::{SseDecoder, parse_chunk, parse_named_event};

/// Name and data of each event, and whether the decoder then refused an event as too large.
type Decoded = (Vec<(Vec<u8>, Vec<u8>)>, bool);

/// Feeds the body in the sizes given and again in other sizes; parses what comes out.
pub fn check(input: &[u8]) {
    let [size, bound, body @ ..] = input else {
        return;
    };
    let bound = match bound {
        b'0'..=b'9' => 1024 * 1024,
        small => usize::from(*small),
    };
    let whole = decoded(body, bound, |_| body.len().max(1));
    let bytewise = decoded(body, bound, |_| 1);
    assert_eq!(whole, bytewise, "whole and byte by byte");
    let mut random = u32::from(*size) + 1;
    let ragged = decoded(body, bound, |_| {
        random = random.wrapping_mul(1_103_515_245).wrapping_add(12_345);
        (random >> 16) as usize % (usize::from(*size) + 1) + 1
    });
    assert_eq!(whole, ragged, "whole and in pieces of up to {size}");
    for (name, data) in &whole.0 {
        assert!(data.len() <= bound, "an event beyond the bound");
        let _ = parse_chunk(data, None);
        let _ = parse_chunk(data, Some("GigaChat"));
        for name in [
            &name[..],
            b"response.message.delta",
            b"response.message.done",
        ] {
            let _ = parse_named_event(name, data, None);
        }
    }
}

fn decoded(body: &[u8], bound: usize, mut size: impl FnMut(usize) -> usize) -> Decoded {
    let mut decoder = SseDecoder::new(bound);
    let mut events = Vec::new();
    let mut rest = body;
    while !rest.is_empty() {
        let (piece, later) = rest.split_at(size(rest.len()).min(rest.len()));
        rest = later;
        decoder.feed(piece);
        loop {
            match decoder.next_event() {
                Ok(Some(event)) => events.push((event.name.to_vec(), event.data.to_vec())),
                Ok(None) => break,
                Err(_) => return (events, true),
            }
        }
    }
    (events, false)
}
