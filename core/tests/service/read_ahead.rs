//! I5: a slow reader. What is read ahead of it is bounded in bytes, its slowness is not the
//! service's silence, and nothing is lost.

use std::thread::sleep;
use std::time::Duration;

use crate::support::reading::read;
use crate::support::{on_both_wires, on_both_wires_unlimited};
use gigachat::{EventStream, Request, StreamEvent};
use gigachat_emulator::{Action, Answer, Endpoint};

const READ_AHEAD: usize = 64 * 1024;
const BODY: u64 = 12 << 20;

fn bytes_of(events: &[StreamEvent]) -> usize {
    let payload = events.iter().map(|event| match event {
        StreamEvent::Text(text) => text.len(),
        _ => 0,
    });
    payload.sum()
}

/// Waits until nothing more arrives: the writer waits for its reader.
fn until_nothing_arrives(stream: &EventStream) -> Vec<StreamEvent> {
    // Nothing tells from outside that a writer waits; half a second without reading is ample for
    // a writer that would not.
    sleep(Duration::from_millis(500));
    stream.take_arrived().unwrap()
}

#[test]
fn what_is_read_ahead_of_a_reader_that_sleeps_is_bounded_in_bytes() {
    // I5
    on_both_wires(|service| {
        let client = service.client_with(|config| config.set_read_ahead_bytes(READ_AHEAD).unwrap());
        service.once(Endpoint::Stream, Action::HugeBody { bytes: BODY });
        let stream = client.stream(Request::prompt("a lot")).unwrap();
        // One event of four kilobytes may be more than the bound.
        let most = READ_AHEAD + 8 * 1024;
        let mut arrived = 0;
        for _ in 0..3 {
            let events = until_nothing_arrives(&stream);
            let bytes = bytes_of(&events);
            assert!(bytes > 0 && bytes <= most, "{bytes} bytes were read ahead");
            arrived += bytes;
        }
        let rest = read(&stream);
        rest.complete();
        arrived += bytes_of(&rest.events);
        assert!(
            arrived as u64 > BODY / 10 * 9,
            "nothing was lost: {arrived}"
        );
    });
}

#[test]
fn a_slow_reader_is_not_the_services_silence() {
    // I3, I5: the reader sleeps for longer than the stream may be silent.
    on_both_wires(|service| {
        let client = service.client_with(|config| {
            config.set_read_ahead_bytes(1024).unwrap();
            config.set_idle_timeout(Duration::from_millis(300)).unwrap();
            config.set_timeout(Duration::from_secs(30)).unwrap();
        });
        service.once(Endpoint::Stream, Action::HugeBody { bytes: BODY });
        let stream = client.stream(Request::prompt("a lot")).unwrap();
        for _ in 0..3 {
            sleep(Duration::from_millis(600));
            stream.next(None).unwrap();
        }
        read(&stream).complete();
    });
}

#[test]
fn a_reader_that_goes_away_ends_a_writer_that_waits_for_it() {
    // I5
    on_both_wires(|service| {
        let client = service.client_with(|config| config.set_read_ahead_bytes(1024).unwrap());
        service.once(Endpoint::Stream, Action::HugeBody { bytes: 1 << 40 });
        let stream = client.stream(Request::prompt("a lot")).unwrap();
        stream.next(None).unwrap();
        service.sees("the stream", |now| now.open_streams == 1);
        drop(stream);
        service.sees("its end", |now| now.cancelled_streams == 1);
        client.generate("the permit is free").join().unwrap();
    });
}

#[test]
fn readers_that_pause_do_not_break_the_connection_that_they_share() {
    // I5: small frames that nobody has read count against a bound of the HTTP/2 layer, which gives
    // up the whole connection at its end; so less may wait there than that.
    const STREAMS: usize = 10;
    on_both_wires_unlimited(|service| {
        let client = service.client_with(|config| {
            config.set_read_ahead_bytes(1024).unwrap();
            config.set_max_concurrency(0).unwrap();
            config.set_max_retries(0).unwrap();
        });
        let chunks: Vec<String> = (0..3000).map(|number| format!("{number} ")).collect();
        let text = chunks.concat();
        for _ in 0..STREAMS {
            service.script_answer(Answer::Chunks(chunks.clone()));
        }
        let streams: Vec<_> = (0..STREAMS)
            .map(|_| client.stream(Request::prompt("a lot")).unwrap())
            .collect();
        // Nothing tells from outside that ten writers wait for their readers.
        sleep(Duration::from_secs(3));
        for stream in &streams {
            let read = read(stream);
            read.complete();
            assert_eq!(bytes_of(&read.events), text.len());
        }
    });
}
