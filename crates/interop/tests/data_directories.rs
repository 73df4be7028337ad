//! A data directory goes back and forth between Zooid and Debian's ZooKeeper 3.8.0, each killed with
//! SIGKILL before the other starts, and nothing in it is another than before.

use std::path::{Path, PathBuf};
use std::thread;
use std::time::{Duration, Instant};
use tempfile::TempDir;
use zooid_interop::{
    Kind, Options, SUPER_DIGEST, Server, Session, SnapshotFile, TreeDump, Workload, anyone,
    count_log_records, snapshots,
};
use zooid_proto::{Acl, CreateMode, perms};

#[test]
fn plain_snapshots_go_back_and_forth() {
    take_turns(Kind::Java, &options());
}

#[test]
fn gz_snapshots_go_back_and_forth() {
    let method = "zookeeper.snapshot.compression.method";
    take_turns(Kind::under_test(), &options().property(method, "gz"));
}

#[test]
fn snappy_snapshots_go_back_and_forth() {
    let method = "zookeeper.snapshot.compression.method";
    take_turns(Kind::Java, &options().property(method, "snappy"));
}

#[test]
fn directories_without_digests_go_back_and_forth() {
    let options = options()
        .property("zookeeper.digest.enabled", "false")
        .property("zookeeper.closeSessionTxn.enabled", "false");
    take_turns(Kind::under_test(), &options);
}

/// Logs of their own directory, and snapshots in the middle of the work.
#[test]
fn many_snapshots_and_separate_logs_go_back_and_forth() {
    let logs = TempDir::new().expect("a directory");
    let options = options()
        .property("zookeeper.snapCount", "20")
        .config("dataLogDir", &logs.path().display().to_string());
    take_turns_with_logs(Kind::under_test(), &options, Some(logs.path()));
}

#[test]
fn nodes_whose_time_is_over_are_swept_by_the_other_server() {
    for (writer, sweeper) in [
        (Kind::Java, Kind::under_test()),
        (Kind::under_test(), Kind::Java),
    ] {
        let directory = TempDir::new().expect("a directory");
        let mut server = Server::start_on(writer, options(), directory.path()).expect("a server");
        let mut session = Session::open_as_super(&server).expect("a session");
        let ttl = CreateMode::PersistentWithTtl;
        let container = CreateMode::Container;
        session
            .create_ttl("/ttl", None, &anyone(), ttl, 1)
            .expect("created");
        session
            .create("/empty", None, &anyone(), container)
            .expect("created");
        session
            .create("/empty/child", None, &anyone(), CreateMode::Persistent)
            .expect("created");
        session.delete("/empty/child", -1).expect("deleted");
        session
            .create("/unused", None, &anyone(), container)
            .expect("created");
        server.kill().expect("it runs");
        drop(server);

        let often = options().property("znode.container.checkIntervalMs", "100");
        let server = Server::start_on(sweeper, often, directory.path()).expect("a server");
        let mut session = session.reattach(server.address()).expect("the session");
        session.wait_until_gone("/ttl").expect("swept");
        session.wait_until_gone("/empty").expect("swept");
        let unused = session.exists("/unused", false).expect("an answer");
        assert!(
            unused.is_some(),
            "a container that never had a child is kept"
        );
    }
}

#[test]
fn ephemerals_of_lost_sessions_expire_at_the_other_server() {
    for (writer, heir) in [
        (Kind::Java, Kind::under_test()),
        (Kind::under_test(), Kind::Java),
    ] {
        let quick = options().config("tickTime", "100");
        let directory = TempDir::new().expect("a directory");
        let mut server =
            Server::start_on(writer, quick.clone(), directory.path()).expect("a server");
        let mut lost = Session::open(server.address(), 200).expect("a session");
        lost.create("/lost", None, &anyone(), CreateMode::Ephemeral)
            .expect("created");
        let mut kept = Session::open_as_super(&server).expect("a session");
        kept.create("/kept", None, &anyone(), CreateMode::Ephemeral)
            .expect("created");
        server.kill().expect("it runs");
        drop(server);

        let server = Server::start_on(heir, quick, directory.path()).expect("a server");
        let mut kept = kept.reattach(server.address()).expect("the session");
        kept.wait_until_gone("/lost").expect("expired");
        let stat = kept
            .exists("/kept", false)
            .expect("an answer")
            .expect("the node");
        assert_eq!(stat.ephemeral_owner, kept.id().0);
        assert!(
            lost.reattach(server.address()).is_err(),
            "an expired session is gone"
        );
    }
}

fn options() -> Options {
    Options::default()
        .property(SUPER_DIGEST.0, SUPER_DIGEST.1)
        .property("zookeeper.extendedTypesEnabled", "true")
        .property("zookeeper.enforceQuota", "true")
        .property("znode.container.checkIntervalMs", "3600000")
        .property("zookeeper.preAllocSize", "64")
}

fn take_turns(first: Kind, options: &Options) {
    take_turns_with_logs(first, options, None);
}

