//! The connections between election ports (spec §5.1; Java `QuorumCnxManager`).
//!
//! Owns who dials whom, which connection of a pair stays, and what is sent again. Each pair of servers
//! ends up with one connection, dialed by the one with the higher id; the other one's dial is a
//! request to be called back. It knows nothing of votes, sockets or names: the driver connects,
//! resolves names anew at each [`MeshAction::Dial`], introduces itself in one write, and frames
//! messages.
//!
//! Every server has a slot for one message; a newer one replaces one that has not left. What was sent
//! last is sent again on every new connection, because it may have been lost with the old one.

use alloc::collections::{BTreeMap, BTreeSet};
use alloc::vec::Vec;
use bytes::Bytes;
use peer::Peer;
use zooid_proto::ServerId;
use zooid_proto::election::{ElectionAddress, InitialMessage};

mod peer;

/// A connection on the election port; named by the driver, and every one higher than those before.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct MeshConnId(pub u64);

/// Something that has happened.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum MeshInput {
    /// There is something to tell a server.
    Send {
        /// Whom.
        to: ServerId,
        /// An encoded notification.
        message: Bytes,
    },
    /// Somebody has connected.
    Accepted(MeshConnId),
    /// Somebody who has connected says who it is.
    Introduced {
        /// Where.
        conn: MeshConnId,
        /// What it says.
        message: InitialMessage,
    },
    /// A dial has succeeded, and this server has introduced itself.
    Dialed {
        /// The new connection.
        conn: MeshConnId,
        /// Whom the dial was for.
        to: ServerId,
    },
    /// A dial has failed at every address.
    DialFailed(ServerId),
    /// A message came.
    Received {
        /// Where.
        conn: MeshConnId,
        /// Without its length.
        message: Bytes,
    },
    /// The message of a [`MeshAction::Write`] is with the kernel.
    Written(MeshConnId),
    /// A connection has ended.
    Closed(MeshConnId),
    /// Who takes part has changed; without this server.
    Peers(BTreeMap<ServerId, Vec<ElectionAddress>>),
    /// Time has passed.
    Timer,
    /// The server stops.
    Halt,
}

/// Something that the driver must do, in order.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum MeshAction {
    /// Connect to the first of these that can be reached, and answer with [`MeshInput::Dialed`] or
    /// [`MeshInput::DialFailed`].
    Dial {
        /// Whom.
        to: ServerId,
        /// Not empty; names are to be resolved now.
        addresses: Vec<ElectionAddress>,
    },
    /// Send a message and answer with [`MeshInput::Written`]; until then there is no other.
    Write {
        /// Where.
        conn: MeshConnId,
        /// Without its length.
        message: Bytes,
    },
    /// Close a connection. Nothing that comes of it matters any more.
    Close {
        /// Which.
        conn: MeshConnId,
        /// For the log.
        reason: CloseReason,
    },
    /// Hand a message to the election.
    Deliver {
        /// Who sent it.
        from: ServerId,
        /// An encoded notification.
        message: Bytes,
    },
    /// Tell the election that a member of the configuration cannot be reached: there is no connection,
    /// and the last dial has failed. Said once.
    Unreachable(ServerId),
    /// Tell the election that such a member gives a sign of life again. Said once.
    Reachable(ServerId),
}

/// Why a connection is closed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum CloseReason {
    /// The other server has the higher id and calls back.
    TheyCallBack,
    /// This server has the higher id and calls back.
    WeCallBack,
    /// There is a newer connection with the same server.
    Replaced,
    /// Somebody else has this server's id.
    OurOwnId,
    /// No server has such an id.
    ImpossibleId,
    /// It is not in the configuration, and enough such servers are connected already.
    TooManyStrangers,
    /// Enough connections have not said whose they are.
    TooManyUnintroduced,
    /// The server stops.
    Halted,
}

/// The connections of one server.
#[derive(Clone, Debug)]
pub struct Mesh {
    me: ServerId,
    peers: BTreeMap<ServerId, Peer>,
    /// Accepted, and not introduced yet.
    unintroduced: BTreeSet<MeshConnId>,
    /// Whose each other connection is.
    owners: BTreeMap<MeshConnId, ServerId>,
    /// The last id given to an observer that has none.
    anonymous: i64,
    halted: bool,
}

