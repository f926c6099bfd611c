//! The connections to one host, as lanes: a lane is a pool of its own, so over HTTP/2 it is one
//! connection.
//!
//! A server allows a number of streams per connection (128 and 200 are common); what is sent beyond
//! waits unseen inside the HTTP/2 layer. So a lane takes no more than a hundred requests at once,
//! and then another lane is opened, up to a bound, at which requests wait for a place. And a connection on which nothing comes any more,
//! although it answers pings, is given up: its lane gets no new requests. Over HTTP/1.1 each request
//! has its own connection anyway, and one lane is enough.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU8, AtomicU32, AtomicU64, AtomicUsize, Ordering};
use std::time::Duration;

use tokio::sync::Notify;
use tokio::time::Instant;

/// Requests at once on one HTTP/2 connection, below the limit of every common server.
const STREAMS: usize = 100;
/// A request that was given up after so long without a sign of life condemns its connection at
/// once; after a shorter time it may just have been impatient, and a second one must agree.
const SILENCE: Duration = Duration::from_secs(1);

/// One pool of connections.
pub(super) struct Lane {
    pub(super) client: reqwest::Client,
    pub(super) gate: Arc<Gate>,
    /// Told when a place in it becomes free.
    freed: Arc<Notify>,
    created: Instant,
    in_flight: AtomicUsize,
    /// When anything of an answer was read last, in nanoseconds since `created`, plus one: a
    /// request may follow an answer within the same microsecond.
    last_read: AtomicU64,
    given_up: AtomicU32,
    retired: AtomicBool,
}

impl Lane {
    pub(super) fn new(client: reqwest::Client, gate: Arc<Gate>, freed: Arc<Notify>) -> Lane {
        Lane {
            client,
            gate,
            freed,
            created: Instant::now(),
            in_flight: AtomicUsize::new(0),
            last_read: AtomicU64::new(0),
            given_up: AtomicU32::new(0),
            retired: AtomicBool::new(false),
        }
    }

    /// Whether it takes another request, where all lanes have `most` connections together. Over
    /// HTTP/1.1 all of them are this lane's; before the protocol is known they could become that.
    pub(super) fn has_room(&self, most: usize) -> bool {
        let places = match self.gate.protocol() {
            HTTP1 => most,
            HTTP2 => STREAMS,
            _ => STREAMS.min(most),
        };
        self.load() < places
    }

    /// Whether it is one connection only, so that another lane would be a second one: surely, or (if
    /// it is not to be sure) as far as is known.
    pub(super) fn is_one_connection(&self, surely: bool) -> bool {
        match self.gate.protocol() {
            HTTP1 => false,
            HTTP2 => true,
            _ => !surely,
        }
    }

    pub(super) fn load(&self) -> usize {
        self.in_flight.load(Ordering::Relaxed)
    }

    pub(super) fn is_retired(&self) -> bool {
        self.retired.load(Ordering::Relaxed)
    }

    fn now(&self) -> u64 {
        self.created.elapsed().as_nanos() as u64 + 1
    }

    /// Something of an answer has come.
    fn read(&self) {
        self.last_read.store(self.now(), Ordering::Relaxed);
        self.given_up.store(0, Ordering::Relaxed);
    }

    /// A request that was sent at `since` is given up for want of an answer.
    fn give_up(&self, since: Instant) {
        let sent = since.saturating_duration_since(self.created).as_nanos() as u64 + 1;
        let silent = self.last_read.load(Ordering::Relaxed) < sent;
        if self.gate.protocol() != HTTP2 || !silent {
            return;
        }
        let times = self.given_up.fetch_add(1, Ordering::Relaxed) + 1;
        if times >= 2 || since.elapsed() >= SILENCE {
            tracing::debug!(target: "gigachat::transport", "nothing comes on a connection any more; the next request gets another");
            self.retired.store(true, Ordering::Relaxed);
        }
    }
}

/// A request's place in a lane, until its answer has been read or dropped.
pub(crate) struct Place {
    pub(super) lane: Arc<Lane>,
    since: Instant,
}

impl Place {
    pub(super) fn take(lane: &Arc<Lane>) -> Place {
        lane.in_flight.fetch_add(1, Ordering::Relaxed);
        Place {
            lane: lane.clone(),
            since: Instant::now(),
        }
    }

    pub(super) fn read(&self) {
        self.lane.read();
    }

    /// What is left of the place for who may give the request up.
    pub(super) fn trace(&self) -> Trace {
        Trace(self.lane.clone(), self.since)
    }
}

impl Drop for Place {
    fn drop(&mut self) {
        self.lane.in_flight.fetch_sub(1, Ordering::Relaxed);
        self.lane.freed.notify_one();
    }
}

/// Where and since when a request is under way.
pub(super) struct Trace(Arc<Lane>, Instant);

impl Trace {
    pub(super) fn give_up(&self) {
        self.0.give_up(self.1);
    }

    pub(super) fn opening(&self) -> bool {
        self.0.gate.busy()
    }
}

const UNKNOWN: u8 = 0;
pub(super) const HTTP1: u8 = 1;
pub(super) const HTTP2: u8 = 2;

/// Lets one request of a lane open its connection while the others wait to see whether they can
/// share it: otherwise a hundred first calls would open a hundred connections, and use one.
#[derive(Default)]
pub(super) struct Gate {
    opening: tokio::sync::Mutex<()>,
    protocol: AtomicU8,
    shared: AtomicU64,
    failed: AtomicU64,
}

/// What a request finds that came to the gate.
pub(super) enum Entry<'a> {
    /// It opens a connection; others wait, if there is a guard.
    Open(Option<tokio::sync::MutexGuard<'a, ()>>),
    /// A connection that it can share was opened meanwhile.
    Share,
}

impl Gate {
    pub(super) fn protocol(&self) -> u8 {
        self.protocol.load(Ordering::Relaxed)
    }

    pub(super) fn busy(&self) -> bool {
        self.opening.try_lock().is_err()
    }

    pub(super) async fn enter(&self) -> Entry<'_> {
        if self.protocol() == HTTP1 {
            return Entry::Open(None);
        }
        let seen = |count: &AtomicU64| count.load(Ordering::Relaxed);
        let before = (seen(&self.shared), seen(&self.failed));
        let guard = self.opening.lock().await;
        if seen(&self.shared) != before.0 {
            return Entry::Share;
        }
        // After a failure there is nothing to wait for: everybody tries at once.
        let alone = self.protocol() != HTTP1 && seen(&self.failed) == before.1;
        Entry::Open(alone.then_some(guard))
    }

    /// A connection was opened, or could not be (`None`).
    pub(super) fn leave(&self, http2: Option<bool>) {
        match http2 {
            Some(true) => {
                self.protocol.store(HTTP2, Ordering::Relaxed);
                self.shared.fetch_add(1, Ordering::Relaxed);
            }
            Some(false) => self.protocol.store(HTTP1, Ordering::Relaxed),
            None => {
                self.failed.fetch_add(1, Ordering::Relaxed);
            }
        }
        debug_assert!(self.protocol() != UNKNOWN || http2.is_none());
    }
}
