//! `zooid check` before the swap: on what Debian's ZooKeeper 3.8.0 wrote and while it still runs, on damage,
//! on a configuration that asks for more than there is. It changes nothing.

use std::collections::BTreeMap;
use std::fs::{self, File};
use std::os::unix::fs::{FileExt as _, MetadataExt as _};
use std::path::{Path, PathBuf};
use tempfile::TempDir;
use zooid_interop::{Kind, Options, Preview, SUPER_DIGEST, Server, Session, Workload, anyone};
use zooid_proto::{Acl, CreateMode, perms};

#[test]
fn a_directory_of_zookeeper_is_described_and_left_alone() {
    let place = TempDir::new().expect("a place");
    let mut server = start(place.path());
    fill(&server);
    let config = server.config_path();
    let preview = Preview::of(&config).expect("it can be checked");
    assert!(
        preview.says("note", "network", "version 3.8.0"),
        "{preview:?}"
    );
    server.stop().expect("it runs");

    let before = files(place.path());
    let preview = Preview::of(&config).expect("it can be checked");
    assert_eq!(files(place.path()), before, "it changes nothing");
    assert_eq!(preview.exit_code, 0, "{preview:?}");
    assert!(preview.says("ok", "configuration", "a standalone server"));
    assert!(preview.says("ok", "network", "is free"), "{preview:?}");
    assert!(preview.says("ok", "data", "without a gap"), "{preview:?}");
    assert!(preview.says("ok", "data", "containers"), "{preview:?}");
    assert!(
        preview.says("ok", "data", "/work/large, 36864 bytes"),
        "{preview:?}"
    );
}

#[test]
fn damage_is_a_fault_with_its_repair() {
    let place = TempDir::new().expect("a place");
    let mut server = start(place.path());
    fill(&server);
    server.stop().expect("it runs");
    let log = files(place.path())
        .into_keys()
        .find(|path| path.to_string_lossy().contains("/log."))
        .expect("a log");
    // In the middle of the history.
    let file = File::options().write(true).open(&log).expect("it is there");
    file.write_all_at(&[0xff; 16], 4096).expect("it is written");
    let before = files(place.path());
    let preview = Preview::of(&server.config_path()).expect("it can be checked");
    assert_eq!(files(place.path()), before, "it changes nothing");
    assert_eq!(preview.exit_code, 2, "{preview:?}");
    assert!(preview.says("fault", "data", "To repair"), "{preview:?}");
}

#[test]
fn what_would_be_lost_or_read_otherwise_is_told() {
    let place = TempDir::new().expect("a place");
    let mut server = start(place.path());
    let mut session = Session::open_as_super(&server).expect("a session");
    let created = session.create("/plain", None, &anyone(), CreateMode::Persistent);
    created.expect("it writes");
    session.close().expect("it ends");
    server.stop().expect("it runs");
    let config = server.config_path();
    fs::write(
        config.with_file_name("java.env"),
        "export SERVER_JVMFLAGS=\"-Xmx1g -Dzookeeper.snapCount=5000\"\n",
    )
    .expect("it is written");
    let text = fs::read_to_string(&config).expect("it is there");
    fs::write(&config, format!("{text}snapcount=7\n")).expect("it is written");
    let preview = Preview::of(&config).expect("it can be checked");
    assert_eq!(preview.exit_code, 1, "{preview:?}");
    assert!(
        preview.says("warning", "configuration", "unknown key"),
        "{preview:?}"
    );
    assert!(preview.says("warning", "configuration", "zookeeper.snapCount"));

    fs::write(&config, format!("{text}secureClientPort=2281\n")).expect("it is written");
    let preview = Preview::of(&config).expect("it can be checked");
    assert_eq!(preview.exit_code, 2, "{preview:?}");
    assert!(preview.says("fault", "features", "TLS"), "{preview:?}");

    fs::write(&config, format!("{text}tickTime=soon\n")).expect("it is written");
    let preview = Preview::of(&config).expect("it can be checked");
    assert_eq!(preview.exit_code, 2, "{preview:?}");
    assert!(
        preview.says("fault", "configuration", "tickTime=soon"),
        "{preview:?}"
    );
}

#[test]
fn access_that_nobody_would_have_any_more_is_a_fault() {
    let place = TempDir::new().expect("a place");
    let options = options().property(
        "zookeeper.authProvider.1",
        "org.apache.zookeeper.server.auth.SASLAuthenticationProvider",
    );
    let mut server = Server::start_on(Kind::Java, options, place.path()).expect("a server");
    let mut session = Session::open_as_super(&server).expect("a session");
    let acl = [Acl::new(perms::ALL, "sasl", "alice")];
    let created = session.create("/sasl", None, &acl, CreateMode::Persistent);
    created.expect("it writes");
    session.close().expect("it ends");
    server.stop().expect("it runs");
    let preview = Preview::of(&server.config_path()).expect("it can be checked");
    assert_eq!(preview.exit_code, 2, "{preview:?}");
    assert!(
        preview.says("fault", "data", "1 nodes have ACLs of the scheme sasl"),
        "{preview:?}"
    );
}

fn start(place: &Path) -> Server {
    Server::start_on(Kind::Java, options(), place).expect("a server")
}

fn fill(server: &Server) {
    let mut session = Session::open_as_super(server).expect("a session");
    let mut work = Workload::new(&mut session, "/work").expect("it writes");
    work.write_everything(server).expect("it writes");
    work.write_large_node().expect("it writes");
}

/// Every file with its time and content, but for the server's log.
fn files(directory: &Path) -> BTreeMap<PathBuf, (i64, i64, Vec<u8>)> {
    let mut all = BTreeMap::new();
    for entry in fs::read_dir(directory.join("data")).expect("it is there") {
        let path = entry.expect("an entry").path();
        let below = if path.is_dir() {
            fs::read_dir(&path)
                .expect("it is there")
                .map(|entry| entry.expect("an entry").path())
                .collect()
        } else {
            vec![path]
        };
        for path in below {
            let metadata = fs::metadata(&path).expect("it is there");
            let content = fs::read(&path).expect("it is there");
            let changed = (metadata.mtime(), metadata.mtime_nsec(), content);
            all.insert(path, changed);
        }
    }
    all
}

fn options() -> Options {
    Options::default()
        .property(SUPER_DIGEST.0, SUPER_DIGEST.1)
        .config("extendedTypesEnabled", "true")
}
