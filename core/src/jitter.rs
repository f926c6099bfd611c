//! Randomness for waits, so that those who were told the same do not come back together.

/// From 0 to 1, from the operating system each time, so that parent and forked child never draw
/// the same.
pub(crate) fn random_fraction() -> f64 {
    let mut bytes = [0; 4];
    match getrandom::fill(&mut bytes) {
        Ok(()) => f64::from(u32::from_le_bytes(bytes)) / f64::from(u32::MAX),
        Err(_) => 0.5,
    }
}
