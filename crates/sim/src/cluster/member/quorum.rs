//! The connections to other members, and a leader's looks into its log and tree for them.

use super::Member;
use super::storage::Command;
use crate::cluster::env::Env;
use crate::cluster::fact::Fact;
use crate::cluster::network::Parcel;
use crate::cluster::options::member_of;
use crate::cluster::schedule::WireId;
use bytes::Bytes;
use zooid_node::Input;
use zooid_proto::{Jute, PacketType, QuorumPacket, ServerId, Zxid, mutant};
use zooid_zab::LinkId;

/// An acknowledgement that a mutant lets another one overtake.
#[derive(Debug)]
pub(super) struct HeldAck {
    link: LinkId,
    packet: QuorumPacket,
}

impl Member {
    /// What the driver calls a link that it accepts.
    pub(crate) fn next_link(&mut self) -> LinkId {
        self.next_accepted += 2;
        LinkId(self.next_accepted)
    }

    pub(super) fn dial(&mut self, env: &mut Env, link: LinkId, server: ServerId) {
        match member_of(server) {
            Some(to) => env.dial(self.id, self.life, link, to),
            None => self.tell_core(env, [Input::LinkDown(link)]),
        }
    }

    /// A parcel has come on a link.
    pub(crate) fn unpack(&mut self, env: &mut Env, wire: WireId, link: LinkId, parcel: Parcel) {
        match parcel {
            Parcel::Bytes(bytes) => self.take_bytes(env, wire, link, bytes),
            Parcel::Snapshot(snapshot) => {
                let zxid = snapshot.zxid;
                self.received.insert(link, snapshot);
                self.tell_core(env, [Input::SnapshotReceived { link, zxid }]);
            }
            Parcel::Fin => {}
        }
    }

    /// Bytes of packets: whole ones go to the node, the rest waits for more.
    fn take_bytes(&mut self, env: &mut Env, wire: WireId, link: LinkId, bytes: Bytes) {
        let mut bytes = match self.torn.remove(&link) {
            Some(first) => Bytes::from([first, bytes].concat()),
            None => bytes,
        };
        loop {
            match QuorumPacket::split(&bytes, self.settings.limit) {
                Ok(Some((packet, len))) => {
                    bytes = bytes.slice(len..);
                    self.misread(&packet);
                    self.tell_core(env, [Input::Packet(link, packet)]);
                }
                Ok(None) => break,
                Err(err) => {
                    return env.complain("packets", format!("{err} on {}", wire.0));
                }
            }
        }
        if !bytes.is_empty() {
            self.torn.insert(link, bytes);
        }
    }

    /// A mutant loses what its log's queue holds when broadcast begins.
    fn misread(&mut self, packet: &QuorumPacket) {
        if mutant!(Zk4785) && packet.kind == PacketType::UpToDate {
            let is_append = |command: &Command| matches!(command, Command::Append { .. });
            self.commands.retain(|command| !is_append(command));
        }
    }

    pub(super) fn send(&mut self, env: &mut Env, link: LinkId, packet: QuorumPacket) {
        let is_of_proposal = packet.kind == PacketType::Ack && !packet.zxid.is_epoch_start();
        if mutant!(ReordersAcknowledgements) && is_of_proposal {
            match self.held_ack.take_if(|held| held.link == link) {
                None => {
                    self.held_ack = Some(HeldAck { link, packet });
                    return;
                }
                Some(held) => {
                    self.put(env, link, &packet);
                    return self.put(env, link, &held.packet);
                }
            }
        }
        self.put(env, link, &packet);
    }

    pub(super) fn put(&mut self, env: &mut Env, link: LinkId, packet: &QuorumPacket) {
        if let Some(outgoing) = self.outgoing.get_mut(&link) {
            return outgoing.hold(packet);
        }
        let Some((wire, direction)) = env.network.find(self.id, link) else {
            return;
        };
        let Some(to) = env.network.other_end(wire, direction) else {
            return;
        };
        env.tell(&Fact::Packet {
            member: self.id,
            to,
            wire,
            packet,
        });
        let bytes = Bytes::from(packet.to_vec());
        env.transmit_packet(wire, direction, bytes);
    }

    pub(super) fn send_log(&mut self, env: &mut Env, link: LinkId, after: Zxid, upto: Zxid) {
        let Some(records) = self.site.read_log(after, upto) else {
            env.hang_up(self.id, link);
            return self.tell_core(env, [Input::LinkDown(link)]);
        };
        for (zxid, record) in records {
            let proposal = QuorumPacket::with_data(PacketType::Proposal, zxid, record);
            self.put(env, link, &proposal);
            self.put(env, link, &QuorumPacket::new(PacketType::Commit, zxid));
        }
    }

    pub(super) fn probe_log(&mut self, env: &mut Env, link: LinkId, after: Zxid) {
        // Sometimes a snapshot is less work.
        let probe = if self.dice.per_mille(200) {
            zooid_zab::LogProbe::Unknown
        } else {
            self.site.probe(after)
        };
        self.tell_core(env, [Input::LogProbed(link, probe)]);
    }
}
