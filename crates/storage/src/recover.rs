//! From the data directories to a replica (spec §4.5, §4.6; Java `FileTxnSnapLog.restore`).
//!
//! The newest snapshot that loads, then every transaction after it, each proven to follow its
//! predecessor. What a crash can have left is repaired; what it cannot is refused. Three things are
//! stricter than in Java, because Java's way loses acknowledged transactions in silence: a gap
//! between transactions, damage that looks like the end of a log, and a newest snapshot that does not
//! load although the logs do not reach it. Where the files themselves cannot tell, what the server
//! remembers of them does (`watermark.rs`).

mod refusal;

pub use refusal::RecoverError;

use crate::disk::Disk;
use crate::epoch::EpochFiles;
use crate::log::{LogFile, LogIterator, TornTail, cut_file, remove_newest_first};
use crate::names::{DataFile, Dirs, log_files, remove_temporaries, sync_parent};
use crate::snapshot::{
    LOAD_ATTEMPTS_MAX, LoadedSnapshot, SnapshotError, SnapshotOptions, Snapshots, Trailer,
};
use crate::watermark::{self, Borders, Watermark};
use crate::width::{index, len64};
use bytes::Bytes;
use std::collections::VecDeque;
use std::io;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use zooid_proto::{SessionId, TxnRecord, Zxid};
use zooid_tree::{Replica, TreeOptions};

/// Bytes of a log written over themselves at once.
const REWRITE_CHUNK_LEN: usize = 1 << 20;

/// How to recover.
#[derive(Clone, Copy, Debug)]
pub struct RecoverOptions {
    /// Of the replica.
    pub tree: TreeOptions,
    /// Of the snapshot that a new database is given.
    pub snapshot: SnapshotOptions,
    /// How many of the last transactions to return (`commitLogCount`).
    pub commit_log_count: usize,
    /// Create missing directories (`zookeeper.datadir.autocreate`).
    pub datadir_autocreate: bool,
    /// An empty database is a new one (`zookeeper.db.autocreate`).
    pub db_autocreate: bool,
    /// Logs without any snapshot are complete (`zookeeper.snapshot.trust.empty`).
    pub trust_empty_snapshot: bool,
    /// Whoever wrote the log synced it before acknowledging (`zookeeper.forceSync`).
    pub force_sync: bool,
}

impl Default for RecoverOptions {
    fn default() -> RecoverOptions {
        RecoverOptions {
            tree: TreeOptions::default(),
            snapshot: SnapshotOptions::default(),
            commit_log_count: 500,
            datadir_autocreate: true,
            db_autocreate: true,
            trust_empty_snapshot: false,
            force_sync: true,
        }
    }
}

/// A server's state, as durable as what it was read from.
#[derive(Debug)]
pub struct Recovered {
    /// The data, at `last_zxid`; its sessions are in it.
    pub replica: Replica,
    /// The last transaction; [`Zxid::NONE`] when the database is empty and must not be trusted to
    /// be: the server may then not vote.
    pub last_zxid: Zxid,
    /// The last transactions of the log, oldest first, without a hole (Java `committedLog`).
    pub recent: VecDeque<(Zxid, Bytes)>,
    /// What was found and done, for the log.
    pub found: Recovery,
}

/// A file called a snapshot that was passed over.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SkippedSnapshot {
    /// The file.
    pub file: DataFile,
    /// It breaks off: ZooKeeper leaves such a file when it is stopped while it writes a snapshot.
    pub unfinished: bool,
    /// What is wrong with it.
    pub why: String,
}

