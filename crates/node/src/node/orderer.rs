//! Making transactions of requests and giving them their place in the order: on a standalone server
//! and on a leader.

use super::local_sessions::{FORBIDDEN, Upgrade};
use super::{Awaited, Barrier, Node, Proposal, Role};
use crate::prep::{Asker, Prep, Write};
use crate::step::{ClientRequest, ConnId, Now, OpenSession, Output, Owner};
use bytes::Bytes;
use zooid_proto::{ErrorCode, Id, OpCode, Reader, SessionId, Txn, TxnHeader, TxnRecord, Zxid};
use zooid_tree::Replica;
use zooid_zab::Round;

/// What clients are told whose write does not fit on the disk. Every client of every release knows it, and
/// none takes it for the connection's fault and tries again at once.
const DISK_IS_FULL: ErrorCode = ErrorCode::SystemError;

/// Who is behind a transaction.
#[derive(Clone, Copy, Debug)]
pub(super) struct Origin {
    /// The connection of this server that asked.
    pub(super) conn: Option<ConnId>,
    pub(super) session: SessionId,
    pub(super) cxid: i32,
}

/// A write, from a client of this server or of a learner.
pub(super) struct Order<'a> {
    pub(super) owner: Owner,
    pub(super) session: SessionId,
    pub(super) cxid: i32,
    pub(super) op: OpCode,
    pub(super) body: &'a Bytes,
    pub(super) ids: &'a [Id],
}

impl Node {
    /// A session for a client of this server.
    pub(super) fn open_here(
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
        let owner = Owner::Client(conn);
        if session.0 == 0 {
            let session = self.new_session_id(replica);
            self.bound.insert(conn, session);
            self.create_session(now, owner, session, timeout_ms, replica, out);
            return;
        }
        self.stats.revalidations += 1;
        self.close_older(session, out);
        if password_matches
            && self
                .sessions
                .attach(session, owner, timeout_ms, now.mono_ms)
        {
            self.bound.insert(conn, session);
            out.push(Output::Attached {
                conn,
                session,
                timeout_ms,
                read_only: false,
            });
        } else {
            out.push(Output::Refused { conn });
        }
    }

    /// Proposes a session, and tracks it from now on: what its client asks next may come before the
    /// proposal commits.
    pub(super) fn create_session(
        &mut self,
        now: Now,
        owner: Owner,
        session: SessionId,
        timeout_ms: i32,
        replica: &Replica,
        out: &mut Vec<Output>,
    ) {
        self.sessions.track(session, timeout_ms, now.mono_ms);
        self.sessions
            .attach(session, owner, timeout_ms, now.mono_ms);
        let origin = Origin {
            conn: owner.conn(),
            session,
            cxid: 0,
        };
        self.propose(now, origin, Txn::CreateSession { timeout_ms }, replica, out);
    }

    /// Closes the connection of this server that spoke for the session so far.
    pub(super) fn close_older(&mut self, session: SessionId, out: &mut Vec<Output>) {
        let owner = self.sessions.get(session).and_then(|info| info.owner);
        if let Some(conn) = owner.and_then(Owner::conn) {
            self.sessions.detach(session, Owner::Client(conn));
            self.bound.remove(&conn);
            out.push(Output::Close { conn });
        }
    }

    /// Ids go up by one; any that the database still knows from an earlier life are skipped.
    pub(super) fn new_session_id(&mut self, replica: &Replica) -> SessionId {
        loop {
            let id = self.next_session;
            self.next_session = SessionId(id.0.wrapping_add(1));
            let is_known = self.sessions.get(id).is_some() || replica.session_timeout(id).is_some();
            if id.0 != 0 && id.0 != i64::MIN && !is_known {
                return id;
            }
        }
    }

    /// A write or sync of a client of this server.
    pub(super) fn order(
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
        let is_local = self.is_local(session);
        let is_known = self.sessions.touch(session, now.mono_ms)
            || self.sessions.get(session).is_some()
            || is_local;
        if !is_known {
            // Java drops the request; the connection has nothing more to say.
            out.push(Output::Close { conn });
            return;
        }
        if op == OpCode::Sync {
            let round = self.confirm_leadership(now, replica, out);
            return self.barrier(conn, cxid, round, Awaited::Sync, out);
        }
        if op == OpCode::CloseSession && is_local {
            self.local.set_closing(session);
            return self.barrier(conn, cxid, None, Awaited::LocalEnd, out);
        }
        match self.upgrade_for(request) {
            Upgrade::NotNeeded => {}
            Upgrade::To(timeout_ms) => {
                let owner = Owner::Client(conn);
                self.create_session(now, owner, session, timeout_ms, replica, out);
            }
            Upgrade::Forbidden => {
                let origin = Origin {
                    conn: Some(conn),
                    session,
                    cxid,
                };
                return self.propose(now, origin, Txn::Error(FORBIDDEN), replica, out);
            }
        }
        let order = Order {
            owner: Owner::Client(conn),
            session,
            cxid,
            op,
            body: &request.body,
            ids: &request.ids,
        };
        self.order_write(now, &order, replica, out);
    }

