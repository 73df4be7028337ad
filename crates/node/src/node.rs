//! One server's protocol: order of writes, sessions, what to persist and when to answer; and, in an
//! ensemble, its roles.
//!
//! Here are the value, its inputs, and what every role shares: commits and the end. `node/orderer.rs`
//! makes transactions of requests, on a standalone server and on a leader; `node/peer.rs` changes
//! roles; `node/leading.rs` and `node/learning.rs` are what two of them do, `node/stepping_down.rs` how
//! the lead is given up, `node/full_disk.rs` when it is for want of space.

mod full_disk;
mod leading;
mod learning;
mod local_sessions;
mod orderer;
mod parked;
mod peer;
mod read_only;
mod record_blocks;
mod stepping_down;

pub use peer::{Member, PeerPhase, PeerStatus};

use crate::prep::{ExceededQuotas, Pending};
use crate::step::{ClientRequest, ConnId, Input, Now, OpenSession, Output, Owner};
use crate::sweep::Sweep;
use crate::{QuotaExceeded, Sessions, Settings};
use bytes::Bytes;
use full_disk::Room;
use learning::Desk;
use peer::Peer;
use record_blocks::RecordBlocks;
use std::collections::{BTreeMap, VecDeque};
use zooid_proto::{ErrorCode, ServerId, SessionId, Txn, TxnRecord, Zxid};
use zooid_tree::Replica;
use zooid_zab::{Broadcast, Leader, LeaderAction, Learner, LearnerAction, QuorumVerifier, Round};

/// One server. See the crate's documentation for how to drive it.
///
/// A standalone server is the leader of a quorum of one: its own log is the only voter.
#[derive(Debug)]
pub struct Node {
    settings: Settings,
    me: ServerId,
    role: Role,
    /// `None` on a standalone server.
    peer: Option<Box<Peer>>,
    sessions: Sessions,
    /// Those that only this server knows.
    local: Sessions,
    /// Which session speaks through which connection.
    bound: BTreeMap<ConnId, SessionId>,
    pending: Pending,
    exceeded_quotas: ExceededQuotas,
    /// Appended to the log, in zxid order, until they commit.
    proposals: VecDeque<Proposal>,
    record_blocks: RecordBlocks,
    /// Requests that wait for every proposal made before them, and for proof that this server leads.
    barriers: VecDeque<Barrier>,
    sweep: Sweep,
    room: Room,
    next_session: SessionId,
    generation: u64,
    stats: NodeStats,
    halted: bool,
    /// Room for what a leader asks for, and a learner: used again, and empty in between.
    leader_actions: Vec<LeaderAction>,
    learner_actions: Vec<LearnerAction>,
}

/// What a server is, with what only that has.
#[derive(Debug)]
enum Role {
    Standalone(Broadcast),
    /// A role has ended; the log finishes what it was given.
    Draining,
    Looking,
    Leading(Box<Leader>),
    /// Following or observing.
    Learning(Box<Learner>, Desk),
}

/// What operators see of a [`Node`].
#[derive(Clone, Copy, Debug, Default)]
pub struct NodeStats {
    /// Size of the last proposal, in bytes; -1 before the first.
    pub last_proposal_bytes: i64,
    /// Sessions closed for silence.
    pub sessions_expired: u64,
    /// Sessions taken up again.
    pub revalidations: u64,
}

#[derive(Debug)]
struct Proposal {
    record: Box<TxnRecord>,
    /// As it is in the log, for learners that come later.
    bytes: Bytes,
    /// The connection of this server that asked.
    owner: Option<ConnId>,
}

#[derive(Debug)]
struct Barrier {
    after: Zxid,
    /// Proof that this leader leads, from after the request came; a newer proposal's commit will do.
    round: Option<Round>,
    conn: ConnId,
    cxid: i32,
    what: Awaited,
}

/// What a request wants that waits for a [`Barrier`].
#[derive(Clone, Copy, Debug)]
enum Awaited {
    Sync,
    /// The end of a local session.
    LocalEnd,
    /// Its place among the replies, for this error.
    Refusal(ErrorCode),
}

