//! What others see of a node.

use crate::nodes::{Nodes, Slot};
use crate::tree::Tree;
use std::sync::Arc;
use zooid_proto::{Acl, EphemeralOwner, Stat, StatPersisted};

/// A node.
#[derive(Clone, Copy, Debug)]
pub struct NodeRef<'a> {
    tree: &'a Tree,
    slot: Slot,
}

impl<'a> NodeRef<'a> {
    pub(crate) fn new(tree: &'a Tree, slot: Slot) -> NodeRef<'a> {
        NodeRef { tree, slot }
    }

    /// Its metadata as the disk has it.
    #[must_use]
    pub fn stat_persisted(&self) -> StatPersisted {
        self.tree.nodes.stat_persisted(self.slot)
    }

    /// Its metadata as clients see it.
    #[must_use]
    pub fn stat(&self) -> Stat {
        self.tree.stat(self.slot)
    }

    /// Children.
    #[must_use]
    pub fn child_count(&self) -> usize {
        self.tree.nodes.children(self.slot).len()
    }

    /// The children's names.
    #[must_use]
    pub fn children(&self) -> Children<'a> {
        Children::new(&self.tree.nodes, self.slot)
    }

    /// Its data; null and empty are different.
    #[must_use]
    pub fn data(&self) -> Option<&'a [u8]> {
        self.tree.nodes.data(self.slot)
    }

    /// Who may do what.
    #[must_use]
    pub fn acl(&self) -> &'a Arc<[Acl]> {
        self.tree.acl_of(self.slot)
    }

    /// What kind of node it is.
    #[must_use]
    pub fn owner(&self) -> EphemeralOwner {
        self.tree.owner(self.slot)
    }

    /// [`crate::digest::prefix`] of its path and data; meaningless for nodes that
    /// [`crate::digest::counts`] leaves out.
    #[must_use]
    pub fn digest_prefix(&self) -> u32 {
        self.tree.nodes.digest_prefix(self.slot)
    }

    /// Its path; "" for the root.
    #[must_use]
    pub fn path(&self) -> String {
        self.tree.nodes.path(self.slot)
    }
}

/// The names of a node's children, in no particular order.
#[derive(Clone, Debug)]
pub struct Children<'a> {
    nodes: &'a Nodes,
    slots: std::slice::Iter<'a, Slot>,
}

impl<'a> Children<'a> {
    pub(crate) fn new(nodes: &'a Nodes, parent: Slot) -> Children<'a> {
        let slots = nodes.children(parent).iter();
        Children { nodes, slots }
    }

    /// The names as bytes, which spares a check of each.
    pub fn bytes(self) -> impl ExactSizeIterator<Item = &'a [u8]> {
        let nodes = self.nodes;
        self.slots.map(|slot| nodes.name_bytes(*slot))
    }
}

impl<'a> Iterator for Children<'a> {
    type Item = &'a str;

    fn next(&mut self) -> Option<&'a str> {
        self.slots.next().map(|slot| self.nodes.name(*slot))
    }

    fn size_hint(&self) -> (usize, Option<usize>) {
        self.slots.size_hint()
    }
}

impl ExactSizeIterator for Children<'_> {}
