//! Metrics as JSON and Prometheus text, tokens and cost.

use std::time::Instant;

use serde_json::Value;

use super::{attempt, fail_once, planner, seconds, status};
use crate::response::TokenUsage;
use crate::router::{Answered, Outcome, Price, PriceTable, RoutePlanner, RouterOptions};

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
    assert_eq!(families.count(), 10);
}
