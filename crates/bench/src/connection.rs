//! A non-blocking connection: moves bytes between a socket and an [`Exchange`].

use std::io::{self, Write};
use std::time::{Duration, Instant};

use mio::net::TcpStream;

use crate::address::Endpoint;
use crate::exchange::{Exchange, Gate};
use crate::frame::{Filled, Inbox};
use crate::session::Session;
use crate::tally::{Failure, Tally};

#[derive(Debug)]
pub(crate) struct Connection {
    pub(crate) stream: TcpStream,
    pub(crate) exchange: Exchange,
    server: Endpoint,
    timeout: Duration,
    inbox: Inbox,
    outbox: Vec<u8>,
    /// How much of the outbox the socket has taken.
    written: usize,
}

impl Connection {
    /// Takes over a session that was opened by blocking calls.
    pub(crate) fn new(session: Session, exchange: Exchange) -> io::Result<Connection> {
        session.stream.set_nonblocking(true)?;
        Ok(Connection {
            stream: TcpStream::from_std(session.stream),
            exchange,
            server: session.server,
            timeout: session.timeout,
            inbox: Inbox::new(),
            outbox: Vec::new(),
            written: 0,
        })
    }

    /// Gives the session back for blocking calls. Nothing may be unanswered.
    pub(crate) fn into_session(mut self) -> io::Result<Session> {
        let next_xid = self.exchange.take_xid();
        Session::of_nonblocking(self.stream, self.server, self.timeout, next_xid)
    }

    /// Takes in everything that has arrived.
    pub(crate) fn receive(&mut self, tally: &mut Tally) -> Result<(), Failure> {
        loop {
            let filled = self
                .inbox
                .fill(&mut self.stream)
                .map_err(|_| Failure::ConnectionLost)?;
            let now = Instant::now();
            while let Some(place) = self.inbox.next_frame().map_err(|_| Failure::BadFrame)? {
                let packet = self.inbox.payload(place);
                self.exchange.on_packet(packet, now, tally)?;
            }
            match filled {
                Filled::Full => {}
                Filled::Drained => return Ok(()),
                Filled::Closed => return Err(Failure::ConnectionLost),
            }
        }
    }

    /// Sends what is to be sent now, all of it in one write if the socket takes it.
    pub(crate) fn send(&mut self, now: Instant, gate: &mut Gate) -> Result<(), Failure> {
        self.exchange.top_up(now, gate, &mut self.outbox);
        self.flush()
    }

    /// Keeps the session alive while there is nothing to send.
    pub(crate) fn ping_if_idle(&mut self, now: Instant) -> Result<(), Failure> {
        let idle = self.timeout / 3;
        self.exchange.ping_if_idle(now, idle, &mut self.outbox);
        self.flush()
    }

    fn flush(&mut self) -> Result<(), Failure> {
        while self.written < self.outbox.len() {
            match self.stream.write(&self.outbox[self.written..]) {
                Ok(0) => return Err(Failure::ConnectionLost),
                Ok(n) => self.written += n,
                Err(e) if e.kind() == io::ErrorKind::WouldBlock => return Ok(()),
                Err(e) if e.kind() == io::ErrorKind::Interrupted => {}
                Err(_) => return Err(Failure::ConnectionLost),
            }
        }
        self.outbox.clear();
        self.written = 0;
        Ok(())
    }
}
