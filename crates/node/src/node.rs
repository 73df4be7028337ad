//! One server's protocol: order of writes, sessions, what to persist and when to answer.

use crate::prep::{Asker, Pending, Prep, Write};
use crate::step::{ClientRequest, ConnId, Input, Now, OpenSession, Output};
use crate::sweep::Sweep;
use crate::{Sessions, Settings};
use bytes::Bytes;
use std::collections::{BTreeMap, VecDeque};
use zooid_proto::{
    ErrorCode, OpCode, Reader, ServerId, SessionId, Txn, TxnHeader, TxnRecord, Zxid,
};
use zooid_tree::Replica;
use zooid_zab::{Broadcast, QuorumVerifier};

/// One server. See the crate's documentation for how to drive it.
///
/// A standalone server is the leader of a quorum of one: its own log is the only voter.
#[derive(Debug)]
pub struct Node {
    settings: Settings,
    me: ServerId,
    sessions: Sessions,
    /// Which session speaks through which connection.
    bound: BTreeMap<ConnId, SessionId>,
    pending: Pending,
    broadcast: Broadcast,
    /// Proposals in zxid order, until they commit.
    proposals: VecDeque<Proposal>,
    /// Requests that wait for every proposal made before them.
    barriers: VecDeque<Barrier>,
    sweep: Sweep,
    next_session: SessionId,
    generation: u64,
    stats: NodeStats,
    halted: bool,
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
    record: TxnRecord,
    owner: Option<ConnId>,
}

#[derive(Debug)]
struct Barrier {
    after: Zxid,
    conn: ConnId,
    cxid: i32,
}

impl Node {
    /// A standalone server over what recovery found.
    #[must_use]
    pub fn standalone(settings: Settings, replica: &Replica, now: Now) -> Node {
        let me = settings.server_id;
        let mut sessions = Sessions::new(settings.tick_ms);
        for (id, timeout_ms) in replica.sessions() {
            sessions.track(id, timeout_ms, now.mono_ms);
        }
        Node {
            me,
            sessions,
            bound: BTreeMap::new(),
            pending: Pending::new(replica),
            broadcast: Broadcast::new(vec![QuorumVerifier::single(me)], replica.last_zxid()),
            proposals: VecDeque::new(),
            barriers: VecDeque::new(),
            sweep: Sweep::new(settings.containers, now),
            next_session: first_session_id(me, now),
            generation: 0,
            stats: NodeStats {
                last_proposal_bytes: -1,
                ..NodeStats::default()
            },
            halted: false,
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
            Input::Touched(ids) => {
                for id in ids {
                    self.sessions.touch(id, now.mono_ms);
                }
            }
            Input::Disconnected(conn) => {
                if let Some(session) = self.bound.remove(&conn) {
                    self.sessions.detach(session, conn);
                }
            }
            Input::Persisted { generation, upto } if generation == self.generation => {
                self.broadcast.ack(self.me, upto);
                self.commit(out);
            }
            // A completion of a history that has been replaced since.
            Input::Persisted { .. } => {}
            Input::StorageFailed { reason } => self.halt(reason, out),
            Input::Timer => self.timer(now, replica, out),
            // Nothing of an ensemble reaches a standalone server.
            _ => {}
        }
    }

    /// When the next [`Input::Timer`] is due at the latest, on the monotonic clock.
    #[must_use]
    pub fn next_wakeup_ms(&self) -> i64 {
        let sweep = self.sweep.next_wakeup_ms();
        self.sessions
            .next_expiry_ms()
            .map_or(sweep, |expiry| expiry.min(sweep))
    }

    /// The sessions, for operators.
    #[must_use]
    pub fn sessions(&self) -> &Sessions {
        &self.sessions
    }

    /// Counters, for operators.
    #[must_use]
    pub fn stats(&self) -> NodeStats {
        self.stats
    }

