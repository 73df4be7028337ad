//! One run: the server's lives, its clients, the network between them and what breaks.
//!
//! Room is left for more servers: nothing outside this file and `server.rs` assumes that there is
//! one, except the oracle, which holds the order of one log.

mod death;
mod turns;

use crate::client::Client;
use crate::env::Env;
use crate::options::{Faults, Options, Profile};
use crate::random::Random;
use crate::run::{Failure, Report};
use crate::schedule::{ClientId, Event, FaultKind, Turn};
use crate::server::{End, Server, Site};
use bytes::Bytes;
use std::collections::BTreeSet;
use zooid_node::ConnId;
use zooid_storage::disk::{Fault, SimulatedDisk};

/// How long clients may wait for what they asked last: longer than a few slow syncs take.
const GRACE_US: u64 = 60_000_000;

pub(crate) struct World {
    options: Options,
    profile: Profile,
    env: Env,
    dice: Random,
    clients: Vec<Client>,
    /// `None` while it is down.
    server: Option<Server>,
    site: Site,
    lives: u64,
    /// Connections below are of an earlier life.
    conns_from: u64,
    next_conn: u64,
    /// Connections whose client has received its first packet.
    greeted: BTreeSet<ConnId>,
    /// Events being handled: more than one while a snapshot or a purge is interleaved with others.
    depth: usize,
    /// What a mutant remembers of its earlier life.
    unforgotten: Vec<Bytes>,
    checked_recoveries: u64,
}

impl World {
    pub(crate) fn new(options: Options) -> World {
        let profile = Profile::draw(&options);
        let simulated = SimulatedDisk::new(options.seed);
        let ids = (0..profile.clients).map(ClientId);
        World {
            clients: ids.map(|id| Client::new(id, &options, &profile)).collect(),
            env: Env::new(),
            dice: Random::stream(options.seed, "world"),
            server: None,
            site: Site::new(simulated, &profile),
            lives: 0,
            conns_from: 0,
            next_conn: 0,
            greeted: BTreeSet::new(),
            depth: 0,
            unforgotten: Vec::new(),
            checked_recoveries: 0,
            profile,
            options,
        }
    }

    pub(crate) fn run(mut self) -> Result<Report, Failure> {
        let disk = &self.site.simulated;
        match self.options.faults {
            Faults::None | Faults::Random => {}
            Faults::PowerLossAt(at) => disk.inject(at, Fault::PowerLoss),
            Faults::DiskErrorAt(at) => disk.inject(at, Fault::Error),
            Faults::DiskFullAt(bytes) => disk.set_capacity(Some(bytes)),
        }
        self.env.after(0, Event::Restart);
        for client in 0..self.clients.len() {
            self.env
                .after(self.dice.below(20_000), Event::Act(ClientId(client)));
        }
        self.schedule_fault();
        while self.env.complaint.is_none() && !self.is_over() {
            let Some((time_us, event)) = self.env.schedule.next() else {
                break;
            };
            self.env.now_us = self.env.now_us.max(time_us);
            self.handle(event);
            self.bury();
        }
        self.finish()
    }

    fn end_us(&self) -> u64 {
        self.options.duration_ms * 1000
    }

    fn has_ended(&self) -> bool {
        self.env.now_us >= self.end_us()
    }

    fn is_over(&self) -> bool {
        let waits = self.clients.iter().any(|client| client.unanswered() > 0);
        self.has_ended() && (!waits || self.env.now_us > self.end_us() + GRACE_US)
    }

    fn finish(mut self) -> Result<Report, Failure> {
        if self.env.complaint.is_none() {
            let unanswered = self.clients.iter().map(Client::unanswered).sum::<usize>();
            if unanswered > 0 {
                let what = format!("{unanswered} requests were never answered");
                self.env.complain("everyone is answered", what);
            }
            self.check_survivors();
        }
        let (hash, lines) = (self.env.trace.hash(), self.env.trace.lines());
        match self.env.complaint {
            None => Ok(Report {
                seed: self.options.seed,
                trace_hash: hash,
                trace_lines: lines,
                disk_operations: self.site.simulated.operations(),
                transactions: self.env.checkers.oracle.model.zxid.0,
                replies: self.clients.iter().map(|client| client.replies).sum(),
                lives: self.lives,
                recoveries: self.lives + self.checked_recoveries,
            }),
            Some((checker, what)) => {
                let (tail, milestones) = self.env.trace.into_text();
                Err(Failure {
                    seed: self.options.seed,
                    checker: checker.to_owned(),
                    what,
                    at_ms: self.env.now_us / 1000,
                    milestones,
                    tail,
                })
            }
        }
    }

