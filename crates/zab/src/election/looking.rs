//! What exists only while a leader is looked for (Java `FastLeaderElection.lookForLeader`).

use super::{ElectionAction, tell};
use crate::vote::{Ballot, Ballots};
use crate::{Membership, Vote};
use alloc::collections::BTreeSet;
use alloc::vec::Vec;
use zooid_proto::election::{Notification, PeerState};
use zooid_proto::{ServerId, Zxid};

/// The circumstances of one input.
#[derive(Clone, Copy)]
pub(super) struct Setting<'m> {
    pub(super) me: ServerId,
    pub(super) wait_ms_min: i64,
    pub(super) wait_ms_max: i64,
    /// Voters that nothing can come from.
    pub(super) absent: &'m BTreeSet<ServerId>,
    /// Whether this server lets others go first, if it begins to look now.
    pub(super) is_reluctant: bool,
    pub(super) now_ms: i64,
    pub(super) membership: &'m Membership,
}

/// The search. Whatever may end it returns the vote with which it has.
#[derive(Clone, Debug)]
pub(super) struct Looking {
    /// This server's own candidacy, in the current round.
    own: Vote,
    /// The best vote of the round, which is this server's.
    proposal: Vote,
    /// Of this round.
    votes: Ballots,
    /// Of servers that look no longer, of any round.
    settled: Ballots,
    /// Servers without a vote that wait for the outcome.
    guests: BTreeSet<ServerId>,
    /// Voters that were told the proposal once more since everyone was.
    corrected: BTreeSet<ServerId>,
    /// When everyone is told again.
    repeat_at_ms: i64,
    /// How long to wait for that.
    wait_ms: i64,
    /// Since a quorum agrees: until when a better vote may still come.
    decide_at_ms: Option<i64>,
    /// Until when others go first.
    yields_until_ms: i64,
    /// Whether the proposal is this server's own candidacy, and nobody is told of it yet.
    is_silent: bool,
}

impl Looking {
    pub(super) fn begin(
        setting: &Setting<'_>,
        own: Vote,
        out: &mut Vec<ElectionAction>,
    ) -> (Looking, Option<Vote>) {
        // Who has no vote is no candidate, and must say that it looks to be told who leads.
        let yields = setting.is_reluctant && setting.membership.is_voter(own.leader);
        let wait_ms = if yields {
            setting.wait_ms_min.saturating_mul(YIELD_WAITS)
        } else {
            0
        };
        let mut looking = Looking {
            own,
            proposal: own,
            votes: Ballots::default(),
            settled: Ballots::default(),
            guests: BTreeSet::new(),
            corrected: BTreeSet::new(),
            repeat_at_ms: setting.now_ms,
            wait_ms: setting.wait_ms_min,
            decide_at_ms: None,
            yields_until_ms: setting.now_ms.saturating_add(wait_ms),
            is_silent: false,
        };
        looking.adopt(setting, own, out);
        let decided = looking.count(setting);
        (looking, decided)
    }

    pub(super) fn proposal(&self) -> Vote {
        self.proposal
    }

    pub(super) fn guests(&self) -> impl Iterator<Item = ServerId> {
        self.guests.iter().copied()
    }

    /// Repeating waits while the decision is near.
    pub(super) fn next_wakeup_ms(&self) -> i64 {
        self.decide_at_ms.unwrap_or(self.repeat_at_ms)
    }

    pub(super) fn timer(
        &mut self,
        setting: &Setting<'_>,
        out: &mut Vec<ElectionAction>,
    ) -> Option<Vote> {
        if setting.now_ms < self.next_wakeup_ms() {
            return None;
        }
        if self.decide_at_ms.is_some() {
            return Some(self.proposal);
        }
        if self.is_silent {
            self.adopt(setting, self.proposal, out);
            return self.count(setting);
        }
        self.wait_ms = self.wait_ms.saturating_mul(2).min(setting.wait_ms_max);
        self.tell_everyone(setting, out);
        None
    }

