//! Each branch of spec §5.3 and §5.4, one notification at a time.

use super::*;
use PeerState::{Following, Leading, Looking, Observing};

/// A notification in short: state, leader, zxid, round, epoch.
pub(super) type Told = (PeerState, i64, i64, i64, i64);

fn notification((state, leader, zxid, round, epoch): Told) -> Notification {
    Notification {
        state,
        leader: ServerId(leader),
        zxid: Zxid(zxid),
        round,
        peer_epoch: Epoch(epoch),
        version: 2,
        config: None,
    }
}

/// Server 2, in epoch 1 with zxid 10, and what it has said since last asked.
pub(super) struct Subject {
    pub(super) election: Election,
    membership: Membership,
    now_ms: i64,
    out: Vec<ElectionAction>,
}

impl Subject {
    fn looking(membership: Membership) -> Subject {
        Subject::looking_at(membership, 10)
    }

    fn looking_at(membership: Membership, zxid: i64) -> Subject {
        let mut subject = Subject::idle(membership);
        subject.start(zxid);
        subject
    }

    pub(super) fn idle(membership: Membership) -> Subject {
        Subject {
            election: Election::new(&settings(2), false),
            membership,
            now_ms: 0,
            out: Vec::new(),
        }
    }

    pub(super) fn start(&mut self, zxid: i64) {
        self.election.start(
            self.now_ms,
            &self.membership,
            Zxid(zxid),
            Epoch(1),
            &mut self.out,
        );
    }

    pub(super) fn hear(&mut self, from: i64, told: Told) -> &mut Subject {
        self.hear_whole(from, &notification(told))
    }

    fn hear_whole(&mut self, from: i64, n: &Notification) -> &mut Subject {
        self.election.receive(
            self.now_ms,
            &self.membership,
            ServerId(from),
            n,
            &mut self.out,
        );
        self
    }

    pub(super) fn wait(&mut self, ms: i64) -> &mut Subject {
        self.now_ms += ms;
        self.election
            .timer(self.now_ms, &self.membership, &mut self.out);
        self
    }

    pub(super) fn said(&mut self) -> Vec<(i64, Told)> {
        let told = |action| match action {
            ElectionAction::Send {
                to,
                notification: n,
            } => {
                assert_eq!(n.version, 2);
                assert_eq!(n.config.as_deref(), Some(&b"version=0"[..]));
                let zxid = n.zxid.0;
                Some((to.0, (n.state, n.leader.0, zxid, n.round, n.peer_epoch.0)))
            }
            ElectionAction::Decided(_) | ElectionAction::Outdone(_) => None,
        };
        core::mem::take(&mut self.out)
            .into_iter()
            .filter_map(told)
            .collect()
    }

    pub(super) fn decided(&mut self) -> Option<Vote> {
        let decided = |action| match action {
            ElectionAction::Send { .. } | ElectionAction::Outdone(_) => None,
            ElectionAction::Decided(vote) => Some(vote),
        };
        core::mem::take(&mut self.out).into_iter().find_map(decided)
    }

    fn outdone_by(&mut self) -> Option<i64> {
        let outdone = |action| match action {
            ElectionAction::Outdone(voter) => Some(voter.0),
            ElectionAction::Send { .. } | ElectionAction::Decided(_) => None,
        };
        core::mem::take(&mut self.out).into_iter().find_map(outdone)
    }

    fn unreachable(&mut self, id: i64) -> &mut Subject {
        self.election
            .unreachable(self.now_ms, &self.membership, ServerId(id), &mut self.out);
        self
    }
}

pub(super) fn vote(leader: i64, zxid: i64, round: i64, epoch: i64) -> Vote {
    Vote {
        leader: ServerId(leader),
        zxid: Zxid(zxid),
        round,
        peer_epoch: Epoch(epoch),
    }
}

#[test]
fn a_search_begins_with_a_new_round_and_its_own_candidacy() {
    let mut s = Subject::looking(majority(3));
    let own = (Looking, 2, 10, 1, 1);
    assert_eq!(s.said(), [(1, own), (3, own)]);
    s.start(12);
    let own = (Looking, 2, 12, 2, 1);
    assert_eq!(s.said(), [(1, own), (3, own)]);
}

