//! Permits: how many generation requests one credential may have in flight (I5).
//!
//! First come, first served. A permit is a value that gives itself back on drop, so no path can
//! leak one. Providers that share a credential register their limits; the smallest is in force.
//! Uses `crate::sync` only, so that the hand-over can be model-checked.

use std::collections::{BTreeMap, HashSet};
use std::future::Future;
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll, Waker};
use std::time::Duration;

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
    /// Who waits, by ticket, so in their order; thousands may leave at once.
    waiting: BTreeMap<u64, Waker>,
    /// Tickets that were given a permit and have not noticed yet.
    granted: HashSet<u64>,
    /// Permits that were handed out so far: the queue's progress.
    handed_out: u64,
}

impl State {
    fn free(&self) -> bool {
        self.limits
            .iter()
            .min()
            .is_none_or(|limit| self.held < *limit)
    }

    fn take(&mut self) {
        self.held += 1;
        self.handed_out += 1;
    }

    /// Hands free permits to those who wait, in their order; returns whom to wake.
    fn grant(&mut self) -> Vec<Waker> {
        let mut wake = Vec::new();
        while self.free() {
            let Some((ticket, waker)) = self.waiting.pop_first() else {
                break;
            };
            self.take();
            self.granted.insert(ticket);
            wake.push(waker);
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

    /// Waits for a permit, at most for `limit`: of all the wait, or, if `patient`, of a time in which
    /// nobody is handed one. `None` when it is over.
    pub(crate) async fn acquire_within(
        self: &Arc<Self>,
        stream: bool,
        limit: Duration,
        patient: bool,
    ) -> Option<Permit> {
        let mut acquire = std::pin::pin!(self.acquire(stream));
        let mut before = self.handed_out();
        loop {
            if let Ok(permit) = tokio::time::timeout(limit, acquire.as_mut()).await {
                return Some(permit);
            }
            let now = self.handed_out();
            if !patient || now == before {
                return None;
            }
            before = now;
        }
    }

    fn handed_out(&self) -> u64 {
        lock(&self.state).handed_out
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
                state.take();
                return this.taken(&mut state);
            }
            let ticket = state.next_ticket;
            state.next_ticket += 1;
            state.waiting.insert(ticket, context.waker().clone());
            this.ticket = Some(ticket);
            return Poll::Pending;
        };
        if state.granted.remove(&ticket) {
            return this.taken(&mut state);
        }
        if let Some(waker) = state.waiting.get_mut(&ticket) {
            waker.clone_from(context.waker());
        }
        Poll::Pending
    }
}

impl Drop for Acquire {
    /// Leaves the queue; a permit that was granted and not noticed goes to the next in line.
    fn drop(&mut self) {
        let Some(ticket) = self.ticket else { return };
        self.permits
            .change(|state| match state.granted.remove(&ticket) {
                true => state.held -= 1,
                false => {
                    state.waiting.remove(&ticket);
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
    use std::time::Duration;

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
    fn a_patient_wait_ends_only_when_nobody_is_handed_a_permit() {
        let runtime = tokio::runtime::Builder::new_current_thread()
            .enable_time()
            .build()
            .unwrap();
        runtime.block_on(async {
            const LIMIT: Duration = Duration::from_secs(2);
            let permits = Arc::new(Permits::default());
            let _limit = permits.register(Some(1));
            let first = permits.acquire(false).await;
            let mut queue: Vec<_> = (0..3).map(|_| Box::pin(permits.acquire(false))).collect();
            for waiting in &mut queue {
                assert!(poll(waiting.as_mut()).is_none());
            }
            // Each holds the permit for half of the limit, so all of them for longer than it.
            let job = tokio::join!(permits.acquire_within(false, LIMIT, true), async {
                let mut held = first;
                for waiting in queue {
                    tokio::time::sleep(LIMIT / 2).await;
                    drop(held);
                    held = waiting.await;
                }
                drop(held);
            });
            assert!(job.0.is_some(), "the queue moved all the time");
            let short = Duration::from_millis(10);
            assert!(permits.acquire_within(false, short, true).await.is_none());
            assert!(permits.acquire_within(false, short, false).await.is_none());
        });
    }

    #[test]
    fn a_hundred_thousand_waiting_calls_can_leave_at_once() {
        // From the back, where a list would be searched to its end for each.
        let permits = Arc::new(Permits::default());
        let _limit = permits.register(Some(1));
        let held = poll(pin!(permits.acquire(false))).unwrap();
        let mut queue: Vec<_> = (0..100_000)
            .map(|_| Box::pin(permits.acquire(false)))
            .collect();
        for waiting in &mut queue {
            assert!(poll(waiting.as_mut()).is_none());
        }
        while let Some(waiting) = queue.pop() {
            drop(waiting);
        }
        assert_eq!(permits.in_use().waiting, 0);
        drop(held);
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
