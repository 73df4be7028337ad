//! A server's transactions in order, with what the tree is like after each.

use bytes::Bytes;
use std::sync::Arc;
use zooid_proto::{TxnRecord, Zxid};
use zooid_tree::Replica;

#[derive(Clone, Debug)]
pub(super) struct Entry {
    pub(super) zxid: Zxid,
    /// Of the tree after it.
    pub(super) digest: i64,
    record: Bytes,
}

/// From the empty tree on.
#[derive(Clone, Debug, Default)]
pub(super) struct History(Vec<Entry>);

impl History {
    pub(super) fn push(&mut self, zxid: Zxid, digest: i64, record: Bytes) {
        self.0.push(Entry {
            zxid,
            digest,
            record,
        });
    }

    pub(super) fn len(&self) -> usize {
        self.0.len()
    }

    pub(super) fn last(&self) -> Zxid {
        self.0.last().map_or(Zxid::ZERO, |entry| entry.zxid)
    }

    /// The zxid of the transaction that `count` are behind.
    pub(super) fn zxid_before_last(&self, count: usize) -> Zxid {
        let at = self.0.len().checked_sub(count + 1);
        at.map_or(Zxid::ZERO, |at| self.0[at].zxid)
    }

    pub(super) fn cut(&mut self, last: Zxid) {
        self.0.retain(|entry| entry.zxid <= last);
    }

    /// What the tree is like after a transaction, if the history has it.
    pub(super) fn digest_at(&self, zxid: Zxid) -> Option<i64> {
        if zxid == Zxid::ZERO {
            return Some(Replica::new(super::place::TREE).digest());
        }
        let at = self.0.binary_search_by_key(&zxid, |entry| entry.zxid);
        at.ok().map(|at| self.0[at].digest)
    }

    /// The tree at its end.
    pub(super) fn replay(&self) -> Replica {
        let mut replica = Replica::new(super::place::TREE);
        for entry in &self.0 {
            let txn = TxnRecord::decode(&entry.record).expect("what was encoded");
            replica.replay(&txn.header, &txn.txn, txn.digest.as_ref());
        }
        replica
    }

    pub(super) fn shared(&self) -> Arc<History> {
        Arc::new(self.clone())
    }
}