/// It was restarted when its log had been cut: nobody may be elected for what is gone.
#[test]
fn a_vote_for_what_this_server_had_in_an_earlier_life_is_void_and_so_is_its_round() {
    let mut s = Subject::looking(majority(3));
    s.said();
    s.hear(1, (Looking, 2, 11, 1, 1));
    let own = (Looking, 2, 10, 2, 1);
    assert_eq!(s.said(), [(1, own), (3, own)]);
    // Of an older round by now.
    s.hear(3, (Looking, 2, 11, 1, 1));
    assert_eq!(s.said(), [(3, own)]);
    s.hear(3, (Looking, 2, 11, 7, 1));
    let own = (Looking, 2, 10, 8, 1);
    assert_eq!(s.said(), [(1, own), (3, own)]);
    // Less than it has is no harm: they change for the better.
    s.hear(3, (Looking, 2, 9, 8, 1));
    assert_eq!(s.said(), [(3, own)]);
    s.hear(1, own).hear(3, own);
    assert_eq!(s.decided(), Some(vote(2, 10, 8, 1)));
}

#[test]
fn a_lone_voter_elects_itself_at_once() {
    let ids = BTreeSet::from([ServerId(2)]);
    let mut s = Subject::looking(Membership::fixed(view(QuorumVerifier::Majority(ids), [2])));
    assert_eq!(s.decided(), Some(vote(2, 10, 1, 1)));
    assert_eq!(s.election.state(), Leading);
    assert_eq!(s.election.next_wakeup_ms(), None);
}

#[test]
fn a_better_vote_is_adopted_and_told_to_everyone() {
    let mut s = Subject::looking(majority(5));
    s.said();
    s.hear(1, (Looking, 1, 11, 1, 1));
    let adopted = (Looking, 1, 11, 1, 1);
    assert_eq!(s.said(), [1, 3, 4, 5].map(|to| (to, adopted)));
    assert_eq!(s.election.vote(), vote(1, 11, 1, 1));
}

#[test]
fn a_worse_vote_of_the_round_is_answered_once_between_repetitions() {
    let mut s = Subject::looking(majority(5));
    s.said();
    let ours = (Looking, 2, 10, 1, 1);
    s.hear(1, (Looking, 1, 10, 1, 1));
    assert_eq!(s.said(), [(1, ours)]);
    s.hear(1, (Looking, 1, 10, 1, 1));
    assert_eq!(s.said(), []);
    s.wait(200);
    assert_eq!(s.said().len(), 4);
    s.hear(1, (Looking, 1, 10, 1, 1));
    assert_eq!(s.said(), [(1, ours)]);
}

#[test]
fn a_late_candidate_learns_that_it_has_our_vote() {
    let mut s = Subject::looking(majority(5));
    s.hear(1, (Looking, 3, 10, 1, 1)).said();
    s.hear(3, (Looking, 3, 10, 1, 1));
    assert_eq!(s.said(), [(3, (Looking, 3, 10, 1, 1))]);
    s.hear(4, (Looking, 3, 10, 1, 1));
    assert_eq!(s.said(), []);
}

#[test]
fn a_newer_round_is_joined_with_the_better_of_its_vote_and_our_candidacy() {
    for (theirs, best) in [((3, 10), (3, 10)), ((1, 10), (2, 10)), ((1, 12), (1, 12))] {
        let mut s = Subject::looking(majority(5));
        s.hear(3, (Looking, 4, 99, 1, 1)).said();
        s.hear(4, (Looking, theirs.0, theirs.1, 7, 1));
        let told = (Looking, best.0, best.1, 7, 1);
        assert_eq!(s.said()[0], (1, told));
        assert_eq!(s.election.round(), 7);
    }
}

#[test]
fn an_older_round_is_answered_and_not_counted() {
    let mut s = Subject::looking(majority(3));
    s.start(10);
    s.said();
    for _ in 0..2 {
        s.hear(3, (Looking, 3, 99, 1, 5));
        assert_eq!(s.said(), [(3, (Looking, 2, 10, 2, 1))]);
    }
    assert_eq!(s.wait(5000).decided(), None);
}

#[test]
fn a_quorum_waits_for_a_better_vote_and_then_decides() {
    let mut s = Subject::looking(majority(3));
    s.hear(1, (Looking, 2, 10, 1, 1));
    assert_eq!(s.election.next_wakeup_ms(), Some(200));
    assert_eq!(s.wait(199).decided(), None);
    assert_eq!(s.wait(1).decided(), Some(vote(2, 10, 1, 1)));
    assert_eq!(s.election.state(), Leading);
}

