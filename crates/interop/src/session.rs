//! A client with a session: one request at a time, every reply and event as it came.

use crate::kept_alive::KeptAlive;
use crate::{Server, Wire};
use anyhow::{Context, Result, bail, ensure};
use bytes::Bytes;
use std::error::Error;
use std::fmt;
use std::net::SocketAddr;
use std::time::Duration;
use zooid_proto::request::{
    AuthPacket, CreateRequest, CreateTtlRequest, PathOnly, PathVersion, PathWatch, SetAclRequest,
    SetDataRequest,
};
use zooid_proto::response::{GetAclResponse, GetChildren2Response, GetDataResponse, PathResponse};
use zooid_proto::{
    Acl, ConnectRequest, ConnectResponse, CreateMode, ErrorCode, Jute, Limit, OpCode, Reader,
    ReplyHeader, RequestHeader, SessionId, Stat, WatcherEvent, Zxid, xid,
};

/// A client.
#[derive(Debug)]
pub struct Session {
    wire: KeptAlive,
    id: SessionId,
    password: Bytes,
    timeout_ms: i32,
    next_xid: i32,
    last_zxid: Zxid,
    events: Vec<Event>,
}

/// A watch event.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Event {
    /// Of the header.
    pub zxid: Zxid,
    /// The body.
    pub event: WatcherEvent,
}

/// A reply.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Reply {
    /// Of the header.
    pub zxid: Zxid,
    /// Of the header.
    pub err: ErrorCode,
    /// What follows the header.
    pub body: Vec<u8>,
}

impl Reply {
    /// The body as a record.
    ///
    /// # Errors
    /// When the operation failed, or its result is something else.
    pub fn ok<T: Jute>(&self) -> Result<T> {
        self.done()?;
        Ok(T::decode(&mut Reader::new(&self.body, Limit::default()))?)
    }

    /// Checks that the operation succeeded.
    ///
    /// # Errors
    /// When it did not.
    pub fn done(&self) -> Result<()> {
        ensure!(
            self.err == ErrorCode::Ok,
            "the operation failed: {}",
            self.err
        );
        Ok(())
    }
}

/// The servers know nothing of the session, or not any more.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct SessionGone;

impl fmt::Display for SessionGone {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("the session is gone")
    }
}

impl Error for SessionGone {}

impl Session {
    /// Opens a session.
    ///
    /// # Errors
    /// When the server does not grant it.
    pub fn open(address: SocketAddr, timeout_ms: i32) -> Result<Session> {
        let fresh = (SessionId(0), Bytes::new());
        Session::connect(address, timeout_ms, fresh, Zxid::ZERO, false)
    }

    /// Opens a session for which a server will do that serves reads only.
    ///
    /// # Errors
    /// When the server does not grant it.
    pub fn open_read_only(address: SocketAddr, timeout_ms: i32) -> Result<Session> {
        let fresh = (SessionId(0), Bytes::new());
        Session::connect(address, timeout_ms, fresh, Zxid::ZERO, true)
    }

    /// Opens a long session that may do everything, on a server with
    /// [`SUPER_DIGEST`](crate::SUPER_DIGEST).
    ///
    /// # Errors
    /// When the server does not grant it.
    pub fn open_as_super(server: &Server) -> Result<Session> {
        let mut session = Session::open(server.address(), LONG_TIMEOUT_MS)?;
        session.add_auth("digest", "super:admin")?;
        Ok(session)
    }

    /// Comes back to the session of a lost connection, perhaps on another server.
    ///
    /// # Errors
    /// When the server does not grant it; [`SessionGone`] when it says that there is no such session.
    pub fn reattach(&self, address: SocketAddr) -> Result<Session> {
        let known = (self.id, self.password.clone());
        let mut session = Session::connect(address, self.timeout_ms, known, self.last_zxid, false)?;
        // As real clients do: a server knows its own requests by session and xid.
        session.next_xid = self.next_xid;
        Ok(session)
    }

