//! Why a server's certificate was refused, when webpki's own error does not say enough: which
//! root is missing, or that the host lies outside the scope of the Russian Trusted Root CA.
//!
//! What is read here comes from a server that nobody trusts yet: it only ever becomes text,
//! escaped and cut.

use std::fmt;

use rustls::pki_types::CertificateDer;
use x509_parser::certificate::X509Certificate;
use x509_parser::parse_x509_certificate;
use x509_parser::x509::X509Name;

use super::field;
use super::russian_root::ScopedRoot;

/// What a server presented, and to whom.
pub(super) struct Presented<'a> {
    pub(super) host: &'a str,
    pub(super) end_entity: &'a CertificateDer<'a>,
    pub(super) intermediates: &'a [CertificateDer<'a>],
}

/// A refusal in words that name what to set. It travels inside `rustls::CertificateError::Other`.
#[derive(Clone, Debug)]
pub(super) struct Refusal {
    message: String,
}

impl fmt::Display for Refusal {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.message)
    }
}

impl std::error::Error for Refusal {}

impl Refusal {
    /// No path leads from the certificate to a trusted root.
    pub(super) fn unknown_issuer(presented: &Presented<'_>, notes: &[String]) -> Self {
        let host = presented.host;
        let mut message = match presented.parse() {
            None => format!("the certificate of {host:?} leads to no trusted root certificate"),
            Some(chain) => {
                let subject = name(chain.end_entity.subject());
                let last = chain.last();
                let issuer = name(last.issuer());
                if chain.intermediates.is_empty() && is_self_issued(last) {
                    format!(
                        "the certificate of {host:?} is not trusted: {subject} vouches for \
                         itself and is not among the trusted certificates"
                    )
                } else {
                    format!(
                        "the certificate of {host:?} ({subject}) is not trusted: its issuer \
                         {issuer} is not among the trusted root certificates"
                    )
                }
            }
        };
        message.push_str(&format!(
            ". If you trust it, save the missing certificate as a PEM file and set {} \
             (or GIGACHAT_CA_BUNDLE_FILE) to its path",
            field::CA_BUNDLE
        ));
        for note in notes {
            message.push_str("; ");
            message.push_str(note);
        }
        Self { message }
    }

    /// The root is the embedded one, but the host lies outside its scope. `None` if the chain leads
    /// to another root.
    pub(super) fn outside_scope(presented: &Presented<'_>, root: &ScopedRoot) -> Option<Self> {
        let chain = presented.parse()?;
        let (_, root_certificate) = parse_x509_certificate(&root.certificate).ok()?;
        let issuer = chain.last().issuer();
        if issuer.as_raw() != root_certificate.subject().as_raw() {
            return None;
        }
        Some(Self {
            message: format!(
                "the certificate of {:?} is issued under {}, which this library trusts for the \
                 service's own domains only. If you trust that root for this host, add it to {}",
                presented.host,
                name(issuer),
                field::RUSSIAN_ROOT_HOSTS
            ),
        })
    }
}

struct Chain<'a> {
    end_entity: X509Certificate<'a>,
    intermediates: Vec<X509Certificate<'a>>,
}

impl Presented<'_> {
    fn parse(&self) -> Option<Chain<'_>> {
        let (_, end_entity) = parse_x509_certificate(self.end_entity).ok()?;
        let intermediates = self
            .intermediates
            .iter()
            .filter_map(|der| Some(parse_x509_certificate(der).ok()?.1))
            .collect();
        Some(Chain {
            end_entity,
            intermediates,
        })
    }
}

impl<'a> Chain<'a> {
    /// The certificate whose issuer is missing: the last one on the way up from the server's
    /// own, whatever the order in which the server sent them.
    fn last(&self) -> &X509Certificate<'a> {
        let mut last = &self.end_entity;
        for _ in 0..self.intermediates.len() {
            let issuer = self
                .intermediates
                .iter()
                .find(|other| other.subject().as_raw() == last.issuer().as_raw());
            match issuer {
                Some(issuer) if !is_self_issued(last) => last = issuer,
                _ => break,
            }
        }
        last
    }
}

fn is_self_issued(certificate: &X509Certificate<'_>) -> bool {
    certificate.subject().as_raw() == certificate.issuer().as_raw()
}

/// A distinguished name as a person would say it: the common name and the organisation.
fn name(name: &X509Name<'_>) -> String {
    let common_name = name.iter_common_name().find_map(|part| part.as_str().ok());
    let organisation = name.iter_organization().find_map(|part| part.as_str().ok());
    match (common_name, organisation) {
        (Some(common_name), Some(organisation)) => {
            format!(
                "\"{}\" ({})",
                printable(common_name),
                printable(organisation)
            )
        }
        (Some(only), None) | (None, Some(only)) => format!("\"{}\"", printable(only)),
        (None, None) => match name.to_string() {
            full if full.is_empty() => "without a name".to_owned(),
            full => format!("\"{}\"", printable(&full)),
        },
    }
}

/// Joins names for a message, the first ten of them.
pub(super) fn list(names: &[String]) -> String {
    const SHOWN: usize = 10;
    let mut text = names[..names.len().min(SHOWN)].join(", ");
    if names.len() > SHOWN {
        text.push_str(&format!(" and {} more", names.len() - SHOWN));
    }
    text
}

