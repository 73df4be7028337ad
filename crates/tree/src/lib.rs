//! The replicated database of one server (Java `DataTree`, `ZKDatabase`).
//!
//! [`Replica`] owns the data tree, the ACL table, ephemerals, container and TTL nodes, quotas, the
//! digest, the session table and the watches. One thread writes it, by [`Replica::apply`], a batch
//! of committed transactions per lock; many threads read it under the read lock, and a read that
//! leaves a watch registers it there and then. [`Walk`] writes the tree out as of one transaction
//! while it goes on changing; [`ReplicaBuilder`] reads it in.
//!
//! The crate decides nothing about requests (that is done before a transaction is made), knows
//! neither the log nor the network, and has no clock: times are arguments or in the transactions.

pub mod acl;
mod acl_table;
mod builder;
mod child_lists;
pub mod digest;
mod index;
mod nodes;
mod owners;
mod path_hash;
mod prefetch;
mod quota;
mod replica;
mod slab;
mod slot_set;
#[cfg(test)]
mod testing;
mod tree;
mod walk;
mod watch_table;
mod watches;

pub use acl::Access;
pub use builder::{LoadError, NodeBatch, ReplicaBuilder};
pub use child_lists::ChildListLimits;
pub use path_hash::PathHash;
pub use quota::{LIMITS_NODE, Quota, QuotaLimits, STATS_NODE};
pub use replica::{Applied, Children, KeptList, NodeRef, Replica};
pub use tree::TreeOptions;
pub use walk::Walk;
pub use watch_table::WatcherId;
pub use watches::{Fired, WatchSummary};
