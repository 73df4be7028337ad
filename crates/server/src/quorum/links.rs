//! All connections on the quorum port, those accepted and those dialled.
//!
//! The core queues what is to be sent and never waits; each link has a task that reads and one that
//! writes. What a link's end means, the core decides.

use super::dial::{Patience, connect};
use super::line_limit::LineLimit;
use super::link::{Link, Part};
use super::log_history;
use super::reader::LinkReader;
use super::received::ReceivedSnapshot;
use super::writer;
use crate::clock;
use crate::core_thread::CoreMessage;
use crate::membership;
use crate::shared::Shared;
use parking_lot::Mutex;
use std::collections::BTreeMap;
use std::net::SocketAddr;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;
use tokio::net::TcpStream;
use tokio::runtime::Handle;
use tokio::task::JoinSet;
use tokio_util::sync::CancellationToken;
use tokio_util::task::TaskTracker;
use tracing::{info, warn};
use zooid_config::HostPort;
use zooid_node::Input;
use zooid_proto::{ServerId, Zxid};
use zooid_tree::Replica;
use zooid_zab::LinkId;

/// Learners that may be connected at a time, strangers included: many times what an ensemble has.
const ACCEPTED_MAX: usize = 512;

/// How long a link may go on sending after its end.
const LAST_WORDS_MAX: Duration = Duration::from_millis(50);

/// See the module.
#[derive(Debug)]
pub(crate) struct Links {
    pub(super) shared: Arc<Shared>,
    runtime: Handle,
    tasks: TaskTracker,
    closing: CancellationToken,
    open: Mutex<BTreeMap<LinkId, Arc<Link>>>,
    /// Snapshots received whole, until they are installed or their link has ended.
    received: Mutex<BTreeMap<LinkId, ReceivedSnapshot>>,
    next_accepted: AtomicU64,
    /// Lines about those who have not introduced themselves.
    strangers: LineLimit,
}

/// Who has made a link.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Origin {
    /// A learner.
    Accepted,
    /// This server, to its leader.
    Dialled,
}

impl Links {
    pub(crate) fn new(shared: Arc<Shared>, runtime: Handle) -> Links {
        Links {
            shared,
            runtime,
            tasks: TaskTracker::new(),
            closing: CancellationToken::new(),
            open: Mutex::default(),
            received: Mutex::default(),
            next_accepted: AtomicU64::new(2),
            strangers: LineLimit::default(),
        }
    }

    /// Runs a task that ends when the links are closed.
    pub(super) fn spawn(&self, task: impl Future<Output = ()> + Send + 'static) {
        self.tasks.spawn_on(task, &self.runtime);
    }

    /// Cancelled by [`Links::close`].
    pub(crate) fn closing(&self) -> CancellationToken {
        self.closing.clone()
    }

    /// Waits for [`Links::close`].
    pub(super) async fn closed(&self) {
        self.closing.cancelled().await;
    }

    /// Ends everything.
    pub(crate) async fn close(&self) {
        self.closing.cancel();
        self.tasks.close();
        self.tasks.wait().await;
    }

    /// Takes a learner's connection in, if there is room.
    pub(super) fn accept(self: &Arc<Self>, stream: TcpStream, remote: SocketAddr) {
        if !self.make_room() {
            if let Some(left_out) = self.strangers.admit(clock::mono_ms()) {
                warn!(%remote, left_out, "too many servers are connected to the quorum port");
            }
            return;
        }
        let id = LinkId(self.next_accepted.fetch_add(2, Ordering::Relaxed));
        let link = self.register(id);
        let links = Arc::clone(self);
        self.spawn(async move {
            let end = links.run(&link, stream, Origin::Accepted).await;
            if link.is_introduced() {
                info!(link = id.0, %remote, reason = %end, "link closed");
            } else if let Some(left_out) = links.strangers.admit(clock::mono_ms()) {
                info!(%remote, reason = %end, left_out, "closed a stranger's connection");
            }
        });
    }

    /// Whoever has not introduced itself goes first, the oldest before others: strangers must not keep
    /// a learner out.
    fn make_room(&self) -> bool {
        let open = self.open.lock();
        let accepted = || open.values().filter(|link| link.id.0.is_multiple_of(2));
        if accepted().count() < ACCEPTED_MAX {
            return true;
        }
        let silent = accepted().find(|link| !link.is_introduced() && !link.is_hung_up());
        if let Some(link) = silent {
            link.hang_up("others need its place, and it says nothing".to_owned());
        }
        silent.is_some()
    }

    fn register(&self, id: LinkId) -> Arc<Link> {
        let link = Arc::new(Link::new(id));
        self.open.lock().insert(id, Arc::clone(&link));
        link
    }

