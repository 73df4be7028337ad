//! See `zooid_fuzz::zoo_cfg`.
#![no_main]

libfuzzer_sys::fuzz_target!(|data: &[u8]| zooid_fuzz::zoo_cfg::run(data));
