//! A blocking session: the handshake of every connection, and the calls before and after a run.

use std::io::{self, Read, Write};
use std::net::{SocketAddr, TcpStream, ToSocketAddrs};
use std::time::Duration;

use anyhow::{Context, anyhow, bail};
use bytes::Bytes;
use zooid_proto::{
    ConnectRequest, ConnectResponse, DecodeError, ErrorCode, Jute, Limit, OpCode, PASSWORD_LEN,
    Reader, ReplyHeader, RequestHeader, SessionId, Zxid,
};

use crate::address::{ConnectString, Endpoint};
use crate::frame::{FRAME_BYTES_MAX, payload_len, put_frame};

/// How long to wait for a connection, and for any one reply.
const PATIENCE: Duration = Duration::from_secs(30);

/// Connections that wait for their session at the same time; more than a listening socket of Java
/// has room for would be tried again by the kernel, a second later.
const OPENINGS_MAX: usize = 48;

/// An established session on a blocking socket.
#[derive(Debug)]
pub(crate) struct Session {
    pub(crate) stream: TcpStream,
    /// As the user named it.
    pub(crate) server: Endpoint,
    /// As the server decided.
    pub(crate) timeout: Duration,
    pub(crate) next_xid: i32,
}

/// One reply.
#[derive(Debug)]
pub(crate) struct Reply {
    pub(crate) err: ErrorCode,
    packet: Vec<u8>,
    body_at: usize,
}

impl Session {
    /// A session whose connection did not block until now. Nothing may be unanswered.
    pub(crate) fn of_nonblocking(
        stream: mio::net::TcpStream,
        server: Endpoint,
        timeout: Duration,
        next_xid: i32,
    ) -> io::Result<Session> {
        let stream = TcpStream::from(stream);
        stream.set_nonblocking(false)?;
        Ok(Session {
            stream,
            server,
            timeout,
            next_xid,
        })
    }

    /// One session, on the first server.
    pub(crate) fn open(servers: &ConnectString, timeout: Duration) -> anyhow::Result<Session> {
        let mut opened = Session::open_many(servers, 1, timeout)?;
        opened.pop().context("no session was opened")
    }

    /// Sessions on the servers in turn. Several are asked for before any answer is awaited, so that
    /// the server can make them durable together.
    pub(crate) fn open_many(
        servers: &ConnectString,
        count: usize,
        timeout: Duration,
    ) -> anyhow::Result<Vec<Session>> {
        let mut turns = servers.servers.iter().cycle();
        let mut sessions = Vec::with_capacity(count);
        while sessions.len() < count {
            let batch = OPENINGS_MAX.min(count - sessions.len());
            let asked = turns
                .by_ref()
                .take(batch)
                .map(|server| ask(server, timeout).map(|stream| (server, stream)))
                .collect::<anyhow::Result<Vec<_>>>()?;
            for (server, stream) in asked {
                let number = sessions.len() + 1;
                let session = await_answer(server, stream)
                    .with_context(|| format!("cannot open session {number} of {count}"))?;
                sessions.push(session);
            }
        }
        Ok(sessions)
    }

    pub(crate) fn call(&mut self, op: OpCode, body: &impl Jute) -> anyhow::Result<Reply> {
        self.call_encoded(op, &body.to_vec())
    }

    pub(crate) fn call_encoded(&mut self, op: OpCode, body: &[u8]) -> anyhow::Result<Reply> {
        let xid = self.send(op, body)?;
        self.receive(op, xid)
    }

    /// Sends a request, whose reply [`Session::receive`] is to be asked for in its turn.
    pub(crate) fn send(&mut self, op: OpCode, body: &[u8]) -> anyhow::Result<i32> {
        let xid = self.next_xid;
        self.next_xid += 1;
        let mut request = Vec::with_capacity(body.len() + 16);
        put_request(&mut request, xid, op, body);
        self.stream
            .write_all(&request)
            .with_context(|| format!("cannot send {} to {}", op.name(), self.server))?;
        Ok(xid)
    }

    /// Awaits the reply to the oldest request that has none.
    pub(crate) fn receive(&mut self, op: OpCode, xid: i32) -> anyhow::Result<Reply> {
        await_reply(&mut self.stream, xid)
            .with_context(|| format!("{} on {} has failed", op.name(), self.server))
    }

    /// Closes sessions in an orderly way, as far as their servers still answer.
    pub(crate) fn close_many(mut sessions: Vec<Session>) {
        for session in &mut sessions {
            let mut request = Vec::new();
            put_request(&mut request, session.next_xid, OpCode::CloseSession, &[]);
            // A session that cannot be closed expires by itself.
            let _ = session.stream.write_all(&request);
        }
        for session in &mut sessions {
            let _ = read_packet(&mut session.stream);
        }
    }
}

