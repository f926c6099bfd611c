//! The fuzzer of `gigachat_fuzz::c_api`, where its property is.
//!
//! Inputs that have the library's threads to themselves are slow. After those of a corpus they are
//! one in a hundred, so that the others are not too few.
#![no_main]

use std::sync::atomic::{AtomicU64, Ordering};

use gigachat_fuzz::c_api;
use libfuzzer_sys::Corpus;

/// More than any corpus has of them.
const FREE: u64 = 500;
const ONE_IN: u64 = 100;

/// Whether the input's turn has come.
fn is_due(input: &[u8]) -> bool {
    static PLAYED: AtomicU64 = AtomicU64::new(0);
    static ALONE: AtomicU64 = AtomicU64::new(0);
    let played = PLAYED.fetch_add(1, Ordering::Relaxed);
    if !c_api::is_alone(input) {
        return true;
    }
    let due = ALONE.load(Ordering::Relaxed) < FREE + played / ONE_IN;
    ALONE.fetch_add(u64::from(due), Ordering::Relaxed);
    due
}

libfuzzer_sys::fuzz_target!(|input: &[u8]| -> Corpus {
    if !is_due(input) {
        return Corpus::Reject;
    }
    c_api::check(input);
    Corpus::Keep
});
