//! A simulated client of an ensemble: it connects to any member, asks, loses patience, moves on with
//! its session, and comes back with a new one when that is gone.

use super::env::Env;
use super::fact::Fact;
use super::options::{Options, Profile};
use super::promise::{Ask, REGISTERS};
use super::schedule::{Event, MemberId};
use crate::packet::{Packet, Reply};
use crate::random::Random;
use crate::request::Request;
use crate::schedule::ClientId;
use crate::workload::Workload;
use bytes::Bytes;
use std::collections::VecDeque;
use zooid_node::ConnId;
use zooid_proto::response::GetDataResponse;
use zooid_proto::{
    ConnectRequest, ErrorCode, Jute as _, Limit, Reader, SessionId, Zxid, session_password, xid,
};

/// Requests under way at most.
const OUTSTANDING_MAX: usize = 12;
/// Requests that are asked at once on an errand, at most.
const ERRAND_ASKS: usize = 1 + REGISTERS.len();
/// What the first requests of a client create.
const PARENTS: [&str; 5] = ["/u", "/own", "/cas", REGISTERS[0], REGISTERS[1]];
/// Of what a client asks for that wants many ephemerals; and how long their names are.
const HOARD_PER_MILLE: u64 = 500;
const LONG_NAME: usize = 600;
/// Without a word from the server for so long, a client goes elsewhere.
const PATIENCE_US: u64 = 700_000;
/// A client that has nothing to ask says that it lives.
const PING_INTERVAL_US: u64 = 60_000;

/// What a client does instead of whatever it likes.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Errand {
    /// Looks what there is, with sync(), on this member.
    Read(MemberId),
    /// Changes what there is, on any other member than this.
    Change { not_on: MemberId },
}

#[derive(Debug)]
pub(crate) struct Client {
    id: ClientId,
    dice: Random,
    members: usize,
    think_us: u64,
    takes_read_only: bool,
    workload: Workload,
    any_per_mille: u64,
    session: SessionId,
    timeout_ms: i32,
    last_zxid: Zxid,
    call: Option<Call>,
    xid: i32,
    names: u64,
    parents_made: usize,
    ephemerals: Vec<String>,
    /// Whether it owns many ephemerals of long names.
    hoards: bool,
    /// Registers looked at, and what version was seen.
    looks: Vec<(&'static str, i32)>,
    /// A sync is asked for to see what there is now.
    has_synced: bool,
    /// Until it is told that this is over, or to be calm.
    pub(crate) errand: Option<Errand>,
    /// Whether it asks only what is needed, and hangs up no more.
    is_calm: bool,
    /// Whether it asks for nothing any more.
    pub(crate) is_done: bool,
    /// Writes acknowledged since it is calm.
    pub(crate) calm_writes: u64,
    pub(crate) replies: u64,
}

/// A connection.
#[derive(Debug)]
struct Call {
    conn: ConnId,
    member: MemberId,
    is_greeted: bool,
    outstanding: VecDeque<(i32, Ask)>,
    heard_us: u64,
    asked_us: u64,
    /// When the last bytes on their way arrive.
    arrives_us: u64,
}

impl Client {
    pub(crate) fn new(id: ClientId, options: &Options, profile: &Profile) -> Client {
        Client {
            id,
            dice: Random::stream(options.seed, &format!("client {}", id.0)),
            members: profile.members(),
            think_us: profile.think_us,
            takes_read_only: profile.read_only_mode,
            workload: Workload::Unlimited {
                data_max: profile.data_max,
            },
            any_per_mille: profile.any_per_mille,
            session: SessionId(0),
            timeout_ms: 0,
            last_zxid: Zxid::ZERO,
            call: None,
            xid: 0,
            names: 0,
            parents_made: 0,
            ephemerals: Vec::new(),
            hoards: profile.limit.0 < Limit::default().0,
            looks: Vec::new(),
            has_synced: false,
            errand: None,
            is_calm: false,
            is_done: false,
            calm_writes: 0,
            replies: 0,
        }
    }

    pub(crate) fn calm_down(&mut self) {
        self.errand = None;
        self.is_calm = true;
    }

    /// Requests that a connection still owes an answer to.
    pub(crate) fn unanswered(&self) -> usize {
        self.call.as_ref().map_or(0, |call| call.outstanding.len())
    }

    pub(crate) fn is_on(&self, conn: ConnId) -> bool {
        self.call.as_ref().is_some_and(|call| call.conn == conn)
    }

    /// Does something, and decides when to do the next.
    pub(crate) fn act(&mut self, env: &mut Env, next_conn: &mut u64) {
        let think_us = self.dice.between(200, self.think_us);
        env.after(think_us, Event::Act(self.id));
        let Some(call) = &self.call else {
            return self.dial(env, next_conn);
        };
        if env.now_us > call.heard_us + PATIENCE_US {
            return self.hang_up(env);
        }
        if !call.is_greeted {
            return;
        }
        if !self.is_calm && self.dice.per_mille(8) {
            return self.hang_up(env);
        }
        if self.is_done || self.errand.is_some() {
            return self.stay_alive(env);
        }
        for _ in 0..self.dice.between(1, 3) {
            if self.unanswered() < OUTSTANDING_MAX {
                let ask = self.think();
                self.ask(env, ask);
            }
            if self.call.is_none() {
                break;
            }
        }
    }

