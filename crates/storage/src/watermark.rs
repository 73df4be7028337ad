//! How far a server's history was durable. It tells what a crash tore off from what was lost.
//!
//! A log does not say where it ends. If the last records of the newest one cannot be read, a crash may
//! have torn them before anyone was told of them, or the disk may have lost what was acknowledged; the
//! bytes look the same. Nor can be seen, where one epoch follows another, that the end of the older one
//! is missing. So a small file beside the epoch files says both: the last transaction that a sync has
//! returned for, and for the first transaction of each epoch the one before it.
//!
//! # The file
//!
//! `zooid.durable`, a name that ZooKeeper takes for neither a log nor a snapshot. Two slots in blocks of
//! their own, of which the valid one with the higher sequence number counts; they are written in turns,
//! so that a write that is interrupted spoils the older one at most, and a lost block never both.
//!
//! # When it is written
//!
//! *Behind* the log: after the log's sync has returned, with one write and without a sync of its own.
//! What a crash leaves of it is therefore old at worst, and never says more than the log has. Where a
//! history is about to be cut, the file is lowered *first*, and synced. Both slots spoiled is a thing
//! that only a crash does (a single fault of a disk cannot), so it is as good as no file: the file helps
//! to notice losses, and nothing depends on it otherwise.

use crate::disk::{Disk, DiskFile};
use crate::names::{Dirs, sync_parent};
use crate::width::{index, len64};
use std::collections::BTreeMap;
use std::io;
use std::path::PathBuf;
use zooid_proto::Zxid;

const NAME: &str = "zooid.durable";
const MAGIC: &[u8; 8] = b"ZOOIDWM\x01";
/// A block of common disks and file systems.
const SLOT_LEN: u64 = 4096;
const SLOTS: u64 = 2;
/// As many as a slot has room for, and more than a server keeps logs of.
const BORDERS_MAX: usize = 128;

/// What the file says.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct Watermark {
    /// The last transaction that is durable, in a log or in a snapshot.
    pub(crate) upto: Zxid,
    pub(crate) borders: Borders,
}

/// Which transaction stands before the first one of an epoch. An epoch has one leader, so that this is
/// true or unknown, and never changes. The newest are kept.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct Borders(BTreeMap<Zxid, Zxid>);

/// The file, open for writing.
#[derive(Debug)]
pub(crate) struct WatermarkFile {
    file: Box<dyn DiskFile>,
    sequence: u64,
    watermark: Watermark,
}

impl Borders {
    /// Remembers that `next` came after `previous`, if there is an epoch's border between them.
    pub(crate) fn note(&mut self, previous: Zxid, next: Zxid) {
        if next.epoch() > previous.epoch() {
            self.0.insert(next, previous);
        }
        while self.0.len() > BORDERS_MAX {
            self.0.pop_first();
        }
    }

    /// Adds what another knows.
    pub(crate) fn extend(&mut self, other: &Borders) {
        for (next, previous) in &other.0 {
            self.note(*previous, *next);
        }
    }

    /// What stands before `next`, if that is known.
    pub(crate) fn before(&self, next: Zxid) -> Option<Zxid> {
        self.0.get(&next).copied()
    }

    fn forget_beyond(&mut self, zxid: Zxid) {
        self.0.retain(|next, _| *next <= zxid);
    }
}

impl Watermark {
    /// Where the file is.
    pub(crate) fn path(dirs: &Dirs) -> PathBuf {
        dirs.snapshots.join(NAME)
    }

    /// What is known of the directories; nothing if there is no file or no valid slot in it.
    ///
    /// # Errors
    /// When the file cannot be opened. A slot that cannot be read is as good as a spoiled one.
    pub(crate) fn read(disk: &dyn Disk, dirs: &Dirs) -> io::Result<Option<Watermark>> {
        match disk.open(&Watermark::path(dirs)) {
            Err(err) if err.kind() == io::ErrorKind::NotFound => Ok(None),
            Err(err) => Err(err),
            Ok(file) => Ok(newest_slot(&*file).map(|(_, watermark)| watermark)),
        }
    }

    fn encode(&self, sequence: u64) -> Vec<u8> {
        let mut bytes = MAGIC.to_vec();
        bytes.extend(sequence.to_be_bytes());
        bytes.extend(self.upto.0.to_be_bytes());
        bytes.extend(len64(self.borders.0.len()).to_be_bytes());
        for (next, previous) in &self.borders.0 {
            bytes.extend(next.0.to_be_bytes());
            bytes.extend(previous.0.to_be_bytes());
        }
        bytes.extend(crc32fast::hash(&bytes).to_be_bytes());
        bytes
    }

    fn decode(slot: &[u8]) -> Option<(u64, Watermark)> {
        let mut rest = slot.strip_prefix(MAGIC)?;
        let mut next = || -> Option<u64> {
            let (value, after) = rest.split_first_chunk()?;
            rest = after;
            Some(u64::from_be_bytes(*value))
        };
        let sequence = next()?;
        let upto = Zxid(next()?.cast_signed());
        let count = index(next()?);
        if count > BORDERS_MAX {
            return None;
        }
        let mut borders = Borders::default();
        for _ in 0..count {
            let first = Zxid(next()?.cast_signed());
            borders.0.insert(first, Zxid(next()?.cast_signed()));
        }
        let checksum = u32::from_be_bytes(*rest.first_chunk()?);
        let content = &slot[..slot.len() - rest.len()];
        (crc32fast::hash(content) == checksum).then_some((sequence, Watermark { upto, borders }))
    }
}

