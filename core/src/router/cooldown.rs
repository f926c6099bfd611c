//! Cooldown of one member: how long it gets no requests, the single trial after that, and the
//! ramp back to its full share.
//!
//! ```text
//! closed --failure--> cooling --time--> half open --trial succeeds--> closed, ramping up
//!                        ^                  |
//!                        +---trial fails----+
//! ```
//! The deadline only ever moves to later: a short cooldown that is noted during a long one
//! changes nothing (users-ask, 2.1).

use std::time::{Duration, Instant};

use crate::error::ErrorKind;

/// No `Retry-After` is shorter than this, so that "0" cannot make a busy loop.
const SHORTEST: Duration = Duration::from_millis(100);
/// No `Retry-After` is believed beyond this.
const LONGEST_RETRY_AFTER: Duration = Duration::from_secs(3600);
/// A member on the ramp starts with this share of its weight, in thousandths.
const FIRST_SHARE: u64 = 100;
/// The whole weight, in thousandths.
pub(super) const WHOLE_SHARE: u64 = 1000;

/// How long cooldowns last.
#[derive(Clone, Copy, Debug)]
pub(super) struct CooldownRule {
    /// The first one without a `Retry-After`; each next one is twice as long.
    pub(super) first: Duration,
    pub(super) longest: Duration,
    /// How long it takes from the trial's success to the full share.
    pub(super) ramp: Duration,
}

/// What a member may be given at a moment.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Stage {
    /// Any number of requests.
    Closed,
    /// None before that time.
    Cooling(Instant),
    /// One, to see whether it serves again.
    HalfOpen,
    /// None until that one has ended.
    Trial,
}

/// What a member did last to be cooled.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct CooldownCause {
    /// The kind of the failure.
    pub kind: ErrorKind,
    /// Its HTTP status.
    pub status: Option<u16>,
}

/// One member's cooldown.
#[derive(Debug, Default)]
pub(super) struct Cooldown {
    /// The end of the cooldown that was not followed by a success yet.
    until: Option<Instant>,
    /// When that cooldown was noted: what began earlier says nothing of the time after it.
    noted: Option<Instant>,
    cause: Option<CooldownCause>,
    /// How many cooldowns followed each other.
    level: u32,
    trial: bool,
    ramping_since: Option<Instant>,
}

impl Cooldown {
    pub(super) fn stage(&self, now: Instant) -> Stage {
        match self.until {
            None => Stage::Closed,
            Some(until) if now < until => Stage::Cooling(until),
            Some(_) if self.trial => Stage::Trial,
            Some(_) => Stage::HalfOpen,
        }
    }

    pub(super) fn cause(&self) -> Option<CooldownCause> {
        self.until.and(self.cause)
    }

    /// The end of the last cooldown, past or future, unless a success followed it.
    pub(super) fn until(&self) -> Option<Instant> {
        self.until
    }

    /// Takes the trial that a half-open member grants.
    pub(super) fn take_trial(&mut self) {
        self.trial = true;
    }

    /// Gives the trial back; without a verdict the next request has it.
    pub(super) fn end_trial(&mut self) {
        self.trial = false;
    }

    /// A failure of a request that began at `begun`.
    pub(super) fn cool(
        &mut self,
        begun: Instant,
        now: Instant,
        retry_after: Option<Duration>,
        cause: CooldownCause,
        rule: &CooldownRule,
    ) {
        // Many requests that were in flight together fail together: that is one reason to cool,
        // not as many doublings.
        let another = self.noted.is_none_or(|noted| begun >= noted);
        if another {
            self.level = self.level.saturating_add(1);
            self.noted = Some(now);
        }
        let doubled = rule
            .first
            .saturating_mul(1 << self.level.saturating_sub(1).min(16));
        let wait = match retry_after {
            Some(wait) => wait.clamp(SHORTEST, LONGEST_RETRY_AFTER),
            None => doubled.min(rule.longest),
        };
        let until = now + wait;
        if self.until.is_none_or(|known| known < until) {
            self.until = Some(until);
            self.cause = Some(cause);
        }
        self.ramping_since = None;
    }

