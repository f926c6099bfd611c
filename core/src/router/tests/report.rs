//! Metrics as JSON and Prometheus text, tokens and cost.

use std::time::Instant;

use serde_json::Value;

use super::{answer, attempt, busy, fail_once, planner, probe, seconds, serve, status};
use crate::response::TokenUsage;
use crate::router::{
    Answered, MemberHealth, MemberOptions, Outcome, Price, PriceTable, RoutePlanner, RouterOptions,
    Strategy,
};

/// m0 answers with 30 tokens after a second, m1 fails.
fn used() -> (RoutePlanner<u32>, Instant) {
    let planner = planner(2, RouterOptions::default());
    let begun = Instant::now();
    let mut plan = planner.plan(begun, None, None);
    attempt(plan.next(begun));
    let now = begun + seconds(1.0);
    let usage = TokenUsage {
        prompt_tokens: 20,
        completion_tokens: 10,
        total_tokens: 30,
        precached_prompt_tokens: 0,
    };
    let answer = Answered {
        usage: Some(usage),
        model: "GigaChat:2.0",
        requests_sent: 1,
    };
    plan.report(Outcome::Answered(answer), now);
    fail_once(&planner, status(500), now);
    (planner, now)
}

#[test]
fn json_has_the_names_that_existing_programs_read() {
    let (planner, now) = used();
    let json: Value = serde_json::from_str(&planner.metrics(now).to_json()).unwrap();
    let (m0, m1) = (&json["members"][0], &json["members"][1]);
    let read = |member: &Value, name: &str| member[name].as_f64().unwrap();
    let expected = [
        ("total_requests", 1.0),
        ("successful_requests", 1.0),
        ("failed_requests", 0.0),
        ("success_rate", 1.0),
        ("avg_latency_ms", 1000.0),
        ("p99_latency_ms", 1000.0),
        ("p50_first_content_ms", 1000.0),
        ("total_prompt_tokens", 20.0),
        ("total_completion_tokens", 10.0),
        ("total_tokens", 30.0),
        ("total_cost", 0.0),
        ("in_flight", 0.0),
    ];
    for (name, value) in expected {
        assert_eq!(read(m0, name), value, "{name}");
    }
    assert_eq!(m0["health_status"], "healthy");
    assert_eq!(
        m0["unpriced_models"][0], "GigaChat:2.0",
        "unknown models say so"
    );
    assert_eq!(m0["models"][0]["cost"], Value::Null);
    assert_eq!(m1["failures"]["server"], 1);
    assert_eq!(read(m1, "success_rate"), 0.0);
}

#[test]
fn cost_is_counted_by_model_at_the_prices_that_are_set() {
    let (planner, now) = used();
    planner.set_prices(PriceTable::new("RUB"));
    let price = Price {
        prompt_per_1000: 1.0,
        completion_per_1000: 3.0,
    };
    planner.set_price("GigaChat", price).unwrap();
    let metrics = planner.metrics(now);
    assert_eq!(metrics.currency, "RUB");
    assert_eq!(metrics.members[0].total_cost(), 0.05);
    assert!(metrics.members[0].unpriced_models().is_empty());
}

#[test]
fn prometheus_text_has_a_true_histogram_and_escaped_labels() {
    let (planner, now) = used();
    let mut metrics = planner.metrics(now);
    metrics.members[1].name = "a\"b\\c\nd".to_owned();
    let text = metrics.prometheus();
    let expected = [
        r#"llm_requests_total{router="router",provider="m0",status="success"} 1"#,
        r#"llm_requests_total{router="router",provider="a\"b\\c\nd",status="server"} 1"#,
        r#"llm_request_latency_seconds_bucket{router="router",provider="m0",le="0.5"} 0"#,
        r#"llm_request_latency_seconds_bucket{router="router",provider="m0",le="1"} 1"#,
        r#"llm_request_latency_seconds_bucket{router="router",provider="m0",le="+Inf"} 1"#,
        r#"llm_request_latency_seconds_sum{router="router",provider="m0"} 1"#,
        r#"llm_tokens_total{router="router",provider="m0",type="prompt"} 20"#,
        r#"llm_provider_health{router="router",provider="m0"} 1"#,
    ];
    for line in expected {
        assert!(text.lines().any(|known| known == line), "{line}\n{text}");
    }
    assert_eq!(
        text,
        metrics.prometheus(),
        "reading changes nothing (peers, O6)"
    );
    let well_formed = |line: &str| {
        line.starts_with("# ")
            || line.rsplit_once(' ').is_some_and(|(series, value)| {
                series.ends_with('}') && value.parse::<f64>().is_ok()
            })
    };
    assert!(text.lines().all(well_formed), "{text}");
    let families = text.lines().filter(|line| line.starts_with("# TYPE"));
    assert_eq!(families.count(), 11);
}

#[test]
fn a_cost_of_nothing_has_no_sign() {
    let (planner, now) = used();
    assert!(
        planner
            .metrics(now)
            .to_json()
            .contains("\"total_cost\":0.0")
    );
}

/// Two members under a strategy that probes them before their first request.
fn probing() -> RoutePlanner<u32> {
    let mut options = RouterOptions::default();
    options.set_strategy(Strategy::FirstAvailable);
    planner(2, options)
}