    pub(super) fn receive(
        &mut self,
        setting: &Setting<'_>,
        from: ServerId,
        n: &Notification,
        out: &mut Vec<ElectionAction>,
    ) -> Option<Vote> {
        if !setting.membership.is_voter(from) {
            self.welcome(setting, from, n, out);
            return None;
        }
        if n.state == PeerState::Looking {
            self.correct(setting, from, n, out);
        }
        if !setting.membership.is_voter(n.leader) {
            return None;
        }
        match n.state {
            PeerState::Looking => self.hear_looking(setting, from, n, out),
            PeerState::Following | PeerState::Leading => self.hear_settled(setting, from, n),
            PeerState::Observing => None,
        }
    }

    /// Somebody without a vote looks for the leader: from now on it is told whatever voters are told.
    fn welcome(
        &mut self,
        setting: &Setting<'_>,
        from: ServerId,
        n: &Notification,
        out: &mut Vec<ElectionAction>,
    ) {
        // Two servers that take each other for one without a vote must not answer each other's answers
        // for ever, hence one at once and no more.
        let asks = n.state == PeerState::Looking && self.guests.len() < GUESTS_MAX;
        if asks && self.guests.insert(from) && !self.is_silent {
            out.push(self.tell(setting, from));
        }
    }

    /// Tells a voter that is behind: always if its round is over, and once in between in the same
    /// round. Java leaves the latter to its repetition, for which a server that begins to look later
    /// than the others has to wait.
    fn correct(
        &mut self,
        setting: &Setting<'_>,
        from: ServerId,
        n: &Notification,
        out: &mut Vec<ElectionAction>,
    ) {
        if self.is_silent {
            return;
        }
        let theirs = Vote::of(n);
        let lacks_ours = self.proposal.is_better_than(&theirs, setting.membership)
            || (theirs == self.proposal && theirs.leader == from);
        let is_due = n.round < self.own.round
            || (n.round == self.own.round && lacks_ours && self.corrected.insert(from));
        if is_due {
            out.push(self.tell(setting, from));
        }
    }

    fn hear_looking(
        &mut self,
        setting: &Setting<'_>,
        from: ServerId,
        n: &Notification,
        out: &mut Vec<ElectionAction>,
    ) -> Option<Vote> {
        let is_untrusted = self.own.zxid == Zxid::NONE || n.zxid == Zxid::NONE;
        if is_untrusted || n.round < self.own.round {
            return None;
        }
        let theirs = Vote::of(n);
        if theirs.leader == setting.me && theirs.is_better_than(&self.own, setting.membership) {
            self.disown(setting, n.round, out);
            return self.count(setting);
        }
        if n.round > self.own.round {
            self.votes.clear();
            self.own.round = n.round;
            // The own candidacy again, which is not told while others go first.
            self.proposal = self.own;
            self.is_silent = setting.now_ms < self.yields_until_ms;
            let best = if self.gives_way_to(setting, &theirs) {
                theirs
            } else {
                self.own
            };
            self.adopt(setting, best, out);
        } else if self.gives_way_to(setting, &theirs) {
            self.adopt(setting, theirs, out);
        }
        self.votes.cast(from, Ballot::looking(theirs));
        self.count(setting)
    }

    /// Whether a vote is to take the proposal's place. While others go first, anyone will do who can lead
    /// this server.
    fn gives_way_to(&self, setting: &Setting<'_>, theirs: &Vote) -> bool {
        let is_another = theirs.leader != setting.me;
        theirs.is_better_than(&self.proposal, setting.membership)
            || (self.is_silent && is_another && theirs.covers(&self.own, setting.membership))
    }

    /// Somebody votes for more than this server has: for what it had in an earlier life, before its log was
    /// cut. Whoever were elected for that would be rejected. The others give it up in a newer round only, of
    /// which they must be told even if they should go first.
    fn disown(&mut self, setting: &Setting<'_>, round: i64, out: &mut Vec<ElectionAction>) {
        self.votes.clear();
        self.own.round = round.wrapping_add(1);
        self.yields_until_ms = setting.now_ms;
        self.adopt(setting, self.own, out);
    }

