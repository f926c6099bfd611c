//! I3, I5: `max_connections_per_host` bounds connections; what finds no place waits in the queue, by
//! the queue's clock, and is told so.

use std::time::Duration;

use gigachat::{Client, ErrorKind, Next, Phase, Request};
use gigachat_emulator::{Action, Endpoint, Options};

use crate::support::{SOON, Service, Wire, bounded};

fn service(wire: Wire) -> Service {
    let options = Options {
        concurrency: Some(0),
        ..Options::default()
    };
    Service::start(wire, options)
}

/// A client with so many connections, whom nobody shares them with.
fn bounded_client(service: &Service, connections: u32) -> Client {
    service.stranger_with(|config| {
        config.set_max_concurrency(0).unwrap();
        config.set_max_retries(0).unwrap();
        config.set_max_connections_per_host(connections).unwrap();
    })
}

#[test]
fn over_http1_so_many_requests_are_under_way_and_all_are_answered() {
    let counters = bounded(|| {
        let service = service(Wire::Http1);
        service.always(Endpoint::Chat, Action::DelayHeaders { ms: 50 });
        let client = bounded_client(&service, 3);
        let calls: Vec<_> = (0..12).map(|_| client.generate("x")).collect();
        for call in calls {
            call.join().unwrap();
        }
        service.counters()
    });
    assert!(counters.peak_in_flight <= 3, "{}", counters.peak_in_flight);
}

#[test]
fn over_http2_one_connection_takes_a_hundred_and_the_others_wait_for_a_place() {
    let counters = bounded(|| {
        let service = service(Wire::Http2);
        service.always(Endpoint::Chat, Action::DelayHeaders { ms: 300 });
        let client = bounded_client(&service, 1);
        let calls: Vec<_> = (0..250).map(|_| client.generate("x")).collect();
        for call in calls {
            call.join().unwrap();
        }
        service.counters()
    });
    assert!(
        counters.peak_in_flight <= 100,
        "{}",
        counters.peak_in_flight
    );
    assert_eq!(
        counters.tls_handshakes, 2,
        "one for the token, one for all calls"
    );
}

#[test]
fn the_wait_for_a_place_is_the_queues_and_its_end_says_what_to_raise() {
    bounded(|| {
        let service = service(Wire::Http1);
        service.always(Endpoint::Stream, Action::StallAfter { chunks: 1 });
        let client = bounded_client(&service, 1);
        let held = client.stream(Request::prompt("x")).unwrap();
        assert!(matches!(held.next(Some(SOON)), Ok(Next::Event(_))));

        let mut impatient = Request::prompt("y");
        impatient
            .set_queue_timeout(Duration::from_millis(20))
            .unwrap();
        let error = client.chat(impatient).join().unwrap_err();
        assert_eq!(
            (error.kind(), error.phase()),
            (ErrorKind::Timeout, Phase::Queue)
        );
        assert_eq!(error.attempts(), 0, "nothing was sent");
        assert!(
            error.message().contains("max_connections_per_host"),
            "{error}"
        );

        // `timeout` does not run meanwhile.
        let mut patient = Request::prompt("z");
        patient.set_timeout(SOON).unwrap();
        let waiting = client.chat(patient);
        assert!(!waiting.wait(Some(Duration::from_millis(500))).unwrap());
        held.cancel();
        let answer = waiting.join().unwrap();
        assert!(answer.report.timings.queue > Duration::ZERO);
    });
}
