//! The nodes' storage: packed records in a slab, linked by 32-bit slots, found by the hash of their
//! path.
//!
//! A node knows its own name, not its path: a lookup hashes the whole path once and verifies the
//! candidate by comparing names up to the root. What most nodes never have lives beside the node:
//! children, a stat that changes without the data in a [`Branch`]; an owner, a change of the data
//! in an [`Extra`]. This module keeps those links right; what a change means is [`crate::tree`]'s
//! business.

mod draft;
mod look_ahead;
mod parts;

pub(crate) use draft::Draft;
pub(crate) use look_ahead::PATHS_MAX as LOOK_AHEAD_MAX;
pub(crate) use parts::{Parts, visible_stat};

use crate::acl_table::AclSlot;
use crate::child_lists::{ChildListLimits, ChildLists};
use crate::digest;
use crate::index::{Index, Twice};
use crate::path_hash::PathHash;
use crate::slab::Slab;
use crate::slot_set::SlotSet;
use std::num::NonZeroU32;
use zooid_proto::{StatPersisted, Zxid};

/// Place of a node.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub(crate) struct Slot(pub(crate) u32);

impl Slot {
    pub(crate) const ROOT: Slot = Slot(0);
}

/// A node: one cache line, and one allocation for name and data.
#[derive(Clone, Debug, Default)]
#[repr(align(64))]
struct Packed {
    name_and_data: Box<[u8]>,
    czxid: Zxid,
    ctime: i64,
    parent: Slot,
    /// Index in the parent's list of children.
    position: u32,
    branch: Link,
    extra: Link,
    hash: PathHash,
    /// What it counts for in the tree's digest, if it does and is not stale.
    digest: u32,
    acl: AclSlot,
    shape: Shape,
}

impl Packed {
    fn name(&self) -> &[u8] {
        &self.name_and_data[..self.shape.name_len()]
    }

    fn data(&self) -> Option<&[u8]> {
        let is_null = self.shape.has(Shape::NULL_DATA);
        (!is_null).then(|| &self.name_and_data[self.shape.name_len()..])
    }

    fn data_len(&self) -> usize {
        self.name_and_data.len() - self.shape.name_len()
    }

    /// Replaces the data: where it is, if it is as long as before.
    fn set_data(&mut self, data: Option<&[u8]>) {
        self.shape.set(Shape::NULL_DATA, data.is_none());
        let data = data.unwrap_or_default();
        if data.len() == self.data_len() {
            let name_len = self.shape.name_len();
            self.name_and_data[name_len..].copy_from_slice(data);
        } else {
            self.name_and_data = concat(self.name(), data);
        }
    }

    /// Whether both have one path.
    fn is_same_as(&self, other: &Packed) -> bool {
        self.parent == other.parent && self.name() == other.name()
    }
}

/// A mebibyte of nodes, untouched as long as there are few.
const NODES_BITS: u32 = 14;

const _: () = assert!(size_of::<Packed>() == 64, "the node's record has grown");

/// The name's length and three flags.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
struct Shape(u32);

impl Shape {
    const NULL_DATA: u32 = 1 << 31;
    /// It is part of the tree's digest.
    const COUNTED: u32 = 1 << 30;
    /// It has changed since its digest was computed.
    const STALE: u32 = 1 << 29;
    const NAME_LEN: u32 = Shape::STALE - 1;

    fn has(self, flag: u32) -> bool {
        self.0 & flag != 0
    }

    fn set(&mut self, flag: u32, on: bool) {
        self.0 = if on { self.0 | flag } else { self.0 & !flag };
    }

    fn name_len(self) -> usize {
        usize::try_from(self.0 & Shape::NAME_LEN).expect("usize has at least 32 bits")
    }
}

/// Where a part of a node is that lives beside it, plus one; 0 when it has none.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
struct Link(u32);

impl Link {
    fn to(at: u32) -> Link {
        Link(at.checked_add(1).expect("fewer parts than nodes"))
    }

    fn get(self) -> Option<u32> {
        self.0.checked_sub(1)
    }
}

