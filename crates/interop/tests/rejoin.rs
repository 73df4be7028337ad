//! A server comes back to its ensemble, by the road that the leader chooses: what it missed (DIFF,
//! from memory or from the log), back to what the others have (TRUNC), or the whole tree (SNAP). It
//! comes back while clients write, can be used at once, and has what all have.
//!
//! The leader counts roads in `mntr`: `diff_count` for DIFF and TRUNC, `snap_count` for SNAP.
//! `INTEROP_MISSED=1000000` has a server miss more.

use std::fs::DirEntry;
use std::ops::Range;
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant, SystemTime};
use std::{env, fs, thread};
use zooid_interop::{
    Ensemble, Kind, Layout, Options, SUPER_DIGEST, Session, SmallDisk, Writers, anyone,
    check_journals, leave_a_tail, wait_for_lost_ephemerals,
};
use zooid_proto::request::{CreateRequest, SetDataRequest};
use zooid_proto::{CreateMode, Jute, OpCode, ServerId};

#[test]
fn what_was_missed_comes_from_memory() {
    miss(10, Road::Diff);
}

#[test]
fn what_was_missed_and_forgotten_comes_from_the_log() {
    miss(1_000, Road::Diff);
}

/// Reading so much of the log would take longer than sending the tree.
#[test]
fn a_snapshot_comes_instead_of_too_much_log() {
    let missed = env::var("INTEROP_MISSED").ok();
    let missed = missed.and_then(|missed| missed.parse().ok());
    miss(missed.unwrap_or(20_000), Road::Snap);
}

#[test]
fn a_snapshot_comes_to_a_server_that_lost_its_data() {
    let mut ensemble = start();
    write_settings(&ensemble);
    let lost = ensemble.followers()[0];
    ensemble.kill(lost).expect("it runs");
    ensemble.empty(lost).expect("its data goes");
    rejoin_under_load(&mut ensemble, lost, Road::Snap);
}

/// Again and again: what it has of the snapshot is worth nothing, is not taken for one, and goes.
#[test]
fn a_server_that_is_killed_while_a_snapshot_comes_begins_anew() {
    let (mut ensemble, lost) = start_with_one_emptied();
    for _ in 0..KILLS {
        let launched = SystemTime::now();
        ensemble.launch(lost).expect("it starts");
        wait_for_draft(&ensemble, lost, launched);
        ensemble.kill(lost).expect("it runs");
        let finished = files(&ensemble, lost, "snapshot.1");
        assert!(finished.is_empty(), "killed too late: {finished:?}");
    }
    rejoin_under_load(&mut ensemble, lost, Road::Snap);
    let left = files(&ensemble, lost, DRAFT_PREFIX);
    assert!(left.is_empty(), "{left:?}");
}

/// What has come of it goes, and the thread that read it; the next leader sends another.
#[test]
fn a_leader_that_is_killed_while_its_snapshot_comes_leaves_nothing_of_it() {
    let (mut ensemble, lost) = start_with_one_emptied();
    let launched = SystemTime::now();
    ensemble.launch(lost).expect("it starts");
    wait_for_draft(&ensemble, lost, launched);
    assert!(reads_a_snapshot(&ensemble, lost));
    let leader = ensemble.leader().expect("one leads");
    ensemble.kill(leader).expect("it runs");
    ensemble.wait_until_serving().expect("two of three do");
    use_at_once(&ensemble, lost);
    wait_until("nothing is left", || {
        !reads_a_snapshot(&ensemble, lost) && files(&ensemble, lost, DRAFT_PREFIX).is_empty()
    });
    ensemble.start_all().expect("the third comes back");
    ensemble.agreed_tree().expect("one tree");
}

/// Whether a server has a thread that reads a snapshot.
fn reads_a_snapshot(ensemble: &Ensemble, id: ServerId) -> bool {
    let pid = ensemble.server(id).pid().expect("it runs");
    let threads = fs::read_dir(format!("/proc/{pid}/task")).expect("it has threads");
    let name = |thread: DirEntry| fs::read_to_string(thread.path().join("comm"));
    // One may end meanwhile.
    let mut names = threads.flatten().filter_map(|thread| name(thread).ok());
    names.any(|name| name.trim() == "zooid-receive")
}

