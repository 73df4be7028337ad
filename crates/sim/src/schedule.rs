//! What will happen when: a heap of (time, sequence, event). Events of the same time happen in the
//! order in which they were scheduled.

use bytes::Bytes;
use std::cmp::{Ordering, Reverse};
use std::collections::BinaryHeap;
use zooid_node::ConnId;
use zooid_proto::Zxid;

/// Which of a server's lives an event belongs to: those of an earlier one never happen.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Life(pub(crate) u64);

/// Which client.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct ClientId(pub(crate) usize);

#[derive(Clone, Debug)]
pub(crate) enum Event {
    /// A client decides what to do.
    Act(ClientId),
    /// A connection reaches the server.
    Accept(ConnId),
    /// A frame reaches the server.
    ToServer(ConnId, Bytes),
    /// The server learns that the client is gone.
    FinToServer(ConnId),
    /// Frames reach the client.
    ToClient(ConnId, Vec<Bytes>),
    /// The client learns that the server is gone.
    FinToClient(ConnId),
    /// A thread or task of the server gets its turn.
    Server(Life, Turn),
    /// The server is started.
    Restart,
    /// Something breaks.
    Fault(FaultKind),
}

#[derive(Clone, Copy, Debug)]
pub(crate) enum Turn {
    Core,
    Timer,
    Socket(ConnId),
    Leave(ConnId),
    Log,
    LogDone {
        generation: u64,
        upto: Zxid,
    },
    /// A mutant's sync, which comes too late.
    LateSync,
    Snapshot,
    Purge,
}

#[derive(Clone, Copy, Debug)]
pub(crate) enum FaultKind {
    /// Power is lost at the disk operation so many from now.
    PowerLoss { operations: u64 },
    /// The disk operation so many from now fails.
    DiskError { operations: u64 },
    /// The disk operation so many from now is slow if it is a sync.
    SlowSync { operations: u64 },
    /// The disk has no room for more than so many bytes.
    DiskFull { bytes: u64 },
    /// The process is killed.
    Kill,
}

/// See the module.
#[derive(Debug)]
pub(crate) struct Schedule<E = Event> {
    heap: BinaryHeap<Entry<E>>,
    sequence: u64,
}

/// The earliest is the greatest, as a heap wants it.
#[derive(Debug)]
struct Entry<E> {
    place: Reverse<(u64, u64)>,
    event: E,
}

impl<E> PartialEq for Entry<E> {
    fn eq(&self, other: &Entry<E>) -> bool {
        self.place == other.place
    }
}

impl<E> Eq for Entry<E> {}

impl<E> PartialOrd for Entry<E> {
    fn partial_cmp(&self, other: &Entry<E>) -> Option<Ordering> {
        Some(self.cmp(other))
    }
}

impl<E> Ord for Entry<E> {
    fn cmp(&self, other: &Entry<E>) -> Ordering {
        self.place.cmp(&other.place)
    }
}

impl<E> Default for Schedule<E> {
    fn default() -> Schedule<E> {
        Schedule {
            heap: BinaryHeap::new(),
            sequence: 0,
        }
    }
}

impl<E> Schedule<E> {
    pub(crate) fn at(&mut self, time_us: u64, event: E) {
        self.sequence += 1;
        let place = Reverse((time_us, self.sequence));
        self.heap.push(Entry { place, event });
    }

    pub(crate) fn next(&mut self) -> Option<(u64, E)> {
        let Entry { place, event } = self.heap.pop()?;
        Some((place.0.0, event))
    }
}
