//! The descriptor that tells an event loop that something is ready: an eventfd on Linux, a pipe on
//! other Unix systems. It carries no data.

use std::io;
use std::mem::ManuallyDrop;
use std::os::fd::{AsFd, AsRawFd, BorrowedFd, OwnedFd, RawFd};

use rustix::io::{read, write};

use super::queue::Signal;
use crate::process::{self, FileId, file_of};

/// A descriptor that is readable after `raise` and not after `clear`.
///
/// The program may close it, and its number be another file's by then, which is not touched.
pub struct Descriptor {
    reader: Own,
    /// The pipe's other end; an eventfd has one end only.
    writer: Option<Own>,
}

/// A descriptor and the file that it was made for.
struct Own {
    descriptor: ManuallyDrop<OwnedFd>,
    file: Option<FileId>,
}

impl From<OwnedFd> for Own {
    fn from(descriptor: OwnedFd) -> Own {
        let file = file_of(descriptor.as_raw_fd());
        Own {
            descriptor: ManuallyDrop::new(descriptor),
            file,
        }
    }
}

impl Own {
    fn is_there(&self) -> bool {
        self.file.is_some() && file_of(self.descriptor.as_raw_fd()) == self.file
    }

    /// The descriptor, if it is still this one.
    fn there(&self) -> Option<BorrowedFd<'_>> {
        self.is_there().then(|| self.descriptor.as_fd())
    }
}

impl Drop for Own {
    fn drop(&mut self) {
        if self.is_there() {
            process::close(self.descriptor.as_raw_fd());
        }
    }
}

impl Descriptor {
    /// Not readable, closed by `exec`. Fails when the process has no descriptor left.
    #[cfg(target_os = "linux")]
    pub fn new() -> io::Result<Descriptor> {
        use rustix::event::{EventfdFlags, eventfd};

        let flags = EventfdFlags::CLOEXEC | EventfdFlags::NONBLOCK;
        Ok(Descriptor {
            reader: eventfd(0, flags)?.into(),
            writer: None,
        })
    }

    /// Not readable, closed by `exec`. Fails when the process has no descriptor left.
    #[cfg(not(target_os = "linux"))]
    pub fn new() -> io::Result<Descriptor> {
        let (reader, writer) = io::pipe()?;
        rustix::io::ioctl_fionbio(&reader, true)?;
        rustix::io::ioctl_fionbio(&writer, true)?;
        Ok(Descriptor {
            reader: OwnedFd::from(reader).into(),
            writer: Some(OwnedFd::from(writer).into()),
        })
    }

    /// What an event loop watches; open as long as this lives.
    pub fn number(&self) -> RawFd {
        self.reader.descriptor.as_raw_fd()
    }
}

impl Signal for Descriptor {
    /// A full pipe or counter is readable already, so a failure changes nothing.
    fn raise(&self) {
        let end = self.writer.as_ref().unwrap_or(&self.reader);
        let _ = end.there().map(|end| write(end, &1u64.to_ne_bytes()));
    }

    /// An empty pipe or counter is unreadable already, so a failure changes nothing.
    fn clear(&self) {
        let reader = self.reader.there();
        let _ = reader.map(|reader| read(reader, &mut [0u8; 64]));
    }

    fn is_there(&self) -> bool {
        self.reader.is_there() && self.writer.as_ref().is_none_or(Own::is_there)
    }
}

#[cfg(test)]
mod tests {
    use rustix::event::{PollFd, PollFlags, Timespec, poll};

    use super::{Descriptor, Signal};

    #[test]
    fn it_is_readable_from_the_first_raise_to_the_next_clear() {
        let descriptor = Descriptor::new().unwrap();
        let readable = || {
            let mut watched = [PollFd::new(&*descriptor.reader.descriptor, PollFlags::IN)];
            poll(&mut watched, Some(&Timespec::default())).unwrap() == 1
        };
        assert!(!readable());
        descriptor.clear();
        descriptor.raise();
        descriptor.raise();
        assert!(readable());
        descriptor.clear();
        assert!(!readable());
    }
}
