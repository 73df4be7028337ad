//! Why a server must not start from its directories, and what to do about it.

use super::SkippedSnapshot;
use crate::log::LogReadError;
use crate::names::{DirError, REPAIR};
use crate::snapshot::SnapshotError;
use std::io;
use std::path::PathBuf;
use zooid_proto::Zxid;

/// Why a server must not start from these directories.
#[derive(Debug, thiserror::Error)]
pub enum RecoverError {
    /// See [`DirError`]; exit code 3.
    #[error(transparent)]
    Dir(#[from] DirError),
    /// The log cannot be read.
    #[error(transparent)]
    Log(#[from] LogReadError),
    /// The snapshot of a new database could not be written.
    #[error(transparent)]
    Snapshot(#[from] SnapshotError),
    /// The disk failed.
    #[error(
        "cannot recover: {0}. The server does not start. To repair: see to the disk, and start again; \
         or, {REPAIR}"
    )]
    Io(#[from] io::Error),
    /// Java's rule since 3.5.3.
    #[error(
        "No snapshot found, but there are log entries. Something is broken! To repair: bring the \
         snapshots back that go with these logs; only if this server was never upgraded from before \
         3.5.3 without one, and its logs are complete, start it once with \
         zookeeper.snapshot.trust.empty=true"
    )]
    NoSnapshot,
    /// Nothing that looks like a snapshot is one.
    #[error(
        "Not able to find valid snapshots in {}: {}. To repair: restore one of them from a backup, \
         with all logs after it; or, {REPAIR}", dir.display(), list(skipped)
    )]
    NoValidSnapshot {
        /// Where they are.
        dir: PathBuf,
        /// Each and what is wrong with it.
        skipped: Vec<SkippedSnapshot>,
    },
    /// The only trace of some transactions is a snapshot that does not load.
    #[error(
        "snapshot {} cannot be used ({why}), and without it the data ends at {last}. Transactions \
         that it held would be lost, so the server does not start. To repair: restore the file from a \
         backup; or, {REPAIR}; or, if it is known that the file was still being written when the server went down, move it away",
        path.display()
    )]
    SnapshotBeyondLog {
        /// The snapshot.
        path: PathBuf,
        /// What is wrong with it.
        why: String,
        /// The last transaction that could be recovered.
        last: Zxid,
    },
    /// The logs do not show what a snapshot that does not load was needed for.
    #[error(
        "snapshot {} cannot be used ({why}), and the logs do not show whether anything is missing \
         between {previous} and {next}, which only this snapshot would. Transactions may be lost, so \
         the server does not start. To repair: restore the file from a backup; or, {REPAIR}; or, if it \
         is known that the file was still being written when the server went down, move it away",
        path.display()
    )]
    SnapshotBetween {
        /// The snapshot.
        path: PathBuf,
        /// What is wrong with it.
        why: String,
        /// The last transaction of an epoch that the logs hold.
        previous: Zxid,
        /// The transaction after it.
        next: Zxid,
    },
    /// More was durable than can be found.
    #[error(
        "the data ends at {last}, but it was durable up to {durable}, says {}. Acknowledged \
         transactions were lost: the end of the newest log is damaged, or files are missing. So the \
         server does not start. To repair: {REPAIR}; or restore the missing files from a backup; or, \
         if this data is known to be all there was, or was put here on purpose, move {} away",
        path.display(), path.display()
    )]
    EndMissing {
        /// Who says so.
        path: PathBuf,
        /// What there was.
        durable: Zxid,
        /// The last transaction that could be recovered.
        last: Zxid,
    },
}

fn list(skipped: &[SkippedSnapshot]) -> String {
    let lines = skipped.iter().map(|one| one.why.as_str());
    lines.collect::<Vec<_>>().join("; ")
}
