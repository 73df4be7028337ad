//! A server for tests: answers every request as if all nodes were there, or wrongly on purpose.

use std::collections::HashMap;
use std::io::{self, Read, Write};
use std::net::{TcpListener, TcpStream};
use std::sync::atomic::{AtomicI64, AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};
use std::thread;

use bytes::Bytes;
use zooid_proto::request::{CreateRequest, PathOnly, PathWatch, SetDataRequest};
use zooid_proto::response::{GetChildrenResponse, GetDataResponse, PathResponse};
use zooid_proto::{
    ConnectRequest, ConnectResponse, ErrorCode, EventType, Jute, KeeperState, Limit, MultiOp,
    MultiRequest, MultiResult, OpCode, Reader, ReplyHeader, RequestHeader, SessionId, Stat,
    WatcherEvent, Zxid, xid,
};

use crate::frame::put_frame;

/// What the server does wrong.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Fault {
    None,
    /// Every tenth get of a connection finds no node.
    NoNodeEveryTenth,
    /// The replies to a connection's fifth and sixth gets are swapped.
    Swap,
    /// Values are one byte short.
    ShortValue,
    /// The connection is closed instead of answering its fifth get.
    Close,
    /// Every multi of ten answers one result less.
    ShortMulti,
    /// A connection on which a sync comes is closed, and the session may go on elsewhere.
    CloseAtSync,
    /// The same, but the session may not.
    ExpireAtSync,
    /// No set finds its node.
    NoNodeToSet,
    /// The first who watches a node is told of a change twice.
    EventTwice,
}

/// Runs until its process ends.
pub(crate) struct FakeServer {
    pub(crate) address: String,
    shared: Arc<Shared>,
}

/// What all clients of a server share.
#[derive(Default)]
struct Shared {
    /// Operations in the order of their arrival.
    seen: Mutex<Vec<OpCode>>,
    /// Nodes that all multis together have created.
    created_by_multi: AtomicUsize,
    /// How many sessions have been opened.
    sessions: AtomicI64,
    /// Who is to be told of a change, by node.
    watches: Mutex<HashMap<String, Vec<TcpStream>>>,
}

impl FakeServer {
    pub(crate) fn start(fault: Fault) -> FakeServer {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let address = listener.local_addr().unwrap().to_string();
        let shared = Arc::new(Shared::default());
        let of_all = Arc::clone(&shared);
        thread::spawn(move || {
            for stream in listener.incoming() {
                let client = Client {
                    stream: stream.unwrap(),
                    fault,
                    gets: 0,
                    held: Vec::new(),
                    shared: Arc::clone(&of_all),
                };
                // A client that closes its connection ends its thread with an error.
                thread::spawn(move || client.serve());
            }
        });
        FakeServer { address, shared }
    }

    /// Nodes that all multis together have created.
    pub(crate) fn created_by_multi(&self) -> usize {
        self.shared.created_by_multi.load(Ordering::Relaxed)
    }

    /// How many sessions have been opened.
    pub(crate) fn sessions(&self) -> i64 {
        self.shared.sessions.load(Ordering::Relaxed)
    }

    pub(crate) fn count(&self, op: OpCode) -> usize {
        self.shared
            .seen
            .lock()
            .unwrap()
            .iter()
            .filter(|seen| **seen == op)
            .count()
    }
}

struct Client {
    stream: TcpStream,
    fault: Fault,
    gets: u32,
    /// A reply that waits for the next one to overtake it.
    held: Vec<u8>,
    shared: Arc<Shared>,
}

impl Client {
    fn serve(mut self) -> io::Result<()> {
        self.greet()?;
        loop {
            let packet = self.read_packet()?;
            let mut reader = Reader::new(&packet, Limit::default());
            let header = RequestHeader::decode(&mut reader).unwrap();
            let op = OpCode::from_code(header.op).unwrap();
            self.shared.seen.lock().unwrap().push(op);
            self.gets += u32::from(op == OpCode::GetData);
            if op == OpCode::GetData && self.fault == Fault::Close && self.gets == 5 {
                return Ok(());
            }
            let closes = matches!(self.fault, Fault::CloseAtSync | Fault::ExpireAtSync);
            if op == OpCode::Sync && closes {
                return Ok(());
            }
            self.note_watches(op, reader.clone())?;
            let reply = self.reply(header.xid, op, reader);
            if op == OpCode::GetData && self.fault == Fault::Swap && self.gets == 5 {
                self.held = reply;
                continue;
            }
            self.stream.write_all(&reply)?;
            self.stream.write_all(&std::mem::take(&mut self.held))?;
            if op == OpCode::CloseSession {
                return Ok(());
            }
        }
    }

