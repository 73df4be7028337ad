//! Proof that this server leads still, for those who ask with sync() (ZOOKEEPER-1675).
//!
//! A leader that was stopped, or is cut off, does not know that others have gone on without it. What it
//! answers to a sync() must not be older than what they have answered before the sync() came. So an
//! answer waits until a quorum has said something to a PING that was sent *after* the sync() came: each
//! of them followed at that moment, hence no later epoch had a quorum before it.
//!
//! A proposal made after the sync() came proves the same when it commits. The sync() is then answered
//! before that commit is told, because a session gets its answers in the order of its requests, also
//! at a learner of ZooKeeper's (`CommitProcessor`). An older proposal proves nothing: its
//! acknowledgements may have been on their way while those who sent them went over to another leader.
//!
//! A round of such PINGs is one for all who ask before it starts; who asks later waits for the next. A
//! PING is answered with its own zxid (Java `Learner.ping`, in all releases), and nobody looks at that of
//! a PING otherwise, so a round puts its number there, as a negative zxid. No counting of answers is
//! needed, which a learner that is not up to date does not give.

use super::peer::Peer;
use super::{Leader, LeaderAction};
use crate::LinkId;
use alloc::format;
use alloc::string::String;
use alloc::vec::Vec;
use zooid_proto::{PacketType, QuorumPacket, Zxid, mutant};

/// A round of PINGs that ask whether this server leads still. They are numbered from 1 in each reign.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord)]
pub struct Round(i64);

impl Round {
    pub(super) fn next(self) -> Round {
        Round(self.0 + 1)
    }

    /// What its PINGs carry. Beats carry zxids, which are never negative.
    pub(super) fn token(self) -> Zxid {
        Zxid(i64::MIN + self.0)
    }

    pub(super) fn from_token(zxid: Zxid) -> Option<Round> {
        (zxid < Zxid::NONE).then(|| Round(zxid.0.wrapping_sub(i64::MIN)))
    }
}

/// How far the rounds are.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Confirmation {
    /// The newest that has begun, and the newest that a quorum has answered; others are given up.
    begun: Round,
    confirmed: Round,
    /// Somebody has asked since the one under way began.
    is_wanted: bool,
}

impl Confirmation {
    /// The newest round of which there is proof.
    pub(super) fn confirmed(&self) -> Round {
        if mutant!(Zk1675) {
            return Round(i64::MAX);
        }
        self.confirmed
    }

    fn is_under_way(&self) -> bool {
        self.begun > self.confirmed
    }
}

impl Leader {
    /// Asks the quorum whether this server leads still. It does when [`Leader::confirmed`] has reached
    /// the round returned; [`LeaderAction::Confirmed`] says that this has gone on.
    pub fn confirm(&mut self, out: &mut Vec<LeaderAction>) -> Round {
        let Some(reign) = self.reign_mut() else {
            // Nobody is served before the reign begins, or after it.
            return Round(i64::MAX);
        };
        let confirmation = &mut reign.confirmation;
        if confirmation.is_under_way() {
            confirmation.is_wanted = true;
            return confirmation.begun.next();
        }
        let round = confirmation.begun.next();
        self.begin_round(out);
        round
    }

    /// The newest round that a quorum has answered.
    #[must_use]
    pub fn confirmed(&self) -> Round {
        let reign = self.reign();
        reign.map_or(Round::default(), |reign| reign.confirmation.confirmed())
    }

    /// A learner's answer to a PING.
    pub(super) fn ping_answered(
        &mut self,
        link: LinkId,
        zxid: Zxid,
        out: &mut Vec<LeaderAction>,
    ) -> Result<(), String> {
        let begun = self.reign().map(|reign| reign.confirmation.begun);
        let (Some(round), Some(begun)) = (Round::from_token(zxid), begun) else {
            return Ok(());
        };
        let Some(peer) = self.peers.get_mut(&link) else {
            return Ok(());
        };
        if round > begun {
            return Err(format!("{} answers a PING that was never sent", peer.id));
        }
        peer.confirmed = round.max(peer.confirmed);
        self.conclude_round(out);
        Ok(())
    }

    /// Asks those again who have come since the round under way began.
    pub(super) fn remind(&mut self, out: &mut Vec<LeaderAction>) {
        let Some(reign) = self.reign() else { return };
        if reign.confirmation.is_under_way() {
            self.ask(reign.confirmation.begun, out);
        }
    }

    fn begin_round(&mut self, out: &mut Vec<LeaderAction>) {
        let Some(reign) = self.reign_mut() else {
            return;
        };
        let confirmation = &mut reign.confirmation;
        confirmation.begun = confirmation.begun.next();
        confirmation.is_wanted = false;
        let round = confirmation.begun;
        self.ask(round, out);
        // A quorum of one has nobody to ask.
        self.conclude_round(out);
    }

    fn ask(&self, round: Round, out: &mut Vec<LeaderAction>) {
        let ping = QuorumPacket::new(PacketType::Ping, round.token());
        let is_asked = |peer: &Peer| peer.holds_initial_history() && peer.confirmed < round;
        for (link, peer) in &self.peers {
            if is_asked(peer) {
                out.push(LeaderAction::Send(*link, ping.clone()));
            }
        }
    }

    fn conclude_round(&mut self, out: &mut Vec<LeaderAction>) {
        let Some(reign) = self.reign() else { return };
        let Confirmation {
            begun, is_wanted, ..
        } = reign.confirmation;
        let has_answered = |peer: &Peer| peer.holds_initial_history() && peer.confirmed == begun;
        if !reign.confirmation.is_under_way() || !self.is_quorum(has_answered) {
            return;
        }
        if let Some(reign) = self.reign_mut() {
            reign.confirmation.confirmed = begun;
        }
        out.push(LeaderAction::Confirmed);
        self.answer_syncs(out);
        if is_wanted {
            self.begin_round(out);
        }
    }
}
