//! What an operator may choose about the ensemble, and names that its parts share.

use zooid_proto::{Epoch, ServerId, Zxid};

/// A connection between two servers on the quorum port; unique for the life of a process. 0 is none.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct LinkId(pub u64);

/// What the epoch files say (spec §4.7).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Epochs {
    /// The newest epoch promised to a leader-to-be.
    pub accepted: Epoch,
    /// The newest epoch whose initial history this server holds.
    pub current: Epoch,
}

/// Fixed for the life of a server.
#[derive(Clone, Debug, PartialEq)]
pub struct EnsembleSettings {
    /// This server.
    pub me: ServerId,
    /// `tickTime`, in milliseconds.
    pub tick_ms: i64,
    /// Ticks for connecting and synchronising (`initLimit`).
    pub init_limit: i64,
    /// Ticks without a sign of life (`syncLimit`).
    pub sync_limit: i64,
    /// First wait for votes, in milliseconds (`fastleader.minNotificationInterval`).
    pub notification_ms_min: i64,
    /// Longest wait for votes, in milliseconds (`fastleader.maxNotificationInterval`).
    pub notification_ms_max: i64,
    /// Always send a whole snapshot (`forceSnapshotSync`).
    pub force_snapshot_sync: bool,
    /// Whether missing transactions may be read from the log (`snapshotSizeFactor` not negative).
    pub log_sync: bool,
    /// Snapshots sent to observers at a time (`leader.maxConcurrentSnapSyncs`).
    pub snap_syncs_max: usize,
    /// Logs sent to observers at a time (`leader.maxConcurrentDiffSyncs`).
    pub diff_syncs_max: usize,
    /// The last counter that a transaction of an epoch may have; [`EnsembleSettings::COUNTER_MAX`]
    /// unless a new epoch is to begin sooner, for tests.
    pub counter_max: u32,
}

impl EnsembleSettings {
    /// The counter after it is never used (ZOOKEEPER-1277).
    pub const COUNTER_MAX: u32 = u32::MAX - 1;

    /// `initLimit` in milliseconds.
    #[must_use]
    pub fn init_ms(&self) -> i64 {
        self.tick_ms.saturating_mul(self.init_limit)
    }

    /// `syncLimit` in milliseconds.
    #[must_use]
    pub fn sync_ms(&self) -> i64 {
        self.tick_ms.saturating_mul(self.sync_limit)
    }
}

/// What a look into the log for a learner's last zxid has found, for [`crate::Leader::log_probed`].
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum LogProbe {
    /// The log proves what comes after `prev`, without a hole, and reading it is not more work than a
    /// snapshot. `prev` is its last transaction at or before the zxid asked about, `next` the first
    /// one after.
    Found {
        /// At or before what was asked about.
        prev: Zxid,
        /// Behind it.
        next: Zxid,
    },
    /// It does not: a snapshot must do.
    Unknown,
}
