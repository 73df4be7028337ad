//! Rebuilding a member whose data is damaged from the other members.
//!
//! # Why that is dangerous, and what makes it safe
//!
//! Emptying a member and letting it come back loses data: an empty voter votes for anybody, and together
//! with a member that lags behind it is a quorum that has not got what was acknowledged (PAR, FAST '18).
//! So the member fetches the data *before* it may vote again:
//!
//! * It joins the ensemble over a directory of its own, `repair-<time>` in the data directory, as an empty
//!   server that must not be trusted (spec §4.6). Such a server has no vote. It can only follow a leader
//!   whom a quorum of the *others* has elected; if they cannot, there is nothing to fetch, and nothing
//!   has been changed.
//! * It follows until it serves: the leader's snapshot and what came after are durable then, as is
//!   the leader's epoch, and the leader has a quorum for it.
//! * Only then the damaged directories are renamed, and the new ones put in their place. A file says so
//!   meanwhile, with which no server starts ([`Interrupted`]). Nothing is ever deleted.
//!
//! # Promises
//!
//! `acceptedEpoch` is taken along if it can be read, so that no promise is forgotten. If it cannot, the epoch
//! of the leader takes its place. That breaks no promise either: of a newer epoch that this member may
//! have promised itself to, nobody can be leader without the promise of one of the leader's quorum, who
//! would then not follow it any more. An ensemble whose epoch is older than one that this member has
//! *entered* has lost data itself, or is another one: it is refused.

mod diagnosis;
mod files;
mod peers;

pub use diagnosis::{Diagnosis, FileState, diagnose};
pub use files::Interrupted;
pub(crate) use files::refuse_interrupted;
pub use peers::{Peer, ask_peers, has_quorum};

use crate::ServeError;
use crate::directory_lock::{DirectoryInUse, DirectoryLock};
use crate::server::Server;
use crate::settings::settings;
use files::Places;
use std::io;
use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;
use zooid_config::{Config, HostPort};
use zooid_proto::{Epoch, Zxid};
use zooid_storage::disk::{Disk, RealDisk};
use zooid_storage::{Dirs, EpochFiles};

/// Why a member was not rebuilt.
#[derive(Debug, thiserror::Error)]
pub enum RepairError {
    /// There are no others.
    #[error(
        "this server is not one of an ensemble: there is nobody to fetch its data from. Restore it from \
         a backup"
    )]
    Alone,
    /// It runs.
    #[error(transparent)]
    InUse(#[from] DirectoryInUse),
    /// No leader took this member in.
    #[error(
        "no leader has brought this member up to date within {} s. It has no vote until it has data, so a \
         majority of the others must be up and have a leader. Nothing was changed", .0.as_secs()
    )]
    NoLeader(Duration),
    /// The member could not run.
    #[error("cannot fetch the data: {0}. Nothing was changed")]
    Fetch(Box<ServeError>),
    /// The others are behind.
    #[error(
        "the others are in epoch {}, but this member has already been in epoch {} ({which}): they \
         have lost data, or are another ensemble. Nothing was changed", theirs.0, own.0
    )]
    OlderEpoch {
        /// The file that says so.
        which: &'static str,
        /// Theirs.
        theirs: Epoch,
        /// This member's.
        own: Epoch,
    },
    /// What was fetched cannot be used.
    #[error("what was fetched into {} cannot be used: {why}. Nothing was changed", path.display())]
    Unusable {
        /// Where it is.
        path: PathBuf,
        /// What is wrong.
        why: String,
    },
    /// The disk failed.
    #[error("{0}")]
    Io(#[from] io::Error),
}

/// What a repair has done.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Repaired {
    /// Where the new history ends.
    pub last_zxid: Zxid,
    /// The epoch that it is of.
    pub epoch: Epoch,
    /// Where the old directories are now.
    pub kept: Vec<PathBuf>,
}

