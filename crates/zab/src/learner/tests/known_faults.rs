//! What went wrong in ZooKeeper, once each.

use super::script::{Bench, EPOCH, resigned, z};
use crate::LearnerKind::Follower;
use crate::LearnerPhase;
use zooid_proto::PacketType::{Commit, NewLeader, Proposal, Trunc, UpToDate};
use zooid_proto::Zxid;

/// A server that had written `currentEpoch` and then lost the history won the next election and cut
/// off what was committed.
#[test]
fn zookeeper_4643_the_epoch_is_entered_only_with_its_history_durable() {
    let mut bench = Bench::behind_diff(Follower, z(5, 7));
    bench.hear_committed(z(5, 8));
    bench.hear_committed(z(5, 9));
    assert_eq!(bench.hear(NewLeader, z(6, 0)), [""; 0]);
    assert_eq!(bench.persisted(z(5, 8)), [""; 0]);
    assert_eq!(bench.persisted(z(5, 9)), ["enter epoch 6"]);
}

/// NEWLEADER was acknowledged with transactions of the DIFF still on their way to the log.
#[test]
fn zookeeper_3911_and_4646_newleader_is_acknowledged_only_with_the_epoch_durable() {
    let mut bench = Bench::behind_diff(Follower, z(5, 7));
    bench.hear_committed(z(5, 8));
    bench.hear(Proposal, z(5, 9));
    bench.hear(NewLeader, z(6, 0));
    assert_eq!(bench.epoch_entered(EPOCH), [""; 0], "not asked for yet");
    assert_eq!(
        bench.persisted(z(5, 8)),
        [""; 0],
        "the uncommitted counts too"
    );
    assert_eq!(bench.persisted(z(5, 9)), ["enter epoch 6"]);
    assert_eq!(bench.epoch_entered(z(5, 0).epoch()), [""; 0], "another");
    assert_eq!(bench.epoch_entered(EPOCH), ["send Ack 6.0"]);
    assert_eq!(bench.epoch_entered(EPOCH), [""; 0], "once");
}

/// A proposal's ACK overtook that of NEWLEADER; the leader took it for that and gave up.
#[test]
fn zookeeper_4685_no_proposal_is_acknowledged_before_newleader() {
    let mut bench = Bench::behind_diff(Follower, z(5, 7));
    assert_eq!(bench.hear(Proposal, z(5, 8)), ["append 5.8"]);
    assert_eq!(bench.persisted(z(5, 8)), [""; 0]);
    assert_eq!(bench.hear(NewLeader, z(6, 0)), ["enter epoch 6"]);
    assert_eq!(bench.hear(Proposal, z(6, 1)), ["append 6.1"]);
    assert_eq!(bench.persisted(z(6, 1)), [""; 0]);
    assert_eq!(bench.epoch_entered(EPOCH), ["send Ack 6.0"]);
    assert_eq!(
        bench.hear(UpToDate, Zxid::NONE),
        ["send Ack 6.0", "send Ack 5.8", "send Ack 6.1", "serve 6"]
    );
}

/// The COMMIT of a proposal from before NEWLEADER found an empty queue: the follower died of it.
#[test]
fn zookeeper_4394_and_3023_a_commit_between_newleader_and_uptodate_finds_its_proposal() {
    let mut bench = Bench::behind_diff(Follower, z(5, 7));
    bench.hear(Proposal, z(5, 8));
    bench.hear(Proposal, z(5, 9));
    bench.hear(NewLeader, z(6, 0));
    assert_eq!(bench.hear(Commit, z(5, 8)), ["commit 5.8"]);
    assert_eq!(bench.persisted(z(5, 9)), ["enter epoch 6"]);
    bench.epoch_entered(EPOCH);
    assert_eq!(bench.hear(Commit, z(5, 9)), ["commit 5.9"]);
    assert_eq!(
        bench.hear(UpToDate, Zxid::NONE),
        ["send Ack 6.0", "send Ack 5.8", "send Ack 5.9", "serve 6"]
    );
}

/// Packets were moved from one queue to another at UPTODATE, and lost on the way.
#[test]
fn zookeeper_4785_a_proposal_stays_in_its_queue_from_synchronisation_to_broadcast() {
    let mut bench = Bench::behind_diff(Follower, z(5, 7));
    bench.hear(Proposal, z(5, 8));
    bench.hear(NewLeader, z(6, 0));
    bench.persisted(z(5, 8));
    bench.epoch_entered(EPOCH);
    assert_eq!(bench.hear(Proposal, z(6, 1)), ["append 6.1"]);
    assert_eq!(
        bench.hear(UpToDate, Zxid::NONE),
        ["send Ack 6.0", "send Ack 5.8", "serve 6"]
    );
    assert_eq!(bench.hear(Proposal, z(6, 2)), ["append 6.2"]);
    assert_eq!(bench.hear(Commit, z(5, 8)), ["commit 5.8"]);
    assert_eq!(bench.hear(Commit, z(6, 1)), ["commit 6.1"]);
    assert_eq!(bench.persisted(z(6, 2)), ["send Ack 6.1", "send Ack 6.2"]);
    assert_eq!(bench.hear(Commit, z(6, 2)), ["commit 6.2"]);
}

