//! The tree as it will be: changes proposed and not yet applied, over the replica
//! (Java `outstandingChanges`, `outstandingChangesForPath`).

use bytes::Bytes;
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
    pub(super) hash: PathHash,
}

impl<'a> Key<'a> {
    pub(super) fn of(path: &'a str) -> Key<'a> {
        // The root has two names.
        let path = if path == "/" { "" } else { path };
        Key::hashed(path, PathHash::of(path))
    }

    /// Of a path whose hash is known.
    pub(super) fn hashed(path: &'a str, hash: PathHash) -> Key<'a> {
        Key { path, hash }
    }
}

/// What a check needs to know of a node.
#[derive(Clone, Debug)]
pub(super) struct Record {
    pub(super) stat: StatPersisted,
    pub(super) child_count: u32,
    pub(super) acl: AclList,
    pub(super) data_len: i64,
    content: Content,
    /// What the node counts for in the sum of digests before this is changed: nothing, if it is new. `None`
    /// if it is not counted yet.
    counted: Option<u32>,
}

/// What a node's digest is made of, beside path and stat.
#[derive(Clone, Debug)]
enum Content {
    Data(Option<Bytes>),
    /// The data that is known to the replica.
    Applied,
    /// [`digest::prefix`] of that.
    Prefix(u32),
}

impl Record {
    /// Of a node that is to be created.
    pub(super) fn new(data: Option<&Bytes>, stat: StatPersisted, acl: AclList) -> Record {
        Record {
            stat,
            child_count: 0,
            acl,
            data_len: super::data_len(data.map(|data| &**data)),
            content: Content::Data(data.cloned()),
            counted: Some(0),
        }
    }

    pub(super) fn set_data(&mut self, data: Option<&Bytes>) {
        self.data_len = super::data_len(data.map(|data| &**data));
        self.content = Content::Data(data.cloned());
    }

    fn of(node: &NodeRef<'_>) -> Record {
        Record {
            stat: node.stat_persisted(),
            child_count: u32::try_from(node.child_count()).expect("nodes have 32-bit indices"),
            acl: node.acl().clone(),
            data_len: super::data_len(node.data()),
            content: node
                .kept_digest_prefix()
                .map_or(Content::Applied, Content::Prefix),
            counted: Some(node.digest()),
        }
    }
}

/// What a transaction makes of a path.
#[derive(Clone, Debug)]
struct Change {
    zxid: Zxid,
    path: Arc<str>,
    hash: PathHash,
    /// `None`: nothing.
    after: Option<Record>,
    /// The change of this path that was the latest until then.
    before: Option<Number>,
}

impl Change {
    fn is_of(&self, key: Key<'_>) -> bool {
        self.hash == key.hash && *self.path == *key.path
    }

    /// Computes what the node counts for in the tree's digest, if there is one that is not counted yet.
    fn count(&mut self, replica: &Replica) -> u32 {
        let uncounted = self.after.as_mut().filter(|it| it.counted.is_none());
        let Some(record) = uncounted else {
            return 0;
        };
        let digest = match &record.content {
            _ if !digest::counts(&self.path) => 0,
            Content::Data(data) if record.child_count == 0 => {
                digest::node(&self.path, data.as_deref(), &record.stat)
            }
            content => {
                let prefix = match content {
                    Content::Data(data) => digest::prefix(&self.path, data.as_deref()),
                    Content::Prefix(prefix) => *prefix,
                    Content::Applied => {
                        let node = replica.node_hashed(&self.path, self.hash);
                        digest::prefix(&self.path, node.and_then(|node| node.data()))
                    }
                };
                record.content = Content::Prefix(prefix);
                digest::after_prefix(prefix, &record.stat)
            }
        };
        record.counted = Some(digest);
        digest
    }
}

/// Changes are numbered in the order made.
type Number = u64;

/// See the module.
#[derive(Clone, Debug)]
pub(crate) struct Pending {
    changes: VecDeque<Change>,
    /// The number of the first.
    first: Number,
    /// The latest of each path. Its order means nothing.
    latest: HashTable<Number>,
    has_digest: bool,
    /// Of the tree after all of them, less what is uncounted.
    digest: i64,
    /// Changes whose node is still to be counted, when the transaction is complete. One is here twice whose
    /// node came, went and came again.
    uncounted: Vec<Number>,
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
            changes: VecDeque::new(),
            first: 0,
            latest: HashTable::new(),
            has_digest: replica.options().digest,
            digest: replica.digest(),
            uncounted: Vec::new(),
        }
    }

    /// Forgets what the replica has applied by now.
    pub(crate) fn forget_applied(&mut self, replica: &Replica) {
        let applied = replica.last_zxid();
        while let Some(change) = self.changes.front()
            && change.zxid <= applied
        {
            self.unlist(change.hash, self.first, None);
            self.changes.pop_front();
            self.first += 1;
        }
        if self.changes.is_empty() {
            self.digest = replica.digest();
        }
    }

