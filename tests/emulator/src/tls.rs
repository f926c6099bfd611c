//! The test certification authority, made anew at each start, and the certificates it signs.
//!
//! Nothing here is a secret: the keys live as long as the process, for loopback.

use std::io;
use std::sync::{Arc, OnceLock};

use pkcs8::LineEnding;
use pkcs8::pkcs5::pbes2;
use rcgen::{
    BasicConstraints, CertificateParams, CertifiedIssuer, DnType, ExtendedKeyUsagePurpose, IsCa,
    KeyPair, KeyUsagePurpose,
};
use rustls::server::WebPkiClientVerifier;
use rustls::{RootCertStore, ServerConfig};

/// The password of the encrypted client key.
pub const CLIENT_KEY_PASSWORD: &str = "emulator-key-password";

/// The names that the server's certificate is for: loopback, and the service's own.
const NAMES: [&str; 6] = [
    "localhost",
    "127.0.0.1",
    "::1",
    "api.giga.chat",
    "ngw.devices.sberbank.ru",
    "gigachat.devices.sberbank.ru",
];

/// A TLS listener that is wrong, or different, in one way.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum TlsVariant {
    /// The certificate is for another host.
    WrongHost,
    /// The certificate has expired.
    Expired,
    /// The certificate is signed by a root that nobody knows.
    UnknownRoot,
    /// All is well, but only HTTP/1.1 is offered.
    Http1Only,
    /// All is well, but the TLS version is 1.2.
    Tls12Only,
    /// All is well; a client certificate is asked for and not needed.
    AsksForCertificate,
}

/// What a listener demands and offers.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(crate) enum Demand {
    Nothing,
    ClientCertificate,
    Variant(TlsVariant),
}

pub(crate) struct Authority {
    root: CertifiedIssuer<'static, KeyPair>,
    pub ca_pem: String,
    pub client_cert_pem: String,
    pub client_key_pem: String,
    client_key: KeyPair,
    client_key_encrypted_pem: OnceLock<String>,
}

impl Authority {
    pub fn new() -> io::Result<Authority> {
        let root = root("GigaChat emulator test CA")?;
        let client_key = KeyPair::generate().map_err(io::Error::other)?;
        let mut client = CertificateParams::default();
        client
            .distinguished_name
            .push(DnType::CommonName, "GigaChat emulator client");
        client.extended_key_usages = vec![ExtendedKeyUsagePurpose::ClientAuth];
        let client_cert = client
            .signed_by(&client_key, &root)
            .map_err(io::Error::other)?;
        Ok(Authority {
            ca_pem: root.pem(),
            root,
            client_cert_pem: client_cert.pem(),
            client_key_pem: client_key.serialize_pem(),
            client_key,
            client_key_encrypted_pem: OnceLock::new(),
        })
    }

    /// The client's key under `CLIENT_KEY_PASSWORD`; empty if it cannot be encrypted, which does not happen.
    pub fn client_key_encrypted_pem(&self) -> &str {
        self.client_key_encrypted_pem
            .get_or_init(|| encrypted_pem(&self.client_key).unwrap_or_default())
    }

    /// A certificate for the service's names and loopback, and its key, for a server of a test's own.
    pub fn server_identity(&self) -> io::Result<(String, String)> {
        let key = KeyPair::generate().map_err(io::Error::other)?;
        let names: Vec<String> = NAMES.iter().map(ToString::to_string).collect();
        let mut params = CertificateParams::new(names).map_err(io::Error::other)?;
        params.extended_key_usages = vec![ExtendedKeyUsagePurpose::ServerAuth];
        let certificate = params
            .signed_by(&key, &self.root)
            .map_err(io::Error::other)?;
        Ok((certificate.pem(), key.serialize_pem()))
    }

