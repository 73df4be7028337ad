//! The streams around a snapshot (Java `SnapStream`).

use super::reader::SEAL_TEXT;
use super::snappy::{self, SnappyReader, SnappyWriter};
use crate::disk::{Disk, DiskFile};
use crate::names::DataFile;
use crate::width::len64;
use flate2::bufread::GzDecoder;
use flate2::write::GzEncoder;
use std::io::{self, BufReader, Read, Write};
use std::path::Path;

const BUFFER_LEN: usize = 1 << 20;

/// How a snapshot is compressed (`zookeeper.snapshot.compression.method`).
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Compression {
    /// Not at all: the method "".
    #[default]
    None,
    /// `gz`
    Gzip,
    /// `snappy`, as snappy-java's `SnappyOutputStream` frames it.
    Snappy,
}

impl Compression {
    /// By the property's value, in any case; what is unknown means none, as in Java.
    #[must_use]
    pub fn from_method(method: &str) -> Compression {
        match method.to_ascii_lowercase().as_str() {
            "gz" => Compression::Gzip,
            "snappy" => Compression::Snappy,
            _ => Compression::None,
        }
    }

    /// By the file's name; what is unknown means none, as in Java.
    #[must_use]
    pub fn of_path(path: &Path) -> Compression {
        let extension = path.extension().and_then(|extension| extension.to_str());
        Compression::from_method(extension.unwrap_or_default())
    }

    /// What follows the zxid in a file's name.
    pub(super) fn extension(self) -> &'static str {
        match self {
            Compression::None => "",
            Compression::Gzip => ".gz",
            Compression::Snappy => ".snappy",
        }
    }

    pub(super) fn reader<'a>(self, source: impl Read + 'a) -> Box<dyn Read + 'a> {
        let buffered = |source| BufReader::with_capacity(BUFFER_LEN, source);
        match self {
            Compression::None => Box::new(source),
            Compression::Gzip => Box::new(GzDecoder::new(buffered(source))),
            Compression::Snappy => Box::new(SnappyReader::new(buffered(source))),
        }
    }

    pub(super) fn writer(self, sink: FileSink) -> Compressor {
        match self {
            Compression::None => Compressor::None(sink),
            Compression::Gzip => Compressor::Gzip(Box::new(GzEncoder::new(
                sink,
                flate2::Compression::default(),
            ))),
            Compression::Snappy => Compressor::Snappy(Box::new(SnappyWriter::new(sink))),
        }
    }
}

pub(super) fn open_stream(source: impl Read + 'static, path: &Path) -> Box<dyn Read> {
    Compression::of_path(path).reader(source)
}

/// Whether a file's first or last bytes are those of a snapshot (Java `SnapStream.isValidSnapshot`).
/// One that cannot be read is not.
pub(super) fn looks_whole(disk: &dyn Disk, file: &DataFile) -> bool {
    let read = |offset: u64, len: usize| -> io::Result<Vec<u8>> {
        let mut bytes = vec![0; len];
        let got = disk.open(&file.path)?.read_at(offset, &mut bytes)?;
        bytes.truncate(got);
        Ok(bytes)
    };
    const LEN_MIN: u64 = 10;
    let seal_len = len64(SEAL_TEXT.len());
    match Compression::of_path(&file.path) {
        Compression::None if file.len < LEN_MIN => false,
        Compression::None => {
            read(file.len - seal_len, SEAL_TEXT.len()).is_ok_and(|bytes| bytes == SEAL_TEXT)
        }
        Compression::Gzip => read(0, GZIP_MAGIC.len()).is_ok_and(|bytes| bytes == GZIP_MAGIC),
        Compression::Snappy => {
            read(0, snappy::MAGIC.len()).is_ok_and(|bytes| bytes == snappy::MAGIC)
        }
    }
}

const GZIP_MAGIC: [u8; 2] = [0x1f, 0x8b];

/// Compresses into a file.
#[derive(Debug)]
pub(super) enum Compressor {
    None(FileSink),
    Gzip(Box<GzEncoder<FileSink>>),
    Snappy(Box<SnappyWriter<FileSink>>),
}

impl Compressor {
    /// Ends the stream.
    pub(super) fn finish(self) -> io::Result<FileSink> {
        match self {
            Compressor::None(sink) => Ok(sink),
            Compressor::Gzip(encoder) => encoder.finish(),
            Compressor::Snappy(writer) => writer.finish(),
        }
    }
}

impl Write for Compressor {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        match self {
            Compressor::None(sink) => sink.write(bytes),
            Compressor::Gzip(encoder) => encoder.write(bytes),
            Compressor::Snappy(writer) => writer.write(bytes),
        }
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

/// Writes a file from the front, in large pieces, and syncs each: what is left for later is flushed
/// all at once, and whoever syncs the log meanwhile waits for hundreds of megabytes.
///
/// Then the operating system may forget the piece, which nobody reads before the next start. It would take a fresh
/// page for each 4 KiB of the next piece, which can cost more than all else about the snapshot.
#[derive(Debug)]
pub(super) struct FileSink {
    file: Box<dyn DiskFile>,
    buf: Vec<u8>,
    offset: u64,
}

impl FileSink {
    pub(super) fn new(file: Box<dyn DiskFile>) -> FileSink {
        FileSink {
            file,
            buf: Vec::with_capacity(BUFFER_LEN),
            offset: 0,
        }
    }

    /// Makes everything durable; returns the file's length.
    pub(super) fn sync(mut self) -> io::Result<u64> {
        self.put_piece()?;
        Ok(self.offset)
    }

    fn put_piece(&mut self) -> io::Result<()> {
        self.file.write_at(self.offset, &self.buf)?;
        self.file.sync()?;
        let end = self.offset + len64(self.buf.len());
        self.file.uncache(self.offset..end);
        self.offset = end;
        self.buf.clear();
        Ok(())
    }
}

impl Write for FileSink {
    /// As much as fits into the piece, so that pieces are of whole pages.
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        if self.buf.len() == BUFFER_LEN {
            self.put_piece()?;
        }
        let taken = bytes.len().min(BUFFER_LEN - self.buf.len());
        self.buf.extend_from_slice(&bytes[..taken]);
        Ok(taken)
    }

    /// Nothing: what is not yet a piece would make one that is not of whole pages.
    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

#[cfg(test)]
mod tests;
