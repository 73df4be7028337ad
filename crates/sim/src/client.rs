//! A simulated client: it connects, asks, falls silent, loses its connection and comes back.

use crate::env::Env;
use crate::fact::Fact;
use crate::options::{Options, Profile};
use crate::packet::Packet;
use crate::random::Random;
use crate::request::Request;
use crate::schedule::{ClientId, Event};
use crate::workload::Workload;
use bytes::Bytes;
use zooid_node::ConnId;
use zooid_proto::{ConnectRequest, Jute as _, SessionId, Zxid, session_password, xid};

/// Requests under way at most.
const OUTSTANDING_MAX: usize = 24;
/// Requests sent at once at most.
const BURST_MAX: u64 = 5;

#[derive(Debug)]
pub(crate) struct Client {
    id: ClientId,
    dice: Random,
    workload: Workload,
    scripted: bool,
    think_us: u64,
    session: SessionId,
    timeout_ms: i32,
    last_zxid: Zxid,
    conn: Option<ConnId>,
    is_greeted: bool,
    /// Whether the last connect request had the right password.
    is_honest: bool,
    counter: i32,
    outstanding: usize,
    silent_until_us: u64,
    /// When the last bytes on their way arrive.
    arrives_us: u64,
    pub(crate) replies: u64,
}

impl Client {
    pub(crate) fn new(id: ClientId, options: &Options, profile: &Profile) -> Client {
        let dice = Random::stream(options.seed, &format!("client {}", id.0));
        let workload = if options.scripted {
            Workload::script(id.0)
        } else {
            Workload::random(profile.data_max)
        };
        Client {
            id,
            dice,
            workload,
            scripted: options.scripted,
            think_us: profile.think_us,
            session: SessionId(0),
            timeout_ms: 0,
            last_zxid: Zxid::ZERO,
            conn: None,
            is_greeted: false,
            is_honest: true,
            counter: 0,
            outstanding: 0,
            silent_until_us: 0,
            arrives_us: 0,
            replies: 0,
        }
    }

    /// Requests that a connection still owes an answer to.
    pub(crate) fn unanswered(&self) -> usize {
        if self.conn.is_some() {
            self.outstanding
        } else {
            0
        }
    }

    /// Does something, and decides when to do the next.
    pub(crate) fn act(&mut self, env: &mut Env, next_conn: &mut u64) {
        let think_us = self.dice.below(self.think_us);
        env.after(think_us, Event::Act(self.id));
        if env.now_us < self.silent_until_us {
            return;
        }
        let Some(conn) = self.conn else {
            return self.dial(env, next_conn);
        };
        if !self.is_greeted {
            return;
        }
        let whim = if self.scripted {
            1000
        } else {
            self.dice.below(1000)
        };
        match whim {
            0..5 => self.hang_up(env, conn),
            5..9 => {
                let timeout_us = u64::try_from(self.timeout_ms).unwrap_or(0) * 1000;
                self.silent_until_us =
                    env.now_us + self.dice.between(timeout_us / 2, timeout_us * 3);
            }
            _ => self.ask_some(env, conn),
        }
    }

    fn dial(&mut self, env: &mut Env, next_conn: &mut u64) {
        *next_conn += 1;
        let conn = ConnId(*next_conn);
        self.conn = Some(conn);
        self.is_greeted = false;
        self.outstanding = 0;
        self.is_honest = self.scripted || !self.dice.per_mille(20);
        let mut password = session_password(self.session);
        if !self.is_honest {
            password[3] ^= 1;
        }
        let timeouts_ms = if self.scripted {
            &[4000][..]
        } else {
            &[100, 1500, 3000, 60_000]
        };
        let request = ConnectRequest {
            protocol_version: 0,
            last_zxid_seen: self.last_zxid,
            timeout_ms: *self.dice.pick(timeouts_ms),
            session_id: self.session,
            password: Some(Bytes::copy_from_slice(&password)),
            read_only: Some(false),
        };
        env.tell(&Fact::Dialled {
            client: self.id,
            conn,
            request: &request,
        });
        self.arrives_us = env.now_us + self.dice.between(50, 3000);
        env.schedule.at(self.arrives_us, Event::Accept(conn));
        self.send(env, conn, Bytes::from(request.to_vec()));
    }

    fn send(&mut self, env: &mut Env, conn: ConnId, frame: Bytes) {
        self.arrives_us = self
            .arrives_us
            .max(env.now_us + self.dice.between(20, 1500));
        env.schedule
            .at(self.arrives_us, Event::ToServer(conn, frame));
    }

    /// The server may learn of it at once, or only after long.
    fn hang_up(&mut self, env: &mut Env, conn: ConnId) {
        let delay_us = *self.dice.pick(&[100, 10_000, 1_000_000, 8_000_000]);
        env.schedule.at(
            self.arrives_us.max(env.now_us + delay_us),
            Event::FinToServer(conn),
        );
        self.conn = None;
    }

    fn ask_some(&mut self, env: &mut Env, conn: ConnId) {
        for _ in 0..self.dice.between(1, BURST_MAX) {
            if self.outstanding >= OUTSTANDING_MAX {
                return;
            }
            let Some(request) = self.workload.next(&mut self.dice, self.last_zxid) else {
                return;
            };
            self.ask(env, conn, &request);
            if request == Request::Close {
                self.session = SessionId(0);
                self.is_greeted = false;
                return;
            }
        }
    }

    fn ask(&mut self, env: &mut Env, conn: ConnId, request: &Request) {
        self.counter += 1;
        let xid = request.xid(self.counter);
        env.tell(&Fact::Asked { conn, xid, request });
        if xid != xid::AUTH {
            self.outstanding += 1;
        }
        self.send(env, conn, request.frame(xid));
    }

    pub(crate) fn receive(&mut self, env: &mut Env, conn: ConnId, frame: &Bytes, is_first: bool) {
        let packet = match Packet::parse(frame, is_first) {
            Ok(packet) => packet,
            Err(err) => return env.complain("packets", err.to_string()),
        };
        env.tell(&Fact::Received {
            client: self.id,
            conn,
            packet: &packet,
        });
        match packet {
            Packet::Connected(response) if response.session_id.0 == 0 => {
                if self.is_honest && env.checkers.oracle.is_open(self.session) {
                    env.complain("sessions", format!("{} is alive but refused", self.session));
                }
                if self.is_honest {
                    self.session = SessionId(0);
                }
            }
            Packet::Connected(response) => {
                self.session = response.session_id;
                self.timeout_ms = response.timeout_ms;
                self.is_greeted = true;
            }
            Packet::Reply(reply) => {
                self.last_zxid = self.last_zxid.max(reply.zxid);
                self.replies += 1;
                if reply.xid != xid::AUTH {
                    self.outstanding = self.outstanding.saturating_sub(1);
                }
            }
            Packet::Event(event) => self.last_zxid = self.last_zxid.max(event.zxid),
        }
    }

    pub(crate) fn is_on(&self, conn: ConnId) -> bool {
        self.conn == Some(conn)
    }

    /// The server closed the connection, or is gone.
    pub(crate) fn lost(&mut self) {
        self.conn = None;
    }
}
