//! What the driver tells the checkers and the trace, in the order in which it happens.

use crate::packet::Packet;
use crate::request::Request;
use crate::schedule::ClientId;
use crate::trace::Fnv;
use bytes::Bytes;
use std::fmt::Write as _;
use zooid_node::{ConnId, Input, Now};
use zooid_proto::{ConnectRequest, TxnRecord, Zxid};
use zooid_tree::{Applied, Replica};

#[derive(Clone, Copy, Debug)]
pub(crate) enum Fact<'a> {
    /// A client asks for a session.
    Dialled {
        client: ClientId,
        conn: ConnId,
        request: &'a ConnectRequest,
    },
    /// A client sends a request.
    Asked {
        conn: ConnId,
        xid: i32,
        request: &'a Request,
    },
    /// The server's connection is handed its next frame.
    Taken { conn: ConnId, replica: &'a Replica },
    /// The node is stepped.
    Stepped { now: Now, input: &'a Input },
    /// The node proposes.
    Proposed { zxid: Zxid, record: &'a Bytes },
    /// The log says that everything up to here is durable.
    Durable { upto: Zxid },
    /// A transaction was applied; its events are not told yet.
    Applied {
        record: &'a TxnRecord,
        applied: &'a Applied,
        replica: &'a Replica,
        before: i64,
    },
    /// Everyone was told of the last transaction.
    Settled,
    /// A request that needs no transaction is due.
    Completed { conn: ConnId },
    /// A packet is in a connection's outbox.
    Sent { conn: ConnId, packet: &'a Packet },
    /// A connection takes nothing in any more and is told no more events.
    Closing { conn: ConnId },
    /// The server has forgotten a connection.
    Left { conn: ConnId },
    /// A packet has reached its client.
    Received {
        client: ClientId,
        conn: ConnId,
        packet: &'a Packet,
    },
    /// The server ends.
    Died { why: &'a str },
    /// A new life begins with this. `last` is where the log ends.
    Recovered {
        now: Now,
        replica: &'a Replica,
        last: Zxid,
    },
}

impl Fact<'_> {
    /// For the trace.
    pub(crate) fn line(&self) -> String {
        match self {
            Fact::Dialled {
                client,
                conn,
                request,
            } => {
                format!(
                    "client {} dials {} for {}",
                    client.0, conn.0, request.session_id
                )
            }
            Fact::Asked { conn, xid, request } => {
                format!(
                    "{} asks {xid} {:?} {}",
                    conn.0,
                    request.op(),
                    hashed(&request.frame(*xid))
                )
            }
            Fact::Taken { conn, .. } => format!("{} is taken in", conn.0),
            Fact::Stepped { now, input } => format!("step at {}: {}", now.mono_ms, short(input)),
            Fact::Proposed { zxid, record } => format!("proposed {zxid} {}", hashed(record)),
            Fact::Durable { upto } => format!("durable {upto}"),
            Fact::Applied {
                record,
                applied,
                replica,
                ..
            } => {
                let header = record.header;
                let digest = replica.digest();
                let (zxid, op, session) = (header.zxid, header.op, header.client_id);
                format!(
                    "applied {zxid} op {op} of {session} {:?} {digest}",
                    applied.err
                )
            }
            Fact::Settled => "settled".to_owned(),
            Fact::Completed { conn } => format!("{} completes", conn.0),
            Fact::Sent { conn, packet } => format!("{} is sent {}", conn.0, described(packet)),
            Fact::Closing { conn } => format!("{} closes", conn.0),
            Fact::Left { conn } => format!("{} has left", conn.0),
            Fact::Received { client, packet, .. } => {
                format!("client {} receives {}", client.0, described(packet))
            }
            Fact::Died { why } => format!("the server dies: {why}"),
            Fact::Recovered { replica, last, .. } => {
                format!("recovered {last} digest {}", replica.digest())
            }
        }
    }
}

fn hashed(bytes: &[u8]) -> String {
    let mut hash = Fnv::default();
    hash.write(bytes);
    format!("{}#{:x}", bytes.len(), hash.finish())
}

fn described(packet: &Packet) -> String {
    match packet {
        Packet::Connected(response) => {
            format!(
                "session {} for {} ms",
                response.session_id, response.timeout_ms
            )
        }
        Packet::Reply(reply) => {
            let (xid, zxid, err) = (reply.xid, reply.zxid, reply.err);
            format!("reply {xid} at {zxid} {err:?} {}", hashed(&reply.body))
        }
        Packet::Event(event) => format!("event {} {} at {}", event.event, event.path, event.zxid),
    }
}

fn short(input: &Input) -> String {
    let mut out = String::new();
    // Writing to a string does not fail.
    let _ = match input {
        Input::Request(request) => {
            let (conn, cxid, op) = (request.conn.0, request.cxid, request.op);
            write!(
                out,
                "request {cxid} {op:?} of {conn} {}",
                hashed(&request.body)
            )
        }
        Input::Open(conn, open) => write!(out, "open {} {}", conn.0, open.session),
        other => write!(out, "{other:?}"),
    };
    out
}