    /// Goes where the errand has to be run, and waits there.
    pub(crate) fn send_on(&mut self, env: &mut Env, errand: Errand) {
        self.errand = Some(errand);
        let is_there = |call: &Call| match errand {
            Errand::Read(member) => call.member == member,
            Errand::Change { not_on } => call.member != not_on,
        };
        if !self.call.as_ref().is_some_and(is_there) {
            self.hang_up(env);
        }
    }

    /// Asks once more for what the errand is about.
    pub(crate) fn run_errand(&mut self, env: &mut Env) {
        let is_greeted = self.call.as_ref().is_some_and(|call| call.is_greeted);
        let has_registers = self.parents_made == PARENTS.len();
        let has_room = self.unanswered() + ERRAND_ASKS <= OUTSTANDING_MAX;
        if !(is_greeted && has_registers && has_room) {
            return;
        }
        match self.errand {
            None => {}
            Some(Errand::Read(_)) => {
                self.looks.clear();
                self.ask(env, Ask::Sync);
                for register in REGISTERS {
                    self.ask(env, Ask::Look(register));
                }
            }
            Some(Errand::Change { .. }) => match self.looks.pop() {
                Some((register, version)) => {
                    let value = self.name("");
                    let swap = Ask::Swap {
                        register,
                        version,
                        value,
                    };
                    self.ask(env, swap);
                }
                None => self.ask(env, Ask::Look(REGISTERS[0])),
            },
        }
    }

    fn stay_alive(&mut self, env: &mut Env) {
        let is_due = |call: &Call| env.now_us > call.asked_us + PING_INTERVAL_US;
        if self.call.as_ref().is_some_and(is_due) {
            self.ask(env, Ask::Ping);
        }
    }

    fn dial(&mut self, env: &mut Env, next_conn: &mut u64) {
        *next_conn += 1;
        let conn = ConnId(*next_conn);
        let member = match (self.dice.index(self.members), self.errand) {
            (_, Some(Errand::Read(member))) => member,
            (drawn, Some(Errand::Change { not_on })) if drawn == not_on => {
                (drawn + 1) % self.members
            }
            (drawn, _) => drawn,
        };
        let arrives_us = env.now_us + self.dice.between(50, 2000);
        self.call = Some(Call {
            conn,
            member,
            is_greeted: false,
            outstanding: VecDeque::new(),
            heard_us: env.now_us,
            asked_us: env.now_us,
            arrives_us,
        });
        let request = ConnectRequest {
            protocol_version: 0,
            last_zxid_seen: self.last_zxid,
            timeout_ms: *self.dice.pick(&[600, 1_500, 3_000]),
            session_id: self.session,
            password: Some(Bytes::copy_from_slice(&session_password(self.session))),
            read_only: Some(self.takes_read_only),
        };
        env.tell(&Fact::Dialled {
            client: self.id,
            member,
            conn,
            session: self.session,
        });
        env.schedule.at(arrives_us, Event::Accept(member, conn));
        self.send(env, Bytes::from(request.to_vec()));
    }

    fn send(&mut self, env: &mut Env, frame: Bytes) {
        let delay_us = self.dice.between(20, 1000);
        if let Some(call) = &mut self.call {
            call.asked_us = env.now_us;
            call.arrives_us = call.arrives_us.max(env.now_us + delay_us);
            let event = Event::ToServer(call.member, call.conn, frame);
            env.schedule.at(call.arrives_us, event);
        }
    }

    /// The server may learn of it at once, or only after long.
    fn hang_up(&mut self, env: &mut Env) {
        let Some(call) = self.call.take() else {
            return;
        };
        let delay_us = *self.dice.pick(&[100, 10_000, 1_000_000]);
        let at_us = call.arrives_us.max(env.now_us + delay_us);
        env.schedule
            .at(at_us, Event::FinToServer(call.member, call.conn));
        self.looks.clear();
    }

    fn name(&mut self, top: &str) -> String {
        self.names += 1;
        format!("{top}/c{}-{}", self.id.0, self.names)
    }

