//! The names of a node's children as clients are sent them, kept for whoever asks next.
//!
//! Java's `ResponseCache` keeps whole replies by path, and compares stats when it finds one. Here a list
//! goes at once when a child comes or goes, since only [`crate::nodes`] changes children: what is found
//! is right. It is handed out as shared bytes, so that a reader may still be sending one that is kept no
//! more.

use crate::nodes::Slot;
use bytes::Bytes;
use parking_lot::Mutex;
use std::collections::BTreeMap;

/// Which lists are kept.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct ChildListLimits {
    /// How many at most; 0: none (`zookeeper.maxGetChildrenResponseCacheSize`).
    pub count_max: usize,
    /// How many bytes they may have together.
    pub bytes_max: usize,
    /// Shorter ones are made faster than found.
    pub bytes_min: usize,
}

impl ChildListLimits {
    /// Those of a server of which nothing else is asked.
    pub const USUAL: ChildListLimits = ChildListLimits {
        count_max: 400,
        bytes_max: 64 << 20,
        bytes_min: 1 << 10,
    };

    /// Every list is made anew.
    pub const NONE: ChildListLimits = ChildListLimits {
        count_max: 0,
        ..ChildListLimits::USUAL
    };
}

impl Default for ChildListLimits {
    fn default() -> ChildListLimits {
        ChildListLimits::USUAL
    }
}

/// See the module. Many readers fill it; whoever changes the nodes has it for itself.
#[derive(Debug)]
pub(crate) struct ChildLists {
    limits: ChildListLimits,
    kept: Mutex<Kept>,
}

#[derive(Debug, Default)]
struct Kept {
    lists: BTreeMap<Slot, List>,
    /// Whose list was used when: the first goes when there is no room.
    uses: BTreeMap<u64, Slot>,
    last_use: u64,
    bytes: usize,
}

#[derive(Debug)]
struct List {
    encoded: Bytes,
    used: u64,
}

impl ChildLists {
    pub(crate) fn new(limits: ChildListLimits) -> ChildLists {
        ChildLists {
            limits,
            kept: Mutex::default(),
        }
    }

    /// Whether a list of so many bytes is worth keeping.
    pub(crate) fn keeps(&self, bytes: usize) -> bool {
        self.limits.count_max > 0
            && (self.limits.bytes_min..=self.limits.bytes_max).contains(&bytes)
    }

    pub(crate) fn get(&self, parent: Slot) -> Option<Bytes> {
        self.kept.lock().find(parent)
    }

    pub(crate) fn keep(&self, parent: Slot, encoded: Bytes) {
        let mut kept = self.kept.lock();
        // Another reader may have been faster.
        kept.forget(parent);
        kept.add(parent, encoded);
        while kept.lists.len() > self.limits.count_max || kept.bytes > self.limits.bytes_max {
            kept.forget_oldest();
        }
    }

    /// A child comes or goes.
    pub(crate) fn children_change(&mut self, parent: Slot) {
        let kept = self.kept.get_mut();
        if !kept.lists.is_empty() {
            kept.forget(parent);
        }
    }
}

impl Kept {
    fn find(&mut self, parent: Slot) -> Option<Bytes> {
        let list = self.lists.get_mut(&parent)?;
        if list.used != self.last_use {
            self.uses.remove(&list.used);
            self.last_use += 1;
            list.used = self.last_use;
            self.uses.insert(list.used, parent);
        }
        Some(list.encoded.clone())
    }

    fn add(&mut self, parent: Slot, encoded: Bytes) {
        self.bytes += encoded.len();
        self.last_use += 1;
        let used = self.last_use;
        self.uses.insert(used, parent);
        self.lists.insert(parent, List { encoded, used });
    }

    fn forget(&mut self, parent: Slot) {
        if let Some(list) = self.lists.remove(&parent) {
            self.uses.remove(&list.used);
            self.bytes -= list.encoded.len();
        }
    }

    fn forget_oldest(&mut self) {
        if let Some((_, oldest)) = self.uses.pop_first() {
            self.forget(oldest);
        }
    }
}

#[cfg(test)]
mod tests;
