//! The replica: tree, sessions, watches and the place in the order of transactions (Java
//! `ZKDatabase` and the rest of `DataTree`).
//!
//! Transactions are applied in `replica/apply.rs`, client reads are in `replica/read.rs`; here are
//! the construction, the lookups that prepare requests, the counts and the walks.

mod apply;
mod node_ref;
mod read;

use crate::acl_table::{AclTable, put_len};
use crate::nodes::Nodes;
use crate::path_hash::PathHash;
use crate::quota::Quota;
use crate::tree::{Tree, TreeOptions};
use crate::walk::Walk;
use crate::watch_table::WatcherId;
use crate::watches::{WatchSummary, Watches};
use std::collections::{BTreeMap, VecDeque};
use std::sync::Arc;
use zooid_proto::{EphemeralOwner, Jute, SessionId, TxnDigest, Zxid};

pub use apply::Applied;
pub use node_ref::{Children, KeptList, NodeRef};

/// A server's copy of the database.
#[derive(Debug)]
pub struct Replica {
    tree: Tree,
    sessions: BTreeMap<SessionId, i32>,
    watches: Watches,
    last_zxid: Zxid,
    digest_log: VecDeque<(Zxid, i32, i64)>,
    digest_mismatches: u64,
    /// The digest that a fuzzy snapshot promises for a transaction still to be replayed. Until
    /// then no digest means anything.
    awaited_digest: Option<(Zxid, TxnDigest)>,
}

impl Replica {
    /// The database of a server that has none: four nodes, no sessions.
    #[must_use]
    pub fn new(options: TreeOptions) -> Replica {
        Replica::from_parts(Tree::fresh(options), BTreeMap::new(), Zxid::ZERO)
    }

    pub(crate) fn from_parts(
        tree: Tree,
        sessions: BTreeMap<SessionId, i32>,
        last_zxid: Zxid,
    ) -> Replica {
        Replica {
            tree,
            sessions,
            watches: Watches::default(),
            last_zxid,
            digest_log: VecDeque::new(),
            digest_mismatches: 0,
            awaited_digest: None,
        }
    }

    /// How it is kept.
    #[must_use]
    pub fn options(&self) -> TreeOptions {
        self.tree.options()
    }

    /// The last transaction applied.
    #[must_use]
    pub fn last_zxid(&self) -> Zxid {
        self.last_zxid
    }

    /// Takes a new epoch's first zxid, which no transaction has, as applied. Never goes back.
    pub fn advance_to(&mut self, zxid: Zxid) {
        self.last_zxid = self.last_zxid.max(zxid);
    }

    /// The digest of the tree; 0 when digests are switched off.
    #[must_use]
    pub fn digest(&self) -> i64 {
        self.tree.digest()
    }

    /// Transactions whose digest was another than ours.
    #[must_use]
    pub fn digest_mismatches(&self) -> u64 {
        self.digest_mismatches
    }

