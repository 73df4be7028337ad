//! DIFF, TRUNC, SNAP, and on to UPTODATE.

use super::script::{Bench, EPOCH, packet, resigned, z};
use crate::LearnerKind::{Follower, Observer};
use crate::LearnerPhase;
use crate::learner::held::HELD_BYTES_MAX;
use bytes::Bytes;
use zooid_proto::PacketType::{
    Ack, Commit, CommitAndActivate, Diff, Inform, InformAndActivate, LeaderInfo, NewLeader, Ping,
    Proposal, Request, Revalidate, Snap, Sync, Trunc, UpToDate,
};
use zooid_proto::{QuorumPacket, Zxid};

#[test]
fn a_follower_goes_the_road_of_diff_and_then_follows() {
    let mut bench = Bench::behind_diff(Follower, z(5, 7));
    assert_eq!(bench.learner.phase(), LearnerPhase::Synchronization);
    assert_eq!(bench.hear_committed(z(5, 8)), ["append 5.8", "commit 5.8"]);
    assert_eq!(bench.hear_committed(z(6, 1)), ["append 6.1", "commit 6.1"]);
    assert_eq!(bench.hear(NewLeader, z(6, 0)), [""; 0]);
    assert_eq!(bench.persisted(z(6, 1)), ["enter epoch 6"]);
    assert_eq!(bench.epoch_entered(EPOCH), ["send Ack 6.0"]);
    assert!(!bench.learner.is_serving());
    assert_eq!(
        bench.hear(UpToDate, Zxid::NONE),
        ["send Ack 6.0", "serve 6"]
    );
    assert!(bench.learner.is_serving());
    assert_eq!(bench.learner.phase(), LearnerPhase::Broadcast);
    assert_eq!(bench.learner.epoch(), Some(EPOCH));
    assert_eq!(bench.hear(Proposal, z(6, 2)), ["append 6.2"]);
    assert_eq!(bench.persisted(z(6, 2)), ["send Ack 6.2"]);
    assert_eq!(bench.hear(Commit, z(6, 2)), ["commit 6.2"]);
}

#[test]
fn with_nothing_to_catch_up_with_the_epoch_is_entered_at_once() {
    let mut bench = Bench::behind_diff(Follower, z(5, 7));
    assert_eq!(bench.hear(NewLeader, z(6, 0)), ["enter epoch 6"]);
}

#[test]
fn trunc_cuts_first_and_holds_what_comes_behind() {
    let mut bench = Bench::synchronizing(Follower, z(5, 7));
    assert_eq!(bench.hear(Trunc, z(5, 5)), ["truncate 5.5"]);
    assert_eq!(bench.hear_committed(z(6, 1)), [""; 0]);
    assert_eq!(bench.hear(NewLeader, z(6, 0)), [""; 0]);
    assert_eq!(bench.hear(Proposal, z(6, 2)), [""; 0]);
    assert_eq!(
        bench.truncated(z(5, 5)),
        ["append 6.1", "commit 6.1", "append 6.2"]
    );
    assert_eq!(bench.persisted(z(6, 1)), ["enter epoch 6"]);
    assert_eq!(bench.epoch_entered(EPOCH), ["send Ack 6.0"]);
    assert_eq!(bench.persisted(z(6, 2)), [""; 0]);
    assert_eq!(
        bench.hear(UpToDate, Zxid::NONE),
        ["send Ack 6.0", "send Ack 6.2", "serve 6"]
    );
}

#[test]
fn a_cut_at_an_epochs_start_leaves_what_is_before_it() {
    let mut bench = Bench::synchronizing(Follower, z(5, 7));
    assert_eq!(bench.hear(Trunc, z(5, 0)), ["truncate 5.0"]);
    assert_eq!(bench.truncated(z(4, 9)), [""; 0]);
    assert_eq!(bench.hear_committed(z(6, 1)), ["append 6.1", "commit 6.1"]);
}

#[test]
fn a_cut_that_missed_its_transaction_is_not_gone_on_from() {
    let mut bench = Bench::synchronizing(Follower, z(5, 7));
    bench.hear(Trunc, z(5, 5));
    let words = bench.truncated(z(5, 3));
    assert!(resigned(&words).contains("was not in the log"), "{words:?}");
}

