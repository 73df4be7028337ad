use super::script::{Script, membership, settings, z};
use crate::{EnsembleSettings, LeaderAction, LogProbe};
use zooid_proto::{PacketType, QuorumPacket, Zxid};

/// A leader of epoch 5 that has committed (5, 1) and (5, 2) and has (5, 3) in flight.
fn busy() -> Script {
    let mut script = Script::established(3);
    for _ in 0..3 {
        script.propose();
    }
    script.persisted(z(5, 3));
    script.ack(2, z(5, 2));
    assert_eq!(script.leader.last_committed(), z(5, 2));
    assert_eq!(script.leader.outstanding(), 1);
    script.said();
    script
}

/// ZOOKEEPER-3104: the proposal in flight is before NEWLEADER, and comes once.
const REST: [&str; 2] = ["Proposal 5.3", "NewLeader 5.0"];

#[test]
fn a_learner_within_the_window_gets_packets() {
    let mut script = busy();
    script.catch_up(3, z(4, 9));
    let packets = [
        "LeaderInfo 5.0",
        "Diff 5.2",
        "Proposal 5.1",
        "Commit 5.1",
        "Proposal 5.2",
        "Commit 5.2",
    ];
    assert_eq!(script.said_to(3), [&packets[..], &REST].concat());
}

#[test]
fn a_learner_that_has_everything_gets_an_empty_diff() {
    let mut script = busy();
    script.catch_up(3, z(5, 2));
    let packets = ["LeaderInfo 5.0", "Diff 5.2"];
    assert_eq!(script.said_to(3), [&packets[..], &REST].concat());
}

#[test]
fn a_learner_at_the_start_of_the_epoch_gets_all_of_it() {
    let mut script = busy();
    script.catch_up(3, z(5, 0));
    let packets = [
        "LeaderInfo 5.0",
        "Diff 5.2",
        "Proposal 5.1",
        "Commit 5.1",
        "Proposal 5.2",
        "Commit 5.2",
    ];
    assert_eq!(script.said_to(3), [&packets[..], &REST].concat());
}

#[test]
fn a_learner_before_the_window_gets_the_log_and_then_the_window() {
    let mut script = busy();
    script.catch_up(3, z(4, 3));
    assert_eq!(script.said_to(3), ["LeaderInfo 5.0", "probe 4.3"]);
    // Meanwhile the world goes on, and it does not hear of it yet.
    script.ack(2, z(5, 3));
    script.propose();
    assert_eq!(script.said_to(3), [""; 0]);
    let (prev, next) = (z(4, 3), z(4, 4));
    script.probed(3, LogProbe::Found { prev, next });
    assert_eq!(
        script.said_to(3),
        [
            "Diff 5.3",
            "log 4.3..=4.9",
            "Proposal 5.1",
            "Commit 5.1",
            "Proposal 5.2",
            "Commit 5.2",
            "Proposal 5.3",
            "Commit 5.3",
            "Proposal 5.4",
            "NewLeader 5.0",
        ]
    );
    script.ack(2, z(5, 4));
    script.persisted(z(5, 4));
    assert_eq!(script.said_to(3), ["Commit 5.4"]);
    script.probed(3, LogProbe::Unknown);
    assert_eq!(script.said_to(3), [""; 0], "nobody has asked a second time");
}

#[test]
fn the_log_cuts_what_it_does_not_have() {
    let mut script = busy();
    script.catch_up(3, z(3, 7));
    script.probed(
        3,
        LogProbe::Found {
            prev: z(3, 6),
            next: z(3, 8),
        },
    );
    let packets = [
        "LeaderInfo 5.0",
        "probe 3.7",
        "Trunc 3.6",
        "log 3.6..=4.8",
        "Proposal 4.9",
        "Commit 4.9",
        "Proposal 5.1",
        "Commit 5.1",
        "Proposal 5.2",
        "Commit 5.2",
    ];
    assert_eq!(script.said_to(3), [&packets[..], &REST].concat());
}

#[test]
fn a_learner_that_the_log_cannot_help_gets_a_snapshot() {
    let mut script = busy();
    script.catch_up(3, z(4, 3));
    script.probed(3, LogProbe::Unknown);
    let packets = ["LeaderInfo 5.0", "probe 4.3", "snapshot"];
    assert_eq!(script.said_to(3), [&packets[..], &REST].concat());
}

#[test]
fn a_learner_with_proposals_in_flight_is_cut_and_gets_them_again() {
    let mut script = busy();
    script.catch_up(3, z(5, 3));
    let packets = ["LeaderInfo 5.0", "Trunc 5.2"];
    assert_eq!(script.said_to(3), [&packets[..], &REST].concat());
}

