//! Who should lead: FastLeaderElection as a value (spec §5.3, §5.4; Java `FastLeaderElection`).
//!
//! Owns the round, the votes of the round and what to tell whom. It never decides who *does* lead:
//! that takes a quorum's promise of an epoch on the quorum port, so a wrong guess here costs time and
//! nothing else. Messages may be lost, repeated, late and out of order.
//!
//! What differs from Java, and why it is safe: `docs/internals/election.md`.

use crate::{EnsembleSettings, Membership, Vote};
use alloc::collections::BTreeSet;
use alloc::vec::Vec;
use looking::{Looking, Setting};
use zooid_proto::election::{Notification, PeerState};
use zooid_proto::{Epoch, ServerId, Zxid};

mod looking;

/// What an [`Election`] wants done.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum ElectionAction {
    /// Tell somebody; a newer notification for the same server replaces one that has not left.
    Send {
        /// Whom.
        to: ServerId,
        /// What.
        notification: Notification,
    },
    /// The search is over, and [`Election::state`] tells this server's part.
    Decided(Vote),
    /// A voter that still looks has a better vote than the one with which this server has decided to
    /// lead. If no quorum has joined it, none may: look again.
    Outdone(ServerId),
}

/// One server's part in the elections of its ensemble, for the server's whole life.
#[derive(Clone, Debug)]
pub struct Election {
    observer: bool,
    standpoint: Standpoint,
    phase: Phase,
}

/// What a server knows apart from any search.
#[derive(Clone, Debug)]
struct Standpoint {
    me: ServerId,
    wait_ms_min: i64,
    wait_ms_max: i64,
    /// Voters that are known to be out of reach, and cannot send a better vote therefore.
    absent: BTreeSet<ServerId>,
    /// Whether another had better lead.
    is_reluctant: bool,
}

impl Standpoint {
    fn setting<'m>(&'m self, now_ms: i64, membership: &'m Membership) -> Setting<'m> {
        Setting {
            me: self.me,
            wait_ms_min: self.wait_ms_min,
            wait_ms_max: self.wait_ms_max,
            absent: &self.absent,
            is_reluctant: self.is_reluctant,
            now_ms,
            membership,
        }
    }
}

#[derive(Clone, Debug)]
enum Phase {
    /// Neither looking nor part of an ensemble: nobody is told anything.
    Idle {
        /// The round that is over.
        round: i64,
    },
    Looking(Looking),
    Settled {
        vote: Vote,
        state: PeerState,
        /// Whether the leader's epoch has begun.
        is_established: bool,
    },
}

impl Election {
    /// A server that does not look for a leader yet.
    #[must_use]
    pub fn new(settings: &EnsembleSettings, observer: bool) -> Election {
        Election {
            observer,
            standpoint: Standpoint {
                me: settings.me,
                wait_ms_min: settings.notification_ms_min,
                wait_ms_max: settings.notification_ms_max,
                absent: BTreeSet::new(),
                is_reluctant: false,
            },
            phase: Phase::Idle { round: 0 },
        }
    }

    /// Whether this server had better not lead. From its next search on it lets others go first: for a
    /// moment it keeps its candidacy to itself, and supports any other that has as long a history. What
    /// it says is true, and to the others it is a server that comes a little late.
    pub fn set_reluctant(&mut self, is_reluctant: bool) {
        self.standpoint.is_reluctant = is_reluctant;
    }

    /// LOOKING begins: a new round, and this server is its own candidate with the durable zxid `last`
    /// of `epoch` (obligation 4). A zxid of -1 is an untrusted empty database, which has no vote.
    pub fn start(
        &mut self,
        now_ms: i64,
        membership: &Membership,
        last: Zxid,
        epoch: Epoch,
        out: &mut Vec<ElectionAction>,
    ) {
        let me = self.standpoint.me;
        let is_voter = membership.committed.voters.contains(&me);
        let (zxid, peer_epoch) = if self.observer {
            (Zxid(i64::MIN), Epoch(i64::MIN))
        } else {
            (last, epoch)
        };
        let own = Vote {
            leader: if is_voter { me } else { NOBODY },
            zxid,
            round: self.round().wrapping_add(1),
            peer_epoch,
        };
        let setting = self.standpoint.setting(now_ms, membership);
        let (looking, decided) = Looking::begin(&setting, own, out);
        self.phase = Phase::Looking(looking);
        self.settle(membership, decided, out);
    }

    /// The server has lost its role and will look for a leader later: until then there is nothing that
    /// it could tell.
    pub fn leave(&mut self) {
        self.phase = Phase::Idle {
            round: self.round(),
        };
    }

