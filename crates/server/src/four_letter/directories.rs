//! `dirs`: how much the data directories hold (Java `ZooKeeperServer.getDirSize`).

use crate::database::Files;
use std::path::{Path, PathBuf};
use zooid_config::DirectoryReport;
use zooid_storage::disk::Disk;

/// A directory and the bytes of all files in and below it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct DirectorySize {
    pub(crate) path: PathBuf,
    pub(crate) bytes: u64,
}

/// The two that a server has, which may be the same.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct DirectorySizes {
    pub(crate) snapshots: DirectorySize,
    pub(crate) logs: DirectorySize,
}

impl DirectorySize {
    fn take(disk: &dyn Disk, path: &Path) -> DirectorySize {
        let absolute = std::path::absolute(path).unwrap_or_else(|_| path.to_owned());
        DirectorySize {
            path: absolute,
            bytes: bytes_below(disk, path),
        }
    }

    pub(crate) fn report(&self) -> DirectoryReport<'_> {
        DirectoryReport {
            path: &self.path,
            bytes: self.bytes,
        }
    }
}

impl DirectorySizes {
    pub(crate) async fn take(files: &Files) -> DirectorySizes {
        let files = files.clone();
        let look = move || DirectorySizes {
            snapshots: DirectorySize::take(&*files.disk, &files.dirs.snapshots),
            logs: DirectorySize::take(&*files.disk, &files.dirs.logs),
        };
        tokio::task::spawn_blocking(look)
            .await
            .expect("looking at a directory does not panic")
    }

    pub(crate) fn text(&self) -> String {
        format!(
            "datadir_size: {}\nlogdir_size: {}\n",
            self.snapshots.bytes, self.logs.bytes
        )
    }
}

/// What cannot be read counts nothing: it may just have been purged.
fn bytes_below(disk: &dyn Disk, dir: &Path) -> u64 {
    let entries = disk.list(dir).unwrap_or_default();
    let bytes = |entry: &zooid_storage::disk::DirEntry| {
        if entry.is_dir {
            bytes_below(disk, &dir.join(&entry.name))
        } else {
            entry.len
        }
    };
    entries.iter().map(bytes).sum()
}

#[cfg(test)]
mod tests;
