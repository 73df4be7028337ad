//! What goes into a [`crate::Node`] and what comes out.

use bytes::Bytes;
use std::sync::Arc;
use zooid_proto::{
    Epoch, ErrorCode, Id, OpCode, PacketRun, PacketType, QuorumPacket, ServerId, SessionId,
    TxnRecord, Zxid,
};
use zooid_zab::{LinkId, LogProbe};

/// The time, handed in with every step.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Now {
    /// Never goes back; for timeouts. Milliseconds.
    pub mono_ms: i64,
    /// Milliseconds since 1970; for stats of nodes.
    pub wall_ms: i64,
}

/// A client's connection, unique for the life of the process.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct ConnId(pub u64);

/// Who may write for a session: the way its client comes in (Java `Request.owner`).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Owner {
    /// A client of this server.
    Client(ConnId),
    /// A client of the learner at the other end.
    Learner(LinkId),
}

impl Owner {
    /// The connection, if it is one of this server.
    #[must_use]
    pub fn conn(self) -> Option<ConnId> {
        match self {
            Owner::Client(conn) => Some(conn),
            Owner::Learner(_) => None,
        }
    }
}

/// A client wants a session.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct OpenSession {
    /// The session to come back to; 0 for a new one.
    pub session: SessionId,
    /// Whether the password was the session's. Checked after older connections of the session were
    /// closed, as in Java.
    pub password_matches: bool,
    /// Already negotiated.
    pub timeout_ms: i32,
    /// Whether a server that serves reads only will do.
    pub read_only: bool,
}

/// A request that changes something, or must wait for what does.
#[derive(Clone, Debug)]
pub struct ClientRequest {
    /// Whom to answer.
    pub conn: ConnId,
    /// The asking session.
    pub session: SessionId,
    /// The client's request id.
    pub cxid: i32,
    /// What to do.
    pub op: OpCode,
    /// The encoded request record.
    pub body: Bytes,
    /// Who the client is.
    pub ids: Arc<[Id]>,
}

/// Something that has happened.
#[derive(Clone, Debug)]
pub enum Input {
    /// A connection asks for a session.
    Open(ConnId, OpenSession),
    /// A write, sync or close.
    Request(ClientRequest),
    /// These sessions have been heard of since the last time.
    Touched(Vec<SessionId>),
    /// A connection is gone.
    Disconnected(ConnId),
    /// Everything appended up to `upto` is durable.
    Persisted {
        /// Which history of the log this is about; see [`Output::Append`].
        generation: u64,
        /// The newest durable zxid.
        upto: Zxid,
    },
    /// The log could not be written or synced.
    StorageFailed {
        /// What the disk said.
        reason: String,
    },
    /// The disk is about to be full, or no longer is; said as often as it is measured. A standalone server
    /// then refuses what makes the log and the database grow, so that the rest stays possible. A leader
    /// hands over first: others may have space. A follower goes on for as long as it can.
    DiskSpace {
        /// Whether there is little room left.
        is_low: bool,
    },
    /// Time has passed.
    Timer,
    /// A message came through the election mesh.
    Vote {
        /// Who sent it.
        from: ServerId,
        /// An encoded notification.
        message: Bytes,
    },
    /// The election mesh cannot reach a server; its vote need not be waited for. Said of servers, like
    /// [`Input::Reachable`], as often as it changes. Being wrong costs time.
    Unreachable(ServerId),
    /// The election mesh hears of that server again.
    Reachable(ServerId),
    /// Another server has connected to the quorum port. The driver numbers such links evenly, from 2.
    LinkAccepted(LinkId),
    /// An [`Output::Dial`] has succeeded.
    LinkUp(LinkId),
    /// A link is gone, or could not be made.
    LinkDown(LinkId),
    /// Bytes of a snapshot or of the log are coming or going on a link, which is not silent therefore.
    /// Said now and then.
    LinkProgress(LinkId),
    /// A packet came on a link. SNAP never comes as one.
    Packet(LinkId, QuorumPacket),
    /// Several packets came on a link, one behind the other.
    PacketRun(LinkId, PacketRun),
    /// A SNAP and the snapshot behind it came on a link, whole; its replica is held for
    /// [`Output::InstallSnapshot`].
    SnapshotReceived {
        /// Where.
        link: LinkId,
        /// The packet's zxid.
        zxid: Zxid,
    },
    /// This member is about to stop. If it leads, it first has committed and answered what it has
    /// proposed, and takes nothing new. Answered with [`Output::Left`].
    Leave,
    /// The answer to an [`Output::ProbeLog`].
    LogProbed(LinkId, LogProbe),
    /// The answer to an [`Output::Truncate`]; the replica is the one loaded since.
    Truncated {
        /// As in the output.
        generation: u64,
        /// The last transaction left.
        last: Zxid,
    },
    /// The other answer to an [`Output::Truncate`]: nothing here leads to the target, because the
    /// oldest snapshot goes beyond it. Log and replica are as they were.
    CannotTruncate {
        /// As in the output.
        generation: u64,
        /// What is missing, and how an operator repairs it.
        reason: String,
    },
    /// The other answer to an [`Output::InstallSnapshot`]: there was no room on the disk. Log and replica are as
    /// they were. The driver takes its time before it says so, because it will be asked again.
    CannotInstall {
        /// As in the output.
        generation: u64,
        /// What the disk said.
        reason: String,
    },
    /// The answer to an [`Output::InstallSnapshot`]; the replica is the one installed.
    Installed {
        /// As in the output.
        generation: u64,
    },
    /// The answer to an [`Output::AcceptEpoch`].
    EpochAccepted(Epoch),
    /// The answer to an [`Output::EnterEpoch`].
    EpochEntered(Epoch),
}

