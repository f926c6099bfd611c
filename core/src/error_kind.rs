//! The table of error kinds: one row each, with the name that logs and bindings show and the number
//! that is its status in C. Every binding's names come from here.

macro_rules! kinds {
    ($($(#[doc = $doc:literal])* $kind:ident = $name:literal, $number:literal;)*) => {
        /// The cause of an error, as a caller decides by it.
        #[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
        #[non_exhaustive]
        pub enum ErrorKind {
            $($(#[doc = $doc])* $kind,)*
        }

        impl ErrorKind {
            /// Every kind, in the order of the table.
            pub const ALL: &'static [ErrorKind] = &[$(ErrorKind::$kind),*];

            /// The kind's name in lower snake case, as logs and bindings show it.
            pub const fn name(self) -> &'static str {
                match self {
                    $(ErrorKind::$kind => $name,)*
                }
            }

            /// What it means, in a sentence.
            pub const fn doc(self) -> &'static str {
                match self {
                    $(ErrorKind::$kind => concat!($($doc),*),)*
                }
            }

            /// The kind's number: its status in the C library.
            pub const fn number(self) -> i32 {
                match self {
                    $(ErrorKind::$kind => $number,)*
                }
            }
        }
    };
}

kinds! {
    /// 401: the authorization key, access token or password is wrong, expired or revoked.
    Authentication = "authentication", 32;
    /// 402: the paid tokens of this model are used up.
    PaymentRequired = "payment_required", 33;
    /// 403: this account may not do that.
    PermissionDenied = "permission_denied", 34;
    /// 404: no such model, file or path.
    NotFound = "not_found", 35;
    /// 413: the prompt is larger than the model's context or the service's body limit.
    PayloadTooLarge = "payload_too_large", 36;
    /// 400 or 422, or refused by this library before any request was sent.
    InvalidRequest = "invalid_request", 31;
    /// 429: too many requests at once or per second; see [`Error::retry_after`](crate::Error::retry_after).
    RateLimit = "rate_limit", 37;
    /// 5xx.
    Server = "server", 38;
    /// A time limit passed; [`Error::phase`](crate::Error::phase) tells which.
    Timeout = "timeout", 39;
    /// The service could not be reached, or the connection broke before an answer.
    Connection = "connection", 40;
    /// The TLS handshake failed, most often because a root certificate is missing.
    Tls = "tls", 41;
    /// The answer is not what the protocol allows: unparsable, truncated, oversized, redirected.
    Protocol = "protocol", 42;
    /// A stream ended without its end mark; [`Error::partial_text`](crate::Error::partial_text) has what arrived.
    IncompleteStream = "incomplete_stream", 43;
    /// The caller cancelled the call.
    Cancelled = "cancelled", 44;
    /// The configuration cannot work (bad URL, unreadable certificate, missing credential).
    Configuration = "configuration", 30;
    /// The call or stream was begun in the parent of this forked process.
    Forked = "forked", 17;
    /// The library is shutting down.
    Shutdown = "shutdown", 18;
    /// A fault of the library or of the machine (a panic, no thread to be had).
    Internal = "internal", 60;
}

impl ErrorKind {
    /// The kind of this name, if there is one.
    pub fn named(name: &str) -> Option<ErrorKind> {
        ErrorKind::ALL
            .iter()
            .copied()
            .find(|kind| kind.name() == name)
    }

    /// The kind of this number, if there is one.
    pub fn numbered(number: i32) -> Option<ErrorKind> {
        ErrorKind::ALL
            .iter()
            .copied()
            .find(|kind| kind.number() == number)
    }

    /// The kind that an HTTP status stands for (GigaChat errors description; reference table of
    /// statuses). A 2xx or 3xx that is not what was asked for is a protocol error.
    pub fn of_status(status: u16) -> ErrorKind {
        match status {
            401 => ErrorKind::Authentication,
            402 => ErrorKind::PaymentRequired,
            403 => ErrorKind::PermissionDenied,
            404 => ErrorKind::NotFound,
            413 => ErrorKind::PayloadTooLarge,
            429 => ErrorKind::RateLimit,
            400..=499 => ErrorKind::InvalidRequest,
            500..=599 => ErrorKind::Server,
            _ => ErrorKind::Protocol,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_and_numbers_tell_the_kinds_apart() {
        for kind in ErrorKind::ALL.iter().copied() {
            assert_eq!(ErrorKind::named(kind.name()), Some(kind));
            assert_eq!(ErrorKind::numbered(kind.number()), Some(kind));
        }
        assert_eq!(ErrorKind::named("unheard_of"), None);
        assert_eq!(ErrorKind::numbered(0), None);
    }
}
