//! The core thread: the only one that steps the [`Node`] and writes the replica.
//!
//! It takes what has queued up as one batch, steps the node through it under the read lock, hands
//! what is for the storage to the log thread at once, and carries everything else out in order, with
//! one write lock around what needs it.
//!
//! The links to the other servers are tasks of this thread's own runtime: nothing that comes from them,
//! or goes to them, waits for another thread to wake up. Where there are few processors clients are, too
//! (`workers.rs`).

use crate::busy_poll;
use crate::client::Client;
use crate::clock;
use crate::log_thread::{Appends, Completion, LogCommand, LogProgress};
use crate::quorum::{ElectionPort, Link, Links};
use crate::quota_log;
use crate::shared::Shared;
use crate::stats::TxnOrigin;
use parking_lot::RwLockWriteGuard;
use std::collections::BTreeMap;
use std::sync::Arc;
use std::sync::mpsc::SyncSender;
use std::vec::Drain;
use tokio::runtime::Runtime;
use tokio::sync::{mpsc, oneshot};
use tokio::task::yield_now;
use tracing::{error, info, warn};
use zooid_node::{ConnId, Context, Input, Node, Now, Output, look_ahead_at_commits};
use zooid_proto::TxnRecord;
use zooid_proto::election::PeerState;
use zooid_tree::{Fired, Replica};
use zooid_zab::LinkId;

/// Messages that may wait for the core.
pub(crate) const CORE_QUEUE_MAX: usize = 16 << 10;
/// Messages taken as one batch.
const BATCH_MAX: usize = 1024;
/// Clients that are answered from this thread, if a batch has no more of them.
const ANSWERED_HERE_MAX: usize = 2;
/// Outputs for which there is always room.
const OUTPUTS_KEPT_MAX: usize = 4096;
/// So many inputs or outputs are looked ahead at together. The clock is looked at as often, since only latencies
/// are told by it.
const ROUND: usize = Replica::LOOK_AHEAD_MAX;

/// What reaches the core.
pub(crate) enum CoreMessage {
    /// From connections and timers.
    Inputs(Vec<Input>),
    /// The log has made progress; how much is in [`LogProgress`].
    Log,
    /// An operator wants to look at the node.
    Inspect(Box<dyn FnOnce(&Node) + Send>),
    /// Give up being a member of the ensemble, and say so when it is done.
    Leave(oneshot::Sender<()>),
    /// Stop when everything proposed is durable and answered.
    Stop(oneshot::Sender<()>),
}

/// The thread's state.
pub(crate) struct Core {
    node: Node,
    shared: Arc<Shared>,
    inbox: mpsc::Receiver<CoreMessage>,
    log: SyncSender<LogCommand>,
    progress: Arc<LogProgress>,
    outputs: Vec<Output>,
    fired: Vec<Fired>,
    /// Connections to wake when the locks are released.
    touched: BTreeMap<ConnId, Arc<Client>>,
    /// Whose transactions come now.
    origin: TxnOrigin,
    /// Transactions applied and not counted yet.
    commits: u64,
    /// As of the last look at the clock.
    now: Now,
    /// The way to the other servers; `None` for a standalone server.
    peers: Option<Peers>,
    /// Links to wake when everything is queued.
    filled: BTreeMap<LinkId, Arc<Link>>,
    /// Links whose end the node has heard of.
    down: Vec<LinkId>,
    /// Who waits for the node to leave.
    leaving: Option<oneshot::Sender<()>>,
}

/// How a member of an ensemble reaches the others.
#[derive(Clone)]
pub(crate) struct Peers {
    /// The quorum port.
    pub(crate) links: Arc<Links>,
    /// The election port.
    pub(crate) election: ElectionPort,
}

impl Core {
    pub(crate) fn new(
        node: Node,
        shared: Arc<Shared>,
        inbox: mpsc::Receiver<CoreMessage>,
        log: SyncSender<LogCommand>,
        progress: Arc<LogProgress>,
    ) -> Core {
        Core {
            node,
            shared,
            inbox,
            log,
            progress,
            outputs: Vec::new(),
            fired: Vec::new(),
            touched: BTreeMap::new(),
            origin: TxnOrigin::Own,
            commits: 0,
            now: clock::now(),
            peers: None,
            filled: BTreeMap::new(),
            down: Vec::new(),
            leaving: None,
        }
    }