    fn open(
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
        } = open;
        if session.0 == 0 {
            let session = self.new_session_id();
            self.bound.insert(conn, session);
            self.sessions.track(session, timeout_ms, now.mono_ms);
            self.sessions.attach(session, conn, timeout_ms, now.mono_ms);
            let origin = Origin {
                conn: Some(conn),
                session,
                cxid: 0,
            };
            self.propose(now, origin, Txn::CreateSession { timeout_ms }, replica, out);
            return;
        }
        self.stats.revalidations += 1;
        if let Some(old) = self.sessions.get(session).and_then(|info| info.owner) {
            self.sessions.detach(session, old);
            self.bound.remove(&old);
            out.push(Output::Close { conn: old });
        }
        if password_matches && self.sessions.attach(session, conn, timeout_ms, now.mono_ms) {
            self.bound.insert(conn, session);
            out.push(Output::Attached {
                conn,
                session,
                timeout_ms,
            });
        } else {
            out.push(Output::Refused { conn });
        }
    }

    /// Ids go up by one; any that the database still knows from an earlier life are skipped.
    fn new_session_id(&mut self) -> SessionId {
        loop {
            let id = self.next_session;
            self.next_session = SessionId(id.0.wrapping_add(1));
            if id.0 != 0 && id.0 != i64::MIN && self.sessions.get(id).is_none() {
                return id;
            }
        }
    }

    fn request(
        &mut self,
        now: Now,
        request: &ClientRequest,
        replica: &Replica,
        out: &mut Vec<Output>,
    ) {
        let ClientRequest { body, ids, .. } = request;
        let (conn, session, cxid, op) = (request.conn, request.session, request.cxid, request.op);
        if !self.sessions.touch(session, now.mono_ms) && self.sessions.get(session).is_none() {
            // Java drops the request; the connection has nothing more to say.
            out.push(Output::Close { conn });
            return;
        }
        if op == OpCode::Sync {
            return self.barrier(conn, cxid, out);
        }
        let mut r = Reader::shared(body, self.settings.limit);
        let txn = match Write::decode(op, &mut r) {
            Ok(write) => self.prepare(now, Asker { session, conn, ids }, write, replica),
            // As in ZooKeeper 3.8, the zxid is taken before the record is looked at.
            Err(_) => Txn::Error(ErrorCode::MarshallingError),
        };
        self.propose(
            now,
            Origin {
                conn: Some(conn),
                session,
                cxid,
            },
            txn,
            replica,
            out,
        );
    }

    fn prepare(&mut self, now: Now, asker: Asker<'_>, write: Write, replica: &Replica) -> Txn {
        let mut prep = Prep {
            settings: &self.settings,
            replica,
            sessions: &mut self.sessions,
            pending: &mut self.pending,
            now,
            zxid: self.broadcast.last_proposed().next(),
        };
        prep.prepare(asker, write)
    }

    /// Encodes the transaction once; the same bytes go to the log and, in an ensemble, to every
    /// learner.
    fn propose(
        &mut self,
        now: Now,
        origin: Origin,
        txn: Txn,
        replica: &Replica,
        out: &mut Vec<Output>,
    ) {
        debug_assert!(self.broadcast.last_committed() >= replica.last_zxid());
        let zxid = self.broadcast.propose();
        let header = TxnHeader {
            client_id: origin.session,
            cxid: origin.cxid,
            zxid,
            time: now.wall_ms,
            op: txn.op_code().code(),
        };
        let digest = self.settings.digest.then(|| self.pending.digest());
        let record = TxnRecord {
            header,
            txn,
            digest,
        };
        let bytes = Bytes::from(record.encode());
        self.stats.last_proposal_bytes = i64::try_from(bytes.len()).unwrap_or(i64::MAX);
        self.proposals.push_back(Proposal {
            record,
            owner: origin.conn,
        });
        out.push(Output::Append {
            generation: self.generation,
            zxid,
            record: bytes,
        });
    }

    fn barrier(&mut self, conn: ConnId, cxid: i32, out: &mut Vec<Output>) {
        if self.proposals.is_empty() {
            out.push(Output::Complete { conn, cxid });
            return;
        }
        let after = self.broadcast.last_proposed();
        self.barriers.push_back(Barrier { after, conn, cxid });
    }

    fn commit(&mut self, out: &mut Vec<Output>) {
        while let Some(zxid) = self.broadcast.next_committed() {
            let Some(Proposal { record, owner }) = self.proposals.pop_front() else {
                return self.halt(format!("{zxid} committed without a proposal"), out);
            };
            assert_eq!(
                record.header.zxid, zxid,
                "commits leave in the order of proposals"
            );
            let closed = matches!(record.txn, Txn::CloseSession { .. });
            let session = record.header.client_id;
            out.push(Output::Commit {
                record: Box::new(record),
                owner,
            });
            if closed {
                self.session_closed(session, owner, out);
            }
            while self
                .barriers
                .front()
                .is_some_and(|barrier| barrier.after <= zxid)
            {
                let Some(Barrier { conn, cxid, .. }) = self.barriers.pop_front() else {
                    break;
                };
                out.push(Output::Complete { conn, cxid });
            }
        }
    }

    /// The asking connection closes itself after its reply; one that did not ask is closed here.
    fn session_closed(&mut self, session: SessionId, asked: Option<ConnId>, out: &mut Vec<Output>) {
        let Some(owner) = self.sessions.remove(session).and_then(|info| info.owner) else {
            return;
        };
        self.bound.remove(&owner);
        if asked != Some(owner) {
            out.push(Output::Close { conn: owner });
        }
    }

    fn timer(&mut self, now: Now, replica: &Replica, out: &mut Vec<Output>) {
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
            conn: ConnId(0),
            ids: &[],
        };
        let txn = self.prepare(now, asker, write, replica);
        self.propose(
            now,
            Origin {
                conn: None,
                session,
                cxid: 0,
            },
            txn,
            replica,
            out,
        );
    }

    fn halt(&mut self, reason: String, out: &mut Vec<Output>) {
        self.halted = true;
        out.push(Output::Halt { reason });
    }
}

#[derive(Clone, Copy, Debug)]
struct Origin {
    conn: Option<ConnId>,
    session: SessionId,
    cxid: i32,
}

/// Server id in the highest byte, then 40 bits of time, then a counter
/// (Java `SessionTrackerImpl.initializeNextSessionId`).
fn first_session_id(me: ServerId, now: Now) -> SessionId {
    let time = (now.wall_ms << 24).cast_unsigned() >> 8;
    SessionId(time.cast_signed() | (me.0 << 56))
}

#[cfg(test)]
mod tests;
