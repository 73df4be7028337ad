//! Finds a node by the hash of its path.
//!
//! A table in the order of the hashes: each entry stands at the place that it wants, or behind it where
//! smaller ones were in the way. So a search reads one cache line as a rule, and ends early where there is
//! nothing to find. The hash stands beside the slot, so neither a search nor growing looks at nodes in vain.
//!
//! It is kept in shards that grow each by itself and by a quarter at most: nobody waits for millions of
//! entries to move, and there is never much room that is not used.
//!
//! A tree that is loaded is entered by [`Index::defer`]: entries wait with their shard until they are
//! many or somebody looks there, and are placed together while the shard is in the cache.

use crate::nodes::Slot;
use crate::path_hash::PathHash;
use crate::prefetch::prefetch;

const SHARD_BITS: u32 = 8;
const SHARDS: usize = 1 << SHARD_BITS;
const HOMES_MIN: usize = 8;
/// Room behind the last place that can be wanted; there is more where that does not do.
const TAIL: usize = 8;
/// Most entries that wait in one shard: 32 KiB of them, as much as a shard of a million nodes has.
const WAITING_MAX: usize = 1 << 12;

#[derive(Clone, Copy, Debug)]
struct Entry {
    hash: PathHash,
    slot: Slot,
}

impl Entry {
    /// The root is found without an index. No hash is larger: a search ends here.
    const VACANT: Entry = Entry {
        hash: PathHash::MAX,
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
    /// Sorted by hash, but for vacant ones; the last is vacant.
    buckets: Vec<Entry>,
    /// How many places can be wanted.
    homes: usize,
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

    /// Asks for what a search for this hash would read.
    pub(crate) fn prefetch(&self, hash: PathHash) {
        /// As far as half of all searches go: the next cache line, mostly.
        const FAR: usize = 5;
        let shard = &self.shards[hash.shard(SHARDS)];
        let home = shard.home(hash);
        for at in [home, home + FAR] {
            if let Some(entry) = shard.buckets.get(at) {
                prefetch(entry);
            }
        }
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
        let mut at = self.home(hash);
        loop {
            let entry = self.buckets.get(at)?;
            if entry.hash > hash || entry.is_vacant() {
                return None;
            }
            if entry.hash == hash && is_it(entry.slot) {
                return Some(at);
            }
            at += 1;
        }
    }

    fn insert(&mut self, new: Entry) {
        self.make_room(1);
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
            self.place(new);
        }
        self.waiting = waiting;
        Ok(())
    }

    /// Those with larger hashes make way.
    fn place(&mut self, new: Entry) {
        let home = self.home(new.hash);
        let at = first(&self.buckets, home, |there| {
            there.hash > new.hash || there.is_vacant()
        });
        let vacant = first(&self.buckets, at, Entry::is_vacant);
        self.buckets.copy_within(at..vacant, at + 1);
        self.buckets[at] = new;
        self.len += 1;
        self.end_vacant(vacant);
    }

    /// Sees to it that there is a vacant place behind the last that is taken, if that is `taken`.
    fn end_vacant(&mut self, taken: usize) {
        if taken + 1 == self.buckets.len() {
            let longer = self.buckets.len() + TAIL;
            self.buckets.reserve_exact(TAIL);
            self.buckets.resize(longer, Entry::VACANT);
        }
    }

    /// Closes the gap with those behind it that are not where they want to be.
    fn remove(&mut self, hash: PathHash, slot: Slot) {
        let found = self.position(hash, |at| at == slot);
        let at = found.expect("every node is indexed");
        let mut next = at + 1;
        while !self.buckets[next].is_vacant() && self.home(self.buckets[next].hash) < next {
            next += 1;
        }
        self.buckets.copy_within(at + 1..next, at);
        self.buckets[next - 1] = Entry::VACANT;
        self.len -= 1;
    }

    /// Grows, if need be, for so many more.
    fn make_room(&mut self, more: usize) {
        let wanted = self.len + more;
        if wanted <= len_max(self.homes) {
            return;
        }
        let mut homes = self.homes;
        while len_max(homes) < wanted {
            homes = grown(homes);
        }
        self.grow(homes);
    }

    /// Everybody is in order already: they only move apart.
    fn grow(&mut self, homes: usize) {
        let larger = vec![Entry::VACANT; homes + TAIL];
        let before = std::mem::replace(&mut self.buckets, larger);
        self.homes = homes;
        let mut next = 0;
        for entry in before.iter().filter(|entry| !entry.is_vacant()) {
            let at = self.home(entry.hash).max(next);
            self.buckets[at] = *entry;
            self.end_vacant(at);
            next = at + 1;
        }
    }

    /// The place that a hash wants: the hashes are spread evenly over however many there are.
    fn home(&self, hash: PathHash) -> usize {
        hash.scale(SHARD_BITS, self.homes)
    }
}

/// The first place from `at` on for which `is_it` holds; a vacant one must do.
fn first(buckets: &[Entry], at: usize, is_it: impl Fn(Entry) -> bool) -> usize {
    let found = buckets[at..].iter().position(|entry| is_it(*entry));
    at + found.expect("the last place is vacant")
}

/// Full to seven eighths.
fn len_max(homes: usize) -> usize {
    homes - homes / 8
}

/// By a quarter of the next lower power of two: the sizes that an allocator has, too.
fn grown(homes: usize) -> usize {
    let step = homes.checked_ilog2().map_or(0, |bits| 1 << bits) / 4;
    (homes + step).max(HOMES_MIN)
}

#[cfg(test)]
mod tests;
