//! The operating system's file system.

use super::{DirEntry, Disk, DiskFile, annotate};
use crate::width::len64;
use rustix::fs::{Access, Advice, FallocateFlags, access, fadvise, fallocate, statvfs};
use rustix::io::Errno;
use std::fs::{self, File, OpenOptions};
use std::io;
use std::num::NonZeroU64;
use std::ops::Range;
use std::os::unix::fs::FileExt;
use std::path::{Path, PathBuf};

/// The operating system's file system. Paths mean what they mean to the process.
#[derive(Clone, Copy, Debug, Default)]
pub struct RealDisk;

#[derive(Debug)]
struct RealFile {
    file: File,
    path: PathBuf,
}

impl RealDisk {
    fn open_with(options: &OpenOptions, what: &str, path: &Path) -> io::Result<Box<dyn DiskFile>> {
        let file = options
            .open(path)
            .map_err(|err| annotate(&err, what, path))?;
        Ok(Box::new(RealFile {
            file,
            path: path.to_owned(),
        }))
    }
}

impl Disk for RealDisk {
    fn open(&self, path: &Path) -> io::Result<Box<dyn DiskFile>> {
        RealDisk::open_with(OpenOptions::new().read(true), "open", path)
    }

    fn open_mut(&self, path: &Path) -> io::Result<Box<dyn DiskFile>> {
        RealDisk::open_with(OpenOptions::new().read(true).write(true), "open", path)
    }

    fn create(&self, path: &Path) -> io::Result<Box<dyn DiskFile>> {
        let mut options = OpenOptions::new();
        options.read(true).write(true).create_new(true);
        RealDisk::open_with(&options, "create", path)
    }

    fn rename(&self, from: &Path, to: &Path) -> io::Result<()> {
        fs::rename(from, to).map_err(|err| annotate(&err, "rename", from))
    }

    fn remove(&self, path: &Path) -> io::Result<()> {
        fs::remove_file(path).map_err(|err| annotate(&err, "remove", path))
    }

    fn list(&self, dir: &Path) -> io::Result<Vec<DirEntry>> {
        let list = || -> io::Result<Vec<DirEntry>> {
            let mut entries = Vec::new();
            for entry in fs::read_dir(dir)? {
                entries.extend(dir_entry(&entry?)?);
            }
            Ok(entries)
        };
        let mut entries = list().map_err(|err| annotate(&err, "list", dir))?;
        entries.sort_by(|a, b| a.name.cmp(&b.name));
        Ok(entries)
    }

    fn exists(&self, path: &Path) -> io::Result<bool> {
        path.try_exists()
            .map_err(|err| annotate(&err, "look for", path))
    }

    fn is_writable(&self, dir: &Path) -> io::Result<bool> {
        match access(dir, Access::WRITE_OK) {
            Ok(()) => Ok(true),
            Err(Errno::ACCESS | Errno::ROFS) => Ok(false),
            Err(err) => Err(annotate(&err.into(), "check access to", dir)),
        }
    }

    fn available(&self, dir: &Path) -> io::Result<u64> {
        match statvfs(dir) {
            Ok(found) => Ok(found.f_bavail.saturating_mul(found.f_frsize)),
            Err(err) => Err(annotate(&err.into(), "ask for free space in", dir)),
        }
    }

    fn create_dir_all(&self, dir: &Path) -> io::Result<()> {
        if dir.as_os_str().is_empty() || dir.is_dir() {
            return Ok(());
        }
        let parent = dir.parent().unwrap_or(Path::new(""));
        self.create_dir_all(parent)?;
        match fs::create_dir(dir) {
            Err(err) if err.kind() != io::ErrorKind::AlreadyExists => {
                Err(annotate(&err, "create directory", dir))
            }
            _ => self.sync_dir(parent),
        }
    }

    fn sync_dir(&self, dir: &Path) -> io::Result<()> {
        let dir = if dir.as_os_str().is_empty() {
            Path::new(".")
        } else {
            dir
        };
        File::open(dir)
            .and_then(|handle| handle.sync_all())
            .map_err(|err| annotate(&err, "sync directory", dir))
    }
}

/// `None` for a name that is not UTF-8 and for a file removed meanwhile.
fn dir_entry(entry: &fs::DirEntry) -> io::Result<Option<DirEntry>> {
    let Ok(name) = entry.file_name().into_string() else {
        return Ok(None);
    };
    // Follows symbolic links: a snapshot may live elsewhere.
    let metadata = match fs::metadata(entry.path()) {
        Err(err) if err.kind() == io::ErrorKind::NotFound => return Ok(None),
        other => other?,
    };
    Ok(Some(DirEntry {
        name,
        len: if metadata.is_dir() { 0 } else { metadata.len() },
        is_dir: metadata.is_dir(),
        modified: metadata.modified().ok(),
    }))
}

impl RealFile {
    fn annotate(&self, err: &io::Error, what: &str) -> io::Error {
        annotate(err, what, &self.path)
    }
}

impl DiskFile for RealFile {
    fn read_at(&self, offset: u64, buf: &mut [u8]) -> io::Result<usize> {
        let mut got = 0;
        while got < buf.len() {
            match self.file.read_at(&mut buf[got..], offset + len64(got)) {
                Ok(0) => break,
                Ok(n) => got += n,
                Err(err) if err.kind() == io::ErrorKind::Interrupted => {}
                Err(err) => return Err(self.annotate(&err, "read")),
            }
        }
        Ok(got)
    }

    fn write_at(&mut self, offset: u64, bytes: &[u8]) -> io::Result<()> {
        self.file
            .write_all_at(bytes, offset)
            .map_err(|err| self.annotate(&err, "write"))
    }

    fn size(&self) -> io::Result<u64> {
        match self.file.metadata() {
            Ok(metadata) => Ok(metadata.len()),
            Err(err) => Err(self.annotate(&err, "stat")),
        }
    }

    fn truncate(&mut self, len: u64) -> io::Result<()> {
        self.file
            .set_len(len)
            .map_err(|err| self.annotate(&err, "truncate"))
    }

    fn allocate(&mut self, len: u64) -> io::Result<()> {
        let current = self.size()?;
        if len <= current {
            return Ok(());
        }
        // Blocks reserved now need no allocation, hence no journal commit of their own, at each
        // sync. It is a favour only: a simple file system still gets the length.
        match fallocate(&self.file, FallocateFlags::empty(), current, len - current) {
            Ok(()) => Ok(()),
            Err(Errno::NOSPC) => Err(self.annotate(&Errno::NOSPC.into(), "reserve space for")),
            Err(_) => (self.file.set_len(len)).map_err(|err| self.annotate(&err, "lengthen")),
        }
    }

    fn sync(&mut self) -> io::Result<()> {
        self.file
            .sync_data()
            .map_err(|err| self.annotate(&err, "sync"))
    }

    fn uncache(&mut self, bytes: Range<u64>) {
        let len = NonZeroU64::new(bytes.end.saturating_sub(bytes.start));
        // No length would mean everything from there on. A file system that cannot is as well.
        let _ = len.map(|len| fadvise(&self.file, bytes.start, Some(len), Advice::DontNeed));
    }
}

#[cfg(test)]
mod tests;