    fn handle(&mut self, event: Event) {
        match event {
            Event::Act(id) => {
                if !self.has_ended() {
                    self.clients[id.0].act(&mut self.env, &mut self.next_conn);
                }
            }
            Event::Accept(conn) => match &mut self.server {
                Some(server) if conn.0 > self.conns_from => server.accept(&mut self.env, conn),
                _ => self.env.after(500, Event::FinToClient(conn)),
            },
            Event::ToServer(conn, frame) => {
                if let Some(server) = &mut self.server {
                    server.receive(&mut self.env, conn, frame);
                }
            }
            Event::FinToServer(conn) => {
                if let Some(server) = &mut self.server {
                    server.leave(&mut self.env, conn);
                }
            }
            Event::ToClient(conn, frames) => self.deliver(conn, &frames),
            Event::FinToClient(conn) => {
                if let Some(client) = self.client_on(conn) {
                    self.clients[client].lost();
                }
            }
            Event::Server(life, turn) => {
                let alive = self.server.as_ref().filter(|server| server.end.is_none());
                if alive.is_some_and(|server| server.life == life) {
                    self.turn(turn);
                }
            }
            Event::Fault(kind) => self.break_something(kind),
            Event::Restart => self.restart(),
        }
    }

    fn client_on(&self, conn: ConnId) -> Option<usize> {
        self.clients.iter().position(|client| client.is_on(conn))
    }

    fn deliver(&mut self, conn: ConnId, frames: &[Bytes]) {
        let Some(client) = self.client_on(conn) else {
            return;
        };
        for frame in frames {
            let is_first = self.greeted.insert(conn);
            self.clients[client].receive(&mut self.env, conn, frame, is_first);
        }
    }

    fn schedule_fault(&mut self) {
        if self.options.faults != Faults::Random {
            return;
        }
        let kind = match self.dice.below(100) {
            0..35 => FaultKind::PowerLoss {
                operations: self.dice.below(60),
            },
            35..55 => FaultKind::DiskError {
                operations: self.dice.below(40),
            },
            55..75 => FaultKind::SlowSync {
                operations: self.dice.below(10),
            },
            75..83 => FaultKind::DiskFull {
                bytes: self.dice.between(1, 64) << 10,
            },
            _ => FaultKind::Kill,
        };
        let delay_us = self.dice.below(2 * self.profile.fault_interval_us);
        self.env.after(delay_us, Event::Fault(kind));
    }

    fn break_something(&mut self, kind: FaultKind) {
        if self.has_ended() {
            return;
        }
        self.env
            .trace
            .milestone(self.env.now_us, &format!("{kind:?}"));
        let disk = &self.site.simulated;
        match kind {
            FaultKind::PowerLoss { operations } => {
                disk.inject(disk.operations() + operations, Fault::PowerLoss);
            }
            FaultKind::DiskError { operations } => {
                disk.inject(disk.operations() + operations, Fault::Error);
            }
            FaultKind::SlowSync { operations } => {
                disk.inject(disk.operations() + operations, Fault::SlowSync);
            }
            FaultKind::DiskFull { bytes } => disk.set_capacity(Some(bytes)),
            FaultKind::Kill => {
                if let Some(server) = &mut self.server {
                    server.end.get_or_insert(End::Killed);
                }
            }
        }
        self.schedule_fault();
    }

    /// Lets a few other things happen in the middle of a long one, as other threads would.
    fn interleave(&mut self) {
        self.depth += 1;
        for _ in 0..self.dice.below(16) {
            let ended = self
                .server
                .as_ref()
                .is_none_or(|server| server.end.is_some());
            if ended || self.env.complaint.is_some() {
                break;
            }
            let Some((time_us, event)) = self.env.schedule.next() else {
                break;
            };
            self.env.now_us = self.env.now_us.max(time_us);
            if matches!(event, Event::Server(_, Turn::Snapshot | Turn::Purge)) {
                // They have one thread each; what they would do now they do later.
                self.env.after(1000, event);
                continue;
            }
            self.handle(event);
        }
        self.depth -= 1;
    }
}
