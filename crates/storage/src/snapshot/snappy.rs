//! The framing of snappy-java's `SnappyOutputStream`: a header, then blocks, each a length and raw
//! Snappy data.

use crate::width::len64;
use std::io::{self, Read, Write};

pub(super) const MAGIC: [u8; 8] = [0x82, b'S', b'N', b'A', b'P', b'P', b'Y', 0];

/// Version and oldest reader that understands it.
const VERSIONS: [u8; 8] = [0, 0, 0, 1, 0, 0, 0, 1];

/// Uncompressed bytes of a block.
const BLOCK_LEN: usize = 32 << 10;

/// Largest block believed, compressed or not.
const BLOCK_LEN_MAX: usize = 64 << 20;

#[derive(Debug)]
pub(super) struct SnappyWriter<W> {
    sink: W,
    block: Vec<u8>,
    compressed: Vec<u8>,
    encoder: snap::raw::Encoder,
    started: bool,
}

impl<W: Write> SnappyWriter<W> {
    pub(super) fn new(sink: W) -> SnappyWriter<W> {
        SnappyWriter {
            sink,
            block: Vec::with_capacity(BLOCK_LEN),
            compressed: vec![0; snap::raw::max_compress_len(BLOCK_LEN)],
            encoder: snap::raw::Encoder::new(),
            started: false,
        }
    }

    pub(super) fn finish(mut self) -> io::Result<W> {
        self.write_block()?;
        Ok(self.sink)
    }

    fn write_block(&mut self) -> io::Result<()> {
        if !self.started {
            self.sink.write_all(&MAGIC)?;
            self.sink.write_all(&VERSIONS)?;
            self.started = true;
        }
        if self.block.is_empty() {
            return Ok(());
        }
        let len = self.encoder.compress(&self.block, &mut self.compressed)?;
        self.block.clear();
        let claim = u32::try_from(len).map_err(io::Error::other)?;
        self.sink.write_all(&claim.to_be_bytes())?;
        self.sink.write_all(&self.compressed[..len])
    }
}

impl<W: Write> Write for SnappyWriter<W> {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        let taken = bytes.len().min(BLOCK_LEN - self.block.len());
        self.block.extend_from_slice(&bytes[..taken]);
        if self.block.len() == BLOCK_LEN {
            self.write_block()?;
        }
        Ok(taken)
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

#[derive(Debug)]
pub(super) struct SnappyReader<R> {
    source: R,
    block: Vec<u8>,
    position: usize,
    compressed: Vec<u8>,
    started: bool,
}

impl<R: Read> SnappyReader<R> {
    pub(super) fn new(source: R) -> SnappyReader<R> {
        SnappyReader {
            source,
            block: Vec::new(),
            position: 0,
            compressed: Vec::new(),
            started: false,
        }
    }

    fn read_header(&mut self) -> io::Result<()> {
        let mut header = [0; MAGIC.len() + VERSIONS.len()];
        self.source.read_exact(&mut header)?;
        if !header.starts_with(&MAGIC) {
            return Err(malformed("it is not a snappy stream"));
        }
        self.started = true;
        Ok(())
    }

    /// False at the end of the stream.
    fn read_block(&mut self) -> io::Result<bool> {
        let mut claim = [0; 4];
        loop {
            if !self.read_claim(&mut claim)? {
                return Ok(false);
            }
            if !MAGIC.starts_with(&claim) {
                break;
            }
            // Streams may be concatenated: another header.
            self.source
                .read_exact(&mut [0; MAGIC.len() + VERSIONS.len() - 4])?;
        }
        let len = usize::try_from(u32::from_be_bytes(claim)).map_err(io::Error::other)?;
        if len > BLOCK_LEN_MAX {
            return Err(malformed("a snappy block is too long"));
        }
        self.compressed.clear();
        let got = (&mut self.source)
            .take(len64(len))
            .read_to_end(&mut self.compressed)?;
        if got < len {
            return Err(io::ErrorKind::UnexpectedEof.into());
        }
        if snap::raw::decompress_len(&self.compressed)? > BLOCK_LEN_MAX {
            return Err(malformed("a snappy block is too long"));
        }
        self.block = snap::raw::Decoder::new().decompress_vec(&self.compressed)?;
        self.position = 0;
        Ok(true)
    }

    /// A block's length; false if the stream ends before it.
    fn read_claim(&mut self, claim: &mut [u8; 4]) -> io::Result<bool> {
        let mut got = 0;
        while got < claim.len() {
            match self.source.read(&mut claim[got..])? {
                0 if got == 0 => return Ok(false),
                0 => return Err(io::ErrorKind::UnexpectedEof.into()),
                n => got += n,
            }
        }
        Ok(true)
    }
}

fn malformed(what: &str) -> io::Error {
    io::Error::new(io::ErrorKind::InvalidData, what)
}

impl<R: Read> Read for SnappyReader<R> {
    fn read(&mut self, buf: &mut [u8]) -> io::Result<usize> {
        if !self.started {
            self.read_header()?;
        }
        while self.position == self.block.len() {
            if !self.read_block()? {
                return Ok(0);
            }
        }
        let taken = buf.len().min(self.block.len() - self.position);
        buf[..taken].copy_from_slice(&self.block[self.position..][..taken]);
        self.position += taken;
        Ok(taken)
    }
}
