//! What a fact comes to as a number: cheaper by far than its line, and as telling.

use super::Fact;
use crate::packet::Packet;
use crate::trace::Mix;
use std::hash::{Hash as _, Hasher};
use zooid_node::Input;
use zooid_proto::{QuorumPacket, Zxid};

impl Fact<'_> {
    pub(crate) fn hash(&self) -> u64 {
        let mut out = Sink::default();
        out.tag(self.tag());
        if let Some(member) = self.member() {
            out.index(member);
        }
        self.write(&mut out);
        out.0.finish()
    }

    fn tag(&self) -> u64 {
        match self {
            Fact::Started { .. } => 1,
            Fact::Died { .. } => 2,
            Fact::Stepped { .. } => 3,
            Fact::Appended { .. } => 4,
            Fact::Durable { .. } => 5,
            Fact::Truncating { .. } => 6,
            Fact::Truncated { .. } => 7,
            Fact::Installing { .. } => 8,
            Fact::Installed { .. } => 9,
            Fact::EpochAccepted { .. } => 10,
            Fact::EpochEntered { .. } => 11,
            Fact::Packet { .. } => 12,
            Fact::Voted { .. } => 13,
            Fact::Applied { .. } => 14,
            Fact::Serving { .. } => 15,
            Fact::Told { .. } => 16,
            Fact::Dialled { .. } => 17,
            Fact::Asked { .. } => 18,
            Fact::Received { .. } => 19,
            Fact::SessionLost { .. } => 20,
            Fact::Final { .. } => 21,
            Fact::Settled { .. } => 22,
            Fact::Taken { .. } => 23,
            Fact::Closing { .. } => 24,
            Fact::Left { .. } => 25,
            Fact::Loaded { .. } => 26,
            Fact::Kept { .. } => 27,
            Fact::Uncut { .. } => 28,
        }
    }

    fn write(&self, out: &mut Sink) {
        match self {
            Fact::Started {
                history,
                replica,
                epochs,
                ..
            } => {
                out.zxid(last(history));
                out.signed(replica.digest());
                out.signed(epochs.accepted.0);
                out.signed(epochs.current.0);
            }
            Fact::Died { why, .. } => out.bytes(why.as_bytes()),
            Fact::Stepped { input, .. } => out.input(input),
            Fact::Appended { zxid, record, .. } => {
                out.zxid(*zxid);
                out.bytes(record);
            }
            Fact::Durable { upto: zxid, .. } | Fact::Truncating { target: zxid, .. } => {
                out.zxid(*zxid);
            }
            Fact::Truncated { history, .. }
            | Fact::Installed { history, .. }
            | Fact::Loaded { history, .. }
            | Fact::Kept { history, .. } => {
                out.zxid(last(history));
            }
            Fact::Installing { .. } | Fact::Uncut { .. } | Fact::Settled { .. } => {}
            Fact::Taken { conn, .. } | Fact::Closing { conn, .. } | Fact::Left { conn, .. } => {
                out.tag(conn.0);
            }
            Fact::EpochAccepted { epoch, .. } | Fact::EpochEntered { epoch, .. } => {
                out.signed(epoch.0);
            }
            Fact::Packet {
                to, wire, packet, ..
            } => {
                out.index(*to);
                out.tag(wire.0);
                out.quorum_packet(packet);
            }
            Fact::Voted { message, .. } => out.bytes(message),
            Fact::Applied {
                record, replica, ..
            } => {
                out.zxid(record.header.zxid);
                out.signed(replica.digest());
            }
            Fact::Serving { serves, .. } => out.tag(u64::from(*serves)),
            Fact::Told { conn, packet, .. } => {
                out.tag(conn.0);
                out.packet(packet);
            }
            Fact::Dialled {
                client,
                conn,
                session,
                ..
            } => {
                out.index(client.0);
                out.tag(conn.0);
                out.signed(session.0);
            }
            Fact::Asked { client, xid, .. } => {
                out.index(client.0);
                out.signed(i64::from(*xid));
            }
            Fact::Received { client, packet, .. } => {
                out.index(client.0);
                out.packet(packet);
            }
            Fact::SessionLost { client, session } => {
                out.index(client.0);
                out.signed(session.0);
            }
            Fact::Final { replica, .. } => out.signed(replica.digest()),
        }
    }
}

fn last(history: &[Zxid]) -> Zxid {
    history.last().copied().unwrap_or_default()
}

#[derive(Default)]
struct Sink(Mix);

impl Sink {
    fn tag(&mut self, word: u64) {
        self.0.word(word);
    }

    fn index(&mut self, index: usize) {
        self.0.word(u64::try_from(index).unwrap_or(u64::MAX));
    }

    fn signed(&mut self, word: i64) {
        self.0.word(word.cast_unsigned());
    }

    fn zxid(&mut self, zxid: Zxid) {
        self.signed(zxid.0);
    }

    fn bytes(&mut self, bytes: &[u8]) {
        self.index(bytes.len());
        self.0.write(bytes);
    }

    fn quorum_packet(&mut self, packet: &QuorumPacket) {
        packet.kind.hash(self);
        self.zxid(packet.zxid);
        self.bytes(packet.data.as_deref().unwrap_or_default());
    }

    fn packet(&mut self, packet: &Packet) {
        match packet {
            Packet::Connected(response) => self.signed(response.session_id.0),
            Packet::Reply(reply) => {
                self.signed(i64::from(reply.xid));
                self.zxid(reply.zxid);
                self.bytes(&reply.body);
            }
            Packet::Event(event) => {
                self.signed(i64::from(event.event));
                self.zxid(event.zxid);
                self.bytes(event.path.as_bytes());
            }
        }
    }

    fn input(&mut self, input: &Input) {
        match input {
            Input::Request(request) => {
                self.tag(request.conn.0);
                self.signed(i64::from(request.cxid));
            }
            Input::Open(conn, open) => {
                self.tag(conn.0);
                self.signed(open.session.0);
            }
            Input::Vote { from, message } => {
                self.signed(from.0);
                self.bytes(message);
            }
            Input::Packet(link, packet) => {
                self.tag(link.0);
                self.quorum_packet(packet);
            }
            Input::PacketRun(link, run) => {
                self.tag(link.0);
                run.packets().for_each(|packet| self.quorum_packet(&packet));
            }
            Input::Touched(sessions) => self.index(sessions.len()),
            Input::Persisted { upto: zxid, .. } | Input::SnapshotReceived { zxid, .. } => {
                self.zxid(*zxid);
            }
            Input::Unreachable(server) | Input::Reachable(server) => self.signed(server.0),
            Input::Disconnected(conn) => self.tag(conn.0),
            Input::LinkAccepted(link)
            | Input::LinkUp(link)
            | Input::LinkDown(link)
            | Input::LinkProgress(link)
            | Input::LogProbed(link, _) => self.tag(link.0),
            Input::EpochAccepted(epoch) | Input::EpochEntered(epoch) => self.signed(epoch.0),
            Input::Truncated { last, .. } => self.zxid(*last),
            Input::StorageFailed { reason }
            | Input::CannotTruncate { reason, .. }
            | Input::CannotInstall { reason, .. } => {
                self.bytes(reason.as_bytes());
            }
            Input::DiskSpace { is_low } => self.tag(u64::from(*is_low)),
            Input::Installed { .. } | Input::Leave | Input::Timer => {}
        }
        std::mem::discriminant(input).hash(self);
    }
}

impl Hasher for Sink {
    fn finish(&self) -> u64 {
        self.0.finish()
    }

    fn write(&mut self, bytes: &[u8]) {
        self.0.write(bytes);
    }
}
