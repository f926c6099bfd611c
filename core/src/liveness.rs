//! Whether the library's threads still run, as a caller finds out who has waited for longer than
//! its own limits allow.
//!
//! Time limits are kept by the I/O thread. A host program can stop that thread for good: a signal
//! handler or a thread hook that does not return, a lock of the dynamic loader's. So a caller who
//! waits has a clock of its own: when its limit has passed it asks the I/O thread for a sign of
//! life, and gives up within a second when there is none. Before that nothing is asked or counted.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::time::{Duration, Instant};

use crate::error::{Error, ErrorKind, Phase};

/// A sign of life is looked for so often, so far apart, before a caller gives up. Looks and not a
/// span of time: a process that was stopped as a whole and goes on has had none of them.
const LOOKS: u32 = 4;
const BETWEEN_LOOKS: Duration = Duration::from_millis(200);
/// When a thread that lives is asked again.
const ASK_AGAIN: Duration = Duration::from_secs(1);
/// Longer than any caller waits.
const FOR_EVER: Duration = Duration::from_secs(100 * 365 * 24 * 3600);

/// The pulse of one generation's I/O.
pub struct Pulse {
    beats: AtomicU64,
    asked: AtomicBool,
    /// Hands a beat to the I/O thread.
    ask: Box<dyn Fn(Beat) + Send + Sync>,
}

/// A question to the I/O thread, on its way there.
pub struct Beat(Arc<Pulse>);

impl Pulse {
    /// `ask` has the I/O thread answer; it does not wait.
    pub fn new(ask: impl Fn(Beat) + Send + Sync + 'static) -> Arc<Pulse> {
        Arc::new(Pulse {
            beats: AtomicU64::new(0),
            asked: AtomicBool::new(false),
            ask: Box::new(ask),
        })
    }

    /// One question at a time, however many callers wait.
    fn ask(self: &Arc<Self>) {
        if !self.asked.swap(true, Ordering::AcqRel) {
            (self.ask)(Beat(self.clone()));
        }
    }
}

impl Beat {
    /// The sign of life; called by the I/O thread.
    pub fn answer(self) {
        self.0.asked.store(false, Ordering::Release);
        self.0.beats.fetch_add(1, Ordering::AcqRel);
    }
}

/// A caller's watch over the threads that it waits for.
#[derive(Debug)]
pub struct Vigil {
    next: Instant,
    doubt: Option<Doubt>,
}

/// The beats when it began, and the looks since.
#[derive(Debug)]
struct Doubt {
    beats: u64,
    looks: u32,
}

impl Vigil {
    /// Nothing is looked at before `limit` has passed from `begun` on.
    pub fn after(begun: Instant, limit: Duration) -> Vigil {
        Vigil {
            next: at(begun, limit),
            doubt: None,
        }
    }

    /// When to look next.
    pub fn next_look(&self) -> Instant {
        self.next
    }

    /// Looks, if it is time; whether the library's threads have stopped.
    pub fn finds_it_stopped(&mut self, pulse: &Arc<Pulse>, now: Instant) -> bool {
        if now < self.next {
            return false;
        }
        self.next = now + BETWEEN_LOOKS;
        let beats = pulse.beats.load(Ordering::Acquire);
        match &mut self.doubt {
            None => {
                self.doubt = Some(Doubt { beats, looks: 0 });
                pulse.ask();
                false
            }
            Some(doubt) if doubt.beats != beats => {
                *self = Vigil::after(now, ASK_AGAIN);
                false
            }
            Some(doubt) => {
                doubt.looks += 1;
                doubt.looks >= LOOKS
            }
        }
    }
}

/// The time limits of a stream, for whoever reads it.
#[derive(Clone, Copy, Debug)]
pub struct StreamLimits {
    /// Until its first content, without the wait for a permit.
    pub first: Duration,
    /// Between two contents.
    pub silence: Duration,
    /// Of the whole; `Duration::MAX` is none.
    pub total: Duration,
}

/// A moment that much later, however much that is.
pub fn at(begun: Instant, limit: Duration) -> Instant {
    begun.checked_add(limit).unwrap_or_else(|| begun + FOR_EVER)
}

