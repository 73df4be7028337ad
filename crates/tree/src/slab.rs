//! A growable array with 32-bit indices and reusable places. It grows by chunks, each as large as all
//! before it together: growing moves nothing, the chunks are few, and a small array is small.

use std::ops::{Index, IndexMut};

const FIRST_CHUNK_BITS: u32 = 6;
const FIRST_CHUNK_LEN: usize = 1 << FIRST_CHUNK_BITS;

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
        let at = self.end;
        let (chunk, _) = split(at);
        if chunk == self.chunks.len() {
            let len = FIRST_CHUNK_LEN << chunk.saturating_sub(1);
            self.chunks.push(Vec::with_capacity(len));
        }
        self.chunks[chunk].push(value);
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

/// The chunk of an index, and where it is there. The index's length in bits tells the chunk: chunk 0 has the
/// first 64, chunk 1 the next 64, chunk 2 the next 128, and so on.
fn split(at: u32) -> (usize, usize) {
    let bits = u32::BITS - (at >> FIRST_CHUNK_BITS).leading_zeros();
    let chunk = usize::try_from(bits).expect("at most 26");
    let at = usize::try_from(at).expect("usize has at least 32 bits");
    let start = if chunk == 0 {
        0
    } else {
        FIRST_CHUNK_LEN << (chunk - 1)
    };
    (chunk, at - start)
}

#[cfg(test)]
mod tests;
