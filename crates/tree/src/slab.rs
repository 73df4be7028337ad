//! A growable array with 32-bit indices and reusable places. It grows by chunks, each as large as all
//! before it together: growing moves nothing, the chunks are few, and a small array is small.

use std::ops::{Index, IndexMut};

/// `FIRST_BITS` says how many the first chunk has, by the power of two. Allocators keep much around
/// single allocations of a few hundred KiB: what grows to millions should leave those sizes out.
#[derive(Debug)]
pub(crate) struct Slab<T, const FIRST_BITS: u32 = 6> {
    chunks: Vec<Vec<T>>,
    free: Vec<u32>,
    end: u32,
}

impl<T: Default, const FIRST_BITS: u32> Slab<T, FIRST_BITS> {
    pub(crate) fn new() -> Self {
        Slab {
            chunks: Vec::new(),
            free: Vec::new(),
            end: 0,
        }
    }

    /// One past the highest index ever used.
    pub(crate) fn end(&self) -> u32 {
        self.end
    }

    pub(crate) fn insert(&mut self, value: T) -> u32 {
        if let Some(at) = self.free.pop() {
            self[at] = value;
            return at;
        }
        let at = self.end;
        let (chunk, _) = split::<FIRST_BITS>(at);
        if chunk == self.chunks.len() {
            let len = (1 << FIRST_BITS) << chunk.saturating_sub(1);
            self.chunks.push(Vec::with_capacity(len));
        }
        self.chunks[chunk].push(value);
        self.end = at.checked_add(1).expect("at most 2^32 - 1 nodes");
        at
    }

    /// The places that are used again next, the first one first.
    pub(crate) fn next_reused(&self) -> impl Iterator<Item = &T> {
        self.free.iter().rev().map(|at| &self[*at])
    }

    /// Empties a place, which is then used again.
    pub(crate) fn remove(&mut self, at: u32) -> T {
        self.free.push(at);
        std::mem::take(&mut self[at])
    }
}

impl<T, const FIRST_BITS: u32> Index<u32> for Slab<T, FIRST_BITS> {
    type Output = T;
    fn index(&self, at: u32) -> &T {
        let (chunk, offset) = split::<FIRST_BITS>(at);
        &self.chunks[chunk][offset]
    }
}

impl<T, const FIRST_BITS: u32> IndexMut<u32> for Slab<T, FIRST_BITS> {
    fn index_mut(&mut self, at: u32) -> &mut T {
        let (chunk, offset) = split::<FIRST_BITS>(at);
        &mut self.chunks[chunk][offset]
    }
}

/// The chunk of an index, and where it is there, told by the index's highest bit: with a first chunk of
/// 64 the second has the next 64, the third the next 128, and so on. Every access comes through here, so
/// there is no branch for the first chunk.
fn split<const FIRST_BITS: u32>(at: u32) -> (usize, usize) {
    let first_mask = (1 << FIRST_BITS) - 1;
    let high_bit = (at | first_mask).ilog2();
    let start = (1 << high_bit) & !first_mask;
    let index = |n: u32| usize::try_from(n).expect("usize has at least 32 bits");
    (index(high_bit + 1 - FIRST_BITS), index(at - start))
}

#[cfg(test)]
mod tests;
