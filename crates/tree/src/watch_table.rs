//! One table of watches: which connections watch which paths, and how (Java `WatchManager`).
//!
//! Watches are registered by many reading threads at once, hence the sharded locks. They fire under
//! the replica's write lock, hence with no locking at all.
//!
//! A watched path is kept once, with its watchers. A watcher knows its paths by their places only, which
//! makes a watch by many of many paths cheap: what repeats is a few bytes on either side.

use crate::path_hash::PathHash;
use crate::slab::Slab;
use hashbrown::HashTable;
use hashbrown::hash_table::Entry;
use parking_lot::{Mutex, MutexGuard};
use std::collections::BTreeMap;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering::Relaxed};

const SHARD_BITS: u32 = 4;
const SHARDS: usize = 1 << SHARD_BITS;

/// A connection, as far as watches are concerned.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct WatcherId(pub u64);

/// A set of ways to watch (Java `WatchStats`).
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct Modes(u8);

impl Modes {
    pub(crate) const STANDARD: Modes = Modes(1);
    pub(crate) const PERSISTENT: Modes = Modes(2);
    pub(crate) const RECURSIVE: Modes = Modes(4);
    pub(crate) const ALL: Modes = Modes(7);

    fn has(self, mode: Modes) -> bool {
        self.0 & mode.0 != 0
    }

    fn with(self, mode: Modes) -> Modes {
        Modes(self.0 | mode.0)
    }

    fn without(self, mode: Modes) -> Modes {
        Modes(self.0 & !mode.0)
    }

    fn is_none(self) -> bool {
        self.0 == 0
    }
}

/// Who watches one path. Most paths have one watcher; a few have very many.
#[derive(Debug)]
enum Watchers {
    One(WatcherId, Modes),
    #[expect(
        clippy::box_collection,
        reason = "it would make the single ones larger, which are many"
    )]
    Many(Box<BTreeMap<WatcherId, Modes>>),
}

impl Watchers {
    fn get(&self, watcher: WatcherId) -> Modes {
        match self {
            Watchers::One(one, modes) if *one == watcher => *modes,
            Watchers::One(..) => Modes::default(),
            Watchers::Many(many) => many.get(&watcher).copied().unwrap_or_default(),
        }
    }

    /// No modes at all remove the watcher.
    fn set(&mut self, watcher: WatcherId, modes: Modes) {
        match self {
            Watchers::One(one, old) if *one == watcher => *old = modes,
            Watchers::One(one, old) => {
                let both = BTreeMap::from([(*one, *old), (watcher, modes)]);
                *self = Watchers::Many(Box::new(both));
            }
            Watchers::Many(many) if modes.is_none() => {
                many.remove(&watcher);
            }
            Watchers::Many(many) => {
                many.insert(watcher, modes);
            }
        }
    }

    fn is_empty(&self) -> bool {
        match self {
            Watchers::One(_, modes) => modes.is_none(),
            Watchers::Many(many) => many.is_empty(),
        }
    }

    fn ids(&self) -> Vec<WatcherId> {
        match self {
            Watchers::One(one, _) => vec![*one],
            Watchers::Many(many) => many.keys().copied().collect(),
        }
    }

    /// Keeps those for which `keep` leaves a mode.
    fn retain(&mut self, mut keep: impl FnMut(WatcherId, &mut Modes) -> bool) {
        match self {
            Watchers::One(one, modes) => {
                if !keep(*one, modes) {
                    *modes = Modes::default();
                }
            }
            Watchers::Many(many) => many.retain(|watcher, modes| keep(*watcher, modes)),
        }
    }
}

impl Default for Watchers {
    fn default() -> Watchers {
        Watchers::One(WatcherId::default(), Modes::default())
    }
}

#[derive(Debug, Default)]
struct WatchedPath {
    path: Box<str>,
    watchers: Watchers,
    hash: PathHash,
}

/// The watched paths of one shard.
#[derive(Debug)]
struct Paths {
    slab: Slab<WatchedPath>,
    index: HashTable<u32>,
}

/// Place of a watched path: its shard, and where it is there. A path keeps it as long as it is watched.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct PathPlace(u32);

impl PathPlace {
    fn new(hash: PathHash, at: u32) -> PathPlace {
        let shard = u32::try_from(hash.shard(SHARDS)).expect("a shard's number is small");
        assert!(at <= u32::MAX >> SHARD_BITS, "watched paths are bounded");
        PathPlace(at << SHARD_BITS | shard)
    }

    fn shard(self) -> usize {
        usize::try_from(self.0).expect("usize has at least 32 bits") & (SHARDS - 1)
    }

    fn at(self) -> u32 {
        self.0 >> SHARD_BITS
    }

    fn hash(self) -> u64 {
        u64::from(self.0).wrapping_mul(0x9e37_79b9_7f4a_7c15)
    }
}

/// The paths of one watcher. Iterated only to be dropped, so that no order of the hash table leaks.
#[derive(Debug, Default)]
struct PathsOfWatcher(HashTable<PathPlace>);

