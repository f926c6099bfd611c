//! Access tokens: the OAuth endpoint and its sibling for user and password.
//!
//! GigaChat REST reference, section 2: every rule and message here is from there.

use std::sync::Arc;
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use hyper::HeaderMap;
use hyper::header::{AUTHORIZATION, CONTENT_TYPE};
use serde::Serialize;

use crate::access::{Client, Scope, scope_of_secret};
use crate::action::Action;
use crate::reply::Reply;
use crate::state::State;

/// The account of `POST /token`.
pub(crate) const USER: &str = "emulator-user";
pub(crate) const PASSWORD: &str = "emulator-password";

/// A token request that is in order.
pub(crate) struct TokenJob {
    client: Arc<Client>,
    user_shape: bool,
}

/// `POST /api/v2/oauth`: the client that asks, or why it gets nothing.
pub(crate) fn admit_key(
    state: &State,
    headers: &HeaderMap,
    body: &[u8],
) -> Result<TokenJob, Reply> {
    // Both schemes are in use and work (section 2.1).
    let credentials = decoded(headers, &["Basic", "Bearer"]).ok_or_else(cannot_decode)?;
    if !has_rquid(headers) {
        // The documentation gives the status only.
        return Err(Reply::token_error(
            400,
            None,
            "RqUID is missing or is not a UUID version 4",
        ));
    }
    let scope = requested_scope(headers, body);
    if scope.is_empty() {
        return Err(Reply::token_error(400, Some(5), "scope is empty"));
    }
    let Some(asked) = Scope::from_name(&scope) else {
        return Err(Reply::token_error(
            400,
            Some(1),
            "scope data format invalid",
        ));
    };
    let (id, secret) = credentials.rsplit_once(':').ok_or_else(wrong_credentials)?;
    let granted = scope_of_secret(secret).ok_or_else(wrong_credentials)?;
    let client = state.access.client(id, granted, state.options.concurrency);
    if state.options.token_rate_limit && !client.may_request_token() {
        return Err(Reply::token_error(429, None, "Too many requests"));
    }
    if granted != asked {
        let message = "scope from db not fully includes consumed scope";
        return Err(Reply::token_error(400, Some(7), message));
    }
    Ok(TokenJob {
        client,
        user_shape: false,
    })
}

/// `POST {base}/token` with user and password (section 2.3).
pub(crate) fn admit_user(state: &State, headers: &HeaderMap) -> Result<TokenJob, Reply> {
    let credentials = decoded(headers, &["Basic"]).ok_or_else(wrong_credentials)?;
    if credentials != format!("{USER}:{PASSWORD}") {
        return Err(wrong_credentials());
    }
    let client = state
        .access
        .client(USER, Scope::B2b, state.options.concurrency);
    Ok(TokenJob {
        client,
        user_shape: true,
    })
}

#[derive(Serialize)]
#[serde(untagged)]
enum TokenAnswer<'a> {
    Key {
        access_token: &'a str,
        #[serde(skip_serializing_if = "Option::is_none")]
        expires_at: Option<i64>,
    },
    User {
        tok: &'a str,
        #[serde(skip_serializing_if = "Option::is_none")]
        exp: Option<i64>,
    },
}

/// Issues the token; the faults of tokens are in the shape of the answer.
pub(crate) fn issue(state: &State, job: TokenJob, actions: &[Action]) -> Reply {
    let asked = actions.iter().find_map(|action| match action {
        Action::TokenExpiresIn { seconds } => Some(*seconds),
        _ => None,
    });
    let configured = state.options.token_lifetime;
    let lifetime = match asked {
        Some(seconds) => Duration::from_secs(u64::try_from(seconds).unwrap_or(0)),
        None => configured,
    };
    let Ok(token) = state.access.issue(job.client, lifetime) else {
        return Reply::token_error(500, None, "no randomness");
    };
    state
        .counters
        .update(|counters| counters.tokens_issued += 1);
    let told = asked.map_or_else(
        || millis(configured),
        |seconds| seconds.saturating_mul(1000),
    );
    let millis = unix_millis().saturating_add(told);
    let seconds = millis / 1000;
    let expiry = Some(millis).filter(|_| !actions.contains(&Action::TokenMissingExpiry));
    let in_seconds = expiry.map(|_| seconds);
    let answer = if job.user_shape || actions.contains(&Action::TokenShapeTokExp) {
        TokenAnswer::User {
            tok: &token,
            exp: in_seconds,
        }
    } else if actions.contains(&Action::TokenExpirySeconds) {
        TokenAnswer::Key {
            access_token: &token,
            expires_at: in_seconds,
        }
    } else {
        TokenAnswer::Key {
            access_token: &token,
            expires_at: expiry,
        }
    };
    let mut reply = Reply::json(200, &answer);
    reply.content_type = "application/json".into();
    let no_store = ("cache-control".to_owned(), "no-cache, no-store".to_owned());
    reply.headers.push(no_store);
    reply
}

pub(crate) fn unix_millis() -> i64 {
    SystemTime::now()
        .duration_since(UNIX_EPOCH)
        .map_or(0, millis)
}

fn millis(time: Duration) -> i64 {
    i64::try_from(time.as_millis()).unwrap_or(i64::MAX)
}

fn decoded(headers: &HeaderMap, schemes: &[&str]) -> Option<String> {
    let (scheme, encoded) = headers.get(AUTHORIZATION)?.to_str().ok()?.split_once(' ')?;
    if !schemes
        .iter()
        .any(|known| known.eq_ignore_ascii_case(scheme))
    {
        return None;
    }
    String::from_utf8(STANDARD.decode(encoded.trim()).ok()?).ok()
}

fn has_rquid(headers: &HeaderMap) -> bool {
    headers
        .get("rquid")
        .and_then(|value| uuid::Uuid::try_parse_ascii(value.as_bytes()).ok())
        .is_some_and(|uuid| uuid.get_version() == Some(uuid::Version::Random))
}

/// The form's `scope`; a body of another type is no form, so that its scope is empty.
fn requested_scope(headers: &HeaderMap, body: &[u8]) -> String {
    let is_form = headers.get(CONTENT_TYPE).is_some_and(|value| {
        value
            .as_bytes()
            .starts_with(b"application/x-www-form-urlencoded")
    });
    if !is_form {
        return String::new();
    }
    url::form_urlencoded::parse(body)
        .find(|(name, _)| name == "scope")
        .map(|(_, value)| value.into_owned())
        .unwrap_or_default()
}

fn cannot_decode() -> Reply {
    Reply::token_error(400, Some(4), "Can't decode 'Authorization' header")
}

fn wrong_credentials() -> Reply {
    Reply::token_error(401, Some(6), "credentials doesn't match db data")
}
