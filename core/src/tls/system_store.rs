//! The system's root certificates, and those that SSL_CERT_FILE and SSL_CERT_DIR add.
//!
//! The variables *add* to the store, they do not replace it: a user who names a corporate root
//! there wants it besides the public ones. An empty or absent store is no error here; what was
//! missing is noted, so that the message about an untrusted server can mention it.

use std::collections::HashSet;
use std::env;
use std::ffi::OsString;
use std::path::{Path, PathBuf};

use rustls::pki_types::CertificateDer;
use rustls_native_certs::{CertificateResult, ErrorKind, load_certs_from_paths};

use super::{TlsConfigError, field, out_of_descriptors};

/// SSL_CERT_FILE and SSL_CERT_DIR, with the meaning that OpenSSL gave them.
#[derive(Clone, Debug, Default, PartialEq, Eq, Hash)]
pub struct StoreVariables {
    file: Option<PathBuf>,
    directories: Vec<PathBuf>,
}

impl StoreVariables {
    /// From the variables' values. SSL_CERT_DIR is a list; an empty value is no value.
    pub fn new(file: Option<OsString>, directories: Option<OsString>) -> Self {
        let directories = directories.unwrap_or_default();
        Self {
            file: file.filter(|file| !file.is_empty()).map(PathBuf::from),
            directories: env::split_paths(&directories)
                .filter(|directory| !directory.as_os_str().is_empty())
                .collect(),
        }
    }
}

/// Where this kind of system keeps its root certificates, if it keeps them in files.
#[derive(Clone, Debug, Default)]
pub(super) struct StoreLocations {
    file: Option<PathBuf>,
    directories: Vec<PathBuf>,
}

impl StoreLocations {
    /// The well-known places that exist on this machine.
    #[cfg(all(unix, not(target_vendor = "apple")))]
    pub(super) fn known() -> Self {
        // rustls-native-certs would look here, but only while the variables are unset;
        // openssl-probe keeps its list of files to itself. Go's crypto/x509 has the same list.
        const BUNDLES: [&str; 11] = [
            "/etc/ssl/certs/ca-certificates.crt", // Debian, Ubuntu, Arch, Gentoo, Alpine
            "/etc/pki/ca-trust/extracted/pem/tls-ca-bundle.pem", // Fedora, RHEL 7 and later
            "/etc/pki/tls/certs/ca-bundle.crt",   // RHEL 6
            "/etc/ssl/ca-bundle.pem",             // openSUSE
            "/etc/pki/tls/cacert.pem",            // OpenELEC
            "/etc/ssl/cert.pem",                  // Alpine, OpenBSD, FreeBSD
            "/opt/etc/ssl/certs/ca-certificates.crt", // Entware
            "/usr/local/etc/ssl/cert.pem",        // FreeBSD
            "/usr/local/share/certs/ca-root-nss.crt", // DragonFly
            "/etc/openssl/certs/ca-certificates.crt", // NetBSD
            "/etc/certs/ca-certificates.crt",     // Solaris, illumos
        ];
        let mut directories: Vec<PathBuf> = openssl_probe::candidate_cert_dirs()
            .filter_map(|directory| directory.canonicalize().ok())
            .collect();
        directories.sort();
        directories.dedup(); // on Fedora one is a link to the other
        Self {
            file: BUNDLES
                .iter()
                .map(PathBuf::from)
                .find(|bundle| bundle.exists()),
            directories,
        }
    }

    /// Windows and macOS keep their certificates behind an interface of the system.
    #[cfg(not(all(unix, not(target_vendor = "apple"))))]
    pub(super) fn known() -> Self {
        Self::default()
    }
}

/// What was found.
#[derive(Debug, Default)]
pub(super) struct SystemRoots {
    /// Each certificate once.
    pub(super) certificates: Vec<CertificateDer<'static>>,
    /// Files and certificates that could not be read.
    pub(super) unreadable: usize,
    /// What the user should know when trust is missing.
    pub(super) notes: Vec<String>,
}

/// Collects the system's root certificates and those that the variables name. Fails only where
/// the next attempt may find more: for want of descriptors.
pub(super) fn load(
    locations: &StoreLocations,
    variables: &StoreVariables,
) -> Result<SystemRoots, TlsConfigError> {
    let mut found = HashSet::new();
    let mut unreadable = 0;
    let mut refused = None;
    let mut take = |result: CertificateResult| {
        refused = refused.take().or_else(|| refused_by_machine(&result));
        found.extend(result.certs);
        unreadable += result.errors.len();
    };

    if cfg!(not(all(unix, not(target_vendor = "apple")))) {
        // Here the variables, if set, do replace the store: the crate that reads it wants it so.
        take(rustls_native_certs::load_native_certs());
    }
    // The first directory goes with the file, because it usually holds the file, which then is
    // read once.
    let first = locations.directories.first().map(PathBuf::as_path);
    take(load_certs_from_paths(locations.file.as_deref(), first));
    for directory in locations.directories.iter().skip(1) {
        take(load_certs_from_paths(None, Some(directory)));
    }
    let mut notes = Vec::new();
    if let Some(file) = &variables.file {
        let result = load_certs_from_paths(Some(file), None);
        notes.extend(trouble("SSL_CERT_FILE", file, &result));
        take(result);
    }
    for directory in &variables.directories {
        let result = load_certs_from_paths(None, Some(directory));
        if result.certs.is_empty() {
            notes.extend(trouble("SSL_CERT_DIR", directory, &result));
        }
        take(result);
    }
    if let Some(refused) = refused {
        return Err(refused);
    }

    for note in &notes {
        tracing::warn!(target: "gigachat::tls", "{note}");
    }
    if found.is_empty() {
        notes.push(
            "no root certificates were found on this system (the package is often called \
             ca-certificates)"
                .to_owned(),
        );
    }
    Ok(SystemRoots {
        certificates: found.into_iter().collect(),
        unreadable,
        notes,
    })
}

