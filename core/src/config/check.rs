//! The checks that the setters share: each refuses a value by naming field, value and range.

use std::path::PathBuf;
use std::time::Duration;

use bytes::Bytes;
use reqwest::header::{HeaderName, HeaderValue};
use url::Url;
use zeroize::Zeroizing;

use super::{PemSource, Scope};
use crate::error::{Error, Result};
use crate::secret::Secret;

/// A number between `low` and `high`, both included.
pub(super) fn range<T: PartialOrd + std::fmt::Display>(
    field: &str,
    value: T,
    low: T,
    high: T,
) -> Result<T> {
    if value < low || value > high {
        return Err(Error::configuration(
            field,
            &value,
            &format!("from {low} to {high}"),
        ));
    }
    Ok(value)
}

/// A time limit of a call: 1 ms to 1 h.
pub(super) fn duration(field: &str, value: Duration) -> Result<Duration> {
    bounded(
        field,
        value,
        Duration::from_secs(3600),
        "from 0.001 to 3600 seconds",
    )
}

/// A time limit that may span a day: 1 ms to 24 h.
pub(super) fn long_duration(field: &str, value: Duration) -> Result<Duration> {
    bounded(
        field,
        value,
        Duration::from_secs(86_400),
        "from 0.001 to 86400 seconds",
    )
}

fn bounded(field: &str, value: Duration, most: Duration, accepted: &str) -> Result<Duration> {
    if value < Duration::from_millis(1) || value > most {
        let seconds = format!("{} seconds", value.as_secs_f64());
        return Err(Error::configuration(field, seconds, accepted));
    }
    Ok(value)
}

/// Text of `low` to `high` characters, not blank.
pub(super) fn length(field: &str, text: &str, low: usize, high: usize) -> Result<()> {
    let count = text.trim().chars().count();
    if count < low || text.len() > high * 4 || text.chars().count() > high {
        let value = format!("a text of {count} characters");
        return Err(Error::configuration(
            field,
            value,
            &format!("{low} to {high} characters long"),
        ));
    }
    Ok(())
}

/// A secret that goes into a header: the value is never repeated in the error (I13).
pub(super) fn secret(field: &str, text: &str) -> Result<Secret> {
    let text = text.trim();
    if text.is_empty() {
        return Err(Error::configuration(field, "an empty text", "not empty"));
    }
    if !text.bytes().all(|byte| byte.is_ascii_graphic()) {
        return Err(Error::configuration(
            field,
            "a text with white space or non-ASCII characters",
            "visible ASCII characters without white space, as copied from the customer cabinet",
        ));
    }
    Ok(Secret::new(text))
}

pub(super) fn scope(field: &str, text: &str) -> Result<Scope> {
    match text {
        "GIGACHAT_API_PERS" => Ok(Scope::Pers),
        "GIGACHAT_API_B2B" => Ok(Scope::B2b),
        "GIGACHAT_API_CORP" => Ok(Scope::Corp),
        other => Err(Error::configuration(
            field,
            format!("{other:?}"),
            "GIGACHAT_API_PERS, GIGACHAT_API_B2B or GIGACHAT_API_CORP",
        )),
    }
}

/// An absolute http or https URL without user, query and fragment; returned without a trailing
/// slash. Whether plain http is allowed is decided when the whole configuration is known.
pub(super) fn url(field: &str, text: &str) -> Result<String> {
    const ACCEPTED: &str = "an absolute URL such as https://api.giga.chat/v1";
    let text = text.trim().trim_end_matches('/');
    let parsed = Url::parse(text)
        .map_err(|why| Error::configuration(field, format!("{text:?} ({why})"), ACCEPTED))?;
    if !parsed.username().is_empty() || parsed.password().is_some() {
        // The text is not repeated: it holds a password.
        return Err(Error::configuration(
            field,
            "a URL with user or password",
            "a URL without them; use the user and password options",
        ));
    }
    let usable = matches!(parsed.scheme(), "https" | "http")
        && parsed.host().is_some()
        && parsed.query().is_none()
        && parsed.fragment().is_none();
    if !usable {
        return Err(Error::configuration(field, format!("{text:?}"), ACCEPTED));
    }
    Ok(text.to_owned())
}

pub(super) fn host(field: &str, text: &str) -> Result<()> {
    url::Host::parse(text).map(drop).map_err(|why| {
        Error::configuration(
            field,
            format!("{text:?} ({why})"),
            "a host name or IP address",
        )
    })
}

pub(super) fn file(field: &str, path: &str) -> Result<PemSource> {
    if path.is_empty() || path.contains('\0') {
        return Err(Error::configuration(
            field,
            format!("{path:?}"),
            "the path of a PEM file",
        ));
    }
    Ok(PemSource::File(PathBuf::from(path)))
}

/// PEM text; what it holds is read when the TLS configuration is built.
pub(super) fn pem(field: &str, text: &str) -> Result<PemSource> {
    if !text.contains("-----BEGIN ") {
        return Err(Error::configuration(
            field,
            "this text",
            "PEM text with a BEGIN line",
        ));
    }
    Ok(PemSource::Bytes(text.as_bytes().into()))
}

/// A header name that the caller may set, in lower case. Headers that this library or HTTP
/// itself owns are refused.
pub(crate) fn header_name(field: &str, name: &str) -> Result<String> {
    const OWNED: [&str; 17] = [
        "accept",
        "accept-encoding",
        "authorization",
        "connection",
        "content-encoding",
        "content-length",
        "content-type",
        "expect",
        "host",
        "keep-alive",
        "te",
        "trailer",
        "transfer-encoding",
        "upgrade",
        "user-agent",
        "x-request-id",
        "http2-settings",
    ];
    let parsed = HeaderName::from_bytes(name.as_bytes()).map_err(|_| {
        Error::configuration(field, format!("the name {name:?}"), "a valid header name")
    })?;
    if OWNED.contains(&parsed.as_str()) || parsed.as_str().starts_with("proxy-") {
        return Err(Error::configuration(
            field,
            format!("the name {name:?}"),
            "a header that the library does not set itself (credentials, the user agent, the request's id and the proxy have options of their own)",
        ));
    }
    Ok(parsed.as_str().to_owned())
}

/// Whether one more header has room: no server takes hundreds.
pub(crate) fn header_room(field: &str, headers: &[(String, Secret)]) -> Result<()> {
    const MOST: usize = 100;
    if headers.len() >= MOST {
        return Err(Error::configuration(
            field,
            "one more header",
            "at most 100 headers",
        ));
    }
    Ok(())
}

/// The value is not repeated in the error: it may be a credential of the user's gateway.
pub(crate) fn header_value(field: &str, value: &str) -> Result<()> {
    // Its copy of the value is zeroed.
    let copy = Bytes::from_owner(Zeroizing::new(value.as_bytes().to_vec()));
    HeaderValue::from_maybe_shared(copy).map(drop).map_err(|_| {
        Error::configuration(
            field,
            "this value",
            "free of line breaks and control characters",
        )
    })
}
