//! Nothing acknowledged is lost: clients write while the server is killed with SIGKILL and started
//! again, 20 times or `INTEROP_KILLS` times. Afterwards every acknowledged write is there, no session
//! has seen its zxid go back, and every ephemeral has a session that lives.

use std::env;
use tempfile::TempDir;
use zooid_interop::{
    Journal, Kind, Options, SUPER_DIGEST, Server, Session, TreeDump, Writers, check_journals,
    wait_for_lost_ephemerals,
};

#[test]
fn acknowledged_writes_survive_sigkill() {
    let kills = env::var("INTEROP_KILLS")
        .ok()
        .and_then(|kills| kills.parse().ok());
    let kills: u32 = kills.unwrap_or(20);
    let directory = TempDir::new().expect("a directory");
    let server = Server::start_on(Kind::under_test(), options(), directory.path());
    let mut server = server.expect("a server");
    let writers = Writers::start(WRITERS, &[server.address()]).expect("sessions");

    for kill in 0..kills {
        // At another moment of the writers' work each time.
        let moment = 20 + u64::from(kill * 37 % 150);
        writers
            .wait_for_more_acks(moment)
            .expect("the server writes");
        server.kill().expect("it runs");
        server.start_again().expect("it starts");
        writers.set_addresses(&[server.address()]);
    }
    writers.wait_for_more_acks(50).expect("the server writes");
    let journals = writers.finish().expect("the writers' sessions last");
    // Nor may a server that lives fail its clients.
    let lost = journals
        .iter()
        .map(|journal| journal.connections_lost)
        .max();
    assert!(
        lost <= usize::try_from(kills).ok(),
        "{lost:?} connections lost"
    );

    server.kill().expect("it runs");
    server.start_again().expect("it starts");
    let acked: usize = journals.iter().map(Journal::node_count).sum();
    println!("{kills} kills, {acked} nodes written or deleted");
    check(&server, &journals);

    server.kill().expect("it runs");
    let other = Server::start_on(Kind::Java, options(), directory.path());
    check(
        &other.expect("ZooKeeper starts on the directory"),
        &journals,
    );
}

fn options() -> Options {
    Options::default()
        .property(SUPER_DIGEST.0, SUPER_DIGEST.1)
        .property("zookeeper.snapCount", "100")
        .property("zookeeper.preAllocSize", "64")
}

fn check(server: &Server, journals: &[Journal]) {
    let mut session = Session::open_as_super(server).expect("a session");
    wait_for_lost_ephemerals(&mut session).expect("they expire");
    check_journals(&TreeDump::read(&mut session).expect("the tree"), journals);
    let newest = session.last_zxid();
    for journal in journals {
        let seen = journal.last_zxid;
        assert!(newest >= seen, "{newest} is behind {seen}");
    }
}

const WRITERS: usize = 4;
