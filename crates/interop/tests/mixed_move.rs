//! The move, as `docs/migration.md` tells it: three servers of Debian's ZooKeeper 3.8.0 are replaced by Zooid
//! one after the other, on the same data directories with the same `zoo.cfg`, and then by ZooKeeper again,
//! while clients work: kazoo, ZooKeeper's Java client and writers of our own.
//!
//! No client sees more of it than lost connections: each keeps its session with an ephemeral node and a
//! watch, and nothing acknowledged is lost.
//!
//! `INTEROP_MOVES=all` replaces the leader first, too.

use std::path::Path;
use std::process::Command;
use std::time::{Duration, Instant};
use std::{env, thread};
use zooid_interop::Kind::{Java, Zooid};
use zooid_interop::{
    Conversation, Ensemble, Kind, Layout, Options, Preview, SUPER_DIGEST, Session, Writers, anyone,
    check_journals, wait_for_lost_ephemerals,
};
use zooid_proto::{CreateMode, ServerId};

#[test]
fn three_servers_are_replaced_and_replaced_back() {
    move_there_and_back(Turn::Last);
    if env::var("INTEROP_MOVES").as_deref() == Ok("all") {
        move_there_and_back(Turn::First);
    }
}

/// When it is the leader's turn.
#[derive(Clone, Copy)]
enum Turn {
    First,
    Last,
}

fn move_there_and_back(leader: Turn) {
    let mut ensemble =
        Ensemble::start(&Layout::voters(Java, 3), &options()).expect("three servers");
    let mut clients = Clients::start(&ensemble);
    for kind in [Zooid, Java] {
        for id in order(&ensemble, leader) {
            replace(&mut ensemble, id, kind);
            clients.write_more();
        }
    }
    clients.finish(&mut ensemble);
    ensemble.check_logs_of(Zooid).expect("they are content");
}

fn order(ensemble: &Ensemble, leader: Turn) -> Vec<ServerId> {
    let leading = ensemble.leader().expect("one leads");
    let mut order = ensemble.followers();
    match leader {
        Turn::First => order.insert(0, leading),
        Turn::Last => order.push(leading),
    }
    order
}

/// One step of the procedure: check, stop, check, start, wait until it is in sync.
fn replace(ensemble: &mut Ensemble, id: ServerId, kind: Kind) {
    let config = ensemble.server(id).config_path();
    if kind == Zooid {
        let preview = Preview::of(&config).expect("it can be checked");
        assert_eq!(preview.exit_code, 0, "{preview:?}");
        let still_runs = preview.says("note", "network", "version 3.8.0");
        assert!(still_runs, "{preview:?}");
    }
    ensemble.stop(id).expect("it runs");
    if kind == Zooid {
        let preview = Preview::of(&config).expect("it can be checked");
        assert_eq!(preview.exit_code, 0, "{preview:?}");
        let free = preview.says("ok", "network", "client port");
        assert!(free, "{preview:?}");
    }
    ensemble.replace(id, kind).expect("it is down");
    ensemble.launch(id).expect("it starts");
    ensemble.wait_until_serving().expect("it is in sync");
    let leader = ensemble.leader().expect("one leads");
    let mut session = ensemble.open_synced(leader).expect("a session");
    let written = session.set_data("/", None, -1).expect("it writes").mzxid;
    session.close().expect("it ends");
    wait_for_zxid(ensemble, id, written.0);
}

/// As an operator sees it: `srvr` tells the newest zxid that a server has.
fn wait_for_zxid(ensemble: &Ensemble, id: ServerId, wanted: i64) {
    let started = Instant::now();
    loop {
        let answer = ensemble
            .server(id)
            .four_letter_word("srvr")
            .expect("it answers");
        let zxid = answer
            .lines()
            .find_map(|line| line.strip_prefix("Zxid: 0x"));
        let zxid = zxid.map(|digits| i64::from_str_radix(digits, 16).expect("a zxid"));
        if zxid.is_some_and(|zxid| zxid >= wanted) {
            return;
        }
        assert!(
            started.elapsed() < PATIENCE,
            "{zxid:?} is behind {wanted:x}"
        );
        thread::sleep(POLL_INTERVAL);
    }
}

/// Everybody who works while the servers change.
struct Clients {
    residents: Vec<Conversation>,
    writers: Writers,
}

impl Clients {
    fn start(ensemble: &Ensemble) -> Clients {
        let leader = ensemble.leader().expect("one leads");
        let mut session = ensemble.open_synced(leader).expect("a session");
        let created = session.create(COUNTER, Some(b"0"), &anyone(), CreateMode::Persistent);
        created.expect("it writes");
        session.close().expect("it ends");
        let servers = ensemble.connect_string();
        let residents = [resident_java(&servers), resident_kazoo(&servers)];
        let residents = residents.map(|mut command| {
            let mut resident = Conversation::start(&mut command).expect("it starts");
            resident.wait_for(&["at work"]).expect("it works");
            resident
        });
        Clients {
            residents: residents.into(),
            writers: Writers::start(WRITERS, &ensemble.addresses()).expect("sessions"),
        }
    }

    fn write_more(&mut self) {
        self.writers.wait_for_more_acks(50).expect("they serve");
        for resident in &mut self.residents {
            resident.ask("more", &["wrote more"]).expect("it goes on");
        }
    }

    fn finish(self, ensemble: &mut Ensemble) {
        let journals = self.writers.finish().expect("the writers' sessions last");
        let mut acknowledged = 0;
        let mut unknown = 0;
        for mut resident in self.residents {
            let line = resident.ask("finish", &[&format!("counted {COUNTER}")]);
            let line = line.expect("it counts");
            let numbers: Vec<u64> = line
                .split(' ')
                .filter_map(|word| word.parse().ok())
                .collect();
            acknowledged += numbers[0];
            unknown += numbers[1];
            let verdict = resident.wait_for(&["all is well"]).expect("all is well");
            println!("{verdict}");
            resident.finish().expect("it ends well");
        }
        let leader = ensemble.leader().expect("one leads");
        let mut session = ensemble.open_synced(leader).expect("a session");
        let count = count(&mut session);
        assert!(count >= acknowledged, "{count} of {acknowledged}");
        assert!(count <= acknowledged + unknown, "{count} of {acknowledged}");
        wait_for_lost_ephemerals(&mut session).expect("they expire");
        check_journals(&ensemble.agreed_tree().expect("one tree"), &journals);
    }
}

fn count(session: &mut Session) -> u64 {
    let data = session.get_data(COUNTER).expect("it reads").data;
    let text = String::from_utf8(data.expect("a number").to_vec());
    text.expect("a number").parse().expect("a number")
}

fn resident_java(servers: &str) -> Command {
    let mut command = Command::new(project().join("tests/clients/curator"));
    command.args([servers, "Resident"]);
    command
}

fn resident_kazoo(servers: &str) -> Command {
    let mut command = Command::new(project().join(".venv/bin/python"));
    command.arg(project().join("tests/clients/resident.py"));
    command.arg(servers);
    command
}

fn project() -> &'static Path {
    Path::new(concat!(env!("CARGO_MANIFEST_DIR"), "/../.."))
}

fn options() -> Options {
    Options::default()
        .property(SUPER_DIGEST.0, SUPER_DIGEST.1)
        .property("zookeeper.snapCount", "1000")
        .property("zookeeper.preAllocSize", "64")
        .config("tickTime", "500")
}

const COUNTER: &str = "/resident-counter";
const WRITERS: usize = 2;
const PATIENCE: Duration = Duration::from_secs(60);
const POLL_INTERVAL: Duration = Duration::from_millis(10);
