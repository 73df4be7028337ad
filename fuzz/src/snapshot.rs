//! Snapshots: read whole, or refused; and loading them ends.

use std::path::Path;
use std::sync::Arc;
use zooid_storage::disk::{Disk, SimulatedDisk};
use zooid_storage::{
    Compression, Dirs, RecoverOptions, SnapshotEncoder, Snapshots, decode_snapshot, recover,
};

/// The first byte chooses how the rest is to be taken: a file, plain or compressed; or the data
/// inside of one, which gets a good header and checksum.
pub fn run(data: &[u8]) {
    let Some((mode, rest)) = data.split_first() else {
        return;
    };
    let (compression, name) = match mode % 4 {
        0 | 3 => (Compression::None, "snapshot.7"),
        1 => (Compression::Gzip, "snapshot.7.gz"),
        _ => (Compression::Snappy, "snapshot.7.snappy"),
    };
    let file = if mode % 4 == 3 {
        sealed(rest)
    } else {
        rest.to_vec()
    };
    let decoded = decode_snapshot(&file, compression);
    let loaded = load(&file, name);
    if decoded.is_err() {
        assert!(loaded.is_err(), "loaded though it cannot be decoded");
    }
}

/// A snapshot with this data.
pub fn sealed(data: &[u8]) -> Vec<u8> {
    let mut encoder = SnapshotEncoder::new(Vec::new()).expect("memory takes all");
    encoder.body(data).expect("memory takes all");
    encoder.finish().expect("memory takes all")
}

fn load(file: &[u8], name: &str) -> Result<(), String> {
    let disk: Arc<dyn Disk> = Arc::new(SimulatedDisk::new(1));
    let dirs = Dirs::new(Path::new("/data"), None);
    let written = disk.create_dir_all(&dirs.snapshots).and_then(|()| {
        let mut created = disk.create(&dirs.snapshots.join(name))?;
        created.write_at(0, file)
    });
    written.expect("a healthy disk");
    let snapshots = Snapshots::new(Arc::clone(&disk), &dirs);
    let options = RecoverOptions::default();
    match recover(&disk, &dirs, &snapshots, &options) {
        Ok(_) => Ok(()),
        Err(refused) => {
            let why = refused.to_string();
            assert!(why.contains("To repair: "), "{why}");
            Err(why)
        }
    }
}
