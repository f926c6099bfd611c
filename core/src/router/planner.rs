//! `RoutePlanner`: who the members are, and a plan for each request. A driver in another language
//! has one with its own kind of members; `Router` has one of native providers.
//!
//! The membership list and the prices survive a fork; the state (turns, cooldowns, metrics) is
//! each process's own.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::{Duration, Instant};

use arc_swap::{ArcSwap, Guard};

use super::core::RouterCore;
use super::members::{MemberId, Membership};
use super::metrics::RouterMetrics;
use super::options::{MemberOptions, RouterOptions};
use super::per_process::PerProcess;
use super::plan::RoutePlan;
use super::prices::{Price, PriceTable};
use crate::error::Result;

/// The members of a router and what is decided about them. `P` is what the driver calls.
pub struct RoutePlanner<P> {
    options: RouterOptions,
    list: ArcSwap<Vec<Membership<P>>>,
    next_id: AtomicU64,
    prices: ArcSwap<PriceTable>,
    core: PerProcess<RouterCore<P>>,
}

/// A member as [`RoutePlanner::members`] lists it.
#[derive(Clone, Debug)]
pub struct RouterMember<P> {
    /// Its id.
    pub id: MemberId,
    /// Its name.
    pub name: Arc<str>,
    /// Its weight.
    pub weight: u32,
    /// What the driver calls.
    pub with: P,
}

impl<P: Clone> RouterMember<P> {
    fn of(member: &Membership<P>) -> RouterMember<P> {
        RouterMember {
            id: member.id,
            name: member.name.clone(),
            weight: member.weight,
            with: member.with.clone(),
        }
    }
}

impl<P: Clone> RoutePlanner<P> {
    /// A planner without members.
    pub fn new(options: RouterOptions) -> RoutePlanner<P> {
        crate::process::set_hooks();
        RoutePlanner {
            options,
            list: ArcSwap::from_pointee(Vec::new()),
            next_id: AtomicU64::new(1),
            prices: ArcSwap::default(),
            core: PerProcess::new(),
        }
    }

    /// The settings.
    pub fn options(&self) -> &RouterOptions {
        &self.options
    }

    /// Adds a member, at any time. Requests that run may use it at once. `name` is used when the
    /// options have none.
    pub fn add(&self, with: P, name: &str, options: MemberOptions) -> MemberId {
        let id = MemberId(self.next_id.fetch_add(1, Ordering::Relaxed));
        let wanted = options.name.as_deref().unwrap_or(name);
        self.list.rcu(|list| {
            let mut list = Vec::clone(list);
            list.push(Membership {
                id,
                name: free_name(wanted, &list),
                weight: options.weight,
                with: with.clone(),
            });
            list
        });
        self.sync();
        id
    }

    /// Removes a member, at any time; its running attempts go on. Returns it, if it was one.
    pub fn remove(&self, id: MemberId) -> Option<RouterMember<P>> {
        let before = self.list.rcu(|list| {
            let kept = list.iter().filter(|member| member.id != id);
            kept.cloned().collect::<Vec<_>>()
        });
        self.sync();
        let member = before.iter().find(|member| member.id == id);
        member.map(RouterMember::of)
    }

    /// The members in the order in which they were added.
    pub fn members(&self) -> Vec<RouterMember<P>> {
        let list = self.list.load();
        list.iter().map(RouterMember::of).collect()
    }

    /// Shows every member's provider.
    pub(super) fn each(&self, see: impl FnMut(&P)) {
        self.list
            .load()
            .iter()
            .map(|member| &member.with)
            .for_each(see);
    }

    /// A plan for a request that begins now. `deadline` is its total time, instead of the
    /// router's; `until` a time that an outer router has set.
    pub fn plan(
        &self,
        now: Instant,
        deadline: Option<Duration>,
        until: Option<Instant>,
    ) -> RoutePlan<P> {
        let own = deadline
            .or(self.options.deadline)
            .and_then(|time| now.checked_add(time));
        let earliest = match (own, until) {
            (Some(own), Some(until)) => Some(own.min(until)),
            (own, until) => own.or(until),
        };
        RoutePlan::new(self.core(), now, earliest)
    }

    /// Sets a model's price, in the currency that the table has.
    pub fn set_price(&self, model: &str, price: Price) -> Result<()> {
        let mut outcome = Ok(());
        self.prices.rcu(|table| {
            let mut table = PriceTable::clone(table);
            outcome = table.set(model, price);
            table
        });
        outcome
    }

    /// Replaces all prices.
    pub fn set_prices(&self, prices: PriceTable) {
        self.prices.store(Arc::new(prices));
    }

    /// The prices in use.
    pub fn prices(&self) -> Guard<Arc<PriceTable>> {
        self.prices.load()
    }

    /// What is known of the members now.
    pub fn metrics(&self, now: Instant) -> RouterMetrics {
        self.core().metrics(now, &self.prices.load())
    }

    /// How long a member still cools; `None` when it does not.
    pub fn cooldown(&self, id: MemberId, now: Instant) -> Option<Duration> {
        self.core().cooldown(id, now)
    }

    fn core(&self) -> Arc<RouterCore<P>> {
        let make = || RouterCore::new(self.options.clone());
        let make = || make().with_members(&self.list.load(), Instant::now());
        self.core.get(make)
    }

    fn sync(&self) {
        self.core().sync(|| self.list.load_full(), Instant::now());
    }
}

/// The name itself, or with the first number that makes it different from all others.
fn free_name<P>(wanted: &str, list: &[Membership<P>]) -> Arc<str> {
    let taken = |name: &str| list.iter().any(|member| *member.name == *name);
    if !taken(wanted) {
        return wanted.into();
    }
    let mut number = 2;
    loop {
        let name = format!("{wanted}-{number}");
        if !taken(&name) {
            return name.into();
        }
        number += 1;
    }
}
