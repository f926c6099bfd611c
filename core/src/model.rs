//! Model checks: every interleaving of small races over the call state, the token refresh and the
//! permit. Run by `make model`; `runtime/model.rs` has those of the generation swap,
//! `router/tests/model.rs` those of the selection.

use loom::future::block_on;
use loom::sync::Arc as LoomArc;
use loom::sync::atomic::{AtomicUsize, Ordering};
use loom::thread;
use std::sync::Arc;

use crate::auth::flight::{Joined, SingleFlight};
use crate::permit::Permits;
use crate::process::Era;
use crate::runtime::call::{Call, CallCell, Taken};

/// I1: two callers that come at once make one refresh, and both get its outcome.
#[test]
fn one_leads_and_both_get_the_outcome() {
    loom::model(|| {
        let meeting = Arc::new(SingleFlight::<u32>::new());
        let led = LoomArc::new(AtomicUsize::new(0));
        let call = |meeting: Arc<SingleFlight<u32>>,
                    led: LoomArc<AtomicUsize>,
                    known: LoomArc<AtomicUsize>| {
            let ready = || match known.load(Ordering::SeqCst) {
                0 => None,
                value => Some(value as u32),
            };
            match meeting.join(ready) {
                Joined::Ready(value) => value,
                Joined::Follow(wait) => block_on(wait),
                Joined::Lead(lead, wait) => {
                    led.fetch_add(1, Ordering::SeqCst);
                    lead.or_abandoned(0)
                        .land(7, || known.store(7, Ordering::SeqCst));
                    block_on(wait)
                }
            }
        };
        let known = LoomArc::new(AtomicUsize::new(0));
        let (theirs, count, seen) = (meeting.clone(), led.clone(), known.clone());
        let other = thread::spawn(move || call(theirs, count, seen));
        assert_eq!(call(meeting, led.clone(), known), 7);
        assert_eq!(other.join().unwrap(), 7);
        assert_eq!(led.load(Ordering::SeqCst), 1, "one refresh");
    });
}

/// A leader that disappears leaves nobody waiting.
#[test]
fn an_abandoned_lead_reaches_the_one_that_waits() {
    loom::model(|| {
        let meeting = Arc::new(SingleFlight::<u32>::new());
        let Joined::Lead(lead, _) = meeting.join(|| None) else {
            panic!("the first leads")
        };
        let theirs = meeting.clone();
        let other = thread::spawn(move || match theirs.join(|| Some(2)) {
            Joined::Follow(wait) => block_on(wait),
            Joined::Ready(value) => value,
            Joined::Lead(..) => panic!("there is a result"),
        });
        drop(lead.or_abandoned(1));
        let outcome = other.join().unwrap();
        assert!(outcome == 1 || outcome == 2);
    });
}

/// I5: two calls with one permit never hold it at once, and both get it.
#[test]
fn one_permit_is_never_held_twice() {
    loom::model(|| {
        let permits = Arc::new(Permits::default());
        let _limit = permits.register(Some(1));
        let inside = LoomArc::new(AtomicUsize::new(0));
        let call = |permits: Arc<Permits>, inside: LoomArc<AtomicUsize>| {
            let permit = block_on(permits.acquire(false, None));
            assert_eq!(inside.fetch_add(1, Ordering::SeqCst), 0, "held by one");
            inside.fetch_sub(1, Ordering::SeqCst);
            drop(permit);
        };
        let (theirs, count) = (permits.clone(), inside.clone());
        let other = thread::spawn(move || call(theirs, count));
        call(permits.clone(), inside);
        other.join().unwrap();
        assert_eq!(permits.in_use().held, 0);
    });
}

/// A hook that is set while the call ends is called exactly once.
#[test]
fn a_hook_and_the_end_meet_once() {
    loom::model(|| {
        let cell = CallCell::<u32>::new(Era::default());
        let call = Call::new(cell.clone());
        let fired = LoomArc::new(AtomicUsize::new(0));
        let ending = thread::spawn(move || cell.complete(Ok(1)));
        let count = fired.clone();
        let hook = Box::new(move |_| {
            count.fetch_add(1, Ordering::SeqCst);
        });
        assert!(call.on_done(hook).is_ok());
        ending.join().unwrap();
        assert_eq!(fired.load(Ordering::SeqCst), 1);
    });
}

/// A call that ends while a thread begins to wait wakes it, and its result is taken once.
#[test]
fn a_waiter_is_woken_and_the_result_taken_once() {
    loom::model(|| {
        let cell = CallCell::<u32>::new(Era::default());
        let call = Arc::new(Call::new(cell.clone()));
        let ending = thread::spawn(move || cell.complete(Ok(1)));
        assert!(call.wait(None).unwrap());
        let theirs = call.clone();
        let other = thread::spawn(move || matches!(theirs.take_once(), Taken::Result(_)));
        let mine = matches!(call.take_once(), Taken::Result(_));
        let taken = usize::from(mine) + usize::from(other.join().unwrap());
        assert_eq!(taken, 1);
        ending.join().unwrap();
    });
}
