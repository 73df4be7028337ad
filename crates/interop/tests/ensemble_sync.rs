//! Who reads behind a sync() sees what anyone was told of before, also from a leader that was stopped
//! while the others went on without it (ZOOKEEPER-1675), with followers of ours and of ZooKeeper's.

use zooid_interop::{Ensemble, Kind, Layout, Options, Session, anyone};
use zooid_proto::request::{PathOnly, SetDataRequest};
use zooid_proto::{CreateMode, Jute, OpCode, ServerId};

#[test]
fn a_leader_that_was_stopped_does_not_answer_with_what_is_old() {
    let layout = Layout::voters(Kind::Zooid, 3);
    let mut ensemble = Ensemble::start(&layout, &options()).expect("three servers");
    let leader = ensemble.leader().expect("one leads");
    sync_at_an_old_leader(&mut ensemble, leader);
}

#[test]
fn followers_of_zookeeper_s_confirm_a_leader() {
    let layout = Layout::mixed(&[Kind::Java, Kind::Java, Kind::Zooid]);
    let mut ensemble = Ensemble::prepare(&layout, &options()).expect("directories");
    let leader = *ensemble.voters().last().expect("three voters");
    ensemble
        .start_led_by(leader)
        .expect("the last server leads");
    for id in ensemble.voters() {
        let mut session = open(&ensemble, id);
        session.sync("/").expect("it is answered");
    }
    pipeline_syncs_and_writes(&ensemble);
    sync_at_an_old_leader(&mut ensemble, leader);
}

/// A learner of ZooKeeper's goes by the order of the leader's answers (`CommitProcessor`).
fn pipeline_syncs_and_writes(ensemble: &Ensemble) {
    for id in ensemble.voters() {
        let mut session = open(ensemble, id);
        let mut xids = Vec::new();
        for _ in 0..50 {
            xids.push(
                session
                    .send(OpCode::Sync, &everything())
                    .expect("it is sent"),
            );
            xids.push(
                session
                    .send(OpCode::SetData, &overwrite())
                    .expect("it is sent"),
            );
        }
        for xid in xids {
            let reply = session
                .receive_reply(xid)
                .expect("in the order of requests");
            reply.done().expect("it is done");
        }
    }
}

/// What is asked of it before it wakes, it finds when it does, and knows nothing of the others yet.
fn sync_at_an_old_leader(ensemble: &mut Ensemble, old: ServerId) {
    let mut reader = open(ensemble, old);
    reader.sync("/").expect("it leads");
    ensemble.pause(old).expect("it runs");
    let new = ensemble.wait_for_leader().expect("another one leads");
    assert_ne!(new, old);
    let mut writer = open(ensemble, new);
    let made = writer.create("/newer", None, &anyone(), CreateMode::Persistent);
    made.expect("it is created");

    let sync = reader.send(OpCode::Sync, &everything()).expect("a sync");
    ensemble.resume(old).expect("it is stopped");
    let answer = reader.receive_reply(sync);
    assert!(answer.is_err(), "it leads no more: {answer:?}");
    ensemble.wait_until_serving().expect("it follows");
    let mut reader = open(ensemble, old);
    reader.sync("/").expect("it is answered");
    let found = reader.exists("/newer", false).expect("it is answered");
    assert!(found.is_some());
}

fn open(ensemble: &Ensemble, id: ServerId) -> Session {
    Session::open(ensemble.server(id).address(), 30_000).expect("a session")
}

fn everything() -> Vec<u8> {
    let path = "/".into();
    PathOnly { path }.to_vec()
}

fn overwrite() -> Vec<u8> {
    let request = SetDataRequest {
        path: "/".into(),
        data: None,
        version: -1,
    };
    request.to_vec()
}

fn options() -> Options {
    Options::default().config("tickTime", "500")
}
