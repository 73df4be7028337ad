use crate::fake_server::{FakeServer, Fault};
use crate::scenario::tests::run;
use zooid_proto::OpCode;

#[test]
fn every_client_is_told_of_every_node() {
    let server = FakeServer::start(Fault::None);
    let json = run(&server, "watches -c 7 --keys 50 -i 4")
        .unwrap()
        .to_json();
    assert_eq!(json["phases"]["leave"]["count"], 350);
    assert_eq!(json["phases"]["fire"]["count"], 350);
    assert_eq!(json["memory"]["count"], 350);
    assert_eq!(json["failures"]["total"], 0);
    // Once to warm up, and once to leave a watch.
    assert_eq!(server.count(OpCode::GetData), 700);
    assert_eq!(server.count(OpCode::SetData), 50);
}

#[test]
fn who_is_told_twice_is_a_failure() {
    let server = FakeServer::start(Fault::EventTwice);
    let json = run(&server, "watches -c 2 --keys 5").unwrap().to_json();
    assert_eq!(json["phases"]["fire"]["count"], 10);
    let twice = json["failures"]["by_kind"]["event twice"].as_u64().unwrap();
    assert!((1..=5).contains(&twice), "{twice}");
}

#[test]
fn nobody_waits_for_events_of_sets_that_fail() {
    let server = FakeServer::start(Fault::NoNodeToSet);
    let error = run(&server, "watches -c 2 --keys 5").unwrap_err();
    assert_eq!(
        format!("{error:#}"),
        "cannot set the nodes: setData: NoNode"
    );
}

#[test]
fn the_nodes_are_removed_again() {
    let server = FakeServer::start(Fault::None);
    run(&server, "watches -c 1 --keys 10").unwrap();
    // The root, the run's node, and its two directories.
    assert_eq!(server.count(OpCode::Delete), 4);
    // One creates; the others empty those directories and the run's node.
    assert_eq!(server.count(OpCode::Multi), 4);
}
