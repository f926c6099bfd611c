//! What a value that the caller sets may be: ranges, lengths, headers, and how numbers, times and
//! truth values are written as text. A provider's configuration, a router's settings and a
//! request's own options share them, so that each range stands here once.
//!
//! A value that is refused is a [`Refused`]; whose error it becomes, its user decides.

use std::fmt::Display;
use std::time::Duration;

use bytes::Bytes;
use reqwest::header::{HeaderName, HeaderValue};
use zeroize::Zeroizing;

/// A value that is not accepted: the field, the value as it may be shown, and what is accepted.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct Refused {
    pub(crate) field: String,
    pub(crate) value: String,
    pub(crate) accepted: String,
}

impl Refused {
    pub(crate) fn new(field: &str, value: impl Display, accepted: impl Display) -> Refused {
        Refused {
            field: field.to_owned(),
            value: value.to_string(),
            accepted: accepted.to_string(),
        }
    }
}

type Checked<T> = Result<T, Refused>;

/// From the least to the most, both included, in milliseconds.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Span {
    least: u64,
    most: u64,
}

/// A time limit of a call: 1 ms to 1 h.
pub(crate) const CALL_TIME: Span = Span::of(1, 3_600_000);
/// A time limit that may span a day: 1 ms to 24 h.
pub(crate) const LONG_TIME: Span = Span::of(1, 86_400_000);
/// A wait that may be none: 0 s to 1 h.
pub(crate) const WAIT: Span = Span::of(0, 3_600_000);
/// A cooldown: 10 ms to 1 h.
pub(crate) const COOLDOWN: Span = Span::of(10, 3_600_000);

/// From the least to the most, both included.
pub(crate) type Range = (u64, u64);

/// Attempts after the first.
pub(crate) const RETRIES: Range = (0, 10);
/// Requests in flight per credential; 0 is no limit.
pub(crate) const CONCURRENCY: Range = (0, 10_000);
/// Connections to one host; 0 is no limit.
pub(crate) const CONNECTIONS: Range = (0, 10_000);
/// The size of what is kept of an answer: 1 KiB to 1 GiB.
pub(crate) const BYTES: Range = (1024, 1 << 30);
/// A router's small numbers: weights, failures in a row.
pub(crate) const THOUSAND: Range = (1, 1000);
/// The tokens of an answer; the service takes a signed number of 32 bits.
pub(crate) const TOKENS: Range = (1, i32::MAX as u64);
/// Headers of the caller's own: no server takes hundreds.
const MOST_HEADERS: usize = 100;
/// Their names and values together; servers refuse more than 8 to 64 KiB.
const MOST_HEADER_BYTES: usize = 64 * 1024;

impl Span {
    const fn of(least: u64, most: u64) -> Span {
        Span { least, most }
    }

    /// Least and most in seconds.
    pub(crate) const fn seconds(self) -> (f64, f64) {
        (self.least as f64 / 1000.0, self.most as f64 / 1000.0)
    }

    pub(crate) fn check(self, field: &str, value: Duration) -> Checked<Duration> {
        let least = Duration::from_millis(self.least);
        let most = Duration::from_millis(self.most);
        if (least..=most).contains(&value) {
            return Ok(value);
        }
        let shown = format!("{} seconds", value.as_secs_f64());
        let (least, most) = self.seconds();
        let accepted = format!("from {least} to {most} seconds");
        Err(Refused::new(field, shown, accepted))
    }
}

/// A whole number of a range.
pub(crate) fn whole<T: TryInto<u64> + TryFrom<u64> + Display + Copy>(
    field: &str,
    value: T,
    (least, most): Range,
) -> Checked<T> {
    let inside = value
        .try_into()
        .is_ok_and(|value: u64| (least..=most).contains(&value));
    if inside {
        return Ok(value);
    }
    let accepted = format!("from {least} to {most}");
    Err(Refused::new(field, value, accepted))
}

/// Text of `low` to `high` characters, not blank.
pub(crate) fn length(field: &str, text: &str, low: usize, high: usize) -> Checked<()> {
    let count = text.trim().chars().count();
    if count < low || text.len() > high * 4 || text.chars().count() > high {
        let value = format!("a text of {count} characters");
        let accepted = format!("{low} to {high} characters long");
        return Err(Refused::new(field, value, accepted));
    }
    Ok(())
}

/// Names with commas between them, or a JSON list of them.
pub(crate) fn names(field: &str, text: &str) -> Checked<Vec<String>> {
    if text.trim_start().starts_with('[') {
        return serde_json::from_str(text).map_err(|_| {
            Refused::new(
                field,
                "this text",
                "names with commas between them, or a JSON list",
            )
        });
    }
    let names = text
        .split(',')
        .map(str::trim)
        .filter(|name| !name.is_empty());
    Ok(names.map(str::to_owned).collect())
}

/// An id that goes into a header of the service.
pub(crate) fn identifier(field: &str, id: &str) -> Checked<String> {
    let printable = id.bytes().all(|byte| (0x20..0x7f).contains(&byte));
    if id.is_empty() || id.len() > 1024 || !printable {
        let accepted = "1 to 1024 printable ASCII characters";
        return Err(Refused::new(field, "this text", accepted));
    }
    Ok(id.to_owned())
}

/// A header name that the caller may set, in lower case. Headers that this library or HTTP
/// itself owns are refused.
pub(crate) fn header_name(field: &str, name: &str) -> Checked<String> {
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
    let value = format_args!("the name {name:?}").to_string();
    let Ok(parsed) = HeaderName::from_bytes(name.as_bytes()) else {
        return Err(Refused::new(field, value, "a valid header name"));
    };
    if OWNED.contains(&parsed.as_str()) || parsed.as_str().starts_with("proxy-") {
        let accepted = "a header that the library does not set itself (credentials, the user agent, the request's id and the proxy have options of their own)";
        return Err(Refused::new(field, value, accepted));
    }
    Ok(parsed.as_str().to_owned())
}

