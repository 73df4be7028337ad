//! A client that reads every node, leaves watches, and counts what it is told.

use std::collections::VecDeque;
use std::io::{self, Write};
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::{Duration, Instant};

use mio::net::TcpStream;
use zooid_proto::request::PathWatch;
use zooid_proto::{
    ErrorCode, EventType, Jute, Limit, OpCode, Reader, ReplyHeader, RequestHeader, xid,
};

use crate::address::Endpoint;
use crate::frame::{FRAME_BYTES_MAX, Filled, Inbox, put_frame};
use crate::nodes::Nodes;
use crate::plan::Plan;
use crate::session::Session;

/// Whether reading leaves watches.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Round {
    Plain,
    Watching,
}

pub(crate) struct Watcher {
    pub(crate) stream: TcpStream,
    nodes: Arc<Nodes>,
    server: Endpoint,
    timeout: Duration,
    window: usize,
    inbox: Inbox,
    outbox: Vec<u8>,
    next_xid: i32,
    round: Round,
    /// The node to ask for next.
    next: usize,
    /// What has been asked for, and when.
    in_flight: VecDeque<(i32, Instant)>,
    last_sent: Instant,
    events: Events,
    path: String,
}

/// What a client is told of.
struct Events {
    /// When each node was set, in nanoseconds from the start.
    sent: Arc<[AtomicU64]>,
    started: Instant,
    /// Whether the client has been told of it.
    heard: Vec<bool>,
    missing: usize,
    repeated: u64,
}

/// For a few events; a reply is not much larger.
const INBOX_BYTES: usize = 1 << 10;

impl Watcher {
    pub(crate) fn new(session: Session, nodes: Arc<Nodes>, plan: &Plan) -> io::Result<Watcher> {
        session.stream.set_nonblocking(true)?;
        let now = Instant::now();
        Ok(Watcher {
            stream: TcpStream::from_std(session.stream),
            server: session.server,
            timeout: session.timeout,
            window: plan.in_flight,
            inbox: Inbox::with_capacity(INBOX_BYTES),
            outbox: Vec::new(),
            next_xid: session.next_xid,
            round: Round::Plain,
            next: nodes.keys.len(),
            in_flight: VecDeque::with_capacity(plan.in_flight),
            last_sent: now,
            events: Events {
                sent: Arc::new([]),
                started: now,
                heard: vec![false; nodes.keys.len()],
                missing: nodes.keys.len(),
                repeated: 0,
            },
            path: String::new(),
            nodes,
        })
    }

    pub(crate) fn nodes(&self) -> &Arc<Nodes> {
        &self.nodes
    }

    /// Gives the session back for blocking calls. Nothing may be unanswered.
    pub(crate) fn into_session(self) -> io::Result<Session> {
        Session::of_nonblocking(self.stream, self.server, self.timeout, self.next_xid)
    }

    /// Starts to read every node.
    pub(crate) fn begin(&mut self, round: Round) -> io::Result<()> {
        self.round = round;
        self.next = 0;
        self.top_up(Instant::now());
        self.flush()
    }

    pub(crate) fn has_read_all(&self) -> bool {
        self.next == self.nodes.keys.len() && self.in_flight.is_empty()
    }

    /// Says how to tell how long an event has taken.
    pub(crate) fn expect_events(&mut self, started: Instant, sent: Arc<[AtomicU64]>) {
        self.events.started = started;
        self.events.sent = sent;
    }

    pub(crate) fn has_heard_all(&self) -> bool {
        self.events.missing == 0
    }

    pub(crate) fn repeated_events(&self) -> u64 {
        self.events.repeated
    }

