//! A disk that pretends to sync names: what a server would be on if it forgot to.

use std::io;
use std::path::Path;
use zooid_storage::disk::{DirEntry, Disk, DiskFile, SimulatedDisk};

#[derive(Clone, Debug)]
pub(crate) struct ForgetfulDisk(pub(crate) SimulatedDisk);

impl Disk for ForgetfulDisk {
    fn open(&self, path: &Path) -> io::Result<Box<dyn DiskFile>> {
        self.0.open(path)
    }

    fn open_mut(&self, path: &Path) -> io::Result<Box<dyn DiskFile>> {
        self.0.open_mut(path)
    }

    fn create(&self, path: &Path) -> io::Result<Box<dyn DiskFile>> {
        self.0.create(path)
    }

    fn rename(&self, from: &Path, to: &Path) -> io::Result<()> {
        self.0.rename(from, to)
    }

    fn remove(&self, path: &Path) -> io::Result<()> {
        self.0.remove(path)
    }

    fn list(&self, dir: &Path) -> io::Result<Vec<DirEntry>> {
        self.0.list(dir)
    }

    fn exists(&self, path: &Path) -> io::Result<bool> {
        self.0.exists(path)
    }

    fn is_writable(&self, dir: &Path) -> io::Result<bool> {
        self.0.is_writable(dir)
    }

    fn available(&self, dir: &Path) -> io::Result<u64> {
        self.0.available(dir)
    }

    fn create_dir_all(&self, dir: &Path) -> io::Result<()> {
        self.0.create_dir_all(dir)
    }

    fn sync_dir(&self, _: &Path) -> io::Result<()> {
        Ok(())
    }
}
