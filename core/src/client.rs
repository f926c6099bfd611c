//! `Client`: a provider as programs use it, from any thread and any executor.
//!
//! Each call starts at once on the library's own runtime and is handed back as a [`Call`]:
//! `.await` it, `.join()` it on a thread, or keep it and cancel it later.

use std::sync::Arc;
use std::time::Duration;

use tokio_util::sync::CancellationToken;

use crate::api::{self, Ask, Clock, TokenCount};
use crate::error::Result;
use crate::liveness::StreamLimits;
use crate::provider::{CallContext, Caller, Provider, Work};
use crate::request::Request;
use crate::response::{Document, Embeddings, Health, Model, Response};
use crate::runtime::{Call, Generation};
use crate::stream::EventStream;

/// A provider to call. Clones share it.
#[derive(Clone)]
pub struct Client {
    provider: Arc<dyn Provider>,
    caller: Option<Arc<dyn Caller>>,
}

impl Client {
    /// A client of any provider.
    pub fn new(provider: impl Provider) -> Client {
        Client::from_arc(Arc::new(provider))
    }

    /// A client of a provider that the program keeps a hold of.
    pub fn from_arc(provider: Arc<dyn Provider>) -> Client {
        Client {
            provider,
            caller: None,
        }
    }

    /// The same client, whose calls have this attached to them.
    #[doc(hidden)]
    pub fn called_by(self, caller: Arc<dyn Caller>) -> Client {
        Client {
            caller: Some(caller),
            ..self
        }
    }

    /// The provider behind it.
    pub fn provider(&self) -> &Arc<dyn Provider> {
        &self.provider
    }

    /// Answers a prompt.
    pub fn generate(&self, prompt: &str) -> Call<Response> {
        self.chat(Request::prompt(prompt))
    }

    /// Answers a chat request.
    pub fn chat(&self, request: Request) -> Call<Response> {
        self.chat_until(request, None)
    }

    /// Answers a chat request, unless `cancel` ends it before.
    pub fn chat_until(
        &self,
        request: Request,
        cancel: Option<&CancellationToken>,
    ) -> Call<Response> {
        self.view(Ask::chat(request), cancel, Document::into_response)
    }

    /// Answers a chat request in parts. It is sent at once; an error comes from the first read.
    pub fn stream(&self, request: Request) -> Result<EventStream> {
        self.open(Ask::chat(request))
    }

    /// Answers an ask, whatever the operation.
    pub fn ask(&self, ask: impl Into<Arc<Ask>>) -> Call<Document> {
        self.view(ask, None, Ok)
    }

    /// Vectors of texts, a row each. Without a model, those of `Embeddings`.
    pub fn embed(&self, texts: &[&str], model: Option<&str>) -> Call<Embeddings> {
        match with_model(Ask::embeddings(texts), model) {
            Ok(ask) => self.view(ask, None, Document::into_embeddings),
            Err(error) => Call::failed(error),
        }
    }

    /// How many tokens each of these texts has. Without a model, for the provider's.
    pub fn count_tokens(&self, texts: &[&str], model: Option<&str>) -> Call<Vec<TokenCount>> {
        let count = texts.len();
        match with_model(Ask::tokens_count(texts), model) {
            Ok(ask) => self.view(ask, None, move |answer| TokenCount::read(&answer, count)),
            Err(error) => Call::failed(error),
        }
    }

    /// `GET` of any path of the service; see [`Ask::get`].
    pub fn get(&self, path: &str) -> Call<Document> {
        self.ask_checked(Ask::get(path))
    }

    /// `POST` of JSON to any path of the service; see [`Ask::post`].
    pub fn post(&self, path: &str, json: &str) -> Call<Document> {
        self.ask_checked(Ask::post(path, json))
    }

