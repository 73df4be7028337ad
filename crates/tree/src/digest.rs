//! The digest of a node (spec §3; Java `DigestCalculator`).
//!
//! A node's digest is the CRC-32 of its path, its data and 60 bytes of stat. Where the stat changes again
//! and again without the data, the CRC after path and data is kept, so that a change costs 60 bytes.

use crc32fast::Hasher;
use std::sync::LazyLock;
use zooid_proto::StatPersisted;

const STAT_LEN: usize = 60;
/// Up to so many bytes are brought together first: each piece has its price, and what is shorter than a
/// vector more so.
const TOGETHER_MAX: usize = 256;

/// A new one asks what the processor can do.
static NEW: LazyLock<Hasher> = LazyLock::new(Hasher::new);

/// A node's digest.
#[must_use]
pub fn node(path: &str, data: Option<&[u8]>, stat: &StatPersisted) -> u32 {
    crc([
        counted_path(path),
        data.unwrap_or_default(),
        &stat_bytes(stat),
    ])
}

/// CRC-32 after path and data.
#[must_use]
pub fn prefix(path: &str, data: Option<&[u8]>) -> u32 {
    crc([counted_path(path), data.unwrap_or_default()])
}

/// A node's digest, from its [`prefix`] and stat.
#[must_use]
pub fn after_prefix(prefix: u32, stat: &StatPersisted) -> u32 {
    let mut bytes = stat_bytes(stat);
    // A CRC goes on from another as from none, with that one added to the bytes that come next.
    for (byte, before) in bytes.iter_mut().zip(prefix.to_le_bytes()) {
        *byte ^= before;
    }
    crc_of(&[&bytes])
}

/// Whether a node is part of the tree's digest: quota stats below `/zookeeper` are counted by each
/// server on its own, and the digest leaves them and their neighbours out.
#[must_use]
pub fn counts(path: &str) -> bool {
    !path.starts_with("/zookeeper/")
}

/// The root is known by two paths and counts under the empty one.
fn counted_path(path: &str) -> &[u8] {
    if path == "/" { b"" } else { path.as_bytes() }
}

fn crc<const PIECES: usize>(pieces: [&[u8]; PIECES]) -> u32 {
    match join(pieces, &mut [0; TOGETHER_MAX]) {
        Some(joined) => crc_of(&[joined]),
        None => crc_of(&pieces),
    }
}

#[inline]
fn crc_of(pieces: &[&[u8]]) -> u32 {
    let mut crc = NEW.clone();
    for piece in pieces {
        crc.update(piece);
    }
    crc.finalize()
}

/// The pieces one behind the other, if there is room.
fn join<'a, const PIECES: usize>(
    pieces: [&[u8]; PIECES],
    room: &'a mut [u8; TOGETHER_MAX],
) -> Option<&'a [u8]> {
    let mut end = 0;
    for piece in pieces {
        let start = end;
        end += piece.len();
        room.get_mut(start..end)?.copy_from_slice(piece);
    }
    Some(&room[..end])
}

fn stat_bytes(stat: &StatPersisted) -> [u8; STAT_LEN] {
    let mut bytes = [0; STAT_LEN];
    let mut rest = bytes.as_mut_slice();
    let longs = [
        stat.czxid.0,
        stat.mzxid.0,
        stat.pzxid.0,
        stat.ctime,
        stat.mtime,
    ];
    for long in longs {
        rest = put(rest, &long.to_be_bytes());
    }
    for int in [stat.version, stat.cversion, stat.aversion] {
        rest = put(rest, &int.to_be_bytes());
    }
    let rest = put(rest, &stat.ephemeral_owner.to_be_bytes());
    debug_assert!(rest.is_empty());
    bytes
}

fn put<'a>(out: &'a mut [u8], bytes: &[u8]) -> &'a mut [u8] {
    let (head, tail) = out.split_at_mut(bytes.len());
    head.copy_from_slice(bytes);
    tail
}

#[cfg(test)]
mod tests;
