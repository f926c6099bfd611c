//! How many requests the service lets this process have in flight, as its answers tell: additive
//! increase, multiplicative decrease, as in TCP's congestion control (RFC 5681).
//!
//! Processes and machines that share a credential know nothing of each other; a 429 is all that
//! they hear. Each halves its window at a 429 and widens it by one after a run of answers. Below
//! one permit the window is a pause: half a permit is one request in two answer times. Decides
//! only, by clocks that are passed in; `permit` acts on it.

use std::time::{Duration, Instant};

/// The smallest window.
const NARROWEST: f64 = 1.0 / 64.0;
/// Without a configured limit there is none again from here on.
const WIDEST: u32 = 10_000;
/// The longest pause that is not the service's own wish.
const LONGEST_PAUSE: Duration = Duration::from_secs(30);
/// What an answer is taken to last before one is known.
const UNKNOWN_ANSWER: Duration = Duration::from_millis(750);
/// And at the least, so that quick answers do not make for a storm.
const SHORTEST_ANSWER: Duration = Duration::from_millis(250);
/// So many answers for each permit of the window widen it by one.
const RUN: f64 = 4.0;
/// So often in a row a wait that the service names is taken at its word, however short.
const BELIEVED: u32 = 3;

/// Tells the requests before a change of the window from those after it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Epoch(u64);

/// The window of one credential.
#[derive(Debug)]
pub(crate) struct Aimd {
    /// `None` while the service has refused nothing lately: the configured limit is in force.
    window: Option<f64>,
    /// Answers since the window changed.
    run: u32,
    epoch: u64,
    /// No request before this.
    opens: Option<Instant>,
    /// So the service said.
    told: Option<Instant>,
    /// How long an answer takes, of late.
    answer: Option<Duration>,
    /// 429s since the last answer.
    refusals: u32,
    last_answer: Option<Instant>,
}

impl Aimd {
    pub(crate) const fn new() -> Aimd {
        Aimd {
            window: None,
            run: 0,
            epoch: 0,
            opens: None,
            told: None,
            answer: None,
            refusals: 0,
            last_answer: None,
        }
    }

    /// The limit in force under a configured one (`None`: no limit).
    pub(crate) fn limit(&self, configured: Option<u32>) -> Option<u32> {
        let window = self.window.map(|window| (window as u32).max(1));
        window.into_iter().chain(configured).min()
    }

    /// What a request carries that is sent now.
    pub(crate) fn epoch(&self) -> Epoch {
        Epoch(self.epoch)
    }

    /// Until when nothing may be sent.
    pub(crate) fn opens(&self, now: Instant) -> Option<Instant> {
        self.opens.filter(|opens| *opens > now)
    }

    /// Until when the service has asked to send nothing.
    pub(crate) fn told(&self, now: Instant) -> Option<Instant> {
        self.told.filter(|told| *told > now)
    }

    /// Whether the last that was heard is a 429.
    pub(crate) fn is_refused(&self) -> bool {
        self.refusals > 0
    }

    /// When an answer last came to its end.
    pub(crate) fn last_answer(&self) -> Option<Instant> {
        self.last_answer
    }

    /// An answer came to its end at `now`, after `took`. `configured` is the limit that the window
    /// may grow back to, `in_flight` the requests before it ended, which tell whether the window was
    /// used.
    pub(crate) fn answered(
        &mut self,
        now: Instant,
        took: Duration,
        in_flight: u32,
        configured: Option<u32>,
    ) {
        self.refusals = 0;
        self.last_answer = Some(now);
        self.answer = Some(match self.answer {
            Some(known) => known.mul_f64(0.8) + took.mul_f64(0.2),
            None => took,
        });
        let Some(window) = self.window else { return };
        if f64::from(in_flight) < window.floor() {
            return;
        }
        self.run += 1;
        let wider = match window < 1.0 {
            true => (window * 2.0).min(1.0),
            false if f64::from(self.run) < RUN * window => return,
            false => window + 1.0,
        };
        self.run = 0;
        let whole = wider >= f64::from(configured.unwrap_or(WIDEST));
        self.window = Some(wider).filter(|_| !whole);
    }

    /// A request of `sent` was answered with 429 at `now`, when `in_flight` were, it included.
    /// Returns whether that is news: what was sent before the last decrease says nothing of the
    /// window after it. `told` is the service's `Retry-After`, `random` from 0 to 1.
    pub(crate) fn refused(
        &mut self,
        sent: Epoch,
        now: Instant,
        in_flight: u32,
        told: Option<Duration>,
        random: f64,
    ) -> bool {
        let news = sent == self.epoch();
        if news {
            self.epoch += 1;
            self.run = 0;
            self.refusals = self.refusals.saturating_add(1);
            let used = f64::from(in_flight.max(1));
            let before = self.window.map_or(used, |window| window.min(used));
            self.window = Some((before / 2.0).max(NARROWEST));
        }
        self.told = self.told.max(told.map(|told| now + told));
        if news || told.is_some() {
            let opens = now + self.pause(told, random);
            self.opens = Some(self.opens.map_or(opens, |known| known.max(opens)));
        }
        news
    }

