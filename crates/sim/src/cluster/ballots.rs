//! The election port, as the values behind it see it: one slot for each pair of members, in which a
//! newer message replaces one that has not left, and the last message is sent again when two members
//! find together.

use super::env::Env;
use super::schedule::{Event, MemberId};
use crate::random::Random;
use bytes::Bytes;
use std::collections::BTreeMap;

/// How often somebody is taken for unreachable to whom a message has just left.
const MISSED_PER_MILLE: u64 = 20;
/// Between tries to reach somebody.
const RETRY_US: u64 = 60_000;

#[derive(Debug)]
pub(crate) struct Ballots {
    dice: Random,
    /// For what is believed of others.
    errors: Random,
    latency_us: u64,
    slots: BTreeMap<(MemberId, MemberId), Slot>,
}

#[derive(Clone, Debug, Default)]
struct Slot {
    message: Option<Bytes>,
    last: Option<Bytes>,
    is_leaving: bool,
    /// What the sender was told last, if that was true.
    is_unreachable: bool,
}

/// What has come of a slot whose turn it was.
#[derive(Debug)]
pub(crate) enum Collected {
    Nothing,
    /// Nobody is there, or the way is blocked: said once.
    Unreachable,
    /// A message has left.
    Left {
        message: Bytes,
        /// For the first time since it was unreachable.
        is_back: bool,
        /// Its receiver is taken for unreachable all the same, as when its port is and it is not.
        is_missed: bool,
    },
}

impl Ballots {
    pub(crate) fn new(seed: u64, latency_us: u64) -> Ballots {
        Ballots {
            dice: Random::stream(seed, "ballots"),
            errors: Random::stream(seed, "reachability"),
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
    pub(crate) fn collect(&mut self, from: MemberId, to: MemberId, is_there: bool) -> Collected {
        let is_blocked = self.network.is_blocked(from, to) || self.network.is_blocked(to, from);
        let slot = self.ballots.slots.entry((from, to)).or_default();
        slot.is_leaving = false;
        if is_blocked || !is_there {
            let is_news = !std::mem::replace(&mut slot.is_unreachable, true);
            self.let_go(from, to, RETRY_US);
            return if is_news {
                Collected::Unreachable
            } else {
                Collected::Nothing
            };
        }
        let Some(message) = slot.message.take() else {
            return Collected::Nothing;
        };
        slot.last = Some(message.clone());
        Collected::Left {
            message,
            is_back: std::mem::take(&mut slot.is_unreachable),
            is_missed: self.ballots.errors.per_mille(MISSED_PER_MILLE),
        }
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
                slot.is_unreachable = false;
            } else if to == member && slot.message.is_none() {
                slot.message = slot.last.clone();
                self.let_go(from, to, RETRY_US);
            }
        }
    }
}
