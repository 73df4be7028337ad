//! What an operator may know about a leader.

use super::peer::{Peer, Role};
use super::{Leader, Phase};
use crate::LinkId;
use alloc::vec::Vec;
use zooid_proto::{ServerId, Zxid};

/// How far a reign has come (Java `QuorumPeer.ZabState`).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum LeaderPhase {
    /// A quorum must promise itself to the epoch.
    Discovery,
    /// A quorum must hold the epoch's initial history.
    Synchronization,
    /// Transactions are being agreed on.
    Broadcast,
}

/// One learner.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct LearnerStatus {
    /// Its connection.
    pub link: LinkId,
    /// Who it is; negative when it did not say.
    pub id: ServerId,
    /// Whether it came as an observer.
    pub is_observer: bool,
    /// Whether its vote counts.
    pub is_voter: bool,
    /// Whether live transactions are forwarded to it.
    pub is_forwarding: bool,
    /// Whether it may serve clients.
    pub is_active: bool,
}

/// A leader at one moment.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct LeaderStatus {
    /// How far the reign has come.
    pub phase: LeaderPhase,
    /// Everyone that has introduced itself, by link.
    pub learners: Vec<LearnerStatus>,
    /// The newest proposal.
    pub last_proposed: Zxid,
    /// The newest commit.
    pub last_committed: Zxid,
    /// Proposals in flight.
    pub outstanding: usize,
    /// sync()s of learners' clients that wait for a commit.
    pub pending_syncs: usize,
}

impl LeaderStatus {
    /// `zk_learners`.
    #[must_use]
    pub fn learner_count(&self) -> usize {
        self.learners.len()
    }

    /// `zk_synced_followers`: followers, with a vote or without, that live transactions go to.
    #[must_use]
    pub fn synced_followers(&self) -> usize {
        self.count(|learner| learner.is_forwarding && !learner.is_observer)
    }

    /// `zk_synced_non_voting_followers`.
    #[must_use]
    pub fn synced_non_voting_followers(&self) -> usize {
        self.count(|learner| learner.is_forwarding && !learner.is_observer && !learner.is_voter)
    }

    /// `zk_synced_observers`.
    #[must_use]
    pub fn synced_observers(&self) -> usize {
        self.count(|learner| learner.is_forwarding && learner.is_observer)
    }

    fn count(&self, is_one: impl Fn(&LearnerStatus) -> bool) -> usize {
        self.learners
            .iter()
            .filter(|learner| is_one(learner))
            .count()
    }
}

impl Leader {
    /// The leader at this moment.
    #[must_use]
    pub fn status(&self) -> LeaderStatus {
        LeaderStatus {
            phase: self.phase.name(),
            learners: self
                .peers
                .iter()
                .map(|(link, peer)| peer.status(*link))
                .collect(),
            last_proposed: self.last_proposed(),
            last_committed: self.last_committed(),
            outstanding: self.outstanding(),
            pending_syncs: self.reign().map_or(0, |reign| reign.pending_syncs()),
        }
    }
}

impl Phase {
    fn name(&self) -> LeaderPhase {
        match self {
            Phase::Gathering { .. } | Phase::Accepting { .. } | Phase::Electing { .. } => {
                LeaderPhase::Discovery
            }
            Phase::Synchronizing { .. } => LeaderPhase::Synchronization,
            Phase::Broadcasting(_) | Phase::Resigned => LeaderPhase::Broadcast,
        }
    }
}

impl Peer {
    fn status(&self, link: LinkId) -> LearnerStatus {
        LearnerStatus {
            link,
            id: self.id,
            is_observer: self.role == Role::Observer,
            is_voter: self.role == Role::Voter,
            is_forwarding: self.is_forwarding(),
            is_active: self.is_active(),
        }
    }
}
