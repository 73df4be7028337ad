use super::{BATCH_RECORDS_MAX, CACHED_LEN, LogError, UNCACHED_STEP};
use crate::disk::{Disk, Fault, SimulatedDisk, Survival};
use crate::log::{LogFileEnd, decode_log};
use crate::testing::{Site, apply, site, tree_options};
use crate::width::len64;
use std::io::ErrorKind;
use zooid_proto::Zxid;
use zooid_tree::Replica;

fn prepared() -> Site {
    let site = site();
    site.dirs.prepare(&*site.disk, true).unwrap();
    site
}

fn records(count: i64) -> Vec<(Zxid, Vec<u8>)> {
    let mut replica = Replica::new(tree_options());
    (1..=count)
        .map(|zxid| (Zxid(zxid), apply(&mut replica, Zxid(zxid))))
        .collect()
}

#[test]
fn what_is_committed_survives_with_the_files_name() {
    let site = prepared();
    let mut log = site.log(Zxid::ZERO);
    for (zxid, record) in records(5) {
        log.append(zxid, &record).unwrap();
    }
    assert!(
        site.names().is_empty(),
        "nothing is created before the first commit"
    );
    log.commit().unwrap();
    assert!(log.is_committed());
    assert_eq!(log.last_appended(), Zxid(5));
    let survivor = Site::new(site.simulated.survivor(Survival::Nothing));
    let found = decode_log(&survivor.read(&site.dirs.logs.join("log.1"))).unwrap();
    assert_eq!(found.txns.len(), 5);
    assert_eq!(found.end, LogFileEnd::Clean);
}

/// And one write more, which says that it is durable.
#[test]
fn a_batch_is_one_write_and_one_sync() {
    let site = prepared();
    let mut log = site.log(Zxid::ZERO);
    let records = records(50);
    log.append(records[0].0, &records[0].1).unwrap();
    log.commit().unwrap();
    let before = site.simulated.operations();
    for (zxid, record) in &records[1..] {
        log.append(*zxid, record).unwrap();
    }
    log.commit().unwrap();
    assert_eq!(site.simulated.operations() - before, 3);
    log.commit().unwrap();
    assert_eq!(site.simulated.operations() - before, 3, "nothing to commit");
}

#[test]
fn without_force_sync_nothing_is_synced() {
    let mut site = prepared();
    site.options.force_sync = false;
    site.options.preallocate = 0;
    let mut log = site.log(Zxid::ZERO);
    for (zxid, record) in records(2) {
        log.append(zxid, &record).unwrap();
        log.commit().unwrap();
    }
    assert_eq!(site.simulated.operations(), 3, "one creation, two writes");
}

#[test]
fn an_endless_batch_commits_itself() {
    let site = prepared();
    let mut log = site.log(Zxid::ZERO);
    let record = records(1).remove(0).1;
    for zxid in 1..=i64::try_from(BATCH_RECORDS_MAX).unwrap() {
        assert_eq!(log.is_committed(), zxid == 1);
        log.append(Zxid(zxid), &record).unwrap();
    }
    assert!(log.is_committed());
}

#[test]
fn rolling_and_the_size_limit_begin_new_files() {
    let mut site = prepared();
    site.options.preallocate = 0;
    site.options.size_limit = Some(700);
    let mut log = site.log(Zxid::ZERO);
    for (zxid, record) in records(9) {
        log.append(zxid, &record).unwrap();
        log.commit().unwrap();
        if zxid == Zxid(2) {
            log.roll().unwrap();
        }
    }
    let names = site.names();
    assert_eq!(names[..2], ["log.1", "log.3"]);
    assert!(names.len() > 2, "{names:?}");
    let sizes: u64 = (site.disk.list(&site.dirs.logs).unwrap().iter())
        .map(|e| e.len)
        .sum();
    assert_eq!(log.size(), sizes);
    log.roll().unwrap();
    log.reset_size();
    assert_eq!(log.size(), 0);
}

#[test]
fn a_hole_is_never_written() {
    let site = prepared();
    let records = records(3);
    let mut log = site.log(Zxid::ZERO);
    log.append(Zxid(1), &records[0].1).unwrap();
    for next in [Zxid(1), Zxid(3), Zxid(0x1_0000_0002)] {
        let mut log = site.log(Zxid(1));
        let refused = log.append(next, &records[2].1).unwrap_err();
        assert!(matches!(refused, LogError::OutOfOrder { .. }), "{refused}");
        assert!(matches!(log.commit(), Err(LogError::Previous)));
    }
    log.append(Zxid(0x7_0000_0001), &records[1].1).unwrap();
}