/// The part of a node that leaves seldom need.
#[derive(Clone, Debug, Default)]
struct Branch {
    children: Vec<Slot>,
    /// Bytes of their names.
    names_len: usize,
    pzxid: Zxid,
    cversion: i32,
    aversion: i32,
    /// [`digest::prefix`] of path and data, once it has been wanted: they stay while the stat changes
    /// with every child. One that is 0 is not kept.
    digest_prefix: Option<NonZeroU32>,
}

/// The part of a node that it does not need as long as it is as it was created, and nobody's.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
struct Extra {
    mzxid: Zxid,
    mtime: i64,
    owner: i64,
    version: i32,
}

impl Extra {
    /// That of a node which has none.
    fn untouched(node: &Packed) -> Extra {
        Extra {
            mzxid: node.czxid,
            mtime: node.ctime,
            owner: 0,
            version: 0,
        }
    }
}

#[derive(Debug)]
pub(crate) struct Nodes {
    slab: Slab<Packed, NODES_BITS>,
    /// Slots of nodes that are there, so that who visits all need not look at what is not.
    live: SlotSet,
    branches: Slab<Branch>,
    extras: Slab<Extra>,
    index: Index,
    lists: ChildLists,
}

impl Nodes {
    /// Storage with nothing in it; the first node inserted must be the root.
    pub(crate) fn new(lists: ChildListLimits) -> Nodes {
        Nodes {
            slab: Slab::new(),
            live: SlotSet::default(),
            branches: Slab::new(),
            extras: Slab::new(),
            index: Index::new(),
            lists: ChildLists::new(lists),
        }
    }

    /// Longest name that a node can have, in bytes.
    pub(crate) fn name_fits(name: &str) -> bool {
        u32::try_from(name.len()).is_ok_and(|len| len <= Shape::NAME_LEN)
    }

    /// Inserts the root.
    pub(crate) fn insert_root(&mut self, acl: AclSlot, root: Draft) {
        assert!(self.slab.end() == 0, "there is one root");
        let slot = self.place(Slot::ROOT, 0, acl, root);
        assert!(slot == Slot::ROOT, "the root has the first slot");
    }

    /// Inserts a node that does not exist, below a parent that does.
    pub(crate) fn insert(&mut self, parent: Slot, acl: AclSlot, draft: Draft) -> Slot {
        let hash = draft.hash;
        let slot = self.hang(parent, acl, draft);
        self.index.insert(hash, slot);
        slot
    }

    /// As [`Nodes::insert`], but the node is found only after [`Nodes::settle`] for its path or
    /// [`Nodes::settle_all`]. One of the three says if there is such a node already.
    pub(crate) fn insert_deferred(
        &mut self,
        parent: Slot,
        acl: AclSlot,
        draft: Draft,
    ) -> Result<Slot, Twice> {
        let hash = draft.hash;
        let slot = self.hang(parent, acl, draft);
        let slab = &self.slab;
        (self.index).defer(hash, slot, |a, b| slab[a.0].is_same_as(&slab[b.0]))?;
        Ok(slot)
    }

    /// Makes a path found if it was inserted deferred.
    pub(crate) fn settle(&mut self, path: &str) -> Result<(), Twice> {
        let slab = &self.slab;
        let hash = PathHash::of(path);
        (self.index).settle(hash, |a, b| slab[a.0].is_same_as(&slab[b.0]))
    }

    /// Makes all paths found.
    pub(crate) fn settle_all(&mut self) -> Result<(), Twice> {
        let slab = &self.slab;
        (self.index).settle_all(|a, b| slab[a.0].is_same_as(&slab[b.0]))
    }

    /// Places a node, and enters it with its parent.
    fn hang(&mut self, parent: Slot, acl: AclSlot, draft: Draft) -> Slot {
        let name_len = draft.name_len;
        let branch = self.branch_at(parent);
        let position = self.branches[branch].children.len();
        let position = u32::try_from(position).expect("children are slots");
        let slot = self.place(parent, position, acl, draft);
        let branch = &mut self.branches[branch];
        branch.names_len += name_len;
        branch.children.push(slot);
        self.lists.children_change(parent);
        slot
    }

