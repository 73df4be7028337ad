//! Reading a snapshot's uncompressed stream: header, data, seals, the sections between them.

use super::body::{BodyParser, SnapshotItem};
use crate::window::Window;
use simd_adler32::Adler32;
use std::io::{self, Read};
use zooid_proto::{DecodeError, FileHeader, Jute, Limit, Reader, TxnDigest, Zxid};

/// Lengths are limited by what the stream holds.
const LIMIT: Limit = Limit(0x7fff_ffff);

/// The sections behind the first seal are shorter; what is behind them is a later version's.
const TRAILER_LEN_MAX: usize = 4096;

/// Reads a snapshot from the front.
///
/// Call [`SnapshotReader::for_each`] to its end, then [`SnapshotReader::trailer`]; only when both
/// have succeeded is what the first one reported known to be what was written.
#[derive(Debug)]
pub struct SnapshotReader<R> {
    window: Window<R>,
    checksum: Checksum,
}

/// Behind the data.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Trailer {
    /// Absent before 3.6, and with `zookeeper.digest.enabled=false`.
    pub digest: Option<SnapshotDigest>,
    /// Absent before 3.9, and with `zookeeper.serializeLastProcessedZxid.enabled=false`.
    pub last_zxid: Option<Zxid>,
}

/// The digest section (Java `DataTree.ZxidDigest`).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct SnapshotDigest {
    /// The transaction after which the tree has the digest; 0 when there was none.
    pub zxid: Zxid,
    /// The digest.
    pub digest: TxnDigest,
}

/// Why a stream is no snapshot.
#[derive(Debug, thiserror::Error)]
pub enum ReadError {
    /// Reading or decompressing failed.
    #[error("it cannot be read: {0}")]
    Io(#[from] io::Error),
    /// It does not start as a snapshot does.
    #[error("its header is not that of a snapshot")]
    Header,
    /// Something in it is malformed.
    #[error("it is malformed: {0}")]
    Decode(#[from] DecodeError),
    /// It is not what was written.
    #[error("a checksum does not match")]
    Checksum,
    /// The consumer of its items objects.
    #[error("{0}")]
    Content(String),
}

impl From<String> for ReadError {
    fn from(what: String) -> ReadError {
        ReadError::Content(what)
    }
}

/// Adler-32 of everything up to a point, earlier seals included.
#[derive(Clone, Default)]
struct Checksum(Adler32);

impl std::fmt::Debug for Checksum {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{:08x}", self.0.finish())
    }
}

impl Checksum {
    /// Reads a seal; true if it holds for what was read before. Its text is not looked at, as in
    /// Java.
    fn seal(&mut self, r: &mut Reader<'_>) -> Result<bool, DecodeError> {
        let before = r.rest();
        let holds = r.i64()? == i64::from(self.0.finish());
        r.buffer()?;
        self.0.write(&before[..before.len() - r.rest().len()]);
        Ok(holds)
    }
}

impl<R: Read> SnapshotReader<R> {
    /// Reads the header.
    ///
    /// # Errors
    /// [`ReadError`].
    pub fn new(source: R) -> Result<SnapshotReader<R>, ReadError> {
        let mut reader = SnapshotReader {
            window: Window::new(source),
            checksum: Checksum::default(),
        };
        if !reader.window.fill(FileHeader::LEN)? {
            return Err(ReadError::Header);
        }
        let header = FileHeader::decode(&mut Reader::new(reader.window.available(), LIMIT))?;
        if header.magic != FileHeader::SNAPSHOT_MAGIC {
            return Err(ReadError::Header);
        }
        reader.pass(FileHeader::LEN);
        Ok(reader)
    }

