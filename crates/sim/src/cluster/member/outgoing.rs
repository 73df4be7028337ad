//! Snapshots on their way to learners: written and sent part by part while the tree goes on changing, and
//! whatever is for the link behind them waits.

use super::Member;
use crate::cluster::env::Env;
use crate::cluster::schedule::Turn;
use bytes::Bytes;
use std::collections::VecDeque;
use zooid_proto::{PacketType, QuorumPacket};
use zooid_tree::Walk;
use zooid_zab::LinkId;

/// Taken from the tree at once: a small part of most trees.
const CHUNK_LEN: usize = 512;
/// Between two parts, at most.
const CHUNK_US_MAX: u64 = 1_500;

#[derive(Debug)]
pub(super) struct Outgoing {
    walk: Walk,
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
        let walk = self.replica.begin_walk();
        let zxid = walk.zxid();
        env.milestone(&format!("{} sends a snapshot of {zxid}", self.id));
        if let Some((wire, _)) = env.network.find(self.id, link) {
            let history = env.checkers.ledger.applied(self.id);
            env.network.note_history(wire, history);
        }
        self.put(env, link, &QuorumPacket::new(PacketType::Snap, zxid));
        let held = VecDeque::new();
        self.outgoing.insert(link, Outgoing { walk, held });
        self.send_chunk(env, link);
    }

    /// Sends the next part, and after the last one what has waited.
    pub(super) fn send_chunk(&mut self, env: &mut Env, link: LinkId) {
        let Some(outgoing) = self.outgoing.get_mut(&link) else {
            return;
        };
        let mut chunk = Vec::new();
        let is_more = (outgoing.walk).next_chunk(&self.replica, &mut chunk, CHUNK_LEN);
        if let Some((wire, direction)) = env.network.find(self.id, link) {
            env.transmit_in_pieces(wire, direction, Bytes::from(chunk));
        }
        if is_more {
            return self.soon(env, CHUNK_US_MAX, Turn::SendSnapshot(link));
        }
        let Some(outgoing) = self.outgoing.remove(&link) else {
            return;
        };
        for packet in outgoing.held {
            self.put(env, link, &packet);
        }
    }

    /// The link is gone, or the tree is another.
    pub(super) fn forget_outgoing(&mut self, link: LinkId) {
        self.outgoing.remove(&link);
    }
}
