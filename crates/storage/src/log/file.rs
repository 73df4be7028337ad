//! Reading one log file.

use super::BATCH_RECORDS_MAX;
use super::damage::{Damage, LogReadError, TORN_LEN_MAX, Verdict, judge, records_within};
use super::frame::{self, HEAD_LEN, Head, LogRecord};
use crate::disk::{Disk, Sequential};
use crate::width::{index, len64};
use crate::window::Window;
use bytes::Bytes;
use std::io::{self, Read};
use std::path::{Path, PathBuf};
use zooid_proto::{FileHeader, Jute, Limit, Reader, TxnRecord, Zxid};

/// How a log file ends.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum LogFileEnd {
    /// With a whole record, or zeros behind one.
    Clean,
    /// With what a crash left of records that were never acknowledged.
    Torn {
        /// Where the good part ends; 0 when not even the file's header is there.
        good_len: u64,
    },
}

/// A log file being read from the front.
#[derive(Debug)]
pub struct LogFile<R = Sequential> {
    path: PathBuf,
    window: Window<R>,
    len: u64,
    synced: bool,
    last_good: Option<Zxid>,
    good_len: u64,
    end: Option<LogFileEnd>,
}

impl LogFile {
    /// Opens a file and checks its header. `synced` says that its writer synced what it
    /// acknowledged (`forceSync`), which bounds what a crash may have torn.
    ///
    /// # Errors
    /// [`LogReadError::Damaged`] when it is not a log.
    pub fn open(disk: &dyn Disk, path: &Path, synced: bool) -> Result<LogFile, LogReadError> {
        let file = disk.open(path)?;
        let len = file.size()?;
        LogFile::new(path.to_owned(), Sequential::new(file), len, synced)
    }
}

impl<R: Read> LogFile<R> {
    fn new(path: PathBuf, source: R, len: u64, synced: bool) -> Result<LogFile<R>, LogReadError> {
        let mut file = LogFile {
            path,
            window: Window::new(source),
            len,
            synced,
            last_good: None,
            good_len: 0,
            end: None,
        };
        file.read_header()?;
        Ok(file)
    }

    /// The next record; `None` at the end, about which [`LogFile::end`] then tells more.
    ///
    /// # Errors
    /// [`LogReadError::Damaged`] when what follows can neither be read nor be explained by a crash.
    pub fn next_record(&mut self) -> Result<Option<LogRecord>, LogReadError> {
        if self.end.is_some() {
            return Ok(None);
        }
        let offset = self.window.position();
        self.fetch_record(offset)?;
        let Some(body) = frame::parse(self.window.available()) else {
            self.conclude(offset)?;
            return Ok(None);
        };
        let record_len = HEAD_LEN + body.len() + 1;
        let Some(zxid) = frame::zxid_of(body) else {
            return Err(self.damage(offset, "a record is too short for a transaction"));
        };
        let bytes = Bytes::copy_from_slice(body);
        self.window.consume(record_len);
        self.last_good = Some(zxid);
        self.good_len = self.window.position();
        Ok(Some(LogRecord {
            zxid,
            bytes,
            offset,
        }))
    }

    /// How the file ends, once [`LogFile::next_record`] has returned `None`.
    #[must_use]
    pub fn end(&self) -> Option<LogFileEnd> {
        self.end
    }

    /// Where the last record found so far ends; 0 before the first.
    #[must_use]
    pub fn good_len(&self) -> u64 {
        self.good_len
    }

