//! What the tests of the wire share: the emulator behind HTTP/1.1 or HTTP/2, configurations that
//! lead to it, a bound for tests that would hang.
//!
//! No test logic is here, and nothing that knows the inside of the library.
#![allow(dead_code, reason = "each test crate uses its own part of this")]

pub mod forms;
pub mod frames;
pub mod reading;
pub mod scripted;
pub mod server;

use std::collections::BTreeMap;
use std::ops::Deref;
use std::panic::resume_unwind;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::mpsc::{RecvTimeoutError, channel};
use std::sync::{Arc, Barrier};
use std::thread;
use std::time::{Duration, Instant};

use gigachat::{Client, Config, GigaChat, Response};
use gigachat_emulator::{Action, Counters, Emulator, Endpoint, Fault, Options, TlsVariant};

/// A test that is not done by then hangs.
const HANGS_AFTER: Duration = Duration::from_secs(90);
/// How long an event may take that has been caused already: generous, for a busy machine.
pub const SOON: Duration = Duration::from_secs(10);

/// Which protocol the connections speak; the library offers both, the listener chooses.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Wire {
    Http1,
    Http2,
}

/// The emulator, reached over TLS with one protocol.
pub struct Service {
    emulator: Emulator,
    pub wire: Wire,
}

impl Deref for Service {
    type Target = Emulator;

    fn deref(&self) -> &Emulator {
        &self.emulator
    }
}

impl Service {
    pub fn start(wire: Wire, options: Options) -> Service {
        let emulator = Emulator::start(options).expect("the emulator starts");
        Service { emulator, wire }
    }

    pub fn base_url(&self) -> String {
        match self.wire {
            Wire::Http1 => self
                .emulator
                .tls_variant_base_url(TlsVariant::Http1Only)
                .expect("a listener without HTTP/2"),
            Wire::Http2 => self.emulator.base_url(),
        }
    }

    pub fn token_url(&self) -> String {
        match self.wire {
            Wire::Http1 => self
                .emulator
                .tls_variant_token_url(TlsVariant::Http1Only)
                .expect("a listener without HTTP/2"),
            Wire::Http2 => self.emulator.token_url(),
        }
    }

    /// The URLs and the root certificate, without a credential.
    pub fn bare_config(&self) -> Config {
        let mut config = Config::default();
        config.set_base_url(&self.base_url()).unwrap();
        config.set_token_url(&self.token_url()).unwrap();
        config.set_ca_bundle_pem(self.ca_pem()).unwrap();
        config.set_proxy_from_environment(false);
        config
    }

    /// A configuration with the emulator's PERS key.
    pub fn config(&self) -> Config {
        let mut config = self.bare_config();
        config
            .set_authorization_key(&self.authorization_key())
            .unwrap();
        config
    }

    /// The same, changed by `change`.
    pub fn config_with(&self, change: impl FnOnce(&mut Config)) -> Config {
        let mut config = self.config();
        change(&mut config);
        config
    }

    pub fn client(&self) -> Client {
        client(self.config())
    }

    /// A client that shares neither token nor connections with another: it has a key and a
    /// `connect_timeout` of its own.
    pub fn stranger(&self) -> Client {
        self.stranger_with(|_| {})
    }

    pub fn stranger_with(&self, change: impl FnOnce(&mut Config)) -> Client {
        static STRANGERS: AtomicU64 = AtomicU64::new(0);
        let number = STRANGERS.fetch_add(1, Ordering::Relaxed);
        let key = self.authorization_key_for("GIGACHAT_API_PERS", &format!("stranger {number}"));
        client(self.config_with(|config| {
            config.set_authorization_key(&key).unwrap();
            config
                .set_connect_timeout(Duration::from_millis(10_000 + number))
                .unwrap();
            change(config);
        }))
    }

    pub fn client_with(&self, change: impl FnOnce(&mut Config)) -> Client {
        client(self.config_with(change))
    }

    /// The next request of this kind is met by this.
    pub fn once(&self, endpoint: Endpoint, action: Action) {
        self.faults().add(Fault::new(endpoint, action));
    }

    /// Every request of this kind is met by this.
    pub fn always(&self, endpoint: Endpoint, action: Action) {
        self.faults().add(Fault::new(endpoint, action).for_ever());
    }

    /// Waits until the emulator has seen this; fails the test if it does not.
    #[track_caller]
    pub fn sees(&self, what: &str, reached: impl FnMut(&Counters) -> bool) -> Counters {
        match self.wait_until(SOON, reached) {
            Ok(counters) => counters,
            Err(counters) => panic!("the emulator did not see {what}: {counters:#?}"),
        }
    }
}

