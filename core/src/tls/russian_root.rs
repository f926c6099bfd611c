//! The Russian Trusted Root CA, which the service's certificates lead to, and for whom it counts.
//!
//! No usual root store has it, so the library brings it along. It is asked only when the host of a
//! connection is one of the service's domains, or one that the user names; what else a certificate
//! names does not matter then: whoever can issue it could issue one without. (A user who wants more
//! puts the root into a bundle of their own.)

use std::net::IpAddr;

use rustls::RootCertStore;
use rustls::pki_types::pem::PemObject;
use rustls::pki_types::{CertificateDer, DnsName, ServerName};

use super::{TlsConfigError, field};

/// The Ministry of Digital Development publishes it at gosuslugi.ru/crt.
const RUSSIAN_TRUSTED_ROOT_CA: &[u8] = include_bytes!("russian_trusted_root_ca.pem");

/// Where the service lives (GigaChat REST reference): api.giga.chat,
/// ngw.devices.sberbank.ru, gigachat.devices.sberbank.ru.
const SERVICE_DOMAINS: [&str; 2] = ["sberbank.ru", "giga.chat"];

/// The hosts for which a root counts: domain names, each with its subdomains, and addresses.
#[derive(Clone, Debug)]
pub(super) struct Scope {
    domains: Vec<String>,
    addresses: Vec<IpAddr>,
}

impl Scope {
    /// The service's domains and the hosts that the user added.
    pub(super) fn service_and(hosts: &[String]) -> Result<Self, TlsConfigError> {
        let mut scope = Self {
            domains: SERVICE_DOMAINS.map(str::to_owned).to_vec(),
            addresses: Vec::new(),
        };
        for host in hosts {
            scope.add(host).ok_or_else(|| {
                TlsConfigError::new(
                    field::RUSSIAN_ROOT_HOSTS,
                    format!(
                        "{host:?} is not a host: give a domain name, which stands for its \
                         subdomains too, or an IP address, without scheme, port, path or `*`"
                    ),
                )
            })?;
            if !host.trim_end_matches('.').contains(['.', ':']) {
                tracing::warn!(
                    target: "gigachat::tls",
                    "{}: {host:?} is a whole top-level domain or a local name; the Russian Trusted \
                     Root CA counts for every host under it",
                    field::RUSSIAN_ROOT_HOSTS
                );
            }
        }
        Ok(scope)
    }

    fn add(&mut self, host: &str) -> Option<()> {
        if let Ok(address) = host.trim_matches(['[', ']']).parse() {
            self.addresses.push(address);
            return Some(());
        }
        // `url` turns an international name into the form that certificates use.
        let url::Host::Domain(name) = url::Host::parse(host).ok()? else {
            return None;
        };
        let name = name.strip_suffix('.').unwrap_or(&name);
        let name = DnsName::try_from(name).ok()?;
        self.domains.push(name.as_ref().to_owned());
        Some(())
    }

    /// Whether the root counts for connections to this host.
    pub(super) fn covers(&self, host: &ServerName<'_>) -> bool {
        match host {
            ServerName::DnsName(name) => self.covers_name(name.as_ref()),
            ServerName::IpAddress(address) => self.addresses.contains(&IpAddr::from(*address)),
            _ => false,
        }
    }

    fn covers_name(&self, name: &str) -> bool {
        let name = name.to_ascii_lowercase();
        let name = name.strip_suffix('.').unwrap_or(&name);
        self.domains.iter().any(|domain| {
            name.strip_suffix(domain.as_str())
                .is_some_and(|rest| rest.is_empty() || rest.ends_with('.'))
        })
    }
}

/// A root certificate and the hosts for which it counts.
#[derive(Clone, Debug)]
pub(super) struct ScopedRoot {
    pub(super) certificate: CertificateDer<'static>,
    pub(super) scope: Scope,
}

impl ScopedRoot {
    /// The embedded root, for the service and the hosts that the user added.
    pub(super) fn russian(hosts: &[String]) -> Result<Self, TlsConfigError> {
        let certificate = CertificateDer::from_pem_slice(RUSSIAN_TRUSTED_ROOT_CA)
            .map_err(|error| unusable(&error))?;
        let scope = Scope::service_and(hosts)?;
        Ok(Self { certificate, scope })
    }

