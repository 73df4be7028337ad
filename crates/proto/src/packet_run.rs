//! Packets that differ in their zxids alone, which is what most packets of a busy ensemble are.

use crate::quorum::{PacketType, QuorumPacket};
use crate::{Jute, Zxid};
use alloc::vec::Vec;

/// A packet without data for each of several zxids in a row: the acknowledgements or the commits of a batch.
/// On the wire it is nothing but its packets.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct PacketRun {
    /// What each of them says.
    pub kind: PacketType,
    /// About this transaction first.
    pub first: Zxid,
    /// About this one last; of the same epoch, and not before `first`.
    pub last: Zxid,
}

impl PacketRun {
    /// Bytes of each packet: type, zxid, no data and no identities.
    const PACKET_LEN: usize = 20;

    /// A run of one.
    #[must_use]
    pub fn of(kind: PacketType, zxid: Zxid) -> PacketRun {
        PacketRun {
            kind,
            first: zxid,
            last: zxid,
        }
    }

    /// The run that a packet is, if there is nothing but a type and a zxid to it.
    #[must_use]
    pub fn of_packet(packet: &QuorumPacket) -> Option<PacketRun> {
        let is_plain = packet.data.is_none() && packet.auth.is_none();
        is_plain.then(|| PacketRun::of(packet.kind, packet.zxid))
    }

    /// Takes another packet in, if it is the next of this run. An epoch's start never is: no transaction has
    /// that zxid, and a packet about it says something else.
    #[must_use]
    pub fn extend(&mut self, kind: PacketType, zxid: Zxid) -> bool {
        let is_next = kind == self.kind
            && zxid == self.last.next()
            && !self.first.is_epoch_start()
            && !zxid.is_epoch_start();
        if is_next {
            self.last = zxid;
        }
        is_next
    }

    /// The zxids, in order.
    pub fn zxids(self) -> impl Iterator<Item = Zxid> {
        (self.first.0..=self.last.0).map(Zxid)
    }

    /// The packets, in order.
    pub fn packets(self) -> impl Iterator<Item = QuorumPacket> {
        self.zxids()
            .map(move |zxid| QuorumPacket::new(self.kind, zxid))
    }

    /// Appends the packets as they are on the wire.
    pub fn encode(self, out: &mut Vec<u8>) {
        let mut packet = QuorumPacket::new(self.kind, self.first).to_vec();
        debug_assert_eq!(packet.len(), PacketRun::PACKET_LEN);
        let count = usize::try_from(self.last.0 - self.first.0 + 1);
        out.reserve(PacketRun::PACKET_LEN * count.unwrap_or(0));
        for zxid in self.zxids() {
            packet[4..12].copy_from_slice(&zxid.0.to_be_bytes());
            out.extend_from_slice(&packet);
        }
    }
}

#[cfg(test)]
mod tests;
