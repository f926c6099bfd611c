//! `ValidConfig`: a configuration whose fields also agree with one another.
//!
//! The transport takes nothing else, so a request can't be sent with a half-checked one.

use std::ffi::OsString;
use std::ops::Deref;

use url::{Host, Url};

use super::proxy::{self, Route};
use super::{Config, ProxyChoice, key};
use crate::error::{Error, ErrorKind, Result};
use crate::process;
use crate::secret::Secret;

/// Each permit that processes share is a file, which is looked at every few milliseconds.
const MOST_SHARED: u32 = 100;

/// A checked configuration. Reads like a [`Config`]; cannot be changed.
#[derive(Clone, Debug)]
pub struct ValidConfig {
    config: Config,
    credential: CredentialSource,
    api_route: Route,
    token_route: Route,
    /// SSL_CERT_FILE and SSL_CERT_DIR, read with the rest on the thread that makes the provider.
    system_roots: [Option<OsString>; 2],
}

/// Which credential the configuration uses. When several are given the order is that of the
/// official SDK: access token, authorization key, user and password, client certificate alone.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub enum CredentialSource {
    /// Sent as it is, never refreshed.
    AccessToken(Secret),
    /// Exchanged at the token URL for the configured scope.
    AuthorizationKey(Secret),
    /// Exchanged at `{base_url}/token`.
    Password {
        /// Sent with the password as HTTP Basic.
        user: String,
        /// The password.
        password: Secret,
    },
    /// The TLS client certificate is the credential; no `Authorization` header is sent.
    ClientCertificate,
}

impl Deref for ValidConfig {
    type Target = Config;

    fn deref(&self) -> &Config {
        &self.config
    }
}

impl ValidConfig {
    /// The credential in use.
    pub fn credential(&self) -> &CredentialSource {
        &self.credential
    }

    /// The permit limit in force; `None` is no limit (I5).
    pub fn concurrency(&self) -> Option<u32> {
        let by_default = match self.credential {
            CredentialSource::AuthorizationKey(_) => self.config.scope.default_concurrency(),
            _ => 0,
        };
        Some(self.config.max_concurrency.unwrap_or(by_default)).filter(|limit| *limit > 0)
    }

    /// Whether a 429 sends a call back to the queue; a program that wants no retries wants that
    /// neither.
    pub(crate) fn waits_on_rate_limit(&self) -> bool {
        self.config.wait_on_rate_limit && self.config.max_retries > 0
    }

    /// How the API's host is reached.
    pub(crate) fn api_route(&self) -> &Route {
        &self.api_route
    }

    /// How the token endpoint's host is reached.
    pub(crate) fn token_route(&self) -> &Route {
        &self.token_route
    }

    /// SSL_CERT_FILE and SSL_CERT_DIR as they were when the configuration was checked.
    pub(crate) fn system_roots(&self) -> &[Option<OsString>; 2] {
        &self.system_roots
    }

    /// Where tokens come from: the token URL, or `{base_url}/token` for user and password.
    pub fn token_endpoint(&self) -> String {
        match self.credential {
            CredentialSource::Password { .. } => format!("{}/token", self.config.base_url),
            _ => self.config.token_url.clone(),
        }
    }
}

impl Config {
    /// Checks what concerns several fields: a credential, plain http, certificate and key.
    pub fn validate(self) -> Result<ValidConfig> {
        let credential = self.credential_source()?;
        let needs_token = matches!(credential, CredentialSource::AuthorizationKey(_));
        self.check_plain_http("base_url", &self.base_url)?;
        if needs_token {
            self.check_plain_http("token_url", &self.token_url)?;
        }
        if self.certificate.is_none() && self.private_key.is_some() {
            return Err(Error::missing(
                ErrorKind::Configuration,
                "certificate_file",
                "a private key needs it",
            ));
        }
        if self.shared_permits.is_some() && self.max_concurrency > Some(MOST_SHARED) {
            return Err(Error::configuration(
                "max_concurrency",
                self.max_concurrency.unwrap_or_default(),
                "100 at the most with shared_permits",
            ));
        }
        let api_route = self.route("base_url", &self.base_url)?;
        let token_route = match needs_token {
            true => self.route("token_url", &self.token_url)?,
            false => api_route.clone(),
        };
        Ok(ValidConfig {
            config: self,
            credential,
            api_route,
            token_route,
            system_roots: ["SSL_CERT_FILE", "SSL_CERT_DIR"].map(process::unasked_variable),
        })
    }

    fn route(&self, field: &str, text: &str) -> Result<Route> {
        let url =
            Url::parse(text).map_err(|why| Error::configuration(field, why, "a valid URL"))?;
        let route = match &self.proxy {
            ProxyChoice::Url(url) => Route::Proxy(url.clone()),
            ProxyChoice::Direct => Route::Direct,
            // I9: plain http is for this machine only, so no proxy of the environment may see it.
            ProxyChoice::Environment if url.scheme() == "http" && is_loopback(&url) => {
                Route::Direct
            }
            ProxyChoice::Environment => proxy::of_environment(&url, |name| {
                process::unasked_variable(name)?.into_string().ok()
            })?,
        };
        let by_number = matches!(url.host(), Some(Host::Ipv6(_))) && url.scheme() == "https";
        if by_number && matches!(route, Route::Proxy(_)) {
            // The HTTP client cannot name such a host in the TLS handshake behind a proxy.
            return Err(Error::configuration(
                field,
                "an IPv6 address together with a proxy",
                "a host name, or excepted by NO_PROXY",
            ));
        }
        Ok(route)
    }

    fn credential_source(&self) -> Result<CredentialSource> {
        if let Some(token) = &self.access_token {
            return Ok(CredentialSource::AccessToken(token.clone()));
        }
        if let Some(key) = &self.authorization_key {
            key::check("authorization_key", key)?;
            return Ok(CredentialSource::AuthorizationKey(key.clone()));
        }
        if let (Some(user), Some(password)) = (&self.user, &self.password) {
            return Ok(CredentialSource::Password {
                user: user.clone(),
                password: password.clone(),
            });
        }
        if self.certificate.is_some() {
            return Ok(CredentialSource::ClientCertificate);
        }
        Err(Error::missing(
            ErrorKind::Configuration,
            "authorization_key",
            "give it (GIGACHAT_CREDENTIALS), or an access token, or user and password, or a client certificate",
        ))
    }

    /// I9: credentials in clear text go to this machine only, unless the user insists.
    fn check_plain_http(&self, field: &str, text: &str) -> Result<()> {
        let url =
            Url::parse(text).map_err(|why| Error::configuration(field, why, "a valid URL"))?;
        if url.scheme() == "http" && !is_loopback(&url) && !self.allow_insecure_http {
            return Err(Error::configuration(
                field,
                format!("{text:?} (credentials would travel unencrypted)"),
                "an https:// URL; http:// is for 127.0.0.0/8, [::1] and localhost, or with allow_insecure_http",
            ));
        }
        Ok(())
    }
}

/// Whether the URL's host is this machine by its very name: 127/8, ::1 or `localhost`.
pub(crate) fn is_loopback(url: &Url) -> bool {
    match url.host() {
        Some(Host::Ipv4(address)) => address.is_loopback(),
        Some(Host::Ipv6(address)) => address.is_loopback(),
        Some(Host::Domain(name)) => name.eq_ignore_ascii_case("localhost"),
        None => false,
    }
}
