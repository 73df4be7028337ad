//! One session with an ensemble: dialling, the handshake, pings, re-attaching after a loss, and
//! matching replies to requests (spec §2.2–§2.4; Java `ClientCnxn`).
//!
//! One thread per session owns the socket's reading end and the reconnects; callers write their
//! requests themselves, under the lock that also orders the queue of outstanding replies. Events
//! are delivered on the session's thread, in wire order: an event precedes the reply after it.

use std::collections::VecDeque;
use std::io;
use std::net::{Shutdown, TcpStream, ToSocketAddrs};
use std::sync::mpsc::{Receiver, SyncSender, sync_channel};
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};
use std::thread;
use std::time::{Duration, Instant};

use bytes::Bytes;
use zooid_proto::request::AuthPacket;
use zooid_proto::{
    ConnectRequest, ConnectResponse, ErrorCode, EventType, Jute, KeeperState, Limit, OpCode,
    PASSWORD_LEN, Reader, ReplyHeader, RequestHeader, SessionId, WatcherEvent, Zxid, xid,
};

use super::event::{Event, State};
use super::frame::{FrameReader, write_frame};
use super::watch_table::{Registration, WatchTable};

/// Pause between two rounds over the servers.
const RECONNECT_PAUSE: Duration = Duration::from_millis(300);

/// Longest silence before a ping, however long the session timeout (Java's limit).
const PING_INTERVAL_MAX: Duration = Duration::from_secs(10);

/// Receives events, on the session's thread.
pub(super) type Listener = Box<dyn Fn(Event) + Send + Sync>;

/// What a session needs to know to dial.
#[derive(Clone, Debug)]
pub(super) struct Dial {
    pub servers: Vec<(String, u16)>,
    pub timeout: Duration,
    pub read_only: bool,
}

/// A reply's code, and its body when that is [`ErrorCode::Ok`].
pub(super) type Reply = (ErrorCode, Bytes);

pub(super) struct Session(Arc<Shared>);

struct Shared {
    dial: Dial,
    listener: Listener,
    inner: Mutex<Inner>,
    /// Notified at every change of state and at every failed round.
    changed: Condvar,
}

struct Inner {
    state: State,
    dialled: bool,
    closing: bool,
    /// Rounds over all servers that found none.
    failed_rounds: u64,
    stream: Option<TcpStream>,
    last_sent: Instant,
    next_xid: i32,
    pending: VecDeque<Pending>,
    /// Auth replies come outside the order of the others. `None` for one that was sent again.
    pending_auths: VecDeque<Option<SyncSender<Reply>>>,
    auths: Vec<AuthPacket>,
    watches: WatchTable,
    last_zxid: Zxid,
    session_id: SessionId,
    password: Bytes,
}

struct Pending {
    xid: i32,
    watch: Option<Registration>,
    reply_to: SyncSender<Reply>,
}

/// Why the session's thread left a connection.
#[derive(Clone, Copy, Debug)]
enum Lost {
    Expired,
    Broken,
}

impl From<io::Error> for Lost {
    fn from(_: io::Error) -> Lost {
        Lost::Broken
    }
}

impl From<zooid_proto::DecodeError> for Lost {
    fn from(_: zooid_proto::DecodeError) -> Lost {
        Lost::Broken
    }
}

impl Session {
    /// A session that will dial when first used, or at [`Session::dial`].
    pub(super) fn new(dial: Dial, listener: Listener) -> Session {
        let inner = Inner {
            state: State::Connecting,
            dialled: false,
            closing: false,
            failed_rounds: 0,
            stream: None,
            last_sent: Instant::now(),
            next_xid: 1,
            pending: VecDeque::new(),
            pending_auths: VecDeque::new(),
            auths: Vec::new(),
            watches: WatchTable::default(),
            last_zxid: Zxid::ZERO,
            session_id: SessionId(0),
            password: Bytes::from_static(&[0; PASSWORD_LEN]),
        };
        Session(Arc::new(Shared {
            dial,
            listener,
            inner: Mutex::new(inner),
            changed: Condvar::new(),
        }))
    }

    pub(super) fn state(&self) -> State {
        self.0.lock().state
    }

    /// Starts connecting, if that has not happened yet.
    pub(super) fn dial(&self) {
        let mut inner = self.0.lock();
        if !inner.dialled && inner.state.is_alive() {
            inner.dialled = true;
            let shared = Arc::clone(&self.0);
            thread::spawn(move || shared.run());
        }
    }

    /// Waits until connected or closed, or until every server was tried once.
    pub(super) fn wait_for_outcome(&self, limit: Duration) -> State {
        let inner = self.0.lock();
        let round = inner.failed_rounds;
        let undecided = |i: &mut Inner| i.state == State::Connecting && i.failed_rounds == round;
        self.0.wait_while(inner, limit, undecided).state
    }

