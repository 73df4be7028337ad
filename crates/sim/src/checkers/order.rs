//! Replies come in the order of requests. Auth packets are answered at once.

use crate::fact::Fact;
use crate::packet::Packet;
use std::collections::{BTreeMap, VecDeque};
use zooid_node::ConnId;
use zooid_proto::xid;

#[derive(Debug, Default)]
pub(crate) struct Order {
    asked: BTreeMap<ConnId, VecDeque<i32>>,
}

impl Order {
    pub(crate) fn observe(&mut self, fact: &Fact<'_>) -> Result<(), String> {
        match fact {
            Fact::Asked { conn, xid, .. } if *xid != xid::AUTH => {
                self.asked.entry(*conn).or_default().push_back(*xid);
            }
            Fact::Received {
                conn,
                packet: Packet::Reply(reply),
                ..
            } if reply.xid != xid::AUTH => {
                let next = self.asked.get_mut(conn).and_then(VecDeque::pop_front);
                if next != Some(reply.xid) {
                    return Err(format!(
                        "{} expected {next:?} but got {}",
                        conn.0, reply.xid
                    ));
                }
            }
            _ => {}
        }
        Ok(())
    }
}
