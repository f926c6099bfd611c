//! A locked file.

use std::fs::{File, TryLockError};
use std::io;
use std::os::fd::AsRawFd;
use std::os::unix::fs::MetadataExt;
use std::time::SystemTime;

use crate::process::NotInherited;

/// A file that this process has locked (`flock`): unlocked on drop, and by the kernel when the
/// process dies.
///
/// The lock is the open file's, not the process's: two copies of the library in one process exclude
/// each other, too. A forked child would hold it with its parent, so it gives it up at once.
#[derive(Debug)]
pub(crate) struct FileLock {
    // Before the file, which must be open until this is gone.
    not_inherited: NotInherited,
    file: File,
}

impl FileLock {
    /// Locks it, unless another has.
    pub(super) fn try_new(file: File) -> io::Result<Option<FileLock>> {
        match file.try_lock() {
            Ok(()) => Ok(Some(FileLock {
                not_inherited: NotInherited::new(file.as_raw_fd()),
                file,
            })),
            Err(TryLockError::WouldBlock) => Ok(None),
            Err(TryLockError::Error(why)) => Err(why),
        }
    }

    pub(super) fn is_of(&self, device: u64, inode: u64) -> bool {
        let found = self.file.metadata();
        found.is_ok_and(|found| (found.dev(), found.ino()) == (device, inode))
    }

    pub(super) fn file(&mut self) -> &mut File {
        &mut self.file
    }

    /// Notes that it was taken now.
    pub(super) fn touch(&self) {
        // Only who has waited for minutes looks at it.
        let _ = self.file.set_modified(SystemTime::now());
    }
}

impl Drop for FileLock {
    fn drop(&mut self) {
        // Where a child has it still, to close the file would not unlock it.
        if self.not_inherited.is_own() {
            let _ = self.file.unlock();
        }
    }
}
