//! The descriptor that tells an event loop that something is ready: an eventfd on Linux, a pipe on
//! other Unix systems. It carries no data.

use std::io;
use std::os::fd::{AsFd, AsRawFd, OwnedFd, RawFd};

use rustix::io::{read, write};

use super::queue::Signal;

/// A descriptor that is readable after `raise` and not after `clear`.
pub struct Descriptor {
    reader: OwnedFd,
    /// The pipe's other end; an eventfd has one end only.
    writer: Option<OwnedFd>,
}

impl Descriptor {
    /// Not readable, closed by `exec`. Fails when the process has no descriptor left.
    #[cfg(target_os = "linux")]
    pub fn new() -> io::Result<Descriptor> {
        use rustix::event::{EventfdFlags, eventfd};

        let flags = EventfdFlags::CLOEXEC | EventfdFlags::NONBLOCK;
        Ok(Descriptor {
            reader: eventfd(0, flags)?,
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
            reader: reader.into(),
            writer: Some(writer.into()),
        })
    }

    /// What an event loop watches; open as long as this lives.
    pub fn number(&self) -> RawFd {
        self.reader.as_raw_fd()
    }
}

impl Signal for Descriptor {
    /// A full pipe or counter is readable already, so a failure changes nothing.
    fn raise(&self) {
        let end = self.writer.as_ref().unwrap_or(&self.reader);
        let _ = write(end, &1u64.to_ne_bytes());
    }

    /// An empty pipe or counter is unreadable already, so a failure changes nothing.
    fn clear(&self) {
        let _ = read(self.reader.as_fd(), &mut [0u8; 64]);
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
            let mut watched = [PollFd::new(&descriptor.reader, PollFlags::IN)];
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
