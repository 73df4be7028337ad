//! Who is still there (spec §6.8; Java `Leader.lead`'s loop, socket timeouts, `SyncLimitCheck`).

use super::peer::{Peer, Stage};
use super::{Leader, LeaderAction, Phase};
use crate::LinkId;
use alloc::format;
use alloc::string::{String, ToString};
use alloc::vec::Vec;
use zooid_proto::{PacketType, QuorumPacket};

impl Leader {
    /// Time has passed. Due at [`Leader::next_wakeup_ms`]; earlier does no harm.
    pub fn timer(&mut self, now_ms: i64, out: &mut Vec<LeaderAction>) {
        match &self.phase {
            Phase::Resigned => return,
            Phase::Broadcasting(_) => {}
            Phase::Gathering { .. }
            | Phase::Accepting { .. }
            | Phase::Electing { .. }
            | Phase::Synchronizing { .. } => {
                if now_ms >= self.phase_deadline_ms {
                    let reason = self.what_is_missing().to_string();
                    return self.resign(reason, out);
                }
            }
        }
        self.hang_up_silent(now_ms, out);
        if self
            .reign()
            .is_some_and(|reign| now_ms >= reign.next_beat_ms)
        {
            self.beat(now_ms, out);
        }
    }

    /// When [`Leader::timer`] has something to do.
    #[must_use]
    pub fn next_wakeup_ms(&self) -> i64 {
        let own = match &self.phase {
            Phase::Resigned => return i64::MAX,
            Phase::Broadcasting(reign) => reign.next_beat_ms,
            Phase::Gathering { .. }
            | Phase::Accepting { .. }
            | Phase::Electing { .. }
            | Phase::Synchronizing { .. } => self.phase_deadline_ms,
        };
        let deadlines = self.deadlines().map(|(_, deadline_ms)| deadline_ms);
        deadlines.min().map_or(own, |earliest| own.min(earliest))
    }

    fn what_is_missing(&self) -> &'static str {
        match &self.phase {
            Phase::Gathering { .. } => "no quorum has connected in time",
            Phase::Accepting { .. } => "the own acceptedEpoch has not become durable in time",
            Phase::Electing { .. } => "no quorum has accepted the epoch in time",
            Phase::Synchronizing { .. } => "no quorum has acknowledged NEWLEADER in time",
            Phase::Broadcasting(_) | Phase::Resigned => "nothing",
        }
    }

    /// The tick that it is.
    pub(super) fn tick(&self) -> i64 {
        self.reign().map_or(0, |reign| reign.tick)
    }

    /// A learner has said something.
    pub(super) fn heard(&mut self, now_ms: i64, link: LinkId) {
        let tick = self.tick();
        let Some(peer) = self.peers.get_mut(&link) else {
            return;
        };
        peer.heard_ms = now_ms;
        if matches!(peer.stage, Stage::NewLeaderAcked | Stage::Active) {
            peer.tick_deadline = tick.saturating_add(self.settings.sync_limit);
        }
    }

    /// Links on which it is the other side's turn, and until when (Java `Socket.setSoTimeout`).
    fn deadlines(&self) -> impl Iterator<Item = (LinkId, i64)> {
        let (init_ms, sync_ms) = (self.settings.init_ms(), self.settings.sync_ms());
        let strangers = self
            .strangers
            .iter()
            .map(move |(link, opened_ms)| (*link, opened_ms.saturating_add(init_ms)));
        let peers = self.peers.iter().filter_map(move |(link, peer)| {
            let limit_ms = match peer.stage {
                Stage::EpochSent | Stage::Syncing { .. } => init_ms,
                Stage::Active => sync_ms,
                // It is the others' turn, or our own log's.
                Stage::Introduced
                | Stage::EpochAcked { .. }
                | Stage::Probing { .. }
                | Stage::NewLeaderAcked => return None,
            };
            Some((*link, peer.heard_ms.saturating_add(limit_ms)))
        });
        strangers.chain(peers)
    }

    fn hang_up_silent(&mut self, now_ms: i64, out: &mut Vec<LeaderAction>) {
        let silent: Vec<LinkId> = self
            .deadlines()
            .filter(|(_, deadline_ms)| now_ms >= *deadline_ms)
            .map(|(link, _)| link)
            .collect();
        for link in silent {
            self.hang_up(link, "nothing has been heard in time".to_string(), out);
        }
    }

    /// Twice a tick: is there a quorum still, and does everyone hear of it?
    fn beat(&mut self, now_ms: i64, out: &mut Vec<LeaderAction>) {
        let Phase::Broadcasting(reign) = &mut self.phase else {
            return;
        };
        let is_tick = reign.beat(now_ms, &self.settings);
        let tick = reign.tick;
        if is_tick && !self.is_quorum(|peer| tick <= peer.tick_deadline) {
            self.resign("too few followers are there".to_string(), out);
            return;
        }
        let sync_ms = self.settings.sync_ms();
        if self.own.is_overdue(now_ms, sync_ms) {
            // Others may have a disk that works; a quorum of theirs alone would hide that this has not.
            let reason = "the own log has not become durable in time";
            self.resign(reason.to_string(), out);
            return;
        }
        let is_overdue = |peer: &Peer| peer.unacknowledged.is_overdue(now_ms, sync_ms);
        let overdue: Vec<(LinkId, String)> = self
            .peers
            .iter()
            .filter(|(_, peer)| is_overdue(peer))
            .map(|(link, peer)| (*link, format!("{} acknowledges too late", peer.id)))
            .collect();
        for (link, reason) in overdue {
            self.hang_up(link, reason, out);
        }
        let ping = QuorumPacket::new(PacketType::Ping, self.last_proposed());
        for (link, _) in self.peers.iter().filter(|(_, peer)| peer.is_forwarding()) {
            out.push(LeaderAction::Send(*link, ping.clone()));
        }
        self.remind(out);
    }
}
