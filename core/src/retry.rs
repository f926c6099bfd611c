//! When a request may be sent again, and after how long (I4). Decides only; sending and waiting
//! happen elsewhere.

use std::time::{Duration, SystemTime};

use reqwest::header::{HeaderMap, RETRY_AFTER};

use crate::error::{Error, ErrorKind, Phase};
use crate::jitter::random_fraction;

/// No `Retry-After` is believed beyond this; a longer one ends the call with the error instead,
/// when the deadline ends it first.
const LONGEST_RETRY_AFTER: Duration = Duration::from_secs(60);
/// What must be left of the time limit for an attempt.
pub(crate) const LEAST_ROOM: Duration = Duration::from_millis(100);
const FIRST_BACKOFF: Duration = Duration::from_millis(500);
const LONGEST_BACKOFF: Duration = Duration::from_secs(8);

/// Which failures are retried.
#[derive(Clone, Copy, Debug)]
pub(crate) struct RetryRule {
    /// Whether a request whose connection broke before an answer is sent again; the service may
    /// have received and billed it.
    pub(crate) broken_connections: bool,
    /// Whether the service may do what is asked for twice. If not, only what it cannot have begun is
    /// sent again.
    pub(crate) repeatable: bool,
}

impl RetryRule {
    /// Whether the same request may be sent once more.
    pub(crate) fn allows(self, error: &Error) -> bool {
        match (error.kind(), error.status()) {
            (ErrorKind::RateLimit, _) => true,
            // Nothing was sent yet: always safe.
            // Descriptors that had run out (an internal error) may be there again.
            (ErrorKind::Connection | ErrorKind::Timeout | ErrorKind::Internal, _)
                if error.phase() == Phase::Connect =>
            {
                true
            }
            _ if !self.repeatable => false,
            (ErrorKind::Server, Some(500 | 502 | 503 | 504)) => true,
            (ErrorKind::Connection | ErrorKind::IncompleteStream, _) => self.broken_connections,
            _ => false,
        }
    }
}

/// A random wait between half and all of 0.5 s, 1 s, 2 s, 4 s, 8 s, 8 s, ... for attempt 1, 2, ...
pub(crate) fn jittered_backoff(attempt: u32) -> Duration {
    let doubled = FIRST_BACKOFF.saturating_mul(1 << attempt.saturating_sub(1).min(10));
    let longest = doubled.min(LONGEST_BACKOFF);
    longest.div_f64(2.0) + longest.div_f64(2.0).mul_f64(random_fraction())
}

/// How long to wait before attempt number `attempt + 1`: what the service asked for, and up to a
/// fifth more so that all who were told the same do not come back at once, or else a backoff.
/// `None` when that would not be over within `left`.
pub(crate) fn wait_before_retry(error: &Error, attempt: u32, left: Duration) -> Option<Duration> {
    let wait = error
        .retry_after()
        .unwrap_or_else(|| jittered_backoff(attempt));
    // An attempt that has no time left would only hide this error behind a timeout.
    let least = (wait / 2).min(LEAST_ROOM);
    let room = left.checked_sub(wait).filter(|room| *room > least)?;
    let later = match error.retry_after() {
        Some(wait) => (wait / 5).min(room - least).mul_f64(random_fraction()),
        None => Duration::ZERO,
    };
    Some(wait + later)
}

/// `Retry-After` as seconds or HTTP date, or `Retry-After-Ms`; capped at 60 s. A date in the
/// past is no wait; a text that means nothing is none.
pub(crate) fn retry_after(headers: &HeaderMap) -> Option<Duration> {
    let text = |name: &str| {
        headers
            .get(name)
            .and_then(|value| value.to_str().ok())
            .map(str::trim)
    };
    let milliseconds = text("retry-after-ms")
        .and_then(|ms| ms.parse::<f64>().ok())
        .map(|ms| ms / 1000.0);
    let seconds = milliseconds.or_else(|| text(RETRY_AFTER.as_str())?.parse::<f64>().ok());
    let wait = match seconds {
        Some(seconds) if seconds >= 0.0 => {
            Duration::try_from_secs_f64(seconds).unwrap_or(LONGEST_RETRY_AFTER)
        }
        Some(_) => return None,
        None => {
            let date = httpdate::parse_http_date(text(RETRY_AFTER.as_str())?).ok()?;
            date.duration_since(SystemTime::now())
                .unwrap_or(Duration::ZERO)
        }
    };
    Some(wait.min(LONGEST_RETRY_AFTER))
}

#[cfg(test)]
mod tests {
    use std::time::{Duration, SystemTime};

    use reqwest::header::{HeaderMap, HeaderName, HeaderValue};

