//! How an attempt ended, and what follows from it: may another member be asked, does it count
//! against the member's health, does the member cool.
//!
//! Plain data, so that a driver in another language can fill it in; the error itself stays with
//! the driver.

use std::time::Duration;

use super::options::RouterOptions;
use crate::error::RouteAttempt;
use crate::error::{Error, ErrorKind, Phase};
use crate::response::TokenUsage;

/// How an attempt ended.
#[derive(Clone, Debug)]
pub enum Outcome<'a> {
    /// With an answer.
    Answered(Answered<'a>),
    /// With a failure.
    Failed(Failure),
}

/// What is noted of an answer.
#[derive(Clone, Copy, Debug, Default)]
pub struct Answered<'a> {
    /// Tokens as the service counted them.
    pub usage: Option<TokenUsage>,
    /// The model that answered.
    pub model: &'a str,
    /// How many requests the member sent; 1 unless it repeats them itself.
    pub requests_sent: u32,
}

/// What is noted of a failure.
#[derive(Clone, Debug)]
pub struct Failure {
    /// The cause.
    pub kind: ErrorKind,
    /// The part of the call in which it failed.
    pub phase: Phase,
    /// The HTTP status, when there was an answer.
    pub status: Option<u16>,
    /// The request's id, when there is one.
    pub request_id: Option<String>,
    /// How long the service asks to wait.
    pub retry_after: Option<Duration>,
    /// How many requests the member sent.
    pub requests_sent: u32,
    /// Whether the caller has got any part of the answer: no other member may be asked then.
    pub delivered: bool,
    /// The attempts of a member that is a router itself.
    pub inner_attempts: Vec<RouteAttempt>,
}

impl Failure {
    /// A failure of this kind without particulars.
    pub fn new(kind: ErrorKind, phase: Phase) -> Failure {
        Failure {
            kind,
            phase,
            status: None,
            request_id: None,
            retry_after: None,
            requests_sent: 1,
            delivered: false,
            inner_attempts: Vec::new(),
        }
    }

    /// What there is to note of an error.
    pub fn of(error: &Error, delivered: bool) -> Failure {
        Failure {
            kind: error.kind(),
            phase: error.phase(),
            status: error.status(),
            request_id: error.request_id().map(str::to_owned),
            retry_after: error.retry_after(),
            requests_sent: error.attempts(),
            delivered,
            inner_attempts: error.route_attempts().to_vec(),
        }
    }

    /// Whether the next member may be asked.
    pub(super) fn falls_over(&self, options: &RouterOptions) -> bool {
        if self.delivered {
            return false;
        }
        match self.kind {
            // The caller's: every member would say the same.
            ErrorKind::InvalidRequest | ErrorKind::PayloadTooLarge => false,
            // Not the member's at all.
            ErrorKind::Cancelled | ErrorKind::Forked | ErrorKind::Shutdown => false,
            ErrorKind::Timeout if !self.unsent() => options.fallback_after_read_timeout,
            _ => true,
        }
    }

    /// Whether time ran out before the request was on its way.
    fn unsent(&self) -> bool {
        matches!(
            self.phase,
            Phase::Input
                | Phase::Start
                | Phase::Queue
                | Phase::Token
                | Phase::Connect
                | Phase::Backoff
        )
    }

    pub(super) fn verdict(&self) -> Verdict {
        match (self.kind, self.phase) {
            // The member answered, and rightly.
            (ErrorKind::InvalidRequest | ErrorKind::PayloadTooLarge | ErrorKind::NotFound, _) => {
                Verdict::Alive
            }
            (ErrorKind::Cancelled | ErrorKind::Forked | ErrorKind::Shutdown, _) => Verdict::Unknown,
            // This process had no descriptor or thread to ask with.
            (ErrorKind::Internal, Phase::Start | Phase::Connect) => Verdict::Unknown,
            // Our own permits were in use; an inner router's wait for its members is its error.
            (ErrorKind::Timeout, Phase::Queue) => Verdict::Unknown,
            (
                ErrorKind::RateLimit
                | ErrorKind::Authentication
                | ErrorKind::PaymentRequired
                | ErrorKind::PermissionDenied,
                _,
            ) => Verdict::CoolNow,
            _ if self.retry_after.is_some() => Verdict::CoolNow,
            _ => Verdict::Error,
        }
    }
}

/// What a failure says of the member.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Verdict {
    /// It serves; this request was not for it.
    Alive,
    /// Nothing.
    Unknown,
    /// An error that cools the member when several follow each other.
    Error,
    /// An error that cools the member at once.
    CoolNow,
}

#[cfg(test)]
mod tests {
    use super::{Failure, Verdict};
    use crate::error::{ErrorKind, Phase};
    use crate::router::RouterOptions;

    fn falls_over(kind: ErrorKind, phase: Phase) -> bool {
        Failure::new(kind, phase).falls_over(&RouterOptions::default())
    }

    #[test]
    fn the_next_member_is_asked_for_the_members_errors_and_never_for_the_callers() {
        for status in [401, 402, 403, 404, 429, 500, 501, 502, 503, 504] {
            assert!(
                falls_over(ErrorKind::of_status(status), Phase::Answer),
                "{status}"
            );
        }
        for status in [400, 413, 422] {
            assert!(
                !falls_over(ErrorKind::of_status(status), Phase::Answer),
                "{status}"
            );
        }
        for kind in [ErrorKind::Connection, ErrorKind::Tls, ErrorKind::Timeout] {
            assert!(falls_over(kind, Phase::Connect), "{kind:?}");
        }
        for kind in [ErrorKind::Cancelled, ErrorKind::Forked, ErrorKind::Shutdown] {
            assert!(!falls_over(kind, Phase::Answer), "{kind:?}");
        }
    }

    #[test]
    fn what_this_process_has_run_out_of_is_no_members_fault() {
        for phase in [Phase::Start, Phase::Connect] {
            let failure = Failure::new(ErrorKind::Internal, phase);
            assert_eq!(failure.verdict(), Verdict::Unknown);
            // Another member may have a connection that is open.
            assert!(failure.falls_over(&RouterOptions::default()));
        }
        let own = Failure::new(ErrorKind::Internal, Phase::Answer);
        assert_eq!(own.verdict(), Verdict::Error);
    }

    #[test]
    fn nothing_falls_over_after_the_first_content() {
        let mut failure = Failure::new(ErrorKind::Connection, Phase::Body);
        failure.delivered = true;
        assert!(!failure.falls_over(&RouterOptions::default()));
    }

    #[test]
    fn fallback_after_a_read_timeout_can_be_switched_off() {
        let mut options = RouterOptions::default();
        options.set_fallback_after_read_timeout(false);
        let phases = [
            (Phase::Connect, true),
            (Phase::Queue, true),
            (Phase::Token, true),
            (Phase::Answer, false),
            (Phase::Body, false),
            (Phase::FirstContent, false),
        ];
        for (phase, expected) in phases {
            let failure = Failure::new(ErrorKind::Timeout, phase);
            assert_eq!(failure.falls_over(&options), expected, "{phase:?}");
        }
        assert!(Failure::new(ErrorKind::Connection, Phase::Answer).falls_over(&options));
    }
}