    /// Has the core work as a member of an ensemble, beginning with what its node wants first.
    pub(crate) fn with_peers(self, peers: Peers, first: Vec<Output>) -> Core {
        Core {
            peers: Some(peers),
            outputs: first,
            ..self
        }
    }

    /// Runs until told to stop (`Ok`) or until going on would be wrong (`Err` says why), with the tasks of
    /// the runtime beside it.
    pub(crate) fn run(self, runtime: &Runtime) -> Result<(), String> {
        runtime.block_on(self.work())
    }

    async fn work(mut self) -> Result<(), String> {
        let mut batch = Vec::with_capacity(BATCH_MAX);
        self.role_changed();
        self.perform()?;
        self.shared.set_next_wakeup_ms(self.node.next_wakeup_ms());
        while let Some(first) = self.inbox.recv().await {
            batch.push(first);
            while batch.len() < BATCH_MAX {
                let Ok(next) = self.inbox.try_recv() else {
                    break;
                };
                batch.push(next);
            }
            busy_poll::note_input();
            self.shared.stats.core_batch(batch.len());
            let before = self.node.stats();
            let mut stop = None;
            self.take_completions()?;
            self.step(batch.drain(..), &mut stop);
            self.shared.stats.node_advanced(&before, &self.node.stats());
            quota_log::tell(&self.shared, &self.node.take_exceeded_quotas());
            self.perform()?;
            self.shared.set_next_wakeup_ms(self.node.next_wakeup_ms());
            if let Some(done) = stop {
                self.drain()?;
                // Nobody waiting for the end any more is no reason not to end.
                let _ = done.send(());
                return Ok(());
            }
            if !self.inbox.is_empty() {
                // Else the links would wait until there is nothing to do.
                yield_now().await;
            }
        }
        Ok(())
    }

    /// Tells the node what the log has done, putting new replicas in their place.
    fn take_completions(&mut self) -> Result<(), String> {
        while let Some(completion) = self.progress.take() {
            let input = match completion {
                Completion::Plain(input) => input,
                Completion::Replaced { replica, input } => {
                    // What was said before is about the replica that goes.
                    self.perform()?;
                    self.replace_replica(*replica);
                    input
                }
            };
            let replica = self.shared.replica.read();
            self.node
                .step(clock::now(), input, &replica, &mut self.outputs);
        }
        Ok(())
    }

    fn replace_replica(&self, replica: Replica) {
        let old = self.shared.replace_replica(replica);
        if let Some(peers) = &self.peers {
            peers.links.in_background(move || drop(old));
        }
    }

    fn step(
        &mut self,
        batch: impl Iterator<Item = CoreMessage>,
        stop: &mut Option<oneshot::Sender<()>>,
    ) {
        let shared = Arc::clone(&self.shared);
        let replica = shared.replica.read();
        let now = clock::now();
        for message in batch {
            match message {
                CoreMessage::Inputs(inputs) => self.take_inputs(now, inputs, &replica),
                CoreMessage::Log => {}
                CoreMessage::Inspect(look) => look(&self.node),
                CoreMessage::Leave(left) => {
                    self.leaving = Some(left);
                    self.node
                        .step(now, Input::Leave, &replica, &mut self.outputs);
                }
                CoreMessage::Stop(done) => *stop = Some(done),
            }
        }
    }

    fn take_inputs(&mut self, now: Now, inputs: Vec<Input>, replica: &Replica) {
        let mut inputs = inputs.into_iter();
        while !inputs.as_slice().is_empty() {
            self.node.look_ahead(replica, next_round(inputs.as_slice()));
            for input in inputs.by_ref().take(ROUND) {
                if let Input::LinkDown(link) = input {
                    self.down.push(link);
                }
                self.shared.stats.received(&input);
                self.node.step(now, input, replica, &mut self.outputs);
            }
        }
    }

