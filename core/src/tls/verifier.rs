//! The two judges of a server's certificate: one that verifies it and tells why it refuses, and
//! one that accepts anything, for callers who turned verification off.
//!
//! The judgement itself is webpki's. The words are made in `refusal.rs` and `explain.rs`.

use std::sync::Arc;

use rustls::client::WebPkiServerVerifier;
use rustls::client::danger::{HandshakeSignatureValid, ServerCertVerified, ServerCertVerifier};
use rustls::crypto::{
    CryptoProvider, WebPkiSupportedAlgorithms, verify_tls12_signature, verify_tls13_signature,
};
use rustls::pki_types::{CertificateDer, ServerName, UnixTime};
use rustls::{
    CertificateError, DigitallySignedStruct, Error, OtherError, RootCertStore, SignatureScheme,
};

use super::refusal::{Presented, Refusal};
use super::russian_root::ScopedRoot;
use super::trust::Trust;
use super::{TlsConfigError, field};

/// Verifies as webpki does, but says which root certificate is missing.
#[derive(Debug)]
pub(super) struct ExplainingVerifier {
    /// With the anchors for every host; `None` if there are none.
    general: Option<Arc<WebPkiServerVerifier>>,
    /// With the scoped root alone.
    scoped: Arc<WebPkiServerVerifier>,
    scoped_root: ScopedRoot,
    notes: Vec<String>,
}

impl ExplainingVerifier {
    pub(super) fn new(
        trust: Trust,
        provider: &Arc<CryptoProvider>,
    ) -> Result<Self, TlsConfigError> {
        let verifier = |store: RootCertStore| {
            WebPkiServerVerifier::builder_with_provider(Arc::new(store), Arc::clone(provider))
                .build()
                .map_err(|error| TlsConfigError::new(field::TLS, error.to_string()))
        };
        let general = match trust.anchors.is_empty() {
            true => None,
            false => Some(verifier(trust.anchors)?),
        };
        Ok(Self {
            general,
            scoped: verifier(trust.scoped_root.store()?)?,
            scoped_root: trust.scoped_root,
            notes: trust.notes,
        })
    }

    /// Asks those whose word counts for this host. The scoped root's does only within its scope,
    /// and only where nobody else knows the issuer.
    fn judge(
        &self,
        host: &ServerName<'_>,
        judge: impl Fn(&WebPkiServerVerifier) -> Result<ServerCertVerified, Error>,
    ) -> Result<ServerCertVerified, Error> {
        let unknown = || Err(CertificateError::UnknownIssuer.into());
        let outcome = self.general.as_deref().map_or_else(unknown, &judge);
        match outcome {
            Err(Error::InvalidCertificate(CertificateError::UnknownIssuer))
                if self.scoped_root.scope.covers(host) =>
            {
                judge(&self.scoped)
            }
            outcome => outcome,
        }
    }

    /// Replaces an error that does not tell what is missing by one that does.
    fn tell(&self, error: Error, host: &ServerName<'_>, presented: &Presented<'_>) -> Error {
        if error != Error::InvalidCertificate(CertificateError::UnknownIssuer) {
            return error;
        }
        let outside = match self.scoped_root.scope.covers(host) {
            true => None,
            false => Refusal::outside_scope(presented, &self.scoped_root),
        };
        let refusal = outside.unwrap_or_else(|| Refusal::unknown_issuer(presented, &self.notes));
        CertificateError::Other(OtherError(Arc::new(refusal))).into()
    }
}

