//! I5: a slow reader. What is read ahead of it is bounded in bytes, its slowness is not the
//! service's silence, and nothing is lost.

mod support;

use std::thread::sleep;
use std::time::Duration;

use gigachat::{EventStream, Request, StreamEvent};
use gigachat_emulator::{Action, Endpoint};
use support::on_both_wires;
use support::reading::read;

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
