//! One server per data directory.
//!
//! A second one that recovers while the first is writing could take the record being written for a
//! torn tail and cut it off. The lock is the kernel's, on the directories themselves: it leaves no
//! file behind, ends with the process however that ends, and means nothing to ZooKeeper.

use rustix::fs::{FlockOperation, Mode, OFlags, flock, open};
use rustix::io::Errno;
use std::os::fd::OwnedFd;
use std::path::{Path, PathBuf};
use tracing::warn;
use zooid_storage::Dirs;

/// Held as long as it lives.
#[derive(Debug)]
pub(crate) struct DirectoryLock {
    // Closing them is what unlocks.
    _directories: Vec<OwnedFd>,
}

/// Somebody else holds the lock.
#[derive(Debug, thiserror::Error)]
#[error(
    "data directory {} is in use by another server; stop that one first, or set another dataDir or \
     dataLogDir", .0.display()
)]
pub struct DirectoryInUse(PathBuf);

impl DirectoryLock {
    /// Takes the lock on both directories, which must exist.
    ///
    /// # Errors
    /// [`DirectoryInUse`].
    pub(crate) fn take(dirs: &Dirs) -> Result<DirectoryLock, DirectoryInUse> {
        let mut directories = Vec::new();
        directories.extend(lock(&dirs.snapshots)?);
        if dirs.logs != dirs.snapshots {
            directories.extend(lock(&dirs.logs)?);
        }
        Ok(DirectoryLock {
            _directories: directories,
        })
    }
}

/// `None` on a file system without locks.
fn lock(directory: &Path) -> Result<Option<OwnedFd>, DirectoryInUse> {
    let flags = OFlags::RDONLY | OFlags::DIRECTORY | OFlags::CLOEXEC;
    let locked = open(directory, flags, Mode::empty()).and_then(|opened| {
        flock(&opened, FlockOperation::NonBlockingLockExclusive)?;
        Ok(opened)
    });
    match locked {
        Ok(opened) => Ok(Some(opened)),
        Err(Errno::WOULDBLOCK) => Err(DirectoryInUse(directory.to_owned())),
        Err(error) => {
            warn!(directory = %directory.display(), %error, "cannot lock out other servers");
            Ok(None)
        }
    }
}