    pub fn server_config(&self, demand: Demand) -> io::Result<Arc<ServerConfig>> {
        let other_root;
        let signer = match demand {
            Demand::Variant(TlsVariant::UnknownRoot) => {
                other_root = root("A root that nobody knows")?;
                &other_root
            }
            _ => &self.root,
        };
        let names: Vec<String> = match demand {
            Demand::Variant(TlsVariant::WrongHost) => vec!["elsewhere.example".to_owned()],
            _ => NAMES.iter().map(ToString::to_string).collect(),
        };
        let key = KeyPair::generate().map_err(io::Error::other)?;
        let mut params = CertificateParams::new(names).map_err(io::Error::other)?;
        params.extended_key_usages = vec![ExtendedKeyUsagePurpose::ServerAuth];
        if demand == Demand::Variant(TlsVariant::Expired) {
            params.not_before = rcgen::date_time_ymd(2020, 1, 1);
            params.not_after = rcgen::date_time_ymd(2021, 1, 1);
        }
        let certificate = params.signed_by(&key, signer).map_err(io::Error::other)?;
        self.config(demand, certificate, &key)
    }

    fn config(
        &self,
        demand: Demand,
        certificate: rcgen::Certificate,
        key: &KeyPair,
    ) -> io::Result<Arc<ServerConfig>> {
        let provider = Arc::new(rustls::crypto::ring::default_provider());
        let versions: &[_] = match demand {
            Demand::Variant(TlsVariant::Tls12Only) => &[&rustls::version::TLS12],
            _ => rustls::DEFAULT_VERSIONS,
        };
        let builder = ServerConfig::builder_with_provider(provider.clone())
            .with_protocol_versions(versions)
            .map_err(io::Error::other)?;
        let builder = match demand {
            Demand::ClientCertificate | Demand::Variant(TlsVariant::AsksForCertificate) => {
                let mut roots = RootCertStore::empty();
                roots
                    .add(self.root.der().clone())
                    .map_err(io::Error::other)?;
                let verifier =
                    WebPkiClientVerifier::builder_with_provider(Arc::new(roots), provider);
                let verifier = match demand {
                    Demand::ClientCertificate => verifier,
                    _ => verifier.allow_unauthenticated(),
                };
                builder.with_client_cert_verifier(verifier.build().map_err(io::Error::other)?)
            }
            _ => builder.with_no_client_auth(),
        };
        let key = rustls::pki_types::PrivatePkcs8KeyDer::from(key.serialize_der());
        let mut config = builder
            .with_single_cert(vec![certificate.der().clone()], key.into())
            .map_err(io::Error::other)?;
        config.alpn_protocols = match demand {
            Demand::Variant(TlsVariant::Http1Only) => vec![b"http/1.1".to_vec()],
            _ => vec![b"h2".to_vec(), b"http/1.1".to_vec()],
        };
        Ok(Arc::new(config))
    }
}

fn root(name: &str) -> io::Result<CertifiedIssuer<'static, KeyPair>> {
    let mut params = CertificateParams::default();
    params.distinguished_name.push(DnType::CommonName, name);
    params.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
    params.key_usages = vec![KeyUsagePurpose::KeyCertSign, KeyUsagePurpose::CrlSign];
    let key = KeyPair::generate().map_err(io::Error::other)?;
    CertifiedIssuer::self_signed(params, key).map_err(io::Error::other)
}

/// PKCS #8 under PBES2 (PBKDF2 with SHA-256, AES-256-CBC), which every TLS library reads.
fn encrypted_pem(key: &KeyPair) -> Option<String> {
    let mut random = [0; 32];
    getrandom::fill(&mut random).ok()?;
    let (salt, iv) = random.split_at(16);
    let iv: &[u8; 16] = iv.try_into().ok()?;
    let parameters = pbes2::Parameters::pbkdf2_sha256_aes256cbc(2048, salt, iv).ok()?;
    let der = key.serialize_der();
    let plain = pkcs8::PrivateKeyInfo::try_from(der.as_slice()).ok()?;
    let encrypted = plain
        .encrypt_with_params(parameters, CLIENT_KEY_PASSWORD)
        .ok()?;
    let pem = encrypted
        .to_pem("ENCRYPTED PRIVATE KEY", LineEnding::LF)
        .ok()?;
    Some(pem.to_string())
}
