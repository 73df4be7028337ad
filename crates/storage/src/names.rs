//! Where files are and what they are called (spec §4.1; Java `FileTxnSnapLog`, `Util`).

use crate::disk::{Disk, annotate};
use std::io;
use std::path::{Path, PathBuf};
use std::time::SystemTime;
use zooid_proto::Zxid;

pub(crate) const LOG_PREFIX: &str = "log";
pub(crate) const SNAPSHOT_PREFIX: &str = "snapshot";
const TEMPORARY_SUFFIX: &str = ".tmp";
const VERSION_DIR: &str = "version-2";

/// What helps whenever a server of an ensemble cannot use its data. Follows "To repair: ", or "or, ".
pub(crate) const REPAIR: &str = "if this server is one of an ensemble whose other members have a leader, \
    `zooid repair` with this server's zoo.cfg fetches the data from there, and keeps what is here";

/// The two directories of a server; the same one unless `dataLogDir` is set.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Dirs {
    /// Snapshots and epoch files: `<dataDir>/version-2`.
    pub snapshots: PathBuf,
    /// Transaction logs: `<dataLogDir>/version-2`.
    pub logs: PathBuf,
}

/// Why the directories cannot be used. ZooKeeper's exit code for all of these is 3 (Java
/// `DatadirException`).
#[derive(Debug, thiserror::Error)]
pub enum DirError {
    /// `zookeeper.datadir.autocreate=false` and it is not there.
    #[error(
        "missing directory {}, and automatic creation is disabled \
         (zookeeper.datadir.autocreate is false): create it by hand", .0.display()
    )]
    Missing(PathBuf),
    /// It is there but not ours to write to.
    #[error("cannot write to directory {}", .0.display())]
    ReadOnly(PathBuf),
    /// A log was found among the snapshots, or the reverse.
    #[error(
        "{} does not belong there: check whether dataDir and dataLogDir are set as they were when \
         it was written", .0.display()
    )]
    Misplaced(PathBuf),
    /// The file system said no.
    #[error("cannot prepare the data directories: {0}")]
    Io(#[from] io::Error),
}

impl Dirs {
    /// The directories below the configured ones.
    #[must_use]
    pub fn new(data_dir: &Path, data_log_dir: Option<&Path>) -> Dirs {
        Dirs {
            snapshots: data_dir.join(VERSION_DIR),
            logs: data_log_dir.unwrap_or(data_dir).join(VERSION_DIR),
        }
    }

    /// Creates what is missing, if that is allowed, and refuses directories with foreign files.
    ///
    /// # Errors
    /// [`DirError`].
    pub fn prepare(&self, disk: &dyn Disk, autocreate: bool) -> Result<(), DirError> {
        for dir in [&self.logs, &self.snapshots] {
            if !disk.exists(dir)? {
                if !autocreate {
                    return Err(DirError::Missing(dir.clone()));
                }
                disk.create_dir_all(dir)?;
            }
            if !disk.is_writable(dir)? {
                return Err(DirError::ReadOnly(dir.clone()));
            }
        }
        if self.logs != self.snapshots {
            refuse_prefix(disk, &self.logs, SNAPSHOT_PREFIX)?;
            refuse_prefix(disk, &self.snapshots, LOG_PREFIX)?;
        }
        Ok(())
    }

    /// The marker by which an operator says that an empty database is meant to be empty.
    pub(crate) fn initialize_marker(&self) -> PathBuf {
        self.logs.with_file_name("initialize")
    }
}

fn refuse_prefix(disk: &dyn Disk, dir: &Path, prefix: &str) -> Result<(), DirError> {
    let is_foreign = |name: &str| {
        name.strip_prefix(prefix)
            .is_some_and(|s| s.starts_with('.'))
    };
    match disk.list(dir)?.iter().find(|entry| is_foreign(&entry.name)) {
        Some(entry) => Err(DirError::Misplaced(dir.join(&entry.name))),
        None => Ok(()),
    }
}

/// A log or snapshot file, as its name describes it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct DataFile {
    /// Where it is.
    pub path: PathBuf,
    /// A log's first transaction; a snapshot's last.
    pub zxid: Zxid,
    /// Bytes.
    pub len: u64,
    /// When its content last changed, if known.
    pub modified: Option<SystemTime>,
}

/// The log files of a directory, oldest first.
///
/// # Errors
/// When the directory cannot be listed.
pub fn log_files(disk: &dyn Disk, dir: &Path) -> io::Result<Vec<DataFile>> {
    data_files(disk, dir, LOG_PREFIX)
}

