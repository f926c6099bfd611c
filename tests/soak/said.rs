//! What the library says of itself that no result tells: requests sent anew at once (I10), token requests.
//!
//! A subscriber that counts these events, and nothing else.

use std::fmt::Debug;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use tracing::field::{Field, Visit};
use tracing::level_filters::LevelFilter;
use tracing::span::{Attributes, Id, Record};
use tracing::{Event, Metadata, Subscriber};

use crate::plan::{LANES, Lane};

/// The counts; clones share them.
#[derive(Clone, Default)]
pub struct Said(Arc<Counts>);

#[derive(Default)]
struct Counts {
    /// The API's hosts, by lane.
    hosts: std::sync::OnceLock<[String; 3]>,
    resent: [AtomicU64; 3],
    resent_for_token: AtomicU64,
    tokens: AtomicU64,
    failed_tokens: AtomicU64,
}

impl Said {
    pub fn know_hosts(&self, hosts: [String; 3]) {
        let _ = self.0.hosts.set(hosts);
    }

    pub fn resent(&self, lane: Lane) -> u64 {
        let at = LANES.iter().position(|one| *one == lane).unwrap_or(0);
        self.0.resent[at].load(Ordering::SeqCst)
    }

    /// Token requests: those that were answered with a token, and the others.
    pub fn token_requests(&self) -> (u64, u64) {
        let count = |count: &AtomicU64| count.load(Ordering::SeqCst);
        let failed = count(&self.0.failed_tokens) + count(&self.0.resent_for_token);
        (count(&self.0.tokens), failed)
    }

    fn hear(&self, message: &str, host: &str) {
        let counts = &self.0;
        let hosts = counts.hosts.get();
        let count = match message {
            "access token received" => &counts.tokens,
            "token request failed" | "token request will be repeated" => &counts.failed_tokens,
            "a reused connection broke; sending again" => {
                let lane = hosts.and_then(|hosts| hosts.iter().position(|known| known == host));
                lane.map_or(&counts.resent_for_token, |lane| &counts.resent[lane])
            }
            _ => return,
        };
        count.fetch_add(1, Ordering::SeqCst);
    }
}

#[derive(Default)]
struct Words {
    message: String,
    host: String,
}

impl Visit for Words {
    fn record_debug(&mut self, field: &Field, value: &dyn Debug) {
        match field.name() {
            "message" => self.message = format!("{value:?}"),
            "host" => self.host = format!("{value:?}"),
            _ => {}
        }
    }
}

impl Subscriber for Said {
    fn enabled(&self, metadata: &Metadata<'_>) -> bool {
        matches!(metadata.target(), "gigachat::transport" | "gigachat::auth")
    }

    fn max_level_hint(&self) -> Option<LevelFilter> {
        Some(LevelFilter::DEBUG)
    }

    fn event(&self, event: &Event<'_>) {
        let mut words = Words::default();
        event.record(&mut words);
        self.hear(&words.message, &words.host);
    }

    fn new_span(&self, _: &Attributes<'_>) -> Id {
        Id::from_u64(1)
    }

    fn record(&self, _: &Id, _: &Record<'_>) {}
    fn record_follows_from(&self, _: &Id, _: &Id) {}
    fn enter(&self, _: &Id) {}
    fn exit(&self, _: &Id) {}
}
