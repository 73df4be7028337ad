//! Writing a snapshot's uncompressed stream.

use super::reader::{SEAL_TEXT, SnapshotDigest};
use simd_adler32::Adler32;
use std::io::{self, Write};
use zooid_proto::{FileHeader, Jute, Zxid};

/// Adds header, seals and sections to the bytes of a walk.
///
/// The order is header (by [`SnapshotEncoder::new`]), data, then the sections. Each seal holds the
/// checksum of everything before it, earlier seals included.
#[derive(Debug)]
pub struct SnapshotEncoder<W> {
    sink: W,
    checksum: Checksum,
    data_is_sealed: bool,
}

#[derive(Default)]
struct Checksum(Adler32);

impl std::fmt::Debug for Checksum {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{:08x}", self.0.finish())
    }
}

impl<W: Write> SnapshotEncoder<W> {
    /// Writes the header.
    ///
    /// # Errors
    /// When the sink fails.
    pub fn new(sink: W) -> io::Result<SnapshotEncoder<W>> {
        let mut encoder = SnapshotEncoder {
            sink,
            checksum: Checksum::default(),
            data_is_sealed: false,
        };
        encoder.write(&FileHeader::SNAPSHOT.to_vec())?;
        Ok(encoder)
    }

    /// Writes the next part of the data: what [`zooid_tree::Walk::next_chunk`] appended.
    ///
    /// # Errors
    /// When the sink fails.
    pub fn body(&mut self, chunk: &[u8]) -> io::Result<()> {
        assert!(!self.data_is_sealed, "data precedes the sections");
        self.write(chunk)
    }

    /// Writes the digest section; at most once, and first.
    ///
    /// # Errors
    /// When the sink fails.
    pub fn digest(&mut self, digest: &SnapshotDigest) -> io::Result<()> {
        let mut section = digest.zxid.to_vec();
        digest.digest.encode(&mut section);
        self.section(&section)
    }

    /// Writes the last zxid; at most once, and last.
    ///
    /// # Errors
    /// When the sink fails.
    pub fn last_zxid(&mut self, zxid: Zxid) -> io::Result<()> {
        self.section(&zxid.to_vec())
    }

    /// Completes the stream and returns the sink, which is not flushed.
    ///
    /// # Errors
    /// When the sink fails.
    pub fn finish(mut self) -> io::Result<W> {
        self.seal_data()?;
        Ok(self.sink)
    }

    fn section(&mut self, section: &[u8]) -> io::Result<()> {
        self.seal_data()?;
        self.write(section)?;
        self.seal()
    }

    fn seal_data(&mut self) -> io::Result<()> {
        if self.data_is_sealed {
            return Ok(());
        }
        self.data_is_sealed = true;
        self.seal()
    }

    fn seal(&mut self) -> io::Result<()> {
        let checksum = i64::from(self.checksum.0.finish());
        self.write(&checksum.to_vec())?;
        self.write(SEAL_TEXT)
    }

    fn write(&mut self, bytes: &[u8]) -> io::Result<()> {
        self.checksum.0.write(bytes);
        self.sink.write_all(bytes)
    }
}
