//! Sessions that one member knows alone: local ones, and those of a member that has lost its ensemble and
//! serves reads.

use std::thread;
use std::time::{Duration, Instant};
use zooid_interop::{Ensemble, Kind, Layout, Mode, Options, Server, Session, anyone};
use zooid_proto::{CreateMode, ErrorCode, Jute, OpCode};

/// On a leader and on a follower: a local session writes, and only its first ephemeral makes it known to
/// the others.
#[test]
fn local_sessions_become_global_when_they_need_to() {
    let options = options()
        .config("localSessionsEnabled", "true")
        .config("localSessionsUpgradingEnabled", "true");
    let layout = Layout::voters(Kind::under_test(), 3);
    let ensemble = Ensemble::start(&layout, &options).expect("three servers");
    for mode in [Mode::Leader, Mode::Follower] {
        let id = ensemble.one_in_mode(mode).expect("there is one");
        let server = ensemble.server(id);
        let global = count(server, "zk_global_sessions");
        let local = count(server, "zk_local_sessions");
        let mut session = Session::open(server.address(), 30_000).expect("a session");
        assert_eq!(count(server, "zk_global_sessions"), global);
        assert_eq!(count(server, "zk_local_sessions"), local + 1);

        let plain = format!("/plain-{}", id.0);
        let created = session.create(&plain, None, &anyone(), CreateMode::Persistent);
        created.expect("a local session writes");
        assert_eq!(count(server, "zk_global_sessions"), global);

        let mine = format!("/mine-{}", id.0);
        let created = session.create(&mine, None, &anyone(), CreateMode::Ephemeral);
        created.expect("an upgraded session owns nodes");
        assert_eq!(count(server, "zk_global_sessions"), global + 1);
        assert_eq!(count(server, "zk_local_sessions"), local);

        let other = ensemble.ids().find(|other| *other != id).expect("one more");
        // A server that is behind what a client has seen would refuse it.
        let behind = ensemble.open_synced(other).expect("a session");
        behind.close().expect("it ends");
        let mut moved = session
            .reattach(ensemble.server(other).address())
            .expect("the others know it");
        let stat = moved.exists(&mine, false).expect("it reads");
        assert_eq!(stat.expect("it is there").ephemeral_owner, session.id().0);
        moved.close().expect("it ends");
    }
}

/// Without an upgrade there are no ephemerals, and the session goes on.
#[test]
fn local_sessions_that_may_not_be_upgraded_own_nothing() {
    let options = options().config("localSessionsEnabled", "true");
    let layout = Layout::voters(Kind::under_test(), 3);
    let ensemble = Ensemble::start(&layout, &options).expect("three servers");
    for mode in [Mode::Leader, Mode::Follower] {
        let id = ensemble.one_in_mode(mode).expect("there is one");
        let address = ensemble.server(id).address();
        let mut session = Session::open(address, 30_000).expect("a session");
        let path = format!("/mine-{}", id.0);
        let refused = session.create(&path, None, &anyone(), CreateMode::Ephemeral);
        let error = format!("{:#}", refused.expect_err("it is local"));
        assert!(error.contains("Ephemeral node on local session"), "{error}");
        assert_eq!(session.exists(&path, false).expect("it goes on"), None);
        session.close().expect("it ends");
    }
}

#[test]
fn a_member_without_its_ensemble_serves_reads() {
    let options = options()
        .property("readonlymode.enabled", "true")
        .config("localSessionsEnabled", "true");
    let layout = Layout::voters(Kind::under_test(), 3);
    let mut ensemble = Ensemble::start(&layout, &options).expect("three servers");
    let left = ensemble.one_in_mode(Mode::Follower).expect("one follows");
    let mut session = Session::open(ensemble.server(left).address(), 30_000).expect("a session");
    let created = session.create("/kept", None, &anyone(), CreateMode::Persistent);
    created.expect("it writes");
    let others: Vec<_> = ensemble.ids().filter(|id| *id != left).collect();
    for id in &others {
        ensemble.kill(*id).expect("it runs");
    }
    let server = ensemble.server(left);
    wait_for_word(server, "isro", "ro");

    let demanding = Session::open(server.address(), 30_000);
    assert!(demanding.is_err(), "only those who allow it are served");
    let mut content = Session::open_read_only(server.address(), 30_000).expect("a session");
    let stat = content.exists("/kept", false).expect("it reads");
    assert!(stat.is_some());
    let sync = "/".to_owned().to_vec();
    let refused = content.call(OpCode::Sync, &sync).expect("it is answered");
    assert_eq!(refused.err, ErrorCode::NotReadOnly);

    ensemble.start_all().expect("the others come back");
    wait_for_word(ensemble.server(left), "isro", "rw");
    let mut session = ensemble.open_synced(left).expect("a session");
    let created = session.create("/more", None, &anyone(), CreateMode::Persistent);
    created.expect("it writes again");
}

fn wait_for_word(server: &Server, word: &str, expected: &str) {
    let started = Instant::now();
    while server.four_letter_word(word).ok().as_deref() != Some(expected) {
        assert!(started.elapsed() < PATIENCE, "{word} is never {expected}");
        thread::sleep(Duration::from_millis(50));
    }
}

fn count(server: &Server, gauge: &str) -> usize {
    let answer = server.four_letter_word("mntr").expect("it answers");
    let value = answer.lines().find_map(|line| {
        let (name, value) = line.split_once('\t')?;
        (name == gauge).then(|| value.parse().expect("a count"))
    });
    value.expect("mntr has the gauge")
}

fn options() -> Options {
    Options::default().config("tickTime", "500")
}

const PATIENCE: Duration = Duration::from_secs(60);
