//! A disk in memory that loses what was not synced.
//!
//! # The fault model
//!
//! Every file has a durable image, the image that readers see, and the changes between the two in
//! the order they were made; every directory likewise for its names. [`SimulatedDisk::survivor`]
//! builds the disk found after a loss of power:
//!
//! * **Lost, reordered and torn writes.** Of a write that was not synced, each [`SECTOR_LEN`] piece
//!   survives or not on its own, whatever happened to earlier writes. What did not survive reads as
//!   before; where the file had not been written before, as zeros. The last sector of a write may
//!   be torn inside.
//! * **Lengths** follow the order of the changes: some prefix of the unsynced lengthenings and
//!   truncations survives. Data beyond the surviving length is gone.
//! * **Forgotten names.** Each creation, rename and removal since the directory's last sync survives
//!   or not on its own. A rename is never half done. Syncing a file does not sync its name.
//! * **A failed sync** ([`Fault::Error`]) drops the changes it should have made durable: readers go on
//!   seeing them, no later sync saves them (as Linux file systems do). A failed write leaves some
//!   of its bytes.
//! * **No space** ([`SimulatedDisk::set_capacity`]): a write that needs more sectors than there are
//!   fails with [`io::ErrorKind::StorageFull`] after having written what fitted.
//!   Space that [`DiskFile::allocate`] reserved is there for writes to that file.
//! * **Flipped bits** ([`SimulatedDisk::flip_bit`]) are durable, and nobody is told.
//! * **Lost blocks**: [`SimulatedDisk::overwrite`] is durable, and nobody is told;
//!   [`SimulatedDisk::lose`] makes reading fail until the sector is written again.
//! * **Slow syncs** ([`Fault::SlowSync`]): the disk has no clock; it adds up what its operations would
//!   have cost, for the driver to turn into simulated time ([`SimulatedDisk::take_busy_us`]).
//!
//! Not modelled: damage to directories, files that change by themselves while in use (other than
//! flipped bits), writes that land at another place.
//!
//! Everything follows from the seeds given: two disks with the same seeds and operations are equal.

mod damage;
mod image;
mod random;
mod survival;

pub use survival::Survival;

use super::{DirEntry, Disk, DiskFile, SECTOR_LEN, annotate};
use crate::width::{index, len64};
use image::Image;
use random::Random;
use std::collections::{BTreeMap, BTreeSet};
use std::io;
use std::ops::Range;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

/// A disk in memory. Clones are the same disk.
#[derive(Clone, Debug)]
pub struct SimulatedDisk {
    state: Arc<Mutex<State>>,
}

/// What happens at one operation.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Fault {
    /// The power goes while the operation is under way. It and every later one fail; whether it
    /// happened, [`SimulatedDisk::survivor`] decides.
    PowerLoss,
    /// The operation fails with an I/O error.
    Error,
    /// If it is a sync, it takes ten seconds.
    SlowSync,
}

#[derive(Clone, Debug)]
struct State {
    /// Indexed by [`InodeId`]; never shrinks.
    inodes: Vec<Inode>,
    dirs: BTreeMap<PathBuf, Directory>,
    operations: u64,
    faults: BTreeMap<u64, Fault>,
    powered: bool,
    sectors_max: Option<u64>,
    busy_us: u64,
    random: Random,
}

type InodeId = usize;

#[derive(Clone, Debug, Default)]
struct Inode {
    durable: Image,
    current: Image,
    pending: Vec<Change>,
    /// How many sectors, from the first, need no more room to be written.
    reserved: u64,
    /// Sectors that cannot be read.
    lost: BTreeSet<u64>,
    /// What the operating system was allowed to forget.
    uncached: Vec<Range<u64>>,
}

#[derive(Clone, Debug)]
enum Change {
    Write { offset: u64, bytes: Vec<u8> },
    Truncate(u64),
    Lengthen(u64),
}

#[derive(Clone, Debug, Default)]
struct Directory {
    durable: BTreeMap<String, InodeId>,
    current: BTreeMap<String, InodeId>,
    pending: Vec<Rename>,
}

