//! What the threads and tasks of one server share.

use crate::clients::Clients;
use crate::clock;
use crate::connection_throttle::ConnectionThrottle;
use crate::core_thread::CoreMessage;
use crate::database::Files;
use crate::quota_log::QuotaLog;
use crate::request_throttle::{self, RequestThrottle};
use crate::stats::ServerStats;
use parking_lot::{Mutex, RwLock};
use std::sync::atomic::{AtomicBool, AtomicI64, AtomicU64, AtomicUsize, Ordering};
use std::time::Duration;
use tokio::sync::{Notify, mpsc, oneshot, watch};
use zooid_config::Config;
use zooid_node::{ConnId, Context, Node, Now, Settings};
use zooid_proto::{SessionId, Zxid};
use zooid_tree::{Replica, Walk};

/// Bounds on what clients may make the server do.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Limits {
    /// `jute.maxbuffer`: bytes of one packet.
    pub(crate) max_buffer: usize,
    /// `zookeeper.globalOutstandingLimit`: requests under way.
    pub(crate) global_outstanding: usize,
    /// `zookeeper.nio.sessionlessCnxnTimeout`
    pub(crate) sessionless_timeout: Duration,
}

/// See the module.
#[derive(Debug)]
pub(crate) struct Shared {
    pub(crate) config: Config,
    pub(crate) settings: Settings,
    pub(crate) limits: Limits,
    pub(crate) files: Files,
    /// Written by the core thread only, a batch of commits per lock.
    pub(crate) replica: RwLock<Replica>,
    /// Counts the replicas that there have been; changes under the replica's write lock.
    incarnation: AtomicU64,
    /// Whether sessions are served.
    serving: AtomicBool,
    pub(crate) clients: Clients,
    pub(crate) request_throttle: RequestThrottle,
    pub(crate) connection_throttle: Mutex<ConnectionThrottle>,
    pub(crate) quota_log: Mutex<QuotaLog>,
    pub(crate) stats: ServerStats,
    pub(crate) core: mpsc::Sender<CoreMessage>,
    /// Requests whose reply is not made yet, over all connections.
    pub(crate) in_process: AtomicUsize,
    /// Bytes of the large ones among them.
    pub(crate) large_bytes: AtomicUsize,
    /// There may be room for one more, where [`RequestThrottle`] limits their number.
    pub(crate) room: Notify,
    /// When the core wants its next timer, on the monotonic clock.
    next_wakeup_ms: AtomicI64,
    /// That has become earlier.
    earlier_wakeup: Notify,
    /// Connections that sent something since the last timer; each is in it once.
    heard: Mutex<Vec<ConnId>>,
    /// Whether connections are to finish what they have begun. They look often, and are woken.
    is_draining: AtomicBool,
    /// The same for others, who wait for it.
    draining: watch::Sender<bool>,
}

impl Shared {
    pub(crate) fn new(
        config: Config,
        settings: Settings,
        files: Files,
        replica: Replica,
        core: mpsc::Sender<CoreMessage>,
    ) -> Shared {
        let count = |limit: Option<u32>| limit.map_or(0, size);
        let limits = Limits {
            max_buffer: size(config.client.jute_buffer_bytes_max),
            global_outstanding: request_throttle::global_outstanding_max(&config),
            sessionless_timeout: Duration::from_millis(config.client.sessionless_timeout_ms),
        };
        let clients = Clients::new(
            count(config.client.cnxns_per_ip_max),
            count(config.client.cnxns_max),
        );
        let connection_throttle =
            ConnectionThrottle::new(config.connection_throttle.clone(), clock::mono_ms());
        Shared {
            request_throttle: RequestThrottle::new(config.throttle.clone()),
            connection_throttle: Mutex::new(connection_throttle),
            quota_log: Mutex::default(),
            settings,
            limits,
            files,
            replica: RwLock::new(replica),
            incarnation: AtomicU64::new(0),
            serving: AtomicBool::new(false),
            clients,
            stats: ServerStats::new(clock::now()),
            core,
            in_process: AtomicUsize::new(0),
            large_bytes: AtomicUsize::new(0),
            room: Notify::new(),
            next_wakeup_ms: AtomicI64::new(0),
            earlier_wakeup: Notify::new(),
            heard: Mutex::new(Vec::new()),
            is_draining: AtomicBool::new(false),
            draining: watch::Sender::new(false),
            config,
        }
    }

    /// What a connection needs, over a replica that the caller has locked.
    pub(crate) fn context<'a>(&'a self, now: Now, replica: &'a Replica) -> Context<'a> {
        Context {
            now_ms: now.mono_ms,
            settings: &self.settings,
            replica,
        }
    }

    /// Whether sessions are served. Changes only under the replica's write lock.
    pub(crate) fn is_serving(&self) -> bool {
        self.serving.load(Ordering::Acquire)
    }

