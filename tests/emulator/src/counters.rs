//! What the emulator has seen, counted, so that a test asserts on the service's side of a story.
//!
//! Every counter is advanced before the bytes that it describes leave the emulator: a client that has
//! read its answer finds it counted. Waiting for a number is a condition variable, never a poll.

use std::collections::BTreeMap;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Condvar, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use serde::Serialize;
use tokio::sync::Notify;

/// A snapshot of the counters. Control requests (`/_emulator/…`) are in none of them but the connections.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize)]
pub struct Counters {
    /// TCP connections accepted, on all listeners.
    pub connections_opened: u64,
    /// TCP connections that are open now.
    pub connections_open: u64,
    /// TLS handshakes completed.
    pub tls_handshakes: u64,
    /// TLS handshakes that failed (client certificate missing, client distrusts the server).
    pub tls_failures: u64,
    /// Requests that came over HTTP/1.1.
    pub http1_requests: u64,
    /// Requests that came over HTTP/2.
    pub http2_requests: u64,
    /// Requests for a token, whatever their answer.
    pub token_requests: u64,
    /// Tokens issued.
    pub tokens_issued: u64,
    /// POSTs to `/chat/completions`, streamed or not, whatever their answer.
    pub chat_attempts: u64,
    /// Chat requests, streamed or not, that were authorized, valid, within the concurrency limit, and not
    /// answered by an error fault.
    pub chat_requests: u64,
    /// Those of `chat_requests` that asked for a stream.
    pub stream_requests: u64,
    /// GET requests for `/models` or one model, that were authorized.
    pub models_requests: u64,
    /// POSTs to `/tokens/count` that were authorized and valid.
    pub count_requests: u64,
    /// POSTs to `/embeddings` that were authorized and valid.
    pub embedding_requests: u64,
    /// Requests for files of any kind that were authorized and valid.
    pub files_requests: u64,
    /// Those of them that were uploads.
    pub files_uploaded: u64,
    /// Those of them that were downloads of content.
    pub files_downloaded: u64,
    /// Those of them that were deletions.
    pub files_deleted: u64,
    /// Requests to `/batches`, both methods, that were authorized and valid.
    pub batch_requests: u64,
    /// GET requests for `/balance` that were allowed.
    pub balance_requests: u64,
    /// POSTs to `/ai/check` and `/filter/check` that were allowed and valid.
    pub check_requests: u64,
    /// POSTs to `/functions/validate` and `/functions/convert` that were authorized and valid.
    pub function_requests: u64,
    /// Those of `chat_requests` that came to `/v2/chat/completions`.
    pub chat_v2_requests: u64,
    /// Generation requests that hold a slot now.
    pub in_flight: u64,
    /// The most slots that were held at one time.
    pub peak_in_flight: u64,
    /// Streams that were accepted and are not at their end.
    pub open_streams: u64,
    /// Streams sent to their end.
    pub finished_streams: u64,
    /// Streams whose client went away, or reset the stream, before the end.
    pub cancelled_streams: u64,
    /// Streams that the emulator itself broke (a fault, a kill).
    pub aborted_streams: u64,
    /// Requests for anything else whose client went away before the answer was ready.
    pub cancelled_requests: u64,
    /// Requests for anything else that the emulator itself broke.
    pub aborted_requests: u64,
    /// Requests that came to a connection that hangs; they are in no other counter.
    pub unanswered_requests: u64,
    /// Answers with status 401.
    pub rejected_401: u64,
    /// Answers with status 403.
    pub rejected_403: u64,
    /// Answers with status 429.
    pub rejected_429: u64,
    /// Answers with any status from 400 to 499, the three above included.
    pub rejected_4xx: u64,
    /// How often a fault was applied to a request.
    pub fault_hits: u64,
    /// Answers by status.
    pub status: BTreeMap<u16, u64>,
}

impl Counters {
    /// The counter of this name, as the control endpoint `wait` knows it; `status.429` is an entry of the map.
    pub fn get(&self, name: &str) -> Option<u64> {
        if let Some(code) = name.strip_prefix("status.") {
            let code: u16 = code.parse().ok()?;
            return Some(self.status.get(&code).copied().unwrap_or(0));
        }
        serde_json::to_value(self).ok()?.get(name)?.as_u64()
    }

    pub(crate) fn answered(&mut self, status: u16) {
        *self.status.entry(status).or_default() += 1;
        match status {
            401 => self.rejected_401 += 1,
            403 => self.rejected_403 += 1,
            429 => self.rejected_429 += 1,
            _ => {}
        }
        if (400..500).contains(&status) {
            self.rejected_4xx += 1;
        }
    }
}

/// The one place where the counters live and where others wait for them.
#[derive(Default)]
pub(crate) struct CounterBoard {
    counters: Mutex<Counters>,
    waiting: AtomicUsize,
    changed: Condvar,
    changed_async: Notify,
}

impl CounterBoard {
    fn lock(&self) -> MutexGuard<'_, Counters> {
        self.counters.lock().unwrap_or_else(PoisonError::into_inner)
    }

    pub fn snapshot(&self) -> Counters {
        self.lock().clone()
    }

    pub fn update(&self, change: impl FnOnce(&mut Counters)) {
        change(&mut self.lock());
        if self.waiting.load(Ordering::SeqCst) > 0 {
            self.changed.notify_all();
            self.changed_async.notify_waiters();
        }
    }

    /// Sets everything to zero except what is a level now (open connections, requests in flight).
    pub fn reset(&self) {
        self.update(|counters| {
            *counters = Counters {
                connections_open: counters.connections_open,
                in_flight: counters.in_flight,
                peak_in_flight: counters.in_flight,
                open_streams: counters.open_streams,
                ..Counters::default()
            }
        });
    }

    #[allow(
        clippy::result_large_err,
        reason = "the counters are the news in both cases"
    )]
    pub fn wait(
        &self,
        bound: Duration,
        mut reached: impl FnMut(&Counters) -> bool,
    ) -> Result<Counters, Counters> {
        let _waiting = Waiting::new(&self.waiting);
        let deadline = Instant::now() + bound;
        let mut counters = self.lock();
        loop {
            if reached(&counters) {
                return Ok(counters.clone());
            }
            let left = deadline.saturating_duration_since(Instant::now());
            if left.is_zero() {
                return Err(counters.clone());
            }
            counters = self
                .changed
                .wait_timeout(counters, left)
                .unwrap_or_else(PoisonError::into_inner)
                .0;
        }
    }

    #[allow(
        clippy::result_large_err,
        reason = "the counters are the news in both cases"
    )]
    pub async fn wait_async(
        &self,
        bound: Duration,
        mut reached: impl FnMut(&Counters) -> bool,
    ) -> Result<Counters, Counters> {
        let _waiting = Waiting::new(&self.waiting);
        let until_reached = async {
            loop {
                let changed = self.changed_async.notified();
                tokio::pin!(changed);
                changed.as_mut().enable();
                let now = self.snapshot();
                if reached(&now) {
                    return now;
                }
                changed.await;
            }
        };
        tokio::time::timeout(bound, until_reached)
            .await
            .map_err(|_| self.snapshot())
    }
}

/// Counts one waiter, so that an update without waiters costs no notification.
struct Waiting<'a>(&'a AtomicUsize);

impl<'a> Waiting<'a> {
    fn new(waiting: &'a AtomicUsize) -> Self {
        waiting.fetch_add(1, Ordering::SeqCst);
        Waiting(waiting)
    }
}

impl Drop for Waiting<'_> {
    fn drop(&mut self) {
        self.0.fetch_sub(1, Ordering::SeqCst);
    }
}
