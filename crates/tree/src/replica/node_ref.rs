//! What others see of a node.

use crate::acl_table::put_len;
use crate::nodes::{Nodes, Parts, Slot};
use crate::tree::Tree;
use bytes::Bytes;
use zooid_proto::{AclList, EphemeralOwner, Stat, StatPersisted};

/// A node.
#[derive(Clone, Copy, Debug)]
pub struct NodeRef<'a> {
    tree: &'a Tree,
    slot: Slot,
    parts: Parts<'a>,
}

impl<'a> NodeRef<'a> {
    pub(crate) fn new(tree: &'a Tree, slot: Slot) -> NodeRef<'a> {
        NodeRef {
            tree,
            slot,
            parts: tree.nodes.parts(slot),
        }
    }

    /// Its metadata as the disk has it.
    #[must_use]
    pub fn stat_persisted(&self) -> StatPersisted {
        self.parts.stat_persisted()
    }

    /// Its metadata as clients see it.
    #[must_use]
    pub fn stat(&self) -> Stat {
        self.parts.stat(self.tree.options().owner_rules)
    }

    /// Children.
    #[must_use]
    pub fn child_count(&self) -> usize {
        self.parts.children().len()
    }

    /// The children's names.
    #[must_use]
    pub fn children(&self) -> impl ExactSizeIterator<Item = &'a str> {
        Children::new(&self.tree.nodes, self.slot).names()
    }

    /// Its data; null and empty are different.
    #[must_use]
    pub fn data(&self) -> Option<&'a [u8]> {
        self.parts.data()
    }

    /// Who may do what.
    #[must_use]
    pub fn acl(&self) -> &'a AclList {
        self.tree.acls.get(self.parts.acl())
    }

    /// What kind of node it is.
    #[must_use]
    pub fn owner(&self) -> EphemeralOwner {
        self.tree.owner(self.slot)
    }

    /// [`crate::digest::prefix`] of its path and data, if it is at hand.
    #[must_use]
    pub fn kept_digest_prefix(&self) -> Option<u32> {
        self.parts.kept_digest_prefix()
    }

    /// What it counts for in the tree's digest: 0 if [`crate::digest::counts`] leaves it out.
    #[must_use]
    pub fn digest(&self) -> u32 {
        self.tree.node_digest(self.slot)
    }

    /// Its path; "" for the root.
    #[must_use]
    pub fn path(&self) -> String {
        self.tree.nodes.path(self.slot)
    }
}

/// Bytes of a count or a length on the wire.
const LEN_BYTES: usize = 4;

/// A node's children, in no particular order.
#[derive(Clone, Copy, Debug)]
pub struct Children<'a> {
    nodes: &'a Nodes,
    parent: Slot,
    slots: &'a [Slot],
    /// Bytes of their names.
    names_len: usize,
}

/// A list of children as it is on the wire, which others may be sent as well.
#[derive(Clone, Debug)]
pub struct KeptList {
    /// The count, and the names.
    pub encoded: Bytes,
    /// Whether it was there already.
    pub was_kept: bool,
}

impl<'a> Children<'a> {
    pub(crate) fn new(nodes: &'a Nodes, parent: Slot) -> Children<'a> {
        let (slots, names_len) = nodes.children_and_their_bytes(parent);
        Children {
            nodes,
            parent,
            slots,
            names_len,
        }
    }

    /// Their names.
    pub fn names(self) -> impl ExactSizeIterator<Item = &'a str> {
        let nodes = self.nodes;
        self.slots.iter().map(|slot| nodes.name(*slot))
    }

    /// The list as it is on the wire, if it is worth keeping: from now on it is kept until a child comes or
    /// goes, or until there is no room for it.
    #[must_use]
    pub fn kept(self) -> Option<KeptList> {
        let lists = self.nodes.child_lists();
        if !lists.keeps(self.encoded_len()) {
            return None;
        }
        if let Some(encoded) = lists.get(self.parent) {
            return Some(KeptList {
                encoded,
                was_kept: true,
            });
        }
        let mut encoded = Vec::new();
        self.encode(&mut encoded);
        let encoded = Bytes::from(encoded);
        lists.keep(self.parent, encoded.clone());
        Some(KeptList {
            encoded,
            was_kept: false,
        })
    }

    /// Appends the list as it is on the wire.
    pub fn encode(self, out: &mut Vec<u8>) {
        // A buffer of megabytes should not grow by copying.
        out.reserve(self.encoded_len());
        put_len(out, self.slots.len());
        for slot in self.slots {
            // Names lie in the tree as Java would write them: no need to look at their characters again.
            let name = self.nodes.name_bytes(*slot);
            put_len(out, name.len());
            out.extend_from_slice(name);
        }
    }

    /// Bytes of [`Children::encode`].
    #[must_use]
    pub fn encoded_len(self) -> usize {
        LEN_BYTES + self.slots.len() * LEN_BYTES + self.names_len
    }
}
