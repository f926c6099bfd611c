//! A provider within the limits of one attempt: for a driver in another language, which calls its
//! native members through a client.

use std::sync::Arc;
use std::time::Duration;

use crate::nesting::Nest;
use crate::provider::{AttemptLimits, CallContext, Provider, Work};
use crate::request::Request;
use crate::response::{Health, Model, Response, StreamEnd};
use crate::stream::EventSink;

/// A provider that is called within [`AttemptLimits`].
pub struct Limited<P> {
    provider: P,
    limits: AttemptLimits,
}

impl<P: Provider> Limited<P> {
    /// This provider within these limits.
    pub fn new(provider: P, limits: AttemptLimits) -> Limited<P> {
        Limited { provider, limits }
    }
}

impl<P: Provider> Provider for Limited<P> {
    fn name(&self) -> &str {
        self.provider.name()
    }

    fn default_model(&self) -> &str {
        self.provider.default_model()
    }

    fn nest(&self) -> Option<Arc<Nest>> {
        self.provider.nest()
    }

    fn read_ahead_bytes(&self) -> usize {
        self.provider.read_ahead_bytes()
    }

    fn longest_start(&self) -> Duration {
        self.provider.longest_start()
    }

    fn generate<'a>(
        &'a self,
        context: &'a CallContext,
        request: Arc<Request>,
    ) -> Work<'a, Response> {
        Box::pin(async move {
            let context = context.limited(self.limits);
            self.provider.generate(&context, request).await
        })
    }

    fn stream<'a>(
        &'a self,
        context: &'a CallContext,
        request: Arc<Request>,
        sink: &'a mut EventSink,
    ) -> Work<'a, StreamEnd> {
        Box::pin(async move {
            let context = context.limited(self.limits);
            self.provider.stream(&context, request, sink).await
        })
    }

    fn health_check<'a>(
        &'a self,
        context: &'a CallContext,
        timeout: Option<Duration>,
    ) -> Work<'a, Health> {
        self.provider.health_check(context, timeout)
    }

    fn models<'a>(&'a self, context: &'a CallContext) -> Work<'a, Vec<Model>> {
        self.provider.models(context)
    }

    fn model<'a>(&'a self, context: &'a CallContext, name: String) -> Work<'a, Model> {
        self.provider.model(context, name)
    }
}
