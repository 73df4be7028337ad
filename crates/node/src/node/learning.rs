//! What a follower or observer does: it forwards its clients' writes, and knows by what commits which
//! of them are done (Java `LearnerZooKeeperServer`, `CommitProcessor`, `LearnerSessionTracker`).

use super::local_sessions::{FORBIDDEN, Upgrade};
use super::{Node, Proposal, Role, kept};
use crate::step::{ClientRequest, ConnId, Input, Now, OpenSession, Output};
use bytes::Bytes;
use std::collections::{BTreeMap, BTreeSet, VecDeque};
use std::sync::Arc;
use zooid_proto::quorum::{ForwardedRequest, SessionTouch};
use zooid_proto::{Epoch, ErrorCode, Jute, OpCode, SessionId, Txn, TxnRecord, Zxid};
use zooid_tree::Replica;
use zooid_zab::{Learner, LearnerAction};

/// The clients of a learner, and what each waits for from the leader.
#[derive(Debug, Default)]
pub(super) struct Desk {
    /// Who speaks for a session here.
    speakers: BTreeMap<SessionId, ConnId>,
    /// New sessions whose proposal has not committed.
    opening: BTreeMap<SessionId, ConnId>,
    /// Sessions that a client came back with, and their timeouts, until the leader knows them.
    revalidating: BTreeMap<SessionId, (ConnId, i32)>,
    /// Writes with the leader, in each session's order.
    forwarded: BTreeMap<SessionId, VecDeque<Forwarded>>,
    /// Syncs with the leader, which answers in order.
    syncs: VecDeque<ForwardedSync>,
    /// Connections whose client has asked for the end of its session.
    ending: BTreeSet<ConnId>,
    /// Heard of since the leader's last ping.
    touched: BTreeMap<SessionId, i32>,
}

/// A write that is with the leader.
#[derive(Clone, Copy, Debug)]
struct Forwarded {
    cxid: i32,
    conn: ConnId,
    /// What its client is told in place of the leader's error, who does not know the session.
    instead: Option<ErrorCode>,
}

/// A sync that is with the leader.
#[derive(Clone, Copy, Debug)]
struct ForwardedSync {
    cxid: i32,
    conn: ConnId,
    /// Whether it stands for the end of a local session, which must come behind all that the session
    /// has asked for.
    closes_local: bool,
}

impl Desk {
    pub(super) fn speaks(&mut self, session: SessionId, conn: ConnId) {
        self.speakers.insert(session, conn);
    }

    pub(super) fn touched(&mut self, ids: &[SessionId], replica: &Replica) {
        for id in ids {
            if let Some(timeout_ms) = replica.session_timeout(*id) {
                self.touched.insert(*id, timeout_ms);
            }
        }
    }

    /// A connection without a session is gone.
    pub(super) fn gave_up(&mut self, conn: ConnId) {
        self.ending.remove(&conn);
        self.opening.retain(|_, opening| *opening != conn);
    }

    pub(super) fn left(&mut self, session: SessionId, conn: ConnId) {
        self.ending.remove(&conn);
        if self.speakers.get(&session) == Some(&conn) {
            self.speakers.remove(&session);
        }
    }

    /// The session is over. Who spoke for it.
    pub(super) fn session_closed(&mut self, session: SessionId) -> Option<ConnId> {
        self.forwarded.remove(&session);
        self.touched.remove(&session);
        self.speakers.remove(&session)
    }

    /// The connection that waits for a transaction, if it is one of this server: the first write of
    /// its session that is with the leader. Commits come in the order in which requests were forwarded.
    pub(super) fn asker_of(
        &mut self,
        record: &mut TxnRecord,
        bound: &mut BTreeMap<ConnId, SessionId>,
    ) -> Option<ConnId> {
        let session = record.header.client_id;
        if let Txn::CreateSession { .. } = record.txn {
            let conn = self.opening.remove(&session)?;
            self.speakers.insert(session, conn);
            bound.insert(conn, session);
            return Some(conn);
        }
        let waiting = self.forwarded.get_mut(&session)?;
        let first = *waiting.front()?;
        if first.cxid != record.header.cxid {
            return None;
        }
        waiting.pop_front();
        if waiting.is_empty() {
            self.forwarded.remove(&session);
        }
        if let (Some(instead), Txn::Error(err @ ErrorCode::SessionExpired)) =
            (first.instead, &mut record.txn)
        {
            *err = instead;
        }
        Some(first.conn)
    }

