use super::script::{Script, membership, settings, z};
use crate::{LeaderPhase, Membership, QuorumVerifier, View};
use alloc::collections::BTreeSet;
use bytes::Bytes;
use zooid_proto::{Epoch, ServerId, Zxid};

#[test]
fn a_leader_that_is_a_quorum_by_itself_needs_no_links() {
    let mut script = Script::new(1);
    assert_eq!(script.said(), ["accept 5"]);
    script.accepted(5);
    assert_eq!(script.said(), ["enter 5"]);
    assert_eq!(script.leader.next_zxid(), None);
    script.entered(5);
    assert_eq!(script.said(), ["established 5"]);
    assert_eq!(script.propose(), z(5, 1));
    assert_eq!(script.said(), [""; 0]);
    script.persisted(z(5, 1));
    assert_eq!(script.said(), ["committed 5.1"]);
}

#[test]
fn the_epoch_is_newer_than_any_that_someone_connected_has_accepted() {
    let mut script = Script::new(5);
    script.join(2, z(4, 9));
    script.observe(8, z(11, 0));
    assert_eq!(
        script.said(),
        [""; 0],
        "an observer is no part of the quorum"
    );
    script.join(3, z(6, 0));
    assert_eq!(script.said(), ["accept 12"]);
    // Too late to change it; it will refuse.
    script.join(4, z(20, 0));
    assert_eq!(script.said(), [""; 0]);
    script.accepted(12);
    let leader_info = [
        "2: LeaderInfo 12.0",
        "3: LeaderInfo 12.0",
        "4: LeaderInfo 12.0",
        "8: LeaderInfo 12.0",
    ];
    assert_eq!(script.said(), leader_info);
    script.join(5, z(4, 9));
    assert_eq!(script.said(), ["5: LeaderInfo 12.0"]);
    assert_eq!(script.leader.epoch(), Some(Epoch(12)));
}

#[test]
fn who_connected_and_left_has_still_told_its_epoch() {
    let mut script = Script::new(3);
    script.observe(8, z(9, 0));
    script.close(8);
    script.join(2, z(4, 9));
    assert_eq!(script.said(), ["accept 10"]);
}

#[test]
fn every_phase_waits_for_the_disk_and_for_a_quorum() {
    let mut script = Script::new(3);
    assert_eq!(script.leader.status().phase, LeaderPhase::Discovery);
    script.join(2, z(4, 9));
    assert_eq!(script.said(), ["accept 5"]);
    script.accepted(4);
    assert_eq!(script.said(), [""; 0], "that is another epoch");
    script.accepted(5);
    assert_eq!(script.said(), ["2: LeaderInfo 5.0"]);
    script.promise(2, z(4, 9));
    assert_eq!(
        script.said(),
        ["enter 5", "2: Diff 4.9", "2: NewLeader 5.0"]
    );
    assert_eq!(script.leader.status().phase, LeaderPhase::Synchronization);
    script.ack(2, z(5, 0));
    assert_eq!(
        script.said(),
        [""; 0],
        "this server itself is not in the epoch"
    );
    script.entered(5);
    assert_eq!(script.said(), ["established 5", "2: UpToDate -1"]);
    assert_eq!(script.leader.status().phase, LeaderPhase::Broadcast);
    assert_eq!(script.leader.last_committed(), z(5, 0));
}

#[test]
fn who_accepted_the_epoch_before_gets_its_history_but_does_not_count() {
    let mut script = Script::new(3);
    script.join(2, z(4, 9));
    script.accepted(5);
    script.said();
    script.promise_in(2, -1, z(4, 9));
    assert_eq!(script.said(), [""; 0]);
    script.join(3, z(4, 9));
    script.promise(3, z(4, 8));
    assert_eq!(
        script.said(),
        [
            "3: LeaderInfo 5.0",
            "enter 5",
            "2: Diff 4.9",
            "2: NewLeader 5.0",
            "3: Diff 4.9",
            "3: Proposal 4.9",
            "3: Commit 4.9",
            "3: NewLeader 5.0",
        ]
    );
}

/// Its acceptedEpoch binds it, and it will not promise twice.
#[test]
fn a_promise_outlives_its_link() {
    let mut script = Script::new(5);
    script.join(2, z(4, 9));
    script.join(3, z(4, 9));
    script.accepted(5);
    script.promise(2, z(4, 9));
    script.close(2);
    script.said();
    script.promise(3, z(4, 9));
    assert_eq!(script.said()[0], "enter 5");
}