/// Room for actions that is kept.
const ACTIONS_KEPT_MAX: usize = 1024;

/// Room for the next actions, unless it is unusually much.
fn kept<T>(mut actions: Vec<T>) -> Vec<T> {
    actions.clear();
    actions.shrink_to(ACTIONS_KEPT_MAX);
    actions
}

impl Node {
    /// A standalone server over what recovery found.
    #[must_use]
    pub fn standalone(settings: Settings, replica: &Replica, now: Now) -> Node {
        let mut sessions = Sessions::new(settings.tick_ms, ErrorCode::UnknownSession);
        for (id, timeout_ms) in replica.sessions() {
            sessions.track(id, timeout_ms, now.mono_ms);
        }
        let voters = vec![QuorumVerifier::single(settings.server_id)];
        let role = Role::Standalone(Broadcast::new(voters, replica.last_zxid()));
        Node::with_role(settings, role, sessions, replica, now)
    }

    fn with_role(
        settings: Settings,
        role: Role,
        sessions: Sessions,
        replica: &Replica,
        now: Now,
    ) -> Node {
        let me = settings.server_id;
        Node {
            me,
            role,
            peer: None,
            sessions,
            local: Sessions::new(settings.tick_ms, ErrorCode::SessionExpired),
            bound: BTreeMap::new(),
            pending: Pending::new(replica),
            exceeded_quotas: ExceededQuotas::default(),
            proposals: VecDeque::new(),
            record_blocks: RecordBlocks::default(),
            barriers: VecDeque::new(),
            sweep: Sweep::new(settings.containers, now),
            room: Room::Enough,
            next_session: first_session_id(me, now),
            generation: 0,
            stats: NodeStats {
                last_proposal_bytes: -1,
                ..NodeStats::default()
            },
            halted: false,
            leader_actions: Vec::new(),
            learner_actions: Vec::new(),
            settings,
        }
    }

    /// Takes one event in and says what follows from it. Never blocks, never fails.
    pub fn step(&mut self, now: Now, input: Input, replica: &Replica, out: &mut Vec<Output>) {
        if self.halted {
            return;
        }
        self.pending.forget_applied(replica);
        match input {
            Input::Open(conn, open) => self.open(now, conn, open, replica, out),
            Input::Request(request) => self.request(now, &request, replica, out),
            Input::Touched(ids) => self.touched(now, &ids, replica),
            Input::Disconnected(conn) => self.disconnected(conn),
            Input::Persisted { generation, upto } if generation == self.generation => {
                self.persisted(now, upto, replica, out);
            }
            // A completion of a history that has been replaced since.
            Input::Persisted { .. } => {}
            Input::StorageFailed { reason } => self.halt(reason, out),
            Input::DiskSpace { is_low } => self.disk_space(is_low),
            Input::Timer => self.timer(now, replica, out),
            Input::Leave => self.prepare_to_leave(now, out),
            ensemble => self.ensemble_input(now, ensemble, replica, out),
        }
        self.hand_over_if_due(now);
        if self.is_stepping_down() {
            self.step_down_if_done(now, out);
            self.look_if_drained(now, replica, out);
        }
    }

    /// When the next [`Input::Timer`] is due at the latest, on the monotonic clock.
    #[must_use]
    pub fn next_wakeup_ms(&self) -> i64 {
        let local = self.local.next_expiry_ms();
        let role = match &self.role {
            Role::Standalone(_) | Role::Draining => None,
            Role::Looking => self.election_wakeup_ms(),
            Role::Leading(leader) => {
                let leader = leader.next_wakeup_ms();
                let until_ms = self.stepping_down_until_ms();
                Some(until_ms.map_or(leader, |until_ms| until_ms.min(leader)))
            }
            Role::Learning(learner, _) => Some(learner.next_wakeup_ms()),
        };
        // Nobody else expires and sweeps: a time for it that has passed would be due for ever.
        let ordering = self.is_ordering().then(|| {
            let sweep = self.sweep.next_wakeup_ms();
            self.sessions
                .next_expiry_ms()
                .map_or(sweep, |expiry| expiry.min(sweep))
        });
        let due = local.into_iter().chain(role).chain(ordering);
        due.min().unwrap_or(i64::MAX)
    }

