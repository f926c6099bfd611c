//! A router as a provider.

use std::sync::Arc;
use std::time::{Duration, Instant};

use futures_util::StreamExt;
use futures_util::stream::FuturesUnordered;

use super::Router;
use super::drive::{self, InParts, Native, Whole};
use super::plan::RoutePlan;
use crate::error::{Error, ErrorKind, Phase};
use crate::nesting::Nest;
use crate::provider::{CallContext, Provider, Work};
use crate::request::Request;
use crate::response::{Health, Model, Response, StreamEnd};
use crate::stream::EventSink;

impl Router {
    fn plan(&self, context: &CallContext, request: &Request) -> RoutePlan<Native> {
        let until = context.limits().until;
        self.planner
            .plan(Instant::now(), request.options.deadline, until)
    }

    fn no_retries(&self) -> bool {
        !self.options().member_retries
    }
}

impl Provider for Router {
    fn name(&self) -> &str {
        &self.options().name
    }

    fn longest_start(&self) -> Duration {
        self.options().deadline.unwrap_or(Duration::MAX)
    }

    fn nest(&self) -> Option<Arc<Nest>> {
        Some(self.nest.clone())
    }

    /// None: the model of a request that names none is that of the member that answers.
    fn default_model(&self) -> &str {
        ""
    }

    fn generate<'a>(
        &'a self,
        context: &'a CallContext,
        request: Arc<Request>,
    ) -> Work<'a, Response> {
        let plan = self.plan(context, &request);
        let whole = Whole(request);
        Box::pin(drive::drive(plan, context, self.no_retries(), whole))
    }

    fn stream<'a>(
        &'a self,
        context: &'a CallContext,
        request: Arc<Request>,
        sink: &'a mut EventSink,
    ) -> Work<'a, StreamEnd> {
        let plan = self.plan(context, &request);
        let in_parts = InParts::new(request, sink);
        Box::pin(drive::drive(plan, context, self.no_retries(), in_parts))
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

    /// The models of the first member that answers.
    fn models<'a>(&'a self, context: &'a CallContext) -> Work<'a, Vec<Model>> {
        Box::pin(async move {
            let mut outcome = Err(no_members());
            for member in Router::members(self) {
                outcome = member.with.models(context).await;
                if outcome.is_ok() {
                    break;
                }
            }
            outcome
        })
    }

    /// From the first member that knows it.
    fn model<'a>(&'a self, context: &'a CallContext, name: String) -> Work<'a, Model> {
        Box::pin(async move {
            let mut outcome = Err(no_members());
            for member in Router::members(self) {
                outcome = member.with.model(context, name.clone()).await;
                if outcome.is_ok() {
                    break;
                }
            }
            outcome
        })
    }
}

fn no_members() -> Error {
    Error::new(
        ErrorKind::Configuration,
        Phase::Input,
        "the router has no members; add one",
    )
}
