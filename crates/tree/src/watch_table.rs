//! One table of watches: which connections watch which paths, and how (Java `WatchManager`).
//!
//! Watches are registered by many reading threads at once, hence the sharded locks. They fire under
//! the replica's write lock, hence with no locking at all.

use crate::path_hash::PathHash;
use hashbrown::HashTable;
use hashbrown::hash_table::Entry;
use parking_lot::Mutex;
use std::collections::BTreeMap;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering::Relaxed};

const SHARDS: usize = 16;

/// A connection, as far as watches are concerned.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
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
    Many(BTreeMap<WatcherId, Modes>),
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
                *self = Watchers::Many(BTreeMap::from([(*one, *old), (watcher, modes)]));
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

#[derive(Debug)]
struct WatchedPath {
    hash: PathHash,
    path: Arc<str>,
    watchers: Watchers,
}

type Paths = HashTable<WatchedPath>;

/// The paths of one watcher. Iterated only to be sorted or dropped, so that no order of the hash
/// table leaks.
type PathsOfWatcher = HashTable<(PathHash, Arc<str>)>;

#[derive(Debug, Default)]
pub(crate) struct WatchTable {
    paths: [Mutex<Paths>; SHARDS],
    /// A watcher stays here once it has watched, until it is dropped or its last watch is removed
    /// by request; `wchs` counts it.
    watchers: [Mutex<BTreeMap<WatcherId, PathsOfWatcher>>; SHARDS],
    /// Pairs of a path and a watcher.
    total: AtomicUsize,
    /// Of these, recursive ones.
    recursive: AtomicUsize,
}

impl WatchTable {
    pub(crate) fn add(&self, hash: PathHash, path: &str, watcher: WatcherId, mode: Modes) {
        let mut shard = self.paths[hash.shard(SHARDS)].lock();
        let entry = shard.entry(hash.spread(), |e| &*e.path == path, |e| e.hash.spread());
        let (path, old) = match entry {
            Entry::Occupied(mut entry) => {
                let watched = entry.get_mut();
                let old = watched.watchers.get(watcher);
                watched.watchers.set(watcher, old.with(mode));
                (Arc::clone(&watched.path), old)
            }
            Entry::Vacant(entry) => {
                let path: Arc<str> = path.into();
                entry.insert(WatchedPath {
                    hash,
                    path: Arc::clone(&path),
                    watchers: Watchers::One(watcher, mode),
                });
                (path, Modes::default())
            }
        };
        if mode.has(Modes::RECURSIVE) && !old.has(Modes::RECURSIVE) {
            self.recursive.fetch_add(1, Relaxed);
        }
        if old.is_none() {
            self.total.fetch_add(1, Relaxed);
            let mut watchers = self.watchers[shard_of(watcher)].lock();
            let paths = watchers.entry(watcher).or_default();
            paths.insert_unique(hash.spread(), (hash, path), |(hash, _)| hash.spread());
        }
    }

    /// The ways in which `watcher` watches `path`, within `mask`.
    pub(crate) fn has(&self, path: &str, watcher: WatcherId, mask: Modes) -> bool {
        let hash = PathHash::of(path);
        let shard = self.paths[hash.shard(SHARDS)].lock();
        let found = shard.find(hash.spread(), |e| &*e.path == path);
        found.is_some_and(|e| e.watchers.get(watcher).has(mask))
    }

    /// Takes ways of watching away; whether there were any.
    pub(crate) fn remove(&self, path: &str, watcher: WatcherId, mask: Modes) -> bool {
        let hash = PathHash::of(path);
        let old = self.take_modes(hash, path, watcher, mask);
        if !old.is_none() && old.without(mask).is_none() {
            let mut watchers = self.watchers[shard_of(watcher)].lock();
            if let Some(paths) = watchers.get_mut(&watcher) {
                forget_path(paths, hash, path);
                if paths.is_empty() {
                    watchers.remove(&watcher);
                }
            }
        }
        old.has(mask)
    }

