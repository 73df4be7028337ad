//! Why a learner cannot go on.

use alloc::format;
use alloc::string::String;
use zooid_proto::QuorumPacket;

/// The end of a learner.
#[derive(Clone, Debug)]
pub(super) enum Fault {
    /// Of this leader: another election may help.
    Resign(String),
    /// Of this server's state: it must not take part any longer.
    Halt(String),
}

impl Fault {
    /// A packet that the protocol has no place for.
    pub(super) fn unexpected(packet: &QuorumPacket, place: &str) -> Fault {
        Fault::Resign(format!("{:?} {} {place}", packet.kind, packet.zxid))
    }

    /// A packet whose data is not what its type demands.
    pub(super) fn malformed(packet: &QuorumPacket) -> Fault {
        Fault::Resign(format!("malformed {:?} {}", packet.kind, packet.zxid))
    }
}