    /// Remembers who watches, and tells those of a node that is set.
    fn note_watches(&mut self, op: OpCode, mut body: Reader<'_>) -> io::Result<()> {
        let mut watches = self.shared.watches.lock().unwrap();
        if op == OpCode::GetData {
            let read = PathWatch::decode(&mut body).unwrap();
            if read.watch {
                let watchers = watches.entry(read.path.into_owned()).or_default();
                watchers.push(self.stream.try_clone()?);
                if self.fault == Fault::EventTwice && watchers.len() == 1 {
                    watchers.push(self.stream.try_clone()?);
                }
            }
        } else if op == OpCode::SetData && self.fault != Fault::NoNodeToSet {
            let path = SetDataRequest::decode(&mut body).unwrap().path;
            for mut watcher in watches.remove(&path).unwrap_or_default() {
                watcher.write_all(&event(&path))?;
            }
        }
        Ok(())
    }

    fn greet(&mut self) -> io::Result<()> {
        let packet = self.read_packet()?;
        let request = ConnectRequest::decode(&mut Reader::new(&packet, Limit::default())).unwrap();
        let session_id = match request.session_id {
            SessionId(0) => SessionId(self.shared.sessions.fetch_add(1, Ordering::Relaxed) + 1),
            _ if self.fault == Fault::ExpireAtSync => SessionId(0),
            known => known,
        };
        let response = ConnectResponse {
            protocol_version: 0,
            timeout_ms: request.timeout_ms,
            session_id,
            password: request.password,
            read_only: Some(false),
        };
        let mut out = Vec::new();
        put_frame(&mut out, |out| response.encode(out));
        self.stream.write_all(&out)
    }

    fn reply(&self, xid: i32, op: OpCode, body: Reader<'_>) -> Vec<u8> {
        let no_node = match self.fault {
            Fault::NoNodeEveryTenth => op == OpCode::GetData && self.gets.is_multiple_of(10),
            Fault::NoNodeToSet => op == OpCode::SetData,
            _ => false,
        };
        let err = if no_node {
            ErrorCode::NoNode
        } else {
            ErrorCode::Ok
        };
        assert!(xid > 0 || xid == xid::PING);
        let mut out = Vec::new();
        put_frame(&mut out, |out| {
            let zxid = Zxid(1);
            ReplyHeader { xid, zxid, err }.encode(out);
            if !no_node {
                self.put_body(op, body, out);
            }
        });
        out
    }

    fn put_body(&self, op: OpCode, mut body: Reader<'_>, out: &mut Vec<u8>) {
        match op {
            OpCode::GetData => {
                let len = if self.fault == Fault::ShortValue {
                    99
                } else {
                    100
                };
                GetDataResponse {
                    data: Some(Bytes::from(vec![b'v'; len])),
                    stat: Stat::default(),
                }
                .encode(out);
            }
            OpCode::SetData => Stat::default().encode(out),
            OpCode::Create => {
                let mut path = CreateRequest::decode(&mut body).unwrap().path;
                if path.ends_with('-') {
                    path.push_str("0000000000");
                }
                PathResponse { path }.encode(out);
            }
            OpCode::GetChildren => {
                let path = PathWatch::decode(&mut body).unwrap().path.into_owned();
                let count = if path.ends_with("/children") { 100 } else { 2 };
                let children = (0..count).map(|n| n.to_string()).collect();
                GetChildrenResponse { children }.encode(out);
            }
            OpCode::Multi => {
                let MultiRequest(operations) = Jute::decode(&mut body).unwrap();
                let is_create = |operation: &&MultiOp| matches!(operation, MultiOp::Create(_));
                let created = operations.iter().filter(is_create).count();
                self.shared
                    .created_by_multi
                    .fetch_add(created, Ordering::Relaxed);
                let mut results: Vec<MultiResult> = operations
                    .into_iter()
                    .map(|operation| match operation {
                        MultiOp::Create(create) => MultiResult::Create(create.path),
                        MultiOp::Delete(_) => MultiResult::Delete,
                        other => panic!("the generator has no business with {other:?}"),
                    })
                    .collect();
                if self.fault == Fault::ShortMulti && results.len() == 10 {
                    results.pop();
                }
                MultiResult::encode_all(&results, out);
            }
            OpCode::Sync => {
                let path = PathOnly::decode(&mut body).unwrap().path;
                PathResponse { path }.encode(out);
            }
            OpCode::Delete | OpCode::Ping | OpCode::CloseSession => {}
            other => panic!("the generator has no business with {other:?}"),
        }
    }

    fn read_packet(&mut self) -> io::Result<Vec<u8>> {
        let mut prefix = [0; 4];
        self.stream.read_exact(&mut prefix)?;
        let mut packet = vec![0; usize::try_from(u32::from_be_bytes(prefix)).unwrap()];
        self.stream.read_exact(&mut packet)?;
        Ok(packet)
    }
}

fn event(path: &str) -> Vec<u8> {
    let mut out = Vec::new();
    put_frame(&mut out, |out| {
        ReplyHeader {
            xid: xid::NOTIFICATION,
            zxid: Zxid(-1),
            err: ErrorCode::Ok,
        }
        .encode(out);
        WatcherEvent {
            event_type: EventType::NodeDataChanged.code(),
            state: KeeperState::SyncConnected.code(),
            path: path.to_owned(),
        }
        .encode(out);
    });
    out
}
