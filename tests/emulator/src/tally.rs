//! How often each call came that says its number, `X-Emulator-Call: 7`: the one memory that a million requests
//! fit into. What they held is the recorder's matter.

use std::collections::HashMap;
use std::sync::{Mutex, PoisonError};

use hyper::HeaderMap;

#[derive(Default)]
pub(crate) struct Tally {
    counts: Mutex<HashMap<u64, u32>>,
}

impl Tally {
    /// Counts a request, if it has a number.
    pub fn count(&self, headers: &HeaderMap) {
        let number = headers
            .get("x-emulator-call")
            .and_then(|value| value.to_str().ok())
            .and_then(|value| value.parse().ok());
        if let Some(number) = number {
            let mut counts = self.counts.lock().unwrap_or_else(PoisonError::into_inner);
            *counts.entry(number).or_default() += 1;
        }
    }

    pub fn take(&self) -> HashMap<u64, u32> {
        std::mem::take(&mut *self.counts.lock().unwrap_or_else(PoisonError::into_inner))
    }
}

#[cfg(test)]
mod tests {
    use hyper::HeaderMap;

    use super::Tally;

    #[test]
    fn each_number_is_counted_until_it_is_taken() {
        let tally = Tally::default();
        for number in ["7", "8", "7", "no number"] {
            let mut headers = HeaderMap::new();
            headers.insert("x-emulator-call", number.parse().expect("a value"));
            tally.count(&headers);
        }
        tally.count(&HeaderMap::new());
        let counts = tally.take();
        assert_eq!((counts.len(), counts[&7], counts[&8]), (2, 2, 1));
        assert!(tally.take().is_empty());
    }
}
