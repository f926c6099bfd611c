//! Request ids: different for each request, without a system call for each.
//!
//! Not a secret and not guess-proof. The seed is the operating system's, drawn once per session,
//! and a forked child has a session of its own: parent and child never repeat each other's ids.

use std::sync::atomic::{AtomicU64, Ordering};

/// Makes ids.
pub(super) struct RequestIds {
    seed: u128,
    drawn: AtomicU64,
}

impl RequestIds {
    pub(super) fn new() -> RequestIds {
        RequestIds {
            seed: uuid::Uuid::new_v4().as_u128(),
            drawn: AtomicU64::new(0),
        }
    }

    /// The next id, in the form of a random UUID.
    pub(super) fn draw(&self) -> String {
        let number = self.drawn.fetch_add(1, Ordering::Relaxed);
        let halves =
            [self.seed as u64, (self.seed >> 64) as u64].map(|half| mix(half ^ mix(number)));
        let bytes = (u128::from(halves[0]) << 64 | u128::from(halves[1])).to_be_bytes();
        uuid::Builder::from_random_bytes(bytes)
            .into_uuid()
            .to_string()
    }
}

/// SplitMix64's finalizer: a permutation of the 64-bit numbers, so that no half repeats.
fn mix(number: u64) -> u64 {
    let mut mixed = number.wrapping_add(0x9e37_79b9_7f4a_7c15);
    mixed = (mixed ^ (mixed >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
    mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
    mixed ^ (mixed >> 31)
}

#[cfg(test)]
mod tests {
    use std::collections::HashSet;

    use super::RequestIds;

    #[test]
    fn ids_are_random_uuids_that_do_not_repeat() {
        let (one, other) = (RequestIds::new(), RequestIds::new());
        let ids: HashSet<String> = (0..10_000)
            .flat_map(|_| [one.draw(), other.draw()])
            .collect();
        assert_eq!(ids.len(), 20_000);
        assert!(
            ids.iter()
                .all(|id| uuid::Uuid::parse_str(id).unwrap().get_version_num() == 4)
        );
    }
}
