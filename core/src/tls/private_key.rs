//! A PEM private key, in any of the usual formats, as something that can sign.
//!
//! PKCS#8, PKCS#1 (RSA) and SEC1 (EC) are read; PKCS#8 may be encrypted (PBES2 with AES).
//! Buffers with a decoded key are wiped.

use std::sync::Arc;

use pkcs8::{EncryptedPrivateKeyInfo, SecretDocument, pkcs5};
use rustls::crypto::ring::sign::any_supported_type;
use rustls::pki_types::pem::PemObject;
use rustls::pki_types::{PrivateKeyDer, PrivatePkcs8KeyDer};
use rustls::sign::SigningKey;
use zeroize::Zeroize;

use super::pem::{fault, without_byte_order_mark};
use super::{PemSource, TlsConfigError, field};

const ENCRYPTED_BEGIN: &str = "-----BEGIN ENCRYPTED PRIVATE KEY-----";
const ENCRYPTED_END: &str = "-----END ENCRYPTED PRIVATE KEY-----";

/// Why a private key cannot be used.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum KeyTrouble {
    /// There is none.
    Absent,
    /// It is not well-formed; the reason never quotes the key.
    Malformed(&'static str),
    /// It is encrypted, and no password was given.
    PasswordMissing,
    /// The password does not open it.
    PasswordWrong,
    /// It is encrypted in OpenSSL's own old way, in the PEM headers.
    LegacyEncryption,
    /// It is encrypted with an algorithm that is not supported.
    Encryption(String),
    /// It is well-formed, but TLS cannot sign with it.
    Kind,
}

impl KeyTrouble {
    pub(super) fn into_config_error(self, source: &PemSource) -> TlsConfigError {
        const CONVERT: &str = "convert it with `openssl pkcs8 -topk8 -v2 aes-256-cbc \
             -v2prf hmacWithSHA256 -in OLD -out NEW`";
        let (field, message) = match self {
            Self::Absent => (
                field::PRIVATE_KEY,
                format!("{source} contains no PEM private key"),
            ),
            Self::Malformed(reason) => (
                field::PRIVATE_KEY,
                format!("the private key in {source} is not well-formed: {reason}"),
            ),
            Self::PasswordMissing => (
                field::PASSWORD,
                format!(
                    "the private key in {source} is encrypted: set its password (or \
                     GIGACHAT_KEY_FILE_PASSWORD)"
                ),
            ),
            Self::PasswordWrong => (
                field::PASSWORD,
                format!("the password does not open the private key in {source}"),
            ),
            Self::LegacyEncryption => (
                field::PRIVATE_KEY,
                format!(
                    "the private key in {source} is encrypted in the old way \
                     (`Proc-Type: 4,ENCRYPTED`): {CONVERT}"
                ),
            ),
            Self::Encryption(reason) => (
                field::PRIVATE_KEY,
                format!(
                    "the private key in {source} is encrypted with an unsupported algorithm \
                     ({reason}): {CONVERT}"
                ),
            ),
            Self::Kind => (
                field::PRIVATE_KEY,
                format!(
                    "the private key in {source} is of a kind that is not supported; RSA of \
                     2048 to 8192 bits, ECDSA P-256 or P-384 and Ed25519 are"
                ),
            ),
        };
        TlsConfigError::new(field, message)
    }
}

/// Finds the private key in PEM text and makes it ready to sign.
pub(super) fn signing_key(
    text: &[u8],
    password: Option<&str>,
) -> Result<Arc<dyn SigningKey>, KeyTrouble> {
    let text = without_byte_order_mark(text);
    if position(text, "Proc-Type: 4,ENCRYPTED").is_some() {
        return Err(KeyTrouble::LegacyEncryption);
    }
    match PrivateKeyDer::pem_slice_iter(text).next() {
        Some(Ok(mut key)) => {
            let signer = any_supported_type(&key).map_err(|_| KeyTrouble::Kind);
            key.zeroize();
            signer
        }
        Some(Err(error)) => Err(KeyTrouble::Malformed(fault(&error))),
        None => {
            let encrypted = encrypted_block(text).ok_or(KeyTrouble::Absent)?;
            decrypted(encrypted, password.ok_or(KeyTrouble::PasswordMissing)?)
        }
    }
}

