//! The tree as it will be: changes proposed and not yet applied, over the replica
//! (Java `outstandingChanges`, `outstandingChangesForPath`).

use foldhash::fast::FixedState;
use hashbrown::HashMap;
use std::collections::VecDeque;
use std::sync::Arc;
use zooid_proto::{Acl, SessionId, StatPersisted, TxnDigest, Zxid};
use zooid_tree::{NodeRef, Replica, digest};

/// What a check needs to know of a node.
#[derive(Clone, Debug)]
pub(crate) struct Record {
    pub(crate) stat: StatPersisted,
    pub(crate) child_count: u32,
    pub(crate) acl: Arc<[Acl]>,
    pub(crate) data_len: i64,
    /// State of the digest's checksum after path and data.
    digest_prefix: u32,
}

impl Record {
    pub(super) fn new(path: &str, data: Option<&[u8]>, stat: StatPersisted, acl: &[Acl]) -> Record {
        Record {
            stat,
            child_count: 0,
            acl: Arc::from(acl),
            data_len: super::data_len(data),
            digest_prefix: digest::prefix(path, data),
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
            acl: Arc::clone(node.acl()),
            data_len: super::data_len(node.data()),
            digest_prefix: node.digest_prefix(),
        }
    }

    fn digest(&self) -> i64 {
        i64::from(digest::node(self.digest_prefix, &self.stat))
    }
}

/// What will be at a path.
#[derive(Clone, Debug)]
pub(crate) enum Change {
    Is(Record),
    Gone,
}

/// A change, and the transaction that made it.
type Dated = (Zxid, Change);

/// See the module.
#[derive(Clone, Debug)]
pub(crate) struct Pending {
    /// Never iterated: its order means nothing.
    latest: HashMap<Arc<str>, Dated, FixedState>,
    /// Every change in the order made, for forgetting.
    order: VecDeque<(Zxid, Arc<str>)>,
    /// What the changes since the last mark replaced, for taking them back.
    replaced: Vec<(Arc<str>, Option<Dated>)>,
    marked: bool,
    digest: i64,
}

/// Where to roll back to.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Mark {
    changes: usize,
    digest: i64,
}

impl Pending {
    pub(crate) fn new(replica: &Replica) -> Pending {
        Pending {
            latest: HashMap::with_hasher(FixedState::default()),
            order: VecDeque::new(),
            replaced: Vec::new(),
            marked: false,
            digest: replica.digest(),
        }
    }

    /// Forgets what the replica has applied by now.
    pub(crate) fn forget_applied(&mut self, replica: &Replica) {
        let applied = replica.last_zxid();
        while self.order.front().is_some_and(|(zxid, _)| *zxid <= applied) {
            let Some((zxid, path)) = self.order.pop_front() else {
                break;
            };
            if self
                .latest
                .get(&path)
                .is_some_and(|(latest, _)| *latest == zxid)
            {
                self.latest.remove(&path);
            }
        }
        if self.order.is_empty() {
            self.digest = replica.digest();
        }
    }

    /// The node at a path, as it will be.
    pub(crate) fn record(&self, replica: &Replica, path: &str) -> Option<Record> {
        match self.latest.get(key(path)) {
            Some((_, Change::Is(record))) => Some(record.clone()),
            Some((_, Change::Gone)) => None,
            None => replica.node(path).as_ref().map(Record::of),
        }
    }

    /// Makes a change.
    pub(crate) fn put(&mut self, replica: &Replica, zxid: Zxid, path: &str, change: Change) {
        if digest::counts(path) {
            let before = self
                .record(replica, path)
                .map_or(0, |record| record.digest());
            let after = match &change {
                Change::Is(record) => record.digest(),
                Change::Gone => 0,
            };
            self.digest = self.digest.wrapping_sub(before).wrapping_add(after);
        }
        let path: Arc<str> = Arc::from(key(path));
        self.order.push_back((zxid, Arc::clone(&path)));
        let replaced = self.latest.insert(Arc::clone(&path), (zxid, change));
        if self.marked {
            self.replaced.push((path, replaced));
        }
    }

    /// Starts remembering how to come back here.
    pub(crate) fn mark(&mut self) -> Mark {
        self.marked = true;
        Mark {
            changes: self.order.len(),
            digest: self.digest,
        }
    }

    /// Makes the changes since the mark final.
    pub(crate) fn keep(&mut self) {
        self.marked = false;
        self.replaced.clear();
    }

    /// Takes the changes since the mark back.
    pub(crate) fn roll_back(&mut self, mark: Mark) {
        while let Some((path, replaced)) = self.replaced.pop() {
            match replaced {
                Some(change) => self.latest.insert(path, change),
                None => self.latest.remove(&path),
            };
        }
        self.order.truncate(mark.changes);
        self.digest = mark.digest;
        self.marked = false;
    }

    /// Nodes that are new or changed and that the session owns; one as often as it is changed.
    pub(crate) fn owned_by(&self, session: SessionId) -> impl Iterator<Item = &str> {
        let changed = self.order.iter().map(|(_, path)| path);
        let owned = changed.filter(move |path| match self.latest.get(*path) {
            Some((_, Change::Is(record))) => record.stat.ephemeral_owner == session.0,
            _ => false,
        });
        owned.map(AsRef::as_ref)
    }

    /// The tree's digest after everything pending.
    pub(crate) fn digest(&self) -> TxnDigest {
        TxnDigest {
            version: TxnDigest::VERSION,
            tree_digest: self.digest,
        }
    }
}

/// The root has two names.
fn key(path: &str) -> &str {
    if path == "/" { "" } else { path }
}
