//! Fallback, deadlines, cooldown and probes of one request (I14).

use std::task::Poll;
use std::time::Instant;

use super::{
    answer, attempt, busy, fail, fail_once, failure, planner, probe, seconds, serve, status, wait,
};
use crate::error::{Error, ErrorKind, Phase};
use crate::router::{Failure, RouteFailure, RouterOptions, Strategy};

#[test]
fn each_member_is_asked_once_and_the_last_error_lists_all_attempts() {
    let planner = planner(3, RouterOptions::default());
    let now = Instant::now();
    let mut plan = planner.plan(now, None, None);
    for member in 0..3 {
        let asked = attempt(plan.next(now));
        assert_eq!((asked.with, asked.until), (member, None));
        let mut failure = status(500 + member as u16);
        failure.request_id = Some(format!("r{member}"));
        fail(&mut plan, failure, now + seconds(1.0));
    }
    let own = Error::new(ErrorKind::Server, Phase::Answer, "own").with_status(502);
    let error = failure(plan.next(now)).into_error(Some(own), &plan);
    assert_eq!((error.message(), error.attempts()), ("own", 3));
    let attempts = error.route_attempts().iter().map(|attempt| {
        (
            attempt.member.as_str(),
            attempt.status,
            attempt.request_id.as_deref(),
            attempt.duration.as_secs(),
        )
    });
    let expected = [
        ("m0", Some(500), Some("r0"), 1),
        ("m1", Some(501), Some("r1"), 1),
        ("m2", Some(502), Some("r2"), 1),
    ];
    assert!(attempts.eq(expected), "{:?}", error.route_attempts());
}

#[test]
fn the_callers_error_and_an_error_after_the_first_content_end_the_route() {
    let mut delivered = status(503);
    delivered.delivered = true;
    for ends in [status(400), status(413), status(422), delivered] {
        let planner = planner(3, RouterOptions::default());
        let now = Instant::now();
        let mut plan = planner.plan(now, None, None);
        attempt(plan.next(now));
        fail(&mut plan, ends, now);
        assert!(matches!(
            failure(plan.next(now)),
            RouteFailure::LastAttempt { .. }
        ));
        assert_eq!(plan.attempts().len(), 1);
    }
}

#[test]
fn each_attempt_gets_the_remaining_time_divided_by_the_members_left() {
    let planner = planner(3, RouterOptions::default());
    let start = Instant::now();
    let mut plan = planner.plan(start, Some(seconds(9.0)), None);
    let mut now = start;
    for ends in [3.0, 6.0, 9.0] {
        let asked = attempt(plan.next(now));
        assert_eq!(asked.until, Some(start + seconds(ends)));
        now = start + seconds(ends);
        fail(
            &mut plan,
            Failure::new(ErrorKind::Timeout, Phase::Answer),
            now,
        );
    }
    failure(plan.next(now));
    let mut quick = planner.plan(now, Some(seconds(9.0)), Some(now + seconds(3.0)));
    let until = attempt(quick.next(now)).until;
    assert_eq!(
        until,
        Some(now + seconds(1.0)),
        "an outer router's time is kept"
    );
}

#[test]
fn when_all_cool_the_first_to_return_is_awaited_within_the_deadline() {
    let planner = planner(2, RouterOptions::default());
    let now = Instant::now();
    fail_once(&planner, busy(2.0), now);
    fail_once(&planner, busy(3.0), now);
    let mut plan = planner.plan(now, Some(seconds(5.0)), None);
    assert_eq!(wait(plan.next(now)).until, now + seconds(2.0));
    let back = now + seconds(2.0);
    assert_eq!(attempt(plan.next(back)).with, 0);
    answer(&mut plan, back);
}

#[test]
fn when_none_returns_in_time_one_error_says_when_and_lists_each_reason() {
    let planner = planner(2, RouterOptions::default());
    let now = Instant::now();
    fail_once(&planner, busy(8.0), now);
    fail_once(&planner, status(401), now);
    let mut plan = planner.plan(now, Some(seconds(0.5)), None);
    let RouteFailure::Unattempted(error) = failure(plan.next(now)) else {
        panic!("nothing was attempted");
    };
    assert_eq!(error.kind(), ErrorKind::RateLimit);
    assert_eq!(error.retry_after(), Some(seconds(1.0)));
    let text = error.to_string();
    assert!(
        text.contains("m0 is cooling down for another 8.0 s after rate_limit, HTTP 429"),
        "{text}"
    );
    assert!(
        text.contains("m1 is cooling down for another 1.0 s after authentication, HTTP 401"),
        "{text}"
    );
}

