//! The log thread: appends, one sync per batch, and when a snapshot is due.

use crate::core_thread::CoreMessage;
use crate::shared::Shared;
use crate::snapshot_thread::SnapshotCadence;
use bytes::Bytes;
use parking_lot::Mutex;
use std::sync::Arc;
use std::sync::mpsc::{Receiver, SyncSender};
use std::time::Instant;
use tokio::sync::mpsc;
use tracing::{error, warn};
use zooid_node::Input;
use zooid_proto::Zxid;
use zooid_storage::{LogError, TxnLog};

/// Commands that may wait for the log.
pub(crate) const LOG_QUEUE_MAX: usize = 64 << 10;
/// Records synced together at most (Java `zookeeper.maxBatchSize` bounds the same).
const SYNC_BATCH_MAX: usize = 4096;

/// What reaches the log thread.
pub(crate) enum LogCommand {
    /// Make this durable.
    Append {
        /// Reported back with the progress.
        generation: u64,
        /// The record's place.
        zxid: Zxid,
        /// The whole record.
        record: Bytes,
    },
    /// Say when everything before is durable.
    Flush(SyncSender<()>),
}

/// How far the log has come. Only the newest state counts, so it is a slot rather than a queue, and
/// the log thread never waits for the core.
#[derive(Debug)]
pub(crate) struct LogProgress {
    slot: Mutex<Option<Input>>,
    core: mpsc::Sender<CoreMessage>,
}

impl LogProgress {
    pub(crate) fn new(core: mpsc::Sender<CoreMessage>) -> LogProgress {
        LogProgress {
            slot: Mutex::new(None),
            core,
        }
    }

    pub(crate) fn take(&self) -> Option<Input> {
        self.slot.lock().take()
    }

    fn report(&self, input: Input) {
        *self.slot.lock() = Some(input);
        // A full queue means that the core is about to look at the slot anyway.
        let _ = self.core.try_send(CoreMessage::Log);
    }
}

/// The thread's state.
pub(crate) struct LogThread {
    log: TxnLog,
    inbox: Receiver<LogCommand>,
    progress: Arc<LogProgress>,
    shared: Arc<Shared>,
    cadence: SnapshotCadence,
    snapshots: SyncSender<()>,
}

impl LogThread {
    pub(crate) fn new(
        log: TxnLog,
        inbox: Receiver<LogCommand>,
        progress: Arc<LogProgress>,
        shared: Arc<Shared>,
        cadence: SnapshotCadence,
        snapshots: SyncSender<()>,
    ) -> LogThread {
        LogThread {
            log,
            inbox,
            progress,
            shared,
            cadence,
            snapshots,
        }
    }

    /// Runs until the core is gone or the disk fails. A failure is final: after it nothing is
    /// reported durable any more.
    pub(crate) fn run(mut self) {
        while let Ok(first) = self.inbox.recv() {
            if let Err(failure) = self.batch(first) {
                error!(%failure, "the transaction log has failed");
                self.progress.report(Input::StorageFailed {
                    reason: failure.to_string(),
                });
                return;
            }
        }
    }

    fn batch(&mut self, first: LogCommand) -> Result<(), LogError> {
        let mut flushes = Vec::new();
        let mut last = None;
        let mut next = Some(first);
        let mut records = 0;
        while let Some(command) = next {
            match command {
                LogCommand::Append {
                    generation,
                    zxid,
                    record,
                } => {
                    self.log.append(zxid, &record)?;
                    last = Some(Input::Persisted {
                        generation,
                        upto: zxid,
                    });
                    records += 1;
                }
                LogCommand::Flush(done) => flushes.push(done),
            }
            let more = records < SYNC_BATCH_MAX && flushes.is_empty();
            next = if more {
                self.inbox.try_recv().ok()
            } else {
                None
            };
        }
        if let Some(persisted) = last {
            self.sync(records)?;
            self.progress.report(persisted);
            self.roll_if_due(records)?;
        }
        for done in flushes {
            // Whoever asked may have stopped waiting.
            let _ = done.send(());
        }
        Ok(())
    }

    fn sync(&mut self, records: usize) -> Result<(), LogError> {
        let start = Instant::now();
        self.log.commit()?;
        let took = start.elapsed();
        let slow = took.as_millis() > u128::from(self.shared.config.storage.fsync_warning_ms);
        self.shared.stats.synced(took, records);
        if slow {
            warn!(
                ?took,
                "syncing the transaction log took long and delays every write"
            );
        }
        Ok(())
    }

    /// Starts a new log file and asks for a snapshot, so that recovery never replays too much.
    fn roll_if_due(&mut self, records: usize) -> Result<(), LogError> {
        let records = u64::try_from(records).unwrap_or(u64::MAX);
        if !self.cadence.is_due(records, self.log.size()) {
            return Ok(());
        }
        self.log.roll()?;
        self.log.reset_size();
        // A full queue: a snapshot is being written already.
        let _ = self.snapshots.try_send(());
        Ok(())
    }
}
