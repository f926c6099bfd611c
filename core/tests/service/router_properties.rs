//! Properties of the router's decisions over a million picks with random outcomes, cancels and
//! member changes, under a clock that the test moves (I14). Seeds are fixed.
//!
//! A small model beside the router knows who may be chosen; every choice is held against it.

use std::time::{Duration, Instant};

use crate::world::{Chances, World};
use proptest::prelude::*;
use proptest::test_runner::{Config, RngAlgorithm, TestRng, TestRunner};

use gigachat::{
    Answered, MemberOptions, Outcome, RoutePlanner, RouterOptions, Step, Strategy as Choice,
};

/// `cases` inputs of the strategy, the same ones in every run.
fn check<S: Strategy>(cases: u32, input: S, test: impl Fn(S::Value)) {
    let config = Config {
        cases,
        failure_persistence: None,
        ..Config::default()
    };
    let seed = TestRng::from_seed(RngAlgorithm::ChaCha, &[7; 32]);
    let outcome = TestRunner::new_with_rng(config, seed).run(&input, |value| {
        test(value);
        Ok(())
    });
    if let Err(why) = outcome {
        panic!("{why}");
    }
}

const ALL: [Choice; 4] = [
    Choice::RoundRobin,
    Choice::Random,
    Choice::FirstAvailable,
    Choice::BestAvailable,
];

/// 40 worlds of 25,000 picks. In each step of a world the places in flight are those that the
/// model counts, no member is asked before its cooldown is over, and none is asked twice in a
/// round of fallbacks.
#[test]
fn a_million_picks_leak_no_place_and_shorten_no_cooldown() {
    let input = (
        any::<u64>(),
        0..4_usize,
        prop::collection::vec(1..6_u32, 1..17),
    );
    check(40, input, |(seed, strategy, weights)| {
        let chances = Chances {
            failures: 30,
            cancels: 10,
            changes: true,
        };
        let mut world = World::new(seed, ALL[strategy], &weights, chances);
        world.run(25_000);
        world.finish();
    });
}

/// Round-robin and random give each member its share of the picks that it was eligible for, also
/// with failures, cooldowns and cancels: no member inherits a cooled one's turns.
#[test]
fn shares_pass_a_chi_square_test_after_failures_cooldowns_and_cancels() {
    let input = (
        any::<u64>(),
        0..2_usize,
        prop::collection::vec(1..6_u32, 2..9),
    );
    check(20, input, |(seed, strategy, weights)| {
        let chances = Chances {
            failures: 20,
            cancels: 10,
            changes: false,
        };
        let mut world = World::new(seed, ALL[strategy], &weights, chances);
        world.run(25_000);
        let (observed, expected) = world.shares();
        let distance = chi_square(&observed, &expected);
        let critical = CRITICAL[observed.len() - 2];
        assert!(
            distance < critical,
            "{:?} {weights:?}: {distance} >= {critical}; {observed:?} of {expected:?}",
            ALL[strategy]
        );
        world.finish();
    });
}

/// Equal members that answer equally fast share equally under best-available.
#[test]
fn best_available_shares_equally_among_equals() {
    check(10, (any::<u64>(), 2..9_usize), |(seed, members)| {
        let mut options = RouterOptions::new(Choice::BestAvailable);
        options.set_seed(seed);
        let planner = RoutePlanner::new(options);
        for member in 0..members {
            planner.add(member, "member", MemberOptions::default());
        }
        let mut now = Instant::now();
        let mut observed = vec![0; members];
        for _ in 0..10_000 {
            let mut plan = planner.plan(now, None, None);
            now += Duration::from_millis(100);
            loop {
                match plan.next(now - Duration::from_millis(100)) {
                    Step::Probe(_) => plan.report_probe(Ok(()), now),
                    Step::Attempt(attempt) => break observed[attempt.with] += 1,
                    Step::Wait(_) | Step::Fail(_) => panic!("all are free"),
                }
            }
            plan.report(Outcome::Answered(Answered::default()), now);
        }
        let expected = vec![10_000.0 / members as f64; members];
        let distance = chi_square(&observed, &expected);
        assert!(distance < CRITICAL[members - 2], "{observed:?}: {distance}");
    });
}

/// Chi-square at p = 0.001 for 1, 2, ... 7 degrees of freedom.
const CRITICAL: [f64; 7] = [10.83, 13.82, 16.27, 18.47, 20.52, 22.46, 24.32];

fn chi_square(observed: &[u64], expected: &[f64]) -> f64 {
    let terms = observed.iter().zip(expected).map(|(seen, due)| {
        let difference = *seen as f64 - due;
        difference * difference / due
    });
    terms.sum()
}
