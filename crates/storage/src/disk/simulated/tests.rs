use super::{Fault, SimulatedDisk, Survival};
use crate::disk::{Disk, DiskFile, SECTOR_LEN};
use std::collections::BTreeSet;
use std::io::ErrorKind;
use std::path::{Path, PathBuf};

fn dir() -> PathBuf {
    PathBuf::from("/d")
}

fn path() -> PathBuf {
    dir().join("f")
}

/// A disk with one file, durably empty.
fn disk_with_file() -> (SimulatedDisk, Box<dyn DiskFile>) {
    let disk = SimulatedDisk::new(3);
    disk.create_dir_all(&dir()).unwrap();
    let file = disk.create(&path()).unwrap();
    disk.sync_dir(&dir()).unwrap();
    (disk, file)
}

fn content(disk: &SimulatedDisk, path: &Path) -> Vec<u8> {
    let file = disk.open(path).unwrap();
    let mut buf = vec![0; 10 * SECTOR_LEN];
    let len = file.read_at(0, &mut buf).unwrap();
    buf.truncate(len);
    buf
}

#[test]
fn unsynced_writes_are_lost_and_synced_ones_are_not() {
    let (disk, mut file) = disk_with_file();
    file.write_at(0, b"synced").unwrap();
    file.sync().unwrap();
    file.write_at(0, b"UN").unwrap();
    assert_eq!(
        content(&disk, &path()),
        b"UNsynced"[..2]
            .iter()
            .chain(b"nced")
            .copied()
            .collect::<Vec<_>>()
    );
    assert_eq!(
        content(&disk.survivor(Survival::Nothing), &path()),
        b"synced"
    );
    assert_eq!(
        content(&disk.survivor(Survival::Everything), &path()),
        b"UNnced"
    );
}

#[test]
fn sectors_of_one_write_survive_each_on_its_own() {
    let (disk, mut file) = disk_with_file();
    file.write_at(0, &[9; 3 * SECTOR_LEN]).unwrap();
    let mut patterns = BTreeSet::new();
    for seed in 0..200 {
        let survivor = content(&disk.survivor(Survival::Chosen(seed)), &path());
        let sector = |i: usize| survivor.get(i * SECTOR_LEN).is_some_and(|byte| *byte == 9);
        patterns.insert([sector(0), sector(1), sector(2)]);
    }
    assert_eq!(patterns.len(), 8, "every combination turns up");
}

#[test]
fn a_survivor_follows_from_its_seed() {
    let (disk, mut file) = disk_with_file();
    file.write_at(100, &[9; 5 * SECTOR_LEN]).unwrap();
    file.allocate(10_000).unwrap();
    for seed in 0..20 {
        let found = |seed| content(&disk.survivor(Survival::Chosen(seed)), &path());
        assert_eq!(found(seed), found(seed));
    }
}

#[test]
fn names_need_a_sync_of_their_own() {
    let (disk, _) = disk_with_file();
    let (new, renamed) = (dir().join("new"), dir().join("renamed"));
    let mut file = disk.create(&new).unwrap();
    file.write_at(0, b"x").unwrap();
    file.sync().unwrap();
    assert!(!disk.survivor(Survival::Nothing).exists(&new).unwrap());
    disk.sync_dir(&dir()).unwrap();
    assert!(disk.survivor(Survival::Nothing).exists(&new).unwrap());
    disk.rename(&new, &renamed).unwrap();
    disk.remove(&path()).unwrap();
    for seed in 0..50 {
        let survivor = disk.survivor(Survival::Chosen(seed));
        let has = |path: &Path| survivor.exists(path).unwrap();
        assert!(has(&new) != has(&renamed), "a rename is never half done");
    }
    let forgetful = disk.survivor(Survival::Nothing);
    assert!(forgetful.exists(&path()).unwrap());
    assert!(forgetful.exists(&new).unwrap());
}

#[test]
fn what_a_failed_sync_dropped_no_later_one_saves() {
    let (disk, mut file) = disk_with_file();
    file.write_at(0, b"dropped").unwrap();
    disk.inject(disk.operations(), Fault::Error);
    let err = file.sync().unwrap_err();
    assert!(err.to_string().contains("sync /d/f"), "{err}");
    file.sync().unwrap();
    assert_eq!(content(&disk, &path()), b"dropped");
    assert_eq!(content(&disk.survivor(Survival::Nothing), &path()), b"");
}