    /// The sessions, for operators. A learner has none but what its replica knows.
    #[must_use]
    pub fn sessions(&self) -> &Sessions {
        &self.sessions
    }

    /// Counters, for operators.
    #[must_use]
    pub fn stats(&self) -> NodeStats {
        self.stats
    }

    /// Quotas that writes have exceeded since the last call, for operators.
    pub fn take_exceeded_quotas(&mut self) -> Vec<QuotaExceeded> {
        self.exceeded_quotas.take()
    }

    /// Which history of the log this is; see [`Output::Append`].
    #[cfg(test)]
    pub(crate) fn generation(&self) -> u64 {
        self.generation
    }

    fn open(
        &mut self,
        now: Now,
        conn: ConnId,
        open: OpenSession,
        replica: &Replica,
        out: &mut Vec<Output>,
    ) {
        if !self.is_serving() || self.is_stepping_down() {
            return out.push(Output::Close { conn });
        }
        if matches!(self.role, Role::Looking) {
            return self.open_read_only(now, conn, open, replica, out);
        }
        if open.session.0 == 0 && self.settings.local_sessions.enabled {
            return self.open_local(now, conn, open.timeout_ms, replica, out);
        }
        if self.reopen_local(now, conn, open, out) {
            return;
        }
        match &self.role {
            Role::Learning(..) => self.open_at_learner(now, conn, open, replica, out),
            _ => self.open_here(now, conn, open, replica, out),
        }
    }

    fn request(
        &mut self,
        now: Now,
        request: &ClientRequest,
        replica: &Replica,
        out: &mut Vec<Output>,
    ) {
        if !self.is_serving() || self.is_stepping_down() {
            return out.push(Output::Close { conn: request.conn });
        }
        if self.is_closing_local(request.session) {
            // Its connection closes with the answer to the end.
            return;
        }
        self.local.touch(request.session, now.mono_ms);
        match &self.role {
            Role::Looking => self.request_read_only(request, out),
            Role::Learning(..) => self.forward(now, request, replica, out),
            _ => self.order(now, request, replica, out),
        }
    }

    fn touched(&mut self, now: Now, ids: &[SessionId], replica: &Replica) {
        for id in ids {
            self.local.touch(*id, now.mono_ms);
            self.sessions.touch(*id, now.mono_ms);
        }
        if let Role::Learning(_, desk) = &mut self.role {
            desk.touched(ids, replica);
        }
    }

    fn disconnected(&mut self, conn: ConnId) {
        let session = self.bound.remove(&conn);
        if let Some(session) = session {
            self.left_local(session, conn);
        }
        match (&mut self.role, session) {
            (Role::Learning(_, desk), Some(session)) => desk.left(session, conn),
            (Role::Learning(_, desk), None) => desk.gave_up(conn),
            (_, Some(session)) => self.sessions.detach(session, Owner::Client(conn)),
            (_, None) => {}
        }
    }

    fn persisted(&mut self, now: Now, upto: Zxid, replica: &Replica, out: &mut Vec<Output>) {
        if let Role::Standalone(broadcast) = &mut self.role {
            broadcast.ack(self.me, upto);
            while let Role::Standalone(broadcast) = &mut self.role
                && let Some(zxid) = broadcast.next_committed()
            {
                self.committed(zxid, out);
            }
        } else {
            self.peer_persisted(now, upto, replica, out);
        }
    }

