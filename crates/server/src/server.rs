//! Putting a server together, running it, and taking it down.

use crate::busy_poll;
use crate::core_thread::{CORE_QUEUE_MAX, Core, CoreMessage, Peers};
use crate::directory_lock::{DirectoryInUse, DirectoryLock};
use crate::listener::Reception;
use crate::log_thread::{LOG_QUEUE_MAX, LogProgress, LogThread};
use crate::member::Seat;
use crate::settings::{Unsupported, settings};
use crate::shared::Shared;
use crate::snapshot_thread::{SnapshotCadence, SnapshotThread};
use crate::unsupported::unsupported;
use crate::workers::Workers;
use crate::{clock, listener};
use rustix::process::{Resource, Rlimit, getrlimit, setrlimit};
use socket2::Socket;
use std::net::{SocketAddr, TcpListener, ToSocketAddrs as _};
use std::sync::Arc;
use std::sync::mpsc::sync_channel;
use std::thread::JoinHandle;
use std::time::{Duration, Instant};
use tokio::runtime::Runtime;
use tokio::sync::{mpsc, oneshot};
use tokio_util::task::TaskTracker;
use tracing::{info, warn};
use zooid_config::{Config, HostPort};
use zooid_node::{Input, Node};
use zooid_storage::disk::RealDisk;
use zooid_storage::{EpochError, RecoverError};

/// The longest that the core goes without a timer, whatever it asked for.
const TIMER_MAX: Duration = Duration::from_millis(50);
/// How long connections may take to finish what they have begun when the server stops.
const DRAIN_MAX: Duration = Duration::from_secs(5);

