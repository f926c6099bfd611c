//! The Russian Trusted Root CA, which the service's certificates lead to, and for whom it counts.
//!
//! No usual root store has it, so the library brings it along. It is trusted for the service's
//! domains and for hosts that the user names, for nothing else: X.509 name constraints on the
//! trust anchor see to that, so that a certificate is refused as soon as *one* of its names lies
//! outside. (A user who wants more puts the root into a bundle of their own.)

use std::net::IpAddr;

use pkcs8::der::asn1::AnyRef;
use pkcs8::der::{self, Encode, Tag, TagNumber};
use rustls::RootCertStore;
use rustls::pki_types::pem::PemObject;
use rustls::pki_types::{CertificateDer, Der, DnsName, TrustAnchor};

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
        // A name that webpki cannot read as a constraint would spoil the root for all hosts.
        let name = DnsName::try_from(name).ok()?;
        self.domains.push(name.as_ref().to_owned());
        Some(())
    }

    /// Whether the root counts for this name of a certificate.
    pub(super) fn covers_name(&self, name: &str) -> bool {
        let name = name.to_ascii_lowercase();
        self.domains.iter().any(|domain| {
            name.strip_suffix(domain.as_str())
                .is_some_and(|rest| rest.is_empty() || rest.ends_with('.'))
        })
    }

    /// Whether the root counts for this address of a certificate.
    pub(super) fn covers_address(&self, address: IpAddr) -> bool {
        self.addresses.contains(&address)
    }

    /// The scope as the contents of an X.509 NameConstraints (RFC 5280, section 4.2.1.10),
    /// without the outer SEQUENCE, which is how webpki keeps them.
    fn name_constraints(&self) -> der::Result<Vec<u8>> {
        let mut permitted = Vec::new();
        for domain in &self.domains {
            permitted.extend(subtree(DNS_NAME, domain.as_bytes())?);
        }
        for address in &self.addresses {
            permitted.extend(subtree(IP_ADDRESS, &only(*address))?);
        }
        let mut constraints = element(PERMITTED, &permitted)?;
        // A permitted address shuts out all others. Without one, all are excluded by their nets
        // 0.0.0.0/0 and ::/0, since a kind of name without any constraint is free.
        if self.addresses.is_empty() {
            let mut excluded = subtree(IP_ADDRESS, &[0; 8])?;
            excluded.extend(subtree(IP_ADDRESS, &[0; 32])?);
            constraints.extend(element(EXCLUDED, &excluded)?);
        }
        Ok(constraints)
    }
}

const PERMITTED: Tag = context(true, TagNumber::N0);
const EXCLUDED: Tag = context(true, TagNumber::N1);
const DNS_NAME: Tag = context(false, TagNumber::N2);
const IP_ADDRESS: Tag = context(false, TagNumber::N7);

const fn context(constructed: bool, number: TagNumber) -> Tag {
    Tag::ContextSpecific {
        constructed,
        number,
    }
}

fn element(tag: Tag, contents: &[u8]) -> der::Result<Vec<u8>> {
    AnyRef::new(tag, contents)?.to_der()
}

fn subtree(kind: Tag, name: &[u8]) -> der::Result<Vec<u8>> {
    element(Tag::Sequence, &element(kind, name)?)
}

/// The net that holds one address only: the address, then a mask of ones.
fn only(address: IpAddr) -> Vec<u8> {
    let mut net = match address {
        IpAddr::V4(address) => address.octets().to_vec(),
        IpAddr::V6(address) => address.octets().to_vec(),
    };
    net.resize(2 * net.len(), 0xff);
    net
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

    /// The trust anchor with the scope as its name constraints.
    pub(super) fn anchor(&self) -> Result<TrustAnchor<'static>, TlsConfigError> {
        // rustls exports no other way from a certificate to an anchor.
        let mut store = RootCertStore::empty();
        store
            .add(self.certificate.clone())
            .map_err(|error| unusable(&error))?;
        let constraints = self
            .scope
            .name_constraints()
            .map_err(|error| unusable(&error))?;
        let mut anchor = store
            .roots
            .pop()
            .ok_or_else(|| unusable(&"the store stayed empty"))?;
        anchor.name_constraints = Some(Der::from(constraints));
        Ok(anchor)
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
        let mut anchors = RootCertStore::empty();
        anchors.roots.push(scoped_root.anchor().unwrap());
        Trust {
            anchors,
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
        assert!(text.contains(&format!("names {named}. ")), "{text}");
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
        assert!(root.anchor().unwrap().name_constraints.is_some());
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

    // I8: X.509 name constraints look at all names of a certificate, not only at the one in use.
    #[test]
    fn one_name_outside_spoils_the_whole_certificate() {
        let root = Authority::new("Stand-in Root");
        for (stranger, allowed) in [("evil.example", "evil.example"), ("10.0.0.1", "10.0.0.1")] {
            let mixed = root.issue(&["api.giga.chat", stranger]);
            let outcome = connect(stand_in(&root, &[]), &mixed, "api.giga.chat");
            refused_as_outside(outcome, stranger);
            // What the message advises helps.
            let outcome = connect(stand_in(&root, &[allowed]), &mixed, "api.giga.chat");
            assert_eq!(outcome, Ok(()));
        }
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
