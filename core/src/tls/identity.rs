//! The client's own certificate (mutual TLS): the chain, and the key that belongs to it.
//!
//! The key's formats and its decryption are in `private_key.rs`.

use std::sync::Arc;

use rustls::pki_types::CertificateDer;
use rustls::sign::{CertifiedKey, SigningKey};
use rustls::{Error, InconsistentKeys};

use super::{PemSource, TlsConfigError, field, private_key};
use crate::secret::Secret;

/// What a client shows to a server that asks who it is.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct ClientIdentity {
    /// The certificate and those that vouch for it, PEM.
    pub certificate: PemSource,
    /// The private key, PEM. `None` if it stands beside the certificate.
    pub key: Option<PemSource>,
    /// The password of an encrypted key.
    pub password: Option<Secret>,
}

/// Reads the certificate and its key, and sees that they belong together.
pub(super) fn load(identity: &ClientIdentity) -> Result<CertifiedKey, TlsConfigError> {
    let chain = identity.certificate.certificates(field::CERTIFICATE)?;
    let source = identity.key.as_ref().unwrap_or(&identity.certificate);
    let text = source.read(field::PRIVATE_KEY)?;
    let password = identity.password.as_ref().map(Secret::expose);
    let key = private_key::signing_key(&text, password)
        .map_err(|trouble| trouble.into_config_error(source))?;
    certified(chain, key).map_err(|reason| {
        TlsConfigError::new(
            field::PRIVATE_KEY,
            format!(
                "the private key in {source} does not belong to a certificate in {}: {reason}",
                identity.certificate
            ),
        )
    })
}

/// Puts the certificate that the key belongs to first, as TLS demands; exports from other
/// programs put the authority's there.
fn certified(
    mut chain: Vec<CertificateDer<'static>>,
    key: Arc<dyn SigningKey>,
) -> Result<CertifiedKey, Error> {
    let mut reason = Error::InconsistentKeys(InconsistentKeys::KeyMismatch);
    for index in 0..chain.len() {
        let candidate = CertifiedKey::new(vec![chain[index].clone()], Arc::clone(&key));
        match candidate.keys_match() {
            Ok(()) => {
                chain[..=index].rotate_right(1);
                return Ok(CertifiedKey::new(chain, key));
            }
            Err(error) => reason = error,
        }
    }
    Err(reason)
}

#[cfg(test)]
mod tests {
    use super::super::test_authority::{Authority, Scratch, client, handshake};
    use super::super::{TlsSettings, explain};
    use super::*;

    fn bytes(text: impl AsRef<[u8]>) -> PemSource {
        PemSource::Bytes(text.as_ref().into())
    }

    fn identity(certificate: &str, key: Option<&str>) -> ClientIdentity {
        ClientIdentity {
            certificate: bytes(certificate),
            key: key.map(bytes),
            password: None,
        }
    }

    /// What a server at host.example that demands a certificate under `root` says to `identity`.
    fn introduce(
        identity: Option<ClientIdentity>,
        root: CertificateDer<'static>,
        verify: bool,
    ) -> Vec<Result<(), Error>> {
        let authority = Authority::new("Server Root");
        let server = authority.issue(&["host.example"]);
        let client = client(&TlsSettings {
            verify,
            ca_bundle: Some(bytes(authority.root_pem())),
            client_identity: identity,
            ..TlsSettings::default()
        });
        [&rustls::version::TLS13, &rustls::version::TLS12]
            .map(|version| {
                let server = server.server_demanding(root.clone(), version);
                handshake(&client, server, "host.example")
            })
            .to_vec()
    }

    // I8
    #[test]
    fn a_client_certificate_opens_a_server_that_demands_one() {
        let root = Authority::new("Client Root");
        let issued = root.intermediate("Client Sub").issue(&["client"]);
        let key = issued.key.serialize_pem();
        let chain = issued.chain_pem();
        let scratch = Scratch::new();
        let files = ClientIdentity {
            certificate: PemSource::File(scratch.write("client.crt", &chain)),
            key: Some(PemSource::File(scratch.write("client.key", &key))),
            password: None,
        };
        let together = identity(&format!("{key}{chain}"), None);
        for identity in [files, together, identity(&chain, Some(&key))] {
            for verify in [true, false] {
                let outcomes = introduce(Some(identity.clone()), root.root(), verify);
                assert_eq!(outcomes, [Ok(()), Ok(())]);
            }
        }
    }

