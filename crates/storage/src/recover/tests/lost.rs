//! What was durable and is not there any more: refused, with the directories left as they are.

use super::{damage, history, snapshot_path};
use crate::log::LogReadError;
use crate::testing::{Site, apply};
use crate::watermark::Watermark;
use crate::{EpochFiles, RecoverError, Recovered, SnapshotOptions};
use std::path::{Path, PathBuf};
use std::sync::Arc;
use zooid_proto::Zxid;

/// The newest log of `history(13, ..)`.
fn newest_log(site: &Site) -> PathBuf {
    site.dirs.logs.join("log.b")
}

fn wipe(site: &Site, path: &Path, from: usize, to: usize) {
    let mut bytes = site.read(path);
    bytes[from..to].fill(0);
    site.put(path, &bytes);
}

/// Where the last record of a log begins, and where it ends.
fn last_record(site: &Site, path: &Path) -> (usize, usize) {
    let bytes = site.read(path);
    let end = bytes.iter().rposition(|byte| *byte != 0).unwrap() + 1;
    let mut log = crate::LogFile::open(&*site.disk, path, true).unwrap();
    let mut start = 0;
    while let Some(record) = log.next_record().unwrap() {
        start = usize::try_from(record.offset).unwrap();
    }
    (start, end)
}

fn refusal(site: &Site) -> RecoverError {
    let before: Vec<(String, usize)> = contents(site);
    let err = site.recover().expect_err("a loss is not noticed");
    assert_eq!(contents(site), before, "a refusal changes nothing");
    assert!(err.to_string().contains("To repair: "), "{err}");
    err
}

fn contents(site: &Site) -> Vec<(String, usize)> {
    let dirs = [&site.dirs.logs, &site.dirs.snapshots];
    let paths = dirs.iter().flat_map(|dir| {
        let entries = site.disk.list(dir).unwrap();
        entries.into_iter().map(|entry| dir.join(entry.name))
    });
    paths
        .map(|path| (path.display().to_string(), site.read(&path).len()))
        .collect()
}

fn assert_end_missing(site: &Site, upto: i64) {
    match refusal(site) {
        RecoverError::EndMissing { durable, last, .. } => {
            assert_eq!((durable, last), (Zxid(13), Zxid(upto)));
        }
        err => panic!("{err}"),
    }
}

#[test]
fn an_acknowledged_record_that_looks_torn_is_missed() {
    let site = history(13, &[]);
    let (start, end) = last_record(&site, &newest_log(&site));
    wipe(&site, &newest_log(&site), end - 4, end);
    assert_end_missing(&site, 12);
    wipe(&site, &newest_log(&site), start, end);
    assert_end_missing(&site, 12);
}

#[test]
fn a_newest_log_that_is_wiped_or_gone_is_missed() {
    let site = history(13, &[]);
    wipe(&site, &newest_log(&site), 0, 512);
    assert_end_missing(&site, 10);
    site.disk.remove(&newest_log(&site)).unwrap();
    assert_end_missing(&site, 10);
}

#[test]
fn logs_that_are_all_gone_are_missed() {
    let site = history(13, &[]);
    for log in crate::log_files(&*site.disk, &site.dirs.logs).unwrap() {
        site.disk.remove(&log.path).unwrap();
    }
    assert_end_missing(&site, 0);
    site.disk.remove(&snapshot_path(&site, 0)).unwrap();
    assert_end_missing(&site, 0);
}

/// It may have been told by its leader to cut what nobody else had.
#[test]
fn a_cut_that_zookeeper_made_is_none_of_our_losses() {
    let site = history(13, &[]);
    let epochs = EpochFiles::new(Arc::clone(&site.disk), &site.dirs);
    epochs.load(Zxid(13)).unwrap();
    site.disk.remove(&newest_log(&site)).unwrap();
    assert_end_missing(&site, 10);
    site.put(&site.dirs.snapshots.join("acceptedEpoch"), b"1");
    assert_eq!(site.recover().unwrap().last_zxid, Zxid(10));
    assert_eq!(remembered(&site), Zxid(10));
}

fn remembered(site: &Site) -> Zxid {
    let known = Watermark::read(&*site.disk, &site.dirs).unwrap();
    known.expect("a watermark").upto
}

