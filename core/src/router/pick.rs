//! Whom a request may be given now: the members it has not tried and that do not cool, else
//! those that said 429 to it and have cooled since, else when to ask again.

use std::time::Instant;

use super::cooldown::Stage;
use super::hold::Hold;
use super::members::{Member, MemberId};
use crate::error::ErrorKind;

/// A member that this request has tried.
#[derive(Clone, Copy, Debug)]
pub(super) struct Tried {
    pub(super) member: MemberId,
    /// It said 429: after its cooldown it may be asked again.
    pub(super) may_return: bool,
}

/// The result of choosing.
pub(super) enum Pick<P> {
    Member(Picked<P>),
    /// All that could serve cool or have a trial under way; the first returns then, if known.
    Later {
        first_return: Option<Instant>,
        trial: bool,
        change: u64,
    },
    /// Every member was tried.
    Exhausted,
    /// There are no members.
    Empty,
}

pub(super) struct Picked<P> {
    pub(super) hold: Hold<P>,
    pub(super) with: P,
    /// How many members this request could have used, this one included.
    pub(super) left: u32,
}

/// Marks whom the request may use now, and counts them. Members that it has tried come second,
/// and only if they said 429 and have cooled since.
pub(super) fn mark_eligible<P>(members: &mut [Member<P>], now: Instant, tried: &[Tried]) -> u32 {
    let was_tried = |id| tried.iter().find(|tried| tried.member == id);
    let mut mark = |eligible: &dyn Fn(&Member<P>) -> bool| {
        let mut count = 0;
        for member in members.iter_mut() {
            member.eligible = eligible(member);
            count += u32::from(member.eligible);
        }
        count
    };
    let fresh = mark(&|member| was_tried(member.is.id).is_none() && member.usable(now));
    if fresh > 0 || tried.is_empty() {
        return fresh;
    }
    mark(&|member| was_tried(member.is.id).is_some_and(|t| t.may_return) && member.usable(now))
}

/// A member that another request is just probing is left alone while there is another.
pub(super) fn pass_over_probed<P>(members: &mut [Member<P>]) {
    let eligible = |member: &Member<P>| member.eligible && !member.probing;
    if members.iter().any(eligible) {
        for member in members {
            member.eligible &= !member.probing;
        }
    }
}

/// When somebody may be asked whom this request has not asked, or who said 429 to it. A request
/// that has tried one member waits for others only if they are merely busy.
pub(super) fn later<P>(
    members: &[Member<P>],
    now: Instant,
    tried: &[Tried],
    change: u64,
) -> Pick<P> {
    let mut first_return: Option<Instant> = None;
    let mut trial = false;
    for member in members {
        let was_tried = tried.iter().find(|tried| tried.member == member.is.id);
        let busy = || {
            let cause = member.cooldown.cause();
            cause.is_some_and(|cause| cause.kind == ErrorKind::RateLimit)
        };
        let worth_waiting = match was_tried {
            Some(tried) => tried.may_return,
            None => tried.is_empty() || busy(),
        };
        if !worth_waiting {
            continue;
        }
        match member.cooldown.stage(now) {
            Stage::Cooling(until) => {
                first_return = Some(first_return.map_or(until, |known| known.min(until)));
            }
            Stage::Trial => trial = true,
            Stage::Closed | Stage::HalfOpen => {}
        }
    }
    match (first_return, trial) {
        (None, false) => Pick::Exhausted,
        _ => Pick::Later {
            first_return,
            trial,
            change,
        },
    }
}
