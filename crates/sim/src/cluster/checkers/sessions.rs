//! A session belongs to one client, and is refused only when its end was at least proposed.

use crate::cluster::fact::Fact;
use crate::packet::Packet;
use crate::schedule::ClientId;
use std::collections::{BTreeMap, BTreeSet};
use zooid_proto::{SessionId, Txn, TxnRecord};

#[derive(Debug, Default)]
pub(crate) struct Sessions {
    owners: BTreeMap<SessionId, ClientId>,
    ended: BTreeSet<SessionId>,
}

impl Sessions {
    pub(crate) fn observe(&mut self, fact: &Fact<'_>) -> Result<(), String> {
        match fact {
            Fact::Appended { record, .. } => {
                let record = TxnRecord::decode(record).map_err(|err| err.to_string())?;
                if matches!(record.txn, Txn::CloseSession { .. }) {
                    self.ended.insert(record.header.client_id);
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
                if session.0 != 0 && !self.ended.contains(session) =>
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
