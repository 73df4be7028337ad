//! A server for tests: answers every request as if all nodes were there, or wrongly on purpose.

use std::io::{self, Read, Write};
use std::net::{TcpListener, TcpStream};
use std::sync::{Arc, Mutex};
use std::thread;

use bytes::Bytes;
use zooid_proto::request::{CreateRequest, PathWatch};
use zooid_proto::response::{GetChildrenResponse, GetDataResponse, PathResponse};
use zooid_proto::{
    ConnectRequest, ConnectResponse, ErrorCode, Jute, Limit, MultiOp, MultiRequest, MultiResult,
    OpCode, Reader, ReplyHeader, RequestHeader, SessionId, Stat, Zxid, xid,
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
}

/// Runs until its process ends.
pub(crate) struct FakeServer {
    pub(crate) address: String,
    /// Operations in the order of their arrival.
    seen: Arc<Mutex<Vec<OpCode>>>,
}

impl FakeServer {
    pub(crate) fn start(fault: Fault) -> FakeServer {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let address = listener.local_addr().unwrap().to_string();
        let seen = Arc::new(Mutex::new(Vec::new()));
        let log = Arc::clone(&seen);
        thread::spawn(move || {
            for stream in listener.incoming() {
                let client = Client {
                    stream: stream.unwrap(),
                    fault,
                    gets: 0,
                    held: Vec::new(),
                    seen: Arc::clone(&log),
                };
                // A client that closes its connection ends its thread with an error.
                thread::spawn(move || client.serve());
            }
        });
        FakeServer { address, seen }
    }

    pub(crate) fn count(&self, op: OpCode) -> usize {
        self.seen
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
    seen: Arc<Mutex<Vec<OpCode>>>,
}

impl Client {
    fn serve(mut self) -> io::Result<()> {
        self.greet()?;
        loop {
            let packet = self.read_packet()?;
            let mut reader = Reader::new(&packet, Limit::default());
            let header = RequestHeader::decode(&mut reader).unwrap();
            let op = OpCode::from_code(header.op).unwrap();
            self.seen.lock().unwrap().push(op);
            self.gets += u32::from(op == OpCode::GetData);
            if op == OpCode::GetData && self.fault == Fault::Close && self.gets == 5 {
                return Ok(());
            }
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

    fn greet(&mut self) -> io::Result<()> {
        let packet = self.read_packet()?;
        let request = ConnectRequest::decode(&mut Reader::new(&packet, Limit::default())).unwrap();
        let response = ConnectResponse {
            protocol_version: 0,
            timeout_ms: request.timeout_ms,
            session_id: SessionId(1),
            password: request.password,
            read_only: Some(false),
        };
        let mut out = Vec::new();
        put_frame(&mut out, |out| response.encode(out));
        self.stream.write_all(&out)
    }

    fn reply(&self, xid: i32, op: OpCode, body: Reader<'_>) -> Vec<u8> {
        let no_node = op == OpCode::GetData
            && self.fault == Fault::NoNodeEveryTenth
            && self.gets.is_multiple_of(10);
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
                let results: Vec<MultiResult> = operations
                    .into_iter()
                    .map(|operation| match operation {
                        MultiOp::Create(create) => MultiResult::Create(create.path),
                        MultiOp::Delete(_) => MultiResult::Delete,
                        other => panic!("the generator has no business with {other:?}"),
                    })
                    .collect();
                MultiResult::encode_all(&results, out);
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
