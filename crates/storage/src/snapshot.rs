//! Snapshots (spec §4.4; Java `FileSnap`, `SnapStream`): the format, writing one while the tree goes
//! on changing, finding and loading them.

mod body;
mod compression;
mod draft;
mod encoder;
mod loader;
mod parts;
mod reader;
mod snappy;

pub use body::{BodyParser, SnapshotItem, SnapshotNode};
pub use compression::Compression;
pub use draft::SnapshotDraft;
pub use encoder::SnapshotEncoder;
pub use parts::{SnapshotPart, SnapshotParts};
pub use reader::{ReadError as SnapshotReadError, SnapshotDigest, SnapshotReader, Trailer};

use crate::disk::{Disk, Sequential};
use crate::names::{DataFile, Dirs, snapshot_files, sync_parent};
use compression::open_stream;
use draft::Temporary;
use std::io;
use std::path::{Path, PathBuf};
use std::sync::atomic::AtomicU64;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use zooid_proto::{TxnDigest, Zxid};
use zooid_tree::{Replica, Walk};

/// How much is taken from the replica under one lock, in bytes: some tens of microseconds, which is what
/// a write may have to wait.
const CHUNK_LEN: usize = 32 << 10;

/// How many valid snapshots are tried before giving up (Java `FileSnap.deserialize`).
pub(crate) const LOAD_ATTEMPTS_MAX: usize = 100;

/// What goes into a snapshot beside the data.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct SnapshotOptions {
    /// `zookeeper.snapshot.compression.method`.
    pub compression: Compression,
    /// Whether to write the digest section (`zookeeper.digest.enabled`). It must be as the replica's
    /// own option.
    pub digest: bool,
    /// Whether to write the last zxid (`zookeeper.serializeLastProcessedZxid.enabled`, since 3.9).
    /// Older readers ignore it behind a digest section. Behind none it would be taken for one, so
    /// it is left out then.
    pub last_zxid: bool,
}

impl Default for SnapshotOptions {
    fn default() -> SnapshotOptions {
        SnapshotOptions {
            compression: Compression::None,
            digest: true,
            last_zxid: true,
        }
    }
}

/// Why a snapshot could not be written or loaded.
#[derive(Debug, thiserror::Error)]
pub enum SnapshotError {
    /// The disk failed.
    #[error("snapshot: {0}")]
    Io(#[from] io::Error),
    /// The file is not what was written.
    #[error("snapshot {} is damaged: {what}", path.display())]
    Damaged {
        /// The file.
        path: PathBuf,
        /// What is wrong.
        what: String,
    },
    /// The history was truncated or replaced while the snapshot was being written.
    #[error("the snapshot was overtaken by a truncation and was thrown away")]
    Overtaken,
    /// Whoever reads the replica did not go on.
    #[error("the snapshot was given up before its end")]
    GivenUp,
}

impl SnapshotError {
    /// Whether the disk is full, and nothing else is wrong.
    #[must_use]
    pub fn is_out_of_space(&self) -> bool {
        matches!(self, SnapshotError::Io(error) if error.kind() == io::ErrorKind::StorageFull)
    }
}

/// The directory of snapshots, shared by the threads that write, truncate and purge.
#[derive(Debug)]
pub struct Snapshots {
    disk: Arc<dyn Disk>,
    dir: PathBuf,
    /// Counts truncations. Held while a snapshot gets its name or loses it, so that a snapshot of a
    /// history that was taken back meanwhile never appears (obligation 6). A channel would not do:
    /// the writer must know at the moment of its rename.
    generation: Mutex<u64>,
    /// Drafts begun: each has a name of its own.
    drafts: AtomicU64,
}

/// Which history a snapshot is of; see [`Snapshots::ticket`].
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Ticket(u64);

/// How the writer of a snapshot gets at the replica: calls what it is given, once, under the
/// replica's read lock; or does not, and the snapshot is given up. It may take its time, which is how
/// fast the snapshot is written.
pub type ReadReplica<'a> = dyn FnMut(&mut dyn FnMut(&Replica)) + 'a;

/// A loaded snapshot.
#[derive(Debug)]
pub struct LoadedSnapshot {
    /// At the zxid of the file's name.
    pub replica: Replica,
    /// What followed the data.
    pub trailer: Trailer,
}

impl Snapshots {
    /// The snapshots in `dirs`.
    #[must_use]
    pub fn new(disk: Arc<dyn Disk>, dirs: &Dirs) -> Snapshots {
        Snapshots {
            disk,
            dir: dirs.snapshots.clone(),
            generation: Mutex::new(0),
            drafts: AtomicU64::new(0),
        }
    }

