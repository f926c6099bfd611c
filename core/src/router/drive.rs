//! Drives the plan for native members, on the library's runtime: calls the member, keeps the
//! attempt within its share of the deadline, waits, probes.
//!
//! A unary call and a stream differ only in how a member is asked and in what has been delivered
//! when it fails; that is a `Calling`.

use std::future::{Future, poll_fn};
use std::sync::Arc;
use std::task::Poll;
use std::time::{Duration, Instant};

use tokio::time::{sleep_until, timeout_at};

use super::Router;
use super::outcome::{Answered, Failure, Outcome};
use super::plan::{Attempt, RoutePlan, Step, Wait};
use crate::api::{Ask, AttemptLimits};
use crate::error::{Error, ErrorKind, Phase, Result};
use crate::provider::{AttemptReport, CallContext, Caller, Provider};
use crate::response::{CallReport, Document, StreamEnd, TokenUsage};
use crate::stream::EventSink;

/// What the driver calls for a member.
pub(super) type Native = Arc<dyn Provider>;

impl Answer for Document {
    fn usage(&self) -> Option<TokenUsage> {
        self.usage_and_model().0
    }

    fn model(&self) -> &str {
        self.usage_and_model().1
    }

    fn report(&mut self) -> &mut CallReport {
        &mut self.report
    }
}

impl Answer for StreamEnd {
    fn usage(&self) -> Option<TokenUsage> {
        self.usage
    }

    fn model(&self) -> &str {
        &self.model
    }

    fn report(&mut self) -> &mut CallReport {
        &mut self.report
    }
}

/// One way to ask a member.
pub(super) trait Calling: Send {
    type Output: Answer + Send;

    fn call(
        &mut self,
        member: &Native,
        context: &CallContext,
    ) -> impl Future<Output = Result<Self::Output>> + Send;

    /// What the caller reads, when the answer comes in parts.
    fn watched(&self) -> Option<&EventSink> {
        None
    }

    /// Whether the caller has got any part of the answer.
    fn has_delivered(&self) -> bool {
        self.watched().is_some_and(EventSink::has_delivered)
    }

    /// The error as the caller gets it.
    fn fail(&self, error: Error) -> Error {
        error
    }
}

/// What the driver notes of an answer.
pub(super) trait Answer {
    fn usage(&self) -> Option<TokenUsage>;
    fn model(&self) -> &str;
    fn report(&mut self) -> &mut CallReport;
}

/// A request that is answered as a whole.
pub(super) struct Whole(pub(super) Arc<Ask>);

impl Calling for Whole {
    type Output = Document;

    async fn call(&mut self, member: &Native, context: &CallContext) -> Result<Document> {
        member.perform(context, self.0.clone()).await
    }
}

/// A request that is answered in parts.
pub(super) struct InParts<'a> {
    ask: Arc<Ask>,
    sink: &'a mut EventSink,
    /// A second hold on the sink, to look at while the member has the first.
    watched: EventSink,
}

impl<'a> InParts<'a> {
    pub(super) fn new(ask: Arc<Ask>, sink: &'a mut EventSink) -> InParts<'a> {
        InParts {
            ask,
            watched: sink.twin(),
            sink,
        }
    }
}

impl Calling for InParts<'_> {
    type Output = StreamEnd;

    async fn call(&mut self, member: &Native, context: &CallContext) -> Result<StreamEnd> {
        member.stream(context, self.ask.clone(), self.sink).await
    }

    fn watched(&self) -> Option<&EventSink> {
        Some(&self.watched)
    }

    /// A member of the program's own may not know what its caller has got.
    fn fail(&self, error: Error) -> Error {
        match error.partial_text() {
            None if self.has_delivered() => error.with_partial_text(self.watched.delivered_text()),
            _ => error,
        }
    }
}

/// Follows the plan to its end.
pub(super) async fn drive<C: Calling>(
    mut plan: RoutePlan<Native>,
    context: &CallContext,
    router: &Router,
    mut calling: C,
) -> Result<C::Output> {
    let no_retries = !router.options().member_retries;
    let mut last = None;
    loop {
        match plan.next(Instant::now()) {
            Step::Attempt(attempt) => {
                let limits = AttemptLimits {
                    until: attempt.until,
                    no_retries,
                    falls_over: true,
                };
                let context = context.limited(limits);
                let told = Told::of(&context, router.id(), &attempt, &calling);
                match attempt_within(&attempt, &context, &mut calling, &mut plan).await {
                    Ok(answer) => {
                        told.end(Ok((answer.model(), answer.usage())));
                        return Ok(answered(answer, &mut plan));
                    }
                    Err(error) => {
                        let error = failed(&attempt, error, &calling, &mut plan);
                        told.end(Err(&error));
                        last = Some(error);
                    }
                }
            }
            Step::Probe(probe) => {
                let outcome = probe_within(&probe, context).await;
                let outcome = outcome.map_err(|error| Failure::of(&error, false));
                plan.report_probe(outcome, Instant::now());
            }
            Step::Wait(wait) => wait_for_change(&wait, &mut plan).await,
            Step::Fail(failure) => return Err(failure.into_error(last, &plan)),
        }
    }
}