    /// A store that holds the root alone.
    pub(super) fn store(&self) -> Result<RootCertStore, TlsConfigError> {
        let mut store = RootCertStore::empty();
        store
            .add(self.certificate.clone())
            .map_err(|error| unusable(&error))?;
        Ok(store)
    }
}

fn unusable(reason: &dyn std::fmt::Display) -> TlsConfigError {
    TlsConfigError::new(
        field::TLS,
        format!("the embedded root certificate is unusable: {reason}"),
    )
}

#[cfg(test)]
mod tests {
    use rustls::{CertificateError, Error};

    use super::super::test_authority::{Authority, Identity, handshake, trusting};
    use super::super::trust::Trust;
    use super::*;

    /// A root of our own in the Russian root's place, since only its owner can issue under that.
    fn stand_in(root: &Authority, hosts: &[&str]) -> Trust {
        let hosts: Vec<String> = hosts.iter().map(|&host| host.to_owned()).collect();
        let scoped_root = ScopedRoot {
            certificate: root.root(),
            scope: Scope::service_and(&hosts).unwrap(),
        };
        Trust {
            anchors: RootCertStore::empty(),
            scoped_root,
            notes: Vec::new(),
        }
    }

    fn connect(trust: Trust, server: &Identity, host: &str) -> Result<(), Error> {
        handshake(&trusting(trust), server.server(), host)
    }

    #[track_caller]
    fn refused_as_outside(outcome: Result<(), Error>, named: &str) {
        let Err(Error::InvalidCertificate(CertificateError::Other(reason))) = outcome else {
            panic!("{outcome:?}");
        };
        let text = reason.to_string();
        assert!(text.contains("russian_root_hosts"), "{text}");
        assert!(text.contains(&format!("of {named:?} is issued")), "{text}");
    }

    #[test]
    fn the_embedded_certificate_is_the_russian_trusted_root_ca() {
        // The SHA-256 fingerprint under which the certificate is known.
        const FINGERPRINT: &str =
            "d26d2d0231b7c39f92cc738512ba54103519e4405d68b5bd703e9788ca8ecf31";
        let all: Vec<_> = CertificateDer::pem_slice_iter(RUSSIAN_TRUSTED_ROOT_CA)
            .collect::<Result<_, _>>()
            .unwrap();
        let root = ScopedRoot::russian(&[]).unwrap();
        assert_eq!(all, std::slice::from_ref(&root.certificate));

        // The hash of the provider's cipher suites, which spares a dependency.
        let rustls::SupportedCipherSuite::Tls13(suite) =
            rustls::crypto::ring::cipher_suite::TLS13_AES_128_GCM_SHA256
        else {
            unreachable!("the suite's name says 1.3");
        };
        let digest = suite.common.hash_provider.hash(&root.certificate);
        let digest: String = digest.as_ref().iter().map(|b| format!("{b:02x}")).collect();
        assert_eq!(digest, FINGERPRINT);
        assert_eq!(root.store().unwrap().len(), 1);
    }

    // I8
    #[test]
    fn the_root_counts_for_the_service_at_any_depth() {
        let root = Authority::new("Stand-in Root");
        let issuing = root.intermediate("Stand-in Sub");
        for host in [
            "api.giga.chat",
            "a.b.giga.chat",
            "giga.chat",
            "API.GIGA.CHAT",
            "sberbank.ru",
            "ngw.devices.sberbank.ru",
            "gigachat.devices.sberbank.ru",
        ] {
            for authority in [&root, &issuing] {
                let outcome = connect(stand_in(&root, &[]), &authority.issue(&[host]), host);
                assert_eq!(outcome, Ok(()), "{host}");
            }
        }
        let wildcard = root.issue(&["*.giga.chat", "giga.chat"]);
        assert_eq!(
            connect(stand_in(&root, &[]), &wildcard, "api.giga.chat"),
            Ok(())
        );
    }

    // I8
    #[test]
    fn the_root_counts_for_no_other_name() {
        let root = Authority::new("Stand-in Root");
        let issuing = root.intermediate("Stand-in Sub");
        for host in [
            "evil.example",
            "notgiga.chat",
            "xgiga.chat",
            "giga.chat.evil.example",
            "chat",
            "sberbank.ru.com",
            "localhost",
            "127.0.0.1",
            "::1",
            "8.8.8.8",
        ] {
            for authority in [&root, &issuing] {
                let outcome = connect(stand_in(&root, &[]), &authority.issue(&[host]), host);
                refused_as_outside(outcome, host);
            }
        }
    }

