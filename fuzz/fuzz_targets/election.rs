//! See `zooid_fuzz::election`.
#![no_main]

libfuzzer_sys::fuzz_target!(|data: &[u8]| zooid_fuzz::election::run(data));
