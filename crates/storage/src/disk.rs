//! What this crate needs of a file system, and nothing else.
//!
//! Implementations: [`RealDisk`] is the only file of the project's that opens files of the data
//! directories; [`SimulatedDisk`] keeps apart what was written from what would survive a loss of
//! power; [`DryDisk`] reads another and changes nothing. The rules of the game, which the first two keep
//! and every caller relies on:
//!
//! * nothing is durable until it is synced: a file's bytes and length by [`DiskFile::sync`], its
//!   *name* (after create, rename, remove) by [`Disk::sync_dir`] of the directory holding it;
//! * between syncs anything may happen in any order, a sector being the unit;
//! * a rename is atomic: the name means the old file or the new one;
//! * after an error of a write or a sync nothing is known about what reached the disk, and asking
//!   again proves nothing. Whoever meets one stops using the file for good.
//!
//! Every call names what it worked on in its error.

mod dry;
mod real;
mod simulated;

pub use dry::DryDisk;
pub use real::RealDisk;
pub use simulated::{Fault, SimulatedDisk, Survival};

use crate::width::len64;
use std::fmt;
use std::io::{self, Read};
use std::ops::Range;
use std::path::Path;
use std::time::SystemTime;

/// The unit in which a disk loses or keeps what was not synced, in bytes. Real disks have larger
/// ones, always a multiple.
pub const SECTOR_LEN: usize = 512;

/// A file system. Shared by the threads that log, snapshot, recover and purge.
pub trait Disk: fmt::Debug + Send + Sync {
    /// Opens an existing file for reading.
    ///
    /// # Errors
    /// When it does not exist or cannot be read.
    fn open(&self, path: &Path) -> io::Result<Box<dyn DiskFile>>;

    /// Opens an existing file for reading and changing.
    ///
    /// # Errors
    /// When it does not exist or cannot be written.
    fn open_mut(&self, path: &Path) -> io::Result<Box<dyn DiskFile>>;

    /// Creates a file for reading and writing.
    ///
    /// # Errors
    /// [`io::ErrorKind::AlreadyExists`] when the name is taken: nothing here overwrites a file.
    fn create(&self, path: &Path) -> io::Result<Box<dyn DiskFile>>;

    /// Gives a file another name in the same directory, replacing what had that name.
    ///
    /// # Errors
    /// When the file does not exist or the directory cannot be changed.
    fn rename(&self, from: &Path, to: &Path) -> io::Result<()>;

    /// Removes a file.
    ///
    /// # Errors
    /// When it does not exist or the directory cannot be changed.
    fn remove(&self, path: &Path) -> io::Result<()>;

    /// What a directory holds, sorted by name.
    ///
    /// # Errors
    /// [`io::ErrorKind::NotFound`] when there is no such directory.
    fn list(&self, dir: &Path) -> io::Result<Vec<DirEntry>>;

    /// Whether something has this name.
    ///
    /// # Errors
    /// When that cannot be found out.
    fn exists(&self, path: &Path) -> io::Result<bool>;

    /// Whether the caller may create files in a directory.
    ///
    /// # Errors
    /// When that cannot be found out.
    fn is_writable(&self, dir: &Path) -> io::Result<bool>;

    /// Bytes that the caller may still use on the file system of a directory.
    ///
    /// # Errors
    /// When that cannot be found out.
    fn available(&self, dir: &Path) -> io::Result<u64>;

    /// Creates a directory and its ancestors, durably.
    ///
    /// # Errors
    /// When one of them cannot be created.
    fn create_dir_all(&self, dir: &Path) -> io::Result<()>;

    /// Makes creations, renames and removals in a directory durable.
    ///
    /// # Errors
    /// When the disk says so; see the module's rules.
    fn sync_dir(&self, dir: &Path) -> io::Result<()>;
}

/// An open file.
pub trait DiskFile: fmt::Debug + Send {
    /// Reads from `offset`; fewer bytes than asked for only at the end of the file.
    ///
    /// # Errors
    /// When the disk cannot.
    fn read_at(&self, offset: u64, buf: &mut [u8]) -> io::Result<usize>;

    /// Writes all of `bytes` at `offset`, lengthening the file if need be.
    ///
    /// # Errors
    /// When not all could be written; some may have been.
    fn write_at(&mut self, offset: u64, bytes: &[u8]) -> io::Result<()>;

    /// The file's length in bytes.
    ///
    /// # Errors
    /// When it cannot be found out.
    fn size(&self) -> io::Result<u64>;

    /// Cuts the file off at `len`.
    ///
    /// # Errors
    /// When the disk cannot.
    fn truncate(&mut self, len: u64) -> io::Result<()>;

    /// Lengthens the file to `len` with zeros, reserving the space where the file system can. A
    /// file system that cannot leaves a hole instead: that is not an error.
    ///
    /// # Errors
    /// When the length cannot be changed. [`io::ErrorKind::StorageFull`] when there is no room: the
    /// file's bytes are as before, its length somewhere between the two; it may be used on.
    fn allocate(&mut self, len: u64) -> io::Result<()>;

    /// Makes everything written so far durable, and the length (`fdatasync`).
    ///
    /// # Errors
    /// When the disk says so; see the module's rules.
    fn sync(&mut self) -> io::Result<()>;

    /// Lets the operating system drop its copy in memory of what was synced: nobody is expected to read
    /// it soon. That it does not changes nothing.
    fn uncache(&mut self, bytes: Range<u64>);
}

/// One name in a directory.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct DirEntry {
    /// The last component. Names that are not UTF-8 are never this project's and are left out.
    pub name: String,
    /// In bytes; 0 for a directory.
    pub len: u64,
    /// Whether it is a directory.
    pub is_dir: bool,
    /// When its content last changed, if known.
    pub modified: Option<SystemTime>,
}

/// Reads a [`DiskFile`] from the front.
#[derive(Debug)]
pub struct Sequential {
    file: Box<dyn DiskFile>,
    offset: u64,
}

impl Sequential {
    /// From the first byte.
    #[must_use]
    pub fn new(file: Box<dyn DiskFile>) -> Sequential {
        Sequential { file, offset: 0 }
    }
}

impl Read for Sequential {
    fn read(&mut self, buf: &mut [u8]) -> io::Result<usize> {
        let got = self.file.read_at(self.offset, buf)?;
        self.offset += len64(got);
        Ok(got)
    }
}

/// Bytes of the files below a directory, as ZooKeeper's `dirs` command counts them; 0 for a
/// directory that does not exist.
///
/// # Errors
/// When a directory cannot be listed.
pub fn dir_size(disk: &dyn Disk, dir: &Path) -> io::Result<u64> {
    let entries = match disk.list(dir) {
        Err(err) if err.kind() == io::ErrorKind::NotFound => return Ok(0),
        other => other?,
    };
    let mut sum = 0;
    for entry in entries {
        sum += if entry.is_dir {
            dir_size(disk, &dir.join(&entry.name))?
        } else {
            entry.len
        };
    }
    Ok(sum)
}

/// Adds to an error what was attempted, and on what.
pub(crate) fn annotate(err: &io::Error, what: &str, path: &Path) -> io::Error {
    io::Error::new(err.kind(), format!("{what} {}: {err}", path.display()))
}
