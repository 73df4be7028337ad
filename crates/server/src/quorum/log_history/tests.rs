use super::{is_more_than, prove};
use std::path::PathBuf;
use std::sync::Arc;
use zooid_proto::Zxid;
use zooid_storage::disk::{Disk, SimulatedDisk};
use zooid_storage::{Dirs, LogIterator, LogOptions, Snapshots, TxnLog};
use zooid_zab::LogProbe;

/// Epoch and counter.
fn z(epoch: i64, counter: i64) -> Zxid {
    Zxid((epoch << 32) + counter)
}

/// A log of runs, in front of each of which a snapshot may have been installed at a zxid, the logs from
/// before being kept: ZooKeeper does, whose directory this may have been.
fn probe(runs: &[(Option<Zxid>, &[Zxid])], after: Zxid, snapshots: &[Zxid]) -> LogProbe {
    let disk: Arc<dyn Disk> = Arc::new(SimulatedDisk::new(1));
    let dirs = Dirs {
        snapshots: PathBuf::from("/data/version-2"),
        logs: PathBuf::from("/log/version-2"),
    };
    dirs.prepare(&*disk, true).unwrap();
    let kept = Arc::new(Snapshots::new(Arc::clone(&disk), &dirs));
    let options = LogOptions {
        preallocate: 0,
        ..LogOptions::default()
    };
    let writer = |last| {
        let (disk, kept) = (Arc::clone(&disk), Arc::clone(&kept));
        TxnLog::new(disk, dirs.clone(), kept, options, last)
    };
    let mut log = writer(z(4, 0));
    for (installed, zxids) in runs {
        if let Some(zxid) = installed {
            log = writer(*zxid);
        }
        for zxid in *zxids {
            // Of a transaction's header only the zxid matters here.
            let record = [&[0; 12][..], &zxid.0.to_be_bytes(), &[0; 12]].concat();
            log.append(*zxid, &record).unwrap();
        }
        log.commit().unwrap();
    }
    // Which says where there is a hole, and is a thing that ZooKeeper does not keep.
    let watermark = dirs.snapshots.join("zooid.durable");
    disk.remove(&watermark).unwrap();
    let mut history = LogIterator::after(Arc::clone(&disk), &dirs, after, true).unwrap();
    prove(&mut history, after, snapshots).unwrap_or(LogProbe::Unknown)
}

fn found(prev: Zxid, next: Zxid) -> LogProbe {
    LogProbe::Found { prev, next }
}

#[test]
fn the_log_says_between_what_a_learner_ends() {
    let log: &[(_, &[_])] = &[(None, &[z(4, 1), z(4, 2), z(4, 3), z(6, 1), z(6, 2)])];
    let snapshots = [z(4, 2), z(6, 1)];
    let probe = |after| probe(log, after, &snapshots);
    assert_eq!(probe(z(4, 2)), found(z(4, 2), z(4, 3)));
    assert_eq!(probe(z(4, 3)), found(z(4, 3), z(6, 1)));
    assert_eq!(probe(z(4, 7)), found(z(4, 3), z(6, 1)));
    assert_eq!(probe(z(4, 0)), found(z(4, 0), z(4, 1)));
    assert_eq!(probe(z(6, 2)), LogProbe::Unknown);
}

#[test]
fn a_log_that_a_received_snapshot_has_made_a_hole_in_proves_nothing_before_it() {
    let log: &[(_, &[_])] = &[
        (None, &[z(4, 1), z(4, 2), z(4, 3)]),
        (Some(z(5, 9)), &[z(5, 10), z(5, 11)]),
    ];
    assert_eq!(probe(log, z(4, 2), &[z(5, 9)]), LogProbe::Unknown);
    assert_eq!(probe(log, z(5, 10), &[z(5, 9)]), found(z(5, 10), z(5, 11)));
}

/// (5, 1) to (5, 9) are in the snapshot only, and every transaction in the log follows the one before.
#[test]
fn a_hole_between_epochs_shows_in_the_snapshot_that_made_it() {
    let log: &[(_, &[_])] = &[
        (None, &[z(4, 1), z(4, 2), z(4, 3)]),
        (Some(z(5, 9)), &[z(6, 1), z(6, 2)]),
    ];
    let records_alone = probe(log, z(4, 1), &[]);
    assert_eq!(records_alone, found(z(4, 1), z(4, 2)));
    for after in [z(4, 1), z(4, 3), z(5, 0)] {
        assert_eq!(probe(log, after, &[z(5, 9)]), LogProbe::Unknown, "{after}");
    }
    assert_eq!(probe(log, z(6, 1), &[z(5, 9)]), found(z(6, 1), z(6, 2)));
}

#[test]
fn a_log_is_read_while_it_is_smaller_than_its_share_of_the_snapshot() {
    assert!(!is_more_than(330, 0.33, 1000));
    assert!(is_more_than(331, 0.33, 1000));
    assert!(is_more_than(1, 0.33, 0));
    assert!(!is_more_than(u64::MAX, f64::INFINITY, 0));
    assert!(!is_more_than(u64::MAX, 1.0, u64::MAX));
}
