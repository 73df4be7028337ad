//! Room that is kept for the log, so that a full disk is seen before a write fails.
//!
//! A failed write is final (obligation 8), and a disk may fill in one moment, by other programs too. So
//! a file holds some space that only the log may take: when the file system has no room for the next
//! step of the log, the reserve is given up for it. The small files beside the log, the epochs' for one,
//! are replaced as a whole, for which a piece of it will do.

use crate::disk::Disk;
use std::io;
use std::path::{Path, PathBuf};
use std::sync::Arc;

/// Bytes that the reserve holds, unless said otherwise.
pub const RESERVE_LEN: u64 = 8 << 20;
/// So many reserves of room end a shortage. More than the reserve takes when it is made again, so that
/// making it does not bring the shortage back.
const ENOUGH_RESERVES: u64 = 3;
/// Bytes of a piece: more than a small file takes, on any file system.
const PIECE_LEN: u64 = 64 << 10;
/// A piece is no larger than such a part of the reserve.
const PIECES_MIN: u64 = 8;
const NAME: &str = "zooid.reserve";

/// Whether there is room for what makes the log grow.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum DiskSpace {
    /// There is.
    #[default]
    Enough,
    /// Only for what is small, or makes the database smaller.
    Low,
}

/// See the module.
#[derive(Debug)]
pub(super) struct Reserve {
    disk: Arc<dyn Disk>,
    path: PathBuf,
    /// Bytes that it holds; and with less room than this for the log, beside the reserve, the disk is low.
    len: u64,
    held: Held,
    space: DiskSpace,
}

/// What of the reserve is known to be there.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Held {
    Nothing,
    /// Pieces are gone.
    Part,
    Everything,
}

impl Reserve {
    pub(super) fn new(disk: Arc<dyn Disk>, dir: &Path, len: u64) -> Reserve {
        Reserve {
            disk,
            path: dir.join(NAME),
            len,
            held: Held::Nothing,
            space: DiskSpace::Enough,
        }
    }

    pub(super) fn len(&self) -> u64 {
        self.len
    }

    fn enough(&self) -> u64 {
        self.len.saturating_mul(ENOUGH_RESERVES)
    }

    /// Looks how much room there is, with `ahead` bytes already reserved in the log's own file, and
    /// makes the reserve again if it may.
    pub(super) fn look(&mut self, ahead: u64) -> io::Result<DiskSpace> {
        let dir = self.path.parent().unwrap_or(Path::new(""));
        let free = self.disk.available(dir)?;
        if self.held != Held::Everything {
            self.held = self.hold(free)?;
        }
        let room = free.saturating_add(ahead);
        self.space = match self.space {
            _ if room < self.len => DiskSpace::Low,
            DiskSpace::Low if room < self.enough() => DiskSpace::Low,
            _ => DiskSpace::Enough,
        };
        Ok(self.space)
    }

    /// Gives the space to whoever writes next, which should be the log.
    pub(super) fn give_up(&mut self) {
        if std::mem::replace(&mut self.held, Held::Nothing) != Held::Nothing {
            // If it cannot be removed, the write that needs the space fails, and says why.
            let _ = self.disk.remove(&self.path);
        }
    }

    /// Gives a piece of it up if there is no room for a small file. Whoever writes first has it, which
    /// should be who asked.
    pub(super) fn spare_a_piece(&mut self) -> io::Result<()> {
        let dir = self.path.parent().unwrap_or(Path::new(""));
        let piece_len = PIECE_LEN.min(self.len / PIECES_MIN);
        if self.disk.available(dir)? >= piece_len || !self.disk.exists(&self.path)? {
            return Ok(());
        }
        let mut file = self.disk.open_mut(&self.path)?;
        let left = file.size()?.saturating_sub(piece_len);
        file.truncate(left)?;
        self.held = Held::Part;
        Ok(())
    }

    /// What of it is there, if need be since now. It is there from an earlier life, or is made when that
    /// leaves as much as it takes. Nothing depends on its being durable.
    fn hold(&self, free: u64) -> io::Result<Held> {
        let may_be_made = free >= self.enough();
        if self.disk.exists(&self.path)? {
            match self.disk.open(&self.path)?.size()? {
                size if size >= self.len => return Ok(Held::Everything),
                size if size > 0 && !may_be_made => return Ok(Held::Part),
                _ => self.disk.remove(&self.path)?,
            }
        }
        if !may_be_made {
            return Ok(Held::Nothing);
        }
        let mut file = self.disk.create(&self.path)?;
        match file.allocate(self.len) {
            Err(err) if err.kind() == io::ErrorKind::StorageFull => {
                self.disk.remove(&self.path)?;
                Ok(Held::Nothing)
            }
            other => other.map(|()| Held::Everything),
        }
    }
}

#[cfg(test)]
mod tests;