/// Tells the caller of an attempt, if it is to be told.
struct Told<'a> {
    caller: Option<&'a Arc<dyn Caller>>,
    router: u64,
    member: &'a str,
    in_parts: bool,
    begun: Instant,
}

impl<'a> Told<'a> {
    fn of(
        context: &'a CallContext,
        router: u64,
        attempt: &'a Attempt<Native>,
        calling: &impl Calling,
    ) -> Told<'a> {
        let caller = context.caller();
        if let Some(caller) = caller {
            caller.attempt_begins(router, &attempt.name);
        }
        Told {
            caller,
            router,
            member: &attempt.name,
            in_parts: calling.watched().is_some(),
            begun: Instant::now(),
        }
    }

    fn end(self, outcome: std::result::Result<(&str, Option<TokenUsage>), &Error>) {
        if let Some(caller) = self.caller {
            caller.attempt_ended(&AttemptReport {
                router: self.router,
                member: self.member,
                in_parts: self.in_parts,
                duration: self.begun.elapsed(),
                outcome,
            });
        }
    }
}

fn answered<A: Answer>(mut answer: A, plan: &mut RoutePlan<Native>) -> A {
    let now = Instant::now();
    let requests_sent = answer.report().attempts;
    plan.report(
        Outcome::Answered(Answered {
            usage: answer.usage(),
            model: answer.model(),
            requests_sent,
        }),
        now,
    );
    let report = answer.report();
    report.attempts = plan.requests_sent();
    report.timings.total = now.saturating_duration_since(plan.begun());
    answer
}

fn failed<C: Calling>(
    attempt: &Attempt<Native>,
    error: Error,
    calling: &C,
    plan: &mut RoutePlan<Native>,
) -> Error {
    let failure = Failure::of(&error, calling.has_delivered());
    tracing::info!(target: "gigachat::router", member = %attempt.name, kind = failure.kind.name(),
        phase = failure.phase.name(), status = failure.status, delivered = failure.delivered,
        "an attempt has failed");
    plan.report(Outcome::Failed(failure), Instant::now());
    calling.fail(error)
}

/// One attempt. The member is asked first whether it is done, so that its own error, which says
/// more, comes before the cut at the same moment. After the first content there is no cut.
async fn attempt_within<C: Calling>(
    attempt: &Attempt<Native>,
    context: &CallContext,
    calling: &mut C,
    plan: &mut RoutePlan<Native>,
) -> Result<C::Output> {
    let mut first = FirstContent::awaited(calling);
    let begun = Instant::now();
    let mut work = std::pin::pin!(calling.call(&attempt.with, context));
    let mut end = std::pin::pin!(attempt.until.map(|until| sleep_until(until.into())));
    poll_fn(|cx| {
        if let Poll::Ready(outcome) = work.as_mut().poll(cx) {
            first.has_come(plan);
            return Poll::Ready(outcome);
        }
        if first.has_come(plan) {
            return Poll::Pending;
        }
        match end.as_mut().as_pin_mut().map(|end| end.poll(cx)) {
            Some(Poll::Ready(())) => Poll::Ready(Err(cut_off(attempt, begun.elapsed()))),
            _ => Poll::Pending,
        }
    })
    .await
}

/// Notices the first content of an attempt and tells the plan.
struct FirstContent {
    awaited: Option<EventSink>,
    come: bool,
}

impl FirstContent {
    fn awaited(calling: &impl Calling) -> FirstContent {
        FirstContent {
            awaited: calling.watched().map(EventSink::twin),
            come: false,
        }
    }

    fn has_come(&mut self, plan: &mut RoutePlan<Native>) -> bool {
        if self.awaited.as_ref().is_some_and(EventSink::has_delivered) {
            plan.report_first_content(Instant::now());
            self.awaited = None;
            self.come = true;
        }
        self.come
    }
}

fn cut_off(attempt: &Attempt<Native>, after: Duration) -> Error {
    let text = format!(
        "{} did not answer within its share of the deadline ({:.1} s)",
        attempt.name,
        after.as_secs_f64()
    );
    Error::new(ErrorKind::Timeout, Phase::Answer, text)
        .with_retryable(true)
        .with_attempts(1)
}

async fn probe_within(probe: &Attempt<Native>, context: &CallContext) -> Result<()> {
    let begun = Instant::now();
    let until = probe.until.unwrap_or(begun);
    let limit = until.saturating_duration_since(begun);
    let check = probe.with.health_check(context, Some(limit));
    match timeout_at(until.into(), check).await {
        Ok(outcome) => outcome.map(drop),
        Err(_) => Err(cut_off(probe, limit)),
    }
}

async fn wait_for_change(wait: &Wait, plan: &mut RoutePlan<Native>) {
    let change = poll_fn(|cx| plan.poll_change(wait, cx.waker()));
    // Which of the two it was does not matter: the plan is asked again.
    let _ = timeout_at(wait.until.into(), change).await;
}
