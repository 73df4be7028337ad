//! A snapshot's items in portions, for a tree that is built on another thread than the one that takes the
//! bytes apart.

use super::body::SnapshotItem;
use zooid_proto::{AclList, SessionId};
use zooid_tree::{LoadError, NodeBatch, ReplicaBuilder, TreeOptions};

/// Nodes in one part, at most.
const NODES_MAX: usize = 1024;
/// Bytes of data in one part, but for the last node.
const DATA_LEN_MAX: usize = 256 << 10;

/// Some of a snapshot, in its order.
#[derive(Debug)]
pub enum SnapshotPart {
    /// A session and its timeout in milliseconds.
    Session(SessionId, i32),
    /// An access control list and its number.
    Acl(i64, AclList),
    /// Nodes.
    Nodes(NodeBatch),
}

impl SnapshotPart {
    /// Goes into a tree that is being built.
    ///
    /// # Errors
    /// When it makes no tree.
    pub fn add_to(self, builder: &mut ReplicaBuilder) -> Result<(), LoadError> {
        match self {
            SnapshotPart::Session(id, timeout_ms) => builder.session(id, timeout_ms),
            SnapshotPart::Acl(id, acl) => builder.acl(id, &acl),
            SnapshotPart::Nodes(nodes) => builder.nodes(nodes)?,
        }
        Ok(())
    }
}

/// Makes parts of items.
#[derive(Debug)]
pub struct SnapshotParts {
    options: TreeOptions,
    nodes: NodeBatch,
}

impl SnapshotParts {
    /// For a tree with these options.
    #[must_use]
    pub fn new(options: TreeOptions) -> SnapshotParts {
        SnapshotParts {
            options,
            nodes: NodeBatch::new(options),
        }
    }

    /// Takes an item, and returns what is to be passed on now. Sessions and lists come before all nodes,
    /// so nothing overtakes what is kept.
    pub fn take(&mut self, item: SnapshotItem<'_>) -> Option<SnapshotPart> {
        match item {
            SnapshotItem::Session { id, timeout_ms } => Some(SnapshotPart::Session(id, timeout_ms)),
            SnapshotItem::Acl { id, acl } => Some(SnapshotPart::Acl(id, acl)),
            SnapshotItem::Node(node) => {
                let nodes = &mut self.nodes;
                nodes.push(&node.path, node.data, node.acl_id, node.stat);
                let is_full = nodes.len() >= NODES_MAX || nodes.data_len() >= DATA_LEN_MAX;
                is_full.then(|| self.rest())
            }
        }
    }

    /// What is kept, for the end.
    pub fn rest(&mut self) -> SnapshotPart {
        let next = NodeBatch::new(self.options);
        SnapshotPart::Nodes(std::mem::replace(&mut self.nodes, next))
    }
}