/// It may have been told to cut it off, so it does not have it until it says so again.
#[test]
fn what_a_server_acknowledged_on_an_older_link_does_not_count() {
    let mut script = Script::established(3);
    let zxid = script.propose();
    script.ack(2, zxid);
    script.close(2);
    script.persisted(zxid);
    assert_eq!(script.leader.last_committed(), z(5, 0));
    script.catch_up(2, zxid);
    script.ack(2, z(5, 0));
    assert_eq!(script.leader.last_committed(), z(5, 0));
    script.ack(2, zxid);
    assert_eq!(script.leader.last_committed(), zxid);
}

#[test]
fn live_traffic_follows_once_and_uptodate_after_the_acknowledgement() {
    let mut script = busy();
    script.catch_up(3, z(5, 2));
    script.said();
    script.propose();
    script.ack(2, z(5, 3));
    assert_eq!(script.said_to(3), ["Proposal 5.4", "Commit 5.3"]);
    script.ack(3, z(5, 0));
    assert_eq!(script.said_to(3), ["UpToDate -1"]);
    script.ack(3, z(5, 0));
    assert_eq!(
        script.said(),
        [""; 0],
        "the second one, after UPTODATE, says nothing"
    );
}

#[test]
fn observers_are_synchronized_with_pairs_and_informed_of_commits_only() {
    let mut script = busy();
    script.observe(8, z(5, 1));
    script.promise(8, z(5, 1));
    assert_eq!(
        script.said_to(8),
        [
            "LeaderInfo 5.0",
            "Diff 5.2",
            "Proposal 5.2",
            "Commit 5.2",
            "NewLeader 5.0",
        ]
    );
    script.propose();
    script.ack(2, z(5, 3));
    assert_eq!(script.said_to(8), ["Inform 5.3"]);
    script.persisted(z(5, 4));
    script.ack(8, z(5, 0));
    script.ack(8, z(5, 4));
    assert_eq!(
        script.said_to(8),
        ["UpToDate -1"],
        "its word does not count"
    );
    script.ack(2, z(5, 4));
    let inform = QuorumPacket::with_data(PacketType::Inform, z(5, 4), "0x500000004");
    let actions = script.actions();
    let to_observers = LeaderAction::Broadcast([crate::LinkId(8)].into(), inform);
    assert!(actions.contains(&to_observers));
}

#[test]
fn observers_wait_for_each_other_and_followers_do_not() {
    let one_at_a_time = EnsembleSettings {
        snap_syncs_max: 1,
        diff_syncs_max: 1,
        ..settings()
    };
    let mut script = Script::of(&membership(3), &one_at_a_time);
    script.establish();
    script.observe(8, Zxid::ZERO);
    script.promise(8, Zxid::ZERO);
    script.probed(8, LogProbe::Unknown);
    script.observe(9, Zxid::ZERO);
    script.promise(9, Zxid::ZERO);
    script.said();
    script.probed(9, LogProbe::Unknown);
    let refusal = "hangup, 1 learners are being synchronized already";
    assert_eq!(script.said_to(9), [refusal]);
    script.catch_up(3, Zxid::ZERO);
    script.probed(3, LogProbe::Unknown);
    assert!(script.said_to(3).contains(&"snapshot".into()));
    // The other kind has a limit of its own, and the end of a synchronisation makes room.
    script.observe(9, z(4, 9));
    script.promise(9, z(4, 9));
    assert!(script.said_to(9).contains(&"Diff 4.9".into()));
    script.close(9);
    script.close(3);
    script.ack(8, z(5, 0));
    script.observe(9, Zxid::ZERO);
    script.promise(9, Zxid::ZERO);
    script.probed(9, LogProbe::Unknown);
    assert!(script.said_to(9).contains(&"snapshot".into()));
}

#[test]
fn a_snapshot_can_be_forced() {
    let forced = EnsembleSettings {
        force_snapshot_sync: true,
        ..settings()
    };
    let mut script = Script::of(&membership(3), &forced);
    script.join(2, z(4, 9));
    script.accepted(5);
    script.promise(2, z(4, 9));
    assert_eq!(
        script.said_to(2),
        ["LeaderInfo 5.0", "snapshot", "NewLeader 5.0"]
    );
}

#[test]
fn newleader_carries_the_configuration() {
    let mut script = Script::new(3);
    script.join(2, z(4, 9));
    script.accepted(5);
    script.promise(2, z(4, 9));
    let expected = QuorumPacket::with_data(PacketType::NewLeader, z(5, 0), "version=7");
    let actions = script.actions();
    let sent = LeaderAction::Send(crate::LinkId(2), expected);
    assert_eq!(actions.last(), Some(&sent));
}