    /// Takes in what has come and sends what can be sent. `record` is told how long a reply, or an
    /// event, has taken, in nanoseconds.
    pub(crate) fn attend(&mut self, record: &mut impl FnMut(u64)) -> io::Result<()> {
        loop {
            let filled = self.inbox.fill(&mut self.stream)?;
            let now = Instant::now();
            while let Some(place) = self.inbox.next_frame().map_err(io::Error::other)? {
                let packet = self.inbox.payload(place);
                let mut reader = Reader::new(packet, Limit(FRAME_BYTES_MAX));
                let header = ReplyHeader::decode(&mut reader).map_err(io::Error::other)?;
                let since = match header.xid {
                    xid::PING => continue,
                    xid::NOTIFICATION => match self.events.hear(&self.nodes, reader)? {
                        Some(since) => since,
                        None => continue,
                    },
                    _ => answered(&mut self.in_flight, &header)?,
                };
                let took = now.saturating_duration_since(since).as_nanos();
                record(u64::try_from(took).unwrap_or(u64::MAX));
            }
            match filled {
                Filled::Full => {}
                Filled::Drained => break,
                Filled::Closed => return Err(io::ErrorKind::UnexpectedEof.into()),
            }
        }
        self.top_up(Instant::now());
        self.flush()
    }

    pub(crate) fn ping_if_idle(&mut self, now: Instant) -> io::Result<()> {
        if now.duration_since(self.last_sent) < self.timeout / 3 {
            return Ok(());
        }
        self.last_sent = now;
        put_frame(&mut self.outbox, |out| {
            let op = OpCode::Ping.code();
            RequestHeader { xid: xid::PING, op }.encode(out);
        });
        self.flush()
    }

    fn top_up(&mut self, now: Instant) {
        while self.in_flight.len() < self.window && self.next < self.nodes.keys.len() {
            let xid = self.next_xid;
            self.next_xid += 1;
            self.nodes.keys.put_path(self.next, &mut self.path);
            self.next += 1;
            put_frame(&mut self.outbox, |out| {
                let op = OpCode::GetData.code();
                RequestHeader { xid, op }.encode(out);
                let request = PathWatch {
                    path: self.path.as_str().into(),
                    watch: self.round == Round::Watching,
                };
                request.encode(out);
            });
            self.in_flight.push_back((xid, now));
            self.last_sent = now;
        }
    }

    /// Writes what the socket takes; the rest goes when it can be written to again.
    fn flush(&mut self) -> io::Result<()> {
        while !self.outbox.is_empty() {
            match self.stream.write(&self.outbox) {
                Ok(written) => drop(self.outbox.drain(..written)),
                Err(e) if e.kind() == io::ErrorKind::WouldBlock => break,
                Err(e) if e.kind() == io::ErrorKind::Interrupted => {}
                Err(e) => return Err(e),
            }
        }
        Ok(())
    }
}

/// When the request was sent that this reply must belong to.
fn answered(in_flight: &mut VecDeque<(i32, Instant)>, header: &ReplyHeader) -> io::Result<Instant> {
    match in_flight.pop_front() {
        Some((xid, since)) if xid == header.xid && header.err == ErrorCode::Ok => Ok(since),
        _ => Err(io::Error::other(format!(
            "reply {} with {}",
            header.xid, header.err
        ))),
    }
}

impl Events {
    /// When the node was set that this event is of; `None` if the client has heard of it before.
    fn hear(&mut self, nodes: &Nodes, mut event: Reader<'_>) -> io::Result<Option<Instant>> {
        let mut parse = || {
            let kind = event.i32().ok()?;
            let _state = event.i32().ok()?;
            let key = nodes.keys.number_of(event.buffer().ok()??)?;
            (kind == EventType::NodeDataChanged.code()).then_some(key)
        };
        let key = parse().ok_or_else(|| io::Error::other("an event that nobody has caused"))?;
        if std::mem::replace(&mut self.heard[key], true) {
            self.repeated += 1;
            return Ok(None);
        }
        self.missing -= 1;
        let sent = self
            .sent
            .get(key)
            .map_or(0, |sent| sent.load(Ordering::Relaxed));
        Ok(Some(self.started + Duration::from_nanos(sent)))
    }
}
