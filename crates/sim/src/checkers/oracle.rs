//! Every reply, event and recovery is what the model says.
//!
//! The oracle follows each request from the client's hand over the connection and the node to the
//! outbox, carries it out on the [`Model`] when its turn comes, and compares bytes.

mod compare;
mod connection;

pub(crate) use compare::{same_answer, same_state};
pub(crate) use connection::CLIENT_IP;

use crate::fact::Fact;
use crate::model::{Action, Ask, Change, Done, Model, Proposal};
use crate::packet::{Notice, Packet, Reply};
use crate::request::Request;
use bytes::Bytes;
use connection::{Barrier, Conn, Due, Ordered};
use std::collections::{BTreeMap, BTreeSet};
use zooid_node::{ClientRequest, ConnId, Input, Now, OpenSession};
use zooid_proto::{ConnectResponse, SessionId, Txn, TxnRecord, Zxid, xid};
use zooid_tree::Replica;

/// The whole tree is compared after so many transactions.
const COMPARE_INTERVAL: u64 = 16;

#[derive(Debug)]
pub(crate) struct Oracle {
    pub(crate) model: Model,
    conns: BTreeMap<ConnId, Conn>,
    /// Every session there ever was: ids are never given twice.
    sessions: BTreeSet<SessionId>,
    /// What the node was last stepped with, until it has proposed.
    stepping: Stepping,
    now: Now,
    applied: u64,
}

#[derive(Debug)]
enum Stepping {
    Nothing,
    Open(ConnId, OpenSession),
    Request(ConnId, Ordered),
    Timer,
}

impl Default for Oracle {
    fn default() -> Oracle {
        Oracle {
            model: Model::new(),
            conns: BTreeMap::new(),
            sessions: BTreeSet::new(),
            stepping: Stepping::Nothing,
            now: Now::default(),
            applied: 0,
        }
    }
}

impl Oracle {
    pub(crate) fn observe(&mut self, fact: &Fact<'_>) -> Result<(), String> {
        match fact {
            Fact::Dialled { conn, request, .. } => {
                self.conns.insert(*conn, Conn::new((*request).clone()));
                Ok(())
            }
            Fact::Asked { conn, xid, request } => {
                if let Some(conn) = self.conns.get_mut(conn) {
                    conn.asked.push_back((*xid, (*request).clone()));
                }
                Ok(())
            }
            Fact::Taken { conn, replica } => self.taken(*conn, replica),
            Fact::Stepped { now, input } => {
                self.now = *now;
                self.stepped(input)
            }
            Fact::Proposed { zxid, record } => self.proposed(*zxid, record),
            Fact::Applied {
                record, replica, ..
            } => {
                self.applied(record.header.zxid)?;
                self.applied += 1;
                if self.applied.is_multiple_of(COMPARE_INTERVAL) {
                    return compare::same(&self.model, replica);
                }
                Ok(())
            }
            Fact::Settled => self.settled(),
            Fact::Completed { conn } => self.completed(*conn),
            Fact::Sent { conn, packet } => self.sent(*conn, packet),
            Fact::Closing { conn } => {
                if let Some(conn) = self.conns.get_mut(conn) {
                    conn.close();
                }
                Ok(())
            }
            Fact::Recovered { replica, last, .. } => {
                self.conns.clear();
                self.stepping = Stepping::Nothing;
                self.model.recover(*last)?;
                self.model.tree.adopt_frozen(replica);
                compare::same(&self.model, replica)
            }
            Fact::Durable { .. }
            | Fact::Left { .. }
            | Fact::Received { .. }
            | Fact::Died { .. } => Ok(()),
        }
    }

    /// Whether a recovery would be right that ends at `last`.
    pub(crate) fn would_accept(&self, replica: &Replica, last: Zxid) -> Result<(), String> {
        let mut model = self.model.clone();
        model.recover(last)?;
        compare::same(&model, replica)
    }

    /// A client may come back to it.
    pub(crate) fn is_open(&self, session: SessionId) -> bool {
        self.model.sessions.is_open(session)
    }

