//! What the providers of one runtime generation share: credentials and TLS configurations.
//!
//! It is made anew with each generation (first use, after a fork, after a shutdown), so a lock in
//! here can never be one that a forked child inherited in a locked state.

use std::collections::HashMap;
use std::sync::{Arc, Weak};

use crate::auth::Registry;
use crate::auth::flight::{Joined, SingleFlight};
use crate::error::Result;
use crate::sync::{Mutex, lock};
use crate::tls::TlsSettings;
use crate::transport::HttpClient;

/// The shared state of one generation.
#[derive(Default)]
pub(crate) struct Shared {
    /// Tells generations apart, in this process and its forked children.
    pub(crate) era: Era,
    pub(crate) credentials: Registry,
    /// Reading the system's roots takes tens of milliseconds; providers with the same settings
    /// share the result.
    tls: Mutex<HashMap<TlsSettings, Arc<TlsSlot>>>,
    clients: Mutex<Vec<Weak<HttpClient>>>,
}

/// Which generation something belongs to.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct Era {
    /// The fork counter at its start.
    pub(crate) fork: u64,
    /// Its number within the process.
    pub(crate) number: u64,
}

impl Era {
    /// Whether it was begun in a parent of this process.
    pub(crate) fn is_inherited(self) -> bool {
        self.fork != crate::process::fork_count()
    }
}

impl Shared {
    pub(crate) fn new(era: Era) -> Shared {
        Shared {
            era,
            ..Shared::default()
        }
    }

    /// Remembers a client for the shutdown.
    pub(crate) fn adopt(&self, client: HttpClient) -> Arc<HttpClient> {
        let client = Arc::new(client);
        let mut clients = lock(&self.clients);
        clients.retain(|known| known.strong_count() > 0);
        clients.push(Arc::downgrade(&client));
        client
    }

    /// Closes the idle connections of every client.
    pub(crate) fn close_connections(&self) {
        let clients = std::mem::take(&mut *lock(&self.clients));
        clients
            .iter()
            .filter_map(Weak::upgrade)
            .for_each(|client| client.close());
    }

    /// The TLS configuration for these settings; built once, whoever asks, on a thread of its own:
    /// it reads files and parses a few hundred certificates, and the I/O thread has other calls.
    pub(crate) async fn tls(&self, settings: &TlsSettings) -> TlsOutcome {
        let slot = lock(&self.tls).entry(settings.clone()).or_default().clone();
        let wait = match slot.flight.join(|| lock(&slot.built).clone().map(Ok)) {
            Joined::Ready(built) => return built,
            Joined::Follow(wait) => wait,
            Joined::Lead(lead, wait) => {
                let lead = lead.or_abandoned(Err(crate::Error::shut_down()));
                let (settings, slot) = (settings.clone(), slot.clone());
                drop(tokio::task::spawn_blocking(move || {
                    let built = build_tls(&settings);
                    lead.land(built.clone(), || *lock(&slot.built) = built.ok());
                }));
                wait
            }
        };
        wait.await
    }
}

type TlsOutcome = Result<Arc<rustls::ClientConfig>>;

/// The configuration of one kind of settings, and the building of it. A failure is not kept: the
/// file that was missing may be there next time.
struct TlsSlot {
    flight: Arc<SingleFlight<TlsOutcome>>,
    built: Mutex<Option<Arc<rustls::ClientConfig>>>,
}

impl Default for TlsSlot {
    fn default() -> TlsSlot {
        TlsSlot {
            flight: Arc::new(SingleFlight::new()),
            built: Mutex::default(),
        }
    }
}

fn build_tls(settings: &TlsSettings) -> TlsOutcome {
    crate::tls::client_config(settings).map_err(not_usable)
}

/// The same with the user's own roots only, for the fuzz targets.
#[cfg(feature = "fuzzing")]
pub(crate) fn tls_without_system_store(settings: &TlsSettings) -> TlsOutcome {
    crate::tls::client_config_without_system_store(settings).map_err(not_usable)
}

fn not_usable(why: crate::tls::TlsConfigError) -> crate::Error {
    let kind = match why.passes {
        true => crate::ErrorKind::Internal,
        false => crate::ErrorKind::Configuration,
    };
    let text = format!("{}: {}", why.field, why.message);
    crate::Error::new(kind, crate::Phase::Connect, text).with_retryable(why.passes)
}
