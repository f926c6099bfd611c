//! `Client`: a provider as programs use it, from any thread and any executor.
//!
//! Each call starts at once on the library's own runtime and is handed back as a [`Call`]:
//! `.await` it, `.join()` it on a thread, or keep it and cancel it later.

use std::sync::Arc;
use std::time::Duration;

use tokio_util::sync::CancellationToken;

use crate::error::Result;
use crate::provider::{CallContext, Provider, Work};
use crate::request::Request;
use crate::response::{Health, Model, Response};
use crate::runtime::{Call, Generation};
use crate::stream::EventStream;

/// A provider to call. Clones share it.
#[derive(Clone)]
pub struct Client {
    provider: Arc<dyn Provider>,
}

impl Client {
    /// A client of any provider.
    pub fn new(provider: impl Provider) -> Client {
        Client::from_arc(Arc::new(provider))
    }

    /// A client of a provider that the program keeps a hold of.
    pub fn from_arc(provider: Arc<dyn Provider>) -> Client {
        Client { provider }
    }

    /// The provider behind it.
    pub fn provider(&self) -> &Arc<dyn Provider> {
        &self.provider
    }

    /// Answers a prompt.
    pub fn generate(&self, prompt: &str) -> Call<Response> {
        self.chat(Request::prompt(prompt))
    }

    /// Answers a request.
    pub fn chat(&self, request: Request) -> Call<Response> {
        self.chat_until(request, None)
    }

    /// Answers a request, unless `cancel` ends it before.
    pub fn chat_until(
        &self,
        request: Request,
        cancel: Option<&CancellationToken>,
    ) -> Call<Response> {
        let provider = self.provider.clone();
        let limit = self.limit(&request);
        self.start(limit, cancel, move |context| {
            Box::pin(async move { provider.generate(&context, Arc::new(request)).await })
        })
    }

    /// Answers a request in parts. The request is sent at once; an error comes from the first
    /// read.
    pub fn stream(&self, request: Request) -> Result<EventStream> {
        self.stream_until(request, None)
    }

    /// The same, unless `cancel` ends it before.
    pub(crate) fn stream_until(
        &self,
        request: Request,
        cancel: Option<&CancellationToken>,
    ) -> Result<EventStream> {
        let provider = self.provider.clone();
        let generation = Generation::enter_within(self.limit(&request))?;
        Ok(generation.start_stream(
            cancel,
            provider.read_ahead_bytes(),
            move |context, mut sink| {
                Box::pin(async move {
                    provider
                        .stream(&context, Arc::new(request), &mut sink)
                        .await
                })
            },
        ))
    }

    /// Whether the provider can serve now; an error says why not. `timeout` replaces the
    /// configured `health_timeout`.
    pub fn health_check(&self, timeout: Option<Duration>) -> Call<Health> {
        self.health_check_until(timeout, None)
    }

    /// [`Client::health_check`], also ended by `cancel`.
    pub fn health_check_until(
        &self,
        timeout: Option<Duration>,
        cancel: Option<&CancellationToken>,
    ) -> Call<Health> {
        let provider = self.provider.clone();
        let limit = timeout.unwrap_or_else(|| provider.longest_start());
        self.start(limit, cancel, move |context| {
            Box::pin(async move { provider.health_check(&context, timeout).await })
        })
    }

    /// The models that the account can use.
    pub fn models(&self) -> Call<Vec<Model>> {
        self.models_until(None)
    }

    /// [`Client::models`], also ended by `cancel`.
    pub fn models_until(&self, cancel: Option<&CancellationToken>) -> Call<Vec<Model>> {
        let provider = self.provider.clone();
        self.start(provider.longest_start(), cancel, move |context| {
            Box::pin(async move { provider.models(&context).await })
        })
    }

    /// One model by its name.
    pub fn model(&self, name: &str) -> Call<Model> {
        self.model_until(name, None)
    }

    /// [`Client::model`], also ended by `cancel`.
    pub fn model_until(&self, name: &str, cancel: Option<&CancellationToken>) -> Call<Model> {
        let provider = self.provider.clone();
        let name = name.to_owned();
        self.start(provider.longest_start(), cancel, move |context| {
            Box::pin(async move { provider.model(&context, name).await })
        })
    }

    /// So long this request may take to begin, at the most.
    fn limit(&self, request: &Request) -> Duration {
        let options = &request.options;
        let usual = || self.provider.longest_start();
        let limit = options.timeout.unwrap_or_else(usual);
        options
            .deadline
            .map_or(limit, |deadline| limit.min(deadline))
    }

    /// `limit` is the caller's, for the start of the library's threads.
    fn start<T: Send + 'static>(
        &self,
        limit: Duration,
        cancel: Option<&CancellationToken>,
        work: impl FnOnce(CallContext) -> Work<'static, T>,
    ) -> Call<T> {
        match Generation::enter_within(limit) {
            Ok(generation) => generation.start_call(cancel, work),
            Err(error) => Call::failed(error),
        }
    }
}
