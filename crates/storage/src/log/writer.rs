//! Appending to the log (Java `FileTxnLog.append`, `commit`, `rollLog`).

use super::damage::LogReadError;
use super::padding::padded_size;
use super::reserve::{DiskSpace, RESERVE_LEN, Reserve};
use super::truncate::{TruncateError, discard_replaced, truncate};
use super::{BATCH_RECORDS_MAX, follows, frame};
use crate::disk::{Disk, DiskFile};
use crate::names::{Dirs, log_path};
use crate::snapshot::Snapshots;
use crate::watermark::{Borders, Watermark, WatermarkFile};
use crate::width::len64;
use std::io;
use std::path::PathBuf;
use std::sync::Arc;
use zooid_proto::{FileHeader, Jute, Zxid, mutant};

/// When a batch has so many bytes it is written and synced without being told to.
const BATCH_LEN_MAX: usize = 32 << 20;
/// Bytes of a batch for which there is room from the start, so that it is not found by doubling.
const BATCH_LEN_USUAL: usize = 1 << 20;

/// So much of the end of a log file stays in the operating system's memory, for members that ask for what
/// they have missed.
const CACHED_LEN: u64 = 4 << 20;
/// What is before that is dropped in pieces of this size.
const UNCACHED_STEP: u64 = 1 << 20;

/// How the log is written.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct LogOptions {
    /// Sync before reporting (`zookeeper.forceSync`).
    pub force_sync: bool,
    /// Bytes by which files are lengthened ahead; 0 never (`zookeeper.preAllocSize`, there in KiB).
    pub preallocate: u64,
    /// Size at which a new file is begun (`zookeeper.txnLogSizeLimitInKb`).
    pub size_limit: Option<u64>,
    /// Bytes that are kept for a disk that gets full.
    pub reserve: u64,
}

impl Default for LogOptions {
    fn default() -> LogOptions {
        LogOptions {
            force_sync: true,
            preallocate: 64 << 20,
            size_limit: None,
            reserve: RESERVE_LEN,
        }
    }
}