impl ServerCertVerifier for ExplainingVerifier {
    fn verify_server_cert(
        &self,
        end_entity: &CertificateDer<'_>,
        intermediates: &[CertificateDer<'_>],
        server_name: &ServerName<'_>,
        ocsp_response: &[u8],
        now: UnixTime,
    ) -> Result<ServerCertVerified, Error> {
        self.judge(server_name, |webpki| {
            webpki.verify_server_cert(end_entity, intermediates, server_name, ocsp_response, now)
        })
        .map_err(|error| {
            let presented = Presented {
                host: &server_name.to_str(),
                end_entity,
                intermediates,
            };
            self.tell(error, server_name, &presented)
        })
    }

    fn verify_tls12_signature(
        &self,
        message: &[u8],
        cert: &CertificateDer<'_>,
        dss: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, Error> {
        self.scoped.verify_tls12_signature(message, cert, dss)
    }

    fn verify_tls13_signature(
        &self,
        message: &[u8],
        cert: &CertificateDer<'_>,
        dss: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, Error> {
        self.scoped.verify_tls13_signature(message, cert, dss)
    }

    fn supported_verify_schemes(&self) -> Vec<SignatureScheme> {
        self.scoped.supported_verify_schemes()
    }
}

/// Accepts any certificate for any host. The server still has to prove that it holds the key of
/// the certificate that it shows.
#[derive(Debug)]
pub(super) struct AcceptAnyCertificate {
    algorithms: WebPkiSupportedAlgorithms,
}

impl AcceptAnyCertificate {
    pub(super) fn new(provider: &CryptoProvider) -> Self {
        Self {
            algorithms: provider.signature_verification_algorithms,
        }
    }
}

impl ServerCertVerifier for AcceptAnyCertificate {
    fn verify_server_cert(
        &self,
        _end_entity: &CertificateDer<'_>,
        _intermediates: &[CertificateDer<'_>],
        _server_name: &ServerName<'_>,
        _ocsp_response: &[u8],
        _now: UnixTime,
    ) -> Result<ServerCertVerified, Error> {
        Ok(ServerCertVerified::assertion())
    }

    fn verify_tls12_signature(
        &self,
        message: &[u8],
        cert: &CertificateDer<'_>,
        dss: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, Error> {
        verify_tls12_signature(message, cert, dss, &self.algorithms)
    }

    fn verify_tls13_signature(
        &self,
        message: &[u8],
        cert: &CertificateDer<'_>,
        dss: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, Error> {
        verify_tls13_signature(message, cert, dss, &self.algorithms)
    }

    fn supported_verify_schemes(&self) -> Vec<SignatureScheme> {
        self.algorithms.supported_schemes()
    }
}

#[cfg(test)]
mod tests {
    use std::sync::Mutex;

    use rcgen::{BasicConstraints, IsCa, date_time_ymd};
    use rustls::crypto::ring::sign::any_supported_type;
    use rustls::sign::{CertifiedKey, SingleCertAndKey};
    use rustls::version::{TLS12, TLS13};

    use super::super::TlsSettings;
    use super::super::test_authority::{Authority, client, handshake, self_signed, server_builder};
    use super::*;

    fn unverified() -> TlsSettings {
        TlsSettings {
            verify: false,
            ..TlsSettings::default()
        }
    }

    #[test]
    fn without_verification_any_certificate_will_do() {
        let client = client(&unverified());
        let stranger = Authority::new("Stranger").issue(&["other.example"]);
        let expired = self_signed(&["host.example"], |params| {
            params.not_after = date_time_ymd(2001, 1, 1);
        });
        let authority = self_signed(&[], |params| {
            params.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
        });
        for server in [stranger, expired, authority] {
            assert_eq!(handshake(&client, server.server(), "host.example"), Ok(()));
        }
    }

    #[test]
    fn the_server_must_hold_the_key_of_its_certificate_in_any_case() {
        let root = Authority::new("Root");
        let shown = root.issue(&["host.example"]);
        let held = root.issue(&["host.example"]);
        let verified = TlsSettings {
            ca_bundle: Some(super::super::PemSource::Bytes(
                root.root_pem().into_bytes().into(),
            )),
            ..TlsSettings::default()
        };
        for settings in [unverified(), verified] {
            let client = client(&settings);
            for version in [&TLS12, &TLS13] {
                let key = any_supported_type(&held.key_der()).unwrap();
                let impostor = CertifiedKey::new(shown.chain.clone(), key);
                let server = server_builder(&[version])
                    .with_no_client_auth()
                    .with_cert_resolver(Arc::new(SingleCertAndKey::from(impostor)));
                let outcome = handshake(&client, server, "host.example");
                let refused = Error::InvalidCertificate(CertificateError::BadSignature);
                assert_eq!(outcome, Err(refused));
            }
        }
    }

    #[test]
    fn switching_verification_off_warns_loudly() {
        let log = Log::default();
        tracing::subscriber::with_default(log.clone(), || {
            client(&TlsSettings::default());
        });
        assert_eq!(log.warnings(), [""; 0]);
        tracing::subscriber::with_default(log.clone(), || {
            client(&unverified());
        });
        let warnings = log.warnings();
        assert_eq!(warnings.len(), 1);
        assert!(warnings[0].contains("verification is OFF"), "{warnings:?}");
        assert!(warnings[0].contains("ca_bundle_file"), "{warnings:?}");
    }

    #[test]
    fn a_scope_that_is_a_whole_top_level_domain_is_warned_of() {
        for (host, warnings) in [("ru", 1), ("corp.ru", 0), ("::1", 0)] {
            let log = Log::default();
            tracing::subscriber::with_default(log.clone(), || {
                client(&TlsSettings {
                    russian_root_hosts: vec![host.to_owned()],
                    ..TlsSettings::default()
                });
            });
            assert_eq!(log.warnings().len(), warnings, "{host}");
        }
    }

    /// Collects the warnings of target gigachat::tls.
    #[derive(Clone, Default)]
    struct Log(Arc<Mutex<Vec<String>>>);

    impl Log {
        fn warnings(&self) -> Vec<String> {
            self.0.lock().unwrap().clone()
        }
    }

    impl tracing::Subscriber for Log {
        fn enabled(&self, metadata: &tracing::Metadata<'_>) -> bool {
            metadata.target() == "gigachat::tls" && *metadata.level() == tracing::Level::WARN
        }

        fn event(&self, event: &tracing::Event<'_>) {
            struct Message(String);
            impl tracing::field::Visit for Message {
                fn record_debug(
                    &mut self,
                    field: &tracing::field::Field,
                    value: &dyn std::fmt::Debug,
                ) {
                    if field.name() == "message" {
                        self.0 = format!("{value:?}");
                    }
                }
            }
            let mut message = Message(String::new());
            event.record(&mut message);
            self.0.lock().unwrap().push(message.0);
        }

        fn new_span(&self, _: &tracing::span::Attributes<'_>) -> tracing::span::Id {
            tracing::span::Id::from_u64(1)
        }
        fn record(&self, _: &tracing::span::Id, _: &tracing::span::Record<'_>) {}
        fn record_follows_from(&self, _: &tracing::span::Id, _: &tracing::span::Id) {}
        fn enter(&self, _: &tracing::span::Id) {}
        fn exit(&self, _: &tracing::span::Id) {}
    }
}
