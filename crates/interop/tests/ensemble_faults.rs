//! Nothing acknowledged is lost in an ensemble: clients write while its servers are killed with
//! SIGKILL, the leader among them, and started again, and in the end all of them at once. Then every
//! acknowledged write is on every server, digests are equal at equal zxids, no session has seen its
//! zxid go back, and every ephemeral has a session that lives.
//!
//! `INTEROP_KILLS=20` kills longer.

use zooid_interop::{Ensemble, Kills, Kind, Layout, Options, Role, SUPER_DIGEST, Session, anyone};
use zooid_proto::{CreateMode, ServerId};

#[test]
fn three_servers_lose_nothing() {
    let layout = Layout::voters(Kind::under_test(), 3);
    kill_and_check(&layout, 6);
}

#[test]
fn five_servers_with_two_observers_lose_nothing() {
    let kind = Kind::under_test();
    let layout = Layout::voters(kind, 3).seats_of(kind, Role::Observer, 2);
    kill_and_check(&layout, 3);
}

#[test]
fn a_hierarchical_ensemble_loses_nothing() {
    kill_and_check(&hierarchy(), 3);
}

/// Two servers of five are a quorum if they have the weight, three are none if they have it not.
#[test]
fn weight_in_groups_decides_and_not_the_number_of_servers() {
    let mut ensemble = Ensemble::start(&hierarchy(), &options()).expect("five servers");
    let [strong, weak, third, fourth, alone] = ensemble.voters()[..] else {
        panic!("not five voters");
    };
    for id in [weak, third, fourth] {
        ensemble.kill(id).expect("it runs");
    }
    ensemble.wait_until_serving().expect("two servers serve");
    let leader = ensemble.leader().expect("one leads");
    write(&ensemble, leader, "/by-two");

    for id in [strong, alone] {
        ensemble.kill(id).expect("it runs");
    }
    for id in [weak, third, fourth] {
        ensemble.launch(id).expect("it starts");
    }
    ensemble.wait_until_not_serving().expect("three do not");
    ensemble.launch(strong).expect("it starts");
    ensemble.wait_until_serving().expect("four servers serve");
    let leader = ensemble.leader().expect("one leads");
    assert_eq!(leader, strong, "the others lack what it wrote");
    write(&ensemble, leader, "/by-four");
    ensemble.start_all().expect("all serve");
    let tree = ensemble.agreed_tree().expect("one tree");
    assert!(tree.nodes.contains_key("/by-two"));
    assert!(tree.nodes.contains_key("/by-four"));
}

/// Groups of two, two and one: the first server decides its group alone, the second has no weight.
fn hierarchy() -> Layout {
    Layout::in_groups(Kind::under_test(), &[&[2, 0], &[1, 1], &[1]])
}

fn kill_and_check(layout: &Layout, kills: u64) {
    let mut ensemble = Ensemble::start(layout, &options()).expect("an ensemble");
    Kills::under_load(kills)
        .survive(&mut ensemble)
        .expect("nothing is lost");
}

fn write(ensemble: &Ensemble, id: ServerId, path: &str) {
    let address = ensemble.server(id).address();
    let mut session = Session::open(address, 30_000).expect("a session");
    let created = session.create(path, None, &anyone(), CreateMode::Persistent);
    created.expect("it writes");
}

fn options() -> Options {
    Options::default()
        .property(SUPER_DIGEST.0, SUPER_DIGEST.1)
        .property("zookeeper.snapCount", "200")
        .property("zookeeper.preAllocSize", "64")
        .config("tickTime", "500")
}
