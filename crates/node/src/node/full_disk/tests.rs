use crate::ConnId;
use crate::Input;
use crate::testing::Packet;
use crate::testing::ensemble::{TestEnsemble, create};
use zooid_proto::request::{PathOnly, PathVersion};
use zooid_proto::{ErrorCode, OpCode, ServerId, TxnRecord};

/// `SystemError`.
const FULL: i32 = -1;
/// How long it takes until the others are asked again.
const AGAIN_MS: i64 = 300_000;

fn delete(path: &str) -> PathVersion {
    PathVersion {
        path: path.into(),
        version: -1,
    }
}

fn space(ensemble: &mut TestEnsemble, id: ServerId, is_low: bool) {
    ensemble.input(id, Input::DiskSpace { is_low });
    ensemble.deliver();
}

fn all(ensemble: &TestEnsemble) -> Vec<ServerId> {
    ensemble.servers.keys().copied().collect()
}

/// A client that creates one node after the other.
struct Client {
    at: ServerId,
    conn: ConnId,
    xid: i32,
}

impl Client {
    fn open(ensemble: &mut TestEnsemble, at: ServerId) -> Client {
        let (conn, _) = ensemble.open(at);
        Client { at, conn, xid: 0 }
    }

    fn create(&mut self, ensemble: &mut TestEnsemble, path: &str) -> i32 {
        self.xid += 1;
        ensemble.call(self.at, self.conn, self.xid, OpCode::Create, &create(path))
    }

    fn delete(&mut self, ensemble: &mut TestEnsemble, path: &str) -> i32 {
        self.xid += 1;
        ensemble.call(self.at, self.conn, self.xid, OpCode::Delete, &delete(path))
    }
}

/// Everybody's disk is full, and somebody leads nevertheless.
fn full_everywhere() -> TestEnsemble {
    let mut ensemble = TestEnsemble::new(3, 0);
    let leader = ensemble.leader();
    let mut client = Client::open(&mut ensemble, leader);
    for path in ["/a", "/b", "/c"] {
        assert_eq!(client.create(&mut ensemble, path), 0);
    }
    for id in all(&ensemble) {
        ensemble.input(id, Input::DiskSpace { is_low: true });
    }
    ensemble.settle();
    ensemble
}

/// In steps in which nobody takes anybody for dead.
fn pass(ensemble: &mut TestEnsemble, ms: i64) {
    for _ in 0..ms / 500 {
        ensemble.advance(500);
    }
}

fn resignations(ensemble: &TestEnsemble) -> usize {
    let servers = ensemble.servers.values();
    servers.map(|server| server.reasons.len()).sum()
}

#[test]
fn a_leader_hands_over_without_delay_and_nobody_is_refused() {
    let mut ensemble = TestEnsemble::new(3, 0);
    let (full, before) = (ensemble.leader(), ensemble.now);
    space(&mut ensemble, full, true);
    let leader = ensemble.leader();
    assert_ne!(leader, full);
    assert_eq!(ensemble.now, before, "no time has passed");
    assert!(ensemble.status(full).serving, "it follows");
    for at in [leader, full] {
        let mut client = Client::open(&mut ensemble, at);
        let path = format!("/{}", at.0);
        assert_eq!(client.create(&mut ensemble, &path), 0);
    }
    ensemble.settle();
    assert_eq!(ensemble.leader(), leader);
}

#[test]
fn what_is_in_flight_is_answered_first() {
    let mut ensemble = TestEnsemble::new(3, 0);
    let (full, follower) = (ensemble.leader(), ensemble.follower());
    let (conn, _) = ensemble.open(follower);
    for server in ensemble.servers.values_mut() {
        server.sync_at_once = false;
    }
    ensemble.request(follower, conn, 1, OpCode::Create, &create("/in-flight"));
    ensemble.deliver();
    space(&mut ensemble, full, true);
    assert_eq!(ensemble.leader(), full);
    for id in all(&ensemble) {
        ensemble.sync(id);
    }
    ensemble.deliver();
    let replies = ensemble.packets(follower, conn);
    assert!(
        matches!(replies[..], [Packet::Reply { xid: 1, err: 0, .. }]),
        "{replies:?}"
    );
    ensemble.settle();
    assert_ne!(ensemble.leader(), full);
}

