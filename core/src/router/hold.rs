//! A request's place at a member, for one attempt or one probe. It gives itself back on drop, so
//! that in-flight counts can neither leak nor go negative (I14).

use std::sync::Arc;
use std::time::Instant;

use super::core::RouterCore;
use super::members::MemberId;

/// What the place is used for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Role {
    Attempt,
    Probe,
}

/// A place at a member.
pub(super) struct Hold<P> {
    pub(super) core: Arc<RouterCore<P>>,
    pub(super) member: MemberId,
    pub(super) name: Arc<str>,
    pub(super) role: Role,
    /// Whether it is the one trial of a half-open member.
    pub(super) trial: bool,
    pub(super) begun: Instant,
    /// Whether the time to first content was noted.
    pub(super) heard: bool,
    /// Cleared when the outcome was noted.
    pub(super) open: bool,
}

impl<P> Hold<P> {
    pub(super) fn is_probe(&self) -> bool {
        self.role == Role::Probe
    }
}

impl<P> Drop for Hold<P> {
    fn drop(&mut self) {
        if self.open && !self.core.is_inherited() {
            self.core.abandon(self);
        }
    }
}