    /// Zxid, digest version and digest at every 128th zxid, the oldest first.
    pub fn digest_log(&self) -> impl Iterator<Item = (Zxid, i32, i64)> + '_ {
        self.digest_log.iter().copied()
    }

    /// The node at a path; "" and "/" are the root.
    #[must_use]
    pub fn node(&self, path: &str) -> Option<NodeRef<'_>> {
        let slot = self.tree.find(path)?;
        Some(NodeRef::new(&self.tree, slot))
    }

    /// As [`Replica::node`], for a caller that has other uses for the path's hash.
    #[must_use]
    pub fn node_hashed(&self, path: &str, hash: PathHash) -> Option<NodeRef<'_>> {
        let slot = self.tree.nodes.find_hashed(path, hash)?;
        Some(NodeRef::new(&self.tree, slot))
    }

    /// A session's timeout in milliseconds.
    #[must_use]
    pub fn session_timeout(&self, session: SessionId) -> Option<i32> {
        self.sessions.get(&session).copied()
    }

    /// Every session and its timeout in milliseconds.
    pub fn sessions(&self) -> impl Iterator<Item = (SessionId, i32)> + '_ {
        self.sessions.iter().map(|(id, timeout)| (*id, *timeout))
    }

    /// The paths that a session owns, sorted.
    #[must_use]
    pub fn ephemerals_of(&self, session: SessionId) -> Vec<String> {
        self.tree.ephemerals_of(session)
    }

    /// Sessions that own nodes or, still open, have owned some, with their paths.
    pub fn sessions_with_ephemerals(&self) -> impl Iterator<Item = (SessionId, Vec<String>)> + '_ {
        let sessions = self.tree.owners.sessions();
        sessions.map(|session| (session, self.ephemerals_of(session)))
    }

    /// The quota that a write at `path` is charged to: the longest prefix that has one.
    #[must_use]
    pub fn quota_of(&self, path: &str) -> Option<Quota> {
        self.tree.quota_of(path)
    }

    /// Container and TTL nodes that should go (Java `ContainerManager.getCandidates`). A container
    /// that never had children goes after `never_used_ms`, if that is not 0.
    #[must_use]
    pub fn expired_nodes(&self, wall_ms: i64, never_used_ms: i64) -> Vec<String> {
        let nodes = &self.tree.nodes;
        let age_ms = |slot| wall_ms.saturating_sub(nodes.stat_persisted(slot).mtime);
        let containers = self.tree.owners.containers().filter(|slot| {
            let was_used = nodes.stat_persisted(*slot).cversion > 0;
            was_used || (never_used_ms != 0 && age_ms(*slot) > never_used_ms)
        });
        let ttls = self.tree.owners.ttls().filter(|slot| {
            matches!(self.tree.owner(*slot), EphemeralOwner::Ttl(ttl) if ttl != 0 && age_ms(*slot) > ttl)
        });
        containers
            .chain(ttls)
            .filter(|slot| nodes.children(*slot).is_empty())
            .map(|slot| nodes.path(slot))
            .collect()
    }

    /// Sets what `/zookeeper/config` holds, outside of any transaction: each server does so when
    /// it starts.
    pub fn set_config(&mut self, text: &[u8], version: Zxid, wall_ms: i64) {
        self.tree.set_config(text, version, wall_ms);
    }
}

/// Counts, as metrics and four-letter words show them.
impl Replica {
    /// Nodes, counting the root twice, as Java does, which keeps it under two keys.
    #[must_use]
    pub fn node_count(&self) -> usize {
        self.tree.nodes.len() + 1
    }

    /// Sessions.
    #[must_use]
    pub fn session_count(&self) -> usize {
        self.sessions.len()
    }

    /// Watches of both tables.
    #[must_use]
    pub fn watch_count(&self) -> usize {
        self.watches.count()
    }

    /// What `wchs` tells.
    #[must_use]
    pub fn watch_summary(&self) -> WatchSummary {
        self.watches.summary()
    }

    /// What `wchc` tells: data watches by watcher.
    #[must_use]
    pub fn watches_by_watcher(&self) -> Vec<(WatcherId, Vec<Arc<str>>)> {
        self.watches.by_watcher()
    }

    /// What `wchp` tells: data watches by path.
    #[must_use]
    pub fn watches_by_path(&self) -> Vec<(Arc<str>, Vec<WatcherId>)> {
        self.watches.by_path()
    }

    /// Ephemeral nodes.
    #[must_use]
    pub fn ephemerals_count(&self) -> usize {
        self.tree.owners.ephemerals_count()
    }

    /// Java's measure: characters of all paths and bytes of all data.
    #[must_use]
    pub fn approximate_data_size(&self) -> i64 {
        self.tree.data_size()
    }
}

/// Walks.
impl Replica {
    /// Begins to write out the tree as it is now. Costs a copy of the session and ACL tables and
    /// one bit per node; several walks may be under way at once.
    #[must_use]
    pub fn begin_walk(&mut self) -> Walk {
        let mut header = Vec::new();
        put_len(&mut header, self.sessions.len());
        for (session, timeout_ms) in &self.sessions {
            session.encode(&mut header);
            timeout_ms.encode(&mut header);
        }
        self.tree.begin_walk(self.last_zxid, header)
    }

    pub(crate) fn storage(&self) -> (&Nodes, &AclTable) {
        (&self.tree.nodes, &self.tree.acls)
    }
}

#[cfg(test)]
mod tests;