#[test]
fn nobody_waits_for_a_voter_that_is_out_of_reach() {
    // Known before the quorum agrees, and known after.
    let mut s = Subject::looking(majority(3));
    s.unreachable(3).hear(1, (Looking, 2, 10, 1, 1));
    assert_eq!(s.decided(), Some(vote(2, 10, 1, 1)));
    let mut s = Subject::looking(majority(3));
    s.hear(1, (Looking, 2, 10, 1, 1));
    assert_eq!(s.decided(), None);
    assert_eq!(s.unreachable(3).decided(), Some(vote(2, 10, 1, 1)));
}

#[test]
fn a_voter_that_is_heard_of_is_waited_for_again() {
    let mut s = Subject::looking(majority(5));
    s.unreachable(3).unreachable(4).unreachable(5);
    s.hear(1, (Looking, 2, 10, 1, 1));
    assert_eq!(s.decided(), None, "three are needed");
    s.election.reachable(ServerId(4));
    s.hear(5, (Looking, 2, 10, 1, 1));
    assert_eq!(s.decided(), None, "4 may have a better vote");
    assert_eq!(s.unreachable(4).decided(), Some(vote(2, 10, 1, 1)));

    let mut s = Subject::looking(majority(3));
    s.unreachable(3).hear(3, (Looking, 3, 9, 1, 1));
    s.hear(1, (Looking, 2, 10, 1, 1));
    assert_eq!(s.decided(), None, "3 is there, and has not agreed");
}

#[test]
fn being_out_of_reach_decides_nothing_without_a_quorum_or_for_who_is_gone_or_for_strangers() {
    let mut s = Subject::looking(majority(3));
    s.unreachable(1).unreachable(3);
    assert_eq!(s.wait(5000).decided(), None);

    let mut s = Subject::looking(majority(5));
    let for_four = (Looking, 4, 10, 1, 1);
    s.hear(4, for_four).hear(1, for_four);
    s.unreachable(4).unreachable(3).unreachable(5);
    assert_eq!(s.decided(), None, "4 is elected and gone");
    assert_eq!(s.wait(200).decided(), Some(vote(4, 10, 1, 1)));

    let mut s = Subject::looking(majority(3));
    s.unreachable(9)
        .unreachable(2)
        .hear(1, (Looking, 2, 10, 1, 1));
    assert_eq!(s.decided(), None);
}

#[test]
fn a_leader_without_an_epoch_is_outdone_by_a_better_vote() {
    let mut s = Subject::looking(majority(3));
    s.unreachable(3).hear(1, (Looking, 2, 10, 1, 1));
    assert_eq!(s.election.state(), Leading);
    s.out.clear();
    let worse_older_and_strange = [
        (1, (Looking, 1, 10, 1, 1)),
        (3, (Looking, 3, 10, 0, 1)),
        (9, (Looking, 3, 10, 1, 1)),
        (3, (Looking, 9, 99, 1, 1)),
        (3, (Following, 3, 10, 1, 1)),
    ];
    for (from, told) in worse_older_and_strange {
        assert_eq!(s.hear(from, told).outdone_by(), None, "{told:?}");
    }
    assert_eq!(s.hear(3, (Looking, 3, 10, 1, 1)).outdone_by(), Some(3));
    s.election.set_vote_epoch(Epoch(2));
    assert_eq!(s.hear(3, (Looking, 3, 10, 1, 3)).outdone_by(), None);
}

#[test]
fn a_better_vote_that_comes_in_time_reopens_the_round() {
    let mut s = Subject::looking(majority(3));
    s.hear(1, (Looking, 2, 10, 1, 1)).wait(199);
    s.hear(3, (Looking, 3, 10, 1, 1));
    assert_eq!(s.wait(100).decided(), None);
    s.hear(1, (Looking, 3, 10, 1, 1));
    assert_eq!(s.decided(), Some(vote(3, 10, 1, 1)));
    assert_eq!(s.election.state(), Following);
}

#[test]
fn unanimous_voters_decide_at_once() {
    let mut s = Subject::looking(majority(3));
    s.hear(1, (Looking, 2, 10, 1, 1));
    s.hear(3, (Looking, 2, 10, 1, 1));
    assert_eq!(s.decided(), Some(vote(2, 10, 1, 1)));
}

