//! Strategies: which of the members that may be used now gets the next attempt.
//!
//! All of them see only eligible members: not cooling, not tried in this request, and none with
//! a trial or a probe under way while there is another.

use std::time::Instant;

use super::cooldown::WHOLE_SHARE;
use super::health::MemberHealth;
use super::members::Member;
use super::options::RouterOptions;
use crate::error::{Error, Result};

/// How a router chooses among its members.
///
/// A member's *share* is its weight (1 unless set), and after a cooldown a growing part of it
/// (see [`RouterOptions::set_ramp`]).
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
pub enum Strategy {
    /// By turns, exactly: over any stretch of requests with the same eligible members each gets
    /// its share, to within one request, however many threads ask. While a member is out its
    /// turns are spread over all others, not given to its neighbour. (Smooth weighted
    /// round-robin, as in nginx.)
    #[default]
    RoundRobin,
    /// At random, with a probability in proportion to the share.
    Random,
    /// The first that is not unhealthy, in the order in which they were added; when all are
    /// unhealthy, the first. Weights play no part; a member on its ramp is passed over with the
    /// probability of what is missing of its full share.
    FirstAvailable,
    /// Members of the best health there is, among those: one that is still untried; else the
    /// better of two that are drawn at random. Better is the smaller product of the expected
    /// time to first content (peak-EWMA, decays with 30 s) and the requests in flight plus one,
    /// divided by the share. Equals are drawn by lot.
    BestAvailable,
}

impl Strategy {
    /// Every strategy.
    pub const ALL: [Strategy; 4] = [
        Strategy::RoundRobin,
        Strategy::Random,
        Strategy::FirstAvailable,
        Strategy::BestAvailable,
    ];

    /// The names of all strategies.
    pub const NAMES: &'static [&'static str] = &[
        Strategy::RoundRobin.name(),
        Strategy::Random.name(),
        Strategy::FirstAvailable.name(),
        Strategy::BestAvailable.name(),
    ];

    /// `round-robin`, `random`, `first-available` or `best-available`.
    pub const fn name(self) -> &'static str {
        match self {
            Strategy::RoundRobin => "round-robin",
            Strategy::Random => "random",
            Strategy::FirstAvailable => "first-available",
            Strategy::BestAvailable => "best-available",
        }
    }

    /// The strategy of this name.
    pub fn from_name(name: &str) -> Result<Strategy> {
        Strategy::ALL
            .into_iter()
            .find(|strategy| strategy.name() == name)
            .ok_or_else(|| {
                Error::configuration(
                    "strategy",
                    format!("{name:?}"),
                    "round-robin, random, first-available or best-available",
                )
            })
    }

    /// Whether a member that was never used is probed first (and so found dead for a small
    /// price): the strategies that may otherwise pour everything on it.
    pub(super) fn probes_untried(self) -> bool {
        matches!(self, Strategy::FirstAvailable | Strategy::BestAvailable)
    }
}

/// Chooses among the members whose `eligible` is set; `None` when there is none.
pub(super) fn choose<P>(
    members: &mut [Member<P>],
    options: &RouterOptions,
    random: &mut fastrand::Rng,
    now: Instant,
) -> Option<usize> {
    match options.strategy {
        Strategy::RoundRobin => by_turns(members, options, now),
        Strategy::Random => at_random(members, options, random, now),
        Strategy::FirstAvailable => first(members, options, random, now),
        Strategy::BestAvailable => best(members, options, random, now),
    }
}

fn eligible<P>(members: &[Member<P>]) -> impl Iterator<Item = (usize, &Member<P>)> {
    members
        .iter()
        .enumerate()
        .filter(|(_, member)| member.eligible)
}

/// Everyone moves up by its share; the foremost is taken and set back by the sum.
fn by_turns<P>(members: &mut [Member<P>], options: &RouterOptions, now: Instant) -> Option<usize> {
    let mut sum = 0;
    let mut foremost: Option<(usize, i64)> = None;
    for (index, member) in members.iter_mut().enumerate() {
        if !member.eligible {
            continue;
        }
        let share = member.share(now, options) as i64;
        sum += share;
        member.turn += share;
        if foremost.is_none_or(|(_, turn)| member.turn > turn) {
            foremost = Some((index, member.turn));
        }
    }
    let (index, _) = foremost?;
    members[index].turn -= sum;
    Some(index)
}

fn at_random<P>(
    members: &[Member<P>],
    options: &RouterOptions,
    random: &mut fastrand::Rng,
    now: Instant,
) -> Option<usize> {
    let sum = eligible(members)
        .map(|(_, member)| member.share(now, options))
        .sum::<u64>();
    if sum == 0 {
        return None;
    }
    let mut drawn = random.u64(..sum);
    for (index, member) in eligible(members) {
        let share = member.share(now, options);
        if drawn < share {
            return Some(index);
        }
        drawn -= share;
    }
    None
}

fn first<P>(
    members: &[Member<P>],
    options: &RouterOptions,
    random: &mut fastrand::Rng,
    now: Instant,
) -> Option<usize> {
    let ramped_up = |member: &Member<P>, random: &mut fastrand::Rng| {
        random.u64(..WHOLE_SHARE) < member.cooldown.share(now, &options.cooldown)
    };
    let usable = |member: &Member<P>| member.errors.health(now) != MemberHealth::Unhealthy;
    let mut fallback = None;
    for (index, member) in eligible(members).filter(|(_, member)| usable(member)) {
        if ramped_up(member, random) {
            return Some(index);
        }
        fallback = fallback.or(Some(index));
    }
    fallback.or_else(|| eligible(members).next().map(|(index, _)| index))
}

fn best<P>(
    members: &mut [Member<P>],
    options: &RouterOptions,
    random: &mut fastrand::Rng,
    now: Instant,
) -> Option<usize> {
    let health = eligible(members)
        .map(|(_, member)| member.errors.health(now))
        .min()?;
    for member in members.iter_mut() {
        member.eligible = member.eligible && member.errors.health(now) == health;
    }
    if let Some((index, _)) = eligible(members).find(|(_, member)| member.untried()) {
        return Some(index);
    }
    let (one, other) = draw_two(members, random)?;
    let (cost, other_cost) = (
        cost(members, one, options, now),
        cost(members, other, options, now),
    );
    // The order in which the two were drawn is the lot that decides between equals.
    Some(if other_cost < cost { other } else { one })
}

/// Two different eligible members in random order; twice the same when there is only one.
fn draw_two<P>(members: &[Member<P>], random: &mut fastrand::Rng) -> Option<(usize, usize)> {
    let count = eligible(members).count();
    let nth = |n: usize| eligible(members).nth(n).map(|(index, _)| index);
    if count < 2 {
        return nth(0).map(|index| (index, index));
    }
    let one = random.usize(..count);
    let other = (one + 1 + random.usize(..count - 1)) % count;
    Some((nth(one)?, nth(other)?))
}

fn cost<P>(members: &[Member<P>], index: usize, options: &RouterOptions, now: Instant) -> f64 {
    /// What a member without a sample is taken for; also keeps the requests in flight in the
    /// product when all samples have decayed.
    const LEAST_SECONDS: f64 = 0.001;
    let member = &members[index];
    let seconds = member.first_content.read(now).unwrap_or(0.0);
    seconds.max(LEAST_SECONDS) * f64::from(member.in_flight + 1) / member.share(now, options) as f64
}
