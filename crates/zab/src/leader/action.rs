//! What a leader asks of whoever runs it.

use crate::LinkId;
use alloc::string::String;
use alloc::sync::Arc;
use alloc::vec::Vec;
use zooid_proto::quorum::{ForwardedRequest, SessionTouch};
use zooid_proto::{Epoch, PacketRun, QuorumPacket, SessionId, Zxid};

/// One effect of a call to [`crate::Leader`]. They happen in the order given; what is sent on a link
/// leaves in that order, whichever variant sends it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum LeaderAction {
    /// Send a packet.
    Send(LinkId, QuorumPacket),
    /// Send a packet to several.
    Broadcast(Arc<[LinkId]>, QuorumPacket),
    /// Send several packets.
    SendRun(LinkId, PacketRun),
    /// Send, from the log, a PROPOSAL and a COMMIT for each transaction after `after` up to and with
    /// `upto`, which is the zxid of a transaction in the log and durable. A log that turns out not to
    /// lead there without a hole means hanging up.
    SendLog {
        /// To whom.
        link: LinkId,
        /// Not this one any more.
        after: Zxid,
        /// The last one.
        upto: Zxid,
    },
    /// Send a SNAP and the snapshot, of exactly what is committed at this place among the actions.
    SendSnapshot(LinkId),
    /// Look into the log for a learner's last zxid and answer with [`crate::Leader::log_probed`].
    ProbeLog {
        /// For whom.
        link: LinkId,
        /// The learner's last zxid.
        after: Zxid,
    },
    /// Close a link, which the leader has already forgotten. For the log: why.
    Hangup(LinkId, String),
    /// Make this server's own acceptedEpoch durable and say [`crate::Leader::epoch_accepted`].
    AcceptEpoch(Epoch),
    /// Make this server's own currentEpoch durable and say [`crate::Leader::epoch_entered`].
    EnterEpoch(Epoch),
    /// A quorum holds the epoch's initial history: everything in it is committed. Serve. The
    /// [`crate::History`] goes on to the epoch's start ([`crate::History::advance_to`]) before the
    /// leader is told anything else.
    Established(Epoch),
    /// The oldest proposal in flight is committed. It must be in the [`crate::History`] before the
    /// leader is told anything else.
    Committed(Zxid),
    /// A quorum has answered another round that [`crate::Leader::confirm`] has asked for.
    Confirmed,
    /// A learner forwards a client's request.
    Request(LinkId, ForwardedRequest),
    /// A learner asks whether a session lives; answer with [`crate::Leader::revalidated`].
    Revalidate {
        /// Who asks.
        link: LinkId,
        /// Which session.
        session: SessionId,
        /// Its timeout.
        timeout_ms: i32,
    },
    /// Clients of a learner have shown signs of life.
    Touched(Vec<SessionTouch>),
    /// The reign is over; hang up every link and look for a leader. For the log: why.
    Resign(String),
}