/// A hole in what the leader sent was taken over, and passed on.
#[test]
fn zookeeper_4925_a_history_with_a_hole_is_not_taken_over() {
    let mut bench = Bench::behind_diff(Follower, z(5, 7));
    bench.hear_committed(z(5, 8));
    let words = bench.hear(Proposal, z(5, 10));
    assert_eq!(
        resigned(&words),
        "transaction 0x50000000a does not follow 0x500000008"
    );
}

/// The log went on being written to for a leader that was not followed any longer.
#[test]
fn zookeeper_4712_and_4541_nothing_is_appended_for_a_leader_that_is_left() {
    for mut bench in [
        Bench::behind_diff(Follower, z(5, 7)),
        Bench::serving(Follower, z(5, 7)),
    ] {
        bench.link_down();
        assert_eq!(bench.hear(Proposal, z(5, 8)), [""; 0]);
        assert_eq!(bench.hear(Commit, z(5, 8)), [""; 0]);
        assert_eq!(bench.persisted(z(5, 8)), [""; 0]);
        assert_eq!(bench.epoch_entered(EPOCH), [""; 0]);
        assert_eq!(bench.truncated(z(5, 7)), [""; 0]);
        assert_eq!(bench.installed(), [""; 0]);
        assert_eq!(bench.timer(), [""; 0]);
        assert_eq!(bench.learner.phase(), LearnerPhase::Discovery);
    }
}

/// A snapshot was in memory only when its leader died; the next DIFF began where the disk had nothing.
#[test]
fn zookeeper_3642_a_snapshot_counts_when_it_is_installed_and_not_before() {
    let mut bench = Bench::synchronizing(Follower, z(3, 1));
    bench.snapshot(z(6, 4));
    bench.hear(Proposal, z(6, 5));
    bench.hear(NewLeader, z(6, 0));
    assert_eq!(bench.persisted(z(6, 5)), [""; 0], "of the old history");
    assert_eq!(bench.epoch_entered(EPOCH), [""; 0]);
    assert_eq!(bench.installed(), ["append 6.5"]);
    assert_eq!(bench.installed(), [""; 0], "once");
    assert_eq!(bench.persisted(z(6, 5)), ["enter epoch 6"]);
}

/// The same for a truncation.
#[test]
fn zookeeper_5094_a_truncation_counts_when_it_is_done_and_not_before() {
    let mut bench = Bench::synchronizing(Follower, z(5, 7));
    bench.hear(Trunc, z(5, 5));
    bench.hear_committed(z(6, 1));
    bench.hear(NewLeader, z(6, 0));
    assert_eq!(bench.persisted(z(5, 7)), [""; 0], "of the old history");
    assert_eq!(bench.truncated(z(5, 5)), ["append 6.1", "commit 6.1"]);
    assert_eq!(bench.truncated(z(5, 5)), [""; 0], "once");
    assert_eq!(bench.persisted(z(6, 1)), ["enter epoch 6"]);
}

/// What the quorum had committed was taken for durable here too.
#[test]
fn zookeeper_4882_a_commit_makes_nothing_durable() {
    let mut bench = Bench::serving(Follower, z(5, 7));
    bench.hear(Proposal, z(6, 1));
    assert_eq!(bench.hear(Commit, z(6, 1)), ["commit 6.1"], "and no ACK");
    let mut bench = Bench::behind_diff(Follower, z(5, 7));
    bench.hear_committed(z(5, 8));
    assert_eq!(bench.hear(NewLeader, z(6, 0)), [""; 0]);
}

/// A tail that no other server has goes before anything else is appended.
#[test]
fn zookeeper_2845_a_tail_of_its_own_is_cut_before_the_leaders_history_is_taken_over() {
    let mut bench = Bench::synchronizing(Follower, z(5, 7));
    assert_eq!(bench.hear(Trunc, z(5, 6)), ["truncate 5.6"]);
    assert_eq!(bench.hear(Proposal, z(6, 1)), [""; 0]);
    assert_eq!(bench.truncated(z(5, 6)), ["append 6.1"]);
}
