//! A session belongs to one client, and is refused only when its end was at least proposed. (One that
//! is its member's own ends with the member's role. So does one that was about to become everybody's,
//! if that was proposed and never decided: the next leader has not heard of it.)

use crate::cluster::fact::Fact;
use crate::cluster::schedule::MemberId;
use crate::packet::Packet;
use crate::schedule::ClientId;
use std::collections::{BTreeMap, BTreeSet};
use zooid_proto::{SessionId, Txn, TxnRecord};

#[derive(Debug, Default)]
pub(crate) struct Sessions {
    owners: BTreeMap<SessionId, ClientId>,
    /// They have a leader.
    serving: BTreeSet<MemberId>,
    /// Those that became the whole ensemble's: a member that has a leader has applied that. (One without
    /// applies what is in its log, decided or not.)
    global: BTreeSet<SessionId>,
    ended: BTreeSet<SessionId>,
}

impl Sessions {
    pub(crate) fn observe(&mut self, fact: &Fact<'_>) -> Result<(), String> {
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
                    self.global.insert(record.header.client_id);
                }
                Ok(())
            }
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
            Fact::SessionLost { client, session }
                if self.global.contains(session) && !self.ended.contains(session) =>
            {
                Err(format!(
                    "client {} is refused {session}, which nobody has ended",
                    client.0
                ))
            }
            _ => Ok(()),
        }
    }
}
