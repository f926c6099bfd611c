//! Notices that a server asks for a client certificate while there is none to show.
//!
//! In TLS 1.3 the server's refusal comes after the client's side of the handshake is done, and
//! hyper drops it together with the connection when that happens before the request is on its
//! way: what is left is "connection closed". So the question is remembered, to explain the end.
//!
//! Many servers only ask (a certificate is optional). One that answers, or that sends a session
//! ticket, has accepted the handshake as it is: from then on a broken connection is just that.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU32, Ordering};

use rustls::client::{
    ClientSessionMemoryCache, ClientSessionStore, ResolvesClientCert, Resumption,
    Tls12ClientSessionValue, Tls13ClientSessionValue,
};
use rustls::pki_types::ServerName;
use rustls::sign::CertifiedKey;
use rustls::{NamedGroup, SignatureScheme};

use crate::error::{Error, ErrorKind, Phase};

/// So many connections in a row that broke after the question are the server's refusal: one
/// alone may have broken for any reason.
const REFUSALS: u32 = 2;
/// Sessions that can be resumed; the size of rustls's own store.
const SESSIONS: usize = 256;

/// Whether a server of this client has asked for a certificate in vain.
#[derive(Clone, Debug, Default)]
pub(super) struct CertificateDemand(Arc<State>);

#[derive(Debug, Default)]
struct State {
    asked: AtomicBool,
    /// The server goes on without a certificate.
    accepted: AtomicBool,
    /// Connections that broke before an answer, after the question.
    broke: AtomicU32,
}

impl CertificateDemand {
    /// Listens to the handshakes of this configuration, unless it has a certificate to show.
    pub(super) fn watch(&self, tls: &mut rustls::ClientConfig) {
        if !tls.client_auth_cert_resolver.has_certs() {
            tls.client_auth_cert_resolver = Arc::new(self.clone());
            tls.resumption = Resumption::store(Arc::new(WatchedSessions {
                sessions: ClientSessionMemoryCache::new(SESSIONS),
                demand: self.clone(),
            }));
        }
    }

    /// The server has accepted a handshake, or answered: it can do without a certificate.
    pub(super) fn accepted(&self) {
        self.0.accepted.store(true, Ordering::Relaxed);
    }

    /// The error of a connection that was opened for the request and broke before its answer.
    pub(super) fn explain(&self, error: Error, host: &str) -> Error {
        let state = &self.0;
        let broke = error.kind() == ErrorKind::Connection && error.phase() != Phase::Connect;
        let in_vain =
            state.asked.load(Ordering::Relaxed) && !state.accepted.load(Ordering::Relaxed);
        if !broke || !in_vain {
            return error;
        }
        const REMEDY: &str = "set certificate_file and private_key_file (or GIGACHAT_CERT_FILE and GIGACHAT_KEY_FILE)";
        if state.broke.fetch_add(1, Ordering::Relaxed) + 1 >= REFUSALS {
            let text = format!(
                "TLS with {host} failed: the server asked for a client certificate and then closed the connection: {REMEDY}"
            );
            return Error::new(ErrorKind::Tls, Phase::Connect, text);
        }
        let text = format!(
            "{}; the server asked for a client certificate before: if it needs one, {REMEDY}",
            error.message()
        );
        Error::new(error.kind(), error.phase(), text).with_retryable(error.retryable())
    }
}

impl ResolvesClientCert for CertificateDemand {
    fn resolve(&self, _: &[&[u8]], _: &[SignatureScheme]) -> Option<Arc<CertifiedKey>> {
        self.0.asked.store(true, Ordering::Relaxed);
        None
    }

    fn has_certs(&self) -> bool {
        false
    }
}

/// rustls's own store, which tells when a server offers to resume a session: it does so only
/// once it has accepted the handshake (RFC 8446, 4.6.1).
#[derive(Debug)]
struct WatchedSessions {
    sessions: ClientSessionMemoryCache,
    demand: CertificateDemand,
}

impl ClientSessionStore for WatchedSessions {
    fn set_kx_hint(&self, server: ServerName<'static>, group: NamedGroup) {
        self.sessions.set_kx_hint(server, group);
    }

    fn kx_hint(&self, server: &ServerName<'_>) -> Option<NamedGroup> {
        self.sessions.kx_hint(server)
    }

    fn set_tls12_session(&self, server: ServerName<'static>, session: Tls12ClientSessionValue) {
        self.demand.accepted();
        self.sessions.set_tls12_session(server, session);
    }

    fn tls12_session(&self, server: &ServerName<'_>) -> Option<Tls12ClientSessionValue> {
        self.sessions.tls12_session(server)
    }

    fn remove_tls12_session(&self, server: &ServerName<'static>) {
        self.sessions.remove_tls12_session(server);
    }

    fn insert_tls13_ticket(&self, server: ServerName<'static>, ticket: Tls13ClientSessionValue) {
        self.demand.accepted();
        self.sessions.insert_tls13_ticket(server, ticket);
    }

    fn take_tls13_ticket(&self, server: &ServerName<'static>) -> Option<Tls13ClientSessionValue> {
        self.sessions.take_tls13_ticket(server)
    }
}