    fn place(&mut self, parent: Slot, position: u32, acl: AclSlot, draft: Draft) -> Slot {
        let shape = draft.shape();
        let stat = draft.stat;
        let mut node = Packed {
            name_and_data: draft.name_and_data,
            czxid: stat.czxid,
            ctime: stat.ctime,
            parent,
            position,
            branch: Link::default(),
            extra: Link::default(),
            hash: draft.hash,
            digest: draft.digest.unwrap_or_default(),
            acl,
            shape,
        };
        if stat.pzxid != stat.czxid || stat.cversion != 0 || stat.aversion != 0 {
            node.branch = Link::to(self.branches.insert(Branch {
                pzxid: stat.pzxid,
                cversion: stat.cversion,
                aversion: stat.aversion,
                ..Branch::default()
            }));
        }
        let extra = Extra {
            mzxid: stat.mzxid,
            mtime: stat.mtime,
            owner: stat.ephemeral_owner,
            version: stat.version,
        };
        if extra != Extra::untouched(&node) {
            node.extra = Link::to(self.extras.insert(extra));
        }
        let slot = Slot(self.slab.insert(node));
        self.live.insert(slot);
        slot
    }

    /// Removes a node without children.
    pub(crate) fn remove(&mut self, slot: Slot) {
        assert!(slot != Slot::ROOT, "the root stays");
        assert!(self.children(slot).is_empty(), "children go first");
        self.index.remove(self.slab[slot.0].hash, slot);
        self.unlink(slot);
        let node = self.slab.remove(slot.0);
        self.live.remove(slot);
        if let Some(branch) = node.branch.get() {
            self.branches.remove(branch);
        }
        if let Some(extra) = node.extra.get() {
            self.extras.remove(extra);
        }
    }

    fn unlink(&mut self, slot: Slot) {
        let Packed {
            parent,
            position,
            shape,
            ..
        } = self.slab[slot.0];
        self.lists.children_change(parent);
        let branch = self.branch_mut(parent);
        branch.names_len -= shape.name_len();
        let siblings = &mut branch.children;
        let at = usize::try_from(position).expect("an index");
        assert!(siblings[at] == slot, "a node knows its place");
        siblings.swap_remove(at);
        if siblings.len() < siblings.capacity() / 4 {
            siblings.shrink_to(siblings.len() * 2);
        }
        if let Some(moved) = siblings.get(at).copied() {
            self.slab[moved.0].position = position;
        }
    }

    /// The node at a path; "" and "/" are the root.
    pub(crate) fn find(&self, path: &str) -> Option<Slot> {
        if path.len() <= 1 {
            return matches!(path, "" | "/").then_some(Slot::ROOT);
        }
        self.find_hashed(path, PathHash::of(path))
    }

    /// As [`Nodes::find`], for a caller that has other uses for the hash.
    pub(crate) fn find_hashed(&self, path: &str, hash: PathHash) -> Option<Slot> {
        if matches!(path, "" | "/") {
            return Some(Slot::ROOT);
        }
        self.index.find(hash, |slot| self.is_at(slot, path))
    }

    fn is_at(&self, mut slot: Slot, path: &str) -> bool {
        let mut rest = path.as_bytes();
        while slot != Slot::ROOT {
            let node = &self.slab[slot.0];
            let Some([head @ .., b'/']) = rest.strip_suffix(node.name()) else {
                return false;
            };
            rest = head;
            slot = node.parent;
        }
        rest.is_empty()
    }

    /// Nodes, the root included.
    pub(crate) fn len(&self) -> usize {
        self.index.len() + 1
    }

    /// One past the highest slot ever used.
    pub(crate) fn end(&self) -> u32 {
        self.slab.end()
    }

    pub(crate) fn live(&self) -> &SlotSet {
        &self.live
    }

    pub(crate) fn parent(&self, slot: Slot) -> Slot {
        self.slab[slot.0].parent
    }

    pub(crate) fn name_bytes(&self, slot: Slot) -> &[u8] {
        self.slab[slot.0].name()
    }

    pub(crate) fn name(&self, slot: Slot) -> &str {
        std::str::from_utf8(self.name_bytes(slot)).expect("names are made from strings")
    }