/// What recovery found and did.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Recovery {
    /// The snapshot it started from. `None`: an empty database, or logs trusted without one, after
    /// which every role must write a snapshot.
    pub snapshot: Option<DataFile>,
    /// Files called snapshots that were passed over, and why.
    pub skipped_snapshots: Vec<SkippedSnapshot>,
    /// Log files read.
    pub logs: Vec<PathBuf>,
    /// Transactions replayed.
    pub txns: u64,
    /// Records that repeated their predecessor.
    pub repeated_txns: u64,
    /// The newest log, if its end was torn; it has been cut, or removed when nothing was left.
    pub torn_tail: Option<TornTail>,
    /// The snapshot is fuzzy and holds effects of transactions up to this one, which the log does
    /// not have. They were committed by a quorum, or are gone.
    pub uncovered: Option<Zxid>,
    /// Sessions that owned ephemerals without existing; those were deleted.
    pub orphaned_sessions: Vec<SessionId>,
    /// Whether this is a new, empty database, for which a snapshot was written.
    pub initialized: bool,
}

/// Prepares the directories, loads the data, and repairs what a crash left.
///
/// # Errors
/// [`RecoverError`]; the directories are then as they were.
pub fn recover(
    disk: &Arc<dyn Disk>,
    dirs: &Dirs,
    snapshots: &Snapshots,
    options: &RecoverOptions,
) -> Result<Recovered, RecoverError> {
    dirs.prepare(&**disk, options.datadir_autocreate)?;
    let run = Run {
        disk,
        dirs,
        snapshots,
        options,
        known: Watermark::read(&**disk, dirs)?.unwrap_or_default(),
    };
    let recovered = run.recover()?;
    run.forget_marker()?;
    Ok(recovered)
}

struct Run<'a> {
    disk: &'a Arc<dyn Disk>,
    dirs: &'a Dirs,
    snapshots: &'a Snapshots,
    options: &'a RecoverOptions,
    known: Watermark,
}

