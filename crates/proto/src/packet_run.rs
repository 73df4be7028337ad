//! Packets that differ in their zxids alone, which is what most packets of a busy ensemble are.

use crate::quorum::{PacketType, QuorumPacket};
use crate::{Jute, Reader, Zxid};
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

    /// Takes the packets off the reader that are a run of acknowledgements or commits, as far as they have come.
    /// `None` when the next packet is none, or not whole.
    pub fn next(r: &mut Reader<'_>) -> Option<PacketRun> {
        let (kind, first) = PacketRun::plain(r.rest())?;
        let mut run = PacketRun::of(kind, first);
        let mut rest = &r.rest()[PacketRun::PACKET_LEN..];
        while let Some((kind, zxid)) = PacketRun::plain(rest)
            && run.extend(PacketRun::of(kind, zxid))
        {
            rest = &rest[PacketRun::PACKET_LEN..];
        }
        let len = r.rest().len() - rest.len();
        r.take(len).ok()?;
        Some(run)
    }

    /// The acknowledgement or commit at the front, if nothing else is there.
    fn plain(bytes: &[u8]) -> Option<(PacketType, Zxid)> {
        const ACK: [u8; 4] = 3_i32.to_be_bytes();
        const COMMIT: [u8; 4] = 4_i32.to_be_bytes();
        /// No data and no identities.
        const NOTHING: [u8; 8] = [0xff; 8];
        let packet: &[u8; PacketRun::PACKET_LEN] = bytes.first_chunk()?;
        let (code, rest) = packet.split_first_chunk()?;
        let (zxid, rest) = rest.split_first_chunk()?;
        let kind = match *code {
            ACK => PacketType::Ack,
            COMMIT => PacketType::Commit,
            _ => return None,
        };
        (rest == NOTHING).then(|| (kind, Zxid(i64::from_be_bytes(*zxid))))
    }

    /// Takes in what comes behind it, if it goes on with it. An epoch's start never does: no transaction has
    /// that zxid, and a packet about it says something else.
    #[must_use]
    pub fn extend(&mut self, next: PacketRun) -> bool {
        let goes_on = next.kind == self.kind
            && next.first == self.last.next()
            && !self.first.is_epoch_start()
            && !next.first.is_epoch_start();
        if goes_on {
            self.last = next.last;
        }
        goes_on
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