    /// Whether no record has been found so far.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.last_good.is_none()
    }

    /// Where the file is.
    #[must_use]
    pub fn path(&self) -> &Path {
        &self.path
    }

    fn read_header(&mut self) -> Result<(), LogReadError> {
        let whole = self.window.fill(FileHeader::LEN)?;
        let available = self.window.available();
        let bytes = &available[..available.len().min(FileHeader::LEN)];
        let magic = FileHeader::LOG_MAGIC.to_be_bytes();
        if whole && bytes.starts_with(&magic) {
            self.window.consume(FileHeader::LEN);
            return Ok(());
        }
        // The file's first write did not make it to the disk: nothing in it was acknowledged.
        let unwritten = bytes.iter().all(|byte| *byte == 0);
        let rest = self.rest_without_zeros(0)?;
        let broken_off = FileHeader::LOG.to_vec().starts_with(&rest);
        if !unwritten && !broken_off {
            return Err(self.damage(0, "its header is not that of a transaction log"));
        }
        if self.synced && records_within(&rest) > BATCH_RECORDS_MAX {
            return Err(self.damage(0, "its header is wiped out"));
        }
        self.end = Some(LogFileEnd::Torn { good_len: 0 });
        Ok(())
    }

    /// Makes the next record available, if the file can have it at all.
    fn fetch_record(&mut self, offset: u64) -> io::Result<()> {
        self.window.fill(HEAD_LEN)?;
        let head = Head::parse(self.window.available());
        if let Some(len) = head.and_then(Head::record_len)
            && len64(len) <= self.len.saturating_sub(offset)
        {
            self.window.fill(len)?;
        }
        Ok(())
    }

    /// Decides what the bytes mean that are no record.
    fn conclude(&mut self, offset: u64) -> Result<(), LogReadError> {
        let rest = self.rest_without_zeros(offset)?;
        let space = self.len.saturating_sub(offset);
        match judge(&rest, offset, space, self.synced) {
            Verdict::Clean => self.end = Some(LogFileEnd::Clean),
            Verdict::Torn => self.end = Some(LogFileEnd::Torn { good_len: offset }),
            Verdict::Damaged(what) => return Err(self.damage(offset, what)),
        }
        Ok(())
    }

    /// Everything left, up to the last byte that is not zero.
    fn rest_without_zeros(&mut self, offset: u64) -> Result<Vec<u8>, LogReadError> {
        let mut rest = Vec::new();
        let mut zeros = 0;
        loop {
            let chunk = self.window.available();
            let (head, zeros_behind) = chunk.split_at(len_without_zeros(chunk));
            if !head.is_empty() {
                rest.resize(rest.len() + zeros, 0);
                rest.extend_from_slice(head);
                zeros = 0;
            }
            zeros += zeros_behind.len();
            if rest.len() + zeros > TORN_LEN_MAX && !rest.is_empty() {
                zeros = zeros.min(TORN_LEN_MAX);
            }
            if rest.len() > TORN_LEN_MAX {
                return Err(self.damage(offset, "too much follows a record that cannot be read"));
            }
            let len = chunk.len();
            self.window.consume(len);
            if !self.window.read_more()? {
                return Ok(rest);
            }
        }
    }

    fn damage(&self, offset: u64, what: &str) -> LogReadError {
        LogReadError::Damaged(Box::new(Damage {
            path: self.path.clone(),
            offset,
            last_good: self.last_good,
            what: what.to_owned(),
        }))
    }

    pub(super) fn undecodable(&self, offset: u64, why: &dyn std::fmt::Display) -> LogReadError {
        self.damage(offset, &format!("a transaction cannot be decoded: {why}"))
    }
}

/// Up to the last byte that is not zero. Most of what is reserved for a log is zeros: whole blocks
/// are looked at without a branch for each byte.
fn len_without_zeros(bytes: &[u8]) -> usize {
    const BLOCK_LEN: usize = 1024;
    let is_zero = |block: &&[u8]| block.iter().fold(0, |all, byte| all | byte) == 0;
    let blocks = bytes.rchunks(BLOCK_LEN).take_while(is_zero);
    let without_blocks = bytes.len() - blocks.map(<[u8]>::len).sum::<usize>();
    let last = bytes[..without_blocks].iter().rposition(|byte| *byte != 0);
    last.map_or(0, |last| last + 1)
}

/// A log file's content, all of it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct DecodedLog {
    /// The file's header, if the file is long enough for one.
    pub header: Option<FileHeader>,
    /// In file order.
    pub txns: Vec<TxnRecord>,
    /// What comes after the last one.
    pub end: LogFileEnd,
}

/// Decodes a log file's bytes, as a file found after a crash. For tools and fuzzing; recovery
/// streams.
///
/// # Errors
/// [`LogReadError::Damaged`].
pub fn decode_log(bytes: &[u8]) -> Result<DecodedLog, LogReadError> {
    let header = FileHeader::decode(&mut Reader::new(bytes, Limit(index(u64::MAX)))).ok();
    let mut file = LogFile::new(PathBuf::from("log"), bytes, len64(bytes.len()), true)?;
    let mut txns = Vec::new();
    while let Some(record) = file.next_record()? {
        let txn = TxnRecord::decode(&record.bytes)
            .map_err(|why| file.undecodable(record.offset, &why))?;
        txns.push(txn);
    }
    let end = file.end().unwrap_or(LogFileEnd::Clean);
    Ok(DecodedLog { header, txns, end })
}

#[cfg(test)]
mod tests;
