//! The plan of one request: asks the router's state for the next step, and tells it how the step
//! went. No async, no sockets, no clock of its own: Rust's driver and a driver in another
//! language use the same plan.
//!
//! ```text
//! loop: match plan.next(now) {
//!     Attempt -> call the member, at most until `until`; plan.report(outcome, now)
//!     Probe   -> check the member's health, at most until `until`; plan.report_probe(outcome, now)
//!     Wait    -> until that time, or until plan.poll_change says that something changed
//!     Fail    -> raise the last attempt's own error, or the one that is given
//! }
//! ```
//! Dropping a plan at any point gives everything back.

use std::sync::Arc;
use std::task::{Poll, Waker};
use std::time::{Duration, Instant};

use super::core::RouterCore;
use super::hold::Hold;
use super::members::MemberId;
use super::outcome::{Failure, Outcome, Verdict};
use super::pick::{Pick, Tried};
use crate::error::RouteAttempt;
use crate::error::{Error, ErrorKind, Phase, Result};

/// A probe may take this long.
const PROBE_LIMIT: Duration = Duration::from_secs(5);

/// What to do next.
pub enum Step<P> {
    /// Call this member, then [`RoutePlan::report`].
    Attempt(Attempt<P>),
    /// Check this member's health, then [`RoutePlan::report_probe`].
    Probe(Attempt<P>),
    /// Wait, then ask again.
    Wait(Wait),
    /// The route has failed.
    Fail(RouteFailure),
}

/// Whom to call, and how long.
pub struct Attempt<P> {
    /// The member.
    pub member: MemberId,
    /// Its name.
    pub name: Arc<str>,
    /// What to call.
    pub with: P,
    /// The end of the attempt's (of a stream: its first content's) share of the deadline, beside
    /// the member's own timeout.
    pub until: Option<Instant>,
}

/// How long to wait.
#[derive(Clone, Copy, Debug)]
pub struct Wait {
    /// Ask again at this time at the latest; it may be far when a trial is waited for.
    pub until: Instant,
    change: u64,
}

/// Which error to raise.
#[derive(Debug)]
pub enum RouteFailure {
    /// The last attempt's own. `retry_after`: when the first member may be asked again, if all
    /// cool; it belongs to the error if that is a rate limit.
    LastAttempt {
        /// How long until a member may be asked again.
        retry_after: Option<Duration>,
    },
    /// This one: nothing was attempted.
    Unattempted(Error),
}

/// The plan of one request.
pub struct RoutePlan<P> {
    core: Arc<RouterCore<P>>,
    begun: Instant,
    deadline: Option<Instant>,
    place: Place<P>,
    tried: Vec<Tried>,
    attempts: Vec<RouteAttempt>,
    requests_sent: u32,
    waited: Duration,
    waiting_since: Option<Instant>,
    ticket: Option<u64>,
}

enum Place<P> {
    Choosing,
    Probing(Hold<P>, P, u32),
    /// A probe went well; the attempt is next.
    Chosen(Hold<P>, P, u32),
    Attempting(Hold<P>),
    /// An attempt failed in a way that ends the route, or one has succeeded.
    Ended,
}

impl<P: Clone> RoutePlan<P> {
    pub(super) fn new(
        core: Arc<RouterCore<P>>,
        begun: Instant,
        deadline: Option<Instant>,
    ) -> RoutePlan<P> {
        RoutePlan {
            core,
            begun,
            deadline,
            place: Place::Choosing,
            tried: Vec::new(),
            attempts: Vec::new(),
            requests_sent: 0,
            waited: Duration::ZERO,
            waiting_since: None,
            ticket: None,
        }
    }

