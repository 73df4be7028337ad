//! From a snapshot file to a replica. Reading, checking and taking apart is one thread's work for a large
//! file, building the tree another's.

use super::parts::{SnapshotPart, SnapshotParts};
use super::reader::{ReadError, SnapshotReader, Trailer};
use super::{LoadedSnapshot, SnapshotError, Snapshots, damaged};
use crate::names::DataFile;
use std::io;
use std::sync::mpsc::sync_channel;
use std::thread;
use zooid_tree::{ReplicaBuilder, TreeOptions};

/// A file of so many bytes is worth a second thread.
pub(super) const LARGE_LEN: u64 = 4 << 20;
/// Parts of a snapshot that wait to be put into the tree.
const PARTS_MAX: usize = 8;

type Reader = SnapshotReader<Box<dyn io::Read>>;

impl Snapshots {
    /// Loads a snapshot file.
    ///
    /// # Errors
    /// [`SnapshotError`].
    pub fn load(
        &self,
        file: &DataFile,
        options: TreeOptions,
    ) -> Result<LoadedSnapshot, SnapshotError> {
        let (mut builder, trailer) = if file.len < LARGE_LEN {
            self.build_here(file, options)?
        } else {
            self.build_beside(file, options)?
        };
        if let Some(digest) = trailer.digest.filter(|digest| digest.covers(file.zxid)) {
            builder.snapshot_digest(digest.zxid, digest.digest);
        }
        let replica = builder.finish(file.zxid);
        Ok(LoadedSnapshot {
            replica: replica.map_err(|err| damaged(file, &err))?,
            trailer,
        })
    }

    fn build_here(
        &self,
        file: &DataFile,
        options: TreeOptions,
    ) -> Result<(ReplicaBuilder, Trailer), SnapshotError> {
        let mut builder = ReplicaBuilder::new(options);
        let trailer = self.examine(file, |reader| {
            pass_on(reader, options, &mut |part| {
                part.add_to(&mut builder).map_err(|err| err.to_string())
            })
        })?;
        Ok((builder, trailer))
    }

    /// Whichever side fails ends the other: the reader when nobody takes its parts, the builder when none
    /// come any more.
    fn build_beside(
        &self,
        file: &DataFile,
        options: TreeOptions,
    ) -> Result<(ReplicaBuilder, Trailer), SnapshotError> {
        thread::scope(|scope| {
            let (sender, parts) = sync_channel(PARTS_MAX);
            let read = move || {
                self.examine(file, |reader| {
                    pass_on(reader, options, &mut |part| {
                        sender.send(part).map_err(|_| "it makes no tree".to_owned())
                    })
                })
            };
            let reading = thread::Builder::new()
                .name("zooid-load".to_owned())
                .spawn_scoped(scope, read)?;
            let mut builder = ReplicaBuilder::new(options);
            let added = (parts.into_iter()).try_for_each(|part| part.add_to(&mut builder));
            added.map_err(|err| damaged(file, &err))?;
            let trailer = reading.join().expect("a panic is for everybody")?;
            Ok((builder, trailer))
        })
    }
}

fn pass_on(
    reader: &mut Reader,
    options: TreeOptions,
    sink: &mut dyn FnMut(SnapshotPart) -> Result<(), String>,
) -> Result<Trailer, ReadError> {
    let mut parts = SnapshotParts::new(options);
    reader.for_each(&mut |item| parts.take(item).map_or(Ok(()), &mut *sink))?;
    sink(parts.rest())?;
    reader.trailer()
}
