//! Random numbers for picks: fast, seedable, not for secrets.

/// SplitMix64 (Steele, Lea, Flood 2014): one addition and three mixing steps per number.
#[derive(Debug)]
pub(super) struct Random(u64);

impl Random {
    /// The same seed gives the same numbers, for tests; without one the system chooses.
    pub(super) fn new(seed: Option<u64>) -> Random {
        Random(seed.unwrap_or_else(from_system))
    }

    fn next(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut mixed = self.0;
        mixed = (mixed ^ (mixed >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        mixed ^ (mixed >> 31)
    }

    /// A number below `bound`; 0 when that is 0. The bias is below `bound` / 2^64.
    pub(super) fn below(&mut self, bound: u64) -> u64 {
        ((u128::from(self.next()) * u128::from(bound)) >> 64) as u64
    }
}

fn from_system() -> u64 {
    let mut bytes = [0; 8];
    match getrandom::fill(&mut bytes) {
        Ok(()) => u64::from_le_bytes(bytes),
        // A fixed seed is still a fair sequence.
        Err(_) => 0,
    }
}
