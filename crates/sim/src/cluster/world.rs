//! One run: members and their lives, clients, and what breaks and is mended.

mod acts;
mod faults;
mod lives;

use super::client::Client;
use super::env::{Clock, Env};
use super::member::Member;
use super::options::{Options, Profile};
use super::run::Report;
use super::schedule::{Direction, Event, MemberId, Turn, WireId};
use super::site::Site;
use crate::random::Random;
use crate::run::{Failure, of_panic};
use crate::schedule::{ClientId, Life};
use acts::Act;
use bytes::Bytes;
use std::collections::{BTreeMap, BTreeSet};
use std::panic::{AssertUnwindSafe, catch_unwind};
use zooid_node::{ConnId, Input};
use zooid_storage::disk::SimulatedDisk;

pub(crate) struct World {
    options: Options,
    profile: Profile,
    env: Env,
    dice: Random,
    places: Vec<Place>,
    clients: Vec<Client>,
    act: Act,
    lives: u64,
    next_conn: u64,
    /// Connections whose client has received its first packet.
    greeted: BTreeSet<ConnId>,
}

/// Where a member lives.
#[derive(Debug)]
struct Place {
    site: Site,
    clock: Clock,
    /// `None` while it is down.
    member: Option<Member>,
    /// It does nothing until then.
    frozen_until_us: u64,
    /// Connections of clients to earlier lives end here.
    conns_from: u64,
}

impl World {
    pub(crate) fn new(options: Options) -> World {
        let profile = Profile::draw(&options);
        let mut dice = Random::stream(options.seed, "world");
        let places = (0..profile.members()).map(|_| Place {
            site: Site::new(SimulatedDisk::new(dice.next()), BTreeMap::new()),
            clock: Clock::draw(&mut dice, profile.drift_ppm),
            member: None,
            frozen_until_us: 0,
            conns_from: 0,
        });
        let places = places.collect();
        let ids = (0..profile.clients).map(ClientId);
        World {
            clients: ids.map(|id| Client::new(id, &options, &profile)).collect(),
            env: Env::new(&options, &profile),
            dice,
            places,
            act: Act::Faults,
            lives: 0,
            next_conn: 0,
            greeted: BTreeSet::new(),
            profile,
            options,
        }
    }

    pub(crate) fn run(mut self) -> Result<Report, Failure> {
        for member in 0..self.places.len() {
            let delay_us = self.dice.below(30_000);
            self.env.after(delay_us, Event::Start(member));
        }
        for client in 0..self.clients.len() {
            let delay_us = self.dice.below(20_000);
            self.env.after(delay_us, Event::Act(ClientId(client)));
        }
        self.schedule_fault();
        self.env.after(self.options.faults_ms * 1000, Event::Mend);
        let played = catch_unwind(AssertUnwindSafe(|| self.play()));
        if let Err(panic) = played {
            let what = of_panic(self.options.seed, &*panic).what;
            self.env.complain("nothing panics", what);
        }
        self.finish()
    }

    fn play(&mut self) {
        while self.env.complaint.is_none() && self.act != Act::Over {
            let Some((time_us, event)) = self.env.schedule.next() else {
                break;
            };
            self.env.now_us = self.env.now_us.max(time_us);
            self.handle(event);
        }
    }

    fn finish(self) -> Result<Report, Failure> {
        let trace = &self.env.trace;
        let at_ms = self.env.now_us / 1000;
        match self.env.complaint {
            None => Ok(Report {
                seed: self.options.seed,
                trace_hash: trace.hash(),
                trace_lines: trace.lines(),
                members: self.places.len(),
                transactions: self.env.checkers.decided().len(),
                replies: self.clients.iter().map(|client| client.replies).sum(),
                lives: self.lives,
                epochs: self.env.checkers.leadership.epochs(),
                truncations: self.env.checkers.ledger.truncations,
                snapshots: self.env.checkers.ledger.installations,
                ended_ms: at_ms,
            }),
            Some((checker, what)) => Err(Failure {
                seed: self.options.seed,
                checker: checker.to_owned(),
                what,
                at_ms,
                milestones: trace.milestones(),
                tail: trace.tail(),
            }),
        }
    }

