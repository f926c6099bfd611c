//! I6: a stream ends with its end mark and with nothing else; what arrived before a break is
//! delivered, once. How events may be written is in `stream_spellings`, stop sequences are in `stops`.

use std::time::{Duration, Instant};

use crate::support::reading::{next_text, stream, stream_request};
use crate::support::{Service, on_both_wires};
use gigachat::{ErrorKind, Phase, Request, StreamEvent};
use gigachat_emulator::{Action, Answer, Endpoint};

const CHUNKS: [&str; 5] = ["Раз", ", два", ", \"три\"", ", 🎉", "."];

fn script(service: &Service) {
    let chunks = CHUNKS.map(str::to_owned).to_vec();
    service.script_answer(Answer::Chunks(chunks));
}

#[test]
fn a_whole_stream_gives_its_chunks_its_usage_and_its_end() {
    // I6
    on_both_wires(|service| {
        script(service);
        let read = stream(&service.client(), "count");
        assert_eq!(read.texts(), CHUNKS);
        let end = read.complete();
        assert_eq!(end.finish_reason, "stop");
        assert!(end.model.starts_with("GigaChat"), "{}", end.model);
        assert_eq!(
            read.events.last(),
            end.usage.map(StreamEvent::Usage).as_ref()
        );
        assert!(end.usage.unwrap().total_tokens > 0);
        assert!(!end.report.request_id.is_empty());
        assert!(end.report.session_id.is_some());
        assert_eq!(end.report.attempts, 1);
        assert_eq!(service.counters().finished_streams, 1);
    });
}

#[test]
fn a_stream_that_is_cut_after_k_chunks_delivers_k_chunks_and_says_that_it_is_incomplete() {
    // I6, I4: and it is not begun anew.
    for reset in [false, true] {
        on_both_wires(move |service| {
            let client = service.client();
            for chunks in 1..=CHUNKS.len() {
                service.reset();
                script(service);
                service.once(Endpoint::Stream, Action::CutAfter { chunks, reset });
                let read = stream(&client, "count");
                assert_eq!(read.texts(), CHUNKS[..chunks], "cut after {chunks}");
                let error = read.broken();
                assert_eq!(error.kind(), ErrorKind::IncompleteStream);
                assert_eq!(
                    error.partial_text(),
                    Some(CHUNKS[..chunks].concat().as_str())
                );
                assert!(error.request_id().is_some());
                assert_eq!(service.counters().chat_attempts, 1);
            }
        });
    }
}

#[test]
fn a_stream_that_is_cut_anywhere_delivers_exactly_the_whole_events() {
    // I6: at every byte of an event, its separators included.
    on_both_wires(|service| {
        let client = service.client_with(|config| config.set_max_retries(0).unwrap());
        let first = "data: {\"choices\":[{\"delta\":{\"content\":\"один\"}}]}\n\n";
        let second = "data: {\"choices\":[{\"delta\":{\"content\":\"два\"}}]}\n\n";
        let whole = format!("{first}{second}data: [DONE]\n\n");
        for bytes in 0..whole.len() {
            service.script_answer(Answer::RawSse(vec![whole.clone()]));
            let reset = false;
            service.once(Endpoint::Stream, Action::CutAfterBytes { bytes, reset });
            let read = stream(&client, "count");
            let expected = match bytes {
                _ if bytes < first.len() => "",
                _ if bytes < first.len() + second.len() => "один",
                _ => "одиндва",
            };
            assert_eq!(read.text(), expected, "cut after {bytes} bytes");
            if bytes + 2 >= whole.len() {
                read.complete(); // only the blank line behind it is missing
                continue;
            }
            assert_eq!(read.broken().kind(), ErrorKind::IncompleteStream);
            assert_eq!(read.broken().partial_text(), Some(expected));
        }
    });
}

#[test]
fn a_stream_that_is_cut_before_its_first_content_is_begun_anew() {
    // I4: nothing was delivered, so nothing can come twice.
    on_both_wires(|service| {
        for _ in 0..2 {
            script(service);
        }
        let cut = Action::CutAfter {
            chunks: 0,
            reset: false,
        };
        service.once(Endpoint::Stream, cut);
        let read = stream(&service.client(), "count");
        assert_eq!(read.texts(), CHUNKS);
        assert_eq!(read.complete().report.attempts, 2);
    });
}

#[test]
fn an_end_without_the_end_mark_is_an_error_although_a_finish_reason_came() {
    // I6
    on_both_wires(|service| {
        script(service);
        service.once(Endpoint::Stream, Action::OmitDone);
        let read = stream(&service.client(), "count");
        assert_eq!(read.texts(), CHUNKS);
        assert!(
            matches!(read.events.last(), Some(StreamEvent::Usage(_))),
            "all that arrived"
        );
        let error = read.broken();
        assert_eq!(
            (error.kind(), error.status()),
            (ErrorKind::IncompleteStream, Some(200))
        );
        assert_eq!(error.partial_text(), Some(CHUNKS.concat().as_str()));
        assert_eq!(service.counters().chat_attempts, 1);
    });
}

#[test]
fn a_stream_ends_at_its_end_mark_although_the_body_goes_on_in_silence() {
    // I6: the wait for the end of the body is not the reader's.
    on_both_wires(|service| {
        script(service);
        service.once(Endpoint::Stream, Action::DoneThenSilence);
        let begun = Instant::now();
        let client = service.client();
        let read = stream(&client, "count");
        assert_eq!(read.complete().finish_reason, "stop");
        assert!(
            begun.elapsed() < Duration::from_secs(15),
            "no time limit ended it"
        );
        client
            .generate("the connection or another one works")
            .join()
            .unwrap();
    });
}