#[test]
fn a_request_that_met_429_everywhere_waits_and_asks_again() {
    let planner = planner(3, RouterOptions::default());
    let now = Instant::now();
    let mut plan = planner.plan(now, Some(seconds(5.0)), None);
    for _ in 0..3 {
        attempt(plan.next(now));
        fail(&mut plan, busy(2.0), now);
    }
    let back = wait(plan.next(now)).until;
    assert_eq!(back, now + seconds(2.0));
    attempt(plan.next(back));
    answer(&mut plan, back);
    let retries: u64 = planner
        .metrics(back)
        .members
        .iter()
        .map(|m| m.retries)
        .sum();
    assert_eq!(retries, 1);
}

#[test]
fn without_a_deadline_the_wait_is_bounded_by_patience_in_sum() {
    let mut options = RouterOptions::default();
    options.set_max_cooldown_wait(seconds(3.0)).unwrap();
    let planner = planner(1, options);
    let mut now = Instant::now();
    let mut plan = planner.plan(now, None, None);
    attempt(plan.next(now));
    fail(&mut plan, busy(2.0), now);
    now = wait(plan.next(now)).until;
    attempt(plan.next(now));
    fail(&mut plan, busy(2.0), now);
    let ended = failure(plan.next(now));
    let RouteFailure::LastAttempt { retry_after } = ended else {
        panic!("{ended:?}");
    };
    assert_eq!(retry_after, Some(seconds(2.0)));
}

#[test]
fn a_request_that_failed_otherwise_does_not_wait_for_a_broken_member() {
    let planner = planner(2, RouterOptions::default());
    let now = Instant::now();
    fail_once(&planner, status(401), now);
    let mut plan = planner.plan(now, Some(seconds(60.0)), None);
    assert_eq!(attempt(plan.next(now)).with, 1);
    fail(&mut plan, status(500), now);
    assert!(matches!(
        failure(plan.next(now)),
        RouteFailure::LastAttempt { .. }
    ));
}

#[test]
fn a_half_open_member_gets_one_trial_and_those_who_wait_are_woken_by_its_end() {
    let planner = planner(1, RouterOptions::default());
    let mut now = Instant::now();
    fail_once(&planner, busy(1.0), now);
    now += seconds(1.0);
    let mut trial = planner.plan(now, None, None);
    attempt(trial.next(now));
    let mut other = planner.plan(now, Some(seconds(9.0)), None);
    let waiting = wait(other.next(now));
    assert_eq!(waiting.until, now + seconds(9.0));
    let waker = std::task::Waker::noop();
    assert_eq!(other.poll_change(&waiting, waker), Poll::Pending);
    answer(&mut trial, now);
    assert_eq!(other.poll_change(&waiting, waker), Poll::Ready(()));
    attempt(other.next(now));
}

#[test]
fn a_trial_that_is_cancelled_leaves_its_place_to_the_next() {
    let planner = planner(1, RouterOptions::default());
    let mut now = Instant::now();
    fail_once(&planner, busy(1.0), now);
    now += seconds(1.0);
    let mut trial = planner.plan(now, None, None);
    attempt(trial.next(now));
    drop(trial);
    let mut next = planner.plan(now, None, None);
    attempt(next.next(now));
    let metrics = planner.metrics(now);
    assert_eq!(
        (metrics.members[0].cancelled, metrics.members[0].in_flight),
        (1, 1)
    );
}

#[test]
fn errors_without_a_wait_cool_from_the_third_in_a_row_and_a_success_starts_the_count_anew() {
    let planner = planner(1, RouterOptions::default());
    let now = Instant::now();
    let cools = || planner.metrics(now).members[0].cooldown;
    for _ in 0..2 {
        fail_once(&planner, status(500), now);
    }
    serve(&planner, now);
    for _ in 0..2 {
        fail_once(&planner, status(500), now);
    }
    assert_eq!(cools(), None);
    fail_once(&planner, status(500), now);
    assert_eq!(cools(), Some(seconds(1.0)));
}

#[test]
fn the_callers_errors_and_unknown_models_neither_cool_nor_hurt_health() {
    let planner = planner(1, RouterOptions::default());
    let now = Instant::now();
    for code in [400, 404, 413, 422] {
        for _ in 0..20 {
            fail_once(&planner, status(code), now);
        }
    }
    let member = &planner.metrics(now).members[0];
    assert_eq!((member.cooldown, member.health.name()), (None, "healthy"));
    assert_eq!(member.failed(), 80);
}

