//! One member as the router's state knows it: what selection, cooldown, health and metrics keep
//! of it. Lives behind the state's lock.

use std::sync::Arc;
use std::time::{Duration, Instant};

use super::cooldown::{Cooldown, CooldownCause, Stage};
use super::counters::Counters;
use super::departed::{self, Former};
use super::ewma::PeakEwma;
use super::health::{ErrorWindow, MemberHealth};
use super::options::RouterOptions;
use super::outcome::{Failure, Outcome, Verdict};
use super::pick::Tried;
use super::strategy::Strategy;
use crate::error::ErrorKind;

/// A member of one router; never used again for another.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct MemberId(pub(super) u64);

impl MemberId {
    /// The id as a number, for other languages.
    pub fn as_u64(self) -> u64 {
        self.0
    }

    /// The id of this number. One that was never given out is no member of any router.
    pub fn from_u64(id: u64) -> MemberId {
        MemberId(id)
    }
}

/// What a router's membership list says of a member.
#[derive(Clone)]
pub(super) struct Membership<P> {
    pub(super) id: MemberId,
    pub(super) name: Arc<str>,
    pub(super) weight: u32,
    /// What the driver calls: a provider, or whatever it is in another language.
    pub(super) with: P,
}

/// A member that nothing was heard of for so long is probed before it gets a request.
const LONG_IDLE: Duration = Duration::from_secs(300);
/// From so many on it is more than an accident, when nothing was answered between them.
const ALWAYS: u32 = 3;
/// A good probe counts for this long.
const PROBE_KEPT: Duration = Duration::from_secs(30);

/// A member and its state.
pub(super) struct Member<P> {
    pub(super) is: Membership<P>,
    pub(super) in_flight: u32,
    /// Scratch of one pick.
    pub(super) eligible: bool,
    /// Where it stands in the round (see `strategy::by_turns`).
    pub(super) turn: i64,
    pub(super) cooldown: Cooldown,
    pub(super) errors: ErrorWindow,
    pub(super) first_content: PeakEwma,
    pub(super) counters: Counters,
    pub(super) probing: bool,
    /// Places at members of this name that were removed.
    pub(super) former: Vec<Former>,
    failures_in_row: u32,
    /// Failed attempts and probes since the last answer; a good probe is none.
    unanswered: u32,
    last_heard: Option<Instant>,
    last_good_probe: Option<Instant>,
}

impl<P> Member<P> {
    pub(super) fn new(is: Membership<P>, now: Instant) -> Member<P> {
        Member {
            is,
            in_flight: 0,
            eligible: false,
            turn: 0,
            cooldown: Cooldown::default(),
            errors: ErrorWindow::new(now),
            first_content: PeakEwma::default(),
            counters: Counters::default(),
            probing: false,
            former: Vec::new(),
            failures_in_row: 0,
            unanswered: 0,
            last_heard: None,
            last_good_probe: None,
        }
    }

    /// Whether it may get a request now.
    pub(super) fn usable(&self, now: Instant) -> bool {
        matches!(self.cooldown.stage(now), Stage::Closed | Stage::HalfOpen)
    }

    /// Its part of the requests: weight times ramp, in thousandths.
    pub(super) fn share(&self, now: Instant, options: &RouterOptions) -> u64 {
        u64::from(self.is.weight) * self.cooldown.share(now, &options.cooldown)
    }

    /// Whether nothing was ever heard of it, and nothing is under way.
    pub(super) fn untried(&self) -> bool {
        self.last_heard.is_none() && self.in_flight == 0
    }

    /// Whether it should be probed before it gets the request that it was chosen for.
    pub(super) fn wants_probe(&self, strategy: Strategy, now: Instant) -> bool {
        let since = |at: Instant| now.saturating_duration_since(at);
        if self.probing
            || self
                .last_good_probe
                .is_some_and(|at| since(at) < PROBE_KEPT)
        {
            return false;
        }
        if self.cooldown.stage(now) == Stage::HalfOpen {
            // Only a real request tells whether a rate limit is over.
            let cause = self.cooldown.cause();
            return cause.is_none_or(|cause| cause.kind != ErrorKind::RateLimit);
        }
        match self.last_heard {
            Some(at) => since(at) >= LONG_IDLE && self.in_flight == 0,
            None => strategy.probes_untried() && self.in_flight == 0,
        }
    }

    /// How well it serves, for people: what fails each time is unhealthy long before there are enough
    /// requests for a rate, and as long as it cools for that. Selection looks at the rate only: it
    /// has cooldowns for the rest.
    pub(super) fn health(&self, now: Instant) -> MemberHealth {
        let (requests, errors) = self.errors.tally(now);
        let nothing_else = requests == errors && (requests > 0 || !self.usable(now));
        let refused = self.cooldown.cause().is_some_and(|cause| {
            matches!(
                cause.kind,
                ErrorKind::Authentication
                    | ErrorKind::PermissionDenied
                    | ErrorKind::PaymentRequired
            )
        });
        match nothing_else && (self.unanswered >= ALWAYS || refused && self.unanswered > 0) {
            true => MemberHealth::Unhealthy,
            false => self.errors.health(now),
        }
    }

