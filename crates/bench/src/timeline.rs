//! Throughput as time passes.

use std::time::{Duration, Instant};

/// Operations completed in each slot of time from the start of measuring on.
#[derive(Clone, Debug)]
pub(crate) struct Timeline {
    /// When the slot that is being counted ends.
    slot_end: Instant,
    /// The last is the one that is being counted.
    slots: Vec<u64>,
}

impl Timeline {
    pub(crate) const SLOT: Duration = Duration::from_millis(100);

    pub(crate) fn new(start: Instant) -> Timeline {
        Timeline {
            slot_end: start + Self::SLOT,
            slots: vec![0],
        }
    }

    /// Counts an operation that is complete now; times do not go back.
    pub(crate) fn count(&mut self, now: Instant) {
        while now >= self.slot_end {
            self.slot_end += Self::SLOT;
            self.slots.push(0);
        }
        if let Some(slot) = self.slots.last_mut() {
            *slot += 1;
        }
    }

    /// Adds what another thread has counted from the same start on.
    pub(crate) fn merge(&mut self, other: &Timeline) {
        let len = self.slots.len().max(other.slots.len());
        self.slots.resize(len, 0);
        for (mine, theirs) in self.slots.iter_mut().zip(&other.slots) {
            *mine += theirs;
        }
    }

    pub(crate) fn slots(&self) -> &[u64] {
        &self.slots
    }
}

#[cfg(test)]
mod tests;