    /// A success of a request that began at `begun`.
    pub(super) fn succeed(&mut self, begun: Instant, now: Instant, rule: &CooldownRule) {
        match self.until {
            // It began before the failure that cooled the member, or ran beside its cooldown.
            Some(until) if begun < until => {}
            Some(_) => {
                self.until = None;
                self.cause = None;
                self.ramping_since = Some(now);
            }
            None => {
                let ramping = self
                    .ramping_since
                    .is_some_and(|since| now < since + rule.ramp);
                if !ramping {
                    self.level = 0;
                    self.noted = None;
                    self.ramping_since = None;
                }
            }
        }
    }

    /// The share of its weight that the member gets, in thousandths: rises evenly over the ramp.
    pub(super) fn share(&self, now: Instant, rule: &CooldownRule) -> u64 {
        let Some(since) = self.ramping_since else {
            return WHOLE_SHARE;
        };
        let passed = now.saturating_duration_since(since);
        if passed >= rule.ramp {
            return WHOLE_SHARE;
        }
        let risen = passed.as_secs_f64() / rule.ramp.as_secs_f64() * WHOLE_SHARE as f64;
        (risen as u64).clamp(FIRST_SHARE, WHOLE_SHARE)
    }
}

#[cfg(test)]
mod tests {
    use std::time::{Duration, Instant};

    use super::{Cooldown, CooldownCause, CooldownRule, Stage};
    use crate::error::ErrorKind;

    const RULE: CooldownRule = CooldownRule {
        first: Duration::from_secs(1),
        longest: Duration::from_secs(60),
        ramp: Duration::from_secs(10),
    };
    const BUSY: CooldownCause = CooldownCause {
        kind: ErrorKind::RateLimit,
        status: Some(429),
    };

    fn seconds(seconds: u64) -> Duration {
        Duration::from_secs(seconds)
    }

    #[test]
    fn the_later_deadline_wins_in_any_order() {
        for waits in [[1, 60, 5], [60, 5, 1], [5, 1, 60]] {
            let now = Instant::now();
            let mut cooldown = Cooldown::default();
            for wait in waits {
                cooldown.cool(now, now, Some(seconds(wait)), BUSY, &RULE);
            }
            assert_eq!(cooldown.stage(now), Stage::Cooling(now + seconds(60)));
        }
    }

    #[test]
    fn without_retry_after_it_doubles_for_each_failed_trial_not_for_each_failure() {
        let mut now = Instant::now();
        let mut cooldown = Cooldown::default();
        for expected in [1, 2, 4, 8, 16, 32, 60, 60] {
            let begun = now;
            for _ in 0..64 {
                now += Duration::from_nanos(1);
                cooldown.cool(begun, now, None, BUSY, &RULE);
            }
            let Stage::Cooling(until) = cooldown.stage(now) else {
                panic!("not cooling");
            };
            assert_eq!((until - begun).as_secs(), expected);
            now = until;
            assert_eq!(cooldown.stage(now), Stage::HalfOpen);
        }
    }

    #[test]
    fn one_trial_decides_and_its_success_ramps_back() {
        let now = Instant::now();
        let mut cooldown = Cooldown::default();
        cooldown.cool(now, now, Some(seconds(2)), BUSY, &RULE);
        let back = now + seconds(2);
        cooldown.take_trial();
        assert_eq!(cooldown.stage(back), Stage::Trial);
        cooldown.succeed(now, back, &RULE);
        assert_eq!(
            cooldown.stage(back),
            Stage::Trial,
            "a success that began before the cooldown says nothing"
        );
        cooldown.end_trial();
        cooldown.succeed(back, back, &RULE);
        assert_eq!(cooldown.stage(back), Stage::Closed);
        assert_eq!(cooldown.cause(), None);
        let shares = [0, 1, 5, 9, 10].map(|at| cooldown.share(back + seconds(at), &RULE));
        assert_eq!(shares, [100, 100, 500, 900, 1000]);
    }

    #[test]
    fn a_retry_after_of_zero_is_no_busy_loop_and_a_year_is_an_hour() {
        let now = Instant::now();
        for (said, meant) in [(0, 0.1), (365 * 86400, 3600.0)] {
            let mut cooldown = Cooldown::default();
            cooldown.cool(now, now, Some(seconds(said)), BUSY, &RULE);
            let until = cooldown.until().unwrap();
            assert_eq!((until - now).as_secs_f64(), meant);
        }
    }
}
