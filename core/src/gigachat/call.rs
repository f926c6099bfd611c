//! The one path of every request: permit, token, deadline, attempts, errors (I1, I3, I4, I5).
//!
//! What is asked for is data (`Ask`); what differs between an answer as a whole and a stream is how
//! it is consumed; that is a `Consumer`. Everything else is written here once.

use std::future::Future;
use std::sync::Arc;
use std::time::Duration;

use reqwest::Method;
use tokio::time::{Instant, timeout, timeout_at};

use super::headers;
use super::held::{HeldPermit, Wait};
use super::progress::Progress;
use super::record::CallRecord;
use super::session::Session;
use crate::api::{
    self, Ask, AttemptLimits, Clock, EMBEDDINGS, EMBEDDINGS_MODEL, Gives, Operation, Payload,
};
use crate::auth::AccessToken;
use crate::error::{Error, ErrorKind, Phase, Result};
use crate::permit::Place as InQueue;
use crate::request::{CallOptions, Defaults};
use crate::response::{CallReport, Timings, TokenUsage};
use crate::retry::{LEAST_ROOM, RetryRule, wait_before_retry};
use crate::transport::{Answer, ConnectWatch, Exchange, Place, without_credentials};

/// Consumes the answer of an attempt that was answered with 200.
pub(super) trait Consumer: Send {
    type Output: Send;

    /// Reads the answer. `progress` measures, and says when this must be done.
    fn consume(
        &mut self,
        answer: Answer,
        progress: &mut Progress<'_>,
    ) -> impl Future<Output = Result<Self::Output>> + Send;

    /// What is told of the outcome: its report, and the token usage if the service counted.
    fn told(output: &Self::Output) -> (&CallReport, Option<TokenUsage>);

    /// Whether a failed attempt may be followed by another: not once anything was delivered.
    fn may_start_over(&self) -> bool {
        true
    }
}

/// One call, ready to be performed.
pub(super) struct Call<'a> {
    session: &'a Arc<Session>,
    options: &'a CallOptions,
    operation: &'static Operation,
    exchange: Exchange,
    request_id: String,
    /// Generations need a permit, nothing else does (I5).
    needs_permit: bool,
    streams: bool,
    timeout: Duration,
    /// The limit of a whole stream, if it has one.
    total: Option<Duration>,
    queue_timeout: Duration,
    /// Nobody has set `queue_timeout`.
    patient: bool,
    begun: Instant,
    limits: AttemptLimits,
}

