//! Keeps the credentials of a request out of the error that its answer becomes (I13): a gateway or
//! a token endpoint may repeat what it was sent.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use reqwest::header::HeaderMap;
use zeroize::Zeroizing;

use crate::error::Error;

/// What is shorter is found in every text.
const SHORTEST: usize = 6;

/// The error without the values of the request's sensitive headers.
pub(crate) fn without_credentials(error: Error, headers: &HeaderMap) -> Error {
    let sensitive = headers.values().filter(|value| value.is_sensitive());
    sensitive
        .filter_map(|value| value.to_str().ok())
        .flat_map(spellings)
        .fold(error, |error, secret| error.without(&secret))
}

/// A header's credential as it may be repeated: without its scheme, taken apart, and as JSON and
/// URLs write it.
fn spellings(value: &str) -> Vec<Zeroizing<String>> {
    let credential = match value.split_once(' ') {
        Some(("Basic" | "Bearer", credential)) => credential,
        _ => value,
    };
    let mut secrets = vec![Zeroizing::new(credential.to_owned())];
    if value.starts_with("Basic ")
        && let Ok(decoded) = STANDARD.decode(credential).map(Zeroizing::new)
        && let Ok(pair) = std::str::from_utf8(&decoded)
        && let Some((_, password)) = pair.split_once(':')
    {
        secrets.extend([pair, password].map(|secret| Zeroizing::new(secret.to_owned())));
    }
    let changed = |secret: &Zeroizing<String>| {
        let json = secret.replace('/', "\\/");
        let url: String = url::form_urlencoded::byte_serialize(secret.as_bytes()).collect();
        [json, url].map(Zeroizing::new)
    };
    let written: Vec<_> = secrets.iter().flat_map(changed).collect();
    secrets.extend(written);
    secrets.retain(|secret| secret.len() >= SHORTEST);
    // The longer first: one may be a part of another.
    secrets.sort_by_key(|secret| std::cmp::Reverse(secret.len()));
    secrets.dedup();
    secrets
}

#[cfg(test)]
mod tests {
    use reqwest::header::{AUTHORIZATION, HeaderMap, HeaderValue};

    use super::without_credentials;
    use crate::error::{Error, ErrorKind, Phase};

    fn hidden(header: &str, message: &str, body: &str) -> (String, String) {
        let mut value = HeaderValue::from_str(header).unwrap();
        value.set_sensitive(true);
        let headers = HeaderMap::from_iter([(AUTHORIZATION, value)]);
        let error =
            Error::new(ErrorKind::Server, Phase::Answer, message).with_body(body.as_bytes());
        let error = without_credentials(error, &headers);
        (
            error.message().to_owned(),
            String::from_utf8(error.body().to_vec()).unwrap(),
        )
    }

    #[test]
    fn a_credential_that_is_repeated_is_hidden_in_every_spelling() {
        // base64 of "client:secret+/x"
        let header = "Basic Y2xpZW50OnNlY3JldCsveA==";
        let (message, body) = hidden(
            header,
            "no Y2xpZW50OnNlY3JldCsveA==, no client:secret+/x, no secret+/x",
            r#"{"key":"Y2xpZW50OnNlY3JldCsveA%3D%3D","pair":"secret+\/x"}"#,
        );
        assert_eq!(message, "no [secret], no [secret], no [secret]");
        assert_eq!(body, r#"{"key":"[secret]","pair":"[secret]"}"#);
    }

    #[test]
    fn a_credential_that_was_cut_is_hidden_too() {
        let token = "abcdefghijklmnopqrstuvwxyz";
        let (message, _) = hidden(&format!("Bearer {token}"), "no abcdefghijkl…", "");
        assert_eq!(message, "no [secret]…");
        let body = "x".repeat(64 * 1024 - 10) + token;
        let (_, body) = hidden(&format!("Bearer {token}"), "", &body);
        assert!(!body.contains("abcdef"), "{}", &body[64 * 1024 - 20..]);
    }
}