/// Why a server does not start or had to stop.
#[derive(Debug, thiserror::Error)]
pub enum ServeError {
    /// The configuration asks for something that is not there.
    #[error(transparent)]
    Unsupported(#[from] Unsupported),
    /// The data directory cannot be used as it is.
    #[error(transparent)]
    Recover(#[from] RecoverError),
    /// The epoch files cannot be used as they are.
    #[error(transparent)]
    Epochs(#[from] EpochError),
    /// The list of servers does not say who this one is.
    #[error(
        "this server is to be part of an ensemble, but no server.N line is its own: write its N into \
         dataDir/myid"
    )]
    NoSeat,
    /// Another server works on the data directory.
    #[error(transparent)]
    InUse(#[from] DirectoryInUse),
    /// A repair of the data directory is not finished.
    #[error(transparent)]
    Interrupted(#[from] crate::repair::Interrupted),
    /// The client port cannot be had.
    #[error("cannot listen on {address}: {error}")]
    Bind {
        /// Where.
        address: String,
        /// What the system says.
        error: std::io::Error,
    },
    /// The election port cannot be had, however often it was tried.
    #[error("{reason}")]
    ElectionPort {
        /// What the system says, and where.
        reason: String,
        /// Java's.
        exit_code: u8,
    },
    /// No client port is configured.
    #[error("no client port is configured; set clientPort, or a client address in server.N")]
    NoClientPort,
    /// The system refuses a thread, a runtime or a signal handler.
    #[error("cannot start: {0}")]
    System(#[from] std::io::Error),
    /// Going on would have risked what was promised to clients.
    #[error("stopped: {0}")]
    Halted(String),
}

impl ServeError {
    /// The process exit code (Java `ExitCode`).
    #[must_use]
    pub fn exit_code(&self) -> u8 {
        match self {
            ServeError::Unsupported(_) | ServeError::NoClientPort | ServeError::NoSeat => 2,
            ServeError::Recover(RecoverError::Dir(_))
            | ServeError::InUse(_)
            | ServeError::Interrupted(_) => 3,
            ServeError::ElectionPort { exit_code, .. } => *exit_code,
            ServeError::Recover(_)
            | ServeError::Epochs(_)
            | ServeError::Bind { .. }
            | ServeError::System(_)
            | ServeError::Halted(_) => 1,
        }
    }
}

/// Runs a server, alone or as a member of an ensemble, until SIGTERM or SIGINT, which let it finish what it has begun.
///
/// # Errors
/// [`ServeError`] when it cannot start or must not go on.
pub fn serve(config: Config) -> Result<(), ServeError> {
    raise_descriptor_limit();
    // Clients, and links to other servers, have threads of their own.
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build()?;
    let outcome = runtime.block_on(run(config));
    runtime.shutdown_background();
    outcome
}

async fn run(config: Config) -> Result<(), ServeError> {
    for line in unsupported(&config) {
        warn!("{line}");
    }
    let settings = settings(&config)?;
    let mut server = Server::start(config, settings).await?;
    let mut terminate = tokio::signal::unix::signal(tokio::signal::unix::SignalKind::terminate())?;
    let mut interrupt = tokio::signal::unix::signal(tokio::signal::unix::SignalKind::interrupt())?;
    // Whoever is told may send a signal at once.
    notify_ready();
    // All arms only wait; none loses anything when dropped.
    tokio::select! {
        _ = terminate.recv() => info!("SIGTERM: finishing what was begun"),
        _ = interrupt.recv() => info!("SIGINT: finishing what was begun"),
        halted = &mut server.halted => {
            let reason = halted.unwrap_or_else(|_| "the core thread is gone".to_owned());
            return Err(ServeError::Halted(reason));
        }
    }
    server.stop().await
}

/// A running server.
pub(crate) struct Server {
    /// Held for its drop.
    lock: DirectoryLock,
    shared: Arc<Shared>,
    tasks: TaskTracker,
    /// Who serve the clients.
    client_port: Arc<TcpListener>,
    workers: Arc<Workers>,
    /// To the other servers of an ensemble.
    peers: Option<Peers>,
    /// Ends with the core.
    timer: tokio::task::JoinHandle<()>,
    threads: Vec<JoinHandle<()>>,
    /// Says why, if the core stops by itself.
    halted: oneshot::Receiver<String>,
}

impl Server {
    pub(crate) async fn start(
        config: Config,
        settings: zooid_node::Settings,
    ) -> Result<Server, ServeError> {
        let disk = Arc::new(RealDisk);
        // First of all, as in Java: a server started twice must not touch what the other works on.
        let client_port = ClientPort::bind(&config).await?;
        let lock = crate::database::lock(&*disk, &config)?;
        let opening = Instant::now();
        let mut opened = crate::database::open(disk, &config)?;
        let opening_took = opening.elapsed();
        let seat = Seat::of(&config)?;
        let mut first_outputs = Vec::new();
        let node = match &seat {
            None => Node::standalone(settings.clone(), &opened.replica, clock::now()),
            Some(seat) => seat.node(&config, settings.clone(), &mut opened, &mut first_outputs)?,
        };
        let listener = client_port.listen(&config)?;

        let (core_sender, core_inbox) = mpsc::channel(CORE_QUEUE_MAX);
        let (log_sender, log_inbox) = sync_channel(LOG_QUEUE_MAX);
        // Without room: a snapshot is asked for only when there is nobody writing one.
        let (snapshot_sender, snapshot_inbox) = sync_channel(0);
        let progress = Arc::new(LogProgress::new(core_sender.clone()));
        let cadence = SnapshotCadence::new(&config, opened.replayed, clock::now().wall_ms);
        let shared = Arc::new(Shared::new(
            config,
            settings,
            opened.files,
            opened.replica,
            core_sender,
        ));
        shared.stats.recovered(opening_took, opened.replayed);

        let core_runtime = CoreRuntime::new()?;
        let core_handle = core_runtime.get().handle().clone();
        let mut core = Core::new(
            node,
            Arc::clone(&shared),
            core_inbox,
            log_sender,
            Arc::clone(&progress),
        );
        let mut peers = None;
        if let Some(seat) = &seat {
            shared.set_config(&mut shared.replica.write());
            let ports = seat.open_ports(&shared, &core_handle).await?;
            peers = Some(ports.clone());
            core = core.with_peers(ports, first_outputs);
        } else {
            shared.set_serving(true);
        }
        let log = LogThread::new(
            opened.log,
            log_inbox,
            progress,
            Arc::clone(&shared),
            cadence,
            snapshot_sender,
        );
        let snapshots = SnapshotThread::new(Arc::clone(&shared), snapshot_inbox);
        let (halt, halted) = oneshot::channel();
        let run_core = move || {
            if let Err(reason) = core.run(core_runtime.get()) {
                // If nobody listens, the server is stopping already.
                let _ = halt.send(reason);
            }
        };
        let mut threads = vec![
            spawn("core", run_core)?,
            spawn("log", move || log.run())?,
            spawn("snapshot", move || snapshots.run())?,
        ];
        let tasks = TaskTracker::new();
        info!(address = %listener.local_addr()?, "serving clients");
        let workers = Arc::new(Workers::start(&shared, &tasks, &core_handle)?);
        let reception = Reception {
            shared: Arc::clone(&shared),
            workers: Arc::clone(&workers),
        };
        let client_port = Arc::new(listener);
        let port = Arc::clone(&client_port);
        threads.push(spawn("accept", move || reception.accept(&port))?);
        let timer = tokio::spawn(keep_time(Arc::clone(&shared)));
        tasks.spawn(crate::snapshot_thread::purge_regularly(Arc::clone(&shared)));
        Ok(Server {
            lock,
            shared,
            tasks,
            client_port,
            workers,
            peers,
            timer,
            threads,
            halted,
        })
    }

    /// Returns when it serves, or an error when it will not.
    pub(crate) async fn serves_or_halts(&mut self) -> Result<(), ServeError> {
        let mut looks = tokio::time::interval(TIMER_MAX);
        loop {
            // Neither arm loses anything when dropped.
            tokio::select! {
                _ = looks.tick() => {
                    if self.shared.is_serving() {
                        return Ok(());
                    }
                }
                halted = &mut self.halted => {
                    let reason = halted.unwrap_or_else(|_| "the core thread is gone".to_owned());
                    return Err(ServeError::Halted(reason));
                }
            }
        }
    }

    /// Lets connections finish, then the core, then the log. A member stays one until its clients have
    /// finished, and a leader until what it has proposed is committed.
    pub(crate) async fn stop(self) -> Result<(), ServeError> {
        let Server {
            lock: _held_to_the_end,
            shared,
            tasks,
            client_port,
            workers: _still_serving,
            peers,
            timer,
            threads,
            mut halted,
        } = self;
        shared.start_draining();
        listener::refuse(&client_port);
        tasks.close();
        if tokio::time::timeout(DRAIN_MAX, tasks.wait()).await.is_err() {
            warn!("some clients did not finish in time");
        }
        if let Some(peers) = peers {
            leave(&shared, peers).await;
        }
        let (done, stopped) = oneshot::channel();
        if shared.core.send(CoreMessage::Stop(done)).await.is_ok() {
            // An error means that the core has ended by itself, which `halted` tells.
            let _ = stopped.await;
        }
        timer.abort();
        if let Ok(reason) = halted.try_recv() {
            return Err(ServeError::Halted(reason));
        }
        let joined = tokio::task::spawn_blocking(move || {
            threads
                .into_iter()
                .filter_map(|thread| thread.join().err())
                .count()
        });
        match joined.await {
            Ok(0) => Ok(()),
            _ => Err(ServeError::Halted("a thread panicked".to_owned())),
        }
    }
}

/// Leaves the ensemble. The others must see at once that this server is gone when they look for a
/// leader, so its election port is closed first.
async fn leave(shared: &Shared, peers: Peers) {
    let (done, left) = oneshot::channel();
    if shared.core.send(CoreMessage::Leave(done)).await.is_ok() {
        // An error means that the core has ended by itself, and with it this server's part.
        let _ = left.await;
    }
    peers.election.close().await;
    peers.links.close().await;
}

/// A connection is a descriptor, and the usual soft limit of 1024 is fewer than a server is meant to
/// have. The JVM raises its own, too (`-XX:+MaxFDLimit`).
fn raise_descriptor_limit() {
    let limit = getrlimit(Resource::Nofile);
    let raised = Rlimit {
        current: limit.maximum,
        maximum: limit.maximum,
    };
    if let Err(error) = setrlimit(Resource::Nofile, raised) {
        warn!(%error, soft_limit = limit.current, "cannot raise the limit of open files");
    }
}

/// What the core thread drives. Dropping it waits for nothing, and so may happen on any thread.
struct CoreRuntime(Option<Runtime>);

impl CoreRuntime {
    fn new() -> std::io::Result<CoreRuntime> {
        busy_poll::runtime().map(Some).map(CoreRuntime)
    }

    fn get(&self) -> &Runtime {
        self.0.as_ref().expect("it is taken by the drop only")
    }
}

impl Drop for CoreRuntime {
    fn drop(&mut self) {
        if let Some(runtime) = self.0.take() {
            runtime.shutdown_background();
        }
    }
}

fn spawn(name: &str, body: impl FnOnce() + Send + 'static) -> std::io::Result<JoinHandle<()>> {
    std::thread::Builder::new()
        .name(format!("zooid-{name}"))
        .spawn(body)
}

/// Feeds the core its timers, and before each what connections have heard. A leader that stops leads
/// until its clients have finished, so this goes on until then.
async fn keep_time(shared: Arc<Shared>) {
    loop {
        shared.wakeup_due(TIMER_MAX).await;
        let heard = shared.take_heard();
        let inputs = vec![Input::Touched(heard), Input::Timer];
        if shared.core.send(CoreMessage::Inputs(inputs)).await.is_err() {
            return;
        }
    }
}

/// The client port, taken but not yet open.
struct ClientPort {
    address: HostPort,
    socket: Socket,
}

impl ClientPort {
    async fn bind(config: &Config) -> Result<ClientPort, ServeError> {
        let Some(address) = config.client.address.clone() else {
            return Err(ServeError::NoClientPort);
        };
        let resolved = resolve(address.clone()).await;
        match resolved.and_then(listener::bind) {
            Ok(socket) => Ok(ClientPort { address, socket }),
            Err(error) => Err(bind_error(&address, error)),
        }
    }

    fn listen(self, config: &Config) -> Result<TcpListener, ServeError> {
        let client = &config.client;
        listener::listen_for_clients(self.socket, client.listen_backlog, client.tcp_keep_alive)
            .map_err(|error| bind_error(&self.address, error))
    }
}

fn bind_error(address: &HostPort, error: std::io::Error) -> ServeError {
    ServeError::Bind {
        address: address.to_string(),
        error,
    }
}

pub(crate) async fn resolve(address: HostPort) -> std::io::Result<SocketAddr> {
    if address.is_wildcard() {
        return Ok(SocketAddr::new(listener::wildcard(), address.port));
    }
    let lookup = move || (address.host.as_str(), address.port).to_socket_addrs();
    let mut found = tokio::task::spawn_blocking(lookup)
        .await
        .map_err(std::io::Error::other)??;
    found
        .next()
        .ok_or_else(|| std::io::Error::other("the name has no address"))
}

/// Tells systemd, if it started us.
fn notify_ready() {
    if let Err(error) = sd_notify::notify(&[sd_notify::NotifyState::Ready]) {
        warn!(%error, "cannot tell the service manager that the server is ready");
    }
}