    /// Reports every session, list and node to `sink`, then checks the first seal.
    ///
    /// # Errors
    /// [`ReadError`], and what `sink` returns as [`ReadError::Content`].
    pub fn for_each(
        &mut self,
        sink: &mut dyn FnMut(SnapshotItem<'_>) -> Result<(), String>,
    ) -> Result<(), ReadError> {
        let mut parser = BodyParser::default();
        loop {
            let (used, state) = parse_all(&mut parser, self.window.available(), sink)?;
            self.pass(used);
            match state {
                Parsed::All => return self.first_seal(),
                Parsed::NeedsMore(err) => {
                    if !self.window.read_more()? {
                        return Err(err.into());
                    }
                }
            }
        }
    }

    /// Reads what follows the data. Sections are told apart by which one's seal holds: the file does
    /// not say which options its writer had.
    ///
    /// # Errors
    /// [`ReadError`].
    pub fn trailer(&mut self) -> Result<Trailer, ReadError> {
        self.window.fill(TRAILER_LEN_MAX)?;
        let mut rest = self.window.available();
        let mut trailer = Trailer::default();
        if let Some((digest, behind)) = self.checksum.section(rest, digest) {
            trailer.digest = Some(digest);
            rest = behind;
        }
        if let Some((zxid, behind)) = self.checksum.section(rest, Zxid::decode) {
            trailer.last_zxid = Some(zxid);
            rest = behind;
        }
        if !rest.is_empty() && !self.checksum.is_sealed(rest) {
            return Err(ReadError::Checksum);
        }
        self.drain()?;
        Ok(trailer)
    }

    /// A compressed stream has checksums of its own at its end.
    fn drain(&mut self) -> io::Result<()> {
        loop {
            let len = self.window.available().len();
            self.window.consume(len);
            if !self.window.read_more()? {
                return Ok(());
            }
        }
    }

    fn first_seal(&mut self) -> Result<(), ReadError> {
        const SEAL_LEN: usize = 8 + SEAL_TEXT.len();
        if !self.window.fill(SEAL_LEN)? {
            return Err(DecodeError::Truncated { missing: SEAL_LEN }.into());
        }
        let available = self.window.available();
        let mut r = Reader::new(&available[..SEAL_LEN], LIMIT);
        if !self.checksum.seal(&mut r)? {
            return Err(ReadError::Checksum);
        }
        let used = SEAL_LEN - r.rest().len();
        self.window.consume(used);
        Ok(())
    }

    fn pass(&mut self, len: usize) {
        self.checksum.0.write(&self.window.available()[..len]);
        self.window.consume(len);
    }
}

/// "/" as Jute writes it.
pub(super) const SEAL_TEXT: &[u8] = &[0, 0, 0, 1, b'/'];

enum Parsed {
    All,
    NeedsMore(DecodeError),
}

/// Parses as many items as `input` holds whole, and says how many bytes those took.
fn parse_all(
    parser: &mut BodyParser,
    input: &[u8],
    sink: &mut dyn FnMut(SnapshotItem<'_>) -> Result<(), String>,
) -> Result<(usize, Parsed), ReadError> {
    let mut used = 0;
    loop {
        let mut r = Reader::new(&input[used..], LIMIT);
        match parser.next_item(&mut r) {
            Ok(Some(item)) => sink(item)?,
            Ok(None) => return Ok((input.len() - r.rest().len(), Parsed::All)),
            Err(err @ DecodeError::Truncated { .. }) => return Ok((used, Parsed::NeedsMore(err))),
            Err(err) => return Err(err.into()),
        }
        used = input.len() - r.rest().len();
    }
}

impl Checksum {
    /// Whether these are sections of a later version: whatever they hold, they end with a seal.
    fn is_sealed(&self, sections: &[u8]) -> bool {
        let Some(rest) = sections.strip_suffix(SEAL_TEXT) else {
            return false;
        };
        let Some((covered, seal)) = rest.split_last_chunk() else {
            return false;
        };
        let mut checksum = self.clone();
        checksum.0.write(covered);
        i64::from_be_bytes(*seal) == i64::from(checksum.0.finish())
    }

    /// Reads a section and its seal from the front of `input`; `None`, and nothing changed, unless
    /// the seal holds.
    fn section<'a, T>(
        &mut self,
        input: &'a [u8],
        decode: impl FnOnce(&mut Reader<'_>) -> Result<T, DecodeError>,
    ) -> Option<(T, &'a [u8])> {
        let mut r = Reader::new(input, LIMIT);
        let value = decode(&mut r).ok()?;
        let mut checksum = self.clone();
        checksum.0.write(&input[..input.len() - r.rest().len()]);
        if !checksum.seal(&mut r).ok()? {
            return None;
        }
        *self = checksum;
        Some((value, &input[input.len() - r.rest().len()..]))
    }
}

/// Versions before 2 wrote the digest as hexadecimal text.
fn digest(r: &mut Reader<'_>) -> Result<SnapshotDigest, DecodeError> {
    let zxid = Zxid::decode(r)?;
    let version = r.i32()?;
    let tree_digest = if version < 2 {
        let text = r.opt_str()?.unwrap_or_default();
        i64::from_str_radix(&text, 16).unwrap_or_default()
    } else {
        r.i64()?
    };
    Ok(SnapshotDigest {
        zxid,
        digest: TxnDigest {
            version,
            tree_digest,
        },
    })
}

#[cfg(test)]
mod tests;
