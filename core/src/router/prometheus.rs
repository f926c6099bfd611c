//! Metrics in Prometheus' text format (version 0.0.4), for the program's own HTTP server. The
//! names of the first five families are those of existing routers' dashboards.

use std::fmt::Write;

use super::metrics::{MemberMetrics, RouterMetrics};
use super::window::DurationSummary;

impl RouterMetrics {
    /// The text to be served as `text/plain; version=0.0.4`.
    pub fn prometheus(&self) -> String {
        let mut page = Page {
            text: String::new(),
            router: escaped(&self.router),
        };
        let members = &self.members;
        // A counter that disappears would make every sum over time wrong.
        let counted: Vec<&MemberMetrics> = self.members.iter().chain(&self.removed).collect();
        page.family(
            "llm_requests_total",
            "counter",
            "Attempts that ended, by outcome.",
        );
        for member in &counted {
            page.count(
                member,
                "llm_requests_total",
                ("status", "success"),
                member.successes,
            );
            page.count(
                member,
                "llm_requests_total",
                ("status", "cancelled"),
                member.cancelled,
            );
            for (kind, count) in &member.failures {
                page.count(member, "llm_requests_total", ("status", kind), *count);
            }
        }
        page.durations(
            "llm_request_latency_seconds",
            "Total time of answered attempts.",
            &counted,
            |member| &member.latency,
        );
        page.family(
            "llm_tokens_total",
            "counter",
            "Tokens as the service counted them.",
        );
        for member in &counted {
            let prompt = member.tokens(|model| model.prompt_tokens);
            let completion = member.tokens(|model| model.completion_tokens);
            page.count(member, "llm_tokens_total", ("type", "prompt"), prompt);
            page.count(
                member,
                "llm_tokens_total",
                ("type", "completion"),
                completion,
            );
        }
        let help = "Cost at the prices that are set; models without a price are not in it.";
        page.family("llm_cost_total", "counter", help);
        for member in &counted {
            for model in &member.models {
                if let Some(cost) = model.cost {
                    page.sample(
                        member,
                        "llm_cost_total",
                        Some(("model", &model.model)),
                        cost,
                    );
                }
            }
        }
        let help = "Health checks before a request, by outcome; no attempts.";
        page.family("llm_probes_total", "counter", help);
        for member in &counted {
            page.count(
                member,
                "llm_probes_total",
                ("status", "success"),
                member.good_probes,
            );
            for (kind, count) in &member.failed_probes {
                page.count(member, "llm_probes_total", ("status", kind), *count);
            }
        }
        let help = "1 is healthy, 0.5 degraded, 0 unhealthy.";
        page.each("llm_provider_health", "gauge", help, members.iter(), health);
        page.durations(
            "llm_first_content_seconds",
            "Time to first content.",
            &counted,
            |member| &member.first_content,
        );
        let in_flight = |member: &MemberMetrics| f64::from(member.in_flight);
        page.each(
            "llm_in_flight",
            "gauge",
            "Attempts that run now.",
            members.iter(),
            in_flight,
        );
        let cooldown = |m: &MemberMetrics| m.cooldown.unwrap_or_default().as_secs_f64();
        let help = "How long the member still cools.";
        page.each(
            "llm_cooldown_seconds",
            "gauge",
            help,
            members.iter(),
            cooldown,
        );
        let help = "Requests beyond the first at one member for one call.";
        page.each(
            "llm_retries_total",
            "counter",
            help,
            counted.iter().copied(),
            |m| m.retries as f64,
        );
        let help = "Attempts that followed another member's failure.";
        page.each(
            "llm_fallbacks_total",
            "counter",
            help,
            counted.iter().copied(),
            |m| m.fallbacks as f64,
        );
        page.text
    }
}

fn health(member: &MemberMetrics) -> f64 {
    match member.health.name() {
        "healthy" => 1.0,
        "degraded" => 0.5,
        _ => 0.0,
    }
}

struct Page {
    text: String,
    router: String,
}

impl Page {
    fn family(&mut self, name: &str, kind: &str, help: &str) {
        // Writing to a String cannot fail, here and below.
        let _ = writeln!(self.text, "# HELP {name} {help}\n# TYPE {name} {kind}");
    }

    fn sample(
        &mut self,
        member: &MemberMetrics,
        name: &str,
        label: Option<(&str, &str)>,
        value: f64,
    ) {
        let provider = escaped(&member.name);
        let _ = write!(
            self.text,
            "{name}{{router=\"{}\",provider=\"{provider}\"",
            self.router
        );
        if let Some((label, text)) = label {
            let _ = write!(self.text, ",{label}=\"{}\"", escaped(text));
        }
        let _ = writeln!(self.text, "}} {value}");
    }

    fn count(&mut self, member: &MemberMetrics, name: &str, label: (&str, &str), count: u64) {
        self.sample(member, name, Some(label), count as f64);
    }

    fn each<'a>(
        &mut self,
        name: &str,
        kind: &str,
        help: &str,
        members: impl Iterator<Item = &'a MemberMetrics>,
        value: impl Fn(&MemberMetrics) -> f64,
    ) {
        self.family(name, kind, help);
        for member in members {
            self.sample(member, name, None, value(member));
        }
    }

    fn durations<'a>(
        &mut self,
        name: &str,
        help: &str,
        members: &[&'a MemberMetrics],
        which: impl Fn(&'a MemberMetrics) -> &'a DurationSummary,
    ) {
        self.family(name, "histogram", help);
        let bucket = format!("{name}_bucket");
        for member in members {
            let histogram = &which(member).histogram;
            for (bound, count) in &histogram.buckets {
                self.count(member, &bucket, ("le", &bound.to_string()), *count);
            }
            self.count(member, &bucket, ("le", "+Inf"), histogram.count);
            self.sample(member, &format!("{name}_sum"), None, histogram.sum);
            self.sample(
                member,
                &format!("{name}_count"),
                None,
                histogram.count as f64,
            );
        }
    }
}

/// A label's value may hold anything but a bare backslash, quote or line end.
fn escaped(value: &str) -> String {
    value
        .replace('\\', "\\\\")
        .replace('"', "\\\"")
        .replace('\n', "\\n")
}