impl Input {
    /// Adds a packet to what has come on a link just before.
    pub fn add_packet(link: LinkId, packet: QuorumPacket, inputs: &mut Vec<Input>) {
        match PacketRun::of_packet(&packet) {
            Some(run) if matches!(run.kind, PacketType::Ack | PacketType::Commit) => {
                Input::add_run(link, run, inputs);
            }
            _ => inputs.push(Input::Packet(link, packet)),
        }
    }

    /// Adds acknowledgements or commits to what has come on a link just before: to the last run, if they go on
    /// with it.
    pub fn add_run(link: LinkId, run: PacketRun, inputs: &mut Vec<Input>) {
        if let Some(last) = inputs.last_mut()
            && let Some(mut before) = last.packet_run(link)
            && before.extend(run)
        {
            *last = Input::PacketRun(link, before);
        } else if run.first == run.last {
            inputs.push(Input::Packet(link, QuorumPacket::new(run.kind, run.first)));
        } else {
            inputs.push(Input::PacketRun(link, run));
        }
    }

    /// The run that this is, on this link.
    fn packet_run(&self, on: LinkId) -> Option<PacketRun> {
        match self {
            Input::PacketRun(link, run) if *link == on => Some(*run),
            Input::Packet(link, packet) if *link == on => PacketRun::of_packet(packet),
            _ => None,
        }
    }
}

