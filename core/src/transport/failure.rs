//! What went wrong with an exchange, in words that the user can act on.

use std::error::Error as StdError;

use reqwest::header::HeaderMap;

use crate::error::{Error, ErrorKind, Phase};
use crate::retry;
use crate::wire::complaint::{Complaint, shown};

/// The deepest cause's own text: the outer ones repeat the URL and say little.
pub(super) fn root_cause(error: &(dyn StdError + 'static)) -> String {
    let mut cause = error;
    while let Some(deeper) = cause.source() {
        cause = deeper;
    }
    // It may hold words of the other side.
    shown(&cause.to_string()).unwrap_or_default()
}

/// Whether the connection broke before any byte of an answer, in a way that says that the server
/// had closed it.
pub(super) fn broke_before_answer(error: &reqwest::Error) -> bool {
    if error.is_connect() || error.is_timeout() || error.is_builder() {
        return false;
    }
    let hyper_says = find::<hyper::Error>(error).is_some_and(|hyper| {
        hyper.is_incomplete_message() || hyper.is_canceled() || hyper.is_closed()
    });
    let http2_says = find::<h2::Error>(error)
        .is_some_and(|h2| (h2.is_go_away() && !h2.is_library()) || h2.is_io());
    hyper_says || http2_says || find::<std::io::Error>(error).is_some()
}

/// Whether the connection was found closed before anything of the request was written to it.
pub(super) fn was_not_sent(error: &reqwest::Error) -> bool {
    find::<hyper::Error>(error).is_some_and(hyper::Error::is_canceled)
}

/// The error of an exchange that brought no answer.
pub(super) fn explain(error: &reqwest::Error, host: &str, phase: Phase) -> Error {
    if let Some(why) = exhausted(error) {
        let text = format!(
            "no connection to {host}: this process has run out of descriptors, memory or ports ({why}); \
             close some connections or files, or raise its limits (ulimit -n)"
        );
        return Error::new(ErrorKind::Internal, Phase::Connect, text).with_retryable(true);
    }
    if let Some(text) = crate::tls::explain(error) {
        return Error::new(
            ErrorKind::Tls,
            Phase::Connect,
            format!("TLS with {host} failed: {text}"),
        );
    }
    let cause = match root_cause(error) {
        // hyper-util's word for a proxy's answer to CONNECT that is neither 200 nor 407.
        text if text == "tunnel error: unsuccessful" => {
            "the proxy refuses to lead there".to_owned()
        }
        text => text,
    };
    if error.is_connect() && error.is_timeout() {
        let text = format!("no connection to {host} within connect_timeout");
        return Error::new(ErrorKind::Timeout, Phase::Connect, text).with_retryable(true);
    }
    if error.is_connect() {
        let text = format!("no connection to {host}: {cause}");
        return Error::new(ErrorKind::Connection, Phase::Connect, text).with_retryable(true);
    }
    if error.is_builder() {
        return Error::internal(format!("the request to {host} cannot be built: {cause}"));
    }
    if is_no_http(error) {
        let text = format!("the answer of {host} is not HTTP: {cause}");
        return Error::new(ErrorKind::Protocol, phase, text);
    }
    let text = format!("the connection to {host} broke before an answer: {cause}");
    Error::new(ErrorKind::Connection, phase, text).with_retryable(true)
}

/// Why this process could not even begin to connect, if that is the reason: nothing of the other side.
fn exhausted(error: &reqwest::Error) -> Option<std::io::Error> {
    if !error.is_connect() {
        return None;
    }
    let ran_out = |why: &std::io::Error| {
        matches!(
            why.raw_os_error(),
            Some(libc::EMFILE | libc::ENFILE | libc::ENOBUFS | libc::ENOMEM | libc::EADDRNOTAVAIL)
        )
    };
    if let Some(code) = causes(error)
        .filter_map(|cause| cause.downcast_ref::<std::io::Error>())
        .filter(|why| ran_out(why))
        .find_map(std::io::Error::raw_os_error)
    {
        return Some(std::io::Error::from_raw_os_error(code));
    }
    // A look-up of the name that had no descriptor says that there is no such name.
    std::fs::File::open("/").err().filter(ran_out)
}

/// Whether the answer breaks the rules of HTTP: it cannot be parsed, or the HTTP/2 layer found it
/// wrong by itself (and was not told so by the other side).
fn is_no_http(error: &reqwest::Error) -> bool {
    find::<hyper::Error>(error).is_some_and(hyper::Error::is_parse)
        || find::<h2::Error>(error).is_some_and(h2::Error::is_library)
}

/// The error that a status stands for, with what the service said and what to do about it.
pub(super) fn of_status(status: u16, headers: &HeaderMap, body: &[u8], phase: Phase) -> Error {
    let kind = ErrorKind::of_status(status);
    let complaint = Complaint::of_error_body(body);
    let said = match complaint.words {
        Some(message) => format!(": {message}"),
        None => String::new(),
    };
    let text = match (status, phase) {
        (401, Phase::Token) => format!(
            "the authorization key was refused{said}; check that it is copied whole and not revoked"
        ),
        (401, _) => format!("the access token was refused{said}"),
        (400, Phase::Token) => format!(
            "the token request was refused{said}; check that the scope is the one of this authorization key"
        ),
        (402, _) => {
            format!("the tokens of this model are used up{said}; buy more or use another model")
        }
        (403, _) => format!("this account may not do that{said}"),
        (404, _) => format!("not found{said}; check the model's name and the base URL"),
        (413, _) => format!("the request is too large{said}; shorten the prompt"),
        (429, _) => {
            format!("too many requests at once or per second{said}; lower max_concurrency or wait")
        }
        (400..=499, _) => format!("the service refused the request{said}"),
        (500..=599, _) => format!("the service failed{said}"),
        _ => format!("the service answered with an unexpected status{said}"),
    };
    let retryable = matches!(status, 429 | 500 | 502 | 503 | 504);
    Error::new(kind, phase, text)
        .with_status(status)
        .with_code(complaint.code)
        .with_body(body)
        .with_retry_after(retry::retry_after(headers))
        .with_retryable(retryable)
}

/// Whether no connection was opened since another one can be shared.
pub(super) fn can_share(error: &reqwest::Error) -> bool {
    find::<super::connect::CanBeShared>(error).is_some()
}

/// The first cause of this type.
fn find<T: StdError + 'static>(error: &reqwest::Error) -> Option<&T> {
    causes(error).find_map(|cause| cause.downcast_ref())
}

/// The error and what it comes from, from the outside in.
fn causes(error: &reqwest::Error) -> impl Iterator<Item = &(dyn StdError + 'static)> {
    let mut next: Option<&(dyn StdError + 'static)> = Some(error);
    std::iter::from_fn(move || {
        let cause = next?;
        next = cause.source();
        Some(cause)
    })
}
