//! Appending to the transaction log. What the kernel does is not counted.

use std::sync::Arc;

use bytes::Bytes;
use zooid_proto::Zxid;
use zooid_storage::disk::RealDisk;
use zooid_storage::{Dirs, LogOptions, Snapshots, TxnLog};

use super::Case;
use super::tree::create_record;

pub(crate) const APPEND: Case = Case {
    name: "log-append",
    what: "append a record of 200 bytes, a batch of 64 at a time",
    times: 6400,
    run: append,
};

const BATCH: i64 = 64;

fn append(times: u32) -> anyhow::Result<()> {
    let directory = tempfile::tempdir()?;
    let dirs = Dirs::new(directory.path(), None);
    let disk = Arc::new(RealDisk);
    dirs.prepare(&*disk, true)?;
    let snapshots = Arc::new(Snapshots::new(disk.clone(), &dirs));
    let options = LogOptions {
        force_sync: false,
        ..LogOptions::default()
    };
    let mut log = TxnLog::new(disk, dirs, snapshots, options, Zxid::ZERO);
    let record = Bytes::from(create_record(1, "/services/web/instance-0000000017").encode());
    for zxid in 1..=i64::from(times) {
        log.append(Zxid(zxid), &record)?;
        if zxid % BATCH == 0 {
            log.commit()?;
        }
    }
    log.commit()?;
    Ok(())
}
