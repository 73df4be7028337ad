//! What the driver tells the checkers and the trace, in the order in which it happens.

mod hash;

use super::promise::Ask;
use super::schedule::{MemberId, WireId};
use crate::packet::Packet;
use crate::schedule::ClientId;
use crate::trace::Mix;
use bytes::Bytes;
use zooid_node::{ConnId, Input};
use zooid_proto::{Epoch, PacketType, QuorumPacket, SessionId, TxnRecord, Zxid};
use zooid_tree::{Applied, Replica};
use zooid_zab::Epochs;

#[derive(Clone, Copy, Debug)]
pub(crate) enum Fact<'a> {
    /// A member begins a life with what its disk holds.
    Started {
        member: MemberId,
        history: &'a [Zxid],
        replica: &'a Replica,
        epochs: Epochs,
    },
    Died {
        member: MemberId,
        why: &'a str,
    },
    /// A node is stepped.
    Stepped {
        member: MemberId,
        input: &'a Input,
    },
    /// A node wants a transaction in its log.
    Appended {
        member: MemberId,
        zxid: Zxid,
        record: &'a Bytes,
    },
    /// Everything appended up to here is on the disk.
    Durable {
        member: MemberId,
        upto: Zxid,
    },
    /// A node wants the end of its log cut.
    Truncating {
        member: MemberId,
        target: Zxid,
    },
    /// It cannot be, and the log is as it was.
    Uncut {
        member: MemberId,
    },
    /// The disk holds this now; it has been loaded.
    Truncated {
        member: MemberId,
        history: &'a [Zxid],
        replica: &'a Replica,
    },
    /// A received snapshot is about to replace what the disk holds.
    Installing {
        member: MemberId,
    },
    /// A received snapshot of this history is on the disk, and loaded.
    Installed {
        member: MemberId,
        history: &'a [Zxid],
        replica: &'a Replica,
    },
    /// A mutant has loaded a received snapshot of this history, which is on no disk.
    Loaded {
        member: MemberId,
        history: &'a [Zxid],
        replica: &'a Replica,
    },
    /// Now it is.
    Kept {
        member: MemberId,
        history: &'a [Zxid],
    },
    /// acceptedEpoch says so.
    EpochAccepted {
        member: MemberId,
        epoch: Epoch,
    },
    /// currentEpoch says so.
    EpochEntered {
        member: MemberId,
        epoch: Epoch,
    },
    /// A packet is put on a wire.
    Packet {
        member: MemberId,
        to: MemberId,
        wire: WireId,
        packet: &'a QuorumPacket,
    },
    /// A notification is put into its slot.
    Voted {
        member: MemberId,
        message: &'a Bytes,
    },
    Applied {
        member: MemberId,
        record: &'a TxnRecord,
        applied: &'a Applied,
        replica: &'a Replica,
        /// The tree's digest before it.
        before: i64,
    },
    /// Whether a member serves clients from now on.
    Serving {
        member: MemberId,
        serves: bool,
        /// It has no leader: what it shows need not be decided.
        reads_only: bool,
    },
    /// A packet is in the outbox of one of a member's connections.
    Told {
        member: MemberId,
        conn: ConnId,
        packet: &'a Packet,
    },
    /// A member has told everyone of the transaction that it applied last.
    Settled {
        member: MemberId,
    },
    /// A member's connection is handed its next frame.
    Taken {
        member: MemberId,
        conn: ConnId,
    },
    /// A connection takes nothing in any more and is told no more events.
    Closing {
        member: MemberId,
        conn: ConnId,
    },
    /// A member has forgotten a connection.
    Left {
        member: MemberId,
        conn: ConnId,
    },
    Dialled {
        client: ClientId,
        member: MemberId,
        conn: ConnId,
        session: SessionId,
    },
    Asked {
        client: ClientId,
        conn: ConnId,
        xid: i32,
        ask: &'a Ask,
    },
    /// A packet has reached its client, in answer to this.
    Received {
        client: ClientId,
        conn: ConnId,
        packet: &'a Packet,
        ask: Option<&'a Ask>,
    },
    /// A client is told that its session is gone.
    SessionLost {
        client: ClientId,
        session: SessionId,
    },
    /// Everything has settled: this is a member's end.
    Final {
        member: MemberId,
        replica: &'a Replica,
    },
}