/// The simulated disk refuses to forget what is not durable.
#[test]
fn what_is_synced_and_old_is_dropped_from_memory() {
    const RECORDS: i64 = 24;
    const RECORD_LEN: usize = 512 << 10;
    let site = prepared();
    let mut log = site.log(Zxid::ZERO);
    for zxid in 1..=RECORDS {
        log.append(Zxid(zxid), &[7; RECORD_LEN]).unwrap();
        log.commit().unwrap();
    }
    let forgotten = site.simulated.uncached(&site.dirs.logs.join("log.1"));
    let mut upto = 0;
    for range in forgotten.unwrap() {
        assert_eq!(range.start, upto, "no byte is left out");
        assert!(range.end - range.start >= UNCACHED_STEP, "not at each sync");
        upto = range.end;
    }
    let written = u64::try_from(RECORDS).unwrap() * len64(RECORD_LEN);
    assert!(
        written - upto >= CACHED_LEN - UNCACHED_STEP,
        "{upto} of {written}"
    );
    assert!(
        written - upto <= CACHED_LEN + UNCACHED_STEP,
        "{upto} of {written}"
    );
}

#[test]
fn what_was_never_synced_stays_in_memory() {
    let mut site = prepared();
    site.options.force_sync = false;
    let mut log = site.log(Zxid::ZERO);
    for zxid in 1..=12 {
        log.append(Zxid(zxid), &[7; 1 << 20]).unwrap();
        log.commit().unwrap();
    }
    let path = site.dirs.logs.join("log.1");
    assert_eq!(site.simulated.uncached(&path).unwrap(), []);
}

#[test]
fn a_log_never_overwrites_a_file() {
    let site = prepared();
    site.put(&site.dirs.logs.join("log.1"), b"precious");
    let mut log = site.log(Zxid::ZERO);
    log.append(Zxid(1), &records(1)[0].1).unwrap();
    assert!(matches!(log.commit(), Err(LogError::Io(_))));
    assert_eq!(site.read(&site.dirs.logs.join("log.1")), b"precious");
}

/// The first failure is final, whichever operation fails and whatever is tried afterwards.
#[test]
fn every_failed_operation_ends_the_log() {
    let run = |site: &Site| -> Result<(), LogError> {
        let mut log = site.log(Zxid::ZERO);
        let result = records(30).into_iter().try_for_each(|(zxid, record)| {
            log.append(zxid, &record)?;
            log.commit()
        });
        if result.is_err() {
            let operations = site.simulated.operations();
            assert!(matches!(
                log.append(Zxid(31), &[0; 40]),
                Err(LogError::Previous)
            ));
            assert!(matches!(log.commit(), Err(LogError::Previous)));
            assert!(matches!(log.roll(), Err(LogError::Previous)));
            assert!(matches!(log.truncate(Zxid(1)), Err(LogError::Previous)));
            assert!(matches!(
                log.continue_after(Zxid(1)),
                Err(LogError::Previous)
            ));
            assert_eq!(
                site.simulated.operations(),
                operations,
                "the disk was touched"
            );
        }
        result
    };
    let calm = prepared();
    run(&calm).unwrap();
    for at in 0..calm.simulated.operations() {
        let site = prepared();
        site.simulated.inject(at, Fault::Error);
        assert!(matches!(run(&site), Err(LogError::Io(_))), "operation {at}");
    }
    let full = prepared();
    full.simulated.set_capacity(Some(3000));
    match run(&full) {
        Err(LogError::Io(err)) => assert_eq!(err.kind(), ErrorKind::StorageFull),
        other => panic!("{other:?}"),
    }
}

/// Nothing was written yet, so nothing is unknown.
#[test]
fn no_room_to_preallocate_is_no_failure() {
    let site = prepared();
    site.simulated.set_capacity(Some(8 << 10));
    let mut log = site.log(Zxid::ZERO);
    let records = records(40);
    let (first, rest) = records.split_at(20);
    for (zxid, record) in first {
        log.append(*zxid, record).unwrap();
    }
    log.commit().unwrap();
    let path = site.dirs.logs.join("log.1");
    assert!((site.read(&path).len() as u64) < site.options.preallocate);

    site.simulated.set_capacity(None);
    for (zxid, record) in rest {
        log.append(*zxid, record).unwrap();
    }
    log.commit().unwrap();
    assert!(site.read(&path).len() as u64 > site.options.preallocate);
    let found = decode_log(&site.read(&path)).unwrap();
    assert_eq!(found.txns.len(), 40);
}

#[test]
fn the_disk_is_shared_by_its_clones() {
    let disk = SimulatedDisk::new(1);
    Site::new(disk.clone()).dirs.prepare(&disk, true).unwrap();
    assert!(disk.exists(&site().dirs.logs).unwrap());
}
