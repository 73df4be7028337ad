//! Zooid beside other people's programs: what the tests of this crate share.
//!
//! Owns the starting and killing of servers ([`Server`], Zooid's or Java's alike), a client that
//! sees every byte ([`Wire`], [`Session`]), the picture of a whole tree ([`TreeDump`]) and the
//! side-by-side comparison of two servers ([`comparison`], which runs a [`script`] against both). It
//! uses no part of Zooid but the record types of `zooid-proto`: a fault of the server must not be
//! hidden by the same fault here.
//!
//! The tests need Debian's ZooKeeper and are built with the feature `peers` only; run them with
//! `scripts/test-interop`.

pub mod comparison;
mod conversation;
mod driver;
mod dump;
mod ensemble;
mod kept_alive;
mod kills;
mod launch;
mod preview;
mod random_script;
mod rendering;
pub mod script;
mod server;
mod services;
mod session;
mod site;
mod small_disk;
mod snapshot_file;
mod tail;
mod wire;
mod workload;
mod writers;

pub use conversation::Conversation;
pub use dump::{NodeDump, TreeDump};
pub use ensemble::{Ensemble, Layout, Mode, Role, Status};
pub use kills::Kills;
pub use launch::{Kind, Options, SUPER_DIGEST, java_program, java_tool, zooid_binary};
pub use preview::Preview;
pub use random_script::random_script;
pub use server::Server;
pub use services::use_every_member;
pub use session::{Event, Reply, Session, SessionGone};
pub use small_disk::SmallDisk;
pub use snapshot_file::{SnapshotFile, count_log_records, snapshots};
pub use tail::leave_a_tail;
pub use wire::Wire;
pub use workload::{Workload, anyone};
pub use writers::{Journal, Writers, check_journals, wait_for_lost_ephemerals};