    /// Carries the outputs out, in order; what is for the storage first of all, so that the disk
    /// starts early.
    fn perform(&mut self) -> Result<(), String> {
        let mut outputs = std::mem::take(&mut self.outputs);
        self.perform_storage(&mut outputs)?;
        let has_left = self.perform_rest(outputs.drain(..))?;
        // Their room is used again: growing anew each time would go through many sizes of allocations, each
        // of which keeps memory.
        self.outputs = kept(outputs);
        let touched = std::mem::take(&mut self.touched);
        // Of many their own threads take care, on all the processors, where they have any.
        let are_few = touched.len() <= ANSWERED_HERE_MAX;
        for client in touched.into_values() {
            if are_few {
                client.answer_or_wake(&self.shared);
            } else {
                client.answer_at_desk();
            }
        }
        for link in std::mem::take(&mut self.filled).into_values() {
            link.wake();
        }
        if let Some(peers) = &self.peers {
            for link in self.down.drain(..) {
                // A snapshot that came on it and was not wanted.
                drop(peers.links.take_snapshot(link));
            }
        }
        // What is to be sent before is queued by now. Nobody waiting any more is no reason not to leave.
        if has_left && let Some(left) = self.leaving.take() {
            let _ = left.send(());
        }
        Ok(())
    }

    /// Hands the log thread its own, what is appended in a row together.
    fn perform_storage(&self, outputs: &mut [Output]) -> Result<(), String> {
        let count = outputs.len();
        let mut appends: Option<Appends> = None;
        for output in outputs {
            if let Output::Append {
                generation,
                zxid,
                record,
            } = output
            {
                if appends
                    .as_ref()
                    .is_none_or(|made| made.generation != *generation)
                {
                    self.store_all(appends.take())?;
                }
                let made = appends.get_or_insert_with(|| Appends {
                    generation: *generation,
                    records: Vec::with_capacity(count),
                });
                made.records.push((*zxid, std::mem::take(record)));
            } else if let Some(command) = self.log_command(output)? {
                self.store_all(appends.take())?;
                self.store(command)?;
            }
        }
        self.store_all(appends)
    }

    fn store_all(&self, appends: Option<Appends>) -> Result<(), String> {
        let Some(appends) = appends else {
            return Ok(());
        };
        let sizes = appends.records.iter().map(|(_, record)| record.len());
        self.shared.stats.logged(sizes, self.origin);
        self.store(LogCommand::Append(appends))
    }

    fn store(&self, command: LogCommand) -> Result<(), String> {
        let sent = self.log.send(command);
        sent.map_err(|_| "the log thread is gone".to_owned())
    }

    /// What an output that is no append is for the log thread, if it is.
    fn log_command(&self, output: &Output) -> Result<Option<LogCommand>, String> {
        Ok(Some(match *output {
            Output::Truncate { generation, target } => LogCommand::Truncate { generation, target },
            Output::InstallSnapshot {
                generation,
                link,
                zxid,
            } => {
                let received = self.peers().links.take_snapshot(link);
                let snapshot = received.ok_or_else(|| format!("no snapshot {zxid} has come"))?;
                assert_eq!(
                    snapshot.replica.last_zxid(),
                    zxid,
                    "a snapshot is installed as it came"
                );
                LogCommand::Install {
                    generation,
                    snapshot,
                }
            }
            Output::AcceptEpoch(epoch) => LogCommand::AcceptEpoch(epoch),
            Output::EnterEpoch(epoch) => LogCommand::EnterEpoch(epoch),
            _ => return Ok(None),
        }))
    }

    fn peers(&self) -> &Peers {
        let peers = self.peers.as_ref();
        peers.expect("only a member of an ensemble wants something of the others")
    }

    /// Whether the node has left its ensemble.
    fn perform_rest(&mut self, mut outputs: Drain<'_, Output>) -> Result<bool, String> {
        let shared = Arc::clone(&self.shared);
        let mut has_left = false;
        let mut lock = None;
        while !outputs.as_slice().is_empty() {
            self.now = clock::now();
            let round = next_round(outputs.as_slice());
            if round
                .iter()
                .any(|next| matches!(next, Output::Commit { .. }))
            {
                look_ahead_at_commits(locked(&mut lock, &shared), round);
            }
            for output in outputs.by_ref().take(ROUND) {
                has_left |= matches!(output, Output::Left);
                self.perform_one(output, &shared, &mut lock)?;
            }
        }
        self.count_commits();
        Ok(has_left)
    }

