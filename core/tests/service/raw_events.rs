//! What a binding asks for: the JSON of the service's event beside each part of a stream, byte
//! for byte, and nothing where it was not asked for.

use crate::support::on_both_wires;
use gigachat::{Next, Request, binding};
use gigachat_emulator::Answer;

const EVENTS: [&str; 3] = [
    r#"{"choices":[{"delta":{"content":"\u0420аз, "},"index":0}],  "unknown":[1.50]}"#,
    r#"{"choices":[{"delta":{"content":"два"},"index":0}]}"#,
    r#"{"choices":[{"delta":{"content":""},"finish_reason":"stop"}],"usage":{"total_tokens":7}}"#,
];

#[test]
fn a_stream_that_keeps_the_raw_events_gives_each_part_its_own() {
    on_both_wires(|service| {
        for kept in [false, true] {
            let written = EVENTS.iter().chain([&"[DONE]"]);
            let written = written.map(|event| format!("data: {event}\n\n")).collect();
            service.script_answer(Answer::RawSse(written));
            let mut request = Request::prompt("count");
            if kept {
                binding::keep_raw(request.options_mut());
            }
            let stream = service.client().stream(request).unwrap();
            let mut raws = Vec::new();
            loop {
                let (next, raw) = binding::next_with_raw(&stream, None).unwrap();
                raws.push(raw);
                if matches!(next, Next::End) {
                    break;
                }
            }
            // Two texts, the usage, the end, which the same event told.
            let expected = [EVENTS[0], EVENTS[1], EVENTS[2], EVENTS[2]];
            let expected = expected.map(|event| kept.then_some(event));
            let raws: Vec<_> = raws.iter().map(|raw| raw.as_deref()).collect();
            assert_eq!(raws, expected);
        }
    });
}
