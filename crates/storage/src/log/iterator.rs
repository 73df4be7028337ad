//! Reading the history over all log files (Java `FileTxnLog.FileTxnIterator`).

mod repeat;

use super::damage::LogReadError;
use super::file::{LogFile, LogFileEnd};
use super::follows;
use super::frame::LogRecord;
use crate::disk::Disk;
use crate::names::{DataFile, Dirs, log_files};
use crate::watermark::{Borders, Watermark};
use bytes::Bytes;
use repeat::FirstTime;
use std::io;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::vec::IntoIter;
use zooid_proto::Zxid;

/// The transactions after a given one, each proven to follow its predecessor (see [`follows`]); at the
/// border of two epochs as far as the server remembers what it wrote there.
///
/// A server may read its own log with this while writing it, as long as it stops at the last
/// transaction it knows to be durable.
#[derive(Debug)]
pub struct LogIterator {
    disk: Arc<dyn Disk>,
    files: IntoIter<DataFile>,
    current: Option<LogFile>,
    synced: bool,
    after: Zxid,
    previous: Zxid,
    previous_bytes: Bytes,
    /// All files, those before the first that is read included.
    all: Vec<DataFile>,
    /// While a stretch is read that stands in the log for the second time.
    first_time: Option<FirstTime>,
    starts_proven: bool,
    borders: Borders,
    crossed: Borders,
    /// Borders that only the zxids vouch for.
    unproven: Vec<(Zxid, Zxid)>,
    storage_size: u64,
    files_read: Vec<PathBuf>,
    torn_tail: Option<TornTail>,
    last_good: Option<(PathBuf, u64)>,
    repeated: u64,
}

/// The newest log file, if a crash tore its end or left nothing but its header.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct TornTail {
    /// The file.
    pub path: PathBuf,
    /// Where its good part ends; 0 when it has none.
    pub good_len: u64,
}

impl LogIterator {
    /// The history after `after`: starts in the newest file that may hold the next transaction.
    ///
    /// # Errors
    /// When the directory cannot be listed.
    pub fn after(
        disk: Arc<dyn Disk>,
        dirs: &Dirs,
        after: Zxid,
        synced: bool,
    ) -> io::Result<LogIterator> {
        let all = log_files(&*disk, &dirs.logs)?;
        let mut files = all.clone();
        let known = Watermark::read(&*disk, dirs)?.unwrap_or_default();
        let reaches = |file: &&DataFile| file.zxid <= after.next();
        let skipped = files.iter().take_while(reaches).count().saturating_sub(1);
        files.drain(..skipped);
        Ok(LogIterator {
            disk,
            storage_size: files.iter().map(|file| file.len).sum(),
            files: files.into_iter(),
            current: None,
            synced,
            after,
            previous: after,
            previous_bytes: Bytes::new(),
            all,
            first_time: None,
            starts_proven: false,
            borders: known.borders,
            crossed: Borders::default(),
            unproven: Vec::new(),
            files_read: Vec::new(),
            torn_tail: None,
            last_good: None,
            repeated: 0,
        })
    }

    /// The next transaction.
    ///
    /// # Errors
    /// [`LogReadError`]; nothing can be read after one.
    pub fn next_record(&mut self) -> Result<Option<LogRecord>, LogReadError> {
        loop {
            match self.next_or_earlier()? {
                Some(record) if record.zxid <= self.after => {}
                other => return Ok(other),
            }
        }
    }

    /// As [`LogIterator::next_record`], but starts with what the first file has before.
    ///
    /// # Errors
    /// [`LogReadError`]; nothing can be read after one.
    pub fn next_or_earlier(&mut self) -> Result<Option<LogRecord>, LogReadError> {
        while let Some(record) = self.next_of_any_file()? {
            let has_begun = self.previous != self.after;
            if !has_begun && record.zxid <= self.after {
                self.starts_proven |= record.zxid == self.after;
                return Ok(Some(record));
            }
            if record.zxid == self.previous && record.bytes == self.previous_bytes {
                self.repeated += 1;
                continue;
            }
            if record.zxid <= self.previous && self.is_repeated(&record)? {
                self.repeated += 1;
                continue;
            }
            self.first_time = None;
            self.check_order(record.zxid)?;
            self.cross(record.zxid);
            self.starts_proven |= record.zxid == self.after.next();
            self.previous = record.zxid;
            self.previous_bytes = record.bytes.clone();
            return Ok(Some(record));
        }
        Ok(None)
    }

