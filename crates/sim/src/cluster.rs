//! A deterministic simulation of an ensemble: N servers, each the same `Node`, `Connection`,
//! `Replica` and storage as in production, on a disk and under a clock of its own, between simulated
//! networks and clients that move from server to server.
//!
//! # Two acts
//!
//! In the first, everything breaks: members are killed or lose power (all at once, too), disks fail
//! and dawdle, processes freeze, connections are reset or stall, the network falls into parts, in one
//! direction or both. Nothing may contradict a checker. In the second everything is mended, and the
//! ensemble must converge within a budget of simulated time: a leader, every member at the same zxid
//! with the same tree, every client served.
//!
//! # What must hold
//!
//! One file each in `cluster/checkers/`; all hear every fact, and share one ledger of what each
//! member's history is in memory, in its log's queue and on its disk.
//!
//! # That it can fail
//!
//! Known faults, most of them of ZooKeeper's own history, are committed on purpose (`zooid-mutants`); each
//! must be found.

mod ballots;
mod case;
mod chance;
mod checkers;
mod client;
mod env;
mod fact;
mod log_reader;
mod member;
mod network;
mod options;
mod promise;
mod run;
mod schedule;
mod shrink;
mod site;
mod snapshot;
mod world;

pub use case::NoCase;
pub use chance::{Chance, NoChance, Script};
pub use options::Options;
pub use run::{Report, replay, run, run_twice};
pub use shrink::shrink;
