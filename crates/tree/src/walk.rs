//! Walks: the tree as it was at one transaction, written out in chunks while it goes on changing
//! (spec §4.4; Java `SerializeUtils.serializeSnapshot`, whose snapshots are fuzzy instead).
//!
//! A walk visits the slots that existed when it began, in order, and each node after its
//! ancestors, since ZooKeeper's loader wants parents first. Whoever changes a node that an active
//! walk has yet to visit saves the node's old image into that walk's overlay first. Hence:
//!
//! 1. A slot is *done* for a walk when its node has been written, or when its node is younger than
//!    the walk.
//! 2. A live node that is not done and not in the overlay is as it was when the walk began.
//! 3. The slot of a removed node is used again only once it is done for every active walk. So the
//!    parent slot of an image that is still to be written either is done or holds the right node.

use crate::acl_table::AclTable;
use crate::nodes::{Nodes, Slot};
use crate::replica::Replica;
use crate::slot_set::SlotSet;
use parking_lot::Mutex;
use std::collections::BTreeMap;
use std::ops::Range;
use std::sync::Arc;
use zooid_proto::{Jute, StatPersisted, Zxid, mutant};

/// Most slots that a chunk passes, so that a chunk is short even where nothing is left to write. Where a tree has
/// shrunk, passing is all that there is to do.
const CHUNK_SLOTS_MAX: u32 = 1 << 18;

/// A node as it was when a walk began.
#[derive(Debug)]
struct Image {
    path: String,
    parent: Slot,
    data: Option<Box<[u8]>>,
    acl_id: i64,
    stat: StatPersisted,
}

/// What a walk and the replica's writer share. The replica's own lock already keeps the two apart;
/// this one is never contended.
#[derive(Debug)]
struct Progress {
    /// Slots from here on are younger than the walk.
    end: u32,
    done: SlotSet,
    overlay: BTreeMap<Slot, Image>,
}

impl Progress {
    fn new(end: u32) -> Progress {
        Progress {
            end,
            done: SlotSet::with_room(end),
            overlay: BTreeMap::new(),
        }
    }

    fn is_done(&self, slot: Slot) -> bool {
        slot.0 >= self.end || self.done.contains(slot)
    }

    fn set_done(&mut self, slot: Slot) {
        if slot.0 < self.end {
            self.done.insert(slot);
        }
    }

    /// The first slot of a range that is in the overlay.
    fn first_saved(&self, range: Range<u32>) -> Option<Slot> {
        let mut saved = self.overlay.range(Slot(range.start)..Slot(range.end));
        saved.next().map(|(slot, _)| *slot)
    }

    /// Of a node that is still to be written, as it was.
    fn parent(&self, slot: Slot, nodes: &Nodes) -> Slot {
        match self.overlay.get(&slot) {
            Some(image) => image.parent,
            None => {
                assert!(
                    nodes.live().contains(slot),
                    "what is to be written is there"
                );
                nodes.parent(slot)
            }
        }
    }

    fn save(&mut self, slot: Slot, nodes: &Nodes, acls: &AclTable) {
        if self.is_done(slot) || self.overlay.contains_key(&slot) {
            return;
        }
        let image = Image {
            path: nodes.path(slot),
            parent: nodes.parent(slot),
            data: nodes.data(slot).map(Box::from),
            acl_id: acls.id(nodes.acl(slot)),
            stat: nodes.stat_persisted(slot),
        };
        self.overlay.insert(slot, image);
    }
}

/// The slots of a range that have something to write: two orders merged, in each of which the next one is
/// looked for only when the last one is written. Else each image would cost a look at all the slots that are
/// done.
struct Ahead {
    /// The first that is as it was.
    unchanged: Option<Slot>,
    /// The first that is in the overlay.
    saved: Option<Slot>,
}

impl Ahead {
    fn of(progress: &Progress, range: Range<u32>, live: &SlotSet) -> Ahead {
        Ahead {
            unchanged: live.first_not_in(&progress.done, range.clone()),
            saved: progress.first_saved(range),
        }
    }