/// Why the log cannot go on. All of these but one are final ([`LogError::is_final`]): the log answers
/// every later call with [`LogError::Previous`], and the server must leave its quorum and stop.
#[derive(Debug, thiserror::Error)]
pub enum LogError {
    /// A write or a sync failed. What it should have written is in an unknown state.
    #[error("the transaction log cannot be written: {0}")]
    Io(#[from] io::Error),
    /// The caller tried to append what would leave a hole or go back.
    #[error("transaction {next} does not follow {last} in the log")]
    OutOfOrder {
        /// The last one appended.
        last: Zxid,
        /// The one refused.
        next: Zxid,
    },
    /// Could not be truncated.
    #[error(transparent)]
    Truncate(#[from] TruncateError),
    /// An earlier call failed.
    #[error("the transaction log failed earlier and cannot be used")]
    Previous,
}

impl LogError {
    /// Whether the log can be used no longer. Not so when a cut was asked for that cannot be made:
    /// the log is as it was.
    #[must_use]
    pub fn is_final(&self) -> bool {
        !matches!(self, LogError::Truncate(err) if err.is_harmless())
    }
}

impl From<LogReadError> for LogError {
    fn from(err: LogReadError) -> LogError {
        LogError::Truncate(err.into())
    }
}

/// The log's writer; there is one per data directory, owned by one thread.
///
/// [`TxnLog::append`] only collects; [`TxnLog::commit`] writes and syncs once for all that was
/// collected. A file is created when the first record of it is written, and its name is made durable
/// before anything in it is reported; no file is ever reopened for appending.
#[derive(Debug)]
pub struct TxnLog {
    disk: Arc<dyn Disk>,
    dirs: Dirs,
    snapshots: Arc<Snapshots>,
    options: LogOptions,
    current: Option<Current>,
    /// Encoded records, behind a file header if a new file begins with them.
    batch: Vec<u8>,
    batch_records: usize,
    last: Zxid,
    /// Borders of epochs in the batch.
    crossed: Borders,
    watermark: WatermarkState,
    reserve: Reserve,
    /// Size of files finished since [`TxnLog::reset_size`].
    finished_size: u64,
    failed: bool,
}

/// What is done about `watermark.rs`.
#[derive(Debug)]
enum WatermarkState {
    /// It is opened when there is something to say.
    Unopened,
    Open(WatermarkFile),
    /// There is no room for it.
    Absent,
}

/// The file being written, or about to be created.
#[derive(Debug)]
struct Current {
    path: PathBuf,
    /// `None` until the first write.
    file: Option<Box<dyn DiskFile>>,
    name_is_durable: bool,
    /// Where the batch goes: everything before is written, and synced if that is asked for.
    position: u64,
    padded: u64,
    allocated: u64,
    /// How far space is reserved: as `allocated`, or further than the data if the disk was too full.
    held: u64,
    /// Everything before need not be in the operating system's memory.
    uncached: u64,
}

impl TxnLog {
    /// A log that goes on after `last`, which [`crate::recover`] found.
    #[must_use]
    pub fn new(
        disk: Arc<dyn Disk>,
        dirs: Dirs,
        snapshots: Arc<Snapshots>,
        options: LogOptions,
        last: Zxid,
    ) -> TxnLog {
        TxnLog {
            reserve: Reserve::new(Arc::clone(&disk), &dirs.logs, options.reserve),
            disk,
            dirs,
            snapshots,
            options,
            current: None,
            batch: Vec::with_capacity(BATCH_LEN_USUAL),
            batch_records: 0,
            last,
            crossed: Borders::default(),
            watermark: WatermarkState::Unopened,
            finished_size: 0,
            failed: false,
        }
    }

    /// Adds a transaction to the batch: `record` is its header, body and digest, encoded. A batch
    /// that gets too large is committed on the way.
    ///
    /// # Errors
    /// [`LogError`]; final.
    pub fn append(&mut self, zxid: Zxid, record: &[u8]) -> Result<(), LogError> {
        self.guarded(|log| {
            if !follows(log.last, zxid) {
                return Err(LogError::OutOfOrder {
                    last: log.last,
                    next: zxid,
                });
            }
            log.crossed.note(log.last, zxid);
            log.last = zxid;
            log.push(zxid, record);
            if log.batch_records >= BATCH_RECORDS_MAX || log.batch.len() >= BATCH_LEN_MAX {
                log.write_batch()?;
            }
            Ok(())
        })
    }

    /// Writes and syncs the batch. Afterwards everything appended is durable (obligation 1), up to
    /// [`TxnLog::last_appended`].
    ///
    /// # Errors
    /// [`LogError`]; final.
    pub fn commit(&mut self) -> Result<(), LogError> {
        self.guarded(TxnLog::write_batch)
    }

    /// The last transaction appended, or that with which the log began.
    #[must_use]
    pub fn last_appended(&self) -> Zxid {
        self.last
    }

    /// Whether there is nothing to commit.
    #[must_use]
    pub fn is_committed(&self) -> bool {
        self.batch_records == 0
    }

    /// Lets the next transaction begin a new file.
    ///
    /// # Errors
    /// [`LogError`]; final.
    pub fn roll(&mut self) -> Result<(), LogError> {
        self.guarded(|log| {
            log.write_batch()?;
            log.finish_file();
            log.sync_watermark()
        })
    }

    /// Looks whether the disk has room for what makes the log grow, and keeps some in reserve while it
    /// has (file `zooid.reserve` beside the logs). To be asked after each batch, and now and then: others
    /// fill disks, too. Needs no earlier success: looking writes nothing to the log.
    ///
    /// # Errors
    /// When that cannot be found out, or the reserve cannot be made. The log is as it was.
    pub fn look_for_space(&mut self) -> io::Result<DiskSpace> {
        let ahead = self.current.as_ref().map_or(0, Current::ahead);
        self.reserve.look(ahead)
    }

    /// Sees to it that a full disk has room for a small file beside the log that is about to be replaced.
    ///
    /// # Errors
    /// When that cannot be found out. The log is as it was.
    pub fn spare_room(&mut self) -> io::Result<()> {
        self.reserve.spare_a_piece()
    }

    /// Bytes of the log files since the last [`TxnLog::reset_size`], padding included, as `snapSizeLimitInKb`
    /// counts them (Java `getTotalLogSize`).
    #[must_use]
    pub fn size(&self) -> u64 {
        self.finished_size + self.current.as_ref().map_or(0, Current::size)
    }

    /// Starts counting [`TxnLog::size`] anew; the file being written goes on counting.
    pub fn reset_size(&mut self) {
        self.finished_size = 0;
    }

    /// Goes on after `zxid`, up to which a snapshot received from a leader holds everything. The
    /// snapshot must be durable (obligation 6).
    ///
    /// # Errors
    /// [`LogError`]; final.
    pub fn continue_after(&mut self, zxid: Zxid) -> Result<(), LogError> {
        self.roll()?;
        self.last = zxid;
        Ok(())
    }

    /// Goes on after `zxid` in another history, which a snapshot received from a leader holds up to
    /// there. The snapshot must be durable (obligation 6). The logs of the old history go, unless they
    /// end right there, and snapshots beyond `zxid`; whatever is in the batch is dropped. What a crash
    /// leaves of such logs [`crate::recover`] removes.
    ///
    /// # Errors
    /// [`LogError`]; final.
    pub fn replace_after(&mut self, zxid: Zxid) -> Result<(), LogError> {
        self.guarded(|log| {
            log.drop_batch();
            discard_replaced(&*log.disk, &log.dirs, &log.snapshots, log.last, zxid)?;
            log.last = zxid;
            Ok(())
        })
    }

    /// Forgets everything after `target`: cuts the log behind the last transaction at or before it,
    /// and removes every snapshot that holds later ones. The data must then be loaded anew. Whatever
    /// is in the batch is dropped.
    ///
    /// Returns the last transaction left. A crash on the way leaves a longer history, never one
    /// with a hole.
    ///
    /// # Errors
    /// [`LogError`]; final, unless it says that nothing leads to `target`, which is less than what the
    /// oldest snapshot holds.
    pub fn truncate(&mut self, target: Zxid) -> Result<Zxid, LogError> {
        self.guarded(|log| {
            log.drop_batch();
            let synced = log.options.force_sync;
            log.last = truncate(&log.disk, &log.dirs, &log.snapshots, target, synced)?;
            Ok(log.last)
        })
    }

    /// Runs `act` unless something failed before, and remembers if it fails (obligation 8).
    fn guarded<T>(
        &mut self,
        act: impl FnOnce(&mut TxnLog) -> Result<T, LogError>,
    ) -> Result<T, LogError> {
        if self.failed {
            return Err(LogError::Previous);
        }
        let result = act(self);
        self.failed = result.as_ref().is_err_and(LogError::is_final);
        if self.failed && mutant!(Zk4882) {
            self.failed = false;
            self.drop_batch();
        }
        result
    }

    fn push(&mut self, zxid: Zxid, record: &[u8]) {
        let step = self.options.preallocate;
        let current = self.current.get_or_insert_with(|| {
            FileHeader::LOG.encode(&mut self.batch);
            Current::new(log_path(&self.dirs.logs, zxid))
        });
        // The header counts as written when Java applies the rule to a new file.
        let position = current.position.max(len64(FileHeader::LEN));
        current.padded = padded_size(position, current.padded, step);
        frame::put(&mut self.batch, record);
        self.batch_records += 1;
    }

    fn write_batch(&mut self) -> Result<(), LogError> {
        let Some(current) = &mut self.current else {
            return Ok(());
        };
        if self.batch_records == 0 {
            return Ok(());
        }
        current.write(&*self.disk, &self.batch, &mut self.reserve)?;
        if self.options.force_sync {
            current.sync(&*self.disk, &self.dirs)?;
            self.advance_watermark()?;
        }
        self.batch.clear();
        self.batch_records = 0;
        let size = self.current.as_ref().map_or(0, Current::size);
        if self.options.size_limit.is_some_and(|limit| size > limit) {
            self.finish_file();
            self.sync_watermark()?;
        }
        Ok(())
    }

    /// Forgets what is in the batch. The file of what is durable is about to be lowered by others.
    fn drop_batch(&mut self) {
        self.batch.clear();
        self.batch_records = 0;
        self.crossed = Borders::default();
        self.watermark = WatermarkState::Unopened;
        self.finish_file();
    }

    /// Says how far the log is durable, which it is. If there is no room for that, less is said than
    /// could be, which is no harm.
    fn advance_watermark(&mut self) -> io::Result<()> {
        match self.try_advance_watermark() {
            Err(err) if err.kind() == io::ErrorKind::StorageFull => {
                self.watermark = WatermarkState::Absent;
            }
            other => other?,
        }
        self.crossed = Borders::default();
        Ok(())
    }

    fn try_advance_watermark(&mut self) -> io::Result<()> {
        if let WatermarkState::Unopened = self.watermark {
            let found = WatermarkFile::open(&*self.disk, &self.dirs)?;
            let file = match found {
                Some(file) => file,
                None => WatermarkFile::create(&*self.disk, &self.dirs, Watermark::default())?,
            };
            self.watermark = WatermarkState::Open(file);
        }
        match &mut self.watermark {
            WatermarkState::Open(file) => file.advance(self.last, &self.crossed),
            WatermarkState::Unopened | WatermarkState::Absent => Ok(()),
        }
    }

    /// So that it does not fall behind for ever, whatever the operating system does.
    fn sync_watermark(&mut self) -> Result<(), LogError> {
        if let WatermarkState::Open(file) = &mut self.watermark {
            file.sync()?;
        }
        Ok(())
    }

    fn finish_file(&mut self) {
        self.finished_size += self.current.take().as_ref().map_or(0, Current::size);
    }
}

impl Current {
    fn new(path: PathBuf) -> Current {
        Current {
            path,
            file: None,
            name_is_durable: false,
            position: 0,
            padded: len64(FileHeader::LEN),
            allocated: len64(FileHeader::LEN),
            held: len64(FileHeader::LEN),
            uncached: 0,
        }
    }

    /// Bytes of space reserved and not written to.
    fn ahead(&self) -> u64 {
        self.held.saturating_sub(self.position)
    }

    fn size(&self) -> u64 {
        self.padded.max(self.position)
    }

    fn write(&mut self, disk: &dyn Disk, batch: &[u8], reserve: &mut Reserve) -> io::Result<()> {
        let mut file = match self.file.take() {
            Some(file) => file,
            None => disk.create(&self.path)?,
        };
        let end = self.position + len64(batch.len());
        let preallocates = self.padded > len64(FileHeader::LEN);
        let is_due = self.padded > self.allocated && self.held == self.allocated;
        if preallocates && (is_due || end > self.held) {
            self.make_room(&mut *file, end, reserve)?;
        }
        self.file.insert(file).write_at(self.position, batch)?;
        self.position = end;
        Ok(())
    }

    /// Reserves space up to where the file is padded. A disk too full for that is not a failed write,
    /// as nothing was written yet: less is reserved then, of what is kept for this in the end. If not
    /// even that is there, the write itself shall tell.
    fn make_room(
        &mut self,
        file: &mut dyn DiskFile,
        end: u64,
        reserve: &mut Reserve,
    ) -> io::Result<()> {
        // A batch may be longer than a step.
        let wanted = self.padded.max(end);
        if reserved(file, wanted)? {
            self.allocated = self.padded;
            self.held = wanted;
            return Ok(());
        }
        let reserve_len = reserve.len();
        let less = end + reserve_len;
        if less < self.padded && reserved(file, less)? {
            self.held = less;
            return Ok(());
        }
        reserve.give_up();
        // Some of what was given up goes into the file system's own bookkeeping.
        for share in [reserve_len / 8 * 7, reserve_len / 2, 0] {
            if reserved(file, end + share)? {
                self.held = end + share;
                break;
            }
        }
        Ok(())
    }

    fn sync(&mut self, disk: &dyn Disk, dirs: &Dirs) -> io::Result<()> {
        if let Some(file) = &mut self.file {
            file.sync()?;
        }
        if !self.name_is_durable {
            disk.sync_dir(&dirs.logs)?;
            self.name_is_durable = true;
        }
        self.uncache();
        Ok(())
    }

    /// What is written and synced is hardly ever read again, but would go on taking memory, fresh one for
    /// each page, which costs more than the write itself and takes other files' place.
    fn uncache(&mut self) {
        let upto = self.position.saturating_sub(CACHED_LEN);
        if upto < self.uncached + UNCACHED_STEP {
            return;
        }
        if let Some(file) = &mut self.file {
            file.uncache(self.uncached..upto);
        }
        self.uncached = upto;
    }
}

/// Whether space up to `len` is reserved now, for which there may be no room.
fn reserved(file: &mut dyn DiskFile, len: u64) -> io::Result<bool> {
    match file.allocate(len) {
        Err(err) if err.kind() == io::ErrorKind::StorageFull => Ok(false),
        other => other.map(|()| true),
    }
}

#[cfg(test)]
mod tests;
