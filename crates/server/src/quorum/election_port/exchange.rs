//! The task that owns the mesh.

use super::{Options, Outbox, connection, dial, now_ms};
use crate::core_thread::CoreMessage;
use crate::quorum::line_limit::LineLimit;
use bytes::Bytes;
use std::collections::{BTreeMap, VecDeque};
use std::future::Future;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;
use tokio::sync::mpsc;
use tokio_util::sync::CancellationToken;
use tokio_util::task::TaskTracker;
use tracing::{debug, warn};
use zooid_node::Input;
use zooid_zab::{CloseReason, Mesh, MeshAction, MeshConnId, MeshInput};

/// Events that the exchange has not seen yet.
const EVENTS_MAX: usize = 256;
/// Votes and the like that the core has not taken yet; the oldest are dropped (Java `RECV_CAPACITY`).
const DELIVERIES_MAX: usize = 100;
/// The longest that the exchange sleeps, whatever the mesh asked for.
const TIMER_MAX: Duration = Duration::from_secs(1);

/// What a task tells the exchange.
#[derive(Debug)]
pub(super) enum Event {
    /// A connection is there, and what the mesh is to know of it.
    Opened {
        conn: MeshConnId,
        hold: Hold,
        input: MeshInput,
    },
    /// Something else has happened.
    Mesh(MeshInput),
}

/// The exchange's end of a connection.
#[derive(Debug)]
pub(super) struct Hold {
    /// Takes one message at a time.
    pub(super) messages: mpsc::Sender<Bytes>,
    /// Ends the connection's task.
    pub(super) end: CancellationToken,
}

/// What all tasks of the port share.
#[derive(Debug)]
pub(super) struct Shared {
    pub(super) options: Options,
    events: mpsc::Sender<Event>,
    tasks: TaskTracker,
    stop: CancellationToken,
    conns: AtomicU64,
    lines: LineLimit,
}

impl Shared {
    pub(super) fn new(
        options: Options,
        tasks: TaskTracker,
        stop: CancellationToken,
    ) -> (Arc<Shared>, mpsc::Receiver<Event>) {
        let (events, inbox) = mpsc::channel(EVENTS_MAX);
        let shared = Shared {
            options,
            events,
            tasks,
            stop,
            conns: AtomicU64::new(0),
            lines: LineLimit::default(),
        };
        (Arc::new(shared), inbox)
    }

    /// Runs a task until it ends or the server stops; whatever it waits for may be dropped.
    pub(super) fn spawn(&self, task: impl Future<Output = ()> + Send + 'static) {
        let stop = self.stop.clone();
        self.tasks.spawn(async move {
            tokio::select! {
                () = task => {}
                () = stop.cancelled() => {}
            }
        });
    }

    pub(super) fn next_conn(&self) -> MeshConnId {
        MeshConnId(self.conns.fetch_add(1, Ordering::Relaxed))
    }

    /// Tells the exchange. If it is gone the server stops, which ends the asking task as well.
    pub(super) async fn tell(&self, event: Event) {
        let _ = self.events.send(event).await;
    }

    /// Writes a line about somebody else's fault, unless there have been too many.
    pub(super) fn complain(
        &self,
        what: &str,
        who: &dyn std::fmt::Display,
        why: &dyn std::fmt::Display,
    ) {
        if let Some(left_out) = self.lines.admit(now_ms()) {
            warn!(peer = %who, reason = %why, lines_left_out = left_out, "{what}");
        }
    }
}

pub(super) struct Exchange {
    mesh: Mesh,
    holds: BTreeMap<MeshConnId, Hold>,
    deliveries: VecDeque<Input>,
    shared: Arc<Shared>,
    outbox: Arc<Outbox>,
    core: mpsc::Sender<CoreMessage>,
}

impl Exchange {
    pub(super) fn new(
        mesh: Mesh,
        shared: Arc<Shared>,
        outbox: Arc<Outbox>,
        core: mpsc::Sender<CoreMessage>,
    ) -> Exchange {
        Exchange {
            mesh,
            holds: BTreeMap::new(),
            deliveries: VecDeque::new(),
            shared,
            outbox,
            core,
        }
    }

