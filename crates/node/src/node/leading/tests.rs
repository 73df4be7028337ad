use crate::ConnId;
use crate::testing::Packet;
use crate::testing::ensemble::{TestEnsemble, create};
use zooid_proto::request::PathOnly;
use zooid_proto::{OpCode, ServerId};

fn sync(ensemble: &mut TestEnsemble, id: ServerId, conn: ConnId, xid: i32) {
    ensemble.request(id, conn, xid, OpCode::Sync, &PathOnly { path: "/".into() });
    ensemble.deliver();
}

#[test]
fn a_sync_of_a_leader_s_own_client_waits_for_the_quorum() {
    let mut ensemble = TestEnsemble::new(3, 0);
    let leader = ensemble.leader();
    let (conn, _) = ensemble.open(leader);
    sync(&mut ensemble, leader, conn, 1);
    assert_eq!(ensemble.packets(leader, conn).len(), 1, "it still leads");
    let others: Vec<ServerId> = ensemble.servers.keys().copied().collect();
    ensemble.cut_off = others.into_iter().filter(|id| *id != leader).collect();
    sync(&mut ensemble, leader, conn, 2);
    sync(&mut ensemble, leader, conn, 3);
    assert_eq!(ensemble.packets(leader, conn), [], "nobody says so");
    for _ in 0..12 {
        ensemble.advance(1000);
    }
    assert_eq!(ensemble.packets(leader, conn), [], "and nobody ever will");
    assert!(ensemble.is_closing(leader, conn));
}

#[test]
fn a_sync_is_answered_before_what_was_asked_for_behind_it() {
    let mut ensemble = TestEnsemble::new(3, 0);
    for id in [ensemble.leader(), ensemble.follower()] {
        let (conn, _) = ensemble.open(id);
        let path = format!("/{id}");
        ensemble.request(id, conn, 1, OpCode::Sync, &PathOnly { path: "/".into() });
        ensemble.request(id, conn, 2, OpCode::Create, &create(&path));
        ensemble.request(id, conn, 3, OpCode::Sync, &PathOnly { path: "/".into() });
        ensemble.deliver();
        let replies = ensemble.packets(id, conn);
        let xid = |packet: &Packet| match packet {
            Packet::Reply { xid, err: 0, .. } => *xid,
            other => panic!("{other:?}"),
        };
        let xids: Vec<i32> = replies.iter().map(xid).collect();
        assert_eq!(xids, [1, 2, 3], "{id}");
    }
}

/// ZOOKEEPER-1675.
#[test]
fn an_old_leader_does_not_answer_a_sync_with_what_others_have_left_behind() {
    let mut ensemble = TestEnsemble::new(3, 0);
    let old = ensemble.leader();
    let (conn, _) = ensemble.open(old);
    let sleeper = ensemble.servers.remove(&old).expect("it runs");
    for _ in 0..12 {
        ensemble.advance(1000);
        ensemble.settle();
    }
    let new = ensemble.leader();
    let (writer, _) = ensemble.open(new);
    let made = ensemble.call(new, writer, 1, OpCode::Create, &create("/newer"));
    assert_eq!(made, 0);
    // It has noticed nothing, and what was said to it meanwhile has not arrived.
    ensemble.servers.insert(old, sleeper);
    assert!(ensemble.status(old).serving);
    sync(&mut ensemble, old, conn, 1);
    assert_eq!(ensemble.packets(old, conn), []);
    ensemble.settle();
    assert!(ensemble.is_closing(old, conn));
}

#[test]
fn a_quorum_of_one_answers_a_sync_at_once() {
    let mut ensemble = TestEnsemble::new(1, 1);
    for id in [1, 2].map(ServerId) {
        let (conn, _) = ensemble.open(id);
        sync(&mut ensemble, id, conn, 1);
        assert_eq!(ensemble.packets(id, conn).len(), 1, "{id}");
    }
}