/// A history that came as a snapshot cannot be cut within it. The leader may need this server, so the
/// role is kept, and only the link is made anew.
#[test]
fn who_cannot_cut_asks_the_leader_for_a_snapshot() {
    let mut bench = Bench::synchronizing(Follower, z(5, 7));
    assert_eq!(bench.cannot_truncate(), [""; 0], "no cut was asked for");
    bench.hear(Trunc, z(5, 5));
    let again = ["hangup", "dial 3"];
    assert_eq!(bench.cannot_truncate(), again);
    assert_eq!(bench.truncated(z(5, 5)), [""; 0], "of the old link");
    bench.link_up();
    // The start of an epoch that is yet to come, which no leader takes for a part of its history.
    let asked = bench.hear(LeaderInfo, z(6, 0));
    assert_eq!(asked, ["send AckEpoch 7.0"]);
    assert_eq!(bench.snapshot(z(5, 5)), ["install 5.5"]);
    bench.installed();
    assert_eq!(bench.hear(NewLeader, z(6, 0)), ["enter epoch 6"]);
}

#[test]
fn a_leader_that_wants_a_cut_even_so_is_not_asked_for_ever() {
    let mut bench = Bench::synchronizing(Follower, z(5, 7));
    bench.hear(Trunc, z(5, 5));
    bench.cannot_truncate();
    bench.link_up();
    bench.hear(LeaderInfo, z(6, 0));
    bench.hear(Trunc, z(5, 5));
    assert_eq!(bench.cannot_truncate(), ["halt: nothing leads there"]);
}

/// A full disk is no reason to stop: what there was is all still there.
#[test]
fn who_has_no_room_for_a_snapshot_looks_for_a_leader_again() {
    let mut bench = Bench::synchronizing(Follower, z(5, 7));
    assert_eq!(
        bench.cannot_install(),
        [""; 0],
        "there was nothing to install"
    );
    assert_eq!(bench.snapshot(z(5, 9)), ["install 5.9"]);
    assert_eq!(bench.cannot_install(), ["hangup", "resign: no room"]);
    assert_eq!(bench.installed(), [""; 0], "of a role that is over");
}

#[test]
fn a_cut_that_left_too_much_halts() {
    let mut bench = Bench::synchronizing(Follower, z(5, 7));
    bench.hear(Trunc, z(5, 5));
    let words = bench.truncated(z(5, 6));
    assert!(
        words[0].starts_with("halt: the log was to be cut"),
        "{words:?}"
    );
    assert_eq!(bench.hear(Proposal, z(6, 1)), [""; 0]);
}

#[test]
fn a_cut_beyond_the_end_is_refused() {
    for target in [z(5, 8), z(6, 0), Zxid::NONE] {
        let mut bench = Bench::synchronizing(Follower, z(5, 7));
        let words = bench.hear(Trunc, target);
        assert!(
            resigned(&words).ends_with("ends at 0x500000007"),
            "{words:?}"
        );
    }
}

#[test]
fn a_diff_that_ends_before_this_servers_history_is_refused() {
    let mut bench = Bench::synchronizing(Follower, z(5, 7));
    let words = bench.hear(Diff, z(5, 6));
    assert!(resigned(&words).starts_with("DIFF to"), "{words:?}");
}

#[test]
fn a_snapshot_is_installed_first_and_what_it_has_already_is_skipped() {
    let mut bench = Bench::synchronizing(Follower, z(3, 1));
    assert_eq!(bench.snapshot(z(6, 4)), ["install 6.4"]);
    assert_eq!(bench.hear_committed(z(6, 3)), [""; 0]);
    assert_eq!(bench.hear(Proposal, z(6, 4)), [""; 0]);
    assert_eq!(bench.hear(Proposal, z(6, 5)), [""; 0]);
    assert_eq!(bench.hear(Commit, z(6, 4)), [""; 0]);
    assert_eq!(bench.hear(Commit, z(6, 5)), [""; 0]);
    assert_eq!(bench.hear(NewLeader, z(6, 0)), [""; 0]);
    assert_eq!(bench.installed(), ["append 6.5", "commit 6.5"]);
    assert_eq!(bench.persisted(z(6, 5)), ["enter epoch 6"]);
    assert_eq!(bench.epoch_entered(EPOCH), ["send Ack 6.0"]);
}