impl Fact<'_> {
    pub(crate) fn is_milestone(&self) -> bool {
        match self {
            Fact::Started { .. }
            | Fact::Died { .. }
            | Fact::Truncating { .. }
            | Fact::Installed { .. }
            | Fact::EpochEntered { .. }
            | Fact::Serving { .. } => true,
            Fact::Packet { packet, .. } => packet.kind == PacketType::NewLeader,
            _ => false,
        }
    }

    /// Whom it is about, if it is a member.
    pub(crate) fn member(&self) -> Option<MemberId> {
        match self {
            Fact::Started { member, .. }
            | Fact::Died { member, .. }
            | Fact::Stepped { member, .. }
            | Fact::Appended { member, .. }
            | Fact::Durable { member, .. }
            | Fact::Truncating { member, .. }
            | Fact::Truncated { member, .. }
            | Fact::Installing { member }
            | Fact::Uncut { member }
            | Fact::Installed { member, .. }
            | Fact::Loaded { member, .. }
            | Fact::Kept { member, .. }
            | Fact::EpochAccepted { member, .. }
            | Fact::EpochEntered { member, .. }
            | Fact::Packet { member, .. }
            | Fact::Voted { member, .. }
            | Fact::Applied { member, .. }
            | Fact::Serving { member, .. }
            | Fact::Told { member, .. }
            | Fact::Settled { member }
            | Fact::Taken { member, .. }
            | Fact::Closing { member, .. }
            | Fact::Left { member, .. }
            | Fact::Dialled { member, .. }
            | Fact::Final { member, .. } => Some(*member),
            Fact::Asked { .. } | Fact::Received { .. } | Fact::SessionLost { .. } => None,
        }
    }

    /// For the trace.
    pub(crate) fn line(&self) -> String {
        match self {
            Fact::Started {
                member,
                history,
                replica,
                epochs,
            } => {
                let last = history.last().copied().unwrap_or_default();
                let (accepted, current) = (epochs.accepted.0, epochs.current.0);
                format!(
                    "member {member} starts from {last} digest {}, epochs {accepted} {current}",
                    replica.digest()
                )
            }
            Fact::Died { member, why } => format!("member {member} dies: {why}"),
            Fact::Stepped { member, input } => format!("{member} steps {}", short(input)),
            Fact::Appended {
                member,
                zxid,
                record,
            } => format!("{member} appends {zxid} {}", hashed(record)),
            Fact::Durable { member, upto } => format!("{member} has {upto} on its disk"),
            Fact::Truncating { member, target } => format!("member {member} truncates to {target}"),
            Fact::Truncated {
                member, history, ..
            } => format!("{member} has truncated to {:?}", history.last()),
            Fact::Uncut { member } => format!("member {member} has nothing to cut"),
            Fact::Installing { member } => format!("{member} installs a snapshot"),
            Fact::Installed {
                member, history, ..
            } => format!("member {member} has installed {:?}", history.last()),
            Fact::Loaded {
                member, history, ..
            } => format!("{member} has loaded {:?}", history.last()),
            Fact::Kept {
                member, history, ..
            } => format!("{member} has kept {:?}", history.last()),
            Fact::EpochAccepted { member, epoch } => format!("{member} accepts epoch {}", epoch.0),
            Fact::EpochEntered { member, epoch } => {
                format!("member {member} enters epoch {}", epoch.0)
            }
            Fact::Packet {
                member,
                to,
                wire,
                packet,
            } => {
                let (kind, zxid) = (packet.kind, packet.zxid);
                let data = hashed(packet.data.as_deref().unwrap_or_default());
                format!("{member} sends {to} on {} {kind:?} {zxid} {data}", wire.0)
            }
            Fact::Voted { member, message } => format!("{member} votes {}", hashed(message)),
            Fact::Applied {
                member,
                record,
                applied,
                replica,
                ..
            } => {
                let (zxid, op) = (record.header.zxid, record.header.op);
                let digest = replica.digest();
                format!("{member} applies {zxid} op {op} {:?} {digest}", applied.err)
            }
            Fact::Serving {
                member,
                serves,
                reads_only,
            } => format!("member {member} serves: {serves}, only reads: {reads_only}"),
            Fact::Told {
                member,
                conn,
                packet,
            } => format!("{member} tells {} {}", conn.0, described(packet)),
            Fact::Dialled {
                client,
                member,
                conn,
                session,
            } => format!(
                "client {} dials {member} on {} for {session}",
                client.0, conn.0
            ),
            Fact::Settled { member } => format!("{member} has told everyone"),
            Fact::Taken { member, conn } => format!("{member} takes in of {}", conn.0),
            Fact::Closing { member, conn } => format!("{member} closes {}", conn.0),
            Fact::Left { member, conn } => format!("{member} forgets {}", conn.0),
            Fact::Asked {
                client, xid, ask, ..
            } => format!("client {} asks {xid} {ask:?}", client.0),
            Fact::Received { client, packet, .. } => {
                format!("client {} receives {}", client.0, described(packet))
            }
            Fact::SessionLost { client, session } => format!("client {} loses {session}", client.0),
            Fact::Final { member, replica } => format!("{member} ends with {}", replica.digest()),
        }
    }
}

fn hashed(bytes: &[u8]) -> String {
    format!("{}#{:x}", bytes.len(), fingerprint(bytes))
}

fn fingerprint(bytes: &[u8]) -> u64 {
    let mut hash = Mix::default();
    hash.write(bytes);
    hash.finish()
}

fn described(packet: &Packet) -> String {
    match packet {
        Packet::Connected(response) => format!("session {}", response.session_id),
        Packet::Reply(reply) => {
            let (xid, zxid, err) = (reply.xid, reply.zxid, reply.err);
            format!("reply {xid} at {zxid} {err:?} {}", hashed(&reply.body))
        }
        Packet::Event(event) => format!("event {} {} at {}", event.event, event.path, event.zxid),
    }
}

fn short(input: &Input) -> String {
    match input {
        Input::Request(request) => {
            let (conn, cxid, op) = (request.conn.0, request.cxid, request.op);
            format!("request {cxid} {op:?} of {conn}")
        }
        Input::Open(conn, open) => format!("open {} {}", conn.0, open.session),
        Input::Vote { from, message } => format!("vote of {from} {}", hashed(message)),
        Input::Unreachable(server) => format!("{server} cannot be reached"),
        Input::Reachable(server) => format!("{server} can be reached"),
        Input::Packet(link, packet) => {
            format!("{:?} {} on link {}", packet.kind, packet.zxid, link.0)
        }
        Input::PacketRun(link, run) => {
            let (kind, first, last) = (run.kind, run.first, run.last);
            format!("{kind:?} {first} to {last} on link {}", link.0)
        }
        other => format!("{other:?}"),
    }
}
