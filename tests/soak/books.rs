//! Who was told what: the end of every call as the client saw it, every request as the emulator saw it, and
//! the reconciliation of the two.
//!
//! A call that was cancelled does not know how many requests were sent for it: none when the cancel came
//! before sending, else up to one per attempt. So equality is demanded of all calls that were not
//! cancelled; of a cancelled one, that its requests are no more than its attempts may be.

use std::collections::HashMap;
use std::sync::Mutex;
use std::sync::atomic::{AtomicU8, AtomicU64, Ordering};

use crate::plan::{Kind, Lane, Plan};
use crate::said::Said;
use crate::world::Rules;

/// Attempts that one call may make: two retries, and the second sending that a 401 or a broken connection earns.
pub const MOST_REQUESTS: u32 = 6;
/// Requests for models say which provider they come from in place of a call's number.
pub const FIRST_MARK: u64 = 1 << 40;

const OPEN: u8 = 255;
const CANCELLED: u8 = 254;

/// How a call ended.
#[derive(Clone, Copy, Debug)]
pub enum End {
    /// With an answer, after so many attempts.
    Answered(u32),
    /// With an error, after so many attempts.
    Failed(u32),
    Cancelled,
}

pub struct Books {
    rules: Rules,
    ends: Vec<AtomicU8>,
    seen: Mutex<Vec<u8>>,
    by_mark: Mutex<HashMap<u64, u64>>,
    pub answered: AtomicU64,
    pub failed: AtomicU64,
    pub cancelled: AtomicU64,
    violations: Mutex<Vec<String>>,
}

impl Books {
    pub fn new(rules: Rules, calls: u64) -> Books {
        Books {
            rules,
            ends: (0..calls).map(|_| AtomicU8::new(OPEN)).collect(),
            seen: Mutex::new(vec![0; calls as usize]),
            by_mark: Mutex::default(),
            answered: AtomicU64::new(0),
            failed: AtomicU64::new(0),
            cancelled: AtomicU64::new(0),
            violations: Mutex::default(),
        }
    }

    pub fn violated(&self, what: String) {
        self.violations.lock().unwrap().push(what);
    }

    pub fn violations(&self) -> Vec<String> {
        self.violations.lock().unwrap().clone()
    }

    /// Writes the end of a call down; a second one is a violation.
    pub fn ended(&self, number: u64, end: End) {
        let (count, mark) = match end {
            End::Answered(attempts) => (&self.answered, attempts as u8),
            End::Failed(attempts) => (&self.failed, attempts as u8),
            End::Cancelled => (&self.cancelled, CANCELLED),
        };
        count.fetch_add(1, Ordering::Relaxed);
        if self.ends[number as usize].swap(mark, Ordering::Relaxed) != OPEN {
            self.violated(format!("call {number} ended twice"));
        }
    }

    /// Checks what a call was answered.
    pub fn answer(&self, plan: &Plan, stops: bool, text: &str) {
        let whole = text.starts_with(&plan.answer());
        let stopped = !stops || !text.contains(Plan::STOP);
        if !whole || !stopped {
            self.violated(format!("call {} was answered {text:.100?}", plan.number));
        }
    }

    /// Takes what the emulator has seen since it was last asked.
    pub fn enter(&self, seen: Vec<(u64, u32)>) {
        let mut all = self.seen.lock().unwrap();
        let mut by_mark = self.by_mark.lock().unwrap();
        for (number, times) in seen {
            match all.get_mut(number as usize) {
                Some(count) => *count = count.saturating_add(times as u8),
                None => *by_mark.entry(number).or_default() += u64::from(times),
            }
        }
    }

    /// Compares the books of both sides.
    pub fn reconcile(&self, said: &Said, get_marks: &[(u64, GetBook)]) -> Sums {
        let mut sums = Sums::default();
        let seen = self.seen.lock().unwrap();
        for (number, end) in self.ends.iter().enumerate() {
            let plan = Plan::draw(self.rules, number as u64);
            let (end, seen) = (end.load(Ordering::Relaxed), u64::from(seen[number]));
            if end == OPEN {
                self.violated(format!("call {number} never ended: {plan:?}"));
            }
            if !plan.is_generation() {
                continue;
            }
            if end == CANCELLED {
                sums.of_cancelled += seen;
                sums.never_sent += u64::from(seen == 0);
                if seen > u64::from(MOST_REQUESTS) {
                    self.violated(format!("cancelled call {number} came {seen} times"));
                }
                continue;
            }
            let attempts = u64::from(end);
            if plan.lane == Lane::Rough {
                sums.rough = (sums.rough.0 + attempts, sums.rough.1 + seen);
                continue;
            }
            let sum = match plan.kind {
                Kind::Unary => &mut sums.unary,
                _ => &mut sums.stream,
            };
            *sum = (sum.0 + attempts, sum.1 + seen);
            if plan.cuts() && seen >= attempts {
                sums.resent[usize::from(plan.kind == Kind::Stream)] += seen - attempts;
            } else if attempts != seen {
                self.violated(format!(
                    "call {number} made {attempts} attempts and came {seen} times: {plan:?}"
                ));
            }
        }
        let (http1, http2) = (said.resent(Lane::Http1), said.resent(Lane::Http2));
        if sums.resent.iter().sum::<u64>() != http1 || http2 != 0 {
            self.violated(format!(
                "requests that came once more than there were attempts: {:?}; resent by the client: {http1} and {http2}",
                sums.resent
            ));
        }
        let rough = sums.rough.0 + said.resent(Lane::Rough);
        if sums.rough.1 > rough {
            self.violated(format!(
                "rough lane: {rough} were sent, {} came",
                sums.rough.1
            ));
        }
        self.reconcile_gets(&mut sums, get_marks);
        sums
    }

    fn reconcile_gets(&self, sums: &mut Sums, marks: &[(u64, GetBook)]) {
        let by_mark = self.by_mark.lock().unwrap();
        for (mark, book) in marks {
            let seen = by_mark.get(mark).copied().unwrap_or(0);
            if book.cancellable {
                sums.of_cancelled += seen;
                continue;
            }
            sums.gets = (sums.gets.0 + book.attempts, sums.gets.1 + seen);
            if seen != book.attempts {
                self.violated(format!(
                    "provider {mark:x}: {} attempts, {seen} came",
                    book.attempts
                ));
            }
        }
    }
}

/// The attempts of one provider's health checks and lists of models.
#[derive(Clone, Copy, Default)]
pub struct GetBook {
    pub attempts: u64,
    /// Whether its calls are cancelled, so that no equality can be demanded.
    pub cancellable: bool,
}

/// Attempts as the client counted them, and requests as the emulator did.
#[derive(Default)]
pub struct Sums {
    pub unary: (u64, u64),
    pub stream: (u64, u64),
    pub gets: (u64, u64),
    pub rough: (u64, u64),
    /// Requests that came beside those of the attempts, unary and streams (I10).
    pub resent: [u64; 2],
    pub of_cancelled: u64,
    pub never_sent: u64,
}
