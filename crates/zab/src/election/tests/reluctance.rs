//! Servers that let others go first.

use super::branches::{Subject, vote};
use super::*;
use PeerState::{Following, Leading, Looking};

/// Server 2, in epoch 1 with zxid 10, which had better not lead.
fn reluctant(membership: Membership) -> Subject {
    let mut subject = Subject::idle(membership);
    subject.election.set_reluctant(true);
    subject.start(10);
    subject
}

#[test]
fn who_is_reluctant_says_nothing_of_its_candidacy_until_others_had_their_chance() {
    let mut s = reluctant(majority(3));
    assert_eq!(s.said(), []);
    assert_eq!(s.election.next_wakeup_ms(), Some(1000));
    // Not even to who looks with less, in whatever round.
    s.hear(1, (Looking, 1, 9, 1, 1));
    s.hear(3, (Looking, 3, 9, 7, 1));
    s.hear(1, (Looking, 1, 9, 1, 1));
    assert_eq!(s.wait(999).said(), []);
    let own = (Looking, 2, 10, 7, 1);
    assert_eq!(s.wait(1).said(), [(1, own), (3, own)]);
    s.hear(1, own).hear(3, own);
    assert_eq!(s.decided(), Some(vote(2, 10, 7, 1)), "nobody else could");
}

#[test]
fn it_supports_whoever_has_as_much_and_everyone_agrees_without_a_wait() {
    let mut s = reluctant(majority(3));
    // By its id it is the worse candidate.
    s.hear(1, (Looking, 1, 10, 1, 1));
    let support = (Looking, 1, 10, 1, 1);
    assert_eq!(s.said(), [(1, support), (3, support)]);
    s.hear(3, support);
    assert_eq!(s.decided(), Some(vote(1, 10, 1, 1)));
    assert_eq!(s.election.state(), Following);
}

#[test]
fn having_supported_one_it_goes_over_to_a_better_one_only() {
    let mut s = reluctant(majority(5));
    s.hear(4, (Looking, 4, 10, 1, 1));
    s.said();
    s.hear(3, (Looking, 3, 10, 1, 1));
    assert_eq!(s.said(), [(3, (Looking, 4, 10, 1, 1))]);
    s.hear(5, (Looking, 5, 10, 1, 1));
    assert_eq!(s.said().first(), Some(&(1, (Looking, 5, 10, 1, 1))));
}

#[test]
fn it_goes_on_letting_others_go_first_in_the_next_round() {
    let mut s = reluctant(majority(3));
    s.hear(1, (Looking, 1, 10, 1, 1));
    s.said();
    s.hear(3, (Looking, 3, 9, 2, 1));
    assert_eq!(s.said(), [], "3 has less, and 1 has said nothing yet");
    s.hear(1, (Looking, 1, 10, 2, 1));
    let support = (Looking, 1, 10, 2, 1);
    assert_eq!(s.said(), [(1, support), (3, support)]);
}

#[test]
fn whom_others_elect_meanwhile_it_leads_or_follows() {
    let mut s = reluctant(majority(3));
    let for_us = (Looking, 2, 10, 1, 1);
    s.hear(1, for_us).hear(3, for_us);
    assert_eq!(s.wait(200).decided(), Some(vote(2, 10, 1, 1)));
    assert_eq!(s.election.state(), Leading);

    let mut s = reluctant(majority(3));
    s.hear(3, (Following, 1, 3, 1, 1));
    s.hear(1, (Leading, 1, 3, 1, 1));
    assert_eq!(s.decided().map(|vote| vote.leader), Some(ServerId(1)));
}

/// It has no candidacy to keep to itself, and is told who leads only if it says that it looks.
#[test]
fn an_observer_is_never_reluctant() {
    let mut election = Election::new(&settings(9), true);
    election.set_reluctant(true);
    let mut out = Vec::new();
    let zero = Zxid::ZERO;
    election.start(0, &majority(3), zero, Epoch(0), &mut out);
    assert_eq!(out.len(), 3);
}
