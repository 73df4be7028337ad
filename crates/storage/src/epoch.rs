//! The epochs a server has promised and entered (spec §4.7; Java `QuorumPeer.loadDataBase`).
//!
//! ZooKeeper's files hold a number and nothing else, so that a flipped bit makes another number of it:
//! a forgotten promise, or an epoch that was never entered. ZooKeeper reads the first line only. So there
//! is a second line here, which repeats the first with the file's name and a checksum. A file without it
//! was written by ZooKeeper, or by hand, and is believed.

use crate::disk::Disk;
use crate::names::{Dirs, REPAIR, read_file, replace_file};
use std::io;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use zooid_proto::{Epoch, Zxid};

const ACCEPTED: &str = "acceptedEpoch";
const CURRENT: &str = "currentEpoch";

/// An i64 in decimal has at most 20 characters, and stands there twice.
const LEN_MAX: usize = 128;

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
    #[error("epoch file: {0}. To repair: see to the disk, and start again; or, {REPAIR}")]
    Io(#[from] io::Error),
    /// Not a number.
    #[error(
        "{}: {text:?} is not an epoch, so the server does not start. To repair: {REPAIR}; or restore \
         the file from a backup that is not older than the server's last start",
        path.display()
    )]
    Malformed {
        /// The file.
        path: PathBuf,
        /// What it holds.
        text: String,
    },
    /// Neither a crash nor ZooKeeper leaves this.
    #[error(
        "{} is damaged: it says {text:?}, and its second line does not confirm it. Believing it could \
         break a promise, so the server does not start. To repair: {REPAIR}; or, if the number is known \
         to be right, write it into the file by hand, alone", path.display()
    )]
    Damaged {
        /// The file.
        path: PathBuf,
        /// Its first line.
        text: String,
    },
    /// No crash leaves this: files of different servers were mixed.
    #[error(
        "acceptedEpoch {} is older than currentEpoch {}, which only happens when files of several \
         servers or backups were mixed. To repair: restore the directory; or, {REPAIR}",
        .0.accepted.0, .0.current.0
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
        let epochs = self.judge(last)?;
        // The promise first: an epoch entered is an epoch promised.
        if self.read(ACCEPTED)? != Some(Stored::confirmed(epochs.accepted)) {
            self.set_accepted(epochs.accepted)?;
        }
        if self.read(CURRENT)? != Some(Stored::confirmed(epochs.current)) {
            self.set_current(epochs.current)?;
        }
        Ok(epochs)
    }

    /// What [`EpochFiles::load`] would return. Changes nothing.
    ///
    /// # Errors
    /// [`EpochError`].
    pub fn judge(&self, last: Zxid) -> Result<Epochs, EpochError> {
        let of_history = Epoch(last.epoch().0.max(0));
        let (stored_accepted, stored_current) = (self.accepted()?, self.current()?);
        let current = stored_current.unwrap_or(of_history).max(of_history);
        // The history may be ahead of both files; only what is written can contradict itself.
        if let Some((accepted, current)) = stored_accepted.zip(stored_current)
            && accepted < current
        {
            return Err(EpochError::Inconsistent(Epochs { accepted, current }));
        }
        let accepted = stored_accepted.unwrap_or(current).max(current);
        Ok(Epochs { accepted, current })
    }

    /// What `acceptedEpoch` says, if it is there.
    ///
    /// # Errors
    /// [`EpochError`].
    pub fn accepted(&self) -> Result<Option<Epoch>, EpochError> {
        Ok(self.read(ACCEPTED)?.map(|stored| stored.epoch))
    }

    /// What `currentEpoch` says, if it is there.
    ///
    /// # Errors
    /// [`EpochError`].
    pub fn current(&self) -> Result<Option<Epoch>, EpochError> {
        Ok(self.read(CURRENT)?.map(|stored| stored.epoch))
    }

    /// Whether ZooKeeper, or somebody's hand, wrote one of the files after this server did.
    pub(crate) fn were_written_by_others(&self) -> io::Result<bool> {
        for name in [ACCEPTED, CURRENT] {
            match self.read(name) {
                Ok(Some(stored)) if !stored.is_confirmed => return Ok(true),
                // What is damaged says nothing, and stops the server a little later.
                Ok(_) | Err(EpochError::Malformed { .. } | EpochError::Damaged { .. }) => {}
                Err(EpochError::Io(err)) => return Err(err),
                Err(EpochError::Inconsistent(_)) => {}
            }
        }
        Ok(false)
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
            content_of(name, epoch).as_bytes(),
        )
    }

    fn read(&self, name: &str) -> Result<Option<Stored>, EpochError> {
        let path = self.dir.join(name);
        match read_file(&*self.disk, &path, LEN_MAX)? {
            Some(content) => parse(&path, name, &content).map(Some),
            None => Ok(None),
        }
    }
}

/// What a file says.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct Stored {
    epoch: Epoch,
    /// By the second line.
    is_confirmed: bool,
}

impl Stored {
    fn confirmed(epoch: Epoch) -> Stored {
        Stored {
            epoch,
            is_confirmed: true,
        }
    }
}

fn content_of(name: &str, epoch: Epoch) -> String {
    let statement = format!("zooid {name}={}", epoch.0);
    let checksum = crc32fast::hash(statement.as_bytes());
    format!("{}\n{statement} crc32={checksum:08x}\n", epoch.0)
}

fn parse(path: &Path, name: &str, content: &[u8]) -> Result<Stored, EpochError> {
    let text = String::from_utf8_lossy(content);
    let mut lines = text.lines();
    // Java reads this one.
    let first = lines.next().unwrap_or_default().trim_end();
    let Some(epoch) = first.parse().ok().filter(|epoch| *epoch >= 0).map(Epoch) else {
        return Err(EpochError::Malformed {
            path: path.to_owned(),
            text: first.to_owned(),
        });
    };
    match lines.next() {
        None => Ok(Stored {
            epoch,
            is_confirmed: false,
        }),
        Some(_) if text == content_of(name, epoch) => Ok(Stored::confirmed(epoch)),
        Some(_) => Err(EpochError::Damaged {
            path: path.to_owned(),
            text: first.to_owned(),
        }),
    }
}

#[cfg(test)]
mod tests;