#[test]
fn a_snapshot_and_nothing_else_needs_no_log() {
    let mut bench = Bench::synchronizing(Observer, Zxid::NONE);
    bench.snapshot(z(6, 0));
    bench.hear(NewLeader, z(6, 0));
    assert_eq!(bench.installed(), ["enter epoch 6"]);
    assert_eq!(bench.hear(Inform, z(6, 1)), ["append 6.1", "commit 6.1"]);
}

#[test]
fn behind_a_snapshot_a_gap_is_refused() {
    let mut bench = Bench::synchronizing(Follower, z(3, 1));
    bench.snapshot(z(6, 4));
    bench.installed();
    let words = bench.hear(Proposal, z(6, 6));
    assert!(resigned(&words).contains("does not follow"), "{words:?}");
}

#[test]
fn without_a_snapshot_nothing_may_come_twice() {
    for zxid in [z(5, 7), z(5, 2)] {
        let mut bench = Bench::behind_diff(Follower, z(5, 7));
        let words = bench.hear(Proposal, zxid);
        assert!(resigned(&words).contains("does not follow"), "{words:?}");
    }
}

#[test]
fn a_commit_may_come_twice_but_not_for_something_unknown() {
    let mut bench = Bench::behind_diff(Follower, z(5, 7));
    bench.hear_committed(z(5, 8));
    assert_eq!(bench.hear(Commit, z(5, 8)), [""; 0]);
    assert_eq!(bench.hear(Commit, z(5, 7)), [""; 0]);
    let mut unknown = bench.clone();
    let words = unknown.hear(Commit, z(5, 9));
    assert!(resigned(&words).contains("never proposed"), "{words:?}");
    bench.hear(Proposal, z(5, 9));
    bench.hear(Proposal, z(5, 10));
    let words = bench.hear(Commit, z(5, 10));
    assert!(resigned(&words).contains("is next"), "{words:?}");
}

#[test]
fn an_observer_is_synchronised_with_pairs_and_then_informed() {
    let mut bench = Bench::behind_diff(Observer, z(5, 7));
    assert_eq!(bench.hear_committed(z(5, 8)), ["append 5.8", "commit 5.8"]);
    assert_eq!(bench.hear(Inform, z(6, 1)), ["append 6.1", "commit 6.1"]);
    bench.hear(NewLeader, z(6, 0));
    assert_eq!(bench.persisted(z(6, 1)), ["enter epoch 6"]);
    assert_eq!(bench.epoch_entered(EPOCH), ["send Ack 6.0"]);
    assert_eq!(bench.hear(Inform, z(6, 2)), ["append 6.2", "commit 6.2"]);
    assert_eq!(
        bench.hear(UpToDate, Zxid::NONE),
        ["send Ack 6.0", "serve 6"]
    );
    assert_eq!(bench.persisted(z(6, 2)), [""; 0], "nobody counts on it");
}

#[test]
fn an_observer_given_an_outstanding_proposal_commits_it_when_informed() {
    let mut bench = Bench::behind_diff(Observer, z(5, 7));
    assert_eq!(bench.hear(Proposal, z(5, 8)), ["append 5.8"]);
    assert_eq!(bench.hear(Inform, z(5, 8)), ["commit 5.8"]);
}

#[test]
fn orders_that_activate_a_configuration_carry_transactions_like_others() {
    let mut follower = Bench::behind_diff(Follower, z(5, 7));
    follower.hear(Proposal, z(5, 8));
    assert_eq!(follower.hear(CommitAndActivate, z(5, 8)), ["commit 5.8"]);
    let mut observer = Bench::behind_diff(Observer, z(5, 7));
    assert_eq!(
        observer.hear(InformAndActivate, z(5, 8)),
        ["append 5.8", "commit 5.8"]
    );
}