    #[test]
    fn keys_as_openssl_writes_them_open_the_server_too() {
        const EC: &str = include_str!("testdata/ec_certificate.pem");
        const RSA: &str = include_str!("testdata/rsa_certificate.pem");
        for (certificate, key, password) in [
            (
                EC,
                include_str!("testdata/ec_pkcs8_encrypted.pem"),
                Some("correct horse"),
            ),
            (EC, include_str!("testdata/ec_sec1.pem"), None),
            (RSA, include_str!("testdata/rsa_pkcs1.pem"), None),
            (RSA, include_str!("testdata/rsa_pkcs8.pem"), None),
        ] {
            let mut identity = identity(certificate, Some(key));
            identity.password = password.map(Secret::new);
            let root = bytes(certificate).certificates("test").unwrap().remove(0);
            assert_eq!(introduce(Some(identity), root, true), [Ok(()), Ok(())]);
        }
    }

    #[test]
    fn a_server_that_demands_a_certificate_tells_what_to_set() {
        let root = Authority::new("Client Root");
        for outcome in introduce(None, root.root(), true) {
            let text = explain(&outcome.unwrap_err()).unwrap();
            assert!(text.contains("demands a client certificate"), "{text}");
            assert!(text.contains("certificate_file"), "{text}");
            assert!(text.contains("GIGACHAT_KEY_FILE"), "{text}");
        }

        let stranger = Authority::new("Stranger").issue(&["client"]);
        let key = stranger.key.serialize_pem();
        let stranger = identity(&stranger.chain_pem(), Some(&key));
        for outcome in introduce(Some(stranger), root.root(), true) {
            let text = explain(&outcome.unwrap_err()).unwrap();
            assert!(text.contains("refused this client's certificate"), "{text}");
        }
    }

    #[test]
    fn the_certificate_of_the_key_goes_first() {
        let issuing = Authority::new("Client Root").intermediate("Client Sub");
        let issued = issuing.issue(&["client"]);
        let authority_first = format!("{}{}", issuing.root_pem(), issued.certificate_pem());
        let key = issued.key.serialize_pem();
        let loaded = load(&identity(&authority_first, Some(&key))).unwrap();
        assert_eq!(loaded.cert, issued.chain);
    }

    #[test]
    fn a_key_of_another_certificate_is_refused() {
        let root = Authority::new("Client Root");
        let other = root.issue(&["other"]).key.serialize_pem();
        let identity = identity(&root.issue(&["client"]).chain_pem(), Some(&other));
        let error = load(&identity).unwrap_err();
        assert_eq!(error.field, "private_key_file");
        assert!(error.message.contains("does not belong"), "{error}");
    }

    #[test]
    fn a_missing_key_is_looked_for_in_the_certificate_file() {
        let issued = Authority::new("Client Root").issue(&["client"]);
        let error = load(&identity(&issued.certificate_pem(), None)).unwrap_err();
        assert_eq!(error.field, "private_key_file");
        assert!(error.message.contains("no PEM private key"), "{error}");
    }

    // I13
    #[test]
    fn a_wrong_password_is_not_repeated_in_the_message() {
        let mut identity = identity(
            include_str!("testdata/ec_certificate.pem"),
            Some(include_str!("testdata/ec_pkcs8_encrypted.pem")),
        );
        identity.password = Some(Secret::new("swordfish"));
        let error = load(&identity).unwrap_err();
        assert_eq!(error.field, "private_key_password");
        assert!(!error.to_string().contains("swordfish"));
        identity.password = None;
        let error = load(&identity).unwrap_err();
        assert_eq!(error.field, "private_key_password");
        assert!(
            error.message.contains("GIGACHAT_KEY_FILE_PASSWORD"),
            "{error}"
        );
    }
}
