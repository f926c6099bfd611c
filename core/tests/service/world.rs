//! A router, its callers and a clock, moved step by step by random numbers; and beside it a model
//! of who may be chosen when.

use std::collections::BTreeMap;
use std::time::{Duration, Instant};

use gigachat::{
    Answered, Attempt, ErrorKind, Failure, MemberId, MemberMetrics, MemberOptions, Outcome, Phase,
    RoutePlan, RoutePlanner, RouterOptions, Step, Strategy,
};

/// What happens in a world, in percent of the attempts.
#[derive(Clone, Copy)]
pub struct Chances {
    pub failures: u64,
    pub cancels: u64,
    /// Whether members come and go.
    pub changes: bool,
}

/// What the model knows of a member.
struct Known {
    weight: u32,
    in_flight: u32,
    cool_until: Option<Instant>,
    trial: bool,
    picks: u64,
    due: f64,
}

struct Running {
    plan: RoutePlan<()>,
    at: Option<Place>,
    /// Members that have failed this request; `true`: they said 429 and may be asked again.
    tried: BTreeMap<MemberId, bool>,
}

#[derive(Clone, Copy)]
struct Place {
    member: MemberId,
    begun: Instant,
    trial: bool,
}

pub struct World {
    planner: RoutePlanner<()>,
    strategy: Strategy,
    chances: Chances,
    random: u64,
    now: Instant,
    members: BTreeMap<MemberId, Known>,
    /// Members that were removed: their names, which may come back with their counts, and what runs on.
    departed: BTreeMap<MemberId, (String, u32)>,
    running: Vec<Running>,
    picks: u64,
}

impl World {
    pub fn new(seed: u64, strategy: Strategy, weights: &[u32], chances: Chances) -> World {
        let mut options = RouterOptions::new(strategy);
        options.set_seed(seed);
        // The model knows cooldowns that 429s announce; the ramp has its own test.
        options.set_failures_to_cool(1000).expect("in range");
        options.set_ramp(Duration::ZERO).expect("in range");
        let mut world = World {
            planner: RoutePlanner::new(options),
            strategy,
            chances,
            random: seed,
            now: Instant::now(),
            members: BTreeMap::new(),
            departed: BTreeMap::new(),
            running: Vec::new(),
            picks: 0,
        };
        for weight in weights {
            world.add(*weight);
        }
        world
    }

    /// Lets things happen until so many members were picked.
    pub fn run(&mut self, picks: u64) {
        let mut step = 0_u64;
        while self.picks < picks {
            step += 1;
            assert!(step < picks * 20, "only {} picks", self.picks);
            match self.below(100) {
                0..=9 => {
                    let passed = Duration::from_millis(self.below(400));
                    self.now += passed;
                }
                10 if self.chances.changes && self.below(20) == 0 => self.change_members(),
                11..=54 if self.running.len() < 64 => self.begin(),
                _ => self.end_one(),
            }
            if step.is_multiple_of(10_000) {
                self.compare();
            }
        }
    }

    /// Everybody goes away: nothing is left in flight.
    pub fn finish(mut self) {
        self.compare();
        self.running.clear();
        let metrics = self.planner.metrics(self.now);
        for member in &metrics.members {
            assert_eq!(member.in_flight, 0, "{}", member.name);
            let ended = member.successes + member.failed() + member.cancelled;
            assert_eq!(member.requests, ended, "{}", member.name);
        }
    }

    /// Picks, and how many there should have been, by member.
    pub fn shares(&self) -> (Vec<u64>, Vec<f64>) {
        let known = || self.members.values();
        (
            known().map(|member| member.picks).collect(),
            known().map(|member| member.due).collect(),
        )
    }

    fn below(&mut self, bound: u64) -> u64 {
        self.random = self
            .random
            .wrapping_mul(6_364_136_223_846_793_005)
            .wrapping_add(1_442_695_040_888_963_407);
        (self.random >> 33) % bound
    }

