//! `initLimit` and `syncLimit`.

use super::script::{Bench, EPOCH, INIT_MS, SYNC_MS, resigned, z};
use crate::Epochs;
use crate::LearnerKind::Follower;
use alloc::string::String;
use zooid_proto::PacketType::{LeaderInfo, NewLeader, Ping, Proposal, UpToDate};
use zooid_proto::{Epoch, Zxid};

/// The learner waits until `deadline_ms`, and no longer.
fn check_gives_up_at(bench: &mut Bench, deadline_ms: i64) {
    assert_eq!(bench.learner.next_wakeup_ms(), deadline_ms);
    assert_eq!(bench.at(deadline_ms - 1).timer(), [""; 0]);
    let words = bench.at(deadline_ms).timer();
    assert_eq!(words[0], "silent 3");
    assert!(
        resigned(&words[1..]).starts_with("nothing from leader 3"),
        "{words:?}"
    );
    assert_eq!(bench.timer(), [""; 0]);
}

fn dialing() -> Bench {
    let epochs = Epochs {
        accepted: Epoch(5),
        current: Epoch(5),
    };
    Bench::dialing(Follower, epochs, z(5, 7))
}

#[test]
fn a_dial_without_an_answer_ends_at_the_init_limit() {
    check_gives_up_at(&mut dialing(), INIT_MS);
}

#[test]
fn a_leader_that_does_not_announce_its_epoch_is_left() {
    let mut bench = dialing();
    bench.at(300).link_up();
    check_gives_up_at(&mut bench, 300 + INIT_MS);
}

#[test]
fn a_leader_that_falls_silent_during_synchronisation_is_left() {
    let mut bench = Bench::behind_diff(Follower, z(5, 7));
    bench.at(700).hear(Proposal, z(5, 8));
    check_gives_up_at(&mut bench, 700 + INIT_MS);
}

#[test]
fn the_bytes_of_a_long_snapshot_are_no_silence() {
    let mut bench = Bench::synchronizing(Follower, z(5, 7));
    bench.learner.heard(INIT_MS - 1);
    assert_eq!(bench.at(INIT_MS).timer(), [""; 0]);
    check_gives_up_at(&mut bench, 2 * INIT_MS - 1);
}

/// A leader waits for a quorum before it says UPTODATE, for `initLimit` at most.
#[test]
fn until_uptodate_the_init_limit_holds() {
    let mut bench = Bench::behind_diff(Follower, z(5, 7));
    bench.at(10).hear(NewLeader, z(6, 0));
    bench.epoch_entered(EPOCH);
    assert_eq!(
        bench.at(10 + INIT_MS).timer(),
        [""; 0],
        "the storage had its time"
    );
    check_gives_up_at(&mut bench, 10 + 2 * INIT_MS);
}

#[test]
fn afterwards_the_sync_limit_holds_and_any_packet_counts() {
    let mut bench = Bench::serving(Follower, z(5, 7));
    assert_eq!(bench.learner.next_wakeup_ms(), SYNC_MS);
    bench.at(900).hear(Ping, z(6, 0));
    check_gives_up_at(&mut bench, 900 + SYNC_MS);
}

#[test]
fn a_slow_disk_is_not_the_leaders_fault() {
    let mut bench = dialing();
    bench.link_up();
    bench.hear(LeaderInfo, z(6, 0));
    for round in 1..=3 {
        assert_eq!(bench.at(round * INIT_MS).timer(), [""; 0]);
    }
    bench.epoch_accepted(EPOCH);
    assert_eq!(bench.at(4 * INIT_MS).timer(), [""; 0], "just asked");
    check_gives_up_at(&mut bench, 5 * INIT_MS);
}

#[test]
fn nor_is_a_slow_installation_or_truncation() {
    let mut snap = Bench::synchronizing(Follower, z(5, 7));
    snap.snapshot(z(6, 4));
    let mut trunc = Bench::synchronizing(Follower, z(5, 7));
    trunc.hear(zooid_proto::PacketType::Trunc, z(5, 6));
    for bench in [&mut snap, &mut trunc] {
        assert_eq!(bench.at(INIT_MS).timer(), [""; 0]);
        bench.at(INIT_MS + 500);
    }
    snap.installed();
    trunc.truncated(z(5, 6));
    for bench in [&mut snap, &mut trunc] {
        check_gives_up_at(bench, 2 * INIT_MS + 500);
    }
}

#[test]
fn nor_is_a_slow_sync_before_newleader_is_acknowledged() {
    let mut bench = Bench::behind_diff(Follower, z(5, 7));
    bench.hear_committed(z(5, 8));
    bench.hear(NewLeader, z(6, 0));
    assert_eq!(bench.at(INIT_MS).timer(), [""; 0]);
    bench.persisted(z(5, 8));
    assert_eq!(bench.at(2 * INIT_MS).timer(), [""; 0]);
    bench.epoch_entered(EPOCH);
    let words = bench.at(2 * INIT_MS + 1).hear(UpToDate, Zxid::NONE);
    assert_eq!(
        words,
        [String::from("send Ack 6.0"), String::from("serve 6")]
    );
}
