//! A file's content, kept by sector so that preallocated space costs nothing.

use crate::disk::SECTOR_LEN;
use crate::width::{index, len64};
use std::collections::BTreeMap;
use std::sync::Arc;

const SECTOR: u64 = 512;
const _: () = assert!(SECTOR_LEN == 512);

/// Sectors that are absent read as zeros. Bytes beyond `len` are always zero. Images share the sectors
/// in which they do not differ: there are many of each file.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) struct Image {
    len: u64,
    sectors: BTreeMap<u64, Arc<[u8; SECTOR_LEN]>>,
}

impl Image {
    pub(super) fn len(&self) -> u64 {
        self.len
    }

    /// How many sectors were ever written, from this one on.
    pub(super) fn sectors_from(&self, first: u64) -> u64 {
        len64(self.sectors.range(first..).count())
    }

    pub(super) fn read(&self, offset: u64, buf: &mut [u8]) -> usize {
        let len = index(self.len.saturating_sub(offset)).min(buf.len());
        for piece in pieces(offset, len) {
            let target = &mut buf[piece.start..piece.end];
            match self.sectors.get(&piece.sector) {
                Some(sector) => target.copy_from_slice(&sector[piece.within..][..target.len()]),
                None => target.fill(0),
            }
        }
        len
    }

    pub(super) fn write(&mut self, offset: u64, bytes: &[u8]) {
        for piece in pieces(offset, bytes.len()) {
            self.write_piece(&piece, &bytes[piece.start..piece.end]);
        }
        if !bytes.is_empty() {
            self.len = self.len.max(offset + len64(bytes.len()));
        }
    }

    /// Stores bytes without changing the length.
    pub(super) fn write_piece(&mut self, piece: &Piece, bytes: &[u8]) {
        let sector =
            (self.sectors.entry(piece.sector)).or_insert_with(|| Arc::new([0; SECTOR_LEN]));
        Arc::make_mut(sector)[piece.within..][..bytes.len()].copy_from_slice(bytes);
    }

    pub(super) fn truncate(&mut self, len: u64) {
        if len < self.len {
            self.len = len;
            self.clear_beyond(len);
        }
    }

    pub(super) fn lengthen(&mut self, len: u64) {
        self.len = self.len.max(len);
    }

    /// Sets the length whatever was stored beyond it.
    pub(super) fn cut_to(&mut self, len: u64) {
        self.len = len;
        self.clear_beyond(len);
    }

    fn clear_beyond(&mut self, len: u64) {
        let kept = len.div_ceil(SECTOR);
        self.sectors.split_off(&kept);
        let within = index(len % SECTOR);
        if within > 0
            && let Some(last) = self.sectors.get_mut(&(len / SECTOR))
        {
            Arc::make_mut(last)[within..].fill(0);
        }
    }

    pub(super) fn flip_bit(&mut self, offset: u64, bit: u32) {
        let mut byte = [0];
        if self.read(offset, &mut byte) == 1 {
            self.write(offset, &[byte[0] ^ (1 << (bit % 8))]);
        }
    }

    /// How many of `len` bytes can be written at `offset` with `room` new sectors, the first
    /// `reserved` of the file not counted.
    pub(super) fn fits(&self, offset: u64, len: usize, reserved: u64, mut room: u64) -> usize {
        for piece in pieces(offset, len) {
            if piece.sector >= reserved && !self.sectors.contains_key(&piece.sector) {
                if room == 0 {
                    return piece.start;
                }
                room -= 1;
            }
        }
        len
    }
}

/// The part of a write that falls into one sector.
#[derive(Clone, Copy, Debug)]
pub(super) struct Piece {
    pub(super) sector: u64,
    /// Offset in the sector.
    pub(super) within: usize,
    /// Range in the write.
    pub(super) start: usize,
    pub(super) end: usize,
}

/// Splits a write of `len` bytes at `offset` at the sectors' borders.
pub(super) fn pieces(offset: u64, len: usize) -> impl Iterator<Item = Piece> {
    let mut start = 0;
    std::iter::from_fn(move || {
        if start == len {
            return None;
        }
        let position = offset + len64(start);
        let within = index(position % SECTOR);
        let end = len.min(start + SECTOR_LEN - within);
        let piece = Piece {
            sector: position / SECTOR,
            within,
            start,
            end,
        };
        start = end;
        Some(piece)
    })
}
