//! Durations of one kind (an attempt's total, its time to first content): a sliding window for
//! mean and percentiles, and a histogram since the start for Prometheus.

use std::collections::VecDeque;
use std::time::{Duration, Instant};

/// The window holds the last so many samples ...
const MOST_SAMPLES: usize = 1024;
/// ... that are not older than this.
const OLDEST_SAMPLE: Duration = Duration::from_secs(300);
/// Upper bounds of the histogram in seconds; answers take tenths of seconds to minutes.
const BOUNDS: [f64; 12] = [
    0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0, 20.0, 30.0, 60.0, 120.0,
];

/// Durations of the last five minutes, at most the last 1024.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct DurationSummary {
    /// How many samples the window holds.
    pub samples: usize,
    /// Their mean.
    pub mean: Duration,
    /// Half of them were not longer.
    pub p50: Duration,
    /// 95 % of them were not longer.
    pub p95: Duration,
    /// 99 % of them were not longer.
    pub p99: Duration,
    /// The mean of all since the start.
    pub mean_since_start: Duration,
    /// All since the start, as a histogram.
    pub histogram: Histogram,
}

/// How many durations were not longer than each bound, since the start.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Histogram {
    /// Bound in seconds and how many were not longer: cumulative.
    pub buckets: Vec<(f64, u64)>,
    /// How many there were.
    pub count: u64,
    /// Their sum in seconds.
    pub sum: f64,
}

/// The samples behind a summary.
#[derive(Debug, Default)]
pub(super) struct Durations {
    recent: VecDeque<(Instant, Duration)>,
    buckets: [u64; BOUNDS.len()],
    count: u64,
    sum: f64,
}

impl Durations {
    pub(super) fn note(&mut self, duration: Duration, now: Instant) {
        if self.recent.len() == MOST_SAMPLES {
            self.recent.pop_front();
        }
        self.recent.push_back((now, duration));
        let seconds = duration.as_secs_f64();
        if let Some(bucket) = BOUNDS.iter().position(|bound| seconds <= *bound) {
            self.buckets[bucket] += 1;
        }
        self.count += 1;
        self.sum += seconds;
    }

    pub(super) fn summary(&self, now: Instant) -> DurationSummary {
        let mut sorted: Vec<Duration> = self
            .recent
            .iter()
            .filter(|(at, _)| now.saturating_duration_since(*at) <= OLDEST_SAMPLE)
            .map(|(_, duration)| *duration)
            .collect();
        sorted.sort_unstable();
        let mean = sorted
            .iter()
            .sum::<Duration>()
            .checked_div(sorted.len() as u32)
            .unwrap_or_default();
        let mean_since_start = Duration::try_from_secs_f64(self.sum / self.count.max(1) as f64);
        DurationSummary {
            samples: sorted.len(),
            mean,
            p50: percentile(&sorted, 50),
            p95: percentile(&sorted, 95),
            p99: percentile(&sorted, 99),
            mean_since_start: mean_since_start.unwrap_or_default(),
            histogram: self.histogram(),
        }
    }

    fn histogram(&self) -> Histogram {
        let mut cumulative = 0;
        let buckets = BOUNDS.iter().zip(self.buckets).map(|(bound, count)| {
            cumulative += count;
            (*bound, cumulative)
        });
        Histogram {
            buckets: buckets.collect(),
            count: self.count,
            sum: self.sum,
        }
    }
}

/// Nearest rank: the smallest sample that `percent` of all do not exceed.
fn percentile(sorted: &[Duration], percent: usize) -> Duration {
    let rank = (sorted.len() * percent).div_ceil(100);
    sorted
        .get(rank.saturating_sub(1))
        .copied()
        .unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use std::time::{Duration, Instant};

    use super::Durations;

    #[test]
    fn percentiles_are_of_the_window_and_the_histogram_of_everything() {
        let now = Instant::now();
        let mut durations = Durations::default();
        for _ in 0..10 {
            durations.note(Duration::from_secs(100), now);
        }
        let later = now + Duration::from_secs(301);
        for ms in 1..=100 {
            durations.note(Duration::from_millis(ms), later);
        }
        let summary = durations.summary(later);
        assert_eq!(summary.samples, 100);
        let ms = |duration: Duration| duration.as_micros() as f64 / 1000.0;
        assert_eq!(
            [summary.p50, summary.p95, summary.p99, summary.mean].map(ms),
            [50.0, 95.0, 99.0, 50.5]
        );
        assert_eq!(summary.histogram.count, 110);
        assert_eq!(summary.histogram.buckets[0], (0.05, 50));
        assert_eq!(summary.histogram.buckets[11], (120.0, 110));
    }

    #[test]
    fn nothing_yet_is_all_zero() {
        let summary = Durations::default().summary(Instant::now());
        assert_eq!((summary.samples, summary.p99), (0, Duration::ZERO));
    }
}
