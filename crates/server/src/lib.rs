//! The driver of a real server: sockets, threads, signals, four-letter words.
//!
//! The only crate that knows tokio. It makes no protocol decision: it carries bytes between
//! sockets, the log and the three values that do ([`zooid_node::Node`],
//! [`zooid_node::Connection`], [`zooid_tree::Replica`]).
//!
//! A server alone and a member of an ensemble are driven alike; the latter has, besides, the election
//! port and the quorum port (`quorum`).
//!
//! Threads: one accepts clients; the threads of `workers` own their sockets and run reads; one core thread
//! steps the node and writes the replica, and where there are few processors does the workers' part, too; one
//! log thread syncs; one snapshot thread walks the tree. Between them are bounded channels; the lock order is
//! the replica, then a connection.
#![forbid(unsafe_code)]

mod busy_poll;
pub mod check;
mod client;
mod clients;
mod clock;
mod connection_throttle;
mod core_thread;
mod database;
mod directory_lock;
mod four_letter;
mod listener;
mod log_thread;
mod member;
mod membership;
mod metrics;
mod pace;
mod quorum;
mod quota_log;
pub mod repair;
mod request_throttle;
mod role_log;
mod server;
mod settings;
mod shared;
mod snapshot_thread;
mod stats;
mod unsupported;
mod version;
mod workers;

pub use directory_lock::DirectoryInUse;
pub use metrics::metrics_reference_page;
pub use server::{ServeError, serve};
pub use settings::Unsupported;
pub use version::FULL_VERSION;
