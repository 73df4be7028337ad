mod lost;

use super::{RecoverError, RecoverOptions};
use crate::log::LogReadError;
use crate::testing::{Site, apply, content, replica_at, site, tree_options};
use crate::{DirError, SnapshotError, SnapshotOptions};
use std::path::PathBuf;
use zooid_proto::{FileHeader, Jute, Zxid};
use zooid_tree::Replica;

fn options() -> RecoverOptions {
    RecoverOptions {
        tree: tree_options(),
        ..RecoverOptions::default()
    }
}

/// Transactions 1 to `count`, a log file every five, a snapshot at each of `snapshots`.
fn history(count: i64, snapshots: &[i64]) -> Site {
    let site = site();
    let mut replica = site.recover().unwrap().replica;
    let mut log = site.log(Zxid::ZERO);
    for zxid in (1..=count).map(Zxid) {
        log.append(zxid, &apply(&mut replica, zxid)).unwrap();
        log.commit().unwrap();
        if zxid.0 % 5 == 0 {
            log.roll().unwrap();
        }
        if snapshots.contains(&zxid.0) {
            site.snapshot(&mut replica, &SnapshotOptions::default())
                .unwrap();
        }
    }
    site
}

fn snapshot_path(site: &Site, zxid: i64) -> PathBuf {
    site.dirs.snapshots.join(format!("snapshot.{zxid:x}"))
}

fn damage(site: &Site, zxid: i64) {
    let path = snapshot_path(site, zxid);
    let mut bytes = site.read(&path);
    bytes[60] ^= 1;
    site.put(&path, &bytes);
}

fn assert_at(site: &Site, upto: i64) {
    let mut recovered = site.recover().unwrap();
    assert_eq!(recovered.last_zxid, Zxid(upto));
    assert_eq!(
        content(&mut recovered.replica),
        content(&mut replica_at(Zxid(upto)))
    );
    assert_eq!(recovered.replica.digest_mismatches(), 0);
}

#[test]
fn a_new_database_gets_a_snapshot() {
    let site = site();
    let recovered = site.recover().unwrap();
    assert_eq!(recovered.last_zxid, Zxid::ZERO);
    assert!(recovered.found.initialized);
    assert_eq!(site.names(), ["snapshot.0"]);
    let again = site.recover().unwrap();
    assert!(!again.found.initialized);
    assert_eq!(again.last_zxid, Zxid::ZERO);
}

#[test]
fn without_autocreate_an_empty_database_is_not_trusted_unless_marked() {
    let site = site();
    let untrusting = RecoverOptions {
        db_autocreate: false,
        ..options()
    };
    assert_eq!(
        site.recover_with(&untrusting).unwrap().last_zxid,
        Zxid::NONE
    );
    assert!(site.names().is_empty());
    let marker = site.dirs.logs.parent().unwrap().join("initialize");
    site.put(&marker, b"");
    assert_eq!(
        site.recover_with(&untrusting).unwrap().last_zxid,
        Zxid::ZERO
    );
    assert!(!site.disk.exists(&marker).unwrap());
    assert_eq!(
        site.recover_with(&untrusting).unwrap().last_zxid,
        Zxid::ZERO
    );
}

#[test]
fn directories_are_not_created_when_that_is_forbidden() {
    let site = site();
    let strict = RecoverOptions {
        datadir_autocreate: false,
        ..options()
    };
    let refused = site.recover_with(&strict).unwrap_err();
    assert!(matches!(refused, RecoverError::Dir(DirError::Missing(_))));
}

#[test]
fn the_newest_snapshot_and_the_log_behind_it_are_used() {
    let site = history(13, &[3, 7, 11]);
    let recovered = site.recover().unwrap();
    assert_eq!(recovered.found.snapshot.unwrap().zxid, Zxid(11));
    assert_eq!(recovered.found.txns, 2);
    let recent: Vec<i64> = recovered.recent.iter().map(|(zxid, _)| zxid.0).collect();
    assert_eq!(recent, [12, 13]);
    assert_at(&site, 13);
}

#[test]
fn only_the_last_transactions_are_kept() {
    let site = history(13, &[]);
    let few = RecoverOptions {
        commit_log_count: 4,
        ..options()
    };
    let recovered = site.recover_with(&few).unwrap();
    let recent: Vec<i64> = recovered.recent.iter().map(|(zxid, _)| zxid.0).collect();
    assert_eq!(recent, [10, 11, 12, 13]);
    assert_eq!(recovered.found.txns, 13);
}

