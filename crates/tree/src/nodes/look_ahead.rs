//! Fetching nodes ahead of several requests, so that their cache misses are waited for together.
//!
//! A node among millions is a chain of misses: its place in the index, its record, its name and data. Requests that
//! came together have as many chains, which do not depend on one another. So each link is asked for, for all of
//! them, before the next one is: a processor then has many misses under way at once.

use super::{Nodes, Slot};
use crate::path_hash::PathHash;
use crate::prefetch::prefetch;

/// Paths looked ahead at, at once, at most.
pub(crate) const PATHS_MAX: usize = 32;
/// Bytes of a cache line, and how many lines of data are asked for: a processor fetches more by itself once they are
/// copied.
const LINE_LEN: usize = 64;
const LINES_MAX: usize = 4;
/// With fewer nodes than this the nearest cache holds what matters, and looking ahead would only be work. It holds
/// less than it could: the threads of a server, and servers that share a machine, move from processor to processor.
const NODES_MIN: u32 = 1 << 8;

impl Nodes {
    /// Whether looking ahead is worth its while.
    pub(crate) fn are_many(&self) -> bool {
        self.end() >= NODES_MIN
    }

    /// Asks for what a lookup of these paths would read, the first [`PATHS_MAX`] of them, and for the places of those that
    /// are not there yet. How many seem to be there.
    pub(crate) fn look_ahead<'a>(&self, paths: impl Iterator<Item = &'a [u8]>) -> usize {
        let mut hashes = [PathHash::ZERO; PATHS_MAX];
        let mut count = 0;
        for (hash, path) in hashes.iter_mut().zip(paths) {
            *hash = PathHash::of_bytes(path);
            count += 1;
        }
        let hashes = &hashes[..count];
        for hash in hashes {
            self.index.prefetch(*hash);
        }
        let mut slots = [Slot::ROOT; PATHS_MAX];
        let mut found = 0;
        for hash in hashes {
            // Another node with the same hash is as rare as it is harmless.
            if let Some(slot) = self.index.find(*hash, |_| true) {
                prefetch(&self.slab[slot.0].shape.0);
                slots[found] = slot;
                found += 1;
            }
        }
        for slot in &slots[..found] {
            self.prefetch_parts(*slot);
        }
        // What is not there is perhaps to be created.
        for reused in self.slab.next_reused().take(count - found) {
            prefetch(&reused.shape.0);
        }
        found
    }

    /// Its name and the beginning of its data, what changes of the data have left beside it, and its parent, whose name
    /// is the next one in its path.
    fn prefetch_parts(&self, slot: Slot) {
        let node = &self.slab[slot.0];
        let bytes = &node.name_and_data;
        let lines = bytes.iter().step_by(LINE_LEN).take(LINES_MAX);
        for byte in lines.chain(bytes.last()) {
            prefetch(byte);
        }
        if let Some(extra) = node.extra.get() {
            prefetch(&self.extras[extra].version);
        }
        prefetch(&self.slab[node.parent.0].shape.0);
    }
}

#[cfg(test)]
mod tests;
