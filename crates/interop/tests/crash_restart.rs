//! Nothing acknowledged is lost: writers go on while the server is killed with -9 and started again.
//!
//! `INTEROP_KILLS` says how often, 20 times unless told otherwise.
#![cfg(feature = "peers")]

use std::collections::BTreeSet;
use std::sync::mpsc::{Sender, channel};
use std::thread::JoinHandle;
use zooid_interop::{Kind, Options, Server, Session};
use zooid_proto::{Acl, CreateMode, perms};

const WRITERS: usize = 4;
/// Acknowledgements between one kill and the next; the kill then meets writes under way.
const ACKS_PER_LIFE: usize = 120;
const TIMEOUT_MS: i32 = 40_000;

/// A client that survives the server's deaths.
struct Writer {
    name: usize,
    session: Session,
    /// Paths whose creation was acknowledged, and whether they are ephemeral.
    acknowledged: Vec<(String, bool)>,
    /// The counter's last acknowledged version.
    version: i32,
}

impl Writer {
    /// Writes until the connection breaks. What is under way then may or may not have happened.
    fn write(&mut self, life: usize, acks: &Sender<()>) {
        let acl = [Acl::anyone(perms::ALL)];
        for n in 0_u32.. {
            let ephemeral = n % 10 == 9;
            let mode = if ephemeral {
                CreateMode::Ephemeral
            } else {
                CreateMode::Persistent
            };
            let path = format!("/unique/{}-{life}-{n}", self.name);
            let Ok(created) = self
                .session
                .create(&path, Some(path.as_bytes()), &acl, mode)
            else {
                return;
            };
            self.acknowledged.push((created, ephemeral));
            let counter = format!("/counter-{}", self.name);
            let Ok(stat) = self.session.set_data(&counter, Some(b"x"), self.version) else {
                return;
            };
            assert_eq!(
                stat.version,
                self.version + 1,
                "compare-and-set adds exactly one"
            );
            self.version = stat.version;
            // The main thread has heard enough when it no longer listens.
            let _ = acks.send(());
        }
    }

    /// Comes back to the session. The set whose answer was lost may have happened: one more, never
    /// less, and never two.
    fn come_back(mut self, server: &Server) -> Writer {
        let seen = self.session.last_zxid();
        self.session = self
            .session
            .reattach(server.address())
            .expect("the session lives on");
        let counter = format!("/counter-{}", self.name);
        let version = self
            .session
            .get_data(&counter)
            .expect("the counter")
            .stat
            .version;
        assert!(
            (self.version..=self.version + 1).contains(&version),
            "{version}"
        );
        assert!(
            self.session.last_zxid() >= seen,
            "a session never goes back in time"
        );
        self.version = version;
        self
    }
}

fn writers(server: &Server) -> Vec<Writer> {
    let acl = [Acl::anyone(perms::ALL)];
    let open = || Session::open(server.address(), TIMEOUT_MS).expect("a session");
    let create = |session: &mut Session, path: &str| {
        session
            .create(path, None, &acl, CreateMode::Persistent)
            .expect("a first node");
    };
    create(&mut open(), "/unique");
    (0..WRITERS)
        .map(|name| {
            let mut session = open();
            create(&mut session, &format!("/counter-{name}"));
            Writer {
                name,
                session,
                acknowledged: Vec::new(),
                version: 0,
            }
        })
        .collect()
}

/// One life of the server: everybody writes, and then it dies.
fn live_and_die(server: &mut Server, writers: Vec<Writer>, life: usize) -> Vec<Writer> {
    let (acks, heard) = channel();
    let threads: Vec<JoinHandle<Writer>> = writers
        .into_iter()
        .map(|mut writer| {
            let acks = acks.clone();
            std::thread::spawn(move || {
                writer.write(life, &acks);
                writer
            })
        })
        .collect();
    drop(acks);
    assert_eq!(
        heard.iter().take(ACKS_PER_LIFE).count(),
        ACKS_PER_LIFE,
        "writers gave up early"
    );
    server.kill().expect("it runs");
    threads
        .into_iter()
        .map(|thread| thread.join().expect("no assertion failed"))
        .collect()
}

#[test]
fn acknowledged_writes_survive_every_kill() {
    let kills = std::env::var("INTEROP_KILLS").map_or(20, |n| n.parse().expect("a number"));
    // Snapshots on the way, so that recovery meets them in every state.
    let options = Options::default().property("zookeeper.snapCount", "300");
    let mut server = Server::start(Kind::under_test(), options).expect("a server");
    let mut writers = writers(&server);
    for life in 0..kills {
        writers = live_and_die(&mut server, writers, life);
        server.start_again().expect("it recovers");
        writers = writers
            .into_iter()
            .map(|writer| writer.come_back(&server))
            .collect();
        verify(&server, &writers);
    }
}

fn verify(server: &Server, writers: &[Writer]) {
    let mut reader = Session::open(server.address(), TIMEOUT_MS).expect("a session");
    let children = reader.get_children("/unique").expect("the parent").children;
    let present: BTreeSet<String> = children
        .iter()
        .map(|name| format!("/unique/{name}"))
        .collect();
    let sessions: BTreeSet<i64> = writers.iter().map(|writer| writer.session.id().0).collect();
    for (path, ephemeral) in writers.iter().flat_map(|writer| &writer.acknowledged) {
        assert!(
            present.contains(path),
            "{path} was acknowledged and is gone"
        );
        if *ephemeral {
            let node = reader.get_data(path).expect("it is there");
            assert_eq!(node.data.as_deref(), Some(path.as_bytes()));
            assert!(
                sessions.contains(&node.stat.ephemeral_owner),
                "{path} has a dead owner"
            );
        }
    }
    reader.close().expect("it closes");
}