/// The files of a directory that are called snapshots, valid or not, newest first.
///
/// # Errors
/// When the directory cannot be listed.
pub fn snapshot_files(disk: &dyn Disk, dir: &Path) -> io::Result<Vec<DataFile>> {
    let mut files = data_files(disk, dir, SNAPSHOT_PREFIX)?;
    files.reverse();
    Ok(files)
}

fn data_files(disk: &dyn Disk, dir: &Path, prefix: &str) -> io::Result<Vec<DataFile>> {
    let mut files: Vec<DataFile> = (disk.list(dir)?.into_iter())
        .filter(|entry| !entry.is_dir)
        .filter_map(|entry| {
            Some(DataFile {
                zxid: zxid_of(&entry.name, prefix)?,
                path: dir.join(&entry.name),
                len: entry.len,
                modified: entry.modified,
            })
        })
        .collect();
    files.sort_by_key(|file| file.zxid);
    Ok(files)
}

/// As Java's `Util.getZxidFromName`: what follows the second dot does not matter. Except that a
/// name ending in `.tmp` is a file that nobody finished (Java `AtomicFileOutputStream`).
fn zxid_of(name: &str, prefix: &str) -> Option<Zxid> {
    let mut parts = name.split('.');
    if parts.next() != Some(prefix) || name.ends_with(TEMPORARY_SUFFIX) {
        return None;
    }
    let zxid = i64::from_str_radix(parts.next()?, 16).ok()?;
    (zxid >= 0).then_some(Zxid(zxid))
}

pub(crate) fn log_path(dir: &Path, first: Zxid) -> PathBuf {
    dir.join(format!("{LOG_PREFIX}.{first:x}"))
}

/// The name under which a file is written before it gets its own. Neither a log nor a snapshot to
/// anyone who looks by prefix.
pub(crate) fn temporary_path(path: &Path) -> PathBuf {
    let name = path.file_name().and_then(|name| name.to_str());
    path.with_file_name(format!(".{}{TEMPORARY_SUFFIX}", name.unwrap_or_default()))
}

/// Removes what interrupted writers of this crate left in a directory.
pub(crate) fn remove_temporaries(disk: &dyn Disk, dir: &Path) -> io::Result<()> {
    for entry in disk.list(dir)? {
        let hidden = entry.name.strip_prefix('.');
        let ours = hidden.is_some_and(|name| name.starts_with(SNAPSHOT_PREFIX));
        if ours && entry.name.ends_with(TEMPORARY_SUFFIX) {
            disk.remove(&dir.join(&entry.name))?;
        }
    }
    Ok(())
}

/// Replaces a small file so that after a crash it has either the old content or the new.
///
/// # Errors
/// When the disk cannot; the old content is then still there.
pub fn replace_file(disk: &dyn Disk, path: &Path, content: &[u8]) -> io::Result<()> {
    // Java's name for it (`AtomicFileOutputStream`): a server taking over looks for it.
    let mut temporary = path.as_os_str().to_owned();
    temporary.push(TEMPORARY_SUFFIX);
    let temporary = PathBuf::from(temporary);
    if disk.exists(&temporary)? {
        disk.remove(&temporary)?;
    }
    let mut file = disk.create(&temporary)?;
    file.write_at(0, content)?;
    file.sync()?;
    disk.rename(&temporary, path)?;
    sync_parent(disk, path)
}

/// The whole content of a small file; `None` when there is none.
///
/// # Errors
/// When it cannot be read or has more than `len_max` bytes.
pub fn read_file(disk: &dyn Disk, path: &Path, len_max: usize) -> io::Result<Option<Vec<u8>>> {
    let file = match disk.open(path) {
        Err(err) if err.kind() == io::ErrorKind::NotFound => return Ok(None),
        other => other?,
    };
    let mut content = vec![0; len_max + 1];
    let len = file.read_at(0, &mut content)?;
    if len > len_max {
        let err = io::Error::new(io::ErrorKind::FileTooLarge, "file is too large");
        return Err(annotate(&err, "read", path));
    }
    content.truncate(len);
    Ok(Some(content))
}

pub(crate) fn sync_parent(disk: &dyn Disk, path: &Path) -> io::Result<()> {
    disk.sync_dir(path.parent().unwrap_or(Path::new("")))
}

#[cfg(test)]
mod tests;
