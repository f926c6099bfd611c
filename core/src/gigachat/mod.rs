//! `GigaChat`: the provider that the service is behind.
//!
//! Holds the configuration for ever and a `Session` (connections, credential, permits) per
//! runtime generation, so that it survives fork and shutdown. `call` is the one path of unary and
//! streamed requests, `unary` and `streamed` consume the answers, `headers` composes requests.

mod call;
mod headers;
mod progress;
mod request_ids;
mod session;
mod shared;
mod stream_clock;
mod streamed;
mod unary;

use std::sync::Arc;
use std::time::{Duration, Instant};

use crate::auth::TokenCell;
use crate::config::{Config, ValidConfig};
use crate::error::{Phase, Result};
use crate::permit::PermitUse;
use crate::provider::{CallContext, Provider, Work};
use crate::request::Request;
use crate::response::{Health, Model, Response, StreamEnd};
use crate::secret::Secret;
use crate::stream::EventSink;
use crate::transport::timed_out;
use call::Call;
use session::{PerGeneration, Session, credential_key};

/// A provider over the GigaChat service. Share it; all methods take `&self`.
pub struct GigaChat {
    config: Arc<ValidConfig>,
    token: Arc<TokenCell>,
    session: PerGeneration<Session>,
}

impl GigaChat {
    /// Checks the configuration. Opens no connection, starts no thread.
    pub fn new(config: Config) -> Result<GigaChat> {
        let config = config.validate()?;
        headers::warn_of_insecure_settings(&config);
        Ok(GigaChat {
            config: Arc::new(config),
            token: Arc::default(),
            session: PerGeneration::default(),
        })
    }

    /// A provider in place of `self`, after a change of its configuration: it keeps the access
    /// token, unless the change concerns the credential.
    pub(crate) fn changed(&self, config: Config) -> Result<GigaChat> {
        let mut changed = GigaChat::new(config)?;
        if credential_key(&changed.config) == credential_key(&self.config) {
            changed.token = self.token.clone();
        }
        Ok(changed)
    }

    /// The configuration in use.
    pub fn config(&self) -> &ValidConfig {
        &self.config
    }

    /// How the permits of this provider's credential are used at this moment; nothing before the
    /// first call.
    pub fn permit_use(&self) -> PermitUse {
        self.session
            .current()
            .map_or(PermitUse::default(), |session| {
                session.credential.permits.in_use()
            })
    }

    /// The access token in use, refreshed if it is time; `None` when there is none to send.
    pub(crate) async fn access_token(&self, context: &CallContext) -> Result<Option<Secret>> {
        let session = self.session(context).await?;
        let token = session.credential.token(&session.token_endpoint);
        let limit = self.config.timeout;
        match tokio::time::timeout(limit, token).await {
            Ok(token) => Ok(token?.map(|token| token.text.clone())),
            Err(_) => Err(timed_out(Phase::Token, limit, session.api.host())),
        }
    }

    /// Opens a session and composes a request in it, for the fuzz targets.
    #[cfg(feature = "fuzzing")]
    pub(crate) fn prepare(&self, request: &Request) -> Result<()> {
        let shared = shared::Shared::default();
        let key = credential_key(&self.config);
        let tls = shared::tls_without_system_store(&key.tls)?;
        let session = Session::open(&self.config, &self.token, &shared, key, tls)?;
        Call::chat(&Arc::new(session), request, true).map(drop)
    }

    async fn session(&self, context: &CallContext) -> Result<Arc<Session>> {
        let era = context.locals.era;
        if let Some(session) = self.session.of(era) {
            return Ok(session);
        }
        let shared = context.locals.of::<shared::Shared>();
        let key = session::credential_key(&self.config);
        let tls = shared.tls(&key.tls).await?;
        self.session.get(era, || {
            Session::open(&self.config, &self.token, &shared, key, tls)
        })
    }
}

impl Provider for GigaChat {
    fn name(&self) -> &str {
        &self.config.name
    }

    fn default_model(&self) -> &str {
        &self.config.model
    }

    fn read_ahead_bytes(&self) -> usize {
        self.config.read_ahead_bytes
    }

    fn longest_start(&self) -> Duration {
        self.config.timeout
    }

    fn generate<'a>(
        &'a self,
        context: &'a CallContext,
        request: Arc<Request>,
    ) -> Work<'a, Response> {
        Box::pin(async move {
            request.check()?;
            let session = self.session(context).await?;
            Call::chat(&session, &request, false)?
                .limited(context.limits)
                .perform(unary::Completion {
                    stops: &request.params.stop,
                })
                .await
        })
    }

    fn stream<'a>(
        &'a self,
        context: &'a CallContext,
        request: Arc<Request>,
        sink: &'a mut EventSink,
    ) -> Work<'a, StreamEnd> {
        Box::pin(async move {
            request.check_stream()?;
            let session = self.session(context).await?;
            Call::chat(&session, &request, true)?
                .limited(context.limits)
                .perform(streamed::Streamed::new(sink, &request))
                .await
        })
    }

    fn health_check<'a>(
        &'a self,
        context: &'a CallContext,
        timeout: Option<Duration>,
    ) -> Work<'a, Health> {
        Box::pin(async move {
            let begun = Instant::now();
            let session = self.session(context).await?;
            let limit = timeout.unwrap_or(self.config.health_timeout);
            let (models, report) = Call::get(&session, "/models", Some(limit))?
                .perform(unary::ModelList)
                .await?;
            Ok(Health {
                latency: begun.elapsed(),
                models: models.len(),
                request_id: report.request_id,
            })
        })
    }

    fn models<'a>(&'a self, context: &'a CallContext) -> Work<'a, Vec<Model>> {
        Box::pin(async move {
            let session = self.session(context).await?;
            let (models, _) = Call::get(&session, "/models", None)?
                .perform(unary::ModelList)
                .await?;
            Ok(models)
        })
    }

    fn model<'a>(&'a self, context: &'a CallContext, name: String) -> Work<'a, Model> {
        Box::pin(async move {
            let session = self.session(context).await?;
            let path = format!("/models/{}", headers::path_segment(&name)?);
            Call::get(&session, &path, None)?
                .perform(unary::OneModel)
                .await
        })
    }
}
