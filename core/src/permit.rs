//! Permits: how many generation requests one credential may have in flight (I5).
//!
//! First come, first served; who was answered with 429 comes back to its old place in the line. A
//! permit is a value that gives itself back on drop, so no path can leak one. Providers that share a
//! credential register their limits; the smallest is in force, or less while the service answers
//! with 429 (`aimd`).
//! Uses `crate::sync` only, so that the hand-over can be model-checked.

use std::collections::{BTreeMap, HashSet};
use std::future::{Future, poll_fn};
use std::pin::{Pin, pin};
use std::sync::Arc;
use std::task::{Context, Poll, Waker};
use std::time::{Duration, Instant};

use crate::aimd::{Aimd, Epoch};
use crate::jitter::random_fraction;
use crate::sync::{Mutex, lock};

/// What the permits of one credential are used for at this moment.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct PermitUse {
    /// The limit in force; 0 is no limit. While the service answers with 429 it is smaller than the
    /// configured one.
    pub limit: u32,
    /// Permits in use.
    pub held: u32,
    /// How many of them belong to open streams.
    pub by_streams: u32,
    /// Calls that wait for one.
    pub waiting: usize,
}

/// The permits of one credential.
pub(crate) struct Permits {
    state: Mutex<State>,
}

impl Default for Permits {
    fn default() -> Permits {
        Permits {
            state: Mutex::new(State {
                limits: Vec::new(),
                aimd: Aimd::new(),
                held: 0,
                by_streams: 0,
                next_ticket: 0,
                waiting: BTreeMap::new(),
                granted: HashSet::new(),
                handed_out: 0,
            }),
        }
    }
}

struct State {
    /// The registered limits, one entry per provider; an absent limit is not registered.
    limits: Vec<u32>,
    /// What the service lets in of that.
    aimd: Aimd,
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
    fn configured(&self) -> Option<u32> {
        self.limits.iter().min().copied()
    }

    fn free(&self, now: Instant) -> bool {
        let limit = self.aimd.limit(self.configured());
        limit.is_none_or(|limit| self.held < limit) && self.aimd.opens(now).is_none()
    }

    fn take(&mut self) {
        self.held += 1;
        // While nothing is answered a queue stands still, however often it asks.
        self.handed_out += u64::from(!self.aimd.is_refused());
    }

    /// Whether nobody waits who came before the holder of this ticket.
    fn is_first(&self, ticket: u64) -> bool {
        let first = self.waiting.first_key_value();
        first.is_none_or(|(first, _)| ticket <= *first)
    }

