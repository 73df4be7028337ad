//! What is wrong with a member's data, file by file. Changes nothing.

use super::files::refuse_interrupted;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use zooid_config::Config;
use zooid_storage::disk::{Disk, RealDisk};
use zooid_storage::{Dirs, EpochFiles, LogFile, LogFileEnd, LogReadError, Snapshots, log_files};

/// What [`diagnose`] found.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Diagnosis {
    /// Why the server would not start, if so.
    pub problem: Option<String>,
    /// Every file, in the order of recovery.
    pub files: Vec<FileState>,
}

/// One file.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct FileState {
    /// Where it is.
    pub path: PathBuf,
    /// In words: what is in it.
    pub content: String,
    /// What is wrong with it, if anything is.
    pub damage: Option<String>,
}

/// Reads all of a member's data.
#[must_use]
pub fn diagnose(config: &Config) -> Diagnosis {
    let disk: Arc<dyn Disk> = Arc::new(RealDisk);
    let dirs = Dirs::new(&config.data_dir, Some(&config.data_log_dir));
    let mut files = snapshots(&disk, &dirs);
    files.extend(logs(&*disk, &dirs, config.storage.force_sync));
    files.extend(epochs(&disk, &dirs));
    Diagnosis {
        problem: problem(&disk, &dirs, config),
        files,
    }
}

fn problem(disk: &Arc<dyn Disk>, dirs: &Dirs, config: &Config) -> Option<String> {
    if let Err(interrupted) = refuse_interrupted(&**disk, config) {
        return Some(interrupted.to_string());
    }
    let last = match crate::database::try_open(disk, config) {
        Ok(last) => last,
        Err(refusal) => return Some(refusal.to_string()),
    };
    let judged = EpochFiles::new(Arc::clone(disk), dirs).judge(last);
    judged.err().map(|refusal| refusal.to_string())
}

fn snapshots(disk: &Arc<dyn Disk>, dirs: &Dirs) -> Vec<FileState> {
    let snapshots = Snapshots::new(Arc::clone(disk), dirs);
    let states = snapshots.all().unwrap_or_default().into_iter().map(|file| {
        let damage = snapshots.verify(&file).err().map(|err| err.to_string());
        FileState {
            content: format!("the data at {}", file.zxid),
            path: file.path,
            damage,
        }
    });
    states.collect()
}

fn logs(disk: &dyn Disk, dirs: &Dirs, synced: bool) -> Vec<FileState> {
    let files = log_files(disk, &dirs.logs).unwrap_or_default();
    let states = files.into_iter().map(|file| {
        let mut content = String::new();
        let damage = read_log(disk, &file.path, synced, &mut content);
        FileState {
            damage: damage.err().map(|err| err.to_string()),
            path: file.path,
            content,
        }
    });
    states.collect()
}

fn read_log(
    disk: &dyn Disk,
    path: &Path,
    synced: bool,
    content: &mut String,
) -> Result<(), LogReadError> {
    let mut log = LogFile::open(disk, path, synced)?;
    let (mut count, mut last) = (0_u64, None);
    loop {
        *content = match last {
            None => "no transaction".to_owned(),
            Some(last) => format!("{count} transactions up to {last}"),
        };
        match log.next_record()? {
            Some(record) => (count, last) = (count + 1, Some(record.zxid)),
            None => break,
        }
    }
    if let Some(LogFileEnd::Torn { good_len }) = log.end() {
        content.push_str(&format!(", and an unfinished one at byte {good_len}"));
    }
    Ok(())
}

fn epochs(disk: &Arc<dyn Disk>, dirs: &Dirs) -> Vec<FileState> {
    let files = EpochFiles::new(Arc::clone(disk), dirs);
    let read = [
        ("acceptedEpoch", files.accepted()),
        ("currentEpoch", files.current()),
    ];
    let states = read.into_iter().filter_map(|(name, read)| {
        let (content, damage) = match read {
            Ok(None) => return None,
            Ok(Some(epoch)) => (format!("epoch {}", epoch.0), None),
            Err(err) => ("no epoch".to_owned(), Some(err.to_string())),
        };
        let path = dirs.snapshots.join(name);
        Some(FileState {
            path,
            content,
            damage,
        })
    });
    states.collect()
}