    // I8: the next certificate of the service may name hosts that nobody here has heard of.
    #[test]
    fn further_names_of_a_certificate_do_not_matter_for_a_host_in_scope() {
        let root = Authority::new("Stand-in Root");
        for stranger in ["ngw.sberdevices.ru", "evil.example", "10.0.0.1", "::1"] {
            let mixed = root.issue(&["api.giga.chat", stranger]);
            let outcome = connect(stand_in(&root, &[]), &mixed, "api.giga.chat");
            assert_eq!(outcome, Ok(()), "{stranger}");
            // For the stranger itself it is worth nothing.
            let outcome = connect(stand_in(&root, &[]), &mixed, stranger);
            refused_as_outside(outcome, stranger);
        }
        // A certificate for all of a domain serves the one host of it that the user named.
        let wildcard = root.issue(&["*.corp.example"]);
        let trust = || stand_in(&root, &["api.corp.example"]);
        assert_eq!(connect(trust(), &wildcard, "api.corp.example"), Ok(()));
        let outcome = connect(trust(), &wildcard, "mail.corp.example");
        refused_as_outside(outcome, "mail.corp.example");
    }

    // I8: within its scope the root vouches for what it has issued, nothing more.
    #[test]
    fn a_certificate_for_another_host_is_refused_in_scope_too() {
        let root = Authority::new("Stand-in Root");
        let other = root.issue(&["ngw.devices.sberbank.ru"]);
        let outcome = connect(stand_in(&root, &[]), &other, "api.giga.chat");
        let Err(Error::InvalidCertificate(reason)) = outcome else {
            panic!("{outcome:?}");
        };
        assert!(
            matches!(reason, CertificateError::NotValidForNameContext { .. }),
            "{reason:?}"
        );
        let stranger = Authority::new("Another Root").issue(&["api.giga.chat"]);
        assert!(connect(stand_in(&root, &[]), &stranger, "api.giga.chat").is_err());
    }

    // I8
    #[test]
    fn a_host_of_the_users_extends_the_scope_and_narrows_nothing() {
        let root = Authority::new("Stand-in Root");
        let hosts = [
            "Gateway.Example.",
            "10.0.0.1",
            "[fd00::1]",
            "bücher.example",
        ];
        for host in [
            "gateway.example",
            "deep.gateway.example",
            "xn--bcher-kva.example",
            "10.0.0.1",
            "fd00::1",
            "api.giga.chat",
        ] {
            let outcome = connect(stand_in(&root, &hosts), &root.issue(&[host]), host);
            assert_eq!(outcome, Ok(()), "{host}");
        }
        for host in ["example", "notgateway.example", "10.0.0.2", "fd00::2"] {
            let outcome = connect(stand_in(&root, &hosts), &root.issue(&[host]), host);
            refused_as_outside(outcome, host);
        }
        // One kind of address does not open the other.
        let outcome = connect(stand_in(&root, &["10.0.0.1"]), &root.issue(&["::1"]), "::1");
        refused_as_outside(outcome, "::1");
    }

    #[test]
    fn the_same_root_in_a_users_bundle_counts_everywhere() {
        let root = Authority::new("Stand-in Root");
        let mut trust = stand_in(&root, &[]);
        trust.anchors.add(root.root()).unwrap();
        let outcome = connect(trust, &root.issue(&["evil.example"]), "evil.example");
        assert_eq!(outcome, Ok(()));
    }

    #[test]
    fn what_is_no_host_is_refused_with_the_settings_name() {
        for host in [
            "",
            ".",
            "*.example",
            "https://gateway.example",
            "gateway.example:443",
            "gateway.example/path",
            "two words",
            "10.1",
            "a..b",
            "-.example",
        ] {
            let error = Scope::service_and(&[host.to_owned()]).unwrap_err();
            assert_eq!(error.field, "russian_root_hosts");
            assert!(error.message.contains(&format!("{host:?} is not a host")));
        }
    }
}