fn encrypted_block(text: &[u8]) -> Option<&str> {
    // The text before and after may be in any encoding.
    let start = position(text, ENCRYPTED_BEGIN)?;
    let length = position(&text[start..], ENCRYPTED_END)? + ENCRYPTED_END.len();
    std::str::from_utf8(&text[start..start + length]).ok()
}

fn position(text: &[u8], words: &str) -> Option<usize> {
    text.windows(words.len())
        .position(|window| window == words.as_bytes())
}

fn decrypted(block: &str, password: &str) -> Result<Arc<dyn SigningKey>, KeyTrouble> {
    let (_, document) = SecretDocument::from_pem(block)
        .map_err(|_| KeyTrouble::Malformed("its base64 or its line breaks are damaged"))?;
    let encrypted = EncryptedPrivateKeyInfo::try_from(document.as_bytes()).map_err(|error| {
        // Reading the parameters already finds out what is not supported.
        KeyTrouble::Encryption(error.to_string())
    })?;
    let key = encrypted.decrypt(password).map_err(|error| match error {
        pkcs8::Error::EncryptedPrivateKey(
            error @ (pkcs5::Error::NoPbes1CryptSupport
            | pkcs5::Error::UnsupportedAlgorithm { .. }
            | pkcs5::Error::AlgorithmParametersInvalid { .. }),
        ) => KeyTrouble::Encryption(error.to_string()),
        // One wrong password in 256 ends in what looks like the padding of a right one, but not
        // in ASN.1.
        _ => KeyTrouble::PasswordWrong,
    })?;
    let key = PrivateKeyDer::Pkcs8(PrivatePkcs8KeyDer::from(key.as_bytes()));
    any_supported_type(&key).map_err(|_| KeyTrouble::Kind)
}

#[cfg(test)]
mod tests {
    use pkcs8::pkcs5::pbes2;
    use pkcs8::{LineEnding, PrivateKeyInfo};
    use rustls::SignatureAlgorithm;

    use super::super::test_authority::Authority;
    use super::*;

    const PASSWORD: Option<&str> = Some("correct horse");

    macro_rules! openssl_file {
        ($name:literal) => {
            &include_bytes!(concat!("testdata/", $name))[..]
        };
    }

    #[test]
    fn every_usual_format_is_read() {
        use SignatureAlgorithm::{ECDSA, RSA};
        for (text, password, algorithm) in [
            (openssl_file!("rsa_pkcs8.pem"), None, RSA),
            (openssl_file!("rsa_pkcs1.pem"), None, RSA),
            (openssl_file!("ec_sec1.pem"), None, ECDSA),
            (openssl_file!("ec_pkcs8_encrypted.pem"), PASSWORD, ECDSA),
            (openssl_file!("ec_pkcs8_scrypt.pem"), PASSWORD, ECDSA),
            // A password that nobody asked for does no harm.
            (openssl_file!("rsa_pkcs8.pem"), PASSWORD, RSA),
        ] {
            let key = signing_key(text, password).unwrap();
            assert_eq!(key.algorithm(), algorithm);

            let text = String::from_utf8_lossy(text);
            let key = &text[text.find("-----BEGIN").unwrap()..];
            let windows = format!("\u{feff}{}", key.replace('\n', "\r\n"));
            assert!(signing_key(windows.as_bytes(), password).is_ok());
        }
    }

