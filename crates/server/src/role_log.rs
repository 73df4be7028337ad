//! Which role this server has had in its ensemble, since when, and what operators are told about that
//! (Java `QuorumPeer.setPeerState`, `setZabState`, `ProposalStats`).

use crate::stats::{Counters, Summaries};
use std::sync::atomic::Ordering;
use tracing::info;
use zooid_node::{PeerPhase, PeerStatus, Tally};
use zooid_proto::election::PeerState;

/// See the module. Times are on the monotonic clock, in milliseconds.
#[derive(Clone, Debug, Default)]
pub(crate) struct RoleLog {
    state: Option<PeerState>,
    phase: Option<PeerPhase>,
    /// When the server began to be what it is.
    since_ms: i64,
    /// Since when it has not been part of a working ensemble, if it is not.
    unavailable_since_ms: Option<i64>,
    /// Bytes of what it has proposed since it leads.
    proposals: Tally,
    last_proposal_bytes: Option<i64>,
}

impl RoleLog {
    /// Whether transactions are proposed here.
    pub(crate) fn leads(&self) -> bool {
        self.state == Some(PeerState::Leading)
    }

    /// How long this server has led.
    pub(crate) fn leader_uptime_ms(&self, now_ms: i64) -> Option<i64> {
        self.leads().then(|| now_ms - self.since_ms)
    }

    /// Bytes of the last, the smallest and the largest proposal of a leader; -1 before the first.
    pub(crate) fn proposal_bytes(&self) -> Option<[i64; 3]> {
        let known = |bytes: i64| self.last_proposal_bytes.map_or(-1, |_| bytes);
        let last = self.last_proposal_bytes.unwrap_or(-1);
        let sizes = [last, known(self.proposals.min), known(self.proposals.max)];
        self.leads().then_some(sizes)
    }

    pub(crate) fn proposed(&mut self, bytes: usize) {
        let bytes = i64::try_from(bytes).unwrap_or(i64::MAX);
        self.proposals.add(bytes);
        self.last_proposal_bytes = Some(bytes);
    }

    /// Takes note of what the server is now.
    pub(crate) fn changed(
        &mut self,
        now_ms: i64,
        status: &PeerStatus,
        counters: &Counters,
        summaries: &mut Summaries,
    ) {
        if self.state == Some(status.state) && self.phase == Some(status.phase) {
            return;
        }
        info!(
            state = ?status.state,
            phase = ?status.phase,
            leader = status.leader.map(|id| id.0),
            epoch = status.epochs.current.0,
            "role"
        );
        if self.state != Some(status.state) {
            self.state_changed(now_ms, status.state, counters, summaries);
        }
        self.phase = Some(status.phase);
        if status.phase == PeerPhase::Broadcast {
            self.established(now_ms, status.state, summaries);
        }
    }

    fn state_changed(
        &mut self,
        now_ms: i64,
        state: PeerState,
        counters: &Counters,
        summaries: &mut Summaries,
    ) {
        if state == PeerState::Looking {
            counters.elections.fetch_add(1, Ordering::Relaxed);
            self.unavailable_since_ms.get_or_insert(now_ms);
        } else if self.state == Some(PeerState::Looking) {
            summaries.elections.add(now_ms - self.since_ms);
        }
        self.state = Some(state);
        self.since_ms = now_ms;
        self.proposals = Tally::default();
        self.last_proposal_bytes = None;
    }

    fn established(&mut self, now_ms: i64, state: PeerState, summaries: &mut Summaries) {
        match state {
            PeerState::Following => summaries.follower_syncs.add(now_ms - self.since_ms),
            PeerState::Observing => summaries.observer_syncs.add(now_ms - self.since_ms),
            PeerState::Looking | PeerState::Leading => {}
        }
        let Some(since_ms) = self.unavailable_since_ms.take() else {
            return;
        };
        summaries.unavailable.add(now_ms - since_ms);
        if state == PeerState::Leading {
            summaries.leader_unavailable.add(now_ms - since_ms);
        }
    }
}

#[cfg(test)]
mod tests;
