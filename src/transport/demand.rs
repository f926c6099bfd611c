//! Notices that a server asks for a client certificate while there is none to show.
//!
//! In TLS 1.3 the server's refusal comes after the client's side of the handshake is done, and
//! hyper drops it together with the connection when that happens before the request is on its
//! way: what is left is "connection closed". So the question is remembered, to explain the end.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use rustls::SignatureScheme;
use rustls::client::ResolvesClientCert;
use rustls::sign::CertifiedKey;

use crate::error::{Error, ErrorKind, Phase};

/// Whether a server of this client has asked for a certificate in vain.
#[derive(Clone, Debug, Default)]
pub(super) struct CertificateDemand(Arc<AtomicBool>);

impl CertificateDemand {
    /// Listens to the handshakes of this configuration, unless it has a certificate to show.
    pub(super) fn watch(&self, tls: &mut rustls::ClientConfig) {
        if !tls.client_auth_cert_resolver.has_certs() {
            tls.client_auth_cert_resolver = Arc::new(self.clone());
        }
    }

    /// The error of a connection that was opened for the request and broke before its answer.
    pub(super) fn explain(&self, error: Error, host: &str) -> Error {
        let broke = error.kind() == ErrorKind::Connection && error.phase() != Phase::Connect;
        if !broke || !self.0.load(Ordering::Relaxed) {
            return error;
        }
        let text = format!(
            "TLS with {host} failed: the server asked for a client certificate and then closed the connection: set certificate_file and private_key_file (or GIGACHAT_CERT_FILE and GIGACHAT_KEY_FILE)"
        );
        Error::new(ErrorKind::Tls, Phase::Connect, text)
    }
}

impl ResolvesClientCert for CertificateDemand {
    fn resolve(&self, _: &[&[u8]], _: &[SignatureScheme]) -> Option<Arc<CertifiedKey>> {
        self.0.store(true, Ordering::Relaxed);
        None
    }

    fn has_certs(&self) -> bool {
        false
    }
}
