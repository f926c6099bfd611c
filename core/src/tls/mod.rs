//! The TLS room: which servers we believe, and how we show who we are.
//!
//! It turns a caller's [`TlsSettings`] into one rustls configuration, which the token connection
//! and the API connection share, and it tells a TLS failure in words that a person can act on
//! ([`explain()`]). It opens no sockets and keeps no cache: its caller keys one by `TlsSettings`.

mod explain;
mod identity;
mod pem;
mod private_key;
mod refusal;
mod russian_root;
mod system_store;
mod trust;
mod verifier;

#[cfg(test)]
mod test_authority;

use std::fmt;
use std::sync::Arc;

use rustls::ClientConfig;
use rustls::client::danger::ServerCertVerifier;
use rustls::sign::SingleCertAndKey;

pub use explain::explain;
pub use identity::ClientIdentity;
pub use pem::PemSource;

use system_store::StoreLocations;
pub use system_store::StoreVariables;
use trust::Trust;
use verifier::{AcceptAnyCertificate, ExplainingVerifier};

/// What the caller decided about TLS.
///
/// Equality and hash make it the key of the process's cache of configurations. A file counts by
/// its path: a file that changes later is not read again while the configuration lives.
/// `Debug` shows neither key material nor the password.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct TlsSettings {
    /// Whether the server's certificate is verified. `true` unless the caller insists.
    pub verify: bool,
    /// Root certificates that are trusted in addition to the system's, for every host.
    pub ca_bundle: Option<PemSource>,
    /// The certificate and key with which this client identifies itself (mutual TLS).
    pub client_identity: Option<ClientIdentity>,
    /// Hosts, besides those of the service, for which the embedded Russian Trusted Root CA is
    /// trusted. A name stands for itself and its subdomains; an IP address for itself.
    pub russian_root_hosts: Vec<String>,
    /// The values of SSL_CERT_FILE and SSL_CERT_DIR: roots besides the system's.
    pub store_variables: StoreVariables,
}

impl Default for TlsSettings {
    fn default() -> Self {
        Self {
            verify: true,
            ca_bundle: None,
            client_identity: None,
            russian_root_hosts: Vec::new(),
            store_variables: StoreVariables::default(),
        }
    }
}

/// The settings' names, as errors and explanations give them: those of the configuration's options.
pub mod field {
    /// Additional root certificates (GIGACHAT_CA_BUNDLE_FILE).
    pub const CA_BUNDLE: &str = "ca_bundle_file";
    /// The client certificate (GIGACHAT_CERT_FILE).
    pub const CERTIFICATE: &str = "certificate_file";
    /// The client certificate's private key (GIGACHAT_KEY_FILE).
    pub const PRIVATE_KEY: &str = "private_key_file";
    /// The password of an encrypted private key (GIGACHAT_KEY_FILE_PASSWORD).
    pub const PASSWORD: &str = "private_key_password";
    /// Hosts for which the Russian Trusted Root CA is trusted.
    pub const RUSSIAN_ROOT_HOSTS: &str = "russian_root_hosts";
    /// No setting: the TLS library itself refused.
    pub const TLS: &str = "tls";
}

/// A TLS setting that cannot be used: which one, and why.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct TlsConfigError {
    /// The setting's name, one of the constants in [`field`].
    pub field: &'static str,
    /// What is wrong and what to do about it. Never contains key material or a password.
    pub message: String,
    /// Whether the machine refused for the moment, so that the same setting may work later.
    pub passes: bool,
}

impl TlsConfigError {
    fn new(field: &'static str, message: impl Into<String>) -> Self {
        Self {
            field,
            message: message.into(),
            passes: false,
        }
    }

    /// Something named `what` could not be read.
    fn unreadable(field: &'static str, what: &dyn fmt::Display, error: &std::io::Error) -> Self {
        Self {
            passes: out_of_descriptors(error),
            ..Self::new(field, format!("cannot read {what}: {error}"))
        }
    }
}

/// Whether a file could not be opened only because too many are open (I12). Then nothing is known
/// of it, and what was read without it must not be kept.
fn out_of_descriptors(error: &std::io::Error) -> bool {
    #[cfg(unix)]
    return matches!(error.raw_os_error(), Some(libc::EMFILE | libc::ENFILE));
    #[cfg(not(unix))]
    return error.raw_os_error() == Some(4); // ERROR_TOO_MANY_OPEN_FILES
}

impl fmt::Display for TlsConfigError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}: {}", self.field, self.message)
    }
}

impl std::error::Error for TlsConfigError {}

/// Builds the client side's TLS configuration, offering HTTP/2 and HTTP/1.1.
///
/// Reading the system's certificates takes some ten milliseconds: do it once per settings.
///
/// # Errors
///
/// When the caller's bundle, certificate, key, password or hosts cannot be used. An empty
/// system store is no error; the message about an untrusted server mentions it.
pub fn client_config(settings: &TlsSettings) -> Result<Arc<ClientConfig>, TlsConfigError> {
    // What a fuzzer finds must not depend on the machine, and its roots take most of the time.
    let locations = match cfg!(feature = "fuzzing") {
        true => StoreLocations::default(),
        false => StoreLocations::known(),
    };
    client_config_with(settings, &locations, &settings.store_variables)
}

