use super::RealDisk;
use crate::disk::{Disk, dir_size};
use std::io::ErrorKind;

#[test]
fn a_file_keeps_what_was_written_where() {
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("f");
    let mut file = RealDisk.create(&path).unwrap();
    file.write_at(0, b"head").unwrap();
    file.allocate(1000).unwrap();
    file.write_at(10, b"tail").unwrap();
    file.sync().unwrap();
    let mut buf = [1; 16];
    assert_eq!(file.read_at(2, &mut buf).unwrap(), 16);
    assert_eq!(&buf, b"ad\0\0\0\0\0\0tail\0\0\0\0");
    assert_eq!(file.size().unwrap(), 1000);
    file.truncate(12).unwrap();
    let reopened = RealDisk.open(&path).unwrap();
    assert_eq!(reopened.read_at(0, &mut buf).unwrap(), 12);
}

#[test]
fn what_is_not_in_memory_is_read_from_the_disk() {
    const LEN: usize = 1 << 20;
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("f");
    let mut file = RealDisk.create(&path).unwrap();
    file.write_at(0, &[7; LEN]).unwrap();
    file.sync().unwrap();
    file.uncache(0..1 << 19);
    // To the kernel no length would be all of the rest.
    file.uncache(5..5);
    let mut found = vec![0; LEN];
    assert_eq!(file.read_at(0, &mut found).unwrap(), LEN);
    assert_eq!(found, [7; LEN]);
}

#[test]
fn creating_never_overwrites() {
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("f");
    RealDisk.create(&path).unwrap();
    let err = RealDisk.create(&path).unwrap_err();
    assert_eq!(err.kind(), ErrorKind::AlreadyExists);
    assert!(err.to_string().contains(path.to_str().unwrap()));
}

#[test]
fn directories_are_made_listed_and_measured() {
    let root = tempfile::tempdir().unwrap();
    let dir = root.path().join("a/b");
    assert_eq!(RealDisk.list(&dir).unwrap_err().kind(), ErrorKind::NotFound);
    assert_eq!(dir_size(&RealDisk, &dir).unwrap(), 0);
    RealDisk.create_dir_all(&dir).unwrap();
    RealDisk.create_dir_all(&dir).unwrap();
    assert!(RealDisk.is_writable(&dir).unwrap());
    for name in ["z", "y"] {
        let mut file = RealDisk.create(&dir.join(name)).unwrap();
        file.write_at(0, b"12345").unwrap();
    }
    RealDisk.rename(&dir.join("z"), &dir.join("x")).unwrap();
    RealDisk.sync_dir(&dir).unwrap();
    let names: Vec<String> = (RealDisk.list(&dir).unwrap().into_iter())
        .map(|entry| entry.name)
        .collect();
    assert_eq!(names, ["x", "y"]);
    assert_eq!(dir_size(&RealDisk, root.path()).unwrap(), 10);
    RealDisk.remove(&dir.join("x")).unwrap();
    assert!(!RealDisk.exists(&dir.join("x")).unwrap());
}
