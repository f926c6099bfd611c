//! A permit as a call holds it: this process's, and the machine's where processes share theirs.

use std::time::Duration;

use tokio::time::{Instant, timeout_at};

use crate::auth::Credential;
use crate::error::{Error, ErrorKind, Phase, Result};
use crate::host::Slot;
use crate::permit::{Permit, Place};

/// What allows one request in flight; given back on drop, first to the machine.
pub(super) struct HeldPermit {
    _slot: Option<Slot>,
    permit: Permit,
}

/// How a call waits for its permit.
#[derive(Clone, Copy)]
pub(super) struct Wait {
    pub(super) streams: bool,
    /// That of an earlier permit, which a 429 took.
    pub(super) place: Option<Place>,
    pub(super) limit: Duration,
    /// Only a queue that stands still for `limit` ends the wait.
    pub(super) patient: bool,
}

impl HeldPermit {
    /// Waits for one. `None` when the time is over.
    pub(super) async fn wait(credential: &Credential, wait: Wait) -> Result<Option<HeldPermit>> {
        let end = Instant::now() + wait.limit;
        let permits = &credential.permits;
        let permit = permits.acquire_within(wait.streams, wait.place, wait.limit, wait.patient);
        let Some(mut permit) = permit.await else {
            return Ok(None);
        };
        let count = permits.configured().unwrap_or(0);
        let Some(share) = credential.host_share().filter(|_| count > 0) else {
            return Ok(Some(HeldPermit {
                _slot: None,
                permit,
            }));
        };
        let mut slot = std::pin::pin!(share.slot(count));
        let mut end = end.max(Instant::now());
        let slot = loop {
            match timeout_at(end, slot.as_mut()).await {
                Ok(slot) => break slot.map_err(|why| unusable(&why))?,
                Err(_) if wait.patient && share.has_moved_within(wait.limit, count) => {
                    end = Instant::now() + wait.limit;
                }
                Err(_) => return Ok(None),
            }
        };
        permit.begins_now();
        Ok(Some(HeldPermit {
            _slot: Some(slot),
            permit,
        }))
    }

    /// The service has begun an answer.
    pub(super) fn accepted(&mut self) {
        self.permit.accepted();
    }

    /// The service has answered with 429; see [`Permit::refused`].
    pub(super) fn refused(self, told: Option<Duration>) -> Place {
        self.permit.refused(told)
    }

    /// The same for a router's attempt.
    pub(super) fn refused_to_router(self) {
        self.permit.refused_to_router();
    }
}

fn unusable(why: &std::io::Error) -> Error {
    let text = format!("shared_permits: {why}");
    Error::new(ErrorKind::Configuration, Phase::Queue, text)
}
