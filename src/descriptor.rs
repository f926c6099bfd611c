//! The descriptor of a completion queue: an eventfd on Linux, a pipe on other Unix systems.

use std::io;
use std::os::fd::{AsRawFd, FromRawFd, OwnedFd};

use gigachat_core::binding::Signal;

/// A descriptor that is readable after `raise` and not after `clear`.
pub(super) struct Descriptor {
    reader: OwnedFd,
    /// The pipe's other end; an eventfd has one end only.
    writer: Option<OwnedFd>,
}

impl Descriptor {
    #[cfg(target_os = "linux")]
    pub(super) fn new() -> io::Result<Descriptor> {
        // SAFETY: takes no pointers; the result is checked.
        let number = unsafe { libc::eventfd(0, libc::EFD_CLOEXEC | libc::EFD_NONBLOCK) };
        if number < 0 {
            return Err(io::Error::last_os_error());
        }
        // SAFETY: a descriptor that was just made and that nobody else owns.
        let reader = unsafe { OwnedFd::from_raw_fd(number) };
        Ok(Descriptor {
            reader,
            writer: None,
        })
    }

    #[cfg(not(target_os = "linux"))]
    pub(super) fn new() -> io::Result<Descriptor> {
        let (reader, writer) = io::pipe()?;
        let (reader, writer) = (OwnedFd::from(reader), OwnedFd::from(writer));
        for end in [&reader, &writer] {
            // SAFETY: takes no pointers; both descriptors are open.
            if unsafe { libc::fcntl(end.as_raw_fd(), libc::F_SETFL, libc::O_NONBLOCK) } < 0 {
                return Err(io::Error::last_os_error());
            }
        }
        Ok(Descriptor {
            reader,
            writer: Some(writer),
        })
    }

    /// The number that the program polls.
    pub(super) fn number(&self) -> i64 {
        self.reader.as_raw_fd().into()
    }
}

impl Signal for Descriptor {
    /// A full pipe or counter is readable already, so a failure changes nothing.
    fn raise(&self) {
        let one = 1u64.to_ne_bytes();
        let end = self.writer.as_ref().unwrap_or(&self.reader);
        // SAFETY: `one` has eight readable bytes; the descriptor is open.
        unsafe { libc::write(end.as_raw_fd(), one.as_ptr().cast(), one.len()) };
    }

    /// An empty pipe or counter is unreadable already, so a failure changes nothing.
    fn clear(&self) {
        let mut bytes = [0u8; 64];
        // SAFETY: `bytes` has room for what is asked for; the descriptor is open.
        unsafe {
            libc::read(
                self.reader.as_raw_fd(),
                bytes.as_mut_ptr().cast(),
                bytes.len(),
            )
        };
    }
}