    /// Asks for a session that nobody has. Only a server that serves refuses it, and that costs no
    /// transaction; `ruok` Java answers before it has loaded its database.
    pub(crate) fn is_refused(address: SocketAddr) -> bool {
        let attempt = || {
            let mut wire = Wire::open(address)?;
            let request = ConnectRequest {
                protocol_version: 0,
                last_zxid_seen: Zxid::ZERO,
                timeout_ms: 30_000,
                session_id: SessionId(1),
                password: None,
                read_only: Some(false),
            };
            wire.send(&request.to_vec())?;
            anyhow::Ok(wire.receive_soon()?.is_some())
        };
        attempt().unwrap_or(false)
    }

    fn connect(
        address: SocketAddr,
        timeout_ms: i32,
        (session_id, password): (SessionId, Bytes),
        last_zxid_seen: Zxid,
        read_only: bool,
    ) -> Result<Session> {
        let request = ConnectRequest {
            protocol_version: 0,
            last_zxid_seen,
            timeout_ms,
            session_id,
            password: Some(password),
            read_only: Some(read_only),
        };
        let mut wire = Wire::open(address)?;
        wire.send(&request.to_vec())?;
        // As in `kept_alive`: another attempt wakes the server.
        if !wire.wait(CONNECT_PATIENCE)? {
            wire = Wire::open(address)?;
            wire.send(&request.to_vec())?;
        }
        let packet = wire.receive()?.context("the server refuses to connect")?;
        let response = ConnectResponse::decode(&mut Reader::new(&packet, Limit::default()))?;
        if response.session_id == SessionId(0) {
            bail!(SessionGone);
        }
        Ok(Session {
            wire: KeptAlive::new(wire),
            id: response.session_id,
            password: response.password.context("a session without a password")?,
            timeout_ms: response.timeout_ms,
            next_xid: 1,
            last_zxid: last_zxid_seen,
            events: Vec::new(),
        })
    }

    /// The session's id.
    #[must_use]
    pub fn id(&self) -> SessionId {
        self.id
    }

    /// As negotiated.
    #[must_use]
    pub fn timeout_ms(&self) -> i32 {
        self.timeout_ms
    }

    /// The newest zxid that a reply carried.
    #[must_use]
    pub fn last_zxid(&self) -> Zxid {
        self.last_zxid
    }

    /// Takes the events that came since the last call, before the replies seen so far.
    pub fn take_events(&mut self) -> Vec<Event> {
        std::mem::take(&mut self.events)
    }

    /// Sends a request and waits for its reply.
    ///
    /// # Errors
    /// When the connection ends, or the reply belongs to another request.
    pub fn call(&mut self, op: OpCode, body: &[u8]) -> Result<Reply> {
        let xid = self.send(op, body)?;
        self.receive_reply(xid)
    }

    /// Sends requests without waiting for each reply; all of them must succeed.
    ///
    /// # Errors
    /// When the connection ends or an operation fails.
    pub fn call_all(&mut self, op: OpCode, bodies: &[Vec<u8>]) -> Result<()> {
        for window in bodies.chunks(PIPELINE_MAX) {
            let sent = window.iter().map(|body| self.send(op, body));
            let xids: Vec<i32> = sent.collect::<Result<_>>()?;
            for xid in xids {
                self.receive_reply(xid)?.done()?;
            }
        }
        Ok(())
    }

    /// Sends a request; its reply is for [`Session::receive_reply`], or for nobody.
    ///
    /// # Errors
    /// When the connection has failed.
    pub fn send(&mut self, op: OpCode, body: &[u8]) -> Result<i32> {
        let xid = match op {
            OpCode::Ping => xid::PING,
            OpCode::Auth => xid::AUTH,
            _ => self.next_xid,
        };
        self.next_xid += 1;
        let op = op.code();
        let mut packet = RequestHeader { xid, op }.to_vec();
        packet.extend_from_slice(body);
        self.wire.send(&packet)?;
        Ok(xid)
    }

