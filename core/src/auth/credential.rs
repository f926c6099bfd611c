//! One credential of this process: its current token, its one refresh, its permits.
//!
//! Providers that agree on everything that matters (token URL, scope, credential, TLS, proxy)
//! share one `Credential`, found through the `Registry` of the runtime's generation. It knows the
//! token, never the key: that is its users' (in their `TokenEndpoint`), so that a token can be kept
//! for the next user after the last has gone, and the key cannot.

use std::collections::HashMap;
use std::panic::AssertUnwindSafe;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::sync::{Arc, OnceLock, Weak};
use std::time::{Duration, Instant};

use arc_swap::ArcSwapOption;
use futures_util::FutureExt;
use tokio_util::sync::CancellationToken;

use super::AccessToken;
use super::exchange::TokenEndpoint;
use super::flight::{Joined, SingleFlight};
use super::shared_token;
use crate::config::CredentialSource;
use crate::config::proxy::Route;
use crate::error::{Error, ErrorKind, Phase, Result};
use crate::fingerprint::{Fingerprint, Fingerprints};
use crate::host::HostShare;
use crate::permit::Permits;
use crate::secret::Secret;
use crate::sync::{Mutex, lock};
use crate::tls::TlsSettings;

/// A failed refresh is the answer for everyone who asks within this time (I1).
const FAILURE_SHARED: Duration = Duration::from_secs(1);

/// What makes two providers share a credential.
#[derive(Clone, PartialEq, Eq, Hash)]
pub(crate) struct CredentialKey {
    pub(crate) token_url: String,
    pub(crate) scope: &'static str,
    pub(crate) source: CredentialSource,
    pub(crate) tls: TlsSettings,
    pub(crate) route: Route,
}

impl CredentialKey {
    /// What tells the credential from others in every process: what the service knows of it. How
    /// this process reaches the service is its own business.
    fn identity(&self) -> [&[u8]; 5] {
        let [kind, name, secret] = match &self.source {
            CredentialSource::AccessToken(token) => ["token", "", token.expose()],
            CredentialSource::AuthorizationKey(key) => ["key", "", key.expose()],
            CredentialSource::Password { user, password } => {
                ["password", user.as_str(), password.expose()]
            }
            CredentialSource::ClientCertificate => ["certificate", "", ""],
        };
        [&self.token_url, self.scope, kind, name, secret].map(str::as_bytes)
    }
}

/// The current token: lock-free, so that a forked child can read what its parent had.
#[derive(Default)]
pub(crate) struct TokenCell(ArcSwapOption<AccessToken>);

/// How a credential becomes a token.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Kind {
    /// It is exchanged for one.
    Exchanged,
    /// It is one.
    ReadyMade,
    /// The TLS client certificate stands for it.
    Certificate,
}

type Outcome = Result<Arc<AccessToken>>;

/// One credential and everything that its users share.
pub(crate) struct Credential {
    kind: Kind,
    /// Somebody sees to it that it outlives its users.
    kept: AtomicBool,
    cell: Arc<TokenCell>,
    flight: Arc<SingleFlight<Outcome>>,
    failure: Mutex<Option<(Instant, Error)>>,
    /// The last token was refused, so the next one is its replacement.
    refused: AtomicBool,
    /// It, when other processes may have left it for this one once more.
    refused_token: Mutex<Option<Secret>>,
    pub(crate) permits: Arc<Permits>,
    shared: OnceLock<Shared>,
}

/// What this credential shares with other processes.
struct Shared {
    place: String,
    share: Arc<HostShare>,
}

impl Credential {
    fn new(source: &CredentialSource, cell: Arc<TokenCell>) -> Credential {
        let kind = match source {
            CredentialSource::AccessToken(text) => {
                cell.0
                    .store(Some(Arc::new(AccessToken::ready_made(text.clone()))));
                Kind::ReadyMade
            }
            CredentialSource::ClientCertificate => Kind::Certificate,
            _ => Kind::Exchanged,
        };
        Credential {
            kind,
            kept: AtomicBool::new(false),
            cell,
            flight: Arc::new(SingleFlight::new()),
            failure: Mutex::new(None),
            refused: AtomicBool::new(false),
            refused_token: Mutex::new(None),
            permits: Arc::default(),
            shared: OnceLock::new(),
        }
    }

