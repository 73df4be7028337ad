//! The tasks of sockets: frames in, reads, frames out.

use super::Server;
use crate::checkers::CLIENT_IP;
use crate::env::Env;
use crate::fact::Fact;
use crate::packet::{Packet, frames};
use crate::schedule::{Event, Turn};
use bytes::Bytes;
use std::collections::VecDeque;
use zooid_node::{ByteChain, ConnId, Connection, Context, Input};
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
    pub(super) fn drain(&mut self, env: &mut Env) {
        let id = self.connection.id();
        let mut chain = ByteChain::default();
        self.connection.take_outbox(&mut chain);
        let bytes = chain.copied_from(0);
        for frame in frames(bytes) {
            match Packet::parse(&frame, !self.is_greeted) {
                Ok(packet) => env.tell(&Fact::Sent {
                    conn: id,
                    packet: &packet,
                }),
                Err(err) => env.complain("packets", format!("{} is sent garbage: {err}", id.0)),
            }
            self.is_greeted = true;
            self.sending.push(frame);
        }
        if self.connection.is_closing() && !self.is_leaving {
            self.is_leaving = true;
            env.tell(&Fact::Closing { conn: id });
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

impl Server {
    pub(crate) fn accept(&mut self, env: &mut Env, id: ConnId) {
        let socket = Socket {
            connection: Connection::new(id, CLIENT_IP.to_owned(), env.now()),
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
    pub(crate) fn serve(&mut self, env: &mut Env, id: ConnId) {
        let ctx = Context {
            now_ms: env.now().mono_ms,
            settings: &self.settings,
            replica: &self.replica,
        };
        let Some(socket) = self.sockets.get_mut(&id) else {
            return;
        };
        let mut to_node = Vec::new();
        socket.connection.run_reads(&ctx);
        socket.drain(env);
        for _ in 0..FRAMES_PER_TURN {
            if !socket.connection.wants_frames() {
                break;
            }
            let Some(frame) = socket.received.pop_front() else {
                break;
            };
            env.tell(&Fact::Taken {
                conn: id,
                replica: &self.replica,
            });
            socket.connection.on_frame(&ctx, &frame, &mut to_node);
            socket.drain(env);
        }
        let again = socket.connection.has_ready_reads()
            || (socket.connection.wants_frames() && !socket.received.is_empty());
        let leaves = socket.is_leaving;
        socket.flush(env, self.dice.between(20, 2000));
        self.tell_core(env, to_node);
        if leaves {
            self.soon(env, 2000, Turn::Leave(id));
        } else if again {
            self.soon(env, 50, Turn::Socket(id));
        }
    }

    /// The connection is over, whoever ended it.
    pub(crate) fn leave(&mut self, env: &mut Env, id: ConnId) {
        let Some(mut socket) = self.sockets.remove(&id) else {
            return;
        };
        socket.drain(env);
        socket.flush(env, 100);
        socket.connection.close();
        socket.drain(env);
        let fin_us = socket.arrives_us.max(env.now_us + 100);
        env.schedule.at(fin_us, Event::FinToClient(id));
        self.replica.drop_watcher(WatcherId(id.0));
        env.tell(&Fact::Left { conn: id });
        self.tell_core(env, [Input::Disconnected(id)]);
    }

    /// The sockets that die with the process.
    pub(crate) fn conns(&self) -> impl Iterator<Item = ConnId> {
        self.sockets.keys().copied()
    }
}