impl Reply {
    pub(crate) fn reader(&self) -> Reader<'_> {
        Reader::new(&self.packet[self.body_at..], Limit(FRAME_BYTES_MAX))
    }
}

/// Connects and sends the first packet.
fn ask(server: &Endpoint, timeout: Duration) -> anyhow::Result<TcpStream> {
    let mut stream = dial(server).with_context(|| format!("cannot connect to {server}"))?;
    let request = ConnectRequest {
        protocol_version: 0,
        last_zxid_seen: Zxid::ZERO,
        timeout_ms: i32::try_from(timeout.as_millis()).expect("checked when the plan was made"),
        session_id: SessionId(0),
        password: Some(Bytes::from_static(&[0; PASSWORD_LEN])),
        read_only: Some(false),
    };
    let mut packet = Vec::new();
    put_frame(&mut packet, |out| request.encode(out));
    stream
        .write_all(&packet)
        .with_context(|| format!("cannot ask {server} for a session"))?;
    Ok(stream)
}

/// The first of a server's addresses.
pub(crate) fn resolve(server: &Endpoint) -> anyhow::Result<SocketAddr> {
    (server.host.as_str(), server.port)
        .to_socket_addrs()
        .with_context(|| format!("cannot resolve {server}"))?
        .next()
        .with_context(|| format!("{server} has no address"))
}

fn dial(server: &Endpoint) -> anyhow::Result<TcpStream> {
    let mut last_error = None;
    for address in (server.host.as_str(), server.port).to_socket_addrs()? {
        match TcpStream::connect_timeout(&address, PATIENCE) {
            Ok(stream) => {
                stream.set_nodelay(true)?;
                stream.set_read_timeout(Some(PATIENCE))?;
                stream.set_write_timeout(Some(PATIENCE))?;
                return Ok(stream);
            }
            Err(e) => last_error = Some(e),
        }
    }
    match last_error {
        Some(e) => Err(e.into()),
        None => bail!("the name has no address"),
    }
}

fn await_answer(server: &Endpoint, mut stream: TcpStream) -> anyhow::Result<Session> {
    let packet = read_packet(&mut stream).map_err(|e| match e.kind() {
        io::ErrorKind::UnexpectedEof | io::ErrorKind::ConnectionReset => anyhow!(
            "{server} has closed the connection instead of answering; is it serving, and does its \
             maxClientCnxns allow as many connections?"
        ),
        _ => anyhow!(e).context(format!("no session from {server}")),
    })?;
    let answer = ConnectResponse::decode(&mut Reader::new(&packet, Limit::default()))
        .with_context(|| format!("{server} does not answer as a ZooKeeper server"))?;
    let timeout_ms = u64::try_from(answer.timeout_ms).unwrap_or(0);
    if answer.session_id == SessionId(0) || timeout_ms == 0 {
        bail!("{server} has refused a new session");
    }
    Ok(Session {
        stream,
        server: server.clone(),
        timeout: Duration::from_millis(timeout_ms),
        next_xid: 1,
    })
}

fn await_reply(stream: &mut TcpStream, xid: i32) -> anyhow::Result<Reply> {
    let packet = read_packet(stream)?;
    let (header, body_at) = split_header(&packet)?;
    if header.xid != xid {
        bail!("reply to request {} instead of {xid}", header.xid);
    }
    Ok(Reply {
        err: header.err,
        packet,
        body_at,
    })
}

fn split_header(packet: &[u8]) -> Result<(ReplyHeader, usize), DecodeError> {
    let mut reader = Reader::new(packet, Limit(FRAME_BYTES_MAX));
    let header = ReplyHeader::decode(&mut reader)?;
    Ok((header, packet.len() - reader.rest().len()))
}

fn put_request(out: &mut Vec<u8>, xid: i32, op: OpCode, body: &[u8]) {
    put_frame(out, |out| {
        RequestHeader { xid, op: op.code() }.encode(out);
        out.extend_from_slice(body);
    });
}

fn read_packet(stream: &mut TcpStream) -> io::Result<Vec<u8>> {
    let mut prefix = [0; 4];
    stream.read_exact(&mut prefix).map_err(explain)?;
    let len = payload_len(prefix).map_err(io::Error::other)?;
    let mut packet = vec![0; len];
    stream.read_exact(&mut packet).map_err(explain)?;
    Ok(packet)
}

/// Says what a failed read means: a timeout comes as `WouldBlock`, a close as a short read.
fn explain(e: io::Error) -> io::Error {
    match e.kind() {
        io::ErrorKind::WouldBlock | io::ErrorKind::TimedOut => io::Error::new(
            io::ErrorKind::TimedOut,
            format!("no reply within {} s", PATIENCE.as_secs()),
        ),
        io::ErrorKind::UnexpectedEof => io::Error::new(
            io::ErrorKind::UnexpectedEof,
            "the server has closed the connection, as it does when a request is larger than its \
             jute.maxbuffer",
        ),
        _ => e,
    }
}