    /// Waits for the reply to the oldest request that has none yet.
    ///
    /// # Errors
    /// When the connection ends, or the reply belongs to another request.
    pub fn receive_reply(&mut self, xid: i32) -> Result<Reply> {
        loop {
            let packet = self.receive_packet()?;
            let mut reader = Reader::new(&packet, Limit::default());
            let header = ReplyHeader::decode(&mut reader)?;
            if header.xid == xid::NOTIFICATION {
                let event = WatcherEvent::decode(&mut reader)?;
                let zxid = header.zxid;
                self.events.push(Event { zxid, event });
                continue;
            }
            if header.xid != xid {
                bail!("reply to {}, expected one to {xid}", header.xid);
            }
            // Replies from outside the pipeline carry 0 or -1.
            self.last_zxid = self.last_zxid.max(header.zxid);
            return Ok(Reply {
                zxid: header.zxid,
                err: header.err,
                body: reader.rest().to_vec(),
            });
        }
    }

    /// Creates a node and returns its path.
    ///
    /// # Errors
    /// When the connection ends or the operation fails.
    pub fn create(
        &mut self,
        path: &str,
        data: Option<&[u8]>,
        acl: &[Acl],
        mode: CreateMode,
    ) -> Result<String> {
        let request = CreateRequest {
            path: path.into(),
            data: data.map(Bytes::copy_from_slice),
            acl: acl.into(),
            flags: mode.flags(),
        };
        let op = match mode {
            CreateMode::Container => OpCode::CreateContainer,
            _ => OpCode::Create2,
        };
        let reply = self.call(op, &request.to_vec())?;
        let created = reply.ok::<PathResponse>();
        Ok(created.with_context(|| format!("create {path}"))?.path)
    }

    /// Creates a node with a time to live and returns its path.
    ///
    /// # Errors
    /// When the connection ends or the operation fails.
    pub fn create_ttl(
        &mut self,
        path: &str,
        data: Option<&[u8]>,
        acl: &[Acl],
        mode: CreateMode,
        ttl_ms: i64,
    ) -> Result<String> {
        let request = CreateTtlRequest {
            path: path.into(),
            data: data.map(Bytes::copy_from_slice),
            acl: acl.into(),
            flags: mode.flags(),
            ttl: ttl_ms,
        };
        let reply = self.call(OpCode::CreateTtl, &request.to_vec())?;
        let created = reply.ok::<PathResponse>();
        Ok(created.with_context(|| format!("create {path}"))?.path)
    }

    /// Deletes a node.
    ///
    /// # Errors
    /// When the connection ends or the operation fails.
    pub fn delete(&mut self, path: &str, version: i32) -> Result<()> {
        let path = path.into();
        self.call(OpCode::Delete, &PathVersion { path, version }.to_vec())?
            .done()
    }

    /// Replaces a node's data.
    ///
    /// # Errors
    /// When the connection ends or the operation fails.
    pub fn set_data(&mut self, path: &str, data: Option<&[u8]>, version: i32) -> Result<Stat> {
        let request = SetDataRequest {
            path: path.into(),
            data: data.map(Bytes::copy_from_slice),
            version,
        };
        self.call(OpCode::SetData, &request.to_vec())?.ok()
    }

    /// Replaces a node's ACL.
    ///
    /// # Errors
    /// When the connection ends or the operation fails.
    pub fn set_acl(&mut self, path: &str, acl: &[Acl], version: i32) -> Result<Stat> {
        let request = SetAclRequest {
            path: path.into(),
            acl: acl.into(),
            version,
        };
        self.call(OpCode::SetAcl, &request.to_vec())?.ok()
    }

    /// A node's stat; `None` when it does not exist.
    ///
    /// # Errors
    /// When the connection ends or the operation fails.
    pub fn exists(&mut self, path: &str, watch: bool) -> Result<Option<Stat>> {
        let reply = self.call(OpCode::Exists, &path_watch(path, watch))?;
        match reply.err {
            ErrorCode::NoNode => Ok(None),
            _ => reply.ok().map(Some),
        }
    }

    /// A node's data and stat.
    ///
    /// # Errors
    /// When the connection ends or the operation fails.
    pub fn get_data(&mut self, path: &str) -> Result<GetDataResponse> {
        self.call(OpCode::GetData, &path_watch(path, false))?.ok()
    }

