//! One learner as its leader sees it (Java `LearnerHandler`).

use super::confirmation::Round;
use super::sync::SyncKind;
use zooid_proto::{ServerId, Zxid};

/// What a learner is good for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Role {
    /// A follower whose acknowledgements count.
    Voter,
    /// A follower that is in no configuration, perhaps about to join: it gets proposals, and what it
    /// acknowledges does not count.
    NonVoting,
    /// It hears of commits only.
    Observer,
}

/// How far a learner has come.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Stage {
    /// It has said who it is, and waits for the epoch.
    Introduced,
    /// LEADERINFO is sent.
    EpochSent,
    /// It has promised itself to the epoch and waits for the others.
    EpochAcked {
        /// The end of its history.
        last: Zxid,
    },
    /// The log is being searched for the end of its history.
    Probing {
        /// The end of its history.
        last: Zxid,
    },
    /// Everything up to NEWLEADER is sent, and live transactions follow.
    Syncing {
        /// What it costs.
        kind: SyncKind,
        /// Proposals that it has acknowledged before NEWLEADER, as followers up to 3.8.4 do. They count
        /// once it has acknowledged that (ZOOKEEPER-4685).
        early: Option<Zxid>,
    },
    /// It holds the epoch's initial history, which is not yet known of a quorum.
    NewLeaderAcked,
    /// UPTODATE is sent.
    Active,
}

/// A learner that has introduced itself.
#[derive(Clone, Debug)]
pub(super) struct Peer {
    pub(super) id: ServerId,
    pub(super) role: Role,
    pub(super) stage: Stage,
    /// When it last did its part, be it that it had nothing to do until now.
    pub(super) heard_ms: i64,
    /// The last tick in which it counts as being there without another word from it
    /// (Java `tickOfNextAckDeadline`).
    pub(super) tick_deadline: i64,
    pub(super) unacknowledged: Unacknowledged,
    /// The newest round that it has answered.
    pub(super) confirmed: Round,
}

impl Peer {
    /// Whether live transactions go to it.
    pub(super) fn is_forwarding(&self) -> bool {
        match self.stage {
            Stage::Introduced
            | Stage::EpochSent
            | Stage::EpochAcked { .. }
            | Stage::Probing { .. } => false,
            Stage::Syncing { .. } | Stage::NewLeaderAcked | Stage::Active => true,
        }
    }

    /// Whether it may serve clients.
    pub(super) fn is_active(&self) -> bool {
        self.stage == Stage::Active
    }

    /// Whether proposals go to it.
    pub(super) fn takes_proposals(&self) -> bool {
        self.is_forwarding() && self.role != Role::Observer
    }

    /// Whether it hears of proposals when they are committed.
    pub(super) fn is_informed(&self) -> bool {
        self.is_forwarding() && self.role == Role::Observer
    }

    /// Whether it stands for a quorum's part in the epoch's initial history.
    pub(super) fn holds_initial_history(&self) -> bool {
        let has_acked = matches!(self.stage, Stage::NewLeaderAcked | Stage::Active);
        has_acked && self.role == Role::Voter
    }

    /// Goes on to a stage in which it is the learner's turn.
    pub(super) fn turn_to(&mut self, now_ms: i64, stage: Stage) {
        self.stage = stage;
        self.heard_ms = now_ms;
    }
}

/// How long a follower has owed the acknowledgement of a proposal (Java
/// `LearnerHandler.SyncLimitCheck`). It looks at one proposal at a time, and when that is
/// acknowledged goes on with the newest: enough to notice a disk that hangs behind a network that
/// does not.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) struct Unacknowledged {
    watched: Option<(Zxid, i64)>,
    newest: Option<(Zxid, i64)>,
}

impl Unacknowledged {
    pub(super) fn proposed(&mut self, now_ms: i64, zxid: Zxid) {
        let slot = match self.watched {
            None => &mut self.watched,
            Some(_) => &mut self.newest,
        };
        *slot = Some((zxid, now_ms));
    }

    pub(super) fn acknowledged(&mut self, upto: Zxid) {
        let is_open = |(zxid, _): &(Zxid, i64)| *zxid > upto;
        if self.watched.as_ref().is_some_and(is_open) {
            return;
        }
        self.watched = self.newest.take().filter(is_open);
    }

    /// Whether an acknowledgement is overdue.
    pub(super) fn is_overdue(&self, now_ms: i64, limit_ms: i64) -> bool {
        self.watched
            .is_some_and(|(_, since_ms)| now_ms.saturating_sub(since_ms) >= limit_ms)
    }
}
