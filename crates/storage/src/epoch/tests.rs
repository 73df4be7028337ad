use super::{EpochError, EpochFiles, Epochs};
use crate::testing::{Site, site};
use std::sync::Arc;
use zooid_proto::{Epoch, Zxid};

fn files(accepted: Option<&str>, current: Option<&str>) -> (Site, EpochFiles) {
    let site = site();
    site.dirs.prepare(&*site.disk, true).unwrap();
    for (name, text) in [("acceptedEpoch", accepted), ("currentEpoch", current)] {
        if let Some(text) = text {
            site.put(&site.dirs.snapshots.join(name), text.as_bytes());
        }
    }
    let files = EpochFiles::new(Arc::clone(&site.disk), &site.dirs);
    (site, files)
}

fn load(accepted: Option<&str>, current: Option<&str>, last: i64) -> (i64, i64) {
    let (_site, files) = files(accepted, current);
    let last = Zxid(last << 32 | 7);
    let Epochs { accepted, current } = files.load(last).unwrap();
    assert_eq!(files.load(last).unwrap(), Epochs { accepted, current });
    (accepted.0, current.0)
}

#[test]
fn missing_files_mean_the_epoch_of_the_history() {
    assert_eq!(load(None, None, 0), (0, 0));
    assert_eq!(load(None, None, 5), (5, 5));
    assert_eq!(load(Some("9"), None, 5), (9, 5));
    assert_eq!(load(None, Some("6"), 5), (6, 6));
}

#[test]
fn a_history_ahead_of_the_files_moves_them() {
    assert_eq!(load(Some("4"), Some("3"), 5), (5, 5));
    assert_eq!(load(Some("7"), Some("3"), 5), (7, 5));
}

#[test]
fn files_ahead_of_the_history_are_kept() {
    assert_eq!(load(Some("9\n"), Some("8"), 5), (9, 8));
}

#[test]
fn nonsense_is_refused_with_the_file_named() {
    for text in ["", "x", "-3", "99999999999999999999"] {
        let (_site, files) = files(Some("9"), Some(text));
        let err = files.load(Zxid(1)).unwrap_err();
        assert!(matches!(err, EpochError::Malformed { .. }), "{err}");
        assert!(err.to_string().contains("currentEpoch"), "{err}");
    }
    let (_site, files) = files(Some("3"), Some("4"));
    assert!(matches!(
        files.load(Zxid(1)),
        Err(EpochError::Inconsistent(_))
    ));
}

/// ZooKeeper reads the first line, and `long` is all that it may hold.
#[test]
fn what_is_set_is_what_java_reads() {
    let (site, files) = files(None, None);
    files.set_accepted(Epoch(12)).unwrap();
    files.set_current(Epoch(11)).unwrap();
    let read = |name: &str| {
        let content = site.read(&site.dirs.snapshots.join(name));
        String::from_utf8(content).unwrap()
    };
    assert_eq!(
        read("acceptedEpoch"),
        "12\nzooid acceptedEpoch=12 crc32=d2c0f4d4\n"
    );
    assert_eq!(read("currentEpoch").lines().next(), Some("11"));
    assert!(
        !site
            .disk
            .exists(&site.dirs.snapshots.join("currentEpoch.tmp"))
            .unwrap()
    );
}

#[test]
fn every_flipped_bit_is_noticed() {
    let (site, files) = files(None, None);
    files.set_accepted(Epoch(12)).unwrap();
    files.set_current(Epoch(11)).unwrap();
    for name in ["acceptedEpoch", "currentEpoch"] {
        let path = site.dirs.snapshots.join(name);
        for offset in 0..site.read(&path).len() {
            for bit in 0..8 {
                let offset = u64::try_from(offset).unwrap();
                site.simulated.flip_bit(&path, offset, bit).unwrap();
                let err = files.load(Zxid(1)).expect_err("a flipped bit is believed");
                assert!(err.to_string().contains(name), "{err}");
                assert!(err.to_string().contains("To repair: "), "{err}");
                site.simulated.flip_bit(&path, offset, bit).unwrap();
            }
        }
    }
    let whole = Epochs {
        accepted: Epoch(12),
        current: Epoch(11),
    };
    assert_eq!(files.load(Zxid(1)).unwrap(), whole);
}

#[test]
fn a_file_put_in_the_place_of_the_other_is_noticed() {
    let (site, files) = files(None, None);
    files.set_accepted(Epoch(12)).unwrap();
    files.set_current(Epoch(11)).unwrap();
    let accepted = site.read(&site.dirs.snapshots.join("acceptedEpoch"));
    site.put(&site.dirs.snapshots.join("currentEpoch"), &accepted);
    assert!(matches!(
        files.load(Zxid(1)),
        Err(EpochError::Damaged { .. })
    ));
}

#[test]
fn what_zookeeper_wrote_is_believed_and_then_guarded() {
    let (site, files) = files(Some("9"), Some("8"));
    assert!(files.were_written_by_others().unwrap());
    files.load(Zxid(1)).unwrap();
    assert!(!files.were_written_by_others().unwrap());
    site.put(&site.dirs.snapshots.join("currentEpoch"), b"9");
    assert!(files.were_written_by_others().unwrap());
    let after_java = Epochs {
        accepted: Epoch(9),
        current: Epoch(9),
    };
    assert_eq!(files.load(Zxid(1)).unwrap(), after_java);
}
