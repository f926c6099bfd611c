//! The state of a router: members, who is chosen next, who waits for whom. One lock, held for
//! well under a microsecond; every change that a waiting request could care about wakes it.
//!
//! Knows no async and no sockets; time comes in as an argument. Requests use it through
//! [`RoutePlan`](super::RoutePlan).

use std::collections::VecDeque;
use std::sync::Arc;
use std::task::{Poll, Waker};
use std::time::{Duration, Instant};

use super::cooldown::Stage;
use super::departed::{Departed, Left, MOST_DEPARTED};
use super::hold::{Hold, Role};
use super::members::{Member, MemberId, Membership};
use super::metrics::{MemberMetrics, RouterMetrics};
use super::options::RouterOptions;
use super::outcome::{Failure, Outcome};
use super::pick::{Pick, Picked, Tried, later, mark_eligible, pass_over_probed};
use super::prices::PriceTable;
use super::strategy;
use crate::error::{Error, ErrorKind, Phase};
use crate::sync::{Mutex, lock};

/// The shared state of one router in one process. `P` is what a driver calls for a member.
pub struct RouterCore<P> {
    pub(super) options: RouterOptions,
    /// The fork counter at its start: a forked child must not take a lock that another thread of
    /// its parent may have held.
    fork: u64,
    state: Mutex<State<P>>,
}

struct State<P> {
    members: Vec<Member<P>>,
    departed: VecDeque<Departed>,
    random: fastrand::Rng,
    /// Counts the changes that can end a wait.
    changes: u64,
    next_ticket: u64,
    waiting: Vec<(u64, Waker)>,
}

/// The same seed gives the same picks, for tests. Without one the system chooses: a forked child's
/// router must not repeat its parent's picks, as it would with fastrand's own seeds.
fn seeded(seed: Option<u64>) -> fastrand::Rng {
    // A fixed seed is still a fair sequence.
    let seed = seed.unwrap_or_else(|| getrandom::u64().unwrap_or(0));
    fastrand::Rng::with_seed(seed)
}

impl<P: Clone> RouterCore<P> {
    pub(super) fn new(options: RouterOptions) -> RouterCore<P> {
        let random = seeded(options.seed);
        RouterCore {
            options,
            fork: crate::process::fork_count(),
            state: Mutex::new(State {
                members: Vec::new(),
                departed: VecDeque::new(),
                random,
                changes: 0,
                next_ticket: 0,
                waiting: Vec::new(),
            }),
        }
    }

    /// With these members from the start, so that nobody sees it without.
    pub(super) fn with_members(self, list: &[Membership<P>], now: Instant) -> RouterCore<P> {
        let members = list.iter().map(|member| Member::new(member.clone(), now));
        lock(&self.state).members.extend(members);
        self
    }

    /// Makes the members those of the list, which is read under the lock: the last change wins.
    pub(super) fn sync(&self, list: impl FnOnce() -> Arc<Vec<Membership<P>>>, now: Instant) {
        let mut let_go = Vec::new();
        self.change(|state| {
            let list = list();
            let listed =
                |member: &mut Member<P>| !list.iter().any(|known| known.id == member.is.id);
            for member in state.members.extract_if(.., listed) {
                let_go.push(member.is.with.clone());
                state.departed.push_back(Departed::of(member));
            }
            for member in list.iter() {
                if !state.members.iter().any(|known| known.is.id == member.id) {
                    let mut member = Member::new(member.clone(), now);
                    state.return_to(&mut member);
                    state.members.push(member);
                }
            }
            while state.departed.len() > MOST_DEPARTED {
                state.departed.pop_front();
            }
            true
        });
        // Not under the lock: to destroy a member may be the program's business.
        drop(let_go);
    }

