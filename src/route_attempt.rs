//! One attempt of a routed call, as the error of a failed route lists it.

use std::time::Duration;

use crate::error::ErrorKind;

/// An attempt that failed.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct RouteAttempt {
    /// The member's name; `outer/inner` for a member of a router that is a member itself.
    pub member: String,
    /// The cause.
    pub kind: ErrorKind,
    /// The HTTP status, when there was an answer.
    pub status: Option<u16>,
    /// The request's id, when one was sent.
    pub request_id: Option<String>,
    /// From the attempt's start to its failure.
    pub duration: Duration,
}
