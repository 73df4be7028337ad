//! What a learner wants done.

use alloc::string::String;
use bytes::Bytes;
use zooid_proto::{Epoch, PacketRun, QuorumPacket, ServerId, SessionId, Zxid};

/// Something that the owner of a [`Learner`](crate::Learner) must do, in order.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum LearnerAction {
    /// Connect to the leader's quorum port; answered by `link_up` or `link_down`. Every connection ends
    /// by `link_down` or by [`LearnerAction::Hangup`].
    Dial(ServerId),
    /// Send on the link.
    Send(QuorumPacket),
    /// Send several packets on the link.
    SendRun(PacketRun),
    /// Close the link, or give up making it.
    Hangup(String),
    /// Make `acceptedEpoch` durable; answered by `epoch_accepted`.
    AcceptEpoch(Epoch),
    /// Make `currentEpoch` durable; answered by `epoch_entered`.
    EnterEpoch(Epoch),
    /// Append to the log; answered by `persisted` when it is durable. An observer that keeps no log
    /// answers at once.
    Append(Zxid, Bytes),
    /// Apply the oldest appended transaction that is not applied yet. Its append need not be durable.
    Commit(Zxid),
    /// Cut the log behind this transaction, durably, and load the database anew; answered by
    /// `truncated`, or by `cannot_truncate`. Until then there is no `Append` and no `Commit`.
    Truncate(Zxid),
    /// Make the received snapshot the database, durably; answered by `installed`, or by `cannot_install`. Until
    /// then there is no `Append` and no `Commit`.
    Install(Zxid),
    /// Serve clients. The history's end moves to the epoch's start if it is behind it.
    Serve(Epoch),
    /// Answer with `pong`.
    Ping(Zxid),
    /// The oldest sync forwarded is due.
    SyncDone,
    /// The answer to `revalidate`.
    Revalidated {
        /// Which session.
        session: SessionId,
        /// Whether it lives.
        valid: bool,
    },
    /// The leader has given no sign of life for too long: an election need not wait for its vote.
    Silent(ServerId),
    /// This leader is not followed any longer: look for one. Nothing comes after it.
    Resign(String),
    /// Stop the process. Nothing comes after it.
    Halt(String),
}
