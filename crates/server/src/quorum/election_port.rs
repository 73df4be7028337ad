//! The election port: the sockets under a [`Mesh`] (spec §5.1; Java `QuorumCnxManager`).
//!
//! One task, the [`Exchange`], owns the mesh and steps it; one task accepts, one per dial and one per
//! connection move bytes and tell the exchange what has happened. The core hands messages over
//! without ever waiting, and gets those of other servers as [`zooid_node::Input::Vote`].
//!
//! Whoever can reach the port can send anything: that costs a line in the log, of which there are not
//! too many, and the connection.

use crate::core_thread::CoreMessage;
use crate::server::resolve;
use crate::{clock, listener};
use bytes::Bytes;
use exchange::{Exchange, Shared};
use parking_lot::Mutex;
use std::collections::{BTreeMap, BTreeSet};
use std::io;
use std::sync::Arc;
use std::time::Duration;
use tokio::net::TcpListener;
use tokio::sync::{Notify, mpsc};
use tokio_util::sync::CancellationToken;
use tokio_util::task::TaskTracker;
use tracing::{info, warn};
use zooid_config::{Config, HostPort, ServerList, ServerSpec};
use zooid_proto::ServerId;
use zooid_proto::election::{ElectionAddress, InitialMessage};
use zooid_zab::Mesh;

mod connection;
mod dial;
mod exchange;

/// Pause between attempts to bind.
const BIND_PAUSE: Duration = Duration::from_secs(1);

/// Why the election port cannot be had.
#[derive(Debug, thiserror::Error)]
pub(crate) enum ElectionPortError {
    /// An address is taken, or is none of this machine.
    #[error("cannot listen for votes on {address}: {error}")]
    Bind {
        /// Where.
        address: HostPort,
        /// What the system says.
        error: io::Error,
    },
    /// The server stops.
    #[error("stopped before there was an election port")]
    Stopped,
}

impl ElectionPortError {
    /// The process exit code (Java `ExitCode.UNABLE_TO_BIND_QUORUM_PORT`).
    pub(crate) fn exit_code(&self) -> u8 {
        match self {
            ElectionPortError::Bind { .. } => 14,
            ElectionPortError::Stopped => 0,
        }
    }
}

/// The way to the other servers' election ports.
#[derive(Clone, Debug)]
pub(crate) struct ElectionPort {
    outbox: Arc<Outbox>,
    tasks: TaskTracker,
    stop: CancellationToken,
}

impl ElectionPort {
    /// Listens on the server's own addresses, and serves until `stop` or [`ElectionPort::close`].
    ///
    /// # Errors
    /// When an address cannot be bound in as many attempts as are configured.
    pub(crate) async fn start(
        config: &Config,
        own: &ServerSpec,
        core: mpsc::Sender<CoreMessage>,
        stop: CancellationToken,
    ) -> Result<ElectionPort, ElectionPortError> {
        let mut listeners = Vec::new();
        for address in addresses_to_bind(config, own) {
            let bound = bind_patiently(&address, config.quorum.election_port_bind_retries);
            // Dropping a half-bound socket closes it.
            let listener = tokio::select! {
                bound = bound => bound.map_err(|error| ElectionPortError::Bind {
                    address: address.clone(),
                    error,
                })?,
                () = stop.cancelled() => return Err(ElectionPortError::Stopped),
            };
            info!(%address, "waiting for votes");
            listeners.push(listener);
        }
        let options = Options::of(config, own);
        let peers = peers(config, own.id);
        Ok(ElectionPort::serve(options, peers, listeners, core, stop))
    }

    fn serve(
        options: Options,
        peers: BTreeMap<ServerId, Vec<ElectionAddress>>,
        listeners: Vec<TcpListener>,
        core: mpsc::Sender<CoreMessage>,
        stop: CancellationToken,
    ) -> ElectionPort {
        let tasks = TaskTracker::new();
        let outbox = Arc::new(Outbox::default());
        let mesh = Mesh::new(options.me, peers);
        let (shared, events) = Shared::new(options, tasks.clone(), stop.clone());
        for listener in listeners {
            shared.spawn(connection::accept(Arc::clone(&shared), listener));
        }
        let exchange = Exchange::new(mesh, shared, Arc::clone(&outbox), core);
        tasks.spawn(exchange.run(events));
        ElectionPort {
            outbox,
            tasks,
            stop,
        }
    }

