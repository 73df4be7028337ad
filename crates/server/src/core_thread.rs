//! The core thread: the only one that steps the [`Node`] and writes the replica.
//!
//! It takes what has queued up as one batch, steps the node through it under the read lock, hands
//! appends to the log at once, and applies commits under one write lock.

use crate::client::Client;
use crate::clock;
use crate::log_thread::{LogCommand, LogProgress};
use crate::shared::Shared;
use std::collections::BTreeMap;
use std::sync::Arc;
use std::sync::atomic::Ordering;
use std::sync::mpsc::SyncSender;
use tokio::sync::{mpsc, oneshot};
use tracing::{error, warn};
use zooid_node::{ConnId, Context, Input, Node, Output};
use zooid_proto::TxnRecord;
use zooid_tree::{Fired, Replica};

/// Messages that may wait for the core.
pub(crate) const CORE_QUEUE_MAX: usize = 16 << 10;
/// Messages taken as one batch.
const BATCH_MAX: usize = 1024;

/// What reaches the core.
pub(crate) enum CoreMessage {
    /// From connections and timers.
    Inputs(Vec<Input>),
    /// The log has made progress; how much is in [`LogProgress`].
    Log,
    /// An operator wants to look at the node.
    Inspect(Box<dyn FnOnce(&Node) + Send>),
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
        }
    }

    /// Runs until told to stop (`Ok`) or until going on would be wrong (`Err` says why).
    pub(crate) fn run(mut self) -> Result<(), String> {
        let mut batch = Vec::with_capacity(BATCH_MAX);
        while let Some(first) = self.inbox.blocking_recv() {
            batch.push(first);
            while batch.len() < BATCH_MAX {
                let Ok(next) = self.inbox.try_recv() else {
                    break;
                };
                batch.push(next);
            }
            self.shared.stats.core_batch(batch.len());
            let mut stop = None;
            let before = self.node.stats();
            self.step(batch.drain(..), &mut stop);
            self.shared.stats.node_advanced(&before, &self.node.stats());
            self.perform()?;
            let wakeup = self.node.next_wakeup_ms();
            self.shared.next_wakeup_ms.store(wakeup, Ordering::Relaxed);
            if let Some(done) = stop {
                self.drain()?;
                // Nobody waiting for the end any more is no reason not to end.
                let _ = done.send(());
                return Ok(());
            }
        }
        Ok(())
    }

    fn step(
        &mut self,
        batch: impl Iterator<Item = CoreMessage>,
        stop: &mut Option<oneshot::Sender<()>>,
    ) {
        let replica = self.shared.replica.read();
        let now = clock::now();
        if let Some(input) = self.progress.take() {
            self.node.step(now, input, &replica, &mut self.outputs);
        }
        for message in batch {
            match message {
                CoreMessage::Inputs(inputs) => {
                    for input in inputs {
                        self.node.step(now, input, &replica, &mut self.outputs);
                    }
                }
                CoreMessage::Log => {}
                CoreMessage::Inspect(look) => look(&self.node),
                CoreMessage::Stop(done) => *stop = Some(done),
            }
        }
    }

    /// Carries the outputs out, in order; appends first of all, so that the disk starts early.
    fn perform(&mut self) -> Result<(), String> {
        let outputs = std::mem::take(&mut self.outputs);
        let mut rest = Vec::with_capacity(outputs.len());
        for output in outputs {
            match output {
                Output::Append {
                    generation,
                    zxid,
                    record,
                } => {
                    self.shared.stats.proposed();
                    let append = LogCommand::Append {
                        generation,
                        zxid,
                        record,
                    };
                    self.log
                        .send(append)
                        .map_err(|_| "the log thread is gone".to_owned())?;
                }
                other => rest.push(other),
            }
        }
        if !rest.is_empty() {
            self.perform_under_lock(rest)?;
        }
        for client in std::mem::take(&mut self.touched).into_values() {
            client.wake.notify_one();
        }
        Ok(())
    }

    fn perform_under_lock(&mut self, outputs: Vec<Output>) -> Result<(), String> {
        let shared = Arc::clone(&self.shared);
        let mut replica = shared.replica.write();
        for output in outputs {
            match output {
                Output::Commit { record, owner } => self.commit(&mut replica, &record, owner),
                Output::Complete { conn, cxid } => {
                    self.with_client(&replica, conn, |client, ctx| {
                        let mut conn = client.conn.lock();
                        conn.before_commit(ctx);
                        conn.on_complete(ctx, cxid);
                    });
                }
                Output::Attached {
                    conn,
                    session,
                    timeout_ms,
                    read_only,
                } => {
                    self.with_client(&replica, conn, |client, ctx| {
                        client
                            .conn
                            .lock()
                            .on_attached(ctx, session, timeout_ms, read_only);
                    });
                }
                Output::Refused { conn } => {
                    self.with_client(&replica, conn, |client, _| client.conn.lock().on_refused());
                }
                Output::Close { conn } => {
                    self.with_client(&replica, conn, |client, _| client.conn.lock().close());
                }
                Output::Halt { reason } => {
                    error!(%reason, "stopping: going on would risk what was promised");
                    return Err(reason);
                }
                other => unreachable!("{other:?} on a standalone server"),
            }
        }
        Ok(())
    }

    fn commit(&mut self, replica: &mut Replica, record: &TxnRecord, owner: Option<ConnId>) {
        let owner = owner.and_then(|id| self.client(id));
        if let Some(client) = &owner {
            let ctx = self.shared.context(replica);
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
        self.shared.stats.committed();
        self.shared.stats.watches_fired(&fired);
        for event in fired.drain(..) {
            self.deliver(replica, &event);
        }
        self.fired = fired;
        if let Some(client) = owner {
            let ctx = self.shared.context(replica);
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
            act(&client, &self.shared.context(replica));
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
        self.log
            .send(LogCommand::Flush(done))
            .map_err(|_| "the log thread is gone".to_owned())?;
        flushed
            .recv()
            .map_err(|_| "the log thread ended before its last sync".to_owned())?;
        let mut none = None;
        self.step(std::iter::empty(), &mut none);
        self.perform()
    }
}