    fn take_touches(&mut self) -> Vec<SessionTouch> {
        let touched = std::mem::take(&mut self.touched).into_iter();
        touched
            .map(|(session, timeout_ms)| SessionTouch {
                session,
                timeout_ms,
            })
            .collect()
    }
}

impl Node {
    /// Lets the learner do something and carries out what it asks for.
    pub(super) fn learn(
        &mut self,
        now: Now,
        replica: &Replica,
        out: &mut Vec<Output>,
        act: impl FnOnce(&mut Learner, &mut Vec<LearnerAction>),
    ) {
        let Role::Learning(learner, _) = &mut self.role else {
            return;
        };
        let mut actions = std::mem::take(&mut self.learner_actions);
        act(learner, &mut actions);
        self.follow(now, &mut actions, replica, out);
        self.learner_actions = kept(actions);
    }

    pub(super) fn follow(
        &mut self,
        now: Now,
        actions: &mut Vec<LearnerAction>,
        replica: &Replica,
        out: &mut Vec<Output>,
    ) {
        for action in actions.drain(..) {
            // One before may have ended the role.
            if !matches!(self.role, Role::Learning(..)) || self.halted {
                return;
            }
            self.learner_action(now, action, replica, out);
        }
    }

    fn learner_action(
        &mut self,
        now: Now,
        action: LearnerAction,
        replica: &Replica,
        out: &mut Vec<Output>,
    ) {
        match action {
            LearnerAction::Dial(server) => self.dial(server, out),
            LearnerAction::Send(packet) => {
                if let Some(link) = self.link_to_leader() {
                    out.push(Output::Send { link, packet });
                }
            }
            LearnerAction::SendRun(run) => {
                if let Some(link) = self.link_to_leader() {
                    out.push(Output::SendRun { link, run });
                }
            }
            LearnerAction::Hangup(reason) => self.hang_up_on_leader(reason, out),
            LearnerAction::AcceptEpoch(epoch) => self.store(Output::AcceptEpoch(epoch), out),
            LearnerAction::EnterEpoch(epoch) => self.store(Output::EnterEpoch(epoch), out),
            LearnerAction::Append(zxid, bytes) => self.append(now, zxid, bytes, replica, out),
            LearnerAction::Commit(zxid) => self.committed(zxid, out),
            LearnerAction::Truncate(target) => {
                self.generation += 1;
                let generation = self.generation;
                self.store(Output::Truncate { generation, target }, out);
            }
            LearnerAction::Install(zxid) => self.install(zxid, out),
            LearnerAction::Serve(epoch) => self.serve_as_learner(epoch, out),
            LearnerAction::Ping(zxid) => self.answer_ping(now, zxid, replica, out),
            LearnerAction::SyncDone => self.sync_done(out),
            LearnerAction::Revalidated { session, valid } => self.revalidated(session, valid, out),
            LearnerAction::Silent(leader) => self.unreachable(now, leader, replica, out),
            LearnerAction::Resign(reason) => self.resign(reason, out),
            LearnerAction::Halt(reason) => self.halt(reason, out),
        }
    }

    /// A proposal goes to the log. What cannot be read cannot be applied either, so there is no going
    /// on without it (ZOOKEEPER-2355).
    fn append(
        &mut self,
        now: Now,
        zxid: Zxid,
        bytes: Bytes,
        replica: &Replica,
        out: &mut Vec<Output>,
    ) {
        let record = match TxnRecord::decode(&bytes) {
            Ok(record) if record.header.zxid == zxid => record,
            Ok(other) => {
                let reason = format!("proposal {zxid} holds transaction {}", other.header.zxid);
                return self.halt(reason, out);
            }
            Err(error) => return self.halt(format!("proposal {zxid} is malformed: {error}"), out),
        };
        self.stats.last_proposal_bytes = i64::try_from(bytes.len()).unwrap_or(i64::MAX);
        self.proposals.push_back(Proposal {
            record: Box::new(record),
            bytes: bytes.clone(),
            owner: None,
        });
        let Some(peer) = &mut self.peer else {
            return;
        };
        peer.appended(zxid);
        if peer.persists() {
            out.push(Output::Append {
                generation: self.generation,
                zxid,
                record: bytes,
            });
        } else {
            // An observer without a log of its own has nothing to wait for.
            self.peer_persisted(now, zxid, replica, out);
        }
    }