/// Creation is a rename from nothing, removal one to nothing.
#[derive(Clone, Debug)]
struct Rename {
    from: Option<String>,
    to: Option<String>,
    inode: InodeId,
}

#[derive(Debug)]
struct SimulatedFile {
    disk: SimulatedDisk,
    inode: InodeId,
    path: PathBuf,
}

/// What an operation meets, decided before it starts.
enum Verdict {
    Go { slow: bool },
    Fail,
    LastGasp,
}

impl SimulatedDisk {
    /// An empty disk.
    #[must_use]
    pub fn new(seed: u64) -> SimulatedDisk {
        let state = State {
            inodes: Vec::new(),
            dirs: BTreeMap::new(),
            operations: 0,
            faults: BTreeMap::new(),
            powered: true,
            sectors_max: None,
            busy_us: 0,
            random: Random::new(seed),
        };
        SimulatedDisk {
            state: Arc::new(Mutex::new(state)),
        }
    }

    /// How many operations that change or sync something were begun.
    #[must_use]
    pub fn operations(&self) -> u64 {
        self.lock().operations
    }

    /// Lets `fault` happen at the operation before which [`SimulatedDisk::operations`] is `at`.
    pub fn inject(&self, at: u64, fault: Fault) {
        self.lock().faults.insert(at, fault);
    }

    /// Takes back the faults that were to come.
    pub fn forgive(&self) {
        self.lock().faults.clear();
    }

    /// Limits the disk to so many bytes of written sectors, or lifts the limit.
    pub fn set_capacity(&self, bytes: Option<u64>) {
        self.lock().sectors_max = bytes.map(|bytes| bytes / len64(SECTOR_LEN));
    }

    /// What the operating system was allowed to forget of a file, in order.
    ///
    /// # Errors
    /// When there is no such file.
    pub fn uncached(&self, path: &Path) -> io::Result<Vec<Range<u64>>> {
        let mut state = self.lock();
        let inode = state.resolve(path)?;
        Ok(state.inodes[inode].uncached.clone())
    }

    /// The disk as it may be found after a loss of power now; this one is left as it is.
    #[must_use]
    pub fn survivor(&self, survival: Survival) -> SimulatedDisk {
        let state = survival::survivor(&self.lock(), survival);
        SimulatedDisk {
            state: Arc::new(Mutex::new(state)),
        }
    }

    /// What the operations since the last call would have cost, in microseconds.
    #[must_use]
    pub fn take_busy_us(&self) -> u64 {
        std::mem::take(&mut self.lock().busy_us)
    }

    fn lock(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn handle(&self, inode: InodeId, path: &Path) -> Box<dyn DiskFile> {
        Box::new(SimulatedFile {
            disk: self.clone(),
            inode,
            path: path.to_owned(),
        })
    }
}

impl State {
    /// Counts an operation and says what becomes of it.
    fn begin(&mut self) -> io::Result<Verdict> {
        self.check_power()?;
        let fault = self.faults.remove(&self.operations);
        self.operations += 1;
        self.busy_us += 5;
        Ok(match fault {
            None => Verdict::Go { slow: false },
            Some(Fault::SlowSync) => Verdict::Go { slow: true },
            Some(Fault::Error) => Verdict::Fail,
            Some(Fault::PowerLoss) => {
                self.powered = false;
                Verdict::LastGasp
            }
        })
    }

    fn check_power(&self) -> io::Result<()> {
        if self.powered {
            Ok(())
        } else {
            Err(io::Error::new(io::ErrorKind::BrokenPipe, "power lost"))
        }
    }

    fn dir(&mut self, path: &Path) -> io::Result<&mut Directory> {
        self.dirs
            .get_mut(path)
            .ok_or_else(|| io::ErrorKind::NotFound.into())
    }

