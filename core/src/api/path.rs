//! Where an ask goes: a row's path with its names filled in, or any path of the service (I9, I11).
//!
//! A path of the caller's is one of the configured host, always: no scheme, no host, no way up, and
//! nothing that is one of these after decoding. `/v1/...`, `/v2/...` and `/api/...` begin at the
//! origin, others below the base URL, as the service's own clients have it.

use url::{Url, form_urlencoded};

use crate::error::{Error, Result};

/// Where an ask goes.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Place {
    /// A row's path, with its query: below the base URL.
    Row(String),
    /// A path of the caller's, checked, with its query.
    Free(String),
}

/// The URL of a place of the service that `base` belongs to.
pub(crate) fn join(base: &str, place: &Place) -> Result<Url> {
    let base = base.trim_end_matches('/');
    let parsed = |url: String| {
        Url::parse(&url).map_err(|why| Error::configuration("base_url", why, "a valid URL"))
    };
    let origin = parsed(base.to_owned())?.origin();
    let url = match place {
        // Another version of the service lies beside the configured one, wherever that is.
        Place::Row(path) if path.starts_with("/v2/") => {
            let (above, version) = base.rsplit_once('/').unwrap_or((base, ""));
            match is_version(version) {
                true => format!("{above}{path}"),
                false => format!("{base}{path}"),
            }
        }
        Place::Free(path)
            if ["/v1/", "/v2/", "/api/"]
                .iter()
                .any(|at| path.starts_with(at)) =>
        {
            format!("{}{path}", origin.ascii_serialization())
        }
        Place::Row(path) | Place::Free(path) => format!("{base}{path}"),
    };
    let url = parsed(url)?;
    match url.origin() == origin {
        true => Ok(url),
        false => Err(Error::internal("a path led to another host")),
    }
}

fn is_version(segment: &str) -> bool {
    let number = segment.strip_prefix('v').unwrap_or("");
    !number.is_empty() && number.bytes().all(|byte| byte.is_ascii_digit())
}

/// A value as one segment of a path: percent-encoded as URLs demand. `name` is the argument's.
pub(super) fn segment(name: &str, value: &str) -> Result<String> {
    // A URL would lose control characters, and be another one then.
    if value.is_empty() || value == "." || value == ".." || value.contains(char::is_control) {
        return Err(Error::invalid(
            name,
            format!("{value:?}"),
            "a name without control characters, and not . or ..",
        ));
    }
    let mut url =
        Url::parse("https://localhost/").map_err(|_| Error::internal("no base for a path"))?;
    url.path_segments_mut()
        .map_err(|()| Error::internal("no base for a path"))?
        .push(value);
    Ok(url.path().trim_start_matches('/').to_owned())
}

/// `?a=b&c=d`, or nothing.
pub(super) fn query(pairs: &[(String, String)]) -> String {
    match pairs.is_empty() {
        true => String::new(),
        false => {
            let mut query = form_urlencoded::Serializer::for_suffix("?".to_owned(), 1);
            query.extend_pairs(pairs);
            query.finish()
        }
    }
}

/// Checks a path of the caller's, which may have a query.
pub(super) fn check(path: &str) -> Result<()> {
    let why = match path.split_once('?') {
        Some((path, query)) => fault_of_path(path).or_else(|| fault_of_text(query)),
        None => fault_of_path(path),
    };
    match why {
        None => Ok(()),
        Some(accepted) => {
            let shown: String = path.chars().take(80).collect();
            Err(Error::invalid("path", format!("{shown:?}"), accepted))
        }
    }
}

fn fault_of_path(path: &str) -> Option<&'static str> {
    let Some(segments) = path.strip_prefix('/') else {
        return Some("a path that begins with /, without scheme and host");
    };
    if let Some(fault) = fault_of_text(path) {
        return Some(fault);
    }
    let mut segments = segments.split('/').peekable();
    while let Some(segment) = segments.next() {
        if segment.is_empty() && segments.peek().is_some() {
            return Some("one without //");
        }
        // Some servers take what follows a semicolon for parameters of the segment.
        let name = segment.split(';').next().unwrap_or("");
        if matches!(name, "." | "..") {
            return Some("one without . and .. between slashes");
        }
    }
    None
}