/// Something that is waited for elsewhere, by whoever waits for a completion queue.
pub trait Watched: Send + Sync {
    /// When to look next whether its threads still run; none when it has ended.
    fn next_look(&self) -> Option<Instant>;
    /// Looks, and ends it when they do not.
    fn look(&self, now: Instant);
}

/// What ends a call or stream whose threads have stopped. `taken_up`: whether they had begun it;
/// `phase` is where it was then.
pub fn stopped(taken_up: bool, phase: Phase) -> Error {
    let (phase, what) = match taken_up {
        true => (phase, "stopped after it had begun this call"),
        false => (Phase::Start, "has not taken this call up"),
    };
    Error::new(
        ErrorKind::Timeout,
        phase,
        format!(
            "the call's time is over, and the library's I/O thread, which should have said so, {what} and \
             gives no sign of life: something of the program's holds it up, such as a signal handler \
             (SIGPROF and crash signals reach that thread) or a thread hook that does not return, or a \
             constructor or initializer that keeps the dynamic loader's lock"
        ),
    )
    .with_retryable(true)
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;
    use std::sync::atomic::{AtomicU32, Ordering};
    use std::time::{Duration, Instant};

    use super::{BETWEEN_LOOKS, Beat, Pulse, Vigil};
    use crate::sync::{Mutex, lock};

    const LIMIT: Duration = Duration::from_secs(10);

    /// Keeps the questions, as a thread that is stopped does.
    fn stopped_thread() -> (Arc<Pulse>, Arc<Mutex<Vec<Beat>>>) {
        let questions: Arc<Mutex<Vec<Beat>>> = Arc::default();
        let asked = questions.clone();
        (Pulse::new(move |beat| lock(&asked).push(beat)), questions)
    }

    #[test]
    fn before_the_limit_nobody_is_asked() {
        let (pulse, questions) = stopped_thread();
        let begun = Instant::now();
        let mut vigil = Vigil::after(begun, LIMIT);
        for tenth in 0..10 {
            assert!(!vigil.finds_it_stopped(&pulse, begun + LIMIT / 10 * tenth));
        }
        assert!(lock(&questions).is_empty());
        assert_eq!(vigil.next_look(), begun + LIMIT);
    }

    #[test]
    fn a_thread_that_does_not_answer_is_given_up_within_a_second_of_the_limit() {
        let (pulse, questions) = stopped_thread();
        let begun = Instant::now();
        let mut vigil = Vigil::after(begun, LIMIT);
        while !vigil.finds_it_stopped(&pulse, vigil.next_look()) {
            assert!(vigil.next_look() <= begun + LIMIT + Duration::from_secs(1));
        }
        assert_eq!(lock(&questions).len(), 1);
    }

    #[test]
    fn a_thread_that_answers_late_is_asked_again_and_not_given_up() {
        let (pulse, questions) = stopped_thread();
        let begun = Instant::now();
        let mut vigil = Vigil::after(begun, LIMIT);
        for _ in 0..100 {
            for _ in 0..4 {
                assert!(!vigil.finds_it_stopped(&pulse, vigil.next_look()));
            }
            lock(&questions).drain(..).for_each(Beat::answer);
            assert!(!vigil.finds_it_stopped(&pulse, vigil.next_look()));
        }
    }

    #[test]
    fn a_process_that_was_stopped_as_a_whole_has_not_looked_meanwhile() {
        let (pulse, _questions) = stopped_thread();
        let begun = Instant::now();
        let mut vigil = Vigil::after(begun, LIMIT);
        assert!(!vigil.finds_it_stopped(&pulse, begun + LIMIT));
        let an_hour_later = begun + Duration::from_secs(3600);
        assert!(!vigil.finds_it_stopped(&pulse, an_hour_later));
        assert_eq!(vigil.next_look(), an_hour_later + BETWEEN_LOOKS);
    }

    #[test]
    fn many_callers_are_one_question() {
        let asked = Arc::new(AtomicU32::new(0));
        let count = asked.clone();
        let pulse = Pulse::new(move |_beat| {
            count.fetch_add(1, Ordering::SeqCst);
        });
        let begun = Instant::now();
        for _ in 0..100 {
            Vigil::after(begun, LIMIT).finds_it_stopped(&pulse, begun + LIMIT);
        }
        assert_eq!(asked.load(Ordering::SeqCst), 1);
    }
}
