//! A connection with a session: requests out, replies in, in their order.

use crate::history::{Action, Outcome, Seen, Write};
use anyhow::{Context, Result, bail, ensure};
use bytes::Bytes;
use std::io::{Read as _, Write as _};
use std::net::{SocketAddr, TcpStream};
use std::time::Duration;
use zooid_interop::anyone;
use zooid_proto::request::{CreateRequest, PathOnly, PathVersion, PathWatch, SetDataRequest};
use zooid_proto::response::{Create2Response, GetChildrenResponse, GetDataResponse};
use zooid_proto::{
    ConnectRequest, ConnectResponse, CreateMode, ErrorCode, Jute, Limit, MultiOp, MultiRequest,
    MultiResult, OpCode, Reader, ReplyHeader, RequestHeader, SessionId, Stat, Zxid,
};

/// What a session keeps between connections.
#[derive(Clone, Debug, Default)]
pub(super) struct Ticket {
    pub(super) id: SessionId,
    password: Bytes,
    pub(super) seen: Zxid,
}

/// One connection.
#[derive(Debug)]
pub(super) struct Connection {
    stream: TcpStream,
    next_xid: i32,
}

/// What a server says to a client that connects.
pub(super) enum Welcome {
    Here(Connection, Ticket),
    /// There is no such session, or not any more.
    SessionGone,
}

impl Connection {
    /// Connects, with a session that there is or a new one.
    pub(super) fn open(address: SocketAddr, ticket: &Ticket) -> Result<Welcome> {
        let stream = TcpStream::connect_timeout(&address, CONNECT_TIMEOUT)?;
        stream.set_nodelay(true)?;
        stream.set_read_timeout(Some(CONNECT_TIMEOUT))?;
        stream.set_write_timeout(Some(REPLY_TIMEOUT))?;
        let mut connection = Connection {
            stream,
            next_xid: 1,
        };
        let request = ConnectRequest {
            protocol_version: 0,
            last_zxid_seen: ticket.seen,
            timeout_ms: SESSION_TIMEOUT_MS,
            session_id: ticket.id,
            password: Some(ticket.password.clone()),
            read_only: Some(false),
        };
        connection.send_packet(&request.to_vec())?;
        let packet = connection.receive_packet()?;
        let response = ConnectResponse::decode(&mut reader(&packet))?;
        if response.session_id == SessionId(0) {
            return Ok(Welcome::SessionGone);
        }
        connection.stream.set_read_timeout(Some(REPLY_TIMEOUT))?;
        let ticket = Ticket {
            id: response.session_id,
            password: response.password.context("a session has a password")?,
            seen: ticket.seen,
        };
        Ok(Welcome::Here(connection, ticket))
    }

    /// Sends what the action needs: one request, or a sync and one.
    pub(super) fn ask(&mut self, action: &Action) -> Result<()> {
        match action {
            Action::Write(writes) => match &writes[..] {
                [write] => {
                    let (op, body) = request(write);
                    self.send(op, &body)
                }
                writes => {
                    let ops = writes.iter().map(multi_op).collect();
                    self.send(OpCode::Multi, &MultiRequest(ops).to_vec())
                }
            },
            Action::Read { path, synced } => self.ask_to_read(OpCode::GetData, path, *synced),
            Action::List { path, synced } => self.ask_to_read(OpCode::GetChildren, path, *synced),
        }
    }

    /// Receives the answer to the oldest action that has none.
    pub(super) fn answer(&mut self, action: &Action) -> Result<Outcome> {
        if let Action::Read { synced: true, .. } | Action::List { synced: true, .. } = action {
            let (_, error, _) = self.receive()?;
            ensure!(error == ErrorCode::Ok, "sync: {error}");
        }
        let (zxid, error, body) = self.receive()?;
        if is_lost(error) {
            bail!("the server gives the session up: {error}");
        }
        outcome(action, Some(zxid.0), error, &body)
    }

    /// Creates an ephemeral node, which nothing else is to be expected of.
    pub(super) fn create_ephemeral(&mut self, path: &str) -> Result<()> {
        let request = create_request(path, "", CreateMode::Ephemeral);
        self.send(OpCode::Create, &request.to_vec())?;
        let (_, error, _) = self.receive()?;
        ensure!(error == ErrorCode::Ok, "create {path}: {error}");
        Ok(())
    }

    /// Ends the session.
    pub(super) fn close(mut self) -> Result<()> {
        self.send(OpCode::CloseSession, &[])?;
        self.receive().map(|_| ())
    }

    fn ask_to_read(&mut self, op: OpCode, path: &str, synced: bool) -> Result<()> {
        if synced {
            let path = path.into();
            self.send(OpCode::Sync, &PathOnly { path }.to_vec())?;
        }
        let mut body = Vec::new();
        let path = path.into();
        let watch = false;
        PathWatch { path, watch }.encode(&mut body);
        self.send(op, &body)
    }

    fn send(&mut self, op: OpCode, body: &[u8]) -> Result<()> {
        let xid = self.next_xid;
        self.next_xid += 1;
        let op = op.code();
        let mut packet = RequestHeader { xid, op }.to_vec();
        packet.extend_from_slice(body);
        self.send_packet(&packet)
    }

    fn receive(&mut self) -> Result<(Zxid, ErrorCode, Vec<u8>)> {
        let packet = self.receive_packet()?;
        let mut reader = reader(&packet);
        let header = ReplyHeader::decode(&mut reader)?;
        Ok((header.zxid, header.err, reader.rest().to_vec()))
    }

    fn send_packet(&mut self, packet: &[u8]) -> Result<()> {
        let mut framed = Vec::with_capacity(4 + packet.len());
        zooid_jute::put_buffer(&mut framed, Some(packet));
        Ok(self.stream.write_all(&framed)?)
    }

