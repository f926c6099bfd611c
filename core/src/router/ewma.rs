//! Peak-EWMA of the time to first content: jumps up at once with a slow answer, comes down
//! slowly with fast ones, and decays while nothing is heard, so that a member that was slow once
//! is tried again (after Finagle's balancer of that name).

use std::time::{Duration, Instant};

/// A sample counts for 1/e of its weight after this.
const DECAY: Duration = Duration::from_secs(30);

/// The moving peak of one member.
#[derive(Debug, Default)]
pub(super) struct PeakEwma {
    seconds: f64,
    at: Option<Instant>,
}

impl PeakEwma {
    pub(super) fn observe(&mut self, sample: Duration, now: Instant) {
        let sample = sample.as_secs_f64();
        let known = self.seconds;
        let weight = self.weight(now);
        self.seconds = if sample > known * weight {
            sample
        } else {
            known * weight + sample * (1.0 - weight)
        };
        self.at = Some(now);
    }

    /// The expected seconds to first content; `None` when there was never a sample.
    pub(super) fn read(&self, now: Instant) -> Option<f64> {
        self.at.map(|_| self.seconds * self.weight(now))
    }

    fn weight(&self, now: Instant) -> f64 {
        self.at.map_or(0.0, |at| {
            let age = now.saturating_duration_since(at);
            (-age.as_secs_f64() / DECAY.as_secs_f64()).exp()
        })
    }
}

#[cfg(test)]
mod tests {
    use std::time::{Duration, Instant};

    use super::PeakEwma;

    #[test]
    fn a_slow_answer_counts_at_once_a_fast_one_slowly_and_silence_decays() {
        let now = Instant::now();
        let mut ewma = PeakEwma::default();
        assert_eq!(ewma.read(now), None);
        ewma.observe(Duration::from_secs(1), now);
        ewma.observe(Duration::from_secs(9), now);
        assert_eq!(ewma.read(now), Some(9.0));
        ewma.observe(Duration::from_secs(1), now + Duration::from_secs(3));
        let after_one_fast = ewma.read(now + Duration::from_secs(3)).unwrap();
        assert!((8.0..9.0).contains(&after_one_fast), "{after_one_fast}");
        let after_silence = ewma.read(now + Duration::from_secs(300)).unwrap();
        assert!(after_silence < 0.01, "{after_silence}");
    }
}
