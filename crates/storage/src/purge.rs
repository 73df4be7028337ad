//! Removing old snapshots and logs (spec §4.9; Java `PurgeTxnLog`).

use crate::disk::Disk;
use crate::names::{DataFile, Dirs, log_files};
use crate::snapshot::Snapshots;
use std::io;
use zooid_proto::Zxid;

/// Java's least; fewer would leave nothing to fall back on.
const KEPT_SNAPSHOTS_MIN: usize = 3;

/// Why nothing was purged, or not all.
#[derive(Debug, thiserror::Error)]
pub enum PurgeError {
    /// Java's words.
    #[error("count should be greater than or equal to 3")]
    TooFew,
    /// The disk failed.
    #[error("cannot purge: {0}")]
    Io(#[from] io::Error),
}

/// Keeps the `keep` newest valid snapshots and every log needed to go on from the oldest of them;
/// removes the rest, and reports each file to `removing` before. May run while the server does.
///
/// # Errors
/// [`PurgeError`].
pub fn purge(
    disk: &dyn Disk,
    dirs: &Dirs,
    snapshots: &Snapshots,
    keep: usize,
    removing: &mut dyn FnMut(&DataFile),
) -> Result<usize, PurgeError> {
    if keep < KEPT_SNAPSHOTS_MIN {
        return Err(PurgeError::TooFew);
    }
    let kept = snapshots.newest_valid(keep)?;
    let Some(oldest) = kept.last() else {
        return Ok(0);
    };
    let mut doomed = old_logs(disk, dirs, oldest.zxid)?;
    doomed.extend((snapshots.all()?.into_iter()).filter(|file| file.zxid < oldest.zxid));
    if doomed.is_empty() {
        return Ok(0);
    }
    // What replaces the logs must be durable, whoever wrote it (obligation 9).
    snapshots.sync(&kept)?;
    for file in &doomed {
        removing(file);
        disk.remove(&file.path)?;
    }
    disk.sync_dir(&dirs.logs)?;
    disk.sync_dir(&dirs.snapshots)?;
    Ok(doomed.len())
}

/// Logs that begin before `zxid`, except the newest of them: it may go on beyond.
fn old_logs(disk: &dyn Disk, dirs: &Dirs, zxid: Zxid) -> io::Result<Vec<DataFile>> {
    let mut logs = log_files(disk, &dirs.logs)?;
    let not_after = logs.partition_point(|log| log.zxid <= zxid);
    logs.truncate(not_after.saturating_sub(1));
    Ok(logs)
}

#[cfg(test)]
mod tests;
