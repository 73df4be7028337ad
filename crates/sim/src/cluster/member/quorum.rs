//! The connections to other members, and a leader's looks into its log and tree for them.

use super::Member;
use super::storage::Command;
use crate::cluster::env::Env;
use crate::cluster::fact::Fact;
use crate::cluster::network::Parcel;
use crate::cluster::options::member_of;
use crate::cluster::schedule::WireId;
use crate::cluster::snapshot::Incoming;
use bytes::{Buf as _, Bytes};
use zooid_node::Input;
use zooid_proto::{DecodeError, Jute, PacketRun, PacketType, QuorumPacket, ServerId, Zxid, mutant};
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
            Parcel::Fin => {}
        }
    }

    /// Bytes of packets and snapshots: whole ones go to the node, the rest waits for more.
    fn take_bytes(&mut self, env: &mut Env, wire: WireId, link: LinkId, bytes: Bytes) {
        let mut bytes = match self.torn.remove(&link) {
            Some(first) => Bytes::from([first, bytes].concat()),
            None => bytes,
        };
        let mut inputs = Vec::new();
        loop {
            let taken = match self.incoming.remove(&link) {
                Some(incoming) => {
                    self.take_snapshot_part(env, wire, link, incoming, &mut bytes, &mut inputs)
                }
                None => self.take_packet(link, &mut bytes, &mut inputs),
            };
            match taken {
                Ok(true) => {}
                Ok(false) => break,
                Err(err) => return env.complain("packets", format!("{err} on {}", wire.0)),
            }
        }
        self.tell_core(env, inputs);
        if !bytes.is_empty() {
            self.torn.insert(link, bytes);
        }
    }

    /// Whether there was a whole one.
    fn take_packet(
        &mut self,
        link: LinkId,
        bytes: &mut Bytes,
        inputs: &mut Vec<Input>,
    ) -> Result<bool, DecodeError> {
        let Some((packet, len)) = QuorumPacket::split(bytes, self.settings.limit)? else {
            return Ok(false);
        };
        bytes.advance(len);
        if packet.kind == PacketType::Snap {
            self.incoming.insert(link, Incoming::new(packet.zxid));
            return Ok(true);
        }
        self.misread(&packet);
        Input::add_packet(link, packet, inputs);
        Ok(true)
    }

    /// Whether it was the last one.
    fn take_snapshot_part(
        &mut self,
        env: &mut Env,
        wire: WireId,
        link: LinkId,
        mut incoming: Incoming,
        bytes: &mut Bytes,
        inputs: &mut Vec<Input>,
    ) -> Result<bool, DecodeError> {
        if !incoming.take(bytes)? {
            self.incoming.insert(link, incoming);
            inputs.push(Input::LinkProgress(link));
            return Ok(false);
        }
        let history = env.network.take_history(wire);
        let history = history.expect("it was noted when the snapshot was sent");
        let received = incoming.finish(history);
        let zxid = received.zxid;
        self.received.insert(link, Box::new(received));
        inputs.push(Input::SnapshotReceived { link, zxid });
        Ok(true)
    }

    /// The link is gone, and what has come of something longer is worth nothing.
    pub(super) fn forget_torn(&mut self, link: LinkId) {
        self.torn.remove(&link);
        self.incoming.remove(&link);
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

    /// They travel together, and may be torn apart like any other bytes.
    pub(super) fn send_run(&mut self, env: &mut Env, link: LinkId, run: PacketRun) {
        if mutant!(ReordersAcknowledgements) {
            for packet in run.packets() {
                self.send(env, link, packet);
            }
            return;
        }
        let packets: Vec<QuorumPacket> = run.packets().collect();
        self.put_all(env, link, &packets);
    }

    pub(super) fn put(&mut self, env: &mut Env, link: LinkId, packet: &QuorumPacket) {
        self.put_all(env, link, std::slice::from_ref(packet));
    }

    fn put_all(&mut self, env: &mut Env, link: LinkId, packets: &[QuorumPacket]) {
        if let Some(outgoing) = self.outgoing.get_mut(&link) {
            return packets.iter().for_each(|packet| outgoing.hold(packet));
        }
        let Some((wire, direction)) = env.network.find(self.id, link) else {
            return;
        };
        let Some(to) = env.network.other_end(wire, direction) else {
            return;
        };
        let mut bytes = Vec::new();
        for packet in packets {
            env.tell(&Fact::Packet {
                member: self.id,
                to,
                wire,
                packet,
            });
            packet.encode(&mut bytes);
        }
        env.transmit_packet(wire, direction, bytes.into());
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