    #[inline]
    pub(crate) fn parts(&self, slot: Slot) -> Parts<'_> {
        let node = &self.slab[slot.0];
        Parts {
            node,
            branch: node.branch.get().map(|at| &self.branches[at]),
            extra: node.extra.get().map(|at| &self.extras[at]),
        }
    }

    pub(crate) fn data(&self, slot: Slot) -> Option<&[u8]> {
        self.slab[slot.0].data()
    }

    pub(crate) fn data_len(&self, slot: Slot) -> usize {
        self.slab[slot.0].data_len()
    }

    pub(crate) fn children(&self, slot: Slot) -> &[Slot] {
        self.branch(slot).map_or(&[], |branch| &branch.children)
    }

    /// And how many bytes their names have.
    pub(crate) fn children_and_their_bytes(&self, slot: Slot) -> (&[Slot], usize) {
        match self.branch(slot) {
            Some(branch) => (&branch.children, branch.names_len),
            None => (&[], 0),
        }
    }

    pub(crate) fn child_lists(&self) -> &ChildLists {
        &self.lists
    }

    pub(crate) fn acl(&self, slot: Slot) -> AclSlot {
        self.slab[slot.0].acl
    }

    pub(crate) fn is_stale(&self, slot: Slot) -> bool {
        self.slab[slot.0].shape.has(Shape::STALE)
    }

    /// What the node counts for in the tree's digest, unless it is stale.
    pub(crate) fn digest(&self, slot: Slot) -> u32 {
        self.slab[slot.0].digest
    }

    /// Notes a digest that is up to date. Returns the one before.
    pub(crate) fn set_digest(&mut self, slot: Slot, digest: u32) -> u32 {
        let node = &mut self.slab[slot.0];
        node.shape.set(Shape::STALE, false);
        std::mem::replace(&mut node.digest, digest)
    }

    /// Computes the digest of a node that is stale, and notes it.
    pub(crate) fn refresh_digest(&mut self, slot: Slot) -> u32 {
        let parts = self.parts(slot);
        let stat = parts.stat_persisted();
        let prefix = parts.kept_digest_prefix().unwrap_or_else(|| {
            let prefix = self.digest_prefix(slot);
            self.keep_digest_prefix(slot, prefix);
            prefix
        });
        let digest = digest::after_prefix(prefix, &stat);
        self.set_digest(slot, digest);
        digest
    }

    /// Makes a node stale that is counted, and has been up to date. Returns what it has counted for.
    pub(crate) fn make_stale(&mut self, slot: Slot) -> Option<u32> {
        let node = &mut self.slab[slot.0];
        if !node.shape.has(Shape::COUNTED) || node.shape.has(Shape::STALE) {
            return None;
        }
        node.shape.set(Shape::STALE, true);
        Some(node.digest)
    }

    /// [`digest::prefix`] of path and data.
    pub(crate) fn digest_prefix(&self, slot: Slot) -> u32 {
        let parts = self.parts(slot);
        let kept = parts.kept_digest_prefix();
        kept.unwrap_or_else(|| digest::prefix(&self.path(slot), parts.data()))
    }

    /// Keeps what [`Nodes::digest_prefix`] says, if there is a place for it.
    pub(crate) fn keep_digest_prefix(&mut self, slot: Slot, prefix: u32) {
        if let Some(branch) = self.slab[slot.0].branch.get() {
            self.branches[branch].digest_prefix = NonZeroU32::new(prefix);
        }
    }

    /// The digest of a node that is counted, as it is now.
    pub(crate) fn digest_now(&self, slot: Slot) -> u32 {
        digest::after_prefix(self.digest_prefix(slot), &self.stat_persisted(slot))
    }

    fn branch(&self, slot: Slot) -> Option<&Branch> {
        let at = self.slab[slot.0].branch.get()?;
        Some(&self.branches[at])
    }

    pub(crate) fn owner_raw(&self, slot: Slot) -> i64 {
        self.parts(slot).extra.map_or(0, |extra| extra.owner)
    }

    pub(crate) fn stat_persisted(&self, slot: Slot) -> StatPersisted {
        self.parts(slot).stat_persisted()
    }

    /// The whole path; "" for the root.
    pub(crate) fn path(&self, slot: Slot) -> String {
        let mut path = String::new();
        self.push_path(slot, &mut path);
        path
    }

    /// Appends the whole path.
    pub(crate) fn push_path(&self, slot: Slot, out: &mut String) {
        let mut ancestry = Vec::new();
        let mut at = slot;
        while at != Slot::ROOT {
            ancestry.push(at);
            at = self.parent(at);
        }
        for slot in ancestry.into_iter().rev() {
            out.push('/');
            out.push_str(self.name(slot));
        }
    }

    /// A node and everything below it, parents first.
    pub(crate) fn subtree(&self, top: Slot) -> impl Iterator<Item = Slot> + '_ {
        let mut pending = vec![top];
        std::iter::from_fn(move || {
            let slot = pending.pop()?;
            pending.extend_from_slice(self.children(slot));
            Some(slot)
        })
    }

    /// Replaces the data alone.
    pub(crate) fn set_data(&mut self, slot: Slot, data: Option<&[u8]>) {
        self.slab[slot.0].set_data(data);
    }

    /// Replaces the data, and says which version it is and since when.
    pub(crate) fn modify(
        &mut self,
        slot: Slot,
        data: Option<&[u8]>,
        version: i32,
        mzxid: Zxid,
        mtime: i64,
    ) {
        let node = &mut self.slab[slot.0];
        node.set_data(data);
        let at = node.extra.get().unwrap_or_else(|| {
            let at = self.extras.insert(Extra::untouched(node));
            node.extra = Link::to(at);
            at
        });
        let extra = &mut self.extras[at];
        extra.version = version;
        extra.mzxid = mzxid;
        extra.mtime = mtime;
    }

    /// Raises the count of created children to one more than before, or to `cversion` if that is known.
    /// Whether it was lower.
    pub(crate) fn count_creation(&mut self, slot: Slot, cversion: Option<i32>, zxid: Zxid) -> bool {
        let branch = self.branch_mut(slot);
        let cversion = cversion.unwrap_or(branch.cversion.wrapping_add(1));
        let is_more = cversion > branch.cversion;
        if is_more {
            branch.cversion = cversion;
            branch.pzxid = zxid;
        }
        is_more
    }

    /// Notes that a child has gone. Whether nothing later was known.
    pub(crate) fn date_children(&mut self, slot: Slot, zxid: Zxid) -> bool {
        let branch = self.branch_mut(slot);
        let is_later = zxid > branch.pzxid;
        if is_later {
            branch.pzxid = zxid;
        }
        is_later
    }

    pub(crate) fn set_acl(&mut self, slot: Slot, acl: AclSlot) {
        self.slab[slot.0].acl = acl;
    }

    pub(crate) fn set_aversion(&mut self, slot: Slot, aversion: i32) {
        self.branch_mut(slot).aversion = aversion;
    }

    fn branch_mut(&mut self, slot: Slot) -> &mut Branch {
        let at = self.branch_at(slot);
        &mut self.branches[at]
    }

    fn branch_at(&mut self, slot: Slot) -> u32 {
        match self.slab[slot.0].branch.get() {
            Some(at) => at,
            None => self.grow_branch(slot),
        }
    }

    fn grow_branch(&mut self, slot: Slot) -> u32 {
        let pzxid = self.slab[slot.0].czxid;
        let at = self.branches.insert(Branch {
            pzxid,
            ..Branch::default()
        });
        self.slab[slot.0].branch = Link::to(at);
        at
    }
}

#[cfg(test)]
impl Nodes {
    fn index_bytes(&self) -> usize {
        self.index.bytes()
    }

    const RECORD_LEN: usize = size_of::<Packed>();
    const BRANCH_LEN: usize = size_of::<Branch>();
    const EXTRA_LEN: usize = size_of::<Extra>();

    fn children_capacity(&self, slot: Slot) -> Option<usize> {
        let branch = self.slab[slot.0].branch.get()?;
        Some(self.branches[branch].children.capacity())
    }
}

fn concat(name: &[u8], data: &[u8]) -> Box<[u8]> {
    let mut both = Vec::with_capacity(name.len() + data.len());
    both.extend_from_slice(name);
    both.extend_from_slice(data);
    both.into_boxed_slice()
}

#[cfg(test)]
mod tests;
