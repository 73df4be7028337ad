use super::TruncateError;
use crate::log::LogError;
use crate::testing::{Site, apply, content, replica_at, site};
use crate::{SnapshotError, SnapshotOptions, log_files};
use std::path::Path;
use zooid_proto::Zxid;

/// Transactions 1 to 12 in the files log.1, log.5 and log.9, and snapshots 0, 4 and 10.
fn history() -> Site {
    let site = site();
    let mut replica = site.recover().unwrap().replica;
    let mut log = site.log(Zxid::ZERO);
    for zxid in 1..=12 {
        let zxid = Zxid(zxid);
        log.append(zxid, &apply(&mut replica, zxid)).unwrap();
        log.commit().unwrap();
        if zxid.0 % 4 == 0 {
            log.roll().unwrap();
        }
        if [4, 10].contains(&zxid.0) {
            site.snapshot(&mut replica, &SnapshotOptions::default())
                .unwrap();
        }
    }
    site
}

#[test]
fn what_is_left_is_exactly_the_history_up_to_the_target() {
    for target in 0..=12 {
        let site = history();
        let mut log = site.log(Zxid(12));
        assert_eq!(log.truncate(Zxid(target)).unwrap(), Zxid(target));
        let mut recovered = site.recover().unwrap();
        assert_eq!(recovered.last_zxid, Zxid(target));
        let mut expected = replica_at(Zxid(target));
        assert_eq!(
            content(&mut recovered.replica),
            content(&mut expected),
            "{target}"
        );
        // And the log goes on from there.
        let next = Zxid(target).next();
        log.append(next, &apply(&mut recovered.replica, next))
            .unwrap();
        log.commit().unwrap();
        assert_eq!(site.recover().unwrap().last_zxid, next);
    }
}

#[test]
fn a_target_that_is_not_there_leaves_what_is_before() {
    let site = history();
    let mut log = site.log(Zxid(12));
    assert_eq!(log.truncate(Zxid(99)).unwrap(), Zxid(12));
    assert_eq!(site.recover().unwrap().last_zxid, Zxid(12));
}

#[test]
fn snapshots_beyond_the_target_go() {
    let site = history();
    site.log(Zxid(12)).truncate(Zxid(6)).unwrap();
    assert_eq!(site.names(), ["log.1", "log.5", "snapshot.0", "snapshot.4"]);
}

#[test]
fn the_batch_is_dropped() {
    let site = history();
    let mut log = site.log(Zxid(12));
    log.append(Zxid(13), &[0; 40]).unwrap();
    log.truncate(Zxid(12)).unwrap();
    log.commit().unwrap();
    assert_eq!(site.recover().unwrap().last_zxid, Zxid(12));
}

#[test]
fn without_a_snapshot_to_start_from_nothing_is_touched() {
    let site = history();
    for name in ["snapshot.0", "snapshot.4"] {
        site.disk.remove(&site.dirs.snapshots.join(name)).unwrap();
    }
    let before = site.names();
    let mut log = site.log(Zxid(12));
    let refused = log.truncate(Zxid(6)).unwrap_err();
    assert!(matches!(
        refused,
        LogError::Truncate(TruncateError::NoSnapshot(Zxid(6)))
    ));
    assert!(!refused.is_final(), "the log is as it was");
    assert_eq!(site.names(), before);
    log.replace_after(Zxid(12)).unwrap();
}

#[test]
fn without_logs_there_is_nothing_to_truncate() {
    let site = site();
    site.recover().unwrap();
    let refused = site.log(Zxid::ZERO).truncate(Zxid(6)).unwrap_err();
    assert!(
        refused
            .to_string()
            .contains("no log files found to truncate")
    );
}

/// A snapshot whose digest is of a later transaction than its name says is fuzzy up to there.
#[test]
fn a_fuzzy_snapshot_that_reaches_beyond_the_target_goes() {
    let site = history();
    let newer = site.read(&site.dirs.snapshots.join("snapshot.a"));
    site.put(&site.dirs.snapshots.join("snapshot.6"), &newer);
    site.log(Zxid(12)).truncate(Zxid(7)).unwrap();
    assert_eq!(site.names(), ["log.1", "log.5", "snapshot.0", "snapshot.4"]);
    let mut recovered = site.recover().unwrap();
    assert_eq!(
        content(&mut recovered.replica),
        content(&mut replica_at(Zxid(7)))
    );
}

#[test]
fn a_snapshot_overtaken_by_a_truncation_never_appears() {
    let site = history();
    let mut replica = replica_at(Zxid(12));
    let ticket = site.snapshots.ticket();
    let mut walk = replica.begin_walk();
    site.log(Zxid(12)).truncate(Zxid(11)).unwrap();
    let options = SnapshotOptions::default();
    let written = (site.snapshots).write(ticket, &mut walk, &options, &mut |chunk| chunk(&replica));
    assert!(matches!(written, Err(SnapshotError::Overtaken)));
    assert!(!site.names().iter().any(|name| name.contains("snapshot.c")));
    let newest = site.dirs.snapshots.join("snapshot.a");
    assert!(site.disk.exists(Path::new(&newest)).unwrap());
}

#[test]
fn a_received_snapshot_leaves_nothing_of_the_history_that_it_replaces() {
    for zxid in [3, 4, 7, 10, 12, 40] {
        let site = history();
        let mut received = replica_at(Zxid(zxid));
        site.snapshot(&mut received, &SnapshotOptions::default())
            .unwrap();
        let mut log = site.log(Zxid(12));
        log.append(Zxid(13), b"of the old history").unwrap();
        log.replace_after(Zxid(zxid)).unwrap();
        let mut recovered = site.recover().unwrap();
        assert_eq!(recovered.last_zxid, Zxid(zxid));
        assert_eq!(
            content(&mut recovered.replica),
            content(&mut received),
            "{zxid}"
        );
        let next = Zxid(zxid).next();
        log.append(next, &apply(&mut recovered.replica, next))
            .unwrap();
        log.commit().unwrap();
        assert_eq!(site.recover().unwrap().last_zxid, next);
    }
}

#[test]
fn logs_that_end_before_a_received_snapshot_are_not_read_on_behind_it() {
    for crashes in [false, true] {
        let site = history();
        let mut received = replica_at(Zxid(40));
        site.snapshot(&mut received, &SnapshotOptions::default())
            .unwrap();
        let last = Zxid(12);
        if crashes {
            assert_eq!(
                site.recover().unwrap().last_zxid,
                Zxid(40),
                "the snapshot was durable"
            );
        } else {
            let mut log = site.log(last);
            log.replace_after(Zxid(40)).unwrap();
        }
        // The first transaction of an epoch could follow any of the epoch before.
        let next = Zxid(0x1_0000_0001);
        let mut log = site.log(Zxid(40));
        log.append(next, &apply(&mut received, next)).unwrap();
        log.commit().unwrap();
        let logs = log_files(&*site.disk, &site.dirs.logs).unwrap();
        let firsts: Vec<Zxid> = logs.iter().map(|log| log.zxid).collect();
        assert_eq!(firsts, [next], "crashes: {crashes}");
    }
}
