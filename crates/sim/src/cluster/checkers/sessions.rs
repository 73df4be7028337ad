//! A session belongs to one client, and is refused only when its end was at least proposed. (One that
//! is its member's own ends with the member's role. So does one that was about to become everybody's,
//! if that was proposed and never decided: the next leader has not heard of it.)
//!
//! Whoever follows a leader that was deposed, and does not know it yet, has not heard of the sessions that
//! began since, and refuses them, as ZooKeeper's servers do. No client loses more than a session in whose name
//! it has been told of nothing: if it had seen a zxid, that member would not have talked to it.

use super::ledger::Ledger;
use crate::cluster::fact::Fact;
use crate::cluster::schedule::MemberId;
use crate::packet::Packet;
use crate::schedule::ClientId;
use std::collections::{BTreeMap, BTreeSet};
use zooid_node::ConnId;
use zooid_proto::{SessionId, Txn, TxnRecord, Zxid};

#[derive(Debug, Default)]
pub(crate) struct Sessions {
    owners: BTreeMap<SessionId, ClientId>,
    /// They have a leader.
    serving: BTreeSet<MemberId>,
    /// Those that became the whole ensemble's, and where: a member that has a leader has applied that. (One
    /// without applies what is in its log, decided or not.)
    global: BTreeMap<SessionId, Zxid>,
    ended: BTreeSet<SessionId>,
    /// Which session a connection is to go on with.
    wanted: BTreeMap<ConnId, SessionId>,
}

impl Sessions {
    pub(crate) fn observe(&mut self, fact: &Fact<'_>, ledger: &Ledger) -> Result<(), String> {
        match fact {
            Fact::Appended { record, .. } => {
                let record = TxnRecord::decode(record).map_err(|err| err.to_string())?;
                if let Txn::CloseSession { .. } = record.txn {
                    self.ended.insert(record.header.client_id);
                }
                Ok(())
            }
            Fact::Started { member, .. } => {
                self.serving.remove(member);
                Ok(())
            }
            Fact::Serving {
                member,
                serves,
                reads_only,
            } => {
                if *serves && !reads_only {
                    self.serving.insert(*member);
                } else {
                    self.serving.remove(member);
                }
                Ok(())
            }
            Fact::Applied { member, record, .. } if self.serving.contains(member) => {
                if let Txn::CreateSession { .. } = record.txn {
                    let header = &record.header;
                    self.global.insert(header.client_id, header.zxid);
                }
                Ok(())
            }
            Fact::Dialled { conn, session, .. } => {
                self.wanted.insert(*conn, *session);
                Ok(())
            }
            Fact::Told {
                member,
                conn,
                packet: Packet::Connected(response),
            } if response.session_id.0 == 0 => self.refused(*member, *conn, ledger),
            Fact::Received {
                client,
                packet: Packet::Connected(response),
                ..
            } if response.session_id.0 != 0 => {
                let session = response.session_id;
                let owner = *self.owners.entry(session).or_insert(*client);
                if owner != *client {
                    let (owner, client) = (owner.0, client.0);
                    return Err(format!("{session} of client {owner} is given to {client}"));
                }
                Ok(())
            }
            _ => Ok(()),
        }
    }

    fn refused(&self, member: MemberId, conn: ConnId, ledger: &Ledger) -> Result<(), String> {
        let Some(session) = self.wanted.get(&conn) else {
            return Err(format!("{} was never dialled", conn.0));
        };
        let began = self.global.get(session);
        let is_known = began.is_some_and(|zxid| ledger.applied(member).contains(zxid));
        if is_known && !self.ended.contains(session) {
            return Err(format!(
                "{member} refuses {session}, which nobody has ended"
            ));
        }
        Ok(())
    }
}