/// It asks again until there is room, and meanwhile it is there.
#[test]
fn a_server_without_room_for_a_snapshot_waits_for_room() {
    let mut ensemble = start_of(Kind::Zooid);
    write_settings(&ensemble);
    write_large(&ensemble, 200..2_000);
    let lost = ensemble.followers()[0];
    ensemble.kill(lost).expect("it runs");
    let disk = mount(&ensemble.server(lost).data_dir(), "24m");
    ensemble.launch(lost).expect("it starts");
    for _ in 0..2 {
        let refused = refusals(&ensemble, lost);
        let started = Instant::now();
        while refusals(&ensemble, lost) == refused {
            assert!(
                started.elapsed() < PATIENCE,
                "{}",
                ensemble.server(lost).log()
            );
            thread::sleep(POLL_INTERVAL);
        }
        let answer = ensemble.server(lost).four_letter_word("ruok");
        assert_eq!(answer.expect("it is up"), "imok");
    }
    disk.resize("200m").expect("it grows");
    ensemble.wait_until_serving().expect("it comes back");
    use_at_once(&ensemble, lost);
    ensemble.agreed_tree().expect("one tree");
}

/// How often a server has found no room for a snapshot.
fn refusals(ensemble: &Ensemble, id: ServerId) -> usize {
    let log = ensemble.server(id).log();
    log.matches("there is no room for the leader's snapshot")
        .count()
}

/// In the place of a server's data, with nothing but its myid.
fn mount(data: &Path, size: &str) -> SmallDisk {
    let myid = data.join("myid");
    let number = fs::read(&myid).expect("a member has a number");
    let disk = SmallDisk::mount(data, size).expect("a small disk");
    fs::write(myid, number).expect("so much fits");
    disk
}

/// An ensemble with a large tree, and who of it has lost its data and does not run.
fn start_with_one_emptied() -> (Ensemble, ServerId) {
    let mut ensemble = start_of(Kind::Zooid);
    write_settings(&ensemble);
    write_large(&ensemble, 200..2_000);
    let lost = ensemble.followers()[0];
    ensemble.kill(lost).expect("it runs");
    ensemble.empty(lost).expect("its data goes");
    (ensemble, lost)
}

fn wait_until(what: &str, mut is_so: impl FnMut() -> bool) {
    let started = Instant::now();
    while !is_so() {
        assert!(started.elapsed() < PATIENCE, "still not so: {what}");
        thread::sleep(POLL_INTERVAL);
    }
}

/// Waits until a snapshot is being written that was begun since.
fn wait_for_draft(ensemble: &Ensemble, id: ServerId, since: SystemTime) {
    let is_new = |path: &PathBuf| {
        let modified = fs::metadata(path).and_then(|file| file.modified());
        modified.is_ok_and(|modified| modified > since)
    };
    wait_until("a snapshot comes", || {
        files(ensemble, id, DRAFT_PREFIX).iter().any(is_new)
    });
}

/// What a server has of snapshots and logs, by how the names begin.
fn files(ensemble: &Ensemble, id: ServerId, prefix: &str) -> Vec<PathBuf> {
    // There is no directory until the server has made it.
    let entries = fs::read_dir(ensemble.server(id).data_dir().join("version-2"));
    let entries = entries.into_iter().flatten().flatten();
    let begins = |entry: &DirEntry| entry.file_name().to_string_lossy().starts_with(prefix);
    entries.filter(begins).map(|entry| entry.path()).collect()
}

#[test]
fn a_tail_that_nobody_else_has_is_cut() {
    let mut ensemble = start();
    write_settings(&ensemble);
    let old = leave_a_tail(&mut ensemble, TAIL_PREFIX).expect("a tail");
    let leader = ensemble.leader().expect("one leads");
    let before = roads(&ensemble, leader);
    ensemble.launch(old).expect("it starts");
    ensemble.wait_until_serving().expect("it comes back");
    assert_taken(&ensemble, leader, before, Road::Diff);
    let writers = Writers::start(WRITERS, &ensemble.addresses()).expect("sessions");
    writers.wait_for_more_acks(200).expect("they serve");
    finish(&mut ensemble, writers);
    assert_no_tail(&ensemble);
}