    use super::{RetryRule, jittered_backoff, retry_after, wait_before_retry};
    use crate::error::{Error, ErrorKind, Phase};

    fn headers(name: &'static str, value: &str) -> HeaderMap {
        let name = HeaderName::from_static(name);
        HeaderMap::from_iter([(name, HeaderValue::from_str(value).unwrap())])
    }

    #[test]
    fn retry_after_is_read_in_seconds_milliseconds_and_as_a_date_and_capped() {
        let read = |value| retry_after(&headers("retry-after", value));
        assert_eq!(read("2"), Some(Duration::from_secs(2)));
        assert_eq!(read("0.5"), Some(Duration::from_millis(500)));
        assert_eq!(read("99999999"), Some(Duration::from_secs(60)));
        assert_eq!(read("1e300"), Some(Duration::from_secs(60)));
        assert_eq!(read("-5"), None);
        assert_eq!(read("NaN"), None);
        assert_eq!(read("soon"), None);
        assert_eq!(read("Wed, 21 Oct 2015 07:28:00 GMT"), Some(Duration::ZERO));
        let soon = httpdate::fmt_http_date(SystemTime::now() + Duration::from_secs(20));
        let wait = read(&soon).unwrap();
        assert!(
            wait > Duration::from_secs(10) && wait <= Duration::from_secs(20),
            "{wait:?}"
        );
        assert_eq!(
            retry_after(&headers("retry-after-ms", "250")),
            Some(Duration::from_millis(250))
        );
        assert_eq!(retry_after(&HeaderMap::new()), None);
    }

    #[test]
    fn the_backoff_doubles_with_jitter_up_to_eight_seconds() {
        for (attempt, longest) in [(1, 500), (2, 1000), (3, 2000), (5, 8000), (50, 8000)] {
            let wait = jittered_backoff(attempt).as_millis();
            assert!(
                wait >= longest / 2 && wait <= longest,
                "attempt {attempt}: {wait} ms"
            );
        }
    }

    #[test]
    fn those_who_are_told_the_same_wait_come_back_one_after_the_other() {
        let told = Error::new(ErrorKind::RateLimit, Phase::Answer, "x")
            .with_retry_after(Some(Duration::from_secs(1)));
        let waits: Vec<_> = (0..200)
            .map(|_| wait_before_retry(&told, 1, Duration::from_secs(30)).unwrap())
            .collect();
        let (first, last) = (waits.iter().min().unwrap(), waits.iter().max().unwrap());
        assert!(*first >= Duration::from_secs(1) && *last <= Duration::from_millis(1200));
        assert!(
            *last - *first > Duration::from_millis(100),
            "they are spread"
        );
        let (just, short) = (Duration::from_millis(1150), Duration::from_millis(1000));
        assert!(wait_before_retry(&told, 1, just).unwrap() < just);
        assert_eq!(wait_before_retry(&told, 1, short), None);
    }

    #[test]
    fn only_what_may_pass_is_retried() {
        let rule = RetryRule {
            broken_connections: true,
            repeatable: true,
        };
        let status = |status| {
            Error::new(ErrorKind::of_status(status), Phase::Answer, "x").with_status(status)
        };
        for retried in [429, 500, 502, 503, 504] {
            assert!(rule.allows(&status(retried)), "{retried}");
        }
        for refused in [302, 400, 401, 402, 403, 404, 413, 422, 501, 505] {
            assert!(!rule.allows(&status(refused)), "{refused}");
        }
        let at = |kind, phase| Error::new(kind, phase, "x");
        assert!(rule.allows(&at(ErrorKind::Timeout, Phase::Connect)));
        assert!(
            !rule.allows(&at(ErrorKind::Timeout, Phase::Answer)),
            "a read timeout may have been billed"
        );
        assert!(rule.allows(&at(ErrorKind::Connection, Phase::Answer)));
        let careful = RetryRule {
            broken_connections: false,
            repeatable: true,
        };
        assert!(!careful.allows(&at(ErrorKind::Connection, Phase::Answer)));
        assert!(careful.allows(&at(ErrorKind::Connection, Phase::Connect)));
        assert!(!rule.allows(&at(ErrorKind::Tls, Phase::Connect)));
        let once = RetryRule {
            broken_connections: true,
            repeatable: false,
        };
        assert!(once.allows(&status(429)));
        assert!(once.allows(&at(ErrorKind::Connection, Phase::Connect)));
        assert!(once.allows(&at(ErrorKind::Timeout, Phase::Connect)));
        assert!(!once.allows(&status(503)), "it may have been done");
        assert!(!once.allows(&at(ErrorKind::Connection, Phase::Answer)));
    }
}