    /// Waits until connected or closed.
    pub(super) fn wait_connected(&self, limit: Duration) -> State {
        let inner = self.0.lock();
        let connecting = |i: &mut Inner| i.state == State::Connecting;
        self.0.wait_while(inner, limit, connecting).state
    }

    /// Sends a request and waits for its reply. While the connection is being made, waits for it
    /// until every server was tried once more.
    pub(super) fn call(&self, op: OpCode, body: &[u8], watch: Option<Registration>) -> Reply {
        self.dial();
        let reply = match self.0.send(op, body, watch) {
            Ok(reply) => reply,
            Err(code) => return (code, Bytes::new()),
        };
        reply.recv().unwrap_or(CONNECTION_LOST)
    }

    /// Authenticates this connection and all later ones of the session, and waits for the answer.
    pub(super) fn add_auth(&self, auth: AuthPacket) -> ErrorCode {
        self.dial();
        let (reply_to, reply) = sync_channel(1);
        let sent = self.0.connected(self.0.lock()).map(|mut inner| {
            inner.pending_auths.push_back(Some(reply_to));
            inner.write(xid::AUTH, OpCode::Auth, &auth.to_vec());
            inner.auths.push(auth.clone());
        });
        if let Err(code) = sent {
            self.0.lock().auths.push(auth);
            return code;
        }
        reply.recv().unwrap_or(CONNECTION_LOST).0
    }

    pub(super) fn with_watches<T>(&self, f: impl FnOnce(&mut WatchTable) -> T) -> T {
        f(&mut self.0.lock().watches)
    }

    /// Delivers an event that has its cause on this side.
    pub(super) fn deliver(&self, event: Event) {
        (self.0.listener)(event);
    }

    /// Ends the session. Says so to the listener when `announce` is set.
    pub(super) fn close(&self, announce: bool) {
        let connected = {
            let mut inner = self.0.lock();
            if !inner.state.is_alive() {
                return;
            }
            inner.closing = true;
            inner.state.is_connected()
        };
        if connected {
            let _ = self.call(OpCode::CloseSession, &[], None);
        }
        {
            let mut inner = self.0.lock();
            inner.state = State::Closed;
            inner.drop_connection();
        }
        self.0.changed.notify_all();
        if announce {
            self.deliver(Event::of_state(KeeperState::Closed));
        }
    }
}

#[cfg(test)]
impl Session {
    /// As it is when the session's thread has found the connection lost and the session closing, and has
    /// ended.
    pub(super) fn lose_while_closing(&self) {
        let mut inner = self.0.lock();
        inner.dialled = true;
        inner.closing = true;
    }
}

const CONNECTION_LOST: Reply = (ErrorCode::ConnectionLoss, Bytes::new());