#[test]
fn a_member_whose_key_is_refused_in_the_probe_is_counted_and_unhealthy() {
    let planner = probing();
    let now = Instant::now();
    let mut plan = planner.plan(now, None, None);
    assert_eq!(probe(plan.next(now)).with, 0);
    plan.report_probe(Err(status(401)), now);
    assert_eq!(attempt(plan.next(now)).with, 1);
    answer(&mut plan, now);
    let metrics = planner.metrics(now);
    let m0 = &metrics.members[0];
    assert_eq!((m0.requests, m0.good_probes), (0, 0));
    assert_eq!(m0.failed_probes["authentication"], 1);
    assert_eq!(m0.health, MemberHealth::Unhealthy);
    assert_eq!(m0.recent_error_rate, 1.0);
    assert_eq!(metrics.members[1].health, MemberHealth::Healthy);
    let json: Value = serde_json::from_str(&metrics.to_json()).unwrap();
    assert_eq!(json["members"][0]["failed_probes"], 1);
    assert_eq!(json["members"][0]["probe_failures"]["authentication"], 1);
    let text = metrics.prometheus();
    let line = r#"llm_probes_total{router="router",provider="m0",status="authentication"} 1"#;
    assert!(text.lines().any(|known| known == line), "{text}");
    assert!(text.contains(r#"llm_provider_health{router="router",provider="m0"} 0"#));
}

#[test]
fn a_good_probe_is_counted_and_is_no_request() {
    let planner = probing();
    let now = Instant::now();
    let mut plan = planner.plan(now, None, None);
    probe(plan.next(now));
    plan.report_probe(Ok(()), now);
    attempt(plan.next(now));
    answer(&mut plan, now);
    let m0 = &planner.metrics(now).members[0];
    assert_eq!((m0.good_probes, m0.requests, m0.successes), (1, 1, 1));
}

#[test]
fn what_failed_each_time_is_unhealthy_until_it_answers_or_is_left_alone() {
    let planner = planner(1, RouterOptions::default());
    let mut now = Instant::now();
    for (failed, expected) in [
        (1, MemberHealth::Healthy),
        (2, MemberHealth::Healthy),
        (3, MemberHealth::Unhealthy),
    ] {
        fail_once(&planner, status(500), now);
        assert_eq!(planner.metrics(now).members[0].health, expected, "{failed}");
    }
    now += seconds(62.0);
    assert_eq!(
        planner.metrics(now).members[0].health,
        MemberHealth::Healthy,
        "nothing is known of the last minute"
    );
    fail_once(&planner, status(500), now);
    assert_eq!(
        planner.metrics(now).members[0].health,
        MemberHealth::Unhealthy
    );
    now += seconds(61.0);
    serve(&planner, now);
    assert_eq!(
        planner.metrics(now).members[0].health,
        MemberHealth::Healthy
    );
}

#[test]
fn what_cools_for_long_because_it_always_fails_stays_unhealthy() {
    let planner = planner(1, RouterOptions::default());
    let mut now = Instant::now();
    for _ in 0..3 {
        fail_once(&planner, busy(100.0), now);
        now += seconds(100.0);
    }
    now -= seconds(1.0);
    assert_eq!(
        planner.metrics(now).members[0].health,
        MemberHealth::Unhealthy
    );
}

#[test]
fn a_removed_members_counters_are_kept_told_and_taken_over_by_its_successor() {
    let (planner, now) = used();
    let mut running = planner.plan(now, None, None);
    let begun = attempt(running.next(now));
    assert_eq!(begun.with, 0);
    let m0 = planner.members()[0].id;
    planner.remove(m0);
    let metrics = planner.metrics(now);
    assert_eq!(metrics.members.len(), 1);
    let removed = &metrics.removed[0];
    assert_eq!(removed.name, "m0");
    assert_eq!(
        (removed.requests, removed.successes, removed.in_flight),
        (2, 1, 1)
    );
    let line = r#"llm_requests_total{router="router",provider="m0",status="success"} 1"#;
    let text = metrics.prometheus();
    assert!(text.lines().any(|known| known == line), "{text}");
    assert!(!text.contains(r#"llm_provider_health{router="router",provider="m0"}"#));

    planner.add(9, "m0", MemberOptions::default());
    let m0 = planner.metrics(now).member("m0").unwrap().clone();
    assert_eq!((m0.requests, m0.successes, m0.in_flight), (2, 1, 1));
    // The attempt that outlived its member ends.
    answer(&mut running, now);
    let metrics = planner.metrics(now);
    let m0 = metrics.member("m0").unwrap();
    assert_eq!((m0.requests, m0.successes, m0.in_flight), (2, 2, 0));
    assert!(metrics.removed.is_empty());
}

#[test]
fn an_attempt_that_outlives_its_member_is_counted_however_it_ends() {
    let planner = planner(1, RouterOptions::default());
    let now = Instant::now();
    let mut plans: Vec<_> = (0..3).map(|_| planner.plan(now, None, None)).collect();
    for plan in &mut plans {
        attempt(plan.next(now));
    }
    planner.remove(planner.members()[0].id);
    answer(&mut plans[0], now);
    plans[1].report(Outcome::Failed(status(500)), now);
    drop(plans);
    let removed = &planner.metrics(now).removed[0];
    let ended = (removed.successes, removed.failed(), removed.cancelled);
    assert_eq!((ended, removed.in_flight), ((1, 1, 1), 0));
}

#[test]
fn a_program_that_adds_and_removes_members_for_ever_fills_no_memory() {
    let planner = planner(1, RouterOptions::default());
    for n in 0..1000 {
        let id = planner.add(n, &format!("tenant-{n}"), MemberOptions::default());
        planner.remove(id);
    }
    let metrics = planner.metrics(Instant::now());
    assert_eq!(metrics.removed.len(), super::super::departed::MOST_DEPARTED);
    assert_eq!(metrics.removed.last().unwrap().name, "tenant-999");
}
