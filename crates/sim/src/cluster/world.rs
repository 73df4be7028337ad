//! One run: members and their lives, clients, and what breaks and is mended.

mod acts;
mod damage;
mod deposition;
mod faults;
mod lives;
mod trial;
mod upkeep;

use super::ballots::Collected;
use super::chance::Chance;
use super::client::Client;
use super::env::{Clock, Env};
use super::member::Member;
use super::options::{Options, Profile};
use super::run::{Played, Report};
use super::schedule::{Direction, Event, MemberId, Turn, WireId};
use super::site::Site;
use crate::random::Random;
use crate::run::{Failure, of_panic};
use crate::schedule::{ClientId, Life};
use crate::trace::Reading;
use acts::Act;
use bytes::Bytes;
use damage::Lot;
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
    /// Long work that other things happen in the middle of.
    depth: usize,
    /// Faults planned until now.
    planned: u64,
    /// Those that have happened, of whatever kind.
    faults: BTreeSet<Chance>,
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
    /// Its disk does nothing until then.
    stalled_until_us: u64,
    /// Connections of clients to earlier lives end here.
    conns_from: u64,
    /// How often it has been started.
    lives: u64,
    /// Whether its disk has little room.
    is_short_of_room: bool,
    lot: Lot,
}

impl Place {
    /// The member, if it is up and nothing has ended it.
    fn living(&mut self) -> Option<&mut Member> {
        self.member.as_mut().filter(|member| member.end.is_none())
    }
}

impl World {
    pub(crate) fn new(options: Options, reading: Reading) -> World {
        let profile = Profile::draw(&options);
        let mut dice = Random::stream(options.seed, "world");
        let places = (0..profile.members()).map(|_| Place {
            site: Site::new(SimulatedDisk::new(dice.next()), BTreeMap::new()),
            clock: Clock::draw(&mut dice, profile.drift_ppm),
            member: None,
            frozen_until_us: 0,
            stalled_until_us: 0,
            conns_from: 0,
            lives: 0,
            is_short_of_room: false,
            lot: Lot::Common,
        });
        let places = places.collect();
        let ids = (0..profile.clients).map(ClientId);
        World {
            clients: ids.map(|id| Client::new(id, &options, &profile)).collect(),
            env: Env::new(&options, &profile, reading),
            dice,
            places,
            act: Act::Faults,
            lives: 0,
            next_conn: 0,
            greeted: BTreeSet::new(),
            depth: 0,
            planned: 0,
            faults: BTreeSet::new(),
            profile,
            options,
        }
    }

    pub(crate) fn run(mut self) -> Played {
        for member in 0..self.places.len() {
            let delay_us = self.dice.below(30_000);
            self.env.after(delay_us, Event::Start(member));
        }
        for client in 0..self.clients.len() {
            let delay_us = self.dice.below(20_000);
            self.env.after(delay_us, Event::Act(ClientId(client)));
        }
        self.schedule_fault();
        self.schedule_deposition();
        self.env.after(self.options.faults_ms * 1000, Event::Mend);
        let played = catch_unwind(AssertUnwindSafe(|| self.play()));
        if let Err(panic) = played {
            let what = of_panic(self.options.seed, &*panic).what;
            self.env.complain("nothing panics", what);
        }
        self.finish()
    }

    fn play(&mut self) {
        while !self.is_over() {
            let Some((time_us, event)) = self.env.schedule.next() else {
                break;
            };
            self.env.now_us = self.env.now_us.max(time_us);
            self.handle(event);
        }
    }

    fn is_over(&self) -> bool {
        self.env.complaint.is_some() || self.act == Act::Over
    }

