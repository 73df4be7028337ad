//! One life of one server: the values under test, and the dull driver around them that stands for
//! threads, sockets and queues. Each method is one turn of one of them.

mod core;
mod log;
mod socket;

use crate::env::Env;
use crate::fact::Fact;
use crate::options::{Profile, settings};
use crate::random::Random;
use crate::schedule::{Event, Life, Turn};
use bytes::Bytes;
use socket::Socket;
use std::collections::{BTreeMap, BTreeSet, VecDeque};
use std::fmt;
use std::path::Path;
use std::sync::Arc;
use zooid_node::{ConnId, Context, Input, Node, Output, Settings};
use zooid_proto::{Zxid, mutant};
use zooid_storage::disk::{Disk, SimulatedDisk};
use zooid_storage::{
    Dirs, LogOptions, RecoverError, RecoverOptions, Recovered, Snapshots, TxnLog, recover,
};
use zooid_tree::{Fired, Replica, TreeOptions, Walk};

/// The disk and where things are on it.
#[derive(Clone, Debug)]
pub(crate) struct Site {
    pub(crate) simulated: SimulatedDisk,
    pub(crate) disk: Arc<dyn Disk>,
    pub(crate) dirs: Dirs,
    pub(crate) snapshots: Arc<Snapshots>,
}

impl Site {
    pub(crate) fn new(simulated: SimulatedDisk, profile: &Profile) -> Site {
        let disk: Arc<dyn Disk> = if mutant!(NeverSyncsNames) {
            Arc::new(crate::forgetful::ForgetfulDisk(simulated.clone()))
        } else {
            Arc::new(simulated.clone())
        };
        let logs = profile.separate_log_dir.then(|| Path::new("/logs"));
        let dirs = Dirs::new(Path::new("/data"), logs);
        let snapshots = Arc::new(Snapshots::new(Arc::clone(&disk), &dirs));
        Site {
            simulated,
            disk,
            dirs,
            snapshots,
        }
    }

    pub(crate) fn recover(&self) -> Result<Recovered, RecoverError> {
        let options = RecoverOptions {
            tree: TreeOptions {
                digest: true,
                owner_rules: crate::model::OWNER_RULES,
                child_lists: crate::model::CHILD_LISTS,
            },
            ..RecoverOptions::default()
        };
        recover(&self.disk, &self.dirs, &self.snapshots, &options)
    }

    pub(crate) fn has_power(&self) -> bool {
        self.simulated.exists(Path::new("/")).is_ok()
    }

