//! Model check of the selection state: every interleaving of a few requests. Built only with
//! `tools/models.sh`.

use std::sync::Arc;
use std::task::{Poll, Wake, Waker};
use std::time::Instant;

use loom::sync::Notify;
use loom::thread;

use super::super::core::RouterCore;
use super::super::members::{MemberId, Membership};
use super::super::plan::RoutePlan;
use super::{answer, attempt, busy, fail, seconds};
use crate::router::{RouterOptions, Step};

fn members(count: u32) -> Vec<Membership<u32>> {
    let member = |with| Membership {
        id: MemberId(u64::from(with)),
        name: format!("m{with}").into(),
        weight: 1,
        with,
    };
    (0..count).map(member).collect()
}

fn core(count: u32, now: Instant) -> Arc<RouterCore<u32>> {
    Arc::new(RouterCore::new(RouterOptions::default()).with_members(&members(count), now))
}

fn plan(core: &Arc<RouterCore<u32>>, now: Instant) -> RoutePlan<u32> {
    RoutePlan::new(core.clone(), now, None)
}

/// Requests and requests in flight by member.
fn counts(core: &RouterCore<u32>, now: Instant) -> Vec<(u64, u32)> {
    let metrics = core.metrics(now, &Default::default());
    let count = |member: &crate::router::MemberMetrics| (member.requests, member.in_flight);
    metrics.members.iter().map(count).collect()
}

#[test]
fn round_robin_is_uniform_and_no_place_leaks_in_any_interleaving() {
    loom::model(|| {
        let now = Instant::now();
        let core = core(2, now);
        let other = core.clone();
        let thread = thread::spawn(move || {
            let mut plan = plan(&other, now);
            attempt(plan.next(now));
            // Dropped without an outcome: cancelled.
        });
        let mut mine = plan(&core, now);
        attempt(mine.next(now));
        answer(&mut mine, now);
        thread.join().unwrap();
        assert_eq!(counts(&core, now), [(1, 0), (1, 0)]);
    });
}

#[test]
fn a_member_that_is_removed_during_its_attempt_takes_nothing_with_it() {
    loom::model(|| {
        let now = Instant::now();
        let core = core(2, now);
        let other = core.clone();
        let thread = thread::spawn(move || {
            other.sync(|| Arc::new(members(3).split_off(1)), now);
        });
        let mut mine = plan(&core, now);
        attempt(mine.next(now));
        fail(&mut mine, busy(1.0), now);
        attempt(mine.next(now));
        drop(mine);
        thread.join().unwrap();
        let counts = counts(&core, now);
        assert_eq!(counts.len(), 2);
        assert!(counts.iter().all(|(_, in_flight)| *in_flight == 0));
    });
}

/// Wakes a thread of the model.
struct Signal(Notify);

impl Wake for Signal {
    fn wake(self: Arc<Self>) {
        self.0.notify();
    }
}

/// Asks until there is an attempt; a lost wake-up is a deadlock, which the model reports.
fn await_attempt(plan: &mut RoutePlan<u32>, now: Instant) {
    loop {
        match plan.next(now) {
            Step::Attempt(_) => return,
            Step::Wait(wait) => {
                let signal = Arc::new(Signal(Notify::new()));
                let waker = Waker::from(signal.clone());
                if plan.poll_change(&wait, &waker) == Poll::Pending {
                    signal.0.wait();
                }
            }
            Step::Probe(_) | Step::Fail(_) => panic!("neither can be here"),
        }
    }
}

#[test]
fn a_half_open_member_has_one_trial_and_its_end_wakes_the_other_request() {
    loom::model(|| {
        let begun = Instant::now();
        let core = core(1, begun);
        let mut first = plan(&core, begun);
        attempt(first.next(begun));
        fail(&mut first, busy(1.0), begun);
        drop(first);
        let now = begun + seconds(2.0);
        let other = core.clone();
        let thread = thread::spawn(move || {
            let mut plan = plan(&other, now);
            await_attempt(&mut plan, now);
            // Cancelled: the trial goes to whoever waits.
        });
        let mut mine = plan(&core, now);
        await_attempt(&mut mine, now);
        answer(&mut mine, now);
        thread.join().unwrap();
        assert_eq!(counts(&core, now), [(3, 0)]);
    });
}
