//! Finds a node by the hash of its path.
//!
//! A Robin Hood table: entries stand in the order of the places that they want, so a search reads one
//! cache line as a rule, and ends early where there is nothing to find. The hash stands beside the
//! slot, so neither a search nor growing looks at nodes in vain.
//!
//! It is kept in shards that grow each by itself and by a quarter at most: nobody waits for millions of
//! entries to move, and there is never much room that is not used.
//!
//! A tree that is loaded is entered by [`Index::defer`]: entries wait with their shard until they are
//! many or somebody looks there, and are placed together while the shard is in the cache.

use crate::nodes::Slot;
use crate::path_hash::PathHash;

const SHARD_BITS: u32 = 8;
const SHARDS: usize = 1 << SHARD_BITS;
const BUCKETS_MIN: usize = 8;
/// Most entries that wait in one shard: 32 KiB of them, as much as a shard of a million nodes has.
const WAITING_MAX: usize = 1 << 12;

#[derive(Clone, Copy, Debug, Default)]
struct Entry {
    hash: PathHash,
    slot: Slot,
}

impl Entry {
    /// The root is found without an index.
    const VACANT: Entry = Entry {
        hash: PathHash::ZERO,
        slot: Slot::ROOT,
    };

    fn is_vacant(self) -> bool {
        self.slot == Slot::ROOT
    }
}

#[derive(Debug)]
pub(crate) struct Index {
    shards: Box<[Shard]>,
}

#[derive(Clone, Debug, Default)]
struct Shard {
    buckets: Box<[Entry]>,
    len: usize,
    /// Entered, but not placed yet; always empty once a tree is loaded.
    waiting: Vec<Entry>,
}

/// Two slots that are the same node: the second was entered when the first was there.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Twice(pub(crate) Slot);

impl Index {
    pub(crate) fn new() -> Index {
        Index {
            shards: vec![Shard::default(); SHARDS].into(),
        }
    }

    pub(crate) fn len(&self) -> usize {
        self.shards.iter().map(|shard| shard.len).sum()
    }

    /// The slot with this hash for which `is_it` holds.
    pub(crate) fn find(&self, hash: PathHash, is_it: impl Fn(Slot) -> bool) -> Option<Slot> {
        let shard = &self.shards[hash.shard(SHARDS)];
        let at = shard.position(hash, is_it)?;
        Some(shard.buckets[at].slot)
    }

    /// Reads where a search for this hash would, and returns something that depends on it.
    pub(crate) fn touch(&self, hash: PathHash) -> u32 {
        /// As far as half of all searches go: the next cache line, mostly.
        const FAR: usize = 5;
        let shard = &self.shards[hash.shard(SHARDS)];
        let home = shard.home(hash);
        let read = |at: usize| shard.buckets.get(at).map_or(0, |entry| entry.slot.0);
        read(home) ^ read(home + FAR)
    }

    /// Enters a slot that is not there.
    pub(crate) fn insert(&mut self, hash: PathHash, slot: Slot) {
        assert!(slot != Slot::ROOT, "the root is not indexed");
        self.shards[hash.shard(SHARDS)].insert(Entry { hash, slot });
    }

    /// Enters a slot that nobody finds before its shard is settled; that is when `is_same` is asked
    /// whether two slots with one hash are one node.
    pub(crate) fn defer(
        &mut self,
        hash: PathHash,
        slot: Slot,
        is_same: impl Fn(Slot, Slot) -> bool,
    ) -> Result<(), Twice> {
        assert!(slot != Slot::ROOT, "the root is not indexed");
        let shard = &mut self.shards[hash.shard(SHARDS)];
        shard.waiting.push(Entry { hash, slot });
        if shard.waiting.len() < WAITING_MAX {
            return Ok(());
        }
        shard.settle(&is_same)
    }

    /// Places what waits where this hash belongs.
    pub(crate) fn settle(
        &mut self,
        hash: PathHash,
        is_same: impl Fn(Slot, Slot) -> bool,
    ) -> Result<(), Twice> {
        self.shards[hash.shard(SHARDS)].settle(&is_same)
    }

    /// Places everything that waits.
    pub(crate) fn settle_all(&mut self, is_same: impl Fn(Slot, Slot) -> bool) -> Result<(), Twice> {
        for shard in &mut self.shards {
            shard.settle(&is_same)?;
            shard.waiting = Vec::new();
        }
        Ok(())
    }