    fn resolve(&mut self, path: &Path) -> io::Result<InodeId> {
        let (dir, name) = split(path)?;
        match self.dir(dir)?.current.get(name) {
            Some(inode) => Ok(*inode),
            None => Err(io::ErrorKind::NotFound.into()),
        }
    }

    fn change_names(&mut self, dir: &Path, rename: Rename) -> io::Result<()> {
        let verdict = self.begin()?;
        if let Verdict::Go { .. } | Verdict::LastGasp = verdict {
            let dir = self.dir(dir)?;
            rename.apply(&mut dir.current);
            dir.pending.push(rename);
        }
        verdict.result()
    }

    /// Sectors that are still free.
    fn room(&self) -> u64 {
        let Some(max) = self.sectors_max else {
            return u64::MAX;
        };
        let live = self.dirs.values().flat_map(|dir| dir.current.values());
        let used: u64 = live.map(|id| self.inodes[*id].sectors()).sum();
        max.saturating_sub(used)
    }

    fn write(&mut self, id: InodeId, offset: u64, bytes: &[u8]) -> io::Result<()> {
        let verdict = self.begin()?;
        let room = self.room();
        let fits = self.inodes[id].fits(offset, bytes.len(), room);
        let written = match verdict {
            Verdict::Fail => self.random.below(fits + 1),
            Verdict::Go { .. } | Verdict::LastGasp => fits,
        };
        self.busy_us += len64(written) / 500;
        self.inodes[id].change(Change::Write {
            offset,
            bytes: bytes[..written].to_vec(),
        });
        verdict.result()?;
        if fits < bytes.len() {
            return Err(io::ErrorKind::StorageFull.into());
        }
        Ok(())
    }

    fn allocate(&mut self, id: InodeId, len: u64) -> io::Result<()> {
        let inode = &self.inodes[id];
        let reserved = inode.reserved.max(len.div_ceil(len64(SECTOR_LEN)));
        let lacks = inode.sectors_with(reserved) - inode.sectors();
        if lacks > self.room() {
            return Err(io::ErrorKind::StorageFull.into());
        }
        self.resize(id, Change::Lengthen(len))?;
        self.inodes[id].reserved = reserved;
        Ok(())
    }

    fn resize(&mut self, id: InodeId, change: Change) -> io::Result<()> {
        let verdict = self.begin()?;
        if let Verdict::Go { .. } | Verdict::LastGasp = verdict {
            self.inodes[id].change(change);
        }
        verdict.result()
    }

    fn sync(&mut self, id: InodeId) -> io::Result<()> {
        let verdict = self.begin()?;
        let inode = &mut self.inodes[id];
        match verdict {
            Verdict::Go { slow } => {
                inode.sync();
                self.busy_us += if slow { 10_000_000 } else { 500 };
            }
            Verdict::Fail => inode.pending.clear(),
            Verdict::LastGasp => {}
        }
        verdict.result()
    }
}

impl Verdict {
    fn result(self) -> io::Result<()> {
        match self {
            Verdict::Go { .. } => Ok(()),
            Verdict::Fail => Err(io::Error::other("input/output error")),
            Verdict::LastGasp => Err(io::Error::new(io::ErrorKind::BrokenPipe, "power lost")),
        }
    }
}

impl Inode {
    fn change(&mut self, change: Change) {
        if let Change::Write { offset, bytes } = &change {
            for sector in sectors(*offset, bytes.len()) {
                self.lost.remove(&sector);
            }
        }
        if let Change::Truncate(len) = change {
            self.reserved = self.reserved.min(len.div_ceil(len64(SECTOR_LEN)));
        }
        change.apply(&mut self.current);
        self.pending.push(change);
    }

    /// How much room the file takes.
    fn sectors(&self) -> u64 {
        self.sectors_with(self.reserved)
    }

    fn sectors_with(&self, reserved: u64) -> u64 {
        reserved + self.current.sectors_from(reserved)
    }

    fn fits(&self, offset: u64, len: usize, room: u64) -> usize {
        self.current.fits(offset, len, self.reserved, room)
    }

