//! For tests: certification authorities, certificates, and handshakes between two ends in memory.

use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use pkcs8::{Document, LineEnding};
use rcgen::{BasicConstraints, CertificateParams, DnType, IsCa, Issuer, KeyPair};
use rustls::pki_types::{CertificateDer, PrivateKeyDer, PrivatePkcs8KeyDer, ServerName};
use rustls::server::WebPkiClientVerifier;
use rustls::{
    ClientConfig, ClientConnection, ConnectionCommon, Error, RootCertStore, ServerConfig,
    ServerConnection, SideData, SupportedProtocolVersion,
};

use super::system_store::{StoreLocations, StoreVariables};
use super::trust::Trust;
use super::verifier::ExplainingVerifier;
use super::{TlsSettings, client_config_with};

/// A certification authority, root or intermediate.
pub(super) struct Authority {
    issuer: Issuer<'static, KeyPair>,
    certificate: rcgen::Certificate,
    /// What a server has to send besides its own certificate.
    intermediates: Vec<CertificateDer<'static>>,
}

/// A certificate, the chain to send with it, and its key.
pub(super) struct Identity {
    pub(super) chain: Vec<CertificateDer<'static>>,
    pub(super) key: KeyPair,
}

impl Authority {
    /// A root with this common name and the organisation "Tests".
    pub(super) fn new(name: &str) -> Self {
        let (params, key) = (authority_params(name), KeyPair::generate().unwrap());
        let certificate = params.self_signed(&key).unwrap();
        Self {
            issuer: Issuer::new(params, key),
            certificate,
            intermediates: Vec::new(),
        }
    }

    /// An authority under this one.
    pub(super) fn intermediate(&self, name: &str) -> Self {
        let (params, key) = (authority_params(name), KeyPair::generate().unwrap());
        let certificate = params.signed_by(&key, &self.issuer).unwrap();
        let mut intermediates = vec![certificate.der().clone()];
        intermediates.extend(self.intermediates.iter().cloned());
        Self {
            issuer: Issuer::new(params, key),
            certificate,
            intermediates,
        }
    }

    pub(super) fn root(&self) -> CertificateDer<'static> {
        self.certificate.der().clone()
    }

    pub(super) fn root_pem(&self) -> String {
        self.certificate.pem()
    }

    /// A certificate for these names and addresses.
    pub(super) fn issue(&self, names: &[&str]) -> Identity {
        self.issue_with(names, |_| ())
    }

    /// The same, after a change of its parameters.
    pub(super) fn issue_with(
        &self,
        names: &[&str],
        change: impl FnOnce(&mut CertificateParams),
    ) -> Identity {
        let mut params = params(names, names.first().unwrap_or(&"no name"));
        change(&mut params);
        let key = KeyPair::generate().unwrap();
        let certificate = params.signed_by(&key, &self.issuer).unwrap();
        let mut chain = vec![certificate.der().clone()];
        chain.extend(self.intermediates.iter().cloned());
        Identity { chain, key }
    }
}

/// A certificate that vouches for itself.
pub(super) fn self_signed(names: &[&str], change: impl FnOnce(&mut CertificateParams)) -> Identity {
    let mut params = params(names, "self");
    change(&mut params);
    let key = KeyPair::generate().unwrap();
    let certificate = params.self_signed(&key).unwrap();
    Identity {
        chain: vec![certificate.der().clone()],
        key,
    }
}

fn authority_params(name: &str) -> CertificateParams {
    let mut params = params(&[], name);
    params.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
    params
}

fn params(names: &[&str], common_name: &str) -> CertificateParams {
    let names: Vec<String> = names.iter().map(|&name| name.to_owned()).collect();
    let mut params = CertificateParams::new(names).unwrap();
    let name = &mut params.distinguished_name;
    name.push(DnType::CommonName, common_name);
    name.push(DnType::OrganizationName, "Tests");
    params
}

