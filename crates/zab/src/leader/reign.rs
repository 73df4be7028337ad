//! The broadcast phase: what is in flight, what waits for it, and the ticks that pass
//! (spec §6.7; Java `Leader.propose`, `tryToCommit`, `pendingSyncs`).

use super::confirmation::{Confirmation, Round};
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
    /// Learners' syncs, oldest first.
    syncs: VecDeque<Sync>,
    pub(super) confirmation: Confirmation,
    /// Ticks since the reign began (Java `QuorumPeer.tick`).
    pub(super) tick: i64,
    /// Two beats to a tick.
    is_half_tick: bool,
    pub(super) next_beat_ms: i64,
}

/// A learner's sync, and what it waits for.
#[derive(Clone, Copy, Debug)]
struct Sync {
    link: LinkId,
    /// The commit of this proposal, which was the newest.
    after: Zxid,
    /// Proof that this server leads, from after it has come; a newer proposal's commit will do.
    round: Round,
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
            confirmation: Confirmation::default(),
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

    /// The zxid of [`Reign::next_committed`].
    pub(super) fn next_to_commit(&self) -> Option<Zxid> {
        let next = self.last_committed().next();
        (next <= self.broadcast.agreed()).then_some(next)
    }

    /// How far [`Reign::next_committed`] goes before a sync is to be answered.
    pub(super) fn run_end(&self) -> Zxid {
        let agreed = self.broadcast.agreed();
        let next = self.last_committed().next();
        let sync = self
            .syncs
            .iter()
            .map(|sync| sync.after)
            .find(|after| *after >= next);
        sync.map_or(agreed, |after| after.min(agreed))
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

    /// Has a sync wait for the newest proposal's commit, and for a round.
    pub(super) fn sync(&mut self, link: LinkId, round: Round) {
        let after = self.broadcast.last_proposed();
        self.syncs.push_back(Sync { link, after, round });
    }

    /// The next sync whose wait is over.
    pub(super) fn next_sync_due(&mut self) -> Option<LinkId> {
        let (committed, confirmed) = (self.last_committed(), self.confirmation.confirmed());
        let is_due = |sync: &Sync| sync.after <= committed && sync.round <= confirmed;
        let sync = self.syncs.pop_front_if(|sync| is_due(sync))?;
        Some(sync.link)
    }

    /// The next sync that is older than a proposal that is about to be committed.
    pub(super) fn next_sync_before(&mut self, zxid: Zxid) -> Option<LinkId> {
        let sync = self.syncs.pop_front_if(|sync| sync.after < zxid)?;
        Some(sync.link)
    }

    pub(super) fn forget_syncs(&mut self, link: LinkId) {
        self.syncs.retain(|sync| sync.link != link);
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
