//! Logs and snapshots that are not what was written: either nothing acknowledged is missing, or the
//! server refuses to start and spells out the repair.

use crate::bystander::{Acknowledged, Bystander};
use crate::rng::Rng;
use crate::zooid::{Ended, Setup, Zooid};
use std::fs;
use std::path::{Path, PathBuf};

const WRITES: usize = 120;
const VALUE_BYTES: usize = 700;

/// Directories that a killed server left.
struct Remains {
    directory: tempfile::TempDir,
    setup: Setup,
    acknowledged: Acknowledged,
}

impl Remains {
    fn of(configure: impl Fn(Setup) -> Setup, until: impl Fn(&Zooid, usize) -> bool) -> Remains {
        let directory = tempfile::tempdir().expect("a temporary directory");
        let setup = configure(Setup::on(directory.path()).property("zookeeper.preAllocSize", &64));
        let zooid = setup.start();
        let mut bystander = Bystander::arrive(&zooid);
        let mut writes = 0;
        while !until(&zooid, writes) {
            let value = vec![u8::try_from(writes % 251).expect("small"); VALUE_BYTES];
            bystander.write_value(value).expect("served");
            writes += 1;
        }
        zooid.kill();
        Remains {
            directory,
            setup,
            acknowledged: bystander.leave(),
        }
    }

    fn version_2(&self) -> PathBuf {
        self.setup.data_dir().join("version-2")
    }

    /// Files by name, the oldest first.
    fn files(&self, prefix: &str) -> Vec<PathBuf> {
        let zxid = |path: &Path| {
            let name = path.file_name()?.to_str()?;
            i64::from_str_radix(name.strip_prefix(prefix)?, 16).ok()
        };
        let listed = fs::read_dir(self.version_2()).expect("there");
        let paths = listed.map(|entry| entry.expect("readable").path());
        let mut found: Vec<_> = paths
            .filter_map(|path| Some((zxid(&path)?, path)))
            .collect();
        found.sort();
        found.into_iter().map(|(_, path)| path).collect()
    }

    /// Starts a server after each of several changes of one file, always from the same state.
    fn after_each(
        &self,
        path: &Path,
        changes: Vec<(String, Vec<u8>)>,
        check: impl Fn(&str, &Self),
    ) {
        let saved = self.directory.path().join("saved");
        copy_dir(&self.version_2(), &saved);
        for (what, changed) in changes {
            fs::write(path, changed).expect("written");
            check(&what, self);
            fs::remove_dir_all(self.version_2()).expect("there");
            copy_dir(&saved, &self.version_2());
        }
    }

    /// Nothing is missing, or the server has said why it does not start. Whether it started.
    fn assert_kept_or_refused(&self, what: &str) -> bool {
        match self.setup.try_start() {
            Ok(zooid) => {
                self.acknowledged.assert_on(&zooid);
                true
            }
            Err(ended) => {
                assert_refused(&ended, what);
                false
            }
        }
    }
}

fn assert_refused(ended: &Ended, what: &str) {
    println!("{what}: {}", ended.log.lines().last().unwrap_or_default());
    ended.assert_exit_code(1);
    ended.assert_says("To repair: ");
}

fn copy_dir(from: &Path, to: &Path) {
    fs::create_dir_all(to).expect("created");
    for entry in fs::read_dir(from).expect("there") {
        let path = entry.expect("readable").path();
        fs::copy(&path, to.join(path.file_name().expect("a file"))).expect("copied");
    }
}

fn flipped(bytes: &[u8], offset: usize, bit: usize) -> (String, Vec<u8>) {
    let mut changed = bytes.to_vec();
    changed[offset] ^= 1 << bit;
    (format!("bit {bit} of byte {offset}"), changed)
}

/// Without the zeros at the end.
fn written_len(bytes: &[u8]) -> usize {
    bytes
        .iter()
        .rposition(|byte| *byte != 0)
        .map_or(0, |last| last + 1)
}

