//! The token endpoint: authorization key (or user and password) in, access token out
//! (GigaChat REST reference, OAuth).

use std::borrow::Cow;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use bytes::Bytes;
use reqwest::header::{
    ACCEPT, AUTHORIZATION, CONTENT_TYPE, DATE, HeaderMap, HeaderName, HeaderValue,
};
use reqwest::{Method, Url};
use tokio::time::Instant;
use zeroize::Zeroizing;

use super::token::{AccessToken, lifetime};
use crate::config::CredentialSource;
use crate::error::{Error, ErrorKind, Phase, Result};
use crate::retry::{RetryRule, wait_before_retry};
use crate::secret::Secret;
use crate::transport::{Answer, ConnectWatch, Exchange, HttpClient, without_credentials};
use crate::wire::complaint::Complaint;
use crate::wire::mended::mended;
use crate::wire::{Count, Lenient, document, wire_object};

/// A refresh has this long, whatever its callers' deadlines are (I1).
pub(super) const REFRESH_LIMIT: Duration = Duration::from_secs(30);
/// Attempts of one refresh at most; 429 and 5xx are backed off here, once for all callers.
const MOST_ATTEMPTS: u32 = 3;
/// A token answer is about 1.3 KB (recorded traffic); this is ample.
const LARGEST_ANSWER: usize = 256 * 1024;

static RQUID: HeaderName = HeaderName::from_static("rquid");
/// Token generations are never reused in a process.
static GENERATION: AtomicU64 = AtomicU64::new(1);

/// Where and how to ask for a token.
pub(crate) struct TokenEndpoint {
    pub(crate) client: Arc<HttpClient>,
    pub(crate) url: Url,
    pub(crate) scope: &'static str,
    /// What is exchanged.
    pub(crate) source: CredentialSource,
    pub(crate) user_agent: HeaderValue,
    /// Attempts after the first, where that is fewer than a refresh makes anyway.
    pub(crate) max_retries: u32,
}

wire_object! {
    /// Both shapes of a token answer: `access_token`/`expires_at` and `tok`/`exp`.
    struct WireToken<'a> {
        access_token: WipedText,
        tok: WipedText,
        expires_at: Count,
        exp: Count,
    }
}

/// A text of which no copy stays in memory.
#[derive(Debug)]
struct WipedText(Secret);

impl<'de> Lenient<'de> for WipedText {
    fn of_text(text: Cow<'de, str>) -> Option<WipedText> {
        let wiped = match text {
            Cow::Borrowed(text) => Secret::new(text),
            Cow::Owned(text) => Secret::new(Zeroizing::new(text).as_str()),
        };
        Some(WipedText(wiped))
    }
}

impl WipedText {
    /// Whether a header can carry it.
    fn is_sendable(&self) -> bool {
        let text = self.0.expose();
        !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_graphic())
    }
}

/// A token and when it expires, of what could be read.
type Issued = (Option<WipedText>, Option<u64>);

fn issued(json: &[u8]) -> serde_json::Result<Issued> {
    let wire = document::<WireToken<'_>>(json)?.unwrap_or_default();
    let mut texts = [wire.access_token, wire.tok].into_iter().flatten();
    let token = match texts.next() {
        Some(text) if !text.is_sendable() => texts.find(WipedText::is_sendable).or(Some(text)),
        other => other,
    };
    // I2: an expiry that is no number is none, and no reason to refuse the token.
    let expires_at = wire.expires_at.or(wire.exp).map(|time| time.0);
    Ok((token, expires_at))
}

/// The same of a body that may be no JSON, only just.
fn issued_in(body: &[u8]) -> serde_json::Result<Issued> {
    issued(body).or_else(|why| match mended(body).map(Zeroizing::new) {
        Some(mended) => issued(&mended),
        None => Err(why),
    })
}