    fn add(&mut self, weight: u32) {
        let mut options = MemberOptions::default();
        options.set_weight(weight).expect("in range");
        let id = self.planner.add((), "member", options);
        let known = Known {
            weight,
            in_flight: 0,
            cool_until: None,
            trial: false,
            picks: 0,
            due: 0.0,
        };
        self.members.insert(id, known);
    }

    fn change_members(&mut self) {
        if self.below(2) == 0 && self.members.len() < 16 {
            let weight = 1 + self.below(5) as u32;
            self.add(weight);
        } else if self.members.len() > 1 {
            let index = self.below(self.members.len() as u64) as usize;
            let id = *self.members.keys().nth(index).expect("below the length");
            let metrics = self.planner.metrics(self.now);
            let its = |member: &&MemberMetrics| member.id == id;
            let name = metrics
                .members
                .iter()
                .find(its)
                .expect("it is there")
                .name
                .clone();
            assert!(self.planner.remove(id).is_some());
            let known = self.members.remove(&id).expect("it is known");
            self.departed.insert(id, (name, known.in_flight));
        }
    }

    fn begin(&mut self) {
        let mut running = Running {
            plan: self.planner.plan(self.now, None, None),
            at: None,
            tried: BTreeMap::new(),
        };
        if self.next(&mut running) {
            self.running.push(running);
        }
    }

    /// Whom the request may be given now, with their weights: those it has not tried, else those
    /// that said 429 to it and are back.
    fn eligible(&self, running: &Running) -> Vec<(MemberId, u32)> {
        let usable = |may: &dyn Fn(&MemberId) -> bool| -> Vec<(MemberId, u32)> {
            let members = self.members.iter();
            let usable = members.filter(|(id, member)| may(id) && member.eligible(self.now));
            usable.map(|(id, member)| (*id, member.weight)).collect()
        };
        let fresh = usable(&|id| !running.tried.contains_key(id));
        match fresh.is_empty() {
            true => usable(&|id| running.tried.get(id).copied().unwrap_or(false)),
            false => fresh,
        }
    }

    fn known(&mut self, id: MemberId) -> &mut Known {
        self.members.get_mut(&id).expect("a member of the model")
    }

    /// Asks for the next step; whether the request goes on.
    fn next(&mut self, running: &mut Running) -> bool {
        let eligible = self.eligible(running);
        loop {
            match running.plan.next(self.now) {
                Step::Attempt(attempt) => {
                    self.picked(running, &attempt, &eligible);
                    return true;
                }
                Step::Probe(_) => running.plan.report_probe(Ok(()), self.now),
                Step::Wait(_) => return true,
                Step::Fail(_) => return false,
            }
        }
    }

    fn picked(
        &mut self,
        running: &mut Running,
        attempt: &Attempt<()>,
        eligible: &[(MemberId, u32)],
    ) {
        self.picks += 1;
        let (now, strategy) = (self.now, self.strategy);
        assert!(
            eligible.iter().any(|(id, _)| *id == attempt.member),
            "{strategy:?} chose {} of {eligible:?}",
            attempt.name,
        );
        let sum: u32 = eligible.iter().map(|(_, weight)| weight).sum();
        for (id, weight) in eligible {
            self.known(*id).due += f64::from(*weight) / f64::from(sum);
        }
        let known = self.known(attempt.member);
        known.picks += 1;
        let trial = known.cool_until.is_some();
        known.trial |= trial;
        known.in_flight += 1;
        running.at = Some(Place {
            member: attempt.member,
            begun: now,
            trial,
        });
    }