    fn first(&self) -> Option<Slot> {
        self.unchanged.into_iter().chain(self.saved).min()
    }

    /// To be called after slots were written.
    fn advance(&mut self, progress: &Progress, rest: Range<u32>, live: &SlotSet) {
        let is_done = |slot| progress.is_done(slot);
        if self.unchanged.is_some_and(is_done) {
            self.unchanged = live.first_not_in(&progress.done, rest.clone());
        }
        if self.saved.is_some_and(is_done) {
            self.saved = progress.first_saved(rest);
        }
    }
}

/// The replica's side of its active walks.
#[derive(Debug, Default)]
pub(crate) struct Walks {
    active: Vec<Arc<Mutex<Progress>>>,
    /// Slots of removed nodes that a walk may still ask for.
    withheld: Vec<Slot>,
}

impl Walks {
    /// To be called before a node changes.
    #[inline]
    pub(crate) fn before_change(&mut self, slot: Slot, nodes: &Nodes, acls: &AclTable) {
        if mutant!(Zk3104) {
            return;
        }
        for walk in &self.active {
            walk.lock().save(slot, nodes, acls);
        }
    }

    /// To be called after a node was inserted.
    pub(crate) fn inserted(&mut self, slot: Slot) {
        for walk in &self.active {
            walk.lock().set_done(slot);
        }
    }

    /// To be called after a node was removed.
    pub(crate) fn removed(&mut self, slot: Slot, nodes: &mut Nodes) {
        if self.is_done_for_all(slot) {
            nodes.reuse(slot);
        } else {
            self.withheld.push(slot);
        }
    }

    fn is_done_for_all(&self, slot: Slot) -> bool {
        self.active.iter().all(|walk| walk.lock().is_done(slot))
    }

    /// Begins a walk; `header` is what comes before the nodes.
    pub(crate) fn begin(&mut self, nodes: &Nodes, at: WalkStart) -> Walk {
        self.forget_abandoned();
        let progress = Arc::new(Mutex::new(Progress::new(nodes.end())));
        self.active.push(Arc::clone(&progress));
        Walk {
            progress,
            start: at,
            header_written: 0,
            next: 0,
            prefix: String::new(),
            prefix_of: None,
            is_finished: false,
        }
    }

    pub(crate) fn end(&mut self, walk: Walk, nodes: &mut Nodes) {
        drop(walk);
        self.forget_abandoned();
        let withheld = std::mem::take(&mut self.withheld);
        for slot in withheld {
            self.removed(slot, nodes);
        }
    }

    /// A walk that was dropped instead of ended holds its progress no more.
    fn forget_abandoned(&mut self) {
        self.active.retain(|walk| Arc::strong_count(walk) > 1);
    }
}

/// What a walk fixes when it begins.
#[derive(Debug)]
pub(crate) struct WalkStart {
    pub(crate) zxid: Zxid,
    pub(crate) digest: i64,
    /// Sessions and ACLs, encoded.
    pub(crate) header: Vec<u8>,
}

/// One walk over a [`Replica`]; see [`Replica::begin_walk`].
#[derive(Debug)]
pub struct Walk {
    progress: Arc<Mutex<Progress>>,
    start: WalkStart,
    header_written: usize,
    next: u32,
    /// Path of the node `prefix_of`, in case the next one has the same parent. It stays right
    /// between chunks: a live node still to be written keeps its parent, and so the parent its
    /// slot.
    prefix: String,
    prefix_of: Option<Slot>,
    is_finished: bool,
}

impl Walk {
    /// The last transaction that the walk's tree contains.
    #[must_use]
    pub fn zxid(&self) -> Zxid {
        self.start.zxid
    }

    /// The digest of the walk's tree.
    #[must_use]
    pub fn digest(&self) -> i64 {
        self.start.digest
    }