/// No TRUNC is sent once there are transactions of a newer epoch.
#[test]
fn a_snapshot_replaces_a_tail_that_others_have_gone_past() {
    let mut ensemble = start();
    write_settings(&ensemble);
    let old = leave_a_tail(&mut ensemble, TAIL_PREFIX).expect("a tail");
    miss_writes(&ensemble, 10);
    rejoin_under_load(&mut ensemble, old, Road::Snap);
    assert_no_tail(&ensemble);
}

/// A road, as the leader counts it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Road {
    Diff,
    Snap,
}

fn miss(count: usize, road: Road) {
    let mut ensemble = start();
    write_settings(&ensemble);
    let away = ensemble.followers()[0];
    ensemble.stop(away).expect("it runs");
    miss_writes(&ensemble, count);
    rejoin_under_load(&mut ensemble, away, road);
}

/// Starts the server while clients write, and uses it as soon as it serves.
fn rejoin_under_load(ensemble: &mut Ensemble, id: ServerId, road: Road) {
    let leader = ensemble.leader().expect("one leads");
    let before = roads(ensemble, leader);
    let others: Vec<_> = ensemble.up();
    let others: Vec<_> = others
        .iter()
        .map(|id| ensemble.server(*id).address())
        .collect();
    let writers = Writers::start(WRITERS, &others).expect("sessions");
    writers.wait_for_more_acks(20).expect("the others serve");
    ensemble.launch(id).expect("it starts");
    ensemble.wait_until_serving().expect("it comes back");
    use_at_once(ensemble, id);
    assert_taken(ensemble, leader, before, road);
    writers.set_addresses(&ensemble.addresses());
    writers.wait_for_more_acks(50).expect("all serve");
    finish(ensemble, writers);
}

fn use_at_once(ensemble: &Ensemble, id: ServerId) {
    let mut session = ensemble.open_synced(id).expect("a session");
    let path = "/at-once";
    let created = session.create(path, Some(b"1"), &anyone(), CreateMode::Persistent);
    created.expect("it writes");
    session.set_data(path, Some(b"2"), 0).expect("it writes");
    let read = session.get_data(path).expect("it reads");
    assert_eq!(read.data.as_deref(), Some(&b"2"[..]));
}

fn finish(ensemble: &mut Ensemble, writers: Writers) {
    let journals = writers.finish().expect("the writers' sessions last");
    ensemble.wait_until_serving().expect("all serve");
    let leader = ensemble.leader().expect("one leads");
    let mut session = ensemble.open_synced(leader).expect("a session");
    wait_for_lost_ephemerals(&mut session).expect("they expire");
    // The word hash tells the digest at every 128th zxid; all have these in common.
    set_settings(&mut session, 2 * 128);
    check_journals(&ensemble.agreed_tree().expect("one tree"), &journals);
    let compared = ensemble.compare_digests().expect("equal digests");
    assert!(compared > 0, "no digest was compared");
}

fn assert_no_tail(ensemble: &Ensemble) {
    let tree = ensemble.agreed_tree().expect("one tree");
    let mut paths = tree.nodes.keys();
    assert!(!paths.any(|path| path.starts_with(TAIL_PREFIX)));
}

/// How often the leader has sent what was missed, and the whole tree.
fn roads(ensemble: &Ensemble, leader: ServerId) -> (usize, usize) {
    let status = ensemble.status(leader).expect("it serves");
    let count = |name| status.number(name).expect("a leader counts its roads");
    (count("diff_count"), count("snap_count"))
}

