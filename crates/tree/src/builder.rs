//! Building a replica from a snapshot's records (spec §4.4; Java `DataTree.deserialize`).

use crate::acl_table::AclSlot;
use crate::index::Twice;
use crate::nodes::{Draft, Nodes, Slot};
use crate::replica::Replica;
use crate::tree::{Tree, TreeOptions};
use std::collections::BTreeMap;
use zooid_proto::path::split;
use zooid_proto::{Acl, AclList, SessionId, StatPersisted, TxnDigest, Zxid};

/// Why a snapshot's records make no tree.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum LoadError {
    /// A node came before its parent.
    #[error("node {0:?} has no parent")]
    Orphan(String),
    /// A node came twice.
    #[error("node {0:?} occurs twice")]
    Duplicate(String),
    /// There was no root.
    #[error("the root is missing")]
    NoRoot,
    /// No node can have this path.
    #[error("{0:?} is not the path of a node")]
    BadPath(String),
}

/// Nodes of a snapshot on their way into a tree. What can be made of each by itself is made here, which is
/// most of the work, so that a second thread may do it.
#[derive(Debug)]
pub struct NodeBatch {
    options: TreeOptions,
    /// The paths, one behind the other.
    paths: String,
    nodes: Vec<BatchedNode>,
    data_len: usize,
}

#[derive(Debug)]
struct BatchedNode {
    path_end: usize,
    acl_id: i64,
    draft: Draft,
}

impl NodeBatch {
    /// Nothing, for a tree with these options.
    #[must_use]
    pub fn new(options: TreeOptions) -> NodeBatch {
        NodeBatch {
            options,
            paths: String::new(),
            nodes: Vec::new(),
            data_len: 0,
        }
    }

    /// Adds a node; the root's path is "".
    pub fn push(&mut self, path: &str, data: Option<&[u8]>, acl_id: i64, stat: StatPersisted) {
        let draft = self.options.draft(path, data, stat);
        self.data_len += draft.data_len();
        self.paths.push_str(path);
        self.nodes.push(BatchedNode {
            path_end: self.paths.len(),
            acl_id,
            draft,
        });
    }

    /// Nodes in it.
    #[must_use]
    pub fn len(&self) -> usize {
        self.nodes.len()
    }

    /// Whether there is nothing in it.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.nodes.is_empty()
    }

    /// Bytes of their data.
    #[must_use]
    pub fn data_len(&self) -> usize {
        self.data_len
    }
}

/// Takes the records of a snapshot in their order: sessions, ACLs, nodes with the root first.
#[derive(Debug)]
pub struct ReplicaBuilder {
    tree: Tree,
    sessions: BTreeMap<SessionId, i32>,
    acls: BTreeMap<i64, AclSlot>,
    has_root: bool,
    digest: Option<(Zxid, TxnDigest)>,
    last: Last,
}

/// The node that came last: the next one's parent is mostly it, or above it.
#[derive(Debug, Default)]
struct Last {
    path: String,
    slot: Slot,
}

impl Last {
    /// The slot of `path`, if that is the last node's or leads to it.
    fn ancestor(&self, path: &str, nodes: &Nodes) -> Option<Slot> {
        let mut at = self.path.as_str();
        let mut slot = self.slot;
        while at.len() > path.len() {
            (at, _) = split(at)?;
            slot = nodes.parent(slot);
        }
        (at == path).then_some(slot)
    }
}

/// The number that stands for `world:anyone` with all permissions.
const OPEN_ACL_ID: i64 = -1;

impl ReplicaBuilder {
    /// Begins with nothing.
    #[must_use]
    pub fn new(options: TreeOptions) -> ReplicaBuilder {
        ReplicaBuilder {
            tree: Tree::empty(options),
            sessions: BTreeMap::new(),
            acls: BTreeMap::from([(OPEN_ACL_ID, AclSlot::OPEN)]),
            has_root: false,
            digest: None,
            last: Last::default(),
        }
    }

    /// A session and its timeout in milliseconds.
    pub fn session(&mut self, id: SessionId, timeout_ms: i32) {
        self.sessions.insert(id, timeout_ms);
    }

    /// An ACL and its number.
    pub fn acl(&mut self, acl_id: i64, acl: &AclList) {
        let slot = self.tree.acls.load(acl_id, acl);
        self.acls.insert(acl_id, slot);
    }

