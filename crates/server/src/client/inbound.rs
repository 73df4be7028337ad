//! Bytes that a client has sent and that were not handed on yet, with the times of their arrival.

use bytes::{Buf as _, Bytes, BytesMut};
use std::collections::VecDeque;

const LENGTH_BYTES: usize = 4;

/// See the module.
#[derive(Debug, Default)]
pub(super) struct Inbound {
    bytes: BytesMut,
    /// Bytes taken out so far.
    taken: u64,
    /// One for each read from the socket of which something is left, in order.
    arrivals: VecDeque<Arrival>,
}

#[derive(Debug)]
struct Arrival {
    /// How many bytes had come by then, from the first one on.
    upto: u64,
    at_ms: i64,
}

/// The length that a client claims for its next packet is negative or more than allowed.
#[derive(Debug, thiserror::Error, PartialEq, Eq)]
#[error("packet length {0} is out of range")]
pub(super) struct LengthOutOfRange(i32);

fn count(n: usize) -> u64 {
    u64::try_from(n).expect("a buffer is shorter than 2^64")
}

impl Inbound {
    pub(super) fn push(&mut self, bytes: &[u8], at_ms: i64) {
        self.bytes.extend_from_slice(bytes);
        let upto = self.taken + count(self.bytes.len());
        self.arrivals.push_back(Arrival { upto, at_ms });
    }

    pub(super) fn bytes(&self) -> &[u8] {
        &self.bytes
    }

    /// The length of the next packet, as far as its prefix has come.
    ///
    /// # Errors
    /// [`LengthOutOfRange`].
    pub(super) fn next_len(&self, max_len: usize) -> Result<Option<usize>, LengthOutOfRange> {
        let Some(prefix) = self.bytes.first_chunk::<LENGTH_BYTES>() else {
            return Ok(None);
        };
        let claimed = i32::from_be_bytes(*prefix);
        let len = usize::try_from(claimed).ok().filter(|len| *len <= max_len);
        len.map(Some).ok_or(LengthOutOfRange(claimed))
    }

    /// The next packet, if so many bytes of it have come.
    pub(super) fn peek(&self, len: usize) -> Option<&[u8]> {
        self.bytes.get(LENGTH_BYTES..LENGTH_BYTES + len)
    }

    /// When the last byte of the next packet came; it must be there.
    pub(super) fn arrived_ms(&self, len: usize) -> i64 {
        let end = self.taken + count(LENGTH_BYTES + len);
        let arrival = self.arrivals.iter().find(|arrival| arrival.upto >= end);
        arrival.expect("every byte has come by some read").at_ms
    }

    /// Takes the next packet out; it must be there.
    pub(super) fn take(&mut self, len: usize) -> Bytes {
        self.bytes.advance(LENGTH_BYTES);
        let body = self.bytes.split_to(len).freeze();
        self.taken += count(LENGTH_BYTES + len);
        while (self.arrivals.front()).is_some_and(|arrival| arrival.upto <= self.taken) {
            self.arrivals.pop_front();
        }
        if self.bytes.is_empty() {
            // A buffer that stays keeps all that was ever read into it at once.
            self.bytes = BytesMut::new();
        }
        body
    }
}

#[cfg(test)]
mod tests;