    /// Shares permits and token with the processes that have the same `place`. `key` tells this
    /// credential from others.
    pub(crate) fn share(&self, place: &str, key: &CredentialKey) -> Result<()> {
        if self.shared.get().is_none() {
            let share = HostShare::open(place, &key.identity()).map_err(|why| {
                let text = format!("shared_permits: {why}; give a folder that is yours alone");
                Error::new(ErrorKind::Configuration, Phase::Queue, text)
            })?;
            let place = place.to_owned();
            let _ = self.shared.set(Shared { place, share });
        }
        match self.shared.get() {
            Some(shared) if shared.place != place => Err(Error::configuration(
                "shared_permits",
                format!("{place:?}"),
                &format!(
                    "{:?}, as another provider with this credential has it",
                    shared.place
                ),
            )),
            _ => Ok(()),
        }
    }

    /// What is shared with other processes, if anything is.
    pub(crate) fn host_share(&self) -> Option<&Arc<HostShare>> {
        self.shared.get().map(|shared| &shared.share)
    }

    /// The token to send, fetched when there is none that is valid; `None` when the client
    /// certificate is the credential. Must be polled on the library's runtime.
    pub(crate) async fn token(
        self: &Arc<Self>,
        endpoint: &Arc<TokenEndpoint>,
    ) -> Result<Option<Arc<AccessToken>>> {
        if self.kind == Kind::Certificate {
            return Ok(None);
        }
        let now = Instant::now();
        if let Some(token) = self.usable(now) {
            if token.wants_renewal(now) {
                self.renew_in_background(endpoint);
            }
            return Ok(Some(token));
        }
        let wait = match self.flight.join(|| self.known_outcome()) {
            Joined::Ready(outcome) => return outcome.map(Some),
            Joined::Follow(wait) => wait,
            Joined::Lead(lead, wait) => {
                self.start(lead, endpoint);
                wait
            }
        };
        wait.await.map(Some)
    }

    /// A 401 was answered to this token: it is not used again, unless a newer one has already
    /// taken its place (I1). Returns whether a new token can be had at all: not while a replacement
    /// is refused as well, since then the account is what is refused.
    pub(crate) fn reject(&self, token: &AccessToken) -> bool {
        if self.kind != Kind::Exchanged || token.is_refused_for_itself() {
            return false;
        }
        self.flight.exclusively(|| {
            let current = self.cell.0.load();
            if current
                .as_ref()
                .is_some_and(|current| current.generation == token.generation)
            {
                self.cell.0.store(None);
                self.refused.store(true, Ordering::Relaxed);
                if self.host_share().is_some() {
                    *lock(&self.refused_token) = Some(token.text.clone());
                }
            }
        });
        true
    }

    fn usable(&self, now: Instant) -> Option<Arc<AccessToken>> {
        self.cell.0.load_full().filter(|token| token.is_usable(now))
    }

    /// What is known without asking the service: a token published meanwhile, a fresh failure.
    fn known_outcome(&self) -> Option<Outcome> {
        self.usable(Instant::now())
            .map(Ok)
            .or_else(|| self.fresh_failure())
    }

    fn fresh_failure(&self) -> Option<Outcome> {
        let failure = lock(&self.failure);
        let (at, error) = failure.as_ref()?;
        (at.elapsed() < FAILURE_SHARED).then(|| Err(error.clone()))
    }

    /// I2: the old token stays in use while one refresh runs.
    fn renew_in_background(self: &Arc<Self>, endpoint: &Arc<TokenEndpoint>) {
        let renewed = || {
            let now = Instant::now();
            let token = self.usable(now).filter(|token| !token.wants_renewal(now));
            token.map(Ok).or_else(|| self.fresh_failure())
        };
        if let Joined::Lead(lead, _) = self.flight.join(renewed) {
            self.start(lead, endpoint);
        }
    }

