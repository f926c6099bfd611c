//! A folder that is this user's alone, and its files.
//!
//! Nobody else may own, read or replace anything in it: the folder has mode 0700 and the files 0600,
//! both are looked at after they are opened, and no symbolic or hard link is followed.

use std::fs::{self, DirBuilder, File, OpenOptions};
use std::io::{self, Read, Seek, Write};
use std::os::unix::fs::{DirBuilderExt, MetadataExt, OpenOptionsExt};
use std::path::{Path, PathBuf};
use std::time::SystemTime;

use super::lock::FileLock;
use crate::process;

const SALT_BYTES: usize = 32;
/// How often the salt's lock is tried for: it is held for microseconds.
const SALT_TRIES: u32 = 200;

/// A checked folder.
pub(super) struct Folder(PathBuf);

/// The same path for every program of this user, so not by a variable of the environment.
pub(super) fn of_this_machine() -> PathBuf {
    PathBuf::from(format!("/tmp/gigachat-{}", process::effective_user()))
}

impl Folder {
    /// Opens the folder, and makes it when it is not there; its parent must be.
    pub(super) fn open(path: &Path) -> io::Result<Folder> {
        match DirBuilder::new().mode(0o700).create(path) {
            Err(why) if why.kind() != io::ErrorKind::AlreadyExists => return Err(named(path, why)),
            _ => {}
        }
        let found = fs::symlink_metadata(path).map_err(|why| named(path, why))?;
        if !found.is_dir() {
            return Err(refused(path, "is no folder (a symbolic link is none)"));
        }
        own(path, &found)?;
        Ok(Folder(path.to_owned()))
    }

    pub(super) fn path(&self) -> &Path {
        &self.0
    }

    pub(super) fn subfolder(&self, name: &str) -> io::Result<Folder> {
        Folder::open(&self.0.join(name))
    }

    /// Opens a file for reading and writing; made when it is not there.
    pub(super) fn file(&self, name: &str) -> io::Result<File> {
        let path = self.0.join(name);
        let file = OpenOptions::new()
            .read(true)
            .write(true)
            .create(true)
            .truncate(false)
            .mode(0o600)
            .custom_flags(libc::O_NOFOLLOW | libc::O_CLOEXEC)
            .open(&path)
            .map_err(|why| named(&path, why))?;
        let found = file.metadata()?;
        if !found.is_file() || found.nlink() > 1 {
            return Err(refused(&path, "is no file of its own (a link is none)"));
        }
        own(&path, &found)?;
        Ok(file)
    }

    /// Locks a file, unless another has it locked.
    pub(super) fn try_lock(&self, name: &str) -> io::Result<Option<FileLock>> {
        let Some(lock) = FileLock::try_new(self.file(name)?)? else {
            return Ok(None);
        };
        // What was deleted meanwhile (a cleaner of /tmp) protects nothing.
        let still_there = fs::symlink_metadata(self.0.join(name))
            .is_ok_and(|found| lock.is_of(found.dev(), found.ino()));
        Ok(Some(lock).filter(|_| still_there))
    }

    /// Replaces a file by one with this content, as a whole. Who calls holds a lock against others
    /// who do.
    pub(super) fn replace(&self, name: &str, content: &[u8]) -> io::Result<()> {
        let fresh = format!("{name}.new");
        let mut file = self.file(&fresh)?;
        file.set_len(0)?;
        file.write_all(content)?;
        fs::rename(self.0.join(fresh), self.0.join(name))
    }

    pub(super) fn exists(&self, name: &str) -> bool {
        fs::symlink_metadata(self.0.join(name)).is_ok()
    }

    /// When a file was last touched, if it is there.
    pub(super) fn modified(&self, name: &str) -> Option<SystemTime> {
        fs::symlink_metadata(self.0.join(name))
            .ok()?
            .modified()
            .ok()
    }

    /// The folder's secret; drawn by the first who comes.
    pub(super) fn salt(&self) -> io::Result<[u8; SALT_BYTES]> {
        for _ in 0..SALT_TRIES {
            if let Some(mut lock) = self.try_lock("salt")? {
                return read_or_draw(lock.file());
            }
            std::thread::yield_now();
        }
        Err(refused(
            &self.0.join("salt"),
            "is locked by another program",
        ))
    }
}

fn read_or_draw(file: &mut File) -> io::Result<[u8; SALT_BYTES]> {
    let mut salt = [0; SALT_BYTES];
    match file.read_exact(&mut salt) {
        Ok(()) => Ok(salt),
        Err(_) => {
            getrandom::fill(&mut salt).map_err(|why| io::Error::other(why.to_string()))?;
            file.rewind()?;
            file.set_len(0)?;
            file.write_all(&salt)?;
            Ok(salt)
        }
    }
}

/// Refuses what is another user's or open to others.
fn own(path: &Path, found: &fs::Metadata) -> io::Result<()> {
    if found.uid() != process::effective_user() {
        return Err(refused(path, "belongs to another user"));
    }
    match found.mode() & 0o077 {
        0 => Ok(()),
        _ => Err(refused(
            path,
            "is open to other users (its mode must be 0700, a file's 0600)",
        )),
    }
}

fn refused(path: &Path, why: &str) -> io::Error {
    io::Error::new(
        io::ErrorKind::PermissionDenied,
        format!("{} {why}", path.display()),
    )
}

fn named(path: &Path, why: io::Error) -> io::Error {
    io::Error::new(why.kind(), format!("{}: {why}", path.display()))
}
