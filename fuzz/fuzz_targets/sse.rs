//! The fuzzer of `gigachat_fuzz::sse`, where its property is.
#![no_main]

libfuzzer_sys::fuzz_target!(|input: &[u8]| gigachat_fuzz::sse::check(input));