    fn think(&mut self) -> Ask {
        if let Some(parent) = PARENTS.get(self.parents_made) {
            // In order: what fails because its parent is missing is asked for again.
            return Ask::Parent(parent);
        }
        if let Some((register, version)) = self.looks.pop() {
            let value = self.name("");
            return Ask::Swap {
                register,
                version,
                value,
            };
        }
        if std::mem::take(&mut self.has_synced) {
            return Ask::Look(self.dice.pick::<&'static str>(&REGISTERS));
        }
        if !self.is_calm && self.dice.per_mille(self.any_per_mille) {
            return match self.workload.next(&mut self.dice, self.last_zxid) {
                Some(Request::Close) | None => Ask::Close,
                Some(request) => Ask::Any(request),
            };
        }
        if self.hoards && !self.is_calm && self.dice.per_mille(HOARD_PER_MILLE) {
            let name = self.name("/own");
            let path = format!("{name}{}", "-".repeat(LONG_NAME));
            self.ephemerals.push(path.clone());
            return Ask::Ephemeral(path);
        }
        match self.dice.below(100) {
            0..35 => Ask::Unique(self.name("/u")),
            35..50 => {
                let path = self.name("/own");
                self.ephemerals.push(path.clone());
                Ask::Ephemeral(path)
            }
            50..60 => Ask::Pair(self.name("/u"), self.name("/u")),
            60..65 if !self.ephemerals.is_empty() => {
                let at = self.dice.index(self.ephemerals.len());
                Ask::Delete(self.ephemerals.swap_remove(at))
            }
            65..80 => Ask::Look(self.dice.pick::<&'static str>(&REGISTERS)),
            80..90 => Ask::Read(format!("/u/c{}-{}", self.id.0, self.names)),
            90..94 => {
                self.has_synced = true;
                Ask::Sync
            }
            94..95 if !self.is_calm => Ask::Close,
            _ => Ask::Ping,
        }
    }

    fn ask(&mut self, env: &mut Env, ask: Ask) {
        self.xid += 1;
        let request = ask.request();
        let xid = request.xid(self.xid);
        let Some(conn) = self.call.as_ref().map(|call| call.conn) else {
            return;
        };
        env.tell(&Fact::Asked {
            client: self.id,
            conn,
            xid,
            ask: &ask,
        });
        let is_close = ask == Ask::Close;
        if let Some(call) = &mut self.call {
            // Those are answered at once, between the others.
            if xid != xid::AUTH {
                call.outstanding.push_back((xid, ask));
            }
            if is_close {
                // Nothing is asked behind it.
                call.is_greeted = false;
            }
        }
        self.send(env, request.frame(xid));
        if is_close {
            self.forget_session();
        }
    }

    fn forget_session(&mut self) {
        self.session = SessionId(0);
        self.ephemerals.clear();
    }

    pub(crate) fn receive(&mut self, env: &mut Env, frame: &Bytes, is_first: bool) {
        let packet = match Packet::parse(frame, is_first) {
            Ok(packet) => packet,
            Err(err) => return env.complain("packets", err.to_string()),
        };
        let Some(call) = &mut self.call else {
            return;
        };
        call.heard_us = env.now_us;
        let answered = match &packet {
            Packet::Reply(reply) if reply.xid != xid::AUTH => call.outstanding.pop_front(),
            Packet::Reply(_) | Packet::Connected(_) | Packet::Event(_) => None,
        };
        env.tell(&Fact::Received {
            client: self.id,
            conn: call.conn,
            packet: &packet,
            ask: answered.as_ref().map(|(_, ask)| ask),
        });
        match packet {
            Packet::Connected(response) if response.session_id.0 == 0 => {
                env.tell(&Fact::SessionLost {
                    client: self.id,
                    session: self.session,
                });
                self.forget_session();
            }
            Packet::Connected(response) => {
                self.session = response.session_id;
                self.timeout_ms = response.timeout_ms;
                call.is_greeted = true;
            }
            Packet::Reply(reply) if reply.xid == xid::AUTH => {}
            Packet::Reply(reply) => match answered {
                Some((xid, ask)) if xid == reply.xid => self.answered(env, &ask, &reply),
                other => {
                    let what = format!("reply {} came, {other:?} was next", reply.xid);
                    env.complain("a session's order", what);
                }
            },
            Packet::Event(event) => self.last_zxid = self.last_zxid.max(event.zxid),
        }
    }

    fn answered(&mut self, env: &mut Env, ask: &Ask, reply: &Reply) {
        self.last_zxid = self.last_zxid.max(reply.zxid);
        self.replies += 1;
        let is_ok = reply.err == ErrorCode::Ok;
        if ask.is_write() && is_ok && self.is_calm {
            self.calm_writes += 1;
        }
        match ask {
            Ask::Parent(path)
                if PARENTS.get(self.parents_made) == Some(path)
                    && (is_ok || reply.err == ErrorCode::NodeExists) =>
            {
                self.parents_made += 1;
            }
            Ask::Look(register) if is_ok => {
                let mut r = Reader::new(&reply.body, Limit::default());
                match GetDataResponse::decode(&mut r) {
                    Ok(response) => self.looks.push((*register, response.stat.version)),
                    Err(err) => env.complain("packets", err.to_string()),
                }
            }
            _ => {}
        }
    }

    /// The server closed the connection, or is gone.
    pub(crate) fn lost(&mut self) {
        self.call = None;
        self.looks.clear();
    }
}
