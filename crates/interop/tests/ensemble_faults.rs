//! Nothing acknowledged is lost in an ensemble: clients write while its servers are killed with
//! SIGKILL, the leader among them, and started again, and in the end all of them at once. Then every
//! acknowledged write is on every server, digests are equal at equal zxids, no session has seen its
//! zxid go back, and every ephemeral has a session that lives.
//!
//! `INTEROP_KILLS=20` kills longer.

use std::env;
use zooid_interop::{
    Ensemble, Journal, Kind, Layout, Options, Role, SUPER_DIGEST, Session, Writers, anyone,
    check_journals, wait_for_lost_ephemerals,
};
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
    let kills = number_in("INTEROP_KILLS").unwrap_or(kills);
    let seed = number_in("INTEROP_SEED").unwrap_or_else(|| u64::from(std::process::id()));
    println!("INTEROP_SEED={seed}");
    let mut ensemble = Ensemble::start(layout, &options()).expect("an ensemble");
    let writers = Writers::start(WRITERS, &ensemble.addresses()).expect("sessions");
    for kill in 0..kills {
        // At another moment of the writers' work each time.
        let moment = 20 + (seed + kill * 37) % 150;
        writers.wait_for_more_acks(moment).expect("they serve");
        let victim = victim(&mut ensemble, seed, kill);
        ensemble.kill(victim).expect("it runs");
        // The others go on, at times without knowing yet that it is back.
        if kill % 3 != 2 {
            writers.wait_for_more_acks(30).expect("the others serve");
        }
        ensemble.launch(victim).expect("it starts");
    }
    writers.wait_for_more_acks(50).expect("they serve");
    ensemble.kill_all().expect("they run");
    ensemble.start_all().expect("all of them come back");
    writers.wait_for_more_acks(50).expect("they serve");
    let journals = writers.finish().expect("the writers' sessions last");
    let acked: usize = journals.iter().map(Journal::node_count).sum();
    println!("{kills} kills, {acked} nodes written or deleted");
    check(&mut ensemble, &journals);
}

/// The leader every other time, else anyone.
fn victim(ensemble: &mut Ensemble, seed: u64, kill: u64) -> ServerId {
    let leader = ensemble.wait_for_leader().expect("one leads");
    let all = ensemble.up();
    let index = usize::try_from((seed / 7 + kill * 5) % 97).expect("small") % all.len();
    if kill.is_multiple_of(2) {
        leader
    } else {
        all[index]
    }
}

fn check(ensemble: &mut Ensemble, journals: &[Journal]) {
    ensemble.wait_until_serving().expect("all serve");
    let leader = ensemble.leader().expect("one leads");
    let mut session = ensemble.open_synced(leader).expect("a session");
    wait_for_lost_ephemerals(&mut session).expect("they expire");
    // The word hash tells the digest at every 128th zxid; all have these in common.
    for _ in 0..2 * DIGEST_INTERVAL {
        session.set_data("/", Some(b"on"), -1).expect("it writes");
    }
    let tree = ensemble.agreed_tree().expect("one tree");
    check_journals(&tree, journals);
    let newest = session.last_zxid();
    for journal in journals {
        let seen = journal.last_zxid;
        assert!(newest >= seen, "{newest} is behind {seen}");
    }
    let compared = ensemble.compare_digests().expect("equal digests");
    assert!(compared > 0, "no digest was compared");
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

fn number_in(variable: &str) -> Option<u64> {
    env::var(variable).ok()?.parse().ok()
}

const WRITERS: usize = 4;
const DIGEST_INTERVAL: usize = 128;
