//! The transaction log (spec §4.2; Java `FileTxnLog`): the format of its files, the writer, the
//! reader, the iterator over all files.

mod damage;
mod file;
mod frame;
mod iterator;
mod padding;
mod reserve;
mod truncate;
mod writer;

pub use damage::{Damage, LogReadError};
pub use file::{DecodedLog, LogFile, LogFileEnd, decode_log};
pub use frame::LogRecord;
pub use iterator::{LogIterator, TornTail};
pub use reserve::{DiskSpace, RESERVE_LEN};
pub use truncate::TruncateError;
pub(crate) use truncate::{cut_file, remove_newest_first};
pub use writer::{LogError, LogOptions, TxnLog};

use zooid_proto::Zxid;

/// Most records that one sync makes durable (Java `zookeeper.maxBatchSize`). The writer syncs when
/// it has as many, so that whatever a crash tore lies among the last so many records of a log.
pub const BATCH_RECORDS_MAX: usize = 1000;

/// Whether a history may go from `previous` straight to `next` ([`Zxid::follows`]).
#[must_use]
pub fn follows(previous: Zxid, next: Zxid) -> bool {
    next.follows(previous)
}
