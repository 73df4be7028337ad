//! A client sees time go forward only, on whichever member and in whichever session. (That replies
//! come in the order of requests, the client itself sees.)

use crate::cluster::fact::Fact;
use crate::packet::Packet;
use crate::schedule::ClientId;
use std::collections::BTreeMap;
use zooid_proto::{Zxid, xid};

#[derive(Debug, Default)]
pub(crate) struct Order {
    seen: BTreeMap<ClientId, Zxid>,
}

impl Order {
    pub(crate) fn observe(&mut self, fact: &Fact<'_>) -> Result<(), String> {
        let Fact::Received { client, packet, .. } = fact else {
            return Ok(());
        };
        let zxid = match packet {
            Packet::Connected(_) => return Ok(()),
            // Credentials are nobody's place in time, and what SetWatches makes up for is not, either.
            Packet::Reply(reply) if reply.xid == xid::AUTH => return Ok(()),
            Packet::Event(event) if event.zxid == Zxid::NONE => return Ok(()),
            Packet::Reply(reply) => reply.zxid,
            Packet::Event(event) => event.zxid,
        };
        let seen = self.seen.entry(*client).or_default();
        if zxid < *seen {
            return Err(format!("client {} saw {seen} and then {zxid}", client.0));
        }
        *seen = zxid;
        Ok(())
    }
}
