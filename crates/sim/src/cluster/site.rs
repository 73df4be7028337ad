//! A member's disk: where things are on it, and which histories its snapshots are of.

use super::options::Profile;
use std::collections::BTreeMap;
use std::path::Path;
use std::sync::Arc;
use zooid_proto::Zxid;
use zooid_storage::disk::{Disk, SimulatedDisk};
use zooid_storage::{
    Dirs, EpochFiles, LogOptions, RecoverError, RecoverOptions, Recovered, Snapshots, TxnLog,
    recover,
};
use zooid_tree::TreeOptions;

#[derive(Clone, Debug)]
pub(crate) struct Site {
    pub(crate) simulated: SimulatedDisk,
    pub(crate) disk: Arc<dyn Disk>,
    pub(crate) dirs: Dirs,
    pub(crate) snapshots: Arc<Snapshots>,
    pub(crate) epochs: EpochFiles,
    /// For the checkers: a snapshot tells a state, not how it came about.
    pub(crate) histories: BTreeMap<Zxid, Arc<[Zxid]>>,
    /// Whether it has lost something that was durable, which may come to light at any time.
    pub(crate) is_damaged: bool,
}

/// What a log keeps for a disk that gets full: less than can be written in a run.
const RESERVE_LEN: u64 = 8 << 10;

/// Stands in every refusal of damaged data, and what to do comes behind it.
pub(crate) const REMEDY: &str = "To repair: ";

/// What a disk holds.
#[derive(Debug)]
pub(crate) struct Found {
    pub(crate) recovered: Recovered,
    pub(crate) history: Vec<Zxid>,
}

impl Site {
    pub(crate) fn new(simulated: SimulatedDisk, histories: BTreeMap<Zxid, Arc<[Zxid]>>) -> Site {
        let disk: Arc<dyn Disk> = Arc::new(simulated.clone());
        let dirs = Dirs::new(Path::new("/data"), None);
        Site {
            snapshots: Arc::new(Snapshots::new(Arc::clone(&disk), &dirs)),
            epochs: EpochFiles::new(Arc::clone(&disk), &dirs),
            simulated,
            disk,
            dirs,
            histories,
            is_damaged: false,
        }
    }

    pub(crate) fn recover(&self) -> Result<Found, RecoverError> {
        let options = RecoverOptions {
            tree: TREE,
            commit_log_count: usize::MAX,
            ..RecoverOptions::default()
        };
        let recovered = recover(&self.disk, &self.dirs, &self.snapshots, &options)?;
        let base = recovered.found.snapshot.as_ref().map(|file| file.zxid);
        let known = base.and_then(|base| self.histories.get(&base));
        let mut history = known.map(|known| known.to_vec()).unwrap_or_default();
        history.extend(recovered.recent.iter().map(|(zxid, _)| *zxid));
        Ok(Found { recovered, history })
    }

    /// Bytes of room on its disk.
    pub(crate) fn available(&self) -> u64 {
        self.disk.available(&self.dirs.logs).unwrap_or_default()
    }

    pub(crate) fn has_power(&self) -> bool {
        self.simulated.exists(Path::new("/")).is_ok()
    }

    pub(crate) fn log(&self, profile: &Profile, last: Zxid) -> TxnLog {
        let options = LogOptions {
            preallocate: profile.preallocate,
            reserve: RESERVE_LEN,
            ..LogOptions::default()
        };
        TxnLog::new(
            Arc::clone(&self.disk),
            self.dirs.clone(),
            Arc::clone(&self.snapshots),
            options,
            last,
        )
    }
}

/// How every member keeps its tree.
pub(crate) const TREE: TreeOptions = TreeOptions {
    digest: true,
    owner_rules: crate::model::OWNER_RULES,
    child_lists: crate::model::CHILD_LISTS,
};
