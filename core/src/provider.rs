//! `Provider`: what everything that can answer has in common. `GigaChat` is one; a router and a
//! program's own provider are others.
//!
//! These methods are the inner side: they run on the library's runtime, hold no thread, and are
//! cancelled by being dropped. Programs use the outer side, [`Client`](crate::Client), which
//! starts them there.

use std::any::Any;
use std::future::Future;
use std::pin::Pin;
use std::sync::Arc;
use std::time::Duration;

use crate::api::{Ask, AttemptLimits};
use crate::error::{Error, Result};
use crate::locals::Locals;
use crate::nesting::Nest;
use crate::process::Era;
use crate::response::{Document, Health, StreamEnd, TokenUsage};
use crate::stream::EventSink;

/// A future that runs on the library's runtime.
pub type Work<'a, T> = Pin<Box<dyn Future<Output = Result<T>> + Send + 'a>>;

/// What a provider may use of the runtime that the call runs on.
#[derive(Clone)]
pub struct CallContext {
    pub(crate) locals: Arc<Locals>,
    pub(crate) limits: AttemptLimits,
    pub(crate) caller: Option<Arc<dyn Caller>>,
}

/// What a binding attaches to a call: it travels with the call through routers to the member that
/// answers, which finds by it who asks. Its functions run on the library's I/O thread and must be
/// quick.
#[doc(hidden)]
pub trait Caller: Any + Send + Sync {
    /// A router is about to ask a member. `router` is [`Router::id`](crate::Router::id).
    fn attempt_begins(&self, _router: u64, _member: &str) {}

    /// A member has answered or failed. One that was given up because the call ended is not told.
    fn attempt_ended(&self, _report: &AttemptReport<'_>) {}
}

/// How a router's attempt at a member went.
#[doc(hidden)]
pub struct AttemptReport<'a> {
    /// [`Router::id`](crate::Router::id).
    pub router: u64,
    /// The member's name there.
    pub member: &'a str,
    /// Whether the answer was to come in parts.
    pub in_parts: bool,
    /// From the attempt's start to its end.
    pub duration: Duration,
    /// The model that answered (may be empty) and the usage, or what went wrong.
    pub outcome: std::result::Result<(&'a str, Option<TokenUsage>), &'a Error>,
}

impl CallContext {
    pub(crate) fn new(locals: Arc<Locals>) -> CallContext {
        CallContext {
            locals,
            limits: AttemptLimits::default(),
            caller: None,
        }
    }

    /// The process and runtime that the call runs in.
    #[doc(hidden)]
    pub fn era(&self) -> Era {
        self.locals.era
    }

    /// What the binding has attached to the call.
    #[doc(hidden)]
    pub fn caller(&self) -> Option<&Arc<dyn Caller>> {
        self.caller.as_ref()
    }

    pub(crate) fn called_by(self, caller: Option<Arc<dyn Caller>>) -> CallContext {
        CallContext { caller, ..self }
    }

    /// What the router that asks allows; nothing is limited when none does.
    pub fn limits(&self) -> AttemptLimits {
        self.limits
    }

    /// The same context with these limits, beside those that it has.
    pub fn limited(&self, limits: AttemptLimits) -> CallContext {
        let until = match (self.limits.until, limits.until) {
            (Some(known), Some(new)) => Some(known.min(new)),
            (known, new) => known.or(new),
        };
        CallContext {
            locals: self.locals.clone(),
            limits: AttemptLimits {
                until,
                no_retries: self.limits.no_retries || limits.no_retries,
                falls_over: self.limits.falls_over || limits.falls_over,
            },
            caller: self.caller.clone(),
        }
    }
}

/// Something that answers. Its methods are these seven however many operations the service gets:
/// those are data ([`Operation`](crate::api::Operation)).
///
/// Dropping a returned future cancels the work: connections close, permits are free.
pub trait Provider: Send + Sync + 'static {
    /// The name in logs, metrics and router reports.
    fn name(&self) -> &str;

