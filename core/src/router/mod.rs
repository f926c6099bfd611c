//! `Router`: several providers as one. It is a provider itself, so everything that works on a
//! provider works on it, and routers nest.
//!
//! All decisions are in the plan of a request (`plan`), which knows no async and no sockets and
//! is driven here (`drive`) or by a driver in another language. Behind the plans stands one state
//! (`core`) of members (`members`) with cooldown, health and metrics, among whom a strategy
//! chooses. `planner` holds what survives a fork: who the members are, and the prices.

mod cooldown;
mod core;
mod counters;
mod departed;
mod drive;
mod ewma;
mod health;
mod hold;
mod members;
mod metrics;
mod options;
mod outcome;
mod per_process;
mod pick;
mod plan;
mod planner;
mod prices;
mod prometheus;
mod provide;
mod settings;
mod strategy;
#[cfg(test)]
mod tests;
mod window;

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Instant;

pub use cooldown::CooldownCause;
pub use health::MemberHealth;
pub use members::MemberId;
pub use metrics::{MemberMetrics, ModelMetrics, RouterMetrics};
pub use options::{MemberOptions, RouterOptions};
pub use outcome::{Answered, Failure, Outcome};
pub use plan::{Attempt, RouteFailure, RoutePlan, Step, Wait};
pub use planner::{RoutePlanner, RouterMember};
pub use prices::{Price, PriceTable};
pub use strategy::Strategy;
pub use window::{DurationSummary, Histogram};

use crate::error::Result;
use crate::nesting::Nest;
use crate::provider::Provider;

/// Several providers as one. Clones share members and metrics: keep one to add members and read
/// metrics, give another to a [`Client`](crate::Client) or to an outer router.
///
/// ```no_run
/// use gigachat::{Client, Config, GigaChat, Router, RouterOptions, Strategy};
///
/// let router = Router::new(RouterOptions::new(Strategy::BestAvailable));
/// router.add(GigaChat::new(Config::new("first key")?)?)?;
/// router.add(GigaChat::new(Config::new("second key")?)?)?;
/// let answer = Client::new(router.clone()).generate("What is Rust?").join()?;
/// println!("{} {}", answer.text, router.metrics().to_json());
/// # Ok::<(), gigachat::Error>(())
/// ```
#[derive(Clone)]
pub struct Router {
    planner: Arc<RoutePlanner<Arc<dyn Provider>>>,
    nest: Arc<Nest>,
    id: u64,
}

impl Router {
    /// A router without members.
    pub fn new(options: RouterOptions) -> Router {
        static LAST_ID: AtomicU64 = AtomicU64::new(0);
        Router {
            planner: Arc::new(RoutePlanner::new(options)),
            nest: Nest::new(),
            id: LAST_ID.fetch_add(1, Ordering::Relaxed) + 1,
        }
    }

    /// A number that tells this router and its clones from all others of the process.
    #[doc(hidden)]
    pub fn id(&self) -> u64 {
        self.id
    }

    /// Adds a member under its own name, with weight 1. Possible while requests run.
    pub fn add(&self, provider: impl Provider) -> Result<MemberId> {
        self.add_with(Arc::new(provider), MemberOptions::default())
    }

    /// Adds a member with these options. Possible while requests run. A router that would then
    /// lead back to this one is refused, since a request would go round for ever, and so is one that
    /// makes more than 16 routers lie in each other.
    pub fn add_with(
        &self,
        provider: Arc<dyn Provider>,
        options: MemberOptions,
    ) -> Result<MemberId> {
        if let Some(inner) = provider.nest() {
            self.nest.add(&inner)?;
        }
        let name = provider.name().to_owned();
        Ok(self.planner.add(provider, &name, options))
    }

    /// Removes a member; its running attempts go on, its metrics are gone. Whether it was one.
    pub fn remove(&self, id: MemberId) -> bool {
        let removed = self.planner.remove(id);
        if let Some(inner) = removed.as_ref().and_then(|member| member.with.nest()) {
            self.nest.remove(&inner);
        }
        removed.is_some()
    }

    /// The members in the order in which they were added.
    pub fn members(&self) -> Vec<RouterMember<Arc<dyn Provider>>> {
        self.planner.members()
    }

    /// What is known of the members now: counts since they were added, in this process.
    pub fn metrics(&self) -> RouterMetrics {
        self.planner.metrics(Instant::now())
    }

    /// The metrics in Prometheus' text format.
    pub fn prometheus(&self) -> String {
        self.metrics().prometheus()
    }

    /// Sets a model's price; see [`PriceTable::set`].
    pub fn set_price(&self, model: &str, price: Price) -> Result<()> {
        self.planner.set_price(model, price)
    }

    /// Replaces all prices and the currency.
    pub fn set_prices(&self, prices: PriceTable) {
        self.planner.set_prices(prices);
    }

    /// The settings.
    pub fn options(&self) -> &RouterOptions {
        self.planner.options()
    }

    /// The decisions, for a driver of its own.
    pub fn planner(&self) -> &Arc<RoutePlanner<Arc<dyn Provider>>> {
        &self.planner
    }
}
