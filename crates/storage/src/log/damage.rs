//! Telling a torn write from a damaged file.
//!
//! A log is only ever appended to, into zeros, and everything before the last sync is durable. So a
//! crash leaves exactly three kinds of traces behind the last good record: zeros; a record that
//! breaks off and is followed by zeros (the write stopped there); records of which whole sectors are
//! zeros (the disk wrote in another order; see `disk`'s rules). None of that was ever acknowledged and may
//! be cut. Anything else is damage to what was written whole: acknowledged transactions may be
//! among it, and forgetting them would be silent loss, so it is refused (PAR, FAST '18).
//!
//! Before the second and third kind are believed, the record must not be explained better by one
//! flipped bit: in its checksum, its length, its end mark or its body.

use super::BATCH_RECORDS_MAX;
use super::frame::{self, BODY_LEN_MIN, END_OF_RECORD, HEAD_LEN, Head};
use crate::disk::SECTOR_LEN;
use crate::names::REPAIR;
use crate::width::index;
use std::fmt;
use std::io;
use std::path::PathBuf;
use zooid_proto::Zxid;

/// Most bytes between the first bad record and the last byte that is not zero, for a crash to
/// explain them; what one sync makes durable is far less.
pub(super) const TORN_LEN_MAX: usize = 256 << 20;

/// How far the search for the true end of a record with a damaged length goes.
const BODY_LEN_MAX: usize = 16 << 20;

/// What is behind the last good record of a file.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Verdict {
    /// Nothing but zeros.
    Clean,
    /// What a crash leaves.
    Torn,
    /// What no crash leaves; in words.
    Damaged(&'static str),
}

/// A file that cannot be trusted.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Damage {
    /// The file.
    pub path: PathBuf,
    /// Where the damage starts.
    pub offset: u64,
    /// The last good transaction before, if there was one in this file.
    pub last_good: Option<Zxid>,
    /// What is wrong there.
    pub what: String,
}

impl fmt::Display for Damage {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let path = self.path.display();
        write!(
            f,
            "transaction log {path} is damaged at offset {}",
            self.offset
        )?;
        match self.last_good {
            Some(zxid) => write!(f, ", behind transaction {zxid}")?,
            None => write!(f, ", before its first transaction")?,
        }
        write!(
            f,
            ": {}. Acknowledged transactions may be lost, so the server does not start. To repair: \
             {REPAIR}; otherwise copy the data directories away, and restore this file from a backup, or accept the loss \
             of everything behind {} by cutting the file there (zkTxnLogToolkit.sh -c) and removing \
             all later logs and snapshots",
            self.what,
            self.last_good
                .map_or_else(|| "its start".to_owned(), |zxid| zxid.to_string()),
        )
    }
}

/// Why a log could not be read on.
#[derive(Debug, thiserror::Error)]
pub enum LogReadError {
    /// The disk failed.
    #[error("{0}. To repair: see to the disk, and start again; or, {REPAIR}")]
    Io(#[from] io::Error),
    /// The file is not what was written.
    #[error("{0}")]
    Damaged(Box<Damage>),
    /// Transactions are missing.
    #[error(
        "the transaction logs have a gap: {found} in {} follows {previous}. The transactions \
         between are missing, so the server does not start. To repair: bring the missing log file \
         back, or a snapshot at or after {found}; or, {REPAIR}", path.display()
    )]
    Gap {
        /// The last transaction, or the snapshot, before.
        previous: Zxid,
        /// The transaction after.
        found: Zxid,
        /// The file holding it.
        path: PathBuf,
    },
    /// An older transaction comes after a newer one.
    #[error(
        "the transaction logs go back: {found} in {} comes after {previous}. They hold two different \
         histories, so the server does not start. To repair: if the file is a stray copy, move it \
         away; otherwise, {REPAIR}", path.display()
    )]
    Backwards {
        /// The transaction before.
        previous: Zxid,
        /// The transaction after.
        found: Zxid,
        /// The file holding it.
        path: PathBuf,
    },
}