impl Mesh {
    /// Without connections. `peers` has everybody but this server.
    #[must_use]
    pub fn new(me: ServerId, peers: BTreeMap<ServerId, Vec<ElectionAddress>>) -> Mesh {
        let mut mesh = Mesh {
            me,
            peers: BTreeMap::new(),
            unintroduced: BTreeSet::new(),
            owners: BTreeMap::new(),
            anonymous: 0,
            halted: false,
        };
        mesh.set_peers(peers);
        mesh
    }

    /// Takes what has happened and says what must be done.
    pub fn step(&mut self, now_ms: i64, input: MeshInput, out: &mut Vec<MeshAction>) {
        if self.halted {
            return refuse_opened(&input, out);
        }
        match input {
            MeshInput::Send { to, message } => {
                // A server that is neither configured nor connected cannot be told anything.
                if let Some(peer) = self.peers.get_mut(&to) {
                    peer.send(now_ms, message, out);
                }
            }
            MeshInput::Accepted(conn) => self.accepted(conn, out),
            MeshInput::Introduced { conn, message } => self.introduced(now_ms, conn, message, out),
            MeshInput::Dialed { conn, to } => self.dialed(now_ms, conn, to, out),
            MeshInput::DialFailed(to) => {
                if let Some(peer) = self.peers.get_mut(&to) {
                    peer.dial_failed(now_ms, out);
                    self.forget_if_stranger(to);
                }
            }
            MeshInput::Received { conn, message } => {
                if let Some((from, peer)) = self.owner(conn) {
                    peer.heard();
                    out.push(MeshAction::Deliver { from, message });
                }
            }
            MeshInput::Written(conn) => {
                if let Some((_, peer)) = self.owner(conn) {
                    peer.written(now_ms, out);
                }
            }
            MeshInput::Closed(conn) => self.closed(now_ms, conn, out),
            MeshInput::Peers(peers) => self.set_peers(peers),
            MeshInput::Timer => {
                for peer in self.peers.values_mut() {
                    peer.timer(now_ms, out);
                }
            }
            MeshInput::Halt => self.halt(out),
        }
    }

    /// When [`MeshInput::Timer`] must come at the latest.
    #[must_use]
    pub fn next_wakeup_ms(&self) -> Option<i64> {
        self.peers.values().filter_map(Peer::retry_at_ms).min()
    }

    /// Whether there is a connection with a server.
    #[must_use]
    pub fn is_connected(&self, id: ServerId) -> bool {
        let peer = self.peers.get(&id);
        peer.is_some_and(|peer| peer.conn().is_some())
    }

    /// When too many say nothing, the one that has for the longest time goes: a server introduces
    /// itself at once.
    fn accepted(&mut self, conn: MeshConnId, out: &mut Vec<MeshAction>) {
        if self.unintroduced.len() == UNINTRODUCED_MAX
            && let Some(oldest) = self.unintroduced.pop_first()
        {
            close(oldest, CloseReason::TooManyUnintroduced, out);
        }
        self.unintroduced.insert(conn);
    }

    fn introduced(
        &mut self,
        now_ms: i64,
        conn: MeshConnId,
        message: InitialMessage,
        out: &mut Vec<MeshAction>,
    ) {
        if !self.unintroduced.remove(&conn) {
            return;
        }
        let is_anonymous = message.from == InitialMessage::ANONYMOUS;
        let from = if is_anonymous {
            self.anonymous -= 1;
            ServerId(self.anonymous)
        } else {
            message.from
        };
        let is_new = !self.peers.contains_key(&from);
        let refusal = if from == self.me {
            Some(CloseReason::OurOwnId)
        } else if is_new && from.0 < 0 && !is_anonymous {
            Some(CloseReason::ImpossibleId)
        } else if is_new && self.strangers() >= STRANGERS_MAX {
            Some(CloseReason::TooManyStrangers)
        } else {
            None
        };
        if let Some(reason) = refusal {
            return close(conn, reason, out);
        }
        let peer = self
            .peers
            .entry(from)
            .or_insert_with(|| Peer::stranger(from));
        // An observer without an id has dialed with the highest one.
        if from > self.me || is_anonymous {
            self.owners.insert(conn, from);
            let replaced = peer.join(now_ms, conn, out);
            self.disown(replaced, CloseReason::Replaced, out);
        } else {
            close(conn, CloseReason::WeCallBack, out);
            // It would not dial if it believed in the connection that there may be.
            let stale = peer.called(message.addresses, out);
            self.disown(stale, CloseReason::Replaced, out);
            self.forget_if_stranger(from);
        }
    }

