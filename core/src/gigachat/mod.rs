//! `GigaChat`: the provider that the service is behind.
//!
//! Holds the configuration for ever and a `Session` (connections, credential, permits) per
//! runtime generation, so that it survives fork and shutdown. `call` is the one path of unary and
//! streamed requests, `held` its permit, `record` what the log says of it, `unary` and `streamed`
//! consume the answers, `headers` composes requests.

mod call;
mod headers;
mod held;
mod progress;
mod record;
mod request_ids;
mod session;
mod shared;
mod stream_clock;
mod streamed;
mod unary;

use std::sync::Arc;
use std::time::{Duration, Instant};

use futures_util::StreamExt;

use crate::api::{self, Ask, HEALTH};
use crate::auth::TokenCell;
use crate::config::{Config, ValidConfig};
use crate::error::{Error, ErrorKind, Phase, Result};
use crate::permit::PermitUse;
use crate::provider::{CallContext, Provider, ProviderLimits, Work};
#[cfg(feature = "fuzzing")]
use crate::request::Request;
use crate::response::{Document, Embeddings, Health, Model, StreamEnd};
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
        let session = self.session(context, self.config.timeout).await?;
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
        Call::new(&Arc::new(session), &Ask::chat(request.clone()), true).map(drop)
    }

    /// The limit of this ask's answer, without the wait for a permit.
    fn limit_of(&self, ask: &Ask) -> Duration {
        let options = ask.options();
        let limit = options.timeout.unwrap_or(self.config.timeout);
        limit.min(options.deadline.unwrap_or(Duration::MAX))
    }

    /// Opened within `limit`: it waits for a helper thread, which the program may have stopped.
    async fn session(&self, context: &CallContext, limit: Duration) -> Result<Arc<Session>> {
        let era = context.locals.era;
        if let Some(session) = self.session.of(era) {
            return Ok(session);
        }
        let shared = context.locals.of::<shared::Shared>();
        let key = session::credential_key(&self.config);
        let tls = tokio::time::timeout(limit, shared.tls(&key.tls));
        let tls = tls.await.map_err(|_| no_helper(limit))??;
        self.session.get(era, || {
            Session::open(&self.config, &self.token, &shared, key, tls)
        })
    }
}

/// The error of an opening that waits for a thread in vain.
fn no_helper(limit: Duration) -> Error {
    let text = format!(
        "the library's helper thread did not read the roots of trust within {} ms; something holds \
         that thread up, such as a thread-start hook of the program's that does not return",
        limit.as_millis()
    );
    Error::new(ErrorKind::Timeout, Phase::Start, text).with_retryable(true)
}

/// So many parts of one ask are under way at once.
const PARTS_AT_ONCE: usize = 8;

async fn whole(session: &Arc<Session>, context: &CallContext, ask: &Ask) -> Result<Document> {
    Call::new(session, ask, false)?
        .limited(context.limits)
        .perform(unary::Whole(ask))
        .await
}

/// Embeddings whose answer would be too large come in parts, beside each other and joined in their
/// order. The first failure ends the rest.
async fn in_parts(
    session: &Arc<Session>,
    context: &CallContext,
    parts: Vec<Ask>,
) -> Result<Document> {
    let calls = parts
        .into_iter()
        .map(|part| async move { whole(session, context, &part).await });
    let mut answers = futures_util::stream::iter(calls).buffered(PARTS_AT_ONCE);
    let mut joined: Option<Embeddings> = None;
    while let Some(answer) = answers.next().await {
        let part = answer?.into_embeddings()?;
        match &mut joined {
            Some(joined) => joined.append(part)?,
            None => joined = Some(part),
        }
    }
    Ok(joined.unwrap_or_default().into())
}

impl Provider for GigaChat {
    fn name(&self) -> &str {
        &self.config.name
    }

    fn default_model(&self) -> &str {
        &self.config.model
    }

    fn limits(&self) -> ProviderLimits {
        ProviderLimits {
            read_ahead_bytes: self.config.read_ahead_bytes,
            answer: self.config.timeout,
            health: self.config.health_timeout,
            silence: self.config.idle_timeout.unwrap_or(self.config.timeout),
            stream: self.config.stream_timeout.unwrap_or(Duration::MAX),
        }
    }

    fn perform<'a>(&'a self, context: &'a CallContext, ask: Arc<Ask>) -> Work<'a, Document> {
        Box::pin(async move {
            ask.check()?;
            let session = self.session(context, self.limit_of(&ask)).await?;
            match api::parts(&ask, self.config.max_body_bytes) {
                None => whole(&session, context, &ask).await,
                Some(parts) => in_parts(&session, context, parts).await,
            }
        })
    }

    fn stream<'a>(
        &'a self,
        context: &'a CallContext,
        ask: Arc<Ask>,
        sink: &'a mut EventSink,
    ) -> Work<'a, StreamEnd> {
        Box::pin(async move {
            ask.check_stream()?;
            let session = self.session(context, self.limit_of(&ask)).await?;
            let version = ask.version(self.config.api_version);
            Call::new(&session, &ask, true)?
                .limited(context.limits)
                .perform(streamed::Streamed::new(sink, &ask, version))
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
            let mut ask = Ask::new(&HEALTH);
            ask.options.timeout = timeout;
            let limit = timeout.unwrap_or(self.config.health_timeout);
            let session = self.session(context, limit).await?;
            let answer = Call::new(&session, &ask, false)?
                .perform(unary::Whole(&ask))
                .await?;
            Ok(Health {
                latency: begun.elapsed(),
                models: Model::parse_list(answer.bytes())?.len(),
                request_id: answer.report.request_id,
            })
        })
    }
}