#[test]
fn a_damaged_snapshot_is_passed_over_if_the_log_reaches_it() {
    let site = history(13, &[3, 7, 11]);
    damage(&site, 11);
    site.put(&snapshot_path(&site, 7), b"ZKSN");
    let recovered = site.recover().unwrap();
    assert_eq!(recovered.found.skipped_snapshots.len(), 2);
    assert_eq!(recovered.found.snapshot.unwrap().zxid, Zxid(3));
    assert_at(&site, 13);
}

#[test]
fn a_damaged_snapshot_that_only_it_holds_is_refused() {
    let site = history(13, &[3, 7, 13]);
    for name in ["log.b", "log.6"] {
        site.disk.remove(&site.dirs.logs.join(name)).unwrap();
    }
    assert_at(&site, 13);
    damage(&site, 13);
    let refused = site.recover().unwrap_err();
    assert!(matches!(
        refused,
        RecoverError::SnapshotBeyondLog { last: Zxid(7), .. }
    ));
    let text = refused.to_string();
    assert!(
        text.contains("snapshot.d") && text.contains("backup"),
        "{text}"
    );
}

#[test]
fn when_no_snapshot_loads_the_server_does_not_start() {
    let site = history(6, &[4]);
    damage(&site, 0);
    damage(&site, 4);
    let refused = site.recover().unwrap_err();
    assert!(
        refused
            .to_string()
            .starts_with("Not able to find valid snapshots in")
    );
}

#[test]
fn logs_without_a_snapshot_need_trust() {
    let site = history(6, &[]);
    site.disk.remove(&snapshot_path(&site, 0)).unwrap();
    assert!(matches!(site.recover(), Err(RecoverError::NoSnapshot)));
    let trusting = RecoverOptions {
        trust_empty_snapshot: true,
        ..options()
    };
    let recovered = site.recover_with(&trusting).unwrap();
    assert_eq!(recovered.last_zxid, Zxid(6));
    assert_eq!(recovered.found.snapshot, None);
}

#[test]
fn a_hole_in_the_log_is_refused() {
    let site = history(13, &[3]);
    site.disk.remove(&site.dirs.logs.join("log.6")).unwrap();
    let refused = site.recover().unwrap_err();
    assert!(matches!(
        refused,
        RecoverError::Log(LogReadError::Gap {
            previous: Zxid(5),
            found: Zxid(11),
            ..
        })
    ));
}

#[test]
fn a_torn_end_is_cut_and_the_log_goes_on_in_a_new_file() {
    let site = history(13, &[]);
    let newest = site.dirs.logs.join("log.b");
    let bytes = site.read(&newest);
    let written = bytes.iter().rposition(|byte| *byte != 0).unwrap() + 1;
    site.put(&newest, &[&bytes[..written - 4], &[0; 99]].concat());
    site.forget_watermark();
    let mut recovered = site.recover().unwrap();
    assert_eq!(recovered.last_zxid, Zxid(12));
    let tail = recovered.found.torn_tail.clone().unwrap();
    assert_eq!(
        u64::try_from(site.read(&newest).len()).unwrap(),
        tail.good_len
    );
    let mut log = site.log(Zxid(12));
    log.append(Zxid(13), &apply(&mut recovered.replica, Zxid(13)))
        .unwrap();
    log.commit().unwrap();
    assert!(site.names().contains(&"log.d".to_owned()));
    assert_at(&site, 13);
}

/// A file that got no transaction would stand in the way of the next one of that name.
#[test]
fn a_newest_log_without_a_transaction_is_removed() {
    let broken_off = [&b"ZK"[..], &[0; 600]].concat();
    let header = FileHeader::LOG.to_vec();
    for content in [&b""[..], &[0; 600], &header, b"ZKLG", &broken_off] {
        let site = history(10, &[]);
        site.put(&site.dirs.logs.join("log.b"), content);
        let mut recovered = site.recover().unwrap();
        assert!(!site.names().contains(&"log.b".to_owned()));
        let mut log = site.log(Zxid(10));
        log.append(Zxid(11), &apply(&mut recovered.replica, Zxid(11)))
            .unwrap();
        log.commit().unwrap();
        assert_at(&site, 11);
    }
}

#[test]
fn an_interrupted_first_start_is_started_anew() {
    let site = site();
    site.dirs.prepare(&*site.disk, true).unwrap();
    site.put(&snapshot_path(&site, 0), b"ZKSN\0\0");
    site.put(&site.dirs.logs.join("log.1"), b"");
    let recovered = site.recover().unwrap();
    assert!(recovered.found.initialized);
    assert_eq!(site.names(), ["snapshot.0"]);
}

