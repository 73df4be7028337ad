//! See `zooid_fuzz::frames`.
#![no_main]

libfuzzer_sys::fuzz_target!(|data: &[u8]| zooid_fuzz::frames::run(data));
