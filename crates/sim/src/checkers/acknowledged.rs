//! What a client was told is there after every recovery, and what was never proposed is not. That
//! the effects are right too, the oracle sees to.

use crate::fact::Fact;
use crate::packet::Packet;
use zooid_proto::Zxid;

#[derive(Debug, Default)]
pub(crate) struct Acknowledged {
    /// The newest transaction that a client knows of.
    told: Zxid,
    proposed: Zxid,
}

impl Acknowledged {
    pub(crate) fn observe(&mut self, fact: &Fact<'_>) -> Result<(), String> {
        match fact {
            Fact::Proposed { zxid, .. } => self.proposed = *zxid,
            Fact::Received { packet, .. } => {
                let zxid = match packet {
                    Packet::Connected(_) => Zxid::ZERO,
                    Packet::Reply(reply) => reply.zxid,
                    Packet::Event(event) => event.zxid,
                };
                self.told = self.told.max(zxid);
            }
            Fact::Recovered { replica, last, .. } => {
                let (told, proposed) = (self.told, self.proposed);
                if *last < told {
                    return Err(format!("{told} was acknowledged, {last} was recovered"));
                }
                if *last > proposed {
                    return Err(format!(
                        "{proposed} was proposed last, {last} was recovered"
                    ));
                }
                if replica.last_zxid() != *last {
                    let has = replica.last_zxid();
                    return Err(format!(
                        "the log ends at {last}, the server goes on from {has}"
                    ));
                }
                self.proposed = *last;
            }
            _ => {}
        }
        Ok(())
    }
}
