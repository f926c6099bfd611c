//! The fuzzer of `gigachat_fuzz::c_api`, where its property is.
#![no_main]

libfuzzer_sys::fuzz_target!(|input: &[u8]| gigachat_fuzz::c_api::check(input));
