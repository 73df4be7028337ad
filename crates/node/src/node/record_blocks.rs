//! Encoded records, many to an allocation.

use bytes::{Bytes, BytesMut};
use zooid_proto::TxnRecord;

/// Bytes of a block. It lives as long as any record in it: those in flight, and the newest committed ones.
const BLOCK_LEN: usize = 64 << 10;
/// A record of more is by itself, so that it keeps nothing else in memory.
const SHARED_MAX: usize = BLOCK_LEN / 16;

/// Encodes records one behind the other into blocks that they share.
#[derive(Debug, Default)]
pub(super) struct RecordBlocks {
    /// What is left of the newest block: all of it room.
    block: BytesMut,
    /// Where a record is encoded first; empty in between.
    scratch: Vec<u8>,
}

impl RecordBlocks {
    pub(super) fn encode(&mut self, record: &TxnRecord) -> Bytes {
        record.encode_into(&mut self.scratch);
        if self.scratch.len() > SHARED_MAX {
            return std::mem::take(&mut self.scratch).into();
        }
        if self.block.capacity() < self.scratch.len() {
            self.block = BytesMut::with_capacity(BLOCK_LEN);
        }
        self.block.extend_from_slice(&self.scratch);
        self.scratch.clear();
        self.block.split().freeze()
    }
}

#[cfg(test)]
mod tests;
