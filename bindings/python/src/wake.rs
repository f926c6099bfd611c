//! The descriptor that tells an event loop that something is ready: an eventfd, or a pipe where
//! there is none. It carries no data.

use std::io;
use std::os::fd::{AsRawFd, FromRawFd, OwnedFd, RawFd};

/// A descriptor that is readable after `set` and until `clear`.
pub(crate) struct Wake {
    reader: OwnedFd,
    #[cfg(not(target_os = "linux"))]
    writer: OwnedFd,
}

impl Wake {
    #[cfg(target_os = "linux")]
    pub(crate) fn new() -> io::Result<Wake> {
        // SAFETY: takes no pointer.
        let descriptor = unsafe { libc::eventfd(0, libc::EFD_NONBLOCK | libc::EFD_CLOEXEC) };
        if descriptor < 0 {
            return Err(io::Error::last_os_error());
        }
        // SAFETY: the descriptor was just opened and nobody else owns it.
        let reader = unsafe { OwnedFd::from_raw_fd(descriptor) };
        Ok(Wake { reader })
    }

    #[cfg(not(target_os = "linux"))]
    pub(crate) fn new() -> io::Result<Wake> {
        let mut ends = [0; 2];
        // SAFETY: `ends` has room for both descriptors.
        if unsafe { libc::pipe(ends.as_mut_ptr()) } != 0 {
            return Err(io::Error::last_os_error());
        }
        for end in ends {
            // SAFETY: sets flags of a descriptor that was just opened.
            unsafe {
                libc::fcntl(end, libc::F_SETFD, libc::FD_CLOEXEC);
                libc::fcntl(end, libc::F_SETFL, libc::O_NONBLOCK);
            }
        }
        // SAFETY: both descriptors were just opened and nobody else owns them.
        let (reader, writer) =
            unsafe { (OwnedFd::from_raw_fd(ends[0]), OwnedFd::from_raw_fd(ends[1])) };
        Ok(Wake { reader, writer })
    }

    /// What a loop watches.
    pub(crate) fn descriptor(&self) -> RawFd {
        self.reader.as_raw_fd()
    }

    /// Makes it readable. A full pipe or counter is readable already, so errors mean nothing.
    pub(crate) fn set(&self) {
        #[cfg(target_os = "linux")]
        let writer = &self.reader;
        #[cfg(not(target_os = "linux"))]
        let writer = &self.writer;
        let one = 1_u64.to_ne_bytes();
        // SAFETY: writes eight bytes from a buffer of eight.
        unsafe {
            libc::write(writer.as_raw_fd(), one.as_ptr().cast(), one.len());
        }
    }

    /// Makes it unreadable.
    pub(crate) fn clear(&self) {
        let mut buffer = [0_u8; 64];
        // SAFETY: reads into a buffer of that length; the descriptor does not block.
        unsafe {
            libc::read(
                self.reader.as_raw_fd(),
                buffer.as_mut_ptr().cast(),
                buffer.len(),
            );
        }
    }
}
