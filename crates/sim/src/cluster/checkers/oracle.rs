//! Every reply and every event of every connection is what the model says.
//!
//! A state is known by its zxid, on whichever member, decided or not (the records' checker sees to
//! that): the [`Chronicle`] carries each request out once, where it was first proposed. A reply to a
//! write is held against what came of it there, a read against the state that its member is in, and an
//! event must come, in its order, before anything that is newer.

mod chronicle;
mod connection;

use super::ledger::Ledger;
use super::records::Records;
use crate::checkers::same_answer;
use crate::cluster::fact::Fact;
use crate::cluster::schedule::MemberId;
use crate::model::{Answer, Reading};
use crate::packet::{Packet, Reply};
use crate::request::Request;
use chronicle::Chronicle;
use connection::{Conn, Taken};
use std::collections::{BTreeMap, BTreeSet};
use zooid_node::{ConnId, Input};
use zooid_proto::response::PathResponse;
use zooid_proto::{ErrorCode, Jute as _, SessionId, Zxid, xid};

#[derive(Debug, Default)]
pub(crate) struct Oracle {
    chronicle: Chronicle,
    conns: BTreeMap<ConnId, Conn>,
    /// Members whose disk is full, and those on whose disk it was in this life.
    full: BTreeSet<MemberId>,
    ever_full: BTreeSet<MemberId>,
    /// Replies that were compared.
    pub(crate) compared: u64,
}

impl Oracle {
    /// After the records' checker has heard of it, and before the ledger does.
    pub(crate) fn observe(
        &mut self,
        fact: &Fact<'_>,
        ledger: &Ledger,
        records: &Records,
    ) -> Result<(), String> {
        match fact {
            Fact::Dialled { conn, member, .. } => {
                self.conns.insert(*conn, Conn::to(*member));
                Ok(())
            }
            Fact::Asked { conn, xid, ask, .. } => {
                if let Some(conn) = self.conns.get_mut(conn) {
                    conn.asked.push_back((*xid, ask.request()));
                }
                Ok(())
            }
            Fact::Taken { conn, .. } => self.taken(*conn),
            Fact::Appended { member, zxid, .. } => {
                let before = ledger.book(*member).appended.last();
                let record = records.record(*zxid).ok_or("a record is unknown")?;
                let may_refuse = self.full.contains(member);
                self.chronicle
                    .proposed(before.copied().unwrap_or_default(), record, may_refuse)
            }
            Fact::Stepped {
                member,
                input: Input::DiskSpace { is_low },
            } => {
                if *is_low {
                    self.full.insert(*member);
                    self.ever_full.insert(*member);
                } else {
                    self.full.remove(member);
                }
                Ok(())
            }
            Fact::Applied { member, record, .. } => self.applied(*member, record.header.zxid),
            Fact::Settled { member } => self.settled(*member),
            Fact::Told {
                member,
                conn,
                packet,
            } => {
                let at = ledger.applied(*member).last().copied().unwrap_or_default();
                self.told(*conn, packet, at)
                    .map_err(|what| format!("member {member}, {}: {what}", conn.0))
            }
            Fact::Closing { conn, .. } => {
                if let Some(conn) = self.conns.get_mut(conn) {
                    conn.close();
                }
                Ok(())
            }
            Fact::Left { conn, .. } => {
                self.conns.remove(conn);
                Ok(())
            }
            Fact::Died { member, .. } => {
                self.conns.retain(|_, conn| conn.member != *member);
                self.full.remove(member);
                self.ever_full.remove(member);
                Ok(())
            }
            Fact::Final { member, replica } => {
                let at = ledger.applied(*member).last().copied().unwrap_or_default();
                self.chronicle.same(at, replica)
            }
            _ => Ok(()),
        }
    }

    fn taken(&mut self, id: ConnId) -> Result<(), String> {
        let Some(conn) = self.conns.get_mut(&id) else {
            return Err(format!("{} was taken in but never dialled", id.0));
        };
        match conn.take() {
            Some(Taken { xid, request, ids }) if request.is_ordered() => {
                let session = conn.session;
                self.chronicle.asked(session, xid, request, ids)
            }
            _ => Ok(()),
        }
    }

    fn applied(&mut self, member: MemberId, zxid: Zxid) -> Result<(), String> {
        let Some(state) = self.chronicle.at(zxid) else {
            return Err(format!("{zxid} was applied and never proposed"));
        };
        let conns = self.conns.values_mut();
        for conn in conns.filter(|conn| conn.member == member && !conn.is_closing) {
            for change in &state.changes {
                conn.watches.fire(change, &conn.ids, &mut conn.events);
            }
        }
        Ok(())
    }

    fn settled(&self, member: MemberId) -> Result<(), String> {
        let mut conns = self.conns.iter();
        let waits = conns.find(|(_, conn)| conn.member == member && !conn.events.is_empty());
        match waits {
            Some((id, conn)) => Err(format!("{} was not told of {:?}", id.0, conn.events)),
            None => Ok(()),
        }
    }