#[test]
fn votes_count_only_if_they_are_equal_in_everything() {
    let different = [
        (Looking, 2, 9, 1, 1),
        (Looking, 2, 10, 1, 0),
        (Looking, 1, 10, 1, 1),
        (Observing, 2, 10, 1, 1),
    ];
    for told in different {
        let mut s = Subject::looking(majority(3));
        s.hear(1, told).hear(3, told);
        assert_eq!(s.wait(5000).decided(), None, "{told:?}");
    }
}

#[test]
fn strangers_votes_and_votes_for_strangers_do_not_count() {
    let mut s = Subject::looking(majority(3));
    for stranger in [4, 5, 6, -1] {
        s.hear(stranger, (Looking, 2, 10, 1, 1));
    }
    s.hear(1, (Looking, 9, 99, 1, 9));
    assert_eq!(s.election.vote(), vote(2, 10, 1, 1));
    assert_eq!(s.wait(5000).decided(), None);
}

#[test]
fn whoever_claims_our_own_id_is_not_heard() {
    let mut s = Subject::looking(majority(3));
    s.said();
    s.hear(2, (Looking, 3, 99, 9, 9))
        .hear(2, (Leading, 2, 10, 1, 1));
    assert_eq!(s.said(), []);
    assert_eq!(s.election.vote(), vote(2, 10, 1, 1));
}

#[test]
fn an_untrusted_database_neither_votes_nor_is_voted_for() {
    let mut s = Subject::looking_at(majority(3), -1);
    s.said();
    s.hear(1, (Looking, 2, -1, 1, 1))
        .hear(3, (Looking, 2, -1, 1, 1));
    s.hear(1, (Looking, 1, 5, 9, 1));
    assert_eq!(s.wait(1000).decided(), None);
    assert_eq!(s.election.round(), 1);
    // It may follow those who have decided.
    s.hear(1, (Leading, 1, 5, 9, 1))
        .hear(3, (Following, 1, 5, 9, 1));
    assert_eq!(s.decided(), Some(vote(1, 5, 9, 1)));

    let mut s = Subject::looking(majority(3));
    s.hear(3, (Looking, 3, -1, 9, 9));
    assert_eq!(s.election.vote(), vote(2, 10, 1, 1));
}

#[test]
fn a_leader_is_followed_when_a_quorum_does_and_it_says_so_itself() {
    for (round, decided) in [(1, vote(3, 10, 1, 1)), (6, vote(3, 10, 6, 1))] {
        let mut s = Subject::looking(majority(3));
        s.hear(1, (Following, 3, 10, round, 1));
        assert_eq!(s.decided(), None);
        s.hear(3, (Leading, 3, 10, round, 1));
        assert_eq!(s.decided(), Some(decided));
        assert_eq!(s.election.state(), Following);
        assert_eq!(s.election.round(), round);
    }
}

#[test]
fn a_dead_leader_is_not_followed() {
    for round in [1, 6] {
        let mut s = Subject::looking(majority(5));
        for from in [1, 3, 4] {
            s.hear(from, (Following, 5, 10, round, 1));
        }
        s.hear(5, (Following, 5, 10, round, 1));
        assert_eq!(s.decided(), None);
    }
}

#[test]
fn a_server_that_everyone_follows_leads_in_their_round_only() {
    let mut s = Subject::looking(majority(3));
    s.hear(1, (Following, 2, 10, 6, 1))
        .hear(3, (Following, 2, 10, 6, 1));
    assert_eq!(s.decided(), None);
    let mut s = Subject::looking(majority(3));
    s.hear(1, (Following, 2, 10, 1, 1))
        .hear(3, (Following, 2, 10, 1, 1));
    assert_eq!(s.decided(), Some(vote(2, 10, 1, 1)));
    assert_eq!(s.election.state(), Leading);
}

#[test]
fn zxids_and_rounds_of_an_established_ensemble_may_differ_but_not_its_epoch() {
    let mut s = Subject::looking(majority(3));
    s.hear(3, (Leading, 3, 10, 6, 2))
        .hear(1, (Following, 3, 4, 5, 1));
    assert_eq!(s.decided(), None);
    s.hear(1, (Following, 3, 4, 5, 2));
    assert_eq!(s.decided(), Some(vote(3, 4, 5, 2)));
}

#[test]
fn within_the_round_the_epoch_may_differ() {
    let mut s = Subject::looking(majority(3));
    s.hear(1, (Following, 3, 10, 1, 1))
        .hear(3, (Leading, 3, 10, 1, 2));
    assert_eq!(s.decided(), Some(vote(3, 10, 1, 2)));
}

