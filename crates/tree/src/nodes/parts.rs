//! A node as it is read: its record with what lives beside that, and its stat.

use super::{Branch, Extra, Packed, Shape, Slot};
use crate::acl_table::AclSlot;
use std::num::NonZeroU32;
use zooid_proto::{EphemeralOwner, OwnerRules, Stat, StatPersisted};

/// A node with what lives beside it.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Parts<'a> {
    pub(super) node: &'a Packed,
    pub(super) branch: Option<&'a Branch>,
    pub(super) extra: Option<&'a Extra>,
}

impl<'a> Parts<'a> {
    pub(crate) fn data(&self) -> Option<&'a [u8]> {
        self.node.data()
    }

    pub(crate) fn children(&self) -> &'a [Slot] {
        self.branch.map_or(&[], |branch| &branch.children)
    }

    /// Whether its stat may change without its data.
    pub(crate) fn is_branch(&self) -> bool {
        self.branch.is_some()
    }

    pub(crate) fn is_counted(&self) -> bool {
        self.node.shape.has(Shape::COUNTED)
    }

    pub(crate) fn stat_persisted(&self) -> StatPersisted {
        let node = self.node;
        let (pzxid, cversion, aversion) = match self.branch {
            Some(branch) => (branch.pzxid, branch.cversion, branch.aversion),
            None => (node.czxid, 0, 0),
        };
        let (mzxid, mtime, ephemeral_owner, version) = match self.extra {
            Some(extra) => (extra.mzxid, extra.mtime, extra.owner, extra.version),
            None => (node.czxid, node.ctime, 0, 0),
        };
        StatPersisted {
            czxid: node.czxid,
            mzxid,
            ctime: node.ctime,
            mtime,
            version,
            cversion,
            aversion,
            ephemeral_owner,
            pzxid,
        }
    }

    pub(crate) fn stat(&self, rules: OwnerRules) -> Stat {
        let (children, data_len) = (self.children().len(), self.node.data_len());
        visible_stat(&self.stat_persisted(), children, data_len, rules)
    }

    pub(crate) fn acl(&self) -> AclSlot {
        self.node.acl
    }

    /// [`digest::prefix`] of path and data, if it is at hand.
    pub(crate) fn kept_digest_prefix(&self) -> Option<u32> {
        self.branch?.digest_prefix.map(NonZeroU32::get)
    }
}

/// What clients see of a stat (Java `DataNode.copyStat`).
pub(crate) fn visible_stat(
    stat: &StatPersisted,
    children: usize,
    data_len: usize,
    rules: OwnerRules,
) -> Stat {
    let num_children = wire_len(children);
    Stat {
        czxid: stat.czxid,
        mzxid: stat.mzxid,
        ctime: stat.ctime,
        mtime: stat.mtime,
        version: stat.version,
        cversion: stat.cversion.wrapping_mul(2).wrapping_sub(num_children),
        aversion: stat.aversion,
        ephemeral_owner: EphemeralOwner::from_raw(stat.ephemeral_owner, rules).visible(),
        data_length: wire_len(data_len),
        num_children,
        pzxid: stat.pzxid,
    }
}

/// A length as the wire has it.
fn wire_len(len: usize) -> i32 {
    i32::try_from(len).expect("data and child counts are bounded by i32 lengths on the wire")
}