/// Three rounds of both servers on one directory. Each finds what the other left, holds what it
/// should hold, and adds to it.
fn take_turns_with_logs(first: Kind, options: &Options, logs: Option<&Path>) {
    let second = if first == Kind::Java {
        Kind::under_test()
    } else {
        Kind::Java
    };
    let directory = TempDir::new().expect("a directory");
    let mut left: Option<Left> = None;
    for (turn, kind) in [first, second].repeat(ROUNDS).into_iter().enumerate() {
        println!("turn {turn}: {kind:?}");
        let mut server =
            Server::start_on(kind, options.clone(), directory.path()).expect("a server");
        let mut session = match left.take() {
            Some(left) => left.found_by(&server),
            None => Session::open_as_super(&server).expect("a session"),
        };
        write(&server, &mut session, turn);
        let tree = TreeDump::read(&mut session).expect("the tree");
        server.kill().expect("it runs");
        left = Some(Left { tree, session });
    }
    check_files(directory.path(), options, logs);
}

/// What a server left behind when it was killed.
struct Left {
    tree: TreeDump,
    session: Session,
}

impl Left {
    /// Compares the tree, and comes back to the session, which still owns its ephemerals.
    fn found_by(self, server: &Server) -> Session {
        let mut session = self
            .session
            .reattach(server.address())
            .expect("the session");
        session
            .add_auth("digest", "super:admin")
            .expect("authenticated");
        let tree = TreeDump::read(&mut session).expect("the tree");
        let difference = self.tree.difference(&tree);
        assert!(
            difference.is_empty(),
            "{:?} found another tree:\n{difference}",
            server.kind()
        );
        check_quota(&mut session);
        session
    }
}

/// The quota of the first turn still counts, and still holds.
fn check_quota(session: &mut Session) {
    let stats = session
        .get_data("/zookeeper/quota/turn-0/quota/zookeeper_stats")
        .expect("stats");
    assert_eq!(stats.data.as_deref(), Some(&b"count=2,bytes=10"[..]));
    let too_much = vec![0; 8000];
    let refused = session.create(
        "/turn-0/quota/large",
        Some(&too_much),
        &anyone(),
        CreateMode::Persistent,
    );
    assert!(refused.is_err(), "the hard quota is gone");
}

fn write(server: &Server, session: &mut Session, turn: usize) {
    let root = format!("/turn-{turn}");
    let mut workload = Workload::new(session, &root).expect("the root");
    workload.write_everything(server).expect("all written");
    workload.write_large_node().expect("written");
    if turn == 0 {
        session
            .create(
                "/counter-",
                None,
                &anyone(),
                CreateMode::PersistentSequential,
            )
            .expect("created");
        session
            .create("/changing", None, &anyone(), CreateMode::Persistent)
            .expect("created");
    }
    // Nodes of earlier turns change too, and the sequence goes on where it was.
    session
        .set_data("/changing", Some(root.as_bytes()), -1)
        .expect("set");
    let acl = [
        Acl::anyone(perms::ALL),
        Acl::new(perms::READ, "ip", "10.0.0.1"),
    ];
    session.set_acl("/changing", &acl, -1).expect("set");
    session
        .create(
            "/counter-",
            None,
            &anyone(),
            CreateMode::PersistentSequential,
        )
        .expect("created");
}

/// ZooKeeper's own tools read the files of both, and a snapshot that Zooid makes of a state says
/// what ZooKeeper's says.
fn check_files(directory: &Path, options: &Options, logs: Option<&Path>) {
    let often = options.clone().property("zookeeper.snapCount", "2");
    let mut server = Server::start_on(Kind::under_test(), often, directory).expect("a server");
    write_until_snapshot(&server);
    server.kill().expect("it runs");
    let files = snapshots(&server.data_dir()).expect("snapshots");
    let read = |file: &PathBuf| SnapshotFile::read(file).expect("a readable snapshot");
    let mut read: Vec<SnapshotFile> = files.iter().map(read).collect();
    let ours = read.pop().expect("a snapshot");

    // ZooKeeper makes one at its start, of the same name.
    let mut server = Server::start_on(Kind::Java, options.clone(), directory).expect("a server");
    server.kill().expect("it runs");
    let files = snapshots(&server.data_dir()).expect("snapshots");
    let theirs = SnapshotFile::read(files.last().expect("a snapshot")).expect("a snapshot");
    assert_eq!(ours, theirs);

    // Every zxid is in a log, once.
    let data_dir = directory.join("data");
    let records = count_log_records(logs.unwrap_or(&data_dir)).expect("logs that the tool reads");
    assert_eq!(format!("0x{records:x}"), ours.zxid);
}

/// Writes until there is a snapshot of the last write. It is made while the server goes on, so there is
/// nothing to wait for but the file.
fn write_until_snapshot(server: &Server) {
    let mut session = Session::open_as_super(server).expect("a session");
    let started = Instant::now();
    loop {
        let data = Some(&b"snapshot"[..]);
        session.set_data("/changing", data, -1).expect("set");
        let name = format!("snapshot.{:x}", session.last_zxid());
        let written = Instant::now();
        while written.elapsed() < Duration::from_millis(300) {
            let files = snapshots(&server.data_dir()).expect("snapshots");
            let newest = files.last().and_then(|file| file.file_name()?.to_str());
            if newest.is_some_and(|newest| newest.starts_with(&name)) {
                return;
            }
            thread::sleep(Duration::from_millis(10));
        }
        assert!(
            started.elapsed() < Duration::from_secs(30),
            "no snapshot after many writes"
        );
    }
}

const ROUNDS: usize = 3;
