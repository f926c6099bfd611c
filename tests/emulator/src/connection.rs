//! One TCP connection: the socket, and the levers by which the emulator closes or breaks it.
//!
//! hyper speaks HTTP on it. The levers are pulled from elsewhere (a fault, a kill) and noticed at once by
//! the connection's own task, see `server`.

use std::io;
use std::pin::Pin;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU8, AtomicU64, AtomicUsize, Ordering};
use std::task::{Context, Poll};
use std::time::{Duration, Instant};

use futures_util::task::AtomicWaker;
use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};
use tokio::net::TcpStream;

/// How far a connection is from its end.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
#[repr(u8)]
pub(crate) enum Ending {
    /// It is served.
    No = 0,
    /// It ends when its open requests are answered (GOAWAY, `Connection: close`).
    Graceful = 1,
    /// It is dropped now, with FIN.
    Close = 2,
    /// It is dropped now, with RST.
    Reset = 3,
}

pub(crate) struct Connection {
    pub id: u64,
    opened: Instant,
    ending: AtomicU8,
    waker: AtomicWaker,
    /// Requests that are not answered to the end.
    in_use: AtomicUsize,
    /// When the last one was, in milliseconds since `opened`.
    idle_since: AtomicU64,
    /// The next request is met by a broken connection.
    pub break_next: AtomicBool,
    /// No further request is answered.
    pub hangs: AtomicBool,
}

impl Connection {
    pub fn new(id: u64) -> Arc<Connection> {
        Arc::new(Connection {
            id,
            opened: Instant::now(),
            ending: AtomicU8::new(Ending::No as u8),
            waker: AtomicWaker::new(),
            in_use: AtomicUsize::new(0),
            idle_since: AtomicU64::new(0),
            break_next: AtomicBool::new(false),
            hangs: AtomicBool::new(false),
        })
    }

    pub fn end(&self, ending: Ending) {
        self.ending.fetch_max(ending as u8, Ordering::SeqCst);
        self.waker.wake();
    }

    pub fn ending(&self) -> Ending {
        match self.ending.load(Ordering::SeqCst) {
            0 => Ending::No,
            1 => Ending::Graceful,
            2 => Ending::Close,
            _ => Ending::Reset,
        }
    }

    /// Whether the emulator itself dropped it, so that a request that ended with it was not cancelled.
    pub fn is_killed(&self) -> bool {
        self.ending() >= Ending::Close
    }

    /// The ending as seen by the connection's task, which is woken by the next one.
    pub fn poll_ending(&self, context: &mut Context<'_>) -> Ending {
        self.waker.register(context.waker());
        self.ending()
    }

    pub fn begin_request(self: &Arc<Self>) -> InUse {
        self.in_use.fetch_add(1, Ordering::SeqCst);
        InUse(self.clone())
    }

    /// How long no request has been open; zero while one is.
    pub fn idle(&self) -> Duration {
        if self.in_use.load(Ordering::SeqCst) > 0 {
            return Duration::ZERO;
        }
        let since = Duration::from_millis(self.idle_since.load(Ordering::SeqCst));
        self.opened.elapsed().saturating_sub(since)
    }
}

/// Held as long as a request is not answered to its end.
pub(crate) struct InUse(Arc<Connection>);

impl Drop for InUse {
    fn drop(&mut self) {
        let now = u64::try_from(self.0.opened.elapsed().as_millis()).unwrap_or(u64::MAX);
        self.0.idle_since.store(now, Ordering::SeqCst);
        self.0.in_use.fetch_sub(1, Ordering::SeqCst);
    }
}

/// The socket, which at its end sends RST instead of FIN if the connection was broken that way.
pub(crate) struct Socket {
    stream: TcpStream,
    connection: Arc<Connection>,
}

impl Socket {
    pub fn new(stream: TcpStream, connection: Arc<Connection>) -> Socket {
        Socket { stream, connection }
    }
}

impl Drop for Socket {
    fn drop(&mut self) {
        if self.connection.ending() == Ending::Reset {
            // Best effort: a socket that refuses the option still closes.
            let _ = socket2::SockRef::from(&self.stream).set_linger(Some(Duration::ZERO));
        }
    }
}

impl AsyncRead for Socket {
    fn poll_read(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
        buffer: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        Pin::new(&mut self.stream).poll_read(context, buffer)
    }
}

impl AsyncWrite for Socket {
    fn poll_write(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
        bytes: &[u8],
    ) -> Poll<io::Result<usize>> {
        Pin::new(&mut self.stream).poll_write(context, bytes)
    }

    fn poll_write_vectored(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
        parts: &[io::IoSlice<'_>],
    ) -> Poll<io::Result<usize>> {
        Pin::new(&mut self.stream).poll_write_vectored(context, parts)
    }

    fn is_write_vectored(&self) -> bool {
        self.stream.is_write_vectored()
    }

    fn poll_flush(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.stream).poll_flush(context)
    }

    fn poll_shutdown(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.stream).poll_shutdown(context)
    }
}
