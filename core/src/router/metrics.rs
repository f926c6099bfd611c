//! What a program may know of a router and its members at a moment: as a struct, and as JSON
//! with the names that programs for existing routers read.

use std::collections::BTreeMap;
use std::time::{Duration, Instant};

use serde_json::{Value, json};

use super::cooldown::{CooldownCause, Stage};
use super::counters::{Counters, ModelUse};
use super::departed::Departed;
use super::health::MemberHealth;
use super::members::{Member, MemberId};
use super::prices::PriceTable;
use super::strategy::Strategy;
use super::window::DurationSummary;

/// A router and its members.
#[derive(Clone, Debug, PartialEq)]
pub struct RouterMetrics {
    /// The router's name.
    pub router: String,
    /// How it chooses.
    pub strategy: Strategy,
    /// The currency of the price table; empty when none was set.
    pub currency: String,
    /// The members in the order in which they were added.
    pub members: Vec<MemberMetrics>,
    /// Members that were removed, by name, the last 64: a member that is added under the name of one
    /// goes on counting from there. They are never in flight for long, cool or have a health.
    pub removed: Vec<MemberMetrics>,
}

/// One member since a member of this name was first added, in this process.
#[derive(Clone, Debug, PartialEq)]
pub struct MemberMetrics {
    /// Its id.
    pub id: MemberId,
    /// Its name.
    pub name: String,
    /// Its weight.
    pub weight: u32,
    /// Attempts that were begun: the sum of successes, failures, cancelled and in flight.
    pub requests: u64,
    /// Attempts that were answered.
    pub successes: u64,
    /// Attempts that failed, by [`ErrorKind::name`](crate::ErrorKind::name).
    pub failures: BTreeMap<&'static str, u64>,
    /// Attempts whose caller went away.
    pub cancelled: u64,
    /// Attempts that run now.
    pub in_flight: u32,
    /// Requests beyond the first that this member was sent for one call.
    pub retries: u64,
    /// Attempts that came here after another member had failed.
    pub fallbacks: u64,
    /// Health checks before a request that were answered; no attempts.
    pub good_probes: u64,
    /// Health checks before a request that failed, by
    /// [`ErrorKind::name`](crate::ErrorKind::name).
    pub failed_probes: BTreeMap<&'static str, u64>,
    /// Total time of answered attempts.
    pub latency: DurationSummary,
    /// Time to first content; of an answer that comes as a whole, its total time.
    pub first_content: DurationSummary,
    /// Errors of the last minute, failed probes included, per request of the last minute, 0 to 1.
    pub recent_error_rate: f64,
    /// Passive health.
    pub health: MemberHealth,
    /// How long it still cools; `None` when it does not.
    pub cooldown: Option<Duration>,
    /// Why it cools, or has just cooled and was not tried since.
    pub cooldown_cause: Option<CooldownCause>,
    /// Tokens and cost by the model that answered.
    pub models: Vec<ModelMetrics>,
}

/// What one model was used for at one member.
#[derive(Clone, Debug, PartialEq)]
pub struct ModelMetrics {
    /// The model as answers name it; `other` collects what exceeds 32 names.
    pub model: String,
    /// Answers.
    pub answers: u64,
    /// Tokens of messages, as the service counted them.
    pub prompt_tokens: u64,
    /// Tokens of answers.
    pub completion_tokens: u64,
    /// What the service counts in total.
    pub total_tokens: u64,
    /// Prompt tokens that came from the session's cache.
    pub precached_prompt_tokens: u64,
    /// The cost at the prices that are set now; `None`: the price table does not know the model.
    pub cost: Option<f64>,
}

impl MemberMetrics {
    pub(super) fn of<P>(member: &Member<P>, now: Instant, prices: &PriceTable) -> MemberMetrics {
        let (recent, errors) = member.errors.tally(now);
        let cooldown = match member.cooldown.stage(now) {
            Stage::Cooling(until) => Some(until.saturating_duration_since(now)),
            Stage::Closed | Stage::HalfOpen | Stage::Trial => None,
        };
        MemberMetrics {
            id: member.is.id,
            name: member.is.name.to_string(),
            weight: member.is.weight,
            in_flight: member.all_in_flight(),
            recent_error_rate: f64::from(errors) / f64::from(recent.max(1)),
            health: member.health(now),
            cooldown,
            cooldown_cause: member.cooldown.cause(),
            ..MemberMetrics::counted(&member.counters, now, prices)
        }
    }

    pub(super) fn of_departed(departed: &Departed, now: Instant, prices: &PriceTable) -> Self {
        MemberMetrics {
            id: departed.id,
            name: departed.name.to_string(),
            weight: departed.weight,
            in_flight: departed.in_flight(),
            ..MemberMetrics::counted(&departed.counters, now, prices)
        }
    }

    fn counted(counters: &Counters, now: Instant, prices: &PriceTable) -> MemberMetrics {
        MemberMetrics {
            id: MemberId::from_u64(0),
            name: String::new(),
            weight: 0,
            requests: counters.requests,
            successes: counters.successes,
            failures: counters.failures.clone(),
            cancelled: counters.cancelled,
            in_flight: 0,
            retries: counters.retries,
            fallbacks: counters.fallbacks,
            good_probes: counters.good_probes,
            failed_probes: counters.failed_probes.clone(),
            latency: counters.latency.summary(now),
            first_content: counters.first_content.summary(now),
            recent_error_rate: 0.0,
            health: MemberHealth::Healthy,
            cooldown: None,
            cooldown_cause: None,
            models: counters
                .models
                .iter()
                .map(|model| ModelMetrics::of(model, prices))
                .collect(),
        }
    }