    fn sync(&mut self) {
        for change in self.pending.drain(..) {
            change.apply(&mut self.durable);
        }
    }
}

impl Change {
    fn touches(&self, range: &Range<u64>) -> bool {
        match self {
            Change::Write { offset, bytes } => {
                *offset < range.end && range.start < offset + len64(bytes.len())
            }
            Change::Truncate(len) | Change::Lengthen(len) => *len < range.end,
        }
    }

    fn apply(&self, image: &mut Image) {
        match self {
            Change::Write { offset, bytes } => image.write(*offset, bytes),
            Change::Truncate(len) => image.truncate(*len),
            Change::Lengthen(len) => image.lengthen(*len),
        }
    }
}

impl Rename {
    fn apply(&self, names: &mut BTreeMap<String, InodeId>) {
        if let Some(from) = &self.from
            && names.get(from) == Some(&self.inode)
        {
            names.remove(from);
        }
        if let Some(to) = &self.to {
            names.insert(to.clone(), self.inode);
        }
    }
}

/// The sectors that a range of a file touches.
fn sectors(offset: u64, len: usize) -> impl Iterator<Item = u64> {
    image::pieces(offset, len).map(|piece| piece.sector)
}

fn split(path: &Path) -> io::Result<(&Path, &str)> {
    let name = path.file_name().and_then(|name| name.to_str());
    path.parent()
        .zip(name)
        .ok_or_else(|| io::ErrorKind::InvalidInput.into())
}

impl Disk for SimulatedDisk {
    fn open(&self, path: &Path) -> io::Result<Box<dyn DiskFile>> {
        let mut state = self.lock();
        let found = state.check_power().and_then(|()| state.resolve(path));
        let inode = found.map_err(|err| annotate(&err, "open", path))?;
        Ok(self.handle(inode, path))
    }

    fn open_mut(&self, path: &Path) -> io::Result<Box<dyn DiskFile>> {
        self.open(path)
    }

    fn create(&self, path: &Path) -> io::Result<Box<dyn DiskFile>> {
        let create = || -> io::Result<InodeId> {
            let (dir, name) = split(path)?;
            let mut state = self.lock();
            if state.dir(dir)?.current.contains_key(name) {
                return Err(io::ErrorKind::AlreadyExists.into());
            }
            let inode = state.inodes.len();
            state.inodes.push(Inode::default());
            let rename = Rename {
                from: None,
                to: Some(name.to_owned()),
                inode,
            };
            state.change_names(dir, rename)?;
            Ok(inode)
        };
        let inode = create().map_err(|err| annotate(&err, "create", path))?;
        Ok(self.handle(inode, path))
    }

    fn rename(&self, from: &Path, to: &Path) -> io::Result<()> {
        let rename = || -> io::Result<()> {
            let (dir, from_name) = split(from)?;
            let (to_dir, to_name) = split(to)?;
            if dir != to_dir {
                return Err(io::ErrorKind::InvalidInput.into());
            }
            let mut state = self.lock();
            let inode = state.resolve(from)?;
            let rename = Rename {
                from: Some(from_name.to_owned()),
                to: Some(to_name.to_owned()),
                inode,
            };
            state.change_names(dir, rename)
        };
        rename().map_err(|err| annotate(&err, "rename", from))
    }

    fn remove(&self, path: &Path) -> io::Result<()> {
        let remove = || -> io::Result<()> {
            let (dir, name) = split(path)?;
            let mut state = self.lock();
            let inode = state.resolve(path)?;
            let rename = Rename {
                from: Some(name.to_owned()),
                to: None,
                inode,
            };
            state.change_names(dir, rename)
        };
        remove().map_err(|err| annotate(&err, "remove", path))
    }