/// Text of an untrusted server, safe for a log or a terminal: escaped, and not longer than a line.
pub(super) fn printable(text: &str) -> String {
    text.chars()
        .take(120)
        .flat_map(char::escape_debug)
        .collect()
}

#[cfg(test)]
mod tests {
    use rcgen::{CertificateParams, DistinguishedName, DnType};
    use rustls::{CertificateError, Error, OtherError};

    use super::super::TlsSettings;
    use super::super::test_authority::{Authority, Identity, client, handshake, self_signed};
    use super::*;

    fn refusal(server: &Identity) -> String {
        let outcome = handshake(
            &client(&TlsSettings::default()),
            server.server(),
            "host.example",
        );
        match outcome {
            Err(Error::InvalidCertificate(CertificateError::Other(OtherError(refusal)))) => {
                refusal.to_string()
            }
            other => panic!("{other:?}"),
        }
    }

    #[track_caller]
    fn assert_says(text: &str, parts: &[&str]) {
        for part in parts {
            assert!(text.contains(part), "{part:?} is missing in: {text}");
        }
    }

    // I8
    #[test]
    fn an_unknown_root_is_named_with_what_to_set() {
        let root = Authority::new("Corporate Root");
        let issuing = root.intermediate("Corporate Sub");
        let direct = root.issue(&["host.example"]);
        let below = issuing.issue(&["host.example"]);
        let mut with_root = issuing.issue(&["host.example"]);
        with_root.chain.push(root.root());
        let mut shuffled = issuing.intermediate("Lower").issue(&["host.example"]);
        shuffled.chain[1..].reverse();
        for server in [direct, below, with_root, shuffled] {
            assert_says(
                &refusal(&server),
                &[
                    "the certificate of \"host.example\" (\"host.example\" (Tests))",
                    "its issuer \"Corporate Root\" (Tests) is not among",
                    "ca_bundle_file (or GIGACHAT_CA_BUNDLE_FILE)",
                    "no root certificates were found on this system",
                ],
            );
        }
    }

    #[test]
    fn a_forgotten_intermediate_is_the_missing_issuer() {
        let issuing = Authority::new("Root").intermediate("Forgotten Sub");
        let mut server = issuing.issue(&["host.example"]);
        server.chain.truncate(1);
        assert_says(&refusal(&server), &["its issuer \"Forgotten Sub\""]);
    }

    #[test]
    fn a_certificate_that_vouches_for_itself_is_called_so() {
        let server = self_signed(&["host.example"], |_| ());
        assert_says(
            &refusal(&server),
            &["\"self\" (Tests) vouches for itself", "ca_bundle_file"],
        );
    }

    #[test]
    fn a_hostile_name_cannot_write_to_the_terminal() {
        let hostile = |params: &mut CertificateParams| {
            let mut name = DistinguishedName::new();
            let common_name = format!("\u{1b}[2J\r\n\u{202e}{}", "long".repeat(1_000));
            name.push(DnType::CommonName, common_name);
            params.distinguished_name = name;
        };
        let text = refusal(&self_signed(&["host.example"], hostile));
        assert_says(&text, &["\\u{1b}[2J\\r\\n\\u{202e}long"]);
        assert!(text.len() < 1000, "{text}");
        assert!(!text.contains(char::is_control), "{text}");
    }

    #[test]
    fn a_name_without_common_name_or_organisation_still_shows() {
        let with = |kind: Option<DnType>| {
            self_signed(&["host.example"], |params| {
                params.distinguished_name = DistinguishedName::new();
                if let Some(kind) = kind {
                    params.distinguished_name.push(kind, "Ministry");
                }
            })
        };
        for (kind, shown) in [
            (Some(DnType::OrganizationName), "\"Ministry\" vouches"),
            (
                Some(DnType::OrganizationalUnitName),
                "\"OU=Ministry\" vouches",
            ),
            (None, "without a name vouches"),
        ] {
            assert_says(&refusal(&with(kind)), &[shown]);
        }
    }

    // I12: the chain is read before anyone vouches for it.
    #[test]
    fn damaged_certificates_are_read_without_a_panic() {
        let issuing = Authority::new("Root").intermediate("Sub");
        let chain = issuing.issue(&["host.example", "10.0.0.1"]).chain;
        let root = ScopedRoot::russian(&[]).unwrap();
        let mut told = 0;
        for index in 0..chain[0].len() {
            for value in [0x00, 0x30, 0x7f, 0x80, 0x84, 0xff] {
                let damaged = chain.iter().map(|certificate| {
                    let mut der = certificate.to_vec();
                    if let Some(byte) = der.get_mut(index) {
                        *byte = value;
                    }
                    CertificateDer::from(der)
                });
                let damaged: Vec<_> = damaged.collect();
                let presented = Presented {
                    host: "host.example",
                    end_entity: &damaged[0],
                    intermediates: &damaged[1..],
                };
                let refusal = Refusal::unknown_issuer(&presented, &[]);
                told += usize::from(refusal.to_string().contains("is not"));
                let _ = Refusal::outside_scope(&presented, &root);
            }
        }
        assert!(
            told > 100,
            "too few damaged certificates were readable: {told}"
        );
    }

    #[test]
    fn a_long_list_is_cut() {
        let names: Vec<String> = (0..12).map(|n| format!("n{n}")).collect();
        assert!(list(&names).ends_with("n9 and 2 more"));
        assert_eq!(list(&names[..2]), "n0, n1");
    }
}