    /// Carries bytes until either side ends the link; says why.
    async fn run(self: &Arc<Self>, link: &Arc<Link>, stream: TcpStream, origin: Origin) -> String {
        let quorum = &self.shared.config.quorum;
        let no_delay = match origin {
            Origin::Accepted => quorum.leader_no_delay,
            Origin::Dialled => quorum.follower_no_delay,
        };
        if let Err(error) = stream.set_nodelay(no_delay) {
            self.forget(link);
            return error.to_string();
        }
        let (read_half, write_half) = stream.into_split();
        let reader = LinkReader::new(Arc::clone(self), Arc::clone(link), read_half, origin);
        let writing = writer::run(Arc::clone(&self.shared), Arc::clone(link), write_half);
        let mut halves = JoinSet::new();
        halves.spawn(reader.run());
        halves.spawn(writing);
        // Nothing is lost by dropping any: whichever comes first ends the link.
        let end = tokio::select! {
            Some(end) = halves.join_next() => end.unwrap_or_else(|error| error.to_string()),
            reason = self.overdue(link) => reason,
        };
        // Nothing may come from the link after the word that it is down.
        halves.shutdown().await;
        self.forget(link);
        let down = CoreMessage::Inputs(vec![Input::LinkDown(link.id)]);
        // The core being gone, nobody needs to know.
        let _ = self.shared.core.send(down).await;
        end
    }

    /// Waits until this side ends the link, and then for as long as the writer may take to send what is
    /// queued. It ends before, unless the other side does not read.
    async fn overdue(&self, link: &Link) -> String {
        let reason = tokio::select! {
            reason = link.hung_up() => reason,
            () = self.closed() => "this server stops".to_owned(),
        };
        link.hang_up(reason.clone());
        tokio::time::sleep(LAST_WORDS_MAX).await;
        reason
    }

    fn forget(&self, link: &Link) {
        self.open.lock().remove(&link.id);
        link.clear();
    }

    /// The link, if it is open.
    pub(crate) fn get(&self, id: LinkId) -> Option<Arc<Link>> {
        self.open.lock().get(&id).cloned()
    }

    pub(super) fn hold_snapshot(&self, id: LinkId, snapshot: ReceivedSnapshot) {
        self.received.lock().insert(id, snapshot);
    }

    fn quorum_addresses(&self, server: ServerId) -> Vec<HostPort> {
        let spec = self.shared.config.servers.get(server);
        let addresses = spec.map_or(&[][..], |spec| &spec.addresses);
        addresses
            .iter()
            .map(|address| HostPort {
                host: address.host.clone(),
                port: address.quorum_port,
            })
            .collect()
    }
}

/// What the core asks for. Nothing here waits.
impl Links {
    /// Connects to a server.
    pub(crate) fn dial(self: &Arc<Self>, id: LinkId, server: ServerId) {
        let link = self.register(id);
        let links = Arc::clone(self);
        self.spawn(async move {
            let end = links.dial_and_run(&link, server).await;
            info!(link = id.0, %server, reason = %end, "link to the leader closed");
        });
    }

    async fn dial_and_run(self: &Arc<Self>, link: &Arc<Link>, server: ServerId) -> String {
        let config = &self.shared.config;
        let patience = Patience {
            limit: Duration::from_millis(membership::connect_limit_ms(config)),
            pause: Duration::from_millis(config.quorum.leader_connect_retry_delay_ms),
        };
        let addresses = self.quorum_addresses(server);
        let connected = tokio::select! {
            connected = connect(&addresses, patience) => connected.map_err(|error| error.to_string()),
            reason = link.hung_up() => Err(reason),
            () = self.closed() => Err("this server stops".to_owned()),
        };
        let first = match connected {
            Ok(_) => Input::LinkUp(link.id),
            Err(_) => Input::LinkDown(link.id),
        };
        // The core being gone, nobody needs to know.
        let _ = self
            .shared
            .core
            .send(CoreMessage::Inputs(vec![first]))
            .await;
        match connected {
            Ok(stream) => self.run(link, stream, Origin::Dialled).await,
            Err(reason) => {
                self.forget(link);
                reason
            }
        }
    }

    /// Queues a part of the log.
    pub(crate) fn send_log(&self, id: LinkId, after: Zxid, upto: Zxid) -> Option<Arc<Link>> {
        let link = self.get(id)?;
        link.push(Part::Log { after, upto });
        Some(link)
    }

    /// Queues a SNAP and the replica.
    pub(crate) fn send_snapshot(&self, id: LinkId, replica: &mut Replica) -> Option<Arc<Link>> {
        let link = self.get(id)?;
        link.push(Part::Snapshot(Box::new(self.shared.begin_walk(replica))));
        Some(link)
    }

    /// Looks whether the log has what comes after a transaction, and tells the core.
    pub(crate) fn probe_log(self: &Arc<Self>, id: LinkId, after: Zxid) {
        let shared = Arc::clone(&self.shared);
        self.spawn(async move {
            let core = shared.core.clone();
            let probe = move || log_history::probe(&shared, after);
            let found = tokio::task::spawn_blocking(probe).await;
            let found = found.unwrap_or(zooid_zab::LogProbe::Unknown);
            // The core being gone, nobody needs to know.
            let _ = core
                .send(CoreMessage::Inputs(vec![Input::LogProbed(id, found)]))
                .await;
        });
    }

    /// Ends a link, behind what is queued.
    pub(crate) fn hang_up(&self, id: LinkId, reason: String) {
        if let Some(link) = self.get(id) {
            link.hang_up(reason);
        }
    }

    /// The snapshot that has come on a link.
    pub(crate) fn take_snapshot(&self, id: LinkId) -> Option<ReceivedSnapshot> {
        self.received.lock().remove(&id)
    }

    /// Runs what takes long and nobody waits for.
    pub(crate) fn in_background(&self, act: impl FnOnce() + Send + 'static) {
        self.runtime.spawn_blocking(act);
    }
}