    /// Takes the oldest proposal, which must be this one, and has it applied.
    fn committed(&mut self, zxid: Zxid, out: &mut Vec<Output>) {
        let Some(proposal) = self.proposals.pop_front() else {
            return self.halt(format!("{zxid} committed without a proposal"), out);
        };
        let Proposal {
            mut record,
            bytes,
            owner,
        } = proposal;
        if record.header.zxid != zxid {
            let proposed = record.header.zxid;
            return self.halt(format!("{zxid} committed where {proposed} was next"), out);
        }
        self.release_barriers_before(zxid, out);
        let closed = matches!(record.txn, Txn::CloseSession { .. });
        let session = record.header.client_id;
        let owner = match &mut self.role {
            Role::Learning(_, desk) => desk.asker_of(&mut record, &mut self.bound),
            _ => owner,
        };
        if let Some(peer) = &mut self.peer {
            peer.committed(zxid, bytes);
        }
        out.push(Output::Commit { record, owner });
        if closed {
            self.session_closed(session, owner, out);
        }
        self.release_barriers(out);
    }

    fn release_barriers(&mut self, out: &mut Vec<Output>) {
        while let Some(barrier) = self.next_barrier_due() {
            self.release(&barrier, out);
        }
    }

    /// A quorum has what was proposed after these: they need no other proof.
    fn release_barriers_before(&mut self, zxid: Zxid, out: &mut Vec<Output>) {
        while let Some(barrier) = self.barriers.pop_front_if(|barrier| barrier.after < zxid) {
            self.release(&barrier, out);
        }
    }

    fn release(&mut self, barrier: &Barrier, out: &mut Vec<Output>) {
        let Barrier { conn, cxid, .. } = *barrier;
        match barrier.what {
            Awaited::Sync => out.push(Output::Complete { conn, cxid }),
            Awaited::LocalEnd => self.local_closed(conn, cxid, out),
            Awaited::Refusal(error) => out.push(Output::Decline { conn, cxid, error }),
        }
    }

    fn next_barrier_due(&mut self) -> Option<Barrier> {
        let next = self.proposals.front().map(|next| next.record.header.zxid);
        let confirmed = match &self.role {
            Role::Leading(leader) => Some(leader.confirmed()),
            _ => None,
        };
        self.barriers.pop_front_if(|barrier| {
            let is_behind = next.is_none_or(|next| next > barrier.after);
            is_behind && barrier.round <= confirmed
        })
    }

    /// The asking connection closes itself after its reply; one that did not ask is closed here.
    fn session_closed(&mut self, session: SessionId, asked: Option<ConnId>, out: &mut Vec<Output>) {
        let conn = match &mut self.role {
            Role::Learning(_, desk) => desk.session_closed(session),
            _ => {
                let owner = self.sessions.end(session).and_then(|info| info.owner);
                owner.and_then(Owner::conn)
            }
        };
        let Some(conn) = conn else {
            return;
        };
        self.bound.remove(&conn);
        if asked != Some(conn) {
            out.push(Output::Close { conn });
        }
    }

    fn timer(&mut self, now: Now, replica: &Replica, out: &mut Vec<Output>) {
        self.expire_local(now, out);
        self.peer_timer(now, replica, out);
        if self.is_ordering() {
            self.expire_and_sweep(now, replica, out);
        }
    }

    /// Whether transactions begin here.
    pub(crate) fn is_ordering(&self) -> bool {
        match &self.role {
            Role::Standalone(_) => true,
            Role::Leading(leader) => leader.is_established() && !self.is_stepping_down(),
            _ => false,
        }
    }

    fn is_serving(&self) -> bool {
        self.peer.as_ref().is_none_or(|peer| peer.is_serving())
    }

    fn halt(&mut self, reason: String, out: &mut Vec<Output>) {
        self.halted = true;
        out.push(Output::Halt { reason });
    }
}

/// Server id in the highest byte, then 40 bits of time, then a counter
/// (Java `SessionTrackerImpl.initializeNextSessionId`).
fn first_session_id(me: ServerId, now: Now) -> SessionId {
    let time = (now.wall_ms << 24).cast_unsigned() >> 8;
    SessionId(time.cast_signed() | (me.0 << 56))
}

#[cfg(test)]
mod tests;