    /// A node's ACL and stat.
    ///
    /// # Errors
    /// When the connection ends or the operation fails.
    pub fn get_acl(&mut self, path: &str) -> Result<GetAclResponse> {
        let path = path.into();
        self.call(OpCode::GetAcl, &PathOnly { path }.to_vec())?.ok()
    }

    /// The names of a node's children, and its stat.
    ///
    /// # Errors
    /// When the connection ends or the operation fails.
    pub fn get_children(&mut self, path: &str) -> Result<GetChildren2Response> {
        self.call(OpCode::GetChildren2, &path_watch(path, false))?
            .ok()
    }

    /// Adds an identity to the connection.
    ///
    /// # Errors
    /// When the connection ends or the server refuses.
    pub fn add_auth(&mut self, scheme: &str, auth: &str) -> Result<()> {
        let request = AuthPacket {
            auth_type: 0,
            scheme: Some(scheme.into()),
            auth: Some(Bytes::copy_from_slice(auth.as_bytes())),
        };
        self.call(OpCode::Auth, &request.to_vec())?.done()
    }

    /// Waits until everything sent before has come: events in particular.
    ///
    /// # Errors
    /// When the connection ends.
    pub fn ping(&mut self) -> Result<()> {
        self.call(OpCode::Ping, &[])?.done()
    }

    /// Waits for the next event.
    ///
    /// # Errors
    /// When the connection ends or nothing comes.
    pub fn wait_for_event(&mut self) -> Result<Event> {
        if !self.events.is_empty() {
            return Ok(self.events.remove(0));
        }
        let packet = self.receive_packet()?;
        let mut reader = Reader::new(&packet, Limit::default());
        let header = ReplyHeader::decode(&mut reader)?;
        ensure!(header.xid == xid::NOTIFICATION, "expected an event");
        let event = WatcherEvent::decode(&mut reader)?;
        let zxid = header.zxid;
        Ok(Event { zxid, event })
    }

    fn receive_packet(&mut self) -> Result<Vec<u8>> {
        self.wire.receive()?.context("the connection is closed")
    }

    /// Waits until the server has deleted a node.
    ///
    /// # Errors
    /// When the connection ends or the node stays.
    pub fn wait_until_gone(&mut self, path: &str) -> Result<()> {
        if self.exists(path, true)?.is_some() {
            self.wait_for_event()?;
        }
        let is_gone = self.exists(path, false)?.is_none();
        ensure!(is_gone, "{path} is still there");
        Ok(())
    }

    /// Has the server catch up with the leader: what was acknowledged to anyone before is seen after.
    ///
    /// # Errors
    /// When the connection ends or the operation fails.
    pub fn sync(&mut self, path: &str) -> Result<()> {
        let path = path.into();
        self.call(OpCode::Sync, &PathOnly { path }.to_vec())?.done()
    }

    /// Ends the session.
    ///
    /// # Errors
    /// When the connection ends too early.
    pub fn close(mut self) -> Result<()> {
        let xid = self.send(OpCode::CloseSession, &[])?;
        // As in `kept_alive`. But a server listens no more to whoever has asked for the end of its session, so
        // it takes somebody else to wake it.
        if !self.wire.wait(CLOSE_PATIENCE)? {
            let server = self.wire.peer()?;
            drop(Session::open(server, SHORT_TIMEOUT_MS)?);
        }
        self.receive_reply(xid)?.done()
    }
}

fn path_watch(path: &str, watch: bool) -> Vec<u8> {
    let path = path.into();
    let mut body = Vec::new();
    PathWatch { path, watch }.encode(&mut body);
    body
}

// What fits into the buffers of a connection whose other end is busy sending.
const PIPELINE_MAX: usize = 200;
const CONNECT_PATIENCE: Duration = Duration::from_secs(5);
const CLOSE_PATIENCE: Duration = Duration::from_secs(5);
/// Of a session that is for nothing but being opened.
const SHORT_TIMEOUT_MS: i32 = 4_000;
const LONG_TIMEOUT_MS: i32 = 600_000;
