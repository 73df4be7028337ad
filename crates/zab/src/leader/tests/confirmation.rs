use super::script::{Script, z};
use zooid_proto::{PacketType, QuorumPacket, Zxid};

const TICK_MS: i64 = 100;

/// A leader of five, with followers 2, 3 and 4 and the observer 9.
fn with_three_followers() -> Script {
    let mut script = Script::new(5);
    for id in [2, 3] {
        script.join(id, z(4, 9));
    }
    script.accepted(5);
    for id in [2, 3] {
        script.promise(id, z(4, 9));
    }
    script.entered(5);
    for id in [2, 3] {
        script.ack(id, z(5, 0));
    }
    assert!(script.leader.is_established());
    script.catch_up(4, z(5, 0));
    script.ack(4, z(5, 0));
    script.observe(9, z(5, 0));
    script.promise(9, z(5, 0));
    script.ack(9, z(5, 0));
    script.said();
    script
}

#[test]
fn a_quorum_that_answers_proves_leadership() {
    let mut script = with_three_followers();
    let round = script.confirm();
    let asked = ["2: Ping Round(1)", "3: Ping Round(1)", "4: Ping Round(1)"];
    assert_eq!(script.said(), asked, "an observer has no say");
    script.answer(3, round);
    script.answer(3, round);
    script.answer(9, round);
    assert_eq!(script.said(), [""; 0], "two of five");
    script.answer(2, round);
    assert_eq!(script.said(), ["confirmed"]);
    assert_eq!(script.leader.confirmed(), round);
    script.answer(4, round);
    assert_eq!(script.said(), [""; 0], "it is known already");
}

#[test]
fn answers_to_pings_sent_before_prove_nothing() {
    let mut script = Script::established(3);
    let first = script.confirm();
    let second = script.confirm();
    assert!(second > first);
    assert_eq!(script.said(), ["2: Ping Round(1)"], "one round at a time");
    script.packet(2, &QuorumPacket::new(PacketType::Ping, z(5, 0)));
    assert_eq!(script.said(), [""; 0], "the answer to a beat");
    script.answer(2, first);
    assert_eq!(script.said(), ["confirmed", "2: Ping Round(2)"]);
    assert_eq!(script.leader.confirmed(), first);
    script.answer(2, first);
    assert_eq!(script.said(), [""; 0]);
    script.answer(2, second);
    assert_eq!(script.said(), ["confirmed"]);
    assert_eq!(script.leader.confirmed(), second);
}

/// They may have been on their way while those who sent them went over to another leader.
#[test]
fn acknowledgements_of_older_proposals_prove_nothing() {
    let mut script = Script::established(3);
    let older = script.propose();
    script.persisted(older);
    script.sync(2);
    script.ack(2, older);
    assert!(!script.said().contains(&"2: Sync 0.0".into()));
    assert_eq!(script.leader.status().pending_syncs, 1);
}

/// A session that has asked for both gets its answers in that order.
#[test]
fn a_newer_proposal_s_commit_is_proof_and_comes_behind_the_sync() {
    let mut script = Script::established(3);
    script.sync(2);
    script.propose();
    script.sync(2);
    script.said();
    script.persisted(z(5, 1));
    script.ack(2, z(5, 1));
    let due = ["2: Sync 0.0", "2: Commit 5.1", "committed 5.1"];
    assert_eq!(script.said(), due);
    assert_eq!(script.leader.status().pending_syncs, 1);
}

#[test]
fn a_quorum_of_one_has_nobody_to_ask() {
    let mut script = Script::new(1);
    script.accepted(5);
    script.entered(5);
    script.catch_up(9, z(4, 9));
    script.ack(9, z(5, 0));
    script.said();
    script.sync(9);
    assert_eq!(script.said(), ["confirmed", "9: Sync 0.0"]);
}

#[test]
fn a_sync_comes_behind_everything_that_was_proposed_before_it() {
    let mut script = Script::established(3);
    script.propose();
    script.propose();
    script.sync(2);
    script.propose();
    script.sync(2);
    assert_eq!(script.leader.status().pending_syncs, 2);
    let round = script.leader.confirmed();
    script.answer(2, round.next());
    script.answer(2, round.next().next());
    script.said();
    script.persisted(z(5, 3));
    script.ack(2, z(5, 1));
    assert_eq!(script.said(), ["2: Commit 5.1", "committed 5.1"]);
    script.ack(2, z(5, 2));
    let due = ["2: Commit 5.2", "committed 5.2", "2: Sync 0.0"];
    assert_eq!(script.said(), due);
    script.sync(9);
    script.close(2);
    assert_eq!(script.leader.status().pending_syncs, 0);
}

#[test]
fn a_follower_that_comes_during_a_round_takes_part_in_it() {
    let mut script = Script::established(3);
    let round = script.confirm();
    script.close(2);
    script.catch_up(3, z(5, 0));
    script.ack(3, z(5, 0));
    script.said();
    script.wait(TICK_MS / 2);
    assert_eq!(script.said(), ["3: Ping 5.0", "3: Ping Round(1)"]);
    script.answer(3, round);
    assert_eq!(script.leader.confirmed(), round);
    script.said();
    script.wait(TICK_MS / 2);
    assert_eq!(script.said(), ["3: Ping 5.0"]);
}

#[test]
fn what_was_never_asked_is_not_answered() {
    let mut script = Script::established(3);
    let round = script.confirm();
    script.answer(2, round.next());
    let hangup = "2: hangup, 2 answers a PING that was never sent";
    assert_eq!(script.said().last(), Some(&hangup.into()));

    let mut script = Script::established(3);
    script.packet(2, &QuorumPacket::new(PacketType::Ping, Zxid(i64::MIN)));
    script.confirm();
    assert_ne!(script.said().last(), Some(&"confirmed".into()));
}