    /// Starts the refresh as a task of its own, which no caller's cancel ends.
    fn start(self: &Arc<Self>, lead: super::flight::Lead<Outcome>, endpoint: &Arc<TokenEndpoint>) {
        let gone = Error::new(
            ErrorKind::Shutdown,
            Phase::Token,
            "the token request ended with the library's runtime",
        );
        let lead = lead.or_abandoned(Err(gone));
        let credential = self.clone();
        let endpoint = endpoint.clone();
        let task = async move {
            let fetch = AssertUnwindSafe(credential.fetch(&endpoint)).catch_unwind();
            let outcome = match fetch.await {
                Ok(outcome) => outcome.map(Arc::new),
                Err(payload) => Err(Error::of_panic(&*payload)),
            };
            lead.land(outcome.clone(), || credential.publish(outcome));
        };
        // A task of its own, with the log of who asked for it.
        tokio::spawn(crate::tracing_scope::traced(task));
    }

    async fn fetch(&self, endpoint: &TokenEndpoint) -> Result<AccessToken> {
        match self.host_share() {
            Some(share) => {
                let refused = lock(&self.refused_token).clone();
                shared_token::fetch(share, endpoint, refused.as_ref()).await
            }
            None => endpoint.fetch().await,
        }
    }

    fn publish(&self, outcome: Outcome) {
        match outcome {
            Ok(token) => {
                *lock(&self.failure) = None;
                if self.refused.swap(false, Ordering::Relaxed) {
                    token.replaces_refused();
                }
                self.cell.0.store(Some(token));
            }
            Err(error) => *lock(&self.failure) = Some((Instant::now(), error)),
        }
    }
}

/// Credentials that are kept without a user, at most: a program may go through any number of keys.
const MOST_KEPT: usize = 1000;
static KEPT: AtomicUsize = AtomicUsize::new(0);

impl Credential {
    /// A user goes. Its token is worth a request of the next one, so it stays until it expires
    /// (a failure as long as it is shared); a program that makes a provider for each call would
    /// otherwise ask for a token with each. `closing` ends that: a shutdown waits for no next one.
    pub(crate) fn outlive(
        self: &Arc<Self>,
        runtime: &tokio::runtime::Handle,
        closing: &CancellationToken,
    ) {
        if self.kind != Kind::Exchanged || self.worth_until().is_none() {
            return;
        }
        if self.kept.swap(true, Ordering::Relaxed) {
            return;
        }
        let others = KEPT.fetch_add(1, Ordering::Relaxed);
        let keeping = Keeping(self.clone());
        if others >= MOST_KEPT {
            return;
        }
        runtime.spawn(closing.clone().run_until_cancelled_owned(async move {
            while let Some(until) = keeping.0.worth_until() {
                tokio::time::sleep_until(until.into()).await;
            }
        }));
    }

    /// How long others may have use of what is known here.
    fn worth_until(&self) -> Option<Instant> {
        let token = self.cell.0.load_full().and_then(|token| token.expires_at());
        let failure = lock(&self.failure)
            .as_ref()
            .map(|(at, _)| *at + FAILURE_SHARED);
        let now = Instant::now();
        token
            .into_iter()
            .chain(failure)
            .filter(|until| *until > now)
            .max()
    }
}

/// Holds a credential for its next user.
struct Keeping(Arc<Credential>);

impl Drop for Keeping {
    fn drop(&mut self) {
        KEPT.fetch_sub(1, Ordering::Relaxed);
        self.0.kept.store(false, Ordering::Relaxed);
    }
}

/// All credentials in use in one generation of the runtime.
#[derive(Default)]
pub(crate) struct Registry {
    fingerprints: Fingerprints,
    known: Mutex<HashMap<Fingerprint, Weak<Credential>>>,
}

impl Registry {
    /// The credential for this key; a new one starts with the token in `cell`, if any.
    pub(crate) fn get(&self, key: &CredentialKey, cell: &Arc<TokenCell>) -> Arc<Credential> {
        let fingerprint = self.fingerprints.of(key);
        let mut known = lock(&self.known);
        if let Some(credential) = known.get(&fingerprint).and_then(Weak::upgrade) {
            return credential;
        }
        known.retain(|_, credential| credential.strong_count() > 0);
        let credential = Arc::new(Credential::new(&key.source, cell.clone()));
        known.insert(fingerprint, Arc::downgrade(&credential));
        credential
    }
}