    /// Answers an ask, unless `cancel` ends it before; `view` makes of the answer what the caller
    /// wants of it.
    pub fn view<T: Send + 'static>(
        &self,
        ask: impl Into<Arc<Ask>>,
        cancel: Option<&CancellationToken>,
        view: impl FnOnce(Document) -> Result<T> + Send + 'static,
    ) -> Call<T> {
        let provider = self.provider.clone();
        let ask = ask.into();
        self.start(self.limit(&ask), cancel, move |context| {
            Box::pin(async move {
                view(match ask.operation().clock {
                    // Each provider knows by itself how it is.
                    Clock::Health => {
                        let timeout = ask.options().timeout;
                        provider.health_check(&context, timeout).await?.into()
                    }
                    Clock::Call | Clock::Transfer => provider.perform(&context, ask).await?,
                })
            })
        })
    }

    /// Answers an ask in parts. It is sent at once; an error comes from the first read.
    pub fn open(&self, ask: impl Into<Arc<Ask>>) -> Result<EventStream> {
        let provider = self.provider.clone();
        let ask = ask.into();
        let limits = self.stream_limits(&ask);
        let generation = Generation::enter_within(limits.first)?;
        let caller = self.caller.clone();
        Ok(generation.start_stream(
            None,
            provider.limits().read_ahead_bytes,
            limits,
            move |context, mut sink| {
                Box::pin(async move {
                    let context = context.called_by(caller);
                    provider.stream(&context, ask, &mut sink).await
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
        let limit = timeout.unwrap_or_else(|| provider.limits().health);
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
        self.view(Ask::new(&api::MODELS), cancel, |answer| {
            Model::parse_list(answer.bytes())
        })
    }

    /// One model by its name.
    pub fn model(&self, name: &str) -> Call<Model> {
        self.model_until(name, None)
    }

    /// [`Client::model`], also ended by `cancel`.
    pub fn model_until(&self, name: &str, cancel: Option<&CancellationToken>) -> Call<Model> {
        let mut ask = Ask::new(&api::MODEL);
        match ask.set_path("model", name) {
            Ok(()) => self.view(ask, cancel, |answer| Model::parse(answer.bytes())),
            Err(error) => Call::failed(error),
        }
    }

    /// Answers an ask that may have been refused when it was made.
    fn ask_checked(&self, ask: Result<Ask>) -> Call<Document> {
        match ask {
            Ok(ask) => self.ask(ask),
            Err(error) => Call::failed(error),
        }
    }

    /// The limit of this ask's answer, without the wait for a permit.
    fn limit(&self, ask: &Ask) -> Duration {
        let options = ask.options();
        let usual = || match ask.operation().clock {
            Clock::Health => self.provider.limits().health,
            Clock::Call | Clock::Transfer => self.provider.limits().answer,
        };
        let limit = options.timeout.unwrap_or_else(usual);
        options
            .deadline
            .map_or(limit, |deadline| limit.min(deadline))
    }

    /// The limits of this ask's answer in parts.
    fn stream_limits(&self, ask: &Ask) -> StreamLimits {
        let options = ask.options();
        let usual = self.provider.limits();
        StreamLimits {
            first: self.limit(ask),
            silence: options
                .idle_timeout
                .or(options.timeout.filter(|_| usual.silence == usual.answer))
                .unwrap_or(usual.silence),
            total: options.stream_timeout.unwrap_or(usual.stream),
        }
    }

    /// `limit` is the caller's: for the start of the library's threads, and until it is looked
    /// whether they still run.
    fn start<T: Send + 'static>(
        &self,
        limit: Duration,
        cancel: Option<&CancellationToken>,
        work: impl FnOnce(CallContext) -> Work<'static, T>,
    ) -> Call<T> {
        match Generation::enter_within(limit) {
            Ok(generation) => {
                let caller = self.caller.clone();
                generation.start_call(cancel, limit, |context| work(context.called_by(caller)))
            }
            Err(error) => Call::failed(error),
        }
    }
}

fn with_model(mut ask: Ask, model: Option<&str>) -> Result<Ask> {
    match model {
        Some(model) => ask.set_model(model).map(|()| ask),
        None => Ok(ask),
    }
}
