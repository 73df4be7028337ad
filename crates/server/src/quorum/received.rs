//! A snapshot that has come from a leader, or is coming: the tree, and its file.
//!
//! The file is written by a thread of its own while the rest of the stream still comes, from the very bytes
//! that come: they are the data of a snapshot file. It stays a draft until the core wants the snapshot
//! installed; then the log thread completes it.

use crate::pace::Pace;
use bytes::Bytes;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::sync::mpsc::{Receiver, Sender, SyncSender, channel, sync_channel};
use std::thread;
use std::time::Instant;
use zooid_proto::Zxid;
use zooid_storage::{SnapshotDraft, SnapshotError, SnapshotOptions, Snapshots};
use zooid_tree::Replica;

/// How far those who make a snapshot step back for whoever has clients waiting, if they share a machine.
const NICENESS: i32 = 10;
/// Bytes that may wait for the disk. Beyond that the file is given up: whoever let the leader wait for a slow
/// disk would have it keep all that happens meanwhile, and be hung up on.
const BEHIND_BYTES_MAX: usize = 64 << 20;

/// See the module.
#[derive(Debug)]
pub(crate) struct ReceivedSnapshot {
    pub(crate) replica: Box<Replica>,
    pub(crate) file: ReceivedFile,
}

/// A file that has all its data, or will have without more being done for it. Dropping it gives it up.
#[derive(Debug)]
pub(crate) struct ReceivedFile {
    outcome: Receiver<Result<SnapshotDraft, SnapshotError>>,
    state: Arc<State>,
}

#[derive(Debug, Default)]
struct State {
    /// Bytes that the thread has still to write.
    behind: AtomicUsize,
    is_given_up: AtomicBool,
}

impl ReceivedFile {
    /// Waits until the data is written. `None`: the disk was too slow, and the file is to be written from
    /// the tree.
    pub(crate) fn wait(self) -> Option<Result<SnapshotDraft, SnapshotError>> {
        self.outcome.recv().ok()
    }
}

impl Drop for ReceivedFile {
    fn drop(&mut self) {
        self.state.is_given_up.store(true, Ordering::Relaxed);
    }
}

/// A file whose data is still coming.
#[derive(Debug)]
pub(super) struct ComingFile {
    bytes: Sender<Bytes>,
    file: ReceivedFile,
    behind_max: usize,
}

impl ComingFile {
    /// Starts the thread that writes it.
    pub(super) fn new(
        snapshots: Arc<Snapshots>,
        zxid: Zxid,
        options: SnapshotOptions,
    ) -> std::io::Result<ComingFile> {
        let (coming, writer) = ComingFile::with_writer(BEHIND_BYTES_MAX);
        aside("zooid-draft", move || {
            writer.run(&snapshots, zxid, &options);
        })?;
        Ok(coming)
    }

    fn with_writer(behind_max: usize) -> (ComingFile, FileWriter) {
        let (sender, bytes) = channel();
        let (done, outcome) = sync_channel(1);
        let state = Arc::new(State::default());
        let writer = FileWriter {
            bytes,
            state: Arc::clone(&state),
            done,
        };
        let coming = ComingFile {
            bytes: sender,
            file: ReceivedFile { outcome, state },
            behind_max,
        };
        (coming, writer)
    }

    /// Adds to the data. Never waits.
    pub(super) fn put(&mut self, bytes: Bytes) {
        let state = &self.file.state;
        let behind = state.behind.fetch_add(bytes.len(), Ordering::Relaxed) + bytes.len();
        if behind > self.behind_max {
            state.is_given_up.store(true, Ordering::Relaxed);
        }
        // The thread ends early when the file is given up or the disk fails; that is told at the end.
        let _ = self.bytes.send(bytes);
    }

    /// There is no more.
    pub(super) fn end(self) -> ReceivedFile {
        self.file
    }
}

/// Runs something on a thread of its own that nobody's request waits for.
pub(super) fn aside(name: &str, act: impl FnOnce() + Send + 'static) -> std::io::Result<()> {
    let run = move || {
        // Of this thread alone, and not on top of its parent's. Who may not be nicer is no worse for it.
        let _ = rustix::process::setpriority_process(None, NICENESS);
        act();
    };
    thread::Builder::new().name(name.to_owned()).spawn(run)?;
    Ok(())
}

/// What the thread has.
struct FileWriter {
    bytes: Receiver<Bytes>,
    state: Arc<State>,
    done: SyncSender<Result<SnapshotDraft, SnapshotError>>,
}

impl FileWriter {
    /// A draft that nobody waits for is dropped, and its file removed.
    fn run(self, snapshots: &Snapshots, zxid: Zxid, options: &SnapshotOptions) {
        let written = self.write(snapshots, zxid, options);
        if let Some(outcome) = written.transpose() {
            let _ = self.done.send(outcome);
        }
    }

    fn write(
        &self,
        snapshots: &Snapshots,
        zxid: Zxid,
        options: &SnapshotOptions,
    ) -> Result<Option<SnapshotDraft>, SnapshotError> {
        let mut draft = snapshots.draft(zxid, options)?;
        let mut pace = Pace::of_learner();
        for bytes in &self.bytes {
            if self.state.is_given_up.load(Ordering::Relaxed) {
                return Ok(None);
            }
            let began = Instant::now();
            draft.body(&bytes)?;
            pace.keep(began.elapsed());
            self.state.behind.fetch_sub(bytes.len(), Ordering::Relaxed);
        }
        Ok(Some(draft))
    }
}

#[cfg(test)]
mod tests;