/// Judges what follows the last good record: `rest` starts there, at `offset` of a file of
/// `offset + space` bytes, and ends with the file's last byte that is not zero. `synced` says that
/// the writer synced every [`BATCH_RECORDS_MAX`] records at the latest.
pub(super) fn judge(rest: &[u8], offset: u64, space: u64, synced: bool) -> Verdict {
    if rest.is_empty() {
        return Verdict::Clean;
    }
    let suspect = Suspect::new(rest, offset, space);
    if let Some(what) = suspect.flipped_bit() {
        return Verdict::Damaged(what);
    }
    if suspect.breaks_off() {
        return Verdict::Torn;
    }
    if !suspect.lost_a_sector() {
        return Verdict::Damaged("a record was changed after it was written");
    }
    if synced && records_within(&rest[1..]) > BATCH_RECORDS_MAX {
        return Verdict::Damaged("a record is wiped out and too many good ones follow it");
    }
    Verdict::Torn
}

/// Counts whole records wherever they start.
pub(super) fn records_within(mut bytes: &[u8]) -> usize {
    let mut count = 0;
    while bytes.len() > HEAD_LEN + BODY_LEN_MIN {
        let step = match frame::parse(bytes) {
            Some(body) if body.len() >= BODY_LEN_MIN => {
                count += 1;
                HEAD_LEN + body.len() + 1
            }
            _ => 1,
        };
        bytes = &bytes[step..];
    }
    count
}

/// The record that cannot be read.
struct Suspect<'a> {
    rest: &'a [u8],
    head: Head,
    /// Its claimed end, relative to `rest`, if the file is long enough for it.
    end: Option<usize>,
    /// Up to where its first sector goes, relative to `rest`.
    first_border: usize,
}

impl<'a> Suspect<'a> {
    fn new(rest: &'a [u8], offset: u64, space: u64) -> Suspect<'a> {
        let mut bytes = [0; HEAD_LEN];
        let len = rest.len().min(HEAD_LEN);
        bytes[..len].copy_from_slice(&rest[..len]);
        let head = Head {
            checksum: u64::from_be_bytes(*bytes.first_chunk().expect("12 bytes have 8")),
            len: i32::from_be_bytes(*bytes.last_chunk().expect("12 bytes have 4")),
        };
        let sector = u64::try_from(SECTOR_LEN).expect("a small constant");
        Suspect {
            rest,
            head,
            end: head.record_len().filter(|end| *end <= index(space)),
            first_border: index(sector - offset % sector),
        }
    }

    /// What a single flipped bit would explain.
    fn flipped_bit(&self) -> Option<&'static str> {
        if self.is_whole_under_another_length() {
            return Some("the length of a record was changed after it was written");
        }
        let end = self.end.filter(|end| *end <= TORN_LEN_MAX)?;
        let record: &[u8] = &with_zeros(self.rest, end);
        let body = &record[HEAD_LEN..end - 1];
        let mark = record[end - 1];
        let computed = u64::from(simd_adler32::adler32(&body));
        if computed == self.head.checksum {
            let flipped = (mark ^ END_OF_RECORD).count_ones() == 1;
            return flipped.then_some("the end mark of a record was changed after it was written");
        }
        if mark != END_OF_RECORD {
            return None;
        }
        if (computed ^ self.head.checksum).count_ones() == 1 {
            return Some("the checksum of a record was changed after it was written");
        }
        let flipped = adler_explained_by_one_bit(body, self.head.checksum);
        flipped.then_some("a bit of a record was changed after it was written")
    }

    /// Whether the checksum fits if the record ends elsewhere than its length says.
    fn is_whole_under_another_length(&self) -> bool {
        let Some((_, rest)) = self.rest.split_at_checked(HEAD_LEN) else {
            return false;
        };
        let mut sum = Adler::new();
        for (len, byte) in rest.iter().take(BODY_LEN_MAX).enumerate() {
            let fits = *byte == END_OF_RECORD
                && len >= BODY_LEN_MIN
                && Some(len) != self.head.body_len()
                && u64::from(sum.value()) == self.head.checksum;
            if fits {
                return true;
            }
            sum.push(*byte);
        }
        false
    }

