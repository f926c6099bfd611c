//! Permits: how many generation requests one credential may have in flight (I5).
//!
//! First come, first served. A permit is a value that gives itself back on drop, so no path can
//! leak one. Providers that share a credential register their limits; the smallest is in force.
//! Uses `crate::sync` only, so that the hand-over can be model-checked.

use std::collections::VecDeque;
use std::future::Future;
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll, Waker};

use crate::sync::{Mutex, lock};

/// What the permits of one credential are used for at this moment.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct PermitUse {
    /// The limit in force; 0 is no limit.
    pub limit: u32,
    /// Permits in use.
    pub held: u32,
    /// How many of them belong to open streams.
    pub by_streams: u32,
    /// Calls that wait for one.
    pub waiting: usize,
}

/// The permits of one credential.
#[derive(Default)]
pub(crate) struct Permits {
    state: Mutex<State>,
}

#[derive(Default)]
struct State {
    /// The registered limits, one entry per provider; an absent limit is not registered.
    limits: Vec<u32>,
    held: u32,
    by_streams: u32,
    next_ticket: u64,
    waiting: VecDeque<Waiting>,
    /// Tickets that were given a permit and have not noticed yet.
    granted: Vec<u64>,
}

struct Waiting {
    ticket: u64,
    waker: Waker,
}

impl State {
    fn free(&self) -> bool {
        self.limits
            .iter()
            .min()
            .is_none_or(|limit| self.held < *limit)
    }

    /// Hands free permits to those who wait, in their order; returns whom to wake.
    fn grant(&mut self) -> Vec<Waker> {
        let mut wake = Vec::new();
        while self.free() {
            let Some(first) = self.waiting.pop_front() else {
                break;
            };
            self.held += 1;
            self.granted.push(first.ticket);
            wake.push(first.waker);
        }
        wake
    }
}

impl Permits {
    /// Registers a provider's limit (`None`: no limit) for as long as the result lives.
    pub(crate) fn register(self: &Arc<Self>, limit: Option<u32>) -> RegisteredLimit {
        if let Some(limit) = limit {
            lock(&self.state).limits.push(limit);
        }
        RegisteredLimit {
            permits: self.clone(),
            limit,
        }
    }

    /// Waits for a permit. Dropping the future gives up the place in the queue.
    pub(crate) fn acquire(self: &Arc<Self>, stream: bool) -> Acquire {
        Acquire {
            permits: self.clone(),
            stream,
            ticket: None,
        }
    }

    pub(crate) fn in_use(&self) -> PermitUse {
        let state = lock(&self.state);
        PermitUse {
            limit: state.limits.iter().min().copied().unwrap_or(0),
            held: state.held,
            by_streams: state.by_streams,
            waiting: state.waiting.len(),
        }
    }

    fn change(&self, act: impl FnOnce(&mut State)) {
        let wake = {
            let mut state = lock(&self.state);
            act(&mut state);
            state.grant()
        };
        wake.into_iter().for_each(Waker::wake);
    }
}

/// A provider's limit; withdrawn on drop.
pub(crate) struct RegisteredLimit {
    permits: Arc<Permits>,
    limit: Option<u32>,
}

impl Drop for RegisteredLimit {
    fn drop(&mut self) {
        let Some(limit) = self.limit else { return };
        self.permits.change(|state| {
            if let Some(at) = state.limits.iter().position(|known| *known == limit) {
                state.limits.swap_remove(at);
            }
        });
    }
}

/// The right to have one generation request in flight; given back on drop.
pub(crate) struct Permit {
    permits: Arc<Permits>,
    stream: bool,
}

impl Drop for Permit {
    fn drop(&mut self) {
        self.permits.change(|state| {
            state.held -= 1;
            state.by_streams -= u32::from(self.stream);
        });
    }
}

/// Waits for a permit.
pub(crate) struct Acquire {
    permits: Arc<Permits>,
    stream: bool,
    ticket: Option<u64>,
}

impl Acquire {
    fn taken(&mut self, state: &mut State) -> Poll<Permit> {
        self.ticket = None;
        state.by_streams += u32::from(self.stream);
        Poll::Ready(Permit {
            permits: self.permits.clone(),
            stream: self.stream,
        })
    }
}

