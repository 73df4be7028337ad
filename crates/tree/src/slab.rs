//! A growable array with 32-bit indices and reusable places. It grows by chunks, so that growing
//! neither moves what is there nor needs twice the memory.

use std::ops::{Index, IndexMut};

const CHUNK_BITS: u32 = 10;
const CHUNK_LEN: usize = 1 << CHUNK_BITS;

#[derive(Debug)]
pub(crate) struct Slab<T> {
    chunks: Vec<Vec<T>>,
    free: Vec<u32>,
    end: u32,
}

impl<T: Default> Slab<T> {
    pub(crate) fn new() -> Slab<T> {
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
        if self.chunks.last().is_none_or(|c| c.len() == CHUNK_LEN) {
            self.chunks.push(Vec::with_capacity(CHUNK_LEN));
        }
        let chunk = self.chunks.last_mut().expect("one was just made");
        chunk.push(value);
        let at = self.end;
        self.end = at.checked_add(1).expect("at most 2^32 - 1 nodes");
        at
    }

    /// Empties a place without offering it for reuse; that takes [`Slab::reuse`].
    pub(crate) fn take(&mut self, at: u32) -> T {
        std::mem::take(&mut self[at])
    }

    /// Offers an emptied place for reuse.
    pub(crate) fn reuse(&mut self, at: u32) {
        self.free.push(at);
    }
}

impl<T> Index<u32> for Slab<T> {
    type Output = T;
    fn index(&self, at: u32) -> &T {
        let (chunk, offset) = split(at);
        &self.chunks[chunk][offset]
    }
}

impl<T> IndexMut<u32> for Slab<T> {
    fn index_mut(&mut self, at: u32) -> &mut T {
        let (chunk, offset) = split(at);
        &mut self.chunks[chunk][offset]
    }
}

fn split(at: u32) -> (usize, usize) {
    let at = usize::try_from(at).expect("usize has at least 32 bits");
    (at >> CHUNK_BITS, at & (CHUNK_LEN - 1))
}