    /// Chooses a member for the next attempt. `tried` is what the request has behind it.
    pub(super) fn pick(self: &Arc<Self>, now: Instant, tried: &[Tried]) -> Pick<P> {
        let mut state = lock(&self.state);
        let State {
            members,
            random,
            changes,
            ..
        } = &mut *state;
        if members.is_empty() {
            return Pick::Empty;
        }
        let left = mark_eligible(members, now, tried);
        if left == 0 {
            return later(members, now, tried, *changes);
        }
        pass_over_probed(members);
        let Some(index) = strategy::choose(members, &self.options, random, now) else {
            return Pick::Exhausted;
        };
        let member = &mut members[index];
        let trial = member.cooldown.stage(now) == Stage::HalfOpen;
        // Without another member to fall back on, the request itself finds out.
        let probe = left > 1 && member.wants_probe(self.options.strategy, now);
        if trial {
            member.cooldown.take_trial();
        }
        if probe {
            member.probing = true;
        } else {
            member.begin(tried);
        }
        Pick::Member(Picked {
            hold: Hold {
                core: self.clone(),
                member: member.is.id,
                name: member.is.name.clone(),
                role: if probe { Role::Probe } else { Role::Attempt },
                trial,
                begun: now,
                heard: false,
                open: true,
            },
            with: member.is.with.clone(),
            left,
        })
    }

    /// An attempt has ended: gives its place free and takes note of the outcome in one step.
    pub(super) fn settle(&self, mut hold: Hold<P>, outcome: &Outcome<'_>, now: Instant) {
        hold.open = false;
        self.change(|state| {
            let Some(member) = state.member(hold.member) else {
                if let Some(left) = state.left(hold.member) {
                    left.settle(outcome, hold.begun, now);
                }
                return false;
            };
            member.in_flight = member.in_flight.saturating_sub(1);
            if hold.trial {
                member.cooldown.end_trial();
            }
            if !hold.heard && matches!(outcome, Outcome::Answered(_)) {
                member.heard_first(now.saturating_duration_since(hold.begun), now);
            }
            member.settle(outcome, hold.begun, now, &self.options);
            hold.trial
        });
    }

    /// A probe has ended well, or has found nothing out: its place becomes the attempt's.
    pub(super) fn promote(
        &self,
        hold: &mut Hold<P>,
        outcome: Result<(), &Failure>,
        now: Instant,
        tried: &[Tried],
    ) {
        hold.role = Role::Attempt;
        let begun = std::mem::replace(&mut hold.begun, now);
        if let Some(member) = lock(&self.state).member(hold.member) {
            member.probing = false;
            member.probed(outcome, begun, now, &self.options);
            member.begin(tried);
        }
    }

    /// A probe has failed.
    pub(super) fn probe_failed(&self, mut hold: Hold<P>, failure: &Failure, now: Instant) {
        hold.open = false;
        self.change(|state| {
            let Some(member) = state.member(hold.member) else {
                return false;
            };
            member.probing = false;
            if hold.trial {
                member.cooldown.end_trial();
            }
            member.probed(Err(failure), hold.begun, now, &self.options);
            hold.trial
        });
    }

    /// The first content of an attempt that goes on.
    pub(super) fn first_content(&self, id: MemberId, after: Duration, now: Instant) {
        if let Some(member) = lock(&self.state).member(id) {
            member.heard_first(after, now);
        }
    }

    /// Whether anything changed since `change`; if not, `waker` is woken when it does.
    pub(super) fn poll_change(
        &self,
        change: u64,
        ticket: &mut Option<u64>,
        waker: &Waker,
    ) -> Poll<()> {
        let mut state = lock(&self.state);
        if state.changes != change {
            return Poll::Ready(());
        }
        let ticket = *ticket.get_or_insert_with(|| {
            state.next_ticket += 1;
            state.next_ticket
        });
        match state.waiting.iter_mut().find(|(known, _)| *known == ticket) {
            Some((_, known)) => known.clone_from(waker),
            None => state.waiting.push((ticket, waker.clone())),
        }
        Poll::Pending
    }

    /// The error of a request that could not even begin, with each member's reason.
    pub(super) fn none_available(&self, now: Instant) -> Error {
        let state = lock(&self.state);
        if state.members.is_empty() {
            return Error::new(
                ErrorKind::Configuration,
                Phase::Input,
                "the router has no members; add one",
            );
        }
        let reasons: Vec<String> = state.members.iter().map(|m| m.reason(now)).collect();
        let text = format!(
            "no member of router {:?} can take the request in time: {}",
            self.options.name,
            reasons.join("; ")
        );
        let first_return = first_return(&state.members, now);
        let kind = match first_return {
            Some(_) => ErrorKind::RateLimit,
            None => ErrorKind::Timeout,
        };
        Error::new(kind, Phase::Backoff, text)
            .with_retryable(true)
            .with_retry_after(first_return)
    }

