//! What processes of one machine share of a credential: its permits and its access token.
//!
//! A folder of the user's with a folder for each credential. A permit is a locked file, which the
//! kernel unlocks when its holder dies, however it dies; there is no daemon. `folder` sees to it that
//! nobody else can read or plant anything there, `slots` hands out permits in turn, `token` keeps the
//! access token, which one process fetches for all. Nothing here blocks: a lock that is taken is
//! tried again later.

mod folder;
mod lock;
mod slots;
mod token;

use std::io;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use ring::{digest, hmac};

use folder::Folder;
pub(crate) use slots::Slot;
pub(crate) use token::SharedToken;

/// The word that stands for the folder of all programs of one user on one machine.
pub(crate) const HOST: &str = "host";

/// What one credential shares with other processes.
pub(crate) struct HostShare {
    folder: Folder,
    path: PathBuf,
    /// One caller of this process looks for a permit at a time, the others stand in line.
    looking: tokio::sync::Mutex<()>,
}

impl HostShare {
    /// The share of the credential that these `parts` tell from others, below `place`: [`HOST`] or
    /// the path of a folder. Makes what is not there.
    pub(crate) fn open(place: &str, parts: &[&[u8]]) -> io::Result<Arc<HostShare>> {
        let root = match place {
            HOST => folder::of_this_machine(),
            path => PathBuf::from(path),
        };
        let root = Folder::open(&root)?;
        let salt = root.salt()?;
        let folder = root.subfolder(&name(&salt, parts))?;
        Ok(Arc::new(HostShare {
            path: folder.path().to_owned(),
            folder,
            looking: tokio::sync::Mutex::new(()),
        }))
    }

    /// The credential's folder.
    pub(crate) fn path(&self) -> &Path {
        &self.path
    }
}

/// A name from which nothing can be learnt of the credential: the salt is the folder's secret.
fn name(salt: &[u8], parts: &[&[u8]]) -> String {
    let mut mac = hmac::Context::with_key(&hmac::Key::new(hmac::HMAC_SHA256, salt));
    for part in parts {
        mac.update(&(part.len() as u64).to_le_bytes());
        mac.update(part);
    }
    let tag = mac.sign();
    let short = &tag.as_ref()[..digest::SHA256_OUTPUT_LEN / 2];
    short.iter().map(|byte| format!("{byte:02x}")).collect()
}

#[cfg(test)]
mod tests;
