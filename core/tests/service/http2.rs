//! I4, I12: an HTTP/2 server that refuses streams, goes away, or breaks the protocol. What it did
//! not process is sent again within `max_retries`, counted, by nobody else; what is no HTTP/2 is a
//! protocol error and final.

use std::time::Duration;

use crate::support::frames::{
    DATA, END_HEADERS, END_STREAM, FrameServer, GOAWAY, HEADERS, RST_STREAM, SETTINGS, frame,
};
use crate::support::{Service, Wire, bounded, client};
use gigachat::{Client, ErrorKind, Phase};
use gigachat_emulator::{Action, Emulator, Endpoint, Options};

const REFUSED_STREAM: u32 = 7;
/// `:status: 200` is entry 8 of HPACK's static table (RFC 7541, appendix A).
const STATUS_200: u8 = 0x88;
const COMPLETION: &str =
    r#"{"choices":[{"message":{"content":"hello"},"finish_reason":"stop"}],"model":"GigaChat:1"}"#;

fn refuse(stream: u32) -> Vec<u8> {
    frame(RST_STREAM, 0, stream, &REFUSED_STREAM.to_be_bytes())
}

/// GOAWAY without an error that says that no stream was processed.
fn go_away() -> Vec<u8> {
    frame(GOAWAY, 0, 0, &[0; 8])
}

fn answer(stream: u32) -> Vec<u8> {
    let mut frames = frame(HEADERS, END_HEADERS, stream, &[STATUS_200]);
    frames.extend(frame(DATA, END_STREAM, stream, COMPLETION.as_bytes()));
    frames
}

/// A server with these answers, and a client that may repeat so often.
fn serving(
    retries: u32,
    answer: impl Fn(u32, usize) -> Vec<u8> + Send + Sync + 'static,
) -> (FrameServer, Client, Emulator) {
    let emulator = Emulator::start(Options::default()).expect("the emulator starts");
    let server = FrameServer::start(&emulator, answer);
    let mut config = server.config(&emulator);
    config.set_max_retries(retries).unwrap();
    (server, client(config), emulator)
}

#[test]
fn a_stream_that_is_refused_is_sent_again_by_the_retries_only() {
    // I4
    for retries in [0, 1] {
        let (server, client, _emulator) = serving(retries, |stream, _| refuse(stream));
        let error = client.generate("hello").join().unwrap_err();
        assert_eq!(error.kind(), ErrorKind::Connection);
        assert_eq!(error.attempts(), retries + 1);
        assert_eq!(server.requests(), retries as usize + 1);
    }
    let (server, client, _emulator) = serving(1, |stream, before| match before {
        0 => refuse(stream),
        _ => answer(stream),
    });
    let response = client.generate("hello").join().unwrap();
    assert_eq!(
        (response.text.as_str(), response.report.attempts),
        ("hello", 2)
    );
    assert_eq!(server.requests(), 2);
}

#[test]
fn a_connection_that_goes_away_is_replaced_by_the_retries_only() {
    // I4: on a fresh connection; a reused one is sent again at once (I10).
    for retries in [0, 1] {
        let (server, client, _emulator) = serving(retries, |_, _| go_away());
        let error = client.generate("hello").join().unwrap_err();
        assert_eq!(error.kind(), ErrorKind::Connection);
        assert_eq!(error.attempts(), retries + 1);
        assert_eq!(server.requests(), retries as usize + 1);
    }
}

