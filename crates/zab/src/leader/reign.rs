//! The broadcast phase: what is in flight, what waits for it, and the ticks that pass
//! (spec §6.7; Java `Leader.propose`, `tryToCommit`, `pendingSyncs`).

use crate::{Broadcast, EnsembleSettings, LinkId, Membership};
use alloc::collections::VecDeque;
use bytes::Bytes;
use zooid_proto::{Epoch, ServerId, Zxid};

/// What a leader has once a quorum holds its epoch's initial history.
#[derive(Clone, Debug)]
pub(super) struct Reign {
    pub(super) epoch: Epoch,
    broadcast: Broadcast,
    /// The records of what `broadcast` has outstanding, oldest first.
    in_flight: VecDeque<(Zxid, Bytes)>,
    /// Learners' syncs, and the proposal whose commit each waits for; oldest first.
    syncs: VecDeque<(Zxid, LinkId)>,
    /// Ticks since the reign began (Java `QuorumPeer.tick`).
    pub(super) tick: i64,
    /// Two beats to a tick.
    is_half_tick: bool,
    pub(super) next_beat_ms: i64,
}

impl Reign {
    /// The epoch's first zxid counts as proposed and committed, though no transaction has it.
    pub(super) fn new(
        now_ms: i64,
        settings: &EnsembleSettings,
        membership: &Membership,
        epoch: Epoch,
    ) -> Reign {
        Reign {
            epoch,
            broadcast: Broadcast::new(membership.verifiers(), Zxid::start_of(epoch)),
            in_flight: VecDeque::new(),
            syncs: VecDeque::new(),
            tick: 0,
            is_half_tick: false,
            next_beat_ms: now_ms.saturating_add(beat_ms(settings)),
        }
    }

    /// Takes the next proposal in.
    ///
    /// # Panics
    /// If it is not the next one: a confused replica stops.
    pub(super) fn propose(&mut self, zxid: Zxid, record: Bytes) {
        assert_eq!(
            zxid,
            self.broadcast.propose(),
            "proposals must take consecutive zxids"
        );
        self.in_flight.push_back((zxid, record));
    }

    /// The oldest proposal, when it has become committed.
    pub(super) fn next_committed(&mut self) -> Option<(Zxid, Bytes)> {
        let zxid = self.broadcast.next_committed()?;
        let (oldest, record) = self.in_flight.pop_front()?;
        assert_eq!(zxid, oldest, "commits must leave in the order of proposals");
        Some((zxid, record))
    }

    pub(super) fn ack(&mut self, server: ServerId, upto: Zxid) {
        self.broadcast.ack(server, upto);
    }

    pub(super) fn forget(&mut self, server: ServerId) {
        self.broadcast.forget(server);
    }

    pub(super) fn in_flight(&self) -> impl Iterator<Item = (Zxid, &Bytes)> {
        self.in_flight.iter().map(|(zxid, record)| (*zxid, record))
    }

    /// Whether a sync is due at once; otherwise it waits for the newest proposal's commit.
    pub(super) fn sync(&mut self, link: LinkId) -> bool {
        if self.in_flight.is_empty() {
            return true;
        }
        self.syncs.push_back((self.broadcast.last_proposed(), link));
        false
    }

    /// The next sync that has waited for `committed`.
    pub(super) fn next_sync_due(&mut self, committed: Zxid) -> Option<LinkId> {
        let (zxid, link) = *self.syncs.front()?;
        if zxid > committed {
            return None;
        }
        self.syncs.pop_front();
        Some(link)
    }

    pub(super) fn forget_syncs(&mut self, link: LinkId) {
        self.syncs.retain(|(_, waiting)| *waiting != link);
    }

    /// Lets half a tick pass; whether a tick is now complete. Beats that the caller missed are not made
    /// up for: a process that was stopped has not heard anyone either.
    pub(super) fn beat(&mut self, now_ms: i64, settings: &EnsembleSettings) -> bool {
        self.next_beat_ms = now_ms.saturating_add(beat_ms(settings));
        self.is_half_tick = !self.is_half_tick;
        if !self.is_half_tick {
            self.tick += 1;
        }
        !self.is_half_tick
    }

    pub(super) fn last_proposed(&self) -> Zxid {
        self.broadcast.last_proposed()
    }

    pub(super) fn last_committed(&self) -> Zxid {
        self.broadcast.last_committed()
    }

    pub(super) fn outstanding(&self) -> usize {
        self.broadcast.outstanding()
    }

    pub(super) fn pending_syncs(&self) -> usize {
        self.syncs.len()
    }
}

fn beat_ms(settings: &EnsembleSettings) -> i64 {
    (settings.tick_ms / 2).max(1)
}