    /// To be taken in the same step as [`Replica::begin_walk`], and given to [`Snapshots::write`]. Of a
    /// snapshot that replaces the history, to be taken behind [`Snapshots::overtake`].
    #[must_use]
    pub fn ticket(&self) -> Ticket {
        Ticket(*self.lock())
    }

    /// Writes what `walk` walks; `read`, called for each chunk, reaches the replica the walk belongs
    /// to. The caller ends the walk.
    ///
    /// The snapshot is durable when this returns, and under its name only if it is whole.
    ///
    /// # Errors
    /// [`SnapshotError`]; nothing is left behind then, or only a temporary file.
    pub fn write(
        &self,
        ticket: Ticket,
        walk: &mut Walk,
        options: &SnapshotOptions,
        read: &mut ReadReplica<'_>,
    ) -> Result<DataFile, SnapshotError> {
        let mut draft = self.draft(walk.zxid(), options)?;
        let mut chunk = Vec::with_capacity(CHUNK_LEN * 2);
        loop {
            chunk.clear();
            let mut more = None;
            read(&mut |replica| more = Some(walk.next_chunk(replica, &mut chunk, CHUNK_LEN)));
            let more = more.ok_or(SnapshotError::GivenUp)?;
            draft.body(&chunk)?;
            if !more {
                break;
            }
        }
        self.complete(draft, ticket, walk.digest())
    }

    fn publish(
        &self,
        ticket: Ticket,
        file: &mut Temporary,
        to: &Path,
    ) -> Result<(), SnapshotError> {
        let generation = self.lock();
        if ticket != Ticket(*generation) {
            return Err(SnapshotError::Overtaken);
        }
        file.rename(to)?;
        sync_parent(&*self.disk, to)?;
        Ok(())
    }

    /// Reads a snapshot file through, checks its checksums and tells what follows the data.
    ///
    /// # Errors
    /// [`SnapshotError`].
    pub fn verify(&self, file: &DataFile) -> Result<Trailer, SnapshotError> {
        self.examine(file, |reader| {
            reader.for_each(&mut |_| Ok(()))?;
            reader.trailer()
        })
    }

    fn examine<T>(
        &self,
        file: &DataFile,
        act: impl FnOnce(&mut SnapshotReader<Box<dyn io::Read>>) -> Result<T, SnapshotReadError>,
    ) -> Result<T, SnapshotError> {
        let stream = open_stream(Sequential::new(self.disk.open(&file.path)?), &file.path);
        let result = SnapshotReader::new(stream).and_then(|mut reader| act(&mut reader));
        result.map_err(|err| damaged(file, &err))
    }

    /// The snapshots that look whole (Java `findNValidSnapshots`), newest first, at most `count`.
    ///
    /// # Errors
    /// When the directory cannot be listed.
    pub fn newest_valid(&self, count: usize) -> io::Result<Vec<DataFile>> {
        let files = snapshot_files(&*self.disk, &self.dir)?;
        let plausible = |file: &DataFile| compression::looks_whole(&*self.disk, file);
        Ok(files.into_iter().filter(plausible).take(count).collect())
    }

    /// All files called snapshots, newest first.
    ///
    /// # Errors
    /// When the directory cannot be listed.
    pub fn all(&self) -> io::Result<Vec<DataFile>> {
        snapshot_files(&*self.disk, &self.dir)
    }

    /// The newest snapshot, by reading it through, with nothing in it beyond `target`.
    pub(crate) fn newest_within(&self, target: Zxid) -> Result<Option<Zxid>, SnapshotError> {
        for file in self.newest_valid(usize::MAX)? {
            if file.zxid <= target && self.ends_within(&file, target) {
                return Ok(Some(file.zxid));
            }
        }
        Ok(None)
    }