    /// A router's 429: the window narrows to one at the least, and the router keeps the pause.
    pub(crate) fn refused_to_a_router(&mut self, sent: Epoch, in_flight: u32) {
        if sent != self.epoch() {
            return;
        }
        self.epoch += 1;
        self.run = 0;
        let used = f64::from(in_flight.max(1));
        let before = self.window.map_or(used, |window| window.min(used));
        let narrower = (before / 2.0).max(1.0);
        self.window = Some(self.window.map_or(narrower, |window| window.min(narrower)));
    }

    fn pause(&self, told: Option<Duration>, random: f64) -> Duration {
        let answer = self.answer.unwrap_or(UNKNOWN_ANSWER).max(SHORTEST_ANSWER);
        let permits = self.window.unwrap_or(1.0).min(1.0);
        let longest = answer.div_f64(permits).min(LONGEST_PAUSE);
        let own = longest.mul_f64(0.5 + random / 2.0);
        match told {
            // A fifth more, so that all who were told the same do not come back at once.
            Some(told) if self.refusals <= BELIEVED => told.mul_f64(1.0 + random / 5.0),
            Some(told) => told.mul_f64(1.0 + random / 5.0).max(own),
            None => own,
        }
    }
}

#[cfg(test)]
mod tests {
    use std::cmp::Reverse;
    use std::collections::BinaryHeap;
    use std::time::{Duration, Instant};

    use super::{Aimd, Epoch};

    const MS: Duration = Duration::from_millis(1);

    fn refuse(aimd: &mut Aimd, now: Instant, in_flight: u32) -> bool {
        aimd.refused(aimd.epoch(), now, in_flight, None, 0.5)
    }

    #[test]
    fn a_429_halves_the_window_once_for_all_that_were_sent_before_it() {
        let (mut aimd, now) = (Aimd::new(), Instant::now());
        assert_eq!(aimd.limit(Some(10)), Some(10));
        let sent = aimd.epoch();
        assert!(aimd.refused(sent, now, 10, None, 0.5));
        for in_flight in (1..10).rev() {
            assert!(!aimd.refused(sent, now, in_flight, None, 0.5), "old news");
        }
        assert_eq!(aimd.limit(Some(10)), Some(5));
        refuse(&mut aimd, now, 5);
        assert_eq!(aimd.limit(Some(10)), Some(2));
        assert_eq!(aimd.limit(None), Some(2), "also where none is configured");
        assert_eq!(aimd.limit(Some(1)), Some(1), "the smaller one counts");
    }

    #[test]
    fn a_run_of_answers_widens_it_by_one_up_to_the_configured_limit() {
        let (mut aimd, now) = (Aimd::new(), Instant::now());
        refuse(&mut aimd, now, 4);
        let mut limits = Vec::new();
        for _ in 0..24 {
            aimd.answered(now, MS, 4, Some(4));
            limits.push(aimd.limit(Some(4)).unwrap());
        }
        let of = |limit| limits.iter().filter(|one| **one == limit).count();
        assert_eq!((of(2), of(3), of(4)), (7, 12, 5));
        assert!(limits.is_sorted());
    }

    #[test]
    fn a_window_that_is_not_used_is_not_widened() {
        let (mut aimd, now) = (Aimd::new(), Instant::now());
        refuse(&mut aimd, now, 10);
        for _ in 0..1000 {
            aimd.answered(now, MS, 1, Some(10));
        }
        assert_eq!(aimd.limit(Some(10)), Some(5));
    }

    #[test]
    fn below_one_permit_pauses_double_and_an_answer_halves_them() {
        let (mut aimd, mut now) = (Aimd::new(), Instant::now());
        aimd.answered(now, Duration::from_secs(1), 1, Some(1));
        let mut pauses = Vec::new();
        for _ in 0..8 {
            refuse(&mut aimd, now, 1);
            assert_eq!(aimd.limit(Some(1)), Some(1));
            let opens = aimd.opens(now).unwrap();
            pauses.push((opens - now).as_millis());
            now = opens;
            assert_eq!(aimd.opens(now), None);
        }
        assert_eq!(
            pauses,
            [1500, 3000, 6000, 12000, 22500, 22500, 22500, 22500]
        );
        aimd.answered(now, Duration::from_secs(1), 1, Some(1));
        refuse(&mut aimd, now, 1);
        assert_eq!(aimd.opens(now).unwrap() - now, 22_500 * MS);
    }

    #[test]
    fn a_wait_that_the_service_names_is_taken_at_its_word_while_it_keeps_it() {
        let now = Instant::now();
        let wait = |refusals, told, random| {
            let mut aimd = Aimd::new();
            for _ in 0..refusals {
                aimd.refused(aimd.epoch(), now - 3600 * 1000 * MS, 1, None, 0.0);
            }
            aimd.refused(aimd.epoch(), now, 1, Some(told), random);
            (aimd.opens(now).unwrap() - now).as_millis()
        };
        assert_eq!(wait(0, 2000 * MS, 0.0), 2000);
        assert_eq!(wait(0, 2000 * MS, 1.0), 2400, "spread over a fifth");
        assert_eq!(wait(2, MS, 0.0), 1);
        assert_eq!(wait(3, MS, 0.0), 6000, "it said so too often");
        assert_eq!(wait(3, 60_000 * MS, 0.0), 60_000);
        assert_eq!(wait(3, Duration::ZERO, 0.0), 6000);
    }