    /// Joins what others have decided: in this round, or before this server came.
    fn hear_settled(
        &mut self,
        setting: &Setting<'_>,
        from: ServerId,
        n: &Notification,
    ) -> Option<Vote> {
        let ballot = Ballot::of(n);
        let round = self.own.round;
        let mut is_decided = false;
        if ballot.vote.round == round {
            // Java keeps no version here. So servers of this version need to agree in the leader only:
            // while they synchronise, some tell the old epoch and some the new.
            let unversioned = Ballot {
                version: 0,
                ..ballot
            };
            self.votes.cast(from, unversioned);
            is_decided = follows_a_leader(setting, round, &self.votes, &ballot);
        }
        self.settled.cast(from, ballot);
        is_decided |= follows_a_leader(setting, round, &self.settled, &ballot);
        is_decided.then_some(ballot.vote)
    }

    /// Makes a vote of the current round this server's own, and tells everyone; unless it is its own
    /// candidacy and others go first.
    fn adopt(&mut self, setting: &Setting<'_>, vote: Vote, out: &mut Vec<ElectionAction>) {
        self.proposal = vote;
        self.wait_ms = setting.wait_ms_min;
        self.decide_at_ms = None;
        self.is_silent = vote.leader == setting.me && setting.now_ms < self.yields_until_ms;
        if self.is_silent {
            self.repeat_at_ms = self.yields_until_ms;
            return;
        }
        let counts = [setting.me, vote.leader].map(|id| setting.membership.is_voter(id));
        if counts == [true, true] && self.own.zxid != Zxid::NONE {
            self.votes.cast(setting.me, Ballot::looking(vote));
        }
        self.tell_everyone(setting, out);
    }

    /// Looks whether the round is over: at once, if nobody is left who could send a better vote.
    pub(super) fn count(&mut self, setting: &Setting<'_>) -> Option<Vote> {
        let proposal = Ballot::looking(self.proposal);
        if !self.votes.quorum_agrees(setting.membership, &proposal) {
            self.decide_at_ms = None;
            return None;
        }
        let absent = setting.absent;
        let may_lead = !absent.contains(&self.proposal.leader);
        if may_lead && (self.votes).everyone_agrees(setting.membership, absent, &proposal) {
            return Some(self.proposal);
        }
        let at_ms = setting.now_ms.saturating_add(BETTER_VOTE_WAIT_MS);
        self.decide_at_ms.get_or_insert(at_ms);
        None
    }

    fn tell_everyone(&mut self, setting: &Setting<'_>, out: &mut Vec<ElectionAction>) {
        self.corrected.clear();
        self.repeat_at_ms = setting.now_ms.saturating_add(self.wait_ms);
        let mut audience = setting.membership.voters();
        audience.extend(&self.guests);
        audience.remove(&setting.me);
        out.extend(audience.into_iter().map(|to| self.tell(setting, to)));
    }

    fn tell(&self, setting: &Setting<'_>, to: ServerId) -> ElectionAction {
        tell(setting.membership, to, PeerState::Looking, &self.proposal)
    }
}

/// Whether a quorum follows the leader of a ballot, and that leader leads. If everyone follows this
/// server, it leads, but only in the round in which they have begun to.
fn follows_a_leader(setting: &Setting<'_>, round: i64, ballots: &Ballots, ballot: &Ballot) -> bool {
    let leads = if ballot.vote.leader == setting.me {
        ballot.vote.round == round
    } else {
        ballots.is_leading(ballot.vote.leader)
    };
    leads && ballots.quorum_agrees(setting.membership, ballot)
}

/// How long a better vote may take to come once a quorum agrees (Java `finalizeWait`).
const BETTER_VOTE_WAIT_MS: i64 = 200;
/// For how many of the shortest waits (Java `minNotificationInterval`) others go first: long enough for
/// those who come late to notice that there is no leader, and for votes that are lost to be repeated.
const YIELD_WAITS: i64 = 5;
/// Servers without a vote that are told the outcome, at most.
const GUESTS_MAX: usize = 64;