    fn receive_packet(&mut self) -> Result<Vec<u8>> {
        let mut length = [0; 4];
        self.stream.read_exact(&mut length)?;
        let length = usize::try_from(i32::from_be_bytes(length)).context("a negative length")?;
        let mut packet = vec![0; length];
        self.stream.read_exact(&mut packet)?;
        Ok(packet)
    }
}

/// Errors that say nothing about whether the request was done.
fn is_lost(error: ErrorCode) -> bool {
    matches!(
        error,
        ErrorCode::ConnectionLoss
            | ErrorCode::OperationTimeout
            | ErrorCode::SessionExpired
            | ErrorCode::SessionMoved
    )
}

fn outcome(action: &Action, zxid: Option<i64>, error: ErrorCode, body: &[u8]) -> Result<Outcome> {
    match (action, error) {
        (Action::Write(writes), ErrorCode::Ok) => match &writes[..] {
            [write] => Ok(Outcome::Written {
                zxid,
                stats: vec![stat_of(write, body)?],
            }),
            _ => multi_outcome(zxid, &MultiResult::decode_all(&mut reader(body))?),
        },
        // For want of room on the disk. It may have no place in the order, and shows where the server is.
        (Action::Write(_), ErrorCode::SystemError) => Ok(Outcome::Refused {
            zxid: None,
            part: 0,
            code: error.code(),
        }),
        (Action::Write(_), _) => Ok(Outcome::Refused {
            zxid,
            part: 0,
            code: error.code(),
        }),
        (Action::Read { .. }, ErrorCode::Ok) => {
            let read = GetDataResponse::decode(&mut reader(body))?;
            let data = read.data.unwrap_or_default();
            Ok(Outcome::Found {
                zxid,
                value: String::from_utf8_lossy(&data).into_owned(),
                stat: seen(&read.stat),
            })
        }
        (Action::List { .. }, ErrorCode::Ok) => {
            let GetChildrenResponse { children } = Jute::decode(&mut reader(body))?;
            Ok(Outcome::Listed { zxid, children })
        }
        (_, ErrorCode::NoNode) => Ok(Outcome::Absent { zxid }),
        (_, error) => bail!("a read fails: {error}"),
    }
}

fn stat_of(write: &Write, body: &[u8]) -> Result<Option<Seen>> {
    let mut reader = reader(body);
    Ok(match write {
        Write::Create { .. } => Some(seen(&Create2Response::decode(&mut reader)?.stat)),
        Write::Set { .. } => Some(seen(&Stat::decode(&mut reader)?)),
        Write::Delete { .. } => None,
    })
}

/// A multi fails by its results; the header says that all is well.
fn multi_outcome(zxid: Option<i64>, results: &[MultiResult]) -> Result<Outcome> {
    let mut stats = Vec::new();
    for (part, result) in results.iter().enumerate() {
        stats.push(match result {
            // The reply has no stat of a node that is new: it is what its transaction made it.
            MultiResult::Create(_) => zxid.map(|zxid| Seen {
                czxid: zxid,
                mzxid: zxid,
                version: 0,
            }),
            MultiResult::SetData(stat) => Some(seen(stat)),
            MultiResult::Delete => None,
            // Before the one that is the reason, and after it.
            MultiResult::Error(ErrorCode::Ok | ErrorCode::RuntimeInconsistency) => None,
            MultiResult::Error(error) => {
                let code = error.code();
                return Ok(Outcome::Refused { zxid, part, code });
            }
            other => bail!("{other:?} is no result of a write"),
        });
    }
    Ok(Outcome::Written { zxid, stats })
}

fn request(write: &Write) -> (OpCode, Vec<u8>) {
    match write {
        Write::Create { path, value } => {
            let request = create_request(path, value, CreateMode::Persistent);
            (OpCode::Create2, request.to_vec())
        }
        Write::Set { .. } | Write::Delete { .. } => match multi_op(write) {
            MultiOp::SetData(request) => (OpCode::SetData, request.to_vec()),
            MultiOp::Delete(request) => (OpCode::Delete, request.to_vec()),
            _ => unreachable!("a write becomes the operation of its name"),
        },
    }
}

fn multi_op(write: &Write) -> MultiOp {
    match write {
        Write::Create { path, value } => {
            MultiOp::Create(create_request(path, value, CreateMode::Persistent))
        }
        Write::Set {
            path,
            value,
            version,
        } => MultiOp::SetData(SetDataRequest {
            path: path.clone(),
            data: Some(Bytes::copy_from_slice(value.as_bytes())),
            version: version.unwrap_or(-1),
        }),
        Write::Delete { path } => MultiOp::Delete(PathVersion {
            path: path.clone(),
            version: -1,
        }),
    }
}

fn create_request(path: &str, value: &str, mode: CreateMode) -> CreateRequest {
    CreateRequest {
        path: path.into(),
        data: Some(Bytes::copy_from_slice(value.as_bytes())),
        acl: anyone().into(),
        flags: mode.flags(),
    }
}

fn seen(stat: &Stat) -> Seen {
    Seen {
        czxid: stat.czxid.0,
        mzxid: stat.mzxid.0,
        version: stat.version,
    }
}

fn reader(packet: &[u8]) -> Reader<'_> {
    Reader::new(packet, Limit::default())
}

/// Of a connection, and of its session.
const CONNECT_TIMEOUT: Duration = Duration::from_secs(1);
/// Two thirds of a session's life, as clients do. Long enough that an answer can come from a leader
/// that was stopped until there was another.
const REPLY_TIMEOUT: Duration = Duration::from_secs(6);
const SESSION_TIMEOUT_MS: i32 = 9_000;
