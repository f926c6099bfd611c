//! Whom a verified connection believes: the system's roots and the user's bundle, and within its
//! scope the Russian Trusted Root CA. All of them add up; none replaces another.

use rustls::RootCertStore;
use rustls::pki_types::CertificateDer;

use super::russian_root::ScopedRoot;
use super::system_store::{self, StoreLocations, StoreVariables};
use super::{PemSource, TlsConfigError, TlsSettings, field};

/// The trust anchors, and what a message about missing trust should mention.
#[derive(Debug)]
pub(super) struct Trust {
    /// For every host.
    pub(super) anchors: RootCertStore,
    pub(super) scoped_root: ScopedRoot,
    pub(super) notes: Vec<String>,
}

impl Trust {
    /// Gathers all anchors that the settings, the system and the environment name.
    pub(super) fn collect(
        settings: &TlsSettings,
        locations: &StoreLocations,
        variables: &StoreVariables,
    ) -> Result<Self, TlsConfigError> {
        // The user's settings come first: they are quick to check and the likeliest to be wrong.
        let scoped_root = ScopedRoot::russian(&settings.russian_root_hosts)?;
        let mut anchors = RootCertStore::empty();
        let mut notes = Vec::new();
        if let Some(bundle) = &settings.ca_bundle {
            let certificates = bundle.certificates(field::CA_BUNDLE)?;
            notes = add_bundle(&mut anchors, certificates, bundle)?;
        }

        let system = system_store::load(locations, variables)?;
        let (added, refused) = anchors.add_parsable_certificates(system.certificates);
        tracing::debug!(
            target: "gigachat::tls",
            added,
            skipped = refused + system.unreadable,
            "root certificates of the system"
        );
        notes.extend(system.notes);
        Ok(Self {
            anchors,
            scoped_root,
            notes,
        })
    }
}

/// Adds every certificate of the user's bundle that webpki can read, and notes the others: one
/// ancient certificate in a corporate bundle must not shut out the rest, but must not vanish
/// silently either.
fn add_bundle(
    anchors: &mut RootCertStore,
    certificates: Vec<CertificateDer<'static>>,
    source: &PemSource,
) -> Result<Vec<String>, TlsConfigError> {
    let mut notes = Vec::new();
    let count = certificates.len();
    for (index, certificate) in certificates.into_iter().enumerate() {
        if let Err(error) = anchors.add(certificate) {
            notes.push(format!(
                "certificate {} of {count} in {source} cannot be used: {error}",
                index + 1
            ));
        }
    }
    if notes.len() == count {
        return Err(TlsConfigError::new(field::CA_BUNDLE, notes.join("; ")));
    }
    for note in &notes {
        tracing::warn!(target: "gigachat::tls", "{note}");
    }
    Ok(notes)
}

#[cfg(test)]
mod tests {
    use std::path::Path;

    use super::super::client_config_with;
    use super::super::test_authority::{Authority, Scratch, client, handshake, self_signed};
    use super::*;

    fn bundle(text: impl AsRef<[u8]>) -> TlsSettings {
        TlsSettings {
            ca_bundle: Some(PemSource::Bytes(text.as_ref().into())),
            ..TlsSettings::default()
        }
    }

    fn collect(settings: &TlsSettings) -> Result<Trust, TlsConfigError> {
        Trust::collect(
            settings,
            &StoreLocations::default(),
            &StoreVariables::default(),
        )
    }

    // I8
    #[test]
    fn every_certificate_of_a_bundle_is_trusted_besides_the_system_and_the_variables() {
        let scratch = Scratch::new();
        let [first, second, system, variable] =
            ["First", "Second", "System", "Variable"].map(Authority::new);
        let settings = TlsSettings {
            ca_bundle: Some(PemSource::File(
                scratch.write("bundle.pem", first.root_pem() + &second.root_pem()),
            )),
            ..TlsSettings::default()
        };
        let locations = StoreLocations::of(scratch.write("system.pem", system.root_pem()));
        let variables = StoreVariables::new(
            Some(scratch.write("variable.pem", variable.root_pem()).into()),
            None,
        );
        let config = client_config_with(&settings, &locations, &variables).unwrap();
        for authority in [&first, &second, &system, &variable] {
            let server = authority.intermediate("Sub").issue(&["host.example"]);
            let outcome = handshake(&config, server.server(), "host.example");
            assert_eq!(outcome, Ok(()));
        }
    }

    // I8
    #[test]
    fn a_bundle_may_hold_an_intermediate_or_the_servers_own_certificate() {
        let root = Authority::new("Unknown root");
        let issuing = root.intermediate("Known sub");
        let server = issuing.issue(&["host.example"]);
        let config = client(&bundle(issuing.root_pem()));
        assert_eq!(handshake(&config, server.server(), "host.example"), Ok(()));

        let alone = self_signed(&["host.example"], |_| ());
        let config = client(&bundle(alone.certificate_pem()));
        assert_eq!(handshake(&config, alone.server(), "host.example"), Ok(()));
    }

    #[test]
    fn this_machines_store_is_read_without_an_error() {
        let trust = Trust::collect(
            &TlsSettings::default(),
            &StoreLocations::known(),
            &StoreVariables::default(),
        )
        .unwrap();
        let store = "/etc/ssl/certs/ca-certificates.crt";
        if Path::new(store).exists() {
            assert!(trust.anchors.len() > 1);
            // The system's own file as the user's bundle, which people do.
            let settings = TlsSettings {
                ca_bundle: Some(PemSource::File(store.into())),
                ..TlsSettings::default()
            };
            let bundle = collect(&settings).unwrap();
            assert!(bundle.anchors.len() > 1);
        } else {
            assert!(trust.anchors.is_empty());
        }
    }

    #[test]
    fn one_unusable_certificate_does_not_shut_out_the_rest_of_a_bundle() {
        let broken = "-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----\n";
        let good = Authority::new("Good").root_pem();
        let trust = collect(&bundle(format!("{broken}{good}"))).unwrap();
        assert_eq!(trust.anchors.len(), 1);
        assert!(
            trust.notes[0].contains("certificate 1 of 2"),
            "{:?}",
            trust.notes
        );

        let error = collect(&bundle(broken)).unwrap_err();
        assert_eq!(error.field, "ca_bundle_file");
        assert!(error.message.contains("certificate 1 of 1"), "{error}");
    }
}
