//! Runs a script against one server, or an ensemble, and writes down everything that it sends.
//!
//! What happens on several connections is put in an order by waiting: a step ends when its replies have
//! come, every member of an ensemble has caught up and every other connection has answered a ping, so
//! that all events the step caused have been seen. A connection that is going to be closed is read to its end.

use crate::Wire;
use crate::kept_alive::KeptAlive;
use crate::script::{Action, Claim, Connect, Password, Request, Script, Step};
use crate::site::Site;
use crate::wire::framed;
use anyhow::{Context, Result};
use bytes::Bytes;
use std::collections::{BTreeMap, BTreeSet};
use zooid_proto::{
    ConnectRequest, ConnectResponse, ErrorCode, Jute, Limit, OpCode, PASSWORD_LEN, Reader,
    ReplyHeader, RequestHeader, SessionId, Zxid, session_password, xid,
};

/// What came during one step.
#[derive(Clone, Debug)]
pub(crate) struct Outcome {
    /// The step's text.
    pub step: String,
    /// In the order in which each connection received it; connections one after the other.
    pub received: Vec<(String, Received)>,
    /// The last zxid before anything that the step received, and after it.
    pub zxids: (Zxid, Zxid),
    /// Whether it ended a session, so that ephemerals went in no particular order.
    pub has_close: bool,
    /// Whether it set watches again, which makes events that belong to no transaction.
    pub has_set_watches: bool,
    /// See [`Step::zooid_differs`].
    pub zooid_differs: Option<Vec<String>>,
}

/// Something that came.
#[derive(Clone, Debug)]
pub(crate) enum Received {
    /// The answer to a connect request.
    Connected(Vec<u8>),
    /// The reply to a request with this operation.
    Reply(i32, Vec<u8>),
    /// A packet with the xid of events.
    Event(Vec<u8>),
    /// Text, in answer to a four-letter word.
    Text(String),
    /// The end of the connection.
    Closed,
    /// The connection should have ended and did not.
    StillOpen,
    /// The step needs a connection that has ended.
    NoConnection,
    /// The event that was awaited did not come.
    NoEvent,
}

/// Runs the script.
///
/// # Errors
/// When the script cannot be run to its end: the server is gone, or does not answer.
pub(crate) fn run(script: &Script, site: &mut Site<'_>) -> Result<Vec<Outcome>> {
    let kind = site.server(None)?.kind();
    let mut driver = Driver {
        site,
        connections: BTreeMap::new(),
        sessions: BTreeMap::new(),
        granted: BTreeSet::new(),
        last_zxid: Zxid::ZERO,
        zxid_flushed: Zxid::ZERO,
    };
    let mut outcomes = Vec::with_capacity(script.steps.len());
    let next_steps = script.steps.iter().skip(1).map(Some).chain([None]);
    for (step, next) in script.steps.iter().zip(next_steps) {
        // What the server does by itself may happen at once: it belongs to the step that awaits it.
        let is_awaited = next.is_some_and(|next| matches!(next.action, Action::Await { .. }));
        let outcome = driver.step(step, is_awaited);
        outcomes.push(outcome.with_context(|| format!("{kind:?}: {}", step.text))?);
    }
    driver.end_sessions()?;
    Ok(outcomes)
}

struct Driver<'a, 'b> {
    site: &'a mut Site<'b>,
    connections: BTreeMap<String, Connection>,
    /// By the name of the connection that it was granted to. Those that have not ended.
    sessions: BTreeMap<String, SessionId>,
    /// All that were granted and not closed, in the order of their ids.
    granted: BTreeSet<SessionId>,
    last_zxid: Zxid,
    /// The last zxid when all events had been seen.
    zxid_flushed: Zxid,
}

struct Connection {
    wire: KeptAlive,
    next_xid: i32,
}

type Log = Vec<(String, Received)>;

