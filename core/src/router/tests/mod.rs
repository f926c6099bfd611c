//! The router's decisions under a clock that the test moves; nothing here waits.

#[cfg(gigachat_loom)]
mod model;
mod plan;
mod report;
mod selection;

use std::time::{Duration, Instant};

use super::{
    Answered, Attempt, Failure, MemberOptions, Outcome, RouteFailure, RoutePlan, RoutePlanner,
    RouterOptions, Step, Wait,
};
use crate::error::{ErrorKind, Phase};

/// A planner with members 0, 1, 2, ... of weight 1.
fn planner(members: u32, options: RouterOptions) -> RoutePlanner<u32> {
    let planner = RoutePlanner::new(options);
    for member in 0..members {
        planner.add(member, &format!("m{member}"), MemberOptions::default());
    }
    planner
}

fn seconds(seconds: f64) -> Duration {
    Duration::from_secs_f64(seconds)
}

fn attempt(step: Step<u32>) -> Attempt<u32> {
    match step {
        Step::Attempt(attempt) => attempt,
        Step::Probe(probe) => panic!("a probe of {}", probe.name),
        Step::Wait(wait) => panic!("{wait:?}"),
        Step::Fail(failure) => panic!("{failure:?}"),
    }
}

fn probe(step: Step<u32>) -> Attempt<u32> {
    match step {
        Step::Probe(probe) => probe,
        Step::Attempt(attempt) => panic!("an attempt at {}", attempt.name),
        Step::Wait(wait) => panic!("{wait:?}"),
        Step::Fail(failure) => panic!("{failure:?}"),
    }
}

fn wait(step: Step<u32>) -> Wait {
    match step {
        Step::Wait(wait) => wait,
        Step::Attempt(attempt) => panic!("an attempt at {}", attempt.name),
        Step::Probe(probe) => panic!("a probe of {}", probe.name),
        Step::Fail(failure) => panic!("{failure:?}"),
    }
}

fn failure(step: Step<u32>) -> RouteFailure {
    match step {
        Step::Fail(failure) => failure,
        Step::Attempt(attempt) => panic!("an attempt at {}", attempt.name),
        Step::Probe(probe) => panic!("a probe of {}", probe.name),
        Step::Wait(wait) => panic!("{wait:?}"),
    }
}

fn status(status: u16) -> Failure {
    Failure {
        status: Some(status),
        ..Failure::new(ErrorKind::of_status(status), Phase::Answer)
    }
}

fn busy(retry_after: f64) -> Failure {
    Failure {
        retry_after: Some(seconds(retry_after)),
        ..status(429)
    }
}

fn answer(plan: &mut RoutePlan<u32>, now: Instant) {
    plan.report(Outcome::Answered(Answered::default()), now);
}

fn fail(plan: &mut RoutePlan<u32>, failure: Failure, now: Instant) {
    plan.report(Outcome::Failed(failure), now);
}

/// A request that is served at once; who served it.
fn serve(planner: &RoutePlanner<u32>, now: Instant) -> u32 {
    let mut plan = planner.plan(now, None, None);
    let member = attempt(plan.next(now)).with;
    answer(&mut plan, now);
    member
}

/// A request that the next member fails, and then goes away.
fn fail_once(planner: &RoutePlanner<u32>, failure: Failure, now: Instant) -> u32 {
    let mut plan = planner.plan(now, None, None);
    let member = attempt(plan.next(now)).with;
    fail(&mut plan, failure, now);
    member
}