    /// ZooKeeper's own snapshots are fuzzy: one may hold effects of transactions after that of its
    /// name, up to that of its digest. Damaged ones hold nothing to be relied on.
    fn ends_within(&self, file: &DataFile, target: Zxid) -> bool {
        let Ok(trailer) = self.verify(file) else {
            return false;
        };
        let digest_zxid = trailer.digest.map_or(Zxid::ZERO, |digest| digest.zxid);
        digest_zxid.max(trailer.last_zxid.unwrap_or(Zxid::ZERO)) <= target
    }

    /// Removes, durably, every snapshot that would be loaded before one that ends at or before
    /// `target`, and stops those being written.
    pub(crate) fn discard_beyond(&self, target: Zxid) -> Result<(), SnapshotError> {
        let mut generation = self.lock();
        *generation += 1;
        for file in self.all()? {
            if file.zxid <= target && self.ends_within(&file, target) {
                break;
            }
            self.disk.remove(&file.path)?;
        }
        self.disk.sync_dir(&self.dir)?;
        Ok(())
    }

    /// Makes snapshots durable that someone else may have left in the cache.
    pub(crate) fn sync(&self, files: &[DataFile]) -> io::Result<()> {
        for file in files {
            self.disk.open_mut(&file.path)?.sync()?;
        }
        self.disk.sync_dir(&self.dir)
    }

    /// Stops the snapshots that are being written: the history that they are of is about to be replaced.
    pub fn overtake(&self) {
        *self.lock() += 1;
    }

    fn lock(&self) -> MutexGuard<'_, u64> {
        self.generation
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
    }
}

fn damaged(file: &DataFile, what: &dyn std::fmt::Display) -> SnapshotError {
    SnapshotError::Damaged {
        path: file.path.clone(),
        what: what.to_string(),
    }
}

impl SnapshotDigest {
    /// The section's content. Java has no digest before the first transaction and writes zeros.
    #[must_use]
    pub fn of(zxid: Zxid, tree_digest: i64) -> SnapshotDigest {
        let known = zxid > Zxid::ZERO;
        SnapshotDigest {
            zxid: zxid.max(Zxid::ZERO),
            digest: TxnDigest {
                version: TxnDigest::VERSION,
                tree_digest: if known { tree_digest } else { 0 },
            },
        }
    }

    /// Whether this can be compared with a tree that starts at `zxid`. Java's leaders may name a
    /// snapshot after an epoch's start and leave the digest of the epoch before in it
    /// (`DataTree.deserializeZxidDigest`).
    fn covers(&self, zxid: Zxid) -> bool {
        self.zxid > Zxid::ZERO && self.zxid >= zxid
    }
}

/// What [`decode_snapshot`] found.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct SnapshotSummary {
    /// Sessions.
    pub sessions: usize,
    /// Distinct access control lists.
    pub acls: usize,
    /// Nodes.
    pub nodes: usize,
    /// What followed them.
    pub trailer: Trailer,
}

/// Decodes a snapshot file's bytes. For tools and fuzzing; recovery streams.
///
/// # Errors
/// What is wrong with them, in words.
pub fn decode_snapshot(bytes: &[u8], compression: Compression) -> Result<SnapshotSummary, String> {
    let mut summary = SnapshotSummary {
        sessions: 0,
        acls: 0,
        nodes: 0,
        trailer: Trailer::default(),
    };
    let mut read = || -> Result<(), SnapshotReadError> {
        let mut reader = SnapshotReader::new(compression.reader(bytes))?;
        reader.for_each(&mut |item| {
            match item {
                SnapshotItem::Session { .. } => summary.sessions += 1,
                SnapshotItem::Acl { .. } => summary.acls += 1,
                SnapshotItem::Node(_) => summary.nodes += 1,
            }
            Ok(())
        })?;
        summary.trailer = reader.trailer()?;
        Ok(())
    };
    read().map_err(|err| err.to_string())?;
    Ok(summary)
}

#[cfg(test)]
mod tests;