#[test]
fn who_is_ahead_of_the_leader_is_hung_up_on_until_the_election_is_over() {
    let mut script = Script::new(3);
    script.join(2, z(4, 9));
    script.join(3, z(4, 9));
    script.accepted(5);
    script.said();
    script.promise(2, z(4, 10));
    let ahead = "2: hangup, 2 is ahead of this leader, with 0x40000000a of epoch 4";
    assert_eq!(script.said(), [ahead]);
    script.promise(3, z(4, 9));
    script.said();
    // Now a quorum does without its tail.
    script.join(2, z(5, 0));
    script.promise_in(2, -1, z(4, 10));
    assert_eq!(
        script.said(),
        ["2: LeaderInfo 5.0", "2: Trunc 4.9", "2: NewLeader 5.0"]
    );
}

#[test]
fn an_epoch_counts_more_than_a_zxid() {
    let mut script = Script::new(3);
    script.join(2, z(4, 9));
    script.accepted(5);
    script.said();
    script.promise_in(2, 3, z(4, 12));
    assert_eq!(
        script.said(),
        ["enter 5", "2: Trunc 4.9", "2: NewLeader 5.0"]
    );
}

#[test]
fn observers_and_strangers_promise_and_hold_nothing_that_counts() {
    let mut script = Script::new(3);
    script.join(2, z(4, 9));
    script.observe(8, z(4, 9));
    script.join(7, z(4, 9));
    script.accepted(5);
    script.promise(8, z(4, 9));
    script.promise(7, z(4, 9));
    script.entered(5);
    assert!(!script.said().contains(&"enter 5".into()));
    script.promise(2, z(4, 9));
    script.entered(5);
    script.ack(8, z(5, 0));
    script.ack(7, z(5, 0));
    assert!(!script.leader.is_established());
    script.said();
    script.ack(2, z(5, 0));
    assert_eq!(
        script.said(),
        [
            "established 5",
            "2: UpToDate -1",
            "7: UpToDate -1",
            "8: UpToDate -1",
        ]
    );
    let status = script.leader.status();
    assert_eq!(status.learner_count(), 3);
    assert_eq!(status.synced_followers(), 2);
    assert_eq!(status.synced_non_voting_followers(), 1);
    assert_eq!(status.synced_observers(), 1);
}

#[test]
fn both_views_must_agree_to_everything() {
    let joined: BTreeSet<ServerId> = [1, 4, 5].map(ServerId).into();
    let membership = Membership {
        last_seen: Some(View {
            version: 8,
            verifier: QuorumVerifier::Majority(joined.clone()),
            voters: joined,
            observers: BTreeSet::new(),
            text: Bytes::from_static(b"version=8"),
        }),
        ..membership(3)
    };
    let mut script = Script::of(&membership, &settings());
    script.join(2, z(4, 9));
    assert_eq!(script.said(), [""; 0]);
    script.join(4, z(4, 9));
    assert_eq!(script.said(), ["accept 5"]);
    script.accepted(5);
    script.promise(2, z(4, 9));
    script.promise(4, z(4, 9));
    script.entered(5);
    script.ack(2, z(5, 0));
    assert!(!script.leader.is_established());
    script.ack(4, z(5, 0));
    assert!(script.leader.is_established());
    let zxid = script.propose();
    script.persisted(zxid);
    script.ack(2, zxid);
    assert_eq!(script.leader.last_committed(), z(5, 0));
    script.ack(4, zxid);
    assert_eq!(script.leader.last_committed(), zxid);
}

#[test]
fn a_learner_that_left_before_the_end_does_not_hold_the_initial_history() {
    let mut script = Script::new(3);
    script.join(2, z(4, 9));
    script.accepted(5);
    script.promise(2, z(4, 9));
    script.ack(2, z(5, 0));
    script.close(2);
    script.entered(5);
    assert!(!script.leader.is_established());
    script.join(2, z(5, 0));
    script.promise_in(2, -1, z(4, 9));
    script.ack(2, z(5, 0));
    assert!(script.leader.is_established());
}

#[test]
fn a_follower_without_any_database_gets_one_but_does_not_count() {
    let mut script = Script::new(3);
    script.join(2, Zxid::ZERO);
    script.accepted(5);
    script.said();
    script.promise_in(2, 0, Zxid::NONE);
    assert_eq!(script.said(), [""; 0]);
}
