//! The tasks of clients' sockets: frames in, reads, frames out.

use super::Member;
use crate::checkers::CLIENT_IP;
use crate::cluster::env::Env;
use crate::cluster::fact::Fact;
use crate::cluster::schedule::{Event, MemberId, Turn};
use crate::packet::{Packet, frames};
use bytes::Bytes;
use std::collections::VecDeque;
use zooid_node::{ByteChain, ConnId, Connection, Context, Input, PeerStatus};
use zooid_proto::election::PeerState;
use zooid_tree::WatcherId;

/// Frames handled before others get their turn.
const FRAMES_PER_TURN: usize = 4;

#[derive(Debug)]
pub(super) struct Socket {
    pub(super) connection: Connection,
    received: VecDeque<Bytes>,
    sending: Vec<Bytes>,
    is_greeted: bool,
    is_leaving: bool,
    /// When the last bytes on their way arrive: those behind come no earlier.
    arrives_us: u64,
}

impl Socket {
    /// Takes what is in the outbox, for the checkers at once and for the client later.
    pub(super) fn drain(&mut self, env: &mut Env, member: MemberId) {
        let conn = self.connection.id();
        let mut chain = ByteChain::default();
        self.connection.take_outbox(&mut chain);
        let bytes = chain.copied_from(0);
        for frame in frames(bytes) {
            match Packet::parse(&frame, !self.is_greeted) {
                Ok(packet) => env.tell(&Fact::Told {
                    member,
                    conn,
                    packet: &packet,
                }),
                Err(err) => env.complain("packets", format!("{} is sent garbage: {err}", conn.0)),
            }
            self.is_greeted = true;
            self.sending.push(frame);
        }
        if self.connection.is_closing() && !self.is_leaving {
            self.is_leaving = true;
            env.tell(&Fact::Closing { member, conn });
        }
    }

    fn flush(&mut self, env: &mut Env, delay_us: u64) {
        if self.sending.is_empty() {
            return;
        }
        let frames = std::mem::take(&mut self.sending);
        self.arrives_us = self.arrives_us.max(env.now_us + delay_us);
        let event = Event::ToClient(self.connection.id(), frames);
        env.schedule.at(self.arrives_us, event);
    }
}

impl Member {
    /// A client connects. A member that does not serve hangs up.
    pub(crate) fn accept(&mut self, env: &mut Env, id: ConnId) {
        if !self.serves {
            return env.after(300, Event::FinToClient(id));
        }
        let socket = Socket {
            connection: Connection::new(id, CLIENT_IP.to_owned(), self.now(env)),
            received: VecDeque::new(),
            sending: Vec::new(),
            is_greeted: false,
            is_leaving: false,
            arrives_us: 0,
        };
        self.sockets.insert(id, socket);
    }

    pub(crate) fn receive(&mut self, env: &mut Env, id: ConnId, frame: Bytes) {
        if let Some(socket) = self.sockets.get_mut(&id) {
            socket.received.push_back(frame);
            self.soon(env, 50, Turn::Socket(id));
        }
    }

    /// A socket's turn.
    pub(super) fn serve(&mut self, env: &mut Env, id: ConnId) {
        let ctx = Context {
            now_ms: self.clock.now(env.now_us).mono_ms,
            settings: &self.settings,
            replica: &self.replica,
        };
        let Some(socket) = self.sockets.get_mut(&id) else {
            return;
        };
        let mut to_node = Vec::new();
        socket.connection.run_reads(&ctx);
        socket.drain(env, self.id);
        for _ in 0..FRAMES_PER_TURN {
            if !socket.connection.wants_frames() {
                break;
            }
            let Some(frame) = socket.received.pop_front() else {
                break;
            };
            env.tell(&Fact::Taken {
                member: self.id,
                conn: id,
            });
            socket.connection.on_frame(&ctx, &frame, &mut to_node);
            socket.drain(env, self.id);
        }
        let again = socket.connection.has_ready_reads()
            || (socket.connection.wants_frames() && !socket.received.is_empty());
        let leaves = socket.connection.is_closing();
        socket.flush(env, self.dice.between(20, 1000));
        self.tell_core(env, to_node);
        if leaves {
            self.soon(env, 1000, Turn::Leave(id));
        } else if again {
            self.soon(env, 50, Turn::Socket(id));
        }
    }

    /// A connection is over, whoever ended it.
    pub(crate) fn leave(&mut self, env: &mut Env, id: ConnId) {
        let Some(mut socket) = self.sockets.remove(&id) else {
            return;
        };
        socket.drain(env, self.id);
        socket.flush(env, 100);
        env.tell(&Fact::Left {
            member: self.id,
            conn: id,
        });
        let fin_us = socket.arrives_us.max(env.now_us + 100);
        env.schedule.at(fin_us, Event::FinToClient(id));
        self.replica.drop_watcher(WatcherId(id.0));
        self.tell_core(env, [Input::Disconnected(id)]);
    }

    pub(super) fn set_serving(&mut self, env: &mut Env, serves: bool) {
        let has_role = |peer: PeerStatus| peer.state != PeerState::Looking;
        let reads_only = serves && !self.node.peer().is_some_and(has_role);
        self.serves = serves;
        env.tell(&Fact::Serving {
            member: self.id,
            serves,
            reads_only,
        });
        if !serves {
            for conn in self.conns().collect::<Vec<_>>() {
                self.leave(env, conn);
            }
        }
    }

    /// The sockets that are open.
    pub(crate) fn conns(&self) -> impl Iterator<Item = ConnId> {
        self.sockets.keys().copied()
    }
}
