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

#[test]
fn what_is_set_is_what_java_reads() {
    let (site, files) = files(None, None);
    files.set_accepted(Epoch(12)).unwrap();
    files.set_current(Epoch(11)).unwrap();
    assert_eq!(site.read(&site.dirs.snapshots.join("acceptedEpoch")), b"12");
    assert_eq!(site.read(&site.dirs.snapshots.join("currentEpoch")), b"11");
    assert!(
        !site
            .disk
            .exists(&site.dirs.snapshots.join("currentEpoch.tmp"))
            .unwrap()
    );
}
