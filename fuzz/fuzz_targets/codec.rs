//! See `zooid_fuzz::codec`.
#![no_main]

libfuzzer_sys::fuzz_target!(|data: &[u8]| zooid_fuzz::codec::run(data));