    fn list(&self, dir: &Path) -> io::Result<Vec<DirEntry>> {
        let state = self.lock();
        let Some(directory) = state.dirs.get(dir) else {
            return Err(annotate(&io::ErrorKind::NotFound.into(), "list", dir));
        };
        let files = directory.current.iter().map(|(name, id)| DirEntry {
            name: name.clone(),
            len: state.inodes[*id].current.len(),
            is_dir: false,
            modified: None,
        });
        let below = state.dirs.keys().filter(|path| path.parent() == Some(dir));
        let dirs = below.filter_map(|path| {
            Some(DirEntry {
                name: path.file_name()?.to_str()?.to_owned(),
                len: 0,
                is_dir: true,
                modified: None,
            })
        });
        let mut entries: Vec<DirEntry> = files.chain(dirs).collect();
        entries.sort_by(|a, b| a.name.cmp(&b.name));
        Ok(entries)
    }

    fn exists(&self, path: &Path) -> io::Result<bool> {
        let mut state = self.lock();
        state.check_power()?;
        Ok(state.dirs.contains_key(path) || state.resolve(path).is_ok())
    }

    fn is_writable(&self, dir: &Path) -> io::Result<bool> {
        Ok(self.lock().dirs.contains_key(dir))
    }

    fn available(&self, _: &Path) -> io::Result<u64> {
        Ok(self.lock().room().saturating_mul(len64(SECTOR_LEN)))
    }

    /// Directories are durable at once, as they are on [`super::RealDisk`], which syncs parents.
    fn create_dir_all(&self, dir: &Path) -> io::Result<()> {
        let mut state = self.lock();
        state.check_power()?;
        for dir in dir.ancestors() {
            state.dirs.entry(dir.to_owned()).or_default();
        }
        Ok(())
    }

    fn sync_dir(&self, dir: &Path) -> io::Result<()> {
        let mut state = self.lock();
        let sync = |state: &mut State| -> io::Result<()> {
            let verdict = state.begin()?;
            let dir = state.dir(dir)?;
            if let Verdict::Go { .. } = verdict {
                dir.durable.clone_from(&dir.current);
                dir.pending.clear();
            }
            verdict.result()
        };
        sync(&mut state).map_err(|err| annotate(&err, "sync directory", dir))
    }
}

impl SimulatedFile {
    fn with<T>(
        &self,
        what: &str,
        act: impl FnOnce(&mut State, InodeId) -> io::Result<T>,
    ) -> io::Result<T> {
        act(&mut self.disk.lock(), self.inode).map_err(|err| annotate(&err, what, &self.path))
    }
}

impl DiskFile for SimulatedFile {
    fn read_at(&self, offset: u64, buf: &mut [u8]) -> io::Result<usize> {
        self.with("read", |state, id| {
            state.check_power()?;
            let inode = &state.inodes[id];
            let len = index(inode.current.len().saturating_sub(offset)).min(buf.len());
            if sectors(offset, len).any(|sector| inode.lost.contains(&sector)) {
                return Err(io::Error::other("input/output error"));
            }
            Ok(inode.current.read(offset, buf))
        })
    }

    fn write_at(&mut self, offset: u64, bytes: &[u8]) -> io::Result<()> {
        self.with("write", |state, id| state.write(id, offset, bytes))
    }

    fn size(&self) -> io::Result<u64> {
        self.with("stat", |state, id| Ok(state.inodes[id].current.len()))
    }

    fn truncate(&mut self, len: u64) -> io::Result<()> {
        self.with("truncate", |state, id| {
            state.resize(id, Change::Truncate(len))
        })
    }

    fn allocate(&mut self, len: u64) -> io::Result<()> {
        self.with("reserve space for", |state, id| state.allocate(id, len))
    }

    fn sync(&mut self) -> io::Result<()> {
        self.with("sync", State::sync)
    }

    // Panics if some of it is not durable: the operating system would have to write it first, and wait.
    fn uncache(&mut self, bytes: Range<u64>) {
        let mut state = self.disk.lock();
        let inode = &mut state.inodes[self.inode];
        assert!(
            !inode.pending.iter().any(|change| change.touches(&bytes)),
            "{} is not durable at {bytes:?}",
            self.path.display()
        );
        inode.uncached.push(bytes);
    }
}

#[cfg(test)]
mod tests;
