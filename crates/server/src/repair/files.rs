//! Where the data goes, and in which order.

use super::RepairError;
use std::io;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use zooid_config::Config;
use zooid_proto::Epoch;
use zooid_storage::disk::Disk;
use zooid_storage::{Dirs, EpochFiles};

const MARKER: &str = "zooid.repairing";
const MARKER_TEXT: &[u8] =
    b"A repair of this directory was begun and is not finished. Run it again.\n";

/// A repair stopped in the middle of putting the new data into its place.
#[derive(Debug, thiserror::Error)]
#[error(
    "a repair of this member's data was interrupted ({} is there): run `zooid repair` again; it keeps \
     whatever it finds", .0.display()
)]
pub struct Interrupted(PathBuf);

/// Refuses a directory in which a repair was interrupted.
pub(crate) fn refuse_interrupted(disk: &dyn Disk, config: &Config) -> Result<(), Interrupted> {
    let marker = config.data_dir.join(MARKER);
    if disk.exists(&marker).unwrap_or(false) {
        return Err(Interrupted(marker));
    }
    Ok(())
}

#[derive(Debug)]
pub(super) struct Places {
    data_dir: PathBuf,
    stamp: String,
    /// What is damaged.
    pub(super) current: Dirs,
    /// In place of `dataDir` and `dataLogDir` while the data is fetched: on the same file systems.
    pub(super) staging: PathBuf,
    pub(super) staging_logs: PathBuf,
}

impl Places {
    pub(super) fn new(config: &Config, stamp: &str) -> Places {
        let name = format!("repair-{stamp}");
        Places {
            data_dir: config.data_dir.clone(),
            stamp: stamp.to_owned(),
            current: Dirs::new(&config.data_dir, Some(&config.data_log_dir)),
            staging: config.data_dir.join(&name),
            staging_logs: config.data_log_dir.join(&name),
        }
    }

    fn staged(&self) -> Dirs {
        Dirs::new(&self.staging, Some(&self.staging_logs))
    }

    /// Copies the promise, if it can be read; the data that it goes with is fetched.
    pub(super) fn take_promise_along(
        &self,
        disk: &Arc<dyn Disk>,
    ) -> Result<Option<Epoch>, RepairError> {
        let staged = self.staged();
        disk.create_dir_all(&staged.snapshots)?;
        disk.create_dir_all(&staged.logs)?;
        let own = EpochFiles::new(Arc::clone(disk), &self.current);
        let Some(promised) = own.accepted().ok().flatten() else {
            return Ok(None);
        };
        EpochFiles::new(Arc::clone(disk), &staged).set_accepted(promised)?;
        Ok(Some(promised))
    }

    /// Puts what was fetched into the place of what is damaged, and tells where that is now.
    pub(super) fn exchange(&self, disk: &dyn Disk) -> io::Result<Vec<PathBuf>> {
        let marker = self.data_dir.join(MARKER);
        if !disk.exists(&marker)? {
            let mut file = disk.create(&marker)?;
            file.write_at(0, MARKER_TEXT)?;
            file.sync()?;
            disk.sync_dir(&self.data_dir)?;
        }
        let staged = self.staged();
        let mut kept = Vec::new();
        let mut pairs = vec![(&self.current.snapshots, &staged.snapshots)];
        if self.current.logs != self.current.snapshots {
            pairs.insert(0, (&self.current.logs, &staged.logs));
        }
        for (current, fetched) in pairs {
            let aside = self.free_name(disk, current)?;
            disk.rename(current, &aside)?;
            disk.rename(fetched, current)?;
            sync_parents(disk, &[&aside, fetched, current])?;
            kept.push(aside);
        }
        disk.remove(&marker)?;
        disk.sync_dir(&self.data_dir)?;
        for emptied in [&self.staging, &self.staging_logs] {
            // A courtesy: nothing is in it any more.
            let _ = std::fs::remove_dir(emptied);
        }
        Ok(kept)
    }

    /// Where a directory is kept. There may have been a repair in the same second.
    fn free_name(&self, disk: &dyn Disk, current: &Path) -> io::Result<PathBuf> {
        let mut aside = current.with_file_name(format!("version-2.damaged-{}", self.stamp));
        let mut copies = 1;
        while disk.exists(&aside)? {
            copies += 1;
            let name = format!("version-2.damaged-{}-{copies}", self.stamp);
            aside = current.with_file_name(name);
        }
        Ok(aside)
    }
}

fn sync_parents(disk: &dyn Disk, paths: &[&Path]) -> io::Result<()> {
    for path in paths {
        disk.sync_dir(path.parent().unwrap_or(Path::new("")))?;
    }
    Ok(())
}
