//! See `zooid_fuzz::log`.
#![no_main]

libfuzzer_sys::fuzz_target!(|data: &[u8]| zooid_fuzz::log::run(data));
