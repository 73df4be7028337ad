//! A session belongs to one client, and is refused only when its end was at least proposed. (One that
//! is its member's own ends with the member's role.)

use crate::cluster::fact::Fact;
use crate::packet::Packet;
use crate::schedule::ClientId;
use std::collections::{BTreeMap, BTreeSet};
use zooid_proto::{SessionId, Txn, TxnRecord};

#[derive(Debug, Default)]
pub(crate) struct Sessions {
    owners: BTreeMap<SessionId, ClientId>,
    /// Those that the whole ensemble knows, or has known.
    global: BTreeSet<SessionId>,
    ended: BTreeSet<SessionId>,
}

impl Sessions {
    pub(crate) fn observe(&mut self, fact: &Fact<'_>) -> Result<(), String> {
        match fact {
            Fact::Appended { record, .. } => {
                let record = TxnRecord::decode(record).map_err(|err| err.to_string())?;
                let session = record.header.client_id;
                match record.txn {
                    Txn::CreateSession { .. } => self.global.insert(session),
                    Txn::CloseSession { .. } => self.ended.insert(session),
                    _ => false,
                };
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
