//! One thread that drives its share of the connections.

use std::io;
use std::os::fd::AsRawFd;
use std::time::{Duration, Instant};

use mio::unix::SourceFd;
use mio::{Events, Interest, Poll, Token};
use rustix::fd::OwnedFd;
use rustix::time::{
    Itimerspec, TimerfdClockId, TimerfdFlags, TimerfdTimerFlags, Timespec, timerfd_create,
    timerfd_settime,
};

use crate::connection::Connection;
use crate::exchange::{Gate, Stop};
use crate::session::Session;
use crate::tally::{Failure, Tally};

/// How long replies may take once nothing more is sent.
const DRAIN_MAX: Duration = Duration::from_secs(20);

/// How often idle connections are looked after.
const TICK: Duration = Duration::from_secs(1);

const EVENTS_PER_POLL: usize = 1024;
const TIMER: Token = Token(usize::MAX);

pub(crate) struct Worker {
    poll: Poll,
    /// Wakes an open loop at the right microsecond, which epoll's own timeout cannot.
    timer: Option<OwnedFd>,
    /// `None` once lost.
    connections: Vec<Option<Connection>>,
    /// In an open loop, whose request is due next: their times of sending are in their order, again
    /// and again, so that nobody has to look at ten thousand of them for each request.
    turn: usize,
    gate: Gate,
    tally: Tally,
}

/// What is left of a worker: its counts, and the sessions to close.
pub(crate) struct Outcome {
    pub(crate) tally: Tally,
    pub(crate) sessions: Vec<Session>,
}

impl Worker {
    pub(crate) fn new(
        mut connections: Vec<Connection>,
        gate: Gate,
        tally: Tally,
    ) -> io::Result<Worker> {
        let poll = Poll::new()?;
        for (i, connection) in connections.iter_mut().enumerate() {
            let interest = Interest::READABLE | Interest::WRITABLE;
            poll.registry()
                .register(&mut connection.stream, Token(i), interest)?;
        }
        let is_open_loop = connections.iter().any(|c| c.exchange.next_due().is_some());
        let timer = is_open_loop.then(|| register_timer(&poll)).transpose()?;
        Ok(Worker {
            poll,
            timer,
            connections: connections.into_iter().map(Some).collect(),
            turn: 0,
            gate,
            tally,
        })
    }

    /// Loads the servers until the gate closes and every reply has come.
    pub(crate) fn run(mut self) -> io::Result<Outcome> {
        let mut events = Events::with_capacity(EVENTS_PER_POLL);
        let mut now = Instant::now();
        let mut next_tick = now + TICK;
        let mut give_up = None;
        self.begin(now);
        loop {
            if self.gate.is_closed(now) {
                let give_up = *give_up.get_or_insert(now + DRAIN_MAX);
                if self.unanswered() == 0 || now >= give_up {
                    break;
                }
            }
            if self.connections.iter().all(Option::is_none) {
                break;
            }
            self.wait(&mut events, now, next_tick)?;
            now = Instant::now();
            let ready = events.iter().map(|event| event.token());
            self.serve(ready.filter(|token| *token != TIMER), now);
            if now >= next_tick {
                next_tick = now + TICK;
                self.each(|connection, _| connection.ping_if_idle(now));
            }
        }
        self.finish()
    }

    /// Sleeps until something arrives, a request is due, the gate closes or it is time to tick.
    fn wait(&mut self, events: &mut Events, now: Instant, tick: Instant) -> io::Result<()> {
        let mut until = tick;
        if !self.gate.is_closed(now) {
            if let Stop::At(end) = self.gate.stop {
                until = until.min(end);
            }
            if let Some(timer) = &self.timer
                && let Some(due) = self.due_next().filter(|due| *due > now)
            {
                arm(timer, due.saturating_duration_since(now))?;
            }
        }
        match self
            .poll
            .poll(events, Some(until.saturating_duration_since(now)))
        {
            Err(e) if e.kind() == io::ErrorKind::Interrupted => Ok(()),
            other => other,
        }
    }

    fn begin(&mut self, now: Instant) {
        if self.timer.is_some() {
            self.send_due(now);
        } else {
            self.each(|connection, gate| connection.send(now, gate));
        }
    }