    /// A node; the root's path is "".
    ///
    /// An ACL number that the snapshot does not explain is met in fuzzy snapshots, where the log
    /// goes on to create the node again with its ACL. Until it does, nobody has access.
    ///
    /// # Errors
    /// [`LoadError::Orphan`], [`LoadError::BadPath`]; [`LoadError::Duplicate`] here or later, at the
    /// latest when it ends.
    pub fn node(
        &mut self,
        path: &str,
        data: Option<&[u8]>,
        acl_id: i64,
        stat: StatPersisted,
    ) -> Result<(), LoadError> {
        let draft = self.tree.options().draft(path, data, stat);
        self.place(path, acl_id, draft)
    }

    /// The same for many, prepared for a tree with the same options.
    ///
    /// # Errors
    /// As [`ReplicaBuilder::node`].
    pub fn nodes(&mut self, batch: NodeBatch) -> Result<(), LoadError> {
        debug_assert_eq!(batch.options, self.tree.options());
        let mut path_start = 0;
        for node in batch.nodes {
            let path = &batch.paths[path_start..node.path_end];
            self.place(path, node.acl_id, node.draft)?;
            path_start = node.path_end;
        }
        Ok(())
    }

    fn place(&mut self, path: &str, acl_id: i64, draft: Draft) -> Result<(), LoadError> {
        let acl = self.acl_slot(acl_id);
        if path.is_empty() {
            if self.has_root {
                return Err(LoadError::Duplicate(path.to_owned()));
            }
            self.has_root = true;
            self.tree.acls.add_use(acl);
            self.tree.insert_root(acl, draft);
            return Ok(());
        }
        let parent = self.parent_of(path)?;
        self.tree.acls.add_use(acl);
        let inserted = self.tree.insert_deferred(parent, path, acl, draft);
        self.last.slot = inserted.map_err(|twice| self.duplicate(twice))?;
        self.last.path.clear();
        self.last.path.push_str(path);
        Ok(())
    }

    /// The snapshot's digest section, if it has one. If the snapshot is fuzzy no digests are
    /// compared until the transaction that this one belongs to has been replayed.
    pub fn snapshot_digest(&mut self, zxid: Zxid, digest: TxnDigest) {
        self.digest = Some((zxid, digest));
    }

    /// Ends with the zxid that the snapshot is named for.
    ///
    /// # Errors
    /// [`LoadError::NoRoot`], [`LoadError::Duplicate`].
    pub fn finish(mut self, zxid: Zxid) -> Result<Replica, LoadError> {
        if !self.has_root {
            return Err(LoadError::NoRoot);
        }
        let settled = self.tree.nodes.settle_all();
        settled.map_err(|twice| self.duplicate(twice))?;
        self.tree.acls.purge_unused();
        self.tree.recount_quotas();
        let mut replica = Replica::from_parts(self.tree, self.sessions, zxid);
        if let Some((zxid, digest)) = self.digest {
            replica.await_digest(zxid, digest);
        }
        Ok(replica)
    }

    fn parent_of(&mut self, path: &str) -> Result<Slot, LoadError> {
        let bad_path = || LoadError::BadPath(path.to_owned());
        let (parent, name) = split(path).ok_or_else(bad_path)?;
        if name.is_empty() || !Nodes::name_fits(name) {
            return Err(bad_path());
        }
        let orphan = || LoadError::Orphan(path.to_owned());
        if !self.has_root {
            return Err(orphan());
        }
        if let Some(slot) = self.last.ancestor(parent, &self.tree.nodes) {
            return Ok(slot);
        }
        let settled = self.tree.nodes.settle(parent);
        settled.map_err(|twice| self.duplicate(twice))?;
        self.tree.find(parent).ok_or_else(orphan)
    }

    fn duplicate(&self, Twice(slot): Twice) -> LoadError {
        LoadError::Duplicate(self.tree.nodes.path(slot))
    }

    fn acl_slot(&mut self, acl_id: i64) -> AclSlot {
        let acls = &mut self.tree.acls;
        *self.acls.entry(acl_id).or_insert_with(|| {
            let nobody = AclList::from(vec![Acl::anyone(0)]);
            acls.load(acl_id, &nobody)
        })
    }
}

#[cfg(test)]
mod tests;
