//! The tree as it will be: changes proposed and not yet applied, over the replica
//! (Java `outstandingChanges`, `outstandingChangesForPath`).

use hashbrown::HashTable;
use hashbrown::hash_table::Entry;
use std::collections::VecDeque;
use std::sync::Arc;
use zooid_proto::{AclList, SessionId, StatPersisted, TxnDigest, Zxid};
use zooid_tree::{NodeRef, PathHash, Replica, digest};

/// A path with its hash, which is computed once for all that is asked about it.
#[derive(Clone, Copy, Debug)]
pub(super) struct Key<'a> {
    path: &'a str,
    hash: PathHash,
}

impl<'a> Key<'a> {
    pub(super) fn of(path: &'a str) -> Key<'a> {
        // The root has two names.
        let path = if path == "/" { "" } else { path };
        Key {
            path,
            hash: PathHash::of(path),
        }
    }
}

/// What a check needs to know of a node.
#[derive(Clone, Debug)]
pub(super) struct Record {
    pub(super) stat: StatPersisted,
    pub(super) child_count: u32,
    pub(super) acl: AclList,
    pub(super) data_len: i64,
    /// State of the digest's checksum after path and data.
    digest_prefix: u32,
    /// What the node counts for in the tree's digest before this is changed: nothing, if it is new.
    counted: u32,
}

impl Record {
    /// Of a node that is to be created.
    pub(super) fn new(
        path: &str,
        data: Option<&[u8]>,
        stat: StatPersisted,
        acl: AclList,
    ) -> Record {
        Record {
            stat,
            child_count: 0,
            acl,
            data_len: super::data_len(data),
            digest_prefix: digest::prefix(path, data),
            counted: 0,
        }
    }

    pub(super) fn set_data(&mut self, path: &str, data: Option<&[u8]>) {
        self.data_len = super::data_len(data);
        self.digest_prefix = digest::prefix(path, data);
    }

    fn of(node: &NodeRef<'_>) -> Record {
        Record {
            stat: node.stat_persisted(),
            child_count: u32::try_from(node.child_count()).expect("nodes have 32-bit indices"),
            acl: node.acl().clone(),
            data_len: super::data_len(node.data()),
            digest_prefix: node.digest_prefix(),
            counted: node.digest(),
        }
    }
}

/// What a node counts for in the tree's digest.
fn counted(path: &str, digest_prefix: u32, stat: &StatPersisted) -> u32 {
    if digest::counts(path) {
        digest::after_prefix(digest_prefix, stat)
    } else {
        0
    }
}

/// What will be at a path, and since which transaction. `None`: nothing.
type Dated = (Zxid, Option<Record>);

#[derive(Clone, Debug)]
struct Changed {
    path: Arc<str>,
    hash: PathHash,
    latest: Dated,
}

/// See the module.
#[derive(Clone, Debug)]
pub(crate) struct Pending {
    /// The latest change of each path. Its order means nothing.
    changed: HashTable<Changed>,
    /// What each transaction changes, in the order made, for forgetting.
    order: VecDeque<(Zxid, PathHash)>,
    /// What the transaction that is marked found where it changed something, for taking that back.
    replaced: Vec<(Arc<str>, PathHash, Option<Dated>)>,
    marked: bool,
    digest: i64,
}

/// Where to roll back to.
#[derive(Clone, Copy, Debug)]
pub(super) struct Mark {
    changes: usize,
    digest: i64,
}

impl Pending {
    pub(crate) fn new(replica: &Replica) -> Pending {
        Pending {
            changed: HashTable::new(),
            order: VecDeque::new(),
            replaced: Vec::new(),
            marked: false,
            digest: replica.digest(),
        }
    }

    /// Forgets what the replica has applied by now.
    pub(crate) fn forget_applied(&mut self, replica: &Replica) {
        let applied = replica.last_zxid();
        let is_applied = |(zxid, _): &mut (Zxid, PathHash)| *zxid <= applied;
        while let Some((_, hash)) = self.order.pop_front_if(is_applied) {
            // Whichever path it is of: what is applied is not needed any more.
            let is_done = |it: &Changed| it.hash == hash && it.latest.0 <= applied;
            if let Ok(done) = self.changed.find_entry(hash.spread(), is_done) {
                done.remove();
            }
        }
        if self.order.is_empty() {
            self.digest = replica.digest();
        }
    }

