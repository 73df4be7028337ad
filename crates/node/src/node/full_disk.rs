//! What is done about a disk that is nearly full (`docs/internals/election.md`, "A leader with a full
//! disk").
//!
//! Who orders writes refuses those that store data, so that the room that is left is for the others. A
//! leader first hands over, if the others can do without it: one of them may have room. Whether one has,
//! nobody says; but a server whose disk is low lets others go first in elections, so who is elected all the
//! same knows that they had the choice, and stays.

use super::{Node, Role};
use crate::step::Now;

/// Ticks after which the others are asked again, if a client has been refused since: somebody may have
/// made room on one of their disks. Each time costs the clients their connections.
const ASK_AGAIN_TICKS: i64 = 150;

/// Whether the disk has room.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Room {
    Enough,
    Low {
        /// When the others last had the choice of another leader than this server.
        asked_ms: Option<i64>,
        /// Whether somebody has been refused since then.
        has_refused: bool,
    },
}

impl Room {
    pub(super) fn of(is_low: bool) -> Room {
        if is_low {
            Room::Low {
                asked_ms: None,
                has_refused: false,
            }
        } else {
            Room::Enough
        }
    }

    pub(super) fn is_low(self) -> bool {
        self != Room::Enough
    }

    /// Says so as often as it is measured.
    fn measured(&mut self, is_low: bool) {
        if self.is_low() != is_low {
            *self = Room::of(is_low);
        }
    }

    pub(super) fn has_refused(&mut self) {
        if let Room::Low { has_refused, .. } = self {
            *has_refused = true;
        }
    }

    /// An election has begun in which this server lets others go first.
    pub(super) fn others_are_asked(&mut self, now_ms: i64) {
        if let Room::Low {
            asked_ms,
            has_refused,
        } = self
        {
            *asked_ms = Some(now_ms);
            *has_refused = false;
        }
    }

    fn is_hand_over_due(self, now_ms: i64, again_ms: i64) -> bool {
        match self {
            Room::Enough => false,
            Room::Low { asked_ms: None, .. } => true,
            Room::Low {
                asked_ms: Some(asked_ms),
                has_refused,
            } => has_refused && now_ms >= asked_ms.saturating_add(again_ms),
        }
    }
}

impl Node {
    pub(super) fn disk_space(&mut self, is_low: bool) {
        self.room.measured(is_low);
        if let Some(peer) = &mut self.peer {
            peer.set_reluctant(is_low);
        }
    }

    /// Without the others there would be no quorum: then this server goes on leading, because as a
    /// follower it could refuse nothing, and would soon have to stop.
    pub(super) fn hand_over_if_due(&mut self, now: Now) {
        let again_ms = self.settings.tick_ms.saturating_mul(ASK_AGAIN_TICKS);
        let is_due = self.room.is_hand_over_due(now.mono_ms, again_ms);
        if is_due
            && self.is_ordering()
            && let Role::Leading(leader) = &self.role
            && leader.is_dispensable()
        {
            self.step_down(now, "the disk is full; another server may have room");
        }
    }
}

#[cfg(test)]
mod tests;