    fn log(&self, profile: &Profile, last: Zxid) -> TxnLog {
        let options = LogOptions {
            preallocate: profile.preallocate,
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

/// Why a life ended.
#[derive(Clone, Debug)]
pub(crate) enum End {
    PowerLost,
    Killed,
    Halted(String),
}

impl fmt::Display for End {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            End::PowerLost => f.write_str("power is lost"),
            End::Killed => f.write_str("it is killed"),
            End::Halted(reason) => f.write_str(reason),
        }
    }
}

#[derive(Debug)]
struct Append {
    generation: u64,
    zxid: Zxid,
    record: Bytes,
}

#[derive(Debug)]
pub(crate) struct Server {
    pub(crate) site: Site,
    pub(crate) life: Life,
    pub(crate) replica: Replica,
    pub(crate) end: Option<End>,
    settings: Settings,
    dice: Random,
    node: Node,
    sockets: BTreeMap<ConnId, Socket>,
    /// What waits for the core.
    inbox: VecDeque<Input>,
    progress: Option<Input>,
    core_is_due: bool,
    outputs: Vec<Output>,
    /// Sockets to wake after the core's turn.
    touched: BTreeSet<ConnId>,
    late_events: Vec<Fired>,
    log: TxnLog,
    log_queue: VecDeque<Append>,
    log_is_busy: bool,
    log_has_failed: bool,
    unsnapshotted: u64,
    snap_count: u64,
    /// Whether a snapshot will be begun soon.
    snapshot_is_due: bool,
    /// One that a mutant has begun in the midst of a transaction.
    begun: Option<Walk>,
}

impl Server {
    /// A server over what recovery found.
    pub(crate) fn start(
        env: &mut Env,
        site: Site,
        recovered: Recovered,
        profile: &Profile,
        life: Life,
        seed: u64,
    ) -> Server {
        let settings = settings();
        let replica = recovered.replica;
        let mut dice = Random::stream(seed, &format!("server {}", life.0));
        let now = env.now();
        env.tell(&Fact::Recovered {
            now,
            replica: &replica,
            last: recovered.last_zxid,
        });
        env.after(dice.below(50_000), Event::Server(life, Turn::Timer));
        env.after(
            dice.below(profile.purge_interval_us),
            Event::Server(life, Turn::Purge),
        );
        Server {
            node: Node::standalone(settings.clone(), &replica, now),
            log: site.log(profile, replica.last_zxid()),
            site,
            life,
            replica,
            end: None,
            settings,
            dice,
            sockets: BTreeMap::new(),
            inbox: VecDeque::new(),
            progress: None,
            core_is_due: false,
            outputs: Vec::new(),
            touched: BTreeSet::new(),
            late_events: Vec::new(),
            log_queue: VecDeque::new(),
            log_is_busy: false,
            log_has_failed: false,
            unsnapshotted: recovered.found.txns,
            snap_count: profile.snap_count,
            snapshot_is_due: false,
            begun: None,
        }
    }

    /// Records proposed that the log has not written yet.
    pub(crate) fn unwritten(&self) -> impl Iterator<Item = &Bytes> {
        self.log_queue.iter().map(|append| &append.record)
    }

    pub(crate) fn begin_walk(&mut self) -> Walk {
        self.snapshot_is_due = false;
        let begun = self.begun.take();
        begun.unwrap_or_else(|| self.replica.begin_walk())
    }

    fn after(&self, env: &mut Env, delay_us: u64, turn: Turn) {
        env.after(delay_us, Event::Server(self.life, turn));
    }

    fn soon(&mut self, env: &mut Env, most_us: u64, turn: Turn) {
        let delay_us = self.dice.below(most_us);
        self.after(env, delay_us, turn);
    }

    fn tell_core(&mut self, env: &mut Env, inputs: impl IntoIterator<Item = Input>) {
        self.inbox.extend(inputs);
        if !self.core_is_due && !self.inbox.is_empty() {
            self.core_is_due = true;
            self.soon(env, 200, Turn::Core);
        }
    }

    fn report(&mut self, env: &mut Env, progress: Input) {
        self.progress = Some(progress);
        self.tell_core(env, []);
        if !self.core_is_due {
            self.core_is_due = true;
            self.soon(env, 200, Turn::Core);
        }
    }

    /// Tells the core the time, and before it whom the connections have heard.
    pub(crate) fn timer(&mut self, env: &mut Env) {
        let heard = self
            .sockets
            .values_mut()
            .filter_map(|socket| socket.connection.take_heard());
        let heard: Vec<_> = heard.collect();
        self.tell_core(env, [Input::Touched(heard), Input::Timer]);
        let until_ms = self.node.next_wakeup_ms() - env.now().mono_ms;
        let until_us = u64::try_from(until_ms).unwrap_or(0).saturating_mul(1000);
        self.after(env, until_us.clamp(1000, 50_000), Turn::Timer);
    }

    fn with(
        &mut self,
        env: &mut Env,
        id: ConnId,
        act: impl FnOnce(&mut zooid_node::Connection, &Context<'_>),
    ) {
        let ctx = Context {
            now_ms: env.now().mono_ms,
            settings: &self.settings,
            replica: &self.replica,
        };
        let Some(socket) = self.sockets.get_mut(&id) else {
            return;
        };
        act(&mut socket.connection, &ctx);
        socket.drain(env);
        self.touched.insert(id);
    }
}
