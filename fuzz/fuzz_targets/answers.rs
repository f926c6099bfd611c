//! The fuzzer of `gigachat_fuzz::answers`, where its property is.
#![no_main]

libfuzzer_sys::fuzz_target!(|input: &[u8]| gigachat_fuzz::answers::check(input));
