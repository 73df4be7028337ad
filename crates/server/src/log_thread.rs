//! The log thread: everything that must become durable in order: appends, one sync per batch;
//! truncations, received snapshots, epochs; and when a snapshot is due.

mod run_delay;
mod sync_pace;

use crate::core_thread::CoreMessage;
use crate::database::Files;
use crate::quorum::{ReceivedFile, ReceivedSnapshot};
use crate::shared::Shared;
use crate::snapshot_thread::SnapshotCadence;
use bytes::Bytes;
use parking_lot::Mutex;
use run_delay::RunDelay;
use std::collections::VecDeque;
use std::sync::Arc;
use std::sync::mpsc::{Receiver, RecvTimeoutError, SyncSender};
use std::thread;
use std::time::{Duration, Instant};
use sync_pace::SyncPace;
use tokio::sync::mpsc;
use tracing::{error, info, warn};
use zooid_node::Input;
use zooid_proto::{Epoch, Zxid};
use zooid_storage::{DataFile, DiskSpace, LogError, RecoverError, SnapshotError, TxnLog};
use zooid_tree::Replica;

/// Commands that may wait for the log; of records, as many as the core makes at a time are one.
pub(crate) const LOG_QUEUE_MAX: usize = 1024;
/// When so many records are to be synced, no more are added (Java `zookeeper.maxBatchSize` bounds the same).
const SYNC_BATCH_MAX: usize = 4096;
/// After so long without a command the free space is looked at all the same, since others fill and empty
/// disks, and for a snapshot that is owed.
const IDLE_MAX: Duration = Duration::from_secs(1);
/// Between two snapshots for which there is no room.
const NO_ROOM_PAUSE: Duration = Duration::from_secs(1);

/// What reaches the log thread.
pub(crate) enum LogCommand {
    /// Make these durable, in this order.
    Append(Appends),
    /// Cut the log behind `target` and load the database anew.
    Truncate {
        /// Reported back.
        generation: u64,
        /// The last transaction that may stay.
        target: Zxid,
    },
    /// Make a received snapshot durable and go on behind it.
    Install {
        /// Reported back.
        generation: u64,
        /// What was received.
        snapshot: ReceivedSnapshot,
    },
    /// Promise an epoch.
    AcceptEpoch(Epoch),
    /// Enter an epoch.
    EnterEpoch(Epoch),
    /// Say when everything before is durable.
    Flush(SyncSender<()>),
}

/// Records of one history of the log.
pub(crate) struct Appends {
    /// Reported back with the progress.
    pub(crate) generation: u64,
    /// Each whole record, and its place.
    pub(crate) records: Vec<(Zxid, Bytes)>,
}

/// Something that the core learns from the log.
pub(crate) enum Completion {
    /// Something is durable, or never will be.
    Plain(Input),
    /// The same, and the database is another one now.
    Replaced {
        /// To be put in the old one's place first.
        replica: Box<Replica>,
        /// What then has happened.
        input: Input,
    },
}

/// What the log has to say to the core, in order. Of several watermarks in a row only the newest
/// counts; everything else answers a command of which the core gives few at a time. So the list
/// stays short, and the log thread never waits for the core.
pub(crate) struct LogProgress {
    completions: Mutex<VecDeque<Completion>>,
    core: mpsc::Sender<CoreMessage>,
}

impl LogProgress {
    pub(crate) fn new(core: mpsc::Sender<CoreMessage>) -> LogProgress {
        LogProgress {
            completions: Mutex::new(VecDeque::new()),
            core,
        }
    }

    pub(crate) fn take(&self) -> Option<Completion> {
        self.completions.lock().pop_front()
    }

    fn report(&self, completion: Completion) {
        let mut completions = self.completions.lock();
        if completions
            .back()
            .is_some_and(|last| is_overtaken(last, &completion))
        {
            completions.pop_back();
        }
        completions.push_back(completion);
        drop(completions);
        // A full queue means that the core is about to look at the list anyway.
        let _ = self.core.try_send(CoreMessage::Log);
    }
}

/// Whether `next` says all that `last` does.
fn is_overtaken(last: &Completion, next: &Completion) -> bool {
    let generation = |completion: &Completion| match completion {
        Completion::Plain(Input::Persisted { generation, .. }) => Some(*generation),
        _ => None,
    };
    generation(last).is_some() && generation(last) == generation(next)
}