    /// Whether the very same record stands in the log before.
    ///
    /// A follower of ZooKeeper 3.8 whose leader dies may report a zxid that its log has gone past, and then
    /// logs a second time what the next leader sends it (ZOOKEEPER-4541).
    fn is_repeated(&mut self, record: &LogRecord) -> Result<bool, LogReadError> {
        if let Some(first_time) = &mut self.first_time
            && first_time.goes_on_with(&*self.disk, record)?
        {
            return Ok(true);
        }
        let path = self.path();
        let current = self.all.iter().position(|file| file.path == path);
        let upto = &self.all[..=current.unwrap_or_default()];
        let mut first_time = FirstTime::of(record, upto, self.synced);
        let is_repeated = first_time.goes_on_with(&*self.disk, record)?;
        self.first_time = is_repeated.then_some(first_time);
        Ok(is_repeated)
    }

    fn check_order(&self, found: Zxid) -> Result<(), LogReadError> {
        let previous = self.previous;
        let is_missed = |before| previous < before;
        if follows(previous, found) && !self.borders.before(found).is_some_and(is_missed) {
            return Ok(());
        }
        let path = self.path();
        if found <= previous {
            Err(LogReadError::Backwards {
                previous,
                found,
                path,
            })
        } else {
            Err(LogReadError::Gap {
                previous,
                found,
                path,
            })
        }
    }

    fn cross(&mut self, next: Zxid) {
        let previous = self.previous;
        if next == previous.next() {
            return;
        }
        self.crossed.note(previous, next);
        if self.borders.before(next).is_none() {
            self.unproven.push((previous, next));
        }
    }

    /// The borders of epochs passed so far.
    pub(crate) fn crossed(&self) -> &Borders {
        &self.crossed
    }

    /// Of those, the ones of which it is not known that nothing is missing there.
    pub(crate) fn unproven(&self) -> &[(Zxid, Zxid)] {
        &self.unproven
    }

    /// Whether the logs themselves show that nothing is missing at the start: they hold the
    /// transaction after which this began, or the very next one. If not, this began at an epoch's
    /// first transaction, and the end of the epoch before is taken on trust. (Recovery may, having a
    /// snapshot; a DIFF may not.)
    #[must_use]
    pub fn starts_proven(&self) -> bool {
        self.starts_proven
    }

    /// Bytes of all files this reads (Java `getStorageSize`).
    #[must_use]
    pub fn storage_size(&self) -> u64 {
        self.storage_size
    }

    /// The files read so far, the current one included.
    #[must_use]
    pub fn files_read(&self) -> &[PathBuf] {
        &self.files_read
    }

    /// Whether the newest file ended torn; known at the end.
    #[must_use]
    pub fn torn_tail(&self) -> Option<&TornTail> {
        self.torn_tail.as_ref()
    }

    /// The newest file that holds transactions, and where the last of them ends; known at the end.
    pub(crate) fn last_good(&self) -> Option<(&Path, u64)> {
        self.last_good.as_ref().map(|(path, len)| (&**path, *len))
    }

    /// How many records were skipped because they had come before.
    #[must_use]
    pub fn repeated(&self) -> u64 {
        self.repeated
    }

    /// The error for a record whose transaction makes no sense.
    pub(crate) fn undecodable(&self, offset: u64, why: &dyn std::fmt::Display) -> LogReadError {
        match &self.current {
            Some(file) => file.undecodable(offset, why),
            None => io::Error::other(why.to_string()).into(),
        }
    }

    /// The file that the last record came from.
    pub(super) fn path(&self) -> PathBuf {
        self.files_read.last().cloned().unwrap_or_default()
    }

    fn next_of_any_file(&mut self) -> Result<Option<LogRecord>, LogReadError> {
        loop {
            if self.current.is_none() && !self.open_next()? {
                return Ok(None);
            }
            let Some(file) = &mut self.current else {
                return Ok(None);
            };
            if let Some(record) = file.next_record()? {
                return Ok(Some(record));
            }
            self.close_current();
        }
    }

    fn open_next(&mut self) -> Result<bool, LogReadError> {
        let Some(next) = self.files.next() else {
            return Ok(false);
        };
        self.files_read.push(next.path.clone());
        self.current = Some(LogFile::open(&*self.disk, &next.path, self.synced)?);
        Ok(true)
    }

    /// A torn end of any but the newest file needs nothing: the next file's first transaction must
    /// follow the last good one.
    fn close_current(&mut self) {
        let Some(file) = self.current.take() else {
            return;
        };
        if !file.is_empty() {
            self.last_good = Some((file.path().to_owned(), file.good_len()));
        }
        let good_len = match file.end() {
            // Only a header: the first transaction never arrived.
            _ if file.is_empty() => Some(0),
            Some(LogFileEnd::Torn { good_len }) => Some(good_len),
            Some(LogFileEnd::Clean) | None => None,
        };
        self.torn_tail = good_len.map(|good_len| TornTail {
            path: file.path().to_owned(),
            good_len,
        });
    }
}

#[cfg(test)]
mod tests;
