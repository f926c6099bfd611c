//! A TLS failure in words that a person can act on.
//!
//! The failure lies deep inside the error of an HTTP client, behind io errors that hide it from
//! `source()`. This file finds it and names what to set. It judges nothing.

use std::error::Error as StdError;
use std::io;

use rustls::pki_types::UnixTime;
use rustls::{AlertDescription, CertificateError, Error};
use x509_parser::time::ASN1Time;

use super::field;
use super::refusal::{list, printable};

/// Deeper than any real chain of errors; ends the search in one that loops.
const DEEPEST: usize = 32;

/// Tells a TLS failure in words, wherever it hides in the error's chain of sources.
///
/// `Some` means that the failure is one of TLS (certificate, handshake alert or protocol), so
/// that trying again does not help. `None` means that it is of another kind: refused, timed out,
/// reset, or closed by the peer, even in the middle of a handshake.
pub fn explain(error: &(dyn StdError + 'static)) -> Option<String> {
    let mut next = Some(error);
    for _ in 0..DEEPEST {
        let current = next?;
        if let Some(tls) = current.downcast_ref::<Error>() {
            return Some(describe(tls));
        }
        let Some(error) = current.downcast_ref::<io::Error>() else {
            next = current.source();
            continue;
        };
        if let Some(alert) = alert_by_its_text(error) {
            return Some(describe(&alert));
        }
        // An io::Error's source is its inner error's source: the inner error is skipped.
        next = error
            .get_ref()
            .map(|inner| inner as &(dyn StdError + 'static));
    }
    None
}

/// The alert in an io error that came through HTTP/2, which keeps only the text of it (`h2`,
/// `proto::Error::Io`). In TLS 1.3 the demand for a client certificate comes this way.
fn alert_by_its_text(error: &io::Error) -> Option<Error> {
    if error.kind() != io::ErrorKind::InvalidData {
        return None;
    }
    let text = error.get_ref()?.to_string();
    (0..=u8::MAX)
        .map(|code| Error::AlertReceived(AlertDescription::from(code)))
        .find(|alert| alert.to_string() == text)
}

fn describe(error: &Error) -> String {
    match error {
        Error::InvalidCertificate(reason) => describe_certificate(reason),
        Error::AlertReceived(alert) => describe_alert(*alert),
        Error::InvalidMessage(_) => format!(
            "the peer's answer is not TLS ({error}): does this port speak https, and is the \
             proxy's scheme right?"
        ),
        Error::PeerIncompatible(_) => format!(
            "the server and this library have no TLS in common ({error}); the library speaks \
             TLS 1.2 and 1.3"
        ),
        Error::NoCertificatesPresented => "the server presented no certificate".to_owned(),
        _ => format!("the TLS connection failed: {error}"),
    }
}

fn describe_certificate(reason: &CertificateError) -> String {
    match reason {
        CertificateError::ExpiredContext { time, not_after } => format!(
            "the server's certificate, or one that vouches for it, expired on {}; by this \
             machine's clock it is {}",
            day(*not_after),
            day(*time)
        ),
        CertificateError::NotValidYetContext { time, not_before } => format!(
            "the server's certificate, or one that vouches for it, is not valid before {}, but \
             by this machine's clock it is {}: is the clock right?",
            day(*not_before),
            day(*time)
        ),
        CertificateError::NotValidForNameContext {
            expected,
            presented,
        } => {
            let names: Vec<String> = presented.iter().map(|name| bare_name(name)).collect();
            let names = match names.is_empty() {
                true => "no host at all".to_owned(),
                false => list(&names),
            };
            format!(
                "the certificate that {:?} presented is for {names}: wrong URL, or something on \
                 the way answers in its place",
                expected.to_str()
            )
        }
        CertificateError::UnknownIssuer => {
            "the server's certificate leads to no trusted root certificate".to_owned()
        }
        CertificateError::BadSignature => format!(
            "the server's certificate carries a signature that is not its issuer's, or one of a \
             key that is not accepted (RSA keys need 2048 bits). If it comes from another root \
             certificate of the same name, set {} (or GIGACHAT_CA_BUNDLE_FILE) to that one",
            field::CA_BUNDLE
        ),
        CertificateError::Other(other) => of_webpki(other.to_string()),
        other => format!("the server's certificate was refused: {other}"),
    }
}

/// webpki's own errors are bare names. A sentence of this library's is passed on.
fn of_webpki(name: String) -> String {
    let text = match &*name {
        // OpenSSL makes such certificates by default.
        "CaUsedAsEndEntity" => {
            "the server presents the certificate of a certification authority (CA:TRUE) as its \
             own, which cannot be accepted: the server needs a certificate with CA:FALSE"
        }
        "EndEntityUsedAsCa" => {
            "a certificate that the server presents is issued by one that is no certification \
             authority's (CA:FALSE)"
        }
        "PathLenConstraintViolated" => {
            "the chain of the server's certificate is longer than one of its certification \
             authorities allows"
        }
        "NameConstraintViolation" => {
            "the server's certificate has a name for which its certification authority must not \
             vouch"
        }
        "MalformedDnsIdentifier" => "the server's certificate has a name that is no host name",
        _ if name.contains(' ') => return name,
        _ => return format!("the server's certificate cannot be accepted ({name})"),
    };
    text.to_owned()
}

fn describe_alert(alert: AlertDescription) -> String {
    use AlertDescription::*;
    match alert {
        CertificateRequired | NoCertificate => format!(
            "the server demands a client certificate: set {} and {} (or GIGACHAT_CERT_FILE and \
             GIGACHAT_KEY_FILE)",
            field::CERTIFICATE,
            field::PRIVATE_KEY
        ),
        BadCertificate
        | UnsupportedCertificate
        | CertificateRevoked
        | CertificateExpired
        | CertificateUnknown
        | UnknownCA
        | AccessDenied => format!(
            "the server refused this client's certificate, or the lack of one (alert \
             {alert:?}): check {} and {}",
            field::CERTIFICATE,
            field::PRIVATE_KEY
        ),
        HandshakeFailure | InsufficientSecurity | ProtocolVersion => format!(
            "the server found no TLS in common with this library, or demands a client \
             certificate (alert {alert:?}); the library speaks TLS 1.2 and 1.3"
        ),
        UnrecognisedName => "the server does not know the host name of the URL".to_owned(),
        _ => format!("the server ended the TLS connection with the alert {alert:?}"),
    }
}

/// `DnsName("a.example")`, as webpki presents a name, without its wrapping.
fn bare_name(presented: &str) -> String {
    let inner = presented
        .split_once('(')
        .and_then(|(_, rest)| rest.strip_suffix(')'))
        .unwrap_or(presented);
    printable(inner.trim_matches('"'))
}

/// The day of a point in time, as 2024-12-31.
fn day(time: UnixTime) -> String {
    let seconds = time.as_secs();
    i64::try_from(seconds)
        .ok()
        .and_then(|seconds| ASN1Time::from_timestamp(seconds).ok())
        .map(|time| time.to_datetime().date().to_string())
        .unwrap_or_else(|| format!("second {seconds} after 1970"))
}

#[cfg(test)]
mod over_http;

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use rcgen::{BasicConstraints, CertificateParams, IsCa, date_time_ymd};

    use super::super::test_authority::{Authority, client, handshake};
    use super::super::{PemSource, TlsSettings};
    use super::*;

    fn believing(root: &Authority) -> TlsSettings {
        TlsSettings {
            ca_bundle: Some(PemSource::Bytes(root.root_pem().into_bytes().into())),
            ..TlsSettings::default()
        }
    }

    #[track_caller]
    fn assert_says(text: &str, parts: &[&str]) {
        for part in parts {
            assert!(text.contains(part), "{part:?} is missing in: {text}");
        }
    }

    #[test]
    fn no_fault_of_a_certificate_is_told_by_a_bare_name() {
        for name in [
            "CaUsedAsEndEntity",
            "EndEntityUsedAsCa",
            "PathLenConstraintViolated",
            "NameConstraintViolation",
            "MalformedDnsIdentifier",
            "EmptyEkuExtension",
        ] {
            let text = of_webpki(name.to_owned());
            assert_says(&text, &["certificat", "server"]);
        }
        let own = "a sentence of this library's";
        assert_eq!(of_webpki(own.to_owned()), own);
        let text = describe_certificate(&CertificateError::BadSignature);
        assert_says(&text, &["2048 bits", "ca_bundle_file"]);
    }

    /// What the failed handshake with a server of this certificate is explained as.
    fn explained(names: &[&str], change: impl FnOnce(&mut CertificateParams)) -> String {
        let root = Authority::new("Root");
        let server = root.issue_with(names, change).server();
        let error = handshake(&client(&believing(&root)), server, "host.example").unwrap_err();
        explain(&error).unwrap()
    }

    #[test]
    fn a_wrong_host_is_told_with_the_names_of_the_certificate() {
        let text = explained(&["a.example", "*.b.example", "10.0.0.1"], |_| ());
        let names = "\"host.example\" presented is for a.example, *.b.example, 10.0.0.1:";
        assert_says(&text, &[names]);
        assert_says(&explained(&[], |_| ()), &["is for no host at all"]);
    }

    #[test]
    fn a_certificate_out_of_its_time_is_told_with_the_days() {
        let expired = explained(&["host.example"], |params| {
            params.not_before = date_time_ymd(2001, 1, 1);
            params.not_after = date_time_ymd(2002, 3, 4);
        });
        let today = ASN1Time::now().to_datetime().date().to_string();
        assert_says(&expired, &["expired on 2002-03-04", &today[..8]]);
        let early = explained(&["host.example"], |params| {
            params.not_before = date_time_ymd(2999, 12, 31);
            params.not_after = date_time_ymd(3000, 1, 1);
        });
        assert_says(
            &early,
            &["not valid before 2999-12-31", "is the clock right?"],
        );
    }

    #[test]
    fn an_authoritys_certificate_in_place_of_a_servers_is_told() {
        let text = explained(&["host.example"], |params| {
            params.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
        });
        assert_says(&text, &["CA:TRUE", "CA:FALSE"]);
    }

    #[test]
    fn another_root_of_the_same_name_is_told() {
        let (known, unknown) = (Authority::new("Twin"), Authority::new("Twin"));
        let server = unknown.issue(&["host.example"]).server();
        let outcome = handshake(&client(&believing(&known)), server, "host.example");
        let text = explain(&outcome.unwrap_err()).unwrap();
        assert_says(
            &text,
            &[
                "another root certificate of the same name",
                "ca_bundle_file",
            ],
        );
    }

    #[test]
    fn other_failures_are_not_claimed() {
        let eof = io::Error::new(io::ErrorKind::UnexpectedEof, "tls handshake eof");
        let refused = io::Error::from(io::ErrorKind::ConnectionRefused);
        let nested = io::Error::other(io::Error::other("plain"));
        for error in [eof, refused, nested] {
            assert_eq!(explain(&error), None);
        }
    }

    #[test]
    fn a_chain_of_errors_that_loops_ends() {
        #[derive(Debug)]
        struct Own;
        impl std::fmt::Display for Own {
            fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
                f.write_str("own source")
            }
        }
        impl StdError for Own {
            fn source(&self) -> Option<&(dyn StdError + 'static)> {
                Some(&Own)
            }
        }
        assert_eq!(explain(&Own), None);
    }

    #[test]
    fn every_alert_has_words() {
        for code in 0..=u8::MAX {
            let text = describe(&Error::AlertReceived(AlertDescription::from(code)));
            assert!(text.contains("server"), "{code}: {text}");
        }
    }

    #[test]
    fn an_absurd_time_is_still_told() {
        let absurd = UnixTime::since_unix_epoch(Duration::from_secs(u64::MAX));
        assert_says(&day(absurd), &["second 18446744073709551615"]);
        let day_zero = UnixTime::since_unix_epoch(Duration::ZERO);
        assert_eq!(day(day_zero), "1970-01-01");
    }
}
