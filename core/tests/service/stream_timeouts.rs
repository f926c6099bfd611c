//! I3: the time limits of a stream that has begun: silence between contents, and the whole.

use std::io::Write;
use std::net::TcpStream;
use std::thread::sleep;
use std::time::Duration;

use crate::support::reading::{Read, stream, stream_request};
use crate::support::server::{RawServer, STREAM_HEAD, chunk};
use crate::support::{bounded, client, on_both_wires};
use gigachat::{Client, ErrorKind, Phase, Request, StreamEvent};
use gigachat_emulator::{Action, Endpoint};

const IDLE: Duration = Duration::from_millis(400);

fn with_idle(prompt: &str) -> Request {
    let mut request = Request::prompt(prompt);
    request.set_idle_timeout(IDLE).unwrap();
    request
}

#[track_caller]
fn ended_by(phase: Phase, read: &Read) {
    let error = read.broken();
    assert_eq!(
        (error.kind(), error.phase()),
        (ErrorKind::Timeout, phase),
        "{error}"
    );
    assert_eq!(
        error.partial_text(),
        Some(read.text().as_str()),
        "all that arrived"
    );
    assert_eq!(
        error.attempts(),
        1,
        "content was delivered: no other attempt"
    );
}

/// A client of a server that sends a first content and then goes on with `rest`.
fn served(rest: impl Fn(&mut TcpStream) -> std::io::Result<()> + Send + Sync + 'static) -> Client {
    let server = RawServer::start(move |stream| {
        let begun = write!(stream, "{STREAM_HEAD}{}", chunk("first"));
        // The client goes away when its time is over.
        let _ = begun.and_then(|()| rest(stream));
        false
    });
    client(server.config())
}

#[test]
fn silence_between_contents_is_bounded() {
    // I3
    on_both_wires(|service| {
        let client = service.client();
        service.once(Endpoint::Stream, Action::StallAfter { chunks: 2 });
        let read = stream_request(&client, with_idle("count to 20"));
        assert_eq!(read.texts().len(), 2);
        ended_by(Phase::Idle, &read);
        service.sees("the stream gone", |now| now.open_streams == 0);
    });
}

#[test]
fn without_an_idle_timeout_the_timeout_bounds_the_silence() {
    // I3
    on_both_wires(|service| {
        let client = service.client();
        client.models().join().unwrap();
        service.once(Endpoint::Stream, Action::StallAfter { chunks: 1 });
        let mut request = Request::prompt("count to 20");
        request.set_timeout(Duration::from_millis(700)).unwrap();
        ended_by(Phase::Idle, &stream_request(&client, request));
    });
}

#[test]
fn comments_and_empty_deltas_are_silence() {
    // I3
    bounded(|| {
        let empty = "data: {\"choices\":[{\"delta\":{\"content\":\"\"},\"index\":0}]}\n\n";
        for nothing in [": keep-alive\n\n", empty, "data: {\"choices\":[]}\n\n"] {
            let client = served(move |stream| {
                loop {
                    stream.write_all(nothing.as_bytes())?;
                    sleep(Duration::from_millis(20));
                }
            });
            let read = stream_request(&client, with_idle("hello"));
            assert_eq!(read.texts(), ["first"]);
            ended_by(Phase::Idle, &read);
        }
    });
}

#[test]
fn progress_of_a_built_in_function_is_no_silence() {
    // I3: twenty times a quarter of the limit.
    bounded(|| {
        let client = served(|stream| {
            for _ in 0..20 {
                sleep(IDLE / 4);
                stream.write_all(b"data: {\"choices\":[{\"delta\":{\"role\":\"function_in_progress\",\"name\":\"text2image\",\"content\":\"5\"}}]}\n\n")?;
            }
            write!(stream, "{}data: [DONE]\n\n", chunk("last"))
        });
        let read = stream_request(&client, with_idle("draw"));
        assert_eq!(read.texts(), ["first", "last"]);
        let progress = |event: &&StreamEvent| matches!(event, StreamEvent::Progress { .. });
        assert_eq!(read.events.iter().filter(progress).count(), 20);
        read.complete();
    });
}

#[test]
fn contents_that_keep_coming_are_bounded_by_no_limit() {
    // I3: no total unless it is set; each silence is a fifth of the timeout.
    on_both_wires(|service| {
        let client = service.client();
        client.models().join().unwrap();
        service.once(Endpoint::Stream, Action::DelayChunks { ms: 100 });
        let mut request = Request::prompt("count to 40");
        request.set_timeout(Duration::from_millis(800)).unwrap();
        let read = stream_request(&client, request);
        read.complete();
        assert!(read.texts().len() > 20, "two seconds and more");
    });
}

#[test]
fn the_total_time_of_a_stream_is_bounded_when_that_is_asked_for() {
    // I3
    on_both_wires(|service| {
        service.always(Endpoint::Stream, Action::DelayChunks { ms: 50 });
        let mut request = Request::prompt("count to 2000");
        request
            .set_stream_timeout(Duration::from_millis(900))
            .unwrap();
        let client = service.client();
        client.models().join().unwrap();
        let read = stream_request(&client, request);
        assert!(!read.text().is_empty());
        ended_by(Phase::Total, &read);
        let limit = Duration::from_millis(900);
        let configured = service.client_with(|config| config.set_stream_timeout(limit).unwrap());
        ended_by(Phase::Total, &stream(&configured, "count to 2000"));
        service.sees("the streams gone", |now| now.open_streams == 0);
    });
}

#[test]
fn the_total_time_bounds_the_first_content_too() {
    // I3
    on_both_wires(|service| {
        let client = service.client();
        client.models().join().unwrap();
        for action in [
            Action::Comments { every_ms: 20 },
            Action::DelayHeaders { ms: 60_000 },
        ] {
            service.once(Endpoint::Stream, action);
            let mut request = Request::prompt("hello");
            request
                .set_stream_timeout(Duration::from_millis(400))
                .unwrap();
            let read = stream_request(&client, request);
            let error = read.broken();
            assert_eq!(
                (error.kind(), error.phase()),
                (ErrorKind::Timeout, Phase::Total),
                "{error}"
            );
        }
    });
}

#[test]
fn a_stream_that_never_pauses_is_bounded_by_its_total_time() {
    // I3: there is always something to read, so that no wait can time out.
    on_both_wires(|service| {
        let client = service.client_with(|config| {
            config
                .set_stream_timeout(Duration::from_millis(500))
                .unwrap();
            config.set_max_body_bytes(1 << 30).unwrap();
        });
        service.once(Endpoint::Stream, Action::HugeBody { bytes: 1 << 40 });
        let read = stream(&client, "for ever");
        let error = read.broken();
        assert_eq!(
            (error.kind(), error.phase()),
            (ErrorKind::Timeout, Phase::Total),
            "{error}"
        );
    });
}

#[test]
fn a_stream_whose_reader_sleeps_ends_at_its_total_time() {
    // I3, I5: its permit is free although nobody reads.
    on_both_wires(|service| {
        let client = service.client_with(|config| config.set_read_ahead_bytes(1024).unwrap());
        service.once(Endpoint::Stream, Action::HugeBody { bytes: 1 << 40 });
        let mut request = Request::prompt("for ever");
        request
            .set_stream_timeout(Duration::from_millis(500))
            .unwrap();
        let unread = client.stream(request).unwrap();
        client.generate("the permit is free").join().unwrap();
        ended_by(Phase::Total, &crate::support::reading::read(&unread));
    });
}
