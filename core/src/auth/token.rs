//! An access token and how long it lives.

use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, Instant, SystemTime, UNIX_EPOCH};

use bytes::Bytes;
use reqwest::header::HeaderValue;
use zeroize::Zeroizing;

use crate::secret::Secret;

/// A lifetime when the service names none that can be true (GigaChat REST reference, OAuth:
/// "30 minutes").
const DEFAULT_LIFETIME: Duration = Duration::from_secs(30 * 60);
/// A token is renewed this long before it expires (I2).
const RENEWAL_MARGIN: Duration = Duration::from_secs(60);
/// A replacement that is refused as well is not replaced again before it is so old: a service that
/// answers every token with 401 would be asked for one by every call.
const REFUSED_FOR: Duration = Duration::from_secs(5);
/// Timestamps below this are seconds, above it milliseconds: 10^11 s is the year 5138, 10^11 ms
/// is 1973.
const SECONDS_BELOW: u64 = 100_000_000_000;

/// One access token. Its generation tells it apart from those before and after it.
#[derive(Debug)]
pub(crate) struct AccessToken {
    pub(crate) text: Secret,
    /// `Bearer TOKEN`, made once: a token has more than a kilobyte. `None` when no header can
    /// carry it. Like the text it is zeroed when its last user drops it.
    pub(crate) bearer: Option<HeaderValue>,
    pub(crate) generation: u64,
    lifetime: Option<Lifetime>,
    issued: Instant,
    /// The service has answered a request with this token by something else than a 401.
    proven: AtomicBool,
    /// It took the place of one that was refused.
    replacement: AtomicBool,
}

#[derive(Debug)]
struct Lifetime {
    renew_at: Instant,
    expires_at: Instant,
}

impl AccessToken {
    /// A token that was just received and lives for `lifetime`.
    pub(crate) fn issued(text: Secret, generation: u64, lifetime: Duration) -> AccessToken {
        let now = Instant::now();
        let lifetime = Lifetime {
            renew_at: now + (lifetime - renewal_margin(lifetime)),
            expires_at: now + lifetime,
        };
        AccessToken {
            bearer: bearer(&text),
            text,
            generation,
            lifetime: Some(lifetime),
            issued: now,
            proven: AtomicBool::new(false),
            replacement: AtomicBool::new(false),
        }
    }

    /// A token that the user provided; its lifetime is unknown.
    pub(crate) fn ready_made(text: Secret) -> AccessToken {
        AccessToken {
            bearer: bearer(&text),
            text,
            generation: 0,
            lifetime: None,
            issued: Instant::now(),
            proven: AtomicBool::new(false),
            replacement: AtomicBool::new(false),
        }
    }

    /// The service took it.
    pub(crate) fn prove(&self) {
        if !self.proven.load(Ordering::Relaxed) {
            self.proven.store(true, Ordering::Relaxed);
        }
    }

    /// It is asked for because its predecessor was refused.
    pub(super) fn replaces_refused(&self) {
        self.replacement.store(true, Ordering::Relaxed);
    }

    /// Whether a 401 to it says more of the account than of the token: it is new, it replaced one
    /// that was refused, and nothing has worked with it.
    pub(super) fn is_refused_for_itself(&self) -> bool {
        self.replacement.load(Ordering::Relaxed)
            && !self.proven.load(Ordering::Relaxed)
            && self.issued.elapsed() < REFUSED_FOR
    }

    /// How long it lives from when it was received; `None` when that is unknown.
    pub(super) fn lifetime(&self) -> Option<Duration> {
        self.expires_at()
            .map(|end| end.saturating_duration_since(self.issued))
    }

    /// When it stops being usable; `None` when that is unknown.
    pub(super) fn expires_at(&self) -> Option<Instant> {
        self.lifetime.as_ref().map(|lifetime| lifetime.expires_at)
    }

    pub(crate) fn is_usable(&self, now: Instant) -> bool {
        self.lifetime
            .as_ref()
            .is_none_or(|lifetime| now < lifetime.expires_at)
    }

    pub(crate) fn wants_renewal(&self, now: Instant) -> bool {
        self.lifetime
            .as_ref()
            .is_some_and(|lifetime| now >= lifetime.renew_at)
    }
}

/// How long before its end a token is renewed. One that lives for less than two minutes is renewed
/// at half time; otherwise every call would ask for a new one.
pub(super) fn renewal_margin(lifetime: Duration) -> Duration {
    RENEWAL_MARGIN.min(lifetime / 2)
}

fn bearer(token: &Secret) -> Option<HeaderValue> {
    let text = Zeroizing::new(format!("Bearer {}", token.expose()).into_bytes());
    let mut value = HeaderValue::from_maybe_shared(Bytes::from_owner(text)).ok()?;
    value.set_sensitive(true);
    Some(value)
}

/// The lifetime that an answer means: its expiry minus the service's own clock (`Date`), so that
/// a wrong local clock does not matter. Values that cannot be true give the documented 30 min.
pub(crate) fn lifetime(expires_at: Option<u64>, date: Option<SystemTime>) -> Duration {
    let Some(expires_at) = expires_at else {
        return DEFAULT_LIFETIME;
    };
    let expires_ms = match expires_at < SECONDS_BELOW {
        true => expires_at.saturating_mul(1000),
        false => expires_at,
    };
    let now_ms = date
        .unwrap_or_else(SystemTime::now)
        .duration_since(UNIX_EPOCH)
        .map_or(0, |since| since.as_millis() as u64);
    let lifetime = Duration::from_millis(expires_ms.saturating_sub(now_ms));
    let believable = Duration::from_secs(1)..=Duration::from_secs(24 * 3600);
    if believable.contains(&lifetime) {
        lifetime
    } else {
        DEFAULT_LIFETIME
    }
}

#[cfg(test)]
mod tests {
    use std::time::{Duration, Instant, UNIX_EPOCH};

    use super::{AccessToken, DEFAULT_LIFETIME, lifetime};
    use crate::secret::Secret;

    #[test]
    fn expiry_in_seconds_or_milliseconds_against_the_services_clock() {
        let date = Some(UNIX_EPOCH + Duration::from_secs(1_739_784_000));
        let cases = [
            (Some(1_739_784_600_000), 600),
            (Some(1_739_784_600), 600),
            (Some(1_739_784_000_500), 1800), // under a second
            (Some(1_739_780_000), 1800),     // past
            (Some(1_739_984_000), 1800),     // more than a day
            (Some(0), 1800),
            (Some(u64::MAX), 1800),
            (None, 1800),
        ];
        for (expires_at, seconds) in cases {
            assert_eq!(
                lifetime(expires_at, date),
                Duration::from_secs(seconds),
                "{expires_at:?}"
            );
        }
    }

    #[test]
    fn a_token_is_renewed_a_minute_before_its_end_and_short_ones_at_half_time() {
        let now = Instant::now();
        let token = AccessToken::issued(Secret::new("t"), 1, DEFAULT_LIFETIME);
        assert!(!token.wants_renewal(now + Duration::from_secs(1730)));
        assert!(token.wants_renewal(now + Duration::from_secs(1741)));
        assert!(token.is_usable(now + Duration::from_secs(1790)));
        assert!(!token.is_usable(now + Duration::from_secs(1810)));
        let short = AccessToken::issued(Secret::new("t"), 1, Duration::from_secs(10));
        assert!(!short.wants_renewal(now + Duration::from_secs(4)));
        assert!(short.wants_renewal(now + Duration::from_secs(6)));
    }
}