    /// Where the change with this number is the latest, `before` is from now on.
    fn unlist(&mut self, hash: PathHash, number: Number, before: Option<Number>) {
        let latest = self.latest.find_entry(hash.spread(), |it| *it == number);
        if let Ok(mut latest) = latest {
            match before {
                Some(before) => *latest.get_mut() = before,
                None => drop(latest.remove()),
            }
        }
    }

    fn next_number(&self) -> Number {
        let len = u64::try_from(self.changes.len()).expect("a length fits 64 bits");
        self.first + len
    }

    fn latest(&self, key: Key<'_>) -> Option<&Change> {
        let change = |number: Number| &self.changes[index(number - self.first)];
        let is_it = |number: &Number| change(*number).is_of(key);
        let latest = self.latest.find(key.hash.spread(), is_it);
        latest.map(|number| change(*number))
    }

    /// The node at a path, as it will be.
    pub(super) fn record(&self, replica: &Replica, key: Key<'_>) -> Option<Record> {
        match self.latest(key) {
            Some(change) => change.after.clone(),
            None => {
                let node = replica.node_hashed(key.path, key.hash);
                node.as_ref().map(Record::of)
            }
        }
    }

    /// Whether there will be a node.
    pub(super) fn exists(&self, replica: &Replica, key: Key<'_>) -> bool {
        match self.latest(key) {
            Some(change) => change.after.is_some(),
            None => replica.node_hashed(key.path, key.hash).is_some(),
        }
    }

    /// Makes a node what `record` says, which is new or was got by [`Pending::record`] and changed.
    pub(super) fn put(&mut self, zxid: Zxid, key: Key<'_>, mut record: Record) {
        let counted = record.counted.take();
        let number = self.change(zxid, key, Some(record));
        if let Some(counted) = counted
            && self.has_digest
        {
            self.digest = self.digest.wrapping_sub(counted.into());
            self.uncounted.push(number);
        }
    }

    /// Takes a node away, which was got by [`Pending::record`].
    pub(super) fn remove(&mut self, zxid: Zxid, key: Key<'_>, record: &Record) {
        let counted = record.counted.unwrap_or_default();
        self.digest = self.digest.wrapping_sub(counted.into());
        self.change(zxid, key, None);
    }

    fn change(&mut self, zxid: Zxid, key: Key<'_>, after: Option<Record>) -> Number {
        let next = self.next_number();
        let Pending {
            changes,
            first,
            latest,
            ..
        } = self;
        let at = |number: Number| index(number - *first);
        let is_it = |number: &Number| changes[at(*number)].is_of(key);
        let spread = |number: &Number| changes[at(*number)].hash.spread();
        let (path, before) = match latest.entry(key.hash.spread(), is_it, spread) {
            Entry::Occupied(mut latest) => {
                let number = *latest.get();
                let there = &mut changes[at(number)];
                if there.zxid == zxid {
                    // As the parent of all that a multi creates.
                    there.after = after;
                    return number;
                }
                *latest.get_mut() = next;
                (Arc::clone(&there.path), Some(number))
            }
            Entry::Vacant(vacant) => {
                vacant.insert(next);
                (Arc::from(key.path), None)
            }
        };
        changes.push_back(Change {
            zxid,
            path,
            hash: key.hash,
            after,
            before,
        });
        next
    }

    /// Where one comes back to by [`Pending::roll_back`], if the transaction that is begun fails.
    pub(super) fn mark(&self) -> Mark {
        Mark {
            changes: self.changes.len(),
            digest: self.digest,
        }
    }

    /// Takes the changes since the mark back.
    pub(super) fn roll_back(&mut self, mark: Mark) {
        while self.changes.len() > mark.changes
            && let Some(Change { hash, before, .. }) = self.changes.pop_back()
        {
            let number = self.next_number();
            self.unlist(hash, number, before);
        }
        self.uncounted.clear();
        self.digest = mark.digest;
    }

    /// Nodes that are new or changed and that the session owns, in no order.
    pub(super) fn owned_by(&self, session: SessionId) -> impl Iterator<Item = &str> {
        let latest = self.latest.iter();
        let changes = latest.map(|number| &self.changes[index(number - self.first)]);
        let owned = changes.filter(move |change| {
            let record = change.after.as_ref();
            record.is_some_and(|record| record.stat.ephemeral_owner == session.0)
        });
        owned.map(|change| &*change.path)
    }

    /// The tree's digest after everything pending.
    pub(crate) fn digest(&mut self, replica: &Replica) -> TxnDigest {
        while let Some(number) = self.uncounted.pop() {
            let change = &mut self.changes[index(number - self.first)];
            let counted = change.count(replica);
            self.digest = self.digest.wrapping_add(counted.into());
        }
        TxnDigest {
            version: TxnDigest::VERSION,
            tree_digest: self.digest,
        }
    }
}

fn index(offset: u64) -> usize {
    usize::try_from(offset).expect("an offset among what is in memory")
}