impl TokenEndpoint {
    /// Fetches a token, with its own attempts and its own time limit.
    pub(crate) async fn fetch(&self) -> Result<AccessToken> {
        let watch: Arc<ConnectWatch> = Arc::default();
        match tokio::time::timeout(REFRESH_LIMIT, self.fetch_with_retries(&watch)).await {
            Ok(outcome) => outcome,
            Err(_) => {
                watch.give_up();
                Err(Error::new(
                    ErrorKind::Timeout,
                    Phase::Token,
                    format!("no access token came from {} within 30 s", self.url),
                )
                .with_retryable(true))
            }
        }
    }

    async fn fetch_with_retries(&self, watch: &Arc<ConnectWatch>) -> Result<AccessToken> {
        let rule = RetryRule {
            broken_connections: true,
            repeatable: true,
        };
        let deadline = Instant::now() + REFRESH_LIMIT;
        let mut attempt = 1;
        loop {
            let error = match self.fetch_once(watch).await {
                Ok(token) => return Ok(token),
                Err(error) => error.with_attempts(attempt),
            };
            if attempt == MOST_ATTEMPTS.min(self.max_retries + 1) || !rule.allows(&error) {
                tracing::warn!(target: "gigachat::auth", attempt, kind = error.kind().name(), "token request failed");
                return Err(error);
            }
            // I3: a wait that would pass the limit is not begun; why it was asked for says more.
            let left = deadline.saturating_duration_since(Instant::now());
            let Some(wait) = wait_before_retry(&error, attempt, left) else {
                tracing::warn!(target: "gigachat::auth", attempt, "token request failed; the service asks for a longer wait than it may take");
                return Err(error);
            };
            tracing::info!(target: "gigachat::auth", attempt, wait_ms = wait.as_millis() as u64, "token request will be repeated");
            tokio::time::sleep(wait).await;
            attempt += 1;
        }
    }

    async fn fetch_once(&self, watch: &Arc<ConnectWatch>) -> Result<AccessToken> {
        let exchange = self.request()?;
        let outcome = match self
            .client
            .send_watched(&exchange, Phase::Token, watch, None)
            .await
        {
            Ok(answer) if answer.status() == 200 => read_token(answer).await,
            Ok(answer) => Err(answer.into_error(Phase::Token, None).await),
            Err(error) => Err(error),
        };
        outcome.map_err(|error| without_credentials(error, &exchange.headers))
    }

    /// `RqUID` is required and new for each request; authorization keys go as `Basic` (the
    /// reference's prose and samples; its security scheme says bearer, the service takes both).
    fn request(&self) -> Result<Exchange> {
        let mut headers = HeaderMap::with_capacity(5);
        headers.insert(ACCEPT, HeaderValue::from_static("application/json"));
        headers.insert(reqwest::header::USER_AGENT, self.user_agent.clone());
        let mut body = Bytes::new();
        let basic = match &self.source {
            CredentialSource::AuthorizationKey(key) => {
                headers.insert(
                    CONTENT_TYPE,
                    HeaderValue::from_static("application/x-www-form-urlencoded"),
                );
                headers.insert(RQUID.clone(), uuid_header());
                body = Bytes::from(format!("scope={}", self.scope));
                Zeroizing::new(format!("Basic {}", key.expose()))
            }
            CredentialSource::Password { user, password } => {
                let pair = Zeroizing::new(format!("{user}:{}", password.expose()));
                Zeroizing::new(format!("Basic {}", base64(pair.as_bytes()).as_str()))
            }
            CredentialSource::AccessToken(_) | CredentialSource::ClientCertificate => {
                return Err(Error::internal(
                    "this credential is not exchanged for a token",
                ));
            }
        };
        headers.insert(AUTHORIZATION, secret_header(&basic)?);
        Ok(Exchange {
            method: Method::POST,
            url: self.url.clone(),
            headers,
            body,
            repeatable: true,
        })
    }
}