    /// Appends the next part of the stream that a snapshot has between its file header and its
    /// first seal: `max_bytes` or the rest of one node more. False once the stream is complete.
    ///
    /// `replica` must be the one that the walk began on. No part depends on how the stream is cut.
    pub fn next_chunk(&mut self, replica: &Replica, out: &mut Vec<u8>, max_bytes: usize) -> bool {
        let (nodes, acls) = replica.storage();
        let full = out.len().saturating_add(max_bytes.max(1));
        self.write_header(out, max_bytes.max(1));
        let progress = Arc::clone(&self.progress);
        let mut progress = progress.lock();
        let slots_end = self.next.saturating_add(CHUNK_SLOTS_MAX).min(progress.end);
        let mut ahead = Ahead::of(&progress, self.next..slots_end, nodes.live());
        while out.len() < full && self.next < slots_end {
            let Some(slot) = ahead.first() else {
                self.next = slots_end;
                break;
            };
            self.write_after_ancestors(slot, nodes, acls, &mut progress, out);
            self.next = slot.0 + 1;
            ahead.advance(&progress, self.next..slots_end, nodes.live());
        }
        if self.next < progress.end || out.len() >= full {
            return !self.is_finished;
        }
        self.finish(out);
        false
    }

    fn write_header(&mut self, out: &mut Vec<u8>, max_bytes: usize) {
        let rest = &self.start.header[self.header_written..];
        let part = &rest[..rest.len().min(max_bytes)];
        out.extend_from_slice(part);
        self.header_written += part.len();
    }

    /// The root's path, under which the stream never has a node, ends it.
    fn finish(&mut self, out: &mut Vec<u8>) {
        if !self.is_finished {
            put_buffer(out, Some(b"/"));
            self.is_finished = true;
        }
    }

    fn write_after_ancestors(
        &mut self,
        slot: Slot,
        nodes: &Nodes,
        acls: &AclTable,
        progress: &mut Progress,
        out: &mut Vec<u8>,
    ) {
        let mut ancestors = Vec::new();
        let mut at = slot;
        while at != Slot::ROOT {
            at = progress.parent(at, nodes);
            if progress.is_done(at) {
                break;
            }
            ancestors.push(at);
        }
        for slot in ancestors.into_iter().rev().chain([slot]) {
            progress.set_done(slot);
            match progress.overlay.remove(&slot) {
                Some(image) => image.encode(out),
                None => self.write_live(slot, nodes, acls, out),
            }
        }
    }

    fn write_live(&mut self, slot: Slot, nodes: &Nodes, acls: &AclTable, out: &mut Vec<u8>) {
        if slot == Slot::ROOT {
            put_buffer(out, Some(b""));
        } else {
            self.write_path(slot, nodes, out);
        }
        put_buffer(out, nodes.data(slot));
        acls.id(nodes.acl(slot)).encode(out);
        nodes.stat_persisted(slot).encode(out);
    }

    fn write_path(&mut self, slot: Slot, nodes: &Nodes, out: &mut Vec<u8>) {
        let parent = nodes.parent(slot);
        if self.prefix_of != Some(parent) {
            self.prefix.clear();
            nodes.push_path(parent, &mut self.prefix);
            self.prefix_of = Some(parent);
        }
        let parent_len = self.prefix.len();
        self.prefix.push('/');
        self.prefix.push_str(nodes.name(slot));
        self.prefix.encode(out);
        self.prefix.truncate(parent_len);
    }
}

impl Image {
    fn encode(&self, out: &mut Vec<u8>) {
        self.path.encode(out);
        put_buffer(out, self.data.as_deref());
        self.acl_id.encode(out);
        self.stat.encode(out);
    }
}

fn put_buffer(out: &mut Vec<u8>, bytes: Option<&[u8]>) {
    match bytes {
        Some(bytes) => {
            crate::acl_table::put_len(out, bytes.len());
            out.extend_from_slice(bytes);
        }
        None => (-1_i32).encode(out),
    }
}

#[cfg(test)]
mod tests;
