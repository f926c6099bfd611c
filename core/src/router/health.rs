//! Passive health: what a member's real requests of the last minute say of it.
//!
//! No request is ever sent to find out; a member that is not used becomes healthy again as its
//! failures grow old (peers, O7).

use std::time::{Duration, Instant};

/// How well a member served during the last minute.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum MemberHealth {
    /// Fewer than 30 % errors, or fewer than 5 requests of which one was answered.
    Healthy,
    /// At least 30 % errors of 5 requests or more.
    Degraded,
    /// At least 60 % errors of 5 requests or more; or nothing but failures, three of them in a row, or
    /// one that says that the credential is refused. Failed probes count.
    Unhealthy,
}

impl MemberHealth {
    /// `healthy`, `degraded` or `unhealthy`.
    pub fn name(self) -> &'static str {
        match self {
            MemberHealth::Healthy => "healthy",
            MemberHealth::Degraded => "degraded",
            MemberHealth::Unhealthy => "unhealthy",
        }
    }
}

const FEWEST_REQUESTS: u32 = 5;
const DEGRADED_PERCENT: u64 = 30;
const UNHEALTHY_PERCENT: u64 = 60;
/// The minute moves in steps of 5 s, so "the last minute" is 55 to 60 s.
const SLOT: Duration = Duration::from_secs(5);
const SLOTS: usize = 12;

#[derive(Clone, Copy, Debug, Default)]
struct Slot {
    /// Its number since the window's start; tells a slot of this minute from an old one.
    number: u64,
    requests: u32,
    errors: u32,
}

/// Requests and errors of the last minute.
#[derive(Debug)]
pub(super) struct ErrorWindow {
    start: Instant,
    slots: [Slot; SLOTS],
    /// The number of the newest slot with an error: most members have none, and are healthy.
    newest_error: u64,
}

impl ErrorWindow {
    pub(super) fn new(now: Instant) -> ErrorWindow {
        ErrorWindow {
            start: now,
            slots: [Slot::default(); SLOTS],
            newest_error: 0,
        }
    }

    /// Slot numbers begin at 1, so that an unused slot, 0, is always old.
    fn number(&self, now: Instant) -> u64 {
        now.saturating_duration_since(self.start).as_secs() / SLOT.as_secs() + 1
    }

    pub(super) fn note(&mut self, now: Instant, failed: bool) {
        let number = self.number(now);
        let slot = &mut self.slots[(number % SLOTS as u64) as usize];
        if slot.number != number {
            *slot = Slot {
                number,
                ..Slot::default()
            };
        }
        slot.requests = slot.requests.saturating_add(1);
        slot.errors = slot.errors.saturating_add(u32::from(failed));
        if failed {
            self.newest_error = number;
        }
    }

    fn oldest(newest: u64) -> u64 {
        newest.saturating_sub(SLOTS as u64 - 1).max(1)
    }

    /// Requests and errors.
    pub(super) fn tally(&self, now: Instant) -> (u32, u32) {
        let newest = self.number(now);
        let oldest = Self::oldest(newest);
        self.slots
            .iter()
            .filter(|slot| (oldest..=newest).contains(&slot.number))
            .fold((0, 0), |(requests, errors), slot| {
                (requests + slot.requests, errors + slot.errors)
            })
    }

    pub(super) fn health(&self, now: Instant) -> MemberHealth {
        if self.newest_error < Self::oldest(self.number(now)) {
            return MemberHealth::Healthy;
        }
        let (requests, errors) = self.tally(now);
        let percent = u64::from(errors) * 100;
        if requests < FEWEST_REQUESTS || percent < DEGRADED_PERCENT * u64::from(requests) {
            MemberHealth::Healthy
        } else if percent < UNHEALTHY_PERCENT * u64::from(requests) {
            MemberHealth::Degraded
        } else {
            MemberHealth::Unhealthy
        }
    }
}

#[cfg(test)]
mod tests {
    use std::time::{Duration, Instant};

    use super::{ErrorWindow, MemberHealth};

    fn after(errors: u32, successes: u32) -> (ErrorWindow, Instant) {
        let now = Instant::now();
        let mut window = ErrorWindow::new(now);
        for at in 0..errors + successes {
            window.note(now, at < errors);
        }
        (window, now)
    }

    #[test]
    fn thresholds_are_30_and_60_percent_from_5_requests_on() {
        let cases = [
            (4, 0, MemberHealth::Healthy),
            (5, 0, MemberHealth::Unhealthy),
            (1, 4, MemberHealth::Healthy),
            (29, 71, MemberHealth::Healthy),
            (30, 70, MemberHealth::Degraded),
            (59, 41, MemberHealth::Degraded),
            (60, 40, MemberHealth::Unhealthy),
        ];
        for (errors, successes, expected) in cases {
            let (window, now) = after(errors, successes);
            assert_eq!(window.health(now), expected, "{errors} of {successes}");
        }
    }

    #[test]
    fn quiet_time_heals_and_new_errors_count_against_new_requests_only() {
        let (mut window, now) = after(100, 0);
        assert_eq!(
            window.health(now + Duration::from_secs(54)),
            MemberHealth::Unhealthy
        );
        let later = now + Duration::from_secs(61);
        assert_eq!(window.health(later), MemberHealth::Healthy);
        for failed in [true, true, true, false, false] {
            window.note(later, failed);
        }
        assert_eq!(window.tally(later), (5, 3));
        assert_eq!(window.health(later), MemberHealth::Unhealthy);
    }

    #[test]
    fn a_slot_that_is_used_again_after_a_long_time_starts_from_zero() {
        let (mut window, now) = after(9, 0);
        let hours = now + Duration::from_secs(7200);
        window.note(hours, false);
        assert_eq!(window.tally(hours), (1, 0));
    }
}
