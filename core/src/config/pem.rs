//! Where PEM text comes from: a file, or bytes that the caller gave.

use std::fmt;
use std::ops::Deref;
use std::path::PathBuf;
use std::sync::Arc;

use zeroize::Zeroizing;

/// PEM text: a file's, or bytes that the caller holds already.
#[derive(Clone, PartialEq, Eq, Hash)]
pub enum PemSource {
    /// The path of a PEM file, read when the provider first connects.
    File(PathBuf),
    /// The PEM text itself.
    Bytes(PemBytes),
}

/// Bytes that may be a private key: one copy, wiped from memory when its last owner drops it.
#[derive(Clone, PartialEq, Eq)]
pub struct PemBytes(Arc<Zeroizing<Vec<u8>>>);

impl From<&[u8]> for PemBytes {
    fn from(bytes: &[u8]) -> PemBytes {
        PemBytes(Arc::new(Zeroizing::new(bytes.to_vec())))
    }
}

impl From<Vec<u8>> for PemBytes {
    fn from(bytes: Vec<u8>) -> PemBytes {
        PemBytes(Arc::new(Zeroizing::new(bytes)))
    }
}

impl Deref for PemBytes {
    type Target = [u8];

    fn deref(&self) -> &[u8] {
        &self.0
    }
}

impl std::hash::Hash for PemBytes {
    fn hash<H: std::hash::Hasher>(&self, state: &mut H) {
        self.0.as_slice().hash(state);
    }
}

impl fmt::Debug for PemSource {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::File(path) => f.debug_tuple("File").field(path).finish(),
            // The bytes may be a private key.
            Self::Bytes(bytes) => write!(f, "Bytes({} bytes)", bytes.len()),
        }
    }
}

/// Names the source in a message; never shows its contents.
impl fmt::Display for PemSource {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::File(path) => write!(f, "{path:?}"),
            Self::Bytes(bytes) => write!(f, "the {} bytes given", bytes.len()),
        }
    }
}