#[test]
fn a_member_that_was_down_is_probed_once_before_it_gets_a_request() {
    let mut options = RouterOptions::new(Strategy::FirstAvailable);
    options.set_failures_to_cool(1).unwrap();
    options.set_ramp(seconds(0.0)).unwrap();
    let planner = planner(2, options);
    let mut now = Instant::now();
    let down = || Failure::new(ErrorKind::Connection, Phase::Connect);
    // Untried members are probed under first-available; this one is down.
    let mut plan = planner.plan(now, Some(seconds(60.0)), None);
    let first = probe(plan.next(now));
    assert_eq!((first.with, first.until), (0, Some(now + seconds(5.0))));
    plan.report_probe(Err(down()), now);
    // The last one that is left is not probed: the request itself finds out.
    assert_eq!(attempt(plan.next(now)).with, 1);
    answer(&mut plan, now);

    now += seconds(1.0);
    let mut plan = planner.plan(now, None, None);
    assert_eq!(probe(plan.next(now)).with, 0);
    let mut other = planner.plan(now, None, None);
    assert_eq!(attempt(other.next(now)).with, 1, "one trial at a time");
    answer(&mut other, now);
    plan.report_probe(Ok(()), now);
    assert_eq!(attempt(plan.next(now)).with, 0);
    answer(&mut plan, now);
    assert_eq!(serve(&planner, now), 0);
}

#[test]
fn a_member_that_was_idle_for_long_is_probed_and_a_good_probe_counts_for_30_seconds() {
    let planner = planner(2, RouterOptions::default());
    let mut now = Instant::now();
    assert_eq!((serve(&planner, now), serve(&planner, now)), (0, 1));
    now += seconds(301.0);
    let mut plan = planner.plan(now, None, None);
    assert_eq!(probe(plan.next(now)).with, 0);
    plan.report_probe(Ok(()), now);
    drop(plan);
    let mut plan = planner.plan(now, None, None);
    assert_eq!(probe(plan.next(now)).with, 1);
    plan.report_probe(Ok(()), now);
    attempt(plan.next(now));
    now += seconds(29.0);
    assert_eq!(serve(&planner, now), 0);
}

#[test]
fn a_probe_for_which_this_process_had_no_descriptor_is_not_repeated() {
    let planner = planner(2, RouterOptions::new(Strategy::FirstAvailable));
    let now = Instant::now();
    let exhausted = || Failure::new(ErrorKind::Internal, Phase::Connect);
    let mut plan = planner.plan(now, None, None);
    assert_eq!(probe(plan.next(now)).with, 0);
    plan.report_probe(Err(exhausted()), now);
    for member in 0..2 {
        assert_eq!(attempt(plan.next(now)).with, member);
        fail(&mut plan, exhausted(), now);
    }
    failure(plan.next(now));
    assert_eq!(plan.attempts().len(), 2);
    let members = planner.metrics(now).members;
    assert!(members.iter().all(|member| member.cooldown.is_none()));
}

#[test]
fn members_come_and_go_while_a_request_runs() {
    let planner = planner(2, RouterOptions::default());
    let now = Instant::now();
    let members = planner.members();
    let mut plan = planner.plan(now, None, None);
    assert_eq!(attempt(plan.next(now)).with, 0);
    assert!(planner.remove(members[0].id).is_some() && planner.remove(members[0].id).is_none());
    let added = planner.add(7, "m1", crate::router::MemberOptions::default());
    assert_eq!(&*planner.members()[1].name, "m1-2", "names are unique");
    fail(&mut plan, status(500), now);
    let asked = [attempt(plan.next(now)).with, {
        fail(&mut plan, status(500), now);
        attempt(plan.next(now)).with
    }];
    assert_eq!(asked, [1, 7]);
    answer(&mut plan, now);
    let metrics = planner.metrics(now);
    assert_eq!(metrics.members.len(), 2);
    assert_eq!(
        (metrics.members[1].id, metrics.members[1].fallbacks),
        (added, 1)
    );
    assert!(metrics.members.iter().all(|member| member.in_flight == 0));
}

#[test]
fn a_router_without_members_says_so() {
    let planner = planner(0, RouterOptions::default());
    let now = Instant::now();
    let mut plan = planner.plan(now, None, None);
    let RouteFailure::Unattempted(error) = failure(plan.next(now)) else {
        panic!("nobody was there");
    };
    assert_eq!(error.kind(), ErrorKind::Configuration);
}
