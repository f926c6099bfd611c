//! The checks that only a configuration needs: secrets, URLs, hosts, PEM. What a request and a
//! router check too is in `limits`.

use std::path::PathBuf;

use url::Url;

use super::{PemSource, Scope};
use crate::error::{Error, Result};
use crate::host::HOST;
use crate::secret::Secret;

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

/// Where processes share what they share: a word or an absolute path.
pub(super) fn shared_place(field: &str, place: &str) -> Result<String> {
    let usable = place == HOST || (place.starts_with('/') && !place.contains('\0'));
    match usable {
        true => Ok(place.to_owned()),
        false => Err(Error::configuration(
            field,
            format!("{place:?}"),
            "\"host\" or the absolute path of a folder",
        )),
    }
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