    fn finish(self) -> Played {
        let at_ms = self.env.now_us / 1000;
        let report = Report {
            seed: self.options.seed,
            trace_hash: self.env.trace.hash(),
            trace_lines: self.env.trace.lines(),
            members: self.places.len(),
            transactions: self.env.checkers.decided().len(),
            replies: self.clients.iter().map(|client| client.replies).sum(),
            lives: self.lives,
            epochs: self.env.checkers.leadership.epochs(),
            truncations: self.env.checkers.ledger.truncations,
            snapshots: self.env.checkers.ledger.installations,
            has_halted: (self.places.iter()).any(|place| place.lot == Lot::Halted),
            ended_ms: at_ms,
        };
        let (text, milestones) = self.env.trace.into_text();
        let result = match self.env.complaint {
            None => Ok(report),
            Some((checker, what)) => Err(Failure {
                seed: self.options.seed,
                checker: checker.to_owned(),
                what,
                at_ms,
                milestones,
                tail: text.clone(),
            }),
        };
        Played {
            result,
            text,
            faults: self.faults,
        }
    }

    fn handle(&mut self, event: Event) {
        match event {
            Event::Act(id) => self.clients[id.0].act(&mut self.env, &mut self.next_conn),
            Event::Accept(at, conn) => self.accept(at, conn),
            Event::ToServer(at, conn, frame) => {
                if let Some(member) = self.places[at].living() {
                    member.receive(&mut self.env, conn, frame);
                }
            }
            Event::FinToServer(at, conn) => {
                if let Some(member) = self.places[at].living() {
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
            Event::Depose(deposing) => self.depose(deposing),
            Event::FreeDisk(at) => self.free_disk(at),
            Event::EndTrial(at) => self.end_trial(at),
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
        let is_of_this_life = conn.0 > place.conns_from;
        match place.living() {
            Some(member) if is_of_this_life => member.accept(&mut self.env, conn),
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
        let is_the_disks = matches!(turn, Turn::Storage | Turn::StorageDone(_));
        let stalled_until_us = if is_the_disks {
            place.stalled_until_us
        } else {
            0
        };
        let frozen_until_us = place.frozen_until_us.max(stalled_until_us);
        let Some(member) = place.living().filter(|member| member.life == life) else {
            return;
        };
        if frozen_until_us > self.env.now_us {
            let event = Event::Member(at, life, turn);
            return self.env.schedule.at(frozen_until_us, event);
        }
        match turn {
            Turn::Snapshot => self.snapshot(at),
            Turn::Purge => self.purge(at),
            turn => member.turn(&mut self.env, turn),
        }
        self.bury(at);
    }

    fn connect(&mut self, wire: WireId) {
        let Some(to) = self.env.network.other_end(wire, Direction::Out) else {
            return;
        };
        let member = self.places[to].living();
        let accept = member.map(|member| (member.life, member.next_link()));
        if self.env.connect(wire, accept)
            && let Some((_, link)) = accept
            && let Some(member) = self.places[to].living()
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
        let member = self.places[at].living();
        if let Some(member) = member.filter(|member| member.life == life) {
            member.unpack(&mut self.env, wire, link, parcel);
        }
    }

    fn ballot(&mut self, from: MemberId, to: MemberId) {
        let is_there = self.places[to].living().is_some();
        let [sender, receiver] = [from, to].map(super::options::server_id);
        let (message, is_back, is_missed) = match self.env.collect(from, to, is_there) {
            Collected::Nothing => return,
            Collected::Unreachable => return self.tell(from, Input::Unreachable(receiver)),
            Collected::Left {
                message,
                is_back,
                is_missed,
            } => (message, is_back, is_missed),
        };
        let from_sender = Input::Vote {
            from: sender,
            message,
        };
        self.tell(to, from_sender);
        if is_back {
            self.tell(from, Input::Reachable(receiver));
        }
        if is_missed {
            self.tell(from, Input::Unreachable(receiver));
        }
    }

    fn tell(&mut self, at: MemberId, input: Input) {
        if let Some(member) = self.places[at].living() {
            member.tell_core(&mut self.env, [input]);
        }
    }
}
