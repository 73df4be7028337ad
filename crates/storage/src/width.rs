//! Conversions between the widths of sizes.

/// A length in memory as a length on disk.
pub(crate) fn len64(len: usize) -> u64 {
    u64::try_from(len).expect("memory is at most 64 bits wide")
}

/// A length on disk as one in memory; one that memory cannot have is the largest.
pub(crate) fn index(len: u64) -> usize {
    usize::try_from(len).unwrap_or(usize::MAX)
}