impl PathsOfWatcher {
    fn insert(&mut self, place: PathPlace) {
        self.0
            .insert_unique(place.hash(), place, |place| place.hash());
    }

    fn remove(&mut self, place: PathPlace) {
        if let Ok(entry) = self.0.find_entry(place.hash(), |p| *p == place) {
            entry.remove();
        }
    }
}

#[derive(Debug, Default)]
pub(crate) struct WatchTable {
    paths: [Mutex<Paths>; SHARDS],
    /// A watcher stays here once it has watched, until it is dropped or its last watch is removed
    /// by request; `wchs` counts it. Locked after the paths.
    watchers: [Mutex<BTreeMap<WatcherId, PathsOfWatcher>>; SHARDS],
    /// Pairs of a path and a watcher.
    total: AtomicUsize,
    /// Of these, recursive ones.
    recursive: AtomicUsize,
}

impl Default for Paths {
    fn default() -> Paths {
        Paths {
            slab: Slab::new(),
            index: HashTable::new(),
        }
    }
}

impl Paths {
    fn find(&self, hash: PathHash, path: &str) -> Option<u32> {
        let is_it = |at: &u32| &*self.slab[*at].path == path;
        self.index.find(hash.spread(), is_it).copied()
    }

    /// The path's place, which it is given if it has none.
    fn find_or_insert(&mut self, hash: PathHash, path: &str) -> u32 {
        let Paths { slab, index } = self;
        let is_it = |at: &u32| &*slab[*at].path == path;
        match index.entry(hash.spread(), is_it, |at| slab[*at].hash.spread()) {
            Entry::Occupied(entry) => *entry.get(),
            Entry::Vacant(entry) => {
                let at = slab.insert(WatchedPath {
                    path: path.into(),
                    watchers: Watchers::default(),
                    hash,
                });
                entry.insert(at);
                at
            }
        }
    }

    fn remove_if_unwatched(&mut self, at: u32) {
        let Paths { slab, index } = self;
        if !slab[at].watchers.is_empty() {
            return;
        }
        let hash = slab[at].hash.spread();
        if let Ok(entry) = index.find_entry(hash, |found| *found == at) {
            entry.remove();
        }
        slab.remove(at);
    }

    fn iter(&self) -> impl Iterator<Item = &WatchedPath> {
        self.index.iter().map(|at| &self.slab[*at])
    }
}

impl WatchTable {
    pub(crate) fn add(&self, hash: PathHash, path: &str, watcher: WatcherId, mode: Modes) {
        let mut shard = self.shard(hash);
        let at = shard.find_or_insert(hash, path);
        let watchers = &mut shard.slab[at].watchers;
        let old = if watchers.is_empty() {
            *watchers = Watchers::One(watcher, mode);
            Modes::default()
        } else {
            let old = watchers.get(watcher);
            watchers.set(watcher, old.with(mode));
            old
        };
        if mode.has(Modes::RECURSIVE) && !old.has(Modes::RECURSIVE) {
            self.recursive.fetch_add(1, Relaxed);
        }
        if old.is_none() {
            self.total.fetch_add(1, Relaxed);
            let mut watchers = self.watchers[shard_of(watcher)].lock();
            let paths = watchers.entry(watcher).or_default();
            paths.insert(PathPlace::new(hash, at));
        }
    }

    /// The ways in which `watcher` watches `path`, within `mask`.
    pub(crate) fn has(&self, path: &str, watcher: WatcherId, mask: Modes) -> bool {
        let hash = PathHash::of(path);
        let shard = self.shard(hash);
        let found = shard.find(hash, path);
        found.is_some_and(|at| shard.slab[at].watchers.get(watcher).has(mask))
    }

    /// Takes ways of watching away; whether there were any.
    pub(crate) fn remove(&self, path: &str, watcher: WatcherId, mask: Modes) -> bool {
        let hash = PathHash::of(path);
        let mut shard = self.shard(hash);
        let Some(at) = shard.find(hash, path) else {
            return false;
        };
        let old = self.take_modes(&mut shard, at, watcher, mask);
        if !old.is_none() && old.without(mask).is_none() {
            let mut watchers = self.watchers[shard_of(watcher)].lock();
            if let Some(paths) = watchers.get_mut(&watcher) {
                paths.remove(PathPlace::new(hash, at));
                if paths.0.is_empty() {
                    watchers.remove(&watcher);
                }
            }
        }
        old.has(mask)
    }

    /// Forgets a watcher, which must not register another watch meanwhile.
    pub(crate) fn drop_watcher(&self, watcher: WatcherId) {
        let paths = self.watchers[shard_of(watcher)].lock().remove(&watcher);
        for place in paths.into_iter().flat_map(|paths| paths.0) {
            // It is still watched, by this watcher, and so still there.
            let mut shard = self.paths[place.shard()].lock();
            self.take_modes(&mut shard, place.at(), watcher, Modes::ALL);
        }
    }

