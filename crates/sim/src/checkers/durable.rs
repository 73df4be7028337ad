//! Nothing is told to anyone before it is durable (design §4): neither an acknowledgement nor what a
//! read or an event shows.

use crate::fact::Fact;
use crate::packet::Packet;
use zooid_proto::Zxid;

#[derive(Debug, Default)]
pub(crate) struct Durable {
    upto: Zxid,
}

impl Durable {
    pub(crate) fn observe(&mut self, fact: &Fact<'_>) -> Result<(), String> {
        match fact {
            Fact::Durable { upto } => self.upto = self.upto.max(*upto),
            Fact::Recovered { last, .. } => self.upto = *last,
            Fact::Sent { conn, packet } => {
                let zxid = match packet {
                    Packet::Connected(_) => Zxid::NONE,
                    Packet::Reply(reply) => reply.zxid,
                    Packet::Event(event) => event.zxid,
                };
                if zxid > self.upto {
                    let upto = self.upto;
                    return Err(format!("{} is told of {zxid}, durable is {upto}", conn.0));
                }
            }
            _ => {}
        }
        Ok(())
    }
}
