//! A deterministic simulation of the whole server: the same `Node`, `Connection`, `Replica`,
//! `TxnLog`, `Snapshots`, recovery and purge as in production, between simulated clients and a
//! simulated disk, under a virtual clock.
//!
//! Everything that happens follows from one seed: a heap of (time, sequence, event), an independent
//! stream of dice per component, no thread, no clock, no hash order. The same seed gives the same
//! trace, whose hash says so.
//!
//! # What can go wrong
//!
//! Power fails at any operation of the disk, which then holds any of the survivors that
//! `zooid_storage::disk::SimulatedDisk` offers; the process is killed; a write or a sync fails; the
//! disk fills; recovery itself meets power loss and errors; syncs are slow; snapshots are written
//! chunk by chunk and purges file by file while everything else goes on. Clients pipeline, hang up,
//! leave half-open connections behind, come back to their sessions, fall silent until they expire.
//!
//! # What must hold
//!
//! One file each in `checkers/`; each hears every fact of the run. The oracle among them carries
//! every request out on a model and compares every reply, event and recovered tree with it.
//!
//! # That it can fail
//!
//! Known faults (`zooid-mutants`) are committed on purpose, and `hunt` must find each.
#![forbid(unsafe_code)]

mod checkers;
mod client;
pub mod cluster;
mod env;
mod fact;
mod forgetful;
#[cfg(feature = "mutants")]
pub mod hunt;
mod model;
mod options;
mod packet;
pub mod power_loss;
mod random;
mod request;
mod run;
mod schedule;
mod server;
mod trace;
mod workload;
mod world;

pub use options::{Faults, Options};
pub use run::{Failure, Report, run, run_twice};