impl Future for Acquire {
    type Output = Permit;

    fn poll(self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<Permit> {
        let this = self.get_mut();
        let permits = this.permits.clone();
        let mut state = lock(&permits.state);
        let Some(ticket) = this.ticket else {
            if state.waiting.is_empty() && state.free() {
                state.held += 1;
                return this.taken(&mut state);
            }
            let ticket = state.next_ticket;
            state.next_ticket += 1;
            state.waiting.push_back(Waiting {
                ticket,
                waker: context.waker().clone(),
            });
            this.ticket = Some(ticket);
            return Poll::Pending;
        };
        if let Some(at) = state.granted.iter().position(|granted| *granted == ticket) {
            state.granted.swap_remove(at);
            return this.taken(&mut state);
        }
        if let Some(place) = state
            .waiting
            .iter_mut()
            .find(|waiting| waiting.ticket == ticket)
        {
            place.waker.clone_from(context.waker());
        }
        Poll::Pending
    }
}

impl Drop for Acquire {
    /// Leaves the queue; a permit that was granted and not noticed goes to the next in line.
    fn drop(&mut self) {
        let Some(ticket) = self.ticket else { return };
        self.permits.change(|state| {
            match state.granted.iter().position(|granted| *granted == ticket) {
                Some(at) => {
                    state.granted.swap_remove(at);
                    state.held -= 1;
                }
                None => state.waiting.retain(|waiting| waiting.ticket != ticket),
            }
        });
    }
}

#[cfg(test)]
mod tests {
    use std::future::Future;
    use std::pin::pin;
    use std::sync::Arc;
    use std::task::{Context, Poll, Waker};

    use super::{Permit, PermitUse, Permits};

    fn poll<F: Future<Output = Permit>>(future: std::pin::Pin<&mut F>) -> Option<Permit> {
        match future.poll(&mut Context::from_waker(Waker::noop())) {
            Poll::Ready(permit) => Some(permit),
            Poll::Pending => None,
        }
    }

    #[test]
    fn the_smallest_registered_limit_is_in_force_and_a_stream_is_told_apart() {
        let permits = Arc::new(Permits::default());
        let _ten = permits.register(Some(10));
        let one = permits.register(Some(1));
        let first = poll(pin!(permits.acquire(true))).expect("the first permit is free");
        let mut second = pin!(permits.acquire(false));
        assert!(poll(second.as_mut()).is_none());
        assert_eq!(
            permits.in_use(),
            PermitUse {
                limit: 1,
                held: 1,
                by_streams: 1,
                waiting: 1
            }
        );
        drop(one);
        assert!(
            poll(second.as_mut()).is_some(),
            "ten are allowed once the limit of one is gone"
        );
        drop(first);
        assert_eq!(permits.in_use().held, 0);
    }

    #[test]
    fn waiting_calls_are_served_in_their_order_and_a_dropped_one_is_passed_over() {
        let permits = Arc::new(Permits::default());
        let _limit = permits.register(Some(1));
        let held = poll(pin!(permits.acquire(false))).unwrap();
        let mut first = Box::pin(permits.acquire(false));
        let mut second = Box::pin(permits.acquire(false));
        let mut third = Box::pin(permits.acquire(false));
        assert!(poll(first.as_mut()).is_none());
        assert!(poll(second.as_mut()).is_none());
        assert!(poll(third.as_mut()).is_none());
        drop(held);
        assert!(poll(second.as_mut()).is_none(), "the first in line has it");
        drop(first);
        let second = poll(second.as_mut()).expect("the dropped call's permit is passed on");
        drop(second);
        drop(third);
        assert_eq!(
            permits.in_use(),
            PermitUse {
                limit: 1,
                ..PermitUse::default()
            }
        );
    }

    #[test]
    fn without_a_limit_nobody_waits() {
        let permits = Arc::new(Permits::default());
        let _none = permits.register(None);
        let all: Vec<Permit> = (0..100)
            .map(|_| poll(pin!(permits.acquire(false))).unwrap())
            .collect();
        assert_eq!(permits.in_use().held, 100);
        drop(all);
        assert_eq!(permits.in_use().held, 0);
    }
}
