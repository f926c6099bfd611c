//! Headers of API requests (GigaChat REST reference, common headers).

use reqwest::header::{
    ACCEPT, AUTHORIZATION, CACHE_CONTROL, CONTENT_TYPE, HeaderMap, HeaderName, HeaderValue,
    USER_AGENT,
};
use url::Url;

use super::session::Session;
use crate::auth::AccessToken;
use crate::config::{ValidConfig, is_loopback};
use crate::error::{Error, Result};
use crate::request::CallOptions;
use crate::secret::Secret;

static X_REQUEST_ID: HeaderName = HeaderName::from_static("x-request-id");
static X_SESSION_ID: HeaderName = HeaderName::from_static("x-session-id");
static X_CLIENT_ID: HeaderName = HeaderName::from_static("x-client-id");

pub(super) const JSON: &str = "application/json";
pub(super) const EVENT_STREAM: &str = "text/event-stream";
pub(super) const ANYTHING: &str = "*/*";

/// All headers but the token, which may change from attempt to attempt.
pub(super) fn compose(
    session: &Session,
    options: &CallOptions,
    request_id: &str,
    accept: &'static str,
    content_type: Option<&str>,
) -> Result<HeaderMap> {
    let mut headers = HeaderMap::with_capacity(10);
    headers.insert(USER_AGENT, session.user_agent.clone());
    headers.insert(ACCEPT, HeaderValue::from_static(accept));
    if accept == EVENT_STREAM {
        headers.insert(CACHE_CONTROL, HeaderValue::from_static("no-store"));
    }
    match content_type {
        Some(JSON) => drop(headers.insert(CONTENT_TYPE, HeaderValue::from_static(JSON))),
        Some(other) => drop(headers.insert(CONTENT_TYPE, plain(other)?)),
        None => {}
    }
    for (name, value) in session.config.extra_headers.iter().chain(&options.headers) {
        headers
            .try_insert(name_of(name)?, private(value)?)
            .map_err(|_| Error::invalid("extra_headers", "this many", "fewer headers"))?;
    }
    headers.insert(X_REQUEST_ID.clone(), plain(request_id)?);
    if let Some(id) = options
        .session_id
        .as_ref()
        .or(session.config.session_id.as_ref())
    {
        headers.insert(X_SESSION_ID.clone(), plain(id)?);
    }
    if let Some(id) = &options.client_id {
        headers.insert(X_CLIENT_ID.clone(), plain(id)?);
    }
    Ok(headers)
}

/// Adds the access token, if there is one.
pub(super) fn authorize(headers: &mut HeaderMap, token: Option<&AccessToken>) -> Result<()> {
    if let Some(token) = token {
        let bearer = token.bearer.clone().ok_or_else(|| {
            Error::internal("the access token has characters that no header can carry")
        })?;
        headers.insert(AUTHORIZATION, bearer);
    }
    Ok(())
}

/// I8, I9: switching protection off is loud, once per provider.
pub(super) fn warn_of_insecure_settings(config: &ValidConfig) {
    if !config.verify_tls {
        tracing::warn!(
            target: "gigachat::tls", provider = %config.name,
            "TLS verification is OFF: anyone on the network path can read the authorization key; set a CA bundle instead"
        );
    }
    for url in [&config.base_url, &config.token_url] {
        let insecure =
            Url::parse(url).is_ok_and(|url| url.scheme() == "http" && !is_loopback(&url));
        if insecure && config.allow_insecure_http {
            tracing::warn!(
                target: "gigachat::tls", provider = %config.name, %url,
                "plain HTTP is allowed: credentials travel unencrypted"
            );
        }
    }
}

fn name_of(name: &str) -> Result<HeaderName> {
    HeaderName::from_bytes(name.as_bytes())
        .map_err(|_| Error::internal("a checked header name is invalid"))
}

fn plain(text: &str) -> Result<HeaderValue> {
    HeaderValue::from_str(text)
        .map_err(|_| Error::internal("a checked identifier is no header value"))
}

fn private(text: &Secret) -> Result<HeaderValue> {
    let mut value = HeaderValue::from_bytes(text.expose().as_bytes())
        .map_err(|_| Error::internal("a checked header value is invalid"))?;
    value.set_sensitive(true);
    Ok(value)
}
