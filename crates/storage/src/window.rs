//! A sliding window over a stream, for decoders that work on slices.

use crate::width::len64;
use std::io::{self, Read};

const READ_LEN: usize = 1 << 20;

/// What has been read and not yet consumed is one slice, grown on demand.
#[derive(Debug)]
pub(crate) struct Window<R> {
    source: R,
    buf: Vec<u8>,
    start: usize,
    end: usize,
    /// Stream offset of `buf[0]`.
    base: u64,
    exhausted: bool,
}

impl<R: Read> Window<R> {
    pub(crate) fn new(source: R) -> Window<R> {
        Window {
            source,
            buf: Vec::new(),
            start: 0,
            end: 0,
            base: 0,
            exhausted: false,
        }
    }

    /// Offset in the stream of the next byte.
    pub(crate) fn position(&self) -> u64 {
        self.base + len64(self.start)
    }

    pub(crate) fn available(&self) -> &[u8] {
        &self.buf[self.start..self.end]
    }

    pub(crate) fn consume(&mut self, len: usize) {
        assert!(len <= self.end - self.start, "consumed more than was read");
        self.start += len;
    }

    /// Reads until `len` bytes are available; false if the stream ends before. Memory grows with
    /// what the stream really has, whatever `len` claims.
    pub(crate) fn fill(&mut self, len: usize) -> io::Result<bool> {
        while self.end - self.start < len {
            if !self.read_more()? {
                return Ok(false);
            }
        }
        Ok(true)
    }

    /// Adds at least one byte; false at the end of the stream.
    pub(crate) fn read_more(&mut self) -> io::Result<bool> {
        if self.exhausted {
            return Ok(false);
        }
        if self.start > 0 {
            self.buf.copy_within(self.start..self.end, 0);
            self.base += len64(self.start);
            self.end -= self.start;
            self.start = 0;
        }
        if self.end == self.buf.len() {
            // Doubling keeps the cost of re-reading a value that spans many reads linear.
            let grown = (self.buf.len() * 2).max(READ_LEN);
            self.buf.resize(grown, 0);
        }
        loop {
            match self.source.read(&mut self.buf[self.end..]) {
                Ok(0) => {
                    self.exhausted = true;
                    return Ok(false);
                }
                Ok(n) => {
                    self.end += n;
                    return Ok(true);
                }
                Err(err) if err.kind() == io::ErrorKind::Interrupted => {}
                Err(err) => return Err(err),
            }
        }
    }
}