    fn taken(&mut self, id: ConnId, replica: &Replica) -> Result<(), String> {
        let Some(conn) = self.conns.get_mut(&id) else {
            return Err(format!("{} was taken in but never dialled", id.0));
        };
        if let Some(dial) = conn.dial.take() {
            conn.dialled = true;
            let (seen, has) = (dial.last_zxid_seen, replica.last_zxid());
            if seen > has {
                return Err(format!("{} has seen {seen}, the server is at {has}", id.0));
            }
            return Ok(());
        }
        let Some((xid, request)) = conn.asked.pop_front() else {
            return Err(format!("{} was taken in but never asked", id.0));
        };
        conn.take(xid, request);
        Ok(())
    }

    fn stepped(&mut self, input: &Input) -> Result<(), String> {
        self.stepping = Stepping::Nothing;
        match input {
            Input::Open(conn, open) => self.opening(*conn, *open),
            Input::Request(request) => return self.requested(request),
            Input::Disconnected(conn) => {
                self.model.sessions.disconnected(*conn);
                self.conns.remove(conn);
            }
            Input::Timer => self.stepping = Stepping::Timer,
            // The rest says nothing about clients.
            _ => {}
        }
        Ok(())
    }

    fn opening(&mut self, id: ConnId, open: OpenSession) {
        if open.session.0 == 0 {
            self.stepping = Stepping::Open(id, open);
            return;
        }
        let granted = self
            .model
            .sessions
            .attach(open.session, id, open.password_matches);
        if let Some(conn) = self.conns.get_mut(&id) {
            let greeting = if granted {
                (open.session, open.timeout_ms)
            } else {
                (SessionId(0), 0)
            };
            conn.greeting = Some(greeting);
        }
    }

    fn requested(&mut self, request: &ClientRequest) -> Result<(), String> {
        let id = request.conn;
        let next = self
            .conns
            .get_mut(&id)
            .and_then(|conn| conn.to_order.pop_front());
        let Some(mut ordered) = next.filter(|next| next.xid == request.cxid) else {
            return Err(format!(
                "the node got {} of {}, which was not next",
                request.cxid, id.0
            ));
        };
        if ordered.request.is_judged_by_session() {
            ordered.verdict = self.model.sessions.check(request.session, id);
        }
        let Request::Sync(path) = ordered.request else {
            self.stepping = Stepping::Request(id, ordered);
            return Ok(());
        };
        let after = self.model.last_proposed();
        if let Some(conn) = self.conns.get_mut(&id) {
            conn.barriers.push_back(Barrier { after, path });
        }
        Ok(())
    }

    fn proposed(&mut self, zxid: Zxid, record: &Bytes) -> Result<(), String> {
        let record = TxnRecord::decode(record).map_err(|err| format!("{zxid}: {err}"))?;
        let session = record.header.client_id;
        let (conn, action) = match std::mem::replace(&mut self.stepping, Stepping::Nothing) {
            Stepping::Open(conn, open) => {
                if !self.sessions.insert(session) {
                    return Err(format!("session {session} is given for the second time"));
                }
                self.model.sessions.track(session, conn);
                (
                    Some(conn),
                    Action::OpenSession {
                        timeout_ms: open.timeout_ms,
                    },
                )
            }
            Stepping::Request(conn, ordered) => (Some(conn), self.action(session, ordered)),
            Stepping::Timer => {
                // One timer may close several sessions.
                self.stepping = Stepping::Timer;
                let action = match record.txn {
                    Txn::CloseSession { .. } => {
                        self.model.sessions.set_closing(session);
                        Action::CloseSession
                    }
                    Txn::DeleteContainer { path } => Action::Sweep(Some(path)),
                    Txn::Error(_) => Action::Sweep(None),
                    other => return Err(format!("nobody asked for {other:?}")),
                };
                (None, action)
            }
            Stepping::Nothing => return Err(format!("nobody asked for {:?}", record.txn)),
        };
        let wall_ms = self.now.wall_ms;
        self.model.propose(Proposal {
            zxid,
            wall_ms,
            session,
            conn,
            action,
        })
    }