    /// Closes the port and every connection, and waits until that is so: who dials then is refused.
    pub(crate) async fn close(&self) {
        self.stop.cancel();
        self.tasks.close();
        self.tasks.wait().await;
    }

    /// Puts a message into the slot of a server; it replaces one that has not left. Never waits.
    pub(crate) fn send(&self, to: ServerId, message: Bytes) {
        self.outbox.slots.lock().insert(to, message);
        self.outbox.filled.notify_one();
    }
}

/// What the core wants sent and the exchange has not taken yet: one message per server. A channel would
/// have to be unbounded, or make the core wait.
#[derive(Debug, Default)]
struct Outbox {
    slots: Mutex<BTreeMap<ServerId, Bytes>>,
    filled: Notify,
}

/// What an operator may choose about the port.
#[derive(Debug)]
struct Options {
    me: ServerId,
    /// What a dialer says first.
    introduction: Vec<u8>,
    connect_timeout: Duration,
    handshake_timeout: Duration,
    keep_alive: bool,
}

impl Options {
    fn of(config: &Config, own: &ServerSpec) -> Options {
        let quorum = &config.quorum;
        let message = InitialMessage {
            from: own.id,
            addresses: election_addresses(own),
        };
        let introduction = if quorum.multi_address_enabled {
            message.encode_many_addresses()
        } else {
            message.encode_one_address()
        };
        let tick_ms = u64::try_from(config.tick_time_ms).unwrap_or(0);
        let by_ticks_ms = tick_ms.saturating_mul(u64::from(quorum.sync_limit_ticks));
        let handshake_ms = quorum
            .election_read_timeout_ms
            .filter(|timeout_ms| *timeout_ms > 0)
            .unwrap_or(by_ticks_ms);
        Options {
            me: own.id,
            introduction,
            connect_timeout: Duration::from_millis(quorum.connect_timeout_ms),
            handshake_timeout: Duration::from_millis(handshake_ms),
            keep_alive: quorum.tcp_keep_alive,
        }
    }
}

fn addresses_to_bind(config: &Config, own: &ServerSpec) -> Vec<HostPort> {
    if config.quorum.listen_on_all_ips {
        let ports: BTreeSet<u16> = own.addresses.iter().map(|a| a.election_port).collect();
        return ports.into_iter().map(HostPort::wildcard).collect();
    }
    let addresses = own.addresses.iter().map(|address| HostPort {
        host: address.host.clone(),
        port: address.election_port,
    });
    addresses.collect()
}

/// 0 attempts are attempts without end.
async fn bind_patiently(address: &HostPort, attempts_max: u32) -> io::Result<TcpListener> {
    let mut attempt = 1;
    loop {
        let resolved = resolve(address.clone()).await;
        let bound = resolved.and_then(listener::bind).and_then(listener::listen);
        match bound {
            Err(error) if attempt != attempts_max => {
                warn!(%address, %error, "cannot listen for votes yet");
            }
            bound => return bound,
        }
        attempt += 1;
        tokio::time::sleep(BIND_PAUSE).await;
    }
}

/// Everyone in the committed or the proposed configuration; the committed one's address is tried first.
fn peers(config: &Config, me: ServerId) -> BTreeMap<ServerId, Vec<ElectionAddress>> {
    let mut peers: BTreeMap<ServerId, Vec<ElectionAddress>> = BTreeMap::new();
    let lists = std::iter::once(&config.servers).chain(&config.last_seen_servers);
    for spec in lists.flat_map(ServerList::iter) {
        if spec.id == me {
            continue;
        }
        let known = peers.entry(spec.id).or_default();
        for address in election_addresses(spec) {
            if !known.contains(&address) {
                known.push(address);
            }
        }
    }
    peers
}

fn election_addresses(spec: &ServerSpec) -> Vec<ElectionAddress> {
    let addresses = spec.addresses.iter().map(|address| ElectionAddress {
        host: address.host.clone(),
        port: address.election_port,
    });
    addresses.collect()
}

fn now_ms() -> i64 {
    clock::mono_ms()
}

#[cfg(test)]
mod tests;
