//! Telling a stretch of history that was logged twice from a second history.

use crate::disk::Disk;
use crate::log::damage::LogReadError;
use crate::log::file::LogFile;
use crate::log::frame::LogRecord;
use crate::names::DataFile;
use std::path::PathBuf;
use std::vec::IntoIter;

/// Reads the log once more, from where a transaction may have stood for the first time, up to where it
/// was found again.
#[derive(Debug)]
pub(super) struct FirstTime {
    files: IntoIter<PathBuf>,
    current: Option<LogFile>,
    synced: bool,
    /// Where the repetition begins.
    end: (PathBuf, u64),
}

impl FirstTime {
    /// `upto`: the files of the log, the last one being that in which the record was found again.
    pub(super) fn of(record: &LogRecord, upto: &[DataFile], synced: bool) -> FirstTime {
        let before = &upto[..upto.len().saturating_sub(1)];
        let start = before.iter().rposition(|file| file.zxid <= record.zxid);
        let files = &upto[start.unwrap_or(before.len())..];
        let paths: Vec<PathBuf> = files.iter().map(|file| file.path.clone()).collect();
        let found_in = paths.last().cloned().unwrap_or_default();
        FirstTime {
            files: paths.into_iter(),
            current: None,
            synced,
            end: (found_in, record.offset),
        }
    }

    /// Whether what was logged next, that time, is this record.
    pub(super) fn goes_on_with(
        &mut self,
        disk: &dyn Disk,
        record: &LogRecord,
    ) -> Result<bool, LogReadError> {
        while let Some(earlier) = self.next_record(disk)? {
            if earlier.zxid == record.zxid {
                return Ok(earlier.bytes == record.bytes);
            }
        }
        Ok(false)
    }

    fn next_record(&mut self, disk: &dyn Disk) -> Result<Option<LogRecord>, LogReadError> {
        loop {
            let file = match &mut self.current {
                Some(file) => file,
                None => match self.files.next() {
                    Some(path) => self
                        .current
                        .insert(LogFile::open(disk, &path, self.synced)?),
                    None => return Ok(None),
                },
            };
            match file.next_record()? {
                Some(record) if file.path() == self.end.0 && record.offset >= self.end.1 => {
                    return Ok(None);
                }
                Some(record) => return Ok(Some(record)),
                None => self.current = None,
            }
        }
    }
}
