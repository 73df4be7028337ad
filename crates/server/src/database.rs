//! From a configuration to an open database.

use crate::ServeError;
use crate::directory_lock::DirectoryLock;
use crate::shared::size;
use bytes::Bytes;
use parking_lot::Mutex;
use std::sync::Arc;
use tracing::{info, warn};
use zooid_config::{Config, SnapshotCompression};
use zooid_proto::Zxid;
use zooid_storage::disk::{Disk, DryDisk};
use zooid_storage::{
    Compression, Dirs, EpochFiles, LogOptions, RecoverError, RecoverOptions, Recovery,
    SnapshotOptions, Snapshots, TxnLog, recover,
};
use zooid_tree::{ChildListLimits, Replica, TreeOptions};

/// What the server runs on.
pub(crate) struct Database {
    pub(crate) replica: Replica,
    pub(crate) log: TxnLog,
    pub(crate) files: Files,
    /// Where its history ends; [`Zxid::NONE`] when it is empty and nobody says that it may be.
    pub(crate) last_zxid: Zxid,
    /// The end of the log, oldest first, without a hole.
    pub(crate) recent: Vec<(Zxid, Bytes)>,
    /// Transactions replayed: how far the newest snapshot is behind.
    pub(crate) replayed: u64,
}

/// The files, for whoever writes snapshots, purges, or reports sizes.
#[derive(Clone, Debug)]
pub(crate) struct Files {
    pub(crate) disk: Arc<dyn Disk>,
    pub(crate) dirs: Dirs,
    pub(crate) snapshots: Arc<Snapshots>,
    pub(crate) epochs: EpochFiles,
    pub(crate) recover_options: RecoverOptions,
    /// Held by whoever reads a whole history or removes a part of one: the purge must not take a log
    /// away while the database is loaded from it.
    pub(crate) upkeep: Arc<Mutex<()>>,
}

impl Files {
    /// Loads the database anew, after its log was cut.
    pub(crate) fn reload(&self) -> Result<Replica, RecoverError> {
        let _undisturbed = self.upkeep.lock();
        let recovered = recover(
            &self.disk,
            &self.dirs,
            &self.snapshots,
            &self.recover_options,
        )?;
        report(&recovered.found);
        Ok(recovered.replica)
    }
}

/// Creates the directories where that is allowed, and keeps other servers out of them.
pub(crate) fn lock(disk: &dyn Disk, config: &Config) -> Result<DirectoryLock, ServeError> {
    crate::repair::refuse_interrupted(disk, config)?;
    let dirs = Dirs::new(&config.data_dir, Some(&config.data_log_dir));
    dirs.prepare(disk, config.storage.data_dir_auto_create)
        .map_err(RecoverError::from)?;
    Ok(DirectoryLock::take(&dirs)?)
}

/// Recovers the database that the configuration names.
pub(crate) fn open(disk: Arc<dyn Disk>, config: &Config) -> Result<Database, RecoverError> {
    let dirs = Dirs::new(&config.data_dir, Some(&config.data_log_dir));
    let snapshots = Arc::new(Snapshots::new(Arc::clone(&disk), &dirs));
    let recover_options = recover_options(config);
    let mut recovered = recover(&disk, &dirs, &snapshots, &recover_options)?;
    report(&recovered.found);
    // An empty database that must not be trusted is that at the next start, too, until it has fetched
    // a snapshot from the others.
    let waits_for_others = config.is_distributed() && recovered.last_zxid == Zxid::NONE;
    if recovered.found.snapshot.is_none() && !waits_for_others {
        write_first_snapshot(
            &snapshots,
            &mut recovered.replica,
            &recover_options.snapshot,
        )?;
    }
    info!(
        zxid = %recovered.last_zxid,
        nodes = recovered.replica.node_count(),
        replayed = recovered.found.txns,
        "database recovered"
    );
    let log = TxnLog::new(
        Arc::clone(&disk),
        dirs.clone(),
        Arc::clone(&snapshots),
        log_options(config),
        recovered.replica.last_zxid(),
    );
    Ok(Database {
        replica: recovered.replica,
        log,
        last_zxid: recovered.last_zxid,
        recent: recovered.recent.into(),
        files: Files {
            epochs: EpochFiles::new(Arc::clone(&disk), &dirs),
            disk,
            dirs,
            snapshots,
            recover_options,
            upkeep: Arc::default(),
        },
        replayed: recovered.found.txns,
    })
}

