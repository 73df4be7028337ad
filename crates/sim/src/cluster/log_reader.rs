//! A leader's looks into its own log, for learners that are further behind than its memory goes.

use super::site::Site;
use bytes::Bytes;
use std::sync::Arc;
use zooid_proto::{Zxid, mutant};
use zooid_storage::{LogIterator, follows};
use zooid_zab::LogProbe;

impl Site {
    /// Whether the log proves what comes after a zxid, as `zooid-server` finds out.
    pub(crate) fn probe(&self, after: Zxid) -> LogProbe {
        self.neighbours(after).unwrap_or(LogProbe::Unknown)
    }

    fn neighbours(&self, after: Zxid) -> Option<LogProbe> {
        let mut log = self.iterate(after)?;
        let mut prev = None;
        while let Some(record) = log.next_or_earlier().ok()? {
            if record.zxid <= after {
                prev = Some(record.zxid);
                continue;
            }
            let next = record.zxid;
            return match prev {
                Some(prev) if follows(prev, next) => Some(LogProbe::Found { prev, next }),
                None if log.starts_proven() || mutant!(Zk2846) => {
                    Some(LogProbe::Found { prev: after, next })
                }
                _ => None,
            };
        }
        None
    }

    /// The transactions with `after < zxid <= upto`; `None` if they are not all there.
    pub(crate) fn read_log(&self, after: Zxid, upto: Zxid) -> Option<Vec<(Zxid, Bytes)>> {
        let mut records = Vec::new();
        let mut log = self.iterate(after)?;
        while let Some(record) = log.next_record().ok()? {
            if record.zxid > upto {
                break;
            }
            records.push((record.zxid, record.bytes));
        }
        let last = records.last().map(|(zxid, _)| *zxid);
        (last == Some(upto) || after == upto).then_some(records)
    }

    fn iterate(&self, after: Zxid) -> Option<LogIterator> {
        LogIterator::after(Arc::clone(&self.disk), &self.dirs, after, true).ok()
    }
}
