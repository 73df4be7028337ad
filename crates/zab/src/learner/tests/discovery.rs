//! From the dial to ACKEPOCH.

use super::script::{Bench, EPOCH, INIT_MS, packet, resigned, z};
use crate::LearnerKind::{Follower, Observer};
use crate::{Epochs, LearnerAction, LearnerPhase};
use alloc::vec::Vec;
use zooid_proto::PacketType::{AckEpoch, FollowerInfo, LeaderInfo, NewLeader, ObserverInfo, Ping};
use zooid_proto::{Epoch, LearnerInfo, QuorumPacket, ServerId, Zxid};

fn epochs(accepted: i64, current: i64) -> Epochs {
    Epochs {
        accepted: Epoch(accepted),
        current: Epoch(current),
    }
}

fn sent(
    bench: &mut Bench,
    input: impl FnOnce(&mut crate::Learner, &mut Vec<LearnerAction>),
) -> QuorumPacket {
    let mut out = Vec::new();
    input(&mut bench.learner, &mut out);
    match out.as_slice() {
        [LearnerAction::Send(packet)] => packet.clone(),
        other => panic!("{other:?}"),
    }
}

#[test]
fn it_introduces_itself_with_the_epoch_it_has_accepted() {
    for (kind, packet) in [(Follower, FollowerInfo), (Observer, ObserverInfo)] {
        let mut bench = Bench::dialing(kind, epochs(5, 4), z(4, 9));
        assert_eq!(bench.learner.kind(), kind);
        assert_eq!(bench.learner.leader(), ServerId(3));
        assert_eq!(bench.learner.phase(), LearnerPhase::Discovery);
        let introduction = sent(&mut bench, |learner, out| learner.link_up(0, out));
        assert_eq!(introduction.kind, packet);
        assert_eq!(introduction.zxid, z(5, 0));
        let info = LearnerInfo::decode_prefix(&introduction.data.unwrap()).unwrap();
        assert_eq!(info.server_id, ServerId(1));
        assert_eq!(info.protocol_version, 0x1_0000);
        assert_eq!(info.config_version, 0x77);
    }
}

#[test]
fn a_newer_epoch_is_accepted_durably_before_it_is_acknowledged() {
    let mut bench = Bench::dialing(Follower, epochs(5, 4), z(4, 9));
    bench.link_up();
    assert_eq!(bench.hear(LeaderInfo, z(6, 0)), ["accept epoch 6"]);
    assert_eq!(bench.learner.epoch(), None);
    assert!(bench.epoch_accepted(Epoch(5)).is_empty());
    let ack = sent(&mut bench, |learner, out| {
        learner.epoch_accepted(EPOCH, out);
    });
    assert_eq!(ack.kind, AckEpoch);
    assert_eq!(ack.zxid, z(4, 9));
    assert_eq!(ack.data.unwrap().as_ref(), 4i32.to_be_bytes());
    assert_eq!(bench.learner.epoch(), Some(EPOCH));
    assert_eq!(bench.learner.phase(), LearnerPhase::Synchronization);
}

#[test]
fn an_epoch_accepted_before_is_not_acknowledged_twice() {
    let mut bench = Bench::dialing(Follower, epochs(6, 4), z(4, 9));
    bench.link_up();
    let ack = sent(&mut bench, |learner, out| {
        learner.packet(0, &packet(LeaderInfo, z(6, 0)), out);
    });
    assert_eq!(ack.kind, AckEpoch);
    assert_eq!(ack.data.unwrap().as_ref(), (-1i32).to_be_bytes());
    assert_eq!(bench.learner.epoch(), Some(EPOCH));
}

#[test]
fn an_older_epoch_is_refused() {
    let mut bench = Bench::dialing(Follower, epochs(7, 4), z(4, 9));
    bench.link_up();
    let words = bench.hear(LeaderInfo, z(6, 0));
    assert_eq!(
        resigned(&words),
        "the leader's epoch 6 is older than 7, accepted before"
    );
}

#[test]
fn anything_but_leaderinfo_at_the_start_is_refused() {
    for kind in [NewLeader, Ping] {
        let mut bench = Bench::dialing(Follower, epochs(5, 5), z(5, 1));
        bench.link_up();
        let words = bench.hear(kind, z(6, 0));
        assert!(
            resigned(&words).ends_with("instead of LEADERINFO"),
            "{words:?}"
        );
    }
}

#[test]
fn nothing_may_come_while_the_epoch_is_being_accepted() {
    let mut bench = Bench::dialing(Follower, epochs(5, 5), z(5, 1));
    bench.link_up();
    bench.hear(LeaderInfo, z(6, 0));
    let words = bench.hear(LeaderInfo, z(6, 0));
    assert!(resigned(&words).ends_with("before ACKEPOCH"), "{words:?}");
    assert!(bench.epoch_accepted(EPOCH).is_empty(), "it is over");
}

#[test]
fn a_leader_that_is_not_there_yet_is_dialed_again() {
    let mut bench = Bench::dialing(Follower, epochs(5, 5), z(5, 1));
    for attempt in 1..5 {
        assert!(bench.link_down().is_empty());
        assert_eq!(bench.learner.next_wakeup_ms(), attempt * 100);
        assert!(bench.at(attempt * 100 - 1).timer().is_empty());
        assert_eq!(bench.at(attempt * 100).timer(), ["dial 3"]);
        assert!(bench.timer().is_empty(), "one at a time");
        assert_eq!(bench.learner.next_wakeup_ms(), INIT_MS);
    }
    let words = bench.link_down();
    assert_eq!(words, ["resign: leader 3 cannot be reached"]);
    assert_eq!(bench.learner.next_wakeup_ms(), i64::MAX);
}

#[test]
fn a_dial_that_fails_late_is_not_repeated() {
    let mut bench = Bench::dialing(Follower, epochs(5, 5), z(5, 1));
    let words = bench.at(INIT_MS - 100).link_down();
    assert_eq!(words, ["resign: leader 3 cannot be reached"]);
}

#[test]
fn a_link_that_ends_once_it_stood_ends_it_all() {
    let mut bench = Bench::dialing(Follower, epochs(5, 5), z(5, 1));
    bench.link_up();
    assert_eq!(bench.link_down(), ["resign: the link to leader 3 is gone"]);
    assert!(bench.link_down().is_empty());
}

#[test]
fn a_database_without_any_history_says_so() {
    for last in [Zxid::ZERO, Zxid::NONE, z(5, 0)] {
        let mut bench = Bench::synchronizing(Follower, last);
        assert!(
            bench
                .hear(zooid_proto::PacketType::Diff, z(5, 0))
                .is_empty()
        );
        assert_eq!(bench.hear_committed(z(6, 1)), ["append 6.1", "commit 6.1"]);
    }
}