#[test]
fn a_lone_broken_snapshot_is_not_an_empty_database() {
    let site = site();
    site.dirs.prepare(&*site.disk, true).unwrap();
    site.put(&snapshot_path(&site, 0x500), b"ZKSN\0\0");
    let refused = site.recover().unwrap_err();
    assert!(matches!(refused, RecoverError::SnapshotBeyondLog { .. }));
}

#[test]
fn leftovers_of_writers_are_removed_and_never_loaded() {
    let site = history(6, &[4]);
    let whole = site.read(&snapshot_path(&site, 4));
    site.put(&site.dirs.snapshots.join(".snapshot.6.tmp"), &whole);
    site.put(&site.dirs.snapshots.join("snapshot.6.tmp"), &whole);
    assert_at(&site, 6);
    assert!(!site.names().contains(&".snapshot.6.tmp".to_owned()));
}

/// What was read after a kill may not be on the disk yet; what is reported must be (obligation 4).
#[test]
fn what_is_recovered_is_durable() {
    let mut site = history(6, &[4]);
    site.options.force_sync = false;
    let mut recovered = site.recover().unwrap();
    let mut log = site.log(Zxid(6));
    log.append(Zxid(7), &apply(&mut recovered.replica, Zxid(7)))
        .unwrap();
    log.commit().unwrap();
    let lost = Site::new(site.simulated.survivor(crate::disk::Survival::Nothing));
    assert_at(&lost, 6);
    assert_at(&site, 7);
    let kept = Site::new(site.simulated.survivor(crate::disk::Survival::Nothing));
    assert_at(&kept, 7);
}

/// After a failed sync the kernel takes its pages for clean: the next life reads them, and no sync of
/// its own would save them.
#[test]
fn what_a_failed_sync_left_in_the_cache_is_durable_once_recovered() {
    let site = history(6, &[4]);
    let mut recovered = site.recover().unwrap();
    let mut log = site.log(Zxid(6));
    log.append(Zxid(7), &apply(&mut recovered.replica, Zxid(7)))
        .unwrap();
    let sync = site.simulated.operations() + 3;
    site.simulated.inject(sync, crate::disk::Fault::Error);
    let err = log.commit().unwrap_err().to_string();
    assert!(err.contains("sync"), "{err}");
    assert_at(&site, 7);
    let kept = Site::new(site.simulated.survivor(crate::disk::Survival::Nothing));
    assert_at(&kept, 7);
}

#[test]
fn a_session_that_does_not_exist_owns_nothing() {
    let site = history(60, &[]);
    assert!(site.recover().unwrap().replica.ephemerals_count() > 0);
    // The same history without its first transaction, which created the session.
    let orphaned = crate::testing::site();
    orphaned.dirs.prepare(&*orphaned.disk, true).unwrap();
    let mut replica = Replica::new(tree_options());
    replica.advance_to(Zxid(1));
    orphaned
        .snapshot(&mut replica, &SnapshotOptions::default())
        .unwrap();
    let mut log = orphaned.log(Zxid(1));
    for zxid in (2..=60).map(Zxid) {
        log.append(zxid, &apply(&mut replica, zxid)).unwrap();
    }
    log.commit().unwrap();
    let recovered = orphaned.recover().unwrap();
    assert_eq!(recovered.found.orphaned_sessions.len(), 1);
    assert_eq!(recovered.replica.ephemerals_count(), 0);
}

/// Java's snapshots hold effects of later transactions, up to that of their digest.
#[test]
fn a_fuzzy_snapshot_is_made_exact_by_the_log_and_reported_if_it_is_not() {
    let site = history(13, &[9]);
    let newer = site.read(&snapshot_path(&site, 9));
    site.disk.remove(&snapshot_path(&site, 9)).unwrap();
    site.put(&snapshot_path(&site, 7), &newer);
    let recovered = site.recover().unwrap();
    assert_eq!(recovered.found.uncovered, None);
    assert_at(&site, 13);
    let short = history(8, &[]);
    short.put(&snapshot_path(&short, 7), &newer);
    let recovered = short.recover().unwrap();
    assert_eq!(recovered.found.uncovered, Some(Zxid(9)));
}

#[test]
fn a_load_error_names_the_file() {
    let site = history(6, &[4]);
    damage(&site, 4);
    let file = site.snapshots.newest_valid(1).unwrap().remove(0);
    let refused = site.snapshots.load(&file, tree_options()).unwrap_err();
    assert!(matches!(refused, SnapshotError::Damaged { .. }));
    assert!(refused.to_string().contains("/data/version-2/snapshot.4"));
}