impl Run<'_> {
    fn recover(&self) -> Result<Recovered, RecoverError> {
        let mut found = Recovery::default();
        match self.load_snapshot(&mut found)? {
            Some(loaded) => self.replay(loaded.replica, &loaded.trailer, found),
            None if self.log_is_empty()? => self.empty(found),
            None if self.options.trust_empty_snapshot => {
                self.replay(Replica::new(self.options.tree), &Trailer::default(), found)
            }
            None => Err(RecoverError::NoSnapshot),
        }
    }

    /// The newest snapshot that loads. `None` if there is none, or only ones that do not look whole.
    fn load_snapshot(&self, found: &mut Recovery) -> Result<Option<LoadedSnapshot>, RecoverError> {
        let valid = self.snapshots.newest_valid(LOAD_ATTEMPTS_MAX)?;
        for file in self.snapshots.all()? {
            if !valid.contains(&file) {
                found.skipped_snapshots.push(SkippedSnapshot {
                    why: format!("snapshot {} is incomplete", file.path.display()),
                    unfinished: true,
                    file,
                });
                continue;
            }
            match self.snapshots.load(&file, self.options.tree) {
                Ok(loaded) => {
                    found.snapshot = Some(file);
                    return Ok(Some(loaded));
                }
                Err(err) => found.skipped_snapshots.push(SkippedSnapshot {
                    why: err.to_string(),
                    unfinished: false,
                    file,
                }),
            }
        }
        if valid.is_empty() {
            return Ok(None);
        }
        Err(RecoverError::NoValidSnapshot {
            dir: self.dirs.snapshots.clone(),
            skipped: std::mem::take(&mut found.skipped_snapshots),
        })
    }

    fn replay(
        &self,
        mut replica: Replica,
        trailer: &Trailer,
        mut found: Recovery,
    ) -> Result<Recovered, RecoverError> {
        let mut recent = VecDeque::new();
        let mut history = self.history(replica.last_zxid())?;
        while let Some(record) = history.next_record()? {
            let txn = TxnRecord::decode(&record.bytes)
                .map_err(|err| history.undecodable(record.offset, &err))?;
            replica.replay(&txn.header, &txn.txn, txn.digest.as_ref());
            found.txns += 1;
            if recent.len() == self.options.commit_log_count {
                recent.pop_front();
            }
            recent.push_back((record.zxid, record.bytes));
        }
        let last_zxid = replica.last_zxid();
        refuse_lost_snapshot(&found, last_zxid)?;
        refuse_unproven(&found, history.unproven())?;
        self.refuse_missing_end(last_zxid)?;
        found.logs = history.files_read().to_vec();
        found.repeated_txns = history.repeated();
        found.torn_tail = history.torn_tail().cloned();
        found.uncovered = (trailer.digest)
            .map(|digest| digest.zxid)
            .filter(|zxid| *zxid > last_zxid);
        found.orphaned_sessions = replica.finish_recovery();
        let is_overtaken = found.txns == 0 && !history.starts_proven();
        self.make_durable(&found, history.last_good())?;
        self.remember(last_zxid, history.crossed())?;
        if is_overtaken && found.snapshot.is_some() {
            self.remove_overtaken_logs()?;
        }
        Ok(Recovered {
            replica,
            last_zxid,
            recent,
            found,
        })
    }

    fn history(&self, after: Zxid) -> io::Result<LogIterator> {
        let disk = Arc::clone(self.disk);
        LogIterator::after(disk, self.dirs, after, self.options.force_sync)
    }

    /// Whether no log holds a transaction. One that cannot be read counts as holding some.
    fn log_is_empty(&self) -> Result<bool, RecoverError> {
        for log in log_files(&**self.disk, &self.dirs.logs)? {
            let synced = self.options.force_sync;
            let mut file = LogFile::open(&**self.disk, &log.path, synced)?;
            if file.next_record()?.is_some() {
                return Ok(false);
            }
        }
        Ok(true)
    }

    /// A database without any data (spec §4.6).
    fn empty(&self, mut found: Recovery) -> Result<Recovered, RecoverError> {
        refuse_lost_snapshot(&found, Zxid::ZERO)?;
        self.refuse_missing_end(Zxid::ZERO)?;
        let marked = self.disk.exists(&self.dirs.initialize_marker())?;
        let trusted = marked || self.options.db_autocreate;
        let mut replica = Replica::new(self.options.tree);
        for log in log_files(&**self.disk, &self.dirs.logs)? {
            self.disk.remove(&log.path)?;
        }
        self.make_durable(&found, None)?;
        let last_zxid = if trusted { Zxid::ZERO } else { Zxid::NONE };
        if trusted {
            self.remember(Zxid::ZERO, &Borders::default())?;
            found.snapshot = Some(self.write_first_snapshot(&mut replica)?);
            found.initialized = true;
        }
        Ok(Recovered {
            replica,
            last_zxid,
            recent: VecDeque::new(),
            found,
        })
    }

    fn write_first_snapshot(&self, replica: &mut Replica) -> Result<DataFile, SnapshotError> {
        let ticket = self.snapshots.ticket();
        let mut walk = replica.begin_walk();
        let options = &self.options.snapshot;
        let shared: &Replica = replica;
        (self.snapshots).write(ticket, &mut walk, options, &mut |chunk| chunk(shared))
    }

    /// After a process was killed, what is read may not be on the disk yet; a vote that counts on it
    /// must (obligation 4). And the torn end of the newest log goes: ZooKeeper would stumble over it,
    /// and nobody should have to judge it twice.
    ///
    /// Syncing is not enough for the newest log. If a sync of it failed in an earlier life, the
    /// kernel holds its pages for clean: they read well, no later sync writes them, and they are gone
    /// with the power. Older logs were synced before a newer one was begun.
    fn make_durable(&self, found: &Recovery, newest: Option<(&Path, u64)>) -> io::Result<()> {
        remove_temporaries(&**self.disk, &self.dirs.snapshots)?;
        match &found.torn_tail {
            Some(tail) if tail.good_len == 0 => self.disk.remove(&tail.path)?,
            Some(tail) => cut_file(&**self.disk, &tail.path, tail.good_len)?,
            None => {}
        }
        if let Some((path, len)) = newest {
            rewrite(&**self.disk, path, len)?;
        }
        for log in &found.logs {
            if self.disk.exists(log)? {
                self.disk.open_mut(log)?.sync()?;
            }
        }
        if let Some(snapshot) = &found.snapshot {
            self.snapshots.sync(std::slice::from_ref(snapshot))?;
        }
        self.disk.sync_dir(&self.dirs.logs)?;
        self.disk.sync_dir(&self.dirs.snapshots)
    }

    /// A history that ends before what was durable has lost its end; unless a server of ZooKeeper has
    /// worked on it since, which may have been told by its leader to cut it. It says so by the epoch
    /// files, which it writes whenever it joins a leader.
    fn refuse_missing_end(&self, last: Zxid) -> Result<(), RecoverError> {
        if last >= self.known.upto {
            return Ok(());
        }
        let epochs = EpochFiles::new(Arc::clone(self.disk), self.dirs);
        if epochs.were_written_by_others()? {
            return Ok(());
        }
        Err(RecoverError::EndMissing {
            path: Watermark::path(self.dirs),
            durable: self.known.upto,
            last,
        })
    }

    /// For the next time: everything up to `upto` is durable now.
    fn remember(&self, upto: Zxid, crossed: &Borders) -> io::Result<()> {
        let mut borders = self.known.borders.clone();
        borders.extend(crossed);
        watermark::store(&**self.disk, self.dirs, Watermark { upto, borders })
    }

    /// Logs that end before the snapshot are of a history that it has replaced, and a crash came before
    /// they were gone ([`crate::TxnLog::replace_after`]). What is logged from now on does not go on from
    /// where they end.
    fn remove_overtaken_logs(&self) -> io::Result<()> {
        let logs = log_files(&**self.disk, &self.dirs.logs)?;
        remove_newest_first(&**self.disk, self.dirs, &logs)
    }

    /// Last: should the server crash before, the marker still says that the database is meant.
    fn forget_marker(&self) -> io::Result<()> {
        let marker = self.dirs.initialize_marker();
        if self.disk.exists(&marker)? {
            self.disk.remove(&marker)?;
            sync_parent(&**self.disk, &marker)?;
        }
        Ok(())
    }
}