    /// Takes a slot out that is there.
    pub(crate) fn remove(&mut self, hash: PathHash, slot: Slot) {
        self.shards[hash.shard(SHARDS)].remove(hash, slot);
    }

    #[cfg(test)]
    pub(crate) fn bytes(&self) -> usize {
        let buckets: usize = self.shards.iter().map(|shard| shard.buckets.len()).sum();
        SHARDS * size_of::<Shard>() + buckets * size_of::<Entry>()
    }
}

impl Shard {
    fn position(&self, hash: PathHash, is_it: impl Fn(Slot) -> bool) -> Option<usize> {
        if self.len == 0 {
            return None;
        }
        let mut at = self.home(hash);
        let mut distance = 0;
        loop {
            let entry = self.buckets[at];
            if entry.is_vacant() || self.distance(entry, at) < distance {
                return None;
            }
            if entry.hash == hash && is_it(entry.slot) {
                return Some(at);
            }
            at = self.after(at);
            distance += 1;
        }
    }

    fn insert(&mut self, new: Entry) {
        self.make_room(1);
        self.len += 1;
        self.place(new);
    }

    fn settle(&mut self, is_same: &impl Fn(Slot, Slot) -> bool) -> Result<(), Twice> {
        self.make_room(self.waiting.len());
        let mut waiting = std::mem::take(&mut self.waiting);
        for new in waiting.drain(..) {
            let twin = self.position(new.hash, |slot| is_same(slot, new.slot));
            if twin.is_some() {
                return Err(Twice(new.slot));
            }
            self.len += 1;
            self.place(new);
        }
        self.waiting = waiting;
        Ok(())
    }

    /// Whoever is farther from the place that it wants goes first.
    fn place(&mut self, mut new: Entry) {
        let mut at = self.home(new.hash);
        let mut distance = 0;
        loop {
            let there = self.buckets[at];
            if there.is_vacant() {
                self.buckets[at] = new;
                return;
            }
            let its_distance = self.distance(there, at);
            if its_distance < distance {
                self.buckets[at] = new;
                new = there;
                distance = its_distance;
            }
            at = self.after(at);
            distance += 1;
        }
    }

    /// Closes the gap with those behind it that are not where they want to be.
    fn remove(&mut self, hash: PathHash, slot: Slot) {
        let found = self.position(hash, |at| at == slot);
        let mut at = found.expect("every node is indexed");
        self.len -= 1;
        loop {
            let next = self.after(at);
            let behind = self.buckets[next];
            if behind.is_vacant() || self.distance(behind, next) == 0 {
                self.buckets[at] = Entry::VACANT;
                return;
            }
            self.buckets[at] = behind;
            at = next;
        }
    }

    /// Grows, if need be, for so many more.
    fn make_room(&mut self, more: usize) {
        let wanted = self.len + more;
        let mut buckets = self.buckets.len();
        while len_max(buckets) < wanted {
            buckets = grown(buckets);
        }
        if buckets > self.buckets.len() {
            self.grow(buckets);
        }
    }

    fn grow(&mut self, buckets: usize) {
        let larger = vec![Entry::VACANT; buckets].into();
        let before = std::mem::replace(&mut self.buckets, larger);
        for entry in before {
            if !entry.is_vacant() {
                self.place(entry);
            }
        }
    }

    /// The place that a hash wants: the hashes are spread evenly over however many there are.
    fn home(&self, hash: PathHash) -> usize {
        hash.scale(SHARD_BITS, self.buckets.len())
    }

    fn distance(&self, entry: Entry, at: usize) -> usize {
        let home = self.home(entry.hash);
        if at >= home {
            at - home
        } else {
            at + self.buckets.len() - home
        }
    }

    fn after(&self, at: usize) -> usize {
        if at + 1 == self.buckets.len() {
            0
        } else {
            at + 1
        }
    }
}

/// Full to seven eighths.
fn len_max(buckets: usize) -> usize {
    buckets - buckets / 8
}

/// By a quarter of the next lower power of two: the sizes that an allocator has, too.
fn grown(buckets: usize) -> usize {
    let step = buckets.checked_ilog2().map_or(0, |bits| 1 << bits) / 4;
    (buckets + step).max(BUCKETS_MIN)
}

#[cfg(test)]
mod tests;
