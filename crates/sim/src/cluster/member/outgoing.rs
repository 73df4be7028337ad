//! Snapshots on their way to learners: written part by part while the tree goes on changing, and
//! whatever is for the link behind them waits.

use super::Member;
use crate::cluster::env::Env;
use crate::cluster::network::Parcel;
use crate::cluster::schedule::Turn;
use crate::cluster::snapshot::SnapshotOnWire;
use std::collections::VecDeque;
use zooid_proto::{QuorumPacket, Zxid};
use zooid_tree::Walk;
use zooid_zab::LinkId;

/// Taken from the tree at once: a small part of most trees.
const CHUNK_LEN: usize = 512;
/// Between two parts, at most.
const CHUNK_US_MAX: u64 = 1_500;

#[derive(Debug)]
pub(super) struct Outgoing {
    walk: Walk,
    body: Vec<u8>,
    /// What it is a snapshot of; for the checkers.
    history: Vec<Zxid>,
    held: VecDeque<QuorumPacket>,
}

impl Outgoing {
    /// Keeps a packet that must come behind the snapshot.
    pub(super) fn hold(&mut self, packet: &QuorumPacket) {
        self.held.push_back(packet.clone());
    }
}

impl Member {
    /// Of the tree as it is now.
    pub(super) fn send_snapshot(&mut self, env: &mut Env, link: LinkId) {
        let outgoing = Outgoing {
            walk: self.replica.begin_walk(),
            body: Vec::new(),
            history: env.checkers.ledger.applied(self.id).to_vec(),
            held: VecDeque::new(),
        };
        self.outgoing.insert(link, outgoing);
        self.send_chunk(env, link);
    }

    /// Takes the next part, and after the last one sends the whole.
    pub(super) fn send_chunk(&mut self, env: &mut Env, link: LinkId) {
        let Some(outgoing) = self.outgoing.get_mut(&link) else {
            return;
        };
        let Outgoing { walk, body, .. } = outgoing;
        if walk.next_chunk(&self.replica, body, CHUNK_LEN) {
            return self.soon(env, CHUNK_US_MAX, Turn::SendSnapshot(link));
        }
        let Some(outgoing) = self.outgoing.remove(&link) else {
            return;
        };
        let Outgoing {
            walk,
            body,
            history,
            held,
        } = outgoing;
        let snapshot = SnapshotOnWire::new(walk.zxid(), body, &history);
        self.replica.end_walk(walk);
        let Some((wire, direction)) = env.network.find(self.id, link) else {
            return;
        };
        let line = format!("{} sends a snapshot of {}", self.id, snapshot.zxid);
        env.milestone(&line);
        env.transmit(wire, direction, Parcel::Snapshot(Box::new(snapshot)));
        for packet in held {
            self.put(env, link, &packet);
        }
    }

    /// The link is gone, or the tree is another.
    pub(super) fn forget_outgoing(&mut self, link: LinkId) {
        if let Some(outgoing) = self.outgoing.remove(&link) {
            self.replica.end_walk(outgoing.walk);
        }
    }
}