/// Why the storage cannot go on. All of these are final (obligation 8).
#[derive(Debug, thiserror::Error)]
enum StorageError {
    #[error(transparent)]
    Log(#[from] LogError),
    #[error("after truncating the log, the database cannot be loaded: {0}")]
    Recover(#[from] RecoverError),
    #[error("the received snapshot cannot be stored: {0}")]
    Snapshot(#[from] SnapshotError),
    #[error("cannot store epoch {}: {error}", epoch.0)]
    Epoch { epoch: Epoch, error: std::io::Error },
}

/// The thread's state.
pub(crate) struct LogThread {
    log: TxnLog,
    inbox: Receiver<LogCommand>,
    progress: Arc<LogProgress>,
    shared: Arc<Shared>,
    cadence: SnapshotCadence,
    snapshots: SyncSender<()>,
    pace: SyncPace,
    run_delay: RunDelay,
    /// As the core knows it.
    space: DiskSpace,
    /// A snapshot is due, and waits for space, or for the one before to be written.
    owes_snapshot: bool,
}

/// Appended and not synced yet.
#[derive(Default)]
struct Batch {
    records: usize,
    last: Option<Input>,
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
            pace: SyncPace::default(),
            run_delay: RunDelay::default(),
            space: DiskSpace::Enough,
            owes_snapshot: false,
        }
    }

    /// Runs until the core is gone or the disk fails. A failure is final: after it nothing is
    /// reported durable any more.
    pub(crate) fn run(mut self) {
        self.run_delay = RunDelay::of_this_thread();
        loop {
            self.look_for_space();
            let turned = match self.inbox.recv_timeout(IDLE_MAX) {
                Ok(first) => self.turn(first),
                Err(RecvTimeoutError::Timeout) => self.snapshot_if_owed().map_err(Into::into),
                Err(RecvTimeoutError::Disconnected) => return,
            };
            if let Err(failure) = turned {
                error!(%failure, "the storage has failed");
                let reason = failure.to_string();
                self.progress
                    .report(Completion::Plain(Input::StorageFailed { reason }));
                return;
            }
        }
    }

    /// Tells the core, and the operator, when the disk gets full and when it no longer is. That it cannot
    /// be asked is no reason to refuse anything.
    fn look_for_space(&mut self) {
        let space = self.log.look_for_space().unwrap_or(self.space);
        if space == self.space {
            return;
        }
        self.space = space;
        let is_low = space == DiskSpace::Low;
        self.progress
            .report(Completion::Plain(Input::DiskSpace { is_low }));
        let directory = self.shared.files.dirs.logs.display();
        if is_low {
            let consequence = if self.shared.config.is_distributed() {
                "if this server leads, it hands over, or refuses what stores data; \
                 if it follows, it goes on for as long as what it has in reserve lasts"
            } else {
                "refusing what stores data until there is space again"
            };
            warn!(%directory, "the disk is full: {consequence}");
        } else {
            info!(%directory, "the disk has space again");
        }
        self.shared.stats.set_disk_full(is_low);
    }

    /// Appends what has queued up, up to the next other command, and syncs once.
    fn turn(&mut self, first: LogCommand) -> Result<(), StorageError> {
        let mut batch = Batch::default();
        if let LogCommand::Append(_) = first {
            thread::sleep(self.pace.rest(Instant::now()));
        }
        let mut next = Some(first);
        while let Some(command) = next {
            let LogCommand::Append(appends) = command else {
                self.finish(batch)?;
                return self.perform(command);
            };
            self.append(&appends, &mut batch)?;
            let more = batch.records < SYNC_BATCH_MAX;
            next = if more {
                self.inbox.try_recv().ok()
            } else {
                None
            };
        }
        self.finish(batch)
    }

    fn append(&mut self, appends: &Appends, batch: &mut Batch) -> Result<(), LogError> {
        let generation = appends.generation;
        for (zxid, record) in &appends.records {
            let upto = *zxid;
            self.log.append(upto, record)?;
            batch.records += 1;
            batch.last = Some(Input::Persisted { generation, upto });
        }
        Ok(())
    }

    fn finish(&mut self, batch: Batch) -> Result<(), StorageError> {
        let Some(persisted) = batch.last else {
            return Ok(());
        };
        self.sync(batch.records)?;
        self.progress.report(Completion::Plain(persisted));
        self.snapshot_if_due(batch.records)?;
        Ok(())
    }

    fn perform(&mut self, command: LogCommand) -> Result<(), StorageError> {
        let done = match command {
            LogCommand::Append(_) => unreachable!("appends go into a batch"),
            LogCommand::Flush(done) => {
                // Whoever asked may have stopped waiting.
                let _ = done.send(());
                return Ok(());
            }
            LogCommand::Truncate { generation, target } => self.truncate(generation, target)?,
            LogCommand::Install {
                generation,
                snapshot,
            } => self.install(generation, snapshot)?,
            LogCommand::AcceptEpoch(epoch) => {
                self.spare_room();
                let stored = self.shared.files.epochs.set_accepted(epoch);
                stored.map_err(|error| StorageError::Epoch { epoch, error })?;
                Completion::Plain(Input::EpochAccepted(epoch))
            }
            LogCommand::EnterEpoch(epoch) => {
                self.spare_room();
                let stored = self.shared.files.epochs.set_current(epoch);
                stored.map_err(|error| StorageError::Epoch { epoch, error })?;
                Completion::Plain(Input::EpochEntered(epoch))
            }
        };
        self.progress.report(done);
        Ok(())
    }

    /// On a full disk an epoch can be stored only with what is kept for it, without which nobody could be
    /// elected, not even to serve reads. If that cannot be had, storing it will tell.
    fn spare_room(&mut self) {
        if let Err(error) = self.log.spare_room() {
            warn!(%error, "cannot see to it that there is room for an epoch");
        }
    }

    fn truncate(&mut self, generation: u64, target: Zxid) -> Result<Completion, StorageError> {
        let cut_at = match self.log.truncate(target) {
            Err(error) if !error.is_final() => {
                warn!(%target, %error, "cannot be cut; the leader is asked for a snapshot");
                let reason = error.to_string();
                return Ok(Completion::Plain(Input::CannotTruncate {
                    generation,
                    reason,
                }));
            }
            cut_at => cut_at?,
        };
        let mut replica = self.shared.files.reload()?;
        let last = replica.last_zxid();
        info!(%target, %cut_at, %last, "history truncated");
        self.shared.set_config(&mut replica);
        Ok(Completion::Replaced {
            replica: Box::new(replica),
            input: Input::Truncated { generation, last },
        })
    }

    /// The snapshot first, then what it replaces goes (obligations 6 and 9).
    fn install(
        &mut self,
        generation: u64,
        snapshot: ReceivedSnapshot,
    ) -> Result<Completion, StorageError> {
        let ReceivedSnapshot { mut replica, file } = snapshot;
        let files = &self.shared.files;
        let zxid = replica.last_zxid();
        let written = match store(files, &mut replica, file) {
            Err(error) if error.is_out_of_space() => return Ok(no_room(generation, zxid, &error)),
            written => written?,
        };
        {
            let _undisturbed = files.upkeep.lock();
            self.log.replace_after(zxid)?;
        }
        info!(%zxid, path = %written.path.display(), "received snapshot stored");
        self.shared.set_config(&mut replica);
        Ok(Completion::Replaced {
            replica,
            input: Input::Installed { generation },
        })
    }

    fn sync(&mut self, records: usize) -> Result<(), LogError> {
        let start = Instant::now();
        self.log.commit()?;
        let took = start.elapsed();
        self.pace.synced(start, took, records);
        if self.pace.is_look_due(start)
            && let Some(delay) = self.run_delay.read()
        {
            self.pace.look(start, delay);
        }
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

    /// Counts what was written, and sees to a snapshot if one is due, so that recovery never replays too
    /// much.
    fn snapshot_if_due(&mut self, records: usize) -> Result<(), LogError> {
        let records = u64::try_from(records).unwrap_or(u64::MAX);
        let nodes = || self.shared.replica.read().node_count();
        self.owes_snapshot |= self.cadence.is_due(records, self.log.size(), nodes);
        self.snapshot_if_owed()
    }

    /// Asks for a snapshot that is owed and starts a new log file. Not on a full disk: both would take the
    /// room that is kept for the log. And not while one is being written: a file that no snapshot begins
    /// behind would be of no use, and beginning one takes its time.
    fn snapshot_if_owed(&mut self) -> Result<(), LogError> {
        if !self.owes_snapshot || self.space == DiskSpace::Low {
            return Ok(());
        }
        if self.snapshots.try_send(()).is_err() {
            return Ok(());
        }
        self.owes_snapshot = false;
        self.log.roll()?;
        self.log.reset_size();
        Ok(())
    }
}

/// Makes a received snapshot durable under its name. Mostly its file only has to be completed.
fn store(
    files: &Files,
    replica: &mut Replica,
    file: ReceivedFile,
) -> Result<DataFile, SnapshotError> {
    let Files {
        snapshots,
        recover_options,
        ..
    } = files;
    let draft = file.wait();
    snapshots.overtake();
    let ticket = snapshots.ticket();
    if let Some(draft) = draft {
        return snapshots.complete(draft?, ticket, replica.digest());
    }
    info!("the disk is slower than the snapshot came; its file is written now");
    let mut walk = replica.begin_walk();
    let shared: &Replica = replica;
    snapshots.write(ticket, &mut walk, &recover_options.snapshot, &mut |visit| {
        visit(shared);
    })
}

/// The history is as it was, so this server can go on asking the leader; but not all the time.
fn no_room(generation: u64, zxid: Zxid, error: &SnapshotError) -> Completion {
    warn!(%zxid, %error, "there is no room for the leader's snapshot; asking again until there is");
    thread::sleep(NO_ROOM_PAUSE);
    let reason = error.to_string();
    Completion::Plain(Input::CannotInstall { generation, reason })
}

#[cfg(test)]
mod tests;
