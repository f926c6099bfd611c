//! Fingerprints: what stands for settings with secrets in a table that outlives their users.
//!
//! A table whose keys are the settings themselves would hold passwords and authorization keys as
//! long as the table lives. A fingerprint is their HMAC-SHA-256 under a key that is drawn for each
//! table: equal settings have equal ones, and nothing can be learnt from it.

use std::hash::{Hash, Hasher};

use ring::hmac;

/// Stands for one value in the table whose `Fingerprints` made it.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
pub(crate) struct Fingerprint([u8; 32]);

/// Makes the fingerprints of one table.
pub(crate) struct Fingerprints(hmac::Key);

impl Default for Fingerprints {
    fn default() -> Fingerprints {
        let mut key = [0; 32];
        // Without randomness the fingerprints still tell settings apart.
        let _ = getrandom::fill(&mut key);
        Fingerprints(hmac::Key::new(hmac::HMAC_SHA256, &key))
    }
}

impl Fingerprints {
    pub(crate) fn of<T: Hash>(&self, value: &T) -> Fingerprint {
        let mut mac = Mac(hmac::Context::with_key(&self.0));
        value.hash(&mut mac);
        let mut bytes = [0; 32];
        let tag = mac.0.sign();
        let length = tag.as_ref().len().min(bytes.len());
        bytes[..length].copy_from_slice(&tag.as_ref()[..length]);
        Fingerprint(bytes)
    }
}

/// Feeds what a value hashes to the MAC.
struct Mac(hmac::Context);

impl Hasher for Mac {
    fn write(&mut self, bytes: &[u8]) {
        self.0.update(bytes);
    }

    /// Not asked for: the MAC's own end is the result.
    fn finish(&self) -> u64 {
        0
    }
}

#[cfg(test)]
mod tests {
    use super::Fingerprints;

    #[test]
    fn equal_values_have_equal_fingerprints_in_one_table_only() {
        let (one, other) = (Fingerprints::default(), Fingerprints::default());
        assert_eq!(one.of(&("a", "bc")), one.of(&("a", "bc")));
        assert_ne!(one.of(&("a", "bc")), one.of(&("ab", "c")));
        assert_ne!(one.of(&("a", "bc")), other.of(&("a", "bc")));
    }
}
