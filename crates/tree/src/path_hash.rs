//! The one hash of a path, shared by the node index and the watch tables, so that a read computes
//! it once.

use std::hash::{BuildHasher, Hasher};

const SEED: u64 = 0x5a6f_6f69_645f_7472;

/// A path's hash, small enough to be kept with every node.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord)]
pub struct PathHash(u32);

impl PathHash {
    pub(crate) const ZERO: PathHash = PathHash(0);
    pub(crate) const MAX: PathHash = PathHash(u32::MAX);

    /// That of a path; the root is "".
    #[must_use]
    pub fn of(path: &str) -> PathHash {
        PathHash::of_bytes(path.as_bytes())
    }

    /// Of what may be no path at all.
    pub(crate) fn of_bytes(path: &[u8]) -> PathHash {
        let mut hasher = foldhash::fast::FixedState::with_seed(SEED).build_hasher();
        hasher.write(path);
        let [a, b, c, d, ..] = hasher.finish().to_be_bytes();
        PathHash(u32::from_be_bytes([a, b, c, d]))
    }

    /// Spread over 64 bits, as a hash table wants it: the low bits stay distinct, the high ones
    /// depend on all.
    #[must_use]
    pub fn spread(self) -> u64 {
        u64::from(self.0).wrapping_mul(0x9e37_79b9_7f4a_7c15)
    }

    /// Its place among `count`, in the order of the hashes, leaving out the `skipped` high bits.
    pub(crate) fn scale(self, skipped: u32, count: usize) -> usize {
        let count = u64::try_from(count).expect("a count fits 64 bits");
        let scaled = (u64::from(self.0 << skipped) * count) >> 32;
        usize::try_from(scaled).expect("less than the count")
    }

    /// One of `count` shards; `count` is a power of two. Uses other bits than small tables do.
    pub(crate) fn shard(self, count: usize) -> usize {
        usize::try_from(self.0 >> 24).expect("eight bits") & (count - 1)
    }

    #[cfg(test)]
    pub(crate) fn from_bits(bits: u32) -> PathHash {
        PathHash(bits)
    }
}
