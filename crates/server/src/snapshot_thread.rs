//! When snapshots are taken, taking them, and purging old ones.

use crate::database::Files;
use crate::pace::Pace;
use crate::shared::Shared;
use std::sync::Arc;
use std::sync::mpsc::Receiver;
use std::time::{Duration, Instant};
use tracing::{error, info};
use zooid_config::Config;
use zooid_storage::{SnapshotError, purge};

/// Decides after how much log a snapshot is due. As in Java, a random share of the configured
/// counts, so that the servers of an ensemble do not all write theirs at the same time
/// (`SyncRequestProcessor.shouldSnapshot`).
///
/// A snapshot is as large as the tree, whatever has changed. Unless an operator has said how often there
/// is to be one, it therefore also takes as many transactions as there are nodes: a write pays for one
/// node of a snapshot, or two if the tree grows with each, and a start replays about as much as it loads.
#[derive(Debug)]
pub(crate) struct SnapshotCadence {
    txns: u64,
    /// `zookeeper.snapCount`
    snap_count: u64,
    /// `zookeeper.snapSizeLimitInKb`, in bytes.
    snap_size: Option<u64>,
    /// Whether large trees are written less often.
    follows_tree: bool,
    /// So many transactions it takes by what the tree was when it was last looked at.
    tree_share: u64,
    random: u64,
}

impl SnapshotCadence {
    pub(crate) fn new(config: &Config, replayed: u64, seed: i64) -> SnapshotCadence {
        SnapshotCadence {
            txns: replayed,
            snap_count: u64::from(config.storage.snap_count),
            snap_size: config.storage.snap_size_bytes_max,
            follows_tree: config.properties.get("zookeeper.snapCount").is_none(),
            tree_share: 0,
            random: seed.cast_unsigned(),
        }
    }

    /// Counts transactions written; whether that makes a snapshot due, which starts the count anew. Asks
    /// for the number of nodes only when it matters.
    pub(crate) fn is_due(
        &mut self,
        txns: u64,
        log_bytes: u64,
        nodes: impl FnOnce() -> usize,
    ) -> bool {
        self.txns += txns;
        let random = self.random;
        let share = |whole: u64| whole / 2 + random % (whole / 2).max(1);
        let has_many = self.txns > share(self.snap_count) && self.are_many_for_tree(nodes);
        let due = has_many || self.snap_size.is_some_and(|size| log_bytes > share(size));
        if due {
            self.txns = 0;
            self.tree_share = 0;
            // One step of a 64-bit linear congruential generator: spread is all that is wanted.
            self.random = self
                .random
                .wrapping_mul(6_364_136_223_846_793_005)
                .wrapping_add(1)
                >> 1;
        }
        due
    }

    fn are_many_for_tree(&mut self, nodes: impl FnOnce() -> usize) -> bool {
        if self.follows_tree && self.txns > self.tree_share {
            self.tree_share = u64::try_from(nodes()).unwrap_or(u64::MAX);
        }
        self.txns > self.tree_share
    }
}

/// Writes a snapshot for every message, while the server goes on.
pub(crate) struct SnapshotThread {
    shared: Arc<Shared>,
    inbox: Receiver<()>,
}

impl SnapshotThread {
    pub(crate) fn new(shared: Arc<Shared>, inbox: Receiver<()>) -> SnapshotThread {
        SnapshotThread { shared, inbox }
    }

    /// Runs until the log thread is gone.
    pub(crate) fn run(self) {
        while let Ok(()) = self.inbox.recv() {
            let start = Instant::now();
            match snapshot(&self.shared) {
                Ok(zxid) => {
                    self.shared.stats.snapshot_taken(start.elapsed());
                    info!(%zxid, took = ?start.elapsed(), "snapshot written");
                }
                // The history was replaced, or the server stops: the log is enough.
                Err(reason @ (SnapshotError::Overtaken | SnapshotError::GivenUp)) => {
                    info!(%reason, "no snapshot");
                }
                // The log alone is enough to recover; the next one may succeed.
                Err(error) => {
                    self.shared.stats.snapshot_failed();
                    error!(%error, "no snapshot could be written");
                }
            }
        }
    }
}

fn snapshot(shared: &Shared) -> Result<zooid_proto::Zxid, SnapshotError> {
    let Files {
        snapshots,
        recover_options,
        ..
    } = &shared.files;
    let (ticket, mut walk) = {
        let mut replica = shared.replica.write();
        (snapshots.ticket(), shared.begin_walk(&mut replica))
    };
    let mut pace = Pace::of_writer();
    let mut began = Instant::now();
    let written = snapshots.write(
        ticket,
        &mut walk.walk,
        &recover_options.snapshot,
        &mut |visit| {
            pace.keep(began.elapsed());
            began = Instant::now();
            let replica = shared.replica.read();
            if walk.started.is_current(shared) && !shared.is_draining() {
                visit(&replica);
            }
        },
    );
    written.map(|file| file.zxid)
}

/// Purges at start and then every `autopurge.purgeInterval`, if that is on.
pub(crate) async fn purge_regularly(shared: Arc<Shared>) {
    let Some(interval_ms) = shared.config.purge.interval_ms else {
        return;
    };
    let mut interval = tokio::time::interval(Duration::from_millis(interval_ms.max(1)));
    loop {
        // Neither arm loses anything when dropped.
        tokio::select! {
            _ = interval.tick() => {}
            () = shared.drain_started() => return,
        }
        let shared = Arc::clone(&shared);
        let purged = tokio::task::spawn_blocking(move || purge_once(&shared)).await;
        if let Err(error) = purged {
            error!(%error, "the purge task failed");
        }
    }
}

fn purge_once(shared: &Shared) {
    let Files {
        disk,
        dirs,
        snapshots,
        ..
    } = &shared.files;
    let _undisturbed = shared.files.upkeep.lock();
    let keep = crate::shared::size(shared.config.purge.snap_retain_count);
    let purged = purge(&**disk, dirs, snapshots, keep, &mut |file| {
        info!(path = %file.path.display(), "purging");
    });
    if let Err(error) = purged {
        error!(%error, "old files could not be purged");
    }
}

#[cfg(test)]
mod tests;