    fn end_one(&mut self) {
        if self.running.is_empty() {
            return;
        }
        let index = self.below(self.running.len() as u64) as usize;
        let mut running = self.running.swap_remove(index);
        let drawn = self.below(100);
        if drawn < self.chances.cancels {
            self.leave(&mut running);
            return;
        }
        let Some(place) = running.at else {
            // It waits: perhaps somebody is back.
            if self.next(&mut running) {
                self.running.push(running);
            }
            return;
        };
        self.leave(&mut running);
        if drawn >= self.chances.cancels + self.chances.failures {
            let answer = Answered::default();
            running.plan.report(Outcome::Answered(answer), self.now);
            self.served(place);
            return;
        }
        let failure = self.failure();
        let busy = failure.kind == ErrorKind::RateLimit;
        running.tried.insert(place.member, busy);
        running
            .plan
            .report(Outcome::Failed(failure.clone()), self.now);
        self.failed(place, &failure);
        if self.next(&mut running) {
            self.running.push(running);
        }
    }

    fn failure(&mut self) -> Failure {
        let (kind, phase) = match self.below(6) {
            0 | 1 => (ErrorKind::RateLimit, Phase::Answer),
            2 => (ErrorKind::Server, Phase::Answer),
            3 => (ErrorKind::Connection, Phase::Connect),
            4 => (ErrorKind::NotFound, Phase::Answer),
            _ => (ErrorKind::InvalidRequest, Phase::Answer),
        };
        let mut failure = Failure::new(kind, phase);
        if kind == ErrorKind::RateLimit {
            failure.retry_after = Some(Duration::from_millis(100 + self.below(3_000)));
        }
        failure
    }

    fn leave(&mut self, running: &mut Running) {
        let Some(place) = running.at.take() else {
            return;
        };
        if let Some(known) = self.members.get_mut(&place.member) {
            known.in_flight -= 1;
            known.trial &= !place.trial;
        } else if let Some((_, in_flight)) = self.departed.get_mut(&place.member) {
            *in_flight -= 1;
        }
    }

    fn served(&mut self, place: Place) {
        let over = |known: &&mut Known| known.cool_until.is_some_and(|until| place.begun >= until);
        if let Some(known) = self.members.get_mut(&place.member).filter(over) {
            known.cool_until = None;
        }
    }

    fn failed(&mut self, place: Place, failure: &Failure) {
        let now = self.now;
        let Some(known) = self.members.get_mut(&place.member) else {
            return;
        };
        match failure.kind {
            ErrorKind::NotFound | ErrorKind::InvalidRequest => self.served(place),
            ErrorKind::RateLimit => {
                let wait = failure.retry_after.unwrap_or_default();
                known.cool_until = known.cool_until.max(Some(now + wait));
            }
            // One more reason to cool, of a length that the router chooses.
            _ if known.cool_until.is_some() => {
                let left = self.planner.cooldown(place.member, now);
                let until = now + left.expect("it failed beside its cooldown or in its trial");
                assert!(
                    known.cool_until <= Some(until),
                    "the cooldown was shortened"
                );
                known.cool_until = Some(until);
            }
            _ => {}
        }
    }

    /// The router's counts are the model's.
    fn compare(&self) {
        let metrics = self.planner.metrics(self.now);
        assert_eq!(metrics.members.len(), self.members.len());
        for member in &metrics.members {
            let known = &self.members[&member.id];
            let of_its_name = |(name, _): &&(String, u32)| *name == member.name;
            let before: u32 = self
                .departed
                .values()
                .filter(of_its_name)
                .map(|left| left.1)
                .sum();
            assert_eq!(
                member.in_flight,
                known.in_flight + before,
                "{}",
                member.name
            );
            let left = known.cool_until.map_or(Duration::ZERO, |until| {
                until.saturating_duration_since(self.now)
            });
            let cooldown = member.cooldown.unwrap_or_default();
            assert!(cooldown >= left, "{} cools shorter", member.name);
        }
    }
}

impl Known {
    fn eligible(&self, now: Instant) -> bool {
        self.cool_until
            .is_none_or(|until| until <= now && !self.trial)
    }
}
