//! The leader's half of ZAB's broadcast phase (spec §6.7; Java `Leader.tryToCommit`).

use crate::QuorumVerifier;
use alloc::collections::{BTreeMap, VecDeque};
use alloc::vec::Vec;
use zooid_proto::{ServerId, Zxid};

/// Proposals in flight and what has been acknowledged.
///
/// A server's acknowledgements come in log order, so one watermark per server says everything; a
/// proposal commits when, in every active quorum view, the servers whose watermark has reached it
/// form a quorum. Watermarks only grow, hence commits leave in zxid order.
#[derive(Clone, Debug)]
pub struct Broadcast {
    views: Vec<QuorumVerifier>,
    acked: BTreeMap<ServerId, Zxid>,
    outstanding: VecDeque<Zxid>,
    last_proposed: Zxid,
    last_committed: Zxid,
}

impl Broadcast {
    /// Starts after `last`, everything up to which is committed.
    #[must_use]
    pub fn new(views: Vec<QuorumVerifier>, last: Zxid) -> Broadcast {
        assert!(
            !views.is_empty(),
            "without a quorum view everything would commit"
        );
        Broadcast {
            views,
            acked: BTreeMap::new(),
            outstanding: VecDeque::new(),
            last_proposed: last,
            last_committed: last,
        }
    }

    /// Takes the next zxid for a new proposal.
    pub fn propose(&mut self) -> Zxid {
        self.last_proposed = self.last_proposed.next();
        self.outstanding.push_back(self.last_proposed);
        self.last_proposed
    }

    /// Records that everything up to `upto` is durable at `server`.
    ///
    /// # Panics
    /// If it acknowledges what was never proposed: a confused replica stops.
    pub fn ack(&mut self, server: ServerId, upto: Zxid) {
        assert!(
            upto <= self.last_proposed,
            "{server} acknowledged {upto}, never proposed"
        );
        let watermark = self.acked.entry(server).or_insert(upto);
        *watermark = upto.max(*watermark);
    }

    /// Takes back what `server` has acknowledged: from here on it may be told to cut it off.
    pub fn forget(&mut self, server: ServerId) {
        self.acked.remove(&server);
    }

    /// The next proposal that has become committed, in zxid order.
    pub fn next_committed(&mut self) -> Option<Zxid> {
        let zxid = *self.outstanding.front()?;
        let acked = |id: ServerId| self.acked.get(&id).is_some_and(|upto| *upto >= zxid);
        if !self.views.iter().all(|view| view.is_quorum(acked)) {
            return None;
        }
        self.outstanding.pop_front();
        self.last_committed = zxid;
        Some(zxid)
    }

    /// The newest zxid handed out.
    #[must_use]
    pub fn last_proposed(&self) -> Zxid {
        self.last_proposed
    }

    /// The newest zxid that [`Broadcast::next_committed`] has returned.
    #[must_use]
    pub fn last_committed(&self) -> Zxid {
        self.last_committed
    }

    /// Proposals in flight.
    #[must_use]
    pub fn outstanding(&self) -> usize {
        self.outstanding.len()
    }
}

#[cfg(test)]
mod tests;
