use crate::testing::Packet;
use crate::testing::ensemble::{TestEnsemble, create};
use zooid_proto::{OpCode, ServerId};

/// An ensemble whose leader has proposed a follower's write and lacks a quorum for it, and cannot get
/// one before `sync_everyone`.
fn with_a_write_in_flight() -> (TestEnsemble, ServerId, crate::ConnId) {
    let mut ensemble = TestEnsemble::new(3, 0);
    let id = ensemble.follower();
    let (conn, _) = ensemble.open(id);
    for server in ensemble.servers.values_mut() {
        server.sync_at_once = false;
    }
    ensemble.request(id, conn, 1, OpCode::Create, &create("/in-flight"));
    ensemble.deliver();
    (ensemble, id, conn)
}

fn sync_everyone(ensemble: &mut TestEnsemble) {
    for id in ensemble.servers.keys().copied().collect::<Vec<_>>() {
        ensemble.sync(id);
    }
    ensemble.deliver();
}

#[test]
fn a_leader_that_leaves_first_commits_what_it_has_taken() {
    let (mut ensemble, follower, conn) = with_a_write_in_flight();
    let leader = ensemble.leader();
    let (late, _) = ensemble.connect(leader, zooid_proto::SessionId(0));
    ensemble.leave(leader);
    ensemble.deliver();
    assert!(!ensemble.server(leader).has_left);
    // Nothing new is taken.
    ensemble.request(follower, conn, 2, OpCode::Create, &create("/too-late"));
    ensemble.deliver();
    let (refused, packets) = ensemble.connect(leader, zooid_proto::SessionId(0));
    assert_eq!(packets, []);
    assert!(ensemble.is_closing(leader, refused));

    sync_everyone(&mut ensemble);
    assert!(ensemble.server(leader).has_left);
    assert!(ensemble.is_closing(leader, late));
    let replies = ensemble.packets(follower, conn);
    assert!(
        matches!(replies[..], [Packet::Reply { xid: 1, err: 0, .. }]),
        "{replies:?}"
    );
}

#[test]
fn when_a_leader_has_left_another_leads_without_delay() {
    let mut ensemble = TestEnsemble::new(3, 0);
    let leader = ensemble.leader();
    let before = ensemble.now;
    ensemble.leave(leader);
    ensemble.deliver();
    assert!(ensemble.server(leader).has_left);
    ensemble.kill(leader);
    ensemble.deliver();
    assert_ne!(ensemble.leader(), leader);
    assert_eq!(ensemble.now, before, "no time has passed");
}

#[test]
fn a_leader_without_a_quorum_leaves_after_a_second() {
    let (mut ensemble, ..) = with_a_write_in_flight();
    let leader = ensemble.leader();
    ensemble.leave(leader);
    ensemble.deliver();
    let wakeup_ms = ensemble.server(leader).node.next_wakeup_ms();
    assert!(wakeup_ms <= ensemble.now.mono_ms + 1000, "{wakeup_ms}");
    ensemble.advance(999);
    assert!(!ensemble.server(leader).has_left);
    ensemble.advance(1);
    assert!(ensemble.server(leader).has_left);
}

#[test]
fn a_follower_leaves_at_once_and_nobody_minds() {
    let mut ensemble = TestEnsemble::new(3, 0);
    let (leader, follower) = (ensemble.leader(), ensemble.follower());
    ensemble.leave(follower);
    ensemble.deliver();
    assert!(ensemble.server(follower).has_left);
    ensemble.kill(follower);
    ensemble.deliver();
    assert_eq!(ensemble.leader(), leader);
    assert!(ensemble.server(leader).reasons.is_empty());
}

#[test]
fn an_epoch_without_zxids_is_followed_by_another_and_no_session_is_lost() {
    let mut ensemble = TestEnsemble::new(3, 0);
    ensemble.counter_max = 4;
    for id in ensemble.servers.keys().copied().collect::<Vec<_>>() {
        ensemble.restart(id);
    }
    ensemble.settle();
    let leader = ensemble.leader();
    let epoch = ensemble.status(leader).epochs.current;
    // The session takes the first zxid of the epoch.
    let id = ensemble.follower();
    let (mut conn, session) = ensemble.open(id);
    let before = ensemble.now;
    for xid in 1..=3 {
        let path = format!("/{xid}");
        assert_eq!(
            ensemble.call(id, conn, xid, OpCode::Create, &create(&path)),
            0
        );
    }
    // Its client goes where its server is part of the new epoch.
    ensemble.request(id, conn, 4, OpCode::Create, &create("/4"));
    ensemble.deliver();
    assert_eq!(ensemble.packets(id, conn), []);
    assert!(ensemble.is_closing(id, conn));
    assert_eq!(ensemble.leader(), leader, "it has the longest history");
    assert_eq!(ensemble.status(leader).epochs.current.0, epoch.0 + 1);
    assert_eq!(ensemble.now, before, "no time has passed");

    let packets;
    (conn, packets) = ensemble.connect(id, session);
    let [Packet::Connected(response)] = &packets[..] else {
        panic!("not taken back: {packets:?}")
    };
    assert_eq!(response.session_id, session);
    assert_eq!(
        ensemble.call(id, conn, 5, OpCode::Create, &create("/4")),
        0,
        "it was not made before"
    );
}

#[test]
fn what_is_in_flight_when_an_epoch_ends_is_answered() {
    let mut ensemble = TestEnsemble::new(3, 0);
    ensemble.counter_max = 3;
    for id in ensemble.servers.keys().copied().collect::<Vec<_>>() {
        ensemble.restart(id);
    }
    ensemble.settle();
    let id = ensemble.follower();
    let (conn, _) = ensemble.open(id);
    for server in ensemble.servers.values_mut() {
        server.sync_at_once = false;
    }
    for xid in 1..=3 {
        let path = format!("/{xid}");
        ensemble.request(id, conn, xid, OpCode::Create, &create(&path));
    }
    ensemble.deliver();
    assert_eq!(ensemble.packets(id, conn), []);
    sync_everyone(&mut ensemble);
    let replies = ensemble.packets(id, conn);
    assert!(
        matches!(
            replies[..],
            [
                Packet::Reply { xid: 1, err: 0, .. },
                Packet::Reply { xid: 2, err: 0, .. }
            ]
        ),
        "{replies:?}"
    );
    assert!(ensemble.is_closing(id, conn));
}