    fn action(&mut self, session: SessionId, ordered: Ordered) -> Action {
        if ordered.request == Request::Close {
            self.model.sessions.set_closing(session);
            return Action::CloseSession;
        }
        Action::Write(Ask {
            request: ordered.request,
            ids: ordered.ids,
            verdict: ordered.verdict,
            ephemeral_verdict: ordered.verdict,
            quotas: self.model.tree.quotas(),
        })
    }

    fn applied(&mut self, zxid: Zxid) -> Result<(), String> {
        let Done {
            proposal,
            answer,
            moved,
            changes,
        } = self.model.commit(zxid)?;
        self.tell(&changes);
        let Some(conn) = proposal.conn.and_then(|id| self.conns.get_mut(&id)) else {
            return Ok(());
        };
        match proposal.action {
            Action::OpenSession { timeout_ms } => {
                conn.greeting = Some((proposal.session, timeout_ms));
            }
            _ if moved => conn.close(),
            _ => conn.due.push_back(Due { zxid, answer }),
        }
        Ok(())
    }

    fn tell(&mut self, changes: &[Change]) {
        for conn in self.conns.values_mut().filter(|conn| !conn.is_closing) {
            for change in changes {
                conn.watches.fire(change, &conn.ids, &mut conn.events);
            }
        }
    }

    fn settled(&self) -> Result<(), String> {
        let mut conns = self.conns.iter().filter(|(_, conn)| !conn.is_closing);
        match conns.find_map(|(id, conn)| Some((id, conn.events.first()?))) {
            Some((id, event)) => Err(format!("{} was not told of {event:?}", id.0)),
            None => Ok(()),
        }
    }

    fn completed(&mut self, id: ConnId) -> Result<(), String> {
        let Some(conn) = self.conns.get_mut(&id).filter(|conn| !conn.is_closing) else {
            return Ok(());
        };
        conn.complete(self.model.zxid)
            .map_err(|what| format!("{}: {what}", id.0))
    }

    fn sent(&mut self, id: ConnId, packet: &Packet) -> Result<(), String> {
        let Some(conn) = self.conns.get_mut(&id) else {
            return Err(format!("{} was sent something after it left", id.0));
        };
        let checked = match packet {
            Packet::Connected(response) => conn.greeted(response),
            Packet::Event(event) => conn.notified(event),
            Packet::Reply(reply) if reply.xid == xid::AUTH => conn.authenticated(reply),
            Packet::Reply(reply) => conn.replied(reply, &self.model),
        };
        checked.map_err(|what| format!("{}: {what}", id.0))
    }
}

impl Conn {
    fn greeted(&mut self, response: &ConnectResponse) -> Result<(), String> {
        let got = (response.session_id, response.timeout_ms);
        match self.greeting.take() {
            Some(expected) if expected == got => {
                self.session = got.0;
                Ok(())
            }
            expected => Err(format!("was granted {got:?} instead of {expected:?}")),
        }
    }

    fn notified(&mut self, event: &Notice) -> Result<(), String> {
        if event.zxid == Zxid::NONE {
            self.told.push(event.clone());
            return Ok(());
        }
        if self.events.first() != Some(event) {
            return Err(format!(
                "was told of {event:?} instead of {:?}",
                self.events.first()
            ));
        }
        self.events.remove(0);
        Ok(())
    }

    fn replied(&mut self, reply: &Reply, model: &Model) -> Result<(), String> {
        if let Some(event) = self.events.first() {
            return Err(format!("reply {} overtook {event:?}", reply.xid));
        }
        let Some(ordered) = self
            .waiting
            .pop_front()
            .filter(|next| next.xid == reply.xid)
        else {
            return Err(format!("reply {} was not next", reply.xid));
        };
        let Due { zxid, answer } = if ordered.request.is_ordered() {
            self.take_due(&ordered.request)?
        } else {
            Due {
                zxid: model.zxid,
                answer: self.read(&ordered, model)?,
            }
        };
        if reply.zxid != zxid {
            return Err(format!(
                "reply {} is of {} instead of {zxid}",
                reply.xid, reply.zxid
            ));
        }
        compare::same_answer(&ordered.request, reply, &answer)
    }
}