    /// How long until the first member may be asked again.
    pub(super) fn first_return(&self, now: Instant) -> Option<Duration> {
        first_return(&lock(&self.state).members, now)
    }

    pub(super) fn cooldown(&self, id: MemberId, now: Instant) -> Option<Duration> {
        match lock(&self.state).member(id)?.cooldown.stage(now) {
            Stage::Cooling(until) => Some(until.saturating_duration_since(now)),
            Stage::Closed | Stage::HalfOpen | Stage::Trial => None,
        }
    }

    pub(super) fn metrics(&self, now: Instant, prices: &PriceTable) -> RouterMetrics {
        let state = lock(&self.state);
        let members = state.members.iter();
        RouterMetrics {
            router: self.options.name.clone(),
            strategy: self.options.strategy,
            currency: prices.currency().to_owned(),
            members: members
                .map(|member| MemberMetrics::of(member, now, prices))
                .collect(),
            removed: state
                .departed
                .iter()
                .map(|departed| MemberMetrics::of_departed(departed, now, prices))
                .collect(),
        }
    }
}

// Without `P: Clone`, because drops need them.
impl<P> RouterCore<P> {
    /// Whether this is a parent's, seen from its forked child.
    pub(super) fn is_inherited(&self) -> bool {
        self.fork != crate::process::fork_count()
    }

    /// Changes the state; when `act` says that a wait may be over, wakes all who wait.
    fn change(&self, act: impl FnOnce(&mut State<P>) -> bool) {
        let woken = {
            let mut state = lock(&self.state);
            if !act(&mut state) {
                return;
            }
            state.changes += 1;
            std::mem::take(&mut state.waiting)
        };
        woken.into_iter().for_each(|(_, waker)| waker.wake());
    }

    /// A place was given up without a verdict: the caller went away.
    pub(super) fn abandon(&self, hold: &Hold<P>) {
        self.change(|state| {
            let Some(member) = state.member(hold.member) else {
                if let Some(left) = state
                    .left(hold.member)
                    .filter(|_| hold.role == Role::Attempt)
                {
                    left.abandon();
                }
                return false;
            };
            match hold.role {
                Role::Probe => member.probing = false,
                Role::Attempt => {
                    member.in_flight = member.in_flight.saturating_sub(1);
                    member.counters.cancelled += 1;
                }
            }
            if hold.trial {
                member.cooldown.end_trial();
            }
            hold.trial
        });
    }

    pub(super) fn leave_queue(&self, ticket: u64) {
        lock(&self.state)
            .waiting
            .retain(|(known, _)| *known != ticket);
    }
}

impl<P> State<P> {
    fn member(&mut self, id: MemberId) -> Option<&mut Member<P>> {
        self.members.iter_mut().find(|member| member.is.id == id)
    }

    /// What is left of a member that was removed, for an attempt that it has not ended.
    fn left(&mut self, id: MemberId) -> Option<Left<'_>> {
        let returned = self.members.iter_mut();
        let returned = returned.map(|member| (&mut member.former, &mut member.counters));
        let departed = self.departed.iter_mut();
        let departed = departed.map(|departed| (&mut departed.places, &mut departed.counters));
        departed.chain(returned).find_map(|(places, counters)| {
            let place = places.iter_mut().find(|place| place.id == id)?;
            Some(Left { place, counters })
        })
    }

    /// Gives a new member what was counted under its name.
    fn return_to(&mut self, member: &mut Member<P>) {
        let known = self
            .departed
            .iter()
            .position(|known| known.name == member.is.name);
        if let Some(departed) = known.and_then(|at| self.departed.remove(at)) {
            member.counters = departed.counters;
            member.former = departed.places;
        }
    }
}

fn first_return<P>(members: &[Member<P>], now: Instant) -> Option<Duration> {
    let until = members.iter().filter_map(|member| member.cooldown.until());
    until
        .min()
        .map(|until| until.saturating_duration_since(now))
}
