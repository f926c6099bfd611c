//! The access token that processes share: the file `token`, changed by who holds `token.lock`.
//!
//! Three lines: when the token expires (milliseconds of the Unix epoch), how long it lived in all
//! (milliseconds), the token. It is worth a credential for half an hour, so the file is 0600 in a
//! folder of 0700, and the memory that it passes through is zeroed.

use std::io::{self, Read, Write};
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use zeroize::Zeroizing;

use super::HostShare;
use super::lock::FileLock;
use crate::secret::Secret;

const FILE: &str = "token";
const LOCK: &str = "token.lock";
/// A token has one or two kilobytes.
const LARGEST: usize = 64 * 1024;

/// A token of the file.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct SharedToken {
    pub(crate) text: Secret,
    /// How long it lasts from now on.
    pub(crate) left: Duration,
    /// How long it lasts in all.
    pub(crate) lifetime: Duration,
}

impl HostShare {
    /// Waits for the right to read the token and to replace it.
    pub(crate) async fn lock_token(&self) -> io::Result<FileLock> {
        self.lock(LOCK).await
    }

    /// The token that some process left, if it has not expired.
    pub(crate) fn read_token(&self, _lock: &FileLock) -> io::Result<Option<SharedToken>> {
        if !self.folder.exists(FILE) {
            return Ok(None);
        }
        // Room for all of it: a buffer that grows leaves copies behind.
        let mut bytes = Zeroizing::new(Vec::with_capacity(LARGEST));
        let mut file = self.folder.file(FILE)?.take(LARGEST as u64 - 1);
        file.read_to_end(&mut bytes)?;
        Ok(parse(&bytes, SystemTime::now()))
    }

    /// Leaves a token for the others.
    pub(crate) fn write_token(&self, _lock: &FileLock, token: &SharedToken) -> io::Result<()> {
        let expires = SystemTime::now() + token.left;
        let expires = expires.duration_since(UNIX_EPOCH).unwrap_or_default();
        let mut content = Zeroizing::new(Vec::with_capacity(LARGEST));
        let (expires, lifetime) = (expires.as_millis(), token.lifetime.as_millis());
        writeln!(content, "{expires}\n{lifetime}")?;
        let room = content.capacity() - content.len() - 1;
        if token.text.expose().len() > room {
            return Err(io::ErrorKind::InvalidData.into());
        }
        content.extend_from_slice(token.text.expose().as_bytes());
        content.push(b'\n');
        self.folder.replace(FILE, &content)
    }
}

fn parse(bytes: &[u8], now: SystemTime) -> Option<SharedToken> {
    let mut lines = std::str::from_utf8(bytes).ok()?.lines();
    let mut milliseconds = || Some(Duration::from_millis(lines.next()?.parse().ok()?));
    let (expires, lifetime) = (milliseconds()?, milliseconds()?);
    let text = lines.next()?;
    let sendable = !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_graphic());
    let left = expires.checked_sub(now.duration_since(UNIX_EPOCH).ok()?)?;
    let believable = left <= lifetime && lifetime <= Duration::from_secs(24 * 3600);
    (sendable && believable).then(|| SharedToken {
        text: Secret::new(text),
        left,
        lifetime,
    })
}