    fn shard(&self, hash: PathHash) -> MutexGuard<'_, Paths> {
        self.paths[hash.shard(SHARDS)].lock()
    }

    /// The path's side of a removal. Returns the modes before.
    fn take_modes(&self, shard: &mut Paths, at: u32, watcher: WatcherId, mask: Modes) -> Modes {
        let watchers = &mut shard.slab[at].watchers;
        let old = watchers.get(watcher);
        let new = old.without(mask);
        if old.is_none() {
            return old;
        }
        watchers.set(watcher, new);
        shard.remove_if_unwatched(at);
        if new.is_none() {
            self.total.fetch_sub(1, Relaxed);
        }
        if old.has(Modes::RECURSIVE) && !new.has(Modes::RECURSIVE) {
            self.recursive.fetch_sub(1, Relaxed);
        }
        old
    }

    /// Appends everybody to be told of an event at `path`, sorted, each once; standard watches are
    /// used up.
    pub(crate) fn fire(&mut self, path: &str, hits: &mut Vec<WatcherId>) {
        if *self.total.get_mut() == 0 {
            return;
        }
        self.fire_at(path, hits);
        if *self.recursive.get_mut() == 0 {
            return;
        }
        let own_hits = hits.len();
        for ancestor in ancestors(path) {
            self.fire_recursive_at(ancestor, hits);
        }
        if hits.len() > own_hits {
            hits.sort_unstable();
            hits.dedup();
        }
    }

    fn fire_at(&mut self, path: &str, hits: &mut Vec<WatcherId>) {
        let hash = PathHash::of(path);
        let shard = self.paths[hash.shard(SHARDS)].get_mut();
        let Some(at) = shard.find(hash, path) else {
            return;
        };
        let place = PathPlace::new(hash, at);
        let watchers = &mut self.watchers;
        let total = self.total.get_mut();
        shard.slab[at].watchers.retain(|watcher, modes| {
            hits.push(watcher);
            *modes = modes.without(Modes::STANDARD);
            if modes.is_none() {
                *total -= 1;
                let watchers = watchers[shard_of(watcher)].get_mut();
                if let Some(paths) = watchers.get_mut(&watcher) {
                    paths.remove(place);
                }
            }
            !modes.is_none()
        });
        shard.remove_if_unwatched(at);
    }

    fn fire_recursive_at(&mut self, path: &str, hits: &mut Vec<WatcherId>) {
        let hash = PathHash::of(path);
        let shard = self.paths[hash.shard(SHARDS)].get_mut();
        let Some(at) = shard.find(hash, path) else {
            return;
        };
        match &shard.slab[at].watchers {
            Watchers::One(one, modes) if modes.has(Modes::RECURSIVE) => hits.push(*one),
            Watchers::One(..) => {}
            Watchers::Many(many) => {
                let recursive = many.iter().filter(|(_, modes)| modes.has(Modes::RECURSIVE));
                hits.extend(recursive.map(|(watcher, _)| *watcher));
            }
        }
    }

    /// Pairs of a path and a watcher.
    pub(crate) fn total(&self) -> usize {
        self.total.load(Relaxed)
    }

    /// Watchers that watch, or have watched.
    pub(crate) fn watcher_count(&self) -> usize {
        self.watchers.iter().map(|shard| shard.lock().len()).sum()
    }

    /// Paths that are watched.
    pub(crate) fn path_count(&self) -> usize {
        (self.paths.iter())
            .map(|shard| shard.lock().index.len())
            .sum()
    }

    /// Everything, by watcher; sorted.
    pub(crate) fn by_watcher(&self) -> Vec<(WatcherId, Vec<Arc<str>>)> {
        let mut all = BTreeMap::new();
        for shard in &self.watchers {
            let shard = shard.lock();
            all.extend(shard.keys().map(|watcher| (*watcher, Vec::new())));
        }
        for (path, watchers) in self.by_path() {
            for watcher in watchers {
                let paths = all.entry(watcher).or_default();
                paths.push(Arc::clone(&path));
            }
        }
        all.into_iter().collect()
    }

    /// Everything, by path; sorted.
    pub(crate) fn by_path(&self) -> Vec<(Arc<str>, Vec<WatcherId>)> {
        let mut all = Vec::new();
        for shard in &self.paths {
            let shard = shard.lock();
            let watched = shard.iter();
            all.extend(watched.map(|e| (Arc::from(&*e.path), e.watchers.ids())));
        }
        all.sort_unstable();
        all
    }

    /// The counts, counted anew.
    #[cfg(test)]
    pub(crate) fn recount(&self) -> usize {
        let of = |shard: &Mutex<Paths>| {
            let shard = shard.lock();
            shard.iter().map(|e| e.watchers.ids().len()).sum::<usize>()
        };
        self.paths.iter().map(of).sum()
    }
}

fn shard_of(watcher: WatcherId) -> usize {
    // The low byte is enough for so few shards.
    let [.., low] = watcher.0.to_be_bytes();
    usize::from(low) & (SHARDS - 1)
}

/// The proper ancestors of a path, up to "/".
fn ancestors(path: &str) -> impl Iterator<Item = &str> {
    std::iter::successors(zooid_proto::path::parent(path), |path| {
        zooid_proto::path::parent(path).filter(|_| *path != "/")
    })
    .filter(move |ancestor| *ancestor != path)
}

#[cfg(test)]
mod tests;
