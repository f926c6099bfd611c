//! I6: one stream in every spelling that server-sent events allow, cut into pieces of every size,
//! is always the same stream (GigaChat REST reference, streaming, quirks 5 to 7).

use std::time::Duration;

use crate::support::reading::stream;
use crate::support::{Service, on_both_wires};
use gigachat::{Client, ErrorKind, StreamEvent};
use gigachat_emulator::{Action, Answer, Endpoint};

const CHUNKS: [&str; 4] = [
    "Ключ: \"data: 1\"",
    "\r\nдве строки\n\n",
    "🎉\u{2028}",
    " конец",
];

fn script(service: &Service) {
    service.script_answer(Answer::Chunks(CHUNKS.map(str::to_owned).to_vec()));
}

/// A stream under these faults gives the chunks as they are.
fn reads_the_same(service: &Service, client: &Client, actions: &[Action]) {
    script(service);
    for action in actions {
        service.once(Endpoint::Stream, action.clone());
    }
    let read = stream(client, "spell");
    assert_eq!(read.complete().finish_reason, "stop", "{actions:?}");
    assert_eq!(read.texts(), CHUNKS, "{actions:?}");
    assert!(read.complete().usage.is_some(), "{actions:?}");
}

#[test]
fn every_spelling_reads_the_same() {
    on_both_wires(|service| {
        use Action::{ByteOrderMark, Cr, Crlf, MultiLineData, NoSpaceAfterData};
        let client = service.client();
        let spellings: [&[Action]; 9] = [
            &[],
            &[Crlf],
            &[Cr],
            &[MultiLineData],
            &[NoSpaceAfterData],
            &[ByteOrderMark],
            &[Crlf, MultiLineData, NoSpaceAfterData, ByteOrderMark],
            &[Cr, MultiLineData, NoSpaceAfterData, ByteOrderMark],
            &[Crlf, MultiLineData],
        ];
        for spelling in spellings {
            reads_the_same(service, &client, spelling);
        }
    });
}

#[test]
fn pieces_of_every_size_read_the_same() {
    // Characters of four bytes, line ends of two and whole events are all split.
    on_both_wires(|service| {
        let client = service.client();
        for size in (1..=40).chain([100, 1000]) {
            reads_the_same(
                service,
                &client,
                &[Action::SplitBytes { size }, Action::Crlf],
            );
        }
        reads_the_same(
            service,
            &client,
            &[
                Action::SplitBytes { size: 1 },
                Action::Cr,
                Action::MultiLineData,
            ],
        );
    });
}

#[test]
fn raw_line_separators_of_unicode_end_no_line() {
    on_both_wires(|service| {
        for size in [1, 2, 3, 1000] {
            script(service);
            service.once(Endpoint::Stream, Action::RawSeparators);
            service.once(Endpoint::Stream, Action::SplitBytes { size });
            let read = stream(&service.client(), "spell");
            read.complete();
            let expected = CHUNKS.map(|chunk| format!("\u{2028}\u{2029}\u{85}{chunk}"));
            assert_eq!(read.texts(), expected);
        }
        service.once(Endpoint::Chat, Action::RawSeparators);
        let whole = service.client().generate("repeat: x").join().unwrap();
        assert_eq!(whole.text, "\u{2028}\u{2029}\u{85}x");
    });
}

#[test]
fn comments_and_unknown_fields_between_events_say_nothing() {
    on_both_wires(|service| {
        let body = concat!(
            ": a comment\n",
            "retry: 10\nid: 7\nevent: message\n",
            "data: {\"choices\":[{\"delta\":{\"content\":\"a\"}}]}\n\n",
            ":\n\n: another\n\n",
            "data\n\n",
            "unknown: field\nwithout colon\n\n",
        );
        let body = body.to_owned() + "data:[DONE]\n\n";
        service.script_answer(Answer::RawSse(vec![body]));
        let read = stream(&service.client(), "spell");
        assert_eq!(read.texts(), ["a"]);
        read.complete();
    });
}

#[test]
fn what_the_service_may_add_to_an_event_is_ignored() {
    on_both_wires(|service| {
        let events = [
            r#"{"choices":[],"created":1}"#,
            r#"{"choices":[{"delta":null,"index":0}]}"#,
            r#"{"choices":[{"delta":{},"index":0,"finish_reason":null}],"usage":null}"#,
            r#"{"choices":[{"delta":{"content":null,"role":"assistant","new":[1]}}],"new":{}}"#,
            r#"{"choices":[{"delta":{"content":"a"}},{"delta":{"content":"b"},"index":1}]}"#,
            r#"{"choices":[{"delta":{"content":""},"finish_reason":"stop"}]}"#,
            r#"{"choices":[],"usage":{"prompt_tokens":1,"new":2}}"#,
        ];
        let mut body: String = events
            .iter()
            .map(|event| format!("data: {event}\n\n"))
            .collect();
        body += "data: [DONE]\n\n";
        service.script_answer(Answer::RawSse(vec![body]));
        let read = stream(&service.client(), "spell");
        assert_eq!(read.texts(), ["a"], "the first choice is the answer");
        assert_eq!(read.complete().finish_reason, "stop");
        assert_eq!(read.complete().usage.unwrap().prompt_tokens, 1);
        assert!(matches!(
            read.events[..],
            [StreamEvent::Text(_), StreamEvent::Usage(_)]
        ));
    });
}

#[test]
fn bytes_that_are_not_utf8_are_replaced() {
    // I12
    on_both_wires(|service| {
        let mut body = b"data: {\"choices\":[{\"delta\":{\"content\":\"a\"}}]}\n\n".to_vec();
        body.extend_from_slice(b"data: {\"choices\":[{\"delta\":{\"content\":\"\xff\xfe\"}}]}\n\n");
        body.extend_from_slice(b"data: [DONE]\n\n");
        service.script_answer(Answer::RawBytes(vec![body]));
        let read = stream(&service.client(), "spell");
        read.complete();
        assert_eq!(read.texts(), ["a", "\u{fffd}\u{fffd}"]);
    });
}

#[test]
fn an_event_without_end_is_bounded() {
    // I12: a line that never ends, and a body that never ends.
    on_both_wires(|service| {
        let client = service.client_with(|config| {
            config.set_max_event_bytes(64 * 1024).unwrap();
            config.set_max_body_bytes(1024 * 1024).unwrap();
            config.set_max_retries(0).unwrap();
            config.set_timeout(Duration::from_secs(60)).unwrap();
        });
        service.once(Endpoint::Stream, Action::EndlessLine);
        let read = stream(&client, "spell");
        assert_eq!(read.broken().kind(), ErrorKind::Protocol);
        assert!(
            read.broken().message().contains("max_event_bytes"),
            "{}",
            read.broken()
        );
        service.once(Endpoint::Stream, Action::HugeBody { bytes: 8 << 20 });
        let read = stream(&client, "spell");
        assert_eq!(read.broken().kind(), ErrorKind::Protocol);
        assert!(
            read.broken().message().contains("max_body_bytes"),
            "{}",
            read.broken()
        );
        assert!(read.text().len() < 2 << 20);
        service.sees("both streams gone", |now| now.open_streams == 0);
    });
}
