//! The leader's half of ZAB's broadcast phase (spec §6.7; Java `Leader.tryToCommit`).

use crate::QuorumVerifier;
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
    acked: Vec<(ServerId, Zxid)>,
    /// Everything up to here is durable at a quorum of every view.
    agreed: Zxid,
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
            acked: Vec::new(),
            agreed: last,
            last_proposed: last,
            last_committed: last,
        }
    }

    /// Takes the next zxid for a new proposal.
    pub fn propose(&mut self) -> Zxid {
        self.last_proposed = self.last_proposed.next();
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
        match self.acked.iter_mut().find(|(id, _)| *id == server) {
            Some((_, watermark)) => *watermark = upto.max(*watermark),
            None => self.acked.push((server, upto)),
        }
        // One that is behind the quorum changes nothing, and one that completes it nothing beyond itself.
        if upto > self.agreed {
            self.agreed = if self.is_agreed(upto) {
                upto
            } else {
                self.agreed_now().max(self.agreed)
            };
        }
    }

    /// Whether a quorum of every view has reached this.
    fn is_agreed(&self, zxid: Zxid) -> bool {
        let has = |id| {
            let mut acked = self.acked.iter();
            acked.any(|(server, upto)| *server == id && *upto >= zxid)
        };
        self.views.iter().all(|view| view.is_quorum(has))
    }

    /// The newest watermark that a quorum of every view has reached.
    fn agreed_now(&self) -> Zxid {
        let watermarks = self.acked.iter().map(|(_, upto)| *upto);
        let agreed = watermarks.filter(|upto| *upto > self.last_committed && self.is_agreed(*upto));
        agreed.max().unwrap_or(self.last_committed)
    }

    /// Takes back what `server` has acknowledged: from here on it may be told to cut it off.
    pub fn forget(&mut self, server: ServerId) {
        self.acked.retain(|(id, _)| *id != server);
        self.agreed = self.agreed_now();
    }

    /// The next proposal that has become committed, in zxid order.
    pub fn next_committed(&mut self) -> Option<Zxid> {
        let zxid = self.last_committed.next();
        if zxid > self.agreed {
            return None;
        }
        self.last_committed = zxid;
        Some(zxid)
    }

    /// The newest zxid that a quorum has acknowledged.
    #[must_use]
    pub fn agreed(&self) -> Zxid {
        self.agreed
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
        let outstanding = self.last_proposed.0 - self.last_committed.0;
        usize::try_from(outstanding).expect("what is committed was proposed")
    }
}

#[cfg(test)]
mod tests;