#[test]
fn after_a_loss_of_power_nothing_works() {
    let (disk, mut file) = disk_with_file();
    disk.inject(disk.operations() + 1, Fault::PowerLoss);
    file.write_at(0, b"a").unwrap();
    assert!(file.write_at(1, b"b").is_err());
    assert!(file.sync().is_err());
    assert!(disk.open(&path()).is_err());
    assert_eq!(
        content(&disk.survivor(Survival::Everything), &path()),
        b"ab"
    );
}

#[test]
fn a_full_disk_takes_what_fits() {
    let (disk, mut file) = disk_with_file();
    disk.set_capacity(Some(1024));
    let err = file.allocate(100_000).unwrap_err();
    assert_eq!(err.kind(), ErrorKind::StorageFull);
    assert_eq!(file.size().unwrap(), 0);
    let err = file.write_at(0, &[1; 1500]).unwrap_err();
    assert_eq!(err.kind(), ErrorKind::StorageFull);
    let mut buf = [0; 1500];
    file.read_at(0, &mut buf).unwrap();
    assert_eq!(buf.iter().filter(|byte| **byte == 1).count(), 1024);
    disk.set_capacity(None);
    file.write_at(1024, &[1; 476]).unwrap();
}

#[test]
fn what_is_reserved_on_a_full_disk_is_for_its_file() {
    let (disk, mut file) = disk_with_file();
    disk.set_capacity(Some(2048));
    file.allocate(1024).unwrap();
    assert_eq!(disk.available(Path::new("/d")).unwrap(), 1024);
    let mut other = disk.create(Path::new("/d/other")).unwrap();
    other.write_at(0, &[1; 1500]).unwrap_err();
    file.write_at(0, &[1; 1024]).unwrap();
    file.write_at(1024, &[1]).unwrap_err();
    file.truncate(0).unwrap();
    other.write_at(0, &[1; 1500]).unwrap();
}

#[test]
fn a_truncation_that_survives_takes_the_data_along() {
    let (disk, mut file) = disk_with_file();
    file.write_at(0, &[5; 1000]).unwrap();
    file.sync().unwrap();
    file.truncate(10).unwrap();
    file.allocate(600).unwrap();
    let mut found = BTreeSet::new();
    for seed in 0..60 {
        let bytes = content(&disk.survivor(Survival::Chosen(seed)), &path());
        let fives = bytes.iter().filter(|byte| **byte == 5).count();
        found.insert((bytes.len(), fives));
    }
    assert_eq!(found, BTreeSet::from([(1000, 1000), (10, 10), (600, 10)]));
}

#[test]
fn flipped_bits_are_durable_and_slow_syncs_only_slow() {
    let (disk, mut file) = disk_with_file();
    file.write_at(0, b"A").unwrap();
    let _ = disk.take_busy_us();
    disk.inject(disk.operations(), Fault::SlowSync);
    file.sync().unwrap();
    assert!(disk.take_busy_us() > 1_000_000);
    assert_eq!(disk.take_busy_us(), 0);
    disk.flip_bit(&path(), 0, 1).unwrap();
    assert_eq!(content(&disk.survivor(Survival::Nothing), &path()), b"C");
}

#[test]
fn a_lost_block_cannot_be_read_until_it_is_written() {
    let disk = SimulatedDisk::new(1);
    let path = Path::new("/d/f");
    disk.create_dir_all(Path::new("/d")).unwrap();
    let mut file = disk.create(path).unwrap();
    file.write_at(0, &[7; 2000]).unwrap();
    disk.lose(path, 600, 1).unwrap();
    let mut buf = [0; 100];
    assert_eq!(file.read_at(400, &mut buf).unwrap(), 100);
    assert!(file.read_at(500, &mut buf).is_err());
    assert!(file.read_at(1023, &mut buf).is_err());
    assert_eq!(file.read_at(1024, &mut buf).unwrap(), 100);
    file.write_at(512, &[8; 512]).unwrap();
    assert_eq!(file.read_at(500, &mut buf).unwrap(), 100);
    disk.overwrite(path, 1990, &[9; 512]).unwrap();
    assert_eq!(file.size().unwrap(), 2000);
    assert_eq!(file.read_at(1990, &mut buf).unwrap(), 10);
    assert_eq!(buf[..10], [9; 10]);
}
