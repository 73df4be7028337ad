//! When to look for expired container and TTL nodes, and how fast to delete them
//! (spec §2.8; Java `ContainerManager`).

use crate::{ContainerSettings, Now};
use std::collections::VecDeque;
use zooid_tree::Replica;

/// Candidates found and not yet submitted.
#[derive(Clone, Debug)]
pub(crate) struct Sweep {
    settings: ContainerSettings,
    found: VecDeque<String>,
    next_look_ms: i64,
    next_delete_ms: i64,
}

impl Sweep {
    pub(crate) fn new(settings: ContainerSettings, now: Now) -> Sweep {
        Sweep {
            settings,
            found: VecDeque::new(),
            next_look_ms: now.mono_ms + settings.check_interval_ms,
            next_delete_ms: now.mono_ms,
        }
    }

    /// The next node to delete, if one is due.
    pub(crate) fn next(&mut self, now: Now, replica: &Replica) -> Option<String> {
        if now.mono_ms >= self.next_look_ms {
            self.next_look_ms = now.mono_ms + self.settings.check_interval_ms;
            if self.found.is_empty() {
                let never_used = self.settings.max_never_used_ms;
                self.found = replica.expired_nodes(now.wall_ms, never_used).into();
            }
        }
        if self.found.is_empty() || now.mono_ms < self.next_delete_ms {
            return None;
        }
        self.next_delete_ms = now.mono_ms + 60_000 / self.settings.max_per_minute.max(1);
        self.found.pop_front()
    }

    pub(crate) fn next_wakeup_ms(&self) -> i64 {
        if self.found.is_empty() {
            self.next_look_ms
        } else {
            self.next_delete_ms
        }
    }
}
