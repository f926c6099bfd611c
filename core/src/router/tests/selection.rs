//! Which member is chosen: the documented rules of the strategies.

use std::time::Instant;

use super::{answer, attempt, busy, fail, fail_once, planner, probe, seconds, serve, status};
use crate::router::{MemberOptions, RoutePlanner, RouterOptions, Strategy};

fn shares(planner: &RoutePlanner<u32>, members: usize, picks: usize, now: Instant) -> Vec<usize> {
    let mut counts = vec![0; members];
    for _ in 0..picks {
        counts[serve(planner, now) as usize] += 1;
    }
    counts
}

fn weighted(strategy: Strategy, weights: &[u32]) -> RoutePlanner<u32> {
    let mut options = RouterOptions::new(strategy);
    options.set_seed(1);
    let planner = planner(0, options);
    for (member, weight) in weights.iter().enumerate() {
        let mut options = MemberOptions::default();
        options.set_weight(*weight).unwrap();
        planner.add(member as u32, &format!("m{member}"), options);
    }
    planner
}

#[test]
fn round_robin_keeps_to_the_weights_within_every_round() {
    let now = Instant::now();
    let planner = weighted(Strategy::RoundRobin, &[1, 2, 5]);
    for _ in 0..10 {
        assert_eq!(shares(&planner, 3, 8, now), [1, 2, 5]);
    }
}

#[test]
fn round_robin_spreads_a_cooled_members_turns_over_all_others() {
    let planner = planner(4, RouterOptions::default());
    let now = Instant::now();
    assert_eq!(fail_once(&planner, busy(60.0), now), 0);
    assert_eq!(shares(&planner, 4, 300, now), [0, 100, 100, 100]);
}

#[test]
fn a_member_that_returns_ramps_up_and_does_not_catch_up() {
    let planner = planner(2, RouterOptions::default());
    let mut now = Instant::now();
    assert_eq!(fail_once(&planner, busy(1.0), now), 0);
    shares(&planner, 2, 1000, now);
    now += seconds(1.0);
    while serve(&planner, now) != 0 {}
    let early = shares(&planner, 2, 110, now);
    assert!(
        (8..=12).contains(&early[0]),
        "a tenth of a share: {early:?}"
    );
    now += seconds(10.0);
    assert_eq!(shares(&planner, 2, 100, now), [50, 50]);
}

#[test]
fn first_available_keeps_to_the_order_and_passes_over_the_unhealthy() {
    let mut options = RouterOptions::new(Strategy::FirstAvailable);
    options.set_failures_to_cool(1000).unwrap();
    let planner = planner(3, options);
    let now = Instant::now();
    let mut plan = planner.plan(now, None, None);
    for member in [0, 1] {
        assert_eq!(probe(plan.next(now)).with, member);
        plan.report_probe(Ok(()), now);
        assert_eq!(attempt(plan.next(now)).with, member);
        fail(&mut plan, status(500), now);
    }
    drop(plan);
    // With the one before, 3 failures of 5 requests.
    for failed in [true, true, false, false] {
        let mut plan = planner.plan(now, None, None);
        assert_eq!(attempt(plan.next(now)).with, 0);
        match failed {
            true => fail(&mut plan, status(500), now),
            false => answer(&mut plan, now),
        }
    }
    assert_eq!(serve(&planner, now), 1, "0 is unhealthy");
    let later = now + seconds(61.0);
    assert_eq!(serve(&planner, later), 0, "and recovers with time");
}

#[test]
fn best_available_tries_the_untried_then_prefers_the_faster() {
    let mut options = RouterOptions::new(Strategy::BestAvailable);
    options.set_seed(1);
    let planner = planner(3, options);
    let start = Instant::now();
    let mut now = start;
    let takes = [1.0, 0.1, 4.0];
    for (member, time) in takes.into_iter().enumerate() {
        let mut plan = planner.plan(now, None, None);
        let step = plan.next(now);
        assert_eq!(probe(step).with, member as u32);
        plan.report_probe(Ok(()), now);
        assert_eq!(attempt(plan.next(now)).with, member as u32);
        now += seconds(time);
        answer(&mut plan, now);
    }
    let mut counts = [0; 3];
    for _ in 0..900 {
        let mut plan = planner.plan(now, None, None);
        counts[attempt(plan.next(now)).with as usize] += 1;
    }
    // Of two drawn at random the faster wins: 1 wins both its pairs, 0 one, 2 none.
    assert_eq!(counts[2], 0);
    assert!((240..360).contains(&counts[0]), "{counts:?}");
}

#[test]
fn best_available_counts_requests_in_flight() {
    let mut options = RouterOptions::new(Strategy::BestAvailable);
    options.set_seed(1);
    let planner = planner(2, options);
    let now = Instant::now();
    for _ in 0..2 {
        let mut plan = planner.plan(now, None, None);
        probe(plan.next(now));
        plan.report_probe(Ok(()), now);
        attempt(plan.next(now));
        answer(&mut plan, now + seconds(0.5));
    }
    let mut running = Vec::new();
    for _ in 0..100 {
        let mut plan = planner.plan(now, None, None);
        attempt(plan.next(now));
        running.push(plan);
    }
    let metrics = planner.metrics(now);
    let in_flight = [0, 1].map(|member: usize| metrics.members[member].in_flight);
    assert_eq!(in_flight, [50, 50]);
}

#[test]
fn best_available_asks_the_healthy_before_the_fast() {
    let mut options = RouterOptions::new(Strategy::BestAvailable);
    options.set_failures_to_cool(1000).unwrap();
    let planner = planner(2, options);
    let now = Instant::now();
    for slow in [false, true] {
        let mut plan = planner.plan(now, None, None);
        probe(plan.next(now));
        plan.report_probe(Ok(()), now);
        attempt(plan.next(now));
        answer(&mut plan, now + seconds(if slow { 9.0 } else { 0.01 }));
    }
    // The fast one, 0, fails until it is degraded.
    while planner.metrics(now).members[0].health.name() == "healthy" {
        fail_once(&planner, status(500), now);
    }
    assert_eq!(shares(&planner, 2, 50, now), [0, 50]);
}
