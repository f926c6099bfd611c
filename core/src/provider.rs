//! `Provider`: what everything that can answer has in common. `GigaChat` is one; a router and a
//! program's own provider are others.
//!
//! These methods are the inner side: they run on the library's runtime, hold no thread, and are
//! cancelled by being dropped. Programs use the outer side, [`Client`](crate::Client), which
//! starts them there.

use std::future::Future;
use std::pin::Pin;
use std::sync::Arc;
use std::time::{Duration, Instant};

use crate::error::Result;
use crate::locals::Locals;
use crate::nesting::Nest;
use crate::process::Era;
use crate::request::Request;
use crate::response::{Health, Model, Response, StreamEnd};
use crate::stream::EventSink;

/// A future that runs on the library's runtime.
pub type Work<'a, T> = Pin<Box<dyn Future<Output = Result<T>> + Send + 'a>>;

/// What a provider may use of the runtime that the call runs on.
#[derive(Clone)]
pub struct CallContext {
    pub(crate) locals: Arc<Locals>,
    pub(crate) limits: AttemptLimits,
}

/// What a router allows one attempt at a member. A provider that ignores them is cut off at
/// `until`, with an error that can say less than its own.
#[derive(Clone, Copy, Debug, Default)]
pub struct AttemptLimits {
    /// The end of the attempt's share of the deadline, queue included; of a stream, until its
    /// first content. The provider's own time limits hold beside it.
    pub until: Option<Instant>,
    /// Failed requests are not to be sent again: the next member is asked instead.
    pub no_retries: bool,
}

impl CallContext {
    pub(crate) fn new(locals: Arc<Locals>) -> CallContext {
        CallContext {
            locals,
            limits: AttemptLimits::default(),
        }
    }

    /// The process and runtime that the call runs in.
    #[doc(hidden)]
    pub fn era(&self) -> Era {
        self.locals.era
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
            },
        }
    }
}

/// Something that answers requests.
///
/// Dropping a returned future cancels the work: connections close, permits are free.
pub trait Provider: Send + Sync + 'static {
    /// The name in logs, metrics and router reports.
    fn name(&self) -> &str;

    /// The model of requests that name none.
    fn default_model(&self) -> &str;

    /// Its place among routers that lie in each other; none unless it is a router. A provider
    /// that wraps another gives that one's.
    fn nest(&self) -> Option<Arc<Nest>> {
        None
    }

    /// How many bytes of a stream are read ahead of a slow reader (I5).
    fn read_ahead_bytes(&self) -> usize {
        1024 * 1024
    }

    /// How long a call waits at the most for the library's own threads to start; a call's own limit
    /// replaces it, and the library has one, too (3 s).
    fn longest_start(&self) -> Duration {
        Duration::MAX
    }

    /// Answers a request as a whole.
    fn generate<'a>(
        &'a self,
        context: &'a CallContext,
        request: Arc<Request>,
    ) -> Work<'a, Response>;

    /// Answers a request in parts, pushed into `sink` as they come.
    fn stream<'a>(
        &'a self,
        context: &'a CallContext,
        request: Arc<Request>,
        sink: &'a mut EventSink,
    ) -> Work<'a, StreamEnd>;

    /// Whether the provider can serve now. Costs no tokens, has its own short time limit
    /// (`None`: the configured one), never answers from memory; an error says why not.
    fn health_check<'a>(
        &'a self,
        context: &'a CallContext,
        timeout: Option<std::time::Duration>,
    ) -> Work<'a, Health>;

    /// The models that the account can use.
    fn models<'a>(&'a self, context: &'a CallContext) -> Work<'a, Vec<Model>>;

    /// One model by its name.
    fn model<'a>(&'a self, context: &'a CallContext, name: String) -> Work<'a, Model>;
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

    fn read_ahead_bytes(&self) -> usize {
        (**self).read_ahead_bytes()
    }

    fn longest_start(&self) -> Duration {
        (**self).longest_start()
    }

    fn generate<'a>(
        &'a self,
        context: &'a CallContext,
        request: Arc<Request>,
    ) -> Work<'a, Response> {
        (**self).generate(context, request)
    }

    fn stream<'a>(
        &'a self,
        context: &'a CallContext,
        request: Arc<Request>,
        sink: &'a mut EventSink,
    ) -> Work<'a, StreamEnd> {
        (**self).stream(context, request, sink)
    }

    fn health_check<'a>(
        &'a self,
        context: &'a CallContext,
        timeout: Option<std::time::Duration>,
    ) -> Work<'a, Health> {
        (**self).health_check(context, timeout)
    }

    fn models<'a>(&'a self, context: &'a CallContext) -> Work<'a, Vec<Model>> {
        (**self).models(context)
    }

    fn model<'a>(&'a self, context: &'a CallContext, name: String) -> Work<'a, Model> {
        (**self).model(context, name)
    }
}