impl Driver<'_, '_> {
    fn step(&mut self, step: &Step, is_awaited: bool) -> Result<Outcome> {
        let zxid_before = self.zxid_flushed;
        let mut received = Log::new();
        let mut ops = Vec::new();
        match &step.action {
            Action::Connect(connect) => self.connect(connect, &mut received)?,
            Action::Requests { name, requests } => {
                ops = requests.iter().map(|request| request.op).collect();
                self.requests(name, requests, &mut received)?;
            }
            Action::Send { name, bytes } => self.send(name, bytes, &mut received)?,
            Action::Await { name, events } => self.wait(name, *events, &mut received),
            Action::Drop { name } => {
                self.connections.remove(name);
            }
            Action::Word(word) => {
                let answer = self.site.server(None)?.four_letter_word(word)?;
                received.push((word.clone(), Received::Text(answer)));
            }
        }
        if !is_awaited {
            self.flush(&mut received)?;
            self.zxid_flushed = self.last_zxid;
        }
        let has = |wanted: &[OpCode]| wanted.iter().any(|op| ops.contains(&op.code()));
        Ok(Outcome {
            step: step.text.clone(),
            received,
            zxids: (zxid_before, self.last_zxid),
            has_close: has(&[OpCode::CloseSession]),
            has_set_watches: has(&[OpCode::SetWatches, OpCode::SetWatches2]),
            zooid_differs: step.zooid_differs.clone(),
        })
    }

    fn connect(&mut self, connect: &Connect, received: &mut Log) -> Result<()> {
        let session_id = match &connect.session {
            Claim::New => SessionId(0),
            Claim::Id(id) => SessionId(*id),
            Claim::Of(name) => *self.sessions.get(name).context("no such session")?,
        };
        let request = ConnectRequest {
            protocol_version: connect.protocol_version,
            last_zxid_seen: match connect.zxid_ahead {
                Some(ahead) => Zxid(self.last_zxid.0 + ahead),
                None => Zxid::ZERO,
            },
            timeout_ms: connect.timeout_ms,
            session_id,
            password: password(connect.password, session_id),
            read_only: connect.read_only,
        };
        let mut packet = request.to_vec();
        packet.truncate(packet.len().saturating_sub(connect.cut));
        let mut wire = Wire::open(self.site.server(connect.at)?.address())?;
        wire.send(&packet)?;
        let name = &connect.name;
        let Some(packet) = wire.receive()? else {
            received.push((name.clone(), Received::Closed));
            return Ok(());
        };
        let response = ConnectResponse::decode(&mut Reader::new(&packet, Limit::default()))?;
        received.push((name.clone(), Received::Connected(packet)));
        if response.session_id == SessionId(0) {
            received.push((name.clone(), end_of(&mut wire)));
            return Ok(());
        }
        self.sessions.insert(name.clone(), response.session_id);
        self.granted.insert(response.session_id);
        let connection = Connection {
            wire: KeptAlive::new(wire),
            next_xid: 1,
        };
        self.connections.insert(name.clone(), connection);
        Ok(())
    }

    fn requests(&mut self, name: &str, requests: &[Request], received: &mut Log) -> Result<()> {
        let Some(connection) = self.connections.get_mut(name) else {
            received.push((name.into(), Received::NoConnection));
            return Ok(());
        };
        let mut bytes = Vec::new();
        for request in requests {
            bytes.extend(framed(&request.encode(connection.next_xid, self.last_zxid)));
            connection.next_xid += 1;
        }
        connection.wire.send_raw(&bytes)?;
        for request in requests {
            let reply = self.receive_reply(name, request.op, received)?;
            if request.op == OpCode::CloseSession.code()
                && reply.is_some()
                && let Some(id) = self.sessions.remove(name)
            {
                self.granted.remove(&id);
            }
            if ends_connection(request.op, reply.as_ref()) {
                if let Some(connection) = self.connections.remove(name)
                    && reply.is_some()
                {
                    received.push((name.into(), end_of(&mut connection.wire.into_wire())));
                }
                break;
            }
        }
        Ok(())
    }

    /// Receives until a reply has come, which it returns, or the connection ends.
    fn receive_reply(
        &mut self,
        name: &str,
        op: i32,
        received: &mut Log,
    ) -> Result<Option<ReplyHeader>> {
        let connection = self
            .connections
            .get_mut(name)
            .context("no such connection")?;
        loop {
            let Some(packet) = connection.wire.receive()? else {
                received.push((name.into(), Received::Closed));
                return Ok(None);
            };
            let header = ReplyHeader::decode(&mut Reader::new(&packet, Limit::default()))?;
            self.last_zxid = self.last_zxid.max(header.zxid);
            if header.xid == xid::NOTIFICATION {
                received.push((name.into(), Received::Event(packet)));
                continue;
            }
            received.push((name.into(), Received::Reply(op, packet)));
            return Ok(Some(header));
        }
    }

    fn send(&mut self, name: &str, bytes: &[u8], received: &mut Log) -> Result<()> {
        let mut wire = match self.connections.remove(name) {
            Some(connection) => connection.wire.into_wire(),
            None => Wire::open(self.site.server(None)?.address())?,
        };
        wire.send_raw(bytes)?;
        received.push((name.into(), end_of(&mut wire)));
        Ok(())
    }