    fn change_of(&self, key: Key<'_>) -> Option<&Option<Record>> {
        let changed = self.changed.find(key.hash.spread(), is_of(key))?;
        Some(&changed.latest.1)
    }

    /// The node at a path, as it will be.
    pub(super) fn record(&self, replica: &Replica, key: Key<'_>) -> Option<Record> {
        match self.change_of(key) {
            Some(change) => change.clone(),
            None => {
                let node = replica.node_hashed(key.path, key.hash);
                node.as_ref().map(Record::of)
            }
        }
    }

    /// Whether there will be a node.
    pub(super) fn exists(&self, replica: &Replica, key: Key<'_>) -> bool {
        match self.change_of(key) {
            Some(change) => change.is_some(),
            None => replica.node_hashed(key.path, key.hash).is_some(),
        }
    }

    /// Makes a node what `record` says, which is new or was got by [`Pending::record`] and changed.
    pub(super) fn put(&mut self, zxid: Zxid, key: Key<'_>, mut record: Record) {
        let before = record.counted;
        record.counted = counted(key.path, record.digest_prefix, &record.stat);
        self.count(before, record.counted);
        self.change(key, (zxid, Some(record)));
    }

    /// Takes a node away, which was got by [`Pending::record`].
    pub(super) fn remove(&mut self, zxid: Zxid, key: Key<'_>, record: &Record) {
        self.count(record.counted, 0);
        self.change(key, (zxid, None));
    }

    fn count(&mut self, before: u32, after: u32) {
        let sum = self.digest.wrapping_sub(i64::from(before));
        self.digest = sum.wrapping_add(i64::from(after));
    }

    fn change(&mut self, key: Key<'_>, latest: Dated) {
        let spread = |it: &Changed| it.hash.spread();
        let entry = self.changed.entry(key.hash.spread(), is_of(key), spread);
        let zxid = latest.0;
        let (path, replaced) = match entry {
            Entry::Occupied(there) => {
                let there = there.into_mut();
                if there.latest.0 == zxid {
                    // As the parent of all that a multi creates: it is in the order, and what the
                    // transaction found there is kept.
                    there.latest = latest;
                    return;
                }
                let replaced = std::mem::replace(&mut there.latest, latest);
                (&there.path, Some(replaced))
            }
            Entry::Vacant(vacant) => {
                let new = vacant.insert(Changed {
                    path: Arc::from(key.path),
                    hash: key.hash,
                    latest,
                });
                (&new.into_mut().path, None)
            }
        };
        self.order.push_back((zxid, key.hash));
        if self.marked {
            self.replaced.push((Arc::clone(path), key.hash, replaced));
        }
    }

    /// Starts remembering how to come back here.
    pub(super) fn mark(&mut self) -> Mark {
        self.marked = true;
        Mark {
            changes: self.order.len(),
            digest: self.digest,
        }
    }

    /// Makes the changes since the mark final.
    pub(super) fn keep(&mut self) {
        self.marked = false;
        self.replaced.clear();
    }

    /// Takes the changes since the mark back.
    pub(super) fn roll_back(&mut self, mark: Mark) {
        while let Some((path, hash, replaced)) = self.replaced.pop() {
            let key = Key { path: &path, hash };
            let there = self.changed.find_entry(hash.spread(), is_of(key));
            let mut there = there.expect("it was changed");
            match replaced {
                Some(latest) => there.get_mut().latest = latest,
                None => drop(there.remove()),
            }
        }
        self.order.truncate(mark.changes);
        self.digest = mark.digest;
        self.marked = false;
    }

    /// Nodes that are new or changed and that the session owns, in no order.
    pub(super) fn owned_by(&self, session: SessionId) -> impl Iterator<Item = &str> {
        let is_owned = move |changed: &&Changed| {
            let record = changed.latest.1.as_ref();
            record.is_some_and(|record| record.stat.ephemeral_owner == session.0)
        };
        let owned = self.changed.iter().filter(is_owned);
        owned.map(|changed| &*changed.path)
    }

    /// The tree's digest after everything pending.
    pub(crate) fn digest(&self) -> TxnDigest {
        TxnDigest {
            version: TxnDigest::VERSION,
            tree_digest: self.digest,
        }
    }
}

fn is_of(key: Key<'_>) -> impl Fn(&Changed) -> bool {
    move |changed| changed.hash == key.hash && *changed.path == *key.path
}