/// What neither a path nor a query may have.
fn fault_of_text(text: &str) -> Option<&'static str> {
    let odd = |c: char| c.is_control() || c.is_whitespace() || matches!(c, '\\' | '#');
    if text.contains(odd) {
        return Some("one without spaces, control characters, \\ and #");
    }
    let mut rest = text.as_bytes();
    while let Some(at) = memchr::memchr(b'%', rest) {
        let digits = rest
            .get(at + 1..at + 3)
            .and_then(|two| std::str::from_utf8(two).ok());
        let byte = digits
            .filter(|two| two.bytes().all(|digit| digit.is_ascii_hexdigit()))
            .and_then(|two| u8::from_str_radix(two, 16).ok());
        match byte {
            None => return Some("one where two hexadecimal digits follow each %"),
            Some(b'/' | b'\\' | b'.' | b'%' | b'?' | b'#' | 0..=0x1f | 0x7f) => {
                return Some("one without encoded / \\ . % ? # and control characters");
            }
            Some(_) => rest = &rest[at + 3..],
        }
    }
    None
}

#[cfg(test)]
mod tests {
    use super::{Place, check, join, query, segment};

    fn url(base: &str, place: Place) -> String {
        join(base, &place).unwrap().to_string()
    }

    #[test]
    fn some_paths_begin_at_the_origin_and_others_below_the_base_url() {
        let free = |path: &str| url("https://h.example/api/v1/", Place::Free(path.into()));
        assert_eq!(free("/balance"), "https://h.example/api/v1/balance");
        assert_eq!(free("/v1/x?a=%20b"), "https://h.example/v1/x?a=%20b");
        assert_eq!(free("/v2/x"), "https://h.example/v2/x");
        assert_eq!(free("/api/v2/x"), "https://h.example/api/v2/x");
        assert_eq!(free("/v1x/y"), "https://h.example/api/v1/v1x/y");
    }

    #[test]
    fn another_version_lies_beside_the_configured_one() {
        let row = |base: &str| url(base, Place::Row("/v2/chat/completions".into()));
        assert_eq!(
            row("https://h.example/api/v1"),
            "https://h.example/api/v2/chat/completions"
        );
        assert_eq!(
            row("https://h.example"),
            "https://h.example/v2/chat/completions"
        );
        assert_eq!(
            row("https://h.example/giga"),
            "https://h.example/giga/v2/chat/completions"
        );
    }

    #[test]
    fn no_path_leads_to_another_host_or_up() {
        for refused in [
            "",
            "balance",
            "https://evil.example/x",
            "//evil.example/x",
            "/\\evil.example/x",
            "/v1/../admin",
            "/v1/..",
            "/./x",
            "/v1/..;/x",
            "/v1/%2e%2e/x",
            "/v1/%2E./x",
            "/v1/%252e%252e/x",
            "/v1/a%2fb",
            "/v1/a%5cb",
            "/v1//x",
            "/x y",
            "/x\r\nHost: evil",
            "/x\t",
            "/x\0",
            "/x#y",
            "/x%",
            "/x%zz",
            "/x%00",
            "/x?a=b#c",
            "/x?a=%0d%0a",
            "/x?a=b c",
            "@evil.example/",
            ":80/x",
        ] {
            let error = check(refused).unwrap_err();
            assert!(error.message().contains("path"), "{refused}: {error}");
        }
        for accepted in [
            "/balance",
            "/v1/files/",
            "/files/a%20b",
            "/x?a=b&c=%D0%B9",
            "/файл",
        ] {
            check(accepted).unwrap();
        }
    }

    #[test]
    fn values_of_a_row_are_one_segment_and_one_pair_each() {
        assert_eq!(segment("id", "a/b?c#d e").unwrap(), "a%2Fb%3Fc%23d%20e");
        for refused in ["", ".", "..", "a\nb"] {
            segment("id", refused).unwrap_err();
        }
        let pairs = [("a&b".to_owned(), "c=d й".to_owned())];
        assert_eq!(query(&pairs), "?a%26b=c%3Dd+%D0%B9");
        assert_eq!(query(&[]), "");
    }
}
