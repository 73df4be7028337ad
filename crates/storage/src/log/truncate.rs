//! Taking back the end of a history (spec §4.8; Java `FileTxnLog.truncate`).

use super::damage::LogReadError;
use super::iterator::LogIterator;
use crate::disk::Disk;
use crate::names::{DataFile, Dirs, REPAIR, log_files};
use crate::snapshot::{SnapshotError, Snapshots};
use crate::watermark;
use std::io;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use zooid_proto::{Zxid, mutant};

/// Why a history could not be truncated. Nothing was lost that was to stay.
#[derive(Debug, thiserror::Error)]
pub enum TruncateError {
    /// As in Java: there is nothing to cut.
    #[error(
        "no log files found to truncate: log files were deleted by accident, or dataLogDir was \
         changed, or the history came as a snapshot. To repair: {REPAIR} (it \
         wants --force, because what is here can be read)"
    )]
    NoLog,
    /// Every snapshot holds more than what is to be left; a whole snapshot must be fetched instead.
    #[error(
        "no snapshot at or before {0} to start from. To repair: {REPAIR} (it \
         wants --force, because what is here can be read)"
    )]
    NoSnapshot(Zxid),
    /// A log file cannot be read up to the point of truncation.
    #[error(transparent)]
    Log(#[from] LogReadError),
    /// A snapshot cannot be examined.
    #[error(transparent)]
    Snapshot(#[from] SnapshotError),
    /// The disk failed.
    #[error("cannot truncate the transaction log: {0}")]
    Io(#[from] io::Error),
}

impl TruncateError {
    /// Whether there is nothing wrong but that what is here cannot be cut there: not a byte has been
    /// changed, and the history goes on to where it did.
    #[must_use]
    pub fn is_harmless(&self) -> bool {
        matches!(self, TruncateError::NoLog | TruncateError::NoSnapshot(_))
    }
}

/// Leaves of logs and snapshots what is at or before `target`; returns the last transaction left.
///
/// The order is what makes a crash harmless. First it is proven that a snapshot and the logs lead to
/// the target without the files that go, and nobody is to expect more from now on. Then snapshots go, while all of the log is there to replace
/// them; then log files, newest first and each durably before the next, so that what is left is
/// always a history without a hole; last the end of the one file that holds the target.
pub(super) fn truncate(
    disk: &Arc<dyn Disk>,
    dirs: &Dirs,
    snapshots: &Snapshots,
    target: Zxid,
    synced: bool,
) -> Result<Zxid, TruncateError> {
    let logs = log_files(&**disk, &dirs.logs)?;
    if logs.is_empty() {
        return Err(TruncateError::NoLog);
    }
    let base = (snapshots.newest_within(target)?).ok_or(TruncateError::NoSnapshot(target))?;
    let cut = find_cut(disk, dirs, base, target, synced)?;
    watermark::lower(&**disk, dirs, cut.last)?;
    if !mutant!(Zk4837) {
        snapshots.discard_beyond(target)?;
    }
    let kept = logs
        .iter()
        .position(|log| Some(&log.path) == cut.keep.as_ref().map(|(path, _)| path));
    let gone = match kept {
        Some(kept) => kept + 1,
        None => logs.partition_point(|log| log.zxid <= base),
    };
    remove_newest_first(&**disk, dirs, &logs[gone..])?;
    if let Some((path, len)) = cut.keep {
        cut_file(&**disk, &path, len)?;
    }
    Ok(cut.last)
}

/// Removes what a snapshot at `zxid` has replaced of a history that ends at `last`: all logs, newest
/// first, unless they end right there; then later snapshots, which without those logs are still the
/// old history's.
///
/// Logs that end earlier must go, too: whoever reads them for a learner and then goes on with what is
/// logged behind the snapshot would skip what only the snapshot holds, and where an epoch ends in
/// between cannot see that.
pub(super) fn discard_replaced(
    disk: &dyn Disk,
    dirs: &Dirs,
    snapshots: &Snapshots,
    last: Zxid,
    zxid: Zxid,
) -> Result<(), TruncateError> {
    watermark::settle(disk, dirs, zxid)?;
    let logs = log_files(disk, &dirs.logs)?;
    if last != zxid || logs.iter().any(|log| log.zxid > zxid) {
        remove_newest_first(disk, dirs, &logs)?;
    }
    if snapshots.all()?.iter().any(|file| file.zxid > zxid) {
        snapshots.discard_beyond(zxid)?;
    }
    Ok(())
}

struct Cut {
    last: Zxid,
    /// The file that holds `last`, and where that ends.
    keep: Option<(PathBuf, u64)>,
}

fn find_cut(
    disk: &Arc<dyn Disk>,
    dirs: &Dirs,
    base: Zxid,
    target: Zxid,
    synced: bool,
) -> Result<Cut, TruncateError> {
    let mut history = LogIterator::after(Arc::clone(disk), dirs, base, synced)?;
    let mut cut = Cut {
        last: base,
        keep: None,
    };
    while let Some(record) = history.next_or_earlier()? {
        if record.zxid > target {
            break;
        }
        cut = Cut {
            last: record.zxid.max(base),
            keep: Some((history.path(), record.end())),
        };
    }
    Ok(cut)
}

pub(crate) fn remove_newest_first(
    disk: &dyn Disk,
    dirs: &Dirs,
    logs: &[DataFile],
) -> io::Result<()> {
    for log in logs.iter().rev() {
        disk.remove(&log.path)?;
        disk.sync_dir(&dirs.logs)?;
    }
    Ok(())
}

/// Cuts a file's end off, durably.
pub(crate) fn cut_file(disk: &dyn Disk, path: &Path, len: u64) -> io::Result<()> {
    let mut file = disk.open_mut(path)?;
    if file.size()? > len {
        file.truncate(len)?;
    }
    file.sync()
}

#[cfg(test)]
mod tests;
