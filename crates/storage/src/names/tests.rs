use super::{DirError, Dirs, log_files, read_file, replace_file, snapshot_files, zxid_of};
use crate::disk::{Disk, Fault, SimulatedDisk, Survival};
use crate::testing::site;
use std::path::Path;

#[test]
fn names_are_read_as_java_reads_them() {
    let zxid = |name| zxid_of(name, "log").map(|zxid| zxid.0);
    assert_eq!(zxid("log.1a"), Some(26));
    assert_eq!(zxid("log.1.foo"), Some(1));
    assert_eq!(zxid("log.100000001"), Some(0x1_0000_0001));
    for other in [
        "log",
        "log.",
        "log.x",
        "logs.1",
        "snapshot.1",
        "log.-1",
        "log.1.tmp",
    ] {
        assert_eq!(zxid(other), None, "{other}");
    }
}

#[test]
fn logs_are_listed_oldest_first_and_snapshots_newest_first() {
    let site = site();
    site.dirs.prepare(&*site.disk, true).unwrap();
    for name in ["log.a", "log.9", "log.10", "other", "log.5.tmp"] {
        site.put(&site.dirs.logs.join(name), b"");
    }
    for name in ["snapshot.a.gz", "snapshot.9", "snapshot.10.snappy"] {
        site.put(&site.dirs.snapshots.join(name), b"");
    }
    let logs = log_files(&*site.disk, &site.dirs.logs).unwrap();
    let snapshots = snapshot_files(&*site.disk, &site.dirs.snapshots).unwrap();
    let zxids = |files: &[super::DataFile]| files.iter().map(|f| f.zxid.0).collect::<Vec<_>>();
    assert_eq!(zxids(&logs), [9, 10, 16]);
    assert_eq!(zxids(&snapshots), [16, 10, 9]);
}

#[test]
fn missing_directories_are_made_only_if_allowed() {
    let site = site();
    let refused = site.dirs.prepare(&*site.disk, false).unwrap_err();
    assert!(matches!(refused, DirError::Missing(dir) if dir == site.dirs.logs));
    site.dirs.prepare(&*site.disk, true).unwrap();
    site.dirs.prepare(&*site.disk, false).unwrap();
}

#[test]
fn files_of_the_other_kind_are_refused_unless_the_directory_is_the_same() {
    let site = site();
    site.dirs.prepare(&*site.disk, true).unwrap();
    site.put(&site.dirs.logs.join("snapshot.0"), b"");
    let refused = site.dirs.prepare(&*site.disk, true).unwrap_err();
    assert!(refused.to_string().contains("/logs/version-2/snapshot.0"));
    site.disk
        .remove(&site.dirs.logs.join("snapshot.0"))
        .unwrap();
    site.put(&site.dirs.snapshots.join("log.1"), b"");
    assert!(matches!(
        site.dirs.prepare(&*site.disk, true),
        Err(DirError::Misplaced(_))
    ));
    let same = Dirs::new(Path::new("/data"), None);
    same.prepare(&*site.disk, true).unwrap();
}

#[test]
fn a_replaced_file_is_old_or_new_after_every_crash() {
    let path = Path::new("/d/file");
    let run = |disk: &SimulatedDisk| {
        replace_file(disk, path, b"old and longer")?;
        replace_file(disk, path, b"new")
    };
    let fresh = || {
        let disk = SimulatedDisk::new(1);
        disk.create_dir_all(Path::new("/d")).unwrap();
        disk
    };
    let calm = fresh();
    run(&calm).unwrap();
    let operations = calm.operations();
    for at in 0..operations {
        let disk = fresh();
        disk.inject(at, Fault::PowerLoss);
        run(&disk).unwrap_err();
        let first_is_durable = at >= operations / 2;
        for seed in 0..20 {
            let survivor = disk.survivor(Survival::Chosen(seed));
            let content = read_file(&survivor, path, 100).unwrap();
            match content.as_deref() {
                None => assert!(!first_is_durable, "lost at {at}"),
                Some(content) => {
                    assert!(
                        [&b"old and longer"[..], b"new"].contains(&content),
                        "at {at}"
                    );
                }
            }
            replace_file(&survivor, path, b"again").unwrap();
        }
    }
}
