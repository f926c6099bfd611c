//! Members that were removed: their counters go on, since attempts that run when a member is removed
//! end later, and a counter that starts over or disappears makes a dashboard's sums wrong. A member
//! that is added under the same name takes them over. What they were called with is let go.

use std::sync::Arc;
use std::time::Instant;

use super::counters::Counters;
use super::members::{Member, MemberId};
use super::outcome::Outcome;

/// A program that adds members under ever new names must not fill the memory.
pub(super) const MOST_DEPARTED: usize = 64;

/// A place that was given at a member before it was removed.
#[derive(Clone, Copy, Debug)]
pub(super) struct Former {
    pub(super) id: MemberId,
    pub(super) in_flight: u32,
}

impl Former {
    pub(super) fn leave(&mut self) {
        self.in_flight = self.in_flight.saturating_sub(1);
    }
}

/// A member that was removed.
pub(super) struct Departed {
    pub(super) id: MemberId,
    pub(super) name: Arc<str>,
    pub(super) weight: u32,
    pub(super) counters: Counters,
    /// Its places, and those of members of this name before it.
    pub(super) places: Vec<Former>,
}

impl Departed {
    pub(super) fn of<P>(member: Member<P>) -> Departed {
        let mut places = member.former;
        places.push(Former {
            id: member.is.id,
            in_flight: member.in_flight,
        });
        places.retain(|place| place.in_flight > 0);
        Departed {
            id: member.is.id,
            name: member.is.name,
            weight: member.is.weight,
            counters: member.counters,
            places,
        }
    }

    pub(super) fn in_flight(&self) -> u32 {
        in_flight(&self.places)
    }
}

/// How many attempts run at these places.
pub(super) fn in_flight(places: &[Former]) -> u32 {
    places.iter().map(|place| place.in_flight).sum()
}

/// What is left of a member whose place this is: its counters.
pub(super) struct Left<'a> {
    pub(super) place: &'a mut Former,
    pub(super) counters: &'a mut Counters,
}

impl Left<'_> {
    /// An attempt that outlived its member has ended: it is counted, and decides nothing.
    pub(super) fn settle(self, outcome: &Outcome<'_>, begun: Instant, now: Instant) {
        self.place.leave();
        match outcome {
            Outcome::Answered(answer) => {
                let duration = now.saturating_duration_since(begun);
                self.counters.answered(answer, duration, now);
            }
            Outcome::Failed(failure) => self.counters.failed(failure),
        }
    }

    /// Its caller went away.
    pub(super) fn abandon(self) {
        self.place.leave();
        self.counters.cancelled += 1;
    }
}
