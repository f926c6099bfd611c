//! What a provider has in one runtime generation: connections, credential, permits.

use std::sync::Arc;

use arc_swap::ArcSwapOption;
use reqwest::Url;
use reqwest::header::HeaderValue;
use tokio_util::sync::CancellationToken;

use super::request_ids::RequestIds;
use super::shared::{ClientSettings, Purpose, Shared};
use crate::api::{self, Ask, CHAT, CHAT_V2};
use crate::api_version::ApiVersion;
use crate::auth::{Credential, CredentialKey, TokenCell, TokenEndpoint};
use crate::config::ValidConfig;
use crate::config::proxy::{self, Route};
use crate::error::{Error, Result};
use crate::permit::RegisteredLimit;
use crate::process::Era;
use crate::tls::{ClientIdentity, StoreVariables, TlsSettings};
use crate::transport::HttpClient;

/// Connections and credential of one provider.
pub(super) struct Session {
    pub(super) config: Arc<ValidConfig>,
    pub(super) api: Arc<HttpClient>,
    pub(super) credential: Arc<Credential>,
    pub(super) token_endpoint: Arc<TokenEndpoint>,
    pub(super) user_agent: HeaderValue,
    pub(super) request_ids: RequestIds,
    chat_url: Url,
    chat_v2_url: Url,
    /// Whether the connections may wait for a next user.
    outlives: bool,
    runtime: Option<tokio::runtime::Handle>,
    /// Cancelled when the generation closes.
    closing: CancellationToken,
    _limit: RegisteredLimit,
}

impl Drop for Session {
    /// The last user of a configuration is often followed by another (a client per call), who
    /// finds token and connections as they were.
    fn drop(&mut self) {
        let Some(runtime) = &self.runtime else { return };
        self.credential.outlive(runtime, &self.closing);
        if self.outlives {
            self.api.outlive(runtime, &self.closing);
        }
    }
}

impl Session {
    /// Prepares connections and joins those who share the credential. Opens no connection.
    pub(super) fn open(
        config: &Arc<ValidConfig>,
        token: &Arc<TokenCell>,
        shared: &Shared,
        key: CredentialKey,
        tls: Arc<rustls::ClientConfig>,
    ) -> Result<Session> {
        let credential = shared.credentials.get(&key, token);
        if let Some(place) = &config.shared_permits {
            credential.share(place, &key)?;
        }
        let user_agent = HeaderValue::from_bytes(config.user_agent.as_bytes())
            .map_err(|_| Error::configuration("user_agent", "this text", "a valid header value"))?;
        let client = |purpose, url: &str, route: &Route| {
            let settings = ClientSettings {
                purpose,
                origin: parsed(url)?.origin().ascii_serialization(),
                route: route.clone(),
                tls: key.tls.clone(),
                connect_timeout: config.connect_timeout,
                max_connections: match purpose {
                    Purpose::Api => config.max_connections_per_host,
                    Purpose::Token => 0,
                },
            };
            shared.client(&settings, || {
                HttpClient::new(url, route, config, &tls, settings.max_connections)
            })
        };
        let api = client(Purpose::Api, &config.base_url, config.api_route())?;
        let token_endpoint = TokenEndpoint {
            client: client(Purpose::Token, &key.token_url, config.token_route())?,
            url: parsed(&key.token_url)?,
            scope: config.scope.name(),
            source: key.source.clone(),
            user_agent: user_agent.clone(),
            max_retries: config.max_retries,
        };
        // What a client certificate or a proxy's password stands for goes with its last user.
        let outlives = key.tls.client_identity.is_none()
            && !matches!(config.api_route(), Route::Proxy(proxy) if proxy::has_user(proxy));
        Ok(Session {
            request_ids: RequestIds::new(),
            chat_url: parsed(&format!("{}{}", config.base_url, CHAT.path))?,
            chat_v2_url: api::join(&config.base_url, &api::Place::Row(CHAT_V2.path.to_owned()))?,
            api,
            outlives,
            runtime: tokio::runtime::Handle::try_current().ok(),
            closing: shared.closing.clone(),
            _limit: credential.permits.register(config.concurrency()),
            token_endpoint: Arc::new(token_endpoint),
            config: config.clone(),
            credential,
            user_agent,
        })
    }
}

