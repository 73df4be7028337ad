//! A session sees time go forward only, on whichever connection and in whichever life of the server.

use crate::fact::Fact;
use crate::packet::Packet;
use crate::schedule::ClientId;
use std::collections::BTreeMap;
use zooid_proto::Zxid;

#[derive(Debug, Default)]
pub(crate) struct Zxids {
    /// A client goes on knowing what its earlier sessions saw.
    seen: BTreeMap<ClientId, Zxid>,
}

impl Zxids {
    pub(crate) fn observe(&mut self, fact: &Fact<'_>) -> Result<(), String> {
        let Fact::Received { client, packet, .. } = fact else {
            return Ok(());
        };
        let zxid = match packet {
            Packet::Connected(_) => return Ok(()),
            Packet::Reply(reply) => reply.zxid,
            Packet::Event(event) => event.zxid,
        };
        // Auth replies and events of setWatches carry none.
        if zxid <= Zxid::ZERO {
            return Ok(());
        }
        let seen = self.seen.entry(*client).or_default();
        if zxid < *seen {
            return Err(format!("client {} saw {seen} and then {zxid}", client.0));
        }
        *seen = zxid;
        Ok(())
    }
}
