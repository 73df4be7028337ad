//! Length-prefixed packets on a socket (spec §2.1).

use std::io::{self, ErrorKind, Read, Write};

use bytes::{Bytes, BytesMut};

/// Longest packet accepted from a server. A directory of ten million children lists in a third of
/// it; beyond it the length is taken for garbage. Memory is claimed only as the bytes arrive.
const PACKET_BYTES_MAX: usize = 1 << 30;

const READ_CHUNK_BYTES: usize = 64 << 10;

/// Cuts packets out of a byte stream. A read that times out in the middle of a packet loses
/// nothing: the next call goes on where it stopped.
pub(super) struct FrameReader<R> {
    stream: R,
    received: BytesMut,
}

impl<R: Read> FrameReader<R> {
    pub(super) fn new(stream: R) -> FrameReader<R> {
        FrameReader {
            stream,
            received: BytesMut::new(),
        }
    }

    pub(super) fn get_ref(&self) -> &R {
        &self.stream
    }

    /// The next packet; `None` when the socket's read timeout passed first.
    pub(super) fn next(&mut self) -> io::Result<Option<Bytes>> {
        let mut chunk = [0; READ_CHUNK_BYTES];
        loop {
            if let Some(frame) = self.take_received()? {
                return Ok(Some(frame));
            }
            match self.stream.read(&mut chunk) {
                Ok(0) => return Err(ErrorKind::UnexpectedEof.into()),
                Ok(n) => self.received.extend_from_slice(&chunk[..n]),
                Err(e) => match e.kind() {
                    ErrorKind::WouldBlock | ErrorKind::TimedOut => return Ok(None),
                    ErrorKind::Interrupted => {}
                    _ => return Err(e),
                },
            }
        }
    }

    fn take_received(&mut self) -> io::Result<Option<Bytes>> {
        let Some((prefix, rest)) = self.received.split_first_chunk::<4>() else {
            return Ok(None);
        };
        let len = usize::try_from(i32::from_be_bytes(*prefix)).unwrap_or(usize::MAX);
        if len > PACKET_BYTES_MAX {
            return Err(io::Error::new(
                ErrorKind::InvalidData,
                "packet length out of range",
            ));
        }
        if rest.len() < len {
            return Ok(None);
        }
        let mut frame = self.received.split_to(prefix.len() + len).freeze();
        Ok(Some(frame.split_off(4)))
    }
}

/// Writes one packet with a single system call.
pub(super) fn write_frame(mut stream: impl Write, body: &[u8]) -> io::Result<()> {
    let len = i32::try_from(body.len())
        .map_err(|_| io::Error::new(ErrorKind::InvalidInput, "request too long"))?;
    let mut packet = Vec::with_capacity(4 + body.len());
    packet.extend_from_slice(&len.to_be_bytes());
    packet.extend_from_slice(body);
    stream.write_all(&packet)
}

#[cfg(test)]
mod tests;