    fn install(&mut self, zxid: Zxid, out: &mut Vec<Output>) {
        let Some(link) = self.link_to_leader() else {
            return;
        };
        if let Some(peer) = &mut self.peer {
            peer.installing(zxid);
        }
        self.generation += 1;
        let install = Output::InstallSnapshot {
            generation: self.generation,
            link,
            zxid,
        };
        self.store(install, out);
    }

    fn serve_as_learner(&mut self, epoch: Epoch, out: &mut Vec<Output>) {
        out.push(Output::AdvanceTo(Zxid::start_of(epoch)));
        self.peer_established(epoch, true, out);
    }

    fn answer_ping(&mut self, now: Now, zxid: Zxid, replica: &Replica, out: &mut Vec<Output>) {
        let Role::Learning(learner, desk) = &mut self.role else {
            return;
        };
        let mut actions = Vec::new();
        learner.pong(zxid, &desk.take_touches(), &mut actions);
        self.follow(now, &mut actions, replica, out);
    }

    fn sync_done(&mut self, out: &mut Vec<Output>) {
        let Role::Learning(_, desk) = &mut self.role else {
            return;
        };
        let Some(sync) = desk.syncs.pop_front() else {
            return;
        };
        let ForwardedSync {
            conn,
            cxid,
            closes_local,
        } = sync;
        if closes_local {
            self.local_closed(conn, cxid, out);
        } else {
            out.push(Output::Complete { conn, cxid });
        }
    }

    fn revalidated(&mut self, session: SessionId, valid: bool, out: &mut Vec<Output>) {
        let Role::Learning(_, desk) = &mut self.role else {
            return;
        };
        let Some((conn, timeout_ms)) = desk.revalidating.remove(&session) else {
            return;
        };
        if !valid {
            out.push(Output::Refused { conn });
            return;
        }
        desk.speakers.insert(session, conn);
        self.bound.insert(conn, session);
        out.push(Output::Attached {
            conn,
            session,
            timeout_ms,
            read_only: false,
        });
    }

    pub(super) fn open_at_learner(
        &mut self,
        now: Now,
        conn: ConnId,
        open: OpenSession,
        replica: &Replica,
        out: &mut Vec<Output>,
    ) {
        let OpenSession {
            session,
            password_matches,
            timeout_ms,
            ..
        } = open;
        if session.0 == 0 {
            return self.open_new_at_learner(now, conn, timeout_ms, replica, out);
        }
        self.stats.revalidations += 1;
        let Role::Learning(_, desk) = &mut self.role else {
            return;
        };
        if let Some(older) = desk.speakers.remove(&session) {
            self.bound.remove(&older);
            out.push(Output::Close { conn: older });
        }
        if !password_matches {
            out.push(Output::Refused { conn });
            return;
        }
        if let Some((older, _)) = desk.revalidating.insert(session, (conn, timeout_ms)) {
            out.push(Output::Close { conn: older });
        }
        self.learn(now, replica, out, |learner, actions| {
            learner.revalidate(session, timeout_ms, actions);
        });
    }

    fn open_new_at_learner(
        &mut self,
        now: Now,
        conn: ConnId,
        timeout_ms: i32,
        replica: &Replica,
        out: &mut Vec<Output>,
    ) {
        let session = self.new_session_id(replica);
        if let Role::Learning(_, desk) = &mut self.role {
            desk.opening.insert(session, conn);
        }
        self.forward_session(now, session, timeout_ms, replica, out);
    }

    /// A client's write or sync goes to the leader.
    pub(super) fn forward(
        &mut self,
        now: Now,
        request: &ClientRequest,
        replica: &Replica,
        out: &mut Vec<Output>,
    ) {
        let ClientRequest {
            conn,
            session,
            cxid,
            op,
            ..
        } = *request;
        let Role::Learning(_, desk) = &mut self.role else {
            return;
        };
        if desk.speakers.get(&session) != Some(&conn) {
            // The session is over, or speaks through another connection now.
            out.push(Output::Close { conn });
            return;
        }
        if desk.ending.contains(&conn) {
            // Where there are local sessions, a leader of ZooKeeper's that has forgotten this one takes it for
            // one of them.
            return;
        }
        if op == OpCode::CloseSession {
            desk.ending.insert(conn);
        }
        let closes_local = op == OpCode::CloseSession && self.is_local(session);
        let mut forwarded = ForwardedRequest {
            session,
            cxid,
            op: op.code(),
            body: request.body.clone(),
            ids: Arc::clone(&request.ids),
        };
        if closes_local {
            self.local.set_closing(session);
        }
        if closes_local || op == OpCode::Sync {
            forwarded.op = OpCode::Sync.code();
            self.remember_sync(conn, cxid, closes_local);
        } else {
            let instead = match self.upgrade_for(request) {
                Upgrade::NotNeeded => None,
                // The leader refuses it, too, but does not know why.
                Upgrade::Forbidden => Some(FORBIDDEN),
                Upgrade::To(timeout_ms) => {
                    self.forward_session(now, session, timeout_ms, replica, out);
                    None
                }
            };
            self.remember_write(conn, session, cxid, instead);
        }
        self.learn(now, replica, out, |learner, actions| {
            learner.request(&forwarded, actions);
        });
    }