/// Five transactions of epoch 1, and then `count` of epoch 2, in a file of their own.
fn two_epochs(count: i64) -> Site {
    let site = crate::testing::site();
    let Recovered { mut replica, .. } = site.recover().unwrap();
    let mut log = site.log(Zxid::ZERO);
    for zxid in (1..=5).map(|counter| Zxid(1 << 32 | counter)) {
        log.append(zxid, &apply(&mut replica, zxid)).unwrap();
    }
    log.roll().unwrap();
    for zxid in (1..=count).map(|counter| Zxid(2 << 32 | counter)) {
        log.append(zxid, &apply(&mut replica, zxid)).unwrap();
    }
    log.commit().unwrap();
    site
}

/// Nothing but the watermark knows how many transactions an epoch had.
#[test]
fn the_end_of_an_epoch_is_missed() {
    let site = two_epochs(3);
    let older = site.dirs.logs.join("log.100000001");
    let (start, end) = last_record(&site, &older);
    wipe(&site, &older, start, end);
    let (previous, found) = match refusal(&site) {
        RecoverError::Log(LogReadError::Gap {
            previous, found, ..
        }) => (previous, found),
        err => panic!("{err}"),
    };
    assert_eq!((previous, found), (Zxid(1 << 32 | 4), Zxid(2 << 32 | 1)));
    site.disk.remove(&older).unwrap();
    assert!(matches!(
        refusal(&site),
        RecoverError::Log(LogReadError::Gap { .. })
    ));
}

#[test]
fn a_border_that_was_recovered_is_remembered() {
    let site = two_epochs(3);
    site.forget_watermark();
    site.recover().unwrap();
    let older = site.dirs.logs.join("log.100000001");
    let (start, end) = last_record(&site, &older);
    wipe(&site, &older, start, end);
    refusal(&site);
}

/// A snapshot from a leader stands for the end of an epoch that this server has no log of. ZooKeeper
/// would fall back to the snapshot before and go on with the new epoch.
#[test]
fn a_damaged_snapshot_at_an_epochs_border_is_not_passed_over() {
    let site = two_epochs(3);
    let mut replica = crate::testing::replica_at(Zxid(7));
    replica.advance_to(Zxid(1 << 32 | 9));
    site.snapshot(&mut replica, &SnapshotOptions::default())
        .unwrap();
    site.forget_watermark();
    damage(&site, 1 << 32 | 9);
    match refusal(&site) {
        RecoverError::SnapshotBetween { previous, next, .. } => {
            let border = (Zxid(1 << 32 | 5), Zxid(2 << 32 | 1));
            assert_eq!((previous, next), border);
        }
        err => panic!("{err}"),
    }
}

#[test]
fn a_damaged_snapshot_at_a_border_that_is_known_is_passed_over() {
    let site = two_epochs(3);
    let mut replica = crate::testing::replica_at(Zxid(7));
    replica.advance_to(Zxid(2 << 32));
    site.snapshot(&mut replica, &SnapshotOptions::default())
        .unwrap();
    damage(&site, 2 << 32);
    assert_eq!(site.recover().unwrap().last_zxid, Zxid(2 << 32 | 3));
}

#[test]
fn what_recovery_cuts_is_not_expected_again() {
    let site = history(13, &[]);
    let newest = newest_log(&site);
    let written = last_record(&site, &newest).1;
    let bytes = site.read(&newest);
    let torn = [&bytes[..written], &bytes[16..60], &[0; 600]].concat();
    site.put(&newest, &torn);
    assert_eq!(site.recover().unwrap().last_zxid, Zxid(13));
    assert_eq!(remembered(&site), Zxid(13));
    let mut log = site.log(Zxid(13));
    log.truncate(Zxid(11)).unwrap();
    assert_eq!(remembered(&site), Zxid(11));
    assert_eq!(site.recover().unwrap().last_zxid, Zxid(11));
}

#[test]
fn a_log_that_is_not_synced_promises_nothing() {
    let mut site = crate::testing::site();
    site.options.force_sync = false;
    let mut replica = site.recover().unwrap().replica;
    let mut log = site.log(Zxid::ZERO);
    for zxid in (1..=3).map(Zxid) {
        log.append(zxid, &apply(&mut replica, zxid)).unwrap();
        log.commit().unwrap();
    }
    assert_eq!(remembered(&site), Zxid::ZERO);
}