#[test]
fn events_after_the_end_mark_are_not_delivered() {
    // I6
    on_both_wires(|service| {
        script(service);
        service.once(Endpoint::Stream, Action::EventsAfterDone);
        let read = stream(&service.client(), "count");
        assert_eq!(read.texts(), CHUNKS);
        read.complete();
    });
}

#[test]
fn an_event_that_is_not_json_is_a_protocol_error_with_what_came_before() {
    on_both_wires(|service| {
        for after in 0..3 {
            script(service);
            service.once(Endpoint::Stream, Action::GarbageEvent { after });
            let read = stream(&service.client(), "count");
            assert_eq!(read.texts(), CHUNKS[..after]);
            let error = read.broken();
            assert_eq!(
                (error.kind(), error.phase()),
                (ErrorKind::Protocol, Phase::Body)
            );
            assert_eq!(
                error.partial_text(),
                Some(CHUNKS[..after].concat().as_str())
            );
            assert_eq!(error.status(), Some(200));
            assert!(error.request_id().is_some(), "{error}");
            assert!(!error.body().is_empty(), "the event that cannot be read");
        }
    });
}

#[test]
fn an_error_in_the_middle_of_a_stream_keeps_its_kind_and_what_came_before() {
    on_both_wires(|service| {
        for (status, kind) in [
            (500, ErrorKind::Server),
            (429, ErrorKind::RateLimit),
            (413, ErrorKind::PayloadTooLarge),
        ] {
            script(service);
            let message = "it broke down".to_owned();
            let (after, client) = (2, service.client());
            service.once(
                Endpoint::Stream,
                Action::ErrorEvent {
                    after,
                    status,
                    message,
                },
            );
            let read = stream(&client, "count");
            assert_eq!(read.texts(), CHUNKS[..2]);
            let error = read.broken();
            assert_eq!((error.kind(), error.status()), (kind, Some(status)));
            assert_eq!(error.partial_text(), Some(CHUNKS[..2].concat().as_str()));
            assert!(error.message().contains("it broke down"), "{error}");
            assert!(error.request_id().is_some(), "{error}");
        }
        assert_eq!(
            service.counters().chat_attempts,
            3,
            "not begun anew after content"
        );
    });
}

#[test]
fn an_error_event_before_any_content_is_retried_as_its_status_is() {
    // I4
    on_both_wires(|service| {
        script(service);
        script(service);
        let message = "try again".to_owned();
        let error = Action::ErrorEvent {
            after: 0,
            status: 500,
            message,
        };
        service.once(Endpoint::Stream, error);
        let read = stream(&service.client(), "count");
        assert_eq!(read.complete().report.attempts, 2);
        assert_eq!(read.texts(), CHUNKS);
    });
}

#[test]
fn a_stream_of_another_content_type_is_refused() {
    on_both_wires(|service| {
        for content_type in ["text/html", "application/json", ""] {
            let content_type = content_type.to_owned();
            service.once(Endpoint::Stream, Action::WrongContentType { content_type });
            let read = stream(&service.client(), "count");
            let error = read.broken();
            assert_eq!(
                (error.kind(), error.status()),
                (ErrorKind::Protocol, Some(200))
            );
            assert!(error.message().contains("text/event-stream"), "{error}");
            assert!(error.request_id().is_some());
            assert!(read.events.is_empty());
        }
        assert_eq!(service.counters().chat_attempts, 3);
    });
}

#[test]
fn parts_are_readable_as_they_come_not_at_the_end() {
    on_both_wires(|service| {
        script(service);
        service.once(Endpoint::Stream, Action::StallAfter { chunks: 2 });
        let stream = service.client().stream(Request::prompt("count")).unwrap();
        assert_eq!(next_text(&stream), CHUNKS[0]);
        assert_eq!(next_text(&stream), CHUNKS[1]);
        assert_eq!(service.counters().open_streams, 1);
    });
}

#[test]
fn a_finish_reason_other_than_stop_arrives() {
    on_both_wires(|service| {
        let client = service.client();
        let mut short = Request::prompt("count to 100");
        short.params_mut().set_max_tokens(7).unwrap();
        let read = stream_request(&client, short.clone());
        assert_eq!(read.complete().finish_reason, "length");
        assert_eq!(read.complete().usage.unwrap().completion_tokens, 7);
        let whole = client.chat(short).join().unwrap();
        assert_eq!(
            (whole.text, whole.finish_reason.as_str()),
            (read.text(), "length")
        );
        let refused = stream(&client, "a forbidden-topic");
        assert_eq!(refused.complete().finish_reason, "blacklist");
        let text = "неизвестно".to_owned();
        let reason = "a_newer_reason".to_owned();
        service.script_answer(Answer::Finish { text, reason });
        assert_eq!(
            stream(&client, "x").complete().finish_reason,
            "a_newer_reason"
        );
    });
}

#[test]
fn a_stream_without_text_is_complete() {
    on_both_wires(|service| {
        service.script_answer(Answer::Text(String::new()));
        let read = stream(&service.client(), "say nothing");
        assert_eq!(read.text(), "");
        assert_eq!(read.complete().finish_reason, "stop");
    });
}
