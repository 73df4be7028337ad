use super::DryDisk;
use crate::disk::{Disk, RealDisk};
use crate::{Dirs, RecoverOptions, Snapshots, recover};
use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};
use std::sync::Arc;

fn contents(dir: &Path) -> BTreeMap<PathBuf, Vec<u8>> {
    let entries = fs::read_dir(dir)
        .unwrap()
        .map(|entry| entry.unwrap().path());
    entries
        .flat_map(|path| {
            if path.is_dir() {
                contents(&path)
            } else {
                BTreeMap::from([(path.clone(), fs::read(&path).unwrap())])
            }
        })
        .collect()
}

#[test]
fn a_recovery_leaves_a_directory_as_it_was() {
    let place = tempfile::tempdir().unwrap();
    let real: Arc<dyn Disk> = Arc::new(RealDisk);
    let dry: Arc<dyn Disk> = Arc::new(DryDisk::new(Arc::clone(&real)));
    let dirs = Dirs::new(place.path(), None);
    let options = RecoverOptions::default();
    let snapshots = Snapshots::new(Arc::clone(&dry), &dirs);
    let recovered = recover(&dry, &dirs, &snapshots, &options).unwrap();
    assert!(recovered.found.initialized, "it would be a new database");
    assert_eq!(contents(place.path()), BTreeMap::new());

    // A log that holds nothing, which a recovery removes.
    let real_snapshots = Snapshots::new(Arc::clone(&real), &dirs);
    recover(&real, &dirs, &real_snapshots, &options).unwrap();
    fs::write(dirs.logs.join("log.1"), [0; 64]).unwrap();
    let before = contents(place.path());
    let recovered = recover(&dry, &dirs, &snapshots, &options).unwrap();
    assert!(recovered.found.torn_tail.is_some(), "it would be removed");
    assert_eq!(contents(place.path()), before);
    recover(&real, &dirs, &real_snapshots, &options).unwrap();
    assert_ne!(contents(place.path()), before);
}

#[test]
fn a_missing_directory_is_an_empty_one_that_could_be_created() {
    let place = tempfile::tempdir().unwrap();
    let dry = DryDisk::new(Arc::new(RealDisk));
    assert!(dry.is_writable(&place.path().join("a/b")).unwrap());
    let in_the_way = place.path().join("file");
    fs::write(&in_the_way, []).unwrap();
    assert!(dry.is_writable(&in_the_way.join("a")).is_err());
    assert!(dry.list(&place.path().join("a")).unwrap().is_empty());
    dry.create_dir_all(&place.path().join("a/b")).unwrap();
    assert!(!place.path().join("a").exists());
}
