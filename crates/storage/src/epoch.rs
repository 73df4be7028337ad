//! The epochs a server has promised and entered (spec §4.7; Java `QuorumPeer.loadDataBase`).

use crate::disk::Disk;
use crate::names::{Dirs, read_file, replace_file};
use std::io;
use std::path::PathBuf;
use std::sync::Arc;
use zooid_proto::{Epoch, Zxid};

const ACCEPTED: &str = "acceptedEpoch";
const CURRENT: &str = "currentEpoch";

/// An i64 in decimal has at most 20 characters.
const LEN_MAX: usize = 64;

/// The files `acceptedEpoch` and `currentEpoch`.
#[derive(Clone, Debug)]
pub struct EpochFiles {
    disk: Arc<dyn Disk>,
    dir: PathBuf,
}

/// What they say.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Epochs {
    /// The newest epoch promised to a leader-to-be; durable before ACKEPOCH (obligation 2).
    pub accepted: Epoch,
    /// The newest epoch whose initial history this server holds; durable after that history and
    /// before the acknowledgement of NEWLEADER (obligation 3).
    pub current: Epoch,
}

/// Why the epochs cannot be known.
#[derive(Debug, thiserror::Error)]
pub enum EpochError {
    /// The disk failed.
    #[error("epoch file: {0}")]
    Io(#[from] io::Error),
    /// Not a number.
    #[error("{}: {text:?} is not an epoch", path.display())]
    Malformed {
        /// The file.
        path: PathBuf,
        /// What it holds.
        text: String,
    },
    /// No crash leaves this: files of different servers were mixed.
    #[error(
        "acceptedEpoch {} is older than currentEpoch {}, which only happens when files of several \
         servers or backups were mixed: restore the directory, or empty version-2 and let the server \
         fetch its data from the leader", .0.accepted.0, .0.current.0
    )]
    Inconsistent(Epochs),
}

impl EpochFiles {
    /// The files in `dirs`.
    #[must_use]
    pub fn new(disk: Arc<dyn Disk>, dirs: &Dirs) -> EpochFiles {
        EpochFiles {
            disk,
            dir: dirs.snapshots.clone(),
        }
    }

    /// The epochs of a server whose history ends at `last`, durably.
    ///
    /// Every crash between the steps of joining an epoch leaves `currentEpoch` behind the history or
    /// right. Behind: whoever holds a transaction of an epoch holds that epoch's initial history, the
    /// log being one without holes; so the epoch is moved up to it. Java refuses to start then,
    /// unless it finds the temporary file of the interrupted update.
    ///
    /// # Errors
    /// [`EpochError`].
    pub fn load(&self, last: Zxid) -> Result<Epochs, EpochError> {
        let of_history = Epoch(last.epoch().0.max(0));
        let stored_current = self.read(CURRENT)?;
        let current = stored_current.unwrap_or(of_history).max(of_history);
        let stored_accepted = self.read(ACCEPTED)?;
        // The history may be ahead of both files; only what is written can contradict itself.
        if let Some((accepted, current)) = stored_accepted.zip(stored_current)
            && accepted < current
        {
            return Err(EpochError::Inconsistent(Epochs { accepted, current }));
        }
        let accepted = stored_accepted.unwrap_or(current).max(current);
        // The promise first: an epoch entered is an epoch promised.
        if stored_accepted != Some(accepted) {
            self.set_accepted(accepted)?;
        }
        if stored_current != Some(current) {
            self.set_current(current)?;
        }
        Ok(Epochs { accepted, current })
    }

    /// Durably promises an epoch.
    ///
    /// # Errors
    /// When the disk cannot; the old promise holds then.
    pub fn set_accepted(&self, epoch: Epoch) -> io::Result<()> {
        self.write(ACCEPTED, epoch)
    }

    /// Durably enters an epoch.
    ///
    /// # Errors
    /// When the disk cannot; the server is still in the old epoch then.
    pub fn set_current(&self, epoch: Epoch) -> io::Result<()> {
        self.write(CURRENT, epoch)
    }

    fn write(&self, name: &str, epoch: Epoch) -> io::Result<()> {
        replace_file(
            &*self.disk,
            &self.dir.join(name),
            epoch.0.to_string().as_bytes(),
        )
    }

    fn read(&self, name: &str) -> Result<Option<Epoch>, EpochError> {
        let path = self.dir.join(name);
        let Some(content) = read_file(&*self.disk, &path, LEN_MAX)? else {
            return Ok(None);
        };
        let text = String::from_utf8_lossy(&content);
        // Java reads the first line.
        let line = text.lines().next().unwrap_or_default().trim_end();
        match line.parse() {
            Ok(epoch) if epoch >= 0 => Ok(Some(Epoch(epoch))),
            _ => Err(EpochError::Malformed {
                path,
                text: line.to_owned(),
            }),
        }
    }
}

#[cfg(test)]
mod tests;
