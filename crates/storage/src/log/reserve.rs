//! Room that is kept for the log, so that a full disk is seen before a write fails.
//!
//! A failed write is final (obligation 8), and a disk may fill in one moment, by other programs too. So
//! a file holds some space that only the log may take: when the file system has no room for the next
//! step of the log, the reserve is given up for it.

use crate::disk::Disk;
use std::io;
use std::path::{Path, PathBuf};
use std::sync::Arc;

/// Bytes that the reserve holds; and with less room than this for the log, beside the reserve, it is
/// short of space.
pub const RESERVE_LEN: u64 = 8 << 20;
/// Bytes of room with which it no longer is. More than the reserve takes when it is made again, so
/// that making it does not bring back the shortage.
const ENOUGH_LEN: u64 = 3 * RESERVE_LEN;
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
    /// Whether the file is known to be there.
    is_held: bool,
    space: DiskSpace,
}

impl Reserve {
    pub(super) fn new(disk: Arc<dyn Disk>, dir: &Path) -> Reserve {
        Reserve {
            disk,
            path: dir.join(NAME),
            is_held: false,
            space: DiskSpace::Enough,
        }
    }

    /// Looks how much room there is, with `ahead` bytes already reserved in the log's own file, and
    /// makes the reserve again if it may.
    pub(super) fn look(&mut self, ahead: u64) -> io::Result<DiskSpace> {
        let dir = self.path.parent().unwrap_or(Path::new(""));
        let free = self.disk.available(dir)?;
        if !self.is_held {
            self.is_held = self.hold(free)?;
        }
        let room = free.saturating_add(ahead);
        self.space = match self.space {
            _ if room < RESERVE_LEN => DiskSpace::Low,
            DiskSpace::Low if room < ENOUGH_LEN => DiskSpace::Low,
            _ => DiskSpace::Enough,
        };
        Ok(self.space)
    }

    /// Gives the space to whoever writes next, which should be the log.
    pub(super) fn give_up(&mut self) {
        if std::mem::take(&mut self.is_held) {
            // If it cannot be removed, the write that needs the space fails, and says why.
            let _ = self.disk.remove(&self.path);
        }
    }

    /// Whether the file is there, if need be since now. It is there from an earlier life, or is made
    /// when that leaves as much as it takes. Nothing depends on its being durable.
    fn hold(&self, free: u64) -> io::Result<bool> {
        if self.disk.exists(&self.path)? {
            if self.disk.open(&self.path)?.size()? >= RESERVE_LEN {
                return Ok(true);
            }
            self.disk.remove(&self.path)?;
        }
        if free < ENOUGH_LEN {
            return Ok(false);
        }
        let mut file = self.disk.create(&self.path)?;
        match file.allocate(RESERVE_LEN) {
            Err(err) if err.kind() == io::ErrorKind::StorageFull => {
                self.disk.remove(&self.path)?;
                Ok(false)
            }
            other => other.map(|()| true),
        }
    }
}

#[cfg(test)]
mod tests;
