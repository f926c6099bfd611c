//! Permits that processes share: slot `n` is the locked file `slot-n`.
//!
//! Who wants one takes the lock `turn` first and keeps it while it looks for a free slot. So a
//! process that has just given a slot back cannot take it again before those who wait.

use std::io;
use std::time::{Duration, SystemTime};

use super::HostShare;
use super::lock::FileLock;
use crate::jitter::random_fraction;

const TURN: &str = "turn";
/// How long to look away from somebody's turn, on average.
const BETWEEN_LOOKS: Duration = Duration::from_millis(5);
/// From slots that are all taken: at first, and at last. Only who has the turn looks at them.
const FIRST_LOOK: Duration = Duration::from_millis(1);
const LAST_LOOK: Duration = Duration::from_millis(10);
/// For so long a turn is respected.
const LONGEST_TURN: Duration = Duration::from_secs(5);

/// A permit of the machine's, given back on drop.
pub(crate) struct Slot(#[expect(dead_code, reason = "held for its drop")] FileLock);

impl HostShare {
    /// Waits for one of `count` slots. Dropping the future gives up the place.
    pub(crate) async fn slot(&self, count: u32) -> io::Result<Slot> {
        let _first_here = self.looking.lock().await;
        // Who was stopped while it has the turn does not stop the others.
        let turn = tokio::time::timeout(LONGEST_TURN, self.lock(TURN)).await;
        let _turn = turn.ok().transpose()?;
        let mut time = FIRST_LOOK;
        loop {
            if let Some(slot) = self.free_slot(count)? {
                return Ok(slot);
            }
            look_away(time).await;
            time = time.mul_f64(1.5).min(LAST_LOOK);
        }
    }

    /// Whether any slot was handed out in the last `time`: the queue of the machine moves.
    pub(crate) fn has_moved_within(&self, time: Duration, count: u32) -> bool {
        let since = SystemTime::now().checked_sub(time);
        (0..count).any(|number| {
            let taken = self.folder.modified(&slot_name(number));
            taken.is_some_and(|taken| since.is_none_or(|since| taken >= since))
        })
    }

    /// Waits for the lock of this name.
    pub(super) async fn lock(&self, name: &str) -> io::Result<FileLock> {
        loop {
            if let Some(lock) = self.folder.try_lock(name)? {
                return Ok(lock);
            }
            look_away(BETWEEN_LOOKS).await;
        }
    }

    /// From the last slot down: the first ones are for processes with a smaller limit.
    fn free_slot(&self, count: u32) -> io::Result<Option<Slot>> {
        for number in (0..count).rev() {
            if let Some(lock) = self.folder.try_lock(&slot_name(number))? {
                lock.touch();
                return Ok(Some(Slot(lock)));
            }
        }
        Ok(None)
    }
}

fn slot_name(number: u32) -> String {
    format!("slot-{number}")
}

/// For about this time, so that processes do not look in step.
async fn look_away(time: Duration) {
    tokio::time::sleep(time.mul_f64(0.5 + random_fraction())).await;
}