fn newest_slot(file: &dyn DiskFile) -> Option<(u64, Watermark)> {
    let slots = (0..SLOTS).filter_map(|slot| {
        let mut bytes = vec![0; index(SLOT_LEN)];
        let len = file.read_at(slot * SLOT_LEN, &mut bytes).ok()?;
        Watermark::decode(&bytes[..len])
    });
    slots.max_by_key(|(sequence, _)| *sequence)
}

impl WatermarkFile {
    /// The file; `None` if there is none yet.
    ///
    /// # Errors
    /// When it cannot be opened.
    pub(crate) fn open(disk: &dyn Disk, dirs: &Dirs) -> io::Result<Option<WatermarkFile>> {
        let file = match disk.open_mut(&Watermark::path(dirs)) {
            Err(err) if err.kind() == io::ErrorKind::NotFound => return Ok(None),
            other => other?,
        };
        let (sequence, watermark) = newest_slot(&*file).unwrap_or_default();
        Ok(Some(WatermarkFile {
            file,
            sequence,
            watermark,
        }))
    }

    /// A new one, durable.
    ///
    /// # Errors
    /// When the disk cannot.
    pub(crate) fn create(
        disk: &dyn Disk,
        dirs: &Dirs,
        watermark: Watermark,
    ) -> io::Result<WatermarkFile> {
        let path = Watermark::path(dirs);
        let mut file = WatermarkFile {
            file: disk.create(&path)?,
            sequence: 0,
            watermark: Watermark::default(),
        };
        let fill = |file: &mut WatermarkFile| {
            file.file.allocate(SLOTS * SLOT_LEN)?;
            file.replace(watermark)
        };
        if let Err(err) = fill(&mut file) {
            // One that has no room for both slots could not be lowered later.
            disk.remove(&path)?;
            return Err(err);
        }
        sync_parent(disk, &path)?;
        Ok(file)
    }

    /// Says that everything up to `upto` is durable, which it must be. Not synced.
    ///
    /// # Errors
    /// When the disk cannot.
    pub(crate) fn advance(&mut self, upto: Zxid, crossed: &Borders) -> io::Result<()> {
        self.watermark.upto = upto;
        self.watermark.borders.extend(crossed);
        self.write_slot()
    }

    /// Durably says something else.
    ///
    /// # Errors
    /// When the disk cannot; the old or the new then holds.
    fn replace(&mut self, watermark: Watermark) -> io::Result<()> {
        self.watermark = watermark;
        for _ in 0..SLOTS {
            self.write_slot()?;
        }
        self.sync()
    }

    /// Makes durable what it says.
    ///
    /// # Errors
    /// When the disk cannot.
    pub(crate) fn sync(&mut self) -> io::Result<()> {
        self.file.sync()
    }

    fn write_slot(&mut self) -> io::Result<()> {
        self.sequence += 1;
        let slot = self.sequence % SLOTS;
        let bytes = self.watermark.encode(self.sequence);
        self.file.write_at(slot * SLOT_LEN, &bytes)
    }
}

/// Durably says that the history ends at `watermark`, which is durable; creates the file if need be. A
/// disk that has no room does without.
///
/// # Errors
/// When the disk fails.
pub(crate) fn store(disk: &dyn Disk, dirs: &Dirs, watermark: Watermark) -> io::Result<()> {
    match try_store(disk, dirs, watermark) {
        Err(err) if err.kind() == io::ErrorKind::StorageFull => Ok(()),
        other => other,
    }
}

fn try_store(disk: &dyn Disk, dirs: &Dirs, watermark: Watermark) -> io::Result<()> {
    match WatermarkFile::open(disk, dirs)? {
        Some(mut file) => file.replace(watermark),
        None => WatermarkFile::create(disk, dirs, watermark).map(drop),
    }
}

/// To be called before a history is cut: from now on no more than what is up to `zxid` is expected.
///
/// # Errors
/// When the disk cannot; nothing must be cut then.
pub(crate) fn lower(disk: &dyn Disk, dirs: &Dirs, zxid: Zxid) -> io::Result<()> {
    restate(disk, dirs, |upto| upto.min(zxid), zxid)
}

/// To be called before a history is replaced by a snapshot at `zxid`, which is durable.
///
/// # Errors
/// When the disk cannot; nothing must be replaced then.
pub(crate) fn settle(disk: &dyn Disk, dirs: &Dirs, zxid: Zxid) -> io::Result<()> {
    restate(disk, dirs, |_| zxid, zxid)
}

fn restate(
    disk: &dyn Disk,
    dirs: &Dirs,
    upto: impl FnOnce(Zxid) -> Zxid,
    last: Zxid,
) -> io::Result<()> {
    let Some(mut file) = WatermarkFile::open(disk, dirs)? else {
        return Ok(());
    };
    let mut restated = file.watermark.clone();
    restated.upto = upto(restated.upto);
    restated.borders.forget_beyond(last);
    file.replace(restated)
}

#[cfg(test)]
mod tests;
