//! What can happen in an ensemble.

use crate::schedule::{ClientId, Life};
use bytes::Bytes;
use zooid_node::{ConnId, Input};
use zooid_zab::LinkId;

/// Which member, counted from 0.
pub(crate) type MemberId = usize;

#[derive(Clone, Debug)]
pub(crate) enum Event {
    /// A client decides what to do.
    Act(ClientId),
    /// A client's connection reaches a member.
    Accept(MemberId, ConnId),
    /// A frame reaches a member.
    ToServer(MemberId, ConnId, Bytes),
    /// A member learns that a client is gone.
    FinToServer(MemberId, ConnId),
    /// Frames reach a client.
    ToClient(ConnId, Vec<Bytes>),
    /// A client learns that its server is gone.
    FinToClient(ConnId),
    /// Something of a member's gets its turn.
    Member(MemberId, Life, Turn),
    /// A member's process is started.
    Start(MemberId),
    /// What was dialled reaches its other end.
    Connect(WireId),
    /// The next parcel of a wire reaches its end in this direction.
    Arrive(WireId, Direction),
    /// A message leaves its slot for another member.
    Ballot { from: MemberId, to: MemberId },
    /// Something breaks.
    Fault,
    /// A leader is deposed unawares, step by step.
    Depose(Deposing),
    /// A disk has room again.
    FreeDisk(MemberId),
    /// The time for what was tried with one member is over.
    EndTrial(MemberId),
    /// Parts of the network find together again.
    Reunite,
    /// The second act begins.
    Mend,
    /// Looks whether the ensemble has converged.
    Look,
}

/// Steps in which a leader is deposed without hearing of it.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Deposing {
    /// What is said to it comes late from now on.
    Begin,
    /// What it says does not come any more.
    Deafen(MemberId),
    /// Nor what is said to it.
    Cut(MemberId),
    /// Clients ask how things stand.
    Prompt,
    /// Everybody finds together again.
    End,
}

#[derive(Clone, Debug)]
pub(crate) enum Turn {
    Core,
    Timer,
    Socket(ConnId),
    Leave(ConnId),
    Storage,
    StorageDone(Option<Input>),
    /// The log's thread looks how much room there is.
    LookForSpace,
    /// A mutant's sync, which comes too late.
    LateSync,
    Snapshot,
    Purge,
    /// An operator wants a snapshot.
    TakeSnapshot,
    /// The next part of a snapshot for a learner is taken.
    SendSnapshot(LinkId),
    /// What the network tells the core.
    Told(Input),
}

/// A connection on the quorum port; unique in a run.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct WireId(pub(crate) u64);

/// Which way on a wire.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Direction {
    /// From who dialled to who was dialled.
    Out,
    /// Back.
    Back,
}

impl Direction {
    pub(crate) fn reverse(self) -> Direction {
        match self {
            Direction::Out => Direction::Back,
            Direction::Back => Direction::Out,
        }
    }
}