#[test]
fn frames_that_break_the_protocol_are_a_protocol_error_and_final() {
    // I12: as on HTTP/1.1, what answers here is no service of ours.
    let broken: [fn(u32) -> Vec<u8>; 4] = [
        |stream| frame(HEADERS, END_HEADERS | END_STREAM, stream, &[0xff; 3]),
        |stream| frame(DATA, 0, stream, b"before the headers"),
        |_| frame(SETTINGS, 0, 0, &[0]),
        |_| b"HTTP/1.1 400 Bad Request\r\n\r\n".to_vec(),
    ];
    for frames in broken {
        let (server, client, _emulator) = serving(3, move |stream, _| frames(stream));
        let error = client.generate("hello").join().unwrap_err();
        assert_eq!(
            (error.kind(), error.phase(), error.attempts()),
            (ErrorKind::Protocol, Phase::Answer, 1),
            "{error}"
        );
        assert_eq!(server.requests(), 1);
        let (server, client, _emulator) = serving(3, move |stream, before| match before {
            0 => answer(stream),
            _ => frames(stream),
        });
        client.generate("hello").join().unwrap();
        let error = client.generate("hello").join().unwrap_err();
        assert_eq!(
            error.kind(),
            ErrorKind::Protocol,
            "on a reused connection: {error}"
        );
        assert_eq!(server.requests(), 2);
    }
}

#[test]
fn a_connection_on_which_nothing_comes_any_more_is_given_up_after_a_timeout() {
    // I10: it stands and takes requests, so nothing but the silence tells.
    let (server, client, _emulator) = serving(0, |stream, before| match before {
        1 => Vec::new(),
        _ => answer(stream),
    });
    client.generate("hello").join().unwrap();
    let mut request = gigachat::Request::prompt("hello");
    request.set_timeout(Duration::from_millis(1500)).unwrap();
    let error = client.chat(request).join().unwrap_err();
    assert_eq!(
        (error.kind(), error.phase()),
        (ErrorKind::Timeout, Phase::Answer)
    );
    client.generate("hello").join().unwrap();
    client.generate("hello").join().unwrap();
    assert_eq!(server.connections(), 2, "the hung one and its successor");
}

#[test]
fn short_timeouts_give_a_connection_up_only_together() {
    // I10: one impatient call says nothing of the connection.
    let (server, client, _emulator) = serving(0, |stream, before| match before {
        1 | 3 | 4 => Vec::new(),
        _ => answer(stream),
    });
    let call = |ms| {
        let mut request = gigachat::Request::prompt("hello");
        request.set_timeout(Duration::from_millis(ms)).unwrap();
        client.chat(request).join()
    };
    call(20_000).unwrap();
    call(200).unwrap_err();
    call(20_000).unwrap();
    assert_eq!(server.connections(), 1);
    call(200).unwrap_err();
    call(200).unwrap_err();
    call(20_000).unwrap();
    assert_eq!(server.connections(), 2);
}

/// Calls that the service answers only when all of them have arrived.
fn all_at_once(calls: usize) -> gigachat_emulator::Counters {
    let options = Options {
        concurrency: Some(0),
        ..Options::default()
    };
    let service = Service::start(Wire::Http2, options);
    service.always(Endpoint::Chat, Action::DelayHeaders { ms: 3000 });
    let client = service.client_with(|config| {
        config.set_max_concurrency(0).unwrap();
        config.set_max_retries(0).unwrap();
        config.set_timeout(Duration::from_secs(60)).unwrap();
    });
    let calls: Vec<_> = (0..calls).map(|_| client.generate("hello")).collect();
    let outcomes = calls.into_iter().map(|call| call.join()).collect();
    crate::support::all_answered(outcomes);
    service.counters()
}

#[test]
fn calls_beyond_a_connections_streams_get_more_connections() {
    // The emulator allows 200 streams per connection, as hyper's servers do.
    let counters = bounded(|| all_at_once(450));
    assert_eq!(counters.peak_in_flight, 450, "all of them at the same time");
    // One for the token.
    assert!(counters.tls_handshakes >= 4, "{}", counters.tls_handshakes);
    assert!(counters.tls_handshakes <= 12, "{}", counters.tls_handshakes);
}

#[test]
fn a_cold_start_of_many_calls_opens_few_connections() {
    let counters = bounded(|| all_at_once(100));
    assert!(counters.tls_handshakes <= 4, "{}", counters.tls_handshakes);
}
