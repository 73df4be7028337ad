//! Real servers on a real network, faults of every kind, and whether what their clients saw can be.
//!
//! Owns the network of namespaces ([`network`]), the servers in it ([`cluster`]), the clients that write
//! down all they see ([`client`], [`history`]), what is done to the servers meanwhile ([`nemesis`]), and
//! the judgement of what was seen ([`checker`]). `docs/internals/testing.md` tells how to use it and how to
//! read a failure. Linux only.

pub mod checker;
pub mod client;
pub mod cluster;
pub mod dice;
pub mod history;
pub mod kazoo;
mod moment;
pub mod name_server;
pub mod names;
pub mod nemesis;
pub mod network;
pub mod report;
pub mod run;