#[test]
fn flipped_bit_in_the_log_is_never_a_silent_loss() {
    let remains = Remains::of(|setup| setup, |_, writes| writes == WRITES);
    let logs = remains.files("log.");
    let log = logs.last().expect("a log");
    let bytes = fs::read(log).expect("there");
    let written = written_len(&bytes);
    let mut rng = Rng::new(20_240_504);
    let mut changes = vec![
        flipped(&bytes, 0, 3),
        flipped(&bytes, 16 + 7, 0),
        flipped(&bytes, 16 + 11, 4),
        flipped(&bytes, written - 1, 1),
        flipped(&bytes, written - 2, 7),
        flipped(&bytes, written + 100, 5),
    ];
    for _ in 0..8 {
        changes.push(flipped(&bytes, 16 + rng.below(written - 16), rng.below(8)));
    }
    let last_record = written - VALUE_BYTES;
    for _ in 0..4 {
        changes.push(flipped(
            &bytes,
            last_record + rng.below(VALUE_BYTES),
            rng.below(8),
        ));
    }
    remains.after_each(log, changes, |what, remains| {
        remains.assert_kept_or_refused(what);
    });
}

#[test]
fn log_that_breaks_off_before_another_one_is_refused() {
    let roll_twice = |setup: Setup| setup.property("zookeeper.snapCount", &40);
    let remains = Remains::of(roll_twice, |_, writes| writes == WRITES);
    let logs = remains.files("log.");
    assert!(logs.len() >= 3, "{logs:?}");
    // Snapshots that are newer would make up for what is missing.
    for snapshot in remains.files("snapshot.").iter().skip(1) {
        fs::remove_file(snapshot).expect("there");
    }
    let log = &logs[logs.len() - 2];
    let bytes = fs::read(log).expect("there");
    let written = written_len(&bytes);
    let cut = |len: usize| (format!("cut at {len}"), bytes[..len].to_vec());
    let changes = vec![cut(0), cut(16), cut(written / 2), cut(written - 1)];
    remains.after_each(log, changes, |what, remains| {
        assert!(!remains.assert_kept_or_refused(what), "{what}");
    });
}

#[test]
fn missing_log_in_the_middle_is_refused() {
    let roll_twice = |setup: Setup| setup.property("zookeeper.snapCount", &40);
    let remains = Remains::of(roll_twice, |_, writes| writes == WRITES);
    for snapshot in remains.files("snapshot.").iter().skip(1) {
        fs::remove_file(snapshot).expect("there");
    }
    let logs = remains.files("log.");
    fs::remove_file(&logs[1]).expect("there");
    let ended = remains.setup.refuse();
    assert_refused(&ended, "missing log");
    ended.assert_says("the transaction logs have a gap");
}

/// Several snapshots, all whole.
fn with_snapshots() -> Remains {
    Remains::of(
        |setup| setup.property("zookeeper.snapCount", &40),
        |zooid, writes| writes >= WRITES && zooid.log().matches("snapshot written").count() >= 2,
    )
}

fn damaged_snapshots(bytes: &[u8]) -> Vec<(String, Vec<u8>)> {
    let mut rng = Rng::new(20_240_505);
    let mut changes = vec![
        flipped(bytes, 2, 0),
        flipped(bytes, bytes.len() - 1, 0),
        (
            "cut in the middle".to_owned(),
            bytes[..bytes.len() / 2].to_vec(),
        ),
        (
            "cut at the end".to_owned(),
            bytes[..bytes.len() - 1].to_vec(),
        ),
        ("empty".to_owned(), Vec::new()),
    ];
    for _ in 0..6 {
        changes.push(flipped(bytes, rng.below(bytes.len()), rng.below(8)));
    }
    changes
}

#[test]
fn damaged_snapshot_is_made_up_for_by_an_older_one_and_the_logs() {
    let remains = with_snapshots();
    let snapshots = remains.files("snapshot.");
    let newest = snapshots.last().expect("a snapshot");
    let bytes = fs::read(newest).expect("there");
    remains.after_each(newest, damaged_snapshots(&bytes), |what, remains| {
        assert!(remains.assert_kept_or_refused(what), "{what}");
    });
}

#[test]
fn damaged_only_snapshot_is_refused() {
    let remains = with_snapshots();
    let mut snapshots = remains.files("snapshot.");
    let newest = snapshots.pop().expect("a snapshot");
    for older in snapshots {
        fs::remove_file(older).expect("there");
    }
    let bytes = fs::read(&newest).expect("there");
    remains.after_each(&newest, damaged_snapshots(&bytes), |what, remains| {
        assert!(!remains.assert_kept_or_refused(what), "{what}");
    });
}