    /// How many attempts run, those at its namesakes before it included.
    pub(super) fn all_in_flight(&self) -> u32 {
        self.in_flight + departed::in_flight(&self.former)
    }

    /// An attempt begins. `tried` is what its request has behind it.
    pub(super) fn begin(&mut self, tried: &[Tried]) {
        self.in_flight += 1;
        self.counters.requests += 1;
        let again = tried.iter().any(|tried| tried.member == self.is.id);
        self.counters.retries += u64::from(again);
        self.counters.fallbacks += u64::from(!again && !tried.is_empty());
    }

    /// The first content of an attempt has come after so long.
    pub(super) fn heard_first(&mut self, after: Duration, now: Instant) {
        self.first_content.observe(after, now);
        self.counters.first_content.note(after, now);
    }

    /// Why it gets no requests now, for an error's text.
    pub(super) fn reason(&self, now: Instant) -> String {
        let name = &self.is.name;
        let cause = self.cooldown.cause().map_or(String::new(), |cause| {
            let status = cause
                .status
                .map_or(String::new(), |s| format!(", HTTP {s}"));
            format!(" after {}{status}", cause.kind.name())
        });
        match self.cooldown.stage(now) {
            Stage::Cooling(until) => {
                let left = until.saturating_duration_since(now).as_secs_f64();
                format!("{name} is cooling down for another {left:.1} s{cause}")
            }
            Stage::Trial => format!("{name} is being tried by one request{cause}"),
            Stage::HalfOpen => format!("{name} has just cooled down{cause}"),
            Stage::Closed => format!("{name} is free"),
        }
    }

    /// Takes note of how an attempt ended. `begun` is its start.
    pub(super) fn settle(
        &mut self,
        outcome: &Outcome<'_>,
        begun: Instant,
        now: Instant,
        options: &RouterOptions,
    ) {
        let duration = now.saturating_duration_since(begun);
        match outcome {
            Outcome::Answered(answer) => {
                self.counters.answered(answer, duration, now);
                self.served(begun, now, options);
                self.errors.note(now, false);
            }
            Outcome::Failed(failure) => {
                self.counters.failed(failure);
                self.failed(failure, begun, now, options);
            }
        }
    }

    fn served(&mut self, begun: Instant, now: Instant, options: &RouterOptions) {
        self.last_heard = Some(now);
        self.failures_in_row = 0;
        self.unanswered = 0;
        self.cooldown.succeed(begun, now, &options.cooldown);
    }

    fn failed(&mut self, failure: &Failure, begun: Instant, now: Instant, options: &RouterOptions) {
        let verdict = failure.verdict();
        match verdict {
            Verdict::Unknown => return,
            Verdict::Alive => return self.served(begun, now, options),
            Verdict::Error | Verdict::CoolNow => {}
        }
        self.last_heard = Some(now);
        self.last_good_probe = None;
        self.errors.note(now, true);
        self.failures_in_row = self.failures_in_row.saturating_add(1);
        self.unanswered = self.unanswered.saturating_add(1);
        if failure.kind == ErrorKind::Timeout {
            let silence = now.saturating_duration_since(begun);
            self.first_content.observe(silence, now);
        }
        // Not closed means that this was the trial, or ran beside a cooldown: one more reason.
        let cools = verdict == Verdict::CoolNow
            || self.failures_in_row >= options.failures_to_cool
            || self.cooldown.until().is_some();
        if cools {
            self.cool(failure, begun, now, options);
        }
    }

    fn cool(&mut self, failure: &Failure, begun: Instant, now: Instant, options: &RouterOptions) {
        let cause = CooldownCause {
            kind: failure.kind,
            status: failure.status,
        };
        self.cooldown
            .cool(begun, now, failure.retry_after, cause, &options.cooldown);
    }

    /// Takes note of a probe's outcome. A good one counts for 30 s; a bad one cools, and is an error of
    /// the last minute like a failed attempt.
    pub(super) fn probed(
        &mut self,
        outcome: Result<(), &Failure>,
        begun: Instant,
        now: Instant,
        options: &RouterOptions,
    ) {
        match outcome {
            Ok(()) => self.probe_answered(now),
            Err(failure) => match failure.verdict() {
                // A member that has no models to list answered all the same.
                Verdict::Alive => self.probe_answered(now),
                Verdict::Unknown => {}
                Verdict::Error | Verdict::CoolNow => {
                    self.counters.probe_failed(failure);
                    self.errors.note(now, true);
                    self.unanswered = self.unanswered.saturating_add(1);
                    self.last_heard = Some(now);
                    self.cool(failure, begun, now, options);
                }
            },
        }
    }

    fn probe_answered(&mut self, now: Instant) {
        self.counters.good_probes += 1;
        self.last_good_probe = Some(now);
    }
}
