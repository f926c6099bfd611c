//! What the GigaChat providers of one runtime generation share: credentials, TLS configurations,
//! connections.

use std::collections::HashMap;
use std::sync::{Arc, Weak};

use crate::auth::Registry;
use crate::auth::flight::{Joined, SingleFlight};
use crate::error::{Error, ErrorKind, Phase, Result};
use crate::locals::Local;
use crate::sync::{Mutex, lock};
use crate::tls::TlsSettings;
use crate::transport::HttpClient;

/// The shared state of one generation.
#[derive(Default)]
pub(crate) struct Shared {
    pub(crate) credentials: Registry,
    /// Reading the system's roots takes tens of milliseconds; providers with the same settings
    /// share the result.
    tls: Mutex<HashMap<TlsSettings, Arc<TlsSlot>>>,
    clients: Mutex<Vec<Weak<HttpClient>>>,
}

impl Shared {
    /// Remembers a client for the shutdown.
    pub(crate) fn adopt(&self, client: HttpClient) -> Arc<HttpClient> {
        let client = Arc::new(client);
        let mut clients = lock(&self.clients);
        clients.retain(|known| known.strong_count() > 0);
        clients.push(Arc::downgrade(&client));
        client
    }

    /// The TLS configuration for these settings; built once, whoever asks, on a thread of its own:
    /// it reads files and parses a few hundred certificates, and the I/O thread has other calls.
    pub(crate) async fn tls(&self, settings: &TlsSettings) -> TlsOutcome {
        let slot = lock(&self.tls).entry(settings.clone()).or_default().clone();
        let wait = match slot.flight.join(|| lock(&slot.built).clone().map(Ok)) {
            Joined::Ready(built) => return built,
            Joined::Follow(wait) => wait,
            Joined::Lead(lead, wait) => {
                let lead = lead.or_abandoned(Err(Error::shut_down()));
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

impl Local for Shared {
    /// Closes the idle connections of every client.
    fn close(&self) {
        let clients = std::mem::take(&mut *lock(&self.clients));
        clients
            .iter()
            .filter_map(Weak::upgrade)
            .for_each(|client| client.close());
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

fn not_usable(why: crate::tls::TlsConfigError) -> Error {
    let kind = match why.passes {
        true => ErrorKind::Internal,
        false => ErrorKind::Configuration,
    };
    let text = format!("{}: {}", why.field, why.message);
    Error::new(kind, Phase::Connect, text).with_retryable(why.passes)
}