    #[test]
    fn a_key_that_cannot_be_used_says_why() {
        use KeyTrouble::*;
        for (text, password, trouble) in [
            (&b""[..], None, Absent),
            (openssl_file!("ec_certificate.pem"), None, Absent),
            (openssl_file!("p521_pkcs8.pem"), None, Kind),
            (
                openssl_file!("ec_pkcs8_encrypted.pem"),
                None,
                PasswordMissing,
            ),
            (
                openssl_file!("ec_pkcs8_encrypted.pem"),
                Some(""),
                PasswordWrong,
            ),
            (
                openssl_file!("ec_pkcs8_encrypted.pem"),
                Some("wrong"),
                PasswordWrong,
            ),
            (
                openssl_file!("rsa_legacy_encrypted.pem"),
                PASSWORD,
                LegacyEncryption,
            ),
        ] {
            assert_eq!(signing_key(text, password).unwrap_err(), trouble);
        }
        for outdated in [
            openssl_file!("ec_pkcs8_des3.pem"),
            openssl_file!("ec_pkcs8_sha1.pem"),
        ] {
            let trouble = signing_key(outdated, PASSWORD).unwrap_err();
            assert!(matches!(trouble, Encryption(_)), "{trouble:?}");
        }
    }

    #[test]
    fn each_trouble_names_the_setting_and_the_remedy() {
        use KeyTrouble::*;
        let source = PemSource::File("client.key".into());
        for (trouble, field, remedy) in [
            (Absent, "private_key_file", "no PEM private key"),
            (Malformed("x"), "private_key_file", "not well-formed"),
            (PasswordMissing, "private_key_password", "set its password"),
            (PasswordWrong, "private_key_password", "does not open"),
            (LegacyEncryption, "private_key_file", "openssl pkcs8 -topk8"),
            (
                Encryption("x".into()),
                "private_key_file",
                "openssl pkcs8 -topk8",
            ),
            (Kind, "private_key_file", "Ed25519"),
        ] {
            let error = trouble.into_config_error(&source);
            assert_eq!(error.field, field);
            assert!(error.message.contains(remedy), "{error}");
            assert!(error.message.contains("client.key"), "{error}");
        }
    }

    /// Some 1 in 256 of these passwords yields what looks like a decrypted key.
    #[test]
    fn a_wrong_password_is_never_taken_for_another_trouble() {
        let key = Authority::new("Key").issue(&["client"]).key;
        let key = key.serialize_der();
        let key = PrivateKeyInfo::try_from(key.as_slice()).unwrap();
        let (salt, vector) = ([7; 16], [9; 16]);
        let cheap = pbes2::Parameters::pbkdf2_sha256_aes256cbc(1, &salt, &vector).unwrap();
        let pem = key
            .encrypt_with_params(cheap, "right")
            .unwrap()
            .to_pem("ENCRYPTED PRIVATE KEY", LineEnding::LF)
            .unwrap();
        assert!(signing_key(pem.as_bytes(), Some("right")).is_ok());
        for number in 0..2000 {
            let wrong = format!("wrong {number}");
            let trouble = signing_key(pem.as_bytes(), Some(&wrong)).unwrap_err();
            assert_eq!(trouble, KeyTrouble::PasswordWrong);
        }
    }

    // I13
    #[test]
    fn no_message_quotes_the_key() {
        let whole = String::from_utf8_lossy(openssl_file!("rsa_pkcs8.pem")).into_owned();
        let middle = &whole[whole.len() / 2..][..20];
        let one_line = whole.replace('\n', "");
        let one_line = &one_line[one_line.find("-----BEGIN").unwrap()..];
        let cut = &whole[..whole.len() - 100];
        let damaged = whole.replace(middle, "!!!!");
        for text in [one_line, cut, &damaged] {
            let trouble = signing_key(text.as_bytes(), None).unwrap_err();
            assert!(matches!(trouble, KeyTrouble::Malformed(_)), "{trouble:?}");
            let source = PemSource::Bytes(text.as_bytes().into());
            for error in [
                trouble.into_config_error(&source),
                source.certificates(field::CERTIFICATE).unwrap_err(),
            ] {
                assert!(error.message.len() < 200, "{error}");
                assert!(!error.message.contains("MII"), "{error}");
            }
        }
    }
}