fn assert_taken(ensemble: &Ensemble, leader: ServerId, before: (usize, usize), road: Road) {
    assert_eq!(ensemble.leader().expect("one leads"), leader);
    let after = roads(ensemble, leader);
    let taken = (after.0 - before.0, after.1 - before.1);
    let expected = match road {
        Road::Diff => (1, 0),
        Road::Snap => (0, 1),
    };
    // Under load a server of ZooKeeper 3.8.0 may lose its leader right after that, and come again.
    let repeated = match (Kind::under_test(), road) {
        (Kind::Zooid, _) => (0, 0),
        (Kind::Java, Road::Diff) => (taken.0 - expected.0, 0),
        (Kind::Java, Road::Snap) => (taken.0, taken.1 - expected.1),
    };
    let once = (taken.0 - repeated.0, taken.1 - repeated.1);
    assert_eq!(once, expected, "(diff_count, snap_count), of {taken:?}");
}

/// A tree of 4 MB, of which each server has a snapshot, and a log that is small from there on: up to
/// a third of a snapshot's size is sent of a log.
fn write_settings(ensemble: &Ensemble) {
    let leader = ensemble.leader().expect("one leads");
    let mut session = ensemble.open_synced(leader).expect("a session");
    write_large(ensemble, 0..200);
    let creates: Vec<_> = (0..SETTINGS)
        .map(|number| create(&setting(number), b""))
        .collect();
    session
        .call_all(OpCode::Create, &creates)
        .expect("it writes");
    set_settings(&mut session, 2 * SNAP_COUNT);
    session.close().expect("it ends");
}

/// Nodes of 20 kB.
fn write_large(ensemble: &Ensemble, numbers: Range<usize>) {
    let leader = ensemble.leader().expect("one leads");
    let mut session = ensemble.open_synced(leader).expect("a session");
    let large = vec![b'x'; 20_000];
    let creates: Vec<_> = numbers
        .map(|number| create(&format!("/large-{number}"), &large))
        .collect();
    for some in creates.chunks(200) {
        session.call_all(OpCode::Create, some).expect("it writes");
    }
    session.close().expect("it ends");
}

fn miss_writes(ensemble: &Ensemble, count: usize) {
    let leader = ensemble.leader().expect("one leads");
    let mut session = ensemble.open_synced(leader).expect("a session");
    set_settings(&mut session, count);
    session.close().expect("it ends");
}

fn set_settings(session: &mut Session, count: usize) {
    let value = vec![b'v'; 100];
    let set = |number| SetDataRequest {
        path: setting(number % SETTINGS),
        data: Some(value.clone().into()),
        version: -1,
    };
    for first in (0..count).step_by(BATCH) {
        let numbers = first..count.min(first + BATCH);
        let sets: Vec<_> = numbers.map(|number| set(number).to_vec()).collect();
        session.call_all(OpCode::SetData, &sets).expect("it writes");
    }
}

fn setting(number: usize) -> String {
    format!("/setting-{number}")
}

fn create(path: &str, data: &[u8]) -> Vec<u8> {
    let request = CreateRequest {
        path: path.into(),
        data: Some(data.to_vec().into()),
        acl: anyone().into(),
        flags: CreateMode::Persistent.flags(),
    };
    request.to_vec()
}

fn start() -> Ensemble {
    start_of(Kind::under_test())
}

fn start_of(kind: Kind) -> Ensemble {
    let layout = Layout::voters(kind, 3);
    let options = Options::default()
        .property(SUPER_DIGEST.0, SUPER_DIGEST.1)
        .property("zookeeper.snapCount", &SNAP_COUNT.to_string())
        .property("zookeeper.preAllocSize", "64");
    Ensemble::start(&layout, &options).expect("three servers")
}

const WRITERS: usize = 2;
const KILLS: usize = 3;
/// Of epoch 1: that of an empty database is of transaction 0.
const DRAFT_PREFIX: &str = ".snapshot.1";
const PATIENCE: Duration = Duration::from_secs(30);
const POLL_INTERVAL: Duration = Duration::from_millis(1);
const SNAP_COUNT: usize = 1_000;
const SETTINGS: usize = 100;
const BATCH: usize = 1_000;
const TAIL_PREFIX: &str = "/tail-";
