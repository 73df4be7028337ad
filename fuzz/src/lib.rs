//! What is done with arbitrary bytes, and what must then hold.
//!
//! Each module's `run` is the body of a fuzz target and returns for whatever bytes; it panics when a
//! promise is broken. The same bodies are run on mutated seeds by an ordinary test of the server
//! crate (`tests/fuzz_smoke.rs`), which includes this file.
//!
//! ```text
//! cargo run --example write_seeds
//! RUSTC_BOOTSTRAP=1 cargo fuzz run -s none log -- -max_total_time=60
//! ```

pub mod codec;
pub mod election;
pub mod frames;
pub mod log;
pub mod seeds;
pub mod snapshot;
pub mod zoo_cfg;
