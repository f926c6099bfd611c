//! Where PEM text comes from (a file or bytes), and the certificates in it.
//!
//! Private keys are decoded in `private_key.rs`; this file only fetches their bytes.

use std::fs::File;
use std::io::Read;

use rustls::pki_types::CertificateDer;
use rustls::pki_types::pem::{self, PemObject};
use zeroize::Zeroizing;

use super::TlsConfigError;
pub use crate::config::PemSource;

/// The largest PEM file that is read. A bundle of all public roots is a quarter of a megabyte;
/// a path such as `/dev/zero` must not fill the memory.
const LARGEST_FILE: u64 = 16 * 1024 * 1024;

impl PemSource {
    /// The text, wiped from memory on drop, for it may hold a private key.
    pub(super) fn read(&self, field: &'static str) -> Result<Zeroizing<Vec<u8>>, TlsConfigError> {
        match self {
            Self::Bytes(bytes) => Ok(Zeroizing::new(bytes.to_vec())),
            Self::File(path) => {
                let failed =
                    |error: std::io::Error| TlsConfigError::unreadable(field, self, &error);
                let file = File::open(path).map_err(failed)?;
                // Room for the whole file at once, so that growing leaves no copies behind.
                let size = file.metadata().map_err(failed)?.len().min(LARGEST_FILE);
                let mut text = Zeroizing::new(Vec::with_capacity(size as usize + 1));
                file.take(LARGEST_FILE + 1)
                    .read_to_end(&mut text)
                    .map_err(failed)?;
                if text.len() as u64 > LARGEST_FILE {
                    return Err(TlsConfigError::new(
                        field,
                        format!("{self} is larger than {LARGEST_FILE} bytes"),
                    ));
                }
                Ok(text)
            }
        }
    }

    /// Every certificate of the source, at least one.
    pub(super) fn certificates(
        &self,
        field: &'static str,
    ) -> Result<Vec<CertificateDer<'static>>, TlsConfigError> {
        let text = self.read(field)?;
        let certificates = CertificateDer::pem_slice_iter(without_byte_order_mark(&text))
            .collect::<Result<Vec<_>, _>>()
            .map_err(|error| {
                let fault = fault(&error);
                TlsConfigError::new(field, format!("{self} is not well-formed PEM: {fault}"))
            })?;
        if certificates.is_empty() {
            return Err(TlsConfigError::new(field, self.why_no_certificate(&text)));
        }
        Ok(certificates)
    }

    fn why_no_certificate(&self, text: &[u8]) -> String {
        // A DER certificate and a PKCS#12 container both are a SEQUENCE with a long length.
        if text.starts_with(&[0x30, 0x82]) {
            format!(
                "{self} is binary, not PEM; convert a certificate with `openssl x509 -inform der`, \
                 a PKCS#12 container (.p12, .pfx) with `openssl pkcs12`"
            )
        } else {
            format!("{self} contains no certificate (`-----BEGIN CERTIFICATE-----`)")
        }
    }
}

/// What is wrong with PEM text. The parser's own message may quote a line, and the line a key.
pub(super) fn fault(error: &pem::Error) -> &'static str {
    match error {
        pem::Error::MissingSectionEnd { .. } => "a BEGIN line has no END line",
        pem::Error::IllegalSectionStart { .. } => {
            "a BEGIN line does not end with five dashes (were the line breaks lost?)"
        }
        pem::Error::Base64Decode(_) => "the base64 between BEGIN and END is damaged",
        _ => "it cannot be decoded",
    }
}

/// Windows editors put a mark before the first line, which would hide the first certificate.
pub(super) fn without_byte_order_mark(text: &[u8]) -> &[u8] {
    text.strip_prefix(b"\xef\xbb\xbf").unwrap_or(text)
}

#[cfg(test)]
mod tests {
    use super::super::test_authority::Authority;
    use super::*;

    fn source(text: impl AsRef<[u8]>) -> PemSource {
        PemSource::Bytes(text.as_ref().into())
    }

    #[test]
    fn all_certificates_of_a_bundle_are_read_whatever_stands_between_them() {
        let (first, second) = (Authority::new("First"), Authority::new("Second"));
        let bundle = format!(
            "\u{feff}{}\r\n# a comment\r\n{}",
            first.root_pem().replace('\n', "\r\n"),
            second.root_pem()
        );
        let certificates = source(bundle).certificates("ca_bundle_file").unwrap();
        assert_eq!(certificates, [first.root(), second.root()]);
    }

    #[test]
    fn a_bundle_without_a_certificate_is_refused_with_its_field_and_the_reason() {
        let der = Authority::new("Binary").root();
        let broken = "-----BEGIN CERTIFICATE-----\nAAAA\n";
        for (text, reason) in [
            (&b""[..], "contains no certificate"),
            (b"just words", "contains no certificate"),
            (&der, "is binary, not PEM"),
            (broken.as_bytes(), "is not well-formed PEM"),
        ] {
            let error = source(text).certificates("ca_bundle_file").unwrap_err();
            assert_eq!(error.field, "ca_bundle_file");
            assert!(error.message.contains(reason), "{error}");
        }
    }

    #[test]
    fn a_file_that_cannot_be_read_is_named() {
        let missing = PemSource::File("/no/such/bundle.pem".into());
        let error = missing.certificates("ca_bundle_file").unwrap_err();
        assert!(error.message.contains("/no/such/bundle.pem"), "{error}");

        let directory = PemSource::File(std::env::temp_dir());
        let error = directory.certificates("cert_file").unwrap_err();
        assert_eq!(error.field, "cert_file");
        assert!(error.message.contains("cannot read"), "{error}");
    }

    #[cfg(unix)]
    #[test]
    fn an_endless_file_is_refused() {
        let endless = PemSource::File("/dev/zero".into());
        let error = endless.read("key_file").unwrap_err();
        assert!(error.message.contains("larger than"), "{error}");
    }

    #[test]
    fn bytes_do_not_show_in_debug() {
        let shown = format!("{:?} {}", source("PRIVATE"), source("PRIVATE"));
        assert_eq!(shown, "Bytes(7 bytes) the 7 bytes given");
    }
}
