//! A snapshot file while it is being written: it has a name that nobody believes, and is gone when it is
//! given up.

use super::compression::{Compressor, FileSink};
use super::{SnapshotDigest, SnapshotEncoder, SnapshotError, SnapshotOptions, Snapshots, Ticket};
use crate::disk::Disk;
use crate::names::{DataFile, SNAPSHOT_PREFIX, temporary_path};
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::Ordering;
use zooid_proto::Zxid;

/// See the module. Dropping it removes the file.
#[derive(Debug)]
pub struct SnapshotDraft {
    zxid: Zxid,
    options: SnapshotOptions,
    file: Temporary,
    encoder: SnapshotEncoder<Compressor>,
}

impl SnapshotDraft {
    /// Writes the next part of the data: of [`zooid_tree::Walk::next_chunk`]'s bytes, or of those that a
    /// leader sends, which are the same. Each megabyte is synced before the next is written.
    ///
    /// # Errors
    /// When the disk fails; final.
    pub fn body(&mut self, bytes: &[u8]) -> Result<(), SnapshotError> {
        Ok(self.encoder.body(bytes)?)
    }
}

impl Snapshots {
    /// Begins the file of a snapshot at `zxid`. Any number may be written at a time, whatever they are of.
    ///
    /// # Errors
    /// When the disk fails.
    pub fn draft(
        &self,
        zxid: Zxid,
        options: &SnapshotOptions,
    ) -> Result<SnapshotDraft, SnapshotError> {
        let number = self.drafts.fetch_add(1, Ordering::Relaxed);
        let name = format!("{SNAPSHOT_PREFIX}.{zxid:x}.{number}");
        let path = temporary_path(&self.dir.join(name));
        // What an earlier process has left; the start of this one removed it, unless that failed.
        if self.disk.exists(&path)? {
            self.disk.remove(&path)?;
        }
        let sink = FileSink::new(self.disk.create(&path)?);
        // From here on it is removed whatever fails.
        let file = Temporary {
            disk: Arc::clone(&self.disk),
            path,
            is_renamed: false,
        };
        Ok(SnapshotDraft {
            zxid,
            options: *options,
            file,
            encoder: SnapshotEncoder::new(options.compression.writer(sink))?,
        })
    }

    /// Ends a draft that has all its data, which is of a tree with this digest, and gives it its name. The
    /// snapshot is durable when this returns, and has its name only if it is whole.
    ///
    /// # Errors
    /// [`SnapshotError`]; nothing is left behind then, or only a temporary file.
    pub fn complete(
        &self,
        draft: SnapshotDraft,
        ticket: Ticket,
        digest: i64,
    ) -> Result<DataFile, SnapshotError> {
        let SnapshotDraft {
            zxid,
            options,
            mut file,
            mut encoder,
        } = draft;
        if options.digest {
            encoder.digest(&SnapshotDigest::of(zxid, digest))?;
            if options.last_zxid {
                encoder.last_zxid(zxid)?;
            }
        }
        let len = encoder.finish()?.finish()?.sync()?;
        let extension = options.compression.extension();
        let path = (self.dir).join(format!("{SNAPSHOT_PREFIX}.{zxid:x}{extension}"));
        self.publish(ticket, &mut file, &path)?;
        Ok(DataFile {
            path,
            zxid,
            len,
            modified: None,
        })
    }
}

/// A file that goes unless it is renamed.
#[derive(Debug)]
pub(super) struct Temporary {
    disk: Arc<dyn Disk>,
    path: PathBuf,
    is_renamed: bool,
}

impl Temporary {
    pub(super) fn rename(&mut self, to: &Path) -> std::io::Result<()> {
        self.disk.rename(&self.path, to)?;
        self.is_renamed = true;
        Ok(())
    }
}

impl Drop for Temporary {
    fn drop(&mut self) {
        if !self.is_renamed {
            // A courtesy: the start of the next server removes it otherwise.
            let _ = self.disk.remove(&self.path);
        }
    }
}
