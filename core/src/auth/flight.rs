//! Many callers, one piece of work: whoever comes first leads, the others wait for the outcome.
//!
//! The leader's work is a task of its own, so no caller's cancel or deadline ends it. A leader
//! that disappears (a panic, a shutdown) publishes an abandoned outcome: nobody waits for ever.
//! Uses `crate::sync` only, so that it can be model-checked.

use std::future::Future;
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll, Waker};

use crate::sync::{Mutex, lock};

/// The place where callers meet.
pub(crate) struct SingleFlight<T> {
    running: Mutex<Option<Arc<Flight<T>>>>,
}

struct Flight<T> {
    landing: Mutex<Landing<T>>,
}

struct Landing<T> {
    outcome: Option<T>,
    waiting: Vec<Waker>,
}

/// What a caller finds.
pub(crate) enum Joined<T: Clone> {
    /// There is a result already, no work is needed.
    Ready(T),
    /// This caller starts the work and then waits as the others do.
    Lead(Lead<T>, Wait<T>),
    /// The work is under way.
    Follow(Wait<T>),
}

impl<T: Clone> SingleFlight<T> {
    pub(crate) fn new() -> SingleFlight<T> {
        SingleFlight {
            running: Mutex::new(None),
        }
    }

    /// Joins the work under way or starts it. `ready` is asked under the lock, so that a caller
    /// that comes just after an outcome was published sees it instead of starting again.
    pub(crate) fn join(self: &Arc<Self>, ready: impl FnOnce() -> Option<T>) -> Joined<T> {
        let mut running = lock(&self.running);
        if let Some(flight) = running.as_ref() {
            return Joined::Follow(Wait {
                flight: flight.clone(),
            });
        }
        if let Some(result) = ready() {
            return Joined::Ready(result);
        }
        let landing = Mutex::new(Landing {
            outcome: None,
            waiting: Vec::new(),
        });
        let flight = Arc::new(Flight { landing });
        *running = Some(flight.clone());
        let lead = Lead {
            meeting: self.clone(),
            flight: flight.clone(),
            landed: false,
            abandoned: None,
        };
        Joined::Lead(lead, Wait { flight })
    }

    /// Runs `act` while no one can join or land: for changes that `ready` looks at.
    pub(crate) fn exclusively<R>(&self, act: impl FnOnce() -> R) -> R {
        let _running = lock(&self.running);
        act()
    }
}

/// The duty to publish an outcome.
pub(crate) struct Lead<T: Clone> {
    meeting: Arc<SingleFlight<T>>,
    flight: Arc<Flight<T>>,
    landed: bool,
    abandoned: Option<T>,
}

impl<T: Clone> Lead<T> {
    /// What is published when this leader disappears without an outcome.
    pub(crate) fn or_abandoned(mut self, outcome: T) -> Lead<T> {
        self.abandoned = Some(outcome);
        self
    }

    /// Publishes the outcome. `publish` runs before anyone can join anew.
    pub(crate) fn land(mut self, outcome: T, publish: impl FnOnce()) {
        self.landed = true;
        self.finish(outcome, publish);
    }

    fn finish(&self, outcome: T, publish: impl FnOnce()) {
        {
            let mut running = lock(&self.meeting.running);
            publish();
            *running = None;
        }
        let waiting = {
            let mut landing = lock(&self.flight.landing);
            landing.outcome = Some(outcome);
            std::mem::take(&mut landing.waiting)
        };
        waiting.into_iter().for_each(Waker::wake);
    }
}

impl<T: Clone> Drop for Lead<T> {
    fn drop(&mut self) {
        if self.landed {
            return;
        }
        if let Some(outcome) = self.abandoned.take() {
            self.finish(outcome, || ());
        }
    }
}

/// Waits for the outcome.
pub(crate) struct Wait<T> {
    flight: Arc<Flight<T>>,
}

impl<T: Clone> Future for Wait<T> {
    type Output = T;

    fn poll(self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<T> {
        let mut landing = lock(&self.flight.landing);
        if let Some(outcome) = &landing.outcome {
            return Poll::Ready(outcome.clone());
        }
        if !landing
            .waiting
            .iter()
            .any(|waker| waker.will_wake(context.waker()))
        {
            landing.waiting.push(context.waker().clone());
        }
        Poll::Pending
    }
}

#[cfg(test)]
mod tests {
    use std::future::Future;
    use std::pin::pin;
    use std::sync::Arc;
    use std::task::{Context, Poll, Waker};

    use super::{Joined, SingleFlight, Wait};

    fn poll(wait: Wait<u32>) -> Poll<u32> {
        pin!(wait).poll(&mut Context::from_waker(Waker::noop()))
    }

    #[test]
    fn the_first_leads_the_others_follow_and_all_get_the_outcome() {
        let meeting = Arc::new(SingleFlight::new());
        let Joined::Lead(lead, mine) = meeting.join(|| None) else {
            panic!("the first leads")
        };
        let Joined::Follow(theirs) = meeting.join(|| None) else {
            panic!("the second follows")
        };
        lead.or_abandoned(0).land(7, || ());
        assert_eq!((poll(mine), poll(theirs)), (Poll::Ready(7), Poll::Ready(7)));
        assert!(matches!(meeting.join(|| Some(8)), Joined::Ready(8)));
        assert!(matches!(meeting.join(|| None), Joined::Lead(..)));
    }

    #[test]
    fn a_leader_that_disappears_leaves_nobody_waiting() {
        let meeting = Arc::new(SingleFlight::new());
        let Joined::Lead(lead, mine) = meeting.join(|| None) else {
            panic!("the first leads")
        };
        drop(lead.or_abandoned(1));
        assert_eq!(poll(mine), Poll::Ready(1));
        assert!(matches!(meeting.join(|| None), Joined::Lead(..)));
    }
}
