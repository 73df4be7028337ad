//! Walks: the tree as it was at one transaction, written out in chunks while it goes on changing
//! (spec §4.4; Java `SerializeUtils.serializeSnapshot`, whose snapshots are fuzzy instead).
//!
//! A walk visits the slots that existed when it began, in order, and each node after its
//! ancestors, since ZooKeeper's loader wants parents first. Whoever changes a node that an active
//! walk has yet to write writes it for that walk first, as it was, with the ancestors that are missing:
//! into a queue, which is next in the stream. Hence:
//!
//! 1. A slot is *done* for a walk when its node is in the stream or the queue, or when it is younger
//!    than the walk.
//! 2. A live node that is not done is as it was when the walk began, and so is its path.
//! 3. The slot of a removed node is done for every active walk, and may be used again at once.

use crate::acl_table::AclTable;
use crate::nodes::{Nodes, Slot};
use crate::replica::Replica;
use crate::slot_set::SlotSet;
use parking_lot::Mutex;
use std::collections::VecDeque;
use std::sync::Arc;
use zooid_proto::{Jute, Zxid, mutant};

/// Most slots that a chunk passes, so that a chunk is short even where nothing is left to write. Where a tree has
/// shrunk, passing is all that there is to do.
const CHUNK_SLOTS_MAX: u32 = 1 << 18;

/// What a walk and the replica's writer share. The replica's own lock already keeps the two apart;
/// this one is never contended.
#[derive(Debug)]
struct Progress {
    /// Slots from here on are younger than the walk.
    end: u32,
    done: SlotSet,
    queue: Queue,
    scribe: Scribe,
}

impl Progress {
    fn new(end: u32) -> Progress {
        Progress {
            end,
            done: SlotSet::with_room(end),
            queue: Queue::default(),
            scribe: Scribe::default(),
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

    /// Queues a node before it changes.
    fn save(&mut self, slot: Slot, nodes: &Nodes, acls: &AclTable) {
        if self.is_done(slot) {
            return;
        }
        let mut part = self.queue.take_last();
        self.write(slot, nodes, acls, &mut part);
        self.queue.push(part);
    }

    /// Appends a node that is not done, behind such of its ancestors as are not either.
    fn write(&mut self, slot: Slot, nodes: &Nodes, acls: &AclTable, out: &mut Vec<u8>) {
        let mut ancestors = Vec::new();
        let mut at = slot;
        while at != Slot::ROOT {
            at = nodes.parent(at);
            if self.is_done(at) {
                break;
            }
            ancestors.push(at);
        }
        for slot in ancestors.into_iter().rev().chain([slot]) {
            self.set_done(slot);
            self.scribe.write(slot, nodes, acls, out);
        }
    }
}

/// Parts of the stream that are ahead of the walk: at most the tree as it was, if all of it changes. They are
/// short and many, so that what is appended never has to be moved.
#[derive(Debug, Default)]
struct Queue {
    parts: VecDeque<Vec<u8>>,
    /// How much of the first part has been taken.
    taken: usize,
}

impl Queue {
    const PART_LEN: usize = 64 << 10;
    /// What one more node fits into, as a rule.
    const NODE_LEN: usize = 1 << 10;

    /// The last part, if more fits into it, or a new one.
    fn take_last(&mut self) -> Vec<u8> {
        let has_room = |part: &mut Vec<u8>| part.len() + Queue::NODE_LEN <= Queue::PART_LEN;
        let last = self.parts.pop_back_if(has_room);
        last.unwrap_or_else(|| Vec::with_capacity(Queue::PART_LEN))
    }

    fn push(&mut self, part: Vec<u8>) {
        self.parts.push_back(part);
    }

    fn is_empty(&self) -> bool {
        self.parts.is_empty()
    }

    /// Moves to `out` what there is until that has `full` bytes.
    fn move_to(&mut self, out: &mut Vec<u8>, full: usize) {
        while let Some(first) = self.parts.front()
            && out.len() < full
        {
            let rest = &first[self.taken..];
            let moved = rest.len().min(full - out.len());
            out.extend_from_slice(&rest[..moved]);
            self.taken += moved;
            if self.taken == first.len() {
                self.parts.pop_front();
                self.taken = 0;
            }
        }
    }
}

/// Writes nodes as snapshots have them.
#[derive(Debug, Default)]
struct Scribe {
    /// Path of the node `prefix_of`, in case the next one has the same parent. That is right as long as only
    /// nodes are written that are older than the walk: their parents are, too, and keep their slots.
    prefix: String,
    prefix_of: Option<Slot>,
}

impl Scribe {
    fn write(&mut self, slot: Slot, nodes: &Nodes, acls: &AclTable, out: &mut Vec<u8>) {
        if slot == Slot::ROOT {
            put_buffer(out, Some(b""));
        } else {
            self.write_path(slot, nodes, out);
        }
        let node = nodes.parts(slot);
        put_buffer(out, node.data());
        acls.id(node.acl()).encode(out);
        node.stat_persisted().encode(out);
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

/// The replica's side of its active walks.
#[derive(Debug, Default)]
pub(crate) struct Walks {
    active: Vec<Arc<Mutex<Progress>>>,
}

impl Walks {
    /// To be called before a node changes or goes.
    #[inline]
    pub(crate) fn before_change(&mut self, slot: Slot, nodes: &Nodes, acls: &AclTable) {
        if self.active.is_empty() || mutant!(Zk3104) {
            return;
        }
        self.forget_ended();
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

    /// Begins a walk; `header` is what comes before the nodes.
    pub(crate) fn begin(&mut self, nodes: &Nodes, at: WalkStart) -> Walk {
        self.forget_ended();
        let progress = Arc::new(Mutex::new(Progress::new(nodes.end())));
        self.active.push(Arc::clone(&progress));
        Walk {
            progress,
            start: at,
            header_written: 0,
            next: 0,
            is_finished: false,
        }
    }

    /// A walk that has been dropped holds its progress no more.
    fn forget_ended(&mut self) {
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

/// One walk over a [`Replica`]; see [`Replica::begin_walk`]. It ends when it is dropped.
#[derive(Debug)]
pub struct Walk {
    progress: Arc<Mutex<Progress>>,
    start: WalkStart,
    header_written: usize,
    next: u32,
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
    /// `replica` must be the one that the walk began on. How the stream is cut does not matter, but for the order of
    /// what changes meanwhile.
    pub fn next_chunk(&mut self, replica: &Replica, out: &mut Vec<u8>, max_bytes: usize) -> bool {
        let (nodes, acls) = replica.storage();
        let full = out.len().saturating_add(max_bytes.max(1));
        self.write_header(out, max_bytes.max(1));
        let progress = Arc::clone(&self.progress);
        let mut progress = progress.lock();
        progress.queue.move_to(out, full);
        let slots_end = self.next.saturating_add(CHUNK_SLOTS_MAX).min(progress.end);
        while out.len() < full && self.next < slots_end {
            let rest = self.next..slots_end;
            let Some(slot) = nodes.live().first_not_in(&progress.done, rest) else {
                self.next = slots_end;
                break;
            };
            progress.write(slot, nodes, acls, out);
            self.next = slot.0 + 1;
        }
        if self.next < progress.end || out.len() >= full {
            return !self.is_finished;
        }
        assert!(progress.queue.is_empty(), "what is done is not queued");
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