/// The value is not repeated in the error: it may be a credential of the user's gateway.
pub(crate) fn header_value(field: &str, value: &str) -> Checked<()> {
    // Its copy of the value is zeroed.
    let copy = Bytes::from_owner(Zeroizing::new(value.as_bytes().to_vec()));
    match HeaderValue::from_maybe_shared(copy) {
        Ok(_) => Ok(()),
        Err(_) => {
            let accepted = "free of line breaks and control characters";
            Err(Refused::new(field, "this value", accepted))
        }
    }
}

/// Whether one more header of so many bytes has room beside others of these.
pub(crate) fn header_room(
    field: &str,
    others: impl Iterator<Item = usize>,
    bytes: usize,
) -> Checked<()> {
    let (count, sum) = others.fold((1, bytes), |(count, sum), one| (count + 1, sum + one));
    if count > MOST_HEADERS {
        let accepted = format!("at most {MOST_HEADERS} headers");
        return Err(Refused::new(field, "one more header", accepted));
    }
    if sum > MOST_HEADER_BYTES {
        let value = format!("headers of {sum} bytes together");
        let accepted = format!("at most {MOST_HEADER_BYTES} bytes");
        return Err(Refused::new(field, value, accepted));
    }
    Ok(())
}

/// `Name: value` lines, as HTTP writes headers.
pub(crate) fn header_lines<'a>(field: &str, text: &'a str) -> Checked<Vec<(&'a str, &'a str)>> {
    let lines = text.lines().filter(|line| !line.trim().is_empty());
    let pairs = lines.map(|line| {
        let (name, value) = line
            .split_once(':')
            .ok_or_else(|| Refused::new(field, "this text", "lines of the form `Name: value`"))?;
        Ok((name.trim(), value.trim()))
    });
    pairs.collect()
}

/// A length of time, written as a number of seconds.
pub(crate) fn seconds_of(field: &str, text: &str) -> Checked<Duration> {
    let seconds = text.trim().parse::<f64>().ok();
    seconds
        .and_then(|seconds| Duration::try_from_secs_f64(seconds).ok())
        .ok_or_else(|| Refused::new(field, format!("{text:?}"), "a number of seconds"))
}

/// A whole number, 0 or more.
pub(crate) fn whole_of(field: &str, text: &str) -> Checked<u64> {
    let number = text.trim().parse();
    number.map_err(|_| Refused::new(field, format!("{text:?}"), "a whole number"))
}

/// A number.
pub(crate) fn number_of(field: &str, text: &str) -> Checked<f64> {
    let number = text.trim().parse::<f64>().ok();
    number
        .filter(|number| number.is_finite())
        .ok_or_else(|| Refused::new(field, format!("{text:?}"), "a number"))
}

/// A truth value, in any of the usual words.
pub(crate) fn boolean_of(field: &str, text: &str) -> Checked<bool> {
    match text.trim().to_ascii_lowercase().as_str() {
        "1" | "true" | "yes" | "on" | "y" | "t" => Ok(true),
        "0" | "false" | "no" | "off" | "n" | "f" => Ok(false),
        _ => Err(Refused::new(field, format!("{text:?}"), "true or false")),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_value_outside_its_range_is_refused_with_the_range() {
        let refused = CALL_TIME.check("timeout", Duration::ZERO).unwrap_err();
        assert_eq!(refused.value, "0 seconds");
        assert_eq!(refused.accepted, "from 0.001 to 3600 seconds");
        assert!(WAIT.check("ramp", Duration::ZERO).is_ok());
        assert_eq!(whole("weight", 1000_u32, THOUSAND), Ok(1000));
        let refused = whole("weight", 0_u32, THOUSAND).unwrap_err();
        assert_eq!(refused.accepted, "from 1 to 1000");
    }

    #[test]
    fn values_are_read_from_their_text() {
        let seconds = seconds_of("timeout", " 1.5 ").unwrap();
        assert_eq!(seconds, Duration::from_millis(1500));
        for text in ["", "-1", "soon", "1e30", "nan"] {
            assert!(seconds_of("timeout", text).is_err(), "{text}");
        }
        assert_eq!(boolean_of("verify_tls", " Off "), Ok(false));
        assert!(boolean_of("verify_tls", "perhaps").is_err());
        assert_eq!(whole_of("max_retries", "3"), Ok(3));
        assert!(whole_of("max_retries", "3.5").is_err());
        assert!(number_of("top_p", "inf").is_err());
    }

    #[test]
    fn headers_are_bounded_in_number_and_in_bytes() {
        let none = std::iter::empty;
        let room = |others: &[usize], bytes| header_room("h", others.iter().copied(), bytes);
        assert!(header_room("h", none(), 64 * 1024).is_ok());
        assert!(header_room("h", none(), 64 * 1024 + 1).is_err());
        assert!(room(&[32 * 1024], 32 * 1024).is_ok());
        assert!(room(&[32 * 1024, 1], 32 * 1024).is_err());
        assert!(room(&[1; 99], 1).is_ok());
        assert!(room(&[1; 100], 1).is_err());
    }

    #[test]
    fn headers_are_read_line_by_line() {
        let read = header_lines("extra_headers", "X-Tenant: 7\n\nX-Zone: a: b\r\n").unwrap();
        assert_eq!(read, [("X-Tenant", "7"), ("X-Zone", "a: b")]);
        assert!(header_lines("extra_headers", "X-Tenant 7").is_err());
    }
}