impl Identity {
    pub(super) fn key_der(&self) -> PrivateKeyDer<'static> {
        PrivatePkcs8KeyDer::from(self.key.serialize_der()).into()
    }

    /// The certificate alone.
    pub(super) fn certificate_pem(&self) -> String {
        pem(&self.chain[0])
    }

    /// The certificate and those that have to be sent with it.
    pub(super) fn chain_pem(&self) -> String {
        self.chain.iter().map(pem).collect()
    }

    /// A server with this certificate that asks nobody for theirs.
    pub(super) fn server(&self) -> ServerConfig {
        server_builder(rustls::ALL_VERSIONS)
            .with_no_client_auth()
            .with_single_cert(self.chain.clone(), self.key_der())
            .unwrap()
    }

    /// A server that demands a client certificate under `root`.
    pub(super) fn server_demanding(
        &self,
        root: CertificateDer<'static>,
        version: &'static SupportedProtocolVersion,
    ) -> ServerConfig {
        let mut roots = RootCertStore::empty();
        roots.add(root).unwrap();
        let provider = Arc::new(rustls::crypto::ring::default_provider());
        let verifier = WebPkiClientVerifier::builder_with_provider(Arc::new(roots), provider)
            .build()
            .unwrap();
        server_builder(&[version])
            .with_client_cert_verifier(verifier)
            .with_single_cert(self.chain.clone(), self.key_der())
            .unwrap()
    }
}

fn pem(certificate: &CertificateDer<'_>) -> String {
    let document = Document::try_from(certificate.as_ref()).unwrap();
    document.to_pem("CERTIFICATE", LineEnding::LF).unwrap()
}

pub(super) fn server_builder(
    versions: &[&'static SupportedProtocolVersion],
) -> rustls::ConfigBuilder<ServerConfig, rustls::WantsVerifier> {
    ServerConfig::builder_with_provider(Arc::new(rustls::crypto::ring::default_provider()))
        .with_protocol_versions(versions)
        .unwrap()
}

/// A client with these settings on a machine without any root certificates.
pub(super) fn client(settings: &TlsSettings) -> Arc<ClientConfig> {
    let (nowhere, unset) = (StoreLocations::default(), StoreVariables::default());
    client_config_with(settings, &nowhere, &unset).unwrap()
}

/// A client that believes exactly these anchors.
pub(super) fn trusting(trust: Trust) -> Arc<ClientConfig> {
    let provider = Arc::new(rustls::crypto::ring::default_provider());
    let verifier = ExplainingVerifier::new(trust, &provider).unwrap();
    let client = ClientConfig::builder_with_provider(provider)
        .with_safe_default_protocol_versions()
        .unwrap()
        .dangerous()
        .with_custom_certificate_verifier(Arc::new(verifier))
        .with_no_client_auth();
    Arc::new(client)
}

/// A handshake in memory; its outcome is what the client sees.
pub(super) fn handshake(
    client: &Arc<ClientConfig>,
    server: ServerConfig,
    host: &str,
) -> Result<(), Error> {
    let host = ServerName::try_from(host.to_owned()).unwrap();
    let mut client = ClientConnection::new(Arc::clone(client), host)?;
    let mut server = ServerConnection::new(Arc::new(server)).unwrap();
    loop {
        let mut moved = 0;
        // The server's own error reaches the client as an alert.
        let _ = deliver(&mut client, &mut server, &mut moved);
        deliver(&mut server, &mut client, &mut moved)?;
        if moved == 0 {
            assert!(!client.is_handshaking(), "the handshake stalled");
            return Ok(());
        }
    }
}

fn deliver<A: SideData, B: SideData>(
    from: &mut ConnectionCommon<A>,
    to: &mut ConnectionCommon<B>,
    moved: &mut usize,
) -> Result<(), Error> {
    let mut wire = Vec::new();
    while from.wants_write() {
        *moved += from.write_tls(&mut wire).unwrap();
    }
    let mut wire = wire.as_slice();
    while !wire.is_empty() {
        to.read_tls(&mut wire).unwrap();
        to.process_new_packets()?;
    }
    Ok(())
}

/// A directory of one test, removed at its end.
pub(super) struct Scratch(PathBuf);

impl Scratch {
    pub(super) fn new() -> Self {
        static COUNT: AtomicUsize = AtomicUsize::new(0);
        let count = COUNT.fetch_add(1, Ordering::Relaxed);
        let name = format!("gigachat-tls-{}-{count}", std::process::id());
        let directory = std::env::temp_dir().join(name);
        std::fs::create_dir_all(&directory).unwrap();
        Self(directory)
    }

    /// Writes a file, with the directories above it, and tells its path.
    pub(super) fn write(&self, path: impl AsRef<Path>, text: impl AsRef<[u8]>) -> PathBuf {
        let path = self.0.join(path);
        std::fs::create_dir_all(path.parent().unwrap()).unwrap();
        std::fs::write(&path, text).unwrap();
        path
    }
}

impl Drop for Scratch {
    fn drop(&mut self) {
        let _ = std::fs::remove_dir_all(&self.0);
    }
}