/// The first certificate file that could not be opened because too many are.
fn refused_by_machine(result: &CertificateResult) -> Option<TlsConfigError> {
    result.errors.iter().find_map(|error| match &error.kind {
        ErrorKind::Io { inner, path } if out_of_descriptors(inner) => Some(
            TlsConfigError::unreadable(field::TLS, &path.display(), inner),
        ),
        _ => None,
    })
}

/// Tells what is wrong with the place that a variable names, if something is.
fn trouble(variable: &str, place: &Path, result: &CertificateResult) -> Option<String> {
    let reason = match result.errors.first() {
        Some(error) => error.to_string(),
        None if result.certs.is_empty() => "it contains no PEM certificate".to_owned(),
        None => return None,
    };
    Some(format!("{variable} names {place:?}: {reason}"))
}

#[cfg(test)]
impl StoreLocations {
    /// A store of one file.
    pub(super) fn of(file: PathBuf) -> Self {
        Self {
            file: Some(file),
            directories: Vec::new(),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::super::test_authority::{Authority, Scratch};
    use super::*;

    fn file_variable(path: &Path) -> StoreVariables {
        StoreVariables::new(Some(path.into()), None)
    }

    // I8
    #[test]
    fn the_variables_add_to_the_system_store() {
        let scratch = Scratch::new();
        let names = ["System", "Directory", "Variable", "Hashed", "Second hashed"];
        let roots = names.map(Authority::new);
        let [system, directory, variable, hashed, second] = &roots;
        let locations = StoreLocations {
            file: Some(scratch.write("bundle.crt", system.root_pem())),
            directories: vec![
                scratch
                    .write("certs/a.pem", directory.root_pem())
                    .with_file_name(""),
            ],
        };
        let in_first = scratch.write("one/abc.0", hashed.root_pem());
        let in_second = scratch.write("two/def.0", second.root_pem());
        let directories =
            env::join_paths([in_first, in_second].map(|path| path.with_file_name(""))).unwrap();
        let variables = StoreVariables::new(
            Some(scratch.write("extra.pem", variable.root_pem()).into()),
            Some(directories),
        );

        let loaded = load(&locations, &variables).unwrap();

        for root in &roots {
            assert!(loaded.certificates.contains(&root.root()));
        }
        assert_eq!(loaded.certificates.len(), roots.len());
        assert_eq!((loaded.unreadable, loaded.notes.len()), (0, 0));
    }

    #[test]
    fn a_certificate_that_is_found_twice_counts_once() {
        let scratch = Scratch::new();
        let root = Authority::new("Twice");
        let file = scratch.write("certs/bundle.crt", root.root_pem());
        scratch.write("certs/copy.pem", root.root_pem());
        let locations = StoreLocations {
            file: Some(file.clone()),
            directories: vec![file.with_file_name("")],
        };
        let loaded = load(&locations, &file_variable(&file)).unwrap();
        assert_eq!(loaded.certificates, [root.root()]);
    }

    // I8
    #[test]
    fn an_empty_store_is_no_error_but_is_noted() {
        let loaded = load(&StoreLocations::default(), &StoreVariables::default()).unwrap();
        assert!(loaded.certificates.is_empty());
        assert!(loaded.notes[0].contains("no root certificates were found"));
    }

    #[test]
    fn a_variable_that_names_nothing_readable_is_noted() {
        let scratch = Scratch::new();
        let empty = scratch.write("empty.pem", "");
        for (path, reason) in [
            (Path::new("/no/such/file.pem"), "No such file"),
            (&empty, "contains no PEM certificate"),
        ] {
            let loaded = load(&StoreLocations::default(), &file_variable(path)).unwrap();
            assert!(loaded.notes[0].contains("SSL_CERT_FILE"));
            assert!(loaded.notes[0].contains(reason), "{:?}", loaded.notes);
        }
    }

    #[test]
    fn empty_variables_are_no_variables() {
        let variables = StoreVariables::new(Some("".into()), Some(":".into()));
        assert!(variables.file.is_none() && variables.directories.is_empty());
    }

    // I8, I12
    #[cfg(unix)]
    #[test]
    fn roots_that_no_descriptor_was_left_for_are_not_taken_for_none() {
        let result_of = |code| {
            let kind = ErrorKind::Io {
                inner: std::io::Error::from_raw_os_error(code),
                path: "/etc/ssl/certs".into(),
            };
            let context = "opening directory";
            let mut result = CertificateResult::default();
            result
                .errors
                .push(rustls_native_certs::Error { context, kind });
            result
        };
        for code in [libc::EMFILE, libc::ENFILE] {
            let refused = refused_by_machine(&result_of(code)).unwrap();
            assert!(refused.passes && refused.message.contains("/etc/ssl/certs"));
        }
        assert_eq!(refused_by_machine(&result_of(libc::ENOENT)), None);
        assert_eq!(refused_by_machine(&CertificateResult::default()), None);
    }
}