    /// Whether there is a server to be asked about.
    pub(crate) fn answers_words(&self) -> bool {
        self.is_serving() && !self.is_draining()
    }

    pub(crate) fn set_serving(&self, serving: bool) {
        self.serving.store(serving, Ordering::Release);
    }

    /// Has the core look at its node; `None` when it has ended.
    pub(crate) async fn inspect<T: Send + 'static>(
        &self,
        look: impl FnOnce(&Node) -> T + Send + 'static,
    ) -> Option<T> {
        let (found, answer) = oneshot::channel();
        let look = move |node: &Node| {
            // Whoever asked may have gone.
            let _ = found.send(look(node));
        };
        let message = CoreMessage::Inspect(Box::new(look));
        self.core.send(message).await.ok()?;
        answer.await.ok()
    }

    /// Tells when the core wants its next timer.
    pub(crate) fn set_next_wakeup_ms(&self, at_ms: i64) {
        let before = self.next_wakeup_ms.swap(at_ms, Ordering::AcqRel);
        if at_ms < before {
            self.earlier_wakeup.notify_one();
        }
    }

    /// Waits until the core wants a timer, at most so long. Cancellation-safe: it only waits.
    pub(crate) async fn wakeup_due(&self, longest: Duration) {
        let deadline = tokio::time::Instant::now() + longest;
        loop {
            let left_ms = self.next_wakeup_ms.load(Ordering::Acquire) - clock::mono_ms();
            let left = Duration::from_millis(u64::try_from(left_ms).unwrap_or(0).max(1));
            let due = deadline.min(tokio::time::Instant::now() + left);
            tokio::select! {
                () = tokio::time::sleep_until(due) => return,
                () = self.earlier_wakeup.notified() => {}
            }
        }
    }

    pub(crate) fn note_heard(&self, id: ConnId) {
        self.heard.lock().push(id);
    }

    /// Sessions heard of since the last call. Must be told to the core before any timer, or a
    /// session that only reads would expire.
    pub(crate) fn take_heard(&self) -> Vec<SessionId> {
        let heard = std::mem::take(&mut *self.heard.lock());
        heard
            .into_iter()
            .filter_map(|id| self.clients.get(id))
            .filter_map(|client| client.conn.lock().take_heard())
            .collect()
    }

    pub(crate) fn is_draining(&self) -> bool {
        self.is_draining.load(Ordering::Acquire)
    }

    /// Tells every connection to finish what it has begun. One that comes later finds out by itself.
    pub(crate) fn start_draining(&self) {
        self.is_draining.store(true, Ordering::Release);
        self.draining.send_replace(true);
        for client in self.clients.all() {
            client.wake();
        }
    }

    /// Waits for [`Shared::start_draining`].
    pub(crate) async fn drain_started(&self) {
        let mut draining = self.draining.subscribe();
        // The sender lives as long as `self`, so this only ends with a `true`.
        let _ = draining.wait_for(|draining| *draining).await;
    }
}

/// A walk over the shared replica, which may be replaced on the way.
#[derive(Debug)]
pub(crate) struct SharedWalk {
    pub(crate) walk: Walk,
    pub(crate) started: Incarnation,
}

/// One of the replicas that there have been.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Incarnation(u64);

impl Incarnation {
    /// Whether it is the one that the caller holds a lock of.
    pub(crate) fn is_current(self, shared: &Shared) -> bool {
        shared.incarnation.load(Ordering::Acquire) == self.0
    }
}

impl SharedWalk {
    /// Where in the history the walk is.
    pub(crate) fn zxid(&self) -> Zxid {
        self.walk.zxid()
    }
}

/// Replicas and walks over them.
impl Shared {
    /// Puts another replica in the place of the one there is, which is returned: dropping it takes
    /// time.
    pub(crate) fn replace_replica(&self, replica: Replica) -> Replica {
        let mut current = self.replica.write();
        self.incarnation.fetch_add(1, Ordering::AcqRel);
        std::mem::replace(&mut current, replica)
    }

    /// Begins a walk on the replica, which the caller has locked.
    pub(crate) fn begin_walk(&self, replica: &mut Replica) -> SharedWalk {
        SharedWalk {
            walk: replica.begin_walk(),
            started: Incarnation(self.incarnation.load(Ordering::Acquire)),
        }
    }

    /// Has a member's replica tell the configuration, which stands in no transaction. To be done with
    /// every replica before it is served.
    pub(crate) fn set_config(&self, replica: &mut Replica) {
        let servers = &self.config.servers;
        if self.config.is_distributed() {
            let version = Zxid(servers.version);
            let now = clock::now().wall_ms;
            replica.set_config(servers.config_text().as_bytes(), version, now);
        }
    }
}

pub(crate) fn size(count: u32) -> usize {
    usize::try_from(count).expect("usize has at least 32 bits")
}