    /// Whether the write stopped inside the record: nothing follows, and its end is missing.
    fn breaks_off(&self) -> bool {
        if self.rest.len() <= HEAD_LEN {
            return true;
        }
        match self.head.record_len() {
            Some(end) => self.rest.len() < end,
            None => false,
        }
    }

    /// Whether a whole sector's share of the record reads as zeros that should not be.
    fn lost_a_sector(&self) -> bool {
        // The first four bytes of a checksum are always zeros: they prove nothing.
        const ALWAYS_ZERO: usize = 4;
        if self.first_border > ALWAYS_ZERO && self.is_zero(0, self.first_border) {
            return true;
        }
        let head_ends = HEAD_LEN.max(self.first_border + 1);
        let end = self
            .head
            .record_len()
            .unwrap_or(head_ends)
            .min(self.rest.len());
        (self.first_border..end)
            .step_by(SECTOR_LEN)
            .any(|start| self.is_zero(start, end.min(start + SECTOR_LEN)))
    }

    fn is_zero(&self, start: usize, end: usize) -> bool {
        let end = end.min(self.rest.len());
        start < end && self.rest[start..end].iter().all(|byte| *byte == 0)
    }
}

fn with_zeros(bytes: &[u8], len: usize) -> std::borrow::Cow<'_, [u8]> {
    match bytes.get(..len) {
        Some(whole) => whole.into(),
        None => {
            let mut padded = bytes.to_vec();
            padded.resize(len, 0);
            padded.into()
        }
    }
}

/// Adler-32, byte by byte.
struct Adler {
    a: u32,
    b: u32,
}

impl Adler {
    const MODULUS: u32 = 65521;

    fn new() -> Adler {
        Adler { a: 1, b: 0 }
    }

    fn push(&mut self, byte: u8) {
        self.a = (self.a + u32::from(byte)) % Adler::MODULUS;
        self.b = (self.b + self.a) % Adler::MODULUS;
    }

    fn value(&self) -> u32 {
        (self.b << 16) | self.a
    }
}

/// Whether flipping one bit of `body` gives it the checksum `stored`.
///
/// With n bytes, byte i adds itself to the low half a, and (n − i) times itself to the high half b.
/// So a flip of bit k at i changes a by ±2^k and b by (n − i)·±2^k: the first tells the change, the
/// quotient of both tells the place, modulo 65521.
fn adler_explained_by_one_bit(body: &[u8], stored: u64) -> bool {
    let Ok(stored) = u32::try_from(stored) else {
        return false;
    };
    let modulus = u64::from(Adler::MODULUS);
    let computed = simd_adler32::adler32(&body);
    let difference = |shift: u32| {
        let half = |sum: u32| u64::from((sum >> shift) & 0xffff);
        (half(stored) + modulus - half(computed) % modulus) % modulus
    };
    let (delta_a, delta_b) = (difference(0), difference(16));
    (0..8_u32).any(|bit| {
        let value = 1_u64 << bit;
        let sets = delta_a == value;
        if !sets && delta_a != modulus - value {
            return false;
        }
        let from_end = delta_b * inverse(delta_a, modulus) % modulus;
        let places = (index(from_end)..=body.len()).step_by(index(modulus));
        places.filter(|place| *place > 0).any(|place| {
            let is_set = body[body.len() - place] & (1 << bit) != 0;
            is_set != sets
        })
    })
}

/// The inverse modulo a prime (Fermat).
fn inverse(value: u64, modulus: u64) -> u64 {
    let (mut result, mut base, mut exponent) = (1, value % modulus, modulus - 2);
    while exponent > 0 {
        if exponent & 1 == 1 {
            result = result * base % modulus;
        }
        base = base * base % modulus;
        exponent >>= 1;
    }
    result
}

#[cfg(test)]
mod tests;
