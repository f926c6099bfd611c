//! What is counted of one member, request by request. Bounded: kinds are few, models are at most
//! 32 and then one entry for the rest.

use std::collections::BTreeMap;
use std::time::{Duration, Instant};

use super::outcome::{Answered, Failure};
use super::window::Durations;

/// Answers name few models; a member that invents names must not fill the memory.
const MOST_MODELS: usize = 32;
const OTHER_MODELS: &str = "other";

/// One member's counts.
#[derive(Debug, Default)]
pub(super) struct Counters {
    pub(super) requests: u64,
    pub(super) successes: u64,
    pub(super) failures: BTreeMap<&'static str, u64>,
    pub(super) cancelled: u64,
    pub(super) retries: u64,
    pub(super) fallbacks: u64,
    pub(super) good_probes: u64,
    pub(super) failed_probes: BTreeMap<&'static str, u64>,
    pub(super) latency: Durations,
    pub(super) first_content: Durations,
    pub(super) models: Vec<ModelUse>,
}

/// What one model was used for.
#[derive(Clone, Debug)]
pub(super) struct ModelUse {
    pub(super) model: String,
    pub(super) answers: u64,
    pub(super) prompt_tokens: u64,
    pub(super) completion_tokens: u64,
    pub(super) total_tokens: u64,
    pub(super) precached_prompt_tokens: u64,
}

impl Counters {
    pub(super) fn answered(&mut self, answer: &Answered<'_>, duration: Duration, now: Instant) {
        self.successes += 1;
        self.retries += u64::from(answer.requests_sent.saturating_sub(1));
        self.latency.note(duration, now);
        let model = self.model(answer.model);
        model.answers += 1;
        if let Some(usage) = answer.usage {
            model.prompt_tokens += usage.prompt_tokens;
            model.completion_tokens += usage.completion_tokens;
            model.total_tokens += usage.total_tokens;
            model.precached_prompt_tokens += usage.precached_prompt_tokens;
        }
    }

    pub(super) fn failed(&mut self, failure: &Failure) {
        self.retries += u64::from(failure.requests_sent.saturating_sub(1));
        *self.failures.entry(failure.kind.name()).or_default() += 1;
    }

    pub(super) fn probe_failed(&mut self, failure: &Failure) {
        *self.failed_probes.entry(failure.kind.name()).or_default() += 1;
    }

    fn model(&mut self, name: &str) -> &mut ModelUse {
        let known = self.models.iter().position(|known| known.model == name);
        let index = known.unwrap_or_else(|| {
            let full = self.models.len() >= MOST_MODELS;
            let name = if full { OTHER_MODELS } else { name };
            let there = self.models.iter().position(|known| known.model == name);
            there.unwrap_or_else(|| {
                self.models.push(ModelUse::new(name));
                self.models.len() - 1
            })
        });
        &mut self.models[index]
    }
}

impl ModelUse {
    fn new(model: &str) -> ModelUse {
        ModelUse {
            model: model.to_owned(),
            answers: 0,
            prompt_tokens: 0,
            completion_tokens: 0,
            total_tokens: 0,
            precached_prompt_tokens: 0,
        }
    }
}

#[cfg(test)]
mod tests {
    use std::time::{Duration, Instant};

    use super::{Counters, MOST_MODELS};
    use crate::router::Answered;

    #[test]
    fn a_member_that_invents_model_names_fills_no_memory() {
        let mut counters = Counters::default();
        for n in 0..1000 {
            let model = format!("model-{n}");
            let answer = Answered {
                model: &model,
                ..Answered::default()
            };
            counters.answered(&answer, Duration::ZERO, Instant::now());
        }
        assert_eq!(counters.models.len(), MOST_MODELS + 1);
        assert_eq!(counters.models[MOST_MODELS].model, "other");
        assert_eq!(
            counters.models[MOST_MODELS].answers,
            1000 - MOST_MODELS as u64
        );
    }
}
