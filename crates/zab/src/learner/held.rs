//! Packets that wait until the storage has cut the log or installed a snapshot.

use super::fault::Fault;
use alloc::collections::VecDeque;
use alloc::string::String;
use zooid_proto::QuorumPacket;

/// A bounded queue of packets.
#[derive(Clone, Debug, Default)]
pub(super) struct Held {
    packets: VecDeque<QuorumPacket>,
    bytes: usize,
}

impl Held {
    /// Keeps a packet for later.
    pub(super) fn push(&mut self, packet: &QuorumPacket) -> Result<(), Fault> {
        self.bytes += PACKET_OVERHEAD_BYTES + packet.data.as_ref().map_or(0, |data| data.len());
        if self.bytes > HELD_BYTES_MAX {
            return Err(Fault::Resign(String::from(
                "too much has come in while the storage was at work",
            )));
        }
        self.packets.push_back(packet.clone());
        Ok(())
    }

    /// In the order they came.
    pub(super) fn into_packets(self) -> VecDeque<QuorumPacket> {
        self.packets
    }
}

/// What a leader may propose while a large snapshot is made durable: 30 s at 40,000 small writes a
/// second. More than that had better come by another synchronisation.
pub(super) const HELD_BYTES_MAX: usize = 256 << 20;

/// What a packet costs besides its data.
const PACKET_OVERHEAD_BYTES: usize = 96;