    fn remember_sync(&mut self, conn: ConnId, cxid: i32, closes_local: bool) {
        if let Role::Learning(_, desk) = &mut self.role {
            desk.syncs.push_back(ForwardedSync {
                cxid,
                conn,
                closes_local,
            });
        }
    }

    fn remember_write(
        &mut self,
        conn: ConnId,
        session: SessionId,
        cxid: i32,
        instead: Option<ErrorCode>,
    ) {
        if let Role::Learning(_, desk) = &mut self.role {
            desk.forwarded
                .entry(session)
                .or_default()
                .push_back(Forwarded {
                    cxid,
                    conn,
                    instead,
                });
        }
    }

    /// Asks the leader for a session.
    fn forward_session(
        &mut self,
        now: Now,
        session: SessionId,
        timeout_ms: i32,
        replica: &Replica,
        out: &mut Vec<Output>,
    ) {
        let request = ForwardedRequest {
            session,
            cxid: 0,
            op: OpCode::CreateSession.code(),
            body: Bytes::from(timeout_ms.to_vec()),
            ids: Arc::default(),
        };
        self.learn(now, replica, out, |learner, actions| {
            learner.request(&request, actions);
        });
    }

    pub(super) fn learner_input(
        &mut self,
        now: Now,
        input: Input,
        replica: &Replica,
        out: &mut Vec<Output>,
    ) {
        let link = self.link_to_leader();
        let is_current = |other| Some(other) == link;
        match input {
            Input::LinkAccepted(link) => {
                self.hang_up(link, "this server does not lead".to_owned(), out);
            }
            Input::LinkUp(link) if is_current(link) => {
                self.learn(now, replica, out, |learner, actions| {
                    learner.link_up(now.mono_ms, actions);
                });
            }
            Input::LinkDown(link) if is_current(link) => {
                self.forget_leader_link();
                self.learn(now, replica, out, |learner, actions| {
                    learner.link_down(now.mono_ms, actions);
                });
            }
            Input::LinkProgress(link) if is_current(link) => {
                self.learn(now, replica, out, |learner, _| learner.heard(now.mono_ms));
            }
            Input::Packet(link, packet) if is_current(link) => {
                self.learn(now, replica, out, |learner, actions| {
                    learner.packet(now.mono_ms, &packet, actions);
                });
            }
            Input::PacketRun(link, run) if is_current(link) => {
                self.learn(now, replica, out, |learner, actions| {
                    learner.packet_run(now.mono_ms, run, actions);
                });
            }
            Input::SnapshotReceived { link, zxid } if is_current(link) => {
                self.learn(now, replica, out, |learner, actions| {
                    learner.snapshot_received(now.mono_ms, zxid, actions);
                });
            }
            Input::EpochAccepted(epoch) => self.learn(now, replica, out, |learner, actions| {
                learner.epoch_accepted(epoch, actions);
            }),
            Input::EpochEntered(epoch) => self.learn(now, replica, out, |learner, actions| {
                learner.epoch_entered(epoch, actions);
            }),
            Input::Truncated { last, .. } => self.learn(now, replica, out, |learner, actions| {
                learner.truncated(now.mono_ms, last, actions);
            }),
            Input::CannotTruncate { reason, .. } => {
                self.learn(now, replica, out, |learner, actions| {
                    learner.cannot_truncate(now.mono_ms, reason, actions);
                });
            }
            Input::CannotInstall { reason, .. } => {
                self.learn(now, replica, out, |learner, actions| {
                    learner.cannot_install(reason, actions);
                });
            }
            Input::Installed { .. } => self.learn(now, replica, out, |learner, actions| {
                learner.installed(now.mono_ms, actions);
            }),
            // Of an earlier role.
            _ => {}
        }
    }
}