    fn wait(&mut self, name: &str, events: usize, received: &mut Log) {
        for _ in 0..events {
            let packet = match self.connections.get_mut(name) {
                Some(connection) => connection.wire.receive(),
                None => Ok(None),
            };
            let came = match packet {
                Ok(Some(packet)) => {
                    self.saw(&packet);
                    Received::Event(packet)
                }
                Ok(None) => Received::NoConnection,
                Err(_) => Received::NoEvent,
            };
            received.push((name.into(), came));
        }
    }

    /// Notes the zxid of a packet that nobody has asked for.
    fn saw(&mut self, packet: &[u8]) {
        if let Ok(header) = ReplyHeader::decode(&mut Reader::new(packet, Limit::default())) {
            self.last_zxid = self.last_zxid.max(header.zxid);
        }
    }

    /// Sees every event that is on its way, and which connections have been closed.
    fn flush(&mut self, received: &mut Log) -> Result<()> {
        let mut seen = Log::new();
        self.ping_all(&mut seen)?;
        if self.site.has_members() {
            // Nothing but a ping tells the zxid at which a session began.
            self.site.catch_up(self.last_zxid)?;
            self.ping_all(&mut seen)?;
            seen.sort_by(|(a, _), (b, _)| a.cmp(b));
        }
        received.extend(seen);
        Ok(())
    }

    fn ping_all(&mut self, received: &mut Log) -> Result<()> {
        let names: Vec<String> = self.connections.keys().cloned().collect();
        for name in names {
            let connection = self
                .connections
                .get_mut(&name)
                .context("no such connection")?;
            let (xid, op) = (xid::PING, OpCode::Ping.code());
            connection.wire.send(&RequestHeader { xid, op }.to_vec())?;
            let mut pinged = Log::new();
            match self.receive_reply(&name, op, &mut pinged)? {
                // The answer to the ping itself is not part of the script.
                Some(_) => drop(pinged.pop()),
                None => drop(self.connections.remove(&name)),
            }
            received.extend(pinged);
        }
        Ok(())
    }

    /// Leaves no session behind, whose expiry would come at another moment on another server.
    fn end_sessions(&mut self) -> Result<()> {
        self.connections.clear();
        for id in std::mem::take(&mut self.granted) {
            let request = ConnectRequest {
                protocol_version: 0,
                last_zxid_seen: Zxid::ZERO,
                timeout_ms: 30_000,
                session_id: id,
                password: password(Password::Right, id),
                read_only: Some(false),
            };
            let mut wire = Wire::open(self.site.server(None)?.address())?;
            wire.send(&request.to_vec())?;
            let packet = wire.receive()?.context("no answer to a connect request")?;
            let response = ConnectResponse::decode(&mut Reader::new(&packet, Limit::default()))?;
            if response.session_id == id {
                let (xid, op) = (1, OpCode::CloseSession.code());
                wire.send(&RequestHeader { xid, op }.to_vec())?;
                wire.receive_rest()?;
            }
        }
        Ok(())
    }
}

fn password(kind: Password, id: SessionId) -> Option<Bytes> {
    match kind {
        // A new session is asked for with a password of zeros.
        Password::Right if id == SessionId(0) => Some(Bytes::from_static(&[0; PASSWORD_LEN])),
        Password::Right => Some(Bytes::copy_from_slice(&session_password(id))),
        Password::Wrong => Some(Bytes::from_static(&[7; PASSWORD_LEN])),
        Password::Empty => Some(Bytes::new()),
        Password::Null => None,
    }
}

fn end_of(wire: &mut Wire) -> Received {
    match wire.receive_rest() {
        Ok(rest) if rest.is_empty() => Received::Closed,
        Ok(rest) => Received::Text(format!("{}, then closed", rest.escape_ascii())),
        Err(_) => Received::StillOpen,
    }
}

/// Whether the server closes the connection after this reply: after the end of a session, an unknown
/// operation or a failed authentication.
fn ends_connection(op: i32, reply: Option<&ReplyHeader>) -> bool {
    let Some(reply) = reply else {
        return true;
    };
    let unknown_op = reply.err == ErrorCode::Unimplemented && reply.zxid == Zxid::NONE;
    let refused = matches!(
        reply.err,
        ErrorCode::AuthFailed | ErrorCode::SessionClosedRequireSaslAuth
    );
    op == OpCode::CloseSession.code() || unknown_op || refused
}
