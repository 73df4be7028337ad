use super::*;
use alloc::vec;

fn three() -> QuorumVerifier {
    QuorumVerifier::Majority((1..=3).map(ServerId).collect())
}

fn committed(broadcast: &mut Broadcast) -> Vec<i64> {
    core::iter::from_fn(|| broadcast.next_committed())
        .map(|zxid| zxid.0)
        .collect()
}

#[test]
fn a_quorum_of_one_commits_what_is_durable_and_nothing_else() {
    let mut broadcast = Broadcast::new(vec![QuorumVerifier::single(ServerId(1))], Zxid(10));
    assert_eq!(broadcast.propose(), Zxid(11));
    assert_eq!(broadcast.propose(), Zxid(12));
    assert_eq!(committed(&mut broadcast), []);
    broadcast.ack(ServerId(1), Zxid(11));
    assert_eq!(committed(&mut broadcast), [11]);
    assert_eq!(broadcast.outstanding(), 1);
    assert_eq!(broadcast.last_committed(), Zxid(11));
}

#[test]
fn commits_leave_in_order_however_acknowledgements_arrive() {
    let mut broadcast = Broadcast::new(vec![three()], Zxid(0));
    for _ in 0..3 {
        broadcast.propose();
    }
    broadcast.ack(ServerId(2), Zxid(3));
    assert_eq!(committed(&mut broadcast), []);
    broadcast.ack(ServerId(3), Zxid(1));
    assert_eq!(committed(&mut broadcast), [1]);
    broadcast.ack(ServerId(1), Zxid(3));
    assert_eq!(committed(&mut broadcast), [2, 3]);
}

#[test]
fn a_late_acknowledgement_takes_nothing_back() {
    let mut broadcast = Broadcast::new(vec![three()], Zxid(0));
    broadcast.propose();
    broadcast.propose();
    broadcast.ack(ServerId(2), Zxid(2));
    broadcast.ack(ServerId(2), Zxid(1));
    broadcast.ack(ServerId(1), Zxid(2));
    assert_eq!(committed(&mut broadcast), [1, 2]);
}

#[test]
fn two_views_must_both_agree() {
    let joined = QuorumVerifier::Majority((3..=5).map(ServerId).collect());
    let mut broadcast = Broadcast::new(vec![three(), joined], Zxid(0));
    broadcast.propose();
    broadcast.ack(ServerId(1), Zxid(1));
    broadcast.ack(ServerId(2), Zxid(1));
    assert_eq!(committed(&mut broadcast), []);
    broadcast.ack(ServerId(3), Zxid(1));
    assert_eq!(committed(&mut broadcast), []);
    broadcast.ack(ServerId(4), Zxid(1));
    assert_eq!(committed(&mut broadcast), [1]);
}

#[test]
fn what_is_taken_back_does_not_count() {
    let mut broadcast = Broadcast::new(vec![three()], Zxid(0));
    broadcast.propose();
    broadcast.propose();
    broadcast.ack(ServerId(2), Zxid(2));
    broadcast.forget(ServerId(2));
    broadcast.ack(ServerId(1), Zxid(2));
    assert_eq!(committed(&mut broadcast), []);
    broadcast.ack(ServerId(3), Zxid(1));
    assert_eq!(committed(&mut broadcast), [1]);
    broadcast.ack(ServerId(2), Zxid(2));
    assert_eq!(committed(&mut broadcast), [2]);
}

#[test]
fn the_slowest_of_a_quorum_decides() {
    let mut broadcast = Broadcast::new(vec![three()], Zxid(0));
    for _ in 0..4 {
        broadcast.propose();
    }
    broadcast.ack(ServerId(1), Zxid(2));
    broadcast.ack(ServerId(2), Zxid(4));
    assert_eq!(committed(&mut broadcast), [1, 2], "not what one alone has");
    broadcast.ack(ServerId(3), Zxid(3));
    assert_eq!(committed(&mut broadcast), [3]);
}