    /// Forgets a watcher.
    pub(crate) fn drop_watcher(&self, watcher: WatcherId) {
        let paths = self.watchers[shard_of(watcher)].lock().remove(&watcher);
        for (hash, path) in paths.into_iter().flatten() {
            self.take_modes(hash, &path, watcher, Modes::ALL);
        }
    }

    /// The path's side of a removal. Returns the modes before.
    fn take_modes(&self, hash: PathHash, path: &str, watcher: WatcherId, mask: Modes) -> Modes {
        let mut shard = self.paths[hash.shard(SHARDS)].lock();
        let Ok(mut entry) = shard.find_entry(hash.spread(), |e| &*e.path == path) else {
            return Modes::default();
        };
        let watchers = &mut entry.get_mut().watchers;
        let old = watchers.get(watcher);
        let new = old.without(mask);
        if old.is_none() {
            return old;
        }
        watchers.set(watcher, new);
        if watchers.is_empty() {
            entry.remove();
        }
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
        let Ok(mut entry) = shard.find_entry(hash.spread(), |e| &*e.path == path) else {
            return;
        };
        let watchers = &mut self.watchers;
        let total = self.total.get_mut();
        entry.get_mut().watchers.retain(|watcher, modes| {
            hits.push(watcher);
            *modes = modes.without(Modes::STANDARD);
            if modes.is_none() {
                *total -= 1;
                let watchers = watchers[shard_of(watcher)].get_mut();
                if let Some(paths) = watchers.get_mut(&watcher) {
                    forget_path(paths, hash, path);
                }
            }
            !modes.is_none()
        });
        if entry.get().watchers.is_empty() {
            entry.remove();
        }
    }

    fn fire_recursive_at(&mut self, path: &str, hits: &mut Vec<WatcherId>) {
        let hash = PathHash::of(path);
        let shard = self.paths[hash.shard(SHARDS)].get_mut();
        let Some(watched) = shard.find(hash.spread(), |e| &*e.path == path) else {
            return;
        };
        match &watched.watchers {
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
        self.paths.iter().map(|shard| shard.lock().len()).sum()
    }

    /// Everything, by watcher; sorted.
    pub(crate) fn by_watcher(&self) -> Vec<(WatcherId, Vec<Arc<str>>)> {
        let mut all = Vec::new();
        for shard in &self.watchers {
            for (watcher, paths) in shard.lock().iter() {
                let mut paths: Vec<Arc<str>> = paths.iter().map(|(_, p)| Arc::clone(p)).collect();
                paths.sort_unstable();
                all.push((*watcher, paths));
            }
        }
        all.sort_unstable();
        all
    }

    /// Everything, by path; sorted.
    pub(crate) fn by_path(&self) -> Vec<(Arc<str>, Vec<WatcherId>)> {
        let mut all = Vec::new();
        for shard in &self.paths {
            let shard = shard.lock();
            all.extend(
                shard
                    .iter()
                    .map(|e| (Arc::clone(&e.path), e.watchers.ids())),
            );
        }
        all.sort_unstable();
        all
    }

    /// The counts, counted anew.
    #[cfg(test)]
    pub(crate) fn recount(&self) -> usize {
        let of = |shard: &Mutex<Paths>| {
            shard
                .lock()
                .iter()
                .map(|e| e.watchers.ids().len())
                .sum::<usize>()
        };
        self.paths.iter().map(of).sum()
    }
}

fn shard_of(watcher: WatcherId) -> usize {
    // The low byte is enough for so few shards.
    let [.., low] = watcher.0.to_be_bytes();
    usize::from(low) & (SHARDS - 1)
}

fn forget_path(paths: &mut PathsOfWatcher, hash: PathHash, path: &str) {
    if let Ok(entry) = paths.find_entry(hash.spread(), |(_, p)| &**p == path) {
        entry.remove();
    }
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