    /// The next step. An attempt or probe that was not reported counts as cancelled.
    pub fn next(&mut self, now: Instant) -> Step<P> {
        if let Err(error) = check_process(&self.core) {
            self.place = Place::Ended;
            return Step::Fail(RouteFailure::Unattempted(error));
        }
        if let Some(since) = self.waiting_since.take() {
            self.waited += now.saturating_duration_since(since);
        }
        match std::mem::replace(&mut self.place, Place::Choosing) {
            Place::Choosing | Place::Probing(..) | Place::Attempting(_) => {}
            Place::Chosen(hold, with, left) => return self.attempt(hold, with, left, now),
            Place::Ended => return self.end(now),
        }
        if self.deadline.is_some_and(|deadline| deadline <= now) {
            return self.end(now);
        }
        match self.core.pick(now, &self.tried) {
            Pick::Member(picked) if picked.hold.is_probe() => {
                let probe = self.target(&picked.hold, picked.with.clone(), picked.left, now);
                self.place = Place::Probing(picked.hold, picked.with, picked.left);
                let limit = now + PROBE_LIMIT;
                Step::Probe(Attempt {
                    until: Some(probe.until.map_or(limit, |until| until.min(limit))),
                    ..probe
                })
            }
            Pick::Member(picked) => self.attempt(picked.hold, picked.with, picked.left, now),
            Pick::Later {
                first_return,
                trial,
                change,
            } => self.wait(first_return, trial, change, now),
            Pick::Exhausted | Pick::Empty => self.end(now),
        }
    }

    /// How the attempt ended. Ask [`next`](Self::next) afterwards only if it failed.
    pub fn report(&mut self, outcome: Outcome<'_>, now: Instant) {
        let Place::Attempting(hold) = std::mem::replace(&mut self.place, Place::Choosing) else {
            return;
        };
        if self.core.is_inherited() {
            return;
        }
        match &outcome {
            Outcome::Answered(answer) => {
                self.requests_sent += answer.requests_sent;
                self.place = Place::Ended;
            }
            Outcome::Failed(failure) => {
                self.requests_sent += failure.requests_sent;
                if !failure.falls_over(&self.core.options) {
                    self.place = Place::Ended;
                }
                self.note_failure(&hold, failure, now);
            }
        }
        self.core.clone().settle(hold, &outcome, now);
    }

    /// How the probe ended; a failure's particulars are kept for the cooldown.
    pub fn report_probe(&mut self, outcome: std::result::Result<(), Failure>, now: Instant) {
        let place = std::mem::replace(&mut self.place, Place::Choosing);
        let Place::Probing(mut hold, with, left) = place else {
            return;
        };
        if self.core.is_inherited() {
            return;
        }
        match outcome {
            Err(failure) if failure.verdict() != Verdict::Unknown => {
                self.core.clone().probe_failed(hold, &failure, now);
            }
            // What this process has run out of says nothing of the member: the request finds out.
            outcome => {
                let outcome = outcome.as_ref().copied();
                self.core.promote(&mut hold, outcome, now, &self.tried);
                self.place = Place::Chosen(hold, with, left);
            }
        }
    }

    /// The first content of a streamed attempt has come: the deadline is kept, the time counts.
    pub fn report_first_content(&mut self, now: Instant) {
        if self.core.is_inherited() {
            return;
        }
        if let Place::Attempting(hold) = &mut self.place {
            hold.heard = true;
            let after = now.saturating_duration_since(hold.begun);
            self.core.first_content(hold.member, after, now);
        }
    }

    /// Whether a wait is over early because something changed; else `waker` is woken when it is.
    pub fn poll_change(&mut self, wait: &Wait, waker: &Waker) -> Poll<()> {
        self.core.poll_change(wait.change, &mut self.ticket, waker)
    }

    /// The attempts that have failed so far.
    pub fn attempts(&self) -> &[RouteAttempt] {
        &self.attempts
    }

    /// How many requests all members have sent so far.
    pub fn requests_sent(&self) -> u32 {
        self.requests_sent
    }

    /// The start of the call.
    pub fn begun(&self) -> Instant {
        self.begun
    }

