//! Votes and how they are compared and counted (spec §5.4; Java `Vote`,
//! `FastLeaderElection.totalOrderPredicate`, `SyncedLearnerTracker`).

use crate::Membership;
use alloc::collections::{BTreeMap, BTreeSet};
use zooid_proto::election::{Notification, PeerState};
use zooid_proto::{Epoch, ServerId, Zxid};

/// Who should lead, in whose round of elections.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Vote {
    /// The leader.
    pub leader: ServerId,
    /// The end of its history.
    pub zxid: Zxid,
    /// The voter's round.
    pub round: i64,
    /// The epoch of its history; after synchronisation, the new one.
    pub peer_epoch: Epoch,
}

impl Vote {
    pub(crate) fn of(n: &Notification) -> Vote {
        Vote {
            leader: n.leader,
            zxid: n.zxid,
            round: n.round,
            peer_epoch: n.peer_epoch,
        }
    }

    /// Whether its leader has the longer history, or at the same length the higher id. Who has no
    /// weight cannot lead. (In Java a server without weight never gives up its own candidacy, which
    /// nobody supports.) Rounds do not matter here.
    pub(crate) fn is_better_than(&self, other: &Vote, membership: &Membership) -> bool {
        let rank = |vote: &Vote| (vote.peer_epoch, vote.zxid, vote.leader);
        self.can_lead(membership) && (!other.can_lead(membership) || rank(self) > rank(other))
    }

    /// Whether its leader can lead whoever has the other's history.
    pub(crate) fn covers(&self, other: &Vote, membership: &Membership) -> bool {
        let history = |vote: &Vote| (vote.peer_epoch, vote.zxid);
        self.can_lead(membership) && history(self) >= history(other)
    }

    fn can_lead(&self, membership: &Membership) -> bool {
        membership.committed.verifier.weight(self.leader) != 0
    }
}

/// A vote as it came from somebody.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Ballot {
    pub(crate) vote: Vote,
    pub(crate) state: PeerState,
    /// Of the notification.
    pub(crate) version: i32,
}

impl Ballot {
    /// Somebody looks for a leader.
    pub(crate) fn looking(vote: Vote) -> Ballot {
        Ballot {
            vote,
            state: PeerState::Looking,
            version: 0,
        }
    }

    pub(crate) fn of(n: &Notification) -> Ballot {
        Ballot {
            vote: Vote::of(n),
            state: n.state,
            version: n.version,
        }
    }

    /// Whether both speak for the same leader of the same reign. What servers outside of an election
    /// tell about zxid and round may differ (ZOOKEEPER-1805), and if only one of them is from before
    /// ZOOKEEPER-1732, so may the epoch.
    fn agrees_with(&self, other: &Ballot) -> bool {
        let (mine, theirs) = (&self.vote, &other.vote);
        if self.state == PeerState::Looking || other.state == PeerState::Looking {
            mine == theirs
        } else if (self.version > 0) == (other.version > 0) {
            (mine.leader, mine.peer_epoch) == (theirs.leader, theirs.peer_epoch)
        } else {
            mine.leader == theirs.leader
        }
    }
}

/// The newest ballot of each voter.
#[derive(Clone, Debug, Default)]
pub(crate) struct Ballots(BTreeMap<ServerId, Ballot>);

impl Ballots {
    pub(crate) fn cast(&mut self, from: ServerId, ballot: Ballot) {
        self.0.insert(from, ballot);
    }

    pub(crate) fn clear(&mut self) {
        self.0.clear();
    }

    fn agrees(&self, voter: ServerId, with: &Ballot) -> bool {
        let cast = self.0.get(&voter);
        cast.is_some_and(|cast| with.agrees_with(cast))
    }

    /// Whether those who agree with a ballot can decide in every view.
    pub(crate) fn quorum_agrees(&self, membership: &Membership, with: &Ballot) -> bool {
        membership.is_quorum(|voter| self.agrees(voter, with))
    }

    /// Whether there is nobody left who could vote otherwise. Those who are absent cannot.
    pub(crate) fn everyone_agrees(
        &self,
        membership: &Membership,
        absent: &BTreeSet<ServerId>,
        with: &Ballot,
    ) -> bool {
        let mut voters = membership.voters().into_iter();
        voters.all(|voter| absent.contains(&voter) || self.agrees(voter, with))
    }

    /// Whether a server says itself that it leads. Without that, those who still follow a dead leader
    /// would elect it for ever (Java `checkLeader`).
    pub(crate) fn is_leading(&self, leader: ServerId) -> bool {
        let cast = self.0.get(&leader);
        cast.is_some_and(|cast| cast.state == PeerState::Leading)
    }
}

#[cfg(test)]
mod tests;
