//! A client that watches a node's data hears of a change before it sees it. Without the model, from
//! what one client receives alone: a second look that the oracle does not share code with.

use crate::fact::Fact;
use crate::packet::{Packet, Reply};
use crate::request::Request;
use std::collections::{BTreeMap, VecDeque};
use zooid_node::ConnId;
use zooid_proto::response::GetDataResponse;
use zooid_proto::{ErrorCode, Jute, Limit, Reader, Stat, xid};

#[derive(Debug, Default)]
pub(crate) struct Events {
    conns: BTreeMap<ConnId, Client>,
}

#[derive(Debug, Default)]
struct Client {
    asked: VecDeque<Request>,
    /// What was seen when the watch was left.
    watching: BTreeMap<String, Stat>,
}

impl Events {
    pub(crate) fn observe(&mut self, fact: &Fact<'_>) -> Result<(), String> {
        match fact {
            Fact::Asked { conn, xid, request } if *xid != xid::AUTH => {
                self.asked(*conn, (*request).clone());
                Ok(())
            }
            Fact::Received { conn, packet, .. } => self.received(*conn, packet),
            _ => Ok(()),
        }
    }

    /// Anything but credentials, which are answered out of order.
    pub(crate) fn asked(&mut self, conn: ConnId, request: Request) {
        let client = self.conns.entry(conn).or_default();
        client.asked.push_back(request);
    }

    pub(crate) fn received(&mut self, conn: ConnId, packet: &Packet) -> Result<(), String> {
        let client = self.conns.entry(conn).or_default();
        match packet {
            Packet::Event(event) => {
                client.watching.remove(&event.path);
                Ok(())
            }
            Packet::Reply(reply) if reply.xid != xid::AUTH => match client.asked.pop_front() {
                Some(request) => client.replied(&request, reply),
                None => Ok(()),
            },
            Packet::Reply(_) | Packet::Connected(_) => Ok(()),
        }
    }
}

impl Client {
    fn replied(&mut self, request: &Request, reply: &Reply) -> Result<(), String> {
        let (path, watch) = match request {
            Request::GetData { path, watch } | Request::Exists { path, watch } => (path, *watch),
            Request::RemoveWatches(request) => {
                self.watching.remove(&request.path);
                return Ok(());
            }
            _ => return Ok(()),
        };
        if reply.err != ErrorCode::Ok {
            return Ok(());
        }
        let mut r = Reader::new(&reply.body, Limit(usize::MAX));
        let stat = match request {
            Request::GetData { .. } => GetDataResponse::decode(&mut r).map(|read| read.stat),
            _ => Stat::decode(&mut r),
        };
        let stat = stat.map_err(|err| err.to_string())?;
        if let Some(seen) = self.watching.get(path) {
            // With another ACL in between, the client need not have been allowed to hear of it.
            let is_same = seen.czxid == stat.czxid && seen.aversion == stat.aversion;
            if is_same && stat.mzxid > seen.mzxid {
                let (then, now) = (seen.mzxid, stat.mzxid);
                return Err(format!(
                    "{path} was watched at {then} and seen at {now}, unheard"
                ));
            }
        }
        if watch {
            self.watching.entry(path.clone()).or_insert(stat);
        }
        Ok(())
    }
}