    pub(super) fn order_write(
        &mut self,
        now: Now,
        order: &Order<'_>,
        replica: &Replica,
        out: &mut Vec<Output>,
    ) {
        let Order {
            owner,
            session,
            cxid,
            ids,
            ..
        } = *order;
        let mut r = Reader::shared(order.body, self.settings.limit);
        let write = Write::decode(order.op, &mut r);
        let origin = Origin {
            conn: owner.conn(),
            session,
            cxid,
        };
        let stores_data = write.as_ref().is_ok_and(Write::stores_data);
        if stores_data && self.room.is_low() {
            return self.refuse_for_room(now, origin, replica, out);
        }
        let txn = match write {
            Ok(write) => self.prepare(
                now,
                Asker {
                    session,
                    owner,
                    ids,
                },
                write,
                replica,
            ),
            // As in ZooKeeper 3.8, the zxid is taken before the record is looked at.
            Err(_) => Txn::Error(ErrorCode::MarshallingError),
        };
        self.propose(now, origin, txn, replica, out);
    }

    /// A place in the order would itself cost room, so a client of this server gets its answer without
    /// one. A learner has no other way to hear of it.
    fn refuse_for_room(
        &mut self,
        now: Now,
        origin: Origin,
        replica: &Replica,
        out: &mut Vec<Output>,
    ) {
        self.room.has_refused();
        match origin.conn {
            Some(conn) => {
                let what = Awaited::Refusal(DISK_IS_FULL);
                self.barrier(conn, origin.cxid, None, what, out);
            }
            None => self.propose(now, origin, Txn::Error(DISK_IS_FULL), replica, out),
        }
    }

    fn next_zxid(&self) -> Option<Zxid> {
        match &self.role {
            Role::Standalone(broadcast) => Some(broadcast.last_proposed().next()),
            Role::Leading(leader) => leader.next_zxid(),
            Role::Draining | Role::Looking | Role::Learning(..) => None,
        }
    }

    fn prepare(&mut self, now: Now, asker: Asker<'_>, write: Write, replica: &Replica) -> Txn {
        match self.prep(now, replica) {
            Some(mut prep) => prep.prepare(asker, write),
            // It will not be proposed either.
            None => Txn::Error(ErrorCode::ConnectionLoss),
        }
    }

    fn prep<'a>(&'a mut self, now: Now, replica: &'a Replica) -> Option<Prep<'a>> {
        let zxid = self.next_zxid()?;
        Some(Prep {
            settings: &self.settings,
            replica,
            sessions: &mut self.sessions,
            local: &self.local,
            pending: &mut self.pending,
            exceeded_quotas: &mut self.exceeded_quotas,
            now,
            zxid,
        })
    }

    /// Encodes the transaction once; the same bytes go to the log and to every learner.
    fn propose(
        &mut self,
        now: Now,
        origin: Origin,
        txn: Txn,
        replica: &Replica,
        out: &mut Vec<Output>,
    ) {
        let Some(zxid) = self.next_zxid() else {
            return self.step_down(now, "the epoch has no zxid left; a new one must begin");
        };
        let header = TxnHeader {
            client_id: origin.session,
            cxid: origin.cxid,
            zxid,
            time: now.wall_ms,
            op: txn.op_code().code(),
        };
        let digest = self.settings.digest.then(|| self.pending.digest(replica));
        let record = Box::new(TxnRecord {
            header,
            txn,
            digest,
        });
        let bytes = self.record_blocks.encode(&record);
        self.stats.last_proposal_bytes = i64::try_from(bytes.len()).unwrap_or(i64::MAX);
        self.proposals.push_back(Proposal {
            record,
            bytes: bytes.clone(),
            owner: origin.conn,
        });
        out.push(Output::Append {
            generation: self.generation,
            zxid,
            record: bytes.clone(),
        });
        if let Role::Standalone(broadcast) = &mut self.role {
            broadcast.propose();
        } else {
            self.lead_proposal(now, zxid, bytes, replica, out);
        }
    }

    /// A standalone server has nobody who could have gone on without it.
    fn confirm_leadership(
        &mut self,
        now: Now,
        replica: &Replica,
        out: &mut Vec<Output>,
    ) -> Option<Round> {
        let mut round = None;
        self.lead(now, replica, out, |leader, _, actions| {
            round = Some(leader.confirm(actions));
        });
        round
    }

    /// Answers when everything proposed so far has committed, and a quorum has answered the round.
    fn barrier(
        &mut self,
        conn: ConnId,
        cxid: i32,
        round: Option<Round>,
        what: Awaited,
        out: &mut Vec<Output>,
    ) {
        let last = self.proposals.back();
        let after = last.map_or(Zxid::NONE, |last| last.record.header.zxid);
        self.barriers.push_back(Barrier {
            after,
            round,
            conn,
            cxid,
            what,
        });
        self.release_barriers(out);
    }

    pub(super) fn expire_and_sweep(&mut self, now: Now, replica: &Replica, out: &mut Vec<Output>) {
        for session in self.sessions.expired(now.mono_ms) {
            self.stats.sessions_expired += 1;
            self.propose_internal(now, session, Write::CloseSession, replica, out);
        }
        while let Some(path) = self.sweep.next(now, replica) {
            self.propose_internal(now, SessionId(0), Write::Sweep(path), replica, out);
        }
    }

    fn propose_internal(
        &mut self,
        now: Now,
        session: SessionId,
        write: Write,
        replica: &Replica,
        out: &mut Vec<Output>,
    ) {
        let asker = Asker {
            session,
            // Nobody's: the server asks by itself, and nothing it asks looks at an owner.
            owner: Owner::Client(ConnId(0)),
            ids: &[],
        };
        let txn = self.prepare(now, asker, write, replica);
        let origin = Origin {
            conn: None,
            session,
            cxid: 0,
        };
        self.propose(now, origin, txn, replica, out);
    }
}

#[cfg(test)]
mod tests;