/// Whether [`open`] would refuse, and where the history would end if not. Changes nothing.
pub(crate) fn try_open(disk: &Arc<dyn Disk>, config: &Config) -> Result<Zxid, RecoverError> {
    let disk: Arc<dyn Disk> = Arc::new(DryDisk::new(Arc::clone(disk)));
    let dirs = Dirs::new(&config.data_dir, Some(&config.data_log_dir));
    let snapshots = Snapshots::new(Arc::clone(&disk), &dirs);
    let recovered = recover(&disk, &dirs, &snapshots, &recover_options(config))?;
    Ok(recovered.last_zxid)
}

/// What was recovered without a snapshot must have one before it grows a log: a log alone is not
/// trusted at the next start (ZOOKEEPER-3781).
fn write_first_snapshot(
    snapshots: &Snapshots,
    replica: &mut Replica,
    options: &SnapshotOptions,
) -> Result<(), RecoverError> {
    let ticket = snapshots.ticket();
    let mut walk = replica.begin_walk();
    let shared: &Replica = replica;
    let written = snapshots.write(ticket, &mut walk, options, &mut |chunk| chunk(shared));
    info!(path = %written?.path.display(), "first snapshot written");
    Ok(())
}

pub(crate) fn recover_options(config: &Config) -> RecoverOptions {
    let storage = &config.storage;
    RecoverOptions {
        tree: TreeOptions {
            digest: config.tree.digest_enabled,
            owner_rules: crate::settings::owner_rules(config),
            child_lists: ChildListLimits {
                count_max: config.tree.child_lists_max.map_or(0, size),
                ..ChildListLimits::USUAL
            },
        },
        snapshot: SnapshotOptions {
            compression: match storage.snapshot_compression {
                SnapshotCompression::None => Compression::None,
                SnapshotCompression::Gzip => Compression::Gzip,
                SnapshotCompression::Snappy => Compression::Snappy,
            },
            digest: config.tree.digest_enabled,
            last_zxid: storage.serialize_last_processed_zxid,
        },
        commit_log_count: size(storage.commit_log_count),
        datadir_autocreate: storage.data_dir_auto_create,
        db_autocreate: storage.database_auto_create,
        trust_empty_snapshot: storage.trust_empty_snapshot,
        force_sync: storage.force_sync,
    }
}

fn log_options(config: &Config) -> LogOptions {
    LogOptions {
        force_sync: config.storage.force_sync,
        preallocate: config.storage.pre_alloc_bytes,
        size_limit: config.storage.log_size_bytes_max,
        ..LogOptions::default()
    }
}

/// Says what recovery had to do; a clean start says nothing.
fn report(found: &Recovery) {
    for skipped in &found.skipped_snapshots {
        warn!(path = %skipped.file.path.display(), why = %skipped.why, "a snapshot was passed over");
    }
    if let Some(torn) = &found.torn_tail {
        warn!(
            ?torn,
            "the newest log ended in an unfinished record, never acknowledged; it was cut"
        );
    }
    if let Some(zxid) = found.uncovered {
        warn!(%zxid, "the snapshot holds effects of later transactions that the log does not have");
    }
    if found.repeated_txns > 0 {
        info!(
            records = found.repeated_txns,
            "repeated log records were skipped"
        );
    }
    for session in &found.orphaned_sessions {
        warn!(%session, "ephemerals of a session that does not exist were deleted");
    }
    if found.initialized {
        info!("a new database was created");
    }
}

#[cfg(test)]
mod tests;
