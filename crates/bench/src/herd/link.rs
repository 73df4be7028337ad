//! One session's connection, from the dialling on.

use std::io::{self, Write};
use std::net::SocketAddr;
use std::time::{Duration, Instant};

use bytes::Bytes;
use mio::net::TcpStream;
use mio::{Interest, Registry, Token};
use zooid_proto::request::PathOnly;
use zooid_proto::{
    ConnectRequest, ConnectResponse, ErrorCode, Jute, Limit, OpCode, PASSWORD_LEN, Reader,
    ReplyHeader, RequestHeader, SessionId, Zxid, xid,
};

use crate::frame::{Filled, Inbox, put_frame};

/// What a session presents to another server.
#[derive(Clone, Debug)]
pub(crate) struct Credentials {
    pub(crate) id: SessionId,
    pub(crate) password: Bytes,
}

#[derive(Debug)]
pub(crate) struct Link {
    stream: TcpStream,
    inbox: Inbox,
    stage: Stage,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Stage {
    /// The connection is not there yet.
    Dialling {
        since: Instant,
    },
    /// The session has been asked for.
    Asked {
        since: Instant,
    },
    Open,
}

/// What has become of a link.
#[derive(Debug)]
pub(crate) enum Progress {
    /// Nothing that matters.
    None,
    /// The server has taken the session.
    Taken(Credentials),
    /// The server does not know the session.
    Expired,
    /// An answer to [`Link::ask`].
    Works,
}

/// A frame of the handshake, or a short reply.
const INBOX_BYTES: usize = 128;

/// The request of [`Link::ask`]; its session sends no other.
const ASK_XID: i32 = 1;
const CLOSE_XID: i32 = 2;

impl Link {
    pub(crate) fn dial(
        address: SocketAddr,
        registry: &Registry,
        token: Token,
        now: Instant,
    ) -> io::Result<Link> {
        let mut stream = TcpStream::connect(address)?;
        registry.register(&mut stream, token, Interest::READABLE | Interest::WRITABLE)?;
        Ok(Link {
            stream,
            inbox: Inbox::with_capacity(INBOX_BYTES),
            stage: Stage::Dialling { since: now },
        })
    }

    /// Whether it has not become a session's yet.
    pub(crate) fn is_attempt(&self) -> bool {
        self.stage != Stage::Open
    }

    /// Whether it has been tried since then or longer.
    pub(crate) fn is_attempt_since(&self, then: Instant) -> bool {
        match self.stage {
            Stage::Dialling { since } | Stage::Asked { since } => since <= then,
            Stage::Open => false,
        }
    }

    /// Goes on as far as it can. An error means that the connection is of no use.
    pub(crate) fn advance(
        &mut self,
        credentials: Option<&Credentials>,
        timeout: Duration,
    ) -> io::Result<Progress> {
        if let Stage::Dialling { since } = self.stage {
            if let Some(error) = self.stream.take_error()? {
                return Err(error);
            }
            match self.stream.peer_addr() {
                Ok(_) => {}
                Err(e) if e.kind() == io::ErrorKind::NotConnected => return Ok(Progress::None),
                Err(e) => return Err(e),
            }
            self.stream.set_nodelay(true)?;
            self.send(|out| connect_request(credentials, timeout).encode(out))?;
            self.stage = Stage::Asked { since };
        }
        self.receive()
    }

    /// Asks for something that only a server with a leader answers.
    pub(crate) fn ask(&mut self) -> io::Result<()> {
        if self.is_attempt() {
            return Ok(());
        }
        self.send(|out| {
            request(ASK_XID, OpCode::Sync).encode(out);
            let path = "/".to_owned();
            PathOnly { path }.encode(out);
        })
    }

    pub(crate) fn ping(&mut self) -> io::Result<()> {
        if self.is_attempt() {
            return Ok(());
        }
        self.send(|out| request(xid::PING, OpCode::Ping).encode(out))
    }

    /// Ends the session, if the server still listens.
    pub(crate) fn close(mut self) {
        // A session that cannot be closed expires by itself.
        let _ = self.send(|out| request(CLOSE_XID, OpCode::CloseSession).encode(out));
    }

    /// Sends a frame at once: all are short, and nothing waits before them.
    fn send(&mut self, write: impl FnOnce(&mut Vec<u8>)) -> io::Result<()> {
        let mut packet = Vec::new();
        put_frame(&mut packet, write);
        match self.stream.write(&packet)? {
            written if written == packet.len() => Ok(()),
            _ => Err(io::ErrorKind::WriteZero.into()),
        }
    }

    fn receive(&mut self) -> io::Result<Progress> {
        let mut progress = Progress::None;
        loop {
            let filled = self.inbox.fill(&mut self.stream)?;
            while let Some(place) = self.inbox.next_frame().map_err(io::Error::other)? {
                let packet = self.inbox.payload(place);
                let step = if self.stage == Stage::Open {
                    on_reply(packet)?
                } else {
                    self.stage = Stage::Open;
                    on_answer(packet)?
                };
                if !matches!(step, Progress::None) {
                    progress = step;
                }
            }
            match filled {
                Filled::Full => {}
                Filled::Drained => return Ok(progress),
                // A server that refuses a session says so and closes.
                Filled::Closed if matches!(progress, Progress::Expired) => return Ok(progress),
                Filled::Closed => return Err(io::ErrorKind::UnexpectedEof.into()),
            }
        }
    }
}

fn on_answer(packet: &[u8]) -> io::Result<Progress> {
    let answer = ConnectResponse::decode(&mut Reader::new(packet, Limit::default()))
        .map_err(io::Error::other)?;
    if answer.session_id == SessionId(0) || answer.timeout_ms <= 0 {
        return Ok(Progress::Expired);
    }
    Ok(Progress::Taken(Credentials {
        id: answer.session_id,
        password: answer.password.unwrap_or_default(),
    }))
}

fn on_reply(packet: &[u8]) -> io::Result<Progress> {
    let header = ReplyHeader::decode(&mut Reader::new(packet, Limit::default()))
        .map_err(io::Error::other)?;
    match header {
        ReplyHeader {
            xid: ASK_XID,
            err: ErrorCode::Ok,
            ..
        } => Ok(Progress::Works),
        ReplyHeader { xid: ASK_XID, .. } => Err(io::Error::other("no answer to a sync")),
        _ => Ok(Progress::None),
    }
}

fn connect_request(credentials: Option<&Credentials>, timeout: Duration) -> ConnectRequest {
    let (session_id, password) = match credentials {
        Some(mine) => (mine.id, mine.password.clone()),
        None => (SessionId(0), Bytes::from_static(&[0; PASSWORD_LEN])),
    };
    ConnectRequest {
        protocol_version: 0,
        last_zxid_seen: Zxid::ZERO,
        timeout_ms: i32::try_from(timeout.as_millis()).expect("checked when the plan was made"),
        session_id,
        password: Some(password),
        read_only: Some(false),
    }
}

fn request(xid: i32, op: OpCode) -> RequestHeader {
    RequestHeader { xid, op: op.code() }
}