pub(crate) async fn read_token(answer: Answer) -> Result<AccessToken> {
    let date = answer
        .headers()
        .get(DATE)
        .and_then(|value| value.to_str().ok())
        .and_then(|text| httpdate::parse_http_date(text).ok());
    let request_id = answer.request_id().map(str::to_owned);
    let body = Zeroizing::new(answer.bytes(LARGEST_ANSWER, Phase::Token).await?);
    let unusable = |why: &str| {
        // The body is not repeated: it may hold a token.
        Error::new(
            ErrorKind::Protocol,
            Phase::Token,
            format!("the token endpoint's answer cannot be used: {why}"),
        )
        .with_status(200)
        .with_request_id(request_id.as_deref())
    };
    let (token, expires_at) = issued_in(&body).map_err(|_| unusable("it is not JSON"))?;
    let Some(WipedText(token)) = token.filter(|token| !token.0.expose().is_empty()) else {
        let Some(complaint) = Complaint::instead_of_answer(&body, false) else {
            return Err(unusable("it has no access token"));
        };
        let what = "the token endpoint answered with an error";
        return Err(Error::of_complaint(complaint, what, Phase::Token, &[])
            .with_request_id(request_id.as_deref()));
    };
    if !WipedText(token.clone()).is_sendable() {
        return Err(unusable(
            "the access token has characters that no header can carry",
        ));
    }
    let lifetime = lifetime(expires_at, date);
    Ok(next_generation(token, lifetime, "access token received"))
}

/// A token that another process fetched and that is good for `left`.
pub(super) fn taken_over(text: Secret, left: Duration) -> AccessToken {
    next_generation(text, left, "access token taken over from another process")
}

fn next_generation(text: Secret, lifetime: Duration, what: &str) -> AccessToken {
    let generation = GENERATION.fetch_add(1, Ordering::Relaxed);
    tracing::debug!(target: "gigachat::auth", generation, lifetime_s = lifetime.as_secs(), "{what}");
    AccessToken::issued(text, generation, lifetime)
}

/// A header value that HTTP libraries do not print or index.
pub(crate) fn secret_header(text: &str) -> Result<HeaderValue> {
    let mut value = HeaderValue::from_str(text)
        .map_err(|_| Error::internal("a credential has characters that no header can carry"))?;
    value.set_sensitive(true);
    Ok(value)
}

fn uuid_header() -> HeaderValue {
    let mut text = [0; uuid::fmt::Hyphenated::LENGTH];
    let text = uuid::Uuid::new_v4().hyphenated().encode_lower(&mut text);
    HeaderValue::from_str(text).unwrap_or_else(|_| HeaderValue::from_static(""))
}

/// Standard base64 with padding (RFC 4648), for HTTP Basic.
fn base64(bytes: &[u8]) -> Zeroizing<String> {
    use base64::Engine as _;
    Zeroizing::new(base64::engine::general_purpose::STANDARD.encode(bytes))
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::issued_in;
    use crate::wire::any_json::any_json;

    proptest! {
        #[test]
        fn every_json_type_beside_a_token_leaves_the_token(
            key in prop::sample::select(vec!["tok", "access_token", "expires_at", "exp", "token_type", "scope"]),
            good in prop::sample::select(vec!["tok", "access_token"]),
            value in any_json(),
            twice in any::<bool>(),
        ) {
            prop_assume!(key != good);
            let odd = format!(r#""{key}":{value}"#);
            let odd = if twice { format!("{odd},{odd}") } else { odd };
            let token = format!(r#""{good}":"t0ken""#);
            for body in [format!("{{{odd},{token}}}"), format!("{{{token},{odd}}}")] {
                let (found, _) = issued_in(body.as_bytes()).unwrap_or_else(|why| panic!("{body}: {why}"));
                let found = found.expect("the token is there").0;
                // A second text in the other field may be a token as well.
                let other = matches!(key, "tok" | "access_token") && matches!(value, "\"text\"" | "\"17\"");
                prop_assert!(found.expose() == "t0ken" || other, "{}: {}", body, found.expose());
            }
        }
    }
}
