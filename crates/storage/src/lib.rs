//! ZooKeeper's data directories: transaction log, snapshots, epoch files; recovery and purge.
//!
//! Owns the formats of spec §4, byte for byte, so that ZooKeeper can take over a directory and give
//! it back; what is durable when; and what is believed after a crash. Decides nothing about
//! transactions: it writes what it is given and replays what it finds. Knows no clock, and no thread but
//! one that takes a large snapshot apart: the caller runs [`TxnLog`] on its log thread, [`Snapshots::write`] on its snapshot thread, and
//! [`recover`] before either.
//!
//! Everything goes through [`disk::Disk`], one of the project's three careful boundaries.
//!
//! What callers may rely on:
//!
//! * after [`TxnLog::commit`] every appended transaction survives any crash, and the log on disk is
//!   always a history without a hole ([`follows`]);
//! * a snapshot has its name only when it is whole and durable, and never after the history it is of
//!   was truncated;
//! * [`recover`] returns everything that was committed, or refuses and says how to repair; it never
//!   returns less in silence;
//! * the first error of a log is its last: it answers every later call with an error.
#![forbid(unsafe_code)]

#[cfg(test)]
mod crash_tests;
pub mod disk;
mod epoch;
mod log;
mod names;
mod purge;
mod recover;
mod snapshot;
#[cfg(test)]
mod testing;
mod watermark;
mod width;
mod window;

pub use epoch::{EpochError, EpochFiles, Epochs};
pub use log::{
    BATCH_RECORDS_MAX, Damage, DecodedLog, DiskSpace, LogError, LogFile, LogFileEnd, LogIterator,
    LogOptions, LogReadError, LogRecord, RESERVE_LEN, TornTail, TruncateError, TxnLog, decode_log,
    follows,
};
pub use names::{DataFile, DirError, Dirs, log_files, read_file, replace_file, snapshot_files};
pub use purge::{PurgeError, purge};
pub use recover::{RecoverError, RecoverOptions, Recovered, Recovery, SkippedSnapshot, recover};
pub use snapshot::{
    BodyParser, Compression, LoadedSnapshot, ReadReplica, SnapshotDigest, SnapshotDraft,
    SnapshotEncoder, SnapshotError, SnapshotItem, SnapshotNode, SnapshotOptions, SnapshotPart,
    SnapshotParts, SnapshotReadError, SnapshotReader, SnapshotSummary, Snapshots, Ticket, Trailer,
    decode_snapshot,
};
