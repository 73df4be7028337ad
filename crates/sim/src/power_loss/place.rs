//! A disk with a server's directories on it, and how that server is set up.

use super::transactions;
use crate::random::Random;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use zooid_proto::{Epoch, Zxid};
use zooid_storage::disk::{Disk, SimulatedDisk, Survival};
use zooid_storage::{
    Compression, Dirs, EpochFiles, LogOptions, RecoverOptions, SnapshotOptions, Snapshots, TxnLog,
    recover,
};
use zooid_tree::{Replica, TreeOptions};

pub(super) const TREE: TreeOptions = TreeOptions {
    digest: true,
    owner_rules: crate::model::OWNER_RULES,
    child_lists: crate::model::CHILD_LISTS,
};

/// Larger than any file of a life.
const FILE_LEN_MAX: usize = 1 << 20;

#[derive(Clone, Debug)]
pub(super) struct Setup {
    dirs: Dirs,
    log: LogOptions,
    pub(super) snapshot: SnapshotOptions,
}

#[derive(Debug)]
pub(super) struct Place {
    pub(super) disk: SimulatedDisk,
    pub(super) snapshots: Arc<Snapshots>,
    pub(super) epochs: EpochFiles,
    pub(super) setup: Setup,
}

/// What recovery gave.
#[derive(Debug)]
pub(super) struct Found {
    pub(super) replica: Replica,
    pub(super) accepted: Epoch,
    pub(super) current: Epoch,
    pub(super) mismatches: u64,
    pub(super) has_torn_tail: bool,
}

impl Found {
    /// Where the history ends, and the digest of the tree there.
    pub(super) fn end(&self) -> (Zxid, i64) {
        (self.replica.last_zxid(), self.replica.digest())
    }
}

impl Setup {
    fn draw(seed: u64) -> Setup {
        let mut dice = Random::stream(seed, "setup");
        let log_dir = *dice.pick(&[None, Some(Path::new("/logs"))]);
        Setup {
            dirs: Dirs::new(Path::new("/data"), log_dir),
            log: LogOptions {
                preallocate: *dice.pick(&[0, 4 << 10, 16 << 10]),
                size_limit: *dice.pick(&[None, None, Some(6 << 10)]),
                ..LogOptions::default()
            },
            snapshot: SnapshotOptions {
                compression: *dice.pick(&[
                    Compression::None,
                    Compression::None,
                    Compression::Gzip,
                    Compression::Snappy,
                ]),
                ..SnapshotOptions::default()
            },
        }
    }
}

impl Place {
    pub(super) fn new(seed: u64, disk: SimulatedDisk) -> Place {
        Place::with(Setup::draw(seed), disk)
    }

    fn with(setup: Setup, disk: SimulatedDisk) -> Place {
        let shared: Arc<dyn Disk> = Arc::new(disk.clone());
        Place {
            snapshots: Arc::new(Snapshots::new(Arc::clone(&shared), &setup.dirs)),
            epochs: EpochFiles::new(shared, &setup.dirs),
            disk,
            setup,
        }
    }

    pub(super) fn survivor(&self, survival: Survival) -> Place {
        Place::with(self.setup.clone(), self.disk.survivor(survival))
    }

    pub(super) fn shared_disk(&self) -> Arc<dyn Disk> {
        Arc::new(self.disk.clone())
    }

    pub(super) fn dirs(&self) -> &Dirs {
        &self.setup.dirs
    }

    pub(super) fn log(&self, last: Zxid) -> TxnLog {
        TxnLog::new(
            self.shared_disk(),
            self.setup.dirs.clone(),
            Arc::clone(&self.snapshots),
            self.setup.log,
            last,
        )
    }

    pub(super) fn recover(&self) -> Result<Found, String> {
        let options = RecoverOptions {
            tree: TREE,
            snapshot: self.setup.snapshot,
            ..RecoverOptions::default()
        };
        let disk = self.shared_disk();
        let recovered = recover(&disk, &self.setup.dirs, &self.snapshots, &options)
            .map_err(|err| format!("refused: {err}"))?;
        let epochs = self.epochs.load(recovered.last_zxid);
        let epochs = epochs.map_err(|err| format!("refused: {err}"))?;
        Ok(Found {
            mismatches: recovered.replica.digest_mismatches(),
            has_torn_tail: recovered.found.torn_tail.is_some(),
            replica: recovered.replica,
            accepted: epochs.accepted,
            current: epochs.current,
        })
    }

    /// Logs the next transaction, and returns where the history ends with it.
    pub(super) fn append_one(&self, found: Found) -> Result<(Zxid, i64), String> {
        let mut replica = found.replica;
        let next = replica.last_zxid().next();
        let mut dice = Random::stream(1, "next");
        let record = transactions::apply_next(&mut replica, next, &mut dice);
        let mut log = self.log(Zxid(next.0 - 1));
        log.append(next, &record)
            .and_then(|()| log.commit())
            .map_err(|err| err.to_string())?;
        Ok((next, replica.digest()))
    }

    /// Every file, as if `dataDir` and `dataLogDir` were one.
    pub(super) fn files(&self) -> Vec<(PathBuf, Vec<u8>)> {
        let dirs = [&self.setup.dirs.snapshots, &self.setup.dirs.logs];
        let mut files = Vec::new();
        for dir in &dirs[..if dirs[0] == dirs[1] { 1 } else { 2 }] {
            for entry in self.disk.list(dir).unwrap_or_default() {
                let content =
                    zooid_storage::read_file(&self.disk, &dir.join(&entry.name), FILE_LEN_MAX);
                let path = Path::new("version-2").join(&entry.name);
                files.extend(content.ok().flatten().map(|content| (path, content)));
            }
        }
        files
    }
}