impl Shared {
    /// The data stays consistent between statements, so a panic elsewhere does not spoil it.
    fn lock(&self) -> MutexGuard<'_, Inner> {
        self.inner.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn wait_while<'a>(
        &'a self,
        inner: MutexGuard<'a, Inner>,
        limit: Duration,
        condition: impl FnMut(&mut Inner) -> bool,
    ) -> MutexGuard<'a, Inner> {
        let waited = self.changed.wait_timeout_while(inner, limit, condition);
        waited.unwrap_or_else(PoisonError::into_inner).0
    }

    /// Waits for a connection, through one more round over the servers; for none when the session is closing, as
    /// nobody makes one then.
    fn connected<'a>(
        &'a self,
        inner: MutexGuard<'a, Inner>,
    ) -> Result<MutexGuard<'a, Inner>, ErrorCode> {
        let round = inner.failed_rounds;
        let undecided =
            |i: &mut Inner| i.state == State::Connecting && i.failed_rounds == round && !i.closing;
        let waited = self.changed.wait_while(inner, undecided);
        let inner = waited.unwrap_or_else(PoisonError::into_inner);
        match inner.state {
            State::Connected | State::ConnectedReadOnly => Ok(inner),
            State::Connecting => Err(ErrorCode::ConnectionLoss),
            State::Closed => Err(ErrorCode::SessionExpired),
            State::AuthFailed => Err(ErrorCode::AuthFailed),
        }
    }

    fn send(
        &self,
        op: OpCode,
        body: &[u8],
        watch: Option<Registration>,
    ) -> Result<Receiver<Reply>, ErrorCode> {
        let (reply_to, reply) = sync_channel(1);
        let mut inner = self.connected(self.lock())?;
        let xid = inner.next_xid;
        // Negative ids have meanings of their own.
        inner.next_xid = xid.checked_add(1).unwrap_or(1);
        inner.pending.push_back(Pending {
            xid,
            watch,
            reply_to,
        });
        inner.write(xid, op, body);
        Ok(reply)
    }

    /// The session's thread.
    fn run(&self) {
        loop {
            let lost = match self.attach() {
                Ok((reader, timeout)) => self.serve(reader, timeout),
                Err(lost) => lost,
            };
            if !self.go_on_after(lost) {
                return;
            }
        }
    }

    /// Leaves a connection behind, or a round that found none. False when the session is over.
    fn go_on_after(&self, lost: Lost) -> bool {
        let (was_connected, over) = {
            let mut inner = self.lock();
            let was_connected = inner.state.is_connected();
            if let Lost::Expired = lost {
                inner.state = State::Closed;
            }
            if inner.state.is_connected() {
                inner.state = State::Connecting;
            }
            (was_connected, inner.closing || !inner.state.is_alive())
        };
        match lost {
            Lost::Expired => (self.listener)(Event::of_state(KeeperState::Expired)),
            Lost::Broken if was_connected && !over => {
                (self.listener)(Event::of_state(KeeperState::Disconnected));
            }
            Lost::Broken => {}
        }
        let mut inner = self.lock();
        inner.drop_connection();
        if !was_connected {
            inner.failed_rounds += 1;
        }
        self.changed.notify_all();
        if over {
            return false;
        }
        let inner = if was_connected {
            inner
        } else {
            self.wait_while(inner, RECONNECT_PAUSE, |i| !i.closing)
        };
        !inner.closing
    }

    /// Tries every server once.
    fn attach(&self) -> Result<(FrameReader<TcpStream>, Duration), Lost> {
        let servers = u32::try_from(self.dial.servers.len()).unwrap_or(u32::MAX);
        let patience = self.dial.timeout / servers.max(1);
        for (host, port) in &self.dial.servers {
            if self.lock().closing {
                break;
            }
            let addresses = (host.as_str(), *port)
                .to_socket_addrs()
                .into_iter()
                .flatten();
            for address in addresses {
                let Ok(stream) = TcpStream::connect_timeout(&address, patience) else {
                    continue;
                };
                match self.handshake(stream, patience) {
                    Err(Lost::Broken) => {}
                    attached_or_expired => return attached_or_expired,
                }
            }
        }
        Err(Lost::Broken)
    }

    fn handshake(
        &self,
        stream: TcpStream,
        patience: Duration,
    ) -> Result<(FrameReader<TcpStream>, Duration), Lost> {
        stream.set_nodelay(true)?;
        stream.set_read_timeout(Some(at_least_a_millisecond(patience)))?;
        stream.set_write_timeout(Some(at_least_a_millisecond(patience)))?;
        write_frame(&stream, &self.connect_request().to_vec())?;
        let writing_end = stream.try_clone()?;
        let mut reader = FrameReader::new(stream);
        let frame = reader.next()?.ok_or(Lost::Broken)?;
        let response = ConnectResponse::decode(&mut packet_reader(&frame))?;
        let Ok(timeout_ms @ 1..) = u64::try_from(response.timeout_ms) else {
            return Err(Lost::Expired);
        };
        self.on_attached(writing_end, response)?;
        Ok((reader, Duration::from_millis(timeout_ms)))
    }

    fn connect_request(&self) -> ConnectRequest {
        let inner = self.lock();
        ConnectRequest {
            protocol_version: 0,
            last_zxid_seen: inner.last_zxid,
            timeout_ms: i32::try_from(self.dial.timeout.as_millis()).unwrap_or(i32::MAX),
            session_id: inner.session_id,
            password: Some(inner.password.clone()),
            read_only: Some(self.dial.read_only),
        }
    }

    /// Credentials and watches go out before any request can; the event before any reply.
    fn on_attached(&self, stream: TcpStream, response: ConnectResponse) -> Result<(), Lost> {
        let (event, state) = match response.read_only {
            Some(true) => (KeeperState::ConnectedReadOnly, State::ConnectedReadOnly),
            _ => (KeeperState::SyncConnected, State::Connected),
        };
        {
            let mut inner = self.lock();
            if inner.closing {
                return Err(Lost::Broken);
            }
            inner.session_id = response.session_id;
            inner.password = response.password.unwrap_or_default();
            inner.stream = Some(stream);
            for auth in inner.auths.clone() {
                inner.pending_auths.push_back(None);
                inner.write(xid::AUTH, OpCode::Auth, &auth.to_vec());
            }
            if let Some((op, body)) = inner.watches.reset_request(inner.last_zxid) {
                inner.write(xid::SET_WATCHES, op, &body);
            }
        }
        (self.listener)(Event::of_state(event));
        let mut inner = self.lock();
        if inner.closing {
            return Err(Lost::Broken);
        }
        inner.state = state;
        self.changed.notify_all();
        Ok(())
    }

    /// Reads until the connection ends.
    fn serve(&self, mut reader: FrameReader<TcpStream>, timeout: Duration) -> Lost {
        match self.read_packets(&mut reader, timeout) {
            Ok(never) => match never {},
            Err(lost) => lost,
        }
    }

    /// Java's rule: a ping after a third of the timeout, the connection given up after two.
    fn read_packets(
        &self,
        reader: &mut FrameReader<TcpStream>,
        timeout: Duration,
    ) -> Result<std::convert::Infallible, Lost> {
        let ping_after = (timeout / 3).min(PING_INTERVAL_MAX);
        let silence_max = timeout * 2 / 3;
        let mut last_heard = Instant::now();
        loop {
            let ping_in = {
                let mut inner = self.lock();
                if inner.last_sent.elapsed() >= ping_after {
                    inner.write(xid::PING, OpCode::Ping, &[]);
                }
                ping_after.saturating_sub(inner.last_sent.elapsed())
            };
            let patience = silence_max.saturating_sub(last_heard.elapsed());
            if patience.is_zero() {
                return Err(Lost::Broken);
            }
            let wait = at_least_a_millisecond(ping_in.min(patience));
            reader.get_ref().set_read_timeout(Some(wait))?;
            if let Some(frame) = reader.next()? {
                last_heard = Instant::now();
                self.on_packet(&frame)?;
            }
        }
    }

    fn on_packet(&self, frame: &Bytes) -> Result<(), Lost> {
        let mut r = packet_reader(frame);
        let header = ReplyHeader::decode(&mut r)?;
        match header.xid {
            xid::PING | xid::SET_WATCHES => Ok(()),
            xid::AUTH => {
                self.on_auth_reply(header.err);
                Ok(())
            }
            xid::NOTIFICATION => self.on_notification(header.zxid, &mut r),
            _ => self.on_reply(&header, frame.slice_ref(r.rest())),
        }
    }

    fn on_auth_reply(&self, err: ErrorCode) {
        let waiting = {
            let mut inner = self.lock();
            if err == ErrorCode::AuthFailed {
                inner.state = State::AuthFailed;
            }
            inner.pending_auths.pop_front().flatten()
        };
        if err == ErrorCode::AuthFailed {
            (self.listener)(Event::of_state(KeeperState::AuthFailed));
            self.changed.notify_all();
        }
        if let Some(reply_to) = waiting {
            let _ = reply_to.send((err, Bytes::new()));
        }
    }

    fn on_notification(&self, zxid: Zxid, r: &mut Reader<'_>) -> Result<(), Lost> {
        let event = WatcherEvent::decode(r)?;
        let kind = EventType::decode(&mut Reader::new(
            &event.event_type.to_be_bytes(),
            Limit::default(),
        ))?;
        let state = KeeperState::decode(&mut Reader::new(
            &event.state.to_be_bytes(),
            Limit::default(),
        ))?;
        self.lock().watches.on_event(kind, &event.path);
        (self.listener)(Event {
            kind,
            state,
            path: Some(event.path),
            zxid: Some(zxid).filter(|z| *z != Zxid::NONE),
        });
        Ok(())
    }

    fn on_reply(&self, header: &ReplyHeader, body: Bytes) -> Result<(), Lost> {
        let mut inner = self.lock();
        let expected = inner.pending.front().map(|p| p.xid);
        if expected != Some(header.xid) {
            return Err(Lost::Broken);
        }
        let Some(pending) = inner.pending.pop_front() else {
            return Err(Lost::Broken);
        };
        if header.zxid > Zxid::ZERO {
            inner.last_zxid = header.zxid;
        }
        if let Some(watch) = pending.watch {
            inner.watches.on_reply(watch, header.err);
        }
        let _ = pending.reply_to.send((header.err, body));
        Ok(())
    }
}

impl Inner {
    /// Writes a request. A failure is left for the reading end to find: it owns the reconnects.
    fn write(&mut self, xid: i32, op: OpCode, body: &[u8]) {
        let mut packet = RequestHeader { xid, op: op.code() }.to_vec();
        packet.extend_from_slice(body);
        self.last_sent = Instant::now();
        if let Some(stream) = &self.stream
            && write_frame(stream, &packet).is_err()
        {
            let _ = stream.shutdown(Shutdown::Both);
        }
    }

    /// Everything outstanding ends with a connection loss: dropping a sender says so.
    fn drop_connection(&mut self) {
        if let Some(stream) = self.stream.take() {
            let _ = stream.shutdown(Shutdown::Both);
        }
        self.pending.clear();
        self.pending_auths.clear();
    }
}

fn packet_reader(frame: &Bytes) -> Reader<'_> {
    // The frame's own length, checked when it was cut, bounds everything inside.
    Reader::shared(frame, Limit(frame.len()))
}

/// Sockets take a zero timeout for an error.
fn at_least_a_millisecond(wait: Duration) -> Duration {
    wait.max(Duration::from_millis(1))
}