/// [`client_config`] without the system store, for the fuzz targets.
#[cfg(feature = "fuzzing")]
pub(crate) fn client_config_without_system_store(
    settings: &TlsSettings,
) -> Result<Arc<ClientConfig>, TlsConfigError> {
    let no_variables = StoreVariables::new(None, None);
    client_config_with(settings, &StoreLocations::default(), &no_variables)
}

/// [`client_config`] with the system store and the environment as arguments.
fn client_config_with(
    settings: &TlsSettings,
    locations: &StoreLocations,
    variables: &StoreVariables,
) -> Result<Arc<ClientConfig>, TlsConfigError> {
    // Passed explicitly everywhere: a library must not set the process's default provider.
    let provider = Arc::new(rustls::crypto::ring::default_provider());
    let identity = settings
        .client_identity
        .as_ref()
        .map(identity::load)
        .transpose()?;

    let verifier: Arc<dyn ServerCertVerifier> = if settings.verify {
        let trust = Trust::collect(settings, locations, variables)?;
        Arc::new(ExplainingVerifier::new(trust, &provider)?)
    } else {
        tracing::warn!(
            target: "gigachat::tls",
            "certificate verification is OFF: whoever sits between this program and the server \
             can read the credentials, the prompts and the answers. To trust one more root \
             certificate, set ca_bundle_file (or GIGACHAT_CA_BUNDLE_FILE) instead."
        );
        Arc::new(AcceptAnyCertificate::new(&provider))
    };

    let builder = ClientConfig::builder_with_provider(provider)
        .with_safe_default_protocol_versions()
        .map_err(|error| TlsConfigError::new(field::TLS, error.to_string()))?
        .dangerous()
        .with_custom_certificate_verifier(verifier);
    let mut config = match identity {
        Some(identity) => {
            builder.with_client_cert_resolver(Arc::new(SingleCertAndKey::from(identity)))
        }
        None => builder.with_no_client_auth(),
    };
    config.alpn_protocols = vec![b"h2".to_vec(), b"http/1.1".to_vec()];
    Ok(Arc::new(config))
}

#[cfg(test)]
mod tests {
    use super::test_authority::{Authority, client, handshake};
    use super::*;

    fn settings(ca_bundle: &str, password: &str) -> TlsSettings {
        TlsSettings {
            ca_bundle: Some(PemSource::Bytes(ca_bundle.as_bytes().into())),
            client_identity: Some(ClientIdentity {
                certificate: PemSource::File("client.pem".into()),
                key: Some(PemSource::Bytes(b"the key itself"[..].into())),
                password: Some(crate::Secret::new(password)),
            }),
            ..TlsSettings::default()
        }
    }

    #[test]
    fn settings_are_a_key_by_all_that_they_say() {
        let mut known = std::collections::HashSet::new();
        assert!(known.insert(settings("root", "one")));
        assert!(!known.insert(settings("root", "one")));
        assert!(known.insert(settings("root", "two")));
        assert!(known.insert(settings("other", "one")));
        assert!(known.insert(TlsSettings::default()));
    }

    // I13
    #[test]
    fn debug_shows_neither_key_nor_password() {
        let shown = format!("{:?}", settings("root", "swordfish"));
        assert!(shown.contains("client.pem"), "{shown}");
        assert!(!shown.contains("swordfish") && !shown.contains("itself"));
        assert!(!shown.contains("116, 104, 101"), "{shown}"); // "the" as numbers
    }

    #[test]
    fn http2_is_offered_before_http1() {
        let config = client_config(&TlsSettings::default()).unwrap();
        assert_eq!(config.alpn_protocols, [&b"h2"[..], b"http/1.1"]);
    }

    #[test]
    fn an_unusable_setting_is_refused_with_its_name() {
        let missing = PemSource::File("/no/such/file.pem".into());
        let bundle = TlsSettings {
            ca_bundle: Some(missing.clone()),
            ..TlsSettings::default()
        };
        let identity = TlsSettings {
            client_identity: Some(ClientIdentity {
                certificate: missing,
                key: None,
                password: None,
            }),
            ..TlsSettings::default()
        };
        let hosts = TlsSettings {
            russian_root_hosts: vec!["no host".to_owned()],
            ..TlsSettings::default()
        };
        for (settings, field) in [
            (bundle, "ca_bundle_file"),
            (identity, "certificate_file"),
            (hosts, "russian_root_hosts"),
        ] {
            assert_eq!(client_config(&settings).unwrap_err().field, field);
        }
    }

    // I8
    #[test]
    fn the_service_is_reachable_from_a_machine_without_certificates() {
        // With the true root nobody here can play the service; but it must be there, and the
        // empty store must not fail.
        let stranger = Authority::new("Stranger").issue(&["api.giga.chat"]);
        let config = client(&TlsSettings::default());
        assert!(handshake(&config, stranger.server(), "api.giga.chat").is_err());
    }
}
