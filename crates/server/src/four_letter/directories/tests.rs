use super::*;
use zooid_storage::disk::SimulatedDisk;

fn file(disk: &SimulatedDisk, path: &str, bytes: &[u8]) {
    disk.create(Path::new(path))
        .unwrap()
        .write_at(0, bytes)
        .unwrap();
}

#[test]
fn sizes_are_of_all_files_at_any_depth() {
    let disk = SimulatedDisk::new(0);
    disk.create_dir_all(Path::new("/data/version-2/more"))
        .unwrap();
    file(&disk, "/data/version-2/snapshot.0", &[1; 400]);
    file(&disk, "/data/version-2/log.1", &[1; 57]);
    file(&disk, "/data/version-2/more/x", &[1; 3]);
    let size = DirectorySize::take(&disk, Path::new("/data/version-2"));
    assert_eq!(size.bytes, 460);
    assert_eq!(size.path, Path::new("/data/version-2"));
    assert_eq!(bytes_below(&disk, Path::new("/nowhere")), 0);
}

#[test]
fn dirs_has_two_lines() {
    let size = |bytes| DirectorySize {
        path: PathBuf::new(),
        bytes,
    };
    let sizes = DirectorySizes {
        snapshots: size(460),
        logs: size(0),
    };
    assert_eq!(sizes.text(), "datadir_size: 460\nlogdir_size: 0\n");
}