    pub(super) async fn run(mut self, mut events: mpsc::Receiver<Event>) {
        let outbox = Arc::clone(&self.outbox);
        let stop = self.shared.stop.clone();
        let core = self.core.clone();
        loop {
            // No arm loses anything when dropped: a permit that was not used is given back, a
            // notification is kept by `Notify`, an event stays in its channel.
            tokio::select! {
                () = stop.cancelled() => break,
                permit = core.reserve(), if !self.deliveries.is_empty() => match permit {
                    Ok(permit) => permit.send(CoreMessage::Inputs(self.deliveries.drain(..).collect())),
                    // The core has ended, and with it the server.
                    Err(_) => break,
                },
                Some(event) = events.recv() => self.on_event(event),
                () = outbox.filled.notified() => self.send_all(),
                () = tokio::time::sleep(self.pause()) => self.step(MeshInput::Timer),
            }
        }
        self.step(MeshInput::Halt);
    }

    fn pause(&self) -> Duration {
        let Some(at_ms) = self.mesh.next_wakeup_ms() else {
            return TIMER_MAX;
        };
        let left_ms = u64::try_from(at_ms - now_ms()).unwrap_or(0);
        Duration::from_millis(left_ms).min(TIMER_MAX)
    }

    fn on_event(&mut self, event: Event) {
        match event {
            Event::Opened { conn, hold, input } => {
                self.holds.insert(conn, hold);
                self.step(input);
            }
            Event::Mesh(input) => {
                if let MeshInput::Closed(conn) = &input {
                    self.holds.remove(conn);
                }
                self.step(input);
            }
        }
    }

    fn send_all(&mut self) {
        let slots = std::mem::take(&mut *self.outbox.slots.lock());
        for (to, message) in slots {
            self.step(MeshInput::Send { to, message });
        }
    }

    fn step(&mut self, input: MeshInput) {
        let mut actions = Vec::new();
        self.mesh.step(now_ms(), input, &mut actions);
        for action in actions {
            self.carry_out(action);
        }
    }

    fn carry_out(&mut self, action: MeshAction) {
        match action {
            MeshAction::Dial { to, addresses } => {
                let shared = Arc::clone(&self.shared);
                self.shared.spawn(dial::dial(shared, to, addresses));
            }
            MeshAction::Write { conn, message } => {
                // There is room: the mesh hands out one message at a time. A connection whose task has
                // ended says so by itself.
                if let Some(hold) = self.holds.get(&conn) {
                    let _ = hold.messages.try_send(message);
                }
            }
            MeshAction::Close { conn, reason } => self.close(conn, reason),
            MeshAction::Deliver { from, message } => {
                self.deliver(Input::Vote { from, message });
            }
            MeshAction::Unreachable(server) => {
                warn!(%server, "cannot reach its election port; still trying");
                self.deliver(Input::Unreachable(server));
            }
            MeshAction::Reachable(server) => self.deliver(Input::Reachable(server)),
        }
    }

    /// Queues something for the core. A lost one costs an election some time.
    fn deliver(&mut self, input: Input) {
        if self.deliveries.len() == DELIVERIES_MAX {
            self.deliveries.pop_front();
        }
        self.deliveries.push_back(input);
    }

    fn close(&mut self, conn: MeshConnId, reason: CloseReason) {
        let Some(hold) = self.holds.remove(&conn) else {
            return;
        };
        hold.end.cancel();
        match reason {
            CloseReason::TheyCallBack
            | CloseReason::WeCallBack
            | CloseReason::Replaced
            | CloseReason::Halted => {
                debug!(conn = conn.0, ?reason, "closing an election connection");
            }
            CloseReason::OurOwnId => self.complain(conn, "another server has this server's id"),
            CloseReason::ImpossibleId => self.complain(conn, "no server has such an id"),
            CloseReason::TooManyStrangers => {
                self.complain(conn, "enough servers that are not configured are connected");
            }
            CloseReason::TooManyUnintroduced => {
                self.complain(conn, "it has not said who it is, and others wait");
            }
        }
    }

    fn complain(&self, conn: MeshConnId, why: &str) {
        let who = format_args!("connection {}", conn.0);
        self.shared.complain(connection::REFUSED, &who, &why);
    }
}