    fn dialed(&mut self, now_ms: i64, conn: MeshConnId, to: ServerId, out: &mut Vec<MeshAction>) {
        let Some(peer) = self.peers.get_mut(&to) else {
            return close(conn, CloseReason::Replaced, out);
        };
        peer.dialed(out);
        if to > self.me {
            close(conn, CloseReason::TheyCallBack, out);
            peer.await_call_back(now_ms);
            self.forget_if_stranger(to);
        } else {
            self.owners.insert(conn, to);
            let replaced = peer.join(now_ms, conn, out);
            self.disown(replaced, CloseReason::Replaced, out);
        }
    }

    fn closed(&mut self, now_ms: i64, conn: MeshConnId, out: &mut Vec<MeshAction>) {
        self.unintroduced.remove(&conn);
        if let Some(owner) = self.owners.remove(&conn) {
            if let Some(peer) = self.peers.get_mut(&owner) {
                peer.closed(now_ms, out);
            }
            self.forget_if_stranger(owner);
        }
    }

    fn halt(&mut self, out: &mut Vec<MeshAction>) {
        self.halted = true;
        let all = self.unintroduced.iter().chain(self.owners.keys());
        for conn in all {
            close(*conn, CloseReason::Halted, out);
        }
        self.peers.clear();
        self.unintroduced.clear();
        self.owners.clear();
    }

    fn set_peers(&mut self, peers: BTreeMap<ServerId, Vec<ElectionAddress>>) {
        let gone = |id: &ServerId| !peers.contains_key(id);
        let former: Vec<ServerId> = self.peers.keys().copied().filter(gone).collect();
        for id in former {
            if let Some(peer) = self.peers.get_mut(&id) {
                peer.configure(None);
            }
            self.forget_if_stranger(id);
        }
        for (id, addresses) in peers {
            let peer = self.peers.entry(id).or_insert_with(|| Peer::stranger(id));
            peer.configure(Some(addresses));
        }
    }

    /// Whose connection it is, if it is still that server's only one.
    fn owner(&mut self, conn: MeshConnId) -> Option<(ServerId, &mut Peer)> {
        let owner = *self.owners.get(&conn)?;
        Some((owner, self.peers.get_mut(&owner)?))
    }

    fn disown(&mut self, conn: Option<MeshConnId>, reason: CloseReason, out: &mut Vec<MeshAction>) {
        if let Some(conn) = conn {
            self.owners.remove(&conn);
            close(conn, reason, out);
        }
    }

    fn strangers(&self) -> usize {
        self.peers
            .values()
            .filter(|peer| peer.is_stranger())
            .count()
    }

    /// What is not configured is known for as long as it is connected, or being dialed.
    fn forget_if_stranger(&mut self, id: ServerId) {
        let peer = self.peers.get(&id);
        if peer.is_some_and(|peer| peer.is_stranger() && peer.is_apart()) {
            self.peers.remove(&id);
        }
    }
}

fn close(conn: MeshConnId, reason: CloseReason, out: &mut Vec<MeshAction>) {
    out.push(MeshAction::Close { conn, reason });
}

/// What was under way when the server stopped.
fn refuse_opened(input: &MeshInput, out: &mut Vec<MeshAction>) {
    if let MeshInput::Accepted(conn) | MeshInput::Dialed { conn, .. } = input {
        close(*conn, CloseReason::Halted, out);
    }
}

/// Connections that have not said whose they are, at most.
const UNINTRODUCED_MAX: usize = 64;
/// Servers connected that are not in the configuration, at most.
const STRANGERS_MAX: usize = 64;

#[cfg(test)]
mod tests;