    /// The model of requests that name none; empty when it has none of its own.
    fn default_model(&self) -> &str {
        ""
    }

    /// Its place among routers that lie in each other; none unless it is a router. A provider
    /// that wraps another gives that one's.
    fn nest(&self) -> Option<Arc<Nest>> {
        None
    }

    /// What bounds its calls from outside.
    fn limits(&self) -> ProviderLimits {
        ProviderLimits::default()
    }

    /// Answers an ask as a whole. One that it cannot answer is an error of kind
    /// [`InvalidRequest`](crate::ErrorKind::InvalidRequest).
    fn perform<'a>(&'a self, context: &'a CallContext, ask: Arc<Ask>) -> Work<'a, Document>;

    /// Answers an ask in parts, pushed into `sink` as they come.
    fn stream<'a>(
        &'a self,
        context: &'a CallContext,
        ask: Arc<Ask>,
        sink: &'a mut EventSink,
    ) -> Work<'a, StreamEnd>;

    /// Whether the provider can serve now. Costs no tokens, has its own short time limit
    /// (`None`: the configured one), never answers from memory; an error says why not.
    fn health_check<'a>(
        &'a self,
        context: &'a CallContext,
        timeout: Option<Duration>,
    ) -> Work<'a, Health>;
}

/// What bounds a provider's calls from outside.
#[derive(Clone, Copy, Debug)]
pub struct ProviderLimits {
    /// How many bytes of a stream are read ahead of a slow reader (I5); 1 MiB unless it says so.
    pub read_ahead_bytes: usize,
    /// Of a whole answer and of a stream's first content, without the wait for a permit. It bounds
    /// the start of the library's threads, too (which has a limit of its own, 3 s); and when it has
    /// passed, who waits looks whether those threads still run. A call's own limit replaces it.
    pub answer: Duration,
    /// The same of a health check.
    pub health: Duration,
    /// The same between two contents of a stream.
    pub silence: Duration,
    /// The same of a whole stream; `Duration::MAX` is none.
    pub stream: Duration,
}

impl ProviderLimits {
    /// Of each limit the longer one.
    pub(crate) fn longest(self, other: ProviderLimits) -> ProviderLimits {
        ProviderLimits {
            read_ahead_bytes: self.read_ahead_bytes.max(other.read_ahead_bytes),
            answer: self.answer.max(other.answer),
            health: self.health.max(other.health),
            silence: self.silence.max(other.silence),
            stream: self.stream.max(other.stream),
        }
    }
}

impl Default for ProviderLimits {
    fn default() -> ProviderLimits {
        ProviderLimits {
            read_ahead_bytes: 1024 * 1024,
            answer: Duration::from_secs(30),
            health: Duration::from_secs(5),
            silence: Duration::from_secs(30),
            stream: Duration::MAX,
        }
    }
}

/// A shared provider is a provider: the program keeps one `Arc` to ask it (permits in use), a
/// client or router has the other.
impl<P: Provider + ?Sized> Provider for Arc<P> {
    fn name(&self) -> &str {
        (**self).name()
    }

    fn default_model(&self) -> &str {
        (**self).default_model()
    }

    fn nest(&self) -> Option<Arc<Nest>> {
        (**self).nest()
    }

    fn limits(&self) -> ProviderLimits {
        (**self).limits()
    }

    fn perform<'a>(&'a self, context: &'a CallContext, ask: Arc<Ask>) -> Work<'a, Document> {
        (**self).perform(context, ask)
    }

    fn stream<'a>(
        &'a self,
        context: &'a CallContext,
        ask: Arc<Ask>,
        sink: &'a mut EventSink,
    ) -> Work<'a, StreamEnd> {
        (**self).stream(context, ask, sink)
    }

    fn health_check<'a>(
        &'a self,
        context: &'a CallContext,
        timeout: Option<Duration>,
    ) -> Work<'a, Health> {
        (**self).health_check(context, timeout)
    }
}