    fn attempt(&mut self, hold: Hold<P>, with: P, left: u32, now: Instant) -> Step<P> {
        let attempt = self.target(&hold, with, left, now);
        self.place = Place::Attempting(hold);
        Step::Attempt(attempt)
    }

    /// The remaining time, divided by the members that are left, so that one that stalls leaves
    /// time for the others (I14).
    fn target(&self, hold: &Hold<P>, with: P, left: u32, now: Instant) -> Attempt<P> {
        let until = self.deadline.map(|deadline| {
            let remaining = deadline.saturating_duration_since(now);
            now + remaining / left.max(1)
        });
        Attempt {
            member: hold.member,
            name: hold.name.clone(),
            with,
            until,
        }
    }

    fn wait(
        &mut self,
        first_return: Option<Instant>,
        trial: bool,
        change: u64,
        now: Instant,
    ) -> Step<P> {
        let patience = self.core.options.max_cooldown_wait;
        let limit = self
            .deadline
            .unwrap_or_else(|| now + patience.saturating_sub(self.waited));
        let in_time = first_return.filter(|at| *at < limit);
        if limit <= now || (in_time.is_none() && !trial) {
            return self.end(now);
        }
        self.waiting_since = Some(now);
        Step::Wait(Wait {
            until: in_time.unwrap_or(limit),
            change,
        })
    }

    fn end(&mut self, now: Instant) -> Step<P> {
        self.place = Place::Ended;
        Step::Fail(match self.attempts.is_empty() {
            true => RouteFailure::Unattempted(self.core.none_available(now)),
            false => RouteFailure::LastAttempt {
                retry_after: self.core.first_return(now),
            },
        })
    }

    fn note_failure(&mut self, hold: &Hold<P>, failure: &Failure, now: Instant) {
        let may_return = failure.kind == ErrorKind::RateLimit;
        match self.tried.iter_mut().find(|t| t.member == hold.member) {
            Some(tried) => tried.may_return = may_return,
            None => self.tried.push(Tried {
                member: hold.member,
                may_return,
            }),
        }
        if failure.inner_attempts.is_empty() {
            self.attempts.push(RouteAttempt {
                member: hold.name.to_string(),
                kind: failure.kind,
                status: failure.status,
                request_id: failure.request_id.clone(),
                duration: now.saturating_duration_since(hold.begun),
            });
        }
        let inner = failure.inner_attempts.iter().map(|inner| RouteAttempt {
            member: format!("{}/{}", hold.name, inner.member),
            ..inner.clone()
        });
        self.attempts.extend(inner);
    }
}

impl RouteFailure {
    /// The error to raise, with the list of all attempts. `last` is the last attempt's own.
    pub fn into_error<P: Clone>(self, last: Option<Error>, plan: &RoutePlan<P>) -> Error {
        let error = match (self, last) {
            (RouteFailure::Unattempted(error), _) => error,
            (RouteFailure::LastAttempt { retry_after }, Some(last)) => {
                match (last.kind(), retry_after) {
                    (ErrorKind::RateLimit, Some(wait)) => last.with_retry_after(Some(wait)),
                    _ => last,
                }
            }
            (RouteFailure::LastAttempt { .. }, None) => {
                Error::internal("the driver of a route has lost its last error")
            }
        };
        error
            .with_attempts(plan.requests_sent())
            .with_route_attempts(plan.attempts().to_vec())
    }
}

impl<P> Drop for RoutePlan<P> {
    fn drop(&mut self) {
        let Some(ticket) = self.ticket else { return };
        if !self.core.is_inherited() {
            self.core.leave_queue(ticket);
        }
    }
}

/// Refuses a plan in a forked child whose parent made it: its state is the parent's.
pub(super) fn check_process<P>(core: &RouterCore<P>) -> Result<()> {
    match core.is_inherited() {
        true => Err(Error::new(
            ErrorKind::Forked,
            Phase::Input,
            "this route was begun in the parent of this forked process",
        )),
        false => Ok(()),
    }
}
