//! What a process uses: bytes alive, resident memory, descriptors, threads, handles. Linux only, as the
//! first release is.

use std::fs::read_dir;
use std::time::{Duration, Instant};

use crate::allocation;

const QUIET: Duration = Duration::from_millis(200);
const LONGEST_SETTLING: Duration = Duration::from_secs(20);

#[derive(Clone, Copy, Debug)]
pub struct Sample {
    pub calls: u64,
    pub live_bytes: i64,
    pub live_blocks: i64,
    pub resident: i64,
    pub descriptors: usize,
    pub threads: usize,
    pub handles: u64,
}

fn entries(folder: &str) -> usize {
    // The folder itself is open while it is read.
    read_dir(folder).map_or(0, Iterator::count)
}

fn resident() -> i64 {
    let status = std::fs::read_to_string("/proc/self/status").unwrap_or_default();
    let line = status.lines().find_map(|line| line.strip_prefix("VmRSS:"));
    let kibibytes = line.and_then(|line| line.trim().strip_suffix(" kB"));
    kibibytes
        .and_then(|text| text.trim().parse::<i64>().ok())
        .unwrap_or(0)
        * 1024
}

impl Sample {
    pub fn take(calls: u64) -> Sample {
        let resident = resident();
        let (live_bytes, live_blocks) = allocation::live();
        Sample {
            calls,
            live_bytes,
            live_blocks,
            resident,
            descriptors: entries("/proc/self/fd"),
            threads: entries("/proc/self/task"),
            handles: gigachat_c::process::gigachat_live_handles(),
        }
    }

    /// A sample when nothing has changed for a while: what was caused already (closed connections, ended
    /// threads) takes a moment to be seen.
    pub fn settled(calls: u64) -> Sample {
        let until = Instant::now() + LONGEST_SETTLING;
        let mut last = Sample::take(calls);
        let mut same_since = Instant::now();
        while same_since.elapsed() < QUIET && Instant::now() < until {
            std::thread::sleep(Duration::from_millis(5));
            let now = Sample::take(calls);
            if (now.descriptors, now.threads, now.live_bytes)
                != (last.descriptors, last.threads, last.live_bytes)
            {
                same_since = Instant::now();
            }
            last = now;
        }
        last
    }
}

/// Bytes of resident memory per thousand calls: the slope of the least-squares line.
pub fn resident_slope(samples: &[Sample]) -> f64 {
    let count = samples.len() as f64;
    let x = |sample: &Sample| sample.calls as f64 / 1000.0;
    let y = |sample: &Sample| sample.resident as f64;
    let mean_x = samples.iter().map(x).sum::<f64>() / count;
    let mean_y = samples.iter().map(y).sum::<f64>() / count;
    let covariance: f64 = samples
        .iter()
        .map(|s| (x(s) - mean_x) * (y(s) - mean_y))
        .sum();
    let variance: f64 = samples.iter().map(|s| (x(s) - mean_x).powi(2)).sum();
    if variance == 0.0 {
        0.0
    } else {
        covariance / variance
    }
}
