//! What the GigaChat providers of one runtime generation share: credentials, TLS configurations,
//! connections.

use std::collections::HashMap;
use std::sync::{Arc, Weak};
use std::time::Duration;

use tokio_util::sync::CancellationToken;

use crate::auth::Registry;
use crate::auth::flight::{Joined, SingleFlight};
use crate::config::proxy::Route;
use crate::error::{Error, ErrorKind, Phase, Result};
use crate::fingerprint::{Fingerprint, Fingerprints};
use crate::locals::Local;
use crate::sync::{Mutex, lock};
use crate::tls::TlsSettings;
use crate::transport::HttpClient;

/// The shared state of one generation. Nothing in here outlives its last user, apart from what
/// waits for the next one for a while; and no table has a secret in its keys.
#[derive(Default)]
pub(crate) struct Shared {
    pub(crate) credentials: Registry,
    /// Ends what waits for a next user.
    pub(crate) closing: CancellationToken,
    fingerprints: Fingerprints,
    /// Reading the system's roots takes tens of milliseconds; providers with the same settings
    /// share the result.
    tls: Mutex<HashMap<Fingerprint, Arc<TlsSlot>>>,
    clients: Mutex<HashMap<Fingerprint, Weak<HttpClient>>>,
}

/// What makes two providers share connections.
#[derive(Hash)]
pub(crate) struct ClientSettings {
    pub(crate) purpose: Purpose,
    pub(crate) origin: String,
    pub(crate) route: Route,
    pub(crate) tls: TlsSettings,
    pub(crate) connect_timeout: Duration,
    pub(crate) max_connections: u32,
}

/// What connections are for.
#[derive(Clone, Copy, Hash)]
pub(crate) enum Purpose {
    Api,
    /// Kept apart, since its buffers have seen the authorization key: they go with its last user.
    Token,
}

impl Shared {
    /// The client for these settings, made by `make` when nobody has it.
    pub(crate) fn client(
        &self,
        settings: &ClientSettings,
        make: impl FnOnce() -> Result<HttpClient>,
    ) -> Result<Arc<HttpClient>> {
        let fingerprint = self.fingerprints.of(settings);
        let mut clients = lock(&self.clients);
        if let Some(client) = clients.get(&fingerprint).and_then(Weak::upgrade) {
            return Ok(client);
        }
        clients.retain(|_, client| client.strong_count() > 0);
        let client = Arc::new(make()?);
        clients.insert(fingerprint, Arc::downgrade(&client));
        Ok(client)
    }

    /// The TLS configuration for these settings; built once, whoever asks, on a thread of its own:
    /// it reads files and parses a few hundred certificates, and the I/O thread has other calls.
    pub(crate) async fn tls(&self, settings: &TlsSettings) -> TlsOutcome {
        let slot = self.tls_slot(self.fingerprints.of(settings));
        let wait = match slot.flight.join(|| lock(&slot.built).upgrade().map(Ok)) {
            Joined::Ready(built) => return built,
            Joined::Follow(wait) => wait,
            Joined::Lead(lead, wait) => {
                let lead = lead.or_abandoned(Err(Error::shut_down()));
                let (settings, slot) = (settings.clone(), slot.clone());
                drop(tokio::task::spawn_blocking(move || {
                    let built = build_tls(&settings);
                    let known = built.as_ref().map_or(Weak::new(), Arc::downgrade);
                    lead.land(built, || *lock(&slot.built) = known);
                }));
                wait
            }
        };
        wait.await
    }

    fn tls_slot(&self, fingerprint: Fingerprint) -> Arc<TlsSlot> {
        let mut slots = lock(&self.tls);
        if let Some(slot) = slots.get(&fingerprint) {
            return slot.clone();
        }
        // Those that nobody builds and nobody uses.
        slots.retain(|_, slot| Arc::strong_count(slot) > 1 || lock(&slot.built).strong_count() > 0);
        slots.entry(fingerprint).or_default().clone()
    }
}

impl Local for Shared {
    /// Closes the idle connections of every client, and keeps nothing for a next user.
    fn close(&self) {
        self.closing.cancel();
        let clients = std::mem::take(&mut *lock(&self.clients));
        clients
            .values()
            .filter_map(Weak::upgrade)
            .for_each(|client| client.close());
    }
}

type TlsOutcome = Result<Arc<rustls::ClientConfig>>;

/// The configuration of one kind of settings, as long as connections use it, and the building of
/// it. A failure is not kept: the file that was missing may be there next time.
struct TlsSlot {
    flight: Arc<SingleFlight<TlsOutcome>>,
    built: Mutex<Weak<rustls::ClientConfig>>,
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