/// A provider with this configuration, as a client.
pub fn client(config: Config) -> Client {
    Client::new(provider(config))
}

/// A provider that can be asked for its permits beside being called.
pub fn provider(config: Config) -> Arc<GigaChat> {
    Arc::new(GigaChat::new(config).expect("a configuration that can work"))
}

/// Runs a test over HTTP/1.1 and over HTTP/2, each with an emulator of its own.
pub fn on_both_wires(test: impl Fn(&Service) + Send + Sync + 'static) {
    on_both_wires_with(Options::default(), test);
}

/// The same without the service's limit on generation requests at once.
pub fn on_both_wires_unlimited(test: impl Fn(&Service) + Send + Sync + 'static) {
    let options = Options {
        concurrency: Some(0),
        ..Options::default()
    };
    on_both_wires_with(options, test);
}

pub fn on_both_wires_with(options: Options, test: impl Fn(&Service) + Send + Sync + 'static) {
    let test = Arc::new(test);
    let runs = [Wire::Http1, Wire::Http2].map(|wire| {
        let (test, options) = (test.clone(), options.clone());
        start_bounded(format!("over {wire:?}"), move || {
            let service = Service::start(wire, options);
            test(&service);
            spoke_only(&service);
        })
    });
    runs.into_iter().for_each(|finish| finish());
}

/// The proof that the protocol was the one that the test is said to run over.
fn spoke_only(service: &Service) {
    let counters = service.counters();
    let other = match service.wire {
        Wire::Http1 => counters.http2_requests,
        Wire::Http2 => counters.http1_requests,
    };
    assert_eq!(
        other, 0,
        "requests over the other protocol than {:?}",
        service.wire
    );
}

/// Runs a test and fails it when it hangs.
pub fn bounded<T: Send + 'static>(test: impl FnOnce() -> T + Send + 'static) -> T {
    start_bounded("the test".to_owned(), test)()
}

fn start_bounded<T: Send + 'static>(
    name: String,
    test: impl FnOnce() -> T + Send + 'static,
) -> impl FnOnce() -> T {
    let (done, wait) = channel();
    let begun = Instant::now();
    let running = thread::Builder::new()
        .name(name.clone())
        .spawn(move || {
            let outcome = test();
            // Nobody waits any more when the bound has passed.
            let _ = done.send(());
            outcome
        })
        .expect("a thread");
    move || {
        let left = HANGS_AFTER.saturating_sub(begun.elapsed());
        if let Err(RecvTimeoutError::Timeout) = wait.recv_timeout(left) {
            panic!("{name} hangs: it is not done after {HANGS_AFTER:?}");
        }
        running.join().unwrap_or_else(|panic| resume_unwind(panic))
    }
}

/// Calls from this many threads at the same moment; the outcomes.
pub fn at_once<T: Send>(threads: usize, call: impl Fn(usize) -> T + Sync) -> Vec<T> {
    let start = Barrier::new(threads);
    thread::scope(|scope| {
        let running: Vec<_> = (0..threads)
            .map(|number| {
                let (start, call) = (&start, &call);
                scope.spawn(move || {
                    start.wait();
                    call(number)
                })
            })
            .collect();
        running
            .into_iter()
            .map(|thread| thread.join().unwrap_or_else(|panic| resume_unwind(panic)))
            .collect()
    })
}

/// Asserts that every call was answered.
#[track_caller]
pub fn all_answered(outcomes: Vec<gigachat::Result<Response>>) {
    let failed: Vec<_> = outcomes
        .iter()
        .filter_map(|outcome| outcome.as_ref().err())
        .collect();
    assert!(
        failed.is_empty(),
        "{} of {} failed, first: {:?}",
        failed.len(),
        outcomes.len(),
        failed[0]
    );
}

/// A replacement of the answer with this status, body and headers.
pub fn answer_with(code: u16, body: &str, headers: &[(&str, &str)]) -> Action {
    let headers: BTreeMap<String, String> = headers
        .iter()
        .map(|(name, value)| (name.to_string(), value.to_string()))
        .collect();
    Action::Status {
        code,
        body: Some(body.to_owned()),
        content_type: None,
        headers,
    }
}

/// A status that a client may repeat the request after, at once or nearly.
pub fn passing(code: u16) -> Action {
    Action::status(code).with_header("retry-after-ms", "20")
}