    /// Hands free permits to those who wait, in their order; returns whom to wake.
    fn grant(&mut self, now: Instant) -> Vec<Waker> {
        let mut wake = Vec::new();
        while self.free(now) {
            let Some((ticket, waker)) = self.waiting.pop_first() else {
                return wake;
            };
            self.take();
            self.granted.insert(ticket);
            wake.push(waker);
        }
        // The first in line has the alarm clock of a pause.
        if self.aimd.opens(now).is_some() {
            wake.extend(self.waiting.values().next().cloned());
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

    /// Waits for a permit, in the place of an earlier one if there is one. Dropping the future gives up
    /// the place in the queue. Does not notice by itself that a pause is over; `acquire_within` does.
    pub(crate) fn acquire(self: &Arc<Self>, stream: bool, place: Option<Place>) -> Acquire {
        Acquire {
            permits: self.clone(),
            stream,
            ticket: place.map(|place| place.0),
            waits: false,
        }
    }

    /// Waits for a permit, at most for `limit`: of all the wait, or, if `patient`, of a time in which
    /// nobody is handed one. `place` is that of an earlier permit. `None` when it is over.
    pub(crate) async fn acquire_within(
        self: &Arc<Self>,
        stream: bool,
        place: Option<Place>,
        limit: Duration,
        patient: bool,
    ) -> Option<Permit> {
        let mut acquire = pin!(self.acquire(stream, place));
        let mut before = self.handed_out();
        loop {
            let permit = self.after_pauses(acquire.as_mut());
            if let Ok(permit) = tokio::time::timeout(limit, permit).await {
                return Some(permit);
            }
            let now = self.handed_out();
            if !patient || now == before {
                return None;
            }
            before = now;
        }
    }

    /// Waits for a permit, with an alarm clock for the end of a pause.
    async fn after_pauses(&self, mut acquire: Pin<&mut Acquire>) -> Permit {
        let mut alarm = pin!(None::<tokio::time::Sleep>);
        poll_fn(|context| {
            loop {
                if let Poll::Ready(permit) = acquire.as_mut().poll(context) {
                    return Poll::Ready(permit);
                }
                let Some(opens) = self.pause_before(acquire.ticket) else {
                    alarm.set(None);
                    return Poll::Pending;
                };
                let set = alarm.as_ref().as_pin_ref().map(|alarm| alarm.deadline());
                if set != Some(opens.into()) {
                    alarm.set(Some(tokio::time::sleep_until(opens.into())));
                }
                match alarm.as_mut().as_pin_mut().map(|alarm| alarm.poll(context)) {
                    Some(Poll::Ready(())) => {}
                    _ => return Poll::Pending,
                }
            }
        })
        .await
    }

    /// Until when the first in line has to wait, if this ticket is it and a pause is on.
    fn pause_before(&self, ticket: Option<u64>) -> Option<Instant> {
        let state = lock(&self.state);
        let first = ticket.is_some_and(|ticket| state.is_first(ticket));
        state.aimd.opens(Instant::now()).filter(|_| first)
    }

    /// When a holder of a permit last had an answer.
    pub(crate) fn last_answer(&self) -> Option<Instant> {
        lock(&self.state).aimd.last_answer()
    }

    /// The smallest registered limit, whatever the service says.
    pub(crate) fn configured(&self) -> Option<u32> {
        lock(&self.state).configured()
    }

    /// Whether the last that the service said is 429.
    pub(crate) fn is_refused(&self) -> bool {
        lock(&self.state).aimd.is_refused()
    }

    /// For how long the service has asked to send nothing.
    pub(crate) fn told_pause(&self) -> Option<Duration> {
        let now = Instant::now();
        lock(&self.state).aimd.told(now).map(|until| until - now)
    }

    /// Until when nothing may be sent.
    pub(crate) fn opens(&self, now: Instant) -> Option<Instant> {
        lock(&self.state).aimd.opens(now)
    }

    fn handed_out(&self) -> u64 {
        lock(&self.state).handed_out
    }

    pub(crate) fn in_use(&self) -> PermitUse {
        let state = lock(&self.state);
        PermitUse {
            limit: state.aimd.limit(state.configured()).unwrap_or(0),
            held: state.held,
            by_streams: state.by_streams,
            waiting: state.waiting.len(),
        }
    }

    fn change(&self, act: impl FnOnce(&mut State)) {
        let wake = {
            let mut state = lock(&self.state);
            act(&mut state);
            state.grant(Instant::now())
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

/// A place in the line, for who was answered with 429.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Place(u64);

/// What the service said to a request.
enum Heard {
    /// Nothing, or nothing that tells how many it lets in.
    Nothing,
    /// It began an answer.
    Answer,
    /// 429, to a call that waits for its next permit.
    Refusal { told: Option<Duration> },
    /// 429, to a router's attempt, which does not.
    RefusalToRouter,
}

/// The right to have one generation request in flight; given back on drop.
pub(crate) struct Permit {
    permits: Arc<Permits>,
    stream: bool,
    ticket: u64,
    epoch: Epoch,
    since: Instant,
    heard: Heard,
}

impl Permit {
    /// The request is sent now: until now its holder waited for something else.
    pub(crate) fn begins_now(&mut self) {
        self.since = Instant::now();
    }

    /// The service has begun an answer.
    pub(crate) fn accepted(&mut self) {
        self.heard = Heard::Answer;
    }

    /// The service has answered with 429 and asks to wait for `told`. Gives the permit back; the
    /// result is the place of the next one.
    pub(crate) fn refused(mut self, told: Option<Duration>) -> Place {
        self.heard = Heard::Refusal { told };
        Place(self.ticket)
    }

    /// The same for a router's attempt: the router asks another, and keeps the pause.
    pub(crate) fn refused_to_router(mut self) {
        self.heard = Heard::RefusalToRouter;
    }
}

impl Drop for Permit {
    fn drop(&mut self) {
        let now = Instant::now();
        self.permits.change(|state| {
            let in_flight = state.held;
            let configured = state.configured();
            state.held -= 1;
            state.by_streams -= u32::from(self.stream);
            let aimd = &mut state.aimd;
            match self.heard {
                Heard::Nothing => {}
                Heard::Answer => aimd.answered(now, now - self.since, in_flight, configured),
                Heard::Refusal { told } => {
                    aimd.refused(self.epoch, now, in_flight, told, random_fraction());
                }
                Heard::RefusalToRouter => aimd.refused_to_a_router(self.epoch, in_flight),
            }
        });
    }
}

/// Waits for a permit.
pub(crate) struct Acquire {
    permits: Arc<Permits>,
    stream: bool,
    /// The place in the line: drawn when the wait begins, unless it is an earlier permit's.
    ticket: Option<u64>,
    /// It stands in the line.
    waits: bool,
}

impl Acquire {
    fn taken(&mut self, state: &mut State, ticket: u64) -> Poll<Permit> {
        self.waits = false;
        state.by_streams += u32::from(self.stream);
        Poll::Ready(Permit {
            permits: self.permits.clone(),
            stream: self.stream,
            ticket,
            epoch: state.aimd.epoch(),
            since: Instant::now(),
            heard: Heard::Nothing,
        })
    }
}

impl Future for Acquire {
    type Output = Permit;

    fn poll(self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<Permit> {
        let this = self.get_mut();
        let permits = this.permits.clone();
        let mut state = lock(&permits.state);
        let ticket = this.ticket.unwrap_or_else(|| {
            state.next_ticket += 1;
            state.next_ticket
        });
        this.ticket = Some(ticket);
        if !this.waits {
            if state.is_first(ticket) && state.free(Instant::now()) {
                state.take();
                return this.taken(&mut state, ticket);
            }
            state.waiting.insert(ticket, context.waker().clone());
            this.waits = true;
            return Poll::Pending;
        }
        // A pause that is over changes nothing by itself: who wakes up from it looks.
        let now = Instant::now();
        let wake = match state.aimd.opens(now) {
            None => state.grant(now),
            Some(_) => Vec::new(),
        };
        let outcome = match state.granted.remove(&ticket) {
            true => this.taken(&mut state, ticket),
            false => {
                if let Some(waker) = state.waiting.get_mut(&ticket) {
                    waker.clone_from(context.waker());
                }
                Poll::Pending
            }
        };
        drop(state);
        wake.into_iter().for_each(Waker::wake);
        outcome
    }
}

impl Drop for Acquire {
    /// Leaves the queue; a permit that was granted and not noticed goes to the next in line.
    fn drop(&mut self) {
        let Some(ticket) = self.ticket.filter(|_| self.waits) else {
            return;
        };
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
        let first = poll(pin!(permits.acquire(true, None))).expect("the first permit is free");
        let mut second = pin!(permits.acquire(false, None));
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
        let held = poll(pin!(permits.acquire(false, None))).unwrap();
        let mut first = Box::pin(permits.acquire(false, None));
        let mut second = Box::pin(permits.acquire(false, None));
        let mut third = Box::pin(permits.acquire(false, None));
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
            let first = permits.acquire(false, None).await;
            let mut queue: Vec<_> = (0..3)
                .map(|_| Box::pin(permits.acquire(false, None)))
                .collect();
            for waiting in &mut queue {
                assert!(poll(waiting.as_mut()).is_none());
            }
            // Each holds the permit for half of the limit, so all of them for longer than it.
            let job = tokio::join!(permits.acquire_within(false, None, LIMIT, true), async {
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
            assert!(
                permits
                    .acquire_within(false, None, short, true)
                    .await
                    .is_none()
            );
            assert!(
                permits
                    .acquire_within(false, None, short, false)
                    .await
                    .is_none()
            );
        });
    }

    #[test]
    fn a_hundred_thousand_waiting_calls_can_leave_at_once() {
        // From the back, where a list would be searched to its end for each.
        let permits = Arc::new(Permits::default());
        let _limit = permits.register(Some(1));
        let held = poll(pin!(permits.acquire(false, None))).unwrap();
        let mut queue: Vec<_> = (0..100_000)
            .map(|_| Box::pin(permits.acquire(false, None)))
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
            .map(|_| poll(pin!(permits.acquire(false, None))).unwrap())
            .collect();
        assert_eq!(permits.in_use().held, 100);
        drop(all);
        assert_eq!(permits.in_use().held, 0);
    }

    #[test]
    fn who_was_answered_with_429_comes_back_to_its_place_after_the_pause() {
        let runtime = tokio::runtime::Builder::new_current_thread()
            .enable_time()
            .build()
            .unwrap();
        runtime.block_on(async {
            const LONG: Duration = Duration::from_secs(60);
            const TOLD: Duration = Duration::from_millis(40);
            let permits = Arc::new(Permits::default());
            let _limit = permits.register(Some(4));
            let mut held: Vec<Permit> = (0..4)
                .map(|_| poll(pin!(permits.acquire(false, None))).unwrap())
                .collect();
            let mut behind = Box::pin(permits.acquire(false, None));
            assert!(poll(behind.as_mut()).is_none());
            let place = held.remove(0).refused(Some(TOLD));
            assert_eq!(permits.in_use().limit, 2, "half of the four in flight");
            assert!(permits.is_refused());
            held.pop();
            held.pop();
            assert!(
                poll(behind.as_mut()).is_none(),
                "nobody is sent before the pause is over"
            );
            let refused = std::time::Instant::now();
            let again = permits.acquire_within(false, Some(place), LONG, true);
            let again = again.await.unwrap();
            assert!(
                refused.elapsed() >= TOLD / 2,
                "it was {:?}",
                refused.elapsed()
            );
            assert!(poll(behind.as_mut()).is_none(), "it came later");
            let mut answered = again;
            answered.accepted();
            drop(answered);
            assert!(!permits.is_refused());
            assert!(poll(behind.as_mut()).is_some());
        });
    }

    #[test]
    fn a_queue_that_is_answered_with_429_only_stands_still() {
        let runtime = tokio::runtime::Builder::new_current_thread()
            .enable_time()
            .build()
            .unwrap();
        runtime.block_on(async {
            const SHORT: Duration = Duration::from_millis(100);
            let permits = Arc::new(Permits::default());
            let _limit = permits.register(Some(1));
            let asking = async {
                let mut place = None;
                loop {
                    let wait = permits.acquire_within(false, place, SHORT * 100, true);
                    let told = Some(Duration::from_millis(10));
                    place = Some(wait.await.unwrap().refused(told));
                }
            };
            let waiting = async {
                tokio::task::yield_now().await;
                permits.acquire_within(false, None, SHORT, true).await
            };
            tokio::select! {
                () = asking => unreachable!(),
                permit = waiting => assert!(permit.is_none()),
            }
        });
    }
}