    /// A notification came.
    pub fn receive(
        &mut self,
        now_ms: i64,
        membership: &Membership,
        from: ServerId,
        n: &Notification,
        out: &mut Vec<ElectionAction>,
    ) {
        // Somebody else calls itself by this server's id.
        if from == self.standpoint.me {
            return;
        }
        self.reachable(from);
        let setting = self.standpoint.setting(now_ms, membership);
        let decided = match &mut self.phase {
            Phase::Idle { .. } => None,
            Phase::Looking(looking) => looking.receive(&setting, from, n, out),
            Phase::Settled {
                vote,
                state,
                is_established,
            } => {
                if n.state == PeerState::Looking {
                    out.push(tell(membership, from, *state, vote));
                    let leads = *state == PeerState::Leading && !*is_established;
                    if leads && is_outdone(membership, vote, from, n) {
                        out.push(ElectionAction::Outdone(from));
                    }
                }
                None
            }
        };
        self.settle(membership, decided, out);
    }

    /// A server is known to be out of reach: nothing that comes of it now could be waited for. If that is
    /// wrong it costs time, like everything here.
    pub fn unreachable(
        &mut self,
        now_ms: i64,
        membership: &Membership,
        id: ServerId,
        out: &mut Vec<ElectionAction>,
    ) {
        if id == self.standpoint.me || !membership.is_voter(id) {
            return;
        }
        self.standpoint.absent.insert(id);
        let setting = self.standpoint.setting(now_ms, membership);
        let Phase::Looking(looking) = &mut self.phase else {
            return;
        };
        let decided = looking.count(&setting);
        self.settle(membership, decided, out);
    }

    /// A server can be reached again, or at least be waited for.
    pub fn reachable(&mut self, id: ServerId) {
        self.standpoint.absent.remove(&id);
    }

    /// Time has passed.
    pub fn timer(&mut self, now_ms: i64, membership: &Membership, out: &mut Vec<ElectionAction>) {
        let setting = self.standpoint.setting(now_ms, membership);
        let Phase::Looking(looking) = &mut self.phase else {
            return;
        };
        let decided = looking.timer(&setting, out);
        self.settle(membership, decided, out);
    }

    /// When [`Election::timer`] must come at the latest.
    #[must_use]
    pub fn next_wakeup_ms(&self) -> Option<i64> {
        match &self.phase {
            Phase::Looking(looking) => Some(looking.next_wakeup_ms()),
            Phase::Idle { .. } | Phase::Settled { .. } => None,
        }
    }

    /// What this server is doing; looking, too, before it has begun to.
    #[must_use]
    pub fn state(&self) -> PeerState {
        match self.phase {
            Phase::Idle { .. } | Phase::Looking(_) => PeerState::Looking,
            Phase::Settled { state, .. } => state,
        }
    }

    /// This server's vote: its proposal while it looks, and then what was decided.
    #[must_use]
    pub fn vote(&self) -> Vote {
        match &self.phase {
            Phase::Idle { round } => Vote {
                leader: NOBODY,
                zxid: Zxid::NONE,
                round: *round,
                peer_epoch: Epoch(-1),
            },
            Phase::Looking(looking) => looking.proposal(),
            Phase::Settled { vote, .. } => *vote,
        }
    }

    /// This server's round of elections (Java: logical clock).
    #[must_use]
    pub fn round(&self) -> i64 {
        self.vote().round
    }

    /// Synchronised with the leader of `epoch`: from now on, everyone in the ensemble tells late
    /// joiners the same (Java `updateElectionVote`; ZOOKEEPER-1732).
    pub fn set_vote_epoch(&mut self, epoch: Epoch) {
        if let Phase::Settled {
            vote,
            is_established,
            ..
        } = &mut self.phase
        {
            vote.peer_epoch = epoch;
            *is_established = true;
        }
    }

    /// Takes the part that follows from what was decided, if it was.
    fn settle(
        &mut self,
        membership: &Membership,
        decided: Option<Vote>,
        out: &mut Vec<ElectionAction>,
    ) {
        let (Some(vote), Phase::Looking(looking)) = (decided, &self.phase) else {
            return;
        };
        let state = if vote.leader == self.standpoint.me {
            PeerState::Leading
        } else if self.observer {
            PeerState::Observing
        } else {
            PeerState::Following
        };
        out.push(ElectionAction::Decided(vote));
        for guest in looking.guests() {
            out.push(tell(membership, guest, state, &vote));
        }
        self.phase = Phase::Settled {
            vote,
            state,
            is_established: false,
        };
    }
}

/// Whether somebody in the round of a decision, or in a later one, votes for a better leader.
fn is_outdone(membership: &Membership, decided: &Vote, from: ServerId, n: &Notification) -> bool {
    let theirs = Vote::of(n);
    let counts = [from, theirs.leader].map(|id| membership.is_voter(id));
    counts == [true, true]
        && theirs.round >= decided.round
        && theirs.is_better_than(decided, membership)
}

fn tell(membership: &Membership, to: ServerId, state: PeerState, vote: &Vote) -> ElectionAction {
    ElectionAction::Send {
        to,
        notification: Notification {
            state,
            leader: vote.leader,
            zxid: vote.zxid,
            round: vote.round,
            peer_epoch: vote.peer_epoch,
            version: Notification::VERSION,
            config: Some(membership.committed.text.clone()),
        },
    }
}

/// Whom a server without a vote proposes.
const NOBODY: ServerId = ServerId(i64::MIN);

#[cfg(test)]
mod tests;
