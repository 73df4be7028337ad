use super::LogIterator;
use crate::log::{LogReadError, follows, frame};
use crate::testing::{Site, site};
use std::sync::Arc;
use zooid_proto::{FileHeader, Jute, Zxid};

/// Zxids as the test writes them: epoch and counter.
fn zxid(epoch: i64, counter: i64) -> Zxid {
    Zxid(epoch << 32 | counter)
}

fn body(zxid: Zxid, salt: u8) -> Vec<u8> {
    [&[salt; 12][..], &zxid.0.to_be_bytes(), &[0; 12]].concat()
}

/// Log files named after their first transaction.
fn logs(files: &[&[Zxid]]) -> Site {
    let site = site();
    site.dirs.prepare(&*site.disk, true).unwrap();
    for zxids in files {
        let mut bytes = FileHeader::LOG.to_vec();
        for zxid in *zxids {
            frame::put(&mut bytes, &body(*zxid, 1));
        }
        let name = format!("log.{:x}", zxids[0]);
        site.put(&site.dirs.logs.join(name), &bytes);
    }
    site
}

fn read(site: &Site, after: Zxid) -> (Vec<Zxid>, Result<LogIterator, LogReadError>) {
    let mut history = LogIterator::after(Arc::clone(&site.disk), &site.dirs, after, true).unwrap();
    let mut zxids = Vec::new();
    loop {
        match history.next_record() {
            Ok(Some(record)) => zxids.push(record.zxid),
            Ok(None) => return (zxids, Ok(history)),
            Err(err) => return (zxids, Err(err)),
        }
    }
}

fn range(from: i64, to: i64) -> Vec<Zxid> {
    (from..=to).map(Zxid).collect()
}

#[test]
fn a_history_starts_in_the_newest_file_that_may_hold_it() {
    let site = logs(&[&range(1, 4), &range(5, 8), &range(9, 12)]);
    for (after, files) in [(0, 3), (3, 3), (4, 2), (8, 1), (12, 1)] {
        let (zxids, history) = read(&site, Zxid(after));
        assert_eq!(zxids, range(after + 1, 12), "after {after}");
        assert_eq!(history.unwrap().files_read().len(), files, "after {after}");
    }
}

#[test]
fn epochs_follow_each_other_at_counter_one() {
    let files = [zxid(1, 1), zxid(1, 2), zxid(4, 1)];
    let site = logs(&[&files]);
    let (zxids, history) = read(&site, Zxid::ZERO);
    assert_eq!(zxids, files);
    assert!(!history.unwrap().starts_proven());
    let (zxids, history) = read(&site, zxid(1, 2));
    assert_eq!(zxids, files[2..]);
    assert!(history.unwrap().starts_proven(), "1,2 is in the log");
    let (_, history) = read(&site, zxid(2, 7));
    assert!(!history.unwrap().starts_proven(), "2,8 may be missing");
    assert!(
        follows(Zxid(0xffff_ffff), zxid(1, 0)),
        "a standalone server counts on"
    );
    assert!(!follows(zxid(1, 4), zxid(2, 2)));
}

#[test]
fn a_gap_is_an_error_that_names_both_sides() {
    for (files, after) in [
        (vec![range(1, 4), range(6, 8)], 0),
        (vec![range(3, 4)], 1),
        (vec![vec![Zxid(1), Zxid(3)]], 0),
    ] {
        let site = logs(&files.iter().map(Vec::as_slice).collect::<Vec<_>>());
        let (_, history) = read(&site, Zxid(after));
        let err = history.unwrap_err();
        assert!(matches!(err, LogReadError::Gap { .. }), "{err}");
        assert!(
            err.to_string().contains("0x3 in /logs") || err.to_string().contains("0x6 in /logs")
        );
    }
}

#[test]
fn a_torn_end_of_an_older_file_is_nothing_if_the_next_file_goes_on() {
    let site = logs(&[&range(1, 4), &range(5, 8)]);
    let path = site.dirs.logs.join("log.1");
    let mut bytes = site.read(&path);
    let mut torn = Vec::new();
    frame::put(&mut torn, &body(Zxid(5), 2));
    bytes.extend_from_slice(&torn[..30]);
    site.put(&path, &bytes);
    let (zxids, history) = read(&site, Zxid::ZERO);
    assert_eq!(zxids, range(1, 8));
    assert_eq!(history.unwrap().torn_tail(), None);
}

#[test]
fn a_torn_end_of_the_newest_file_is_reported() {
    let site = logs(&[&range(1, 4), &range(5, 8)]);
    let path = site.dirs.logs.join("log.5");
    let bytes = site.read(&path);
    site.put(&path, &bytes[..bytes.len() - 3]);
    let (zxids, history) = read(&site, Zxid::ZERO);
    assert_eq!(zxids, range(1, 7));
    let good_len = u64::try_from(bytes.len() - 45).unwrap();
    assert_eq!(history.unwrap().torn_tail().unwrap().good_len, good_len);
    // Where nothing at all is left, there is nothing to keep.
    site.put(&path, &bytes[..20]);
    let (_, history) = read(&site, Zxid::ZERO);
    assert_eq!(history.unwrap().torn_tail().unwrap().good_len, 0);
}

#[test]
fn a_stretch_that_was_logged_twice_counts_once() {
    let zxids = |numbers: &[i64]| numbers.iter().copied().map(Zxid).collect::<Vec<_>>();
    for (files, after, repeated) in [
        (vec![zxids(&[1, 2, 2, 3, 4, 5])], 0, 1),
        (vec![zxids(&[1, 2, 3, 4, 2, 3, 4, 5])], 0, 3),
        (vec![zxids(&[1, 2, 3, 4, 5, 4])], 0, 1),
        (vec![zxids(&[1, 2, 3, 4, 3, 5])], 0, 1),
        (vec![zxids(&[1, 2, 3, 4]), zxids(&[3, 4, 5])], 0, 2),
        (vec![zxids(&[1, 2]), zxids(&[3, 2, 3, 4, 5])], 2, 2),
        (vec![zxids(&[1, 2, 3, 2, 3, 2, 3, 4, 5])], 0, 4),
        (vec![zxids(&[1, 2, 3]), zxids(&[4, 3]), zxids(&[5])], 3, 1),
    ] {
        let site = logs(&files.iter().map(Vec::as_slice).collect::<Vec<_>>());
        let (read, history) = read(&site, Zxid(after));
        assert_eq!(read, range(after + 1, 5), "{files:?}");
        assert_eq!(history.unwrap().repeated(), repeated, "{files:?}");
    }
}

#[test]
fn a_stretch_that_differs_from_its_first_time_is_refused() {
    // Zxids of two histories, the second of which has another salt.
    for (first, second) in [
        (vec![1, 2, 3, 4], vec![3]),
        (vec![1, 2, 3, 4], vec![4]),
        (vec![5, 6, 7], vec![4]),
    ] {
        let site = site();
        site.dirs.prepare(&*site.disk, true).unwrap();
        let mut bytes = FileHeader::LOG.to_vec();
        for (zxids, salt) in [(&first, 1), (&second, 2)] {
            for number in zxids {
                frame::put(&mut bytes, &body(Zxid(*number), salt));
            }
        }
        let name = format!("log.{:x}", first[0]);
        site.put(&site.dirs.logs.join(name), &bytes);
        let (_, history) = read(&site, Zxid(first[0] - 1));
        let err = history.unwrap_err();
        assert!(matches!(err, LogReadError::Backwards { .. }), "{err}");
    }
}