#[test]
fn pings_are_not_answered_before_uptodate() {
    let mut bench = Bench::synchronizing(Follower, z(5, 7));
    assert_eq!(bench.hear(Ping, z(6, 0)), [""; 0]);
    bench.hear(Diff, z(6, 0));
    assert_eq!(bench.hear(Ping, z(6, 0)), [""; 0]);
    bench.hear(NewLeader, z(6, 0));
    assert_eq!(bench.hear(Ping, z(6, 0)), [""; 0]);
    bench.epoch_entered(EPOCH);
    assert_eq!(bench.hear(Ping, z(6, 0)), [""; 0]);
}

#[test]
fn the_leader_of_one_epoch_cannot_be_the_new_leader_of_another() {
    let mut bench = Bench::behind_diff(Follower, z(5, 7));
    let words = bench.hear(NewLeader, z(7, 0));
    assert!(resigned(&words).ends_with("leader of epoch 6"), "{words:?}");
}

#[test]
fn a_text_of_the_configuration_is_not_needed() {
    let mut bench = Bench::behind_diff(Follower, z(5, 7));
    let words = bench.hear_packet(&QuorumPacket::new(NewLeader, z(6, 0)));
    assert_eq!(words, ["enter epoch 6"]);
}

#[test]
fn uptodate_must_be_waited_for() {
    let mut at_once = Bench::synchronizing(Follower, z(5, 7));
    let mut before_newleader = Bench::behind_diff(Follower, z(5, 7));
    let mut before_its_ack = before_newleader.clone();
    before_its_ack.hear(NewLeader, z(6, 0));
    for bench in [&mut at_once, &mut before_newleader, &mut before_its_ack] {
        let words = bench.hear(UpToDate, Zxid::NONE);
        assert!(resigned(&words).starts_with("UpToDate"), "{words:?}");
    }
}

#[test]
fn orders_out_of_place_are_refused() {
    for kind in [
        Diff, Trunc, Snap, LeaderInfo, Ack, Request, Sync, Revalidate,
    ] {
        let mut bench = Bench::behind_diff(Follower, z(5, 7));
        let words = bench.hear(kind, z(6, 0));
        assert!(
            resigned(&words).ends_with("during synchronisation"),
            "{words:?}"
        );
    }
    for kind in [Proposal, Commit, NewLeader, Snap] {
        let mut bench = Bench::synchronizing(Follower, z(5, 7));
        let words = bench.hear(kind, z(6, 1));
        assert!(resigned(&words).ends_with("instead of DIFF, TRUNC or SNAP"));
    }
    let mut twice = Bench::behind_diff(Follower, z(5, 7));
    twice.hear(NewLeader, z(6, 0));
    assert_ne!(resigned(&twice.hear(NewLeader, z(6, 0))), "not resigned");
    let mut late = Bench::behind_diff(Follower, z(5, 7));
    assert!(resigned(&late.snapshot(z(6, 0))).ends_with("out of place"));
}

#[test]
fn a_transaction_without_data_is_refused() {
    let empty = |kind| QuorumPacket::with_data(kind, z(5, 8), Bytes::new());
    let designated = QuorumPacket::with_data(InformAndActivate, z(5, 8), &[0u8; 8][..]);
    for packet in [
        QuorumPacket::new(Proposal, z(5, 8)),
        QuorumPacket::new(Inform, z(5, 8)),
        empty(Proposal),
        empty(InformAndActivate),
        designated,
    ] {
        let mut bench = Bench::behind_diff(Observer, z(5, 7));
        let words = bench.hear_packet(&packet);
        assert!(resigned(&words).starts_with("malformed"), "{words:?}");
    }
}

#[test]
fn what_is_held_has_a_limit() {
    let mut bench = Bench::synchronizing(Follower, z(5, 7));
    bench.snapshot(z(6, 0));
    let mut large = packet(Proposal, z(6, 1));
    large.data = Some(Bytes::from(alloc::vec![0; HELD_BYTES_MAX / 4]));
    for _ in 0..3 {
        assert_eq!(bench.hear_packet(&large), [""; 0]);
    }
    let words = bench.hear_packet(&large);
    assert!(resigned(&words).starts_with("too much"), "{words:?}");
    assert_eq!(bench.installed(), [""; 0]);
}