impl<'a> Call<'a> {
    /// A call for an ask that was checked.
    pub(super) fn new(session: &'a Arc<Session>, ask: &'a Ask, streams: bool) -> Result<Call<'a>> {
        let config = &session.config;
        let (operation, options) = (ask.operation(), ask.options());
        let request_id = options
            .request_id
            .clone()
            .unwrap_or_else(|| session.request_ids.draw());
        let accept = match operation.gives {
            _ if streams => headers::EVENT_STREAM,
            Gives::Json => headers::JSON,
            Gives::Bytes | Gives::Any => headers::ANYTHING,
        };
        let defaults = Defaults {
            model: match std::ptr::eq(operation, &EMBEDDINGS) {
                true => EMBEDDINGS_MODEL,
                false => &config.model,
            },
            api_version: config.api_version,
            result_role: config.result_role,
            profanity_check: config.profanity_check,
            flags: &config.flags,
        };
        let (content_type, body) = ask.payload.compose(&defaults, streams)?;
        let headers = headers::compose(
            session,
            options,
            &request_id,
            accept,
            content_type.as_deref(),
        )?;
        if config.log_content
            && matches!(
                ask.payload,
                Payload::Chat(_) | Payload::Texts(_) | Payload::Json(_)
            )
        {
            tracing::trace!(target: "gigachat::content", request_id = %request_id,
                body = %String::from_utf8_lossy(&body), "request");
        }
        let timeout = match operation.clock {
            Clock::Health => config.health_timeout,
            Clock::Call | Clock::Transfer => config.timeout,
        };
        Ok(Call {
            session,
            options,
            operation,
            exchange: Exchange {
                method: match operation.method {
                    api::Method::Get => Method::GET,
                    api::Method::Post => Method::POST,
                },
                url: session.url(ask)?,
                headers,
                body,
                repeatable: operation.repeatable,
            },
            request_id,
            needs_permit: operation.permit,
            streams,
            timeout: options.timeout.unwrap_or(timeout),
            total: (options.stream_timeout)
                .or(config.stream_timeout)
                .filter(|_| streams),
            queue_timeout: options.queue_timeout.unwrap_or(config.queue_timeout),
            patient: options.queue_timeout.is_none() && !config.queue_timeout_given,
            begun: Instant::now(),
            limits: AttemptLimits::default(),
        })
    }

    /// Within what a router allows, and within the call's own deadline.
    pub(super) fn limited(mut self, limits: AttemptLimits) -> Call<'a> {
        self.limits = limits;
        let own = self.options.deadline;
        let own = own.map(|time| self.begun.into_std() + time);
        self.limits.until = limits.until.into_iter().chain(own).min();
        self
    }

    /// So much of `limit` as the attempt's share of the deadline leaves.
    fn within_share(&self, limit: Duration) -> Duration {
        self.limits.until.map_or(limit, |until| {
            limit.min(Instant::from_std(until).saturating_duration_since(Instant::now()))
        })
    }

    /// Performs the call, and leaves one record of it.
    pub(super) async fn perform<C: Consumer>(self, consumer: C) -> Result<C::Output> {
        let (name, streams) = (self.operation.name, self.streams);
        let record = CallRecord::begin(self.session, name, streams, &self.request_id);
        let outcome = self.repeat(consumer).await;
        match &outcome {
            Ok(output) => {
                let (report, usage) = C::told(output);
                record.answered(report, usage);
            }
            Err(error) => record.failed(error),
        }
        outcome
    }

    /// Attempts until one succeeds, may not be repeated, or the time is over.
    async fn repeat<C: Consumer>(mut self, mut consumer: C) -> Result<C::Output> {
        let limit = self.within_share(self.queue_timeout);
        let permit = self.permit(None, limit).await?;
        let permitted = Instant::now();
        if self.needs_permit {
            tracing::trace!(target: "gigachat::call", request_id = %self.request_id,
                queue_ms = (permitted - self.begun).as_millis() as u64, "permit obtained");
        }
        let mut progress = Progress {
            session: self.session,
            options: self.options,
            timeout: self.timeout,
            total: self.total,
            permitted,
            deadline: permitted
                + self.within_share(self.total.unwrap_or(self.timeout).min(self.timeout)),
            until: self.limits.until.map(Instant::from_std),
            begun: self.begun,
            request_id: std::mem::take(&mut self.request_id),
            session_id: None,
            timings: Timings {
                queue: permitted - self.begun,
                ..Timings::default()
            },
            attempts: 0,
            permit,
            token_failed: false,
            watch: Arc::default(),
        };
        let rule = RetryRule {
            broken_connections: self.session.config.retry_broken_connections,
            repeatable: self.exchange.repeatable,
        };
        let adapts = self.session.config.waits_on_rate_limit();
        let mut retries = 0;
        let mut refused_since = None;
        loop {
            let asked = Instant::now();
            let error = match self.attempt(&mut consumer, &mut progress).await {
                Ok(output) => return Ok(output),
                Err(error) => error,
            };
            let permit = progress.permit.take();
            // A token request that failed has counted its own.
            let own = match progress.token_failed {
                true => error.attempts(),
                false => 0,
            };
            let error = error
                .with_attempts(progress.attempts + own)
                .with_request_id(Some(&progress.request_id));
            let may_pass =
                consumer.may_start_over() && !progress.token_failed && rule.allows(&error);
            let again = match (error.kind(), permit) {
                (ErrorKind::RateLimit, Some(permit))
                    if may_pass && adapts && !self.limits.has_others() =>
                {
                    let since = *refused_since.get_or_insert(asked);
                    let spent = progress.timings.queue + asked.elapsed();
                    self.wait_out(permit, &error, since, spent)
                        .await
                        .map(|permit| (permit, asked))
                }
                (kind, permit) => {
                    match permit {
                        Some(permit) if kind == ErrorKind::RateLimit && may_pass && adapts => {
                            permit.refused_to_router();
                        }
                        other => drop(other),
                    }
                    refused_since = None;
                    let may_retry = may_pass
                        && retries < self.session.config.max_retries
                        && !self.limits.no_retries;
                    retries += 1;
                    match may_retry {
                        true => self.retry(&error, retries, &progress).await,
                        false => None,
                    }
                }
            };
            match again {
                Some((permit, since)) => progress.permitted_again(permit, since.elapsed()),
                None => return Err(error),
            }
        }
    }

    /// Waits for the next attempt after a failure that may pass, and for its permit; `None` when
    /// there is no time for that. The second is when the wait for the permit began.
    async fn retry(
        &self,
        error: &Error,
        retries: u32,
        progress: &Progress<'_>,
    ) -> Option<(Option<HeldPermit>, Instant)> {
        let left = progress.deadline.saturating_duration_since(Instant::now());
        let wait = wait_before_retry(error, retries, left)?;
        log_repetition(self.session, error, wait);
        tokio::time::sleep(wait).await;
        let queued = Instant::now();
        let patience = match self.patient {
            true => self.queue_timeout,
            false => self.queue_timeout.saturating_sub(progress.timings.queue),
        };
        // Why it had to wait at all is in the last error.
        let permit = self.permit(None, self.within_share(patience)).await.ok()?;
        Some((permit, queued))
    }

    /// I20: a 429 says that the credential's permits are in use elsewhere. The call goes back to its
    /// place in the queue, and its wait counts to what bounds the queue, not to `timeout`; a queue
    /// that stands still is one in which nothing was answered. `None` when that is over.
    async fn wait_out(
        &self,
        permit: HeldPermit,
        error: &Error,
        refused_since: Instant,
        queued: Duration,
    ) -> Option<Option<HeldPermit>> {
        let permits = &self.session.credential.permits;
        let place = permit.refused(error.retry_after());
        let now = Instant::now();
        let spent = match self.is_patient() {
            true => {
                let answered = permits.last_answer().map(Instant::from_std);
                now - answered
                    .map_or(refused_since, |at| at.max(refused_since))
                    .min(now)
            }
            false => queued,
        };
        let left = self.within_share(self.queue_timeout.saturating_sub(spent));
        let pause = permits
            .opens(now.into_std())
            .map(|opens| opens - now.into_std());
        let pause = pause.unwrap_or_default();
        // I4: a wait that would pass the limit is not begun, nor one after which no time is left.
        if pause + LEAST_ROOM >= left {
            return None;
        }
        log_repetition(self.session, error, pause);
        self.permit(Some(place), left).await.ok()
    }

    /// One attempt, with the one refresh that a 401 earns (I1).
    async fn attempt<C: Consumer>(
        &mut self,
        consumer: &mut C,
        progress: &mut Progress<'_>,
    ) -> Result<C::Output> {
        let token = self.token(progress).await?;
        let error = match self.ask(consumer, token.as_deref(), progress).await {
            Ok(output) => return Ok(output),
            Err(error) => error,
        };
        let (ErrorKind::Authentication, Some(token)) = (error.kind(), token) else {
            return Err(error);
        };
        // A stream may say so in its first event, too.
        if !consumer.may_start_over() || !self.session.credential.reject(&token) {
            return Err(error);
        }
        tracing::info!(target: "gigachat::auth", generation = token.generation, "the access token was refused; getting a new one");
        let token = self.token(progress).await?;
        self.ask(consumer, token.as_deref(), progress).await
    }

    /// Sends the request and reads its answer. No error repeats the credentials that were sent.
    async fn ask<C: Consumer>(
        &mut self,
        consumer: &mut C,
        token: Option<&AccessToken>,
        progress: &mut Progress<'_>,
    ) -> Result<C::Output> {
        let outcome = match self.send(token, progress).await {
            Ok(answer) => consumer.consume(answer, progress).await,
            Err(error) => Err(error),
        };
        outcome.map_err(|error| without_credentials(error, &self.exchange.headers))
    }

    async fn token(&self, progress: &mut Progress<'_>) -> Result<Option<Arc<AccessToken>>> {
        let begun = Instant::now();
        let token = self.session.credential.token(&self.session.token_endpoint);
        let outcome = progress.within(Phase::Token, token).await;
        progress.timings.token += begun.elapsed();
        progress.token_failed = outcome.is_err();
        outcome
    }

    /// Sends the request; an answer other than 200 becomes its error.
    async fn send(
        &mut self,
        token: Option<&AccessToken>,
        progress: &mut Progress<'_>,
    ) -> Result<Answer> {
        headers::authorize(&mut self.exchange.headers, token)?;
        let place = self.place(progress).await?;
        progress.attempts += 1;
        let watch: Arc<ConnectWatch> = Arc::default();
        progress.watch = watch.clone();
        let sending =
            self.session
                .api
                .send_watched(&self.exchange, Phase::Answer, &watch, Some(place));
        let answer = match timeout_at(progress.deadline, sending).await {
            Ok(answer) => answer?,
            Err(_) => {
                let phase = if watch.opening() {
                    Phase::Connect
                } else {
                    Phase::Answer
                };
                return Err(progress.deadline_passed(phase));
            }
        };
        progress.answered(&answer);
        if let Some(token) = token.filter(|_| answer.status() != 401) {
            token.prove();
        }
        if answer.status() == 200 {
            if let Some(permit) = &mut progress.permit {
                permit.accepted();
            }
            return Ok(answer);
        }
        Err(answer
            .into_error(Phase::Answer, Some(progress.deadline))
            .await)
    }

    /// A place on a connection. Where the connections are bounded it is waited for as a permit is.
    async fn place(&self, progress: &mut Progress<'_>) -> Result<Place> {
        if let Some(place) = self.session.api.free_place(Phase::Queue)? {
            return Ok(place);
        }
        let begun = Instant::now();
        let patience = match self.is_patient() {
            true => self.queue_timeout,
            false => self.queue_timeout.saturating_sub(progress.timings.queue),
        };
        let limit = self.within_share(patience);
        let place = timeout(limit, self.session.api.place(Phase::Queue)).await;
        progress.queued(begun.elapsed());
        place.map_err(|_| self.session.api.no_place(limit))?
    }

    /// The default bounds a queue that stands still, not a long one: a job of a thousand prompts is
    /// answered as long as it makes progress.
    fn is_patient(&self) -> bool {
        self.patient && self.limits.until.is_none()
    }

    /// I4: a wait that the service has named and that would pass the limit is not begun by those who
    /// come later either.
    fn check_told_pause(&self, limit: Duration) -> Result<()> {
        let told = self.session.credential.permits.told_pause();
        let Some(pause) = told.filter(|pause| !self.is_patient() && *pause >= limit) else {
            return Ok(());
        };
        let text = format!(
            "not sent: the service answered 429 to this credential and asked for a wait of {:.1} s more, longer than this call may wait",
            pause.as_secs_f64()
        );
        Err(Error::new(ErrorKind::RateLimit, Phase::Queue, text)
            .with_retry_after(Some(pause))
            .with_request_id(Some(&self.request_id))
            .with_retryable(true))
    }

    async fn permit(&self, place: Option<InQueue>, limit: Duration) -> Result<Option<HeldPermit>> {
        if !self.needs_permit {
            return Ok(None);
        }
        self.check_told_pause(limit)?;
        let wait = Wait {
            streams: self.streams,
            place,
            limit,
            patient: self.is_patient(),
        };
        let credential = &self.session.credential;
        match HeldPermit::wait(credential, wait).await? {
            Some(permit) => Ok(Some(permit)),
            None => {
                let permits = &credential.permits;
                let (in_use, seconds) = (permits.in_use(), limit.as_secs_f64());
                let text = match permits.is_refused() {
                    true => format!(
                        "no permit within {seconds} s: the service answers this credential with 429; other processes may be using its permits (shared_permits lets those of one machine share them)"
                    ),
                    false => format!(
                        "no permit within {seconds} s: all {} permits of this credential are held, {} of them by open streams; finish or cancel those, or raise max_concurrency if the service allows more",
                        in_use.held, in_use.by_streams,
                    ),
                };
                Err(Error::new(ErrorKind::Timeout, Phase::Queue, text)
                    .with_request_id(Some(&self.request_id))
                    .with_retryable(true))
            }
        }
    }
}

fn log_repetition(session: &Session, error: &Error, wait: Duration) {
    tracing::info!(target: "gigachat::call", provider = %session.config.name, kind = error.kind().name(),
        attempt = error.attempts(), wait_ms = wait.as_millis() as u64, "the request will be sent again");
}
