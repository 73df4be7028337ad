//! What the threads and tasks of one server share.

use crate::clients::Clients;
use crate::clock;
use crate::connection_throttle::ConnectionThrottle;
use crate::core_thread::CoreMessage;
use crate::database::Files;
use crate::request_throttle::RequestThrottle;
use crate::stats::ServerStats;
use parking_lot::{Mutex, RwLock};
use std::sync::atomic::{AtomicI64, AtomicUsize};
use std::time::Duration;
use tokio::sync::{Notify, mpsc, watch};
use zooid_config::Config;
use zooid_node::{ConnId, Context, Settings};
use zooid_proto::SessionId;
use zooid_tree::Replica;

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
    pub(crate) clients: Clients,
    pub(crate) request_throttle: RequestThrottle,
    pub(crate) connection_throttle: Mutex<ConnectionThrottle>,
    pub(crate) stats: ServerStats,
    pub(crate) core: mpsc::Sender<CoreMessage>,
    /// Requests whose reply is not made yet, over all connections.
    pub(crate) in_process: AtomicUsize,
    /// Bytes of the large ones among them.
    pub(crate) large_bytes: AtomicUsize,
    /// There may be room for one more, where [`RequestThrottle`] limits their number.
    pub(crate) room: Notify,
    /// When the core wants its next timer, on the monotonic clock.
    pub(crate) next_wakeup_ms: AtomicI64,
    /// Connections that sent something since the last timer; each is in it once.
    heard: Mutex<Vec<ConnId>>,
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
            global_outstanding: size(config.throttle.global_outstanding_limit),
            sessionless_timeout: Duration::from_millis(config.client.sessionless_timeout_ms),
        };
        let clients = Clients::new(
            count(config.client.cnxns_per_ip_max),
            count(config.client.cnxns_max),
        );
        let connection_throttle =
            ConnectionThrottle::new(config.connection_throttle.clone(), clock::now().mono_ms);
        Shared {
            request_throttle: RequestThrottle::new(config.throttle.clone()),
            connection_throttle: Mutex::new(connection_throttle),
            settings,
            limits,
            files,
            replica: RwLock::new(replica),
            clients,
            stats: ServerStats::new(clock::now()),
            core,
            in_process: AtomicUsize::new(0),
            large_bytes: AtomicUsize::new(0),
            room: Notify::new(),
            next_wakeup_ms: AtomicI64::new(0),
            heard: Mutex::new(Vec::new()),
            draining: watch::Sender::new(false),
            config,
        }
    }

    /// What a connection needs, over a replica that the caller has locked.
    pub(crate) fn context<'a>(&'a self, replica: &'a Replica) -> Context<'a> {
        Context {
            now: clock::now(),
            settings: &self.settings,
            replica,
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
        *self.draining.borrow()
    }

    /// Tells every connection to finish what it has begun.
    pub(crate) fn start_draining(&self) {
        self.draining.send_replace(true);
    }

    /// Waits for [`Shared::start_draining`].
    pub(crate) async fn drain_started(&self) {
        let mut draining = self.draining.subscribe();
        // The sender lives as long as `self`, so this only ends with a `true`.
        let _ = draining.wait_for(|draining| *draining).await;
    }
}

pub(crate) fn size(count: u32) -> usize {
    usize::try_from(count).expect("usize has at least 32 bits")
}
