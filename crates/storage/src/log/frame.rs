//! One record in a log file: `i64 adler32, i32 length, bytes, 'B'`.

use crate::width::len64;
use bytes::Bytes;
use zooid_proto::Zxid;

/// Before the bytes: checksum and length.
pub(super) const HEAD_LEN: usize = 12;
/// After the bytes.
pub(super) const END_OF_RECORD: u8 = b'B';
/// A transaction has at least its header.
pub(super) const BODY_LEN_MIN: usize = 32;

/// Appends a record to a batch.
///
/// # Panics
/// If the transaction is longer than `i32::MAX`, which no request can make it.
pub(super) fn put(batch: &mut Vec<u8>, body: &[u8]) {
    let len = i32::try_from(body.len()).expect("transactions are bounded by jute.maxbuffer");
    batch.extend_from_slice(&u64::from(simd_adler32::adler32(&body)).to_be_bytes());
    batch.extend_from_slice(&len.to_be_bytes());
    batch.extend_from_slice(body);
    batch.push(END_OF_RECORD);
}

/// A record's checksum and length as stored, from its first [`HEAD_LEN`] bytes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Head {
    pub(super) checksum: u64,
    pub(super) len: i32,
}

impl Head {
    pub(super) fn parse(bytes: &[u8]) -> Option<Head> {
        let (checksum, rest) = bytes.split_first_chunk()?;
        let (len, _) = rest.split_first_chunk()?;
        Some(Head {
            checksum: u64::from_be_bytes(*checksum),
            len: i32::from_be_bytes(*len),
        })
    }

    /// The body's length, if the record can be one at all.
    pub(super) fn body_len(self) -> Option<usize> {
        usize::try_from(self.len).ok().filter(|len| *len > 0)
    }

    /// Length of the whole record.
    pub(super) fn record_len(self) -> Option<usize> {
        self.body_len()?.checked_add(HEAD_LEN + 1)
    }
}

/// The body of the record at the front of `bytes`, if it is whole and right.
pub(super) fn parse(bytes: &[u8]) -> Option<&[u8]> {
    let head = Head::parse(bytes)?;
    let record = bytes.get(..head.record_len()?)?;
    let body = record.get(HEAD_LEN..record.len() - 1)?;
    let whole = record.ends_with(&[END_OF_RECORD]);
    (whole && u64::from(simd_adler32::adler32(&body)) == head.checksum).then_some(body)
}

/// A record that was read back.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct LogRecord {
    /// Of its header.
    pub zxid: Zxid,
    /// Header, transaction, digest: what [`zooid_proto::TxnRecord::decode`] takes.
    pub bytes: Bytes,
    /// Where in its file the record starts.
    pub offset: u64,
}

impl LogRecord {
    /// Where in its file the record ends.
    #[must_use]
    pub fn end(&self) -> u64 {
        self.offset + len64(HEAD_LEN + self.bytes.len() + 1)
    }
}

/// The zxid in a transaction's header; `None` if it is too short to have one.
pub(super) fn zxid_of(body: &[u8]) -> Option<Zxid> {
    let (_, rest) = body.split_at_checked(12)?;
    let (zxid, _) = rest.split_first_chunk()?;
    Some(Zxid(i64::from_be_bytes(*zxid)))
}
