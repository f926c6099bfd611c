//! What each fuzz target does with its bytes, and what must hold whatever they are.
//!
//! Not the fuzzers: those are in `fuzz_targets`, and `tests/corpus.rs` replays the corpora
//! through the same functions without any. A property that fails panics.

pub mod answers;
pub mod c_api;
pub mod configuration;
pub mod request;
pub mod sse;

/// A target's property: panics when the bytes break it.
pub type Property = fn(&[u8]);

/// Every target by name: that of its fuzzer, its corpus and its dictionary.
pub const TARGETS: [(&str, Property); 5] = [
    ("answers", answers::check),
    ("c_api", c_api::check),
    ("configuration", configuration::check),
    ("request", request::check),
    ("sse", sse::check),
];
