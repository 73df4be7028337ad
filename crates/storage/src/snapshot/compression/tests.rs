use super::{BUFFER_LEN, FileSink};
use crate::disk::{Disk as _, SimulatedDisk, Survival};
use crate::width::len64;
use std::io::Write as _;
use std::path::Path;

#[test]
fn never_more_than_a_piece_waits_to_be_synced() {
    let disk = SimulatedDisk::new(1);
    let dir = Path::new("/data");
    disk.create_dir_all(dir).unwrap();
    let path = dir.join("file");
    let mut sink = FileSink::new(disk.create(&path).unwrap());
    disk.sync_dir(dir).unwrap();
    let chunk = vec![7; 10_000];
    let mut written = 0;
    while written < 4 * BUFFER_LEN {
        sink.write_all(&chunk).unwrap();
        written += chunk.len();
        let survivor = disk.survivor(Survival::Nothing);
        let durable = survivor.open(&path).unwrap().size().unwrap();
        assert!(durable + len64(BUFFER_LEN) >= len64(written), "{written}");
    }
    let len = sink.sync().unwrap();
    assert_eq!(len, len64(written));
    let survivor = disk.survivor(Survival::Nothing);
    assert_eq!(survivor.open(&path).unwrap().size().unwrap(), len);
}

/// The simulated disk refuses to forget what is not durable.
#[test]
fn what_is_synced_is_dropped_from_memory_by_whole_pages() {
    const PAGE_LEN: u64 = 4096;
    let disk = SimulatedDisk::new(1);
    let dir = Path::new("/data");
    disk.create_dir_all(dir).unwrap();
    let path = dir.join("file");
    let mut sink = FileSink::new(disk.create(&path).unwrap());
    for _ in 0..350 {
        sink.write_all(&[7; 10_000]).unwrap();
    }
    let len = sink.sync().unwrap();
    let forgotten = disk.uncached(&path).unwrap();
    assert!(forgotten.len() > 3, "{forgotten:?}");
    let mut upto = 0;
    for range in forgotten {
        assert_eq!(range.start, upto, "no byte is left out");
        assert_eq!(range.start % PAGE_LEN, 0, "a part of a page would stay");
        upto = range.end;
    }
    assert_eq!(upto, len);
}
