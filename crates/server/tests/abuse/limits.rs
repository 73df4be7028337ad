//! How many connections there may be, and for how long without a session.

use crate::bystander::Bystander;
use crate::packet::{connect, ping, receive, shake_hands};
use crate::zooid::{Setup, Zooid};
use std::fs;
use std::process::Command;
use zooid_interop::{Session, Wire, anyone};
use zooid_proto::{CreateMode, xid};

fn serve(key: &str, value: usize) -> (tempfile::TempDir, Zooid) {
    let directory = tempfile::tempdir().expect("a temporary directory");
    let zooid = Setup::on(directory.path()).config(key, &value).start();
    (directory, zooid)
}

/// Whether one more connection is taken.
fn is_admitted(zooid: &Zooid) -> bool {
    let mut wire = Wire::open(zooid.address).expect("the kernel takes it");
    wire.send_raw(&connect()).expect("sent");
    wire.receive().expect("an answer or the end").is_some()
}

fn limit_holds(key: &str, said: &str) {
    let (_directory, zooid) = serve(key, 3);
    let mut bystander = Bystander::arrive(&zooid);
    let others = [shake_hands(zooid.address), shake_hands(zooid.address)];
    assert!(!is_admitted(&zooid));
    bystander.assert_unharmed();
    zooid.wait_for_log(said);

    drop(others);
    while !is_admitted(&zooid) {
        bystander.ping();
    }
    bystander.assert_unharmed();
}

#[test]
fn connections_of_one_address_are_limited() {
    limit_holds("maxClientCnxns", "max is 3 (maxClientCnxns)");
}

#[test]
fn connections_are_limited() {
    limit_holds("maxCnxns", "max is 3 (maxCnxns)");
}

#[test]
fn connection_without_a_session_is_dropped_in_time_and_one_with_a_session_is_not() {
    let directory = tempfile::tempdir().expect("a temporary directory");
    let zooid = Setup::on(directory.path())
        .property("zookeeper.nio.sessionlessCnxnTimeout", &300)
        .start();
    let mut with_session = shake_hands(zooid.address);
    let mut without = Wire::open(zooid.address).expect("the server listens");
    assert_eq!(without.receive_rest().expect("dropped"), b"");
    with_session.send_raw(&ping()).expect("sent");
    assert_eq!(receive(&mut with_session).expect("a reply").xid, xid::PING);
    zooid.wait_for_log("no session was opened in time");
}

#[test]
fn quotas_that_are_exceeded_are_told_softly_or_refused() {
    let directory = tempfile::tempdir().expect("a temporary directory");
    let zooid = Setup::on(directory.path())
        .config("4lw.commands.whitelist", &"*")
        .property("zookeeper.enforceQuota", &true)
        .start();
    let mut session = Session::open(zooid.address, 40_000).expect("a session");
    let quota = "/zookeeper/quota/app";
    for (path, data) in [
        ("/app".to_owned(), ""),
        (quota.to_owned(), ""),
        (format!("{quota}/zookeeper_stats"), ""),
        (
            format!("{quota}/zookeeper_limits"),
            "count=1,bytes=-1=;countHardLimit=-1;byteHardLimit=3",
        ),
    ] {
        let data = Some(data.as_bytes());
        let created = session.create(&path, data, &anyone(), CreateMode::Persistent);
        created.expect("created");
    }
    let mut create =
        |path, data: &[u8]| session.create(path, Some(data), &anyone(), CreateMode::Persistent);
    create("/app/one", b"").expect("soft limits refuse nothing");
    zooid.wait_for_log("Quota exceeded: /app [current count=2, softCountLimit=1]");
    create("/app/two", b"four").expect_err("hard limits do");
    zooid.wait_for_log("Quota exceeded: /app [current bytes=4, hardByteLimit=3]");
    assert_eq!(zooid.metric("app_quota_exceeded_error_per_namespace"), 1.0);
}

/// Lists that were found and lists that were made, when two clients have asked for the same.
fn lists_found_and_made(setup: &Setup) -> (f64, f64) {
    const NAMES: usize = 200;
    let zooid = setup.start();
    let mut session = Session::open(zooid.address, 40_000).expect("a session");
    for name in 0..NAMES {
        let path = format!("/{name:0200}");
        let created = session.create(&path, None, &anyone(), CreateMode::Persistent);
        created.expect("created");
    }
    for _ in 0..2 {
        let mut other = Session::open(zooid.address, 40_000).expect("a session");
        let mut names = other.get_children("/").expect("a list").children;
        names.retain(|name| name != "zookeeper");
        names.sort();
        let expected: Vec<String> = (0..NAMES).map(|name| format!("{name:0200}")).collect();
        assert_eq!(names, expected);
    }
    (
        zooid.metric("response_packet_get_children_cache_hits"),
        zooid.metric("response_packet_get_children_cache_misses"),
    )
}

#[test]
fn lists_of_children_are_kept_unless_that_is_switched_off() {
    let directory = tempfile::tempdir().expect("a temporary directory");
    let setup = Setup::on(directory.path()).config("4lw.commands.whitelist", &"*");
    assert_eq!(lists_found_and_made(&setup), (1.0, 1.0));
    let directory = tempfile::tempdir().expect("a temporary directory");
    let setup = Setup::on(directory.path())
        .config("4lw.commands.whitelist", &"*")
        .property("zookeeper.maxGetChildrenResponseCacheSize", &0);
    assert_eq!(lists_found_and_made(&setup), (0.0, 0.0));
}

/// What the kernel says of a server's sockets; `None` where `ss` is not installed.
fn sockets(zooid: &Zooid, options: &str) -> Option<String> {
    let port = format!("sport = :{}", zooid.address.port());
    let output = Command::new("ss").args([options, &port]).output().ok()?;
    Some(String::from_utf8(output.stdout).expect("text"))
}

#[test]
fn backlog_of_pending_connections_is_as_configured() {
    let (_directory, zooid) = serve("clientPortListenBacklog", 7);
    let Some(listening) = sockets(&zooid, "-Hltn") else {
        return println!("there is no ss here");
    };
    let columns: Vec<&str> = listening.split_whitespace().take(3).collect();
    assert_eq!(columns, ["LISTEN", "0", "7"]);
}

#[test]
fn client_sockets_are_kept_alive_on_demand() {
    let directory = tempfile::tempdir().expect("a temporary directory");
    let zooid = Setup::on(directory.path())
        .property("zookeeper.clientTcpKeepAlive", &true)
        .start();
    let _wire = shake_hands(zooid.address);
    let Some(connected) = sockets(&zooid, "-Htno") else {
        return println!("there is no ss here");
    };
    assert!(connected.contains("timer:(keepalive,"), "{connected}");
}

/// How many threads a server has for nothing but its clients.
fn worker_threads(zooid: &Zooid) -> usize {
    let threads = fs::read_dir(format!("/proc/{}/task", zooid.pid())).expect("it runs");
    let names =
        threads.filter_map(|thread| fs::read_to_string(thread.ok()?.path().join("comm")).ok());
    names.filter(|name| name.starts_with("zooid-io-")).count()
}

#[test]
fn clients_are_served_by_as_many_threads_as_are_asked_for_and_by_the_core_if_none() {
    for count in [0, 1] {
        let (_directory, zooid) = serve("nio.numWorkerThreads", count);
        let mut bystander = Bystander::arrive(&zooid);
        bystander.assert_unharmed();
        assert_eq!(worker_threads(&zooid), count);
        drop(bystander);
        zooid.stop();
    }
}
