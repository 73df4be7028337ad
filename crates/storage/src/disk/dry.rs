//! A disk on which everything can be tried and nothing changes.

use super::{DirEntry, Disk, DiskFile};
use std::io;
use std::ops::Range;
use std::path::Path;
use std::sync::Arc;

/// Another disk's files, read only: what is written, cut or removed here is forgotten at once, and a
/// directory that is missing is an empty one that could be created.
///
/// Made for [`crate::recover`], which reads all it needs before it repairs: so it says what it would do
/// and how it would end.
#[derive(Debug)]
pub struct DryDisk(Arc<dyn Disk>);

#[derive(Debug)]
struct DryFile {
    /// `None` for a file that only was to be created.
    file: Option<Box<dyn DiskFile>>,
}

impl DryDisk {
    /// Tries things on this disk.
    #[must_use]
    pub fn new(disk: Arc<dyn Disk>) -> DryDisk {
        DryDisk(disk)
    }
}

impl Disk for DryDisk {
    fn open(&self, path: &Path) -> io::Result<Box<dyn DiskFile>> {
        self.0.open(path)
    }

    fn open_mut(&self, path: &Path) -> io::Result<Box<dyn DiskFile>> {
        let file = Some(self.0.open(path)?);
        Ok(Box::new(DryFile { file }))
    }

    fn create(&self, _: &Path) -> io::Result<Box<dyn DiskFile>> {
        Ok(Box::new(DryFile { file: None }))
    }

    fn rename(&self, _: &Path, _: &Path) -> io::Result<()> {
        Ok(())
    }

    fn remove(&self, _: &Path) -> io::Result<()> {
        Ok(())
    }

    fn list(&self, dir: &Path) -> io::Result<Vec<DirEntry>> {
        match self.0.list(dir) {
            Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(Vec::new()),
            listed => listed,
        }
    }

    fn exists(&self, path: &Path) -> io::Result<bool> {
        self.0.exists(path)
    }

    /// Of a missing directory, whether it could be created.
    fn is_writable(&self, dir: &Path) -> io::Result<bool> {
        for ancestor in dir.ancestors() {
            if self.0.exists(ancestor)? {
                return self.0.is_writable(ancestor);
            }
        }
        self.0.is_writable(Path::new("."))
    }

    fn available(&self, dir: &Path) -> io::Result<u64> {
        self.0.available(dir)
    }

    fn create_dir_all(&self, _: &Path) -> io::Result<()> {
        Ok(())
    }

    fn sync_dir(&self, _: &Path) -> io::Result<()> {
        Ok(())
    }
}

impl DiskFile for DryFile {
    fn read_at(&self, offset: u64, buf: &mut [u8]) -> io::Result<usize> {
        match &self.file {
            Some(file) => file.read_at(offset, buf),
            None => Ok(0),
        }
    }

    fn write_at(&mut self, _: u64, _: &[u8]) -> io::Result<()> {
        Ok(())
    }

    fn size(&self) -> io::Result<u64> {
        self.file.as_ref().map_or(Ok(0), |file| file.size())
    }

    fn truncate(&mut self, _: u64) -> io::Result<()> {
        Ok(())
    }

    fn allocate(&mut self, _: u64) -> io::Result<()> {
        Ok(())
    }

    fn sync(&mut self) -> io::Result<()> {
        Ok(())
    }

    fn uncache(&mut self, _: Range<u64>) {}
}

#[cfg(test)]
mod tests;
