use super::script::{Script, z};
use zooid_proto::{PacketType, QuorumPacket};

const TICK_MS: i64 = 100;
const INIT_MS: i64 = 10 * TICK_MS;
const SYNC_MS: i64 = 5 * TICK_MS;

fn resigns_within(script: &mut Script, ms: i64, reason: &str) {
    script.said();
    script.wait(ms - 1);
    assert!(!script.said().iter().any(|line| line.starts_with("resign")));
    script.wait(1);
    assert_eq!(
        script.said().last(),
        Some(&alloc::format!("resign, {reason}"))
    );
    assert_eq!(script.leader.next_wakeup_ms(), i64::MAX);
    script.ack(2, z(5, 0));
    assert_eq!(script.said(), [""; 0], "it is over");
}

#[test]
fn every_phase_before_broadcast_has_an_end() {
    let mut script = Script::new(3);
    resigns_within(&mut script, INIT_MS, "no quorum has connected in time");

    let mut script = Script::new(3);
    script.wait(INIT_MS - 1);
    script.join(2, z(4, 9));
    resigns_within(
        &mut script,
        INIT_MS,
        "the own acceptedEpoch has not become durable in time",
    );

    let mut script = Script::new(5);
    script.join(2, z(4, 9));
    script.join(3, z(4, 9));
    script.accepted(5);
    script.promise(2, z(4, 9));
    resigns_within(
        &mut script,
        INIT_MS,
        "no quorum has accepted the epoch in time",
    );

    let mut script = Script::new(3);
    script.join(2, z(4, 9));
    script.accepted(5);
    script.promise(2, z(4, 9));
    script.wait(INIT_MS - 1);
    script.entered(5);
    resigns_within(
        &mut script,
        INIT_MS,
        "no quorum has acknowledged NEWLEADER in time",
    );
}

#[test]
fn learners_are_pinged_twice_a_tick_with_the_newest_proposal() {
    let mut script = Script::established(3);
    script.propose();
    script.said();
    script.wait(TICK_MS);
    assert_eq!(script.said(), ["2: Ping 5.1", "2: Ping 5.1"]);
    script.join(3, z(4, 9));
    script.said();
    script.wait(TICK_MS / 2);
    assert_eq!(script.said(), ["2: Ping 5.1"], "3 is not synchronized");
}

#[test]
fn a_leader_whose_followers_answer_stays() {
    let mut script = Script::established(3);
    script.wait_with(&[2], 20 * SYNC_MS);
    assert!(script.leader.is_established());
}

#[test]
fn a_leader_without_a_quorum_resigns_at_the_next_tick() {
    let mut script = Script::established(3);
    script.close(2);
    script.wait(TICK_MS);
    assert_eq!(script.said(), ["resign, too few followers are there"]);
}

#[test]
fn a_follower_that_takes_the_place_of_another_in_time_keeps_the_quorum() {
    let mut script = Script::established(3);
    script.close(2);
    script.join(3, z(4, 9));
    script.wait(3 * TICK_MS);
    assert!(script.leader.is_established());
}

#[test]
fn a_silent_follower_is_hung_up_on() {
    let mut script = Script::established(3);
    script.catch_up(3, z(5, 0));
    script.ack(3, z(5, 0));
    script.said();
    script.wait_with(&[3], SYNC_MS);
    let hangup = "2: hangup, nothing has been heard in time";
    assert!(script.said().contains(&hangup.into()));
    assert!(script.leader.is_established());
}

#[test]
fn everyone_on_the_way_has_the_longer_limit() {
    let mut script = Script::established(3);
    script.open(20);
    script.join(3, z(4, 9));
    script.introduce(30, PacketType::FollowerInfo, 7, z(4, 9));
    script.promise(30, z(4, 9));
    script.wait_with(&[2], INIT_MS - 50);
    assert!(!script.said().iter().any(|line| line.contains("hangup")));
    script.wait_with(&[2], 50);
    let hung_up: alloc::vec::Vec<_> = script
        .said()
        .into_iter()
        .filter(|line| line.ends_with("hangup, nothing has been heard in time"))
        .collect();
    assert_eq!(hung_up.len(), 3, "{hung_up:?}");
}

#[test]
fn a_snapshot_on_its_way_is_a_sign_of_life() {
    let mut script = Script::established(3);
    script.catch_up(3, z(4, 9));
    for _ in 0..4 {
        script.wait_with(&[2], INIT_MS / 2);
        script.run(|leader, now_ms, _, _| leader.sending(now_ms, crate::LinkId(3)));
    }
    assert!(!script.said().iter().any(|line| line.contains("hangup")));
}

/// Java `SyncLimitCheck`: it answers PINGs, and its disk hangs.
#[test]
fn a_follower_that_does_not_acknowledge_is_hung_up_on() {
    let mut script = Script::established(3);
    script.catch_up(3, z(5, 0));
    script.ack(3, z(5, 0));
    script.propose();
    script.ack(2, z(5, 1));
    script.ack(3, z(5, 1));
    script.persisted(z(5, 1));
    script.wait_with(&[2, 3], 2 * SYNC_MS);
    script.propose();
    script.wait_with(&[2, 3], SYNC_MS - TICK_MS);
    script.propose();
    script.ack(2, z(5, 3));
    script.persisted(z(5, 3));
    assert!(!script.said().iter().any(|line| line.contains("hangup")));
    script.wait_with(&[2, 3], 2 * TICK_MS);
    let hangup = "3: hangup, 3 acknowledges too late";
    assert!(script.said().contains(&hangup.into()));
    assert!(script.leader.is_established());
}

/// A leader that cannot write any more must not go on saying that it lives.
#[test]
fn a_leader_whose_own_disk_hangs_resigns() {
    let mut script = Script::established(3);
    let zxid = script.propose();
    script.ack(2, zxid);
    script.wait_with(&[2], SYNC_MS - TICK_MS);
    script.persisted(zxid);
    assert!(script.leader.is_established());
    let zxid = script.propose();
    script.ack(2, zxid);
    script.wait_with(&[2], SYNC_MS - TICK_MS);
    assert!(script.leader.is_established());
    script.wait_with(&[2], 2 * TICK_MS);
    let resigned = "resign, the own log has not become durable in time";
    assert!(script.said().contains(&resigned.into()));
}

/// They answer PINGs, and nothing else: nothing commits, and somebody else must try.
#[test]
fn a_leader_whose_quorum_acknowledges_nothing_resigns() {
    let mut script = Script::established(3);
    let zxid = script.propose();
    script.persisted(zxid);
    script.wait_with(&[2], SYNC_MS - TICK_MS);
    assert!(script.leader.is_established());
    script.wait_with(&[2], 3 * TICK_MS);
    let resigned = "resign, too few followers are there";
    assert!(script.said().contains(&resigned.into()));
}

#[test]
fn a_long_pause_of_this_server_is_one_beat() {
    let mut script = Script::established(3);
    script.now_ms += SYNC_MS - 1;
    script.run(|leader, now_ms, _, out| leader.timer(now_ms, out));
    assert_eq!(script.said(), ["2: Ping 5.0"]);
    script.packet(2, &QuorumPacket::new(PacketType::Ping, z(5, 0)));
    script.wait(TICK_MS);
    assert!(script.leader.is_established());
}