    /// Sends what is due, and then attends to those who have something to read. A connection that sent its
    /// request ahead of its turn would have that turn wait for the next one, and all behind it, too.
    fn serve(&mut self, ready: impl Iterator<Item = Token>, now: Instant) {
        let is_open_loop = self.timer.is_some();
        if is_open_loop {
            self.send_due(now);
        }
        for Token(at) in ready {
            self.attend(at, is_open_loop.then_some(now));
        }
    }

    /// Reads and answers one connection, as if it were `now` if that is given.
    fn attend(&mut self, at: usize, now: Option<Instant>) {
        let Some(connection) = &mut self.connections[at] else {
            return;
        };
        let received = connection.receive(&mut self.tally);
        let now = now.unwrap_or_else(Instant::now);
        let result = received.and_then(|()| connection.send(now, &mut self.gate));
        if let Err(failure) = result {
            self.lose(at, failure);
        }
    }

    /// When the connection whose turn it is has to send; `None` if it is lost.
    fn due_next(&self) -> Option<Instant> {
        self.connections[self.turn]
            .as_ref()
            .and_then(|connection| connection.exchange.next_due())
    }

    /// Sends what is due, and leaves the turn with the connection whose time is next. Those that are
    /// behind their time because they wait for replies go on when these come.
    fn send_due(&mut self, now: Instant) {
        for _ in 0..self.connections.len() {
            if self.due_next().is_some_and(|due| due > now) {
                return;
            }
            let at = self.turn;
            self.turn = (at + 1) % self.connections.len();
            if let Some(connection) = &mut self.connections[at]
                && let Err(failure) = connection.send(now, &mut self.gate)
            {
                self.lose(at, failure);
            }
        }
    }

    fn each(&mut self, mut visit: impl FnMut(&mut Connection, &mut Gate) -> Result<(), Failure>) {
        for at in 0..self.connections.len() {
            if let Some(connection) = &mut self.connections[at]
                && let Err(failure) = visit(connection, &mut self.gate)
            {
                self.lose(at, failure);
            }
        }
    }

    fn lose(&mut self, at: usize, failure: Failure) {
        if let Some(connection) = self.connections[at].take() {
            self.tally.fail(failure);
            self.tally
                .fail_many(Failure::Unanswered, connection.exchange.unanswered());
        }
    }

    fn unanswered(&self) -> usize {
        self.connections
            .iter()
            .flatten()
            .map(|c| c.exchange.unanswered())
            .sum()
    }

    fn finish(mut self) -> io::Result<Outcome> {
        let mut sessions = Vec::new();
        for connection in self.connections.into_iter().flatten() {
            if let Stop::At(end) = self.gate.stop {
                self.tally
                    .leave_unsent(connection.exchange.unsent_before(end));
            }
            match connection.exchange.unanswered() {
                0 => sessions.push(connection.into_session()?),
                count => self.tally.fail_many(Failure::Unanswered, count),
            }
        }
        Ok(Outcome {
            tally: self.tally,
            sessions,
        })
    }
}

fn register_timer(poll: &Poll) -> io::Result<OwnedFd> {
    let flags = TimerfdFlags::NONBLOCK | TimerfdFlags::CLOEXEC;
    let timer = timerfd_create(TimerfdClockId::Monotonic, flags)?;
    let mut source = SourceFd(&timer.as_raw_fd());
    poll.registry()
        .register(&mut source, TIMER, Interest::READABLE)?;
    Ok(timer)
}

/// Sets the timer. It is edge-triggered and set anew before every wait, so it need not be read.
fn arm(timer: &OwnedFd, after: Duration) -> io::Result<()> {
    // All zero would disarm it.
    let after = after.max(Duration::from_nanos(1));
    let zero = Timespec {
        tv_sec: 0,
        tv_nsec: 0,
    };
    let value = Timespec::try_from(after).map_err(io::Error::other)?;
    let once = Itimerspec {
        it_interval: zero,
        it_value: value,
    };
    timerfd_settime(timer, TimerfdTimerFlags::empty(), &once)?;
    Ok(())
}

#[cfg(test)]
mod tests;