    /// All failures.
    pub fn failed(&self) -> u64 {
        self.failures.values().sum()
    }

    /// Successes per ended attempt, cancelled ones left out; 1 before the first.
    pub fn success_rate(&self) -> f64 {
        match self.successes + self.failed() {
            0 => 1.0,
            ended => self.successes as f64 / ended as f64,
        }
    }

    /// The cost of all models that the price table knows.
    pub fn total_cost(&self) -> f64 {
        // Not `sum`, which begins at -0.0.
        let costs = self.models.iter().filter_map(|model| model.cost);
        costs.fold(0.0, |sum, cost| sum + cost)
    }

    /// The models that answered and have no price: what they cost is not in the total.
    pub fn unpriced_models(&self) -> Vec<&str> {
        let unpriced = self.models.iter().filter(|model| model.cost.is_none());
        unpriced.map(|model| model.model.as_str()).collect()
    }

    /// The sum over models.
    pub fn tokens(&self, which: impl Fn(&ModelMetrics) -> u64) -> u64 {
        self.models.iter().map(which).sum()
    }

    fn to_value(&self) -> Value {
        let models = self.models.iter().map(ModelMetrics::to_value);
        json!({
            "id": self.id.as_u64(),
            "name": self.name,
            "weight": self.weight,
            "total_requests": self.requests,
            "successful_requests": self.successes,
            "failed_requests": self.failed(),
            "cancelled_requests": self.cancelled,
            "in_flight": self.in_flight,
            "failures": self.failures,
            "retries": self.retries,
            "fallbacks": self.fallbacks,
            "good_probes": self.good_probes,
            "failed_probes": self.failed_probes.values().sum::<u64>(),
            "probe_failures": self.failed_probes,
            "success_rate": self.success_rate(),
            "recent_error_rate": self.recent_error_rate,
            "avg_latency_ms": ms(self.latency.mean_since_start),
            "rolling_avg_latency_ms": ms(self.latency.mean),
            "p50_latency_ms": ms(self.latency.p50),
            "p95_latency_ms": ms(self.latency.p95),
            "p99_latency_ms": ms(self.latency.p99),
            "avg_first_content_ms": ms(self.first_content.mean_since_start),
            "rolling_avg_first_content_ms": ms(self.first_content.mean),
            "p50_first_content_ms": ms(self.first_content.p50),
            "p95_first_content_ms": ms(self.first_content.p95),
            "p99_first_content_ms": ms(self.first_content.p99),
            "total_prompt_tokens": self.tokens(|model| model.prompt_tokens),
            "total_completion_tokens": self.tokens(|model| model.completion_tokens),
            "total_tokens": self.tokens(|model| model.total_tokens),
            "total_cost": self.total_cost(),
            "unpriced_models": self.unpriced_models(),
            "models": models.collect::<Vec<_>>(),
            "health_status": self.health.name(),
            "cooldown_ms": self.cooldown.map(ms),
            "cooldown_cause": self.cooldown_cause.map(|cause| json!({
                "kind": cause.kind.name(),
                "status": cause.status,
            })),
        })
    }
}

impl ModelMetrics {
    fn of(model: &ModelUse, prices: &PriceTable) -> ModelMetrics {
        let price = prices.price(&model.model);
        ModelMetrics {
            model: model.model.clone(),
            answers: model.answers,
            prompt_tokens: model.prompt_tokens,
            completion_tokens: model.completion_tokens,
            total_tokens: model.total_tokens,
            precached_prompt_tokens: model.precached_prompt_tokens,
            cost: price.map(|price| price.cost(model.prompt_tokens, model.completion_tokens)),
        }
    }

    fn to_value(&self) -> Value {
        json!({
            "model": self.model,
            "answers": self.answers,
            "prompt_tokens": self.prompt_tokens,
            "completion_tokens": self.completion_tokens,
            "total_tokens": self.total_tokens,
            "precached_prompt_tokens": self.precached_prompt_tokens,
            "cost": self.cost,
        })
    }
}

impl RouterMetrics {
    /// As JSON: `{"router", "strategy", "currency", "members": [...], "removed": [...]}`. Times are in
    /// milliseconds; a cost that is not known is `null`.
    pub fn to_json(&self) -> String {
        let members = self.members.iter().map(MemberMetrics::to_value);
        let removed = self.removed.iter().map(MemberMetrics::to_value);
        json!({
            "router": self.router,
            "strategy": self.strategy.name(),
            "currency": self.currency,
            "members": members.collect::<Vec<_>>(),
            "removed": removed.collect::<Vec<_>>(),
        })
        .to_string()
    }

    /// The member of this name.
    pub fn member(&self, name: &str) -> Option<&MemberMetrics> {
        self.members.iter().find(|member| member.name == name)
    }
}

fn ms(duration: Duration) -> f64 {
    duration.as_secs_f64() * 1000.0
}
