//! A router as a provider.

use std::sync::Arc;
use std::time::{Duration, Instant};

use futures_util::StreamExt;
use futures_util::stream::FuturesUnordered;

use super::Router;
use super::drive::{self, InParts, Native, Whole};
use super::plan::RoutePlan;
use crate::api::{Ask, Routing};
use crate::error::{Error, ErrorKind, Phase, Result};
use crate::nesting::Nest;
use crate::provider::{CallContext, Provider, ProviderLimits, Work};
use crate::response::{Document, Health, StreamEnd};
use crate::stream::EventSink;

impl Router {
    fn plan(&self, context: &CallContext, ask: &Ask) -> RoutePlan<Native> {
        let until = context.limits().until;
        self.planner
            .plan(Instant::now(), ask.options().deadline, until)
    }

    /// The answer of the first member that answers.
    async fn any_member(&self, context: &CallContext, ask: Arc<Ask>) -> Result<Document> {
        let mut outcome = Err(no_members());
        for member in Router::members(self) {
            outcome = member.with.perform(context, ask.clone()).await;
            if outcome.is_ok() {
                break;
            }
        }
        outcome
    }
}

impl Provider for Router {
    fn name(&self) -> &str {
        &self.options().name
    }

    /// Those of its most patient member, bounded by its own deadline.
    fn limits(&self) -> ProviderLimits {
        let mut longest: Option<ProviderLimits> = None;
        self.planner.each(|member| {
            let its = member.limits();
            longest = Some(longest.map_or(its, |known| known.longest(its)));
        });
        let longest = longest.unwrap_or_default();
        let deadline = self.options().deadline.unwrap_or(Duration::MAX);
        ProviderLimits {
            read_ahead_bytes: ProviderLimits::default().read_ahead_bytes,
            answer: longest.answer.min(deadline),
            ..longest
        }
    }

    fn nest(&self) -> Option<Arc<Nest>> {
        Some(self.nest.clone())
    }

    fn perform<'a>(&'a self, context: &'a CallContext, ask: Arc<Ask>) -> Work<'a, Document> {
        match ask.routing() {
            Routing::Routed => {
                let plan = self.plan(context, &ask);
                Box::pin(drive::drive(plan, context, self, Whole(ask)))
            }
            Routing::AnyMember => Box::pin(self.any_member(context, ask)),
            Routing::MemberOnly => Box::pin(async move { Err(of_one_account(&ask)) }),
        }
    }

    fn stream<'a>(
        &'a self,
        context: &'a CallContext,
        ask: Arc<Ask>,
        sink: &'a mut EventSink,
    ) -> Work<'a, StreamEnd> {
        let plan = self.plan(context, &ask);
        let in_parts = InParts::new(ask, sink);
        Box::pin(drive::drive(plan, context, self, in_parts))
    }

    /// Healthy when any member is; all are asked at the same time.
    fn health_check<'a>(
        &'a self,
        context: &'a CallContext,
        timeout: Option<Duration>,
    ) -> Work<'a, Health> {
        Box::pin(async move {
            let members = Router::members(self);
            let mut checks: FuturesUnordered<_> = members
                .iter()
                .map(|member| member.with.health_check(context, timeout))
                .collect();
            let mut last = no_members();
            while let Some(outcome) = checks.next().await {
                match outcome {
                    Ok(health) => return Ok(health),
                    Err(error) => last = error,
                }
            }
            Err(last)
        })
    }
}

/// The members have different accounts, and the caller must say whose it means.
fn of_one_account(ask: &Ask) -> Error {
    let name = ask.operation().name;
    Error::invalid(
        "operation",
        format!("{name} of a router"),
        "asked of one of its members, since it belongs to one account",
    )
}

fn no_members() -> Error {
    Error::new(
        ErrorKind::Configuration,
        Phase::Input,
        "the router has no members; add one",
    )
}