    fn perform_one<'s>(
        &mut self,
        output: Output,
        shared: &'s Shared,
        lock: &mut Option<RwLockWriteGuard<'s, Replica>>,
    ) -> Result<(), String> {
        match output {
            Output::Vote { to, message } => self.peers().election.send(to, message),
            Output::Dial { link, server } => self.peers().links.dial(link, server),
            Output::Send { link, packet } => {
                self.shared.stats.sent_to_learner(packet.kind);
                self.send(link, |to| to.push_packet(&packet));
            }
            Output::Broadcast { links, packet } => {
                for link in links.iter() {
                    self.send(*link, |to| to.push_packet(&packet));
                }
            }
            Output::SendRun { link, run } => self.send(link, |to| to.push_run(run)),
            Output::Append { .. }
            | Output::Truncate { .. }
            | Output::InstallSnapshot { .. }
            | Output::AcceptEpoch(_)
            | Output::EnterEpoch(_) => {} // The log thread has it already.
            Output::SendLog { link, after, upto } => {
                let filled = self.peers().links.send_log(link, after, upto);
                self.note_filled(link, filled);
            }
            Output::SendSnapshot { link } => {
                self.shared.stats.sent_snapshot();
                let replica = locked(lock, shared);
                let filled = self.peers().links.send_snapshot(link, replica);
                self.note_filled(link, filled);
            }
            Output::ProbeLog { link, after } => self.peers().links.probe_log(link, after),
            Output::Hangup { link, reason } => self.peers().links.hang_up(link, reason),
            Output::RoleChanged => self.role_changed(),
            // The caller sees it.
            Output::Left => {}
            Output::Resigned { reason } => info!(%reason, "looking for a leader"),
            Output::Halt { reason } => {
                error!(%reason, "stopping: going on would risk what was promised");
                return Err(reason);
            }
            other => self.perform_locked(locked(lock, shared), other),
        }
        Ok(())
    }

    /// Has those since the last time counted: all at once, because counters that others read are dear.
    fn count_commits(&mut self) {
        let commits = std::mem::take(&mut self.commits);
        self.shared.stats.committed(commits, self.origin);
    }

    fn role_changed(&mut self) {
        self.count_commits();
        if let Some(status) = self.node.peer() {
            self.origin = match status.state {
                PeerState::Leading => TxnOrigin::Own,
                PeerState::Looking | PeerState::Following | PeerState::Observing => {
                    TxnOrigin::Leader
                }
            };
            self.shared.stats.role_changed(clock::now(), &status);
        }
    }

    fn send(&mut self, id: LinkId, queue: impl FnOnce(&Link)) {
        if let Some(link) = self.filled.get(&id) {
            queue(link);
        } else if let Some(link) = self.peers().links.get(id) {
            queue(&link);
            self.filled.insert(id, link);
        }
    }

    fn note_filled(&mut self, id: LinkId, link: Option<Arc<Link>>) {
        if let Some(link) = link {
            self.filled.insert(id, link);
        }
    }

    /// What needs the replica's write lock: it changes, or the outcome must not come before a change.
    fn perform_locked(&mut self, replica: &mut Replica, output: Output) {
        match output {
            Output::Commit { record, owner } => self.commit(replica, &record, owner),
            Output::AdvanceTo(zxid) => replica.advance_to(zxid),
            Output::Serve(serving) => self.serve(serving),
            Output::Complete { conn, cxid } => {
                self.with_client(replica, conn, |client, ctx| {
                    let mut conn = client.conn.lock();
                    conn.before_commit(ctx);
                    conn.on_complete(ctx, cxid);
                });
            }
            Output::Decline { conn, cxid, error } => {
                self.with_client(replica, conn, |client, ctx| {
                    let mut conn = client.conn.lock();
                    conn.before_commit(ctx);
                    conn.on_declined(ctx, cxid, error);
                });
            }
            Output::Attached {
                conn,
                session,
                timeout_ms,
                read_only,
            } => {
                self.with_client(replica, conn, |client, ctx| {
                    let mut conn = client.conn.lock();
                    conn.on_attached(ctx, session, timeout_ms, read_only);
                });
            }
            Output::Refused { conn } => {
                self.with_client(replica, conn, |client, _| client.conn.lock().on_refused());
            }
            Output::Close { conn } => {
                self.with_client(replica, conn, |client, _| client.conn.lock().close());
            }
            other => unreachable!("{other:?} needs no replica"),
        }
    }

    /// Clients are let in, or all thrown out. Those that have not said anything stay: they may want to
    /// know how the server is.
    fn serve(&mut self, serving: bool) {
        info!(serving, "clients");
        self.shared.set_serving(serving);
        if serving {
            return;
        }
        for client in self.shared.clients.all() {
            let mut conn = client.conn.lock();
            if !conn.is_fresh() {
                conn.close();
                drop(conn);
                self.touched.insert(client.id, client);
            }
        }
    }

    fn commit(&mut self, replica: &mut Replica, record: &TxnRecord, owner: Option<ConnId>) {
        let owner = owner.and_then(|id| self.client(id));
        if let Some(client) = &owner {
            let ctx = self.shared.context(self.now, replica);
            client.conn.lock().before_commit(&ctx);
        }
        let mismatches = replica.digest_mismatches();
        let mut fired = std::mem::take(&mut self.fired);
        let applied = replica.apply(
            &record.header,
            &record.txn,
            record.digest.as_ref(),
            &mut fired,
        );
        if replica.digest_mismatches() != mismatches {
            warn!(zxid = %record.header.zxid, op = record.header.op, "tree digest mismatch");
            self.shared.stats.digest_mismatched();
        }
        self.commits += 1;
        self.shared.stats.watches_fired(&fired);
        for event in fired.drain(..) {
            self.deliver(replica, &event);
        }
        self.fired = fired;
        if let Some(client) = owner {
            let ctx = self.shared.context(self.now, replica);
            client.conn.lock().on_commit(&ctx, record, &applied);
        }
    }

    fn deliver(&mut self, replica: &Replica, event: &Fired) {
        self.with_client(replica, ConnId(event.watcher.0), |client, ctx| {
            client.conn.lock().on_event(ctx, event);
        });
    }

    fn with_client(
        &mut self,
        replica: &Replica,
        id: ConnId,
        act: impl FnOnce(&Client, &Context<'_>),
    ) {
        if let Some(client) = self.client(id) {
            act(&client, &self.shared.context(self.now, replica));
        }
    }

    /// The client, marked for waking.
    fn client(&mut self, id: ConnId) -> Option<Arc<Client>> {
        if let Some(client) = self.touched.get(&id) {
            return Some(Arc::clone(client));
        }
        let client = self.shared.clients.get(id)?;
        self.touched.insert(id, Arc::clone(&client));
        Some(client)
    }

    /// Waits for what is with the log and answers it.
    fn drain(&mut self) -> Result<(), String> {
        let (done, flushed) = std::sync::mpsc::sync_channel(1);
        self.store(LogCommand::Flush(done))?;
        flushed
            .recv()
            .map_err(|_| "the log thread ended before its last sync".to_owned())?;
        self.take_completions()?;
        self.perform()
    }
}

/// The next [`ROUND`] of these, or as many as there are.
fn next_round<T>(rest: &[T]) -> &[T] {
    &rest[..rest.len().min(ROUND)]
}

/// An empty list with its room, unless that is unusually much.
fn kept(mut outputs: Vec<Output>) -> Vec<Output> {
    assert!(outputs.is_empty(), "outputs are carried out in one go");
    outputs.shrink_to(OUTPUTS_KEPT_MAX);
    outputs
}

/// The replica, from the first time that it is needed until the guard goes.
fn locked<'g, 's>(
    lock: &'g mut Option<RwLockWriteGuard<'s, Replica>>,
    shared: &'s Shared,
) -> &'g mut Replica {
    lock.get_or_insert_with(|| shared.replica.write())
}