#[test]
fn a_follower_goes_on_and_is_not_elected_when_the_leader_is_gone() {
    let mut ensemble = TestEnsemble::new(3, 0);
    let leader = ensemble.leader();
    // The one that would be elected otherwise.
    let full = *all(&ensemble).iter().rfind(|id| **id != leader).unwrap();
    space(&mut ensemble, full, true);
    let mut client = Client::open(&mut ensemble, full);
    assert_eq!(client.create(&mut ensemble, "/a"), 0);
    let before = ensemble.now;
    ensemble.kill(leader);
    ensemble.deliver();
    assert_ne!(ensemble.leader(), full);
    assert_eq!(ensemble.now, before, "no time has passed");
}

#[test]
fn where_all_disks_are_full_what_stores_data_is_refused_and_the_rest_goes_on() {
    let mut ensemble = full_everywhere();
    let leader = ensemble.leader();
    for (at, path) in [(leader, "/a"), (ensemble.follower(), "/b")] {
        let mut client = Client::open(&mut ensemble, at);
        assert_eq!(client.create(&mut ensemble, "/d"), FULL);
        assert_eq!(client.delete(&mut ensemble, path), 0);
        assert_eq!(client.delete(&mut ensemble, path), ErrorCode::NoNode.code());
        let root = PathOnly { path: "/".into() };
        let synced = ensemble.call(at, client.conn, 9, OpCode::Sync, &root);
        assert_eq!(synced, 0);
    }
    assert_eq!(ensemble.leader(), leader);

    space(&mut ensemble, leader, false);
    let mut client = Client::open(&mut ensemble, leader);
    assert_eq!(client.create(&mut ensemble, "/d"), 0);
    assert_eq!(ensemble.leader(), leader);
}

/// A learner hears of its client's refusal as of any other error, and no sooner than of what came before.
#[test]
fn refusals_to_learners_stand_in_the_log() {
    let mut ensemble = full_everywhere();
    let follower = ensemble.follower();
    let mut client = Client::open(&mut ensemble, follower);
    assert_eq!(client.create(&mut ensemble, "/d"), FULL);
    let logged = ensemble.server(follower).log.last().expect("it is logged");
    let record = TxnRecord::decode(&logged.1).expect("it can be read");
    assert_eq!(record.txn, zooid_proto::Txn::Error(ErrorCode::SystemError));
    assert_eq!(record.header.cxid, client.xid);
}

#[test]
fn an_ensemble_without_room_anywhere_elects_once_and_has_peace() {
    let mut ensemble = full_everywhere();
    assert_eq!(resignations(&ensemble), 3, "each has lost one leader");
    let leader = ensemble.leader();
    pass(&mut ensemble, 2 * AGAIN_MS);
    assert_eq!(ensemble.leader(), leader, "nobody wanted anything");
    assert_eq!(resignations(&ensemble), 3);
}

#[test]
fn after_a_while_and_a_refusal_the_others_are_asked_again() {
    let mut ensemble = full_everywhere();
    let full = ensemble.leader();
    let other = ensemble.follower();
    space(&mut ensemble, other, false);
    let mut client = Client::open(&mut ensemble, full);
    assert_eq!(client.create(&mut ensemble, "/d"), FULL);
    assert_eq!(ensemble.leader(), full);
    pass(&mut ensemble, AGAIN_MS);
    ensemble.settle();
    assert_eq!(ensemble.leader(), other);
    let mut client = Client::open(&mut ensemble, other);
    assert_eq!(client.create(&mut ensemble, "/d"), 0);
}

/// As a follower it would soon have to stop, and then there was nothing.
#[test]
fn a_leader_that_is_needed_stays_and_refuses_until_others_suffice() {
    let mut ensemble = TestEnsemble::new(3, 0);
    let full = ensemble.leader();
    let away = ensemble.follower();
    ensemble.cut_off.insert(away);
    pass(&mut ensemble, 10_000);
    space(&mut ensemble, full, true);
    assert_eq!(ensemble.leader(), full);
    let mut client = Client::open(&mut ensemble, full);
    assert_eq!(client.create(&mut ensemble, "/d"), FULL);

    ensemble.cut_off.clear();
    ensemble.settle();
    assert_ne!(ensemble.leader(), full);
}

#[test]
fn a_server_that_starts_on_a_full_disk_is_not_elected() {
    let mut ensemble = TestEnsemble::new(3, 0);
    let full = ensemble.leader();
    ensemble.full_disks.insert(full);
    for id in all(&ensemble) {
        ensemble.restart(id);
    }
    ensemble.settle();
    assert_ne!(ensemble.leader(), full);
    assert!(ensemble.status(full).serving);
}