/// What decides whose credential, token and permits a configuration's are.
pub(super) fn credential_key(config: &ValidConfig) -> CredentialKey {
    CredentialKey {
        token_url: config.token_endpoint(),
        scope: config.scope.name(),
        source: config.credential().clone(),
        tls: tls_settings(config),
        route: config.token_route().clone(),
    }
}

fn tls_settings(config: &ValidConfig) -> TlsSettings {
    TlsSettings {
        verify: config.verify_tls,
        ca_bundle: config.ca_bundle.clone(),
        client_identity: config
            .certificate
            .as_ref()
            .map(|certificate| ClientIdentity {
                certificate: certificate.clone(),
                key: config.private_key.clone(),
                password: config.private_key_password.clone(),
            }),
        russian_root_hosts: config.russian_root_hosts.clone(),
        store_variables: {
            let [file, directories] = config.system_roots().clone();
            StoreVariables::new(file, directories)
        },
    }
}

impl Session {
    /// Where an ask goes; the URL of nearly every one is parsed once.
    pub(super) fn url(&self, ask: &Ask) -> Result<Url> {
        let default = self.config.api_version;
        match (ask.is_usual(), ask.version(default)) {
            (true, ApiVersion::V1) => Ok(self.chat_url.clone()),
            (true, ApiVersion::V2) => Ok(self.chat_v2_url.clone()),
            (false, _) => api::join(&self.config.base_url, &ask.place(default)?),
        }
    }
}

fn parsed(url: &str) -> Result<Url> {
    Url::parse(url).map_err(|why| Error::configuration("base_url", why, "a valid URL"))
}

/// A value that belongs to one generation and is made again for the next.
///
/// What a forked child inherited is leaked, never dropped: closing an inherited socket would
/// take it out of the poll set that the child shares with its parent. So is what is left of a
/// generation that died, whose tasks cannot be woken.
pub(super) struct PerGeneration<T> {
    current: ArcSwapOption<(Era, Arc<T>)>,
}

impl<T> Default for PerGeneration<T> {
    fn default() -> PerGeneration<T> {
        PerGeneration {
            current: ArcSwapOption::empty(),
        }
    }
}

impl<T> PerGeneration<T> {
    /// The value of this generation, if it was made.
    pub(super) fn of(&self, era: Era) -> Option<Arc<T>> {
        let known = self.current.load();
        let entry = known.as_ref().filter(|entry| entry.0 == era)?;
        Some(entry.1.clone())
    }

    /// The value of this generation; made by `make` when there is none.
    pub(super) fn get(&self, era: Era, make: impl FnOnce() -> Result<T>) -> Result<Arc<T>> {
        let known = self.current.load();
        if let Some(entry) = known.as_ref().filter(|entry| entry.0 == era) {
            return Ok(entry.1.clone());
        }
        let made = Arc::new((era, Arc::new(make()?)));
        let previous = self.current.compare_and_swap(&known, Some(made.clone()));
        match previous.as_ref() {
            // Another thread was faster: its value is the one that everybody uses.
            Some(entry) if entry.0 == era => Ok(entry.1.clone()),
            _ => {
                leak_if_out_of_reach(previous.clone());
                Ok(made.1.clone())
            }
        }
    }

    /// The value made last, whichever generation it belongs to, unless it is a parent's.
    pub(super) fn current(&self) -> Option<Arc<T>> {
        let known = self.current.load();
        known
            .as_ref()
            .filter(|entry| !entry.0.is_inherited())
            .map(|entry| entry.1.clone())
    }
}

impl<T> Drop for PerGeneration<T> {
    fn drop(&mut self) {
        leak_if_out_of_reach(self.current.swap(None));
    }
}

fn leak_if_out_of_reach<T>(entry: Option<Arc<(Era, Arc<T>)>>) {
    if let Some(entry) = entry.filter(|entry| entry.0.is_out_of_reach()) {
        std::mem::forget(entry);
    }
}