#[test]
fn with_releases_that_tell_no_version_the_epoch_may_differ() {
    let mut s = Subject::looking(majority(3));
    let old = Notification {
        version: 0,
        ..notification((Following, 3, 10, 6, 1))
    };
    s.hear_whole(1, &old).hear(3, (Leading, 3, 10, 6, 2));
    assert_eq!(s.decided(), Some(vote(3, 10, 6, 2)));
}

#[test]
fn both_configurations_must_agree_while_one_is_proposed() {
    let proposed = (1..=5).map(ServerId).collect();
    let membership = Membership {
        last_seen: Some(view(QuorumVerifier::Majority(proposed), 1..=5)),
        ..majority(3)
    };
    let mut s = Subject::looking(membership);
    let ours = (Looking, 2, 10, 1, 1);
    s.hear(1, ours);
    assert_eq!(s.wait(1000).decided(), None);
    s.hear(4, ours);
    assert_eq!(s.wait(200).decided(), Some(vote(2, 10, 1, 1)));
}

#[test]
fn everyone_is_told_again_after_ever_longer_waits() {
    let mut s = Subject::looking(majority(3));
    s.said();
    for wait in [200, 400, 800, 1600, 2000, 2000] {
        assert_eq!(s.election.next_wakeup_ms(), Some(s.now_ms + wait));
        assert_eq!(s.wait(wait - 1).said(), []);
        assert_eq!(s.wait(1).said().len(), 2);
    }
}

#[test]
fn who_looks_is_told_the_outcome() {
    let mut s = Subject::looking(majority(3));
    s.hear(1, (Following, 3, 10, 6, 1))
        .hear(3, (Leading, 3, 10, 6, 1));
    s.election.set_vote_epoch(Epoch(2));
    s.said();
    for from in [1, 9, -1] {
        s.hear(from, (Looking, from, 10, 9, 1));
        assert_eq!(s.said(), [(from, (Following, 3, 10, 6, 2))]);
    }
    for state in [Following, Leading, Observing] {
        s.hear(1, (state, 1, 10, 9, 1));
        assert_eq!(s.said(), []);
    }
    // Between two roles, nothing is told.
    s.election.leave();
    s.hear(1, (Looking, 1, 10, 9, 1));
    assert_eq!(s.said(), []);
    s.start(11);
    assert_eq!(s.election.round(), 7);
}

#[test]
fn guests_are_told_what_voters_are_told_and_the_outcome() {
    let mut s = Subject::looking(majority(3));
    s.said();
    let asks = (Looking, i64::MIN, i64::MIN, 1, i64::MIN);
    s.hear(8, asks);
    assert_eq!(s.said(), [(8, (Looking, 2, 10, 1, 1))]);
    s.hear(8, asks);
    assert_eq!(s.said(), []);
    s.hear(3, (Looking, 3, 10, 1, 1));
    assert!(s.said().contains(&(8, (Looking, 3, 10, 1, 1))));
    s.hear(1, (Looking, 3, 10, 1, 1));
    assert_eq!(s.said(), [(8, (Following, 3, 10, 1, 1))]);
}

#[test]
fn guests_are_bounded() {
    let mut s = Subject::looking(majority(3));
    s.said();
    for guest in 100..1000 {
        s.hear(guest, (Looking, 1, 99, 9, 9));
    }
    assert_eq!(s.said().len(), 64);
}

#[test]
fn an_observer_votes_for_nobody_and_observes_whom_the_voters_elect() {
    let membership = majority(3);
    let mut election = Election::new(&settings(9), true);
    let mut out = Vec::new();
    election.start(0, &membership, Zxid(99), Epoch(9), &mut out);
    let ElectionAction::Send {
        notification: told, ..
    } = &out[0]
    else {
        panic!("{out:?}");
    };
    assert_eq!(told.leader, ServerId(i64::MIN));
    assert_eq!(told.zxid, Zxid(i64::MIN));
    assert_eq!(told.peer_epoch, Epoch(i64::MIN));
    assert_eq!(out.len(), 3);
    for from in 1..=3 {
        let n = notification((Looking, 3, 10, 1, 1));
        election.receive(0, &membership, ServerId(from), &n, &mut out);
    }
    assert_eq!(
        out.last(),
        Some(&ElectionAction::Decided(vote(3, 10, 1, 1)))
    );
    assert_eq!(election.state(), Observing);
}
