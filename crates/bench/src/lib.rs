//! `zooid bench`: a load generator for any server that speaks ZooKeeper's client protocol.
//!
//! A run goes through these steps, each with a file of its own:
//!
//! 1. `args` turns the command line into a `plan::Plan`, in which every value makes sense, or into
//!    one of `scenario`'s plans: filling, idle sessions, watches, what the machine itself takes.
//! 2. `nodes` creates the nodes that the workload reads and writes, over a blocking `session`.
//! 3. One `worker` per thread drives many non-blocking `connection`s. On each, an
//!    `exchange` decides what is sent when and checks every reply: its place in the order, its
//!    error code and, where there is one, its body.
//! 4. `tally`s are merged into a `report`, for people or as JSON or, by `plot`, as a picture;
//!    `process` adds what the servers and the generator itself have cost.
//!
//! The generator usually shares its machine with the server, so it has to be cheap: a request is
//! encoded into a buffer that is reused, a reply is parsed where it was received, the clock is
//! read once per batch, and all that is ready on a connection is written by one call.

mod address;
mod args;
mod chart;
mod connection;
mod distribution;
mod exchange;
mod frame;
mod generator;
mod herd;
mod keys;
mod latency;
mod nodes;
mod plan;
mod plot;
mod process;
mod progress;
mod report;
mod run;
mod scenario;
mod session;
mod svg;
mod tally;
mod timeline;
mod units;
mod watched;
mod worker;
mod workload;

#[cfg(test)]
mod fake_server;

pub use args::BenchArgs;
pub use run::run;