/// Something that the driver must do, in order.
#[derive(Clone, Debug)]
pub enum Output {
    /// Append to the log and answer with [`Input::Persisted`] of the same generation.
    Append {
        /// Bumped whenever the log's history changes under its feet, so that a late completion is
        /// not taken for one of the new history.
        generation: u64,
        /// The record's place.
        zxid: Zxid,
        /// The whole record: header, transaction, digest.
        record: Bytes,
    },
    /// Apply to the replica, then tell the owner.
    Commit {
        /// What to apply.
        record: Box<TxnRecord>,
        /// The connection that asked, if it is one of this server.
        owner: Option<ConnId>,
    },
    /// A sync of this connection is due: everything proposed before it has been committed.
    Complete {
        /// Whom to answer.
        conn: ConnId,
        /// The client's request id.
        cxid: i32,
    },
    /// A write of this connection is refused without a place in the order; everything proposed before it
    /// has been committed.
    Decline {
        /// Whom to answer.
        conn: ConnId,
        /// The client's request id.
        cxid: i32,
        /// Why.
        error: ErrorCode,
    },
    /// A session is open on this connection again.
    Attached {
        /// Whom to answer.
        conn: ConnId,
        /// The session.
        session: SessionId,
        /// Negotiated.
        timeout_ms: i32,
        /// Whether this server serves reads only.
        read_only: bool,
    },
    /// There is no such session.
    Refused {
        /// Whom to answer.
        conn: ConnId,
    },
    /// Close without a word, after what is already in the outbox.
    Close {
        /// Whom.
        conn: ConnId,
    },
    /// Stop the process: going on would risk what was promised.
    Halt {
        /// Why.
        reason: String,
    },
    /// Put a message into the election mesh's slot for a server; it replaces one that has not left.
    Vote {
        /// Whom it is for.
        to: ServerId,
        /// An encoded notification.
        message: Bytes,
    },
    /// Connect to a server's quorum port, and answer with [`Input::LinkUp`] or [`Input::LinkDown`].
    /// `Node` numbers such links oddly.
    Dial {
        /// Its name from now on.
        link: LinkId,
        /// The leader.
        server: ServerId,
    },
    /// Queue a packet on a link. What is for one link leaves in the order of the outputs.
    Send {
        /// Where.
        link: LinkId,
        /// What.
        packet: QuorumPacket,
    },
    /// Queue a packet on several links.
    Broadcast {
        /// Where.
        links: Arc<[LinkId]>,
        /// What.
        packet: QuorumPacket,
    },
    /// Queue several packets on a link.
    SendRun {
        /// Where.
        link: LinkId,
        /// What.
        run: PacketRun,
    },
    /// Queue a PROPOSAL and a COMMIT for each transaction of the log with `after < zxid <= upto`. If
    /// the log does not have them all, hang up.
    SendLog {
        /// Where.
        link: LinkId,
        /// Behind which.
        after: Zxid,
        /// The last one.
        upto: Zxid,
    },
    /// Queue a SNAP and the replica as it is at this place among the outputs.
    SendSnapshot {
        /// Where.
        link: LinkId,
    },
    /// Look whether the log can bring a learner up to date, and answer with [`Input::LogProbed`].
    ProbeLog {
        /// For whom.
        link: LinkId,
        /// The learner's last transaction.
        after: Zxid,
    },
    /// Close a link, behind what is queued on it. Nothing that comes of it matters any more.
    Hangup {
        /// Which.
        link: LinkId,
        /// For the log.
        reason: String,
    },
    /// Promise an epoch durably.
    AcceptEpoch(Epoch),
    /// Enter an epoch durably.
    EnterEpoch(Epoch),
    /// Cut the log behind `target` and load the database anew.
    Truncate {
        /// Of everything from now on.
        generation: u64,
        /// The last transaction that may stay.
        target: Zxid,
    },
    /// Make the snapshot that came on a link the database, durably.
    InstallSnapshot {
        /// Of everything from now on.
        generation: u64,
        /// Where it came from.
        link: LinkId,
        /// Its place in the history.
        zxid: Zxid,
    },
    /// Move the replica to an epoch's first zxid ([`Replica::advance_to`](zooid_tree::Replica::advance_to)).
    AdvanceTo(Zxid),
    /// Whether clients are served from now on, be it with reads only. When not: their connections are
    /// closed at once, and new ones too.
    Serve(bool),
    /// What this server is has changed; see [`crate::Node::peer`].
    RoleChanged,
    /// The answer to [`Input::Leave`], and the end: nothing follows from anything any more. The election
    /// port is to be closed before the links are, so that the others see that this server is gone.
    Left,
    /// This server has left its role, and will look for a leader.
    Resigned {
        /// For the log.
        reason: String,
    },
}

#[cfg(test)]
mod tests;