    #[test]
    fn a_wait_of_nothing_is_one_too() {
        let (mut aimd, now) = (Aimd::new(), Instant::now());
        aimd.refused(aimd.epoch(), now, 1, Some(Duration::ZERO), 0.5);
        assert_eq!(aimd.opens(now), None);
    }

    #[test]
    fn a_router_keeps_the_pause_itself() {
        let (mut aimd, now) = (Aimd::new(), Instant::now());
        for limit in [5, 2, 1, 1] {
            aimd.refused_to_a_router(aimd.epoch(), 10);
            assert_eq!(aimd.limit(Some(10)), Some(limit));
            assert_eq!(aimd.opens(now), None);
        }
    }

    /// When, which in turn, of which process, and the request that ends then.
    type Event = (Instant, u64, usize, Option<Sent>);

    /// Processes that know nothing of each other at a service that lets `slots` requests in, on a
    /// clock of its own.
    struct World {
        now: Instant,
        slots: u32,
        taken: u32,
        refused: u32,
        processes: Vec<Process>,
        events: BinaryHeap<Reverse<Event>>,
        random: fastrand::Rng,
    }

    struct Process {
        aimd: Aimd,
        rows: u32,
        in_flight: u32,
    }

    #[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
    struct Sent {
        at: Instant,
        accepted: bool,
        epoch: u64,
    }

    impl World {
        fn later(&mut self, at: Instant, process: usize, what: Option<Sent>) {
            let number = self.random.u64(..);
            self.events.push(Reverse((at, number, process, what)));
        }

        fn send(&mut self, number: usize, answer: Duration) {
            loop {
                let process = &mut self.processes[number];
                let room = process.aimd.limit(Some(self.slots)).unwrap();
                if process.rows == 0 || process.in_flight >= room {
                    return;
                }
                if let Some(opens) = process.aimd.opens(self.now) {
                    return self.later(opens, number, None);
                }
                process.rows -= 1;
                process.in_flight += 1;
                let epoch = process.aimd.epoch().0;
                let accepted = self.taken < self.slots;
                self.taken += u32::from(accepted);
                self.refused += u32::from(!accepted);
                let took = match accepted {
                    true => answer.mul_f64(0.9 + self.random.f64() / 5.0),
                    false => 2 * MS,
                };
                let at = self.now;
                let sent = Sent {
                    at,
                    accepted,
                    epoch,
                };
                self.later(self.now + took, number, Some(sent));
            }
        }

        fn ended(&mut self, number: usize, sent: Sent) {
            let random = self.random.f64();
            let process = &mut self.processes[number];
            let (in_flight, now) = (process.in_flight, self.now);
            process.in_flight -= 1;
            if sent.accepted {
                self.taken -= 1;
                process
                    .aimd
                    .answered(now, now - sent.at, in_flight, Some(self.slots));
            } else {
                process.rows += 1;
                let sent = Epoch(sent.epoch);
                process.aimd.refused(sent, now, in_flight, None, random);
            }
        }

        fn run(seed: u64, processes: usize, slots: u32, rows: u32, answer: Duration) -> World {
            let one = || Process {
                aimd: Aimd::new(),
                rows: rows / processes as u32,
                in_flight: 0,
            };
            let mut world = World {
                now: Instant::now(),
                slots,
                taken: 0,
                refused: 0,
                processes: (0..processes).map(|_| one()).collect(),
                events: BinaryHeap::new(),
                random: fastrand::Rng::with_seed(seed),
            };
            for number in 0..processes {
                let at = world.now + (100 * MS).mul_f64(world.random.f64());
                world.later(at, number, None);
            }
            while let Some(Reverse((at, _, number, what))) = world.events.pop() {
                world.now = at;
                if let Some(sent) = what {
                    world.ended(number, sent);
                }
                world.send(number, answer);
            }
            world
        }
    }

    #[test]
    fn four_processes_share_a_limit_and_429s_are_under_a_quarter_of_the_rows() {
        // I20: both scopes, answers of a tenth of a second and of a second.
        for (slots, rows, answer) in [
            (1, 80, 100),
            (10, 400, 100),
            (1, 400, 1000),
            (10, 2000, 1000),
        ] {
            for seed in 0..50 {
                let begun = Instant::now();
                let world = World::run(seed, 4, slots, rows, answer * MS);
                assert!(world.processes.iter().all(|one| one.rows == 0));
                let what = format!("{slots} slots, {answer} ms, seed {seed}: {}", world.refused);
                assert!(world.refused * 4 < rows, "{what}");
                let least = answer * MS * rows / slots;
                let took = world.now - begun;
                assert!(took < 4 * least, "{what}: {took:?} of {least:?}");
            }
        }
    }
}
