use super::{ComingFile, FileWriter};
use bytes::Bytes;
use std::path::Path;
use std::sync::Arc;
use zooid_proto::Zxid;
use zooid_storage::disk::{DirEntry, Disk, Fault, SimulatedDisk};
use zooid_storage::{Compression, Dirs, SnapshotOptions, Snapshots};
use zooid_tree::{Replica, TreeOptions};

const ZXID: Zxid = Zxid(0x7_0000_0009);

struct Place {
    disk: Arc<SimulatedDisk>,
    dirs: Dirs,
    snapshots: Snapshots,
}

impl Place {
    fn new() -> Place {
        let disk = Arc::new(SimulatedDisk::new(1));
        let dirs = Dirs::new(Path::new("/data"), None);
        dirs.prepare(&*disk, true).unwrap();
        let shared: Arc<dyn Disk> = Arc::clone(&disk) as Arc<dyn Disk>;
        Place {
            snapshots: Snapshots::new(shared, &dirs),
            disk,
            dirs,
        }
    }

    /// As its own thread does.
    fn write(&self, writer: FileWriter, compression: Compression) {
        let options = SnapshotOptions {
            compression,
            ..SnapshotOptions::default()
        };
        writer.run(&self.snapshots, ZXID, &options);
    }

    fn files(&self) -> Vec<DirEntry> {
        self.disk.list(&self.dirs.snapshots).unwrap()
    }
}

/// The data of an empty tree, in two parts.
fn data() -> [Bytes; 2] {
    let mut replica = Replica::new(TreeOptions::default());
    let mut walk = replica.begin_walk();
    let mut bytes = Vec::new();
    while walk.next_chunk(&replica, &mut bytes, 100) {}
    let mut first = Bytes::from(bytes);
    let second = first.split_off(20);
    [first, second]
}

#[test]
fn it_gets_its_name_when_it_is_completed() {
    for compression in [Compression::None, Compression::Gzip, Compression::Snappy] {
        let place = Place::new();
        let (mut coming, writer) = ComingFile::with_writer(1000);
        data().into_iter().for_each(|part| coming.put(part));
        let file = coming.end();
        place.write(writer, compression);
        let draft = file.wait().unwrap().unwrap();
        assert_eq!(place.snapshots.all().unwrap(), []);
        let ticket = place.snapshots.ticket();
        let file = place.snapshots.complete(draft, ticket, 5).unwrap();
        assert_eq!(file.zxid, ZXID);
        let trailer = place.snapshots.verify(&file).unwrap();
        assert_eq!(trailer.digest.unwrap().digest.tree_digest, 5);
        assert_eq!(place.files().len(), 1);
    }
}

#[test]
fn a_link_that_ends_in_the_middle_leaves_nothing() {
    let place = Place::new();
    let (mut coming, writer) = ComingFile::with_writer(1000);
    let [first, _] = data();
    coming.put(first);
    drop(coming);
    place.write(writer, Compression::None);
    assert_eq!(place.files(), []);
}

#[test]
fn what_is_received_and_not_installed_leaves_nothing() {
    let place = Place::new();
    let (mut coming, writer) = ComingFile::with_writer(1000);
    data().into_iter().for_each(|part| coming.put(part));
    let file = coming.end();
    place.write(writer, Compression::None);
    assert_eq!(place.files().len(), 1, "the draft");
    drop(file);
    assert_eq!(place.files(), []);
}

#[test]
fn a_disk_that_does_not_keep_up_is_not_waited_for() {
    let place = Place::new();
    let [first, second] = data();
    let (mut coming, writer) = ComingFile::with_writer(first.len());
    coming.put(first);
    coming.put(second);
    let file = coming.end();
    place.write(writer, Compression::None);
    assert!(file.wait().is_none());
    assert_eq!(place.files(), []);
}

#[test]
fn a_disk_that_fails_is_told_of_when_the_file_is_wanted() {
    let place = Place::new();
    place.disk.inject(place.disk.operations(), Fault::Error);
    let (mut coming, writer) = ComingFile::with_writer(1000);
    data().into_iter().for_each(|part| coming.put(part));
    let file = coming.end();
    place.write(writer, Compression::None);
    assert!(file.wait().unwrap().is_err());
    assert_eq!(place.snapshots.all().unwrap(), []);
}
