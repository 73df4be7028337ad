//! Reading nodes ahead of several requests, so that their cache misses are waited for together.
//!
//! A node among millions is a chain of misses: its place in the index, its record, its name and data. Requests that
//! came together have as many chains, which do not depend on one another. So each link is read for all of
//! them before the next one is: a processor then has many misses under way at once.

use super::{Nodes, Slot};
use crate::path_hash::PathHash;
use std::hint::black_box;

/// Paths read ahead at once, at most.
pub(crate) const PATHS_MAX: usize = 32;
/// Bytes of a cache line, and how many lines of data are read: a processor fetches more by itself once they are
/// copied.
const LINE_LEN: usize = 64;
const LINES_MAX: usize = 4;
/// With fewer nodes than this the nearest cache holds what matters, and reading ahead would only be work. It holds
/// less than it could: the threads of a server, and servers that share a machine, move from processor to processor.
const NODES_MIN: u32 = 1 << 8;

impl Nodes {
    /// Whether reading ahead is worth its while.
    pub(crate) fn are_many(&self) -> bool {
        self.end() >= NODES_MIN
    }

    /// Reads what a lookup of these paths would, the first [`PATHS_MAX`] of them, and the places of those that are not
    /// there yet. How many seem to be there.
    pub(crate) fn look_ahead<'a>(&self, paths: impl Iterator<Item = &'a [u8]>) -> usize {
        let mut hashes = [PathHash::ZERO; PATHS_MAX];
        let mut count = 0;
        for (hash, path) in hashes.iter_mut().zip(paths) {
            *hash = PathHash::of_bytes(path);
            count += 1;
        }
        let hashes = &hashes[..count];
        let mut read = 0;
        for hash in hashes {
            read ^= self.index.touch(*hash);
        }
        let mut slots = [Slot::ROOT; PATHS_MAX];
        let mut found = 0;
        for hash in hashes {
            // Another node with the same hash is as rare as it is harmless.
            if let Some(slot) = self.index.find(*hash, |_| true) {
                slots[found] = slot;
                found += 1;
            }
        }
        let slots = &slots[..found];
        for slot in slots {
            read ^= self.slab[slot.0].shape.0;
        }
        for slot in slots {
            read ^= self.touch_parts(*slot);
        }
        // What is not there is perhaps to be created.
        for reused in self.slab.next_reused().take(count - found) {
            read ^= reused.shape.0;
        }
        // Nobody needs the value; whoever compiles this must not know.
        black_box(read);
        found
    }

    /// Its name and the beginning of its data, and what changes of the data have left beside it.
    fn touch_parts(&self, slot: Slot) -> u32 {
        let node = &self.slab[slot.0];
        let bytes = &node.name_and_data;
        let lines = bytes.iter().step_by(LINE_LEN).take(LINES_MAX);
        let read = lines.chain(bytes.last());
        let extra = node.extra.get().map(|extra| self.extras[extra].version);
        let extra = extra.unwrap_or_default().cast_unsigned();
        read.fold(extra, |read, byte| read ^ u32::from(*byte))
    }
}

#[cfg(test)]
mod tests;
