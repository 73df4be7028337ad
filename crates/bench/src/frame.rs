//! Length-prefixed frames: appending them to a buffer, cutting them out of received bytes.

use std::io::{self, Read};
use std::ops::Range;

/// Longest frame that a server may send: well above any `jute.maxbuffer` in use.
pub(crate) const FRAME_BYTES_MAX: usize = 64 << 20;

const PREFIX_BYTES: usize = 4;
const INBOX_BYTES_INITIAL: usize = 16 << 10;

/// A frame's length prefix was negative or too large.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("frame of {0} bytes")]
pub(crate) struct BadLength(i32);

/// Appends a frame whose payload `write` appends.
pub(crate) fn put_frame(out: &mut Vec<u8>, write: impl FnOnce(&mut Vec<u8>)) {
    let start = out.len();
    out.extend_from_slice(&[0; PREFIX_BYTES]);
    write(out);
    let len = out.len() - start - PREFIX_BYTES;
    let len = i32::try_from(len).expect("requests are bounded by the plan's value size");
    out[start..start + PREFIX_BYTES].copy_from_slice(&len.to_be_bytes());
}

/// The payload length that a prefix announces.
pub(crate) fn payload_len(prefix: [u8; PREFIX_BYTES]) -> Result<usize, BadLength> {
    let len = i32::from_be_bytes(prefix);
    match usize::try_from(len) {
        Ok(len) if len <= FRAME_BYTES_MAX => Ok(len),
        _ => Err(BadLength(len)),
    }
}

/// Received bytes that have not been consumed: `bytes[start..end]`.
#[derive(Debug)]
pub(crate) struct Inbox {
    bytes: Vec<u8>,
    start: usize,
    end: usize,
}

/// What one read brought.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Filled {
    /// The buffer is full: more may wait in the socket.
    Full,
    /// Everything that the socket had.
    Drained,
    /// The peer has closed.
    Closed,
}

impl Inbox {
    pub(crate) fn new() -> Inbox {
        Inbox::with_capacity(INBOX_BYTES_INITIAL)
    }

    /// For so many bytes to begin with; at least the length of a prefix.
    pub(crate) fn with_capacity(bytes: usize) -> Inbox {
        Inbox {
            bytes: vec![0; bytes],
            start: 0,
            end: 0,
        }
    }

    /// Reads once from a non-blocking source. A read that does not fill the buffer has drained a
    /// stream socket (epoll(7)), which saves the read that would only say so.
    pub(crate) fn fill(&mut self, source: &mut impl Read) -> io::Result<Filled> {
        self.make_room();
        loop {
            let space = &mut self.bytes[self.end..];
            let wanted = space.len();
            return match source.read(space) {
                Ok(0) => Ok(Filled::Closed),
                Ok(n) => {
                    self.end += n;
                    Ok(if n == wanted {
                        Filled::Full
                    } else {
                        Filled::Drained
                    })
                }
                Err(e) if e.kind() == io::ErrorKind::WouldBlock => Ok(Filled::Drained),
                Err(e) if e.kind() == io::ErrorKind::Interrupted => continue,
                Err(e) => Err(e),
            };
        }
    }

    /// Consumes the next whole frame; its payload is at the returned place until the next
    /// [`Inbox::fill`].
    pub(crate) fn next_frame(&mut self) -> Result<Option<Range<usize>>, BadLength> {
        let waiting = &self.bytes[self.start..self.end];
        let Some((prefix, rest)) = waiting.split_first_chunk() else {
            return Ok(None);
        };
        let len = payload_len(*prefix)?;
        if rest.len() < len {
            return Ok(None);
        }
        let payload = self.start + PREFIX_BYTES;
        self.start = payload + len;
        Ok(Some(payload..payload + len))
    }

    pub(crate) fn payload(&self, place: Range<usize>) -> &[u8] {
        &self.bytes[place]
    }

    /// Moves a partial frame to the front; doubles the buffer when one fills it.
    fn make_room(&mut self) {
        if self.start > 0 {
            self.bytes.copy_within(self.start..self.end, 0);
            self.end -= self.start;
            self.start = 0;
        }
        if self.end == self.bytes.len() {
            self.bytes.resize(self.bytes.len() * 2, 0);
        }
    }
}

#[cfg(test)]
mod tests;