    fn handle(&mut self, event: Event) {
        match event {
            Event::Act(id) => self.clients[id.0].act(&mut self.env, &mut self.next_conn),
            Event::Accept(at, conn) => self.accept(at, conn),
            Event::ToServer(at, conn, frame) => {
                if let Some(member) = &mut self.places[at].member {
                    member.receive(&mut self.env, conn, frame);
                }
            }
            Event::FinToServer(at, conn) => {
                if let Some(member) = &mut self.places[at].member {
                    member.leave(&mut self.env, conn);
                }
            }
            Event::ToClient(conn, frames) => self.deliver(conn, &frames),
            Event::FinToClient(conn) => {
                if let Some(client) = self.client_on(conn) {
                    self.clients[client].lost();
                }
            }
            Event::Member(at, life, turn) => self.turn(at, life, turn),
            Event::Start(at) => self.start(at),
            Event::Connect(wire) => self.connect(wire),
            Event::Arrive(wire, direction) => self.arrive(wire, direction),
            Event::Ballot { from, to } => self.ballot(from, to),
            Event::Fault => self.break_something(),
            Event::Reunite => {
                self.env.milestone("the network is whole again");
                self.env.reunite();
            }
            Event::Mend => self.mend(),
            Event::Look => self.look(),
        }
    }

    fn accept(&mut self, at: MemberId, conn: ConnId) {
        let place = &mut self.places[at];
        match &mut place.member {
            Some(member) if conn.0 > place.conns_from => member.accept(&mut self.env, conn),
            _ => self.env.after(500, Event::FinToClient(conn)),
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
            self.clients[client].receive(&mut self.env, frame, is_first);
        }
    }

    fn turn(&mut self, at: MemberId, life: Life, turn: Turn) {
        let place = &mut self.places[at];
        let Some(member) = place.member.as_mut().filter(|member| member.life == life) else {
            return;
        };
        if place.frozen_until_us > self.env.now_us {
            let until_us = place.frozen_until_us;
            let event = Event::Member(at, life, turn);
            return self.env.schedule.at(until_us, event);
        }
        member.turn(&mut self.env, turn);
        self.bury(at);
    }

    fn connect(&mut self, wire: WireId) {
        let Some(to) = self.env.network.other_end(wire, Direction::Out) else {
            return;
        };
        let member = self.places[to].member.as_mut();
        let accept = member.map(|member| (member.life, member.next_link()));
        if self.env.connect(wire, accept)
            && let Some((_, link)) = accept
            && let Some(member) = &mut self.places[to].member
        {
            member.tell_core(&mut self.env, [Input::LinkAccepted(link)]);
        }
    }

    fn arrive(&mut self, wire: WireId, direction: Direction) {
        let to = self.env.network.other_end(wire, direction);
        let frozen_us = to.map_or(0, |to| self.places[to].frozen_until_us);
        if frozen_us > self.env.now_us {
            let event = Event::Arrive(wire, direction);
            return self.env.schedule.at(frozen_us, event);
        }
        let Some((at, life, link, parcel)) = self.env.arrive(wire, direction) else {
            return;
        };
        let member = self.places[at].member.as_mut();
        if let Some(member) = member.filter(|member| member.life == life) {
            member.unpack(&mut self.env, wire, link, parcel);
        }
    }

    fn ballot(&mut self, from: MemberId, to: MemberId) {
        let is_there = self.places[to].member.is_some();
        let Some(message) = self.env.collect(from, to, is_there) else {
            return;
        };
        if let Some(member) = &mut self.places[to].member {
            let from = super::options::server_id(from);
            member.tell_core(&mut self.env, [Input::Vote { from, message }]);
        }
    }
}
