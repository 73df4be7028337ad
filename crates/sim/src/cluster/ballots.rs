//! The election port, as the values behind it see it: one slot for each pair of members, in which a
//! newer message replaces one that has not left, and the last message is sent again when two members
//! find together.

use super::env::Env;
use super::schedule::{Event, MemberId};
use crate::random::Random;
use bytes::Bytes;
use std::collections::BTreeMap;

/// Between tries to reach somebody.
const RETRY_US: u64 = 60_000;

#[derive(Debug)]
pub(crate) struct Ballots {
    dice: Random,
    latency_us: u64,
    slots: BTreeMap<(MemberId, MemberId), Slot>,
}

#[derive(Clone, Debug, Default)]
struct Slot {
    message: Option<Bytes>,
    last: Option<Bytes>,
    is_leaving: bool,
}

impl Ballots {
    pub(crate) fn new(seed: u64, latency_us: u64) -> Ballots {
        Ballots {
            dice: Random::stream(seed, "ballots"),
            latency_us,
            slots: BTreeMap::new(),
        }
    }
}

impl Env {
    /// Puts a message into its slot.
    pub(crate) fn cast(&mut self, from: MemberId, to: MemberId, message: Bytes) {
        let slot = self.ballots.slots.entry((from, to)).or_default();
        slot.message = Some(message);
        let delay_us = self.ballots.dice.between(50, self.ballots.latency_us);
        self.let_go(from, to, delay_us);
    }

    fn let_go(&mut self, from: MemberId, to: MemberId, delay_us: u64) {
        let slot = self.ballots.slots.entry((from, to)).or_default();
        if !slot.is_leaving && slot.message.is_some() {
            slot.is_leaving = true;
            self.after(delay_us, Event::Ballot { from, to });
        }
    }

    /// What leaves a slot, if the way is free.
    pub(crate) fn collect(
        &mut self,
        from: MemberId,
        to: MemberId,
        is_there: bool,
    ) -> Option<Bytes> {
        let is_blocked = self.network.is_blocked(from, to) || self.network.is_blocked(to, from);
        let slot = self.ballots.slots.entry((from, to)).or_default();
        slot.is_leaving = false;
        if is_blocked || !is_there {
            self.let_go(from, to, RETRY_US);
            return None;
        }
        let message = slot.message.take()?;
        slot.last = Some(message.clone());
        Some(message)
    }

    /// A member's process begins: it has said nothing yet, and the others say again what they said
    /// last.
    pub(crate) fn greet(&mut self, member: MemberId) {
        let pairs: Vec<_> = self.ballots.slots.keys().copied().collect();
        for (from, to) in pairs {
            let slot = self.ballots.slots.entry((from, to)).or_default();
            if from == member {
                slot.message = None;
                slot.last = None;
            } else if to == member && slot.message.is_none() {
                slot.message = slot.last.clone();
                self.let_go(from, to, RETRY_US);
            }
        }
    }
}
