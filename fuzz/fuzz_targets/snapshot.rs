//! See `zooid_fuzz::snapshot`.
#![no_main]

libfuzzer_sys::fuzz_target!(|data: &[u8]| zooid_fuzz::snapshot::run(data));