    fn told(&mut self, id: ConnId, packet: &Packet, at: Zxid) -> Result<(), String> {
        let Some(conn) = self.conns.get_mut(&id) else {
            return Err("was sent something after it left".to_owned());
        };
        match packet {
            Packet::Connected(response) => {
                conn.session = response.session_id;
                conn.reads_only = response.read_only == Some(true);
                Ok(())
            }
            Packet::Event(event) => conn.notified(event),
            Packet::Reply(reply) if reply.xid == xid::AUTH => conn.authenticated(reply),
            Packet::Reply(reply) => {
                self.compared += 1;
                let taken = conn.next_answered(reply)?;
                let (session, reads_only) = (conn.session, conn.reads_only);
                let has_refused = reply.err == ErrorCode::SystemError
                    && self.ever_full.contains(&conn.member)
                    && taken.request.stores_data()
                    && self.chronicle.decline(session, taken.xid);
                let answer = if has_refused {
                    is_now(reply, at)?;
                    answer_of(Err(ErrorCode::SystemError))
                } else if reads_only && taken.request.is_ordered() {
                    read_only(&taken.request, reply, at)?
                } else if taken.request.is_ordered() {
                    self.outcome(session, &taken, reply, at)?
                } else {
                    self.read(id, &taken, reply, at)?
                };
                same_answer(&taken.request, reply, &answer)
            }
        }
    }

    /// What a request that went through the leader must be answered.
    fn outcome(
        &self,
        session: SessionId,
        taken: &Taken,
        reply: &Reply,
        at: Zxid,
    ) -> Result<Answer, String> {
        if let Request::Sync(path) = &taken.request {
            is_now(reply, at)?;
            let path = path.clone();
            return Ok(Answer::ok(PathResponse { path }.to_vec()));
        }
        if taken.request == Request::Close && !self.chronicle.is_global(session) {
            is_now(reply, at)?;
            return Ok(Answer::ok(Vec::new()));
        }
        let Some((zxid, state)) = self.chronicle.outcome(session, taken.xid) else {
            return Err(format!(
                "{:?} is answered {:?} and was never proposed",
                taken.request, reply.err
            ));
        };
        if reply.zxid != zxid || at < zxid {
            let xid = taken.xid;
            return Err(format!(
                "{xid} became {zxid}, its reply is of {} and the member at {at}",
                reply.zxid
            ));
        }
        // The leader does not know a session that is its follower's own; the follower knows better.
        let is_unknown = state.answer.err == ErrorCode::SessionExpired;
        if is_unknown && taken.request.creates_ephemerals() && !self.chronicle.is_global(session) {
            return Ok(answer_of(Err(ErrorCode::EphemeralOnLocalSession)));
        }
        Ok(state.answer.clone())
    }

    fn read(
        &mut self,
        id: ConnId,
        taken: &Taken,
        reply: &Reply,
        at: Zxid,
    ) -> Result<Answer, String> {
        is_now(reply, at)?;
        let (Some(state), Some(conn)) = (self.chronicle.at(at), self.conns.get_mut(&id)) else {
            return Err(format!("a member is at {at}, which was never proposed"));
        };
        let mut reading = Reading {
            session: conn.session,
            ids: &taken.ids,
            watches: &mut conn.watches,
            told: Vec::new(),
        };
        let answer = answer_of(state.tree.read(&taken.request, &mut reading));
        let expected = reading.told;
        let told = std::mem::take(&mut conn.told);
        if told == expected {
            Ok(answer)
        } else {
            let request = &taken.request;
            Err(format!("{request:?} told {told:?} instead of {expected:?}"))
        }
    }
}

/// What a member without a leader answers to anything but a read.
fn read_only(request: &Request, reply: &Reply, at: Zxid) -> Result<Answer, String> {
    is_now(reply, at)?;
    Ok(match request {
        Request::Close => Answer::ok(Vec::new()),
        _ => answer_of(Err(ErrorCode::NotReadOnly)),
    })
}

/// A reply that changed nothing carries where its member is: at a transaction, or at the beginning of
/// an epoch behind it.
fn is_now(reply: &Reply, at: Zxid) -> Result<(), String> {
    let begins_later = reply.zxid.is_epoch_start() && reply.zxid > at;
    if reply.zxid == at || begins_later {
        Ok(())
    } else {
        let (xid, zxid) = (reply.xid, reply.zxid);
        Err(format!("reply {xid} is of {zxid}, the member is at {at}"))
    }
}

/// The answer of a result, as bytes.
fn answer_of(result: Result<Vec<u8>, ErrorCode>) -> Answer {
    match result {
        Ok(body) => Answer::ok(body),
        Err(err) => Answer {
            err,
            body: Vec::new(),
        },
    }
}
