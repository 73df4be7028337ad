//! A server comes back to a leader of the other kind, by each of the roads that a leader may choose: back to
//! what the others have (TRUNC), what it missed (DIFF), the whole tree (SNAP). Then it has what all have.
//!
//! The leader counts roads in `mntr`: `diff_count` for DIFF and TRUNC, `snap_count` for SNAP.

use zooid_interop::Kind::{Java, Zooid};
use zooid_interop::{
    Ensemble, Kind, Layout, Options, SUPER_DIGEST, leave_a_tail, use_every_member,
};
use zooid_proto::ServerId;

#[test]
fn java_comes_back_to_a_zooid_leader() {
    come_back([Java, Zooid, Java]);
}

#[test]
fn zooid_comes_back_to_a_java_leader() {
    come_back([Zooid, Java, Zooid]);
}

/// Server 3 leads, leaves a tail, and comes back to server 2.
fn come_back(kinds: [Kind; 3]) {
    let [second, third] = [2, 3].map(ServerId);
    let mut ensemble = Ensemble::prepare(&Layout::mixed(&kinds), &options()).expect("a place");
    ensemble.start_led_by(third).expect("server 3 is elected");
    write(&ensemble, 50);
    let old = leave_a_tail(&mut ensemble, TAIL_PREFIX).expect("a tail");
    assert_eq!(old, third);
    assert_eq!(ensemble.leader().expect("one leads"), second);
    let taken = roads_taken(&mut ensemble, third);
    assert_eq!(taken, (1, 0), "TRUNC");
    let tree = ensemble.agreed_tree().expect("one tree");
    let mut paths = tree.nodes.keys();
    assert!(!paths.any(|path| path.starts_with(TAIL_PREFIX)));

    ensemble.kill(third).expect("it runs");
    write(&ensemble, 50);
    let taken = roads_taken(&mut ensemble, third);
    assert_eq!(taken, (1, 0), "DIFF");

    ensemble.kill(third).expect("it runs");
    ensemble.empty(third).expect("its data goes");
    write(&ensemble, 50);
    let taken = roads_taken(&mut ensemble, third);
    assert_eq!(taken, (0, 1), "SNAP");

    use_every_member(&ensemble, "/used").expect("every member does everything");
    ensemble.check_agreement().expect("they agree");
    // And from what is on the disks.
    ensemble.kill_all().expect("they run");
    ensemble.start_all().expect("all come back");
    ensemble.check_agreement().expect("they agree");
    for kind in [Zooid, Java] {
        ensemble.check_logs_of(kind).expect("they are content");
    }
}

/// Starts a server; how often its leader has sent it what it missed, and the whole tree.
fn roads_taken(ensemble: &mut Ensemble, id: ServerId) -> (usize, usize) {
    let leader = ensemble.leader().expect("one leads");
    let before = roads(ensemble, leader);
    ensemble.launch(id).expect("it starts");
    ensemble.wait_until_serving().expect("it comes back");
    assert_eq!(ensemble.leader().expect("one leads"), leader);
    let after = roads(ensemble, leader);
    (after.0 - before.0, after.1 - before.1)
}

fn roads(ensemble: &Ensemble, leader: ServerId) -> (usize, usize) {
    let status = ensemble.status(leader).expect("it serves");
    let count = |name| status.number(name).expect("a leader counts its roads");
    (count("diff_count"), count("snap_count"))
}

fn write(ensemble: &Ensemble, count: usize) {
    let leader = ensemble.leader().expect("one leads");
    let mut session = ensemble.open_synced(leader).expect("a session");
    for _ in 0..count {
        session.set_data("/", Some(b"on"), -1).expect("it writes");
    }
    session.close().expect("it ends");
}

fn options() -> Options {
    Options::default()
        .property(SUPER_DIGEST.0, SUPER_DIGEST.1)
        .property("zookeeper.extendedTypesEnabled", "true")
        .property("zookeeper.preAllocSize", "64")
        .config("tickTime", "500")
}

const TAIL_PREFIX: &str = "/tail-";