/// Writes the first `len` bytes of a file over themselves, so that a sync writes them again.
fn rewrite(disk: &dyn Disk, path: &Path, len: u64) -> io::Result<()> {
    let mut file = disk.open_mut(path)?;
    let mut chunk = vec![0; REWRITE_CHUNK_LEN];
    let mut offset = 0;
    while offset < len {
        let wanted = index(len - offset).min(chunk.len());
        let got = file.read_at(offset, &mut chunk[..wanted])?;
        if got == 0 {
            return Err(io::ErrorKind::UnexpectedEof.into());
        }
        file.write_at(offset, &chunk[..got])?;
        offset += len64(got);
    }
    Ok(())
}

/// A snapshot that cannot be used is no loss if the logs lead at least as far.
fn refuse_lost_snapshot(found: &Recovery, last: Zxid) -> Result<(), RecoverError> {
    match found.skipped_snapshots.first() {
        Some(skipped) if skipped.file.zxid > last => Err(RecoverError::SnapshotBeyondLog {
            path: skipped.file.path.clone(),
            why: skipped.why.clone(),
            last,
        }),
        _ => Ok(()),
    }
}

/// Nor if they hold what it is of, or are known to leave nothing out where it stood.
fn refuse_unproven(found: &Recovery, unproven: &[(Zxid, Zxid)]) -> Result<(), RecoverError> {
    for SkippedSnapshot { file, why, .. } in &found.skipped_snapshots {
        let is_between =
            |(previous, next): &&(Zxid, Zxid)| *previous < file.zxid && file.zxid < *next;
        if let Some((previous, next)) = unproven.iter().find(is_between) {
            return Err(RecoverError::SnapshotBetween {
                path: file.path.clone(),
                why: why.clone(),
                previous: *previous,
                next: *next,
            });
        }
    }
    Ok(())
}

#[cfg(test)]
mod tests;