/// Fetches the data of a member from its leader, waiting for one so long, and puts it into its place.
/// `stamp` tells the time in the names of what is kept.
///
/// # Errors
/// [`RepairError`]; but for [`RepairError::Io`] the data is then as it was.
pub fn repair(config: &Config, stamp: &str, patience: Duration) -> Result<Repaired, RepairError> {
    if !config.is_distributed() {
        return Err(RepairError::Alone);
    }
    let disk: Arc<dyn Disk> = Arc::new(RealDisk);
    let places = Places::new(config, stamp);
    let _held_to_the_end = lock(&*disk, &places.current)?;
    let promised = places.take_promise_along(&disk)?;
    let staged = staged(config, &places);
    fetch(staged.clone(), patience)?;
    let (last_zxid, epoch) = judge(&disk, &staged, &places, promised)?;
    let kept = places.exchange(&*disk)?;
    Ok(Repaired {
        last_zxid,
        epoch,
        kept,
    })
}

/// An interrupted repair may have left one of them nowhere.
fn lock(disk: &dyn Disk, dirs: &Dirs) -> Result<DirectoryLock, RepairError> {
    for dir in [&dirs.snapshots, &dirs.logs] {
        disk.create_dir_all(dir)?;
    }
    Ok(DirectoryLock::take(dirs)?)
}

/// The member as it fetches: somewhere else, without trust in its emptiness, and without clients.
fn staged(config: &Config, places: &Places) -> Config {
    let mut staged = config.clone();
    staged.data_dir.clone_from(&places.staging);
    staged.data_log_dir.clone_from(&places.staging_logs);
    staged.storage.database_auto_create = false;
    staged.storage.data_dir_auto_create = true;
    staged.purge.interval_ms = None;
    staged.client.address = Some(HostPort {
        host: "127.0.0.1".to_owned(),
        port: 0,
    });
    staged
}

fn fetch(config: Config, patience: Duration) -> Result<(), RepairError> {
    let failed = |error: ServeError| RepairError::Fetch(Box::new(error));
    let runtime = tokio::runtime::Builder::new_multi_thread()
        .enable_all()
        .build()?;
    let settings = settings(&config).map_err(|error| failed(error.into()))?;
    let outcome = runtime.block_on(async {
        let mut server = Server::start(config, settings).await.map_err(failed)?;
        // Both only wait; neither loses anything when dropped.
        let served = tokio::select! {
            served = server.serves_or_halts() => served.map_err(failed),
            () = tokio::time::sleep(patience) => Err(RepairError::NoLeader(patience)),
        };
        server.stop().await.map_err(failed)?;
        served
    });
    runtime.shutdown_background();
    outcome
}

/// What was fetched must be whole, and not behind what this member has seen.
fn judge(
    disk: &Arc<dyn Disk>,
    staged: &Config,
    places: &Places,
    promised: Option<Epoch>,
) -> Result<(Zxid, Epoch), RepairError> {
    let unusable = |why: String| RepairError::Unusable {
        path: places.staging.clone(),
        why,
    };
    let last = crate::database::try_open(disk, staged).map_err(|err| unusable(err.to_string()))?;
    if last <= Zxid::ZERO {
        return Err(unusable("it holds no transaction".to_owned()));
    }
    let dirs = Dirs::new(&staged.data_dir, Some(&staged.data_log_dir));
    let epochs = EpochFiles::new(Arc::clone(disk), &dirs).judge(last);
    let epochs = epochs.map_err(|err| unusable(err.to_string()))?;
    let own = EpochFiles::new(Arc::clone(disk), &places.current);
    // One that cannot be read says nothing.
    let entered = own.current().ok().flatten();
    let behind = |theirs: Epoch| move |own: &Epoch| *own > theirs;
    for (which, theirs, own) in [
        ("acceptedEpoch", epochs.accepted, promised),
        ("currentEpoch", epochs.current, entered),
    ] {
        if let Some(own) = own.filter(behind(theirs)) {
            return Err(RepairError::OlderEpoch { which, theirs, own });
        }
    }
    Ok((last, epochs.current))
}
