//! The clock of one call: its deadline, its permit, and what is measured and learnt on the way.

use std::future::Future;
use std::sync::Arc;
use std::time::Duration;

use tokio::time::{Instant, timeout_at};

use super::held::HeldPermit;
use super::session::Session;
use crate::error::{Error, Phase, Result};
use crate::request::CallOptions;
use crate::response::{CallReport, Timings};
use crate::transport::{Answer, ConnectWatch, timed_out};

/// The clock of a call, and what is known of it so far.
pub(super) struct Progress<'a> {
    pub(super) session: &'a Session,
    pub(super) options: &'a CallOptions,
    pub(super) timeout: Duration,
    pub(super) total: Option<Duration>,
    /// When the first permit was had, plus the waits for later ones: the start of all limits.
    pub(super) permitted: Instant,
    /// When a unary call, or a stream without content, has taken too long.
    pub(super) deadline: Instant,
    /// The end of the attempt's share of a router's deadline, or of the call's own.
    pub(super) until: Option<Instant>,
    pub(super) begun: Instant,
    pub(super) request_id: String,
    pub(super) session_id: Option<String>,
    pub(super) timings: Timings,
    pub(super) attempts: u32,
    pub(super) permit: Option<HeldPermit>,
    /// The refresh has retries of its own: its failure is not retried again by each call.
    pub(super) token_failed: bool,
    /// The connection of the attempt under way.
    pub(super) watch: Arc<ConnectWatch>,
}

impl Progress<'_> {
    /// Runs `work` until the call's deadline.
    pub(super) async fn within<T>(
        &self,
        phase: Phase,
        work: impl Future<Output = Result<T>>,
    ) -> Result<T> {
        match timeout_at(self.deadline, work).await {
            Ok(outcome) => outcome,
            Err(_) => Err(self.deadline_passed(phase)),
        }
    }

    /// The error of the deadline, whichever limit it comes from.
    pub(super) fn deadline_passed(&self, phase: Phase) -> Error {
        let limit = self.deadline - self.permitted;
        match self.total {
            Some(total) if total <= limit => self.timed_out(Phase::Total, total),
            _ => self.timed_out(phase, limit),
        }
    }

    pub(super) fn timed_out(&self, phase: Phase, limit: Duration) -> Error {
        self.watch.give_up();
        timed_out(phase, limit, self.session.api.host())
    }

    /// A retry has its permit again. Waiting for it counts to no limit but `queue_timeout` (I3):
    /// otherwise a call among many would fail because it was unlucky once.
    pub(super) fn permitted_again(&mut self, permit: Option<HeldPermit>, waited: Duration) {
        self.permit = permit;
        self.queued(waited);
    }

    /// It has waited in the queue for so long, which counts to no other limit.
    pub(super) fn queued(&mut self, waited: Duration) {
        self.permitted += waited;
        self.deadline += waited;
        if let Some(until) = self.until {
            self.deadline = self.deadline.min(until);
        }
        self.timings.queue += waited;
    }

    /// The first content is there.
    pub(super) fn first_content(&mut self) {
        self.timings.first_content = self.permitted.elapsed();
    }

    /// The end of the answer was received: the permit is free, even while a slow reader has not
    /// taken everything (I5).
    pub(super) fn received(&mut self) {
        self.permit = None;
    }

    /// What is known of the call at its end.
    pub(super) fn report(&mut self) -> CallReport {
        self.timings.total = self.begun.elapsed();
        CallReport {
            request_id: self.request_id.clone(),
            session_id: self.session_id.take(),
            timings: self.timings,
            attempts: self.attempts,
        }
    }

    pub(super) fn answered(&mut self, answer: &Answer) {
        self.timings.first_byte = self.permitted.elapsed();
        if let Some(id) = answer.request_id() {
            id.clone_into(&mut self.request_id);
        }
        self.session_id = answer.text_header("x-session-id").map(str::to_owned);
    }
}
